//! `relais restore --accept-gap`, from a disk that is gone to a witness that follows the log under its new name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use tempfile::TempDir;

use super::audit::{AuditCommand, LogOptions};
use super::instance::Instance;
use super::{Arguments, Command, audit, backup, init, restore};
use crate::audit::note::VerifierKey;
use crate::audit::witness::Reply;
use crate::audit::{SignedCheckpoint, WitnessKey};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::record::{Action, ResourceKind};
use crate::service::cosigning::Witness;
use crate::service::founding::Opened;
use crate::service::import::Mode;
use crate::service::witnesses::{ATTESTED_FILE, kept_against};
use crate::service::{Act, App, Author, WitnessLink, Witnesses};
use crate::startup::{assemble, open_store};
use crate::store::InstanceKind;

const STRUCTURES: &str = "code,name,kind,territory,telephone,missions\n\
    autre,Contrôle,town,Val-d'Orme,0102030405,audit:Contrôle\n";
const PEOPLE: &str = "login,name,telephone,organisation,mission,profession,function,secrecy,secrecy_basis,secrecy_until,starts\n\
    claire,Claire Un,0601020304,autre,audit,auditor,practitioner,bound,casf_l221_6,,\n";

/// A witness on another machine.
struct Near {
    witness: Witness,
    down: AtomicBool,
}

impl WitnessLink for Near {
    fn key(&self) -> &WitnessKey {
        self.witness.key()
    }

    fn ask(&self, body: &str) -> Result<Reply, String> {
        if self.down.load(Ordering::SeqCst) {
            return Err("unreachable".to_owned());
        }
        let reply = self.witness.add_checkpoint(body, SystemClock.now()).map_err(|e| e.to_string())?;
        let (status, text) = reply.wire();
        Ok(Reply::read(status, &text))
    }
}

struct Site {
    folder: TempDir,
    /// Administrator, administrator, auditor.
    people: [Opened; 3],
}

fn settings(folder: &Path, data: &str) -> Settings {
    let kek = folder.join("kek").to_str().unwrap().to_owned();
    Settings::read(&folder.join(data), &BTreeMap::from([("RELAIS_KEK_FILE".to_owned(), kek)])).unwrap()
}

fn command(words: &[&str]) -> Command {
    Arguments::try_parse_from(std::iter::once("relais").chain(words.iter().copied())).unwrap().command
}

