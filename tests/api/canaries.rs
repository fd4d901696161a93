//! Thirty pathways, a canary in every field that holds words, and every actor asking every route about every object: a
//! canary is read by who may read it and by nobody else, whatever is asked (broken object level authorisation).
//! Then none of them is at rest: not in the database file, its log or its memory, nor in what the server logs.
//!
//! INVARIANT: who may read is written here from DESIGN §4, not taken from the code that decides.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use relais::web::route::Method;
use serde_json::{Value, json};

use super::callers_world::{LUC, ODILE};
use super::stories_world::*;
use crate::support::Client;

const PATHWAYS: usize = 30;
/// Bodies are looked at by this many threads.
const READERS: usize = 6;

/// Words that stand in one place, and who may read them there.
struct Canary {
    words: String,
    /// The pathway that holds it, by its number.
    of: usize,
    readers: BTreeSet<&'static str>,
    /// One who certainly finds it, when all is asked.
    surely: &'static str,
}

/// One pathway: its people and the ids of what it holds.
struct Held {
    pathway: String,
    /// By the name that a route gives to its hole.
    objects: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Default)]
struct Bed {
    held: Vec<Held>,
    canaries: Vec<Canary>,
}

/// Référent, member who reads by an accord, another member with nothing to read, the référent's manager and secretary.
struct People {
    referent: &'static str,
    member: &'static str,
    beside: Option<&'static str>,
    manager: &'static str,
    secretary: Option<&'static str>,
    bound: bool,
}

const PEOPLE: [People; 3] = [
    People {
        referent: NADIA,
        member: SAMIRA,
        beside: Some(JULIE),
        manager: HELENE,
        secretary: Some(ODILE),
        bound: true,
    },
    People {
        referent: MARC,
        member: REMI,
        beside: None,
        manager: HELENE,
        secretary: Some(ODILE),
        bound: false,
    },
    People { referent: SAMIRA, member: CLAIRE, beside: None, manager: LUC, secretary: None, bound: true },
];

/// What is written in each category: the field that takes words.
const CATEGORIES: [(&str, &str); 8] = [
    ("schooling", "fact"),
    ("family", "fact"),
    ("housing", "fact"),
    ("leisure", "fact"),
    ("mobility", "fact"),
    ("integration", "fact"),
    ("practical", "detail"),
    ("health_minimal", "what"),
];

fn content(category: &str, field: &str, words: &str) -> Value {
    match category {
        "practical" => json!({ "category": category, "need": "warm_clothes", field: words }),
        "health_minimal" => {
            json!({ "category": category, "kind": "treatment", field: words, "when": "le soir", "prescription_kept": words })
        }
        _ => json!({ "category": category, field: words, "source": "observed" }),
    }
}

