//! Witnesses: C2SP tlog-policy and tlog-cosignature, in both verifiers (k of n, honest and attacked). Each verdict is that
//! for which the case was made.

use std::path::Path;

use data_encoding::BASE64;
use relais::audit::note::Note;
use relais::audit::policy::PolicyError;
use relais::audit::tree::{LeafHashes, consistency_proof, inclusion_proof, leaf_hash};
use relais::audit::{Policy, SignedCheckpoint, TlogProof};
use relais::cli::audit::AuditCommand;
use relais::clock::{Clock, SystemClock};
use relais::crypto::SystemChance;
use relais::crypto::hash::sha256;
use relais::crypto::sign::SigningKey;

use super::batch::{Batch, Dice};
use super::logs::Export;
use super::{Log, bodies, hex};

struct Witness {
    name: String,
    key: SigningKey,
}

impl Witness {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), key: SigningKey::generate(&SystemChance::new()).unwrap() }
    }

    fn typed_key(&self) -> Vec<u8> {
        [&[4][..], &self.key.public()].concat()
    }

    fn id(&self) -> Vec<u8> {
        sha256(&[self.name.as_bytes(), b"\n", &self.typed_key()])[..4].to_vec()
    }

    fn vkey(&self) -> String {
        format!("{}+{}+{}", self.name, hex(&self.id()), BASE64.encode(&self.typed_key()))
    }

    /// A signature line over this message, with this time.
    fn line(&self, message: &str, at: u64) -> String {
        let bytes =
            [self.id(), at.to_be_bytes().to_vec(), self.key.sign(message.as_bytes()).to_vec()].concat();
        format!("\u{2014} {} {}\n", self.name, BASE64.encode(&bytes))
    }

    fn cosign(&self, note: &str, at: u64) -> String {
        self.line(&format!("cosignature/v1\ntime {at}\n{}", text_of(note)), at)
    }
}

fn text_of(note: &str) -> &str {
    &note[..=note.rfind("\n\n").unwrap()]
}

const AT: u64 = 1_750_000_000;

/// Our verdict, asserted at once; the other verifier's, when the batch is judged.
fn check(batch: &mut Batch, name: &str, note: &str, policy: &str, log: &Log, holds: bool) {
    let signed = SignedCheckpoint::parse(note).map_err(PolicyError::from);
    let ours = signed.and_then(|signed| {
        Policy::parse(policy.as_bytes())?.check(&signed, &[log.vkey().clone()], SystemClock.now())
    });
    assert_eq!(ours.is_ok(), holds, "{name}: {ours:?}");
    let (file, policy, vkey) = (batch.file(note), batch.file(policy), log.vkey().to_string());
    let arguments = ["verify-checkpoint", file.as_str(), "--key", &vkey, "--policy", &policy];
    batch.command(name, &arguments, holds);
}

#[test]
fn the_quorum_is_counted() {
    let (log, mut batch, mut dice) = (Log::new("relais.example/journal"), Batch::new(), Dice(4));
    let witnesses: Vec<Witness> = (0..5).map(|i| Witness::new(&format!("w{i}.example/temoin"))).collect();
    let lines: String =
        witnesses.iter().enumerate().map(|(i, w)| format!("witness w{i} {}\n", w.vkey())).collect();
    for least in 1..=5_u32 {
        for seen in 0..32_u32 {
            let mut note = log.sign(&[format!("{least} {seen}")]);
            let body = note.clone();
            for (i, witness) in witnesses.iter().enumerate() {
                if seen >> i & 1 == 1 {
                    note += &witness.cosign(&body, AT + u64::try_from(dice.below(1000)).unwrap());
                }
            }
            let one =
                |rule: &str| format!("log {}\n{lines}group g {rule} w0 w1 w2 w3 w4\nquorum g\n", log.vkey());
            check(&mut batch, "k of n", &note, &one(&least.to_string()), &log, seen.count_ones() >= least);
            if least == 1 {
                check(&mut batch, "any", &note, &one("any"), &log, seen > 0);
                check(&mut batch, "all", &note, &one("all"), &log, seen == 31);
                let nested =
                    format!("{lines}group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup z all x y\nquorum z\n");
                let met = (seen & 7).count_ones() >= 2 && seen >> 3 > 0;
                check(&mut batch, "groups", &note, &nested, &log, met);
                check(&mut batch, "one", &note, &format!("{lines}quorum w2\n"), &log, seen >> 2 & 1 == 1);
                check(&mut batch, "none", &note, &format!("{lines}quorum none\n"), &log, true);
            }
        }
    }
    batch.judge();
}

