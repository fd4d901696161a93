//! A database in memory for the tests of this room: a lane backend that can fail at every point, and a log reader.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::lane::{BackendError, CheckKind, CommitError, Head, LaneBackend, VersionCheck};
use super::leaf::{DetailSealer, NumberedLeaf, PseudonymKey, Record};
use super::tree::{NodeId, NodeSource};
use super::verify::{LogReader, OpenedDetail, StoredCheckpoint, StoredHead, StoredIndex, StoredRow};
use crate::clock::{Chance, NoChance};
use crate::crypto::envelope::DataKeyId;
use crate::crypto::hash::Digest;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::{PathwayId, RequestId};

/// Where the next batch fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Begin,
    Damaged,
    Facts,
    Savepoint,
    Release,
    RollbackTo,
    Append,
    WriteHead,
    CommitRolledBack,
    CommitUnknownLost,
    CommitUnknownKept,
    PanicInAppend,
    PanicInCommit,
}

/// What is stored.
#[derive(Clone, Default)]
pub struct Tables {
    pub rows: Vec<StoredRow>,
    pub head: Head,
    pub versions: BTreeMap<(CheckKind, String), i64>,
    pub changes: Vec<String>,
    pub checkpoints: Vec<StoredCheckpoint>,
    pub extra_index_rows: u64,
}

/// The database; clones share it.
#[derive(Clone, Default)]
pub struct Memory {
    pub tables: Arc<Mutex<Tables>>,
    pub fault: Arc<Mutex<Option<Fault>>>,
}

/// The lane's connection to it.
pub struct MemoryBackend {
    memory: Memory,
    open: Tables,
    saved: Option<Tables>,
    inside: bool,
    /// A fault meets the batches that begin after it was set.
    armed: bool,
}

fn unavailable() -> BackendError {
    BackendError::Unavailable("injected".into())
}

impl Memory {
    pub fn backend(&self) -> MemoryBackend {
        MemoryBackend {
            memory: self.clone(),
            open: Tables::default(),
            saved: None,
            inside: false,
            armed: false,
        }
    }

    pub fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    pub fn size(&self) -> usize {
        self.tables.lock().unwrap().rows.len()
    }

    pub fn changes(&self) -> Vec<String> {
        self.tables.lock().unwrap().changes.clone()
    }
}

impl MemoryBackend {
    fn fails(&self, at: Fault) -> bool {
        let mut fault = self.memory.fault.lock().unwrap();
        let here = self.armed && *fault == Some(at);
        if here {
            *fault = None;
        }
        here
    }

    fn gate(&self, at: Fault) -> Result<(), BackendError> {
        assert!(self.inside, "called outside a transaction");
        if self.fails(at) { Err(unavailable()) } else { Ok(()) }
    }

    fn keep(&mut self) {
        *self.memory.tables.lock().unwrap() = std::mem::take(&mut self.open);
        self.inside = false;
    }
}

impl LaneBackend for MemoryBackend {
    type Tx = Tables;

    fn begin(&mut self) -> Result<Head, BackendError> {
        assert!(!self.inside, "a transaction is still open");
        self.armed = self.memory.fault.lock().unwrap().is_some();
        if self.fails(Fault::Begin) {
            return Err(unavailable());
        }
        if self.fails(Fault::Damaged) {
            return Err(BackendError::Damaged { what: "the head cannot be read".to_owned() });
        }
        self.open = self.memory.tables.lock().unwrap().clone();
        self.inside = true;
        Ok(self.open.head.clone())
    }

    fn savepoint(&mut self) -> Result<(), BackendError> {
        self.gate(Fault::Savepoint)?;
        assert!(self.saved.is_none(), "one savepoint at a time");
        self.saved = Some(self.open.clone());
        Ok(())
    }

    fn release(&mut self) -> Result<(), BackendError> {
        self.gate(Fault::Release)?;
        self.saved.take().expect("a savepoint");
        Ok(())
    }

    fn rollback_to(&mut self) -> Result<(), BackendError> {
        self.gate(Fault::RollbackTo)?;
        self.open = self.saved.take().expect("a savepoint");
        Ok(())
    }

    fn tx(&mut self) -> &mut Tables {
        &mut self.open
    }

    fn facts_hold(&mut self, checks: &[VersionCheck]) -> Result<bool, BackendError> {
        self.gate(Fault::Facts)?;
        let same = |c: &VersionCheck| self.open.versions.get(&(c.kind, c.id.clone())) == Some(&c.version);
        Ok(checks.iter().all(same))
    }

    fn append(&mut self, leaves: &[NumberedLeaf]) -> Result<(), BackendError> {
        assert!(!self.fails(Fault::PanicInAppend), "injected panic");
        self.gate(Fault::Append)?;
        self.open.rows.extend(leaves.iter().map(stored));
        Ok(())
    }

