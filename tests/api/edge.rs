//! What comes before any service: no session, unknown addresses, broken input, the wrong protocol, the end of the
//! process.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use relais::clock::{Clock, ManualClock};
use relais::crypto::SystemChance;
use relais::crypto::token::SessionToken;
use relais::startup::StartupError;
use relais::web::route::{Door, Route};
use relais::web::routes;

use crate::support::{self, START, TestServer};

/// A token of the right form that opens nothing.
fn forged() -> String {
    SessionToken::generate(&SystemChance::new()).unwrap().reveal().to_string()
}

fn behind_a_session() -> Vec<(Route, String)> {
    routes::api()
        .into_iter()
        .filter(|r| r.door == Door::Session)
        .map(|r| {
            let path =
                r.path.split('/').map(|s| if s.starts_with('{') { "aaaaaaaaaaaaaaaaaaaaaaaaaa" } else { s });
            let path = path.collect::<Vec<_>>().join("/");
            (r, path)
        })
        .collect()
}

/// How many records the log has.
fn records(server: &TestServer) -> u64 {
    server.app.lane().stats().records
}

#[test]
fn health_answers_without_a_record() {
    let server = TestServer::start();
    let client = server.client();
    assert_eq!(client.get("/health/live").status, 200);
    assert_eq!(client.get("/health/ready").status, 200);
    assert_eq!(client.get("/nothing/here").status, 404);
    assert_eq!(client.send("PATCH", "/health/live", None).status, 405);
    assert_eq!(client.send("PATCH", "/health/live", None).header("allow"), Some("GET"));
    assert_eq!(records(&server), 0);
}

#[test]
fn without_a_session_everything_is_the_same_401_before_anything_is_looked_at() {
    let server = TestServer::start();
    let mut bodies = BTreeSet::new();
    let plain = server.client();
    for (route, path) in behind_a_session() {
        let at = format!("{} {path}", route.method.name());
        for client in [
            plain.clone(),
            plain.clone().bearer("x"),
            plain.clone().with("Authorization", "Basic eA=="),
            plain.clone().with("Cookie", "__Host-relais=x"),
            // Of the right form, and unknown: the snapshot says so.
            plain.clone().bearer(&forged()),
        ] {
            let reply = client.send(route.method.name(), &path, None);
            assert_eq!(reply.status, 401, "{at}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{at}");
            bodies.insert(reply.body);
        }
        // A body that would be refused changes nothing: the session comes first.
        let reply = plain.clone().bearer(&forged()).send(route.method.name(), &format!("{path}?x=%FF"), None);
        assert_eq!(reply.status, 401, "{at}");
    }
    assert_eq!(bodies.len(), 1, "one body for all");
}

#[test]
fn large_bodies_are_refused_with_an_answer_whoever_sends_them() {
    let server = TestServer::start();
    let ten = vec![b' '; 10 * 1024 * 1024];
    let client = server.client().with("Content-Type", "application/json");
    assert_eq!(client.send("POST", "/nothing", Some(&ten)).status, 404);
    for (route, path) in behind_a_session().into_iter().filter(|(r, _)| r.body.is_some()).take(2) {
        assert_eq!(client.send(route.method.name(), &path, Some(&ten)).status, 401);
    }
    for route in routes::api().into_iter().filter(|r| r.door == Door::Open && r.body.is_some()) {
        let reply = client.send(route.method.name(), route.path, Some(&ten));
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"), "{}", route.path);
    }
    assert_eq!(server.client().get("/health/live").status, 200);
}

#[test]
fn queries_are_strict_and_nothing_of_them_is_repeated() {
    let server = TestServer::start();
    let client = server.client();
    for query in ["x=1", "x=%FF", "%4c%c3%a9a=1", "x=1&x=2", "x=%0"] {
        let reply = client.get(&format!("/health/live?{query}"));
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{query}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("Léa"), "{query}");
    }
    assert_eq!(client.get("/%FF%FE").status, 404);
}

