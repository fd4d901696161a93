//! The demonstration territory behind HTTPS, one copy for each story: its own server, clock and log.
//!
//! INVARIANT: a story acts through the API only; nothing is inserted behind it.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the story")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use chrono::{Days, NaiveDate};
use relais::cli::{certs, demo};
use relais::clock::{Clock, ManualClock, SystemClock, Timestamp};
use relais::crypto::totp::{self, TotpSecret};
use relais::crypto::{SystemChance, certificates};
use relais::domain::record::{Action, ResourceKind};
use relais::web::route::Method;
use relais::web::routes;
use serde_json::{Value, json};

use super::support::{Client, Reply, START, TestServer, settings};

pub const NADIA: &str = "nadia.benali";
pub const MARC: &str = "marc.delattre";
pub const HELENE: &str = "helene.roux";
pub const PAUL: &str = "paul.girard";
pub const SAMIRA: &str = "samira.haddad";
pub const CLAIRE: &str = "claire.morel";
pub const DAVID: &str = "david.lopes";
pub const ANNE: &str = "anne.fabre";
pub const JULIE: &str = "julie.lambert";
pub const REMI: &str = "remi.colin";
pub const EMILE: &str = "emile.garnier";
pub const IRENE: &str = "irene.vidal";
pub const ALICE: &str = "alice.bernard";

const DAY: i64 = 86_400;

/// The demonstration, made once: its files, and the ways in.
struct Template {
    files: Vec<(PathBuf, u32, Vec<u8>)>,
    accounts: BTreeMap<String, demo::Account>,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let clock = Arc::new(ManualClock::new(START));
    let chance = Arc::new(SystemChance::new());
    let made = demo::create(&data, &settings(&data), clock, chance, &mut std::io::sink()).unwrap();
    // The machine's clock: it is the client that looks at these dates.
    let issued = certificates::issue(&[], SystemClock.now(), &SystemChance::new()).unwrap();
    certificates::write(&issued, &certs::folder(&data), true).unwrap();
    let mut files = Vec::new();
    collect(&data, &data, &mut files);
    Template { files, accounts: made.accounts.into_iter().map(|a| (a.login.clone(), a)).collect() }
});

fn collect(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, u32, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            files.push((path.strip_prefix(root).unwrap().to_owned(), mode, std::fs::read(&path).unwrap()));
        }
    }
}

/// One item written: the item and the version that was shown.
#[derive(Clone)]
pub struct Written {
    pub item: String,
    pub version: String,
}

/// One territory, on its own server.
pub struct Story {
    pub server: TestServer,
    began: NaiveDate,
    signed: RefCell<BTreeMap<String, Client>>,
    own: RefCell<BTreeMap<String, Value>>,
    known: RefCell<BTreeMap<&'static str, Vec<String>>>,
}