    fn write_head(&mut self, head: &Head) -> Result<(), BackendError> {
        self.gate(Fault::WriteHead)?;
        self.open.head = head.clone();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), CommitError> {
        assert!(!self.fails(Fault::PanicInCommit), "injected panic");
        if self.fails(Fault::CommitRolledBack) {
            return Err(CommitError::RolledBack("injected".into()));
        }
        if self.fails(Fault::CommitUnknownLost) {
            return Err(CommitError::Unknown("injected".into()));
        }
        self.keep();
        if self.fails(Fault::CommitUnknownKept) {
            return Err(CommitError::Unknown("injected".into()));
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.inside = false;
        self.saved = None;
    }
}

/// As the store would write it. The "ciphertext" of these tests is the detail itself.
pub fn stored(leaf: &NumberedLeaf) -> StoredRow {
    let row = &leaf.row;
    StoredRow {
        index: i64::try_from(leaf.index).unwrap(),
        leaf_hash: leaf.leaf_hash.to_vec(),
        body: Some(leaf.body.clone()),
        retention: leaf.retention.code().to_owned(),
        nodes: leaf.nodes.concat(),
        row: Some(StoredIndex {
            at: row.at.micros(),
            actor: row.actor.as_ref().map(|p| p.as_str().to_owned()),
            organisation: row.organisation.as_ref().map(|o| o.as_str().to_owned()),
            profession: row.profession.map(|p| p.code().to_owned()),
            action: row.action.code().to_owned(),
            pathway: row.pathway.as_ref().map(|p| p.as_str().to_owned()),
            purpose: row.purpose.map(|p| p.code().to_owned()),
            decision: row.decision.code().to_owned(),
        }),
        detail: leaf
            .detail
            .as_ref()
            .map(|d| OpenedDetail { salt: d.salt.to_vec(), detail: Zeroizing::new(d.ciphertext.clone()) }),
        leftover: false,
    }
}

impl LogReader for Memory {
    type Error = Infallible;

    fn head(&mut self) -> Result<StoredHead, Infallible> {
        let head = self.tables.lock().unwrap().head.clone();
        Ok(StoredHead {
            size: i64::try_from(head.frontier.size()).unwrap(),
            frontier: head.frontier.to_bytes(),
            last_time: head.last_time.map(|t| t.micros()),
        })
    }

    fn rows(&mut self, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, Infallible> {
        let tables = self.tables.lock().unwrap();
        Ok(tables.rows.iter().filter(|r| after.is_none_or(|a| r.index > a)).take(limit).cloned().collect())
    }

    fn prunings(&mut self) -> Result<Vec<(i64, String)>, Infallible> {
        let tables = self.tables.lock().unwrap();
        let says = |r: &StoredRow| r.row.as_ref().is_some_and(|row| row.action == Action::Prune.code());
        Ok(tables.rows.iter().filter(|r| says(r)).map(|r| (r.index, r.body.clone().unwrap())).collect())
    }

    fn index_rows(&mut self) -> Result<u64, Infallible> {
        let tables = self.tables.lock().unwrap();
        let beside = tables.rows.iter().filter(|r| r.row.is_some()).count();
        Ok(u64::try_from(beside).unwrap() + tables.extra_index_rows)
    }

    fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, Infallible> {
        Ok(self.tables.lock().unwrap().checkpoints.clone())
    }
}

/// Reads the nodes of proofs from the rows of the leaves that completed them.
impl NodeSource for Memory {
    type Error = Infallible;

    fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, Infallible> {
        let tables = self.tables.lock().unwrap();
        let read = |id: &NodeId| {
            let row = &tables.rows[usize::try_from(id.completed_by()).unwrap()];
            let bytes = match id.position() {
                None => &row.leaf_hash[..],
                Some(position) => &row.nodes[position * 32..][..32],
            };
            bytes.try_into().unwrap()
        };
        Ok(ids.iter().map(read).collect())
    }
}

/// Chance that counts: every draw differs.
#[derive(Default)]
pub struct Counting(pub std::sync::atomic::AtomicU64);

impl Chance for Counting {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        into.fill(0);
        for (to, from) in into.iter_mut().zip(n.to_be_bytes().iter().rev()) {
            *to = *from;
        }
        Ok(())
    }
}

/// Leaves the detail as it is, so that tests can look at it.
pub struct Plain;

impl DetailSealer for Plain {
    fn seal_detail(
        &self,
        _pathway: Option<&PathwayId>,
        _commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        Ok((DataKeyId::random(&Counting::default())?, detail.to_vec()))
    }
}

pub fn key(class: RetentionClass) -> PseudonymKey {
    PseudonymKey::new(class, 2027, Zeroizing::new([9; 32]))
}

/// A plain permitted reading, with a request id made from `chance`.
pub fn draft(chance: &dyn Chance) -> RecordDraft {
    let request = RequestId::random(chance).unwrap();
    let mut draft = RecordDraft::new(
        request,
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.pathway = Some(PathwayId::random(chance).unwrap());
    draft
}

pub fn record(chance: &dyn Chance) -> Record {
    Record::prepare(&draft(chance), &key(RetentionClass::Disclosure), &Plain, chance).unwrap()
}
