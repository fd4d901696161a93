//! Requests to know whom a pseudonym of the log stands for: the request, the second person's decision, the reading. Rows
//! are added and never changed; the words are sealed, with the columns beside them. What was found is stored nowhere.
//!
//! It also lists whom a pseudonym can stand for; the caller has the keys to compare.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::image::{optional, row_image};
use super::schema::{
    assignment, participation, pathway, professional, reidentification, reidentification_step,
};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::domain::record::RowRef;
use crate::domain::reidentification::{PseudonymOf, ReidentificationMotive, SecondOpinion};
use crate::domain::vocabulary::Role;
use crate::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, ReidentificationId};

pub(super) const TABLE: &str = "reidentification";
pub(super) const STEPS: &str = "reidentification_step";
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

/// The columns of a request that are not sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    index: i64,
    of: PseudonymOf,
    motive: ReidentificationMotive,
    at: Timestamp,
    by: AssignmentId,
}

/// The columns of a decision that are not sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Decided {
    outcome: SecondOpinion,
    at: Timestamp,
    by: AssignmentId,
}

/// A stored request, every column.
pub(super) type AskedRow = (String, i64, String, String, i64, String, Vec<u8>);
/// A stored step, every column.
pub(super) type StepRow = (String, i64, String, i64, String, Option<Vec<u8>>);

fn asked_ref(id: &str) -> RowRef {
    RowRef { table: TABLE, id: id.to_owned(), version: 1 }
}

fn step_ref(request: &str, step: i64) -> RowRef {
    RowRef { table: STEPS, id: request.to_owned(), version: step }
}

/// What the write digest of a request covers: the whole row.
pub(super) fn asked_image(row: &AskedRow) -> Digest {
    let (id, index, of, motive, at, by, reason) = row;
    let (index, at) = (index.to_be_bytes(), at.to_be_bytes());
    row_image(&asked_ref(id), &[&index, of.as_bytes(), motive.as_bytes(), &at, by.as_bytes(), reason])
}

/// What the write digest of a step covers: the whole row.
pub(super) fn step_image(row: &StepRow) -> Digest {
    let (request, step, kind, at, by, remark) = row;
    let (at, remark) = (at.to_be_bytes(), optional(remark.as_deref()));
    row_image(&step_ref(request, *step), &[kind.as_bytes(), &at, by.as_bytes(), &remark])
}

/// A request, sealed and ready for the lane.
pub struct NewReidentification {
    pub id: ReidentificationId,
    row: AskedRow,
}

impl NewReidentification {
    /// Seals the reason of a request about the record `index`, with what is asked.
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
        let asked = Asked { index, of, motive, at, by };
        let reason = seal::seal_with(key, place(id.as_str()), TABLE, &asked, &reason, chance)?;
        let row = (
            id.as_str().to_owned(),
            index,
            of.code().to_owned(),
            motive.code().to_owned(),
            at.micros(),
            asked.by.as_str().to_owned(),
            reason,
        );
        Ok(Self { id, row })
    }

    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        asked_ref(self.id.as_str())
    }

    /// What the write digest covers.
    #[must_use]
    pub fn image(&self) -> Digest {
        asked_image(&self.row)
    }
}

/// A step of a request, ready for the lane: its decision, or its reading.
pub struct NewStep(StepRow);

impl NewStep {
    /// A decision: seals its words, with what is decided and by whom.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn decision(
        key: &DataKey,
        chance: &dyn Chance,
        request: &ReidentificationId,
        (outcome, remark): (SecondOpinion, &str),
        (at, by): (Timestamp, AssignmentId),
    ) -> Result<Self, StoreError> {
        let decided = Decided { outcome, at, by };
        let remark =
            seal::seal_with(key, decision_place(request.as_str()), STEPS, &decided, &remark, chance)?;
        Ok(Self::of(request, DECISION, outcome.code(), (at, &decided.by), Some(remark)))
    }

    /// The reading of an answer: it has no words.
    #[must_use]
    pub fn reading(request: &ReidentificationId, at: Timestamp, by: &AssignmentId) -> Self {
        Self::of(request, READING, READ, (at, by), None)
    }

    fn of(
        request: &ReidentificationId,
        step: i64,
        kind: &str,
        (at, by): (Timestamp, &AssignmentId),
        remark: Option<Vec<u8>>,
    ) -> Self {
        Self((
            request.as_str().to_owned(),
            step,
            kind.to_owned(),
            at.micros(),
            by.as_str().to_owned(),
            remark,
        ))
    }

    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        step_ref(&self.0.0, self.0.1)
    }

    /// What the write digest covers.
    #[must_use]
    pub fn image(&self) -> Digest {
        step_image(&self.0)
    }
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

