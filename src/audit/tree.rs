//! The Merkle tree of RFC 6962 §2.1 and RFC 9162 §2.1, over SHA-256.
//!
//! INVARIANT: leaves are hashed with the prefix 0x00 and nodes with 0x01, so that a node can never pass for a leaf.
//!
//! A [`Frontier`] (compact range) is all that appending needs: the roots of the complete subtrees, largest first.
//! Each append completes zero or more interior nodes; they are stored with the leaf that completed them, so a proof
//! reads O(log n) rows and the log needs no table of nodes ([`NodeId::completed_by`]).
//!
//! A consistency proof *from size 0* is refused: every tree continues the empty one, so it proves nothing. (A witness
//! accepts an empty proof from size 0; that is the witness protocol's own rule, to be applied by its caller.)

use std::convert::Infallible;

use crate::crypto::hash::{Digest, sha256};

/// Why a proof was refused or cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    #[error("index `{index}` is not in a tree of `{size}` leaves")]
    OutOfTree { index: u64, size: u64 },
    #[error("a tree of `{older}` leaves cannot precede one of `{newer}`")]
    NotOlder { older: u64, newer: u64 },
    #[error("a consistency proof from the empty tree proves nothing; compare from a size of at least 1")]
    FromEmpty,
    #[error("the proof has `{found}` hashes, which is not the length it must have")]
    ProofLength { found: usize },
    #[error("the proof leads to another root")]
    OtherRoot,
    #[error("a frontier of `{size}` leaves needs `{expected}` hashes of 32 bytes, not `{found}` bytes")]
    Frontier { size: u64, expected: u32, found: usize },
}

/// The root of a tree with no leaf.
#[must_use]
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// The hash of a leaf, from the parts of its body.
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Digest {
    sha256(&[&[0], body])
}

/// The hash of an interior node.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[1], left, right])
}

/// A complete subtree: `2^level` leaves from `index · 2^level` on. Level 0 is a leaf.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId {
    pub level: u32,
    pub index: u64,
}

impl NodeId {
    /// The leaf whose append completed this subtree, with whose row its hash is stored.
    #[must_use]
    pub fn completed_by(self) -> u64 {
        self.index.saturating_add(1).checked_shl(self.level).unwrap_or(u64::MAX).saturating_sub(1)
    }

    /// The position of its hash among those stored with that leaf; `None` for the leaf hash itself.
    #[must_use]
    pub fn position(self) -> Option<usize> {
        usize::try_from(self.level).ok()?.checked_sub(1)
    }
}

/// The roots of the complete subtrees of the first `size` leaves, largest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub const fn empty() -> Self {
        Self { size: 0, nodes: Vec::new() }
    }

    /// Reads a stored frontier: as many hashes as `size` has ones in binary.
    ///
    /// # Errors
    /// [`TreeError::Frontier`] when the bytes are not that many hashes.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, TreeError> {
        let nodes = digests(bytes).unwrap_or_default();
        let fits = u32::try_from(nodes.len()).is_ok_and(|n| n == size.count_ones());
        if fits && bytes.len() == nodes.len().saturating_mul(32) {
            Ok(Self { size, nodes })
        } else {
            Err(TreeError::Frontier { size, expected: size.count_ones(), found: bytes.len() })
        }
    }

    /// As stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.nodes.concat()
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns the hashes of the interior nodes that it completes, levels 1, 2, … in order.
    pub fn append(&mut self, leaf: Digest) -> Vec<Digest> {
        let mut completed = Vec::new();
        let mut carry = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                carry = node_hash(&left, &carry);
                completed.push(carry);
            }
        }
        self.nodes.push(carry);
        self.size = self.size.saturating_add(1);
        completed
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        fold(&self.nodes).unwrap_or_else(empty_root)
    }
}

/// Reads whole hashes; `None` when bytes are left over.
#[must_use]
pub fn digests(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| chunks.to_vec())
}

