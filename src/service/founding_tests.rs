//! From an empty instance to people at work: founders, imports, the acts that make access, nothing behind them.

use std::sync::Arc;

use super::founding::{Founded, FoundingOrganisation};
use super::import::Mode;
use super::sessions::SessionOpened;
use super::{App, AppParts, Author, ServiceError};
use crate::audit::lane::{Lane, LaneConfig, LaneThread};
use crate::clock::{Chance, Clock, ManualClock, Timestamp};
use crate::crypto::SystemChance;
use crate::crypto::kek::{FileKek, KekPlacement};
use crate::crypto::keyring::Keyring;
use crate::domain::contact::Phone;
use crate::domain::text::Text;
use crate::domain::vocabulary::OrganisationKind;
use crate::ids::AssignmentId;
use crate::service::accounts::NewAccount;
use crate::store::account::AccountState;
use crate::store::{DatabaseAddress, InstanceKind, Store, WriteTx};

struct Empty {
    app: App,
    lane: Option<LaneThread<WriteTx>>,
    _folder: tempfile::TempDir,
}

impl Drop for Empty {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            lane.stop();
        }
    }
}

fn empty() -> Empty {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let chance: Arc<dyn Chance> = Arc::new(SystemChance::new());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000)));
    let kek =
        FileKek::create(&folder.path().join("kek"), KekPlacement::OutsideOf(&data), chance.as_ref()).unwrap();
    let address = DatabaseAddress::Sqlite(data.join("relais.db"));
    let keyring = Keyring::new(Arc::new(kek));
    let store = Store::create(&address, InstanceKind::Real, keyring, chance.as_ref(), clock.now()).unwrap();
    let (lane, thread) =
        Lane::start(store.backend().unwrap(), Arc::clone(&clock), LaneConfig::default()).unwrap();
    let app = App::new(AppParts { store, lane, clock, chance }).unwrap();
    Empty { app, lane: Some(thread), _folder: folder }
}

fn account(login: &str) -> NewAccount {
    NewAccount {
        login: Text::parse(login).unwrap(),
        name: Text::parse("Prénom Nom").unwrap(),
        telephone: Phone::parse("0601020304").unwrap(),
    }
}

fn found(app: &App) -> Result<Founded, ServiceError> {
    let organisation = FoundingOrganisation {
        code: Text::parse("ville").unwrap(),
        name: Text::parse("Ville").unwrap(),
        kind: OrganisationKind::Town,
        territory: Text::parse("Val-d'Orme").unwrap(),
        telephone: Phone::parse("0102030405").unwrap(),
    };
    app.found(&organisation, &[account("anne"), account("bruno")])
}

/// Both founders, recognised and acting as administrators.
fn administrators(app: &App) -> [SessionOpened; 2] {
    let founded = found(app).unwrap();
    let [anne, bruno] = founded.founders.map(|i| app.open_with_random(&i).unwrap());
    app.recognise(&app.call_of(&anne.session).unwrap(), &bruno.id).unwrap();
    app.recognise(&app.call_of(&bruno.session).unwrap(), &anne.id).unwrap();
    [anne, bruno].map(|one| {
        let mine = app.store().snapshot().unwrap().assignments_of(&one.id).unwrap().remove(0).facts.id;
        app.choose_assignment(&app.call_of(&one.session).unwrap(), &mine).unwrap()
    })
}

#[test]
fn two_founders_recognise_each_other_and_neither_reaches_anything_alone() {
    let e = empty();
    let app = &e.app;
    let founded = found(app).unwrap();
    assert!(matches!(found(app), Err(ServiceError::Rule { code: "already_founded", .. })));
    let [first, second] = founded.founders;
    let anne = app.open_with_random(&first).unwrap();
    assert_eq!(anne.session.account, AccountState::Unconfirmed);
    let call = app.call_of(&anne.session).unwrap();
    // Alone: nothing to choose, nobody to recognise, not oneself.
    let mine = app.store().snapshot().unwrap().assignments_of(&anne.id).unwrap().remove(0).facts.id;
    assert!(app.choose_assignment(&call, &mine).is_err());
    assert!(app.recognise(&call, &anne.id).is_err());
    assert!(matches!(app.recognise(&call, &second.id), Err(ServiceError::Rule { code: "not_opened", .. })));
    let bruno = app.open_with_random(&second).unwrap();
    app.recognise(&app.call_of(&bruno.session).unwrap(), &anne.id).unwrap();
    assert!(app.choose_assignment(&call, &mine).is_ok());
}

const STRUCTURES: &str = "code,name,kind,territory,telephone,missions\n\
    pre,Réussite éducative,town,Val-d'Orme,0102030405,pre:Parcours;sejours:Séjours\n\
    college,Collège,school,Val-d'Orme,0102030406,enseignement:Enseignement\n";

const PEOPLE: &str = "login,name,telephone,organisation,mission,profession,function,secrecy,secrecy_basis,secrecy_until,starts\n\
    marie,Marie Un,0601020304,pre,pre,referent_pre,practitioner,bound,casf_l411_3,,\n\
    marie,Marie Un,0601020304,pre,sejours,stay_organiser,practitioner,not_bound,,,\n\
    paul,Paul Deux,0601020305,pre,pre,referent_pre,manager,bound,casf_l411_3,2028-01-01,2027-01-01\n\
    zoe,Zoé Trois,0601020306,college,enseignement,teacher,practitioner,not_bound,,,\n";

