//! The commands about the log, on a database that is served meanwhile.

use super::*;
use crate::audit::Cosigner;
use crate::audit::tree::{Frontier, leaf_hash};
use crate::clock::Timestamp;
use crate::crypto::sign::SigningKey;
use crate::service::testing::Territory;

fn ran(t: &Territory, command: &AuditCommand) -> (String, String) {
    let (mut out, mut progress) = (Vec::new(), Vec::new());
    let code = run(command, &t.data(), &mut out, &mut progress).unwrap();
    (String::from_utf8(out).unwrap(), format!("{code:?}"))
}

fn verify_with(checkpoint: Option<PathBuf>, json: bool) -> AuditCommand {
    AuditCommand::Verify { log: LogOptions::default(), checkpoint, policy: None, json, details: false }
}

#[test]
fn verify_tells_success_and_failure_while_the_server_runs() {
    let t = Territory::new();
    let success = format!("{:?}", ExitCode::SUCCESS);
    let (said, code) = ran(&t, &verify_with(None, false));
    assert_eq!(code, success, "{said}");
    assert!(said.starts_with("Le journal tient : ") && said.contains("--vkey"), "{said}");
    let kept = t.data().join("kept.txt");
    std::fs::write(&kept, t.app.checkpoint().unwrap().to_string()).unwrap();
    t.write(|_, _| Ok(()));
    let (said, code) = ran(&t, &verify_with(Some(kept.clone()), true));
    assert_eq!(code, success);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["holds"], &said["checkpoints"]), (&true.into(), &2.into()));
    // A checkpoint of another log is named.
    let other = Territory::new();
    let (said, code) = ran(&other, &verify_with(Some(kept), false));
    assert_ne!(code, success);
    assert!(said.contains("Point de contrôle fourni") && said.contains("[checkpoint_signature]"), "{said}");
}

#[test]
fn the_log_is_the_one_of_the_instance_that_serve_would_serve() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let asked = LogOptions::default();
    let at = |pairs: &[(&str, &str)]| {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        match asked.address(data, &environment).unwrap() {
            DatabaseAddress::Sqlite(path) => path,
            DatabaseAddress::Postgres(other) => panic!("{other}"),
        }
    };
    assert_eq!(at(&[]), data.join(DATABASE_FILE));
    assert_eq!(at(&[("RELAIS_DATABASE", "sqlite:b.db")]), data.join("b.db"));
    std::fs::write(data.join(FILE), "database = \"sqlite:/srv/elsewhere/a.db\"\n").unwrap();
    assert_eq!(at(&[]), Path::new("/srv/elsewhere/a.db"));
    assert_eq!(at(&[("RELAIS_DATABASE", "sqlite:b.db")]), data.join("b.db"));
}

#[test]
fn what_is_taken_away_verifies_without_the_server() {
    let t = Territory::new();
    let nothing_signed =
        AuditCommand::Checkpoint { log: LogOptions::default(), public_key: false, cosigned: false };
    let mut nowhere = Vec::new();
    assert!(run(&nothing_signed, &t.data(), &mut nowhere, &mut Vec::new()).is_err());
    let with_key =
        LogOptions { kek_file: Some(t.data().parent().unwrap().join("kek")), ..LogOptions::default() };
    let (note, _) = ran(&t, &AuditCommand::Checkpoint { log: with_key, public_key: false, cosigned: false });
    let (vkey, _) =
        ran(&t, &AuditCommand::Checkpoint { log: LogOptions::default(), public_key: true, cosigned: false });
    let key = VerifierKey::parse(vkey.trim()).unwrap();
    let signed = SignedCheckpoint::parse(&note).unwrap();
    assert!(signed.verify(key.name(), std::slice::from_ref(&key)).is_ok());
    // Every line of the export is a record, exactly as hashed.
    let (export, _) = ran(
        &t,
        &AuditCommand::Export { log: LogOptions::default(), asked: leaving::ExportArguments::default() },
    );
    let lines: Vec<&str> = export.lines().collect();
    let size = usize::try_from(signed.claims().size()).unwrap();
    assert_eq!(lines.len(), size + 1);
    let mut frontier = Frontier::empty();
    for line in &lines[..size] {
        frontier.append(leaf_hash(line.as_bytes()));
    }
    assert_eq!(frontier.root(), *signed.claims().root());
    let (receipt, _) = ran(&t, &AuditCommand::Proof { index: 3, log: LogOptions::default() });
    let receipt = TlogProof::parse(&receipt).unwrap();
    assert!(receipt.verify(lines[3].as_bytes(), key.name(), std::slice::from_ref(&key)).is_ok());
    assert!(receipt.verify(lines[4].as_bytes(), key.name(), std::slice::from_ref(&key)).is_err());
    let beyond = AuditCommand::Proof { index: 1_000_000, log: LogOptions::default() };
    assert!(run(&beyond, &t.data(), &mut nowhere, &mut Vec::new()).is_err());
    assert!(nowhere.is_empty());
}

