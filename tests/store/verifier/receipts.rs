//! Receipts, checkpoints and consistency: honest, then with any bit turned over.

use relais::audit::SignedCheckpoint;
use relais::audit::note::{Note, VerifierKey};
use relais::audit::proof::TlogProof;
use relais::audit::tree::{LeafHashes, consistency_proof, inclusion_proof, leaf_hash, verify_consistency};

use super::batch::{Batch, Dice};
use super::{Log, bodies};

fn leaves(bodies: &[String]) -> LeafHashes {
    LeafHashes(bodies.iter().map(|b| leaf_hash(b.as_bytes())).collect())
}

fn receipt(log: &Log, bodies: &[String], index: usize) -> String {
    let signed = SignedCheckpoint::parse(&log.sign(bodies)).unwrap();
    let (index, size) = (u64::try_from(index).unwrap(), u64::try_from(bodies.len()).unwrap());
    let hashes = inclusion_proof(index, size, &mut leaves(bodies)).unwrap();
    TlogProof::new(index, hashes, signed).unwrap().to_string()
}

fn ours(receipt: &[u8], body: &str, key: &VerifierKey) -> bool {
    let read = || TlogProof::parse(std::str::from_utf8(receipt).ok()?).ok();
    read().is_some_and(|r| r.verify(body.as_bytes(), key.name(), std::slice::from_ref(key)).is_ok())
}

/// Puts one receipt to both.
fn both(batch: &mut Batch, name: &str, receipt: &[u8], body: &str, key: &VerifierKey, holds: bool) {
    assert_eq!(ours(receipt, body, key), holds, "{name}: {}", String::from_utf8_lossy(receipt));
    let (file, record, vkey) = (batch.file(receipt), batch.file(body), key.to_string());
    batch.command(name, &["verify-receipt", &file, "--key", &vkey, "--record", &record], holds);
}

#[test]
fn any_flipped_bit_of_a_receipt_is_seen_by_both() {
    let (log, mut batch) = (Log::new("relais.example/j"), Batch::new());
    let pool = bodies(5);
    let honest = receipt(&log, &pool, 2);
    both(&mut batch, "honest", honest.as_bytes(), &pool[2], &log.vkey(), true);
    for at in 0..honest.len() {
        for bit in 0..8 {
            let mut bytes = honest.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            both(&mut batch, &format!("byte {at}, bit {bit}"), &bytes, &pool[2], &log.vkey(), false);
        }
    }
    batch.judge();
}

