//! Vectors of transparency-dev/merkle (`tests/vectors/README.md`), the RFC's own recursive definitions, two
//! independent crates, and exhaustive properties.

use super::*;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;
use sha2::Sha256;

/// Leaf hashes and, with each, the nodes that it completes: as the log stores them.
#[derive(Default)]
struct Stored {
    frontier: Frontier,
    rows: Vec<(Digest, Vec<Digest>)>,
    roots: Vec<Digest>,
    asked: usize,
}

impl Stored {
    fn of(size: u64) -> Self {
        let mut stored = Self { roots: vec![empty_root()], ..Self::default() };
        for n in 0..size {
            let hash = leaf_hash(&body(n));
            let nodes = stored.frontier.append(hash);
            stored.rows.push((hash, nodes));
            stored.roots.push(stored.frontier.root());
        }
        stored
    }

    fn leaves(&self, size: usize) -> Vec<Digest> {
        self.rows[..size].iter().map(|r| r.0).collect()
    }
}

impl NodeSource for Stored {
    type Error = Infallible;

    fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, Infallible> {
        self.asked = ids.len();
        Ok(ids
            .iter()
            .map(|id| {
                let (leaf, nodes) = &self.rows[usize::try_from(id.completed_by()).unwrap()];
                id.position().map_or(*leaf, |p| nodes[p])
            })
            .collect())
    }
}

fn body(n: u64) -> Vec<u8> {
    format!("record {n}").into_bytes()
}

fn at(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

/// RFC 6962 §2.1: MTH.
fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            node_hash(&mth(&many[..k]), &mth(&many[k..]))
        }
    }
}

/// RFC 6962 §2.1.1: PATH.
fn path(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() < 2 {
        return vec![];
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, sibling) = if m < k {
        (path(m, &leaves[..k]), mth(&leaves[k..]))
    } else {
        (path(m - k, &leaves[k..]), mth(&leaves[..k]))
    };
    proof.push(sibling);
    proof
}

/// RFC 6962 §2.1.2: SUBPROOF.
fn subproof(m: usize, leaves: &[Digest], whole: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if whole { vec![] } else { vec![mth(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, sibling) = if m <= k {
        (subproof(m, &leaves[..k], whole), mth(&leaves[k..]))
    } else {
        (subproof(m - k, &leaves[k..], false), mth(&leaves[..k]))
    };
    proof.push(sibling);
    proof
}

fn number(case: &Value, key: &str) -> u64 {
    case[key].as_u64().unwrap()
}

/// A hash of a vector. Some cases give one of a wrong length on purpose: it cannot be expressed here at all.
fn hash(value: &Value) -> Option<Digest> {
    BASE64.decode(value.as_str().unwrap_or_default().as_bytes()).unwrap().try_into().ok()
}

/// Some consistency cases use any word for a root; each stands here for one arbitrary hash.
fn root(value: &Value) -> Digest {
    hash(value).unwrap_or_else(|| sha256(&[b"arbitrary", value.as_str().unwrap_or_default().as_bytes()]))
}

fn proof(case: &Value) -> Option<Vec<Digest>> {
    case["proof"].as_array().map_or(Some(vec![]), |hashes| hashes.iter().map(hash).collect())
}

#[test]
fn the_98_inclusion_vectors() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/vectors/merkle-inclusion.json")).unwrap();
    assert_eq!(cases.len(), 98);
    for case in &cases {
        let verdict = (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, size) = (number(case, "leafIdx"), number(case, "treeSize"));
            verify_inclusion(&leaf, index, size, &proof(case)?, &root).ok()
        })();
        assert_eq!(verdict.is_none(), case["wantErr"].as_bool().unwrap(), "{}", case["name"]);
    }
}

/// The library's rule: nothing is proven from size 0. (The witness protocol accepts an empty proof from size 0; that
/// is its caller's rule, not this function's.)
#[test]
fn the_98_consistency_vectors() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/vectors/merkle-consistency.json")).unwrap();
    assert_eq!(cases.len(), 98);
    for case in &cases {
        let verdict = (|| {
            let (older, newer) = (root(&case["root1"]), root(&case["root2"]));
            let (from, to) = (number(case, "size1"), number(case, "size2"));
            verify_consistency(from, to, &proof(case)?, &older, &newer).ok()
        })();
        assert_eq!(verdict.is_none(), case["wantErr"].as_bool().unwrap(), "{}", case["name"]);
    }
}

