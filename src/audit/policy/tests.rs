//! The quorum. Every doubtful file, and agreement with the second verifier: `tests/store/verifier/policies.rs`.

use super::*;
use crate::audit::Checkpoint;
use crate::audit::cosignature::Cosigner;
use crate::audit::tree::Frontier;
use crate::crypto::sign::SigningKey;

fn now() -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(1_750_000_000)
}

fn witness(seed: u8) -> Cosigner {
    Cosigner::new(&format!("w{seed}.example/temoin"), SigningKey::from_seed(&[seed; 32]).unwrap()).unwrap()
}

fn log_key() -> SigningKey {
    SigningKey::from_seed(&[99; 32]).unwrap()
}

fn signed() -> SignedCheckpoint {
    let mut frontier = Frontier::empty();
    frontier.append([1; 32]);
    Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&log_key()).unwrap()
}

fn policy(rule: &str) -> String {
    let log = VerifierKey::new("relais.example/journal", log_key().public()).unwrap();
    let witnesses: String =
        (1..=3).map(|n| format!("witness w{n} {} https://w{n}.example\n", witness(n).public())).collect();
    format!("# deux sur trois\nlog {log}\n{witnesses}{rule}")
}

/// SECURITY §1, a stolen log key: a forged root signed with the real key fails the policy.
#[test]
fn threat_a_checkpoint_signed_with_the_real_key_alone_fails_a_policy_of_witnesses() {
    let two = Policy::parse(policy("group g 2 w1 w2 w3\nquorum g\n").as_bytes()).unwrap();
    let line = |n| witness(n).cosign(&signed(), now());
    assert!(matches!(two.check(&signed(), &[], now()), Err(PolicyError::NoneSuch { .. })));
    let refused = two.check(&signed().with([line(2)]), &[], now()).unwrap_err().to_string();
    assert!(refused.contains("`g`") && refused.contains("w2"), "{refused}");
    let seen = two.check(&signed().with([line(1), line(3)]), &[], now()).unwrap();
    assert_eq!(seen.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["w1", "w3"]);
    // Whoever asks for no witness gets what the key says.
    let none = Policy::parse(policy("quorum none\n").as_bytes()).unwrap();
    assert_eq!(none.check(&signed(), &[], now()), Ok(Vec::new()));
}

#[test]
fn groups_nest() {
    let nested = Policy::parse(policy("group x any w1 w2\ngroup y all x w3\nquorum y\n").as_bytes()).unwrap();
    let with = |numbers: &[u8]| {
        let lines: Vec<_> = numbers.iter().map(|n| witness(*n).cosign(&signed(), now())).collect();
        nested.check(&signed().with(lines), &[], now()).is_ok()
    };
    assert!(with(&[1, 3]) && with(&[2, 3]) && with(&[1, 2, 3]));
    assert!(!with(&[1, 2]) && !with(&[3]) && !with(&[]));
}

#[test]
fn an_error_names_its_line_and_is_french() {
    let said = |text: String| Policy::parse(text.as_bytes()).err().unwrap().to_string();
    let unknown = said(policy("quorum w9\n"));
    assert!(unknown.contains("ligne 6") && unknown.contains("`w9`"), "{unknown}");
    assert!(said(policy("")).contains("quorum"));
}