#[test]
fn both_verifiers_agree_on_every_receipt_of_small_logs() {
    let (log, mut batch, mut dice) = (Log::new("relais.example/journal"), Batch::new(), Dice(2));
    let (pool, key) = (bodies(19), log.vkey());
    for n in 1..=18 {
        for index in 0..n {
            let honest = receipt(&log, &pool[..n], index);
            both(&mut batch, "honest", honest.as_bytes(), &pool[index], &key, true);
            both(&mut batch, "another record", honest.as_bytes(), &pool[index + 1], &key, false);
            let lines: Vec<&str> = honest.split('\n').collect();
            let hashes = lines.iter().position(|l| l.is_empty()).unwrap() - 2;
            let mut attacks = vec![
                ("one more hash", {
                    let mut l = lines.clone();
                    l.insert(2, lines[hashes + 5]);
                    l
                }),
                ("another index", {
                    let mut l = lines.clone();
                    l[1] = "index 18";
                    l
                }),
                ("a leading zero", {
                    let mut l = lines.clone();
                    l[1] = "index 007";
                    l
                }),
                ("a negative index", {
                    let mut l = lines.clone();
                    l[1] = "index -1";
                    l
                }),
                ("no index", {
                    let mut l = lines.clone();
                    l.remove(1);
                    l
                }),
                ("another version", {
                    let mut l = lines.clone();
                    l[0] = "c2sp.org/tlog-proof@v2";
                    l
                }),
                ("a line at the end", {
                    let mut l = lines.clone();
                    l.push("");
                    l
                }),
            ];
            if hashes > 0 {
                let at = 2 + dice.below(hashes);
                attacks.push(("one hash less", {
                    let mut l = lines.clone();
                    l.remove(at);
                    l
                }));
                attacks.push(("a root for a hash", {
                    let mut l = lines.clone();
                    l[at] = lines[hashes + 5];
                    l
                }));
                attacks.push(("hash without padding", {
                    let mut l = lines.clone();
                    l[at] = &l[at][..43];
                    l
                }));
            }
            if hashes > 1 {
                attacks.push(("two hashes change places", {
                    let mut l = lines.clone();
                    l.swap(2, 3);
                    l
                }));
            }
            for (name, lines) in attacks {
                both(&mut batch, name, lines.join("\n").as_bytes(), &pool[index], &key, false);
            }
        }
    }
    let other = Log { origin: log.origin.clone(), ..Log::new("") };
    both(&mut batch, "another key", receipt(&other, &pool, 4).as_bytes(), &pool[4], &key, false);
    let foreign = Log::new("relais.example/autre");
    both(&mut batch, "another log", receipt(&foreign, &pool, 4).as_bytes(), &pool[4], &key, false);
    let empty = receipt(&log, &pool, 4).replacen("index", "extra \nindex", 1);
    both(&mut batch, "an empty `extra`", empty.as_bytes(), &pool[4], &key, false);
    // The record may travel in the receipt: it is hashed like any other.
    let vkey = key.to_string();
    for (name, body, holds) in [("inside", &pool[4], true), ("another inside", &pool[5], false)] {
        let extra = format!("extra {}\nindex", data_encoding::BASE64.encode(body.as_bytes()));
        let text = receipt(&log, &pool, 4).replacen("index", &extra, 1);
        let read = TlogProof::parse(&text).unwrap();
        assert_eq!(read.verify_carried(key.name(), std::slice::from_ref(&key)).is_ok(), holds, "{name}");
        let file = batch.file(text);
        batch.command(name, &["verify-receipt", &file, "--key", &vkey], holds);
    }
    let twice = {
        let one = receipt(&log, &pool, 4);
        let line = one.lines().last().unwrap().to_owned();
        format!("{one}{line}\n")
    };
    both(&mut batch, "the same key signs twice", twice.as_bytes(), &pool[4], &key, false);
    let empty_extra = receipt(&log, &pool, 4).replacen("index", "extra \nindex", 1);
    both(&mut batch, "an empty `extra`", empty_extra.as_bytes(), &pool[4], &key, false);
    batch.judge();
}

