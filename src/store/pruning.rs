//! Requests to prune the log, and the second person's decisions. Rows are added and never changed; the words are sealed,
//! together with the columns.
//!
//! INVARIANT: a row of which a column was edited opens no more, and nothing is decided or erased on it.
//!
//! Of the records themselves: `store::log`.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::Db;
use super::schema::{data_key, pathway, pruning, pruning_decision};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::keyring::KeyOwner;
use crate::domain::pruning::PruningOpinion;
use crate::domain::record::{RetentionClass, RowRef};
use crate::ids::{AssignmentId, PruningId};
use crate::store::log::PruneBounds;

const TABLE: &str = "pruning";
const DECISIONS: &str = "pruning_decision";

// Rows never change, so their places have no version of their own.
const fn place(id: &str) -> Place<'_> {
    Place { table: TABLE, row: id, column: "reason", version: 0 }
}

const fn decision_place(id: &str) -> Place<'_> {
    Place { table: DECISIONS, row: id, column: "remark", version: 0 }
}

/// The name of a request's row.
#[must_use]
pub fn pruning_ref(id: &PruningId) -> RowRef {
    RowRef { table: TABLE, id: id.as_str().to_owned(), version: 1 }
}

/// The name of the row of its decision.
#[must_use]
pub fn pruning_decision_ref(id: &PruningId) -> RowRef {
    RowRef { table: DECISIONS, id: id.as_str().to_owned(), version: 1 }
}

/// The columns of a request that are not sealed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    class: RetentionClass,
    before: Timestamp,
    bounds: [i64; 3],
    at: Timestamp,
    by: AssignmentId,
}

impl Asked {
    fn new(scope: &PruningScope, at: Timestamp, by: AssignmentId) -> Self {
        let PruningScope { class, before, bounds: PruneBounds { first, last, records } } = *scope;
        Self { class, before, bounds: [first, last, records], at, by }
    }
}

/// The columns of a decision that are not sealed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Decided {
    outcome: PruningOpinion,
    at: Timestamp,
    by: AssignmentId,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruningScope {
    pub class: RetentionClass,
    pub before: Timestamp,
    pub bounds: PruneBounds,
}

/// A request, sealed and ready for the lane.
pub struct NewPruning {
    pub id: PruningId,
    scope: PruningScope,
    at: Timestamp,
    by: AssignmentId,
    reason: Vec<u8>,
}

impl NewPruning {
    /// Seals the reason of a request, with what is asked and by whom.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        scope: PruningScope,
        reason: &str,
        (at, by): (Timestamp, AssignmentId),
    ) -> Result<Self, StoreError> {
        let id = PruningId::random(chance).map_err(crate::crypto::keyring::KeyringError::from)?;
        let asked = Asked::new(&scope, at, by);
        let reason = seal::seal_with(key, place(id.as_str()), TABLE, &asked, &reason, chance)?;
        Ok(Self { id, scope, at, by: asked.by, reason })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.reason
    }
}

/// A decision, sealed and ready for the lane.
pub struct NewPruningDecision {
    request: PruningId,
    outcome: PruningOpinion,
    at: Timestamp,
    by: AssignmentId,
    remark: Vec<u8>,
}

impl NewPruningDecision {
    /// Seals the words of a decision, with what is decided and by whom.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        request: PruningId,
        (outcome, remark): (PruningOpinion, &str),
        (at, by): (Timestamp, AssignmentId),
    ) -> Result<Self, StoreError> {
        let decided = Decided { outcome, at, by };
        let place = decision_place(request.as_str());
        let remark = seal::seal_with(key, place, DECISIONS, &decided, &remark, chance)?;
        Ok(Self { request, outcome, at, by: decided.by, remark })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.remark
    }
}

/// What was decided on a request.
pub struct StoredPruningDecision {
    pub outcome: PruningOpinion,
    pub by: AssignmentId,
    pub remark: String,
}

/// How many requests and decisions somebody saw who judges what may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruningsSeen {
    requests: i64,
    decisions: i64,
}

/// A request, opened.
pub struct StoredPruning {
    pub id: PruningId,
    pub scope: PruningScope,
    pub at: Timestamp,
    pub by: AssignmentId,
    pub reason: String,
    pub decision: Option<StoredPruningDecision>,
}

type Raw = (String, String, i64, i64, i64, i64, i64, String, Vec<u8>);
type RawDecision = (String, String, i64, String, Vec<u8>);

fn bad(e: &dyn std::fmt::Display) -> StoreError {
    StoreError::corrupt(TABLE, e)
}

fn read_row(key: &DataKey, raw: Raw, decided: Option<RawDecision>) -> Result<StoredPruning, StoreError> {
    let (id, class, before, first, last, records, at, asker, reason) = raw;
    let by = |text: &str| AssignmentId::parse(text).map_err(|e| bad(&e));
    let at = Timestamp::from_micros(at);
    let scope = PruningScope {
        class: RetentionClass::parse(&class).map_err(|e| bad(&e))?,
        before: Timestamp::from_micros(before),
        bounds: PruneBounds { first, last, records },
    };
    let asked = Asked::new(&scope, at, by(&asker)?);
    let reason = seal::open_with(key, place(&id), TABLE, &asked, &reason)?;
    let decision = match decided {
        None => None,
        Some((request, outcome, at, second, remark)) => {
            let decided = Decided {
                outcome: PruningOpinion::parse(&outcome).map_err(|e| bad(&e))?,
                at: Timestamp::from_micros(at),
                by: by(&second)?,
            };
            let remark = seal::open_with(key, decision_place(&request), DECISIONS, &decided, &remark)?;
            Some(StoredPruningDecision { outcome: decided.outcome, by: decided.by, remark })
        }
    };
    let id = PruningId::parse(&id).map_err(|e| bad(&e))?;
    Ok(StoredPruning { id, scope, at, by: asked.by, reason, decision })
}

