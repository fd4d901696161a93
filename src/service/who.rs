//! Who works where, as people read it; dates and moments as the API writes them.
//!
//! Names of professionals and structures are no secret among signed-in people. Whether somebody may learn that one of
//! them takes part *here* is asked of `access` before a name is looked up, never in this file.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ServiceError;
use crate::access::facts::{AssignmentFacts, PathwayFacts};
use crate::clock::{Timestamp, plus_days};
use crate::domain::vocabulary::{Function, Profession};
use crate::ids::{OrganisationId, ProfessionalId};
use crate::store::{Snapshot, StoreError};

/// A professional, as colleagues read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Who {
    pub name: String,
    pub organisation: String,
    pub profession: Profession,
}

/// Somebody, and where to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reachable {
    pub who: Who,
    pub telephone: String,
}

/// Names of one request, each fetched once.
#[derive(Default)]
pub struct Names {
    /// Name and telephone.
    professionals: BTreeMap<ProfessionalId, (String, String)>,
    organisations: BTreeMap<OrganisationId, String>,
}

impl Names {
    fn found(
        &mut self,
        snapshot: &mut Snapshot,
        id: &ProfessionalId,
    ) -> Result<Option<(String, String)>, StoreError> {
        if let Some(found) = self.professionals.get(id) {
            return Ok(Some(found.clone()));
        }
        let Some(person) = snapshot.professional_fetch(id)? else { return Ok(None) };
        let found = (person.words.name.clone(), person.words.telephone.clone());
        self.professionals.insert(id.clone(), found.clone());
        Ok(Some(found))
    }

    fn professional(
        &mut self,
        snapshot: &mut Snapshot,
        id: &ProfessionalId,
    ) -> Result<(String, String), StoreError> {
        self.found(snapshot, id)?.ok_or_else(|| StoreError::corrupt("assignment", &"no professional"))
    }

    /// The name of a structure.
    ///
    /// # Errors
    /// The database's.
    pub fn organisation(
        &mut self,
        snapshot: &mut Snapshot,
        id: &OrganisationId,
    ) -> Result<String, StoreError> {
        if let Some(found) = self.organisations.get(id) {
            return Ok(found.clone());
        }
        let name = snapshot
            .organisation_fetch(id)?
            .ok_or_else(|| StoreError::corrupt("assignment", &"no organisation"))?
            .words
            .name;
        self.organisations.insert(id.clone(), name.clone());
        Ok(name)
    }

    /// Who acts under an assignment.
    ///
    /// # Errors
    /// The database's.
    pub fn who(&mut self, snapshot: &mut Snapshot, a: &AssignmentFacts) -> Result<Who, StoreError> {
        Ok(Who {
            name: self.professional(snapshot, &a.professional)?.0,
            organisation: self.organisation(snapshot, &a.organisation)?,
            profession: a.profession,
        })
    }

    /// The name of a professional whom a row may name; rows name people by a plain id, which nobody need have.
    ///
    /// # Errors
    /// The database's.
    pub fn name(
        &mut self,
        snapshot: &mut Snapshot,
        id: Option<&ProfessionalId>,
    ) -> Result<Option<String>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.found(snapshot, id)?.map(|(name, _)| name))
    }

    /// Where to call who acts under an assignment.
    ///
    /// # Errors
    /// The database's.
    pub fn telephone(&mut self, snapshot: &mut Snapshot, a: &AssignmentFacts) -> Result<String, StoreError> {
        Ok(self.professional(snapshot, &a.professional)?.1)
    }

    /// Who acts under an assignment, and where to call.
    ///
    /// # Errors
    /// The database's.
    pub fn reachable(
        &mut self,
        snapshot: &mut Snapshot,
        a: &AssignmentFacts,
    ) -> Result<Reachable, StoreError> {
        Ok(Reachable { who: self.who(snapshot, a)?, telephone: self.telephone(snapshot, a)? })
    }

    /// Who answers for a structure and names who takes a place that is left: its first manager in office.
    ///
    /// # Errors
    /// The database's.
    pub fn manager_of(
        &mut self,
        snapshot: &mut Snapshot,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Option<Reachable>, StoreError> {
        let rows = snapshot.assignments_in(organisation)?;
        let manager = rows.iter().find(|r| r.facts.function == Function::Manager && r.facts.in_force(now));
        manager.map(|row| self.reachable(snapshot, &row.facts)).transpose()
    }
}

/// `YYYY-MM-DD`.
#[must_use]
pub fn iso(day: NaiveDate) -> String {
    day.to_string()
}

/// The last day on which something that ends at `end` still holds; `None` for what has no end.
#[must_use]
pub fn last_day(end: Timestamp) -> Option<NaiveDate> {
    (end != Timestamp::MAX).then(|| end.plus_micros(-1).paris_day())
}

/// 24:00 in Paris of the last day.
///
/// # Errors
/// A day at the edge of the calendar.
pub fn end_of(day: NaiveDate) -> Result<Timestamp, ServiceError> {
    plus_days(day, 1).map(Timestamp::paris_midnight).ok_or_else(|| {
        ServiceError::rule("date_out_of_range", "Cette date est hors du calendrier : vérifiez l'année.")
    })
}

/// Nothing is written on a closed pathway. Asked after the decision: only members learn that it is closed.
///
/// # Errors
/// The rule `pathway_closed`.
pub fn still_open(facts: &PathwayFacts) -> Result<(), ServiceError> {
    if facts.closed_at.is_none() {
        Ok(())
    } else {
        Err(ServiceError::rule(
            "pathway_closed",
            "Ce parcours est clos : on n'y écrit plus. Pour reprendre, ouvrez un nouveau parcours.",
        ))
    }
}
