//! Stories of the source report, through HTTPS, from the first act to the audit record: the camp, coordination, what
//! stays hidden, what is said aloud, danger.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the story")]

use serde_json::{Value, json};

use super::stories_world::*;

pub struct Camp {
    pub pathway: String,
    pub mother: String,
    pub father: String,
    pub medicine: Written,
    pub coat: Written,
    pub share: String,
    pub director: String,
    pub claire: String,
}

pub const FIFTEEN: &str = "2011-04-20";

/// Coordination at fifteen with a teacher and a street educator, who brings the AEMO in; then a stay, prepared by
/// one of those who know.
pub fn camp(s: &Story, author: &str) -> Camp {
    let p = s.open(NADIA, "Lina", FIFTEEN);
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let all = [mother.as_str(), father.as_str(), "young_person"];
    let lines = vec![s.line(JULIE, &["schooling"], &[]), s.line(SAMIRA, &["schooling", "housing"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines, &all);
    s.invite(NADIA, &p, JULIE, "contractual");
    s.invite(NADIA, &p, SAMIRA, "contractual");
    s.accord(SAMIRA, &p, "coordination", 300, vec![s.line(CLAIRE, &["schooling"], &[])], &all);
    let claire = s.invite(SAMIRA, &p, CLAIRE, "judicial");
    let medicine = s.write(
        author,
        &p,
        "Traitement du soir",
        json!({ "category": "health_minimal", "kind": "treatment", "what": "Un traitement à 20 h", "when": "tous les soirs", "prescription_kept": "dans la trousse" }),
        true,
    );
    let coat = s.write(
        author,
        &p,
        "Affaires",
        json!({ "category": "practical", "need": "warm_clothes", "detail": "Manque de vêtements chauds" }),
        true,
    );
    let shown = vec![s.line(PAUL, &["health_minimal", "practical"], &[&medicine, &coat])];
    // The young person and one parent sign once.
    s.accord(author, &p, "stay", 40, shown, &[&mother, "young_person"]);
    let until = Some(s.day(20));
    let director = s.invite_as(NADIA, &p, PAUL, "contractual", "stay_organiser", until);
    let body = s.share_body("stay", 20, &[&medicine, &coat], &[&director]);
    let share = s.share(author, &p, body);
    Camp { pathway: p, mother, father, medicine, coat, share, director, claire }
}

fn camp_from(author: &str) -> std::collections::BTreeMap<String, String> {
    let s = Story::begin();
    let c = camp(&s, author);
    let seen_by_sharer = |n: usize| {
        let view = s.read(author, &format!("/api/v1/pathways/{}/shares/{}", c.pathway, c.share));
        view["readers"][n]["read"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen_by_sharer(0), "pas encore lu");
    let list = s.read(PAUL, &format!("/api/v1/pathways/{}/items?purpose=stay", c.pathway));
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list}");
    for item in items {
        assert_eq!(item["by_family"], json!(true), "« Transmis par la famille »: {item}");
        assert_eq!(item["author"], Value::Null, "{item}");
    }
    assert!(s.reads(PAUL, &c.medicine, "stay") && s.reads(PAUL, &c.coat, "stay"));
    assert!(seen_by_sharer(0).starts_with("lu le "), "{}", seen_by_sharer(0));

    // Nothing betrays the AEMO, on any page, in any error.
    let pages = s.pages(PAUL);
    assert!(pages.values().filter(|(status, _)| *status == 200).count() >= 4, "{:?}", pages.keys());
    let own = s.own(CLAIRE);
    let secrets = [
        "Claire",
        "Morel",
        "Sauvegarde",
        "aemo",
        "AEMO",
        "judicial",
        "Samira",
        own["id"].as_str().unwrap(),
        own["organisation"].as_str().unwrap(),
        own["mission"].as_str().unwrap(),
        c.claire.as_str(),
    ];
    for (page, (_, body)) in &pages {
        for secret in secrets {
            assert!(!body.contains(secret), "{page} holds {secret}: {body}");
        }
    }
    // A category outside the pack is refused, with the reason.
    let bus = s.fact(NADIA, &c.pathway, "mobility", "Prend le bus de 7 h 40");
    let path = format!("/api/v1/pathways/{}/shares", c.pathway);
    let reply = s.post(NADIA, &path, s.share_body("stay", 20, &[&bus], &[&c.director]));
    assert_eq!((reply.status / 100, reply.code().as_str()), (4, "will_not_read"));
    assert!(text(&reply).contains("Ce sujet ne sert pas"), "{}", text(&reply));
    // An opposition of the other parent closes it at once; the paper is still at the camp.
    let body = json!({ "by": c.father, "what": { "scope": "everything" }, "channel": "telephone" });
    let told = s.post(NADIA, &format!("/api/v1/pathways/{}/withdrawals", c.pathway), body);
    assert_eq!(told.status, 200, "{}", text(&told));
    assert!(!s.reads(PAUL, &c.medicine, "stay"));
    assert!(
        s.read(PAUL, "/api/v1/pathways")["items"].as_array().unwrap().iter().all(|l| l["name"] != "Lina")
    );

    let read = s.recorded("stay_organiser", "read", "item", "permit");
    assert_eq!(read["purpose"], "stay", "{read}");
    s.recorded("stay_organiser", "read", "item", "deny");
    s.recorded("referent_pre", "withdraw", "accord", "permit");
    pages.into_iter().map(|(page, (status, body))| (page, format!("{status} {}", same(&body)))).collect()
}

#[test]
fn story_s1_the_director_reads_two_items_and_cannot_tell_who_wrote_them() {
    let (by_nadia, by_claire) = (camp_from(NADIA), camp_from(CLAIRE));
    assert_eq!(by_nadia.keys().collect::<Vec<_>>(), by_claire.keys().collect::<Vec<_>>());
    for (page, body) in &by_nadia {
        assert_eq!(body, &by_claire[page], "{page}");
    }
}

#[test]
fn story_s1_the_stay_ends_at_midnight_of_its_last_day() {
    let s = Story::begin();
    let c = camp(&s, CLAIRE);
    s.go_days(20);
    assert!(s.reads(PAUL, &c.medicine, "stay"), "the last day");
    s.go_days(1);
    assert!(!s.reads(PAUL, &c.medicine, "stay"), "the day after");
}

#[test]
fn story_s3_no_action_without_accord_and_the_preview_says_who_would_read() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", FIFTEEN);
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let circle = s.read(NADIA, &format!("/api/v1/pathways/{p}/circle"));
    let me = circle["items"][0]["id"].clone();
    let action =
        json!({ "category": "schooling", "what": "Aide aux devoirs", "by_when": s.day(30), "who": me });
    let action = s.act(NADIA, &format!("/api/v1/pathways/{p}/actions"), action);
    let progress = format!("/api/v1/actions/{action}/progress");
    let begin = json!({ "state": "in_progress" });
    assert_eq!(s.refused(NADIA, &progress, begin.clone()), "accord_needed_to_act");
    // Nobody is invited without an accord that names them.
    let invite = json!({ "assignment": s.own(SAMIRA)["id"], "mandate": "contractual", "role": "participant", "until": null });
    let places = format!("/api/v1/pathways/{p}/participations");
    assert_eq!(s.refused(NADIA, &places, invite), "accord_needed_to_invite");
    let lines = vec![
        s.line(SAMIRA, &["schooling"], &[]),
        s.line(JULIE, &["schooling"], &[]),
        s.line(NADIA, &["schooling"], &[]),
    ];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    s.act(NADIA, &progress, begin);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let julie = s.invite(NADIA, &p, JULIE, "contractual");

    let home = s.fact(NADIA, &p, "housing", "La famille attend un logement");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    let ask = |item: &Written| {
        let body =
            json!({ "purpose": "coordination", "items": [{ "item": item.item, "version": item.version }] });
        let reply = s.post(NADIA, &format!("/api/v1/pathways/{p}/preview"), body);
        assert_eq!(reply.status, 200, "{}", text(&reply));
        let view = reply.json();
        let of = |id: &str| {
            view["readers"]
                .as_array()
                .unwrap()
                .iter()
                .find(|r| r["member"]["participation"] == id)
                .unwrap()
                .clone()
        };
        (of(&samira), of(&julie))
    };
    let (to_samira, to_julie) = ask(&school);
    assert_eq!(to_samira["will_read_all"], true, "{to_samira}");
    assert_eq!(to_julie["things"][0]["reasons"][0]["code"], "not_family_released", "{to_julie}");
    let (to_samira, to_julie) = ask(&home);
    assert_eq!(to_samira["things"][0]["reasons"][0]["code"], "accord_too_narrow", "{to_samira}");
    assert_eq!(to_julie["will_read_all"], false);
    assert!(to_julie["things"][0]["reasons"].to_string().contains("ceiling_never"), "{to_julie}");
    // What was told comes true.
    let path = format!("/api/v1/pathways/{p}/shares");
    assert_eq!(
        s.refused(NADIA, &path, s.share_body("coordination", 60, &[&home], &[&samira])),
        "will_not_read"
    );
    s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&samira]));
    assert!(s.reads(SAMIRA, &school, "coordination"));
    assert!(!s.reads(JULIE, &school, "coordination") && !s.reads(SAMIRA, &home, "coordination"));
    s.recorded("specialised_prevention", "read", "item", "permit");
    s.recorded("teacher", "read", "item", "deny");
    s.recorded("referent_pre", "preview", "share", "permit");
    // From the review date, no new share.
    s.go_days(150);
    let again = s.share_body("coordination", 30, &[&school], &[&samira]);
    assert_eq!(s.refused(NADIA, &path, again), "review_overdue");
}

