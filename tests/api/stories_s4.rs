//! S4, the auditor, through HTTPS: lists by everything that a record says, sees refusals and reads at night, never a
//! word nor a name; verifies the log, takes a checkpoint away and proves later that nothing before it changed.
//!
//! With a second person, one re-identification. Reviews are with emergency (S13).
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the story")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use relais::audit::note::VerifierKey;
use relais::audit::tree::verify_consistency;
use relais::audit::{SignedCheckpoint, TlogProof};
use relais::clock::Timestamp;
use relais::crypto::hash::Digest;
use serde_json::{Value, json};

use super::stories::camp;
use super::stories_world::*;

/// Every record that a search finds, page after page.
fn all(s: &Story, search: &Value) -> Vec<Value> {
    let (mut found, mut search) = (Vec::new(), search.clone());
    loop {
        let reply = s.post(IRENE, "/api/v1/audit/records/search", search.clone());
        assert_eq!(reply.status, 200, "{}", text(&reply));
        let page = reply.json();
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        if page["next"].is_null() {
            return found;
        }
        search["cursor"] = page["next"].clone();
    }
}

fn verify(data: &Path, more: &[&str]) -> (bool, String) {
    audit(data, &[&["verify"], more].concat())
}

pub fn audit(data: &Path, more: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_relais"))
        .arg("audit")
        .args(more)
        .env_clear()
        .env("RELAIS_DATA", data)
        .output()
        .unwrap();
    (
        done.status.success(),
        format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)),
    )
}

/// Today at 23:17 in Paris.
fn at_2317(s: &Story) -> Timestamp {
    Timestamp::paris_midnight(s.today()).plus_seconds(23 * 3600 + 17 * 60)
}

fn digest(text: &str) -> Digest {
    Digest::try_from(BASE64.decode(text.as_bytes()).unwrap().as_slice()).unwrap()
}

