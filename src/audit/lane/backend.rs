//! What the lane asks of a database. The Diesel implementation lives in `store`.

use super::super::leaf::NumberedLeaf;
use super::super::tree::Frontier;
use crate::clock::Timestamp;

/// The committed end of the log (table `audit_head`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    pub frontier: Frontier,
    /// The time of the last record; `None` for an empty log.
    pub last_time: Option<Timestamp>,
}

/// What a version counter belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CheckKind {
    Pathway,
    Assignment,
    Session,
    Charter,
    Organisation,
    Professional,
}

/// A version that a decision read; it must still be the same when its record is written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VersionCheck {
    pub kind: CheckKind,
    pub id: String,
    pub version: i64,
}

/// The database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// It may work the next time: busy, disk full, connection lost.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be the log that this program wrote; the node stops.
    #[error("the stored log is damaged: {what}; run `relais audit verify`")]
    Damaged { what: String },
}

/// COMMIT did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Certainly nothing was kept.
    #[error("the transaction was rolled back")]
    RolledBack(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It may or may not have been kept; nobody may be told "yes".
    #[error("the outcome of the commit is unknown")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One connection that writes, owned by the lane's thread.
///
/// Calls come in this order: `begin`, then for each job `facts_hold?`, and for each change `savepoint`, the closure
/// over `tx`, `release` or `rollback_to`; then `append`, `write_head`, `commit`. After any error `rollback` is called
/// and nothing else until the next `begin`.
pub trait LaneBackend: Send + 'static {
    /// What a change is given.
    type Tx: ?Sized + 'static;

    /// Takes the writer lock (`BEGIN IMMEDIATE`, or `SELECT … FOR UPDATE` on the head row as the first statement)
    /// and returns the committed head.
    ///
    /// # Errors
    /// When the lock or the head cannot be had.
    fn begin(&mut self) -> Result<Head, BackendError>;

    /// Opens a savepoint. One at most is open at a time.
    ///
    /// # Errors
    /// When the database refuses; the batch is given up.
    fn savepoint(&mut self) -> Result<(), BackendError>;

    /// Keeps what was done since the savepoint and forgets it.
    ///
    /// # Errors
    /// When the database refuses; the batch is given up.
    fn release(&mut self) -> Result<(), BackendError>;

    /// Undoes what was done since the savepoint and forgets it (`ROLLBACK TO` followed by `RELEASE`).
    ///
    /// # Errors
    /// When the database refuses; the batch is given up.
    fn rollback_to(&mut self) -> Result<(), BackendError>;

    /// What a change is given.
    fn tx(&mut self) -> &mut Self::Tx;

    /// Whether every version is still the same, in one query. A row that is not there does not hold.
    ///
    /// # Errors
    /// When it cannot be known; that is never "yes" and never "no".
    fn facts_hold(&mut self, checks: &[VersionCheck]) -> Result<bool, BackendError>;

    /// Inserts leaves (with the nodes they complete), index rows and details.
    ///
    /// # Errors
    /// When one of them cannot be written; the batch is given up.
    fn append(&mut self, leaves: &[NumberedLeaf]) -> Result<(), BackendError>;

    /// Replaces the head; must touch exactly one row.
    ///
    /// # Errors
    /// When it cannot be written; the batch is given up.
    fn write_head(&mut self, head: &Head) -> Result<(), BackendError>;

    /// Makes the batch durable.
    ///
    /// # Errors
    /// [`CommitError::RolledBack`] only when it is certain; otherwise [`CommitError::Unknown`].
    fn commit(&mut self) -> Result<(), CommitError>;

    /// Gives the batch up. Must leave the connection usable, or have the next `begin` fail or reconnect.
    fn rollback(&mut self);
}
