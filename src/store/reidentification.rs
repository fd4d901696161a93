//! Requests to know whom a pseudonym of the log stands for: the request, the second person's decision, the reading. Rows
//! are added and never changed; the words are sealed. What was found is stored nowhere.
//!
//! It also lists whom a pseudonym can stand for; the caller has the keys to compare.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::{
    assignment, participation, pathway, professional, reidentification, reidentification_step,
};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::domain::record::RowRef;
use crate::domain::reidentification::{PseudonymOf, ReidentificationMotive, SecondOpinion};
use crate::domain::vocabulary::Role;
use crate::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, ReidentificationId};

const TABLE: &str = "reidentification";
const STEPS: &str = "reidentification_step";
const DECISION: i64 = 1;
const READING: i64 = 2;
const READ: &str = "read";

const fn place(id: &str) -> Place<'_> {
    // A row never changes, so its place has no version of its own.
    Place { table: TABLE, row: id, column: "reason", version: 0 }
}

const fn decision_place(id: &str) -> Place<'_> {
    Place { table: STEPS, row: id, column: "remark", version: DECISION }
}

/// A request, sealed and ready for the lane.
pub struct NewReidentification {
    pub id: ReidentificationId,
    index: i64,
    of: PseudonymOf,
    motive: ReidentificationMotive,
    at: Timestamp,
    by: AssignmentId,
    reason: Vec<u8>,
}

impl NewReidentification {
    /// Seals the reason of a request about the record `index`.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        (index, of): (i64, PseudonymOf),
        (motive, reason): (ReidentificationMotive, &str),
        (at, by): (Timestamp, AssignmentId),
    ) -> Result<Self, StoreError> {
        let id = ReidentificationId::random(chance).map_err(crate::crypto::keyring::KeyringError::from)?;
        let reason = seal::seal_json(key, place(id.as_str()), TABLE, &reason, chance)?;
        Ok(Self { id, index, of, motive, at, by, reason })
    }

    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        RowRef { table: TABLE, id: self.id.as_str().to_owned(), version: 1 }
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.reason
    }
}

/// A decision, sealed and ready for the lane.
pub struct NewDecision {
    request: ReidentificationId,
    outcome: SecondOpinion,
    at: Timestamp,
    by: AssignmentId,
    remark: Vec<u8>,
}

impl NewDecision {
    /// Seals the words of a decision.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        request: ReidentificationId,
        (outcome, remark): (SecondOpinion, &str),
        (at, by): (Timestamp, AssignmentId),
    ) -> Result<Self, StoreError> {
        let remark = seal::seal_json(key, decision_place(request.as_str()), STEPS, &remark, chance)?;
        Ok(Self { request, outcome, at, by, remark })
    }

    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        RowRef { table: STEPS, id: self.request.as_str().to_owned(), version: DECISION }
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.remark
    }
}

/// How a reading is named in its record.
#[must_use]
pub fn reading_ref(request: &ReidentificationId) -> RowRef {
    RowRef { table: STEPS, id: request.as_str().to_owned(), version: READING }
}

/// What a second person said.
pub struct StoredDecision {
    pub outcome: SecondOpinion,
    pub at: Timestamp,
    pub by: AssignmentId,
    pub remark: String,
}

/// A request as it is kept.
pub struct StoredReidentification {
    pub id: ReidentificationId,
    pub index: i64,
    pub of: PseudonymOf,
    pub motive: ReidentificationMotive,
    pub at: Timestamp,
    pub by: AssignmentId,
    pub reason: String,
    pub decision: Option<StoredDecision>,
    pub read: bool,
}

type Raw = (String, i64, String, String, i64, String, Vec<u8>);
type RawStep = (String, i64, String, i64, String, Option<Vec<u8>>);

fn bad(e: &dyn std::fmt::Display) -> StoreError {
    StoreError::corrupt(TABLE, e)
}

/// The steps of one request.
fn read_steps(key: &DataKey, steps: Vec<RawStep>) -> Result<(Option<StoredDecision>, bool), StoreError> {
    let (mut decision, mut read) = (None, false);
    for (request, step, kind, at, by, remark) in steps {
        match (step, remark) {
            (DECISION, Some(remark)) => {
                decision = Some(StoredDecision {
                    outcome: SecondOpinion::parse(&kind).map_err(|e| bad(&e))?,
                    at: Timestamp::from_micros(at),
                    by: AssignmentId::parse(&by).map_err(|e| bad(&e))?,
                    remark: seal::open_json(key, decision_place(&request), STEPS, &remark)?,
                });
            }
            (READING, None) => read = true,
            (other, Some(_) | None) => return Err(bad(&format!("step `{other}`"))),
        }
    }
    Ok((decision, read))
}

fn read_row(key: &DataKey, raw: Raw, steps: Vec<RawStep>) -> Result<StoredReidentification, StoreError> {
    let (id, index, of, motive, at, by, reason) = raw;
    let reason = seal::open_json(key, place(&id), TABLE, &reason)?;
    let (decision, read) = read_steps(key, steps)?;
    Ok(StoredReidentification {
        id: ReidentificationId::parse(&id).map_err(|e| bad(&e))?,
        index,
        of: PseudonymOf::parse(&of).map_err(|e| bad(&e))?,
        motive: ReidentificationMotive::parse(&motive).map_err(|e| bad(&e))?,
        at: Timestamp::from_micros(at),
        by: AssignmentId::parse(&by).map_err(|e| bad(&e))?,
        reason,
        decision,
        read,
    })
}

/// Whom the pseudonym of an actor can stand for.
pub struct Actors {
    pub assignments: Vec<AssignmentId>,
    /// Somebody without a chosen assignment appears as an account.
    pub professionals: Vec<ProfessionalId>,
}

