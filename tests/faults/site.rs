//! A demonstration in a folder of its own, served by the program itself, and people who are signed in.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use relais::clock::{Clock, SystemClock};
use relais::crypto::totp::{self, TotpSecret};
use serde_json::{Value, json};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The program, with nothing of our environment that it would read as a setting.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relais"));
    quiet(&mut command);
    command
}

fn quiet(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RELAIS_") {
            command.env_remove(name);
        }
    }
}

/// A demonstration, at rest.
pub struct Site {
    pub folder: tempfile::TempDir,
    /// The address of its database, where it is not its own file.
    pub database: Option<String>,
}

/// One answer that came back whole.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub request: String,
    pub body: Value,
}

/// A client for one run of the server; signed in, if it has a token.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    pub token: Option<String>,
}

impl Client {
    /// `None` when no whole answer came back.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Reply> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let sent = match body {
            Some(body) => self.agent.run(
                request
                    .header("Content-Type", "application/json")
                    .body(body.to_string().into_bytes())
                    .unwrap(),
            ),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = sent.ok()?;
        let request = answer.headers().get("relais-request")?.to_str().ok()?.to_owned();
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().read_to_vec().ok()?;
        Some(Reply { status, request, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    pub fn get(&self, path: &str) -> Option<Reply> {
        self.ask("GET", path, None)
    }

    /// Presses « Quitter vite »: the status, where it leads, and the cookie that it sets.
    pub fn leave(&self) -> Option<(u16, String, String)> {
        let request = ureq::http::Request::post(format!("{}/quitter", self.base))
            .header("Cookie", format!("__Host-relais={}", self.token.as_deref()?))
            .header("Sec-Fetch-Site", "same-origin")
            .header("Content-Type", "application/x-www-form-urlencoded");
        let answer = self.agent.run(request.body(Vec::new()).ok()?).ok()?;
        let named = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        Some((answer.status().as_u16(), named("location"), named("set-cookie")))
    }
}

/// Copies files and folders with their modes.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A server that runs.
pub struct Server {
    pub process: Child,
    announced: Value,
    agent: ureq::Agent,
}

impl Site {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server; the first start makes the demonstration.
    pub fn start(&self) -> Server {
        self.start_as(program())
    }

    /// Starts it by a command that ends in the program.
    pub fn start_as(&self, command: Command) -> Server {
        self.start_in(command, &self.data())
    }

    /// Starts one node of several on the same database: node 0 in the site's folder, each other in one of its own, with
    /// the keys and certificates of the first, as an operator would copy them.
    pub fn start_node(&self, number: usize) -> Server {
        if number == 0 {
            return self.start();
        }
        let data = self.folder.path().join(format!("node-{number}"));
        if !data.exists() {
            copy_folder(&self.data(), &data);
        }
        self.start_in(program(), &data)
    }

    fn start_in(&self, mut command: Command, data: &Path) -> Server {
        if let Some(database) = &self.database {
            command.env("RELAIS_DATABASE", database);
        }
        let mut process = command
            .args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let announced: Value = serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("the server did not start ({e}): `{line}`"));
        let authority = std::fs::read(announced["ca_file"].as_str().unwrap()).unwrap();
        let authority = Certificate::from_pem(&authority).unwrap();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::new_with_certs(&[authority]))
            .unversioned_rustls_crypto_provider(relais::crypto::tls::provider())
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Server { process, announced, agent }
    }

    /// The program on this folder, run to its end.
    pub fn run(&self, words: &[&str]) -> std::process::Output {
        let mut command = program();
        command.args(words).arg("--data").arg(self.data());
        if let Some(database) = &self.database {
            command.arg("--database").arg(database);
        }
        command.output().unwrap()
    }

    /// The ids of all requests that the log tells of.
    pub fn recorded(&self) -> BTreeSet<String> {
        let export = self.run(&["audit", "export"]);
        assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
        String::from_utf8(export.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| {
                let body: Value = serde_json::from_str(line).unwrap();
                body.get("request").and_then(Value::as_str).map(str::to_owned)
            })
            .collect()
    }

    /// The log holds, and tells of every answer that was released.
    pub fn check(&self, released: &[String]) {
        let verified = self.run(&["audit", "verify"]);
        let said = String::from_utf8_lossy(&verified.stdout);
        assert!(verified.status.success(), "{said}{}", String::from_utf8_lossy(&verified.stderr));
        let recorded = self.recorded();
        let missing: Vec<&String> = released.iter().filter(|id| !recorded.contains(*id)).collect();
        assert!(
            missing.is_empty(),
            "{} of {} answers without a record: {missing:?}",
            missing.len(),
            released.len()
        );
    }
}

