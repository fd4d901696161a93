//! Keys, encryption at rest, signatures, passwords. The only room that knows `ring`.
//!
//! Mechanism: SECURITY §2 and §4. This room decides nothing: who may read what is `access`'s business.

pub mod hash;
pub mod sign;
