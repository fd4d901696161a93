//! Stories of a pathway's course: handing over, taking back, protecting without accord, leaving, August.

use serde_json::{Value, json};

use super::stories::{FIFTEEN, camp};
use super::stories_world::*;

const TWELVE: &str = "2014-06-02";

/// Samira and Claire around Yanis, whose parents agree to schooling being coordinated.
struct Two {
    s: Story,
    p: String,
    mother: String,
    father: String,
    claire: String,
    samira: String,
}

fn two(mandate: &str) -> Two {
    let s = Story::begin();
    let p = s.open(NADIA, "Yanis", TWELVE);
    let (mother, father) = (s.holder(NADIA, &p, "Fatou"), s.holder(NADIA, &p, "Issa"));
    let lines = vec![
        s.line(SAMIRA, &["schooling"], &[]),
        s.line(CLAIRE, &["schooling"], &[]),
        s.line(JULIE, &["schooling"], &[]),
    ];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    if mandate == "judicial" {
        // Who invites a hidden service does so under an accord of her own.
        let lines = vec![s.line(CLAIRE, &["schooling"], &[])];
        s.accord(SAMIRA, &p, "coordination", 300, lines, &[&mother, &father]);
    }
    let claire = s.invite(if mandate == "judicial" { SAMIRA } else { NADIA }, &p, CLAIRE, mandate);
    Two { s, p, mother, father, claire, samira }
}

#[test]
fn story_s2_both_confirm_then_she_only_brings() {
    let Two { s, p, mother, father, claire, samira } = two("judicial");
    let school = s.fact(SAMIRA, &p, "schooling", "A repris les cours le matin");
    let all = format!("/api/v1/pathways/{p}/handovers");
    let body = json!({ "incoming": claire, "items": [{ "item": school.item, "version": school.version }], "last_day": s.day(120) });
    assert_eq!(s.refused(SAMIRA, &all, body.clone()), "will_not_read", "without accord nothing goes");
    let lines = vec![s.line(CLAIRE, &["schooling"], &[])];
    s.accord(SAMIRA, &p, "handover", 200, lines, &[&mother, &father]);
    let id = s.act(SAMIRA, &all, body);
    let at = format!("{all}/{id}");
    // The list without the words, before both confirm.
    let seen = s.get(CLAIRE, &at);
    assert_eq!(seen.status, 200, "{}", text(&seen));
    assert_eq!(seen.json()["subjects"], json!(["schooling"]));
    assert!(seen.json().to_string().contains("au juge des enfants"), "{}", text(&seen));
    assert!(!text(&seen).contains("repris les cours"));
    assert!(!s.reads(CLAIRE, &school, "handover"));
    assert_eq!(s.get(NADIA, &at).status, 404, "its two ends only");
    s.act(CLAIRE, &format!("{at}/acceptance"), Value::Null);
    s.act(CLAIRE, &format!("{at}/confirmation"), Value::Null);
    assert!(!s.reads(CLAIRE, &school, "handover"), "one confirmation is not two");
    s.act(SAMIRA, &format!("{at}/confirmation"), Value::Null);
    assert!(s.reads(CLAIRE, &school, "handover"));
    // What she wrote stays hers; nothing new reaches her.
    assert_eq!(s.get(SAMIRA, &format!("/api/v1/items/{}", school.item)).status, 200);
    let hers = s.fact(NADIA, &p, "schooling", "Un rendez-vous au collège");
    let share = s.share_body("coordination", 30, &[&hers], &[&samira]);
    assert_eq!(s.refused(NADIA, &format!("/api/v1/pathways/{p}/shares"), share), "will_not_read");
    let circle = s.read(SAMIRA, &format!("/api/v1/pathways/{p}/circle"));
    let me = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap().clone();
    assert_eq!(me["role"], "contributor_only");
    s.recorded("aemo", "confirm", "handover", "permit");
    s.recorded("specialised_prevention", "confirm", "handover", "permit");
    assert_eq!(s.recorded("aemo", "read", "item", "permit")["purpose"], "handover");
}

#[test]
fn story_s6_withdrawn_by_telephone_the_next_read_is_refused() {
    let Two { s, p, mother, samira, .. } = two("contractual");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&samira]));
    assert!(s.reads(SAMIRA, &school, "coordination"));
    // Claire, a member of the circle, takes the call.
    let no = json!({ "by": mother, "what": { "scope": "category", "category": "schooling" }, "channel": "telephone" });
    let told = s.post(CLAIRE, &format!("/api/v1/pathways/{p}/withdrawals"), no);
    assert_eq!(told.status, 200, "{}", text(&told));
    let refused = s.item(SAMIRA, &school, "coordination");
    assert!([403, 404].contains(&refused.status));
    for word in ["Fatou", "Claire", "telephone", "mère"] {
        assert!(!text(&refused).contains(word), "not by whom nor why: {}", text(&refused));
    }
    s.recorded("aemo", "withdraw", "accord", "permit");
    let denied = s.recorded("specialised_prevention", "read", "item", "deny");
    assert!(denied["reasons"].to_string().contains("accord_withdrawn"), "{denied}");
}

