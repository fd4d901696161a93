//! What the log is compared with: one plain row of equal size per read, in group commits of the same shape.
//!
//! [`Plain`] stands in the lane in the place of the product's backend: same queue, same batches, same checks of versions,
//! but one `INSERT` without index, trigger, tree, head or detail table. [`Bare`] is a writer without the lane: nothing is
//! numbered, dated or hashed. Neither is in the crate: nothing in it can switch the log off.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use relais::audit::VersionCheck;
use relais::audit::lane::{BackendError, CheckKind, CommitError, Head, LaneBackend, NumberedLeaf};
use relais::store::{DieselBackend, WriteTx};
use tokio::sync::oneshot;

diesel::table! { plain (idx) { idx -> BigInt, record -> Binary, } }
diesel::table! { pathway (id) { id -> Text, version -> BigInt, } }
diesel::table! { assignment (id) { id -> Text, version -> BigInt, } }
diesel::table! { session (id) { id -> Text, version -> BigInt, } }
diesel::table! { counter (name) { name -> Text, version -> BigInt, } }

/// A writer's connection with the settings of the product's.
pub fn connect(path: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA recursive_triggers = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; \
         PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL; \
         CREATE TABLE IF NOT EXISTS plain (idx INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;",
    )
    .unwrap();
    conn
}

fn insert(conn: &mut SqliteConnection, idx: i64, record: &[u8]) -> QueryResult<usize> {
    diesel::insert_into(plain::table).values((plain::idx.eq(idx), plain::record.eq(record))).execute(conn)
}

/// Everything that the product writes for one leaf, in one value.
fn record_of(leaf: &NumberedLeaf) -> Vec<u8> {
    let row = &leaf.row;
    let mut all = Vec::with_capacity(leaf.body.len() + 1024);
    all.extend_from_slice(&leaf.leaf_hash);
    all.extend_from_slice(&leaf.nodes.concat());
    all.extend_from_slice(leaf.body.as_bytes());
    all.extend_from_slice(leaf.retention.code().as_bytes());
    all.extend_from_slice(&row.at.micros().to_le_bytes());
    let texts = [
        row.actor.as_ref().map(|a| a.as_str()),
        row.organisation.as_ref().map(|o| o.as_str()),
        row.profession.map(|p| p.code()),
        Some(row.action.code()),
        row.pathway.as_ref().map(|p| p.as_str()),
        row.purpose.map(|p| p.code()),
        Some(row.decision.code()),
    ];
    for text in texts.into_iter().flatten() {
        all.extend_from_slice(text.as_bytes());
    }
    if let Some(detail) = &leaf.detail {
        all.extend_from_slice(&detail.salt);
        all.extend_from_slice(detail.key.to_string().as_bytes());
        all.extend_from_slice(&detail.ciphertext);
    }
    all
}

/// How many bytes the records had.
#[derive(Default)]
pub struct Sizes {
    records: AtomicU64,
    bytes: AtomicU64,
}

impl Sizes {
    pub fn mean(&self) -> usize {
        let records = self.records.load(Ordering::Relaxed).max(1);
        usize::try_from(self.bytes.load(Ordering::Relaxed) / records).unwrap()
    }
}

/// The backend of the comparison server.
pub struct Plain {
    conn: SqliteConnection,
    /// Lends the type that changes are given; reads change nothing, so it is never written with.
    lent: DieselBackend,
    head: Head,
    sizes: Arc<Sizes>,
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(e: E) -> BackendError {
    BackendError::Unavailable(Box::new(e))
}

impl Plain {
    pub fn new(path: &Path, lent: DieselBackend, sizes: Arc<Sizes>) -> Self {
        Self { conn: connect(path), lent, head: Head::default(), sizes }
    }

    fn sql(&mut self, sql: &str) -> Result<(), BackendError> {
        self.conn.batch_execute(sql).map_err(unavailable)
    }
}

impl LaneBackend for Plain {
    type Tx = WriteTx;

    fn begin(&mut self) -> Result<Head, BackendError> {
        self.sql("BEGIN IMMEDIATE")?;
        Ok(self.head.clone())
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
        self.lent.tx()
    }

    fn facts_hold(&mut self, checks: &[VersionCheck]) -> Result<bool, BackendError> {
        macro_rules! versions {
            ($kind:expr, $table:ident, $key:ident) => {{
                let wanted: Vec<&VersionCheck> = checks.iter().filter(|c| c.kind == $kind).collect();
                if !wanted.is_empty() {
                    let ids: Vec<&str> = wanted.iter().map(|c| c.id.as_str()).collect();
                    let found: Vec<(String, i64)> = $table::table
                        .filter($table::$key.eq_any(&ids))
                        .select(($table::$key, $table::version))
                        .load(&mut self.conn)
                        .map_err(unavailable)?;
                    let holds =
                        |c: &&VersionCheck| found.iter().any(|(id, v)| *id == c.id && *v == c.version);
                    if !wanted.iter().all(holds) {
                        return Ok(false);
                    }
                }
            }};
        }
        versions!(CheckKind::Pathway, pathway, id);
        versions!(CheckKind::Assignment, assignment, id);
        versions!(CheckKind::Session, session, id);
        versions!(CheckKind::Charter, counter, name);
        Ok(true)
    }

    fn append(&mut self, leaves: &[NumberedLeaf]) -> Result<(), BackendError> {
        for leaf in leaves {
            let record = record_of(leaf);
            insert(&mut self.conn, i64::try_from(leaf.index).unwrap(), &record).map_err(unavailable)?;
            self.sizes.records.fetch_add(1, Ordering::Relaxed);
            self.sizes.bytes.fetch_add(u64::try_from(record.len()).unwrap(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn write_head(&mut self, head: &Head) -> Result<(), BackendError> {
        // In memory only: a plain table has no head.
        self.head = head.clone();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), CommitError> {
        self.conn.batch_execute("COMMIT").map_err(|e| CommitError::Unknown(Box::new(e)))
    }

    fn rollback(&mut self) {
        self.conn.batch_execute("ROLLBACK").unwrap();
    }
}

type Told = oneshot::Sender<()>;

/// A writer without the lane: drains up to a batch, inserts, commits, answers.
pub struct Bare {
    queue: SyncSender<(Vec<u8>, Told)>,
    thread: JoinHandle<()>,
}

impl Bare {
    pub fn start(path: &Path, batch: usize) -> Self {
        let conn = connect(path);
        let (queue, jobs) = sync_channel(1_024);
        Self { queue, thread: std::thread::spawn(move || run(conn, &jobs, batch)) }
    }

    pub fn queue(&self) -> SyncSender<(Vec<u8>, Told)> {
        self.queue.clone()
    }

    pub fn stop(self) {
        drop(self.queue);
        self.thread.join().unwrap();
    }
}

fn run(mut conn: SqliteConnection, jobs: &Receiver<(Vec<u8>, Told)>, batch: usize) {
    let mut idx = 0;
    while let Ok(first) = jobs.recv() {
        let mut works = vec![first];
        while works.len() < batch
            && let Ok(next) = jobs.try_recv()
        {
            works.push(next);
        }
        conn.batch_execute("BEGIN IMMEDIATE").unwrap();
        for (record, _) in &works {
            insert(&mut conn, idx, record).unwrap();
            idx += 1;
        }
        conn.batch_execute("COMMIT").unwrap();
        for (_, told) in works {
            told.send(()).unwrap();
        }
    }
}