#[test]
fn a_proof_of_consistency_is_handed_out_only_between_two_checkpoints_of_this_log() {
    let t = Territory::new();
    let kept = |name: &str, t: &Territory| {
        let path = t.data().join(name);
        std::fs::write(&path, t.app.checkpoint().unwrap().to_string()).unwrap();
        path
    };
    let older = kept("older.txt", &t);
    t.write(|_, _| Ok(()));
    t.write(|_, _| Ok(()));
    let newer = kept("newer.txt", &t);
    let asked = |older: &Path, newer: Option<&Path>| {
        AuditCommand::Consistency(consistency::ConsistencyArguments {
            older: older.to_owned(),
            newer: newer.map(Path::to_owned),
            log: LogOptions::default(),
        })
    };
    let (given, _) = ran(&t, &asked(&older, Some(&newer)));
    assert_eq!(ran(&t, &asked(&older, None)).0, given, "the last one is the default");
    let claims = |path: &Path| SignedCheckpoint::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (old, new) = (claims(&older), claims(&newer));
    let (old, new) = (old.claims(), new.claims());
    let mut lines = given.lines();
    assert_eq!(lines.next().unwrap(), format!("old {}", old.size()));
    let hashes: Vec<[u8; 32]> =
        lines.map(|line| BASE64.decode(line.as_bytes()).unwrap().try_into().unwrap()).collect();
    assert!(old.size() < new.size());
    verify_consistency(old.size(), new.size(), &hashes, old.root(), new.root()).unwrap();

    let refused = |t: &Territory, older: &Path, newer: &Path| {
        let mut out = Vec::new();
        let error = run(&asked(older, Some(newer)), &t.data(), &mut out, &mut Vec::new()).unwrap_err();
        assert!(out.is_empty());
        format!("{error:#}")
    };
    assert!(refused(&t, &newer, &older).contains("le plus ancien d'abord"));
    let other = Territory::new();
    let strange = kept("strange.txt", &other);
    assert!(refused(&t, &strange, &newer).contains("n'est pas un point de contrôle de ce journal"));
    // Signed with the real key, of a history that this database has not.
    let mut frontier = Frontier::empty();
    frontier.append(leaf_hash(b"another history"));
    let signed = sign_checkpoint(t.app.store(), &mut t.app.store().snapshot().unwrap(), &frontier).unwrap();
    let forked = t.data().join("forked.txt");
    std::fs::write(&forked, signed.to_string()).unwrap();
    assert!(refused(&t, &forked, &newer).contains("ne prolonge pas"));
}

/// A command as it is typed after `relais audit`.
fn typed(words: &[&str]) -> Result<AuditCommand, clap::Error> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(subcommand)]
        command: AuditCommand,
    }
    let line = <Line as clap::Parser>::try_parse_from(std::iter::once("audit").chain(words.iter().copied()));
    line.map(|line| line.command)
}

#[test]
fn a_receipt_is_held_to_the_witnesses_that_a_policy_asks_for() {
    let t = Territory::new();
    let note = t.app.checkpoint().unwrap();
    let (receipt, _) = ran(&t, &AuditCommand::Proof { index: 3, log: LogOptions::default() });
    let vkey = t.app.store().snapshot().unwrap().log_vkeys().unwrap().remove(0);
    let witness =
        |seed: u8| Cosigner::new("w.example/temoin", SigningKey::from_seed(&[seed; 32]).unwrap()).unwrap();
    let (w, other) = (witness(3), witness(4));
    let seen = |by: &Cosigner| {
        format!("{receipt}{}\n", by.cosign(&note, Timestamp::from_micros(1_750_000_000_000_000)))
    };
    let file = |name: &str, content: &str| {
        std::fs::write(t.data().join(name), content).unwrap();
        t.data().join(name).to_str().unwrap().to_owned()
    };
    let (alone, cosigned, foreign) =
        (file("alone", &receipt), file("cosigned", &seen(&w)), file("foreign", &seen(&other)));
    let rules = format!("witness w {}\nquorum w\n", w.public());
    let (policy, named) = (file("policy", &rules), file("named", &format!("log {vkey}\n{rules}")));
    let none = file("none", "quorum none\n");
    let strange = VerifierKey::new("relais.example/autre", SigningKey::from_seed(&[5; 32]).unwrap().public());
    let strange = file("strange", &format!("log {}\n{rules}", strange.unwrap()));
    let (success, failure) = (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::FAILURE));
    for (words, code, says) in [
        (vec![alone.as_str(), "--vkey", &vkey], &success, "Le reçu tient"),
        (vec![&cosigned, "--vkey", &vkey, "--policy", &policy], &success, "Témoins : w (2025-06-15T"),
        (vec![&cosigned, "--policy", &named], &success, "Témoins : w ("),
        (vec![&alone, "--vkey", &vkey, "--policy", &none], &success, "n'en exige aucun"),
        (
            vec![&alone, "--vkey", &vkey, "--policy", &policy],
            &failure,
            "le quorum de témoins (`w`) n'est pas atteint",
        ),
        (vec![&foreign, "--vkey", &vkey, "--policy", &policy], &failure, "témoins exigés manquent"),
    ] {
        let words: Vec<&str> = std::iter::once("receipt").chain(words).collect();
        let (said, ended) = ran(&t, &typed(&words).unwrap());
        assert_eq!(&ended, code, "{words:?} {said}");
        assert!(said.contains(says), "{words:?} {said}");
        assert_eq!(said.starts_with("Le reçu tient :"), code == &success, "{words:?} {said}");
    }
    for (words, why) in [
        (
            vec!["receipt", &cosigned, "--vkey", &vkey, "--policy", &strange],
            "n'est pas une de celles de la politique",
        ),
        (vec!["receipt", &cosigned, "--policy", &policy], "aucune clé de journal"),
        (vec!["receipt", &cosigned, "--policy", &alone], "politique, ligne 1"),
        (vec!["receipt", &cosigned, "--policy", "/no/such/file"], "ne peut pas être lu"),
    ] {
        let (mut out, mut progress) = (Vec::new(), Vec::new());
        let error = run(&typed(&words).unwrap(), &t.data(), &mut out, &mut progress).unwrap_err();
        assert!(format!("{error:#}").contains(why), "{words:?} {error:#}");
        assert!(out.is_empty(), "{words:?}");
    }
    assert!(typed(&["receipt", &alone]).is_err(), "a key or a policy must be given");
}