#[test]
fn story_s6_everything_is_answered_alike_with_and_without_hidden_accords() {
    let answer = |hidden: bool| {
        let s = Story::begin();
        let p = s.open(NADIA, "Lina", FIFTEEN);
        let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
        let mut lines = vec![s.line(JULIE, &["schooling"], &[]), s.line(SAMIRA, &["schooling"], &[])];
        if hidden {
            lines.push(s.line(CLAIRE, &["schooling"], &[]));
        }
        let all = [mother.as_str(), father.as_str(), "young_person"];
        s.accord(NADIA, &p, "coordination", 300, lines, &all);
        s.invite(NADIA, &p, JULIE, "contractual");
        s.invite(NADIA, &p, SAMIRA, "contractual");
        if hidden {
            let lines = vec![s.line(CLAIRE, &["schooling", "family"], &[])];
            s.accord(SAMIRA, &p, "protection", 300, lines, &all);
            s.invite(SAMIRA, &p, CLAIRE, "judicial");
        }
        let body = json!({ "by": "parent", "what": { "scope": "everything" }, "channel": "telephone" });
        let told = s.post(JULIE, &format!("/api/v1/pathways/{p}/withdrawals"), body);
        (told.status, same(&text(&told)), told.headers.keys().cloned().collect::<Vec<_>>())
    };
    let (with, without) = (answer(true), answer(false));
    assert_eq!(with.0, 200, "{}", with.1);
    assert_eq!(with, without);
}

#[test]
fn story_s7_two_bound_professionals_share_without_accord_and_nobody_else() {
    let Two { s, p, mother, samira, .. } = two("contractual");
    let julie = s.invite(NADIA, &p, JULIE, "contractual");
    let home = s.fact(NADIA, &p, "family", "Des cris le soir");
    let statute = |to: &str| {
        json!({
            "ground": "danger", "necessity": "Il faut adapter la visite de demain.",
            "parents": { "information": "given", "on": s.day(0) },
            "child": { "information": "given", "on": s.day(0) },
            "items": [home.version], "recipients": [to],
        })
    };
    let path = format!("/api/v1/pathways/{p}/statutes");
    assert_eq!(s.refused(NADIA, &path, statute(&julie)), "statute_needs_both_bound");
    let id = s.act(NADIA, &path, statute(&samira));
    assert!(!s.reads(SAMIRA, &home, "protection"), "a record is not yet a share");
    let mut share = s.share_body("protection", 20, &[&home], &[&samira]);
    share["statute"] = json!(id);
    s.share(NADIA, &p, share);
    assert!(s.reads(SAMIRA, &home, "protection"));
    assert!(!s.reads(JULIE, &home, "protection"));
    let read = s.recorded("specialised_prevention", "read", "item", "permit");
    assert!(read["reasons"].to_string().contains("statute"), "{read}");
    // After a refusal, a manager's validation.
    let no = json!({ "by": mother, "what": { "scope": "category", "category": "family" }, "channel": "telephone" });
    let told = s.post(NADIA, &format!("/api/v1/pathways/{p}/withdrawals"), no);
    assert_eq!(told.status, 200, "{}", text(&told));
    assert!(!s.reads(SAMIRA, &home, "protection"));
    let awaited = s.read(HELENE, "/api/v1/manager/decisions");
    let ours: Vec<&Value> =
        awaited["items"].as_array().unwrap().iter().filter(|d| d["id"] == id.as_str()).collect();
    assert_eq!(ours.len(), 1, "{awaited}");
    assert_eq!(ours[0]["kind"], "validation");
    let decisions = format!("/api/v1/statutes/{id}/decisions");
    let yes = json!({ "kind": "validation", "accepted": true, "motive": "Vu le danger décrit." });
    assert_eq!(s.post(ANNE, &decisions, yes.clone()).status, 404, "a manager of that organisation");
    s.act(HELENE, &decisions, yes);
    assert!(s.reads(SAMIRA, &home, "protection"));
    s.recorded("referent_pre", "create", "statute", "permit");
    let denied = s.recorded("referent_pre", "create", "statute", "deny");
    assert_eq!(denied["reasons"], json!(["statute_needs_both_bound"]), "{denied}");
    assert!(
        denied["sentence"].as_str().unwrap().ends_with("entre deux professionnels tenus au secret."),
        "{denied}"
    );
    assert_eq!(s.recorded("referent_pre", "confirm", "statute", "permit")["function"], "manager");
    s.go_days(31);
    assert!(!s.reads(SAMIRA, &home, "protection"), "thirty days without review");
}

