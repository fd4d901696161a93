//! Ratings of handovers: numbers by month and kind of structure. Neither the pathway, nor the handover, nor a person
//! stands in these rows, and none can be worked out from one.
//!
//! It does not decide who reads them, nor which numbers are too small to be shown.

use diesel::prelude::*;

use super::StoreError;
use super::schema::handover_rating;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::domain::vocabulary::{OrganisationKind, StartedAgain};

/// How often one answer was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatingCount {
    /// `YYYY-MM`, in Paris.
    pub month: String,
    pub kind: OrganisationKind,
    pub answer: StartedAgain,
    pub number: i64,
}

impl Snapshot {
    /// The counts of every month before this one, in order.
    ///
    /// # Errors
    /// The database's.
    pub fn handover_ratings_before(&mut self, month: &str) -> Result<Vec<RatingCount>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = handover_rating::table
            .filter(handover_rating::month.lt(month))
            .order((handover_rating::month, handover_rating::kind, handover_rating::answer))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(month, kind, answer, number)| {
                Ok(RatingCount {
                    month,
                    kind: OrganisationKind::parse(&kind)
                        .map_err(|e| StoreError::corrupt("handover_rating", &e))?,
                    answer: StartedAgain::parse(&answer)
                        .map_err(|e| StoreError::corrupt("handover_rating", &e))?,
                    number,
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Counts one answer.
    ///
    /// # Errors
    /// The database's.
    pub fn handover_rating_add(
        &mut self,
        month: &str,
        kind: OrganisationKind,
        answer: StartedAgain,
    ) -> Result<(), StoreError> {
        let row = handover_rating::table
            .filter(handover_rating::month.eq(month))
            .filter(handover_rating::kind.eq(kind.code()))
            .filter(handover_rating::answer.eq(answer.code()));
        let changed = diesel::update(row)
            .set(handover_rating::number.eq(handover_rating::number + 1))
            .execute(self.conn())?;
        if changed == 0 {
            diesel::insert_into(handover_rating::table)
                .values((
                    handover_rating::month.eq(month),
                    handover_rating::kind.eq(kind.code()),
                    handover_rating::answer.eq(answer.code()),
                    handover_rating::number.eq(1_i64),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
