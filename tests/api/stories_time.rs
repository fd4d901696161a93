//! Stories that time decides: majority at midnight in Paris, and a charter that changes.

use chrono::NaiveDate;
use relais::charter::Charter;
use relais::clock::{Clock, Timestamp};
use relais::service::Author;
use serde_json::{Value, json};

use super::callers_world::{PASSWORD, World};
use super::stories::FIFTEEN;
use super::stories_world::*;

fn midnight(year: i32, month: u32, day: u32) -> Timestamp {
    Timestamp::paris_midnight(NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

#[test]
fn story_s5_at_midnight_of_the_eighteenth_birthday_parental_accords_lapse() {
    let s = Story::begin();
    let p = s.open(NADIA, "Sami", "2009-02-01");
    let (mother, father) = (s.holder(NADIA, &p, "Linh"), s.holder(NADIA, &p, "Paul"));
    let lines = || vec![s.line(SAMIRA, &["schooling"], &[]), s.line(NADIA, &["schooling"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines(), &[&mother, &father, "young_person"]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let nadia = s.read(NADIA, &format!("/api/v1/pathways/{p}/circle"))["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|i| i["me"] == true)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let school = s.fact(NADIA, &p, "schooling", "Prépare le baccalauréat");
    let street = s.fact(SAMIRA, &p, "schooling", "Révise au local");
    // Nothing is promised for longer than the family's word: the last day is named.
    let days = |to: NaiveDate| u64::try_from((to - s.today()).num_days()).unwrap();
    let eve = NaiveDate::from_ymd_opt(2027, 1, 31).unwrap();
    let long = s.share_body("coordination", days(eve) + 1, &[&street], &[&nadia]);
    let reply = s.post(SAMIRA, &format!("/api/v1/pathways/{p}/shares"), long);
    assert_eq!(reply.code(), "beyond_majority");
    assert!(text(&reply).contains("le dernier jour possible est le 31 janvier 2027"), "{}", text(&reply));
    s.share(SAMIRA, &p, s.share_body("coordination", days(eve), &[&street], &[&nadia]));
    let share = s.share_body("coordination", 10, &[&school], &[&samira]);
    s.share(NADIA, &p, share);
    s.go(midnight(2027, 1, 24));
    assert!(s.reads(SAMIRA, &school, "coordination"), "its last day");
    let share = s.share_body("coordination", days(eve), &[&school], &[&samira]);
    s.share(NADIA, &p, share);
    s.go(midnight(2027, 2, 1).plus_seconds(-60));
    assert!(s.reads(SAMIRA, &school, "coordination"), "a minute before");
    assert!(s.reads(NADIA, &street, "coordination"), "a minute before");
    let open = s.of(SAMIRA);
    s.server.clock.set(midnight(2027, 2, 1));
    let refused = open.get(&format!("/api/v1/items/{}?purpose=coordination", school.item));
    assert!([403, 404].contains(&refused.status), "{}", text(&refused));
    // No accord names her place any more; the lead organisation keeps its own, and reads what it wrote itself.
    let denied = s.recorded("specialised_prevention", "read", "item", "deny");
    assert_eq!(denied["reasons"], json!(["not_a_participant"]), "{denied}");
    assert!(!s.reads(NADIA, &street, "coordination"));
    let denied = s.recorded("referent_pre", "read", "item", "deny");
    assert_eq!(denied["reasons"], json!(["share_ended"]), "{denied}");
    let whole = s.read(IRENE, &format!("/api/v1/audit/records/{}", denied["index"]));
    assert!(whole["body"].as_str().unwrap().contains("accord_expired"), "{whole}");
    s.go(midnight(2027, 2, 1).plus_seconds(9 * 3600));
    // The young adult signs alone.
    s.accord(NADIA, &p, "coordination", 200, lines(), &["young_person"]);
    s.share(NADIA, &p, s.share_body("coordination", 30, &[&school], &[&samira]));
    assert!(s.reads(SAMIRA, &school, "coordination"));
    // No statutory route for an adult.
    let statute = json!({
        "ground": "danger", "necessity": "Il faut adapter la visite.",
        "parents": { "information": "given", "on": s.day(0) }, "child": { "information": "given", "on": s.day(0) },
        "items": [school.version], "recipients": [samira],
    });
    assert_eq!(s.refused(NADIA, &format!("/api/v1/pathways/{p}/statutes"), statute), "minority_not_proved");
}

#[test]
fn story_s3_referent_and_manager_are_warned_at_thirty_days_and_on_the_day() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", FIFTEEN);
    let (luc, odile) = ("luc.perrin", "odile.simon");
    let lines = |who: &str, kind: &str| -> Vec<Value> {
        let today = s.read(who, "/api/v1/today");
        let all = today["waiting"].as_array().unwrap();
        all.iter().filter(|w| w["kind"] == kind).cloned().collect()
    };
    // Those of the demonstration were opened the day before.
    let managed = |who: &str| -> Vec<String> {
        let all = lines(who, "review_of_structure");
        let said = all.iter().map(|w| {
            format!("{} {}", w["sentence"].as_str().unwrap(), w["telephone"].as_str().unwrap_or_default())
        });
        said.filter(|line| line.starts_with("Parcours ouvert le 14 janvier 2027, référent Nadia Benali."))
            .collect()
    };
    let referent = |kind: &str| lines(NADIA, kind).iter().any(|w| w["pathway"] == json!(p));
    s.go_days(119);
    assert!(managed(HELENE).is_empty() && !referent("review_soon"), "thirty-one days");
    s.go_days(1);
    assert!(referent("review_soon"));
    let [line] = &managed(HELENE)[..] else { panic!("{:?}", managed(HELENE)) };
    assert!(line.contains("Le bilan est prévu le 13 juin 2027"), "{line}");
    let record = s.recorded("referent_pre", "list", "pathway", "permit");
    let whole = s.read(IRENE, &format!("/api/v1/audit/records/{}", record["index"]));
    let body: Value = serde_json::from_str(whole["body"].as_str().unwrap()).unwrap();
    assert!(body["function"] == "manager" && body["pathway"].is_string(), "{body}");
    // A manager of another organisation, the secretary, who controls: nothing of it.
    for who in [luc, odile, ANNE, KARINE, "yves.renard", IRENE, EMILE] {
        assert!(managed(who).is_empty(), "{who}");
    }
    s.go_days(30);
    assert!(referent("review_due"));
    let [line] = &managed(HELENE)[..] else { panic!("{:?}", managed(HELENE)) };
    assert!(line.contains("Aucun nouveau partage") && line.contains("Appelez le référent. 06"), "{line}");
    let page = text(&s.get(HELENE, "/"));
    assert!(page.contains("un parcours de votre structure"), "{page}");
    assert!(page.contains("href=\"/responsable\""), "{page}");
    for word in ["Lina", "Carpentier", p.as_str()] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(!text(&s.get(luc, "/")).contains("Nadia Benali"));
}

#[test]
fn story_s14_a_new_charter_is_announced_signed_and_binds_who_has_not_signed() {
    let s = Story::begin();
    let p = s.open(NADIA, "Sami", "2010-09-01");
    let (mother, father) = (s.holder(NADIA, &p, "Linh"), s.holder(NADIA, &p, "Paul"));
    let home = s.fact(NADIA, &p, "housing", "Cherche une chambre près du lycée");
    let school = s.fact(NADIA, &p, "schooling", "Prépare un CAP");
    let lines = vec![s.line(REMI, &["housing", "schooling"], &[&home, &school])];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    let remi = s.invite(NADIA, &p, REMI, "contractual");
    s.share(NADIA, &p, s.share_body("coordination", 280, &[&home, &school], &[&remi]));
    assert!(s.reads(REMI, &home, "coordination") && s.reads(REMI, &school, "coordination"));
    let first = s.read(REMI, "/api/v1/charter")["in_force"]["version"].clone();

    // As the command line publishes it.
    let v2 = Charter::embedded_demo_v2().unwrap();
    let (old, new) =
        (Charter::embedded_demo().unwrap().policy_hash().to_owned(), v2.policy_hash().to_owned());
    assert_ne!(old, new);
    // Records before and after cite their version.
    let cites = |profession: &str, action: &str, resource: &str, decision: &str, hashes: &[&String]| {
        let record = s.recorded(profession, action, resource, decision);
        let whole = s.read(IRENE, &format!("/api/v1/audit/records/{}", record["index"]));
        let body: Value = serde_json::from_str(whole["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["policy_hashes"], json!(hashes), "{body}");
    };
    let item = |decision: &str, hashes: &[&String]| cites("mission_locale", "read", "item", decision, hashes);
    item("permit", &[&old]);
    let (_, effective) = s.server.app.charter_publish(Author::Console("charter publish"), &v2).unwrap();
    let seen = s.read(REMI, "/api/v1/charter");
    assert_eq!(seen["in_force"]["version"], first);
    let told = seen["announced"]["differences"].to_string();
    assert!(told.contains("mission locale") && told.contains("logement"), "{told}");
    assert!(s.reads(REMI, &home, "coordination"), "announced is not in force");
    item("permit", &[&old]);
    // Samira's structure signs; the others do not.
    let sign = |who: &str, path: &str| {
        let edition = s.read(who, "/api/v1/charter")["announced"].clone();
        s.act(who, path, json!({ "text_hash": edition["text_hash"], "policy_hash": edition["policy_hash"] }));
    };
    sign(NADIA, "/api/v1/charter/signatures");
    sign(HELENE, "/api/v1/charter/organisation-signature");
    assert_eq!(effective, midnight(2027, 2, 13), "thirty days ahead");
    s.go(effective.plus_seconds(-60));
    assert!(s.reads(REMI, &home, "coordination"), "a minute before");
    item("permit", &[&old]);
    s.go(effective.plus_seconds(10 * 3600));
    // A person signs at the first sign-in, in one click, or reads nothing.
    let told = s.sign_in(KARINE).json();
    assert_eq!(told["charters_to_sign"].as_array().map(Vec::len), Some(1), "{told}");
    assert!(!s.reads(REMI, &school, "coordination"));
    // Who has not signed stands under none; what is refused is explained by the one in force.
    item("deny", &[&new]);
    let sign = |who: &str, path: &str| {
        let edition = s.read(who, "/api/v1/charter")["in_force"].clone();
        s.act(who, path, json!({ "text_hash": edition["text_hash"], "policy_hash": edition["policy_hash"] }))
    };
    sign(REMI, "/api/v1/charter/signatures");
    // Under the stricter of both: housing is closed, schooling goes on.
    assert!(!s.reads(REMI, &home, "coordination"));
    item("deny", &[&old, &new]);
    assert!(s.reads(REMI, &school, "coordination"), "who has not signed goes on for ninety days");
    item("permit", &[&old, &new]);
    // At a desk too; and whose structure has signed stands under the new one alone.
    s.read(REMI, "/api/v1/me");
    cites("mission_locale", "read", "account", "permit", &[&old, &new]);
    s.read(NADIA, "/api/v1/me");
    cites("referent_pre", "read", "account", "permit", &[&new]);
    s.go_days(88);
    assert!(s.reads(REMI, &school, "coordination"));
    s.go_days(3);
    assert!(!s.reads(REMI, &school, "coordination"), "ninety days");
    let denied = s.recorded("mission_locale", "read", "item", "deny");
    assert!(denied["reasons"].as_array().is_some_and(|r| !r.is_empty()), "{denied}");
    item("deny", &[&new]);
    // Person and structure sign, and go on.
    sign(KARINE, "/api/v1/charter/signatures");
    sign(KARINE, "/api/v1/charter/organisation-signature");
    assert!(s.reads(REMI, &school, "coordination"), "signed");
    item("permit", &[&new]);
    assert!(!s.reads(REMI, &home, "coordination"), "the new version still closes it");
    item("deny", &[&new]);
    assert!(s.server.clock.now() > effective);
}

/// The issue: « policy_hash in every record ». Whatever a request comes to: read, changed, refused before there is a scene,
/// not understood, a sign-in that failed, an account that is opened.
#[test]
fn story_s14_every_record_of_a_request_cites_its_version() {
    let w = World::begin();
    let s = &w.s;
    let before = cited(s).len();
    let asks = || {
        s.read(NADIA, "/api/v1/me");
        s.read(NADIA, "/api/v1/pathways");
        s.read(HELENE, "/api/v1/office");
        s.read(EMILE, "/api/v1/emergencies");
        let absent = "a".repeat(26);
        assert_eq!(s.get(NADIA, &format!("/api/v1/pathways/{absent}")).status, 404);
        assert_eq!(s.get(REMI, &w.at("circle")).status, 404);
        assert_eq!(s.get(IRENE, &w.at("items?purpose=coordination")).status, 404);
        let nonsense = s.of(NADIA).with("Content-Type", "application/json");
        assert_eq!(nonsense.send("POST", &w.at("items"), Some(b"{")).status, 422);
        assert_eq!(s.get(NADIA, &w.at("items?purpose=curiosity")).status, 422);
        for login in [NADIA, "nobody.at.all"] {
            let wrong = json!({ "login": login, "password": "certainly not this one", "code": "000000" });
            assert_eq!(s.server.client().post("/api/v1/sessions", &wrong).status, 401, "{login}");
        }
        assert_eq!(s.server.client().get("/api/v1/me").status, 401);
        s.server.app.flush_anonymous(true).unwrap();
    };
    asks();
    // Both steps of an account; and one that is refused.
    w.opened();
    let none = json!({ "code": "not-a-code", "password": PASSWORD });
    assert!(s.server.client().post("/api/v1/accounts/open", &none).status >= 400);
    let v2 = Charter::embedded_demo_v2().unwrap();
    let (_, effective) = s.server.app.charter_publish(Author::Console("charter publish"), &v2).unwrap();
    s.go(effective);
    asks();

    let (old, new) =
        (Charter::embedded_demo().unwrap().policy_hash().to_owned(), v2.policy_hash().to_owned());
    let all = cited(s);
    assert!(all.len() > before + 20, "{}", all.len());
    // Nobody has signed: some stand under both, some under none but the one in force.
    let wrong = all.iter().filter(|c| {
        let expected: &[&[&String]] = if c.at < effective { &[&[&old]] } else { &[&[&new], &[&old, &new]] };
        !expected.iter().any(|e| e.iter().copied().eq(&c.hashes))
    });
    let wrong: Vec<String> = wrong.map(|c| format!("{} cites {:?}", c.what, c.hashes)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const KARINE: &str = "karine.leroy";
