//! What is written on a pathway: items, notes, actions, and who reads them.

use super::*;

#[test]
fn an_item_reaches_who_was_chosen_and_says_why() {
    let case = Case::new();
    case.agree(Purpose::Coordination, &[to("prevention", &[Category::Leisure])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let (item, version) = case.write("referente", &leisure("Judo le mardi"));
    assert!(case.items("prevention", Some(Purpose::Coordination)).is_empty());
    case.share("referente", "prevention", Purpose::Coordination, &[version]);
    let seen = case.items("prevention", None);
    assert_eq!((seen.len(), seen[0].label.as_str(), seen[0].own), (1, "Judo le mardi", false));
    assert_eq!(seen[0].author.as_ref().unwrap().name, "Prénom referente");
    assert!(seen[0].why.sentence.contains("avec l'accord signé le 2 mars 2027"), "{}", seen[0].why.sentence);
    assert!(case.items("prevention", Some(Purpose::Schooling)).is_empty());
    let doors = case.t.app.pathway(&case.t.call("prevention"), &case.id).unwrap().into_inner().doors;
    assert_eq!(doors.iter().map(|d| (d.purpose, d.items)).collect::<Vec<_>>(), [(Purpose::Coordination, 1)]);
    // A correction: its readers keep the version that they were given, marked.
    let revision: RevisionInput = from(serde_json::json!({"label": "Judo le jeudi",
        "content": {"category": "leisure", "fact": "Judo le jeudi", "source": "observed"}}));
    let app = &case.t.app;
    assert_eq!(
        code(app.item_revise(&case.t.call("prevention"), &item, Corrects::Number(1), &revision)),
        "absent"
    );
    let tag = app.tag(Some(&case.t.call("referente")), &item_stamp(&item, 1));
    app.item_revise(&case.t.call("referente"), &item, Corrects::Tag(&tag), &revision).unwrap();
    assert_eq!(
        code(app.item_revise(&case.t.call("referente"), &item, Corrects::Tag(&tag), &revision)),
        "precondition"
    );
    let old = app.item(&case.t.call("prevention"), &item, Some(Purpose::Coordination)).unwrap().into_inner();
    assert_eq!((old.label.as_str(), old.corrected_on.as_deref()), ("Judo le mardi", Some("2027-03-02")));
    let new = app.item(&case.t.call("referente"), &item, None).unwrap().into_inner();
    assert_eq!((new.label.as_str(), new.version, new.corrected_on), ("Judo le jeudi", 2, None));
    let lines = app.chronology(&case.t.call("prevention"), &case.id, None).unwrap().into_inner().items;
    assert!(lines.iter().any(|l| l.label.as_deref() == Some("Judo le mardi")));
    assert!(!lines.iter().any(|l| l.label.as_deref() == Some("Judo le jeudi")));
}

#[test]
fn r01_law_7_writing_is_in_ones_own_row_and_holds_no_nir() {
    let case = Case::minor();
    case.agree(Purpose::Schooling, &[to("teacher", &[]), to("aemo", &[])]);
    case.join("teacher", Mandate::Contractual, Role::ContributorOnly);
    case.join("aemo", Mandate::Judicial, Role::Participant);
    let write = |who: &str, content: serde_json::Value| {
        let input: ItemInput = from(serde_json::json!({"label": "Un fait", "content": content}));
        code(case.t.app.item_write(&case.t.call(who), &case.id, &input))
    };
    let fact =
        |category: &str| serde_json::json!({"category": category, "fact": "Un fait", "source": "observed"});
    assert_eq!(write("teacher", fact("leisure")), "ok", "contributor-only may write");
    assert_eq!(write("teacher", fact("family")), "category_not_yours");
    assert_eq!(write("teacher", fact("weather")), "not_in_list");
    assert_eq!(write("referente", serde_json::json!({"fact": "x", "source": "observed"})), "missing");
    let nir = serde_json::json!({"category": "leisure", "fact": "185057800608491", "source": "observed"});
    assert_eq!(write("referente", nir), "nir_like");
    let measure = serde_json::json!({"category": "judicial", "kind": "aemo", "service": "Sauvegarde", "contact": "0102030405"});
    assert_eq!(write("referente", measure), "judicial_mandate_needed");
    assert_eq!(write("nurse", fact("leisure")), "absent");
    let stay: ItemInput =
        from(serde_json::json!({"label": "Un fait", "content": fact("housing"), "for_stay": true}));
    assert_eq!(code(case.t.app.item_write(&case.t.call("referente"), &case.id, &stay)), "not_in_stay_pack");
    let warned: ItemInput = from(serde_json::json!({"label": "Schizophrénie", "content": fact("leisure")}));
    let check = case.t.app.item_check(&case.t.call("referente"), &case.id, &warned).unwrap().into_inner();
    assert_eq!(check.warnings.len(), 1);
    assert_eq!(case.facts().items.len(), 1, "what was refused or checked is not kept");
}

#[test]
fn a_refused_item_is_explained_to_its_author_alone() {
    let case = Case::new();
    let mut input = leisure("Un atelier");
    input.valid_until = Some(day(2027, 3, 10));
    let (item, _) = case.write("referente", &input);
    assert_eq!(code(case.t.app.item(&case.t.call("referente"), &item, None)), "ok");
    case.t.go_to(2027, 3, 11);
    assert_eq!(code(case.t.app.item(&case.t.call("referente"), &item, None)), "explained");
    assert_eq!(code(case.t.app.item(&case.t.call("outsider"), &item, None)), "absent");
}

#[test]
fn a_light_page_counts_long_writings_for_several_and_tells_all_that_is_closed_on_the_first() {
    use crate::service::reading::{Fill, LIGHT, weight};
    let case = Case::new();
    let call = || case.t.call("referente");
    let mut old = leisure("Un atelier");
    old.valid_until = Some(day(2027, 3, 10));
    let (closed, _) = case.write("referente", &old);
    for n in 0..LIGHT + 5 {
        case.write("referente", &leisure(&format!("Judo {n}")));
    }
    let synthesis: ItemInput = from(serde_json::json!({"label": "Synthèse", "content": {
        "category": "evaluation", "going_well": "Le foot.", "worries": "Le matin.", "done": "Un bilan.",
        "said_by_family": "D'accord.", "proposed": "Un relais.", "subjects": ["leisure"],
        "read_with_family_on": "2027-03-01"}}));
    case.write("referente", &synthesis);
    case.t.go_to(2027, 3, 11);
    let pages = |fill| {
        let (mut pages, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let query = ItemsQuery { fill, cursor: cursor.as_deref(), ..ItemsQuery::default() };
            let page = case.t.app.items(&call(), &case.id, query).unwrap().into_inner();
            cursor = page.next.clone();
            pages.push(page);
            if cursor.is_none() {
                return pages;
            }
        }
    };
    let light = pages(Fill::Light);
    let lengths: Vec<usize> = light.iter().map(|page| page.items.len()).collect();
    let first = LIGHT - weight(Category::Evaluation) + 1;
    assert_eq!(lengths, [first, LIGHT + 6 - first], "the synthesis counts for several");
    // What is closed was written first of all, and stands on the first page only.
    assert_eq!(light[0].closed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [closed.as_str()]);
    assert!(light[1].closed.is_empty());
    assert_eq!(pages(Fill::Rows).len(), 1);
    let labels = |pages: &[crate::service::reading::ItemList]| {
        pages.iter().flat_map(|p| &p.items).map(|i| i.label.clone()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&light), labels(&pages(Fill::Whole)), "every line on one page, in the same order");
    // One's own writings turn in the same way.
    let all = case.t.app.own_writings(&call(), &case.id, Fill::Whole, None).unwrap().into_inner();
    assert!(all.items.len() == LIGHT + 6 && all.next.is_none());
    let one = case.t.app.own_writings(&call(), &case.id, Fill::Light, None).unwrap().into_inner();
    let two =
        case.t.app.own_writings(&call(), &case.id, Fill::Light, one.next.as_deref()).unwrap().into_inner();
    assert_eq!((one.items.len(), two.items.len(), two.next), (first, LIGHT + 6 - first, None));
    // A cursor of the one list opens nothing of the other.
    let query = ItemsQuery { cursor: one.next.as_deref(), ..ItemsQuery::default() };
    assert!(matches!(case.t.app.items(&call(), &case.id, query), Err(ServiceError::Invalid(_))));
}

#[test]
fn a_note_is_its_authors_own() {
    let case = Case::new();
    case.agree(Purpose::Coordination, &[to("prevention", &[])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let app = &case.t.app;
    let text = |t: &str| -> NoteInput { from(serde_json::json!({"text": t})) };
    let made = app.note_write(&case.t.call("referente"), &case.id, &text("À rappeler jeudi")).unwrap();
    let id = NoteId::parse(&made.id).unwrap();
    assert_eq!(app.notes(&case.t.call("referente"), &case.id).unwrap().items[0].text, "À rappeler jeudi");
    assert!(app.notes(&case.t.call("prevention"), &case.id).unwrap().items.is_empty());
    let change =
        |version| -> NoteChange { from(serde_json::json!({"version": version, "text": "Rappelé"})) };
    assert_eq!(code(app.note_change(&case.t.call("prevention"), &case.id, &id, &change(1))), "absent");
    assert_eq!(code(app.note_change(&case.t.call("referente"), &case.id, &id, &change(2))), "precondition");
    assert_eq!(code(app.note_change(&case.t.call("referente"), &case.id, &id, &change(1))), "ok");
    assert_eq!(app.notes(&case.t.call("referente"), &case.id).unwrap().items[0].text, "Rappelé");
    assert_eq!(code(app.notes(&case.t.call("outsider"), &case.id)), "absent");
}

#[test]
fn r05_no_action_begins_without_an_accord() {
    let case = Case::new();
    let app = &case.t.app;
    let action = ActionInput {
        category: Category::Leisure,
        what: from(serde_json::json!("Inscrire au judo")),
        by_when: day(2027, 4, 1),
        who: case.place("referente"),
    };
    let made = app.action_propose(&case.t.call("referente"), &case.id, &action).unwrap();
    let id = ItemId::parse(&made.id).unwrap();
    let go = |who: &str, state| code(app.action_progress(&case.t.call(who), &id, ProgressInput { state }));
    assert_eq!(go("referente", ActionState::Done), "action_order");
    assert_eq!(go("referente", ActionState::InProgress), "accord_needed_to_act");
    case.agree(Purpose::Stay, &[to("prevention", &[])]);
    assert_eq!(go("referente", ActionState::InProgress), "accord_needed_to_act");
    case.agree(Purpose::Coordination, &[to("prevention", &[])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    assert_eq!(go("prevention", ActionState::InProgress), "absent");
    assert_eq!(go("referente", ActionState::InProgress), "ok");
    let seen = case.items("referente", None);
    let view = seen[0].action.as_ref().unwrap();
    assert_eq!((view.state, view.what.as_str()), (ActionState::InProgress, "Inscrire au judo"));
    assert_eq!(view.who.as_ref().unwrap().name, "Prénom referente");
    assert_eq!(go("referente", ActionState::Done), "ok");
    assert_eq!(go("referente", ActionState::Dropped), "action_order");
}
