//! The way of a request, over a table of routes made for these tests and a real application.

use actix_web::body::to_bytes;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App as Web, http};
use serde::Deserialize;

use super::*;
use crate::access::CharterBook;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::PathwayId;
use crate::service::testing::Territory;
use crate::web::request::BODY_LIMIT;
use crate::web::route::{Method, described};
use crate::web::server::configure;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    word: String,
}

fn echo(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let asked: Asked = incoming.json()?;
    let _pathway = incoming.id("pathway", PathwayId::parse)?;
    let shown = app.read_desk(incoming.call()?, incoming.act, |_| Ok(asked.word.len()))?;
    Answer::disclosed(&shown)
}

fn look(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let _pathway = incoming.id("pathway", PathwayId::parse)?;
    let refused = |_: &mut crate::service::Desk<'_>| -> Result<usize, ServiceError> {
        Err(ServiceError::AbsentOrRefused)
    };
    Answer::disclosed(&app.read_desk(incoming.call()?, incoming.act, refused)?)
}

fn count_charters(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let shown = app.read_desk(incoming.call()?, incoming.act, |desk| {
        let book: &CharterBook = desk.book;
        Ok(book.version())
    })?;
    Answer::disclosed(&shown)
}

fn falls(_: &App, _: &Incoming) -> Result<Answer, Fault> {
    panic!("as this test wants");
}

fn table() -> Vec<Route> {
    let row = |method, path, body, handle| Route {
        method,
        path,
        door: Door::Session,
        action: Action::Read,
        resource: ResourceKind::Item,
        summary: "A test",
        query: &["from"],
        body,
        answer: None,
        handle,
    };
    vec![
        row(Method::Post, "/api/t/{pathway}/echo", Some(described::<Asked>("Asked")), echo),
        row(Method::Get, "/api/t/{pathway}", None, look),
        row(Method::Get, "/api/t/charters", None, count_charters),
        row(Method::Post, "/api/t/falls", None, falls),
    ]
}

/// What came back: status, headers by name, body.
struct Back {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Back {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        json["code"].as_str().unwrap().to_owned()
    }
}

/// Sends requests to one application, one after the other, and says how many records each of them left.
fn sent(territory: &Territory, requests: Vec<TestRequest>) -> Vec<(Back, u64)> {
    actix_web::rt::System::new().block_on(async {
        let shared =
            Arc::new(Shared { app: Arc::clone(&territory.app), routes: table(), demonstration: None });
        let service = init_service(Web::new().configure(move |c| configure(c, &shared))).await;
        // The first record of a class in a year makes the key of its pseudonyms, which is recorded too.
        drop(call_service(&service, get(territory, "/api/t/charters").to_request()).await);
        let mut backs = Vec::new();
        for request in requests {
            let before = territory.app.lane().stats().records;
            let response = call_service(&service, request.to_request()).await;
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap().to_owned()))
                .collect();
            let body =
                to_bytes(response.into_body()).await.map_or_else(|_| panic!("no body"), |b| b.to_vec());
            backs.push((Back { status, headers, body }, territory.app.lane().stats().records - before));
        }
        backs
    })
}

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

fn echo_request(territory: &Territory, body: &str) -> TestRequest {
    TestRequest::post()
        .uri(&format!("/api/t/{ID}/echo"))
        .insert_header(("authorization", format!("Bearer {}", territory.person("referente").bearer)))
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned())
}

fn get(territory: &Territory, path: &str) -> TestRequest {
    TestRequest::get()
        .uri(path)
        .insert_header(("authorization", format!("Bearer {}", territory.person("referente").bearer)))
}

#[test]
fn whatever_a_session_sends_leaves_exactly_one_record() {
    let territory = Territory::new();
    let t = &territory;
    let large = format!("{{\"word\":\"{}\"}}", "x".repeat(BODY_LIMIT));
    let good = "{\"word\":\"abc\"}";
    let cases: Vec<(TestRequest, u16, &str)> = vec![
        (echo_request(t, good), 200, ""),
        (echo_request(t, "{"), 422, "invalid"),
        (echo_request(t, "{\"word\":\"a\",\"other\":1}"), 422, "invalid"),
        (echo_request(t, "{\"word\":\"a\"} {}"), 422, "invalid"),
        (echo_request(t, &large), 413, "body_too_large"),
        (echo_request(t, good).insert_header(("content-type", "text/plain")), 415, "body_not_json"),
        (echo_request(t, good).insert_header(("idempotency-key", "a b")), 422, "invalid"),
        (echo_request(t, good).insert_header(("if-match", "abc")), 422, "invalid"),
        (echo_request(t, good).insert_header(("if-match", "\"abc\"")), 422, "if_match_not_read"),
        (echo_request(t, good).insert_header(("if-match", "*")), 422, "if_match_not_read"),
        (echo_request(t, good).insert_header(("relais-assignment", "abc")), 422, "invalid"),
        (echo_request(t, good).uri(&format!("/api/t/{ID}/echo?x=1")), 422, "invalid"),
        (echo_request(t, good).uri("/api/t/not-an-id/echo"), 404, "not_found"),
        (get(t, &format!("/api/t/{ID}")), 404, "not_found"),
        (get(t, "/api/t/charters"), 200, ""),
        (echo_request(t, "").uri("/api/t/falls"), 500, "internal"),
        (echo_request(t, good).uri("/api/t/falls"), 422, "body_unexpected"),
    ];
    let (requests, expected): (Vec<_>, Vec<_>) = cases.into_iter().map(|(r, s, c)| (r, (s, c))).unzip();
    for (at, ((back, records), (status, code))) in sent(t, requests).into_iter().zip(expected).enumerate() {
        assert_eq!(back.status, status, "case {at}: {}", String::from_utf8_lossy(&back.body));
        if !code.is_empty() {
            assert_eq!(back.code(), code, "case {at}");
        }
        assert_eq!(records, 1, "case {at}: {status} {code}");
    }
}

