//! The OpenAPI document is reviewed: it stands in `docs/openapi.json`, and this fails when it drifts. After a change that
//! was meant, `RELAIS_BLESS=1 cargo test --test api openapi` writes it anew.

use std::path::Path;

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
