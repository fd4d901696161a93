//! The lane's hands: the one connection that writes.
//!
//! INVARIANT: the head row is taken before anything else in a batch, so other nodes and the command line, which write
//! through this same code, are serialised with us.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::connection::{self, Use};
use super::schema::{
    assignment, audit_detail, audit_head, audit_index, audit_leaf, counter, organisation, pathway,
    professional, session,
};
use super::tx::WriteTx;
use super::{DatabaseAddress, StoreError, dialect};
use crate::audit::lane::{BackendError, CheckKind, CommitError, Head, LaneBackend, NumberedLeaf};
use crate::audit::tree::Frontier;
use crate::audit::{Pseudonym, VersionCheck};
use crate::clock::Timestamp;
use crate::ids::OrganisationId;

const HEAD: i64 = 1;

/// The writer.
pub struct DieselBackend {
    address: DatabaseAddress,
    tx: WriteTx,
    /// Set after an error that may have broken the connection: the next batch opens a new one.
    broken: bool,
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(e: E) -> BackendError {
    BackendError::Unavailable(Box::new(e))
}

fn signed(value: u64) -> Result<i64, BackendError> {
    i64::try_from(value).map_err(|_| BackendError::Damaged { what: "an index above 2^63".to_owned() })
}

impl DieselBackend {
    pub(super) const fn new(address: DatabaseAddress, tx: WriteTx) -> Self {
        Self { address, tx, broken: false }
    }

    fn sql(&mut self, sql: &str) -> Result<(), BackendError> {
        self.tx.conn().batch_execute(sql).map_err(unavailable)
    }
}

impl LaneBackend for DieselBackend {
    type Tx = WriteTx;

    fn begin(&mut self) -> Result<Head, BackendError> {
        if self.broken {
            let mut conn = connection::establish(&self.address, Use::Write).map_err(unavailable)?;
            dialect::enter_lane(&mut conn).map_err(unavailable)?;
            self.tx = WriteTx::new(conn);
            self.broken = false;
        }
        dialect::begin_write(self.tx.conn()).map_err(unavailable)?;
        dialect::lock_head(self.tx.conn()).map_err(unavailable)?;
        let (size, frontier, last_at): (i64, Vec<u8>, Option<i64>) = audit_head::table
            .filter(audit_head::id.eq(HEAD))
            .select((audit_head::size, audit_head::frontier, audit_head::last_at))
            .first(self.tx.conn())
            .map_err(unavailable)?;
        let size =
            u64::try_from(size).map_err(|_| BackendError::Damaged { what: "a negative size".to_owned() })?;
        let frontier = Frontier::from_bytes(size, &frontier)
            .map_err(|e| BackendError::Damaged { what: e.to_string() })?;
        Ok(Head { frontier, last_time: last_at.map(Timestamp::from_micros) })
    }

    fn savepoint(&mut self) -> Result<(), BackendError> {
        self.sql("SAVEPOINT job")
    }

    fn release(&mut self) -> Result<(), BackendError> {
        self.sql("RELEASE SAVEPOINT job")
    }

    fn rollback_to(&mut self) -> Result<(), BackendError> {
        self.sql("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job")
    }

    fn tx(&mut self) -> &mut WriteTx {
        &mut self.tx
    }

    fn facts_hold(&mut self, checks: &[VersionCheck]) -> Result<bool, BackendError> {
        // One query per kind that occurs; a request has at most one of each, mostly three or four in all.
        macro_rules! versions {
            ($kind:expr, $table:ident, $key:ident) => {{
                let wanted: Vec<&VersionCheck> = checks.iter().filter(|c| c.kind == $kind).collect();
                if !wanted.is_empty() {
                    let ids: Vec<&str> = wanted.iter().map(|c| c.id.as_str()).collect();
                    let found: Vec<(String, i64)> = $table::table
                        .filter($table::$key.eq_any(&ids))
                        .select(($table::$key, $table::version))
                        .load(self.tx.conn())
                        .map_err(unavailable)?;
                    let holds = wanted
                        .iter()
                        .all(|c| found.iter().any(|(id, version)| *id == c.id && *version == c.version));
                    if !holds {
                        return Ok(false);
                    }
                }
            }};
        }
        versions!(CheckKind::Pathway, pathway, id);
        versions!(CheckKind::Assignment, assignment, id);
        versions!(CheckKind::Session, session, id);
        versions!(CheckKind::Charter, counter, name);
        versions!(CheckKind::Organisation, organisation, id);
        versions!(CheckKind::Professional, professional, id);
        Ok(true)
    }