#[test]
fn story_s4_the_auditor_lists_by_what_a_record_says_and_reads_no_word() {
    let s = Story::begin();
    let c = camp(&s, CLAIRE);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    assert!(!s.reads(PAUL, &c.medicine, "coordination"), "another purpose");
    assert!(!s.reads(JULIE, &c.medicine, "coordination"), "a subject that is not hers");
    // At night.
    s.go(at_2317(&s));
    assert!(s.reads(PAUL, &c.coat, "stay"));
    s.go_days(1);

    let everything = all(&s, &json!({}));
    let reads = |search: Value| {
        let found = all(&s, &search);
        assert!(!found.is_empty(), "{search}");
        found
    };
    let mine = reads(json!({ "profession": "stay_organiser", "action": "read", "resource": "item" }));
    let pathway = mine[0]["pathway"].as_str().unwrap().to_owned();
    assert!(mine.iter().any(|r| r["decision"] == "permit") && mine.iter().any(|r| r["decision"] == "deny"));
    let town = s.own(PAUL)["organisation"].clone();
    for (field, search, is) in [
        ("organisation", json!({ "organisation": town }), json!(town)),
        ("profession", json!({ "profession": "teacher" }), json!("teacher")),
        ("pathway", json!({ "pathway": pathway }), json!(pathway)),
        ("purpose", json!({ "purpose": "stay" }), json!("stay")),
        ("decision", json!({ "decision": "deny" }), json!("deny")),
        ("action", json!({ "action": "share" }), json!("share")),
        ("resource", json!({ "resource": "accord" }), json!("accord")),
        ("categories", json!({ "category": "health_minimal" }), json!("health_minimal")),
    ] {
        let found = reads(search);
        assert!(found.len() < everything.len(), "{field} chooses");
        for record in &found {
            let value = match field {
                "organisation" => record[field]["id"].clone(),
                "categories" => {
                    record[field].as_array().unwrap().iter().find(|c| **c == is).cloned().unwrap_or_default()
                }
                _ => record[field].clone(),
            };
            assert_eq!(value, is, "{field}: {record}");
        }
        // And it leaves none out.
        let whole = everything.iter().filter(|r| match field {
            "organisation" => r[field]["id"] == is,
            "categories" => r[field].as_array().unwrap().contains(&is),
            _ => r[field] == is,
        });
        let whole: BTreeSet<u64> = whole.map(|r| r["index"].as_u64().unwrap()).collect();
        let found: BTreeSet<u64> = found.iter().map(|r| r["index"].as_u64().unwrap()).collect();
        assert!(whole.is_subset(&found), "{field}: {:?} left out", whole.difference(&found));
    }
    // By rule: the reason of a refusal, in words too.
    let rule = reads(json!({ "decision": "deny", "profession": "teacher", "resource": "item" }));
    let reason = rule[0]["reasons"][0].clone();
    let by_rule = reads(json!({ "reason": reason }));
    assert!(by_rule.iter().any(|r| r["index"] == rule[0]["index"]), "{reason}");
    assert!(rule[0]["sentence"].as_str().unwrap().ends_with('.'));
    // Out of hours: the time is told to the minute.
    assert!(
        reads(json!({ "profession": "stay_organiser", "action": "read", "decision": "permit" }))
            .iter()
            .any(|r| r["at"].as_str().unwrap().contains("T22:17:00")),
        "a read at 23:17 in Paris"
    );
    // No word, no name, no identifier of a person or pathway, in any record whole.
    let mut secrets: Vec<String> =
        ["Lina", "Carpentier", "Karima", "traitement", "vêtements", "Girard", "Morel", "0611223344"]
            .map(str::to_owned)
            .into();
    // What a decision rested on is cited by its id (accord, share, own item): never the pathway, a place or a person.
    secrets.extend([c.pathway.clone(), c.claire.clone()]);
    secrets.extend(logins().into_iter().map(str::to_owned));
    for who in [PAUL, CLAIRE, NADIA] {
        secrets.push(s.own(who)["id"].as_str().unwrap().to_owned());
    }
    let listed = serde_json::to_string(&all(&s, &json!({}))).unwrap();
    for secret in &secrets {
        assert!(!listed.contains(secret), "the list holds {secret}");
    }
    for record in reads(json!({ "pathway": pathway })).iter().take(40) {
        let whole = s.get(IRENE, &format!("/api/v1/audit/records/{}", record["index"]));
        assert_eq!(whole.status, 200);
        for secret in &secrets {
            assert!(!text(&whole).contains(secret), "{secret} in {}", text(&whole));
        }
    }
    // A cursor goes on with its own search only, and nobody else has one.
    let first = s.post(IRENE, "/api/v1/audit/records/search", json!({})).json();
    let other = json!({ "decision": "deny", "cursor": first["next"] });
    assert_eq!(s.refused(IRENE, "/api/v1/audit/records/search", other), "cursor_of_another_query");
    assert_eq!(s.post(NADIA, "/api/v1/audit/records/search", json!({})).status, 404);
    // What the auditor did is in the log as well.
    assert!(!reads(json!({ "profession": "auditor", "action": "search" })).is_empty());
    s.refused(IRENE, "/api/v1/audit/records/search", json!({ "actor": "Paul Girard" }));
}