impl Snapshot {
    /// Every request, the latest first.
    ///
    /// # Errors
    /// The database's, or words that do not open.
    pub fn reidentifications(&mut self, key: &DataKey) -> Result<Vec<StoredReidentification>, StoreError> {
        let rows: Vec<Raw> = reidentification::table
            .order((reidentification::at.desc(), reidentification::id.asc()))
            .load(self.conn())?;
        let all: Vec<RawStep> = reidentification_step::table.load(self.conn())?;
        let mut steps: BTreeMap<String, Vec<RawStep>> = BTreeMap::new();
        for step in all {
            steps.entry(step.0.clone()).or_default().push(step);
        }
        rows.into_iter()
            .map(|raw| {
                let own = steps.remove(&raw.0).unwrap_or_default();
                read_row(key, raw, own)
            })
            .collect()
    }

    /// One request.
    ///
    /// # Errors
    /// The database's, or words that do not open.
    pub fn reidentification_fetch(
        &mut self,
        key: &DataKey,
        id: &ReidentificationId,
    ) -> Result<Option<StoredReidentification>, StoreError> {
        let found: Option<Raw> = reidentification::table.find(id.as_str()).first(self.conn()).optional()?;
        let Some(raw) = found else { return Ok(None) };
        let steps = reidentification_step::table
            .filter(reidentification_step::request.eq(id.as_str()))
            .load(self.conn())?;
        read_row(key, raw, steps).map(Some)
    }

    /// Every assignment and every account that ever was: ids only.
    ///
    /// # Errors
    /// The database's.
    pub fn actors(&mut self) -> Result<Actors, StoreError> {
        let assignments: Vec<String> = assignment::table.select(assignment::id).load(self.conn())?;
        let professionals: Vec<String> = professional::table.select(professional::id).load(self.conn())?;
        let wrong = |table: &'static str, e: &dyn std::fmt::Display| StoreError::corrupt(table, e);
        Ok(Actors {
            assignments: assignments
                .iter()
                .map(|id| AssignmentId::parse(id).map_err(|e| wrong("assignment", &e)))
                .collect::<Result<_, _>>()?,
            professionals: professionals
                .iter()
                .map(|id| ProfessionalId::parse(id).map_err(|e| wrong("professional", &e)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Every pathway that ever was with the organisation that leads it. Location only: nothing of what is in it.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_led(&mut self) -> Result<Vec<(PathwayId, OrganisationId)>, StoreError> {
        let rows: Vec<(String, String)> =
            pathway::table.select((pathway::id, pathway::lead)).load(self.conn())?;
        let wrong = |e: &dyn std::fmt::Display| StoreError::corrupt("pathway", e);
        rows.iter()
            .map(|(id, lead)| {
                Ok((
                    PathwayId::parse(id).map_err(|e| wrong(&e))?,
                    OrganisationId::parse(lead).map_err(|e| wrong(&e))?,
                ))
            })
            .collect()
    }

    /// Under which assignment somebody is référent of a pathway now.
    ///
    /// # Errors
    /// The database's.
    pub fn referent_of(
        &mut self,
        pathway: &PathwayId,
        now: Timestamp,
    ) -> Result<Option<AssignmentId>, StoreError> {
        let found: Option<String> = participation::table
            .filter(participation::pathway.eq(pathway.as_str()))
            .filter(participation::role.eq(Role::Referent.code()))
            .filter(participation::accepted_at.le(now.micros()))
            .filter(participation::ended_at.is_null().or(participation::ended_at.gt(now.micros())))
            .filter(participation::until_at.is_null().or(participation::until_at.gt(now.micros())))
            .order(participation::accepted_at.desc())
            .select(participation::assignment)
            .first(self.conn())
            .optional()?;
        found
            .map(|id| AssignmentId::parse(&id).map_err(|e| StoreError::corrupt("participation", &e)))
            .transpose()
    }
}

impl WriteTx {
    /// Adds a request.
    ///
    /// # Errors
    /// The database's.
    pub fn reidentification_insert(&mut self, row: &NewReidentification) -> Result<(), StoreError> {
        diesel::insert_into(reidentification::table)
            .values((
                reidentification::id.eq(row.id.as_str()),
                reidentification::idx.eq(row.index),
                reidentification::pseudonym_of.eq(row.of.code()),
                reidentification::motive.eq(row.motive.code()),
                reidentification::at.eq(row.at.micros()),
                reidentification::by_assignment.eq(row.by.as_str()),
                reidentification::reason.eq(&row.reason),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Adds the decision on a request.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is one already.
    pub fn reidentification_decide(&mut self, row: &NewDecision) -> Result<(), StoreError> {
        self.step(&row.request, DECISION, row.outcome.code(), (row.at, &row.by), Some(&row.remark))
    }

    /// Adds the reading of an answer.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it was read already.
    pub fn reidentification_read(
        &mut self,
        request: &ReidentificationId,
        by: &AssignmentId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(request, READING, READ, (at, by), None)
    }

    fn step(
        &mut self,
        request: &ReidentificationId,
        step: i64,
        kind: &str,
        (at, by): (Timestamp, &AssignmentId),
        remark: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        // THREAT: two decisions, or two readings, at the same moment. The second one is decided anew, and refused.
        let taken: i64 = reidentification_step::table
            .filter(reidentification_step::request.eq(request.as_str()))
            .filter(reidentification_step::step.eq(step))
            .count()
            .get_result(self.conn())?;
        if taken > 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(reidentification_step::table)
            .values((
                reidentification_step::request.eq(request.as_str()),
                reidentification_step::step.eq(step),
                reidentification_step::kind.eq(kind),
                reidentification_step::at.eq(at.micros()),
                reidentification_step::by_assignment.eq(by.as_str()),
                reidentification_step::remark.eq(remark),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