    fn append(&mut self, leaves: &[NumberedLeaf]) -> Result<(), BackendError> {
        for leaf in leaves {
            let idx = signed(leaf.index)?;
            diesel::insert_into(audit_leaf::table)
                .values((
                    audit_leaf::idx.eq(idx),
                    audit_leaf::leaf_hash.eq(leaf.leaf_hash.to_vec()),
                    audit_leaf::nodes.eq(leaf.nodes.concat()),
                    audit_leaf::body.eq(Some(&leaf.body)),
                    audit_leaf::retention_class.eq(leaf.retention.code()),
                ))
                .execute(self.tx.conn())
                .map_err(unavailable)?;
            diesel::insert_into(audit_index::table)
                .values((
                    audit_index::idx.eq(idx),
                    audit_index::at.eq(leaf.row.at.micros()),
                    audit_index::actor.eq(leaf.row.actor.as_ref().map(Pseudonym::as_str)),
                    audit_index::organisation.eq(leaf.row.organisation.as_ref().map(OrganisationId::as_str)),
                    audit_index::profession.eq(leaf.row.profession.map(|p| p.code())),
                    audit_index::action.eq(leaf.row.action.code()),
                    audit_index::pathway.eq(leaf.row.pathway.as_ref().map(Pseudonym::as_str)),
                    audit_index::purpose.eq(leaf.row.purpose.map(|p| p.code())),
                    audit_index::decision.eq(leaf.row.decision.code()),
                ))
                .execute(self.tx.conn())
                .map_err(unavailable)?;
            if let Some(detail) = &leaf.detail {
                diesel::insert_into(audit_detail::table)
                    .values((
                        audit_detail::idx.eq(idx),
                        audit_detail::salt.eq(detail.salt.to_vec()),
                        audit_detail::key_id.eq(detail.key.to_string()),
                        audit_detail::ciphertext.eq(&detail.ciphertext),
                    ))
                    .execute(self.tx.conn())
                    .map_err(unavailable)?;
            }
        }
        Ok(())
    }

    fn write_head(&mut self, head: &Head) -> Result<(), BackendError> {
        let changed = diesel::update(audit_head::table.filter(audit_head::id.eq(HEAD)))
            .set((
                audit_head::size.eq(signed(head.frontier.size())?),
                audit_head::frontier.eq(head.frontier.to_bytes()),
                audit_head::last_at.eq(head.last_time.map(Timestamp::micros)),
            ))
            .execute(self.tx.conn())
            .map_err(unavailable)?;
        if changed == 1 { Ok(()) } else { Err(BackendError::Damaged { what: "no head row".to_owned() }) }
    }

    fn commit(&mut self) -> Result<(), CommitError> {
        self.tx.conn().batch_execute("COMMIT").map_err(|e| {
            // SQLite tells when nothing was kept only through the transaction that stays open; PostgreSQL may have
            // committed before the connection broke. Neither is assumed: the head is read anew.
            self.broken = true;
            CommitError::Unknown(Box::new(e))
        })
    }

    fn rollback(&mut self) {
        if self.tx.conn().batch_execute("ROLLBACK").is_err() {
            self.broken = true;
        }
    }
}

impl WriteTx {
    /// The head of an empty log.
    pub(super) fn head_create(&mut self) -> Result<(), StoreError> {
        diesel::insert_into(audit_head::table)
            .values((
                audit_head::id.eq(HEAD),
                audit_head::size.eq(0),
                audit_head::frontier.eq(Frontier::empty().to_bytes()),
                audit_head::last_at.eq(None::<i64>),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use diesel::connection::SimpleConnection;

    use crate::audit::lane::Priority;
    use crate::audit::verify::{LogReader, Trust, verify};
    use crate::audit::{Job, LaneError};
    use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
    use crate::ids::RequestId;
    use crate::service::testing::Territory;
    use crate::store::log::LogFile;
    use crate::store::{DatabaseAddress, StoreError, WriteTx};

    #[test]
    fn a_full_disk_gives_no_answer_and_leaves_a_log_that_holds() {
        let t = Territory::new();
        let app = Arc::clone(&t.app);
        let job = || {
            let request = RequestId::random(app.chance()).unwrap();
            let draft = RecordDraft::new(
                request,
                RetentionClass::Technical,
                Action::Maintain,
                ResourceKind::Instance,
                Verdict::Permit,
            );
            Job::new(app.prepare(&draft, None).unwrap())
        };
        // From here on the lane's connection may not take one more page.
        let full = app.lane().submit(Priority::Session, job(), |tx: &mut WriteTx, _| {
            tx.conn().batch_execute("PRAGMA max_page_count = 1").map_err(StoreError::from)
        });
        assert!(full.wait().is_ok(), "what still fits is kept");
        let mut kept = 0;
        let refused = (0..2000).find_map(|_| match app.lane().record(Priority::Session, job()).wait() {
            Ok(_) => {
                kept += 1;
                None
            }
            Err(e) => Some(e),
        });
        assert_eq!(refused, Some(LaneError::Unavailable), "the disk is full after {kept}");
        assert_eq!(
            app.lane().record(Priority::Session, job()).wait().map(|_| ()),
            Err(LaneError::Unavailable)
        );
        // There is room again: the same lane goes on, nothing to repair.
        let room = app.lane().submit(Priority::Session, job(), |tx: &mut WriteTx, _| {
            tx.conn().batch_execute("PRAGMA max_page_count = 1000000").map_err(StoreError::from)
        });
        assert!(room.wait().is_ok());
        assert!(app.lane().record(Priority::Session, job()).wait().is_ok());
        let mut log = LogFile::open(&DatabaseAddress::Sqlite(t.database())).unwrap();
        let vkey = log.instance_value("log_vkey").unwrap().unwrap();
        let key = crate::audit::note::VerifierKey::parse(&vkey).unwrap();
        let trust = Trust { origin: key.name(), keys: std::slice::from_ref(&key), given: None };
        let report = verify(&mut log, &trust, &mut |_| {}).unwrap();
        assert!(report.holds(), "{report:?}");
        assert_eq!(u64::try_from(log.head().unwrap().size).unwrap(), report.records);
    }
}