/// The eight leaves of the Certificate Transparency test tree, with its published roots.
#[test]
fn the_tree_of_certificate_transparency() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::empty();
    for (leaf, root) in leaves.iter().zip(roots) {
        frontier.append(leaf_hash(&HEXLOWER.decode(leaf.as_bytes()).unwrap()));
        assert_eq!(HEXLOWER.encode(&frontier.root()), root);
    }
}

#[test]
fn roots_and_proofs_are_those_of_the_recursive_definition() {
    let mut stored = Stored::of(70);
    for size in 0..=70_u64 {
        let leaves = stored.leaves(at(size));
        assert_eq!(stored.roots[at(size)], mth(&leaves));
        for index in 0..size {
            assert_eq!(inclusion_proof(index, size, &mut stored).unwrap(), path(at(index), &leaves));
            let older = index + 1;
            let expected = subproof(at(older), &leaves, true);
            assert_eq!(consistency_proof(older, size, &mut stored).unwrap(), expected);
            assert_eq!(
                inclusion_proof(index, size, &mut LeafHashes(leaves.clone())).unwrap(),
                path(at(index), &leaves)
            );
        }
    }
}

#[test]
fn every_proof_up_to_300_leaves_verifies_and_reads_few_rows() {
    let mut stored = Stored::of(300);
    for size in 1..=300_u64 {
        let root = stored.roots[at(size)];
        let most = at(u64::from(2 * (size.ilog2() + 1)));
        for index in 0..size {
            let proof = inclusion_proof(index, size, &mut stored).unwrap();
            assert!(stored.asked <= most, "{index} of {size} read {} rows", stored.asked);
            verify_inclusion(&stored.rows[at(index)].0, index, size, &proof, &root).unwrap();
            let older = index + 1;
            let proof = consistency_proof(older, size, &mut stored).unwrap();
            assert!(stored.asked <= most, "{older} to {size} read {} rows", stored.asked);
            verify_consistency(older, size, &proof, &stored.roots[at(older)], &root).unwrap();
        }
    }
}

/// Every way to flip one bit of one hash.
fn flipped(hashes: &[Digest]) -> impl Iterator<Item = Vec<Digest>> {
    let bits = hashes.len() * 256;
    (0..bits).map(move |n| {
        let mut other = hashes.to_vec();
        other[n / 256][n % 256 / 8] ^= 1 << (n % 8);
        other
    })
}

#[test]
fn any_flipped_bit_or_wrong_place_rejects() {
    let mut stored = Stored::of(40);
    for size in [1, 2, 3, 7, 8, 13, 40_u64] {
        let root = stored.roots[at(size)];
        for index in 0..size {
            let leaf = stored.rows[at(index)].0;
            let proof = inclusion_proof(index, size, &mut stored).unwrap();
            let holds =
                |leaf: &Digest, i, s, p: &[Digest], r: &Digest| verify_inclusion(leaf, i, s, p, r).is_ok();
            assert!(flipped(&proof).all(|p| !holds(&leaf, index, size, &p, &root)));
            assert!(flipped(&[leaf]).all(|l| !holds(&l[0], index, size, &proof, &root)));
            assert!(flipped(&[root]).all(|r| !holds(&leaf, index, size, &proof, &r[0])));
            for other in (0..size + 2).filter(|o| *o != index) {
                assert!(!holds(&leaf, other, size, &proof, &root), "{index} passed for {other} of {size}");
            }
            let longer: Vec<Digest> = proof.iter().copied().chain([leaf]).collect();
            assert!(!holds(&leaf, index, size, &longer, &root));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!holds(&leaf, index, size, shorter, &root));
            }
            let older = index + 1;
            let old_root = stored.roots[at(older)];
            let proof = consistency_proof(older, size, &mut stored).unwrap();
            let holds =
                |m, n, p: &[Digest], a: &Digest, b: &Digest| verify_consistency(m, n, p, a, b).is_ok();
            assert!(flipped(&proof).all(|p| !holds(older, size, &p, &old_root, &root)));
            assert!(flipped(&[old_root]).all(|r| !holds(older, size, &proof, &r[0], &root)));
            assert!(flipped(&[root]).all(|r| !holds(older, size, &proof, &old_root, &r[0])));
            let longer: Vec<Digest> = proof.iter().copied().chain([leaf]).collect();
            assert!(!holds(older, size, &longer, &old_root, &root));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!holds(older, size, shorter, &old_root, &root));
            }
        }
    }
}

