//! A declared loss: records that a log had under one name and that are gone, said by two people in the log itself
//! (ADR 0012). From there on the tree bears another name.
//!
//! INVARIANT: the tree is one; what changes is the name under which it is signed. Names are worked out from the records,
//! so whoever has the leaves has the names.
//! INVARIANT: a declaration is two records, one after the other, of one request, with one basis and two actors.
//! THREAT: whoever has an hour to hide has a backup, too: a loss is declared loudly, with the size and root of what was
//! attested last, and a checkpoint that attests more than was declared refutes it.
//!
//! Who may declare one is not decided here.

use std::fmt;

use data_encoding::BASE64;

use super::body::LeafBody;
use super::checkpoint::decimal;
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;
use crate::domain::record::{Action, ResourceKind, RetentionClass, Verdict};

const LOST: &str = "lost:";
const LOST_SIZE: &str = "lost_size:";
const LOST_ROOT: &str = "lost_root:";
const ORIGIN: &str = "origin:";
const LOG_KEY: &str = "log_key:";

/// One declared loss.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Index of the first of the two records: how many were kept.
    pub index: u64,
    pub at: Timestamp,
    /// The name that the log had.
    pub lost: String,
    /// How many records were attested under it.
    pub lost_size: u64,
    /// The root over them.
    pub lost_root: Digest,
    /// The name that it has since.
    pub origin: String,
    /// The key that signs since.
    pub log_key: String,
}

/// Whether a record is one of the two of a declaration.
#[must_use]
pub fn declares(body: &LeafBody) -> bool {
    body.action == Action::AcceptGap && body.decision == Verdict::Permit
}

impl Gap {
    /// What both records rest on.
    #[must_use]
    pub fn basis(&self) -> Vec<String> {
        vec![
            format!("{LOST}{}", self.lost),
            format!("{LOST_SIZE}{}", self.lost_size),
            format!("{LOST_ROOT}{}", BASE64.encode(&self.lost_root)),
            format!("{ORIGIN}{}", self.origin),
            format!("{LOG_KEY}{}", self.log_key),
        ]
    }

    /// Reads the first record of a declaration; `None` when it is none that holds by itself.
    #[must_use]
    pub fn read(index: u64, body: &LeafBody) -> Option<Self> {
        let [lost, size, root, origin, log_key] = body.basis.as_slice() else { return None };
        let root = BASE64.decode(root.strip_prefix(LOST_ROOT)?.as_bytes()).ok()?;
        let gap = Self {
            index,
            at: body.at,
            lost: lost.strip_prefix(LOST)?.to_owned(),
            lost_size: decimal(size.strip_prefix(LOST_SIZE)?)?,
            lost_root: Digest::try_from(root).ok()?,
            origin: origin.strip_prefix(ORIGIN)?.to_owned(),
            log_key: log_key.strip_prefix(LOG_KEY)?.to_owned(),
        };
        // Something was lost, under another name, and it is written in the only way.
        let sound = gap.lost_size > index
            && gap.lost != gap.origin
            && gap.basis() == body.basis
            && declares(body)
            && body.resource == ResourceKind::Checkpoint
            && body.retention == RetentionClass::Disclosure
            && body.actor.is_some();
        sound.then_some(gap)
    }

    /// Whether the second record says the same by somebody else.
    #[must_use]
    pub fn seconded(first: &LeafBody, second: &LeafBody) -> bool {
        declares(second)
            && second.basis == first.basis
            && second.request == first.request
            && second.resource == first.resource
            && second.retention == first.retention
            && second.actor.is_some()
            && second.actor != first.actor
    }

    /// Whether a checkpoint of the lost name, beyond what was kept, is of what was declared lost.
    #[must_use]
    pub fn covers(&self, size: u64, root: &Digest) -> bool {
        size < self.lost_size || (size == self.lost_size && *root == self.lost_root)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.lost_size.saturating_sub(1);
        write!(
            f,
            "PERTE DÉCLARÉE à la trace n° {}, le {}, par deux personnes : sous le nom « {} », le journal avait au moins {} \
             traces (racine {}). Les traces n° {} à {last} de ce temps-là ne sont plus là. Depuis, il s'appelle « {} »",
            self.index,
            self.at.rfc3339(),
            self.lost,
            self.lost_size,
            BASE64.encode(&self.lost_root),
            self.index,
            self.origin
        )
    }
}

/// The losses that a list of declaring records tells, in order; `None` when one of them does not hold.
#[must_use]
pub fn gaps_of(declared: &[(u64, LeafBody)]) -> Option<Vec<Gap>> {
    let mut gaps = Vec::new();
    for pair in declared.chunks(2) {
        let [(index, first), (next, second)] = pair else { return None };
        if *next != index.saturating_add(1) || !Gap::seconded(first, second) {
            return None;
        }
        gaps.push(Gap::read(*index, first)?);
    }
    Some(gaps)
}
