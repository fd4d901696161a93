//! Ends racing reads through HTTPS: once the record of an end has its index, no later record permits what rested on what
//! ended. Order is the log's: an answer that left a moment earlier has a record before it.

#![expect(clippy::indexing_slicing, reason = "a read without its record must stop the test")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use relais::audit::LeafBody;
use relais::domain::record::{ResourceKind, Verdict};
use serde_json::{Value, json};

use super::stories_world::*;
use crate::support::Reply;

const READERS: usize = 6;

/// A pathway on which Samira reads two items, by one accord, one place and one share.
struct Scene {
    pathway: String,
    mother: String,
    accord: String,
    place: String,
    share: String,
    items: [Written; 2],
}

fn scene(s: &Story) -> Scene {
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let lines = vec![s.line(SAMIRA, &["schooling"], &[])];
    let accord = s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    let place = s.invite(NADIA, &p, SAMIRA, "contractual");
    let items = [
        s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs"),
        s.fact(NADIA, &p, "schooling", "Arrive à l'heure"),
    ];
    let share = s.share_body("coordination", 60, &[&items[0], &items[1]], &[&place]);
    let share = s.share(NADIA, &p, share);
    Scene { pathway: p, mother, accord, place, share, items }
}

/// What the readers saw of one race.
#[derive(Default)]
struct Seen {
    /// Status of each read by its request id, and whether it was asked after the end had been answered.
    reads: BTreeMap<String, (u16, bool)>,
}

/// Reads from six threads while `end` happens after `head_start` reads.
fn race(s: &Story, scene: &Scene, head_start: usize, end: impl FnOnce() -> Reply) -> (Reply, Seen) {
    let (done, stop, count) = (AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
    let seen = Mutex::new(Seen::default());
    let samira = s.of(SAMIRA);
    let reply = std::thread::scope(|scope| {
        for n in 0..READERS {
            let (done, stop, count, seen) = (&done, &stop, &count, &seen);
            let client = samira.clone();
            let item = &scene.items[n % 2].item;
            let list = format!("/api/v1/pathways/{}/items?purpose=coordination", scene.pathway);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let late = done.load(Ordering::SeqCst);
                    // Most read one item, some the list.
                    let reply = match n {
                        5 => client.get(&list),
                        _ => client.get(&format!("/api/v1/items/{item}?purpose=coordination")),
                    };
                    assert!(reply.status < 500, "{}", text(&reply));
                    let id = reply.header("relais-request").unwrap().to_owned();
                    let shown = match n {
                        5 if !text(&reply).contains("Vient") && !text(&reply).contains("heure") => 404,
                        _ => reply.status,
                    };
                    seen.lock().unwrap().reads.insert(id, (shown, late));
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let wait = |least: usize| {
            for _ in 0..2000 {
                if count.load(Ordering::SeqCst) >= least {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait(head_start);
        let reply = end();
        done.store(true, Ordering::SeqCst);
        wait(count.load(Ordering::SeqCst) + 2 * READERS);
        stop.store(true, Ordering::SeqCst);
        reply
    });
    (reply, seen.into_inner().unwrap())
}

/// The records of the log by request id, with their index.
fn records(s: &Story) -> BTreeMap<String, (i64, LeafBody)> {
    let mut snapshot = s.server.app.store().snapshot().unwrap();
    let mut found = BTreeMap::new();
    let mut index = 0;
    while let Some(body) = snapshot.log_body(index).unwrap() {
        let body = LeafBody::parse(&body).unwrap();
        found.insert(body.request.to_string(), (index, body));
        index += 1;
    }
    found
}

/// Runs rounds of one kind of end, and looks at the order in the log.
fn rounds(kind: &str, times: usize, end: impl Fn(&Story, &Scene) -> Reply) {
    let s = Story::begin();
    let (mut before, mut after) = (0, 0);
    for round in 0..times {
        let scene = scene(&s);
        let (reply, seen) = race(&s, &scene, 3 + 5 * round, || end(&s, &scene));
        assert!((200..300).contains(&reply.status), "{kind}: {}", text(&reply));
        let records = records(&s);
        let (ended_at, ended) = &records[reply.header("relais-request").unwrap()];
        assert_eq!(ended.decision, Verdict::Permit);
        for (id, (shown, late)) in &seen.reads {
            let (index, body) = &records[id];
            let what = format!("{kind}, round {round}: read {index}, ended {ended_at}");
            assert!(matches!(body.resource, ResourceKind::Item), "{what}");
            let permitted = body.decision == Verdict::Permit && (*shown == 200 || !body.basis.is_empty());
            // What was answered is what was recorded.
            assert_eq!(
                *shown == 200,
                permitted,
                "{what}: answered {shown}, recorded {:?} {:?}",
                body.decision,
                body.basis
            );
            if index > ended_at {
                assert!(!permitted, "{what}: permitted after the end, by {:?}", body.basis);
                after += 1;
            } else {
                before += usize::from(permitted);
            }
            assert!(!(*late && *shown == 200), "{what}: asked after the end was answered, and shown");
        }
    }
    assert!(
        before >= times && after >= times,
        "{kind}: a race has two sides: {before} before, {after} after"
    );
}

#[test]
fn no_read_is_permitted_after_the_record_of_a_withdrawal() {
    rounds("withdrawal of everything", 4, |s, scene| {
        let body = json!({ "by": scene.mother, "what": { "scope": "everything" }, "channel": "telephone" });
        s.post(NADIA, &format!("/api/v1/pathways/{}/withdrawals", scene.pathway), body)
    });
}

#[test]
fn no_read_is_permitted_after_the_record_of_an_accord_withdrawn() {
    rounds("withdrawal of one accord", 4, |s, scene| {
        let path = format!("/api/v1/accords/{}/withdrawals", scene.accord);
        s.post(NADIA, &path, json!({ "by": scene.mother }))
    });
}

#[test]
fn no_read_is_permitted_after_the_record_of_the_end_of_a_place() {
    rounds("end of a participation", 4, |s, scene| {
        s.post(NADIA, &format!("/api/v1/participations/{}/end", scene.place), Value::Null)
    });
}

#[test]
fn no_read_is_permitted_after_the_record_of_the_end_of_a_share() {
    rounds("end of a share", 4, |s, scene| {
        s.post(NADIA, &format!("/api/v1/pathways/{}/shares/{}/end", scene.pathway, scene.share), json!({}))
    });
}