impl Story {
    /// A day after the demonstration was made: what the log has of this day is the story's.
    pub fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, mode, bytes) in &TEMPLATE.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(*mode).open(&path).unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
        }
        let settings = settings(folder.path());
        let at = START.plus_seconds(DAY);
        let server = TestServer::start_in(folder, &settings, at);
        Self {
            server,
            began: at.paris_day(),
            signed: RefCell::default(),
            own: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Moves the clock; everybody signs in again at the next request.
    pub fn go(&self, to: Timestamp) {
        self.server.clock.set(to);
        self.signed.borrow_mut().clear();
    }

    pub fn go_days(&self, days: i64) {
        self.go(self.server.clock.now().plus_seconds(days * DAY));
    }

    pub fn today(&self) -> NaiveDate {
        self.server.clock.now().paris_day()
    }

    pub fn day(&self, days: u64) -> String {
        self.today().checked_add_days(Days::new(days)).unwrap().to_string()
    }

    /// Signs in with password and second factor, and keeps the session.
    #[track_caller]
    pub fn of(&self, login: &str) -> Client {
        if let Some(client) = self.signed.borrow().get(login) {
            return client.clone();
        }
        let reply = self.sign_in(login);
        assert_eq!(reply.status, 201, "{login}: {}", text(&reply));
        let client = self.server.client().bearer(reply.json()["token"].as_str().unwrap());
        self.signed.borrow_mut().insert(login.to_owned(), client.clone());
        client
    }

    pub fn sign_in(&self, login: &str) -> Reply {
        let account = &TEMPLATE.accounts[login];
        let secret = TotpSecret::from_base32(&account.totp_secret).unwrap();
        let code = totp::code(&secret, self.server.clock.now()).unwrap();
        self.server.client().post(
            "/api/v1/sessions",
            &json!({ "login": login, "password": account.password, "code": code.as_str() }),
        )
    }

    /// The only assignment of somebody: id, organisation, mission, profession.
    #[track_caller]
    pub fn own(&self, login: &str) -> Value {
        if let Some(own) = self.own.borrow().get(login) {
            return own.clone();
        }
        let own = self.read(login, "/api/v1/me")["assignments"][0].clone();
        self.own.borrow_mut().insert(login.to_owned(), own.clone());
        own
    }

    pub fn get(&self, login: &str, path: &str) -> Reply {
        self.of(login).get(path)
    }

    /// A page that must open.
    #[track_caller]
    pub fn read(&self, login: &str, path: &str) -> Value {
        let reply = self.get(login, path);
        assert_eq!(reply.status, 200, "{login} {path}: {}", text(&reply));
        reply.json()
    }

    pub fn post(&self, login: &str, path: &str, body: Value) -> Reply {
        if body.is_null() {
            self.of(login).send("POST", path, None)
        } else {
            self.of(login).post(path, &body)
        }
    }

    /// An act that must succeed, and the id that it answers (empty when it answers none).
    #[track_caller]
    pub fn act(&self, login: &str, path: &str, body: Value) -> String {
        let reply = self.post(login, path, body);
        assert!((200..300).contains(&reply.status), "{login} {path}: {} {}", reply.status, text(&reply));
        reply.json()["id"].as_str().unwrap_or_default().to_owned()
    }

    /// An act that a rule refuses: its stable code.
    #[track_caller]
    pub fn refused(&self, login: &str, path: &str, body: Value) -> String {
        let reply = self.post(login, path, body);
        assert!((400..500).contains(&reply.status), "{login} {path}: {} {}", reply.status, text(&reply));
        reply.code()
    }

    fn keep(&self, kind: &'static str, id: &str) {
        self.known.borrow_mut().entry(kind).or_default().push(id.to_owned());
    }

    /// What is known of the story now, to be asked for later whatever happens meanwhile.
    pub fn mark(&self) -> BTreeMap<&'static str, Vec<String>> {
        self.known.borrow().clone()
    }

    pub fn restore(&self, known: BTreeMap<&'static str, Vec<String>>) {
        *self.known.borrow_mut() = known;
    }

    /// Opens a pathway for somebody born on this day.
    #[track_caller]
    pub fn open(&self, by: &str, name: &str, birth: &str) -> String {
        let id = self.act(
            by,
            "/api/v1/pathways",
            json!({
                "person": {
                    "identity": {
                        "first_name": name, "name": "Carpentier",
                        "contacts": [{ "kind": "parent", "who": "Mère", "number": "0611223344" }],
                        "emergency_contacts": [{ "who": "Tante", "number": "0611223355" }],
                    },
                    "birth_date": birth,
                },
                "preference": { "said_by": "young_person", "wish": "Je préfère la même personne.", "on": self.day(0) },
                "review_on": self.day(150),
                "mandate": "contractual",
            }),
        );
        self.keep("pathway", &id);
        id
    }

    #[track_caller]
    pub fn holder(&self, by: &str, pathway: &str, name: &str) -> String {
        let path = format!("/api/v1/pathways/{pathway}/holders");
        let body = json!({ "capacity": "parent", "from": "2005-01-01", "name": name, "number": "0611223344", "relation": "parent" });
        self.act(by, &path, body)
    }

    pub fn key(&self, login: &str) -> Value {
        let own = self.own(login);
        json!({ "organisation": own["organisation"], "profession": own["profession"], "mission": own["mission"] })
    }

    pub fn line(&self, login: &str, categories: &[&str], shows: &[&Written]) -> Value {
        let shown: Vec<&str> = shows.iter().map(|w| w.version.as_str()).collect();
        json!({ "recipient": self.key(login), "kind": "recipient", "categories": categories, "shows": shown })
    }

    /// An accord from today, printed and signed on paper by these people.
    #[track_caller]
    pub fn accord(
        &self,
        by: &str,
        pathway: &str,
        purpose: &str,
        days: u64,
        lines: Vec<Value>,
        signed_by: &[&str],
    ) -> String {
        let id = self.act(
            by,
            &format!("/api/v1/pathways/{pathway}/accords"),
            json!({ "purpose": purpose, "starts": self.day(0), "ends": self.day(days), "language": "fr", "lines": lines }),
        );
        let at = format!("/api/v1/accords/{id}");
        let seen = self.read(by, &at);
        let boxes: Vec<&Value> = seen["lines"].as_array().unwrap().iter().map(|l| &l["id"]).collect();
        self.act(by, &format!("{at}/printing"), Value::Null);
        let opinion = json!({ "opinion": "favourable", "on": self.day(0) });
        self.act(by, &format!("{at}/opinions"), opinion);
        for who in signed_by {
            self.act(
                by,
                &format!("{at}/signatures"),
                json!({
                    "by": who, "how": { "mode": "paper", "original_at": "Classeur des accords" },
                    "verified": "known", "lines": boxes, "on": self.day(0),
                }),
            );
        }
        self.keep("accord", &id);
        id
    }

    #[track_caller]
    pub fn invite(&self, by: &str, pathway: &str, who: &str, mandate: &str) -> String {
        self.invite_as(by, pathway, who, mandate, "participant", None)
    }

    #[track_caller]
    pub fn invite_as(
        &self,
        by: &str,
        pathway: &str,
        who: &str,
        mandate: &str,
        role: &str,
        until: Option<String>,
    ) -> String {
        let path = format!("/api/v1/pathways/{pathway}/participations");
        let body =
            json!({ "assignment": self.own(who)["id"], "mandate": mandate, "role": role, "until": until });
        let id = self.act(by, &path, body);
        self.act(who, &format!("/api/v1/participations/{id}/acceptance"), Value::Null);
        self.keep("participation", &id);
        id
    }

    #[track_caller]
    pub fn write(&self, by: &str, pathway: &str, label: &str, content: Value, for_stay: bool) -> Written {
        let path = format!("/api/v1/pathways/{pathway}/items");
        let item = self.act(by, &path, json!({ "label": label, "content": content, "for_stay": for_stay }));
        let seen = self.read(by, &format!("/api/v1/items/{item}"));
        self.keep("item", &item);
        Written { version: seen["version_id"].as_str().unwrap().to_owned(), item }
    }

    /// A fact written in one category.
    #[track_caller]
    pub fn fact(&self, by: &str, pathway: &str, category: &str, words: &str) -> Written {
        let content = json!({ "category": category, "fact": words, "source": "observed" });
        self.write(by, pathway, "Un fait", content, false)
    }

    pub fn share_body(&self, purpose: &str, days: u64, items: &[&Written], to: &[&str]) -> Value {
        let items: Vec<Value> =
            items.iter().map(|w| json!({ "item": w.item, "version": w.version })).collect();
        json!({ "purpose": purpose, "last_day": self.day(days), "items": items, "recipients": to })
    }

    #[track_caller]
    pub fn share(&self, by: &str, pathway: &str, body: Value) -> String {
        let id = self.act(by, &format!("/api/v1/pathways/{pathway}/shares"), body);
        self.keep("share", &id);
        id
    }

    /// The next read of an item through one door.
    #[track_caller]
    pub fn item(&self, login: &str, item: &Written, purpose: &str) -> Reply {
        self.get(login, &format!("/api/v1/items/{}?purpose={purpose}", item.item))
    }

    #[track_caller]
    pub fn reads(&self, login: &str, item: &Written, purpose: &str) -> bool {
        let reply = self.item(login, item, purpose);
        assert!([200, 403, 404].contains(&reply.status), "{login}: {}", text(&reply));
        reply.status == 200
    }

    /// What the auditor finds in the log, since the story began.
    #[track_caller]
    pub fn audit(&self, mut search: Value) -> Vec<Value> {
        search["from"] = json!(self.began.to_string());
        let reply = self.post(IRENE, "/api/v1/audit/records/search", search);
        assert_eq!(reply.status, 200, "{}", text(&reply));
        reply.json()["items"].as_array().unwrap().clone()
    }

    /// The auditor finds it: who, what, decision. The newest record.
    #[track_caller]
    pub fn recorded(&self, profession: &str, action: &str, resource: &str, decision: &str) -> Value {
        let ask =
            json!({ "profession": profession, "action": action, "resource": resource, "decision": decision });
        let found = self.audit(ask);
        assert!(!found.is_empty(), "no record: {profession} {action} {resource} {decision}");
        let all = serde_json::to_string(&found).unwrap();
        for word in ["Carpentier", "traitement", "vêtements", "Fatou"] {
            assert!(!all.contains(word), "the log holds words: {word}");
        }
        found[0].clone()
    }

    /// Every page that can be asked with GET about this story, filled with all that is known of it.
    pub fn pages(&self, login: &str) -> BTreeMap<String, (u16, String)> {
        let known = self.known.borrow().clone();
        let mut out = BTreeMap::new();
        for route in routes::api() {
            let template = route.path;
            // What everybody reads alike, whoever has a place in this story.
            let public = [
                "openapi",
                "charter",
                "organisations",
                "audit",
                "health",
                "/me",
                "sessions",
                "items/writing",
            ];
            if route.method != Method::Get || public.iter().any(|p| template.contains(p)) {
                continue;
            }
            let mut filled = vec![(template.to_owned(), template.to_owned())];
            for kind in
                ["pathway", "item", "accord", "share", "participation", "handover", "release", "statute"]
            {
                let hole = format!("{{{kind}}}");
                if !template.contains(&hole) {
                    continue;
                }
                let ids = known.get(kind).cloned().unwrap_or_default();
                filled = filled
                    .iter()
                    .flat_map(|(key, path)| {
                        let (hole, ids) = (hole.clone(), ids.clone());
                        ids.into_iter().enumerate().map(move |(n, id)| {
                            (key.replace(&hole, &format!("{{{n}}}")), path.replace(&hole, &id))
                        })
                    })
                    .collect();
            }
            for (key, path) in filled {
                if path.contains('{') {
                    continue;
                }
                let doors: &[&str] = if template.contains("items") {
                    &[
                        "",
                        "?purpose=stay",
                        "?purpose=coordination",
                        "?purpose=schooling",
                        "?purpose=protection",
                    ]
                } else {
                    &[""]
                };
                for door in doors {
                    let reply = self.get(login, &format!("{path}{door}"));
                    out.insert(format!("{key}{door}"), (reply.status, text(&reply)));
                }
            }
        }
        out
    }
}