#[test]
fn what_is_outside_the_tree_is_refused() {
    let mut stored = Stored::of(4);
    let root = stored.roots[4];
    assert!(matches!(
        inclusion_proof(4, 4, &mut stored),
        Err(ProveError::Tree(TreeError::OutOfTree { index: 4, size: 4 }))
    ));
    assert!(matches!(consistency_proof(0, 4, &mut stored), Err(ProveError::Tree(TreeError::FromEmpty))));
    assert!(matches!(
        consistency_proof(5, 4, &mut stored),
        Err(ProveError::Tree(TreeError::NotOlder { .. }))
    ));
    assert_eq!(verify_consistency(0, 4, &[], &empty_root(), &root), Err(TreeError::FromEmpty));
    assert_eq!(verify_consistency(0, 0, &[], &empty_root(), &empty_root()), Err(TreeError::FromEmpty));
    assert_eq!(verify_consistency(5, 4, &[], &root, &root), Err(TreeError::NotOlder { older: 5, newer: 4 }));
    assert_eq!(
        verify_inclusion(&root, u64::MAX, u64::MAX, &[], &root),
        Err(TreeError::OutOfTree { index: u64::MAX, size: u64::MAX })
    );
    let long = vec![root; 70];
    assert!(verify_inclusion(&root, u64::MAX - 1, u64::MAX, &long, &root).is_err());
    assert!(verify_consistency(u64::MAX - 1, u64::MAX, &long, &root, &root).is_err());
}

#[test]
fn a_frontier_is_stored_and_read_back_or_refused() {
    let stored = Stored::of(11);
    let bytes = stored.frontier.to_bytes();
    assert_eq!(Frontier::from_bytes(11, &bytes), Ok(stored.frontier));
    assert_eq!(Frontier::from_bytes(0, &[]), Ok(Frontier::empty()));
    for (size, bytes) in [(11, &bytes[1..]), (10, &bytes[..]), (0, &bytes[..32]), (1, &[])] {
        assert!(Frontier::from_bytes(size, bytes).is_err(), "{size}");
    }
}

#[test]
fn ct_merkle_agrees() {
    let mut theirs = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut stored = Stored::of(130);
    for size in 1..=130_u64 {
        theirs.push(body(size - 1));
        let root = theirs.root();
        assert_eq!(root.as_bytes().as_slice(), stored.roots[at(size)]);
        for index in (0..size).step_by(3) {
            let ours = inclusion_proof(index, size, &mut stored).unwrap();
            assert_eq!(theirs.prove_inclusion(at(index)).as_bytes(), ours.concat());
            let older = index + 1;
            let ours = consistency_proof(older, size, &mut stored).unwrap();
            if older < size {
                // This crate adds the old root of a complete subtree to the proof where RFC 9162 leaves it out.
                let proof = theirs.prove_consistency(at(size - older));
                let rest = proof.as_bytes();
                let rest =
                    if older.is_power_of_two() && rest.len() > ours.len() * 32 { &rest[32..] } else { rest };
                assert_eq!(rest, ours.concat(), "{older} to {size}");
            }
        }
    }
}

/// Hashes in the order of storage of the Go checksum database, which `tlog_tiles` follows.
struct GoStore(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for GoStore {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[at(*i)]).collect())
    }
}

#[test]
fn tlog_tiles_agrees() {
    let raw = |hashes: Vec<tlog_tiles::Hash>| hashes.into_iter().map(|h| h.0).collect::<Vec<Digest>>();
    let mut store = GoStore(vec![]);
    let mut stored = Stored::of(130);
    for size in 1..=130_u64 {
        let more = tlog_tiles::stored_hashes(size - 1, &body(size - 1), &store).unwrap();
        // What a leaf completes is the same set, in the same order.
        assert_eq!(raw(more[1..].to_vec()), stored.rows[at(size - 1)].1);
        store.0.extend(more);
        assert_eq!(tlog_tiles::tree_hash(size, &store).unwrap().0, stored.roots[at(size)]);
        for index in (0..size).step_by(3) {
            let theirs = tlog_tiles::prove_record(size, index, &store).unwrap();
            assert_eq!(raw(theirs), inclusion_proof(index, size, &mut stored).unwrap());
            let theirs = tlog_tiles::prove_tree(size, index + 1, &store).unwrap();
            assert_eq!(raw(theirs), consistency_proof(index + 1, size, &mut stored).unwrap());
        }
    }
}