#[test]
fn story_s4_a_checkpoint_taken_away_proves_later_that_nothing_before_it_changed() {
    let s = Story::begin();
    let c = camp(&s, CLAIRE);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    let data = s.server.folder.path().to_owned();
    let state = s.read(IRENE, "/api/v1/audit/state");
    let (origin, key) = (state["origin"].as_str().unwrap(), state["vkey"].as_str().unwrap());
    let keys = [VerifierKey::parse(key).unwrap()];
    // The receipt of one read, held against its body, without the server.
    let read = s.recorded("stay_organiser", "read", "item", "permit");
    let at = format!("/api/v1/audit/records/{}", read["index"]);
    let whole = s.read(IRENE, &at);
    let body = whole["body"].as_str().unwrap().to_owned();
    let receipt = TlogProof::parse(&text(&s.get(IRENE, &format!("{at}/proof")))).unwrap();
    let (_, carried) = receipt.verify_carried(origin, &keys).unwrap();
    assert_eq!(carried, body.as_bytes(), "the record travels in its receipt");
    // The decision again, on its facts, under the charter that it cites; then every decision of the story.
    assert_eq!(
        (&whole["replay"]["equal"], &whole["replay"]["decisions"]),
        (&json!(true), &json!(1)),
        "{whole}"
    );
    let (equal, said) = audit(&data, &["replay"]);
    assert!(equal && said.contains("Toutes les décisions rejouées donnent la même réponse"), "{said}");
    assert!(receipt.verify(body.replacen("permit", "deny", 1).as_bytes(), origin, &keys).is_err());

    let taken = text(&s.get(IRENE, "/api/v1/audit/checkpoint"));
    let checkpoint = SignedCheckpoint::parse(&taken).unwrap();
    let size = checkpoint.verify(origin, &keys).unwrap().size();
    let kept = data.join("mars.txt");
    std::fs::write(&kept, &taken).unwrap();
    let kept = kept.to_str().unwrap().to_owned();

    // A month of work later, the server running.
    s.go_days(31);
    for _ in 0..5 {
        s.read(NADIA, &format!("/api/v1/pathways/{}", c.pathway));
    }
    let (holds, said) = verify(&data, &["--checkpoint", &kept, "--vkey", key]);
    assert!(holds, "{said}");
    assert!(said.contains("Le journal tient"), "{said}");
    let proof = s.read(IRENE, &format!("/api/v1/audit/consistency?from={size}"));
    let later = SignedCheckpoint::parse(proof["checkpoint"].as_str().unwrap()).unwrap();
    let later = later.verify(origin, &keys).unwrap();
    assert!(later.size() > size + 5, "{} then {}", size, later.size());
    let hashes: Vec<Digest> =
        proof["hashes"].as_array().unwrap().iter().map(|h| digest(h.as_str().unwrap())).collect();
    let first = checkpoint.claims();
    verify_consistency(first.size(), later.size(), &hashes, first.root(), later.root()).unwrap();

    // Another log's checkpoint does not hold, and what somebody changed in the database is named.
    let other = Story::begin();
    let theirs = data.join("autre.txt");
    std::fs::write(&theirs, text(&other.get(IRENE, "/api/v1/audit/checkpoint"))).unwrap();
    other.read(NADIA, "/api/v1/pathways");
    let (holds, said) = verify(&data, &["--checkpoint", theirs.to_str().unwrap(), "--vkey", key]);
    assert!(!holds, "{said}");
    drop(other);
    let mut s = s;
    s.server.stop().unwrap();
    tamper(&data, i64::try_from(size).unwrap() - 2);
    let (holds, said) = verify(&data, &["--checkpoint", &kept, "--vkey", key]);
    assert!(!holds && said.contains(&(size - 2).to_string()), "{said}");
}

#[test]
fn story_s4_two_persons_re_identify_once_and_the_log_says_so() {
    let s = Story::begin();
    let c = camp(&s, CLAIRE);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    let record = s.recorded("stay_organiser", "read", "item", "permit");
    let ask =
        |of: &str| json!({ "of": of, "motive": "persons_request", "reason": "La mère demande qui a lu." });
    let at = format!("/api/v1/audit/records/{}/reidentification", record["index"]);
    for who in [NADIA, PAUL, EMILE, ALICE] {
        assert_eq!(s.post(who, &at, ask("actor")).status, 404, "{who}");
    }
    let person = s.act(IRENE, &at, ask("actor"));
    let pathway = s.act(IRENE, &at, ask("pathway"));
    let step = |id: &str, step: &str| format!("/api/v1/audit/reidentifications/{id}/{step}");
    let yes = || json!({ "outcome": "confirmed", "remark": "La demande est écrite et datée." });
    assert_eq!(s.refused(IRENE, &step(&person, "decision"), yes()), "reidentification_own");
    assert_eq!(s.refused(IRENE, &step(&person, "reading"), Value::Null), "reidentification_waiting");
    for who in [PAUL, NADIA, ALICE] {
        assert_eq!(s.post(who, &step(&person, "decision"), yes()).status, 404, "{who}");
    }
    // The second person is told on the first page, and decides with the words of the asker before their eyes.
    let first = text(&s.get(EMILE, "/"));
    assert!(first.contains(&format!("/identites/{person}")), "{first}");
    let shown = text(&s.get(EMILE, &format!("/identites/{person}")));
    assert!(shown.contains("La mère demande qui a lu.") && !shown.contains("Girard"), "{shown}");
    for id in [&person, &pathway] {
        s.act(EMILE, &step(id, "decision"), yes());
    }
    assert_eq!(s.post(EMILE, &step(&person, "reading"), Value::Null).status, 404, "only who asked");
    let answer = s.post(IRENE, &step(&person, "reading"), Value::Null);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert_eq!(answer.json()["name"], "Paul Girard", "{}", text(&answer));
    assert_eq!(answer.json()["profession"], "stay_organiser");
    assert_eq!(s.refused(IRENE, &step(&person, "reading"), Value::Null), "reidentification_read");
    // Of the pathway: whom to call, never of whom it is.
    let answer = s.post(IRENE, &step(&pathway, "reading"), Value::Null);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert!(answer.json()["referent"]["telephone"].is_string(), "{}", text(&answer));
    for name in ["Lina", "Carpentier", &c.pathway] {
        assert!(!text(&answer).contains(name), "{}", text(&answer));
    }
    // It is itself recorded, three times each, without the name that was told.
    for (profession, action) in
        [("auditor", "create"), ("data_protection_officer", "confirm"), ("auditor", "read")]
    {
        let ask = json!({ "profession": profession, "action": action, "resource": "reidentification",
            "decision": "permit" });
        let found = s.audit(ask);
        assert_eq!(found.len(), 2, "{profession} {action}");
        assert!(!serde_json::to_string(&found).unwrap().contains("Girard"));
    }
    let (holds, said) = verify(s.server.folder.path(), &[]);
    assert!(holds, "{said}");
}

