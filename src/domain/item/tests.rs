//! Contents by category: what is read, what is refused and where, what is kept and said.

use std::collections::BTreeMap;

use super::*;
use serde_json::json;

struct Lists;

impl Codes for Lists {
    fn need(&self, code: &str) -> Option<&str> {
        (code == "warm_clothes").then_some("Vêtements chauds")
    }

    fn judicial_kind(&self, code: &str) -> Option<&str> {
        (code == "aemo").then_some("AEMO")
    }

    fn term(&self, code: &str) -> Option<&str> {
        (code == "dropping_out").then_some("Risque de décrochage")
    }
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 3, 14).unwrap()
}

fn parse(value: Value) -> Result<ItemContent, FieldErrors> {
    ItemContent::parse(Submitted::from(value), &Lists, today())
}

/// Path and code of every refusal.
fn refusals(value: Value) -> Vec<(String, &'static str)> {
    parse(value).unwrap_err().iter().map(|e| (e.path.clone(), e.error.code())).collect()
}

fn at(path: &str, code: &'static str) -> (String, &'static str) {
    (path.to_owned(), code)
}

fn sample(category: Category) -> Value {
    let fact = json!({"category": category.code(), "fact": "Prend le bus seul", "since": "2026-09-01", "source": "observed"});
    match category {
        Category::Identity => json!({
            "category": "identity", "name": "Martin", "first_name": "Léa", "birth_date": "2011-05-02",
            "contacts": [{"kind": "parent", "who": "Mme Martin", "number": "06 12 34 56 78"}],
            "emergency_contacts": [
                {"who": "Mme Martin", "number": "0612345678"}, {"who": "M. Petit", "number": "+33 1 23 45 67 89"}],
            "may_fetch": [{"who": "Mme Martin"}],
        }),
        Category::HealthMinimal => json!({
            "category": "health_minimal", "kind": "treatment", "what": "Un comprimé", "when": "20 h",
            "prescription_kept": "dans la pochette bleue",
        }),
        Category::Practical => {
            json!({"category": "practical", "need": "warm_clothes", "detail": "Manteau, taille 14 ans"})
        }
        Category::Schooling | Category::Integration => json!({
            "category": category.code(), "fact": "Vient deux jours sur cinq", "source": "young_person",
            "term": "dropping_out",
        }),
        Category::Leisure
        | Category::Mobility
        | Category::Housing
        | Category::Family
        | Category::Affective => fact,
        Category::HealthDetailed => {
            json!({"category": "health_detailed", "fact": "Suivi tous les mois", "source": "parent"})
        }
        Category::Judicial => json!({
            "category": "judicial", "kind": "aemo", "service": "Service du bassin", "contact": "Mme Roux", "ends": "2028-01-31",
        }),
        Category::Evaluation => json!({
            "category": "evaluation", "going_well": "Le foot.\nLes amis.", "worries": "Le matin.", "done": "Un bilan.",
            "said_by_family": "Il faut continuer.", "proposed": "Un atelier.", "subjects": ["schooling", "family"],
            "read_with_family_on": "2027-03-10",
        }),
    }
}

#[test]
fn fields_are_those_of_the_policy_and_no_others() {
    #[derive(serde::Deserialize)]
    struct Entry {
        fields: BTreeMap<String, String>,
    }
    let mut file: toml::Table = toml::from_str(include_str!("../../../policies/items.toml")).unwrap();
    let sources: Vec<String> = file.remove("source").unwrap().try_into().unwrap();
    let ours: Vec<&str> = super::super::vocabulary::Source::ALL.iter().map(|s| s.french()).collect();
    assert_eq!(sources, ours);

    let policy: BTreeMap<String, BTreeMap<String, String>> = file
        .into_iter()
        .map(|(category, entry)| (category, entry.try_into::<Entry>().unwrap().fields))
        .collect();
    let code: BTreeMap<String, BTreeMap<String, String>> = Category::ALL
        .iter()
        .map(|c| {
            let fields = ItemContent::notation(*c).into_iter().map(|(name, what)| (name.to_owned(), what));
            (c.code().to_owned(), fields.collect())
        })
        .collect();
    assert_eq!(code, policy);
}

#[test]
fn every_category_is_read_kept_and_read_back() {
    for category in Category::ALL {
        let content = parse(sample(*category)).unwrap();
        assert_eq!(content.category(), *category);
        let bytes = content.canonical_bytes();
        assert!(ItemContent::from_stored(&bytes).unwrap() == content, "{category}");
        assert_eq!(*ItemContent::from_stored(&bytes).unwrap().canonical_bytes(), *bytes, "{category}");
        let served = serde_json::to_value(&content).unwrap();
        assert!(parse(served).unwrap() == content, "{category}: what is served can be submitted again");
        assert_eq!(format!("{content:?}"), format!("ItemContent({category}, …)"));
        assert!(!content.words(&Lists).is_empty());
    }
}