/// The records of each request: the pathway that each of them names, if any.
pub fn records_by_request(s: &Story) -> BTreeMap<String, Vec<Option<String>>> {
    let mut found: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    let mut snapshot = s.server.app.store().snapshot().unwrap();
    let mut index = 0;
    while let Some(body) = snapshot.log_body(index).unwrap() {
        let body = relais::audit::LeafBody::parse(&body).unwrap();
        index += 1;
        // What the server does without being asked (a job) is no request.
        if body.actor.is_none() && matches!(body.action, Action::Maintain | Action::Erase) {
            continue;
        }
        found.entry(body.request.to_string()).or_default().push(body.pathway.map(|p| p.to_string()));
    }
    found
}

/// What leaves a record that no request made, and that rests on no charter.
const UNASKED: [(Action, ResourceKind, &str); 6] = [
    (
        Action::Publish,
        ResourceKind::Charter,
        "the command line publishes; the record stands before what it publishes",
    ),
    (
        Action::Create,
        ResourceKind::Instance,
        "the key of pseudonyms of a year is made before its first record",
    ),
    (Action::Maintain, ResourceKind::Instance, "a job"),
    (Action::Erase, ResourceKind::Instance, "a job: what is over is swept"),
    (Action::Erase, ResourceKind::Item, "a job: what was written for a stay ends with it"),
    (Action::Maintain, ResourceKind::AuditLog, "a job: data and log are compared"),
];