#[test]
fn both_verifiers_agree_on_every_checkpoint_form() {
    let log = Log::new("relais.example/journal");
    let (key, mut batch) = (log.vkey(), Batch::new());
    let signed = |text: &str| {
        relais::audit::note::Note::sign(text.to_owned(), &log.origin, &log.key).unwrap().to_string()
    };
    let root = log.sign(&["a"]).lines().nth(2).unwrap().to_owned();
    let o = &log.origin;
    let honest = signed(&format!("{o}\n1\n{root}\n"));
    for (name, note, holds) in [
        ("honest", honest.clone(), true),
        ("an extension line", signed(&format!("{o}\n1\n{root}\nplus\n")), true),
        ("an unknown signature", format!("{honest}— witness.example/w AAAAAAAA\n"), true),
        ("an unknown signature, twice", format!("{honest}{0}{0}", "— witness.example/w AAAAAAAA\n"), true),
        ("an empty extension line", signed(&format!("{o}\n1\n{root}\n\nplus\n")), false),
        ("two lines", signed(&format!("{o}\n1\n")), false),
        ("a negative size", signed(&format!("{o}\n-1\n{root}\n")), false),
        ("a plus", signed(&format!("{o}\n+1\n{root}\n")), false),
        ("a leading zero", signed(&format!("{o}\n01\n{root}\n")), false),
        ("a space", signed(&format!("{o}\n1 \n{root}\n")), false),
        ("other digits", signed(&format!("{o}\n\u{661}\n{root}\n")), false),
        ("2^64", signed(&format!("{o}\n18446744073709551616\n{root}\n")), false),
        ("2^64 - 1", signed(&format!("{o}\n18446744073709551615\n{root}\n")), true),
        (
            "a root of 31 bytes",
            signed(&format!("{o}\n1\n{}\n", data_encoding::BASE64.encode(&[1; 31]))),
            false,
        ),
        ("base64 without padding", signed(&format!("{o}\n1\n{}\n", root.trim_end_matches('='))), false),
        ("base64 with other last bits", signed(&format!("{o}\n1\n{}B=\n", "A".repeat(42))), false),
        ("base64 of addresses", signed(&format!("{o}\n1\n{}_8=\n", "A".repeat(41))), false),
        ("a tab", signed(&format!("{o}\n1\n{root}\nx\n")).replace("x\n", "\t\n"), false),
        ("no end", honest.trim_end().to_owned(), false),
        ("no blank line", honest.replace("\n\n", "\n"), false),
        ("no signature", format!("{}\n\n", honest.split("\n\n").next().unwrap()), false),
        ("a hyphen for the dash", honest.replace('\u{2014}', "-"), false),
        ("two spaces", honest.replace("\u{2014} ", "\u{2014}  "), false),
        ("text after the signatures", format!("{honest}plus\n"), false),
        ("65 signatures", format!("{honest}{}", "— witness.example/w AAAAAAAA\n".repeat(64)), false),
        ("64 signatures", format!("{honest}{}", "— witness.example/w AAAAAAAA\n".repeat(63)), true),
        ("a signature without bytes", format!("{honest}— witness.example/w AAAAAA==\n"), false),
        ("a name with a plus", format!("{honest}— a+b AAAAAAAA\n"), false),
    ] {
        let parsed = SignedCheckpoint::parse(&note);
        let ours = parsed.is_ok_and(|c| c.verify(key.name(), std::slice::from_ref(&key)).is_ok());
        assert_eq!(ours, holds, "{name}: {note}");
        let (file, vkey) = (batch.file(&note), key.to_string());
        batch.command(name, &["verify-checkpoint", &file, "--key", &vkey], holds);
    }
    let file = batch.file(&honest);
    let vkey = key.to_string();
    // The base64 of the key may hold a `+` too.
    let (second_plus, _) = vkey.match_indices('+').nth(1).unwrap();
    let (name_and_id, public) = (&vkey[..second_plus], &vkey[second_plus + 1..]);
    for (name, vkey) in [
        ("another id", vkey.replacen(&super::hex(&key.id()), "00000000", 1)),
        ("upper case", name_and_id.to_uppercase() + "+" + public),
        ("a witness's kind", format!("{name_and_id}+B{}", &public[1..])),
        ("cut", vkey[..vkey.len() - 4].to_owned()),
        ("longer", format!("{vkey}AAAA")),
        ("nothing", String::new()),
    ] {
        assert!(VerifierKey::parse(&vkey).is_err(), "{name}");
        batch.command(name, &["verify-checkpoint", &file, "--key", &vkey], false);
    }
    let typed = [&[1_u8][..], &[0; 32]].concat();
    let id = relais::crypto::hash::sha256(&[log.origin.as_bytes(), b"\n", &typed]);
    let small = format!("{}+{}+{}", log.origin, super::hex(&id[..4]), data_encoding::BASE64.encode(&typed));
    assert!(VerifierKey::parse(&small).is_err());
    let arguments = ["verify-checkpoint", file.as_str(), "--key", &small];
    batch.command("a key of small order", &arguments, false).saying("ce n'est pas une clé sûre");
    let empty = signed(&format!("{o}\n0\n{root}\n"));
    assert!(SignedCheckpoint::parse(&empty).is_err());
    let file = batch.file(empty);
    let arguments = ["verify-checkpoint", file.as_str(), "--key", &vkey];
    batch.command("an empty tree with a root", &arguments, false);
    batch.judge();
}