#[test]
fn story_s11_the_mandate_is_in_no_circle_list_or_chronology_of_who_may_not_know() {
    let s = Story::begin();
    let c = camp(&s, CLAIRE);
    let p = &c.pathway;
    let at = |page: &str| format!("/api/v1/pathways/{p}/{page}");
    let circle = |who: &str| s.read(who, &at("circle")).to_string();
    for who in [SAMIRA, CLAIRE] {
        assert!(circle(who).contains("Claire Morel"), "{who}");
    }
    let own = s.own(CLAIRE);
    for who in [NADIA, JULIE] {
        for (page, (_, body)) in s.pages(who) {
            for secret in ["Claire Morel", "Sauvegarde", "judicial", own["id"].as_str().unwrap(), &c.claire] {
                assert!(!body.contains(secret), "{who}: {page} holds {secret}: {body}");
            }
        }
    }
    // The référente who invited her knows of her.
    let q = s.open(NADIA, "Yanis", FIFTEEN);
    let (mother, father) = (s.holder(NADIA, &q, "Fatou"), s.holder(NADIA, &q, "Issa"));
    let lines = vec![s.line(CLAIRE, &["schooling"], &[]), s.line(JULIE, &["schooling"], &[])];
    s.accord(NADIA, &q, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    s.invite(NADIA, &q, CLAIRE, "judicial");
    s.invite(NADIA, &q, JULIE, "contractual");
    let circle = |who: &str| s.read(who, &format!("/api/v1/pathways/{q}/circle")).to_string();
    assert!(circle(NADIA).contains("Claire Morel"));
    assert!(!circle(JULIE).contains("Claire Morel"));
    s.recorded("teacher", "list", "circle", "permit");
}

#[test]
fn story_s19_may_i_tell_her_and_what_was_said() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", FIFTEEN);
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let lines = vec![s.line(SAMIRA, &["housing"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let ask = |category: &str| {
        let body = json!({ "purpose": "coordination", "category": category, "recipients": [samira] });
        let reply = s.post(NADIA, &format!("/api/v1/pathways/{p}/preview"), body);
        assert_eq!(reply.status, 200, "{}", text(&reply));
        reply.json()["readers"][0].clone()
    };
    let yes = ask("housing");
    assert_eq!(yes["will_read_all"], true, "{yes}");
    assert_eq!(yes["things"][0]["item"], Value::Null, "nothing is written");
    let no = ask("family");
    assert_eq!(no["will_read_all"], false);
    assert_eq!(no["things"][0]["reasons"][0]["code"], "accord_too_narrow", "{no}");
    assert!(no["things"][0]["reasons"][0]["sentence"].as_str().unwrap().ends_with('.'));
    let note = |category: &str| json!({ "recipient": samira, "category": category, "purpose": "coordination", "on": s.day(0) });
    let path = format!("/api/v1/pathways/{p}/spoken");
    s.act(NADIA, &path, note("housing"));
    assert_eq!(s.refused(NADIA, &path, note("family")), "not_to_be_said");
    assert_eq!(s.read(NADIA, &path)["items"].as_array().unwrap().len(), 1);
    assert!(s.read(SAMIRA, &path)["items"].as_array().unwrap().is_empty());
    let kept = s.recorded("referent_pre", "create", "oral_note", "permit");
    assert_eq!(kept["categories"], json!(["housing"]), "{kept}");
}

#[test]
fn story_s20_danger_is_one_step_away_and_the_mention_stays_at_home() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    let danger = s.read(PAUL, "/api/v1/danger");
    let numbers: Vec<&str> =
        danger["numbers"].as_array().unwrap().iter().map(|n| n["number"].as_str().unwrap()).collect();
    assert_eq!(&numbers[..4], ["15", "17", "112", "119"]);
    assert_eq!(numbers.len(), 6, "the CRIP and the prosecutor");
    assert_eq!(danger["sentence"], "Relais ne transmet rien à votre place.");
    let path = format!("/api/v1/pathways/{}/transmissions", c.pathway);
    s.act(SAMIRA, &path, json!({ "on": s.day(0), "to": "crip" }));
    assert_eq!(s.read(SAMIRA, &path)["items"].as_array().unwrap().len(), 1);
    for who in [NADIA, JULIE, CLAIRE] {
        assert!(s.read(who, &path)["items"].as_array().unwrap().is_empty(), "{who}");
    }
    s.recorded("specialised_prevention", "create", "transmission", "permit");
}
