//! Where openings in an emergency are. Location only: each pathway that is found is then decided on.

use diesel::prelude::*;

use super::StoreError;
use super::schema::emergency;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::ids::{EmergencyId, PathwayId};

impl Snapshot {
    /// The pathways on which something was opened in an emergency, the latest opening first.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_with_emergency(&mut self) -> Result<Vec<PathwayId>, StoreError> {
        let rows: Vec<String> = emergency::table
            .order((emergency::at.desc(), emergency::id.asc()))
            .select(emergency::pathway)
            .load(self.conn())?;
        let mut seen = std::collections::BTreeSet::new();
        rows.iter()
            .filter(|id| seen.insert((*id).clone()))
            .map(|id| PathwayId::parse(id).map_err(|e| StoreError::corrupt("emergency", &e)))
            .collect()
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
}