impl Bed {
    fn canary(&mut self, field: &str, readers: &[&'static str]) -> String {
        // Letters only: numbers would be a telephone or a date to somebody.
        let n = self.canaries.len();
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        let words = format!("{MARK}{}{}{}{field}", letter(n / 676), letter(n / 26), letter(n));
        let (surely, readers) = (readers[0], readers.iter().copied().collect());
        self.canaries.push(Canary { words: words.clone(), of: self.held.len(), readers, surely });
        words
    }

    fn pathway(&mut self, s: &Story, n: usize) {
        let people = &PEOPLE[n % PEOPLE.len()];
        let (referent, member) = (people.referent, people.member);
        let mut circle = vec![referent, member];
        circle.extend(people.beside);
        let mut family = vec![referent];
        family.extend(people.secretary);
        let mut objects: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();

        let number = format!("065543{n:04}");
        let p = s.act(
            referent,
            "/api/v1/pathways",
            json!({
                "person": {
                    "identity": {
                        "first_name": self.canary("prenom", &circle), "name": self.canary("nom", &circle),
                        "contacts": [{ "kind": "parent", "who": self.canary("contact", &circle), "number": number }],
                        "emergency_contacts": [{ "who": self.canary("urgence", &circle), "number": number }],
                    },
                    "birth_date": "2011-04-20",
                },
                "preference": { "said_by": "young_person", "wish": self.canary("souhait", &[referent]), "on": s.day(0) },
                "review_on": s.day(150), "mandate": "contractual",
            }),
        );
        let at = |rest: &str| format!("/api/v1/pathways/{p}/{rest}");
        let holder = |bed: &mut Self| {
            let body = json!({
                "capacity": "parent", "from": "2005-01-01", "name": bed.canary("titulaire", &family),
                "number": number, "relation": bed.canary("lien", &family), "proof": bed.canary("preuve", &family),
            });
            s.act(referent, &at("holders"), body)
        };
        let (mother, father) = (holder(self), holder(self));

        let write = |bed: &mut Self, by: &'static str, readers: &[&'static str], category: usize| {
            let (category, field) = CATEGORIES[category % CATEGORIES.len()];
            let (label, words) = (bed.canary("intitule", readers), bed.canary(field, readers));
            s.write(by, &p, &label, content(category, field, &words), false)
        };
        // The family validates these words on the accord's sheet, and the member reads them.
        let shared = write(self, referent, &[referent, member], 0);
        let others = [write(self, referent, &[referent], n + 2), write(self, referent, &[referent], 1)];
        let mut line = s.line(member, &["schooling"], &[&shared]);
        line["kind"] = json!("recipient");
        let mut lines = vec![line];
        lines.extend(people.beside.map(|b| s.line(b, &["schooling"], &[])));
        let accord = json!({ "purpose": "coordination", "starts": s.day(0), "ends": s.day(300), "language": "fr", "lines": lines });
        let accord = s.act(referent, &at("accords"), accord);
        let on = format!("/api/v1/accords/{accord}");
        let boxes: Vec<Value> =
            s.read(referent, &on)["lines"].as_array().unwrap().iter().map(|l| l["id"].clone()).collect();
        s.act(referent, &format!("{on}/printing"), Value::Null);
        s.act(referent, &format!("{on}/opinions"), json!({ "opinion": "favourable", "on": s.day(0) }));
        // Where the signed sheet stands: whoever answers for the paper finds it.
        let mut office = family.clone();
        office.push(people.manager);
        let kept = self.canary("original", &office);
        for by in [mother.as_str(), father.as_str(), "young_person"] {
            let how = json!({ "mode": "paper", "original_at": kept });
            let body = json!({ "by": by, "how": how, "verified": "known", "lines": boxes, "on": s.day(0) });
            s.act(referent, &format!("{on}/signatures"), body);
        }
        let place = s.invite(referent, &p, member, "contractual");
        if let Some(beside) = people.beside {
            s.invite(referent, &p, beside, "contractual");
        }
        let share = s.act(referent, &at("shares"), s.share_body("coordination", 60, &[&shared], &[&place]));
        let own = write(self, member, &[member], 0);
        for by in [referent, member] {
            let words = self.canary("note", &[by]);
            s.act(by, &at("notes"), json!({ "text": words }));
        }
        let circle = s.read(referent, &at("circle"));
        let me = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
        let action = json!({ "category": "schooling", "what": self.canary("action", &[referent]), "by_when": s.day(30), "who": me });
        let action = s.act(referent, &at("actions"), action);
        let asked =
            json!({ "item_version": others[0].version, "recipient": s.key(JULIE), "purpose": "schooling" });
        let release = s.post(referent, &at("releases"), asked);
        if release.status == 201 {
            objects.insert("release", vec![release.json()["id"].as_str().unwrap().to_owned()]);
        }
        let statement = self.canary("motif", &[people.manager, referent]);
        let body = json!({ "holder": father, "motive": { "motive": "unknown" }, "statement": statement });
        s.act(referent, &at("impossibilities"), body);
        if people.bound {
            let body = json!({
                "ground": "danger", "necessity": self.canary("necessite", &[referent, people.manager]),
                "parents": { "information": "contrary_to_interest", "motive": "reprisals" },
                "child": { "information": "given", "on": s.day(0) },
                "items": [others[1].version], "recipients": [place],
            });
            objects.insert("statute", vec![s.act(referent, &at("statutes"), body)]);
        }
        objects.insert("accord", vec![accord]);
        objects.insert("share", vec![share]);
        let items = others.into_iter().chain([shared, own]).map(|w| w.item).chain([action]);
        objects.insert("item", items.collect());
        self.held.push(Held { pathway: p, objects });
    }

