//! A database of each engine with a little territory in it, and raw SQL as the owner of the file would write it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use relais::audit::lane::{Lane, LaneConfig, LaneThread, Priority};
use relais::audit::leaf::DetailSealer;
use relais::audit::note::VerifierKey;
use relais::audit::verify::{Report, Trust, verify};
use relais::audit::{Job, LaneError, PseudonymKey, Receipt, Record};
use relais::clock::{Clock, ManualClock, Timestamp};
use relais::crypto::SystemChance;
use relais::crypto::envelope::{DataKey, DataKeyId};
use relais::crypto::hash::Digest;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::{KeyOwner, Keyring};
use relais::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use relais::ids::{OrganisationId, PathwayId, RequestId};
use relais::store::log::{LogFile, detail_place};
use relais::store::organisation::{NewOrganisation, OrganisationWords};
use relais::store::{DatabaseAddress, InstanceKind, NewKey, Store, StoreError, WriteTx};
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// SQLite always; PostgreSQL where the tests were given one.
pub fn engines() -> Vec<Engine> {
    #[cfg(feature = "postgres")]
    if std::env::var_os("RELAIS_TEST_POSTGRES").is_some() {
        return vec![Engine::Sqlite, Engine::Postgres];
    }
    vec![Engine::Sqlite]
}

/// A connection beside the product's.
pub enum Raw {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
}

macro_rules! on {
    ($raw:expr, $c:ident => $e:expr) => {
        match $raw {
            Raw::Sqlite($c) => $e,
            #[cfg(feature = "postgres")]
            Raw::Postgres($c) => $e,
        }
    };
}

impl Raw {
    pub fn exec(&mut self, sql: &str) -> QueryResult<()> {
        on!(self, c => c.batch_execute(sql))
    }

    /// Runs several statements, of which each must work.
    pub fn all(&mut self, sql: &[&str]) {
        for one in sql {
            self.exec(one).unwrap_or_else(|e| panic!("{one}: {e}"));
        }
    }

    pub fn int(&mut self, expression: &str) -> i64 {
        let ask = diesel::dsl::sql::<BigInt>(&format!("({expression})"));
        on!(self, c => diesel::select(ask).get_result(c)).unwrap_or_else(|e| panic!("{expression}: {e}"))
    }

    pub fn text(&mut self, expression: &str) -> String {
        let ask = diesel::dsl::sql::<Text>(&format!("({expression})"));
        on!(self, c => diesel::select(ask).get_result(c)).unwrap_or_else(|e| panic!("{expression}: {e}"))
    }
}

/// Details sealed under one key.
pub struct Under<'a>(pub &'a DataKey);

impl DetailSealer for Under<'_> {
    fn seal_detail(
        &self,
        _: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let row = data_encoding::HEXLOWER.encode(commit);
        Ok((*self.0.id(), self.0.seal(detail_place(&row), detail, &SystemChance::new())?))
    }
}

/// The record of an opening of content on one pathway.
pub fn record(key: &DataKey, pathway: &PathwayId) -> Record {
    let chance = SystemChance::new();
    let request = RequestId::random(&chance).unwrap();
    let mut draft = RecordDraft::new(
        request,
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.pathway = Some(pathway.clone());
    let pseudonyms = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
    Record::prepare(&draft, &pseudonyms, &Under(key), &chance).unwrap()
}

/// One database, with its store.
pub struct Bed {
    pub engine: Engine,
    pub address: DatabaseAddress,
    pub clock: Arc<ManualClock>,
    pub folder: TempDir,
    pub store: Store,
}

static MAKING: Mutex<()> = Mutex::new(());

#[cfg(feature = "postgres")]
fn postgres_server() -> String {
    std::env::var("RELAIS_TEST_POSTGRES").unwrap()
}

/// An address where no database is yet.
fn fresh_address(engine: Engine, folder: &TempDir) -> DatabaseAddress {
    match engine {
        Engine::Sqlite => DatabaseAddress::Sqlite(folder.path().join("relais.db")),
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let server = postgres_server();
            let name = format!("t_{}", RequestId::random(&SystemChance::new()).unwrap());
            let mut c = PgConnection::establish(&server).unwrap();
            c.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
            let (base, _) = server.rsplit_once('/').unwrap();
            DatabaseAddress::Postgres(format!("{base}/{name}"))
        }
    }
}

