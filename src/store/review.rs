//! What auditors found on looking at records: one row for each look, added and never changed. The remark is sealed.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::access_review;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::domain::record::ReviewOutcome;
use crate::ids::{AccessReviewId, AssignmentId};

const TABLE: &str = "access_review";

const fn place(id: &str) -> Place<'_> {
    // A row never changes, so its place has no version of its own.
    Place { table: TABLE, row: id, column: "remark", version: 0 }
}

/// A look at one record, sealed and ready for the lane.
pub struct NewAccessReview {
    pub id: AccessReviewId,
    pub index: i64,
    pub outcome: ReviewOutcome,
    pub at: Timestamp,
    pub by: AssignmentId,
    remark: Option<Vec<u8>>,
}

impl NewAccessReview {
    /// Seals the remark of a look.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        index: i64,
        outcome: ReviewOutcome,
        (at, by): (Timestamp, AssignmentId),
        remark: Option<&str>,
    ) -> Result<Self, StoreError> {
        let id = AccessReviewId::random(chance).map_err(crate::crypto::keyring::KeyringError::from)?;
        let remark = match remark {
            Some(text) => Some(seal::seal_json(key, place(id.as_str()), TABLE, &text, chance)?),
            None => None,
        };
        Ok(Self { id, index, outcome, at, by, remark })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        self.remark.as_deref().unwrap_or_default()
    }
}

/// The latest look at a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessReview {
    pub outcome: ReviewOutcome,
    pub at: Timestamp,
    pub remark: Option<String>,
}

impl Snapshot {
    /// The latest look at each of these records, by index; one without any is left out.
    ///
    /// # Errors
    /// The database's, or a remark that does not open.
    pub fn access_reviews(
        &mut self,
        key: &DataKey,
        indexes: &[i64],
    ) -> Result<BTreeMap<i64, AccessReview>, StoreError> {
        type Raw = (String, i64, String, i64, Option<Vec<u8>>);
        let rows: Vec<Raw> = access_review::table
            .filter(access_review::idx.eq_any(indexes))
            .order((access_review::at.asc(), access_review::id.asc()))
            .select((
                access_review::id,
                access_review::idx,
                access_review::outcome,
                access_review::at,
                access_review::remark,
            ))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(id, index, outcome, at, remark)| {
                let remark = match remark {
                    Some(bytes) => Some(seal::open_json(key, place(&id), TABLE, &bytes)?),
                    None => None,
                };
                let outcome = ReviewOutcome::parse(&outcome).map_err(|e| StoreError::corrupt(TABLE, &e))?;
                Ok((index, AccessReview { outcome, at: Timestamp::from_micros(at), remark }))
            })
            .collect()
    }
}

impl WriteTx {
    /// Adds a look.
    ///
    /// # Errors
    /// The database's.
    pub fn access_review_insert(&mut self, row: &NewAccessReview) -> Result<(), StoreError> {
        diesel::insert_into(access_review::table)
            .values((
                access_review::id.eq(row.id.as_str()),
                access_review::idx.eq(row.index),
                access_review::outcome.eq(row.outcome.code()),
                access_review::at.eq(row.at.micros()),
                access_review::by_assignment.eq(row.by.as_str()),
                access_review::remark.eq(&row.remark),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
