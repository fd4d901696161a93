//! Whole logs: thousands of small ones, honest and attacked, and the real export of a real database.

use std::convert::Infallible;

use relais::audit::LeafBody;
use relais::audit::checkpoint::Checkpoint;
use relais::audit::note::VerifierKey;
use relais::audit::tree::{Frontier, leaf_hash};
use relais::audit::verify::{
    Flaw, LogReader, Place, Report, StoredCheckpoint, StoredHead, StoredIndex, StoredRow, Trust, verify,
};
use relais::cli::audit::{AuditCommand, LogOptions};
use relais::crypto::sign::SigningKey;
use relais::store::DatabaseAddress;

use super::batch::{Batch, Dice};
use super::{Log, bed, bodies, frontier, told};
use crate::support::{Bed, engines};

/// The export as its lines, and the note of its last line.
#[derive(Clone)]
pub(super) struct Export {
    pub(super) records: Vec<String>,
    pub(super) note: Option<String>,
}

impl Export {
    pub(super) fn text(&self) -> String {
        let mut out: String = self.records.iter().map(|r| format!("{r}\n")).collect();
        if let Some(note) = &self.note {
            let size: u64 = note.lines().nth(1).and_then(|l| l.parse().ok()).unwrap_or(0);
            out.push_str(&serde_json::json!({"checkpoint": note, "size": size}).to_string());
            out.push('\n');
        }
        out
    }
}

/// The database of an owner who made every stored hash and copy fit these bodies: what is left to find is what an
/// export can show.
pub(super) struct Fitted<'a>(pub(super) &'a Export);

impl Fitted<'_> {
    fn all(&self) -> (Vec<StoredRow>, Frontier) {
        let mut frontier = Frontier::empty();
        let row = |(index, text): (usize, &String)| {
            let hash = leaf_hash(text.as_bytes());
            let body = LeafBody::parse(text).ok();
            StoredRow {
                index: i64::try_from(index).unwrap(),
                leaf_hash: hash.to_vec(),
                body: Some(text.clone()),
                retention: body.as_ref().map(|b| b.retention.code().to_owned()).unwrap_or_default(),
                nodes: frontier.append(hash).concat(),
                row: body.map(|b| StoredIndex {
                    at: b.at.micros(),
                    actor: b.actor.as_ref().map(|p| p.as_str().to_owned()),
                    organisation: b.organisation.as_ref().map(|o| o.as_str().to_owned()),
                    profession: b.profession.map(|p| p.code().to_owned()),
                    action: b.action.code().to_owned(),
                    pathway: b.pathway.as_ref().map(|p| p.as_str().to_owned()),
                    purpose: b.purpose.map(|p| p.code().to_owned()),
                    decision: b.decision.code().to_owned(),
                }),
                detail: None,
            }
        };
        let rows = self.0.records.iter().enumerate().map(row).collect();
        (rows, frontier)
    }
}

impl LogReader for Fitted<'_> {
    type Error = Infallible;

    fn head(&mut self) -> Result<StoredHead, Infallible> {
        let (rows, frontier) = self.all();
        let size = i64::try_from(rows.len()).unwrap();
        let last_time = rows.last().and_then(|r| r.row.as_ref()).map(|r| r.at);
        Ok(StoredHead { size, frontier: frontier.to_bytes(), last_time })
    }

    fn rows(&mut self, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, Infallible> {
        let skip = after.map_or(0, |a| usize::try_from(a + 1).unwrap());
        Ok(self.all().0.into_iter().skip(skip).take(limit).collect())
    }

    fn index_rows(&mut self) -> Result<u64, Infallible> {
        Ok(u64::try_from(self.0.records.len()).unwrap())
    }

    fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, Infallible> {
        let stored = |note: &String| StoredCheckpoint {
            size: note.lines().nth(1).and_then(|l| l.parse().ok()).unwrap_or(-1),
            note: note.clone(),
        };
        Ok(self.0.note.iter().map(stored).collect())
    }
}

