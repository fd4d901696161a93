//! A real instance on disk, through the public API: people with sessions, a pathway of each with actions of their own,
//! under a charter that everybody signed. Servers run on copies of its database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::timing::per_call;
use chrono::NaiveDate;
use relais::access::Existence;
use relais::access::facts::ItemKind;
use relais::audit::lane::{CheckKind, Lane, LaneBackend, LaneConfig, LaneThread, Priority};
use relais::audit::{Job, VersionCheck};
use relais::charter::Charter;
use relais::clock::{ManualClock, Timestamp};
use relais::crypto::SystemChance;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::{KeyOwner, Keyring};
use relais::crypto::token::{SessionToken, TokenHash};
use relais::domain::day::Day;
use relais::domain::item::ActionContent;
use relais::domain::person::PersonFacts;
use relais::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use relais::domain::text::Text;
use relais::domain::vocabulary::{
    Category, Function, Mandate, OrganisationKind, Profession, Role, Secrecy, Step,
};
use relais::ids::{
    AssignmentId, CharterId, FactId, ItemId, ItemVersionId, MissionId, OrganisationId, ParticipationId,
    PathwayId, ProfessionalId, RequestId, SessionId,
};
use relais::service::{Act, App, AppParts, Call};
use relais::store::account::{
    AccountState, Credentials, NewProfessional, ProfessionalWords, SealedCredentials, Session,
};
use relais::store::charter::{CharterRow, CharterSignature, Party};
use relais::store::fact::{FactKind, Pen, RowAt};
use relais::store::item::{NewItem, NewVersion, Words};
use relais::store::organisation::{Mission, NewAssignment, NewOrganisation, OrganisationWords};
use relais::store::pathway::{CourseBody, NewParticipation};
use relais::store::{DatabaseAddress, InstanceKind, NewKey, Store, StoreError, WriteTx};

const ITEMS: usize = 10;

/// One person and the pathway on which it reads.
#[derive(Clone)]
pub struct Reader {
    token: TokenHash,
    professional: ProfessionalId,
    assignment: AssignmentId,
    pathway: PathwayId,
}

/// The instance at rest.
pub struct Instance {
    folder: PathBuf,
    now: Timestamp,
    pub readers: Vec<Reader>,
}

/// A server without HTTP on one copy.
pub struct Server {
    pub app: App,
    pub path: PathBuf,
    thread: LaneThread<WriteTx>,
}

impl Server {
    pub fn stop(self) {
        drop(self.app);
        self.thread.stop();
    }

    /// What one read asks of the store before it decides, each step timed alone.
    pub fn steps(&self, reader: &Reader, times: usize) -> Vec<(&'static str, Vec<f64>)> {
        let store = self.app.store();
        let owner = KeyOwner::Pathway(reader.pathway.clone());
        let mut out = Vec::new();
        let mut put = |step, work: &mut dyn FnMut()| {
            out.push((step, (0..times).map(|_| per_call(1, &mut *work)).collect()));
        };
        put("open and end a snapshot", &mut || drop(store.snapshot().unwrap()));
        let mut s = store.snapshot().unwrap();
        put("time of the last record", &mut || assert!(s.log_last_time().unwrap().is_some()));
        put("session by token", &mut || drop(s.session_by_token(&reader.token).unwrap()));
        put("professional", &mut || drop(s.professional_fetch(&reader.professional).unwrap()));
        put("assignment", &mut || drop(s.assignment_fetch(&reader.assignment).unwrap()));
        put("charters (kept between requests)", &mut || drop(self.app.book(&mut s).unwrap()));
        put("facts of the pathway", &mut || drop(s.pathway_facts(&reader.pathway).unwrap()));
        put("key of the pathway", &mut || drop(s.key_of(&owner).unwrap()));
        out
    }

