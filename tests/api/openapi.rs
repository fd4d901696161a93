//! The OpenAPI document is reviewed: it stands in `docs/openapi.json`, and this fails when it drifts. After a change that
//! was meant, `RELAIS_BLESS=1 cargo test --test api openapi` writes it anew.

use std::path::Path;

use relais::domain::record::Action;
use relais::domain::vocabulary::Purpose;

use crate::support::TestServer;

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let made = relais::web::openapi::document().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var_os("RELAIS_BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == reviewed,
        "docs/openapi.json has drifted from the table of routes: run `RELAIS_BLESS=1 cargo test --test api openapi` and review the change"
    );
}

#[test]
fn the_server_serves_it() {
    let server = TestServer::start();
    let reply = server.client().get("/api/v1/openapi.json");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.body, relais::web::openapi::document().unwrap().as_bytes());
}

/// Every list of words under this value.
fn words(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("enum", serde_json::Value::Array(list)) => {
                        into.extend(list.iter().filter_map(|word| word.as_str().map(str::to_owned)));
                    }
                    (_, member) => words(member, into),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|one| words(one, into)),
        _plain => {}
    }
}

#[test]
fn it_lists_the_words_that_the_api_speaks() {
    let document: serde_json::Value =
        serde_json::from_str(relais::web::openapi::document().unwrap()).unwrap();
    let listed = |name: &str| {
        let mut all = Vec::new();
        words(&document["components"]["schemas"][name], &mut all);
        all
    };
    let codes: Vec<&str> = Purpose::ALL.iter().map(|p| p.code()).collect();
    assert_eq!(listed("Purpose"), codes);
    let codes: Vec<&str> = Action::ALL.iter().map(|a| a.code()).collect();
    assert_eq!(listed("Action"), codes);
    // A name of the code where a word of the API should be: a client would send it, and be refused.
    let mut all = Vec::new();
    words(&document, &mut all);
    let foreign: Vec<_> = all.iter().filter(|word| word.chars().any(char::is_uppercase)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}
