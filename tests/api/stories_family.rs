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
fn the_sheet_is_read_before_it_is_made_and_nothing_is_kept_of_it() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2010-04-20");
    s.holder(NADIA, &p, "Karima");
    let accord = json!({
        "purpose": "coordination", "starts": s.day(0), "ends": s.day(200), "language": "fr",
        "lines": [{ "recipient": s.key(JULIE), "kind": "recipient", "categories": ["schooling"] }],
    });
    let reply = s.post(NADIA, &format!("/api/v1/pathways/{p}/accords/preview"), accord.clone());
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let seen = reply.json();
    assert!(seen["text"].as_str().unwrap().contains("Vous pouvez dire non"), "{seen}");
    assert!(seen["signing"][0]["all_of"].as_array().unwrap().iter().any(|s| s["kind"] == "young_person"));
    let listed = s.read(NADIA, &format!("/api/v1/pathways/{p}/accords"));
    assert!(listed["items"].as_array().unwrap().is_empty(), "{listed}");
    assert_eq!(s.post(JULIE, &format!("/api/v1/pathways/{p}/accords/preview"), accord).status, 404);
    s.recorded("referent_pre", "read", "accord", "permit");
}

#[test]
fn law_the_api_too_refuses_what_was_said_aloud_without_a_sheet_read_aloud_and_keeps_that_it_was() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2016-04-20");
    let mother = s.holder(NADIA, &p, "Karima");
    let accord = s.accord(NADIA, &p, "coordination", 300, vec![s.line(JULIE, &["schooling"], &[])], &[]);
    let at = format!("/api/v1/accords/{accord}");
    let signed = |how: Value| json!({ "by": mother, "how": how, "verified": "known", "on": s.day(0) });
    for mode in ["oral_present", "telephone"] {
        let silent = s.post(NADIA, &format!("{at}/signatures"), signed(json!({ "mode": mode })));
        assert_eq!(silent.status, 422, "{}", text(&silent));
        assert_eq!(silent.json()["errors"][0]["path"], "how.read_aloud", "{}", text(&silent));
        let body = signed(json!({ "mode": mode, "read_aloud": false }));
        assert_eq!(s.refused(NADIA, &format!("{at}/signatures"), body), "notice_not_read_aloud");
    }
    let paper = json!({ "mode": "paper", "original_at": "Classeur", "read_aloud": true });
    assert_eq!(s.refused(NADIA, &format!("{at}/signatures"), signed(paper)), "invalid");
    let read_aloud = || -> Vec<Value> {
        let seen = s.read(NADIA, &at);
        let events = seen["events"].as_array().unwrap();
        events.iter().filter(|e| e["kind"] == "signed").map(|e| e["read_aloud"].clone()).collect()
    };
    assert!(read_aloud().is_empty());
    s.act(NADIA, &format!("{at}/signatures"), signed(json!({ "mode": "telephone", "read_aloud": true })));
    assert_eq!(read_aloud(), [json!(true)]);
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

#[test]
fn s12_each_person_of_the_family_learns_who_looked_and_what_is_kept_back_is_said() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2010-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let all = [mother.as_str(), father.as_str(), "young_person"];
    s.accord(NADIA, &p, "coordination", 300, vec![s.line(SAMIRA, &["schooling"], &[])], &all);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let school = s.fact(NADIA, &p, "schooling", "Suit en classe");
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&samira]));
    assert!(s.reads(SAMIRA, &school, "coordination"));
    let sheet =
        |whom: &str| s.read(NADIA, &format!("/api/v1/pathways/{p}/consultations/sheet?for_whom={whom}"));
    let looked = |sheet: &Value| {
        let lines = sheet["items"].as_array().unwrap().clone();
        lines.into_iter().filter(|l| l["profession"] == "specialised_prevention").collect::<Vec<_>>()
    };
    for whom in all {
        let seen = sheet(whom);
        let [line] = looked(&seen).try_into().unwrap();
        assert_eq!((&line["on"], &line["purpose"]), (&json!(s.day(0)), &json!("coordination")), "{seen}");
        assert_eq!(line["categories"], json!(["schooling"]));
        // Neither a professional's name, nor a parent's, nor a number, nor a word of what was read.
        for never in ["Samira", "Haddad", "Nadia", "Karima", "Olivier", "0611223344", "Suit en classe"] {
            assert!(!seen.to_string().contains(never), "{whom}: {never}");
        }
    }
    s.recorded("referent_pre", "export", "consultations", "permit");
    let table = s.get(NADIA, &format!("/api/v1/pathways/{p}/consultations/sheet.csv?for_whom={mother}"));
    assert_eq!(table.header("content-type").unwrap(), "text/csv; charset=utf-8");
    assert!(text(&table).contains("\"Éducateur de prévention spécialisée\";"), "{}", text(&table));

    // The father is told later: asked by the référente, decided by her manager, said on his sheet and nowhere else.
    let who = s.key(SAMIRA);
    let asked = json!({
        "whose": father, "organisation": who["organisation"], "profession": who["profession"],
        "motive": "parent_safety", "statement": "La mère a quitté le domicile.",
    });
    let id = s.act(NADIA, &format!("/api/v1/pathways/{p}/deferrals"), asked);
    let awaited = s.read(HELENE, "/api/v1/manager/decisions");
    let mine = awaited["items"].as_array().unwrap().iter().find(|d| d["id"] == id.as_str()).unwrap();
    assert_eq!(mine["kind"], "deferral");
    assert!(mine["stated"].as_str().unwrap().starts_with("La sécurité d'un parent :"), "{mine}");
    let path = format!("/api/v1/deferrals/{id}/decisions");
    let yes = |until: String| json!({ "accepted": true, "until": until, "motive": "Danger établi." });
    assert_eq!(s.refused(NADIA, &path, yes(s.day(20))), "not_found");
    assert_eq!(s.refused(HELENE, &path, yes(s.day(31))), "review_day");
    s.act(HELENE, &path, yes(s.day(20)));
    assert_eq!(looked(&sheet(&father)), Vec::<Value>::new());
    assert_eq!(sheet(&father)["kept_back"], json!({ "lines": 1, "review_on": s.day(20) }));
    for whom in [mother.as_str(), "young_person"] {
        assert_eq!((looked(&sheet(whom)).len(), &sheet(whom)["kept_back"]), (1, &Value::Null));
    }
    s.recorded("referent_pre", "confirm", "deferral", "permit");
    s.go_days(20);
    assert_eq!((looked(&sheet(&father)).len(), &sheet(&father)["kept_back"]), (1, &Value::Null));
}