#[test]
fn both_verifiers_agree_on_a_signed_report_and_neither_takes_it_for_a_checkpoint() {
    const FIRST: &str = "Relais, rapport mensuel du journal, version 1\n";
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    let (key, other) = (log.vkey(), Log::new("relais.example/journal"));
    let signed = |text: &str| Note::sign(text.to_owned(), &log.origin, &log.key).unwrap().to_string();
    let honest = signed(&format!("{FIRST}Consultations : 12\n\nFin\n"));
    let checkpoint = log.sign(&bodies(3));
    let foreign = Note::sign(format!("{FIRST}Consultations : 12\n"), &other.origin, &other.key).unwrap();
    for (name, note, holds) in [
        ("honest", honest.clone(), true),
        ("one figure", honest.replace("12", "11"), false),
        ("another key", foreign.to_string(), false),
        ("no signature", honest.split("\u{2014}").next().unwrap().to_owned(), false),
        ("something else signed", signed("autre chose\n"), false),
        ("a checkpoint", checkpoint.clone(), false),
    ] {
        let ours = Note::parse(&note)
            .is_ok_and(|n| n.text().starts_with(FIRST) && n.verify(std::slice::from_ref(&key)).is_ok());
        assert_eq!(ours, holds, "{name}");
        let (file, vkey) = (batch.file(&note), key.to_string());
        batch.command(name, &["verify-report", &file, "--key", &vkey], holds);
        batch.command(name, &["verify-checkpoint", &file, "--key", &vkey], note == checkpoint);
        assert_eq!(SignedCheckpoint::parse(&note).is_ok(), note == checkpoint, "{name}");
    }
    batch.judge();
}

#[test]
fn both_verifiers_agree_on_consistency() {
    let (log, mut batch, mut dice) = (Log::new("relais.example/journal"), Batch::new(), Dice(3));
    let (pool, vkey) = (bodies(17), log.vkey().to_string());
    let forked: Vec<String> = pool.iter().rev().cloned().collect();
    let hashes = |proof: &[relais::crypto::hash::Digest]| {
        proof.iter().map(|h| data_encoding::BASE64.encode(h) + "\n").collect::<String>()
    };
    for newer in 1..=17_usize {
        for older in 1..=newer {
            let (m, n) = (u64::try_from(older).unwrap(), u64::try_from(newer).unwrap());
            let honest = consistency_proof(m, n, &mut leaves(&pool)).unwrap();
            let mut proofs =
                vec![("honest", honest.clone()), ("one more", [honest.clone(), vec![[7; 32]]].concat())];
            if !honest.is_empty() {
                let (mut less, mut bit) = (honest.clone(), honest.clone());
                less.remove(dice.below(honest.len()));
                bit[dice.below(honest.len())][dice.below(32)] ^= 1 << dice.below(8);
                proofs.extend([("one less", less), ("a bit", bit)]);
            }
            for (name, proof) in proofs {
                let (old, new, fork) =
                    (log.sign(&pool[..older]), log.sign(&pool[..newer]), log.sign(&forked[..newer]));
                for (end, new) in [("", &new), (" to a fork", &fork)] {
                    let name = format!("{name}{end}: {older} to {newer}");
                    let claims = |note: &str| SignedCheckpoint::parse(note).unwrap().claims().clone();
                    let (o, w) = (claims(&old), claims(new));
                    let ours = verify_consistency(o.size(), w.size(), &proof, o.root(), w.root()).is_ok();
                    let same = older == newer && o.root() == w.root();
                    assert_eq!(ours, name.starts_with("honest") && (end.is_empty() || same), "{name}");
                    let (a, b) = (batch.file(&old), batch.file(new));
                    let lines = hashes(&proof);
                    let p =
                        batch.file(if dice.below(2) == 0 { lines } else { format!("old {older}\n{lines}") });
                    batch.command(&name, &["verify-consistency", &a, &b, &p, "--key", &vkey], ours);
                }
            }
        }
    }
    let proof = hashes(&consistency_proof(5, 9, &mut leaves(&pool)).unwrap());
    let foreign = Log::new("relais.example/autre");
    let (five, nine) = (log.sign(&pool[..5]), log.sign(&pool[..9]));
    let none: Vec<String> = Vec::new();
    for (name, old, new, proof) in [
        ("backwards", nine.clone(), five.clone(), proof.clone()),
        ("from nothing", log.sign(&none), nine.clone(), String::new()),
        ("another log", foreign.sign(&pool[..5]), nine.clone(), proof.clone()),
        ("another size", five.clone(), nine.clone(), format!("old 4\n{proof}")),
        ("no end", five.clone(), nine.clone(), proof.trim_end().to_owned()),
        ("a blank line", five, nine, format!("{proof}\n")),
    ] {
        let (a, b, p) = (batch.file(old), batch.file(new), batch.file(proof));
        batch.command(name, &["verify-consistency", &a, &b, &p, "--key", &vkey], false);
    }
    batch.judge();
}