#[test]
fn story_s8_who_leaves_is_out_at_the_next_request_and_a_successor_takes_the_place() {
    let Two { s, p, claire, .. } = two("contractual");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&claire]));
    assert!(s.reads(CLAIRE, &school, "coordination"));
    let assignment = s.own(CLAIRE)["id"].as_str().unwrap().to_owned();
    let place = format!("/api/v1/pathways/{p}/participations/{claire}/successor");
    let named = s.act(ANNE, &place, json!({ "assignment": s.own(DAVID)["id"] }));
    assert!(!s.reads(DAVID, &school, "coordination"), "not before accepting");
    s.act(ALICE, &format!("/api/v1/assignments/{assignment}/end"), Value::Null);
    assert_eq!(s.item(CLAIRE, &school, "coordination").status, 401, "her session ended with it");
    assert_eq!(s.post(CLAIRE, &format!("/api/v1/pathways/{p}/notes"), json!({})).status, 401);
    let list = s.read(NADIA, &format!("/api/v1/pathways/{p}/successions"));
    let told = list["items"].as_array().unwrap().iter().find(|i| i["id"] == named.as_str()).unwrap().clone();
    let hers = told["participation"].as_str().unwrap().to_owned();
    s.act(DAVID, &format!("/api/v1/pathways/{p}/participations/{hers}/succession"), Value::Null);
    assert!(s.reads(DAVID, &school, "coordination"), "shares follow the place");
    s.recorded("aemo", "accept", "succession", "permit");
    assert_eq!(s.recorded("aemo", "invite", "succession", "permit")["function"], "manager");
    // The family may stop it.
    let stop = format!("/api/v1/pathways/{p}/successions/{named}/stop");
    s.act(NADIA, &stop, json!({ "asked_by": "family" }));
    assert!(!s.reads(DAVID, &school, "coordination"));
}

#[test]
fn story_s21_a_stand_in_reads_for_three_weeks_and_nothing_is_signed_again() {
    let Two { s, p, claire, .. } = two("contractual");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&claire]));
    let accords =
        |who: &str| s.read(who, &format!("/api/v1/pathways/{p}/accords"))["items"].as_array().unwrap().len();
    let before = accords(NADIA);
    let place = format!("/api/v1/pathways/{p}/participations/{claire}/successor");
    let who = json!({ "assignment": s.own(DAVID)["id"], "last_day": s.day(21) });
    assert_eq!(s.post(NADIA, &place, who.clone()).status, 404, "a manager of that organisation names");
    let not_alike = json!({ "assignment": s.own(SAMIRA)["id"], "last_day": s.day(21) });
    assert_eq!(s.refused(ANNE, &place, not_alike), "not_alike");
    s.act(ANNE, &place, who);
    let list = s.read(NADIA, &format!("/api/v1/pathways/{p}/successions"));
    let hers = list["items"][0]["participation"].as_str().unwrap().to_owned();
    s.act(DAVID, &format!("/api/v1/pathways/{p}/participations/{hers}/succession"), Value::Null);
    assert!(s.reads(DAVID, &school, "coordination") && s.reads(CLAIRE, &school, "coordination"));
    assert_eq!(accords(NADIA), before);
    s.go_days(21);
    assert!(s.reads(DAVID, &school, "coordination"), "the last day");
    s.go_days(1);
    assert!(!s.reads(DAVID, &school, "coordination"));
    assert!(s.reads(CLAIRE, &school, "coordination"));
    s.recorded("aemo", "accept", "succession", "permit");
}

#[test]
fn story_s6_a_running_stay_is_told_to_who_may_know_of_it() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    let no = json!({ "by": c.mother, "what": { "scope": "everything" }, "channel": "telephone" });
    let told = s.post(NADIA, &format!("/api/v1/pathways/{}/withdrawals", c.pathway), no);
    assert_eq!(told.status, 200, "{}", text(&told));
    let stays = told.json()["running_stays"].clone();
    assert!(stays[0]["sentence"].as_str().unwrap_or_default().contains("appelez la direction"), "{stays}");
    assert!(!s.reads(PAUL, &c.coat, "stay"));
}