/// Requests without a session are counted by the minute: no one of them is decided.
const COUNTED: [(Action, ResourceKind); 2] =
    [(Action::Read, ResourceKind::Request), (Action::SignIn, ResourceKind::Session)];

/// What a record cites.
pub struct Cited {
    /// Its index, and what was done.
    pub what: String,
    pub at: Timestamp,
    pub hashes: Vec<String>,
}

/// The records of this story's log since the first charter; those that no request made are left out.
pub fn cited(s: &Story) -> Vec<Cited> {
    let mut snapshot = s.server.app.store().snapshot().unwrap();
    let (mut index, mut published) = (0, false);
    let mut out = Vec::new();
    while let Some(text) = snapshot.log_body(index).unwrap() {
        let body = relais::audit::LeafBody::parse(&text).unwrap();
        let did = (body.action, body.resource);
        let unasked = UNASKED.iter().any(|(action, resource, _)| did == (*action, *resource));
        let counted = body.count.is_some() && COUNTED.contains(&did);
        if published && (body.actor.is_some() || !(unasked || counted)) {
            let what = format!("{index}: {} {}", body.action.code(), body.resource.code());
            out.push(Cited { what, at: body.at, hashes: body.policy_hashes });
        }
        // The first publication itself stands before what it publishes.
        published |= did == (Action::Publish, ResourceKind::Charter);
        index += 1;
    }
    assert!(published, "a territory has a charter");
    out
}

