//! S13, emergency, through HTTPS: opened by somebody who already takes part, for a day; the officer is told at once, the
//! référent where the place may be known; reviewed within three days; never anything but identity and minimal health.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the story")]

use relais::clock::{Clock, Timestamp};
use serde_json::{Value, json};

use super::stories::FIFTEEN;
use super::stories_world::*;

const HEALTH: &str = "Allergie aux arachides";
const OTHERS: [&str; 4] =
    ["Canari du logement", "Canari de la famille", "Canari de l'école", "Canari des loisirs"];
const NURSE: &str = "sophie.martin";

struct World {
    s: Story,
    p: String,
}

fn motive() -> Value {
    json!({ "motive": "Malaise pendant une sortie, le SAMU demande les allergies.", "understood": true })
}

impl World {
    /// Nadia's pathway: a street educator, the nurse, a teacher, an AEMO that Nadia may not know of. The nurse and the
    /// AEMO wrote on health, Nadia on everything else; nobody shared.
    fn begin() -> Self {
        let s = Story::begin();
        let p = s.open(NADIA, "Lina", FIFTEEN);
        let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
        let all = [mother.as_str(), father.as_str(), "young_person"];
        let lines = [SAMIRA, NURSE, JULIE].map(|who| s.line(who, &["schooling"], &[])).to_vec();
        s.accord(NADIA, &p, "coordination", 300, lines, &all);
        for who in [SAMIRA, NURSE, JULIE] {
            s.invite(NADIA, &p, who, "contractual");
        }
        s.accord(SAMIRA, &p, "coordination", 300, vec![s.line(CLAIRE, &["schooling"], &[])], &all);
        s.invite(SAMIRA, &p, CLAIRE, "judicial");
        let health = |what: &str| json!({ "category": "health_minimal", "kind": "treatment", "what": what, "when": "tous les soirs", "prescription_kept": "dans la trousse" });
        s.write(NURSE, &p, "Allergie", health(HEALTH), false);
        s.write(CLAIRE, &p, "Traitement", health("Vu par l'éducatrice"), false);
        for (category, words) in ["housing", "family", "schooling", "leisure"].into_iter().zip(OTHERS) {
            s.fact(NADIA, &p, category, words);
        }
        Self { s, p }
    }

    fn at(&self) -> String {
        format!("/api/v1/pathways/{}/emergencies", self.p)
    }

    fn open(&self, who: &str) -> String {
        self.s.act(who, &self.at(), motive())
    }

    fn kinds(&self, who: &str) -> Vec<String> {
        let today = self.s.read(who, "/api/v1/today");
        let kind = |w: &Value| w["kind"].as_str().unwrap().to_owned();
        today["waiting"].as_array().unwrap().iter().map(kind).filter(|k| k.starts_with("emergency")).collect()
    }

    fn hours(&self, hours: i64) {
        self.s.go(self.s.server.clock.now().plus_seconds(hours * 3600));
    }
}

