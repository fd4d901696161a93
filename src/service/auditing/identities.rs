//! From a pseudonym to whom it stands for, by making the pseudonyms of everybody anew under the key of its class and
//! year; and whom a record concerns. A destroyed key has unlinked its year: then nobody can tell any more.
//!
//! It decides on nobody's right to know: that is `reidentifying`, its only caller.

use std::sync::Arc;

use serde::Serialize;

use crate::audit::{LeafBody, Pseudonym, PseudonymKey};
use crate::crypto::keyring::KeyOwner;
use crate::domain::record::RowRef;
use crate::domain::reidentification::PseudonymOf;
use crate::domain::vocabulary::Profession;
use crate::ids::ProfessionalId;
use crate::service::who::Names;
use crate::service::{App, Desk, ServiceError};
use crate::store::{Snapshot, StoreError};

/// Whom to call about a pathway.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct ReferentName {
    pub name: String,
    pub telephone: String,
}

/// Whom a pseudonym stands for.
///
/// LAW: RGPD 5(1)c. Of a pathway: who leads it and whom to call there, never the young person, whose name the control of
/// accesses does not need.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Identity {
    Actor {
        name: String,
        /// Nothing for somebody who acted before choosing an assignment.
        organisation: Option<String>,
        profession: Option<Profession>,
    },
    Pathway {
        organisation: String,
        telephone: String,
        /// Nothing where nobody has that place now: the organisation then knows.
        referent: Option<ReferentName>,
    },
}

/// The pseudonym that a record carries.
pub(super) const fn pseudonym_in(body: &LeafBody, of: PseudonymOf) -> Option<&Pseudonym> {
    match of {
        PseudonymOf::Actor => body.actor.as_ref(),
        PseudonymOf::Pathway => body.pathway.as_ref(),
    }
}

impl App {
    /// The key under which the pseudonyms of a record were made; nothing once it is destroyed.
    pub(super) fn key_of_record(
        &self,
        body: &LeafBody,
        of: PseudonymOf,
    ) -> Result<Option<Arc<PseudonymKey>>, ServiceError> {
        let Some(year) = pseudonym_in(body, of).and_then(Pseudonym::year) else { return Ok(None) };
        // THREAT: a destroyed key that this process still holds. The store alone says whether it stands.
        let owner = KeyOwner::Pseudonyms { class: body.retention, year: i32::from(year) };
        match self.store.snapshot()?.wrapped_key(&owner) {
            Ok(Some(_)) => self.pseudonym_key_of(body.retention, year),
            Ok(None) | Err(StoreError::KeyDestroyed) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether a record concerns somebody: as who acted, under any assignment, or as somebody who has or had a place on
    /// its pathway. Where its pseudonyms say nothing any more, it concerns everybody.
    pub(super) fn concerns(
        &self,
        snapshot: &mut Snapshot,
        body: &LeafBody,
        professional: &ProfessionalId,
    ) -> Result<bool, ServiceError> {
        let own = snapshot.assignments_of(professional)?;
        if let Some(actor) = &body.actor {
            let Some(key) = self.key_of_record(body, PseudonymOf::Actor)? else { return Ok(true) };
            if key.professional(professional) == *actor
                || own.iter().any(|a| key.assignment(&a.facts.id) == *actor)
            {
                return Ok(true);
            }
        }
        if let Some(pathway) = &body.pathway {
            let Some(key) = self.key_of_record(body, PseudonymOf::Pathway)? else { return Ok(true) };
            for assignment in &own {
                let places = snapshot.pathways_of(&assignment.facts.id)?;
                if places.iter().any(|place| key.pathway(place) == *pathway) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whom the pseudonym stands for; nothing where that cannot be told any more.
    pub(super) fn identity_in(
        &self,
        desk: &mut Desk<'_>,
        body: &LeafBody,
        of: PseudonymOf,
    ) -> Result<Option<Identity>, ServiceError> {
        let (Some(pseudonym), Some(key)) = (pseudonym_in(body, of), self.key_of_record(body, of)?) else {
            return Ok(None);
        };
        match of {
            PseudonymOf::Actor => actor(desk, &key, pseudonym),
            PseudonymOf::Pathway => pathway(desk, &key, pseudonym),
        }
    }
}

fn actor(
    desk: &mut Desk<'_>,
    key: &PseudonymKey,
    pseudonym: &Pseudonym,
) -> Result<Option<Identity>, ServiceError> {
    let all = desk.snapshot.actors()?;
    let mut names = Names::default();
    if let Some(id) = all.assignments.iter().find(|id| key.assignment(id) == *pseudonym) {
        let row = desk.snapshot.assignment_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
        let who = names.who(desk.snapshot, &row.facts)?;
        desk.returned.push(RowRef { table: "assignment", id: id.to_string(), version: row.facts.version });
        return Ok(Some(Identity::Actor {
            name: who.name,
            organisation: Some(who.organisation),
            profession: Some(who.profession),
        }));
    }
    let Some(id) = all.professionals.iter().find(|id| key.professional(id) == *pseudonym) else {
        return Ok(None);
    };
    let name = names.name(desk.snapshot, Some(id))?;
    desk.returned.push(RowRef { table: "professional", id: id.to_string(), version: 1 });
    Ok(name.map(|name| Identity::Actor { name, organisation: None, profession: None }))
}

fn pathway(
    desk: &mut Desk<'_>,
    key: &PseudonymKey,
    pseudonym: &Pseudonym,
) -> Result<Option<Identity>, ServiceError> {
    let all = desk.snapshot.pathways_led()?;
    let Some((id, lead)) = all.into_iter().find(|(id, _)| key.pathway(id) == *pseudonym) else {
        return Ok(None);
    };
    // What was erased at its term is not told of any more.
    match desk.snapshot.wrapped_key(&KeyOwner::Pathway(id.clone())) {
        Ok(Some(_)) => {}
        Ok(None) | Err(StoreError::KeyDestroyed) => return Ok(None),
        Err(e) => return Err(e.into()),
    }
    let organisation = desk.snapshot.organisation_fetch(&lead)?.ok_or(ServiceError::AbsentOrRefused)?.words;
    let mut referent = None;
    if let Some(under) = desk.snapshot.referent_of(&id, desk.now)?
        && let Some(row) = desk.snapshot.assignment_fetch(&under)?
    {
        let mut names = Names::default();
        referent = Some(ReferentName {
            name: names.who(desk.snapshot, &row.facts)?.name,
            telephone: names.telephone(desk.snapshot, &row.facts)?,
        });
    }
    desk.returned.push(RowRef { table: "pathway", id: id.to_string(), version: 1 });
    Ok(Some(Identity::Pathway {
        organisation: organisation.name,
        telephone: organisation.telephone,
        referent,
    }))
}
