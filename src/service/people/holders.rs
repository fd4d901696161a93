//! Holders of parental authority, and others who stand beside the young person.
//!
//! INVARIANT: holders are named to the référent and to those who collect accords, to nobody else.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{act, refused};
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::person::{HolderDraft, HolderFacts, Reference};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{EntryError, FieldErrors, Text};
use crate::domain::vocabulary::Capacity;
use crate::ids::{HolderId, OrganisationId, PathwayId};
use crate::service::who::{end_of, iso, still_open};
use crate::service::{App, Call, Change, Created, ServiceError};
use crate::store::fact::{FactKind, RowAt};

/// Somebody who holds parental authority, or stands beside.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderInput {
    pub capacity: Capacity,
    pub from: Day,
    /// The last day.
    pub until: Option<Day>,
    /// The service itself, for the two capacities that are services.
    pub organisation: Option<OrganisationId>,
    /// Where the decision can be found.
    pub proof: Option<Text<140>>,
    pub name: Text<80>,
    pub number: Option<Phone>,
    /// « mère », « grand-père »…
    pub relation: Option<Text<60>>,
}

/// What is written of a holder (words of the fact `holder`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderWords {
    pub name: Text<80>,
    pub number: Option<Phone>,
    pub relation: Option<Text<60>>,
}

/// The end of a holder's capacity.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderEnd {
    /// The last day.
    pub last_day: Day,
}

/// A holder, for who may read the name.
#[derive(Serialize, ToSchema)]
pub struct HolderView {
    pub id: String,
    pub capacity: Capacity,
    pub can_sign: bool,
    #[schema(format = Date)]
    pub from: String,
    /// The first day on which it no longer holds.
    #[schema(format = Date)]
    pub ends: Option<String>,
    pub organisation: Option<String>,
    pub proof: Option<String>,
    /// Contacting this person would endanger somebody: no letter, no call, no sheet.
    pub do_not_contact: bool,
    pub name: Option<Text<80>>,
    pub number: Option<Phone>,
    pub relation: Option<Text<60>>,
}

/// All holders of one pathway.
#[derive(Serialize, ToSchema)]
pub struct HoldersView {
    pub items: Vec<HolderView>,
}

type NamedHolders = (Vec<HolderView>, Vec<(String, HolderWords)>);

fn name_holders((mut views, words): NamedHolders) -> HoldersView {
    for (id, words) in words {
        if let Some(view) = views.iter_mut().find(|v| v.id == id) {
            // THREAT: a number shown is a number called.
            view.number = if view.do_not_contact { None } else { words.number };
            view.name = Some(words.name);
            view.relation = words.relation;
        }
    }
    HoldersView { items: views }
}

impl App {
    /// Adds an authority holder, or somebody in another capacity.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn holder_add(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &HolderInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Create, ResourceKind::Holder), pathway, |scene| {
            scene.gate.resource(Resource::HolderChange)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            // LAW: S15. Giving the name does not inform the parents: nobody is noted beside a nickname.
            if facts.person.nickname_only() {
                return Err(ServiceError::forbidden(
                    "nickname_only",
                    "Le jeune n'a donné qu'un surnom : ses parents ne sont pas notés.",
                ));
            }
            let proof = input.proof.as_ref().map(Reference::from);
            let until = input.until.map(|d| end_of(d.date())).transpose()?.map(Timestamp::paris_day);
            if let Some(service) = &input.organisation
                && scene.snapshot.organisation_fetch(service)?.is_none()
            {
                return Err(
                    FieldErrors::one("organisation", EntryError::NotInList { list: "structure" }).into()
                );
            }
            let id = HolderId::random(scene.app.chance())?;
            let holder = HolderFacts::new(HolderDraft {
                id: id.clone(),
                capacity: input.capacity,
                from: input.from.date(),
                until,
                organisation: input.organisation.clone(),
                proof,
            })
            .map_err(|e| refused(&e))?;
            let words = HolderWords {
                name: input.name.clone(),
                number: input.number.clone(),
                relation: input.relation.clone(),
            };
            let fact =
                scene.pen().with_words(RowAt::first(FactKind::Holder, id.as_str()), &holder, Some(&words))?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// Ends a holder's capacity; signatures given before stay what they were.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn holder_end(
        &self,
        call: &Call,
        pathway: &PathwayId,
        holder: &HolderId,
        input: HolderEnd,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::End, ResourceKind::Holder), pathway, |scene| {
            scene.gate.resource(Resource::HolderChange)?;
            let facts = scene.gate.facts();
            let found =
                facts.holders.iter().find(|h| h.id() == holder).ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            let mut draft = HolderDraft::from(found.clone());
            draft.until = Some(end_of(input.last_day.date())?.paris_day());
            let ended = HolderFacts::new(draft).map_err(|e| refused(&e))?;
            let fact = scene.snapshot.fact_amend(&scene.pen(), FactKind::Holder, holder.as_str(), &ended)?;
            Ok(Change::new(holder.as_str()).fact(fact))
        })
    }

    /// Holders with their names: the référent and collectors.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn holders(&self, call: &Call, pathway: &PathwayId) -> Result<Disclosed<HoldersView>, ServiceError> {
        self.read(call, act(Action::Read, ResourceKind::Holder), pathway, |scene| {
            let grant = scene.gate.resource(Resource::Holders)?;
            let facts = scene.gate.facts();
            let today = scene.now.paris_day();
            let views: Vec<HolderView> = facts
                .holders
                .iter()
                .map(|h| HolderView {
                    id: h.id().as_str().to_owned(),
                    capacity: h.capacity(),
                    can_sign: h.can_sign(),
                    from: iso(h.from()),
                    ends: h.until().map(iso),
                    organisation: h.organisation().map(|o| o.as_str().to_owned()),
                    proof: h.proof().map(|p| p.as_str().to_owned()),
                    do_not_contact: !facts.people().may_be_contacted(h.id(), today),
                    name: None,
                    number: None,
                    relation: None,
                })
                .collect();
            scene.returned.extend(views.iter().map(|v| RowRef {
                table: "fact",
                id: v.id.clone(),
                version: facts.version,
            }));
            let words = scene.snapshot.facts_words::<HolderWords>(grant, FactKind::Holder)?;
            Ok(words.with(views).map_fn(name_holders))
        })
    }
}
