//! The OpenAPI document is reviewed: it stands in `docs/openapi.json`, and this fails when it drifts. After a change that
//! was meant, `RELAIS_BLESS=1 cargo test --test api openapi` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;

use relais::domain::record::Action;
use relais::domain::vocabulary::Purpose;
use serde_json::Value;

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

/// What a request may hold without a bound of its own: an auditor's search, of which nothing is kept. Each is compared with
/// a form of its own (a pseudonym, an id, a code, a seal of ours) and refused otherwise.
const UNBOUNDED: [&str; 6] = [
    "RecordSearch.actor",
    "RecordSearch.cursor",
    "RecordSearch.organisation",
    "RecordSearch.pathway",
    "RecordSearch.rule",
    "ReviewSearch.cursor",
];

/// Strings and lists under this schema of a request that have no bound, by type and field.
fn unbounded(
    document: &Value,
    schema: &Value,
    name: &str,
    seen: &mut Vec<String>,
    into: &mut BTreeSet<String>,
) {
    if let Some(to) = schema["$ref"].as_str() {
        let named = to.rsplit('/').next().unwrap();
        let target = document.pointer(to.trim_start_matches('#')).unwrap();
        // A type of one string is known by the field that has it.
        if target.get("properties").is_none() && target.get("oneOf").is_none() {
            return unbounded(document, target, name, seen, into);
        }
        if !seen.iter().any(|s| s == named) {
            seen.push(named.to_owned());
            unbounded(document, target, named, seen, into);
        }
        return;
    }
    for variants in ["oneOf", "anyOf", "allOf"] {
        for variant in schema[variants].as_array().into_iter().flatten() {
            unbounded(document, variant, name, seen, into);
        }
    }
    let is = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|t| t.iter().any(|t| t == kind))
    };
    let has = |key: &str| schema.get(key).is_some();
    if is("array") {
        if !has("maxItems") {
            into.insert(name.to_owned());
        }
        unbounded(document, &schema["items"], name, seen, into);
    }
    if is("string") && !["maxLength", "format", "enum", "pattern"].into_iter().any(has) {
        into.insert(name.to_owned());
    }
    // Free keys, or an object of which nothing is said.
    if is("object") && !has("properties") {
        into.insert(name.to_owned());
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let owner = name.split('.').next().unwrap();
        unbounded(document, property, &format!("{owner}.{key}"), seen, into);
    }
}

#[test]
fn every_text_and_every_list_of_a_request_has_a_bound() {
    let document: Value = serde_json::from_str(relais::web::openapi::document().unwrap()).unwrap();
    let (mut seen, mut found) = (Vec::new(), BTreeSet::new());
    let mut bodies = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if let Some(body) = operation.get("requestBody") {
                let schema = &body["content"]["application/json"]["schema"];
                unbounded(&document, schema, &format!("{method} {path}"), &mut seen, &mut found);
                bodies += 1;
            }
        }
    }
    assert!(bodies > 60 && seen.len() > 60, "{bodies} bodies of {} types", seen.len());
    let excepted: BTreeSet<String> = UNBOUNDED.into_iter().map(str::to_owned).collect();
    assert_eq!(found, excepted, "give it `max_items` or `max_length`, and hold it where it is read");
}