#[test]
fn a_field_too_many_is_refused_by_its_name_in_every_category() {
    for category in Category::ALL {
        let mut value = sample(*category);
        value["comment"] = json!("texte libre");
        assert_eq!(refusals(value), [at("content.comment", "unknown_field")], "{category}");
    }
    let mut value = sample(Category::Identity);
    value["contacts"][0]["address"] = json!("12 rue du Port");
    assert_eq!(refusals(value), [at("content.contacts[0].address", "unknown_field")]);
}

#[test]
fn everything_that_is_refused_is_named_at_once() {
    let value = json!({"category": "mobility", "fact": "x".repeat(141), "since": "2027-03-15", "source": "rumour", "note": ""});
    assert_eq!(
        refusals(value),
        [
            at("content.fact", "too_long"),
            at("content.since", "date_in_future"),
            at("content.source", "not_in_list"),
            at("content.note", "unknown_field"),
        ]
    );
    assert_eq!(
        refusals(json!({"category": "mobility"})),
        [at("content.fact", "missing"), at("content.source", "missing")]
    );
    let value = json!({"category": "mobility", "fact": 3, "since": null, "source": ["observed"]});
    assert_eq!(refusals(value), [at("content.fact", "wrong_type"), at("content.source", "wrong_type")]);
}

#[test]
fn r01_an_item_without_a_category_cannot_be_made() {
    assert_eq!(refusals(json!({"fact": "Prend le bus"})), [at("content.category", "missing")]);
    assert_eq!(refusals(json!({"category": "other", "fact": "x"})), [at("content.category", "not_in_list")]);
    assert_eq!(refusals(json!("mobility")), [at("content", "wrong_type")]);
}

#[test]
fn law_7_a_nir_is_refused_in_any_field() {
    const NIR: &str = "1 85 05 78 006 084 91";
    for category in Category::ALL {
        let whole = sample(*category);
        let names: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
        let mut tried = 0;
        for name in names {
            let text = matches!(
                name.as_str(),
                "name"
                    | "first_name"
                    | "what"
                    | "when"
                    | "prescription_kept"
                    | "detail"
                    | "fact"
                    | "service"
                    | "contact"
                    | "going_well"
                    | "worries"
                    | "done"
                    | "said_by_family"
                    | "proposed"
            );
            if text {
                let mut value = whole.clone();
                value[&name] = json!(NIR);
                assert_eq!(refusals(value), [at(&format!("content.{name}"), "nir_like")]);
                tried += 1;
            }
        }
        assert!(tried > 0, "{category} has a text");
    }
    let mut value = sample(Category::Identity);
    value["may_fetch"][0]["who"] = json!(NIR);
    assert_eq!(refusals(value), [at("content.may_fetch[0].who", "nir_like")]);
    let draft = ItemDraft::parse(NIR, Submitted::from(sample(Category::Leisure)), &Lists, today());
    assert_eq!(draft.unwrap_err().to_string(), "`label`: looks like a social security number; remove it");
}

#[test]
fn coded_fields_are_of_the_charter_in_force_when_entered_and_readable_ever_after() {
    for (category, field) in
        [(Category::Practical, "need"), (Category::Judicial, "kind"), (Category::Schooling, "term")]
    {
        for bad in ["unlisted", "", "Warm Clothes"] {
            let mut value = sample(category);
            value[field] = json!(bad);
            assert_eq!(refusals(value), [at(&format!("content.{field}"), "not_in_charter")]);
        }
    }
    let old = br#"{"category":"practical","detail":"Bottes","need":"boots"}"#;
    let content = ItemContent::from_stored(old).unwrap();
    assert_eq!(content.words(&Lists)[0], ("Besoin".to_owned(), "boots".to_owned()));
}

#[test]
fn lists_are_short_and_keep_their_order() {
    let mut value = sample(Category::Identity);
    value["contacts"] = Value::Array(vec![value["contacts"][0].clone(); 11]);
    assert_eq!(refusals(value), [at("content.contacts", "too_many")]);
    let mut value = sample(Category::Identity);
    value["emergency_contacts"][1]["number"] = json!("12");
    assert_eq!(refusals(value), [at("content.emergency_contacts[1].number", "not_a_phone")]);

    let ItemContent::Identity(sheet) = parse(sample(Category::Identity)).unwrap() else { unreachable!() };
    let who: Vec<&str> = sheet.emergency_contacts.iter().map(|c| c.who.as_str()).collect();
    assert_eq!(who, ["Mme Martin", "M. Petit"]);

    let mut value = sample(Category::Identity);
    value.as_object_mut().unwrap().retain(|name, _| !name.contains("contacts") && name != "may_fetch");
    let ItemContent::Identity(sheet) = parse(value).unwrap() else { unreachable!() };
    assert!(sheet.contacts.is_empty() && sheet.may_fetch.is_empty());
}

