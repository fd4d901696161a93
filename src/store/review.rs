//! What auditors found on looking at records: one row for each look, added and never changed. The remark is sealed, with
//! what was found beside it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::image::{optional, row_image};
use super::schema::access_review;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::domain::record::{ReviewOutcome, RowRef};
use crate::ids::{AccessReviewId, AssignmentId};

pub(super) const TABLE: &str = "access_review";

const fn place(id: &str) -> Place<'_> {
    // A row never changes, so its place has no version of its own.
    Place { table: TABLE, row: id, column: "remark", version: 0 }
}

/// The columns that are not sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    index: i64,
    outcome: ReviewOutcome,
    at: Timestamp,
    by: AssignmentId,
}

/// A stored row, every column.
pub(super) type ReviewRow = (String, i64, String, i64, String, Option<Vec<u8>>);

fn bad(e: &dyn std::fmt::Display) -> StoreError {
    StoreError::corrupt(TABLE, e)
}

fn look_of(row: &ReviewRow) -> Result<Look, StoreError> {
    let (_, index, outcome, at, by, _) = row;
    Ok(Look {
        index: *index,
        outcome: ReviewOutcome::parse(outcome).map_err(|e| bad(&e))?,
        at: Timestamp::from_micros(*at),
        by: AssignmentId::parse(by).map_err(|e| bad(&e))?,
    })
}

fn row_ref(id: &str) -> RowRef {
    RowRef { table: TABLE, id: id.to_owned(), version: 1 }
}

/// What the write digest covers: the whole row.
pub(super) fn image(row: &ReviewRow) -> Digest {
    let (id, index, outcome, at, by, remark) = row;
    row_image(
        &row_ref(id),
        &[
            &index.to_be_bytes(),
            outcome.as_bytes(),
            &at.to_be_bytes(),
            by.as_bytes(),
            &optional(remark.as_deref()),
        ],
    )
}

/// A look at one record, sealed and ready for the lane.
pub struct NewAccessReview {
    pub id: AccessReviewId,
    look: Look,
    remark: Vec<u8>,
}

impl NewAccessReview {
    /// Seals a look and its remark.
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
        let look = Look { index, outcome, at, by };
        let remark = seal::seal_with(key, place(id.as_str()), TABLE, &look, &remark, chance)?;
        Ok(Self { id, look, remark })
    }

    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        row_ref(self.id.as_str())
    }

    /// What the write digest covers.
    #[must_use]
    pub fn image(&self) -> Digest {
        let look = &self.look;
        image(&(
            self.id.as_str().to_owned(),
            look.index,
            look.outcome.code().to_owned(),
            look.at.micros(),
            look.by.as_str().to_owned(),
            Some(self.remark.clone()),
        ))
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
        let rows: Vec<ReviewRow> = access_review::table
            .filter(access_review::idx.eq_any(indexes))
            .order((access_review::at.asc(), access_review::id.asc()))
            .load(self.conn())?;
        rows.iter()
            .map(|row| {
                let look = look_of(row)?;
                let (id, .., sealed) = row;
                let sealed = sealed.as_deref().ok_or_else(|| bad(&"a look without its seal"))?;
                let remark = seal::open_with(key, place(id), TABLE, &look, sealed)?;
                Ok((look.index, AccessReview { outcome: look.outcome, at: look.at, remark }))
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
                access_review::idx.eq(row.look.index),
                access_review::outcome.eq(row.look.outcome.code()),
                access_review::at.eq(row.look.at.micros()),
                access_review::by_assignment.eq(row.look.by.as_str()),
                access_review::remark.eq(&row.remark),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
