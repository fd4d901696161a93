//! Builds the application and runs it: settings → keys → database → lane → TLS → listener, in this order, and back at
//! the end.
//!
//! INVARIANTS
//! * It refuses to start rather than guess; each refusal says what to do.
//! * One server per data folder: an exclusive lock is held from before the database is opened until the end.
//! * At the end: no new request, those under way are answered, counts are recorded, a last checkpoint is signed and shown
//!   to the witnesses that answer within seconds, the lane's queue is written.
//!
//! It creates nothing: an instance is made by `init` or `demo`.

pub(crate) mod french;
mod telemetry;

use std::fs::{File, OpenOptions, TryLockError};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use tokio::sync::watch;

use crate::audit::lane::{Lane, LaneConfig, LaneStartError, LaneThread};
use crate::audit::verify::Failure;
use crate::clock::{Chance, Clock, Timestamp};
use crate::config::{Database, Settings};
use crate::crypto::certificates::{CheckRequest, Finding, check};
use crate::crypto::kek::{FileKek, KekError, KekPlacement, KekProvider};
use crate::crypto::keyring::Keyring;
use crate::crypto::tls::{TlsError, server_config};
use crate::jobs;
use crate::service::witnesses::{ATTESTED_FILE, Contradiction, kept_against};
use crate::service::{App, AppParts, ServiceError, WitnessLink, Witnesses};
use crate::store::{DatabaseAddress, InstanceKind, Store, StoreError, WriteTx};
use crate::web::metrics::{self, JobAge, JobAges};
use crate::web::route::Demonstration;
use crate::web::server;
use crate::web::witness::link::{HttpWitness, LinkError};

pub use telemetry::start as start_telemetry;

/// The key-encryption key of a demonstration, inside its data folder: its data are invented.
pub const DEMO_KEK_FILE: &str = "demonstration.kek";
/// Held by the server of a data folder.
const LOCK_FILE: &str = "relais.lock";
/// How often jobs and counts of requests without a session are looked at when nobody knocks.
const TICK: Duration = Duration::from_secs(60);

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    #[error(
        "le dossier de données `{0}` n'existe pas : créez l'instance avec `relais init`, ou donnez le bon dossier avec --data"
    )]
    NoData(PathBuf),
    #[error(
        "un autre serveur utilise déjà le dossier `{0}` : arrêtez-le d'abord, ou donnez un autre dossier avec --data"
    )]
    Locked(PathBuf),
    #[error("le verrou `{path}` ne peut pas être pris ({source}) : vérifiez les droits du dossier")]
    Lock { path: PathBuf, source: std::io::Error },
    #[error("la base de données n'existe pas à `{0}` : créez l'instance avec `relais init`")]
    NoDatabase(PathBuf),
    #[error("la clé de chiffrement : {}", french::kek(.0))]
    Kek(KekError),
    #[error(
        "`kek_file` et `kek_file_previous` sont la même clé : donnez la nouvelle et l'ancienne, ou retirez `kek_file_previous`"
    )]
    SameKek,
    #[error("la base de données : {}", french::store(.0))]
    Store(StoreError),
    #[error(
        "le journal ne peut pas être écrit, le système refuse un fil d'exécution : vérifiez les limites du service"
    )]
    Lane(#[from] LaneStartError),
    #[error("l'application : {}", french::service(.0))]
    Service(ServiceError),
    #[error(
        "{failure}. Des témoins ont vu plus que ce que contient cette base (`{}`) : une ancienne copie a été remise, ou le journal a été modifié. Rien n'est servi. Gardez cette base et ce fichier, remettez la base la plus récente, et lisez « Witnesses » dans docs/operations.md", kept.display()
    )]
    Attested { kept: PathBuf, failure: Failure },
    #[error(
        "le témoin `{}` connaît de ce journal {} traces, et cette base, qui en a {}, n'en est pas la suite : une ancienne copie a été remise, ou le journal a été modifié. Rien n'est servi. Gardez cette base, remettez la plus récente, et lisez « Witnesses » dans docs/operations.md", .0.witness, .0.theirs, .0.ours
    )]
    Contradicted(Contradiction),
    #[error("le témoin de l'adresse `{url}` : {source}")]
    Witness { url: String, source: LinkError },
    #[error(
        "`{path}` ne peut pas être lu ({source}) : créez un certificat avec `relais certs make`, ou corrigez le réglage"
    )]
    Certificate { path: PathBuf, source: std::io::Error },
    #[error(
        "la clé `{path}` a les droits {mode:04o} : d'autres peuvent la lire. Lancez `chmod 600` ; si elle a pu être lue, changez-la"
    )]
    KeyMode { path: PathBuf, mode: u32 },
    #[error("le certificat : {}", french::tls(.0))]
    Tls(TlsError),
    #[error(
        "l'adresse {address} est déjà utilisée : arrêtez l'autre programme, ou changez le réglage `listen`"
    )]
    PortInUse { address: SocketAddr },
    #[error("l'adresse {address} ne peut pas être écoutée ({source}) : changez le réglage `listen`")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("le serveur s'est arrêté sur une erreur : {0}")]
    Serve(std::io::Error),
}

