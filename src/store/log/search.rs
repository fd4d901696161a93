//! The auditor's searches: pages of records, and how many there were in each hour.
//!
//! INVARIANT: a filter holds codes, pseudonyms and times; what the index does not have is looked up in the body as it
//! was hashed, whose form is canonical: a code between quotes in a list is that code in that list.
//! Counting is the database's work, never a walk over records in memory.

use diesel::prelude::*;

use crate::clock::{Timestamp, paris_seasons};
use crate::domain::hours::public_holidays;
use crate::store::schema::{audit_index, audit_leaf};
use crate::store::snapshot::Snapshot;
use crate::store::{StoreError, dialect};

/// What an auditor asks for: codes, pseudonyms and times only.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub actor: Option<String>,
    /// Any of these actors; an empty list matches nobody.
    pub actors: Option<Vec<String>>,
    pub organisation: Option<String>,
    pub profession: Option<String>,
    pub action: Option<String>,
    pub pathway: Option<String>,
    pub purpose: Option<String>,
    pub decision: Option<String>,
    /// Code of what it was done to.
    pub resource: Option<String>,
    /// Codes that stand in a list of the body: a category, a reason (see [`LogFilter::listed`]).
    pub listed: Vec<String>,
    /// Openings only: records that put content before somebody's eyes.
    pub openings: bool,
    /// Nights, week-ends and public holidays in Paris, of a log that lasts over these years.
    pub out_of_hours: Option<(i32, i32)>,
    /// Records before this index (pages go from the latest back).
    pub before: Option<i64>,
}

impl LogFilter {
    /// Asks for a code in a list of the body.
    pub fn listed(&mut self, code: impl Into<String>) {
        self.listed.push(code.into());
    }
}

/// How many records an hour had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourCount {
    pub hour: Timestamp,
    /// Code of the decision.
    pub decision: String,
    pub records: i64,
}

const HOUR: i64 = 3_600_000_000;

/// The conditions of a filter, on a boxed query over the index and the leaves.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter): (_, &LogFilter) = ($query, $filter);
        if let Some(t) = filter.from {
            query = query.filter(audit_index::at.ge(t.micros()));
        }
        if let Some(t) = filter.until {
            query = query.filter(audit_index::at.lt(t.micros()));
        }
        if let Some(v) = &filter.actor {
            query = query.filter(audit_index::actor.eq(v.clone()));
        }
        if let Some(v) = &filter.actors {
            query = query.filter(audit_index::actor.eq_any(v.clone()));
        }
        if let Some(v) = &filter.organisation {
            query = query.filter(audit_index::organisation.eq(v.clone()));
        }
        if let Some(v) = &filter.profession {
            query = query.filter(audit_index::profession.eq(v.clone()));
        }
        if let Some(v) = &filter.action {
            query = query.filter(audit_index::action.eq(v.clone()));
        }
        if let Some(v) = &filter.pathway {
            query = query.filter(audit_index::pathway.eq(v.clone()));
        }
        if let Some(v) = &filter.purpose {
            query = query.filter(audit_index::purpose.eq(v.clone()));
        }
        if let Some(v) = &filter.decision {
            query = query.filter(audit_index::decision.eq(v.clone()));
        }
        if let Some(v) = filter.before {
            query = query.filter(audit_index::idx.lt(v));
        }
        if let Some(v) = &filter.resource {
            query = query.filter(dialect::body_says("resource", v));
        }
        for v in &filter.listed {
            query = query.filter(dialect::body_lists(v));
        }
        if filter.openings {
            query = query.filter(dialect::openings());
        }
        if let Some((first, last)) = filter.out_of_hours {
            let holidays: Vec<_> = (first..=last).flat_map(public_holidays).collect();
            query = query.filter(dialect::out_of_hours(&paris_seasons(first, last), &holidays));
        }
        query
    }};
}

fn hour(number: i64) -> Timestamp {
    Timestamp::from_micros(number.saturating_mul(HOUR))
}

impl Snapshot {
    /// The bodies of the records that match, latest first, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn log_page(&mut self, filter: &LogFilter, limit: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let query = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .select((audit_index::idx, audit_leaf::body))
            .order(audit_index::idx.desc())
            .limit(limit)
            .into_boxed();
        let rows: Vec<(i64, Option<String>)> = filtered!(query, filter).load(self.conn())?;
        Ok(rows.into_iter().filter_map(|(idx, body)| body.map(|b| (idx, b))).collect())
    }

    /// How many records match, by hour and decision; hours without any are left out.
    ///
    /// # Errors
    /// The database's.
    pub fn log_hours(&mut self, filter: &LogFilter) -> Result<Vec<HourCount>, StoreError> {
        let query = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .group_by((dialect::hour_of_record(), dialect::decision_of_record()))
            .select((dialect::hour_of_record(), dialect::decision_of_record(), dialect::records()))
            .into_boxed();
        let rows: Vec<(i64, String, i64)> = filtered!(query, filter).load(self.conn())?;
        Ok(rows
            .into_iter()
            .map(|(number, decision, records)| HourCount { hour: hour(number), decision, records })
            .collect())
    }

    /// The hours in which one actor has at least `least` records that match, latest first, `limit` at most. How many
    /// there were is not told: a threshold was passed, and that is all.
    ///
    /// # Errors
    /// The database's.
    pub fn log_bursts(
        &mut self,
        filter: &LogFilter,
        least: i64,
        limit: i64,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let query = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .group_by((dialect::hour_of_record(), dialect::actor_of_record()))
            .having(dialect::at_least(least))
            .select((dialect::hour_of_record(), dialect::actor_of_record()))
            .into_boxed();
        let rows: Vec<(i64, String)> = filtered!(query, filter)
            .filter(audit_index::actor.is_not_null())
            .order((dialect::hour_of_record().desc(), dialect::actor_of_record()))
            .limit(limit)
            .load(self.conn())?;
        Ok(rows.into_iter().map(|(number, actor)| (hour(number), actor)).collect())
    }

    /// Actors with at least `least` openings on one pathway, among the records that match, who did nothing else there; the
    /// latest first, `limit` at most.
    ///
    /// # Errors
    /// The database's.
    pub fn log_readers_without_act(
        &mut self,
        filter: &LogFilter,
        least: i64,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let query = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .group_by((dialect::actor_of_record(), dialect::pathway_of_record()))
            .having(dialect::openings_without_act(least))
            .select((dialect::actor_of_record(), dialect::pathway_of_record()))
            .into_boxed();
        Ok(filtered!(query, filter)
            .filter(audit_index::actor.is_not_null())
            .filter(audit_index::pathway.is_not_null())
            .order((dialect::latest_of_group().desc(), dialect::actor_of_record()))
            .limit(limit)
            .load(self.conn())?)
    }

    /// The pseudonyms of everybody who left a record since then.
    ///
    /// # Errors
    /// The database's.
    pub fn log_actors_since(&mut self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        let actors: Vec<Option<String>> = audit_index::table
            .filter(audit_index::at.ge(since.micros()))
            .filter(audit_index::actor.is_not_null())
            .select(audit_index::actor)
            .distinct()
            .load(self.conn())?;
        Ok(actors.into_iter().flatten().collect())
    }
}
