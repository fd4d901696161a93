//! What a change is given inside the lane's transaction. Reads here see the writer's lock: what they say still holds
//! at commit.

use diesel::prelude::*;

use super::StoreError;
use super::connection::Db;
use super::schema::{counter, instance, pathway};
use crate::ids::PathwayId;

/// The open write transaction.
pub struct WriteTx {
    conn: Db,
}

impl WriteTx {
    pub(super) const fn new(conn: Db) -> Self {
        Self { conn }
    }

    pub(super) const fn conn(&mut self) -> &mut Db {
        &mut self.conn
    }

    /// Raises a pathway's version: every fact of it that changes does so through here.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the pathway is not there.
    pub fn pathway_touch(&mut self, id: &PathwayId) -> Result<(), StoreError> {
        let changed = diesel::update(pathway::table.filter(pathway::id.eq(id.as_str())))
            .set(pathway::version.eq(pathway::version + 1))
            .execute(&mut self.conn)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Raises the charter's counter (publication, signature of an organisation).
    ///
    /// # Errors
    /// The database's.
    pub fn charter_touch(&mut self) -> Result<(), StoreError> {
        let changed = diesel::update(counter::table.filter(counter::name.eq("charter")))
            .set(counter::version.eq(counter::version + 1))
            .execute(&mut self.conn)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Writes an instance value once; it never changes afterwards.
    ///
    /// # Errors
    /// When it exists already.
    pub fn instance_set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        diesel::insert_into(instance::table)
            .values((instance::name.eq(name), instance::value.eq(value)))
            .execute(&mut self.conn)?;
        Ok(())
    }
}