// Not `#[from]`: what is underneath speaks English, and must not be told after the French sentence.
impl From<KekError> for StartupError {
    fn from(e: KekError) -> Self {
        Self::Kek(e)
    }
}

impl From<StoreError> for StartupError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<ServiceError> for StartupError {
    fn from(e: ServiceError) -> Self {
        Self::Service(e)
    }
}

impl From<TlsError> for StartupError {
    fn from(e: TlsError) -> Self {
        Self::Tls(e)
    }
}

/// Whether the process's signals stop the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// The first one drains, the second one stops.
    Heed,
    /// Only a [`Stopper`] stops it (several servers in one process).
    Ignore,
}

/// Stops a running application from another thread.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Asks for a drain; asking twice changes nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Takes the exclusive lock of a data folder; it lasts as long as the file lives.
fn lock(data: &Path) -> Result<File, StartupError> {
    if !data.is_dir() {
        return Err(StartupError::NoData(data.to_owned()));
    }
    let path = data.join(LOCK_FILE);
    let failed = |source| StartupError::Lock { path: path.clone(), source };
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartupError::Locked(data.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The address of the instance's database.
#[must_use]
pub fn database_address(settings: &Settings) -> DatabaseAddress {
    match &settings.database {
        Database::Sqlite(path) => DatabaseAddress::Sqlite(path.clone()),
        Database::Postgres(url) => DatabaseAddress::Postgres(url.clone()),
    }
}

/// The keyring of the instance.
///
/// # Errors
/// A key-encryption key that is missing, in the wrong place, or open to others.
pub fn keyring(settings: &Settings, kind: InstanceKind) -> Result<Keyring, StartupError> {
    let kek = match kind {
        InstanceKind::Real => {
            let (credentials, data) = (settings.credentials.as_deref(), settings.data.as_path());
            let kek = FileKek::locate(settings.kek_file.as_deref(), credentials, data)?;
            let before = FileKek::locate_previous(settings.kek_file_previous.as_deref(), credentials, data)?;
            if let Some(before) = before {
                if before.kek_id() == kek.kek_id() {
                    return Err(StartupError::SameKek);
                }
                return Ok(Keyring::new(Arc::new(kek)).with_previous(Arc::new(before)));
            }
            kek
        }
        InstanceKind::Demo => {
            let inside = settings.data.join(DEMO_KEK_FILE);
            FileKek::open(settings.kek_file.as_deref().unwrap_or(&inside), KekPlacement::Demonstration)?
        }
    };
    Ok(Keyring::new(Arc::new(kek)))
}

/// Opens the instance's database.
///
/// # Errors
/// Refuses to guess: missing, of another kind, with a migration pending, made by a newer version, under another key.
pub fn open_store(settings: &Settings, kind: InstanceKind) -> Result<Store, StartupError> {
    let address = database_address(settings);
    if let DatabaseAddress::Sqlite(path) = &address
        && !path.exists()
    {
        return Err(StartupError::NoDatabase(path.clone()));
    }
    Ok(Store::open(&address, kind, keyring(settings, kind)?)?)
}

/// The witnesses of the settings, and the way to each.
///
/// # Errors
/// When the authorities that certify one cannot be read.
pub fn witnesses(settings: &Settings) -> Result<Witnesses, StartupError> {
    let mut links: Vec<Arc<dyn WitnessLink>> = Vec::new();
    for one in &settings.witnesses {
        let link = HttpWitness::new(&one.url, one.key.clone(), one.ca_file.as_deref())
            .map_err(|source| StartupError::Witness { url: one.url.clone(), source })?;
        links.push(Arc::new(link));
    }
    Ok(Witnesses::of(links, &settings.data))
}

/// INVARIANT: nothing is served over a log that does not continue what witnesses saw of it.
fn continues_what_was_attested(app: &App, kept: &Path) -> Result<(), StartupError> {
    let mut snapshot = app.store().snapshot()?;
    if let Some(failure) = kept_against(kept, &mut snapshot)? {
        return Err(StartupError::Attested { kept: kept.to_owned(), failure });
    }
    drop(snapshot);
    match app.witnesses_contradict()? {
        Some(contradiction) => Err(StartupError::Contradicted(contradiction)),
        None => Ok(()),
    }
}

/// Puts the application together over an open store, with its lane. For the command line too: it writes through the
/// same code, beside a running server.
///
/// # Errors
/// When the lane's connection or thread cannot be had.
pub fn assemble(
    store: Store,
    witnesses: Witnesses,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
) -> Result<(Arc<App>, LaneThread<WriteTx>), StartupError> {
    let (lane, thread) = Lane::start(store.backend()?, Arc::clone(&clock), LaneConfig::default())?;
    let app = App::new(AppParts { store, lane, clock, chance })?.with_witnesses(witnesses);
    Ok((Arc::new(app), thread))
}

fn tls(settings: &Settings, clock: &dyn Clock) -> Result<rustls::ServerConfig, StartupError> {
    tls_of(
        &settings.certificate,
        &settings.certificate_key,
        std::slice::from_ref(&settings.public_name),
        clock,
    )
}

/// The TLS of a server, from a chain and its key in files; for a witness too.
///
/// # Errors
/// Files that cannot be read or used, and a key that others can read.
pub fn tls_of(
    certificate: &Path,
    key_file: &Path,
    names: &[String],
    clock: &dyn Clock,
) -> Result<rustls::ServerConfig, StartupError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| StartupError::Certificate { path: path.to_owned(), source })
    };
    let (chain, key) = (read(certificate)?, zeroize::Zeroizing::new(read(key_file)?));
    let request = CheckRequest { cert: certificate, key: key_file, ca: None, names };
    for finding in check(&request, clock.now()).findings {
        match finding {
            // THREAT: whoever reads the key can play the server.
            Finding::KeyMode { path, mode } => return Err(StartupError::KeyMode { path, mode }),
            Finding::Unreadable { .. }
            | Finding::NoCertificate { .. }
            | Finding::NoKey { .. }
            | Finding::KeyMismatch => {
                // `server_config` below refuses these with its own words.
            }
            // Clients refuse such a certificate by themselves; to stop the service for it would help nobody.
            other @ (Finding::NoNames
            | Finding::NotForName { .. }
            | Finding::OutOfDate { .. }
            | Finding::EndsSoon { .. }) => {
                tracing::warn!(finding = ?other, "look at the server certificate: run `relais certs check`");
            }
            Finding::Chain { .. } | Finding::ChainUnchecked => {}
        }
    }
    Ok(server_config(&chain, &key)?)
}

