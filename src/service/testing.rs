//! A territory for tests of services: a real SQLite store, the lane, a clock that stands still, and people with
//! sessions. Rows are written through the lane, without the services that tests are about.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use tempfile::TempDir;

use super::{App, AppParts, Call};
use crate::audit::Job;
use crate::audit::lane::{Lane, LaneConfig, LaneThread, Priority};
use crate::charter::Charter;
use crate::clock::{Chance, Clock, ManualClock, Timestamp};
use crate::crypto::SystemChance;
use crate::crypto::kek::{FileKek, KekPlacement};
use crate::crypto::keyring::Keyring;
use crate::crypto::token::SessionToken;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, CharterId, MissionId, OrganisationId, ProfessionalId, RequestId, SessionId};
use crate::store::account::{
    AccountState, Credentials, NewProfessional, ProfessionalWords, SealedCredentials, Session,
};
use crate::store::charter::{CharterRow, CharterSignature, Party};
use crate::store::organisation::{Mission, NewAssignment, NewOrganisation, OrganisationWords};
use crate::store::{DatabaseAddress, InstanceKind, Store, StoreError, WriteTx};

/// One person of the territory.
#[derive(Clone)]
pub(crate) struct Person {
    pub professional: ProfessionalId,
    pub assignment: AssignmentId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
    token: crate::crypto::token::TokenHash,
    /// The session's token, as a client sends it.
    pub bearer: String,
}

/// The territory.
pub(crate) struct Territory {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    people: BTreeMap<&'static str, Person>,
    lane: Option<LaneThread<WriteTx>>,
    folder: TempDir,
}

