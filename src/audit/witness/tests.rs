//! The protocol, honest and attacked.

use super::*;
use crate::audit::cosignature::Cosigner;
use crate::audit::tree::{Frontier, LeafHashes, consistency_proof, leaf_hash};
use crate::clock::Timestamp;
use crate::crypto::sign::SigningKey;

const ORIGIN: &str = "relais.example/journal";

/// A log of so many records; from `fork` on they are others.
struct Log {
    leaves: LeafHashes,
    key: SigningKey,
}

impl Log {
    fn new(size: u64, fork: u64) -> Self {
        let leaf = |n: u64| leaf_hash(format!("{}{n}", if n < fork { "" } else { "x" }).as_bytes());
        Self {
            leaves: LeafHashes((0..size).map(leaf).collect()),
            key: SigningKey::from_seed(&[5; 32]).unwrap(),
        }
    }

    fn at(&self, size: usize) -> SignedCheckpoint {
        let mut frontier = Frontier::empty();
        for leaf in &self.leaves.0[..size] {
            frontier.append(*leaf);
        }
        Checkpoint::of(ORIGIN, &frontier).unwrap().sign(&self.key).unwrap()
    }

    fn request(&mut self, old: u64, size: usize) -> AddCheckpoint {
        let new = u64::try_from(size).unwrap();
        let proof =
            if old == 0 { Vec::new() } else { consistency_proof(old, new, &mut self.leaves).unwrap() };
        AddCheckpoint::new(old, proof, self.at(size))
    }

    fn keys(&self) -> [VerifierKey; 1] {
        [VerifierKey::new(ORIGIN, self.key.public()).unwrap()]
    }
}

#[test]
fn a_witness_follows_a_log_that_grows_and_nothing_else() {
    let (mut log, mut other) = (Log::new(40, 40), Log::new(40, 10));
    let keys = log.keys();
    let last = |log: &Log, size| log.at(size).claims().clone();
    assert_eq!(judge(&log.request(0, 7), &keys, None), Ok(()));
    assert_eq!(judge(&log.request(0, 0), &keys, None), Ok(()));
    for (from, to) in [(1, 1), (7, 7), (7, 8), (7, 33), (32, 40), (39, 40)] {
        let known = last(&log, usize::try_from(from).unwrap());
        assert_eq!(judge(&log.request(from, to), &keys, Some(&known)), Ok(()), "{from} {to}");
    }
    let known = last(&log, 20);
    assert_eq!(judge(&log.request(7, 30), &keys, Some(&known)), Err(Refused::Conflict(20)));
    assert_eq!(judge(&log.request(0, 30), &keys, Some(&known)), Err(Refused::Conflict(20)));
    // THREAT: truncated, and shown again from the beginning.
    assert_eq!(judge(&log.request(0, 12), &keys, Some(&known)), Err(Refused::Conflict(20)));
    let back = AddCheckpoint::new(20, Vec::new(), log.at(12));
    assert_eq!(judge(&back, &keys, Some(&known)), Err(Refused::Malformed));
    // THREAT: two histories, with the real key. The same size first, then a longer one.
    assert_eq!(judge(&other.request(20, 20), &keys, Some(&known)), Err(Refused::Conflict(20)));
    assert_eq!(judge(&other.request(20, 30), &keys, Some(&known)), Err(Refused::BadProof));
    // A proof where none belongs.
    let proof = log.request(7, 30).proof;
    assert_eq!(judge(&AddCheckpoint::new(0, proof, log.at(30)), &keys, None), Err(Refused::BadProof));
    let too_much = AddCheckpoint::new(20, vec![[0; 32]], log.at(20));
    assert_eq!(judge(&too_much, &keys, Some(&known)), Err(Refused::BadProof));
    // Unknown log, unknown key, and a log known under another key.
    assert_eq!(judge(&log.request(0, 7), &[], None), Err(Refused::UnknownLog));
    let stranger = SigningKey::from_seed(&[6; 32]).unwrap();
    let theirs = [VerifierKey::new(ORIGIN, stranger.public()).unwrap()];
    assert_eq!(judge(&log.request(0, 7), &theirs, None), Err(Refused::UnknownKey));
    let elsewhere = [VerifierKey::new("elsewhere.example", log.key.public()).unwrap()];
    assert_eq!(judge(&log.request(0, 7), &elsewhere, None), Err(Refused::UnknownLog));
}

#[test]
fn a_request_reads_back_byte_for_byte_and_what_is_none_is_refused() {
    let mut log = Log::new(40, 40);
    for (old, size) in [(0, 7), (7, 33), (33, 33)] {
        let text = log.request(old, size).to_string();
        assert_eq!(AddCheckpoint::parse(&text).unwrap().to_string(), text);
    }
    let good = log.request(7, 33).to_string();
    let hash = good.lines().nth(1).unwrap().to_owned();
    for (from, to) in [
        ("old 7", "old 07".to_owned()),
        ("old 7", "old -7".to_owned()),
        ("old 7", "Old 7".to_owned()),
        ("old 7", "7".to_owned()),
        ("old 7\n", "old 7 \n".to_owned()),
        ("old 7\n", "old 7\n=\n".to_owned()),
        ("old 7\n", format!("old 7\n{}", format!("{hash}\n").repeat(64))),
        ("\n\n", "\n".to_owned()),
        ("\n\n", "\n\n\n".to_owned()),
        ("old 7\n", String::new()),
    ] {
        assert!(AddCheckpoint::parse(&good.replacen(from, &to, 1)).is_err(), "{from} -> {to}");
    }
    assert!(AddCheckpoint::parse(good.trim_end()).is_err());
    assert!(AddCheckpoint::parse("").is_err());
}

#[test]
fn an_answer_reads_back_and_what_is_none_is_never_a_yes() {
    let witness = Cosigner::new("w.example", SigningKey::from_seed(&[7; 32]).unwrap()).unwrap();
    let line = witness.cosign(&Log::new(3, 3).at(3), Timestamp::from_micros(0));
    for reply in [
        Reply::Cosigned(vec![line.clone()]),
        Reply::Cosigned(vec![line.clone(), line]),
        Reply::Refused(Refused::Malformed),
        Reply::Refused(Refused::UnknownKey),
        Reply::Refused(Refused::UnknownLog),
        Reply::Refused(Refused::Conflict(12)),
        Reply::Refused(Refused::BadProof),
        Reply::Other(503),
    ] {
        let (status, body) = reply.wire();
        assert_eq!(Reply::read(status, &body), reply);
    }
    for (status, body) in [(200, ""), (200, "yes\n"), (200, "\n"), (409, "12"), (409, "012\n"), (302, "")] {
        assert_eq!(Reply::read(status, body), Reply::Other(status), "{status} {body:?}");
    }
}