#[test]
fn open_doors_take_json_only() {
    let server = TestServer::start();
    for route in routes::api().into_iter().filter(|r| r.door == Door::Open && r.body.is_some()) {
        let form = server.client().with("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(form.send(route.method.name(), route.path, Some(b"a=b")).status, 415, "{}", route.path);
        let json = server.client().with("Content-Type", "application/json");
        for broken in [&b"{"[..], b"[]", b"\xff", b"{\"nothing_like_that\":1}", b"null"] {
            let reply = json.send(route.method.name(), route.path, Some(broken));
            assert_eq!(reply.status, 422, "{} {}", route.path, String::from_utf8_lossy(broken));
        }
    }
    let nothing = serde_json::json!({});
    for reply in
        [server.client().post("/health/live", &nothing), server.client().put("/health/live", &nothing)]
    {
        assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"));
    }
}

#[test]
fn plain_http_gets_no_answer() {
    let server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn requests_without_a_session_are_counted_one_leaf_a_minute() {
    let mut server = TestServer::start();
    let Some((route, path)) = behind_a_session().into_iter().next() else { return };
    let client = server.client();
    let knock = || assert_eq!(client.send(route.method.name(), &path, None).status, 401);
    for _ in 0..5 {
        knock();
    }
    assert_eq!(records(&server), 0);
    server.advance(61);
    knock();
    // Handed over on another thread. A stop that comes first would write both minutes as one.
    for _ in 0..1000 {
        if records(&server) >= 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let stats = {
        let app = std::sync::Arc::clone(&server.app);
        server.stop().unwrap();
        app.lane().stats()
    };
    // The making of the year's pseudonym key, the five, and the one of the second minute.
    assert_eq!(stats.records, 3);
}

#[test]
fn a_second_server_on_the_same_folder_and_a_port_in_use_are_refused_in_words() {
    let server = TestServer::start();
    let clock = std::sync::Arc::new(ManualClock::new(START));
    let again = support::build(&support::settings(server.folder.path()), &clock);
    assert!(matches!(again.err().unwrap(), StartupError::Locked(_)));
    let other = tempfile::tempdir().unwrap();
    let mut settings = support::create(other.path());
    settings.listen = server.address;
    let error = support::build(&settings, &clock).err().unwrap();
    assert!(matches!(error, StartupError::PortInUse { .. }), "{error}");
    assert!(error.to_string().contains("déjà utilisée"), "{error}");
    // The refused start left nothing behind: the same folder starts on another port.
    settings.listen = "127.0.0.1:0".parse().unwrap();
    drop(support::build(&settings, &clock).unwrap());
}

#[test]
fn a_server_stops_and_starts_again_on_the_same_folder() {
    let mut server = TestServer::start();
    let client = server.client();
    assert_eq!(client.get("/health/ready").status, 200);
    server.stop().unwrap();
    let clock = std::sync::Arc::new(ManualClock::new(server.clock.now()));
    drop(support::build(&support::settings(server.folder.path()), &clock).unwrap());
}

#[test]
fn starts_that_would_guess_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let clock = std::sync::Arc::new(ManualClock::new(START));
    let refused = |settings: &relais::config::Settings| support::build(settings, &clock).err().unwrap();

    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&support::settings(&folder.path().join("none"))), StartupError::NoData(_)));
    assert!(matches!(refused(&support::settings(folder.path())), StartupError::Certificate { .. }));

    let settings = support::create(folder.path());
    std::fs::set_permissions(&settings.certificate_key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(refused(&settings), StartupError::KeyMode { mode: 0o644, .. }));
    std::fs::set_permissions(&settings.certificate_key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let kek = folder.path().join(relais::startup::DEMO_KEK_FILE);
    std::fs::rename(&kek, folder.path().join("aside")).unwrap();
    assert!(matches!(refused(&settings), StartupError::Kek(_)));
    std::fs::rename(folder.path().join("aside"), &kek).unwrap();

    let database = folder.path().join("relais.db");
    std::fs::rename(&database, folder.path().join("aside")).unwrap();
    assert!(matches!(refused(&settings), StartupError::NoDatabase(_)));
    std::fs::rename(folder.path().join("aside"), &database).unwrap();
    drop(support::build(&settings, &clock).unwrap());
}
