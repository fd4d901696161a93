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
        // Ctrl-C, where it is typed instead of the second password.
        (format!("{}claire\nsecret\x03", site.typed(anne, 0, None)), "interrompu"),
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
    let mut there: Vec<_> =
        std::fs::read_dir(site.path("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
    there.retain(|name| !name.to_str().unwrap().starts_with("relais.db-"));
    assert_eq!(there, ["relais.db"], "nothing of the preparation is left");
    assert!(told.contains(&format!("journal {}/2-", first.name())), "the name of today: {told}");
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

/// Answers that somebody types while nobody has finished: at each new line of input, what is in the folder is looked at.
struct Watched<'a> {
    typed: &'a [u8],
    data: PathBuf,
    looks: usize,
}

impl std::io::Read for Watched<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("lines are asked for")
    }
}

impl std::io::BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.looks += 1;
        assert!(!self.data.join("relais.db").exists(), "somebody is asked, and the older copy is in place");
        let names: Vec<_> = std::fs::read_dir(&self.data)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().all(|n| n.starts_with("relais.db.restauration-en-cours")), "{names:?}");
        // What `kill -9` would leave.
        let left = self.data.with_file_name("left");
        drop(std::fs::remove_dir_all(&left));
        std::fs::create_dir(&left).unwrap();
        for name in names {
            std::fs::copy(self.data.join(&name), left.join(&name)).unwrap();
        }
        Ok(self.typed)
    }

    fn consume(&mut self, many: usize) {
        self.typed = &self.typed[many..];
    }
}

impl Site {
    fn witness(&self, logs: Vec<VerifierKey>) -> Arc<Near> {
        let folder = self.path("witness-two");
        std::fs::create_dir_all(&folder).unwrap();
        let witness = Witness::open(&folder, Some("w.example/deux"), logs, &SystemChance::new()).unwrap();
        Arc::new(Near { witness, down: AtomicBool::new(false) })
    }

    /// With a rescue code.
    fn rescued(&self, login: &str, who: usize) -> String {
        let one = &self.people[who];
        format!("{login}\n{}\n{}\n", one.password.as_str(), one.rescue_codes[0])
    }

    /// Two people at the terminal.
    fn both(&self) -> String {
        format!("{}{}", self.typed("anne", 0, None), self.typed("claire", 2, None))
    }
}

/// The name that a folder's log has, and the key of it.
fn last_key(site: &Site, data: &str) -> VerifierKey {
    let instance = Instance::open(&settings(site.folder.path(), data)).unwrap();
    let keys = instance.app.store().snapshot().unwrap().log_vkeys().unwrap();
    VerifierKey::parse(keys.last().unwrap()).unwrap()
}

/// The last checkpoint after some work.
fn worked(site: &Site, data: &str, name: &str) -> PathBuf {
    let instance = Instance::open(&settings(site.folder.path(), data)).unwrap();
    (0..4).for_each(|_| something(&instance.app));
    std::fs::write(site.path(name), instance.app.checkpoint().unwrap().to_string()).unwrap();
    site.path(name)
}