#[test]
fn refused_absent_and_malformed_are_the_same_bytes() {
    let territory = Territory::new();
    let paths = [
        format!("/api/t/{ID}"),
        "/api/t/not-an-id".to_owned(),
        "/api/t/%FF".to_owned(),
        "/api/unknown".to_owned(),
    ];
    let requests = paths.iter().map(|p| get(&territory, p)).collect();
    let backs: Vec<_> = sent(&territory, requests).into_iter().map(|(back, _)| back).collect();
    for back in &backs {
        assert_eq!(back.status, 404);
        assert_eq!(back.body, backs[0].body);
        let names = |b: &Back| -> Vec<(String, String)> {
            b.headers.iter().filter(|(n, _)| n != "relais-request").cloned().collect()
        };
        assert_eq!(names(back), names(&backs[0]));
    }
}

#[test]
fn a_cookie_changes_something_only_from_our_own_pages() {
    let territory = Territory::new();
    let t = &territory;
    let under_cookie = || {
        TestRequest::post()
            .uri(&format!("/api/t/{ID}/echo"))
            .insert_header(("cookie", format!("__Host-relais={}", t.person("referente").bearer)))
            .insert_header(("content-type", "application/json"))
            .insert_header(("host", "localhost:8443"))
            .set_payload("{\"word\":\"abc\"}")
    };
    let cases = vec![
        (under_cookie().insert_header(("sec-fetch-site", "same-origin")), 200),
        (under_cookie().insert_header(("origin", "https://localhost:8443")), 200),
        (under_cookie().insert_header(("sec-fetch-site", "cross-site")), 403),
        (under_cookie().insert_header(("origin", "https://evil.example")), 403),
        (under_cookie(), 403),
        (under_cookie().method(http::Method::GET).uri("/api/t/charters").set_payload(""), 200),
    ];
    let (requests, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    for (at, ((back, records), status)) in sent(t, requests).into_iter().zip(expected).enumerate() {
        assert_eq!(back.status, status, "case {at}: {}", String::from_utf8_lossy(&back.body));
        assert_eq!(records, 1, "case {at}");
        if status == 403 {
            assert_eq!(back.code(), "cross_site_request", "case {at}");
        }
    }
}

#[test]
fn entity_tags_are_for_one_session() {
    let territory = Territory::new();
    let other = format!("Bearer {}", territory.person("outsider").bearer);
    let requests = vec![
        get(&territory, "/api/t/charters"),
        get(&territory, "/api/t/charters"),
        TestRequest::get().uri("/api/t/charters").insert_header(("authorization", other)),
    ];
    let backs: Vec<_> = sent(&territory, requests).into_iter().map(|(back, _)| back).collect();
    assert_eq!(backs[0].body, backs[2].body);
    assert_eq!(backs[0].header("etag"), backs[1].header("etag"));
    assert!(backs[0].header("etag").is_some());
    assert_ne!(backs[0].header("etag"), backs[2].header("etag"));
}

#[test]
fn an_incident_number_names_the_request_and_stands_on_5xx_only() {
    let territory = Territory::new();
    let backs = sent(
        &territory,
        vec![
            echo_request(&territory, "").uri("/api/t/falls"),
            get(&territory, "/api/unknown"),
            TestRequest::get().uri("/api/t/charters"),
        ],
    );
    let json: serde_json::Value = serde_json::from_slice(&backs[0].0.body).unwrap();
    assert_eq!(json["incident"].as_str(), backs[0].0.header("relais-request"));
    for (back, _) in &backs[1..] {
        assert!(!String::from_utf8_lossy(&back.body).contains("incident"));
    }
    assert_eq!((backs[2].0.status, backs[2].1), (401, 0));
}

#[test]
fn cursors_and_preconditions_hold_for_one_session_and_query() {
    let territory = Territory::new();
    let app = &territory.app;
    let (one, other) = (territory.call("referente"), territory.call("outsider"));
    let cursor = app.seal_cursor(&one, b"items", b"17").unwrap();
    assert_eq!(app.open_cursor(&one, b"items", &cursor).unwrap().as_slice(), b"17");
    for opened in [
        app.open_cursor(&other, b"items", &cursor),
        app.open_cursor(&one, b"items?category=family", &cursor),
        app.open_cursor(&one, b"items", "x"),
    ] {
        assert!(matches!(opened, Err(ServiceError::Invalid(_))));
    }
    let tag = app.tag(Some(&one), b"item:1:3");
    assert!(app.check_if_match(&one, None, b"item:1:3").is_ok());
    assert!(app.check_if_match(&one, Some(&tag), b"item:1:3").is_ok());
    for (call, shown) in [(&one, &b"item:1:4"[..]), (&other, b"item:1:3")] {
        assert!(matches!(app.check_if_match(call, Some(&tag), shown), Err(ServiceError::PreconditionFailed)));
    }
}
