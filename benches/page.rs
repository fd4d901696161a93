//! The page of a pathway with 200 items: what the server does for it, beside a floor that asks the same of the database
//! and of the keys, without a decision and without a record (DESIGN §8: within twice the floor).
//!
//! The demonstration, made as `relais demo` makes it; Samira writes 200 items and shares their category; Claire, of
//! another structure, reads them under the family's accord. Rounds alternate. `cargo bench --bench page`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the machine's clock, prints, and stops when anything is not as it must be"
)]

#[path = "support/processor.rs"]
mod processor;
#[path = "support/timing.rs"]
mod timing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use relais::cli::demo;
use relais::clock::{ManualClock, Timestamp};
use relais::config::Settings;
use relais::crypto::SystemChance;
use relais::crypto::envelope::Place;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::Keyring;
use relais::domain::vocabulary::{Category, Purpose};
use relais::ids::{AssignmentId, ParticipationId, PathwayId, RequestId};
use relais::service::reading::{Fill, ItemsQuery};
use relais::service::witnesses::Witnesses;
use relais::service::{App, Call, Login};
use relais::startup::{DEMO_KEK_FILE, assemble};
use relais::store::{DatabaseAddress, InstanceKind, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use processor::processor;
use timing::{Spread, human, nanoseconds, per_call};

diesel::table! { item_version (id) { id -> Text, item -> Text, pathway -> Text, body -> Nullable<Binary>, } }

/// Wednesday 13 January 2027, 09:00 in Paris.
const MADE: Timestamp = Timestamp::from_micros(1_799_827_200_000_000);
const ITEMS: usize = 200;
const ROUNDS: usize = 60;

fn input<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A person of the demonstration with a session.
struct Person {
    call: Call,
    assignment: AssignmentId,
}

fn person(app: &App, login: &str) -> Person {
    let request = RequestId::random(app.chance()).unwrap();
    let opened = app.demonstration_session(&request, &Login::parse(login).unwrap()).unwrap();
    Person { call: app.call_of(&opened).unwrap(), assignment: opened.assignment.unwrap() }
}

fn again(app: &App, person: &Person) -> Call {
    Call {
        request: RequestId::random(app.chance()).unwrap(),
        token: person.call.token.clone(),
        assignment: None,
        idempotency: None,
    }
}

/// Samira's 200 items, shared with Claire by their category.
fn fill(app: &App, pathway: &PathwayId, samira: &Person, claire: &Person) {
    for n in 0..ITEMS {
        let fact = format!(
            "A repris les cours le matin, semaine {n} ; vient à l'aide aux devoirs le mardi et le jeudi"
        );
        let item = input(json!({
            "label": format!("Collège, semaine {n}"),
            "content": { "category": "schooling", "fact": fact, "source": "observed" },
        }));
        app.item_write(&again(app, samira), pathway, &item).unwrap();
    }
    let facts = app.store().snapshot().unwrap().pathway_facts(pathway).unwrap().unwrap();
    let place: &ParticipationId =
        &facts.participations.iter().find(|p| p.assignment.id == claire.assignment).unwrap().id;
    let share = input(json!({
        "purpose": "coordination", "last_day": "2027-04-01", "category": "schooling", "recipients": [place],
    }));
    app.share_create(&again(app, samira), pathway, &share).unwrap();
}

/// One page of what Claire reads, decided and recorded. Returns how many words it showed, and the next page.
fn page(app: &App, claire: &Person, pathway: &PathwayId, cursor: Option<&str>) -> (usize, Option<String>) {
    let query = ItemsQuery {
        purpose: Some(Purpose::Coordination),
        category: Some(Category::Schooling),
        kind: None,
        own: false,
        fill: Fill::Rows,
        cursor,
    };
    let list = app.items(&again(app, claire), pathway, query).unwrap().into_inner();
    (list.items.len(), list.next)
}

/// The same rows and the same keys, of everything that a page needs; nothing is judged, nothing recorded.
fn floor(
    app: &App,
    conn: &mut SqliteConnection,
    claire: &Person,
    pathway: &PathwayId,
    skip: usize,
    many: usize,
) {
    let mut s = app.store().snapshot().unwrap();
    assert!(s.log_last_time().unwrap().is_some());
    let session = s.session_by_token(&claire.call.token).unwrap().unwrap();
    let known = s.professional_fetch(&session.professional).unwrap();
    let posted = s.assignment_fetch(&claire.assignment).unwrap();
    let book = app.book(&mut s).unwrap();
    let facts = s.pathway_facts(pathway).unwrap().unwrap();
    let key = s.pathway_key(pathway).unwrap();
    let ids: Vec<&str> = facts
        .items
        .iter()
        .rev()
        .filter(|i| i.category == Category::Schooling)
        .filter_map(|i| i.current())
        .map(|v| v.id.as_str())
        .skip(skip)
        .take(many)
        .collect();
    let rows: Vec<(String, Option<Vec<u8>>)> = item_version::table
        .filter(item_version::pathway.eq(pathway.as_str()))
        .filter(item_version::id.eq_any(&ids))
        .select((item_version::id, item_version::body))
        .load(conn)
        .unwrap();
    assert_eq!(rows.len(), ids.len());
    for (id, body) in &rows {
        let place = Place { table: "item_version", row: id, column: "body", version: 0 };
        let words = key.open(place, body.as_ref().unwrap()).unwrap();
        assert!(words.len() > 40);
    }
    // Who wrote them, as the page names them.
    let author = &facts.participations.first().unwrap().assignment.professional;
    assert!(s.professional_fetch(author).unwrap().is_some());
    drop((known, posted, book));
}

/// Rounds of ours and of the floor in turn, by the clock and by processor time.
fn beside(what: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let (mut clock, mut cpu) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        let before = processor();
        clock.0.push(per_call(1, &mut ours));
        let between = processor();
        clock.1.push(per_call(1, &mut theirs));
        let after = processor();
        cpu.0.push(nanoseconds(between.saturating_sub(before)));
        cpu.1.push(nanoseconds(after.saturating_sub(between)));
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.iter().map(|_| 1.0).sum::<f64>();
    let ratios: Vec<f64> = clock.0.iter().zip(&clock.1).map(|(a, b)| a / b).collect();
    let processor = mean(&cpu.0) / mean(&cpu.1);
    let (a, b, r) = (Spread::of(clock.0), Spread::of(clock.1), Spread::of(ratios));
    println!(
        "| {what} | {} | {} | {:.2} ({:.2} – {:.2}) | {:.2} |",
        human(a.median),
        human(b.median),
        r.median,
        r.min,
        r.max,
        processor
    );
}

fn main() {
    let parent = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let folder = parent.path().join("demo");
    let clock = Arc::new(ManualClock::new(MADE));
    let chance = Arc::new(SystemChance::new());
    let settings = Settings::read(&folder, &BTreeMap::new()).unwrap();
    let known =
        demo::create(&folder, &settings, clock.clone(), chance.clone(), &mut std::io::sink()).unwrap();
    let kek = FileKek::open(&folder.join(DEMO_KEK_FILE), KekPlacement::Demonstration).unwrap();
    let path = folder.join("relais.db");
    let address = DatabaseAddress::Sqlite(path.clone());
    let store = Store::open(&address, InstanceKind::Demo, Keyring::new(Arc::new(kek))).unwrap();
    let (app, lane) = assemble(store, Witnesses::default(), clock, chance).unwrap();
    let told = known.pathways.iter().find(|t| t.story.starts_with("Yanis")).unwrap();
    let pathway = PathwayId::parse(&told.id).unwrap();
    let (samira, claire) = (person(&app, "samira.haddad"), person(&app, "claire.morel"));
    fill(&app, &pathway, &samira, &claire);

    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;").unwrap();
    let (shown, next) = page(&app, &claire, &pathway, None);
    assert!(next.is_some(), "there is a second page");
    let before = app.lane().stats().records;
    println!(
        "| of {ITEMS} items | ours | floor | ratio by the clock, median (smallest – largest) | ratio by processor time |"
    );
    println!("|---|---|---|---|---|");
    beside(
        &format!("the first page, {shown} items"),
        || assert_eq!(page(&app, &claire, &pathway, None).0, shown),
        || floor(&app, &mut conn, &claire, &pathway, 0, shown),
    );
    let to_the_end = || {
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let (shown, next) = page(&app, &claire, &pathway, cursor.as_deref());
            pages.push(shown);
            cursor = next;
            if cursor.is_none() {
                return pages;
            }
        }
    };
    // The story has an item or two of its own beside the two hundred.
    let pages = to_the_end();
    let all: usize = pages.iter().sum();
    assert!((ITEMS..ITEMS + 10).contains(&all), "{pages:?}");
    beside(
        &format!("all of them ({all}), in {} pages", pages.len()),
        || assert_eq!(to_the_end(), pages),
        || {
            let mut skip = 0;
            for many in &pages {
                floor(&app, &mut conn, &claire, &pathway, skip, *many);
                skip += many;
            }
        },
    );
    let export = || {
        let all = app.own_writings(&again(&app, &samira), &pathway, Fill::Whole, None);
        all.unwrap().into_inner().items.len()
    };
    assert!(export() >= ITEMS);
    beside(
        "the author's own writings, in one answer",
        || assert!(export() >= ITEMS),
        || floor(&app, &mut conn, &samira, &pathway, 0, ITEMS),
    );
    assert!(app.lane().stats().records > before, "every page left its record");
    drop(app);
    lane.stop();
}