/// Takes an address.
///
/// # Errors
/// When it is taken already, or is not this machine's.
pub fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    TcpListener::bind(address).map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartupError::PortInUse { address },
        _other => StartupError::Listen { address, source },
    })
}

/// An application that is ready to run.
pub struct Application {
    /// Where it listens: with port 0 in the settings, the port that was free.
    pub address: SocketAddr,
    /// Where measures are given, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    /// How often jobs and counts are looked at when nobody knocks: a minute.
    pub tick: Duration,
    pub app: Arc<App>,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    tls: rustls::ServerConfig,
    lane: LaneThread<WriteTx>,
    stop: Stopper,
    lock: File,
    demonstration: Option<Demonstration>,
}

impl Application {
    /// Builds it; from here on requests queue at the port, and [`Application::run`] answers them.
    ///
    /// # Errors
    /// [`StartupError`]; nothing is then left running.
    pub fn build(
        settings: &Settings,
        kind: InstanceKind,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Result<Self, StartupError> {
        let lock = lock(&settings.data)?;
        let tls = tls(settings, clock.as_ref())?;
        let witnesses = witnesses(settings)?;
        let store = open_store(settings, kind)?;
        let listener = listen(settings.listen)?;
        let address = listener
            .local_addr()
            .map_err(|source| StartupError::Listen { address: settings.listen, source })?;
        let metrics = settings.metrics.map(listen).transpose()?;
        let metrics_address = metrics.as_ref().and_then(|l| l.local_addr().ok());
        let (app, lane) = assemble(store, witnesses, clock, chance)?;
        app.watch(settings.thresholds);
        app.keep_free(settings.disk_headroom);
        if let Err(refused) = continues_what_was_attested(&app, &settings.data.join(ATTESTED_FILE)) {
            lane.stop();
            return Err(refused);
        }
        // THREAT: a loss that is declared and then forgotten.
        for loss in app.declared_losses()? {
            tracing::warn!(loss = %loss, "this log lost records");
        }
        let stop = Stopper(Arc::new(watch::Sender::new(false)));
        Ok(Self {
            address,
            metrics_address,
            tick: TICK,
            app,
            listener,
            metrics,
            tls,
            lane,
            stop,
            lock,
            demonstration: None,
        })
    }

    /// Opens the door of a demonstration: its sign-in page offers these people. `relais demo` alone calls this; the
    /// service behind it refuses on a real instance.
    #[must_use]
    pub fn with_demonstration(mut self, people: Demonstration) -> Self {
        self.demonstration = Some(people);
        self
    }

    /// What stops it from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stop.clone()
    }