/// (name, organisation, mission, profession, secrecy, function)
type Row = (&'static str, &'static str, &'static str, Profession, Secrecy, Function);

const PEOPLE: &[Row] = &[
    ("referente", "ville", "pre", Profession::ReferentPre, Secrecy::Bound, Function::Practitioner),
    (
        "referent_contested",
        "ville",
        "pre",
        Profession::ReferentPre,
        Secrecy::Contested,
        Function::Practitioner,
    ),
    ("pre_manager", "ville", "pre", Profession::ReferentPre, Secrecy::Bound, Function::Manager),
    ("pre_secretary", "ville", "pre", Profession::ReferentPre, Secrecy::NotBound, Function::Secretary),
    ("director", "ville", "sejours", Profession::StayOrganiser, Secrecy::NotBound, Function::Practitioner),
    (
        "prevention",
        "rue",
        "prevention",
        Profession::SpecialisedPrevention,
        Secrecy::Bound,
        Function::Practitioner,
    ),
    (
        "prevention_manager",
        "rue",
        "prevention",
        Profession::SpecialisedPrevention,
        Secrecy::Bound,
        Function::Manager,
    ),
    ("aemo", "sauvegarde", "aemo", Profession::Aemo, Secrecy::Bound, Function::Practitioner),
    ("aemo_colleague", "sauvegarde", "aemo", Profession::Aemo, Secrecy::Bound, Function::Practitioner),
    ("aemo_manager", "sauvegarde", "aemo", Profession::Aemo, Secrecy::Bound, Function::Manager),
    (
        "clubs_manager",
        "sauvegarde",
        "clubs",
        Profession::SpecialisedPrevention,
        Secrecy::Bound,
        Function::Manager,
    ),
    (
        "clubs_secretary",
        "sauvegarde",
        "clubs",
        Profession::SpecialisedPrevention,
        Secrecy::NotBound,
        Function::Secretary,
    ),
    ("camp_secretary", "ville", "sejours", Profession::StayOrganiser, Secrecy::NotBound, Function::Secretary),
    ("teacher", "college", "enseignement", Profession::Teacher, Secrecy::NotBound, Function::Practitioner),
    ("nurse", "college", "sante", Profession::SchoolHealth, Secrecy::Bound, Function::Practitioner),
    (
        "mission_locale",
        "ml",
        "insertion",
        Profession::MissionLocale,
        Secrecy::NotBound,
        Function::Practitioner,
    ),
    ("outsider", "autre", "pre", Profession::ReferentPre, Secrecy::Bound, Function::Practitioner),
    (
        "administrator",
        "ville",
        "plateforme",
        Profession::Administrator,
        Secrecy::NotBound,
        Function::Practitioner,
    ),
    ("auditor", "ville", "audit", Profession::Auditor, Secrecy::Bound, Function::Practitioner),
    ("second_auditor", "autre", "audit", Profession::Auditor, Secrecy::Bound, Function::Practitioner),
    (
        "officer",
        "autre",
        "protection",
        Profession::DataProtectionOfficer,
        Secrecy::Bound,
        Function::Practitioner,
    ),
];

impl Territory {
    /// The territory on 2 March 2027, 09:00 UTC, charter signed by all.
    pub(crate) fn new() -> Self {
        Self::of(InstanceKind::Demo)
    }

    /// The same on a database of this kind.
    pub(crate) fn of(kind: InstanceKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let start =
            Timestamp::paris_midnight(NaiveDate::from_ymd_opt(2027, 3, 2).unwrap()).plus_seconds(10 * 3600);
        let clock = Arc::new(ManualClock::new(start));
        let chance: Arc<dyn Chance> = Arc::new(SystemChance::new());
        let kek_path = folder.path().join("kek");
        let kek = FileKek::create(&kek_path, KekPlacement::OutsideOf(&data), chance.as_ref()).unwrap();
        let keyring = Keyring::new(Arc::new(kek));
        let address = DatabaseAddress::Sqlite(data.join("relais.db"));
        let store = Store::create(&address, kind, keyring, chance.as_ref(), clock.now()).unwrap();
        let ticking: Arc<dyn Clock> = clock.clone();
        let (lane, thread) =
            Lane::start(store.backend().unwrap(), Arc::clone(&ticking), LaneConfig::default()).unwrap();
        let app = App::new(AppParts { store, lane, clock: ticking, chance: Arc::clone(&chance) }).unwrap();
        let mut territory =
            Self { app: Arc::new(app), clock, people: BTreeMap::new(), lane: Some(thread), folder };
        territory.fill(chance.as_ref());
        territory
    }

    /// The data folder.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The database file.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        Path::new(&self.data()).join("relais.db")
    }

    /// Writes through the lane with a record of maintenance.
    pub(crate) fn write(
        &self,
        change: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) {
        let request = RequestId::random(self.app.chance()).unwrap();
        let draft = RecordDraft::new(
            request,
            RetentionClass::Technical,
            Action::Maintain,
            ResourceKind::Instance,
            Verdict::Permit,
        );
        let record = self.app.prepare(&draft, None).unwrap();
        self.app.lane().submit(Priority::Session, Job::new(record), change).wait().unwrap();
    }

    fn fill(&mut self, chance: &dyn Chance) {
        let now = self.clock.now();
        let store = self.app.store().clone();
        let key = store.instance_key();
        let mut organisations: BTreeMap<&str, OrganisationId> = BTreeMap::new();
        let mut missions: BTreeMap<(&str, &str), MissionId> = BTreeMap::new();
        for (_, organisation, mission, ..) in PEOPLE {
            organisations.entry(organisation).or_insert_with(|| OrganisationId::random(chance).unwrap());
            missions.entry((organisation, mission)).or_insert_with(|| MissionId::random(chance).unwrap());
        }
        for (code, id) in &organisations {
            let words = OrganisationWords {
                code: (*code).to_owned(),
                name: format!("Structure {code}"),
                telephone: "0102030405".to_owned(),
                territory: "Val-d'Orme".to_owned(),
                names_on_sheets_from: None,
                missions: missions
                    .iter()
                    .filter(|((o, _), _)| o == code)
                    .map(|((_, m), id)| Mission {
                        id: id.clone(),
                        code: (*m).to_owned(),
                        title: format!("Mission {m}"),
                    })
                    .collect(),
            };
            let row = NewOrganisation::seal(key, chance, id, 1, OrganisationKind::Association, now, &words)
                .unwrap();
            self.write(move |tx, _| tx.organisation_insert(&row));
        }
        let charter = self.publish(&Charter::embedded_demo().unwrap(), 1, now);
        let witness = ProfessionalId::random(chance).unwrap();
        for (name, organisation, mission, profession, secrecy, function) in PEOPLE {
            let professional = ProfessionalId::random(chance).unwrap();
            let assignment = AssignmentId::random(chance).unwrap();
            let mission = missions[&(*organisation, *mission)].clone();
            let organisation = organisations[organisation].clone();
            let words = ProfessionalWords {
                login: (*name).to_owned(),
                name: format!("Prénom {name}"),
                telephone: "0601020304".to_owned(),
            };
            let index = store.instance_keys().login_index(name);
            let row = NewProfessional::seal(key, chance, &professional, index, None, now, &words).unwrap();
            let credentials = SealedCredentials::seal(
                key,
                chance,
                &professional,
                &Credentials {
                    password_hash: String::new(),
                    totp_secret: String::new(),
                    rescue_hashes: Vec::new(),
                    factor_replaced_at: None,
                },
            )
            .unwrap();
            let new = NewAssignment {
                id: assignment.clone(),
                professional: professional.clone(),
                organisation: organisation.clone(),
                mission: mission.clone(),
                profession: *profession,
                function: *function,
                secrecy: *secrecy,
                secrecy_basis: "CASF L411-3".to_owned(),
                secrecy_until: None,
                starts_at: now,
                ends_at: None,
                stated_by: None,
                confirmed_by: Some(witness.clone()),
                created_at: now,
            };
            let token = SessionToken::generate(chance).unwrap();
            let bearer = token.reveal().to_string();
            let token = store.instance_keys().session_hash(&token);
            let session = Session {
                id: SessionId::random(chance).unwrap(),
                version: 1,
                professional: professional.clone(),
                assignment: Some(assignment.clone()),
                created_at: now,
                seen_at: now,
                // Far: these tests move the clock by months.
                expires_at: Timestamp::MAX,
                ended_at: None,
            };
            let (p, w, t, c) = (professional.clone(), witness.clone(), token.clone(), charter.clone());
            let signature = CharterSignature {
                charter: charter.id.clone(),
                party: Party::Professional(professional.clone()),
                signed_by: assignment.clone(),
                signed_at: now,
                text_hash: c.text_hash.clone(),
                policy_hash: c.policy_hash,
            };
            self.write(move |tx, at| {
                tx.professional_insert(&row)?;
                tx.professional_credentials(&p, 1, &credentials, AccountState::Unconfirmed)?;
                tx.professional_recognise(&p, 2, &w, at)?;
                tx.assignment_insert(&new)?;
                tx.session_insert(&session, &t)?;
                tx.charter_sign(&signature)
            });
            self.people.insert(
                name,
                Person {
                    professional,
                    assignment,
                    organisation,
                    mission,
                    profession: *profession,
                    token,
                    bearer,
                },
            );
        }
        for organisation in organisations.into_values() {
            self.sign_organisation(&charter, organisation);
        }
    }

    /// Publishes a charter without the service, effective at once.
    pub(crate) fn publish(&self, charter: &Charter, number: i64, effective_at: Timestamp) -> CharterRow {
        let row = CharterRow {
            id: CharterId::random(self.app.chance()).unwrap(),
            number,
            published_at: self.clock.now(),
            effective_at,
            policy_hash: charter.policy_hash().to_owned(),
            text_hash: charter.text_hash().to_owned(),
            charter_text: charter.charter_toml().to_owned(),
            policy_text: charter.policy_csv().to_owned(),
            published_by: None,
        };
        let stored = row.clone();
        self.write(move |tx, _| tx.charter_insert(&stored));
        row
    }

    /// An organisation signs a charter.
    pub(crate) fn sign_organisation(&self, charter: &CharterRow, organisation: OrganisationId) {
        self.sign(charter, Party::Organisation(organisation));
    }

    /// Everybody signs a charter for themselves.
    pub(crate) fn sign_everybody(&self, charter: &CharterRow) {
        for person in self.people.values() {
            self.sign(charter, Party::Professional(person.professional.clone()));
        }
    }

    fn sign(&self, charter: &CharterRow, party: Party) {
        let signature = CharterSignature {
            charter: charter.id.clone(),
            party,
            signed_by: self.people.values().next().unwrap().assignment.clone(),
            signed_at: self.clock.now(),
            text_hash: charter.text_hash.clone(),
            policy_hash: charter.policy_hash.clone(),
        };
        self.write(move |tx, _| tx.charter_sign(&signature));
    }

    /// One of [`PEOPLE`], by name.
    pub(crate) fn person(&self, name: &str) -> &Person {
        self.people.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// A call of this person, with a request id of its own.
    pub(crate) fn call(&self, name: &str) -> Call {
        Call {
            request: RequestId::random(self.app.chance()).unwrap(),
            token: self.person(name).token.clone(),
            assignment: None,
            idempotency: None,
        }
    }

    /// Moves the clock to 10:00 in Paris on a day, and keeps the sessions alive.
    pub(crate) fn go_to(&self, year: i32, month: u32, day: u32) {
        let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        self.clock.set(Timestamp::paris_midnight(day).plus_seconds(10 * 3600));
        self.keep_sessions();
    }

    /// Notes every session as just used.
    pub(crate) fn keep_sessions(&self) {
        let mut snapshot = self.app.store().snapshot().unwrap();
        let sessions: Vec<SessionId> = self
            .people
            .values()
            .flat_map(|p| snapshot.sessions_open(&p.professional).unwrap())
            .map(|s| s.id)
            .collect();
        drop(snapshot);
        self.write(move |tx, at| sessions.iter().try_for_each(|id| tx.session_seen(id, at)));
    }
}

impl Drop for Territory {
    fn drop(&mut self) {
        if let Some(thread) = self.lane.take() {
            thread.stop();
        }
    }
}

#[test]
fn everybody_of_the_territory_is_signed_in_and_confirmed() {
    let territory = Territory::new();
    for name in PEOPLE.iter().map(|p| p.0) {
        let call = territory.call(name);
        let act = super::Act { action: Action::Read, resource: ResourceKind::Account };
        let seen = territory.app.read_desk(&call, act, |desk| {
            let actor = desk.signed_in.actor()?;
            assert!(actor.assignment().in_force(desk.now));
            assert!(desk.book.standing(actor.assignment(), desk.now).is_ok(), "{name}");
            Ok(actor.assignment().id.clone())
        });
        assert_eq!(*seen.unwrap(), territory.person(name).assignment);
    }
}