fn bad(e: &dyn std::fmt::Display) -> StoreError {
    StoreError::corrupt(TABLE, e)
}

/// The steps of one request.
fn read_steps(key: &DataKey, steps: Vec<StepRow>) -> Result<(Option<StoredDecision>, bool), StoreError> {
    let (mut decision, mut read) = (None, false);
    for (request, step, kind, at, by, remark) in steps {
        match (step, remark) {
            (DECISION, Some(remark)) => {
                let decided = Decided {
                    outcome: SecondOpinion::parse(&kind).map_err(|e| bad(&e))?,
                    at: Timestamp::from_micros(at),
                    by: AssignmentId::parse(&by).map_err(|e| bad(&e))?,
                };
                let remark = seal::open_with(key, decision_place(&request), STEPS, &decided, &remark)?;
                let Decided { outcome, at, by } = decided;
                decision = Some(StoredDecision { outcome, at, by, remark });
            }
            (READING, None) => read = true,
            (other, Some(_) | None) => return Err(bad(&format!("step `{other}`"))),
        }
    }
    Ok((decision, read))
}

fn read_row(key: &DataKey, raw: AskedRow, steps: Vec<StepRow>) -> Result<StoredReidentification, StoreError> {
    let (id, index, of, motive, at, by, reason) = raw;
    let asked = Asked {
        index,
        of: PseudonymOf::parse(&of).map_err(|e| bad(&e))?,
        motive: ReidentificationMotive::parse(&motive).map_err(|e| bad(&e))?,
        at: Timestamp::from_micros(at),
        by: AssignmentId::parse(&by).map_err(|e| bad(&e))?,
    };
    let reason = seal::open_with(key, place(&id), TABLE, &asked, &reason)?;
    let (decision, read) = read_steps(key, steps)?;
    let Asked { index, of, motive, at, by } = asked;
    Ok(StoredReidentification {
        id: ReidentificationId::parse(&id).map_err(|e| bad(&e))?,
        index,
        of,
        motive,
        at,
        by,
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
        let rows: Vec<AskedRow> = reidentification::table
            .order((reidentification::at.desc(), reidentification::id.asc()))
            .load(self.conn())?;
        let all: Vec<StepRow> = reidentification_step::table.load(self.conn())?;
        let mut steps: BTreeMap<String, Vec<StepRow>> = BTreeMap::new();
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
        let found: Option<AskedRow> =
            reidentification::table.find(id.as_str()).first(self.conn()).optional()?;
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
        let (id, index, of, motive, at, by, reason) = &row.row;
        diesel::insert_into(reidentification::table)
            .values((
                reidentification::id.eq(id),
                reidentification::idx.eq(index),
                reidentification::pseudonym_of.eq(of),
                reidentification::motive.eq(motive),
                reidentification::at.eq(at),
                reidentification::by_assignment.eq(by),
                reidentification::reason.eq(reason),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Adds a step: the decision on a request, or the reading of its answer.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is one already.
    pub fn reidentification_step(&mut self, row: &NewStep) -> Result<(), StoreError> {
        let (request, step, kind, at, by, remark) = &row.0;
        // THREAT: two decisions, or two readings, at the same moment. The second one is decided anew, and refused.
        let taken: i64 = reidentification_step::table
            .filter(reidentification_step::request.eq(request))
            .filter(reidentification_step::step.eq(step))
            .count()
            .get_result(self.conn())?;
        if taken > 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(reidentification_step::table)
            .values((
                reidentification_step::request.eq(request),
                reidentification_step::step.eq(step),
                reidentification_step::kind.eq(kind),
                reidentification_step::at.eq(at),
                reidentification_step::by_assignment.eq(by),
                reidentification_step::remark.eq(remark.as_deref()),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