    /// Answers requests until it is told to stop, then puts everything away.
    ///
    /// # Errors
    /// When the server breaks down; everything is put away all the same.
    pub fn run(self, signals: Signals) -> Result<(), StartupError> {
        let Self {
            address,
            metrics_address,
            tick,
            app,
            listener,
            metrics,
            tls,
            lane,
            stop,
            lock,
            demonstration,
        } = self;
        tracing::info!(%address, "listening");
        if let Some(address) = metrics_address {
            tracing::info!(%address, "giving measures");
        }
        let served = actix_web::rt::System::new().block_on(async {
            let schedule = Arc::new(jobs::Schedule::default());
            let server = server::start(Arc::clone(&app), listener, tls, demonstration);
            let server = server.map_err(StartupError::Serve)?;
            let measured = measure(&app, &schedule, metrics)?;
            let ticks = actix_web::rt::spawn(each(tick, Arc::clone(&app), schedule));
            let served = serve(server, stop, signals).await;
            ticks.abort();
            if let Some(measured) = measured {
                measured.stop(false).await;
            }
            served
        });
        if let Err(error) = app.flush_anonymous(true) {
            tracing::warn!(%error, "the last counts of requests without a session are lost");
        }
        jobs::at_the_end(&app);
        lane.stop();
        drop(lock);
        tracing::info!("stopped");
        served
    }
}

/// Waits for the next signal; forever where there is none to heed.
async fn signal(signals: &mut Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>) {
    match signals {
        Some((interrupt, terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        None => std::future::pending().await,
    }
}

/// How long ago each job ran.
fn job_ages(app: Arc<App>, schedule: Arc<jobs::Schedule>) -> JobAges {
    Arc::new(move || {
        let now = app.clock().now();
        let age = |at: Timestamp| now.micros().saturating_sub(at.micros()).div_euclid(1_000_000).max(0);
        let runs = schedule.last_runs().into_iter();
        runs.map(|run| JobAge { name: run.name, ran: age(run.at), well: run.well.map(age) }).collect()
    })
}

/// Gives measures to a scraper on this machine, where the settings say so.
fn measure(
    app: &Arc<App>,
    schedule: &Arc<jobs::Schedule>,
    listener: Option<TcpListener>,
) -> Result<Option<ServerHandle>, StartupError> {
    let Some(listener) = listener else { return Ok(None) };
    let ages = job_ages(Arc::clone(app), Arc::clone(schedule));
    let server = metrics::start(Arc::clone(app), ages, listener).map_err(StartupError::Serve)?;
    let handle = server.handle();
    // When this one breaks down the service goes on: its absence is what the scraper sees.
    drop(actix_web::rt::spawn(server));
    Ok(Some(handle))
}

/// Waits for the server's end: by itself, by a signal, or because it is told to.
async fn serve(server: Server, stop: Stopper, signals: Signals) -> Result<(), StartupError> {
    use tokio::signal::unix::{SignalKind, signal as listen_for};
    let mut heeded = match signals {
        Signals::Heed => Some((
            listen_for(SignalKind::interrupt()).map_err(StartupError::Serve)?,
            listen_for(SignalKind::terminate()).map_err(StartupError::Serve)?,
        )),
        Signals::Ignore => None,
    };
    let handle = server.handle();
    let mut asked = stop.0.subscribe();
    let twice = async {
        tokio::select! {
            () = signal(&mut heeded) => {}
            _ = asked.wait_for(|stop| *stop) => {}
        }
        tracing::info!("draining: a second signal stops at once");
        // The answer to this comes when everything is drained; the server's own future tells that too.
        drop(actix_web::rt::spawn(handle.stop(true)));
        signal(&mut heeded).await;
    };
    tokio::select! {
        served = server => served.map_err(StartupError::Serve),
        () = twice => Ok(()),
    }
}

/// What is due without anybody knocking: counts of minutes that are over, and the jobs.
async fn each(tick: Duration, app: Arc<App>, schedule: Arc<jobs::Schedule>) {
    loop {
        tokio::time::sleep(tick).await;
        let app = Arc::clone(&app);
        let schedule = Arc::clone(&schedule);
        let done = actix_web::web::block(move || {
            if let Err(error) = app.flush_anonymous(false) {
                tracing::warn!(%error, "counts of requests without a session are kept for later");
            }
            schedule.run_due(&app);
        })
        .await;
        if done.is_err() {
            tracing::error!("a job panicked; the next minute tries again");
        }
    }
}
