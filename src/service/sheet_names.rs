//! Whether the names of a structure's professionals stand on « Qui a regardé ? » (S12, ADR 0008).
//!
//! INVARIANTS
//! * The structure decides for its own people alone, by its manager: it is the controller of what they read, and their
//!   employer. Neither an administrator nor the lead of a pathway decides for others.
//! * A decision holds from the next day on: nobody's reading is named that was made before colleagues could know it would be.
//!   Every professional sees it in the directory.
//! * Taking it back holds for every sheet made from then on.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::console::Office;
use super::flow::{Act, Call, Created};
use super::{App, ServiceError};
use crate::clock::{Timestamp, plus_days};
use crate::ids::{AssignmentId, OrganisationId};
use crate::store::Snapshot;
use crate::store::organisation::Organisation;

/// What a structure decides for its own people.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetNamesInput {
    /// Whether sheets name them, for what they open from tomorrow on.
    pub named: bool,
}

impl App {
    /// Decides for the structure that one manages. Said twice, it stays as it was said first.
    ///
    /// # Errors
    /// Refused to anybody but a manager of this structure.
    pub fn sheet_names_decide(
        &self,
        call: &Call,
        act: Act,
        id: &OrganisationId,
        input: SheetNamesInput,
    ) -> Result<Created, ServiceError> {
        self.change_desk(call, act, |desk| {
            desk.cites = vec![format!("sheet_names:{}", if input.named { "named" } else { "unnamed" })];
            let office = Office::at(desk);
            // LAW: RGPD 4 (7), 15; CJEU C-579/21. Who decides is the controller of these readings.
            if office.manages().as_ref() != Some(id) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let stored = office.snapshot.organisation_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let since = stored.words.names_on_sheets_from.filter(|_| input.named);
            let mut words = stored.words.clone();
            words.names_on_sheets_from = match since {
                Some(since) => Some(since),
                None if input.named => Some(tomorrow(office.now)?),
                None => None,
            };
            self.organisation_rewritten(&stored, &words, None)
        })
    }
}

/// Sheets know days, not hours: what was opened earlier on the day of the decision is not named either.
fn tomorrow(now: Timestamp) -> Result<NaiveDate, ServiceError> {
    plus_days(now.paris_day(), 1)
        .ok_or_else(|| ServiceError::Unavailable("the clock is outside our calendar".to_owned()))
}

/// The names that may stand on one sheet, each looked up once.
pub(super) struct SheetNames<'a> {
    organisations: &'a [Organisation],
    found: BTreeMap<AssignmentId, Option<String>>,
}

impl<'a> SheetNames<'a> {
    pub(super) fn new(organisations: &'a [Organisation]) -> Self {
        Self { organisations, found: BTreeMap::new() }
    }

    /// Who opened something on this day under this affectation, where its structure lets sheets say so.
    pub(super) fn name(
        &mut self,
        snapshot: &mut Snapshot,
        organisation: &OrganisationId,
        assignment: &AssignmentId,
        on: NaiveDate,
    ) -> Result<Option<String>, ServiceError> {
        let decided = self.organisations.iter().find(|o| o.id == *organisation);
        if decided.and_then(|o| o.words.names_on_sheets_from).is_none_or(|from| on < from) {
            return Ok(None);
        }
        if let Some(known) = self.found.get(assignment) {
            return Ok(known.clone());
        }
        let name = match snapshot.assignment_fetch(assignment)? {
            Some(row) => snapshot.professional_fetch(&row.facts.professional)?.map(|p| p.words.name.clone()),
            None => None,
        };
        self.found.insert(assignment.clone(), name.clone());
        Ok(name)
    }
}
