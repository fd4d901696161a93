//! What a program adds to a change: « only if it is still what I read », and « once, however often I send it ».

use relais::clock::Clock;
use serde_json::{Value, json};

use super::stories_world::*;

const DAY: i64 = 86_400;

#[test]
fn a_correction_of_what_was_corrected_meanwhile_is_refused_and_changes_nothing() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let item = s.fact(NADIA, &p, "schooling", "Vient le lundi");
    let at = format!("/api/v1/items/{}", item.item);
    let tag = |login: &str| s.get(login, &at).header("etag").unwrap().to_owned();
    let correct = |tag: &str, day: &str| {
        let content = json!({ "category": "schooling", "fact": day, "source": "observed" });
        let body = json!({ "label": "Un fait", "content": content, "valid_until": null });
        s.of(NADIA).with("If-Match", tag).post(&format!("{at}/versions"), &body)
    };
    let read = tag(NADIA);
    assert_eq!(correct(&read, "Vient le mardi").status, 201);
    let before = s.read(NADIA, &at);
    let late = correct(&read, "Vient le jeudi");
    assert_eq!((late.status, late.code().as_str()), (412, "precondition_failed"), "{}", text(&late));
    assert!(late.json()["detail"].as_str().unwrap().contains("rechargez"), "{}", text(&late));
    assert_eq!(s.read(NADIA, &at), before, "nothing was changed");
    assert_eq!(correct(&tag(NADIA), "Vient le jeudi").status, 201, "read again, and then corrected");
    // « Whatever is there » names no version.
    let any = correct("*", "Vient le samedi");
    assert_eq!((any.status, &any.json()["errors"][0]["path"]), (422, &json!("If-Match")), "{}", text(&any));
}

#[test]
fn if_match_is_told_of_in_the_document_where_it_is_read_and_nowhere_else() {
    let document: Value = serde_json::from_str(relais::web::openapi::document().unwrap()).unwrap();
    let mut told = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            if let Some(header) = parameters.iter().find(|p| p["name"] == "If-Match") {
                assert_eq!((&header["in"], &header["required"]), (&json!("header"), &json!(true)), "{path}");
                told.push(format!("{method} {path}"));
            }
        }
    }
    assert_eq!(told, ["post /api/v1/items/{item}/versions"]);
}

#[test]
fn a_key_stands_for_one_act_and_for_24_hours() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let path = format!("/api/v1/pathways/{p}/notes");
    let send =
        |words: &str| s.of(NADIA).with("Idempotency-Key", "note-1").post(&path, &json!({ "text": words }));
    let notes = || s.read(NADIA, &path)["items"].as_array().unwrap().len();
    let (first, again) = (send("À rappeler mardi"), send("À rappeler mardi"));
    assert_eq!((first.status, again.status), (201, 201), "{}", text(&again));
    assert_eq!((first.json(), notes()), (again.json(), 1), "done once");

    let other = send("À rappeler jeudi");
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"), "{}", text(&other));
    let elsewhere = s.open(NADIA, "Maya", "2011-04-20");
    let elsewhere = format!("/api/v1/pathways/{elsewhere}/notes");
    let body = json!({ "text": "À rappeler mardi" });
    let moved = s.of(NADIA).with("Idempotency-Key", "note-1").post(&elsewhere, &body);
    assert_eq!(moved.code(), "idempotency_key_reused", "the same words at another address are another act");
    assert_eq!(notes(), 1, "nothing was written");
    // A colleague's key is another key.
    let marc = s.of(MARC).with("Idempotency-Key", "note-1").post(&path, &body);
    assert_eq!(marc.status, 404, "{}", text(&marc));

    let began = s.server.clock.now();
    s.go(began.plus_seconds(DAY - 60));
    assert_eq!(send("À rappeler mardi").json(), first.json(), "a minute before");
    assert_eq!(notes(), 1);
    s.go(began.plus_seconds(DAY + 60));
    let anew = send("À rappeler mardi");
    assert_eq!(anew.status, 201, "{}", text(&anew));
    assert_ne!(anew.json(), first.json(), "a day later it is a new act");
    assert_eq!(notes(), 2);
    assert_eq!(send("À rappeler mardi").json(), anew.json(), "and the key stands for that one");
    assert_eq!(send("À rappeler jeudi").code(), "idempotency_key_reused");
}
