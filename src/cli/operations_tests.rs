//! Tests of what an operator does: backup, restore, change of the key-encryption key. On a real instance made by `init`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use tempfile::TempDir;

use super::instance::Instance;
use super::{Arguments, Command, audit, backup, init, jobs, keys, migrate, restore};
use crate::audit::Job;
use crate::audit::lane::Priority;
use crate::clock::{Chance, NoChance, SystemClock};
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::crypto::keyring::KeyOwner;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::service::App;
use crate::service::Witnesses;
use crate::startup::{StartupError, assemble, open_store};
use crate::store::{InstanceKind, NewKey, StoreError, WriteTx, of_before};

/// A real instance, its key outside of its folder.
struct Site {
    folder: TempDir,
}

fn said(result: anyhow::Result<std::process::ExitCode>) -> String {
    super::told(&result.expect_err("refused"))
}

fn command(words: &[&str]) -> Command {
    let all = std::iter::once("relais").chain(words.iter().copied());
    Arguments::try_parse_from(all).unwrap().command
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        let Command::Init(arguments) = command(&[
            "init",
            "--create-key",
            "--organisation",
            "Ville de Val-d'Orme",
            "--territory",
            "Val-d'Orme",
            "--telephone",
            "0102030405",
            "--admin",
            "a.martin:Anne Martin:0601020304",
            "--admin",
            "b.petit:Bruno Petit:0601020305",
        ]) else {
            panic!("init")
        };
        init::run(&arguments, &site.settings(&[]), &mut Vec::new()).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings_in(&self, data: &str, more: &[(&str, &str)]) -> Settings {
        let kek = self.path("kek").to_str().unwrap().to_owned();
        let mut environment = BTreeMap::from([("RELAIS_KEK_FILE".to_owned(), kek)]);
        for (name, value) in more {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        Settings::read(&self.path(data), &environment).unwrap()
    }

    fn settings(&self, more: &[(&str, &str)]) -> Settings {
        self.settings_in("data", more)
    }

    /// Under a new key, with the first one before it.
    fn changing(&self) -> Settings {
        let (new, old) = (self.path("kek2"), self.path("kek"));
        self.settings(&[
            ("RELAIS_KEK_FILE", new.to_str().unwrap()),
            ("RELAIS_KEK_FILE_PREVIOUS", old.to_str().unwrap()),
        ])
    }

    fn backup(&self, name: &str) -> anyhow::Result<String> {
        let mut out = Vec::new();
        let file = self.path(name);
        let Command::Backup(arguments) = command(&["backup", file.to_str().unwrap()]) else {
            panic!("backup")
        };
        backup::run(&arguments, &self.settings(&[]), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn restore(&self, file: &str, data: &str, more: &[&str]) -> anyhow::Result<String> {
        let mut out = Vec::new();
        let file = self.path(file);
        let mut words = vec!["restore", file.to_str().unwrap()];
        words.extend_from_slice(more);
        let Command::Restore(arguments) = command(&words) else { panic!("restore") };
        restore::run(&arguments, &self.settings_in(data, &[]), &mut std::io::empty(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }
}

fn act(app: &App, change: impl FnOnce(&mut WriteTx) -> Result<(), StoreError> + Send + 'static) {
    let request = RequestId::random(app.chance()).unwrap();
    let draft = RecordDraft::new(
        request,
        RetentionClass::Technical,
        Action::Maintain,
        ResourceKind::Instance,
        Verdict::Permit,
    );
    let record = app.prepare(&draft, None).unwrap();
    app.lane().submit(Priority::Session, Job::new(record), move |tx, _| change(tx)).wait().unwrap();
}

const fn owner(year: i32) -> KeyOwner {
    KeyOwner::Pseudonyms { class: RetentionClass::Technical, year }
}

/// Wrapped keys of long ago, for what a few hundred pathways would have.
fn many_keys(app: &App, years: std::ops::Range<i32>) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    for year in years {
        let (_, stored) = app.store().keyring().new_data_key(&owner(year), app.chance()).unwrap();
        rows.push((year, stored));
    }
    let bytes = rows.iter().map(|(_, stored)| stored.wrapped.clone()).collect();
    let now = app.clock().now();
    act(app, move |tx| {
        rows.into_iter().try_for_each(|(y, stored)| tx.key_insert(&NewKey::new(&owner(y), stored, now)))
    });
    bytes
}

fn holds(file: &Path, needle: &[u8]) -> bool {
    std::fs::read(file).unwrap().windows(needle.len()).any(|w| w == needle)
}

fn kek_bytes(site: &Site) -> (String, Vec<u8>) {
    let text = std::fs::read_to_string(site.path("kek")).unwrap().trim().to_owned();
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    (text, bytes)
}

#[test]
fn a_backup_comes_back_in_an_empty_folder_and_continues_the_log() {
    let site = Site::new();
    // Beside an open instance, as beside a server.
    let serving = Instance::open(&site.settings(&[])).unwrap();
    let told = site.backup("one.db").unwrap();
    let file = site.path("one.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let (text, bytes) = kek_bytes(&site);
    assert!(!holds(&file, text.as_bytes()) && !holds(&file, &bytes), "never the key-encryption key");
    let beside: Vec<_> = std::fs::read_dir(site.folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("one.db"))
        .collect();
    assert_eq!(beside, ["one.db"], "nothing else is left");

    let before = std::fs::read(&file).unwrap();
    assert!(said(site.backup("one.db").map(|_| std::process::ExitCode::SUCCESS)).contains("existe déjà"));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    let (_, note) = told.split_once("à part :\n\n").unwrap();
    std::fs::write(site.path("checkpoint"), note.trim_start().to_owned().trim_end().to_owned() + "\n")
        .unwrap();
    let checkpoint = site.path("checkpoint");
    let with = ["--checkpoint", checkpoint.to_str().unwrap()];
    let refused = site.restore("one.db", "data", &with).unwrap_err();
    assert!(super::told(&refused).contains("n'est pas vide"), "{refused}");
    let told = site.restore("one.db", "again", &with).unwrap();
    assert!(told.contains("état plus ancien") && !told.contains("comparée à aucun"), "{told}");
    assert!(site.restore("one.db", "blind", &[]).unwrap().contains("comparée à aucun"));
    let again = Instance::open(&site.settings_in("again", &[])).unwrap();
    // The restore is in the log that came back, which still verifies with what it had before.
    let checked = backup::check(
        &site.path("again/relais.db"),
        again.app.store().keyring(),
        &[],
        Some(&std::fs::read_to_string(&checkpoint).unwrap()),
    )
    .unwrap();
    assert!(checked.report.holds() && checked.report.details > 0, "{:?}", checked.report);
    drop(serving);
}

#[test]
fn a_damaged_backup_and_one_older_than_a_checkpoint_are_refused_and_leave_nothing() {
    let site = Site::new();
    site.backup("old.db").unwrap();
    let mut bytes = std::fs::read(site.path("old.db")).unwrap();
    let needle = b"\"action\":\"export\"";
    let at = bytes.windows(needle.len()).position(|w| w == needle).unwrap();
    bytes[at + 11..at + 17].copy_from_slice(b"import");
    std::fs::write(site.path("edited.db"), &bytes).unwrap();
    std::fs::set_permissions(site.path("edited.db"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let refused = super::told(&site.restore("edited.db", "new", &[]).unwrap_err());
    assert!(refused.contains("ne tient pas") && refused.contains("Trace n°"), "{refused}");
    bytes.truncate(bytes.len() - 5000);
    std::fs::write(site.path("short.db"), &bytes).unwrap();
    std::fs::set_permissions(site.path("short.db"), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(site.restore("short.db", "new", &[]).is_err());
    assert!(!site.path("new").exists(), "nothing is left of it");

    let instance = Instance::open(&site.settings(&[])).unwrap();
    act(&instance.app, |_| Ok(()));
    std::fs::write(site.path("later"), instance.app.checkpoint().unwrap().to_string()).unwrap();
    let later = site.path("later");
    let refused =
        super::told(&site.restore("old.db", "new", &["--checkpoint", later.to_str().unwrap()]).unwrap_err());
    assert!(refused.contains("plus ancienne"), "{refused}");
    assert!(!site.path("new").exists());
}

#[test]
fn a_backup_from_before_an_upgrade_says_what_works_and_that_works() {
    let site = Site::new();
    site.backup("old.db").unwrap();
    of_before(&site.path("old.db"));
    let refused = super::told(&site.restore("old.db", "new", &[]).unwrap_err());
    let steps = ["install -D -m 600", "old.db NIVEAU/relais.db", "relais --data NIVEAU migrate"];
    assert!(steps.iter().all(|step| refused.contains(step)), "{refused}");
    assert!(!site.path("new").exists());
    // What it says, done.
    std::fs::create_dir(site.path("level")).unwrap();
    std::fs::copy(site.path("old.db"), site.path("level/relais.db")).unwrap();
    let mut out = Vec::new();
    migrate::run(&site.settings_in("level", &[]), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("1 migration"));
    site.restore("level/relais.db", "new", &[]).unwrap();
    Instance::open(&site.settings_in("new", &[])).unwrap();
}

/// The table of alerts is of what this program measures, and of when its jobs run.
#[test]
fn the_alerts_of_the_operations_guide_hold() {
    let guide = include_str!("../../docs/operations.md");
    let table = guide.split("| alert | when |").nth(1).unwrap().split("\n## ").next().unwrap();
    let rule = |start: &str| table.lines().find(|l| l.contains(start)).unwrap_or_else(|| panic!("{start}"));
    let rare: Vec<&str> =
        crate::jobs::JOBS.iter().filter(|job| job.every_minutes > 60).map(|job| job.name).collect();
    assert!(crate::jobs::JOBS.iter().all(|job| job.every_minutes <= 24 * 60));
    let late = rule("a job does not run");
    assert!(
        late.contains(&format!("relais_job_age_seconds{{task!~\"{}\"}} > 7200", rare.join("|"))),
        "{late}"
    );
    assert!(late.contains("relais_job_age_seconds > 90000"), "a day and an hour, of the others: {late}");
    let failing = rule("a job does not go well");
    let success = format!("relais_job_success_age_seconds{{task!~\"{}\"}} > 7200", rare.join("|"));
    assert!(failing.contains(&success), "{failing}");
    assert!(failing.contains("relais_job_success_age_seconds > 90000"), "{failing}");
    assert!(failing.contains("relais_job_age_seconds unless relais_job_success_age_seconds"), "{failing}");
    assert!(rule("a loss was declared").contains("`relais_log_losses > 0`"));
    let witness = rule("a witness does not follow");
    assert!(
        witness.contains("relais_cosignature_behind_records unless relais_cosignature_age_seconds"),
        "{witness}"
    );
}

#[test]
fn what_cannot_be_backed_up_or_restored_says_what_to_do() {
    let site = Site::new();
    let postgres = site.settings(&[("RELAIS_DATABASE", "postgres://relais@localhost/relais")]);
    let (Command::Backup(to), Command::Restore(from)) =
        (command(&["backup", "f"]), command(&["restore", "f"]))
    else {
        panic!("backup, restore")
    };
    assert!(said(backup::run(&to, &postgres, &mut Vec::new())).contains("pg_dump"));
    assert!(
        said(restore::run(&from, &postgres, &mut std::io::empty(), &mut Vec::new())).contains("pg_restore")
    );
    // No key: said in French, before anything is written.
    let keyless = Settings::read(&site.path("new"), &BTreeMap::new()).unwrap();
    let told = said(restore::run(&from, &keyless, &mut std::io::empty(), &mut Vec::new()));
    assert!(told.contains("elle manque") && told.contains("RELAIS_KEK_FILE"), "{told}");
    assert!(!site.path("new").exists());
    // Another key than the one that the backup was made under.
    site.backup("one.db").unwrap();
    std::fs::rename(site.path("kek"), site.path("kek-elsewhere")).unwrap();
    let Command::Keys(create) = command(&["keys", "create", site.path("kek").to_str().unwrap()]) else {
        panic!("keys")
    };
    keys::run(&create, &site.settings(&[]), &mut Vec::new()).unwrap();
    let told = super::told(&site.restore("one.db", "new", &[]).unwrap_err());
    assert!(told.contains("RELAIS_KEK_FILE") && told.contains("keys rotate"), "{told}");
}

#[test]
fn a_key_that_was_destroyed_is_not_in_the_next_backup() {
    let site = Site::new();
    let instance = Instance::open(&site.settings(&[])).unwrap();
    let wrapped = many_keys(&instance.app, 1900..1901).remove(0);
    site.backup("before.db").unwrap();
    assert!(holds(&site.path("before.db"), &wrapped), "in a backup made before, until it expires");
    let at = instance.app.clock().now();
    act(&instance.app, move |tx| tx.key_destroy(&owner(1900), at));
    instance.app.store().forget_destroyed().unwrap();
    site.backup("after.db").unwrap();
    assert!(!holds(&site.path("after.db"), &wrapped));
}

/// Gives chance a number of times, then none: what is cut in the middle.
struct Failing(SystemChance, AtomicUsize);

impl Chance for Failing {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance> {
        let left = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_err() { Err(NoChance) } else { self.0.fill(bytes) }
    }
}

#[test]
fn a_rotation_of_keys_cut_in_the_middle_goes_on_where_it_was() {
    let site = Site::new();
    let first = Instance::open(&site.settings(&[])).unwrap();
    let wrapped = many_keys(&first.app, 1000..1200);
    let all = first.app.store().snapshot().unwrap().keys_by_kek().unwrap();
    let old = first.app.store().keyring().kek_id().to_string();
    assert_eq!((all.len(), all[0].0.as_str()), (1, old.as_str()));
    let total = all[0].1;
    drop(first);
    let Command::Keys(create) = command(&["keys", "create", site.path("kek2").to_str().unwrap()]) else {
        panic!("keys")
    };
    keys::run(&create, &site.settings(&[]), &mut Vec::new()).unwrap();
    let same = site.settings(&[("RELAIS_KEK_FILE_PREVIOUS", site.path("kek").to_str().unwrap())]);
    assert!(matches!(Instance::open(&same).map(|_| ()), Err(StartupError::SameKek)));

    let store = open_store(&site.changing(), InstanceKind::Real).unwrap();
    let chance = Arc::new(Failing(SystemChance::new(), AtomicUsize::new(usize::MAX)));
    let given: Arc<dyn Chance> = chance.clone();
    let (app, lane) = assemble(store, Witnesses::default(), Arc::new(SystemClock), given).unwrap();
    chance.1.store(170, Ordering::SeqCst);
    assert!(app.keys_rotate(&mut |_| {}).is_err());
    chance.1.store(usize::MAX, Ordering::SeqCst);
    let halves = app.store().snapshot().unwrap().keys_by_kek().unwrap();
    assert_eq!(halves.len(), 2, "some under each: {halves:?}");
    assert_eq!(halves.iter().map(|(_, n)| n).sum::<u64>(), total);
    // Work goes on meanwhile: what is made now is under the new key.
    many_keys(&app, 1200..1201);
    lane.stop();
    // Neither key alone opens everything now, and it is said how to go on.
    let told = Instance::open(&site.settings(&[])).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("RELAIS_KEK_FILE_PREVIOUS"), "{told}");

    let Command::Keys(rotate) = command(&["keys", "rotate"]) else { panic!("keys") };
    let mut out = Vec::new();
    keys::run(&rotate, &site.changing(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("C'est fini"));
    let mut out = Vec::new();
    keys::run(&rotate, &site.changing(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("déjà sous la clé actuelle"));

    let new = site.settings(&[("RELAIS_KEK_FILE", site.path("kek2").to_str().unwrap())]);
    let last = Instance::open(&new).unwrap();
    let all = last.app.store().snapshot().unwrap().keys_by_kek().unwrap();
    assert_eq!(all, [(last.app.store().keyring().kek_id().to_string(), total + 1)]);
    let mut snapshot = last.app.store().snapshot().unwrap();
    for year in 1000..1201 {
        assert!(snapshot.key_of(&owner(year)).unwrap().is_some(), "{year}");
    }
    drop(snapshot);
    let checked = backup::check(&site.path("data/relais.db"), last.app.store().keyring(), &[], None).unwrap();
    assert!(checked.report.holds() && checked.report.details > 0);
    drop(last);
    assert!(
        !wrapped.iter().step_by(40).any(|w| holds(&site.path("data/relais.db"), w)),
        "no old wrapping is left"
    );
}

#[test]
fn jobs_run_by_hand_on_a_real_instance() {
    let site = Site::new();
    let run = |words: &[&str]| {
        let Command::Jobs(command) = command(words) else { panic!("jobs") };
        let mut out = Vec::new();
        jobs::run(&command, || Ok(site.settings(&[])), &mut out).map(|_| String::from_utf8(out).unwrap())
    };
    let told = run(&["jobs", "run"]).unwrap();
    assert!(told.contains("stays : rien à faire") && told.contains("checkpoints : 1 fait"), "{told}");
    assert!(run(&["jobs", "run", "checkpoints"]).unwrap().contains("rien à faire"));
    assert!(run(&["jobs", "run", "toto"]).is_err());
}

impl Site {
    /// What a command about the log writes, and what it tells beside it.
    fn audit(&self, words: &[&str]) -> anyhow::Result<(String, String)> {
        let (mut out, mut progress) = (Vec::new(), Vec::new());
        let all: Vec<&str> = std::iter::once("audit").chain(words.iter().copied()).collect();
        let Command::Audit(command) = command(&all) else { panic!("audit") };
        audit::run(&command, &self.path("data"), &mut out, &mut progress)?;
        Ok((String::from_utf8(out).unwrap(), String::from_utf8(progress).unwrap()))
    }
}

#[test]
fn every_form_of_an_export_leaves_one_record_and_as_many_lines_as_it_says() {
    let site = Site::new();
    let kek = site.path("kek").to_str().unwrap().to_owned();
    let mut before = 0;
    for form in ["csv", "jsonl", "fhir", "ocsf"] {
        let (said, told) = site.audit(&["export", "--format", form, "--kek-file", &kek]).unwrap();
        let lines = said.lines().count() - usize::from(form == "csv");
        assert!(lines > before && told.contains(&format!("Traces : {lines}.")), "{form}: {told}");
        before = lines;
        let (records, _) = site.audit(&["export"]).unwrap();
        let own: Vec<&str> = records.lines().filter(|l| l.contains(&format!("\"form={form}\""))).collect();
        let digest = told.split("SHA-256 : ").nth(1).unwrap().split('.').next().unwrap();
        assert_eq!(own.len(), 1, "{form}");
        assert!(own[0].contains(&format!("sha256={digest}")) && own[0].contains("log_export"), "{}", own[0]);
    }
    let (size, _) = site.audit(&["export"]).unwrap();
    assert!(said(site.audit(&["export", "--format", "csv"]).map(|_| unreachable!())).contains("--kek-file"));
    let unknown = site.audit(&["export", "--format", "xml", "--kek-file", &kek]);
    assert!(said(unknown.map(|_| unreachable!())).contains("csv, jsonl, fhir, ocsf"));
    assert_eq!(site.audit(&["export"]).unwrap().0, size, "what is refused writes nothing");
}

#[test]
fn a_report_is_of_a_month_that_is_over_and_is_checked_without_a_database() {
    let site = Site::new();
    let kek = site.path("kek").to_str().unwrap().to_owned();
    let early = site.audit(&["report", "--month", "2100-01", "--kek-file", &kek]);
    assert!(said(early.map(|_| unreachable!())).contains("pas fini"));
    let (note, _) = site.audit(&["report", "--month", "2026-01", "--kek-file", &kek]).unwrap();
    let (vkey, _) = site.audit(&["checkpoint", "--vkey-only"]).unwrap();
    let (kept, changed) = (site.path("report.txt"), site.path("changed.txt"));
    std::fs::write(&kept, &note).unwrap();
    std::fs::write(&changed, note.replace("Traces : aucune", "Traces : 1")).unwrap();
    for (file, told) in [(&kept, "La signature du journal tient"), (&changed, "La signature ne tient pas")] {
        let words = ["report", "--check", file.to_str().unwrap(), "--vkey", vkey.trim()];
        let (found, _) = site.audit(&words).unwrap();
        assert!(found.starts_with(told), "{found}");
    }
}
