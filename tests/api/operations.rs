//! What an operator watches: measures on a listener of their own, readiness, room on the disk, checkpoints under load and
//! at the stop.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use relais::audit::Job;
use relais::audit::lane::Priority;
use relais::clock::ManualClock;
use relais::crypto::SystemChance;
use relais::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use relais::ids::RequestId;
use relais::service::App;
use serde_json::json;

use crate::support::{self, START, TestServer};

/// Waits until this holds; panics after ten seconds.
fn wait(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited for: {what}");
}

/// One request in plain text, as a scraper sends it.
fn scraped(address: SocketAddr, request: &str, host: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("`{name}` is not in:\n{text}")).parse().unwrap()
}

fn something(app: &App) {
    let draft = RecordDraft::new(
        RequestId::random(&SystemChance::new()).unwrap(),
        RetentionClass::Technical,
        Action::Maintain,
        ResourceKind::Instance,
        Verdict::Permit,
    );
    let record = app.prepare(&draft, None).unwrap();
    app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
}

fn size(app: &App) -> u64 {
    app.store().snapshot().unwrap().log_frontier().unwrap().size()
}

/// The size of the last checkpoint.
fn signed(app: &App) -> u64 {
    let last = app.store().snapshot().unwrap().checkpoint_latest().unwrap();
    last.map_or(0, |checkpoint| u64::try_from(checkpoint.size).unwrap())
}

fn ticking(change: impl FnOnce(&mut relais::config::Settings)) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = support::create(folder.path());
    change(&mut settings);
    let clock = Arc::new(ManualClock::new(START));
    let mut application = support::build(&settings, &clock).unwrap();
    application.tick = Duration::from_millis(20);
    TestServer::run(folder, application, clock)
}

#[test]
fn measures_are_given_on_their_own_listener_to_this_machine_only() {
    let mut server = ticking(|settings| settings.metrics = Some("127.0.0.1:0".parse().unwrap()));
    let address = server.metrics.unwrap();
    assert_ne!(address, server.address);
    for _ in 0..3 {
        something(&server.app);
    }
    wait("every job has run once", || {
        scraped(address, "GET /metrics", "localhost")
            .2
            .contains("job_success_age_seconds{task=\"witnesses\"}")
    });
    let before = size(&server.app);
    let (status, head, text) = scraped(address, "GET /metrics", &address.to_string());
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert_eq!(size(&server.app), before, "being measured is not recorded");
    assert!(value(&text, "relais_log_records") >= 3.0);
    assert_eq!(value(&text, "relais_lane_capacity"), 1024.0);
    assert_eq!(value(&text, "relais_database_up"), 1.0);
    assert!(value(&text, "relais_lane_batch_jobs_count") >= 3.0);
    assert!(value(&text, "relais_disk_free_bytes") > 0.0);
    server.advance(25);
    let (_, _, text) = scraped(address, "GET /metrics", "127.0.0.1");
    assert_eq!(value(&text, "relais_job_age_seconds{task=\"checkpoints\"}"), 25.0);
    // No label but the places of this program's own lists.
    for line in text.lines().filter(|line| line.contains('{')) {
        let label = line.split('{').nth(1).unwrap().split('=').next().unwrap();
        assert!(["le", "task", "witness"].contains(&label), "{line}");
    }
    // Nothing else is there, and nobody who was led here by another name is answered.
    for (request, host) in [
        ("GET /metrics", "evil.example"),
        ("GET /", "localhost"),
        ("GET /health/ready", "localhost"),
        ("GET /api/v1/openapi.json", "localhost"),
    ] {
        assert_eq!(scraped(address, request, host).0, 404, "{request} {host}");
    }
    assert_eq!(scraped(address, "POST /metrics", "localhost").0, 405);
    server.stop().unwrap();
    assert!(TcpStream::connect(address).is_err(), "it ends with the server");
}

#[test]
fn the_public_listener_knows_no_measures() {
    let server = TestServer::start();
    assert_eq!(server.metrics, None, "off unless the settings say so");
    let client = server.client();
    let (asked, unknown) = (client.get("/metrics"), client.get("/nothing-here"));
    assert_eq!((asked.status, unknown.status), (404, 404));
    assert_eq!(asked.header("content-type"), unknown.header("content-type"));
    let text = |reply: &support::Reply| String::from_utf8_lossy(&reply.body).into_owned();
    let id = |reply: &support::Reply| reply.header("relais-request").unwrap_or_default().to_owned();
    assert_eq!(text(&asked).replace(&id(&asked), ""), text(&unknown).replace(&id(&unknown), ""));
    assert!(!text(&asked).contains("relais_"));
    assert_eq!(size(&server.app), 0);
}

#[test]
fn without_room_nobody_new_signs_in_and_at_the_end_the_node_is_not_ready() {
    let wrong = json!({"login": "nobody", "password": "a long enough password", "code": "123456"});
    let begin = |headroom: Option<u64>| {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = support::create(folder.path());
        settings.disk_headroom = headroom.unwrap_or(settings.disk_headroom);
        let server = TestServer::start_in(folder, &settings, START);
        let client = server.client();
        let asked = client.post("/api/v1/sessions", &wrong);
        let ready = client.get("/health/ready");
        let said = String::from_utf8_lossy(&ready.body).into_owned();
        assert!(!said.contains("bytes"), "why is for the operator: {said}");
        (asked.status, ready.status, client.get("/health/live").status)
    };
    assert_eq!(begin(Some(0)), (401, 200, 200), "with room");
    // So much to be kept free that it is not there, while a quarter of it is.
    let there = {
        let server = TestServer::start();
        server.app.store().room().unwrap().unwrap()
    };
    assert_eq!(begin(Some(there.saturating_mul(2))), (503, 200, 200), "newcomers first");
    assert_eq!(begin(Some(u64::MAX)), (503, 503, 200));
}

#[test]
fn a_checkpoint_is_signed_each_minute_under_load_and_a_last_one_at_the_stop() {
    let mut server = ticking(|_| {});
    let app = Arc::clone(&server.app);
    let over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..3)
        .map(|_| {
            let (app, over) = (Arc::clone(&app), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    something(&app);
                }
            })
        })
        .collect();
    wait("the first, at the start", || signed(&app) > 0);
    for minute in 0..3 {
        let last = signed(&app);
        wait("load", || size(&app) > last + 30);
        // Not before the minute is over, however often it is looked at.
        server.advance(59);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(signed(&app), last, "minute {minute}");
        let there = size(&app);
        server.advance(1);
        wait("the checkpoint of the minute", || signed(&app) >= there);
    }
    let last = signed(&app);
    wait("load", || size(&app) > last + 30);
    over.store(true, Ordering::SeqCst);
    for one in load {
        one.join().unwrap();
    }
    server.stop().unwrap();
    assert_eq!(signed(&app), size(&app), "nothing is left that no checkpoint covers");
}
