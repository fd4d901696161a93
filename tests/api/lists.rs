//! Lists that have several pages go on where they stopped, also when the line that stood there is gone meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stories_world::*;

/// What identifies the lines of a page, in their order.
fn ids(page: &Value) -> Vec<String> {
    let lines = page["items"].as_array().unwrap();
    lines.iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).collect()
}

fn after(path: &str, page: &Value) -> String {
    format!("{path}?cursor={}", page["next"].as_str().unwrap_or_else(|| panic!("one page only: {path}")))
}

#[test]
fn the_list_of_pathways_goes_on_although_the_last_of_a_page_was_left_meanwhile() {
    let s = Story::begin();
    let opened: Vec<String> = (0..55).map(|n| s.open(NADIA, &format!("Enfant {n}"), "2012-04-20")).collect();
    let path = "/api/v1/pathways";
    let first = s.read(NADIA, path);
    let shown = ids(&first);
    let last = shown.last().unwrap().clone();
    assert_eq!((shown.len(), &last), (50, &opened[5]), "the latest first");

    // Another référent takes the place of the one who leaves, between the two pages.
    let marc = s.invite(NADIA, &last, MARC, "contractual");
    let preference = json!({ "said_by": "young_person", "wish": "Marc.", "on": s.day(0) });
    let change = json!({ "participation": marc, "preference": preference });
    s.act(NADIA, &format!("/api/v1/pathways/{last}/referent"), change);
    let circle = s.read(NADIA, &format!("/api/v1/pathways/{last}/circle"));
    let me = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
    s.act(NADIA, &format!("/api/v1/participations/{}/end", me.as_str().unwrap()), Value::Null);

    let second = s.read(NADIA, &after(path, &first));
    let rest = ids(&second);
    assert!(rest.len() >= 5, "the rest is lost: {second}");
    assert_eq!(rest[..5].to_vec(), opened[..5].iter().rev().cloned().collect::<Vec<_>>());
    let twice: Vec<&String> = rest.iter().filter(|id| shown.contains(id)).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(second["next"].is_null());
}

#[test]
fn the_chronology_goes_on_although_the_last_line_of_a_page_and_others_are_hidden_meanwhile() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let lines = vec![s.line(SAMIRA, &["schooling"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let facts: Vec<Written> =
        (0..66).map(|n| s.fact(NADIA, &p, "schooling", &format!("Rendez-vous {n}"))).collect();
    // Every other one is in each of two shares.
    let half = |from: usize| facts.iter().skip(from).step_by(2).collect::<Vec<_>>();
    let shares: Vec<String> = (0..2)
        .map(|from| s.share(NADIA, &p, s.share_body("coordination", 60, &half(from), &[&samira])))
        .collect();

    let path = format!("/api/v1/pathways/{p}/chronology");
    let first = s.read(SAMIRA, &path);
    let shown = ids(&first);
    assert_eq!(first["items"].as_array().unwrap().len(), 50);
    let place = facts.iter().position(|f| Some(&f.item) == shown.last()).unwrap();
    // What stood last ends for her, and with it half of what is older: the rest is all there, and once.
    s.act(NADIA, &format!("/api/v1/pathways/{p}/shares/{}/end", shares[place % 2]), json!({}));
    s.fact(SAMIRA, &p, "schooling", "Écrit entre deux pages");
    let second = s.read(SAMIRA, &after(&path, &first));
    let written = |page: &Value| -> Vec<String> {
        let lines = page["items"].as_array().unwrap().iter().filter(|l| l["what"] == "written");
        lines.map(|l| l["id"].as_str().unwrap().to_owned()).collect()
    };
    let expected: Vec<&str> = facts[..place]
        .iter()
        .enumerate()
        .rev()
        .filter(|(n, _)| n % 2 != place % 2)
        .map(|(_, f)| f.item.as_str())
        .collect();
    assert!(expected.len() >= 5, "{expected:?}");
    assert_eq!(written(&second), expected);
    let all: BTreeSet<String> = shown.iter().cloned().collect();
    assert!(ids(&second).iter().all(|id| !all.contains(id)), "a line stands on both pages");
    assert!(second["items"].as_array().unwrap().iter().any(|line| line["what"] == "opened"), "{second}");
    assert!(second["next"].is_null(), "{second}");

    // Another list's cursor is refused by its name, and so is a made one.
    for cursor in [first["next"].as_str().unwrap(), "MTc"] {
        let refused =
            s.get(SAMIRA, &format!("/api/v1/pathways/{p}/items?purpose=coordination&cursor={cursor}"));
        assert_eq!((refused.status, &refused.json()["errors"][0]["path"]), (422, &json!("cursor")));
    }
}