#[test]
fn story_s13_from_the_opening_to_the_review() {
    let w = World::begin();
    let s = &w.s;
    let id = w.open(SAMIRA);
    let one = format!("/api/v1/emergencies/{id}");

    // What is open, and nothing else; without the name of who wrote it.
    let seen = s.read(SAMIRA, &one);
    let shown = seen.to_string();
    assert!(shown.contains(HEALTH) && shown.contains("Carpentier") && shown.contains("0611223355"));
    assert_eq!(seen["items"].as_array().unwrap().len(), 2);
    for canary in OTHERS {
        assert!(!shown.contains(canary), "{canary}");
    }
    for name in ["Sophie Martin", "Claire Morel", "Nadia Benali", "Sauvegarde", "author"] {
        assert!(!shown.contains(name), "{name}");
    }

    // The officer at once, the référente who may know, the author; not the teacher, not the manager yet.
    assert_eq!(w.kinds(EMILE), ["emergency_to_review"]);
    assert_eq!(w.kinds(NADIA), ["emergency_known"]);
    assert_eq!(w.kinds(SAMIRA), ["emergency_open"]);
    for who in [JULIE, NURSE, CLAIRE, "luc.perrin", HELENE] {
        assert!(w.kinds(who).is_empty(), "{who}");
    }
    let cases = s.read(EMILE, "/api/v1/emergencies");
    let case = &cases["items"][0];
    assert!(case["motive"].as_str().unwrap().starts_with("Malaise") && case["overdue"] == false);
    let told = cases.to_string();
    for name in ["Samira", "Lina", "Carpentier", HEALTH, w.p.as_str()] {
        assert!(!told.contains(name), "{name}");
    }
    assert_eq!(s.read(NADIA, &w.at())["items"].as_array().unwrap().len(), 1);

    // « Qui a consulté » has it, and the log says under which regime.
    let who = s.read(NADIA, &format!("/api/v1/pathways/{}/consultations", w.p)).to_string();
    assert!(who.contains("specialised_prevention") && who.contains("health_minimal"));
    let record = s.recorded("specialised_prevention", "read", "emergency", "permit");
    assert_eq!(record["reasons"], json!(["emergency"]));
    let whole = s.read(IRENE, &format!("/api/v1/audit/records/{}", record["index"]));
    let body: Value = serde_json::from_str(whole["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body["obligations"],
        json!(["officer_told", "review_within_72_hours", "family_told_afterwards"])
    );
    assert!(body["facts"].as_array().unwrap().iter().all(|f| f["reason"] == "emergency"), "{body}");
    assert_eq!(body["basis"], json!([format!("emergency:{id}")]));
    assert!(!whole.to_string().contains("Malaise"), "no motive in the log");

    // Nothing prolongs it; after a day it is over by itself, and its author is told so.
    assert_eq!(s.refused(SAMIRA, &w.at(), motive()), "emergency_already_open");
    w.hours(23);
    assert_eq!(s.get(SAMIRA, &one).status, 200);
    w.hours(1);
    let over = s.get(SAMIRA, &one);
    assert_eq!(over.status, 403, "{}", text(&over));
    assert!(text(&over).contains("emergency_ended"));
    assert!(w.kinds(SAMIRA).is_empty());

    // Three days after the opening the review is late: the officer and the manager of that service hear of it.
    w.hours(48);
    assert_eq!(w.kinds(EMILE), ["emergency_to_review"]);
    assert_eq!(w.kinds("luc.perrin"), ["emergency_unreviewed"]);
    assert!(w.kinds(HELENE).is_empty(), "another structure's manager");
    assert_eq!(s.read(EMILE, "/api/v1/emergencies")["items"][0]["overdue"], true);

    // Reviewed, once, by the officer; then the family is to be told, and that is noted.
    let review = json!({ "outcome": "justified", "family": "to_tell", "remark": "Le SAMU le demandait." });
    let at = format!("{one}/review");
    for who in [SAMIRA, NADIA, "luc.perrin", IRENE, ALICE] {
        assert_eq!(s.post(who, &at, review.clone()).status, 404, "{who}");
    }
    s.act(EMILE, &at, review.clone());
    assert_eq!(s.refused(EMILE, &at, review), "emergency_already_reviewed");
    assert!(w.kinds(EMILE).is_empty() && w.kinds("luc.perrin").is_empty());
    assert_eq!(w.kinds(NADIA), ["emergency_to_tell"]);
    assert_eq!(w.kinds(SAMIRA), ["emergency_to_tell"]);
    assert_eq!(s.read(EMILE, "/api/v1/emergencies")["items"][0]["remark"], "Le SAMU le demandait.");
    assert_eq!(s.post(JULIE, &format!("{one}/telling"), Value::Null).status, 404);
    s.act(NADIA, &format!("{one}/telling"), Value::Null);
    assert!(w.kinds(NADIA).is_empty() && w.kinds(SAMIRA).is_empty());
    assert_eq!(s.refused(NADIA, &format!("{one}/telling"), Value::Null), "emergency_not_to_tell");
}

#[test]
fn s4_the_auditor_looks_at_emergencies_and_nights_one_by_one() {
    let w = World::begin();
    let s = &w.s;
    let search = "/api/v1/audit/reviews/search";
    let queue = |kind: &str, all: bool| {
        let reply = s.post(IRENE, search, json!({ "kind": kind, "all": all }));
        assert_eq!(reply.status, 200, "{}", text(&reply));
        reply.json()["items"].as_array().unwrap().clone()
    };
    // A working day at noon, whatever day the story began on.
    while relais::domain::hours::out_of_hours(s.server.clock.now()) {
        w.hours(1);
    }
    let id = w.open(SAMIRA);
    s.read(SAMIRA, &format!("/api/v1/emergencies/{id}"));
    let waiting = queue("emergency", false);
    assert_eq!(waiting.len(), 1, "one line for an opening, not one for each look");
    let whole = serde_json::to_string(&waiting).unwrap();
    for word in ["Malaise", "Samira", "Lina", HEALTH, w.p.as_str()] {
        assert!(!whole.contains(word), "{word}");
    }
    let at_noon = queue("out_of_hours", false).len();

    // In the night of a working day.
    s.go(Timestamp::paris_midnight(s.today()).plus_seconds(22 * 3600));
    s.read(SAMIRA, &format!("/api/v1/emergencies/{id}"));
    let nights = queue("out_of_hours", false);
    assert_eq!(nights.len(), at_noon + 1);

    // Looked at: it leaves the queue; to be followed up: it stays; nothing that was found is lost.
    let at = |line: &Value| format!("/api/v1/audit/records/{}/review", line["record"]["index"]);
    let follow = json!({ "outcome": "to_follow_up", "remark": "Le service est appelé." });
    s.act(IRENE, &at(&waiting[0]), follow);
    assert_eq!(queue("emergency", false)[0]["outcome"], "to_follow_up");
    s.act(IRENE, &at(&waiting[0]), json!({ "outcome": "regular" }));
    assert!(queue("emergency", false).is_empty());
    assert_eq!(queue("emergency", true)[0]["outcome"], "regular");
    s.act(IRENE, &at(&nights[0]), json!({ "outcome": "regular" }));
    assert_eq!(queue("out_of_hours", false).len(), at_noon);
    s.recorded("auditor", "create", "access_review", "permit");

    // Only what is in a queue, and only by an auditor.
    let other = s.recorded("auditor", "search", "access_review", "permit");
    let line = json!({ "record": other });
    assert_eq!(s.refused(IRENE, &at(&line), json!({ "outcome": "regular" })), "nothing_to_review");
    for who in [NADIA, EMILE, ALICE, HELENE] {
        assert_eq!(s.post(who, search, json!({ "kind": "emergency" })).status, 404, "{who}");
        assert_eq!(s.post(who, &at(&waiting[0]), json!({ "outcome": "regular" })).status, 404, "{who}");
    }
}

#[test]
fn story_s13_its_author_ends_it_early_and_reads_no_more() {
    let w = World::begin();
    let id = w.open(SAMIRA);
    let one = format!("/api/v1/emergencies/{id}");
    assert_eq!(
        w.s.post(NADIA, &format!("{one}/closing"), Value::Null).status,
        404,
        "the référente knows, and ends nothing"
    );
    assert_eq!(w.s.get(SAMIRA, &one).status, 200);
    w.s.act(SAMIRA, &format!("{one}/closing"), Value::Null);
    assert_eq!(w.s.get(SAMIRA, &one).status, 403);
    assert_eq!(w.s.refused(SAMIRA, &format!("{one}/closing"), Value::Null), "emergency_over");
    assert_eq!(w.kinds(EMILE), ["emergency_to_review"], "what was open is reviewed all the same");
    // What it opened, and what it refused once it was over, is judged again by the rule of an emergency.
    let (equal, said) = super::stories_s4::audit(w.s.server.folder.path(), &["replay"]);
    assert!(equal && !said.contains("rejugées sur leurs faits : 0"), "{said}");
}

#[test]
fn threat_s13_who_may_not_open_is_answered_as_for_what_is_not_there() {
    let w = World::begin();
    let s = &w.s;
    // An outsider, an ended place, the secretary, the manager, the platform.
    let place = s.read(JULIE, &format!("/api/v1/pathways/{}/circle", w.p));
    let own = place["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
    s.act(JULIE, &format!("/api/v1/participations/{}/end", own.as_str().unwrap()), Value::Null);
    for who in [JULIE, REMI, "odile.simon", HELENE, ALICE, IRENE, EMILE] {
        assert_eq!(s.post(who, &w.at(), motive()).status, 404, "{who}");
    }
    // Without a reason, or without having read what happens, nothing opens.
    for body in [json!({ "understood": true }), json!({ "motive": "  ", "understood": true })] {
        assert_eq!(s.post(SAMIRA, &w.at(), body).status, 422);
    }
    let unread = json!({ "motive": "Malaise.", "understood": false });
    assert_eq!(s.refused(SAMIRA, &w.at(), unread), "understood");
    assert!(s.read(SAMIRA, &w.at())["items"].as_array().unwrap().is_empty());

    // Somebody else's opening is nobody's.
    let id = w.open(SAMIRA);
    for who in [NADIA, NURSE, CLAIRE, EMILE, IRENE, REMI] {
        assert_eq!(s.get(who, &format!("/api/v1/emergencies/{id}")).status, 404, "{who}");
    }
    // An opening ends with the place.
    let place = s.read(SAMIRA, &format!("/api/v1/pathways/{}/circle", w.p));
    let own = place["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
    s.act(SAMIRA, &format!("/api/v1/participations/{}/end", own.as_str().unwrap()), Value::Null);
    assert_eq!(s.get(SAMIRA, &format!("/api/v1/emergencies/{id}")).status, 404);
    assert_eq!(s.post(SAMIRA, &w.at(), motive()).status, 404);
}

#[test]
fn s13_repeated_openings_are_flagged_then_refused() {
    let w = World::begin();
    for n in 0..3 {
        w.open(SAMIRA);
        let cases = w.s.read(EMILE, "/api/v1/emergencies");
        let flagged = cases["items"].as_array().unwrap().iter().filter(|c| c["repeated"] == true).count();
        assert_eq!(flagged, n);
        w.hours(25);
    }
    let refused = w.s.post(SAMIRA, &w.at(), motive());
    assert_eq!(refused.code(), "emergency_repeated");
    assert_eq!(w.s.recorded("specialised_prevention", "create", "emergency", "deny")["decision"], "deny");
    w.hours(5 * 24);
    w.open(SAMIRA);
}

#[test]
fn s13_an_opening_of_a_hidden_service_is_told_to_the_officer_and_not_to_the_referent() {
    let w = World::begin();
    let id = w.open(CLAIRE);
    assert_eq!(w.kinds(EMILE), ["emergency_to_review"]);
    assert!(w.kinds(NADIA).is_empty());
    assert!(w.s.read(NADIA, &w.at())["items"].as_array().unwrap().is_empty());
    let review = json!({ "outcome": "not_justified", "family": "contrary_to_interest", "remark": "Rien ne pressait." });
    w.s.act(EMILE, &format!("/api/v1/emergencies/{id}/review"), review);
    assert!(w.kinds(NADIA).is_empty());
    assert_eq!(w.kinds(CLAIRE), ["emergency_open"], "reviewed, and still open until its end");
    assert_eq!(w.s.post(NADIA, &format!("/api/v1/emergencies/{id}/telling"), Value::Null).status, 404);
    w.hours(80);
    assert!(w.kinds("anne.fabre").is_empty(), "reviewed in time");
}