impl Server {
    /// A client of this run; the token may be of an earlier one.
    pub fn client(&self, token: Option<&str>) -> Client {
        Client {
            agent: self.agent.clone(),
            base: self.announced["base_url"].as_str().unwrap().to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// Signs in everybody who has a pathway: the token, and one pathway.
    pub fn people(&self) -> Vec<(String, String)> {
        let mut people = Vec::new();
        for account in self.announced["accounts"].as_array().unwrap() {
            let secret = TotpSecret::from_base32(account["totp_secret"].as_str().unwrap()).unwrap();
            let code = totp::code(&secret, SystemClock.now()).unwrap();
            let body =
                json!({"login": account["login"], "password": account["password"], "code": code.as_str()});
            let Some(reply) = self.client(None).ask("POST", "/api/v1/sessions", Some(&body)) else {
                continue;
            };
            let Some(token) = reply.body["token"].as_str() else { continue };
            let Some(list) = self.client(Some(token)).get("/api/v1/pathways") else { continue };
            if let Some(pathway) = list.body["items"][0]["id"].as_str() {
                people.push((token.to_owned(), pathway.to_owned()));
            }
            if people.len() == 6 {
                break;
            }
        }
        assert!(people.len() >= 3, "the demonstration has people with pathways");
        people
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Reads and writes from several threads, until told to stop or the server is gone.
pub struct Load {
    stop: Arc<AtomicBool>,
    released: Arc<Mutex<Vec<String>>>,
    unavailable: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

/// What was asked under load.
pub struct Counted {
    /// The request ids of the answers that came back whole and say something.
    pub released: Vec<String>,
    /// How many 503 came back.
    pub unavailable: usize,
}

impl Load {
    pub fn start(server: &Server, people: &[(String, String)]) -> Self {
        let load = Self {
            stop: Arc::default(),
            released: Arc::default(),
            unavailable: Arc::default(),
            threads: Vec::new(),
        };
        let mut threads = Vec::new();
        for (token, pathway) in people {
            let client = server.client(Some(token));
            let pathway = pathway.clone();
            let (stop, released, unavailable) =
                (Arc::clone(&load.stop), Arc::clone(&load.released), Arc::clone(&load.unavailable));
            threads.push(std::thread::spawn(move || {
                let note = json!({"text": "À rappeler"});
                let page = format!("/api/v1/pathways/{pathway}");
                let (items, notes) = (format!("{page}/items"), format!("{page}/notes"));
                let absent = "/api/v1/pathways/0000000000000000000000000000000000";
                let asked: [(&str, &str, Option<&Value>); 5] = [
                    ("GET", &page, None),
                    ("POST", &notes, Some(&note)),
                    ("GET", &items, None),
                    ("GET", "/api/v1/pathways", None),
                    ("GET", absent, None),
                ];
                for (method, path, body) in asked.iter().cycle() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    match client.ask(method, path, *body) {
                        // Without a log it says only that it cannot answer.
                        Some(reply) if reply.status == 503 => {
                            unavailable.fetch_add(1, Ordering::SeqCst);
                        }
                        Some(reply) => {
                            assert!(reply.status < 500, "{method} {path}: {}", reply.status);
                            assert_ne!(reply.status, 401, "{method} {path}");
                            released.lock().unwrap().push(reply.request);
                        }
                        None => {}
                    }
                }
            }));
        }
        Self { threads, ..load }
    }

    /// How many answers were released so far.
    pub fn so_far(&self) -> usize {
        self.released.lock().unwrap().len()
    }

    pub fn stop(self) -> Counted {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let released = std::mem::take(&mut *self.released.lock().unwrap());
        Counted { released, unavailable: self.unavailable.load(Ordering::SeqCst) }
    }
}

/// Waits until this holds; panics after a minute.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether somebody's own list is there: the server decides, and records.
pub fn answers(client: &Client) -> bool {
    client.get("/api/v1/pathways").is_some_and(|reply| reply.status == 200)
}

/// A file of the data folder, in bytes.
pub fn size_of(folder: &Path, name: &str) -> u64 {
    std::fs::metadata(folder.join(name)).map_or(0, |meta| meta.len())
}
