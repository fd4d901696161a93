//! A server of our own for each test: its own folder, database, keys, certificate and port, and a clock that stands
//! still until it is told to move. Dropping it stops the server and removes the folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot have its server must stop")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use relais::cli::certs;
use relais::clock::{Clock, ManualClock, SystemClock, Timestamp};
use relais::config::Settings;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::{SystemChance, certificates};
use relais::service::App;
use relais::startup::{
    Application, DEMO_KEK_FILE, Signals, StartupError, Stopper, database_address, keyring,
};
use relais::store::{InstanceKind, Store};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The moment at which every server starts: Wednesday 13 January 2027, 09:00 in Paris.
pub const START: Timestamp = Timestamp::from_micros(1_799_827_200_000_000);

/// A running server.
pub struct TestServer {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub folder: tempfile::TempDir,
    stop: Stopper,
    thread: Option<JoinHandle<Result<(), StartupError>>>,
    authority: Certificate<'static>,
}

/// The settings of a server in `data`, on any free port, whatever the environment of the tests says.
pub fn settings(data: &Path) -> Settings {
    let environment = BTreeMap::from([("RELAIS_LISTEN".to_owned(), "127.0.0.1:0".to_owned())]);
    Settings::read(data, &environment).unwrap()
}

/// Makes an empty instance: key, database, certificate.
pub fn create(data: &Path) -> Settings {
    let settings = settings(data);
    let chance = SystemChance::new();
    FileKek::create(&data.join(DEMO_KEK_FILE), KekPlacement::Demonstration, &chance).unwrap();
    let keyring = keyring(&settings, InstanceKind::Demo).unwrap();
    drop(Store::create(&database_address(&settings), InstanceKind::Demo, keyring, &chance, START).unwrap());
    // The machine's clock: it is the client that looks at these dates.
    let issued = certificates::issue(&[], SystemClock.now(), &chance).unwrap();
    certificates::write(&issued, &certs::folder(data), false).unwrap();
    settings
}

/// Builds the application of an instance.
pub fn build(settings: &Settings, clock: &Arc<ManualClock>) -> Result<Application, StartupError> {
    let clock: Arc<ManualClock> = Arc::clone(clock);
    Application::build(settings, InstanceKind::Demo, clock, Arc::new(SystemChance::new()))
}

impl TestServer {
    /// Starts an empty instance.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = create(folder.path());
        Self::start_in(folder, &settings, START)
    }

    /// Starts the instance that stands in `folder`, at this moment.
    pub fn start_in(folder: tempfile::TempDir, settings: &Settings, at: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(at));
        let application = build(settings, &clock).unwrap();
        Self::run(folder, application, clock)
    }

    /// Runs an application that was built in `folder` with this clock.
    pub fn run(folder: tempfile::TempDir, application: Application, clock: Arc<ManualClock>) -> Self {
        let metrics = application.metrics_address;
        let authority =
            Certificate::from_pem(&std::fs::read(certs::folder(folder.path()).join("ca.pem")).unwrap())
                .unwrap();
        let (address, app, stop) = (application.address, Arc::clone(&application.app), application.stopper());
        let thread = Some(std::thread::spawn(move || application.run(Signals::Ignore)));
        Self { address, metrics, app, clock, folder, stop, thread, authority }
    }

    /// A client without a session.
    pub fn client(&self) -> Client {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::new_with_certs(std::slice::from_ref(&self.authority)))
            .unversioned_rustls_crypto_provider(relais::crypto::tls::provider())
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        Client { agent, base: format!("https://localhost:{}", self.address.port()), headers: Vec::new() }
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    /// Stops it, and says how it ended. The database stays until the folder goes.
    pub fn stop(&mut self) -> Result<(), StartupError> {
        self.stop.stop();
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

/// One answer.
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// The stable code of a problem.
    pub fn code(&self) -> String {
        self.json().get("code").and_then(|c| c.as_str()).unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A client that trusts the server's authority and nobody else.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(String, String)>,
}

impl Client {
    /// The same client, sending one more header with every request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client, signed in.
    pub fn bearer(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &serde_json::Value) -> Reply {
        self.with_json("POST", path, body)
    }

    pub fn put(&self, path: &str, body: &serde_json::Value) -> Reply {
        self.with_json("PUT", path, body)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None)
    }

    fn with_json(&self, method: &str, path: &str, body: &serde_json::Value) -> Reply {
        let typed = self.clone().with("Content-Type", "application/json");
        typed.send(method, path, Some(body.to_string().as_bytes()))
    }

    /// Any method, any bytes.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = sent.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        Reply {
            status: answer.status().as_u16(),
            headers,
            body: answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec().unwrap(),
        }
    }
}