fn ours(export: &Export, key: &VerifierKey, given: Option<&str>) -> Report {
    let trust = Trust { origin: key.name(), keys: std::slice::from_ref(key), given };
    verify(&mut Fitted(export), &trust, &mut |_| {}).unwrap()
}

/// What a library that is nobody's of ours (`tlog_tiles`, the Go checksum database's arithmetic) finds of the tree: the
/// first size at which a checkpoint does not agree with the records. It knows no record's form and no signature.
fn theirs(export: &Export, kept: Option<&str>) -> bool {
    let mut store = Store(Vec::new());
    for (index, record) in export.records.iter().enumerate() {
        let index = u64::try_from(index).unwrap();
        let more = tlog_tiles::stored_hashes(index, record.as_bytes(), &store).unwrap();
        store.0.extend(more);
    }
    let len = u64::try_from(export.records.len()).unwrap();
    export.note.as_deref().into_iter().chain(kept).all(|note| {
        let text = note.split("\n\n").next().unwrap();
        let claimed = tlog_tiles::Checkpoint::from_bytes(format!("{text}\n").as_bytes()).unwrap();
        let size = claimed.size();
        size <= len && tlog_tiles::tree_hash(size, &store).unwrap().0 == claimed.hash().0 && {
            // And by its own proof, from what was attested to what is there.
            size == 0 || size == len || {
                let proof = tlog_tiles::prove_tree(len, size, &store).unwrap();
                let whole = tlog_tiles::tree_hash(len, &store).unwrap();
                tlog_tiles::check_tree(&proof, len, whole, size, *claimed.hash()).is_ok()
            }
        }
    })
}

