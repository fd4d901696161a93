//! Two worlds: what happened is the same but for a hidden AEMO; whoever may not know of it is answered alike.
#![expect(clippy::indexing_slicing, reason = "a page that one world lacks must stop the test")]

use std::collections::BTreeMap;

use serde_json::json;

use super::stories::FIFTEEN;
use super::stories_world::*;

/// A pathway opened by `referent`; in one of the worlds an AEMO takes part, writes, shares and is handed to.
fn world(referent: &str, hidden: bool) -> BTreeMap<String, BTreeMap<String, String>> {
    let s = Story::begin();
    let p = s.open(referent, "Lina", FIFTEEN);
    let (mother, father) = (s.holder(referent, &p, "Karima"), s.holder(referent, &p, "Olivier"));
    let all = [mother.as_str(), father.as_str(), "young_person"];
    let lines = vec![s.line(JULIE, &["schooling"], &[]), s.line(SAMIRA, &["schooling"], &[])];
    s.accord(referent, &p, "coordination", 300, lines, &all);
    let julie = s.invite(referent, &p, JULIE, "contractual");
    s.invite(referent, &p, SAMIRA, "contractual");
    let coat = s.write(
        referent,
        &p,
        "Affaires",
        json!({ "category": "practical", "need": "warm_clothes", "detail": "Manque de vêtements chauds" }),
        true,
    );
    let school = s.fact(referent, &p, "schooling", "Vient à l'aide aux devoirs");
    let shown = vec![s.line(PAUL, &["practical"], &[&coat])];
    s.accord(referent, &p, "stay", 40, shown, &[&mother, "young_person"]);
    let until = Some(s.day(20));
    let director = s.invite_as(referent, &p, PAUL, "contractual", "stay_organiser", until);
    s.share(referent, &p, s.share_body("stay", 20, &[&coat], &[&director]));
    let shown = vec![s.line(JULIE, &["schooling"], &[&school])];
    s.accord(referent, &p, "schooling", 200, shown, &all);
    s.share(referent, &p, s.share_body("schooling", 100, &[&school], &[&julie]));
    // What is known of the story until here is what both worlds ask for.
    let ask = s.mark();
    if hidden {
        let lines = vec![s.line(CLAIRE, &["schooling"], &[]), s.line(JULIE, &["schooling"], &[])];
        s.accord(SAMIRA, &p, "protection", 300, lines, &all);
        let lines = vec![s.line(CLAIRE, &["schooling"], &[])];
        s.accord(SAMIRA, &p, "coordination", 300, lines, &all);
        let claire = s.invite(SAMIRA, &p, CLAIRE, "judicial");
        s.fact(CLAIRE, &p, "schooling", "Vu à la maison mardi");
        let street = s.fact(SAMIRA, &p, "schooling", "Vient au local le mercredi");
        s.share(SAMIRA, &p, s.share_body("coordination", 60, &[&street], &[&claire]));
        assert!(s.reads(CLAIRE, &street, "coordination"));
        // S13: nor does an opening in an emergency by a hidden service leave a trace for whoever may not know of it.
        let motive = json!({ "motive": "Un appel de nuit, personne ne répond.", "understood": true });
        s.act(CLAIRE, &format!("/api/v1/pathways/{p}/emergencies"), motive);
    } else {
        // The same sheet without the hidden box.
        s.accord(SAMIRA, &p, "protection", 300, vec![s.line(JULIE, &["schooling"], &[])], &all);
        s.fact(SAMIRA, &p, "schooling", "Vient au local le mercredi");
    }
    s.restore(ask);
    let mut out = BTreeMap::new();
    for who in [JULIE, PAUL, referent] {
        let pages = s.pages(who);
        assert!(pages.values().any(|(status, _)| *status == 200), "{who}");
        // « Qui a regardé ? » is asked for one person: with and without the measure is one paper.
        let mut pages = pages;
        for whom in ["young_person", mother.as_str()] {
            let path = format!("/api/v1/pathways/{p}/consultations/sheet?for_whom={whom}");
            let reply = s.get(who, &path);
            assert_eq!(reply.status, if who == referent { 200 } else { 404 }, "{who}");
            let whom = if whom == "young_person" { whom } else { "mother" };
            pages.insert(format!("who looked, for the {whom}"), (reply.status, text(&reply)));
        }
        let pages =
            pages.into_iter().map(|(page, (status, body))| (page, format!("{status} {}", same(&body))));
        out.insert(who.to_owned(), pages.collect());
    }
    out
}

fn compare(referent: &str) {
    let (with, without) = (world(referent, true), world(referent, false));
    let mut different = Vec::new();
    for (who, pages) in &with {
        assert_eq!(pages.keys().collect::<Vec<_>>(), without[who].keys().collect::<Vec<_>>());
        for (page, body) in pages {
            if body != &without[who][page] {
                different.push(format!("{who} {page}\n  with    {body}\n  without {}", without[who][page]));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn two_worlds_are_one_for_the_teacher_the_director_and_a_contested_referent() {
    compare(MARC);
}

#[test]
fn two_worlds_are_one_for_a_bound_referent_who_did_not_invite() {
    compare(NADIA);
}