#[test]
fn a_cosignature_that_is_not_one_spoils_the_note() {
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    let (w, other) = (Witness::new("w.example/temoin"), Witness::new("w.example/temoin"));
    let note = log.sign(&["a"]);
    let text = text_of(&note);
    let policy = format!("witness w {}\nquorum w\n", w.vkey());
    let whole = w.cosign(&note, AT);
    let impostor = Witness { name: w.name.clone(), key: SigningKey::from_seed(other.key.seed()).unwrap() };
    let with_id_of_w = {
        let line = impostor.cosign(&note, AT);
        let mut bytes = BASE64.decode(line.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
        bytes[..4].copy_from_slice(&w.id());
        format!("\u{2014} {} {}\n", w.name, BASE64.encode(&bytes))
    };
    let earlier = log.sign(&["b"]);
    for (name, line, holds) in [
        ("honest", whole.clone(), true),
        ("none", String::new(), false),
        ("of another witness", other.cosign(&note, AT), false),
        ("forged", with_id_of_w, false),
        ("of another checkpoint", w.cosign(&earlier, AT), false),
        ("another time than signed", w.line(&format!("cosignature/v1\ntime {}\n{text}", AT + 1), AT), false),
        ("a plain signature", w.line(text, AT), false),
        ("another version", w.line(&format!("cosignature/v2\ntime {AT}\n{text}"), AT), false),
        ("in the far future", w.cosign(&note, 40_000_000_000), false),
        ("beyond 2^63", w.cosign(&note, 1 << 63), false),
        ("twice", whole.repeat(2), false),
        ("twice, at two times", format!("{whole}{}", w.cosign(&note, AT + 9)), false),
        (
            "a byte too many",
            {
                let bytes = BASE64.decode(whole.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
                format!("\u{2014} {} {}\n", w.name, BASE64.encode(&[bytes, vec![0]].concat()))
            },
            false,
        ),
    ] {
        check(&mut batch, name, &format!("{note}{line}"), &policy, &log, holds);
    }
    // A witness alone never makes a checkpoint.
    check(&mut batch, "no log", &format!("{}\n{whole}", text_of(&note)), &policy, &log, false);
    // A forged root, signed with the real key of the log, fails the policy.
    let forged = format!("{}{whole}", log.sign(&["z"]));
    check(&mut batch, "a stolen log key", &forged, &policy, &log, false);
    batch.judge();
}

#[test]
fn a_doubtful_policy_is_refused() {
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    let (a, b) = (Witness::new("a.example/temoin"), Witness::new("b.example/temoin"));
    let same =
        Witness { name: "c.example/temoin".to_owned(), key: SigningKey::from_seed(a.key.seed()).unwrap() };
    let own =
        Witness { name: "d.example/temoin".to_owned(), key: SigningKey::from_seed(log.key.seed()).unwrap() };
    let stranger = Log::new("relais.example/autre");
    let mut note = log.sign(&["a"]);
    note = format!("{note}{}{}", a.cosign(&note, AT), b.cosign(&note, AT));
    let (l, x, y) = (log.vkey(), a.vkey(), b.vkey());
    for (name, policy, holds) in [
        ("honest", format!("log {l}\nwitness a {x}\nwitness b {y}\ngroup g all a b\nquorum g\n"), true),
        ("with addresses", format!("log {l} https://l\nwitness a {x} https://a\nquorum a\n"), true),
        ("spaces and remarks", format!("# é\n\n \t log\t{l}  \n  # x\nwitness a {x}\nquorum a\n"), true),
        ("no log named", format!("witness a {x}\nquorum a\n"), true),
        ("groups after the quorum", format!("witness a {x}\nwitness b {y}\nquorum a\ngroup g any b\n"), true),
        ("another log only", format!("log {}\nwitness a {x}\nquorum a\n", stranger.vkey()), false),
        ("no quorum", format!("log {l}\nwitness a {x}\n"), false),
        ("two quorums", format!("witness a {x}\nquorum a\nquorum a\n"), false),
        ("quorum of two", format!("witness a {x}\nwitness b {y}\nquorum a b\n"), false),
        ("unknown quorum", format!("witness a {x}\nquorum b\n"), false),
        ("used before it is defined", format!("quorum a\nwitness a {x}\n"), false),
        ("a group of itself", format!("witness a {x}\ngroup g any g\nquorum g\n"), false),
        ("a group of none", format!("witness a {x}\ngroup g any none\nquorum g\n"), false),
        ("nobody in a group", format!("witness a {x}\ngroup g any\nquorum g\n"), false),
        ("threshold nought", format!("witness a {x}\ngroup g 0 a\nquorum g\n"), false),
        ("threshold too high", format!("witness a {x}\ngroup g 2 a\nquorum g\n"), false),
        ("threshold 01", format!("witness a {x}\ngroup g 01 a\nquorum g\n"), false),
        ("threshold negative", format!("witness a {x}\ngroup g -1 a\nquorum g\n"), false),
        ("a member twice", format!("witness a {x}\ngroup g 2 a a\nquorum g\n"), false),
        ("in two groups", format!("witness a {x}\ngroup g any a\ngroup h any a\nquorum g\n"), false),
        ("a name twice", format!("witness a {x}\nwitness a {y}\nquorum a\n"), false),
        ("a name of witness and group", format!("witness a {x}\ngroup a any a\nquorum a\n"), false),
        ("a witness called none", format!("witness none {x}\nquorum none\n"), false),
        (
            "one key, two witnesses",
            format!("witness a {x}\nwitness c {}\ngroup g all a c\nquorum g\n", same.vkey()),
            false,
        ),
        (
            "the log is its own witness",
            format!("log {l}\nwitness a {x}\nwitness d {}\nquorum a\n", own.vkey()),
            false,
        ),
        ("its own witness, not named", format!("witness a {x}\nwitness d {}\nquorum a\n", own.vkey()), false),
        ("the same log twice", format!("log {l}\nlog {l}\nwitness a {x}\nquorum a\n"), false),
        ("a log key as witness", format!("witness a {l}\nquorum a\n"), false),
        ("a witness key as log", format!("log {x}\nquorum none\n"), false),
        ("an unknown line", format!("witness a {x}\nquorum a\nmore\n"), false),
        ("line ends of Windows", format!("witness a {x}\r\nquorum a\r\n"), false),
        ("the last line does not end", format!("witness a {x}\nquorum a"), false),
        ("a remark after words", format!("witness a {x}\nquorum a # yes\n"), false),
        ("nothing", String::new(), false),
    ] {
        check(&mut batch, name, &note, &policy, &log, holds);
    }
    // The policy alone may name the log.
    let file = batch.file(&note);
    let policy = batch.file(format!("log {l}\nwitness a {x}\nquorum a\n"));
    batch.command("policy alone", &["verify-checkpoint", &file, "--policy", &policy], true);
    let policy = batch.file(format!("log {}\nwitness a {x}\nquorum a\n", stranger.vkey()));
    batch.command("another policy alone", &["verify-checkpoint", &file, "--policy", &policy], false);
    batch.judge();
}

#[derive(clap::Parser)]
struct Line {
    #[command(subcommand)]
    command: AuditCommand,
}

/// Whether our own command line accepts a receipt under a policy.
fn ours_accepts(receipt: &str, policy: &str, vkey: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (receipt, policy) = (file("receipt", receipt), file("policy", policy));
    let words = ["audit", "receipt", &receipt, "--vkey", vkey, "--policy", &policy];
    let line = <Line as clap::Parser>::parse_from(words);
    let (mut out, mut progress) = (Vec::new(), Vec::new());
    let code = relais::cli::audit::run(&line.command, Path::new("."), &mut out, &mut progress).unwrap();
    format!("{code:?}") == format!("{:?}", std::process::ExitCode::SUCCESS)
}

#[test]
fn every_command_asks_for_the_witnesses_of_the_policy() {
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    let pool = bodies(6);
    let (w, x) = (Witness::new("w.example/temoin"), Witness::new("x.example/temoin"));
    let mut hashes = LeafHashes(pool.iter().map(|b| leaf_hash(b.as_bytes())).collect());
    let inclusion = inclusion_proof(2, 6, &mut hashes).unwrap();
    let consistency: String =
        consistency_proof(4, 6, &mut hashes).unwrap().iter().map(|h| BASE64.encode(h) + "\n").collect();
    let vkey = log.vkey().to_string();
    let rules = format!("witness w {}\nwitness x {}\ngroup g all w x\nquorum g\n", w.vkey(), x.vkey());
    let (policy, named) = (batch.file(&rules), batch.file(format!("log {vkey}\n{rules}")));
    let (older, proof) = (batch.file(log.sign(&pool[..4])), batch.file(&consistency));
    let records = batch.file(pool.iter().map(|r| format!("{r}\n")).collect::<String>());
    let plain = log.sign(&pool);
    for (by, holds) in [(&[&w, &x][..], true), (&[&w], false), (&[&x], false), (&[], false)] {
        let note = by.iter().fold(plain.clone(), |note, one| note + one.cosign(&plain, AT).as_str());
        let signed = SignedCheckpoint::parse(&note).unwrap();
        let receipt = TlogProof::new(2, inclusion.clone(), signed).unwrap().with_record(&pool[2]).unwrap();
        let receipt = receipt.to_string();
        assert_eq!(ours_accepts(&receipt, &rules, &vkey), holds, "{} cosigned", by.len());
        let export = Export { records: pool.clone(), note: Some(note.clone()) }.text();
        let (note, receipt, export) = (batch.file(note), batch.file(receipt), batch.file(export));
        for command in [
            vec!["verify-checkpoint", note.as_str()],
            vec!["verify-receipt", &receipt],
            vec!["verify-export", &export],
            // Where the export has none, the newest checkpoint that is given.
            vec!["verify-export", &records, "--checkpoint", &note],
            vec!["verify-consistency", &older, &note, &proof],
        ] {
            let name = format!("{} cosigned: {}", by.len(), command[0]);
            let given = [command.as_slice(), &["--policy", &policy, "--key", &vkey]].concat();
            let alone = [command.as_slice(), &["--policy", &named]].concat();
            for arguments in [&given, &alone] {
                let words = if holds {
                    "Témoins : w ("
                } else {
                    "le quorum de témoins (« g ») n'est pas atteint"
                };
                batch.command(&name, arguments, holds).saying(words);
            }
            // The same files without a policy: they lack nothing else.
            let without = [command.as_slice(), &["--key", &vkey]].concat();
            batch.command(&name, &without, true).saying("aucune politique donnée");
        }
    }
    // A report has no witnesses, and a policy is not said to be met.
    let text = "Relais, rapport mensuel du journal, version 1\nConsultations : 12\n".to_owned();
    let report = batch.file(Note::sign(text, &log.origin, &log.key).unwrap().to_string());
    let arguments = ["verify-report", report.as_str(), "--policy", &named];
    batch.command("report", &arguments, true).saying("un rapport n'est pas cosigné");
    batch.judge();
}