impl Bed {
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keyring = keyring(&folder, "kek");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000)));
        // Roles belong to the whole cluster: two databases that make them at once would trip over each other.
        let making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let address = fresh_address(engine, &folder);
        let store =
            Store::create(&address, InstanceKind::Real, keyring, &SystemChance::new(), clock.now()).unwrap();
        drop(making);
        Self { engine, address, clock, folder, store }
    }

    pub fn raw(&self) -> Raw {
        raw(&self.address)
    }

    pub fn lane(&self) -> (Lane<WriteTx>, LaneThread<WriteTx>) {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Lane::start(self.store.backend().unwrap(), clock, LaneConfig::default()).unwrap()
    }

    /// Writes through a lane, with a record.
    pub fn write(
        &self,
        lane: &Lane<WriteTx>,
        change: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Receipt<()>, LaneError<StoreError>> {
        lane.submit(Priority::Session, Job::new(self.some_record()), change).wait()
    }

    pub fn some_record(&self) -> Record {
        record(self.store.instance_key(), &PathwayId::random(&SystemChance::new()).unwrap())
    }

    /// Adds records that change nothing.
    pub fn records(&self, lane: &Lane<WriteTx>, n: usize) {
        let waiting: Vec<_> =
            (0..n).map(|_| lane.record(Priority::Session, Job::new(self.some_record()))).collect();
        for one in waiting {
            one.wait().unwrap();
        }
    }

    /// What an auditor finds, with the file alone.
    pub fn verified(&self, given: Option<&str>) -> Report {
        let mut log = LogFile::open(&self.address).unwrap();
        let vkey = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
        let trust = Trust { origin: vkey.name(), keys: std::slice::from_ref(&vkey), given };
        verify(&mut log, &trust, &mut |_| {}).unwrap()
    }

    /// Signs and keeps a checkpoint of the log as it is.
    pub fn checkpoint(&self) -> String {
        let mut snapshot = self.store.snapshot().unwrap();
        let origin = snapshot.instance_value("log_origin").unwrap().unwrap();
        let stored = snapshot.wrapped_key(&KeyOwner::Log { origin: origin.clone() }).unwrap().unwrap();
        let key = self.store.keyring().unwrap_log_key(&origin, &stored).unwrap();
        let frontier = snapshot.log_frontier().unwrap();
        drop(snapshot);
        let signed = relais::audit::Checkpoint::of(&origin, &frontier).unwrap().sign(&key).unwrap();
        self.store.checkpoint_keep(frontier.size(), &signed.to_string()).unwrap();
        signed.to_string()
    }

    /// A structure and a pathway with a key, for rows that need them.
    pub fn pathway(&self, lane: &Lane<WriteTx>) -> (PathwayId, OrganisationId) {
        let chance = SystemChance::new();
        let (pathway, organisation) =
            (PathwayId::random(&chance).unwrap(), OrganisationId::random(&chance).unwrap());
        let now = self.clock.now();
        let words = OrganisationWords {
            code: "CANARI-code".to_owned(),
            name: "CANARI-structure".to_owned(),
            telephone: "CANARI-0102030405".to_owned(),
            territory: "CANARI-territoire".to_owned(),
            names_on_sheets_from: None,
            missions: Vec::new(),
        };
        let kind = relais::domain::vocabulary::OrganisationKind::Town;
        let row =
            NewOrganisation::seal(self.store.instance_key(), &chance, &organisation, 1, kind, now, &words)
                .unwrap();
        let owner = KeyOwner::Pathway(pathway.clone());
        let (_, stored) = self.store.keyring().new_data_key(&owner, &chance).unwrap();
        let key = NewKey::new(&owner, stored, now);
        let (p, o) = (pathway.clone(), organisation.clone());
        self.write(lane, move |tx, at| {
            tx.organisation_insert(&row)?;
            tx.pathway_insert(&p, &o, at)?;
            tx.key_insert(&key)
        })
        .unwrap();
        (pathway, organisation)
    }

    /// The key of a pathway.
    pub fn key(&self, pathway: &PathwayId) -> DataKey {
        self.store.snapshot().unwrap().key_of(&KeyOwner::Pathway(pathway.clone())).unwrap().unwrap()
    }

    /// Every byte of the database: file, write-ahead log and shared memory.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for suffix in ["", "-wal", "-shm"] {
            let path = self.folder.path().join(format!("relais.db{suffix}"));
            all.extend(std::fs::read(path).unwrap_or_default());
        }
        all
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        match &self.address {
            DatabaseAddress::Sqlite(_) => {}
            DatabaseAddress::Postgres(url) => {
                #[cfg(feature = "postgres")]
                if let (Some((_, name)), Ok(mut c)) =
                    (url.rsplit_once('/'), PgConnection::establish(&postgres_server()))
                {
                    // A database that stays behind is the cluster's to lose.
                    drop(c.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")));
                }
                #[cfg(not(feature = "postgres"))]
                panic!("{url}");
            }
        }
    }
}

pub fn raw(address: &DatabaseAddress) -> Raw {
    match address {
        DatabaseAddress::Sqlite(path) => {
            let mut c = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            c.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA recursive_triggers = ON;").unwrap();
            Raw::Sqlite(c)
        }
        #[cfg(feature = "postgres")]
        DatabaseAddress::Postgres(url) => Raw::Postgres(PgConnection::establish(url).unwrap()),
        #[cfg(not(feature = "postgres"))]
        DatabaseAddress::Postgres(url) => panic!("{url}"),
    }
}

/// A key-encryption key of its own.
pub fn keyring(folder: &TempDir, name: &str) -> Keyring {
    let path: PathBuf = folder.path().join(name);
    let kek = FileKek::create(&path, KekPlacement::Demonstration, &SystemChance::new()).unwrap();
    Keyring::new(Arc::new(kek))
}