#[test]
fn a_synthesis_counts_under_all_its_subjects_and_must_name_them() {
    let content = parse(sample(Category::Evaluation)).unwrap();
    assert_eq!(
        content.subjects(),
        BTreeSet::from([Category::Evaluation, Category::Schooling, Category::Family])
    );
    let leisure = parse(sample(Category::Leisure)).unwrap();
    assert_eq!(leisure.subjects(), BTreeSet::from([Category::Leisure]));
    for (subjects, path, code) in [
        (json!([]), "content.subjects", "empty"),
        (json!(["evaluation"]), "content.subjects[0]", "not_in_list"),
        (json!(["family", "family"]), "content.subjects[1]", "given_twice"),
        (json!(["family", "other"]), "content.subjects[1]", "not_in_list"),
        (json!("family"), "content.subjects", "wrong_type"),
    ] {
        let mut value = sample(Category::Evaluation);
        value["subjects"] = subjects;
        assert_eq!(refusals(value), [at(path, code)]);
    }
    let mut value = sample(Category::Evaluation);
    value["read_with_family_on"] = json!("2027-03-15");
    assert_eq!(refusals(value), [at("content.read_with_family_on", "date_in_future")]);
}

#[test]
fn the_words_are_those_of_the_notice_in_a_stable_order() {
    let words = parse(sample(Category::Identity)).unwrap().words(&Lists);
    let lines: Vec<String> = words.iter().map(|(label, said)| format!("{label} : {said}")).collect();
    assert_eq!(
        lines,
        [
            "Nom : Martin",
            "Prénom : Léa",
            "Né(e) le : 2 mai 2011",
            "Contact : Parent · Mme Martin · 06 12 34 56 78",
            "En cas d'urgence : Mme Martin · 06 12 34 56 78",
            "En cas d'urgence : M. Petit · 01 23 45 67 89",
            "Remise uniquement à : Mme Martin",
        ]
    );
    let words = parse(sample(Category::Schooling)).unwrap().words(&Lists);
    assert_eq!(
        words.last().unwrap(),
        &("Au sens de la charte".to_owned(), "Risque de décrochage".to_owned())
    );
}

#[test]
fn one_content_has_one_form_of_bytes() {
    let content =
        parse(json!({"source": "observed", "fact": " Prend le bus ", "category": "mobility", "since": null}))
            .unwrap();
    assert_eq!(
        std::str::from_utf8(&content.canonical_bytes()).unwrap(),
        r#"{"category":"mobility","fact":"Prend le bus","source":"observed"}"#
    );
    let twice: Result<Submitted, _> =
        serde_json::from_str(r#"{"category":"mobility","fact":"a","fact":"b","source":"observed"}"#);
    assert!(twice.unwrap_err().to_string().contains("`fact` given twice"));
    assert!(ItemContent::from_stored(b"{").is_err() && ItemContent::from_stored(b"\xff").is_err());
}

#[test]
fn warnings_speak_of_label_and_content_once_each() {
    let mut value = sample(Category::Family);
    value["fact"] = json!("Sa mère est alcoolique");
    let draft = ItemDraft::parse("Mère alcoolique, fugue", Submitted::from(value), &Lists, today()).unwrap();
    let found: Vec<String> = draft.warnings(&["fugue"]).into_iter().map(|w| w.term).collect();
    assert_eq!(found, ["alcooli*", "fugue"]);
}

#[test]
fn an_action_says_what_by_when_and_who() {
    let who = "a".repeat(26);
    let good = json!({"what": "Inscrire au club", "by_when": "2027-04-01", "who": who});
    let action: ActionContent = serde_json::from_value(good.clone()).unwrap();
    assert_eq!(action.what.as_str(), "Inscrire au club");
    assert_eq!(format!("{action:?}"), "ActionContent(…)");
    for (field, bad) in
        [("what", json!("")), ("by_when", json!("demain")), ("who", json!("moi")), ("extra", json!(1))]
    {
        let mut value = good.clone();
        value[field] = bad;
        assert!(serde_json::from_value::<ActionContent>(value).is_err(), "{field}");
    }
}

#[test]
fn the_schema_lists_one_closed_shape_per_category() {
    let schema = serde_json::to_value(<ItemContent as utoipa::PartialSchema>::schema()).unwrap();
    let shapes = schema["oneOf"].as_array().unwrap();
    assert_eq!(shapes.len(), Category::ALL.len());
    for (shape, category) in shapes.iter().zip(Category::ALL) {
        assert_eq!(shape["properties"]["category"]["enum"], json!([category.code()]));
        assert_eq!(shape["additionalProperties"], json!(false));
        let fields = ItemContent::notation(*category);
        assert_eq!(shape["properties"].as_object().unwrap().len(), fields.len() + 1);
        for (name, what) in fields {
            let required = shape["required"].as_array().unwrap().contains(&json!(name));
            assert_eq!(required, !what.ends_with('?') && !what.contains("list{"), "{category}.{name}");
        }
    }
    assert_eq!(shapes[0]["properties"]["name"]["maxLength"], json!(80));
    assert_eq!(<Submitted as utoipa::ToSchema>::name(), <ItemContent as utoipa::ToSchema>::name());
}