/// The rows that programs ask. Pages for people have callers, and a table, of their own.
pub fn api_routes() -> Vec<relais::web::route::Route> {
    let mut rows = routes::all();
    rows.retain(|r| r.path.starts_with("/api/") || r.path.starts_with("/health/"));
    rows
}

/// Everybody of the demonstration.
pub fn logins() -> Vec<&'static str> {
    TEMPLATE.accounts.keys().map(String::as_str).collect()
}

/// The way in of somebody of the demonstration.
pub fn account(login: &str) -> &'static demo::Account {
    &TEMPLATE.accounts[login]
}

pub fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).replace('\u{a0}', " ")
}

fn is_id(text: &str) -> bool {
    text.len() == 26 && text.chars().all(|c| c.is_ascii_lowercase() || ('2'..='9').contains(&c))
}

/// A page without what chance decides: identifiers and keyed hashes. Lists are compared in their order: none stands in that
/// of ids, and an order that tells something is a difference.
pub fn same(body: &str) -> String {
    same_without(body, &[])
}

fn holds(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::String(s) => words.contains(&s.as_str()),
        Value::Array(all) => all.iter().any(|one| holds(one, words)),
        Value::Object(fields) => fields.values().any(|one| holds(one, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// [`same`], and without the lines that name something of `apart`.
pub fn same_without(body: &str, apart: &[&str]) -> String {
    fn walk(value: &mut Value, apart: &[&str]) {
        match value {
            Value::String(s) => {
                if is_id(s) {
                    *s = "#".to_owned();
                } else if s.ends_with('Z') && s.len() == 27 {
                    // A clock that stands still counts the writes in its microseconds.
                    s.truncate(19);
                }
            }
            Value::Array(all) => {
                all.retain(|one| !holds(one, apart));
                all.iter_mut().for_each(|one| walk(one, apart));
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name.ends_with("hash") {
                        *field = Value::Null;
                    }
                    // The index of a record is its id, and counts the whole instance: only how many there are is compared.
                    if name == "receipts"
                        && let Value::Array(indexes) = field
                    {
                        indexes.fill(Value::Null);
                    }
                    walk(field, apart);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    serde_json::from_str::<Value>(body).map_or_else(
        |_| body.to_owned(),
        |mut value| {
            walk(&mut value, apart);
            value.to_string()
        },
    )
}