fn count(conn: &mut Db) -> Result<PruningsSeen, StoreError> {
    Ok(PruningsSeen {
        requests: pruning::table.count().get_result(conn)?,
        decisions: pruning_decision::table.count().get_result(conn)?,
    })
}

impl Snapshot {
    /// What [`WriteTx::pruning_insert`] and [`WriteTx::pruning_decide`] compare with: read before judging.
    ///
    /// # Errors
    /// The database's.
    pub fn prunings_seen(&mut self) -> Result<PruningsSeen, StoreError> {
        count(self.conn())
    }

    /// Every request, the latest first.
    ///
    /// # Errors
    /// The database's, or words that do not open beside these columns.
    pub fn prunings_asked(&mut self, key: &DataKey) -> Result<Vec<StoredPruning>, StoreError> {
        let rows: Vec<Raw> =
            pruning::table.order((pruning::at.desc(), pruning::id.asc())).load(self.conn())?;
        let decided: Vec<RawDecision> = pruning_decision::table.load(self.conn())?;
        let mut decided: BTreeMap<String, RawDecision> =
            decided.into_iter().map(|row| (row.0.clone(), row)).collect();
        rows.into_iter()
            .map(|raw| {
                let own = decided.remove(&raw.0);
                read_row(key, raw, own)
            })
            .collect()
    }

    /// The years whose pseudonyms can still be made, of every class.
    ///
    /// # Errors
    /// The database's; an owner that is none.
    pub fn pseudonym_years(&mut self) -> Result<Vec<(RetentionClass, i32)>, StoreError> {
        let owners: Vec<String> = data_key::table
            .filter(data_key::owner.like("pseudonyms:%"))
            .filter(data_key::destroyed_at.is_null())
            .order(data_key::owner.asc())
            .select(data_key::owner)
            .load(self.conn())?;
        let mut years = Vec::new();
        for text in owners {
            match KeyOwner::parse(&text).map_err(|e| StoreError::corrupt("data_key", &e))? {
                KeyOwner::Pseudonyms { class, year } => years.push((class, year)),
                KeyOwner::Instance | KeyOwner::Pathway(_) | KeyOwner::Log { .. } => {}
            }
        }
        Ok(years)
    }

    /// When the oldest pathway was opened whose key stands; nothing where there is none.
    ///
    /// # Errors
    /// The database's.
    pub fn oldest_living_pathway(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let living: Vec<String> = data_key::table
            .filter(data_key::owner.like("pathway:%"))
            .filter(data_key::destroyed_at.is_null())
            .select(data_key::owner)
            .load(self.conn())?;
        let living: std::collections::BTreeSet<&str> =
            living.iter().filter_map(|owner| owner.strip_prefix("pathway:")).collect();
        let opened: Vec<(String, i64)> = pathway::table
            .order(pathway::opened_at.asc())
            .select((pathway::id, pathway::opened_at))
            .load(self.conn())?;
        let oldest = opened.iter().find(|(id, _)| living.contains(id.as_str()));
        Ok(oldest.map(|(_, at)| Timestamp::from_micros(*at)))
    }
}

impl WriteTx {
    /// Adds a request.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where another was added or decided since; the database's guard refuses a request before its
    /// time.
    pub fn pruning_insert(&mut self, row: &NewPruning, seen: PruningsSeen) -> Result<(), StoreError> {
        // THREAT: two requests at the same moment. The second one is judged anew, and refused.
        if count(self.conn())? != seen {
            return Err(StoreError::Stale);
        }
        let scope = &row.scope;
        diesel::insert_into(pruning::table)
            .values((
                pruning::id.eq(row.id.as_str()),
                pruning::class.eq(scope.class.code()),
                pruning::before_at.eq(scope.before.micros()),
                pruning::first_idx.eq(scope.bounds.first),
                pruning::last_idx.eq(scope.bounds.last),
                pruning::records.eq(scope.bounds.records),
                pruning::at.eq(row.at.micros()),
                pruning::by_assignment.eq(row.by.as_str()),
                pruning::reason.eq(&row.reason),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Adds the decision on a request.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where there is one already, or anything was added since; the guard refuses one by who asked.
    pub fn pruning_decide(&mut self, row: &NewPruningDecision, seen: PruningsSeen) -> Result<(), StoreError> {
        // THREAT: two decisions at the same moment. The second one is decided anew, and refused.
        let taken: i64 = pruning_decision::table
            .filter(pruning_decision::request.eq(row.request.as_str()))
            .count()
            .get_result(self.conn())?;
        if taken > 0 || count(self.conn())? != seen {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(pruning_decision::table)
            .values((
                pruning_decision::request.eq(row.request.as_str()),
                pruning_decision::outcome.eq(row.outcome.code()),
                pruning_decision::at.eq(row.at.micros()),
                pruning_decision::by_assignment.eq(row.by.as_str()),
                pruning_decision::remark.eq(&row.remark),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}

#[cfg(test)]
impl WriteTx {
    /// What somebody does who owns the database.
    pub(crate) fn as_owner(&mut self, sql: &str) -> Result<(), StoreError> {
        use diesel::connection::SimpleConnection;
        Ok(self.conn().batch_execute(sql)?)
    }
}