#[test]
fn threat_a_restore_that_is_killed_at_the_prompt_leaves_no_undeclared_copy() {
    let site = Site::new();
    let kept = site.path("one.db");
    let Command::Backup(arguments) = command(&["backup", kept.to_str().unwrap()]) else { panic!("backup") };
    backup::run(&arguments, &settings(site.folder.path(), "data"), &mut Vec::new()).unwrap();
    let last = worked(&site, "data", "last");
    let words = ["restore", kept.to_str().unwrap(), "--checkpoint", last.to_str().unwrap()];
    let words = [&words[..], &["--accept-gap", "--motive", "disque perdu"]].concat();
    let Command::Restore(arguments) = command(&words) else { panic!("restore") };
    let again = settings(site.folder.path(), "again");
    let typed = site.both();
    let mut watched = Watched { typed: typed.as_bytes(), data: site.path("again"), looks: 0 };
    restore::run(&arguments, &again, &mut watched, &mut Vec::new()).unwrap();
    assert_eq!(watched.looks, 6, "two logins, two passwords, two codes");

    // The folder of one that was killed at the last question: no server opens it, and the next restore goes on.
    let left = settings(site.folder.path(), "left");
    assert!(site.path("left/relais.db.restauration-en-cours").exists());
    assert!(Instance::open(&left).is_err());
    // But only what is its own is taken away: nothing at all where anything else is there.
    std::fs::write(site.path("left/relais.toml"), "").unwrap();
    let refused = site.restore("left", &words[2..], &site.both()).unwrap_err();
    assert!(refused.contains("n'est pas vide"), "{refused}");
    assert!(site.path("left/relais.db.restauration-en-cours").exists());
    std::fs::remove_file(site.path("left/relais.toml")).unwrap();
    // Nor while another one is at work there.
    let other = std::fs::File::open(site.path("left")).unwrap();
    other.try_lock().unwrap();
    let refused = site.restore("left", &words[2..], &site.both()).unwrap_err();
    assert!(refused.contains("une autre restauration"), "{refused}");
    assert!(site.path("left/relais.db.restauration-en-cours").exists());
    drop(other);
    site.restore("left", &words[2..], &site.both()).unwrap();
    assert!(!site.path("left/relais.db.restauration-en-cours").exists());
    assert_eq!(site.verify("left", Some(&last)).0, code(3));

    // The attack: the same backup declared twice. Each declaration has a name of its own, so that whoever follows one
    // does not take the other for it.
    let (one, two) = (last_key(&site, "again"), last_key(&site, "left"));
    assert!(one.name().contains("/2-") && two.name().contains("/2-") && one.name() != two.name());
    let near = site.witness(vec![one]);
    let seen = site.app("again", &near, |app| {
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        std::fs::read_to_string(site.path("again").join(ATTESTED_FILE)).unwrap()
    });
    site.app("left", &near, |app| {
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 0, "a name that nobody told it");
    });
    std::fs::write(site.path("seen"), seen).unwrap();
    let (exit, said) = site.verify("left", Some(&site.path("seen")));
    assert!(exit == code(1), "{exit} {said}");
}

#[test]
fn a_second_loss_follows_the_first_under_a_third_name() {
    let site = Site::new();
    let backup = |data: &str| {
        drop(std::fs::remove_file(site.path("one.db")));
        let file = site.path("one.db");
        let Command::Backup(arguments) = command(&["backup", file.to_str().unwrap()]) else {
            panic!("backup")
        };
        backup::run(&arguments, &settings(site.folder.path(), data), &mut Vec::new()).unwrap();
    };
    backup("data");
    let first = worked(&site, "data", "first");
    let with = ["--checkpoint", first.to_str().unwrap(), "--accept-gap", "--motive", "disque perdu"];
    site.restore("second", &with, &site.both()).unwrap();
    backup("second");
    let second = worked(&site, "second", "second-last");
    // A checkpoint of the first name is not what this log had last.
    let refused = site.restore("third", &with, "").unwrap_err();
    assert!(refused.contains("n'est pas signé par le journal") && refused.contains("/2-"), "{refused}");
    // Codes are of the state that comes back, where each of the two used one in the first declaration.
    let key = last_key(&site, "second");
    let with = ["--checkpoint", second.to_str().unwrap(), "--accept-gap", "--motive", "m"];
    let refused = site.restore("third", &with, &site.typed("anne", 0, Some("un autre"))).unwrap_err();
    assert!(refused.contains("Première personne") && !site.path("third").exists(), "{refused}");
    let told = site
        .restore("third", &with, &format!("{}{}", site.rescued("anne", 0), site.rescued("claire", 2)))
        .unwrap();
    assert!(told.contains("/3-") && told.contains(key.name()), "{told}");
    let name = last_key(&site, "third").name().to_owned();
    assert!(told.contains(&format!("journal {name}.")), "{told}");
    for given in [None, Some(&*first), Some(&*second)] {
        let (exit, said) = site.verify("third", given);
        assert!(exit == code(3) && said.matches("PERTE DÉCLARÉE").count() == 2, "{exit} {said}");
    }
    let instance = Instance::open(&settings(site.folder.path(), "third")).unwrap();
    assert_eq!(instance.app.declared_losses().unwrap().len(), 2);
}