    /// One read of one action by its author: session, facts, eight gates, words, record, disclosure.
    pub fn read(&self, reader: &Reader, n: usize) {
        let call = Call {
            request: RequestId::random(self.app.chance()).unwrap(),
            token: reader.token.clone(),
            assignment: None,
            idempotency: None,
        };
        let act = Act { action: Action::Read, resource: ResourceKind::ActionItem };
        let read = self.app.read(&call, act, &reader.pathway, |scene| {
            let item = &scene.gate.facts().items[n % ITEMS];
            let version = item.current().unwrap();
            let grant = scene.gate.item(item, version, None)?;
            scene.returned.push(RowRef {
                table: "item_version",
                id: version.id.as_str().to_owned(),
                version: version.number,
            });
            Ok(scene.snapshot.item_words(grant)?)
        });
        assert!(
            matches!(read.unwrap().into_inner(), Words::Action(action) if action.who.as_str().len() == 26)
        );
    }
}

fn write(app: &App, change: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static) {
    let request = RequestId::random(app.chance()).unwrap();
    let draft = RecordDraft::new(
        request,
        RetentionClass::Technical,
        Action::Maintain,
        ResourceKind::Instance,
        Verdict::Permit,
    );
    let job = Job::new(app.prepare(&draft, None).unwrap());
    app.lane().submit(Priority::Session, job, change).wait().unwrap();
}

impl Instance {
    /// Creates it in `folder`, with so many readers.
    pub fn create(folder: &Path, readers: usize) -> Self {
        let now =
            Timestamp::paris_midnight(NaiveDate::from_ymd_opt(2027, 3, 2).unwrap()).plus_seconds(36_000);
        let chance = SystemChance::new();
        std::fs::create_dir(folder.join("data")).unwrap();
        let kek = folder.join("kek");
        drop(FileKek::create(&kek, KekPlacement::OutsideOf(&folder.join("data")), &chance).unwrap());
        let mut instance = Self { folder: folder.to_owned(), now, readers: Vec::new() };
        let path = folder.join("data/relais.db");
        let address = DatabaseAddress::Sqlite(path.clone());
        drop(Store::create(&address, InstanceKind::Demo, instance.keyring(), &chance, now).unwrap());
        let server = instance.serve_on(path, LaneConfig::default(), |store, _| store.backend().unwrap());
        instance.readers = fill(&server.app, now, readers);
        // The first read makes the year's key of pseudonyms: it is then in every copy.
        server.read(&instance.readers[0], 0);
        server.app.store().forget_destroyed().unwrap();
        server.stop();
        instance
    }

    /// The versions that a decision on the first pathway read.
    pub fn checks(&self, server: &Server) -> Vec<VersionCheck> {
        let charter = server.app.store().snapshot().unwrap().charter_version().unwrap();
        let id = self.readers[0].pathway.as_str().to_owned();
        vec![
            VersionCheck { kind: CheckKind::Pathway, id, version: 1 },
            VersionCheck { kind: CheckKind::Charter, id: "charter".to_owned(), version: charter },
        ]
    }

    fn keyring(&self) -> Keyring {
        let data = self.folder.join("data");
        Keyring::new(Arc::new(
            FileKek::open(&self.folder.join("kek"), KekPlacement::OutsideOf(&data)).unwrap(),
        ))
    }

    /// Serves a fresh copy, with a backend of the caller's choice.
    pub fn serve<B: LaneBackend<Tx = WriteTx>>(
        &self,
        name: &str,
        config: LaneConfig,
        backend: impl FnOnce(&Store, &Path) -> B,
    ) -> Server {
        let path = self.folder.join("data").join(format!("{name}.db"));
        std::fs::copy(self.folder.join("data/relais.db"), &path).unwrap();
        self.serve_on(path, config, backend)
    }