#[test]
fn law_6_two_persons_prune_the_log_over_http_and_it_still_verifies() {
    let s = Story::begin();
    let at = "/api/v1/audit/prunings";
    let due = || s.read(IRENE, &format!("{at}/prospects"))["items"][0].clone();
    let ask = |before: &Value| json!({ "class": "technical", "before": before, "reason": "Terme échu." });
    assert_eq!((&due()["months"], &due()["records"]), (&json!(12), &json!(0)), "nothing is old enough");
    assert_eq!(s.refused(IRENE, at, ask(&due()["before"])), "pruning_nothing");
    s.go_days(400);
    let counted = due();
    let records = counted["records"].as_u64().unwrap();
    assert!(records > 0, "{counted}");
    assert_eq!(s.refused(IRENE, at, ask(&json!(s.day(0)))), "pruning_early");
    let id = s.act(IRENE, at, ask(&counted["before"]));
    // The second person is told on the first page; nobody else is.
    let path = format!("/conservation/{id}");
    assert!(text(&s.get(EMILE, "/")).contains(&path));
    assert!(text(&s.get(EMILE, &path)).contains("Terme échu."));
    for who in [NADIA, PAUL, ALICE] {
        assert_eq!(s.get(who, &path).status, 404, "{who}");
        assert_eq!(s.get(who, "/conservation").status, 404, "{who}");
    }
    let decision = format!("{at}/{id}/decision");
    let yes = || json!({ "outcome": "confirmed", "remark": "Charte et dates relues." });
    assert_eq!(s.refused(IRENE, &decision, yes()), "pruning_own");
    let list = |field: &str| s.read(EMILE, at)["items"][0][field].clone();
    assert_eq!((list("state"), list("left"), list("mine")), (json!("waiting"), json!(records), json!(false)));
    s.act(EMILE, &decision, yes());
    assert_eq!((list("state"), list("left")), (json!("running"), json!(records)));
    assert_eq!(s.server.app.prune_confirmed().unwrap().done, records);
    assert_eq!((list("state"), list("left")), (json!("done"), json!(0)));
    assert_eq!(due()["records"], json!(0));
    let (holds, said) = verify(s.server.folder.path(), &[]);
    assert!(holds, "{said}");
}

/// As somebody who owns the database: one record says something else.
fn tamper(data: &Path, index: i64) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let mut raw = SqliteConnection::establish(data.join("relais.db").to_str().unwrap()).unwrap();
    raw.batch_execute(&format!(
        "DROP TRIGGER audit_leaf_prune_only;
         UPDATE audit_leaf SET body = replace(body, '\"objects\":1', '\"objects\":2') || ' ' WHERE idx = {index}"
    ))
    .unwrap();
}
