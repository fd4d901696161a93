//! Where openings in an emergency are. Location only: each pathway that is found is then decided on.

use diesel::prelude::*;

use super::StoreError;
use super::schema::{emergency, emergency_reviewed};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::ids::{EmergencyId, PathwayId};

/// A stored row, every column.
type Raw = (String, String, i64);

/// Where an opening is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedEmergency {
    pub id: EmergencyId,
    pub pathway: PathwayId,
    pub at: Timestamp,
}

fn located((id, pathway, at): Raw) -> Result<LocatedEmergency, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("emergency", e);
    Ok(LocatedEmergency {
        id: EmergencyId::parse(&id).map_err(|e| bad(&e))?,
        pathway: PathwayId::parse(&pathway).map_err(|e| bad(&e))?,
        at: Timestamp::from_micros(at),
    })
}

impl Snapshot {
    /// The openings that nobody has reviewed yet, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn emergencies_unreviewed(&mut self) -> Result<Vec<LocatedEmergency>, StoreError> {
        let rows: Vec<Raw> = emergency::table
            .filter(emergency::id.ne_all(emergency_reviewed::table.select(emergency_reviewed::emergency)))
            .order((emergency::at.asc(), emergency::id.asc()))
            .load(self.conn())?;
        rows.into_iter().map(located).collect()
    }

    /// The openings that were reviewed, the latest first: at most `most`, after that one.
    ///
    /// # Errors
    /// The database's.
    pub fn emergencies_reviewed(
        &mut self,
        after: Option<(Timestamp, EmergencyId)>,
        most: i64,
    ) -> Result<Vec<LocatedEmergency>, StoreError> {
        let (at, id) = after.map_or((i64::MAX, String::new()), |(at, id)| (at.micros(), id.to_string()));
        let rows: Vec<Raw> = emergency::table
            .filter(emergency::id.eq_any(emergency_reviewed::table.select(emergency_reviewed::emergency)))
            .filter(emergency::at.lt(at).or(emergency::at.eq(at).and(emergency::id.gt(id))))
            .order((emergency::at.desc(), emergency::id.asc()))
            .limit(most)
            .load(self.conn())?;
        rows.into_iter().map(located).collect()
    }
}

impl WriteTx {
    /// Says where an opening is.
    ///
    /// # Errors
    /// The database's.
    pub fn emergency_insert(
        &mut self,
        id: &EmergencyId,
        pathway: &PathwayId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(emergency::table)
            .values((
                emergency::id.eq(id.as_str()),
                emergency::pathway.eq(pathway.as_str()),
                emergency::at.eq(at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Says that an opening was reviewed; what was said of it stands in a fact.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when that was said already.
    pub fn emergency_reviewed(&mut self, id: &EmergencyId) -> Result<(), StoreError> {
        let taken: i64 = emergency_reviewed::table
            .filter(emergency_reviewed::emergency.eq(id.as_str()))
            .count()
            .get_result(self.conn())?;
        if taken > 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(emergency_reviewed::table)
            .values(emergency_reviewed::emergency.eq(id.as_str()))
            .execute(self.conn())?;
        Ok(())
    }
}
