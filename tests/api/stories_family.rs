//! What families say and sign, through HTTPS: the sheet of a release, one meeting for several children, a "no" sent twice.

use serde_json::{Value, json};

use super::stories_world::*;

#[test]
fn what_is_said_on_the_sheet_of_a_release_counts_on_the_next_read() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2016-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    s.accord(NADIA, &p, "coordination", 300, vec![s.line(JULIE, &["schooling"], &[])], &[&mother, &father]);
    let julie = s.invite(NADIA, &p, JULIE, "contractual");
    let school = s.fact(NADIA, &p, "schooling", "Suit en classe");
    let ask = json!({ "item_version": school.version, "recipient": s.key(JULIE), "purpose": "coordination" });
    let release = s.act(NADIA, &format!("/api/v1/pathways/{p}/releases"), ask);
    let at = format!("/api/v1/releases/{release}");
    s.act(NADIA, &format!("{at}/printing"), Value::Null);
    s.act(NADIA, &format!("{at}/opinions"), json!({ "opinion": "favourable", "on": s.day(0) }));
    for by in [&mother, &father] {
        let how = json!({ "mode": "paper", "original_at": "Classeur" });
        let signed = json!({ "by": by, "how": how, "verified": "known", "on": s.day(0) });
        s.act(NADIA, &format!("{at}/signatures"), signed);
    }
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&julie]));
    assert!(s.reads(JULIE, &school, "coordination"));
    for (what, body) in [("oppositions", json!({ "by": father })), ("talks", json!({ "maintained": true }))] {
        let path = format!("{at}/{what}");
        assert_eq!(s.post(JULIE, &path, body.clone()).status, 404, "{what}");
        s.act(NADIA, &path, body);
    }
    assert!(!s.reads(JULIE, &school, "coordination"), "the father opposed");
    s.recorded("referent_pre", "oppose", "release", "permit");
}

#[test]
fn one_meeting_makes_one_accord_for_each_brother_and_sister() {
    let s = Story::begin();
    let children = ["Lina", "Ilyes"].map(|name| s.open(NADIA, name, "2016-04-20"));
    let other = s.open(SAMIRA, "Zoé", "2016-04-20");
    let ask = json!({
        "pathways": [children[0], other, children[1]], "purpose": "coordination", "starts": s.day(0),
        "ends": s.day(200), "language": "fr",
        "lines": [{ "recipient": s.key(JULIE), "kind": "recipient", "categories": ["schooling"] }],
    });
    let reply = s.post(NADIA, "/api/v1/accords", ask);
    assert_eq!(reply.status, 201, "{}", text(&reply));
    let items = reply.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3);
    for (at, child) in [(0, &children[0]), (2, &children[1])] {
        assert_eq!(items[at]["pathway"], child.as_str());
        let id = items[at]["accord"].as_str().unwrap();
        assert_eq!(s.read(NADIA, &format!("/api/v1/accords/{id}"))["purpose"], "coordination");
        let listed = s.read(NADIA, &format!("/api/v1/pathways/{child}/accords"));
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    }
    assert_eq!((&items[1]["accord"], &items[1]["problem"]["code"]), (&Value::Null, &json!("not_found")));
    // The exact words of one child are on no sheet of several.
    let words = json!({
        "pathways": children, "purpose": "coordination", "starts": s.day(0), "ends": s.day(200), "language": "fr",
        "lines": [{ "recipient": s.key(JULIE), "kind": "recipient", "shows": [] }],
    });
    assert_eq!(s.refused(NADIA, "/api/v1/accords", words), "invalid");
}

#[test]
fn a_withdrawal_sent_twice_is_answered_twice() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2016-04-20");
    let mother = s.holder(NADIA, &p, "Karima");
    s.accord(NADIA, &p, "coordination", 300, vec![s.line(SAMIRA, &["schooling"], &[])], &[&mother]);
    s.invite(NADIA, &p, SAMIRA, "contractual");
    let path = format!("/api/v1/pathways/{p}/withdrawals");
    let body = json!({ "by": "parent", "what": { "scope": "everything" }, "channel": "telephone" });
    let send = |who: &str, key: &str| s.of(who).with("Idempotency-Key", key).post(&path, &body);
    // Her place rested on that accord alone: she hears that it is recorded, and nothing more.
    assert_eq!(send(SAMIRA, "retrait-1").status, 200);
    let gone = send(SAMIRA, "retrait-1");
    assert_eq!((gone.status, gone.code().as_str()), (409, "already_recorded"), "{}", text(&gone));
    assert_eq!(send(SAMIRA, "retrait-2").status, 404);
    let (first, again) = (send(NADIA, "retrait-1"), send(NADIA, "retrait-1"));
    assert_eq!((first.status, again.status), (200, 200), "{}", text(&again));
    assert_eq!(first.json(), again.json());
}

#[test]
fn the_record_of_a_sign_in_is_found_by_the_number_that_the_answer_names() {
    let s = Story::begin();
    let reply = s.sign_in(NADIA);
    let number = reply.header("relais-request").unwrap().to_owned();
    let found = s.audit(json!({ "action": "sign_in" }));
    assert_eq!(found.iter().filter(|r| r["request"] == number.as_str()).count(), 1, "{number}");
    assert_eq!(s.get(SAMIRA, "/api/v1/handover-ratings").status, 404, "for who steers");
}
