//! Thirty pathways, a canary in every field that holds words, in every category, and every actor asking every route: a
//! canary is read by who may read it and by nobody else, whatever is asked (broken object level authorisation).
//! Then none of them is at rest: not in the database file, its log or its memory, nor in what the server logs.
#![expect(clippy::indexing_slicing, reason = "a canary or a pathway without its number must stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use relais::domain::vocabulary::Category;
use serde_json::Value;

use super::canaries_bed::{BORN, Bed, MARK, NOT_ASKED, PATHWAYS, PEOPLE, named, reads};
use super::stories_world::*;
use crate::support::Client;

/// Bodies are looked at by this many threads.
const READERS: usize = 6;

/// What one actor asks: route, address, body.
type Asked = Vec<(String, String, Option<Value>)>;

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

fn listen(client: &Client, login: &str, bed: &Bed, asked: &Asked) -> Heard {
    let by_mark: BTreeMap<String, usize> =
        bed.canaries.iter().enumerate().map(|(n, c)| (c.words[..MARK.len() + 3].to_owned(), n)).collect();
    let mut heard = Heard { sent: asked.len(), ..Heard::default() };
    for (_, path, body) in asked {
        let reply = match body {
            None => client.get(path),
            Some(Value::Null) => client.send("POST", path, None),
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

/// Everything that shows something is asked, but for what is named with its reason.
fn nothing_is_left_out(asks: &BTreeMap<String, Asked>) {
    let asked: BTreeSet<&str> = asks.values().flatten().map(|(route, ..)| route.as_str()).collect();
    let left: BTreeSet<String> = reads().iter().map(named).filter(|r| !asked.contains(r.as_str())).collect();
    let reviewed: BTreeSet<String> = NOT_ASKED.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(left, reviewed, "routes that are not asked, and those that are reviewed as such");
    for (login, one) in asks {
        let own: BTreeSet<&str> = one.iter().map(|(route, ..)| route.as_str()).collect();
        assert_eq!(own, asked, "{login} is asked about every route");
    }
}

/// Among what an actor is asked about, something of every category and something for every hole of a route is foreign.
fn meets_what_is_foreign(bed: &Bed, login: &str, which: &[usize]) {
    for category in Category::ALL.iter().map(|c| c.code()) {
        let foreign = bed.canaries.iter().any(|c| {
            c.category == Some(category)
                && c.of.is_some_and(|n| which.contains(&n))
                && !c.readers.contains(login)
        });
        assert!(foreign, "{login} meets no foreign canary of {category}");
    }
    let holes: BTreeSet<&str> = bed.held.iter().flat_map(|held| held.things.keys().copied()).collect();
    for hole in holes {
        let mut things = which.iter().filter_map(|n| bed.held[*n].things.get(hole)).flatten();
        assert!(things.any(|thing| !thing.of.contains(login)), "{login} meets no foreign {hole}");
    }
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
    let bed = Bed::make(&s);
    let mut needles = vec![MARK.to_owned()];
    needles.extend(logins().into_iter().map(str::to_owned));
    needles.extend((0..PATHWAYS).map(|n| format!("65543{n:04}")));
    needles.extend([BORN, "Nadia Benali", "Claire Morel", "0601020301", "601020301"].map(str::to_owned));
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

    // In blocks of three, one of each kind: each actor is asked about a fifth of them, with every route, and in each block
    // something of every category and of everything that a route names is foreign to everybody, as is looked at below;
    // each pathway is asked about by a fifth of the actors. With RELAIS_LONG all are asked about all.
    let long = std::env::var_os("RELAIS_LONG").is_some();
    let before: BTreeSet<String> = records_by_request(&s).into_keys().collect();
    let actors: Vec<(String, Client)> = logins().into_iter().map(|l| (l.to_owned(), s.of(l))).collect();
    assert!(actors.len() >= 18, "every actor of the demonstration");
    let (mut about, mut asks) = (BTreeMap::new(), BTreeMap::new());
    for (k, (login, _)) in actors.iter().enumerate() {
        let which: Vec<usize> =
            (0..PATHWAYS).filter(|n| long || (n / PEOPLE.len() + k).is_multiple_of(5)).collect();
        meets_what_is_foreign(&bed, login, &which);
        let mut asked: Asked = Vec::new();
        asked.extend(bed.addresses(&s, &which).into_iter().map(|(route, path)| (route, path, None)));
        asked.extend(bed.questions(&s, &which).into_iter().map(|(r, path, body)| (r, path, Some(body))));
        asks.insert(login.clone(), asked);
        about.insert(login.clone(), which);
    }
    nothing_is_left_out(&asks);
    let signed: BTreeSet<String> = records_by_request(&s).into_keys().collect();

    let (queue, answers) = (Mutex::new(actors.into_iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((login, client)) = next else { return };
                    let heard = listen(&client, &login, &bed, &asks[&login]);
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
        let Some(surely) = canary.surely else { continue };
        let asked = canary.of.is_none_or(|of| about[surely].contains(&of));
        let read = answers[surely].seen.contains(&n);
        assert!(read || !asked, "{surely} does not read {}", canary.words);
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

    // S14: whatever was asked and however it was answered, under the charter in force.
    let v1 = vec![relais::charter::Charter::embedded_demo().unwrap().policy_hash().to_owned()];
    let citing = cited(&s);
    assert!(citing.len() > asked.len());
    let other: Vec<_> = citing.iter().filter(|c| c.hashes != v1).map(|c| &c.what).collect();
    assert!(other.is_empty(), "records that cite another version, or none: {other:?}");

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