/// Two administrators who recognise each other, and an auditor whom they settle.
fn people(app: &App, told: &str) -> [Opened; 3] {
    let codes: Vec<String> = told
        .lines()
        .filter_map(|line| line.trim().split_once(") : ").map(|(_, code)| code.to_owned()))
        .collect();
    let mut ids = app.professionals(Author::Console("test")).unwrap().into_inner().items;
    ids.sort_by(|a, b| a.login.cmp(&b.login));
    let mut opened = Vec::new();
    for (person, code) in ids.into_iter().zip(codes) {
        let invited = crate::service::accounts::Invited { id: person.id, code: Some(code), expires_at: None };
        opened.push(app.open_with_random(&invited).unwrap());
    }
    let (bruno, anne) = (opened.pop().unwrap(), opened.pop().unwrap());
    app.recognise(&app.call_of(&anne.session).unwrap(), &bruno.id).unwrap();
    app.recognise(&app.call_of(&bruno.session).unwrap(), &anne.id).unwrap();
    let acting = |one: &Opened| {
        let mine = app.store().snapshot().unwrap().assignments_of(&one.id).unwrap().remove(0).facts.id;
        app.choose_assignment(&app.call_of(&one.session).unwrap(), &mine).unwrap()
    };
    let (first, second) = (acting(&anne), acting(&bruno));
    let by = app.call_of(&first).unwrap();
    let author = Author::Session(&by);
    app.import_organisations(author, "s.csv", STRUCTURES.as_bytes(), Mode::Write).unwrap();
    let report = app.import_professionals(author, "p.csv", PEOPLE.as_bytes(), Mode::Write).unwrap();
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    let invited: Vec<_> = report.invited.into_iter().map(|i| i.invited).collect();
    let claire = app.settle(&second, &invited, &report.stated).unwrap().remove(0);
    [anne, bruno, claire]
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words =
            ["init", "--create-key", "--organisation", "Ville", "--territory", "Val-d'Orme", "--telephone"];
        let admins = [
            "0102030405",
            "--admin",
            "anne:Anne Martin:0601020304",
            "--admin",
            "bruno:Bruno Petit:0601020305",
        ];
        let Command::Init(arguments) = command(&[&words[..], &admins[..]].concat()) else { panic!("init") };
        let mut told = Vec::new();
        init::run(&arguments, &settings(folder.path(), "data"), &mut told).unwrap();
        let instance = Instance::open(&settings(folder.path(), "data")).unwrap();
        let people = people(&instance.app, std::str::from_utf8(&told).unwrap());
        drop(instance);
        Self { folder, people }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The application over a folder, with this witness.
    fn app<T>(&self, data: &str, witness: &Arc<Near>, act: impl FnOnce(&App) -> T) -> T {
        let settings = settings(self.folder.path(), data);
        let store = open_store(&settings, InstanceKind::Real).unwrap();
        let links: Vec<Arc<dyn WitnessLink>> = vec![witness.clone()];
        let witnesses = Witnesses::of(links, &settings.data);
        let (app, lane) =
            assemble(store, witnesses, Arc::new(SystemClock), Arc::new(SystemChance::new())).unwrap();
        let done = act(&app);
        drop(app);
        lane.stop();
        done
    }

    /// What somebody types: login, password, code.
    fn typed(&self, login: &str, who: usize, password: Option<&str>) -> String {
        let one = &self.people[who];
        let secret = TotpSecret::from_base32(&one.totp_secret).unwrap();
        let code = totp::code(&secret, SystemClock.now()).unwrap();
        format!("{login}\n{}\n{}\n", password.unwrap_or(&one.password), code.as_str())
    }

    fn restore(&self, data: &str, more: &[&str], typed: &str) -> Result<String, String> {
        let (file, mut out) = (self.path("one.db"), Vec::new());
        let words = [&["restore", file.to_str().unwrap()], more].concat();
        let Command::Restore(arguments) = command(&words) else { panic!("restore") };
        let settings = settings(self.folder.path(), data);
        restore::run(&arguments, &settings, &mut typed.as_bytes(), &mut out).map_err(|e| super::told(&e))?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// `audit verify` on a folder: its exit code, and what it says.
    fn verify(&self, data: &str, checkpoint: Option<&Path>) -> (String, String) {
        let command = AuditCommand::Verify {
            log: LogOptions::default(),
            checkpoint: checkpoint.map(Path::to_owned),
            policy: None,
            json: false,
            details: false,
        };
        let mut out = Vec::new();
        let code = audit::run(&command, &self.path(data), &mut out, &mut Vec::new()).unwrap();
        (format!("{code:?}"), String::from_utf8(out).unwrap())
    }
}

fn something(app: &App) {
    let act = Act { action: Action::Maintain, resource: ResourceKind::Instance };
    app.console_read(act, "test", |_| Ok(())).unwrap();
}

fn code(number: u8) -> String {
    format!("{:?}", ExitCode::from(number))
}

#[test]
fn an_honest_loss_is_declared_by_two_people_told_for_ever_and_followed_by_the_witness() {
    let site = Site::new();
    let first = VerifierKey::parse(
        &Instance::open(&settings(site.folder.path(), "data"))
            .unwrap()
            .app
            .store()
            .snapshot()
            .unwrap()
            .log_vkeys()
            .unwrap()[0],
    )
    .unwrap();
    std::fs::create_dir(site.path("witness")).unwrap();
    let witness = |logs| {
        let name = Some("w.example/temoin");
        let witness = Witness::open(&site.path("witness"), name, logs, &SystemChance::new()).unwrap();
        Arc::new(Near { witness, down: AtomicBool::new(false) })
    };
    let near = witness(vec![first.clone()]);
    let Command::Backup(to) = command(&["backup", site.path("one.db").to_str().unwrap()]) else {
        panic!("backup")
    };
    backup::run(&to, &settings(site.folder.path(), "data"), &mut Vec::new()).unwrap();
    // Work goes on, and is seen; then a little more, which nobody saw but whoever took a checkpoint away.
    let (seen, later) = site.app("data", &near, |app| {
        (0..5).for_each(|_| something(app));
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        (0..2).for_each(|_| something(app));
        (std::fs::read_to_string(site.path("data").join(ATTESTED_FILE)).unwrap(), app.checkpoint().unwrap())
    });
    std::fs::write(site.path("seen"), &seen).unwrap();
    std::fs::write(site.path("later"), later.to_string()).unwrap();
    let (last, beyond) = (site.path("seen"), site.path("later"));
    let lost = SignedCheckpoint::parse(&seen).unwrap().claims().size();
    std::fs::rename(site.path("data"), site.path("burnt")).unwrap();

    // The backup alone: told what there is to do, and not served over the witness's word.
    let with = ["--checkpoint", last.to_str().unwrap()];
    let refused = site.restore("data", &with, "").unwrap_err();
    assert!(refused.contains("--accept-gap") && !site.path("data").exists(), "{refused}");
    site.restore("quiet", &[], "").unwrap();
    site.app("quiet", &near, |app| {
        assert_eq!(app.witnesses_contradict().unwrap().unwrap().theirs, lost);
        assert!(kept_against(&last, &mut app.store().snapshot().unwrap()).unwrap().is_some());
    });

    // Not by one, not by two of the same kind, not without their secrets; nothing is left of a try.
    let declare = [&with[..], &["--accept-gap", "--motive", "disque perdu"]].concat();
    let (anne, bruno, claire) = ("anne", "bruno", "claire");
    let pair = |one: String, two: String| format!("{one}{two}");
    for (typed, words) in [
        (String::new(), "il manque une réponse"),
        (
            pair(site.typed(anne, 0, Some("un autre mot de passe")), site.typed(claire, 2, None)),
            "Première personne",
        ),
        (
            pair(site.typed(anne, 0, None), site.typed(claire, 2, Some("un autre mot de passe"))),
            "Seconde personne",
        ),
        (pair(site.typed(anne, 0, None), site.typed(bruno, 1, None)), "pas d'affectation en cours"),
        (pair(site.typed(claire, 2, None), site.typed(anne, 0, None)), "pas d'affectation en cours"),
        (pair(site.typed(anne, 0, None), site.typed("personne", 2, None)), "Seconde personne"),
    ] {
        let said = site.restore("data", &declare, &typed).unwrap_err();
        assert!(said.contains(words) && !site.path("data").exists(), "{said}");
    }
    // Nor what is not lost, nor by another log's checkpoint.
    let both = pair(site.typed(anne, 0, None), site.typed(claire, 2, None));
    let kept = site.app("quiet", &near, |app| app.checkpoint().unwrap().to_string());
    let cut = kept.replacen(first.name(), "elsewhere.example", 1);
    for (text, words) in
        [(cut, "n'est pas signé par le journal"), (seen.replacen('\u{2014}', "-", 1), "n'est pas signé")]
    {
        std::fs::write(site.path("other"), text).unwrap();
        let other = ["--checkpoint", site.path("other").to_str().unwrap(), "--accept-gap", "--motive", "m"]
            .map(str::to_owned);
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        let said = site.restore("data", &other, &both).unwrap_err();
        assert!(said.contains(words) && !site.path("data").exists(), "{said}");
    }

    let both = pair(site.typed(anne, 0, None), site.typed(claire, 2, None));
    let told = site.restore("data", &declare, &both).unwrap();
    assert!(told.contains("PERTE DÉCLARÉE") && told.contains(&format!("au moins {lost} traces")), "{told}");
    assert!(!told.contains(site.people[0].password.as_str()), "what was typed is not printed");
    // Nobody is told less than that, and the exit code is not the one of a log that lost nothing.
    let (exit, said) = site.verify("data", None);
    assert!(exit == code(3) && said.contains("PERTE DÉCLARÉE") && said.contains("/2"), "{exit} {said}");
    assert_eq!(site.verify("data", Some(&last)).0, code(3), "of what was declared");
    let (exit, said) = site.verify("data", Some(&beyond));
    assert!(exit == code(1) && said.contains("loss_understated"), "{exit} {said}");
    assert_eq!(
        site.verify("quiet", None).0,
        code(0),
        "the same copy without a word holds in itself: see the witness"
    );

    // The server starts: the witness does not know the new name, and says nothing of it.
    let new = site.app("data", &near, |app| {
        assert_eq!(app.witnesses_contradict().unwrap(), None);
        std::fs::write(site.path("data").join(ATTESTED_FILE), &seen).unwrap();
        let kept = site.path("data").join(ATTESTED_FILE);
        assert_eq!(kept_against(&kept, &mut app.store().snapshot().unwrap()).unwrap(), None, "declared");
        std::fs::write(&kept, later.to_string()).unwrap();
        assert!(kept_against(&kept, &mut app.store().snapshot().unwrap()).unwrap().is_some(), "not declared");
        std::fs::write(&kept, &seen).unwrap();
        let mut snapshot = app.store().snapshot().unwrap();
        let owner = KeyOwner::Log { origin: first.name().to_owned() };
        assert!(snapshot.keys_live(&owner).unwrap().is_empty(), "the key of the lost name signs no more");
        assert_eq!(app.declared_losses().unwrap().len(), 1);
        assert_eq!(app.measures().log.unwrap().losses, 1);
        VerifierKey::parse(&snapshot.log_vkeys().unwrap()[1]).unwrap()
    });
    // Its operator adds the new key by hand.
    drop(near);
    let near = witness(vec![first, new.clone()]);
    site.app("data", &near, |app| {
        something(app);
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        let kept = std::fs::read_to_string(site.path("data").join(ATTESTED_FILE)).unwrap();
        assert_eq!(SignedCheckpoint::parse(&kept).unwrap().claims().origin(), new.name());
        assert_eq!(app.witnesses_contradict().unwrap(), None);
        // And keys change as before.
        app.log_key_rotate().unwrap();
        app.log_key_retire().unwrap();
    });
    let (exit, said) = site.verify("data", Some(&last));
    assert!(exit == code(3), "{exit} {said}");
}