    /// Every address of every GET route, filled with every object of these pathways.
    fn addresses(&self, which: &[usize]) -> Vec<String> {
        let mut out = BTreeSet::new();
        for route in api_routes().iter().filter(|r| r.method == Method::Get) {
            if route.path.contains("openapi") || route.path.contains("health") {
                continue;
            }
            for held in which.iter().map(|n| &self.held[*n]) {
                let mut filled = vec![route.path.replace("{pathway}", &held.pathway)];
                for (hole, ids) in &held.objects {
                    let hole = format!("{{{hole}}}");
                    filled = filled
                        .iter()
                        .flat_map(|path| {
                            let ids = if path.contains(&hole) { ids.clone() } else { vec![String::new()] };
                            ids.into_iter().map(|id| path.replace(&hole, &id)).collect::<Vec<_>>()
                        })
                        .collect();
                }
                for path in filled {
                    let path = path.replace("{index}", "5");
                    if path.contains('{') {
                        continue;
                    }
                    if path.ends_with("/items") {
                        out.insert(format!("{path}?purpose=coordination"));
                    }
                    if path.ends_with("/consistency") {
                        out.insert(format!("{path}?from=3"));
                    }
                    out.insert(path);
                }
            }
        }
        out.into_iter().collect()
    }

    /// Reads that are asked with POST.
    fn questions(&self, which: &[usize]) -> Vec<(String, Value)> {
        let mut out = Vec::new();
        for held in which.iter().map(|n| &self.held[*n]) {
            let at = format!("/api/v1/pathways/{}/preview", held.pathway);
            let items: Vec<Value> = held.objects["item"].iter().map(|i| json!({ "item": i })).collect();
            out.push((at, json!({ "purpose": "coordination", "items": items })));
        }
        // The name of each pathway, and what all names begin with.
        let names = self.canaries.iter().filter(|c| c.words.ends_with("prenom")).map(|c| c.words.clone());
        for words in names.step_by(5).chain([MARK.to_owned()]) {
            out.push(("/api/v1/pathways/search".to_owned(), json!({ "text": words })));
        }
        out.push(("/api/v1/audit/records/search".to_owned(), json!({})));
        out
    }
}

/// What one actor was answered.
#[derive(Default)]
struct Heard {
    requests: BTreeSet<String>,
    seen: BTreeSet<usize>,
    foreign: Vec<String>,
    sent: usize,
}

/// The canaries in a text, by their number: each begins with the same letters, then its own three.
fn found(text: &str, by_mark: &BTreeMap<String, usize>) -> Vec<usize> {
    let marks = text.match_indices(MARK).filter_map(|(at, _)| text.get(at..at + MARK.len() + 3));
    marks.filter_map(|m| by_mark.get(m).copied()).collect()
}

fn listen(client: &Client, login: &str, bed: &Bed, which: &[usize]) -> Heard {
    let (addresses, questions) = (bed.addresses(which), bed.questions(which));
    let by_mark: BTreeMap<String, usize> =
        bed.canaries.iter().enumerate().map(|(n, c)| (c.words[..MARK.len() + 3].to_owned(), n)).collect();
    let mut heard = Heard { sent: addresses.len() + questions.len(), ..Heard::default() };
    let asked = addresses.iter().map(|a| (a, None)).chain(questions.iter().map(|(a, b)| (a, Some(b))));
    for (path, body) in asked {
        let reply = match body {
            None => client.get(path),
            Some(body) => client.post(path, body),
        };
        assert!(reply.status < 500, "{login} {path}: {}", text(&reply));
        heard.requests.insert(reply.header("relais-request").unwrap().to_owned());
        let whole = format!("{:?} {}", reply.headers, text(&reply));
        for n in found(&whole, &by_mark) {
            let canary = &bed.canaries[n];
            if canary.readers.contains(login) {
                heard.seen.insert(n);
            } else {
                heard.foreign.push(format!("{login} {path}: {}", canary.words));
            }
        }
    }
    heard
}

/// What the server logs, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What stands in these bytes as text; what is none is replaced.
fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How every canary begins: long enough to stand in no ciphertext by chance.
const MARK: &str = "Zqxcanari";