    fn serve_on<B: LaneBackend<Tx = WriteTx>>(
        &self,
        path: PathBuf,
        config: LaneConfig,
        backend: impl FnOnce(&Store, &Path) -> B,
    ) -> Server {
        // Stands still: no session's last use falls due in the middle of a run.
        let clock = Arc::new(ManualClock::new(self.now));
        let address = DatabaseAddress::Sqlite(path.clone());
        let store = Store::open(&address, InstanceKind::Demo, self.keyring()).unwrap();
        let ticking: Arc<dyn relais::clock::Clock> = clock.clone();
        let (lane, thread) = Lane::start(backend(&store, &path), ticking, config).unwrap();
        let app = App::new(AppParts { store, lane, clock, chance: Arc::new(SystemChance::new()) }).unwrap();
        Server { app, path, thread }
    }
}

fn fill(app: &App, now: Timestamp, readers: usize) -> Vec<Reader> {
    let chance = app.chance();
    let key = app.store().instance_key();
    let (organisation, mission) =
        (OrganisationId::random(chance).unwrap(), MissionId::random(chance).unwrap());
    let words = OrganisationWords {
        code: "ville".to_owned(),
        name: "Ville".to_owned(),
        telephone: "0102030405".to_owned(),
        territory: "Val-d'Orme".to_owned(),
        names_on_sheets_from: None,
        missions: vec![Mission {
            id: mission.clone(),
            code: "pre".to_owned(),
            title: "Réussite éducative".to_owned(),
        }],
    };
    let row =
        NewOrganisation::seal(key, chance, &organisation, 1, OrganisationKind::Town, now, &words).unwrap();
    let charter = Charter::embedded_demo().unwrap();
    let charter = CharterRow {
        id: CharterId::random(chance).unwrap(),
        number: 1,
        published_at: now,
        effective_at: now,
        policy_hash: charter.policy_hash().to_owned(),
        text_hash: charter.text_hash().to_owned(),
        charter_text: charter.charter_toml().to_owned(),
        policy_text: charter.policy_csv().to_owned(),
        published_by: None,
    };
    let stored = charter.clone();
    write(app, move |tx, _| {
        tx.organisation_insert(&row)?;
        tx.charter_insert(&stored)
    });
    let mut people = Vec::new();
    for n in 0..readers {
        let (reader, assignment) = person(app, now, n, &organisation, &mission, &charter);
        pathway(app, now, &reader.pathway, &assignment, &organisation);
        if n == 0 {
            let party = Party::Organisation(organisation.clone());
            let signed = signature(&charter, party, &assignment, now);
            write(app, move |tx, _| tx.charter_sign(&signed));
        }
        people.push(reader);
    }
    people
}

fn signature(charter: &CharterRow, party: Party, by: &AssignmentId, at: Timestamp) -> CharterSignature {
    CharterSignature {
        charter: charter.id.clone(),
        party,
        signed_by: by.clone(),
        signed_at: at,
        text_hash: charter.text_hash.clone(),
        policy_hash: charter.policy_hash.clone(),
    }
}

fn person(
    app: &App,
    now: Timestamp,
    n: usize,
    organisation: &OrganisationId,
    mission: &MissionId,
    charter: &CharterRow,
) -> (Reader, AssignmentId) {
    let (chance, key) = (app.chance(), app.store().instance_key());
    let login = format!("referent{n}");
    let id = ProfessionalId::random(chance).unwrap();
    let witness = ProfessionalId::random(chance).unwrap();
    let assignment = AssignmentId::random(chance).unwrap();
    let words = ProfessionalWords {
        login: login.clone(),
        name: format!("Prénom {n}"),
        telephone: "0601020304".to_owned(),
    };
    let index = app.store().instance_keys().login_index(&login);
    let row = NewProfessional::seal(key, chance, &id, index, None, now, &words).unwrap();
    let empty = Credentials {
        password_hash: String::new(),
        totp_secret: String::new(),
        rescue_hashes: Vec::new(),
        factor_replaced_at: None,
    };
    let credentials = SealedCredentials::seal(key, chance, &id, &empty).unwrap();
    let posted = NewAssignment {
        id: assignment.clone(),
        professional: id.clone(),
        organisation: organisation.clone(),
        mission: mission.clone(),
        profession: Profession::ReferentPre,
        function: Function::Practitioner,
        secrecy: Secrecy::Bound,
        secrecy_basis: "CASF L411-3".to_owned(),
        secrecy_until: None,
        starts_at: now,
        ends_at: None,
        stated_by: None,
        confirmed_by: Some(witness.clone()),
        created_at: now,
    };
    let token = app.store().instance_keys().session_hash(&SessionToken::generate(chance).unwrap());
    let session = Session {
        id: SessionId::random(chance).unwrap(),
        version: 1,
        professional: id.clone(),
        assignment: Some(assignment.clone()),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_seconds(12 * 3_600),
        ended_at: None,
    };
    let signed = signature(charter, Party::Professional(id.clone()), &assignment, now);
    let professional = id.clone();
    let stored = token.clone();
    write(app, move |tx, at| {
        tx.professional_insert(&row)?;
        tx.professional_credentials(&id, 1, &credentials, AccountState::Unconfirmed)?;
        tx.professional_recognise(&id, 2, &witness, at)?;
        tx.assignment_insert(&posted)?;
        tx.session_insert(&session, &stored)?;
        tx.charter_sign(&signed)
    });
    (
        Reader {
            token,
            professional,
            assignment: assignment.clone(),
            pathway: PathwayId::random(chance).unwrap(),
        },
        assignment,
    )
}