#[test]
fn imports_settle_people_through_the_acts_of_two_administrators() {
    let e = empty();
    let app = &e.app;
    let [anne, bruno] = administrators(app);
    let by = app.call_of(&anne).unwrap();
    let author = Author::Session(&by);
    let dry = app.import_organisations(author, "s.csv", STRUCTURES.as_bytes(), Mode::DryRun).unwrap();
    assert!(!dry.written && dry.lines.len() == 2 && dry.wrong.is_empty());
    let done = app.import_organisations(author, "s.csv", STRUCTURES.as_bytes(), Mode::Write).unwrap();
    assert!(done.written);
    let twice = app.import_organisations(author, "s.csv", STRUCTURES.as_bytes(), Mode::Write).unwrap();
    assert!(!twice.written && twice.wrong.len() == 2);
    // A line that is wrong for itself does not shift what is said of the others.
    let mixed = STRUCTURES.replacen("town", "ville", 1);
    let mixed = app.import_organisations(author, "s.csv", mixed.as_bytes(), Mode::Write).unwrap();
    let wrong: Vec<_> = mixed.wrong.iter().map(|w| (w.line, w.column)).collect();
    assert_eq!(wrong, [(2, 3), (3, 1)]);
    let dry = app.import_professionals(author, "p.csv", PEOPLE.as_bytes(), Mode::DryRun).unwrap();
    assert!(!dry.written && dry.lines.len() == 4 && dry.invited.is_empty(), "{:?}", dry.wrong);
    let report = app.import_professionals(author, "p.csv", PEOPLE.as_bytes(), Mode::Write).unwrap();
    assert_eq!((report.invited.len(), report.stated.len()), (3, 4));
    // Who stated cannot confirm.
    let own = app.assignment_confirm(&by, &report.stated[0]);
    assert!(matches!(own, Err(ServiceError::Rule { code: "second_person", .. })));
    let invited: Vec<_> = report.invited.into_iter().map(|i| i.invited).collect();
    let settled = app.settle(&bruno, &invited, &report.stated).unwrap();
    assert_eq!(settled.len(), 3);
    for one in &settled {
        let me = app.me(&app.call_of(&one.session).unwrap()).unwrap().into_inner();
        assert_eq!(me.account, AccountState::Confirmed);
        assert!(me.assignments.iter().all(|a| a.in_force) && me.assignment.is_some());
    }
    let again = app.import_professionals(author, "p.csv", PEOPLE.as_bytes(), Mode::Write).unwrap();
    assert!(!again.written && again.wrong.len() == 4);
    let of_console: Vec<AssignmentId> = app
        .import_professionals(
            Author::Console("import"),
            "p.csv",
            PEOPLE.replace("marie,", "m,").replace("paul,", "p,").replace("zoe,", "z,").as_bytes(),
            Mode::Write,
        )
        .unwrap()
        .stated;
    assert_eq!(of_console.len(), 4);
}

#[test]
fn a_wrong_line_imports_nothing_and_every_wrong_place_is_named() {
    let e = empty();
    let app = &e.app;
    let console = Author::Console("import");
    let wrong = |text: String| {
        let report = app.import_organisations(console, "s.csv", text.as_bytes(), Mode::Write).unwrap();
        assert!(!report.written && report.lines.is_empty());
        report.wrong.iter().map(|w| (w.line, w.column)).collect::<Vec<_>>()
    };
    assert_eq!(wrong(STRUCTURES.replace("town", "ville").replace("0102030406", "12x")), [(2, 3), (3, 5)]);
    assert_eq!(wrong(STRUCTURES.replace("telephone", "phone")), [(1, 5), (1, 7)]);
    assert_eq!(wrong(STRUCTURES.replace("pre:Parcours", "Parcours")), [(2, 6)]);
    assert_eq!(wrong(STRUCTURES.replace("college,", "pre,")), [(3, 1)]);
    assert!(app.store().snapshot().unwrap().organisations().unwrap().is_empty());
    app.import_organisations(console, "s.csv", STRUCTURES.as_bytes(), Mode::Write).unwrap();
    let wrong = |text: String| {
        let report = app.import_professionals(console, "p.csv", text.as_bytes(), Mode::Write).unwrap();
        assert!(!report.written && report.invited.is_empty());
        report.wrong.iter().map(|w| (w.line, w.column)).collect::<Vec<_>>()
    };
    assert_eq!(wrong(PEOPLE.replace("college,", "lycee,")), [(5, 4)]);
    assert_eq!(wrong(PEOPLE.replace("stay_organiser", "auditor")), [(3, 6)]);
    assert_eq!(wrong(PEOPLE.replace(",2028-01-01,", ",2028-1-1,")), [(4, 10)]);
    assert_eq!(wrong(PEOPLE.replacen("bound,casf_l411_3", "bound,", 1)), [(2, 9)]);
    assert_eq!(wrong(PEOPLE.replacen("Marie Un", "Autre Nom", 1)), [(3, 2)]);
    assert!(app.store().snapshot().unwrap().professionals().unwrap().is_empty());
}