/// Hashes in the order of storage that `tlog_tiles` has.
struct Store(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Store {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

/// Puts one log to all three; `holds` is what the case was made for.
fn both(batch: &mut Batch, name: &str, export: &Export, log: &Log, kept: Option<&str>, holds: bool) {
    let key = log.vkey();
    let report = ours(export, &key, kept);
    assert_eq!(report.holds(), holds, "{name}: {:?}", report.failure);
    // The third sees trees only: what it refuses, ours refuses; what ours finds in a tree, it finds as well.
    let of_the_tree = match report.failure.map(|f| f.flaw) {
        None => Some(true),
        Some(Flaw::CheckpointRoot | Flaw::CheckpointBeyond) => Some(false),
        // A signature, another log, the form of a record: not a matter of trees.
        Some(_) => None,
    };
    let found = theirs(export, kept);
    assert!(of_the_tree.is_none_or(|expected| expected == found), "{name}: the third says {found}");
    assert!(found || !holds, "{name}: the third alone refuses");
    let file = batch.file(export.text());
    let vkey = key.to_string();
    let mut arguments = vec!["verify-export", &file, "--key", &vkey];
    let kept = kept.map(|note| batch.file(note));
    if let Some(kept) = &kept {
        arguments.extend(["--checkpoint", kept]);
    }
    batch.command(name, &arguments, holds);
    if let Some(Place::Record(index)) = report.failure.map(|f| f.place) {
        batch.saying(format!("trace n° {index} "));
    }
}

fn is_permit(body: &str) -> String {
    body.replacen("\"decision\":\"permit\"", "\"decision\":\"deny\"", 1)
}

/// Another hexadecimal digit at the start of the blinder.
fn other_blinder(body: &str) -> String {
    let at = body.find("\"blinder\":\"").unwrap() + 11;
    let other = if &body[at..=at] == "0" { "1" } else { "0" };
    format!("{}{other}{}", &body[..at], &body[at + 1..])
}

fn time_of(body: &str) -> i64 {
    LeafBody::parse(body).unwrap().at.micros()
}

/// Every attack on the log of `n` records, of which a checkpoint at `m` is kept elsewhere; 1 <= m < n.
fn attacks(batch: &mut Batch, dice: &mut Dice, pool: &[String], n: usize) {
    let log = Log::new("relais.example/journal");
    let honest = Export { records: pool[..n].to_vec(), note: Some(log.sign(&pool[..n])) };
    let m = 1 + dice.below(n - 1);
    let kept = log.sign(&pool[..m]);
    let kept = Some(kept.as_str());
    let (i, j) = (dice.below(n), dice.below(m));
    let edited = |at: usize, with: fn(&str) -> String| {
        let mut export = honest.clone();
        export.records[at] = with(&export.records[at]);
        export
    };
    let resigned = |mut export: Export| {
        export.note = Some(log.sign(&export.records));
        export
    };
    let noted = |note: String| Export { note: Some(note), ..honest.clone() };

    both(batch, "honest", &honest, &log, None, true);
    both(batch, "honest, with a kept checkpoint", &honest, &log, kept, true);
    let early = noted(log.sign(&pool[..m]));
    both(batch, "honest, the tail not yet attested", &early, &log, None, true);
    let bare = Export { note: None, ..honest.clone() };
    both(batch, "honest, only the kept checkpoint", &bare, &log, kept, true);

    both(batch, "a decision is edited", &edited(i, is_permit), &log, None, false);
    both(batch, "a blinder is edited", &edited(i, other_blinder), &log, None, false);
    both(batch, "edited under the kept checkpoint", &edited(j, is_permit), &log, kept, false);
    let mut cut = honest.clone();
    cut.records.remove(i);
    both(batch, "a record is deleted", &cut, &log, None, false);
    both(batch, "a record is deleted, signed again", &resigned(cut), &log, kept, i >= m);
    let mut swapped = honest.clone();
    let k = (i + 1 + dice.below(n - 1)) % n;
    swapped.records.swap(i, k);
    both(batch, "two records change places", &swapped, &log, None, false);
    let mut inserted = honest.clone();
    inserted.records.insert(i, honest.records[k].clone());
    both(batch, "a copy is inserted", &inserted, &log, None, false);
    let mut inserted = honest.clone();
    inserted.records.insert(i, pool[n].clone());
    both(batch, "another record is inserted", &inserted, &log, None, false);
    let mut short = honest.clone();
    short.records.truncate(j);
    both(batch, "the tail is cut", &short, &log, None, false);
    both(batch, "the tail is cut, signed again", &resigned(short.clone()), &log, kept, false);
    // What nobody can see without a checkpoint kept elsewhere, a receipt or a witness.
    both(batch, "the tail is cut, signed again, nothing kept", &resigned(short), &log, None, true);
    let rewritten = resigned(edited(j, other_blinder));
    both(batch, "rewritten, signed again, nothing kept", &rewritten, &log, None, true);
    both(batch, "rewritten, signed again", &rewritten, &log, kept, false);
    let after = m + dice.below(n - m);
    let rewritten = resigned(edited(after, other_blinder));
    both(batch, "rewritten after the kept checkpoint", &rewritten, &log, kept, true);

    // Forms that are wrong by themselves are found at their record, whoever signed.
    let spaced = |body: &str| body.replacen(':', ": ", 1);
    both(batch, "a space", &resigned(edited(i, spaced)), &log, None, false);
    let unknown = |body: &str| body.replacen("{\"action\"", "{\"aa\":1,\"action\"", 1);
    both(batch, "an unknown member", &resigned(edited(i, unknown)), &log, None, false);
    if time_of(&honest.records[i]) > time_of(&honest.records[0]) {
        let mut back = honest.clone();
        back.records.swap(0, i);
        both(batch, "the clock set back", &resigned(back), &log, None, false);
    }

    let note = honest.note.as_deref().unwrap();
    let other = Log { origin: log.origin.clone(), ..Log::new("") };
    both(batch, "another key", &noted(other.sign(&pool[..n])), &log, None, false);
    let foreign = Log { origin: "relais.example/autre".to_owned(), ..Log::new("") };
    both(batch, "another log", &noted(foreign.sign(&pool[..n])), &log, None, false);
    let same_key = SigningKey::from_seed(log.key.seed()).unwrap();
    let renamed = Log { origin: "relais.example/autre".to_owned(), key: same_key };
    both(batch, "another origin, the same key", &noted(renamed.sign(&pool[..n])), &log, None, false);
    both(batch, "a wrong root", &noted(log.sign(&pool[1..=n])), &log, None, false);
    both(batch, "a size too large", &noted(log.sign(&pool[..=n])), &log, None, false);
    let spliced = note.replacen(&format!("\n{n}\n"), &format!("\n{m}\n"), 1);
    both(batch, "an edited size", &noted(spliced), &log, None, false);
    let at = note.rfind(' ').unwrap() + 7 + dice.below(80);
    let flipped = if &note[at..=at] == "A" { "B" } else { "A" };
    let forged = format!("{}{flipped}{}", &note[..at], &note[at + 1..]);
    both(batch, "a forged signature", &noted(forged), &log, None, false);
    let earlier = log.sign(&pool[..m]);
    let ((text, _), (_, signature)) = (note.split_once("\n\n").unwrap(), earlier.split_once("\n\n").unwrap());
    let crossed = format!("{text}\n\n{signature}");
    both(batch, "the signature of another checkpoint", &noted(crossed), &log, None, false);
}

#[test]
fn three_verifiers_agree_on_thousands_of_logs() {
    let pool = bodies(34);
    let (mut batch, mut dice) = (Batch::new(), Dice(1));
    let rounds = if std::env::var_os("RELAIS_LONG").is_some() { 1000 } else { 96 };
    for round in 0..rounds {
        attacks(&mut batch, &mut dice, &pool, 2 + round % 32);
    }
    let log = Log::new("relais.example/vide");
    let empty = Export { records: vec![], note: Some(log.sign::<String>(&[])) };
    both(&mut batch, "an empty log", &empty, &log, None, true);
    assert!(batch.len() > 2_500, "{}", batch.len());
    batch.judge();
}

#[test]
fn the_second_verifier_refuses_a_doubtful_export() {
    let pool = bodies(6);
    let log = Log::new("relais.example/journal");
    let vkey = log.vkey().to_string();
    let export = Export { records: pool.clone(), note: Some(log.sign(&pool)) };
    let text = export.text();
    let records: String = pool.iter().map(|r| format!("{r}\n")).collect();
    let last = text.lines().last().unwrap();
    let mut batch = Batch::new();
    for (name, content, holds) in [
        ("as written", text.clone(), true),
        ("nothing attests", records.clone(), false),
        ("an empty file", String::new(), false),
        ("the last line does not end", text.trim_end().to_owned(), false),
        ("a blank line at the end", format!("{text}\n"), false),
        ("a blank line inside", text.replacen('\n', "\n\n", 1), false),
        ("something follows", format!("{text}{}\n", pool[0]), false),
        ("two checkpoints", format!("{text}{last}\n"), false),
        ("the checkpoint comes first", format!("{last}\n{records}"), false),
        ("line ends of Windows", text.replace('\n', "\r\n"), false),
        ("a byte order mark", format!("\u{feff}{text}"), false),
        ("a size that is not the note's", text.replace("\"size\":6", "\"size\":5"), false),
        ("a third member", text.replace("\"size\":6", "\"size\":6,\"t\":1"), false),
        ("a space in the last line", text.replace("\"size\":6", "\"size\": 6"), false),
        ("bytes after the last object", text.replace("\"size\":6}", "\"size\":6} "), false),
        ("a negative size", text.replace("\"size\":6", "\"size\":-6"), false),
    ] {
        let file = batch.file(content);
        batch.command(name, &["verify-export", &file, "--key", &vkey], holds);
    }
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let file = batch.file(utf16);
    batch.command("as PowerShell writes it", &["verify-export", &file, "--key", &vkey], false);

    // Given whole, with what somebody kept.
    let (whole, kept) = (batch.file(&text), batch.file(log.sign(&pool[..4])));
    let early = batch.file(Export { records: pool[..4].to_vec(), note: Some(log.sign(&pool[..4])) }.text());
    let mut changed = pool.clone();
    changed[2] = other_blinder(&changed[2]);
    let forged = Export { note: Some(log.sign(&changed)), records: changed.clone() };
    let forged = batch.file(forged.text());
    let tail = batch.file(format!("{records}{}", early_line(&log, &pool[..4])));
    let export = |file: &str, more: &[&str]| {
        let mut all = vec!["verify-export".to_owned(), file.to_owned(), "--key".to_owned(), vkey.clone()];
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    };
    for (name, arguments, holds, words) in [
        ("continues", export(&whole, &["--previous", &early]), true, "4, 6"),
        ("complete", export(&whole, &["--complete"]), true, "Toutes sont attestées"),
        ("a tail", export(&tail, &[]), true, "les 2 dernières (à partir de la n° 4)"),
        ("a tail, complete asked", export(&tail, &["--complete"]), false, "trace n° 4 "),
        (
            "the kept checkpoint narrows",
            export(&forged, &["--checkpoint", &kept]),
            false,
            "entre la n° 0 et la n° 3",
        ),
        ("the kept export names it", export(&forged, &["--previous", &early]), false, "trace n° 2 "),
        ("shorter than the kept export", export(&early, &["--previous", &whole]), false, "trace n° 4 "),
        ("two given twice", export(&whole, &["--key", &vkey]), false, "deux fois"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        batch.command(name, &arguments, holds).saying(words);
    }
    // Neither true nor false: nothing was verified.
    batch.command("no such file", &["verify-export", "nowhere", "--key", &vkey], false).ending(2);
    batch.command("no such command", &["verify", &whole, "--key", &vkey], false).ending(2);
    batch.command("a shortened option", &["verify-export", &whole, "--ke", &vkey], false).ending(2);
    batch.judge();
}

fn early_line(log: &Log, bodies: &[String]) -> String {
    Export { records: vec![], note: Some(log.sign(bodies)) }.text()
}

/// How the command line is told which database.
pub fn options(bed: &Bed) -> LogOptions {
    let database = match &bed.address {
        DatabaseAddress::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseAddress::Postgres(url) => url.clone(),
    };
    LogOptions { database: Some(database), ..LogOptions::default() }
}

#[test]
fn what_the_command_line_hands_out_verifies_without_relais() {
    for engine in engines() {
        let bed = bed(engine, 12);
        bed.checkpoint();
        let log = || options(&bed);
        let export = told(&bed, AuditCommand::Export { log: log(), asked: Default::default() });
        let note = told(&bed, AuditCommand::Checkpoint { log: log(), public_key: false, cosigned: false });
        let vkey = told(&bed, AuditCommand::Checkpoint { log: log(), public_key: true, cosigned: false });
        let receipt = told(&bed, AuditCommand::Proof { index: 7, log: log() });
        let mut batch = Batch::new();
        let record = batch.file(format!("{}\n", export.lines().nth(7).unwrap()));
        let other = batch.file(export.lines().nth(8).unwrap());
        let (export, note, key) = (batch.file(&export), batch.file(&note), batch.file(&vkey));
        let receipt = batch.file(&receipt);
        let key = key.as_str();
        batch.command("export", &["verify-export", &export, "--key-file", key, "--complete"], true);
        let arguments = ["verify-export", &export, "--key-file", key, "--checkpoint", &note];
        batch.command("export and checkpoint", &arguments, true);
        batch.command("checkpoint", &["verify-checkpoint", &note, "--key-file", key], true);
        let with = |how: &'static str, file: &str| {
            ["verify-receipt", receipt.as_str(), "--key-file", key, how, file].map(str::to_owned)
        };
        for (arguments, holds) in [
            (with("--record", &record), true),
            (with("--export", &export), true),
            (with("--record", &other), false),
        ] {
            batch.command("receipt", &arguments.each_ref().map(String::as_str), holds);
        }
        batch.command("a receipt alone", &["verify-receipt", &receipt, "--key-file", key], true);
        batch.judge();
    }
}

#[test]
fn a_checkpoint_says_nothing_without_a_key() {
    let log = Log::new("relais.example/journal");
    let signed = Checkpoint::of(&log.origin, &frontier(&["a"])).unwrap().sign(&log.key).unwrap();
    let mut batch = Batch::new();
    let file = batch.file(signed.to_string());
    batch.command("no key", &["verify-checkpoint", &file], false).saying("aucune clé de journal");
    batch.judge();
}
