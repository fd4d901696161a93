//! « Qui a consulté »: which openings of content there were on one pathway, for its référent, who hands them to the
//! family (DESIGN §4, S12).
//!
//! INVARIANT: a line is one person, day and purpose, without name and without hour; what may be known of it at all is
//! the business of [`super::openings`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use super::auditing::OrganisationName;
use super::looked::place_of;
use super::openings::{Opened, Standpoint};
use super::receipts::record_ref;
use super::{Act, App, Call, Scene, ServiceError};
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::{AssignmentId, OrganisationId, ParticipationId, PathwayId};
use crate::store::organisation::Organisation;

/// One person, one day, one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ConsultationLine {
    /// The day in Paris.
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    pub organisation: OrganisationName,
    pub profession: Profession,
    pub purpose: Option<Purpose>,
    pub categories: Vec<Category>,
    /// The records whose receipts can be taken away for the family: those that concern nothing hidden from the référent.
    pub receipts: Vec<u64>,
}

/// Who opened content of a pathway, latest day first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Consultations {
    pub items: Vec<ConsultationLine>,
}

type Key = (std::cmp::Reverse<NaiveDate>, OrganisationId, Profession, AssignmentId, Option<Purpose>);

/// A structure of the directory, by its id.
pub(super) fn named(organisations: &[Organisation], id: OrganisationId) -> OrganisationName {
    OrganisationName {
        name: organisations
            .iter()
            .find(|o| o.id == id)
            .map_or_else(|| "structure inconnue".to_owned(), |o| o.words.name.clone()),
        id,
    }
}

/// Whose list it is.
enum Asker<'a> {
    /// The référent: everything that may be known from that place.
    Referent,
    /// The manager of a service whose taking part can be hidden: what concerns that service, from this place of it.
    Service(&'a ParticipationId),
}

fn lines(app: &App, scene: &mut Scene<'_>, asker: &Asker<'_>) -> Result<Vec<ConsultationLine>, ServiceError> {
    let facts = scene.gate.facts();
    let me = match asker {
        Asker::Referent => {
            // The view holds no words of the pathway: the grant opens nothing in the store.
            let _seen = scene.gate.resource(Resource::Consultations)?;
            scene.gate.participation()
        }
        Asker::Service(place) => {
            let _seen = scene.gate.resource(Resource::ServiceConsultations)?;
            place_of(facts, place, scene.gate.actor().assignment())
        }
    };
    let me = me.ok_or(ServiceError::AbsentOrRefused)?;
    let standpoint = Standpoint { facts, book: scene.gate.book(), me, now: scene.now };
    let mut found: BTreeMap<Key, (BTreeSet<Category>, Vec<u64>)> = BTreeMap::new();
    for o in standpoint.openings(app, scene)? {
        let ours = |one: &&Opened| match asker {
            Asker::Referent => true,
            Asker::Service(_) => standpoint.concerns_own_service(&o, one),
        };
        let categories: Vec<Category> = o.opened.iter().filter(ours).map(|one| one.category).collect();
        if categories.is_empty() {
            continue;
        }
        // A record is taken whole: not where part of it is another service's business.
        let receipt = o.receipt.filter(|_| categories.len() == o.opened.len());
        let key = (std::cmp::Reverse(o.on), o.organisation, o.profession, o.assignment, o.purpose);
        let line = found.entry(key).or_default();
        line.0.extend(categories);
        line.1.extend(receipt);
    }
    let organisations = scene.snapshot.organisations()?;
    Ok(found
        .into_iter()
        .map(|((day, id, profession, _, purpose), (categories, receipts))| ConsultationLine {
            on: day.0,
            organisation: named(&organisations, id),
            profession,
            purpose,
            categories: categories.into_iter().collect(),
            receipts,
        })
        .collect())
}

impl App {
    /// Who opened content of this pathway.
    ///
    /// # Errors
    /// [`ServiceError`]; absent and refused are one answer.
    pub fn consultations(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<Consultations>, ServiceError> {
        self.consulted(call, act, pathway, &Asker::Referent)
    }

    /// Who opened what a service wrote or shared, and what it opened: for its manager, where its taking part can be
    /// hidden (S12). Nothing of what is other services' business stands there.
    ///
    /// # Errors
    /// Refused to anybody but that manager.
    pub fn consultations_of_service(
        &self,
        call: &Call,
        act: Act,
        place: &ParticipationId,
    ) -> Result<Disclosed<Consultations>, ServiceError> {
        let pathway = self.pathway_of_participation(place)?;
        self.consulted(call, act, &pathway, &Asker::Service(place))
    }

    fn consulted(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        asker: &Asker<'_>,
    ) -> Result<Disclosed<Consultations>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            let items = lines(self, scene, asker)?;
            Ok(scene.seal_facts(Consultations { items }))
        })
    }

    /// The receipt of one opening, taken by the référent for the family, with its record.
    ///
    /// # Errors
    /// [`ServiceError`]; a record that concerns anything hidden from the référent is answered like an absent one.
    pub fn consultation_receipt(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        index: u64,
    ) -> Result<Disclosed<String>, ServiceError> {
        self.opening_receipt(call, act, pathway, &Asker::Referent, index)
    }

    /// The receipt of one opening that is the business of one hidden service alone, taken by its manager for the family.
    ///
    /// # Errors
    /// [`ServiceError`]; what is not on that manager's list is answered like an absent record.
    pub fn consultation_receipt_of_service(
        &self,
        call: &Call,
        act: Act,
        place: &ParticipationId,
        index: u64,
    ) -> Result<Disclosed<String>, ServiceError> {
        let pathway = self.pathway_of_participation(place)?;
        self.opening_receipt(call, act, &pathway, &Asker::Service(place), index)
    }

    fn opening_receipt(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        asker: &Asker<'_>,
        index: u64,
    ) -> Result<Disclosed<String>, ServiceError> {
        let taken = self.read(call, act, pathway, |scene| {
            if !lines(self, scene, asker)?.iter().any(|line| line.receipts.contains(&index)) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let taken = self.receipt_in(scene.snapshot, index)?;
            scene.returned.push(record_ref(index));
            Ok(scene.seal_facts(taken))
        })?;
        self.keep_receipt(taken)
    }
}

#[cfg(test)]
pub(super) mod tests;