#[test]
fn no_canary_is_read_by_who_may_not_and_none_is_at_rest() {
    let kept = Kept::default();
    let writer = kept.clone();
    let logging = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(logging).unwrap();

    let mut s = Story::begin();
    let mut bed = Bed::default();
    for n in 0..PATHWAYS {
        bed.pathway(&s, n);
    }
    let mut needles = vec![MARK.to_owned()];
    needles.extend(logins().into_iter().map(str::to_owned));
    needles.extend((0..PATHWAYS).map(|n| format!("65543{n:04}")));
    needles.extend(["Nadia Benali", "Claire Morel", "0601020301", "601020301"].map(str::to_owned));
    let at_rest = |folder: &std::path::Path, when: &str| {
        let mut files = 0;
        for name in ["relais.db", "relais.db-wal", "relais.db-shm"] {
            let Ok(bytes) = std::fs::read(folder.join(name)) else { continue };
            files += 1;
            let seen = as_text(&bytes);
            for needle in &needles {
                assert!(!seen.contains(needle), "{needle} in {name}, {when}");
            }
        }
        files
    };
    at_rest(s.server.folder.path(), "written");

    // In blocks of three, one of each kind: each actor asks about a fifth of them, and each of them is asked about by a
    // fifth of the actors; with RELAIS_LONG all ask about all.
    let long = std::env::var_os("RELAIS_LONG").is_some();
    let asks = |actor: usize| -> Vec<usize> {
        (0..PATHWAYS).filter(|n| long || (n / PEOPLE.len() + actor).is_multiple_of(5)).collect()
    };
    let before: BTreeSet<String> = records_by_request(&s).into_keys().collect();
    let actors: Vec<(String, Client)> = logins().into_iter().map(|l| (l.to_owned(), s.of(l))).collect();
    let signed: BTreeSet<String> = records_by_request(&s).into_keys().collect();
    assert!(actors.len() >= 18, "every actor of the demonstration");

    let asked_of: BTreeMap<String, Vec<usize>> =
        actors.iter().enumerate().map(|(k, (login, _))| (login.clone(), asks(k))).collect();
    let (queue, answers) = (Mutex::new(actors.into_iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((login, client)) = next else { return };
                    let heard = listen(&client, &login, &bed, &asked_of[&login]);
                    answers.lock().unwrap().insert(login, heard);
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap();

    let foreign: Vec<&String> = answers.values().flat_map(|h| &h.foreign).collect();
    assert!(
        foreign.is_empty(),
        "{} foreign canaries: {:#?}",
        foreign.len(),
        &foreign[..foreign.len().min(40)]
    );
    // The canaries are alive: each was read by somebody, and who reads by an accord read what it opens.
    for (n, canary) in bed.canaries.iter().enumerate() {
        let asked = asked_of[canary.surely].contains(&canary.of);
        let read = answers[canary.surely].seen.contains(&n);
        assert!(read || !asked, "{} does not read {}", canary.surely, canary.words);
    }
    for (login, least) in [(NADIA, 20), (MARC, 20), (SAMIRA, 25), (REMI, 8), (CLAIRE, 8), (JULIE, 4)] {
        assert!(answers[login].seen.len() >= least, "{login} reads {}", answers[login].seen.len());
    }

    // Records = requests.
    let asked: BTreeSet<String> = answers.values().flat_map(|h| h.requests.iter().cloned()).collect();
    assert_eq!(asked.len(), answers.values().map(|h| h.sent).sum::<usize>(), "each request has its id");
    let after: BTreeSet<String> = records_by_request(&s).into_keys().collect();
    let recorded: BTreeSet<String> = after.difference(&signed).cloned().collect();
    assert!(before.len() < signed.len());
    assert_eq!(recorded, asked, "distinct request ids in the log = requests");

    // Nothing at rest: with the server running, and once it has stopped.
    assert_eq!(at_rest(s.server.folder.path(), "running"), 3, "the database, its log and its memory");
    s.server.stop().unwrap();
    assert!(at_rest(s.server.folder.path(), "stopped") >= 1);
    let logged = as_text(&kept.0.lock().unwrap());
    assert!(logged.contains("answered") && logged.contains("refused"), "the log was captured at this level");
    for needle in &needles {
        assert!(!logged.contains(needle), "{needle} in what the server logs");
    }
}