/// The root over subtrees given largest (leftmost) first.
fn fold(nodes: &[Digest]) -> Option<Digest> {
    let (last, rest) = nodes.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// Where stored hashes come from.
pub trait NodeSource {
    type Error;

    /// The hash of a complete subtree. All of a proof's nodes are asked for at once, so that one query can answer.
    ///
    /// # Errors
    /// When one of them cannot be read.
    fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, Self::Error>;
}

/// A proof cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError<E> {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("a stored hash of the log cannot be read")]
    Source(#[source] E),
}

/// One element of a proof: complete subtrees, largest first, whose fold is the hash to give.
type Element = Vec<NodeId>;

/// The complete subtrees that make up leaves `from..to`, largest first, when `from` is a multiple of the span.
fn cover(mut from: u64, to: u64) -> Element {
    let mut ids = Vec::new();
    while from < to {
        let level = to.saturating_sub(from).ilog2();
        ids.push(NodeId { level, index: from.checked_shr(level).unwrap_or(0) });
        from = from.saturating_add(1_u64.checked_shl(level).unwrap_or(u64::MAX));
    }
    ids
}

/// The largest power of two smaller than `n` (RFC 6962 §2.1); `n > 1`.
const fn split(n: u64) -> u64 {
    match n.saturating_sub(1).checked_ilog2() {
        Some(level) => 1_u64 << level,
        None => 0,
    }
}

fn inclusion_plan(index: u64, size: u64) -> Result<Vec<Element>, TreeError> {
    if index >= size {
        return Err(TreeError::OutOfTree { index, size });
    }
    let (mut from, mut to, mut plan) = (0_u64, size, Vec::new());
    while to.saturating_sub(from) > 1 {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if index < middle {
            plan.push(cover(middle, to));
            to = middle;
        } else {
            plan.push(cover(from, middle));
            from = middle;
        }
    }
    plan.reverse();
    Ok(plan)
}

fn consistency_plan(older: u64, newer: u64) -> Result<Vec<Element>, TreeError> {
    if older == 0 {
        return Err(TreeError::FromEmpty);
    }
    if older > newer {
        return Err(TreeError::NotOlder { older, newer });
    }
    // RFC 6962 §2.1.2, SUBPROOF without recursion. `whole` is its flag b: the older tree is still a known root.
    let (mut from, mut to, mut whole, mut plan) = (0_u64, newer, true, Vec::new());
    while older < to {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if older <= middle {
            plan.push(cover(middle, to));
            to = middle;
        } else {
            plan.push(cover(from, middle));
            from = middle;
            whole = false;
        }
    }
    if !whole {
        plan.push(cover(from, to));
    }
    plan.reverse();
    Ok(plan)
}

fn fetch<S: NodeSource>(plan: &[Element], source: &mut S) -> Result<Vec<Digest>, ProveError<S::Error>> {
    let ids: Vec<NodeId> = plan.iter().flatten().copied().collect();
    let found = source.nodes(&ids).map_err(ProveError::Source)?;
    let mut rest = found.as_slice();
    let mut proof = Vec::with_capacity(plan.len());
    for element in plan {
        let (these, others) = rest.split_at_checked(element.len()).unwrap_or((&[], &[]));
        proof.push(fold(these).ok_or(TreeError::ProofLength { found: found.len() })?);
        rest = others;
    }
    Ok(proof)
}

/// Proves that leaf `index` is in the tree of the first `size` leaves.
///
/// # Errors
/// [`TreeError::OutOfTree`], or what the source says.
pub fn inclusion_proof<S: NodeSource>(
    index: u64,
    size: u64,
    source: &mut S,
) -> Result<Vec<Digest>, ProveError<S::Error>> {
    fetch(&inclusion_plan(index, size)?, source)
}

/// Proves that the tree of the first `newer` leaves continues that of the first `older`.
///
/// # Errors
/// [`TreeError::FromEmpty`], [`TreeError::NotOlder`], or what the source says.
pub fn consistency_proof<S: NodeSource>(
    older: u64,
    newer: u64,
    source: &mut S,
) -> Result<Vec<Digest>, ProveError<S::Error>> {
    fetch(&consistency_plan(older, newer)?, source)
}

/// Checks that `leaf` is leaf `index` of the tree with this size and root (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`TreeError`] when it is not proven.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), TreeError> {
    if index >= size {
        return Err(TreeError::OutOfTree { index, size });
    }
    let wrong_length = TreeError::ProofLength { found: proof.len() };
    let (mut node, mut last, mut hash) = (index, size.saturating_sub(1), *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let steps = if node & 1 == 1 { 0 } else { node.trailing_zeros() };
            // `node` is 0 only when `last` is 0 too, which ended above.
            node = node.checked_shr(steps).unwrap_or(0);
            last = last.checked_shr(steps).unwrap_or(0);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(TreeError::OtherRoot) }
}

/// Checks that the tree (`newer`, `newer_root`) continues (`older`, `older_root`) (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`TreeError`] when it is not proven; from size 0 always (see the module).
pub fn verify_consistency(
    older: u64,
    newer: u64,
    proof: &[Digest],
    older_root: &Digest,
    newer_root: &Digest,
) -> Result<(), TreeError> {
    if older == 0 {
        return Err(TreeError::FromEmpty);
    }
    if older > newer {
        return Err(TreeError::NotOlder { older, newer });
    }
    let wrong_length = TreeError::ProofLength { found: proof.len() };
    if older == newer {
        return match (proof.is_empty(), older_root == newer_root) {
            (true, true) => Ok(()),
            (true, false) => Err(TreeError::OtherRoot),
            (false, _) => Err(wrong_length),
        };
    }
    // A complete older tree is itself the first element of the path; it is left out of the proof.
    let (first, rest) = if older.is_power_of_two() {
        (older_root, proof)
    } else {
        match proof.split_first() {
            Some(split) => split,
            None => return Err(wrong_length),
        }
    };
    if rest.is_empty() {
        return Err(wrong_length);
    }
    let steps = older.saturating_sub(1).trailing_ones();
    let mut node = older.saturating_sub(1).checked_shr(steps).unwrap_or(0);
    let mut last = newer.saturating_sub(1).checked_shr(steps).unwrap_or(0);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let steps = if node & 1 == 1 { 0 } else { node.trailing_zeros() };
            node = node.checked_shr(steps).unwrap_or(0);
            last = last.checked_shr(steps).unwrap_or(0);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if old_hash == *older_root && new_hash == *newer_root { Ok(()) } else { Err(TreeError::OtherRoot) }
}

/// All leaf hashes in memory: for small trees and as the plainest possible source.
#[derive(Debug, Default)]
pub struct LeafHashes(pub Vec<Digest>);

impl NodeSource for LeafHashes {
    type Error = Infallible;

    fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, Infallible> {
        Ok(ids.iter().filter_map(|id| self.subtree(*id)).collect())
    }
}

impl LeafHashes {
    fn subtree(&self, id: NodeId) -> Option<Digest> {
        let from = usize::try_from(id.index.checked_shl(id.level)?).ok()?;
        let span = 1_usize.checked_shl(id.level)?;
        let mut frontier = Frontier::empty();
        for leaf in self.0.get(from..from.checked_add(span)?)? {
            frontier.append(*leaf);
        }
        Some(frontier.root())
    }
}

#[cfg(test)]
mod tests;
