//! The audit log: what happened, provably, before anything is shown (SECURITY §1).
//!
//! * [`Record`]: one leaf, prepared outside the lane; numbered, dated and hashed inside it.
//! * [`Lane`]: the single writer of a node, in group commits.
//! * [`Sealed`] and [`Disclosed`]: content before and after the commit of its record.
//! * [`tree`], [`note`], [`checkpoint`], [`proof`]: RFC 6962 / 9162 and C2SP formats, nothing home-made.
//! * [`witness`], [`cosignature`], [`policy`]: others who saw the log, and how many of them are enough.
//! * [`verify`]: everything recomputed from the stored rows. [`replay`]: every decision judged again.
//!
//! INVARIANT: a [`Disclosed`] exists only after the commit of a record that says "permitted".
//! INVARIANT: leaf bodies, hashes and proofs are bit-for-bit what an outsider can recompute without this program.
//!
//! This room does not decide who may read, keeps no key, and speaks to no database: `store` implements
//! [`lane::LaneBackend`], [`tree::NodeSource`] and [`verify::LogReader`].

pub mod body;
pub mod checkpoint;
pub mod cosignature;
pub mod gap;
pub mod json;
pub mod lane;
pub mod leaf;
pub mod note;
pub mod policy;
pub mod proof;
pub mod replay;
pub mod sealed;
pub mod tree;
pub mod verify;
pub mod witness;

#[cfg(test)]
mod memory;

pub use body::LeafBody;
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use cosignature::{Cosigner, WitnessKey};
pub use gap::Gap;
pub use lane::{Job, Lane, LaneError, Priority, Receipt, VersionCheck};
pub use leaf::{Pseudonym, PseudonymKey, Record};
pub use policy::Policy;
pub use proof::TlogProof;
pub use sealed::{Disclosed, Sealed};