fn pathway(app: &App, now: Timestamp, id: &PathwayId, by: &AssignmentId, lead: &OrganisationId) {
    let chance = app.chance();
    let owner = KeyOwner::Pathway(id.clone());
    let (key, stored) = app.store().keyring().new_data_key(&owner, chance).unwrap();
    let stored = NewKey::new(&owner, stored, now);
    let place = NewParticipation {
        id: ParticipationId::random(chance).unwrap(),
        pathway: id.clone(),
        assignment: by.clone(),
        mandate: Mandate::Contractual,
        role: Role::Referent,
        existence: Existence::of(Profession::ReferentPre, Mandate::Contractual),
        invited_by: None,
        invited_at: now,
        accepted_at: Some(now),
        until_at: None,
        stands_in_for: None,
    };
    let birth = NaiveDate::from_ymd_opt(2010, 10, 10);
    let person = PersonFacts::new(birth, None, false).unwrap();
    let course = CourseBody { step: Step::Accompaniment, review_on: None };
    let fact = || FactId::random(chance).unwrap().as_str().to_owned();
    let pen = Pen { key: &key, chance, pathway: id, at: now, by };
    let facts = [
        pen.facts(RowAt::first(FactKind::Person, &fact()), &person).unwrap(),
        pen.facts(RowAt::first(FactKind::Course, &fact()), &course).unwrap(),
    ];
    let items: Vec<(NewItem, NewVersion)> = (0..ITEMS)
        .map(|n| {
            let item = NewItem {
                id: ItemId::random(chance).unwrap(),
                pathway: id.clone(),
                kind: ItemKind::Action,
                category: Category::Leisure,
                subjects: Vec::new(),
                for_stay: false,
                author: place.id.clone(),
                author_assignment: by.clone(),
                created_at: now,
            };
            let words = Words::Action(ActionContent {
                what: Text::parse(&format!("Inscription au club de judo, avec sa mère, séance {n}")).unwrap(),
                by_when: Day::parse("2027-04-02").unwrap(),
                who: place.id.clone(),
            });
            let version = ItemVersionId::random(chance).unwrap();
            let sealed =
                NewVersion::seal(&key, chance, &version, &item.id, id, 1, Secrecy::Bound, now, None, &words);
            (item, sealed.unwrap())
        })
        .collect();
    let (id, lead) = (id.clone(), lead.clone());
    write(app, move |tx, at| {
        tx.key_insert(&stored)?;
        tx.pathway_insert(&id, &lead, at)?;
        tx.participation_insert(&place)?;
        facts.iter().try_for_each(|f| tx.fact_insert(f))?;
        items.iter().try_for_each(|(item, version)| {
            tx.item_insert(item)?;
            tx.item_version_insert(version)
        })
    });
}
