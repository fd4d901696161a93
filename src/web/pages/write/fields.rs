//! The fields of a form, by subject: the shapes of `policies/items.toml`, as people fill them in.
//!
//! INVARIANT: the names are the paths of the API's input; the service reads and refuses, this file only shows.

use serde_json::Value;

use crate::domain::item::{ContactKind, HealthKind};
use crate::domain::vocabulary::{Category, Source};
use crate::service::writing::{CodedView, WritingView};

/// Lines offered for each list of an identity sheet.
const CONTACTS: usize = 3;
const MAY_FETCH: usize = 2;

/// One value of a list to choose from.
#[derive(Clone)]
pub struct Choice {
    code: String,
    french: String,
}

impl Choice {
    pub fn code(&self) -> &str {
        &self.code
    }

    pub fn french(&self) -> &str {
        &self.french
    }
}

/// How a field is filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An `<input>` of this type.
    Line(&'static str),
    /// One line for the domain, that is longer than a telephone is wide.
    Sentence,
    Area,
    Select,
    Boxes,
}

/// One field.
pub struct Field {
    pub name: String,
    pub label: &'static str,
    pub help: &'static str,
    kind: Kind,
    pub max: u32,
    pub required: bool,
    choices: Vec<Choice>,
}

impl Field {
    pub fn is_sentence(&self) -> bool {
        self.kind == Kind::Sentence
    }

    pub fn is_area(&self) -> bool {
        self.kind == Kind::Area
    }

    pub fn is_select(&self) -> bool {
        self.kind == Kind::Select
    }

    pub fn is_boxes(&self) -> bool {
        self.kind == Kind::Boxes
    }

    /// What there is to choose from.
    pub fn options(&self) -> &[Choice] {
        &self.choices
    }

    /// The type of its `<input>`.
    pub fn input(&self) -> &'static str {
        match self.kind {
            Kind::Line(input) => input,
            Kind::Sentence | Kind::Area | Kind::Select | Kind::Boxes => "text",
        }
    }
}

/// Fields that belong together.
pub struct Group {
    pub legend: Option<String>,
    pub fields: Vec<Field>,
}

fn field(name: &str, label: &'static str, kind: Kind, max: u32, required: bool) -> Field {
    Field { name: format!("content.{name}"), label, help: "", kind, max, required, choices: Vec::new() }
}

fn line(name: &str, label: &'static str, max: u32) -> Field {
    field(name, label, Kind::Line("text"), max, true)
}

fn phrase(name: &str, label: &'static str, max: u32) -> Field {
    field(name, label, Kind::Sentence, max, true)
}

fn date(name: &str, label: &'static str, required: bool) -> Field {
    field(name, label, Kind::Line("date"), 0, required)
}

fn select(name: &str, label: &'static str, options: Vec<Choice>, required: bool) -> Field {
    Field { choices: options, ..field(name, label, Kind::Select, 0, required) }
}

fn listed<T: Copy>(all: &[T], code: fn(T) -> &'static str, french: fn(T) -> &'static str) -> Vec<Choice> {
    all.iter().map(|v| Choice { code: code(*v).to_owned(), french: french(*v).to_owned() }).collect()
}

fn coded(list: &[CodedView]) -> Vec<Choice> {
    list.iter().map(|c| Choice { code: c.code.clone(), french: c.words.clone() }).collect()
}

/// A term is cited by itself; its definition stands in the charter.
fn terms(list: &[CodedView]) -> Vec<Choice> {
    list.iter().map(|c| Choice { code: c.code.clone(), french: c.code.clone() }).collect()
}

fn fact(help: &'static str) -> Vec<Field> {
    vec![Field { help, ..phrase("fact", "Le fait", 140) }, date("since", "Depuis quand ?", false), source()]
}

fn source() -> Field {
    select("source", "D'où vient-il ?", listed(Source::ALL, Source::code, Source::french), true)
}

fn alone(fields: Vec<Field>) -> Vec<Group> {
    vec![Group { legend: None, fields }]
}

const USEFUL: &str = "Une phrase utile au jeune, telle que la famille peut la relire.";

fn identity() -> Vec<Group> {
    let optional = |f: Field| Field { required: false, ..f };
    let mut groups = alone(vec![
        line("first_name", "Prénom", 80),
        line("name", "Nom", 80),
        date("birth_date", "Date de naissance", true),
    ]);
    for i in 0..CONTACTS {
        let at = |name: &str| format!("contacts[{i}].{name}");
        groups.push(Group {
            legend: Some(format!("Contact {}", i.saturating_add(1))),
            fields: vec![
                select(
                    &at("kind"),
                    "Qui ?",
                    listed(ContactKind::ALL, ContactKind::code, ContactKind::french),
                    false,
                ),
                optional(line(&at("who"), "Nom", 80)),
                field(&at("number"), "Téléphone", Kind::Line("tel"), 0, false),
            ],
        });
    }
    for i in 0..CONTACTS {
        let at = |name: &str| format!("emergency_contacts[{i}].{name}");
        groups.push(Group {
            legend: Some(format!("En cas d'urgence, appeler en position {}", i.saturating_add(1))),
            fields: vec![
                optional(line(&at("who"), "Nom", 80)),
                field(&at("number"), "Téléphone", Kind::Line("tel"), 0, false),
            ],
        });
    }
    for i in 0..MAY_FETCH {
        let mut who = optional(line(&format!("may_fetch[{i}].who"), "Nom", 80));
        who.help = "Laissez vide si toute la famille peut venir le chercher.";
        groups.push(Group {
            legend: Some(format!("Remise uniquement à… ({})", i.saturating_add(1))),
            fields: vec![who],
        });
    }
    groups
}

/// The fields of a subject.
pub fn of(category: Category, writing: &WritingView) -> Vec<Group> {
    let term = || Field {
        help: "Si vous employez un mot de la charte, citez-le : chacun lira la même chose.",
        ..select("term", "Au sens de la charte", terms(&writing.terms), false)
    };
    match category {
        Category::Identity => identity(),
        Category::HealthMinimal => alone(vec![
            select(
                "kind",
                "De quoi s'agit-il ?",
                listed(HealthKind::ALL, HealthKind::code, HealthKind::french),
                true,
            ),
            Field {
                help: "Ce qu'il faut faire ou éviter. Pas de nom de maladie.",
                ..phrase("what", "Quoi ?", 140)
            },
            line("when", "Quand ?", 60),
            phrase("prescription_kept", "Où est l'ordonnance ?", 80),
        ]),
        Category::Practical => alone(vec![
            select("need", "Quel besoin ?", coded(&writing.needs), true),
            phrase("detail", "Précision", 140),
        ]),
        Category::Schooling | Category::Integration => {
            let mut fields = fact(USEFUL);
            fields.push(term());
            alone(fields)
        }
        Category::Leisure
        | Category::Mobility
        | Category::Housing
        | Category::Family
        | Category::Affective => alone(fact(USEFUL)),
        Category::HealthDetailed => {
            alone(vec![Field { help: USEFUL, ..phrase("fact", "Le fait", 140) }, source()])
        }
        Category::Judicial => alone(vec![
            select("kind", "Quelle mesure ?", coded(&writing.judicial_kinds), true),
            Field {
                help: "Jamais le jugement ni un rapport.",
                ..phrase("service", "Quel service l'exerce ?", 80)
            },
            phrase("contact", "Qui appeler ?", 80),
            date("ends", "Fin prévue", false),
        ]),
        Category::Evaluation => {
            let text = |name, label| field(name, label, Kind::Area, 600, true);
            let subjects = Category::ALL.iter().filter(|c| writing.categories.contains(c)).copied();
            let subjects: Vec<Category> = subjects.filter(|c| *c != Category::Evaluation).collect();
            alone(vec![
                text("going_well", "Ce qui va bien"),
                text("worries", "Ce qui inquiète"),
                text("done", "Ce qui a été fait"),
                text("said_by_family", "Ce que dit la famille"),
                text("proposed", "Ce qui est proposé"),
                Field {
                    choices: listed(&subjects, Category::code, Category::french),
                    help: "La synthèse se lit sous la règle du sujet le plus protégé.",
                    ..field("subjects[]", "Sujets abordés", Kind::Boxes, 0, true)
                },
                date("read_with_family_on", "Relu avec la famille le", true),
            ])
        }
    }
}

/// A content as the fields of its form.
pub fn flattened(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                flattened(&format!("{path}.{key}"), inner, out);
            }
        }
        Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                if inner.is_object() {
                    flattened(&format!("{path}[{i}]"), inner, out);
                } else {
                    flattened(&format!("{path}[]"), inner, out);
                }
            }
        }
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) | Value::Null => out.push((path.to_owned(), value.to_string())),
    }
}

/// What a subject is for, beside its name.
pub const fn purpose_of(category: Category) -> &'static str {
    match category {
        Category::Identity => "Nom, qui appeler, à qui remettre l'enfant.",
        Category::Schooling => "L'école, la classe, ce qui aide.",
        Category::Family => "Ce qu'il faut savoir de la famille pour aider le jeune.",
        Category::Housing => "Où il vit, ce qui change.",
        Category::HealthMinimal => "Allergie, traitement, conduite à tenir.",
        Category::HealthDetailed => "Entre soignants seulement ; préférez leur messagerie.",
        Category::Judicial => "Qu'une mesure existe, qui l'exerce, qui appeler.",
        Category::Leisure => "Ses activités, ses goûts.",
        Category::Mobility => "Ses trajets, ce qui bloque.",
        Category::Integration => "Stage, formation, emploi.",
        Category::Affective => "Les personnes qui comptent pour lui.",
        Category::Evaluation => "Ce qui va bien, ce qui inquiète, ce qui est proposé.",
        Category::Practical => "Vêtements, matériel, menus, horaires.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::item::ItemContent;

    /// Lists for samples.
    fn writing() -> WritingView {
        let one =
            |code: &str, words: &str| vec![CodedView { code: code.to_owned(), words: words.to_owned() }];
        WritingView {
            categories: Category::ALL.to_vec(),
            stay: vec![Category::Practical],
            needs: one("warm_clothes", "Vêtements chauds"),
            judicial_kinds: one("aemo", "AEMO"),
            terms: one("passage de relais", "Le moment où…"),
        }
    }

    #[test]
    fn every_field_of_a_subject_stands_in_its_form_and_no_other() {
        for category in Category::ALL {
            let mut shown: Vec<String> = Vec::new();
            for group in of(*category, &writing()) {
                for field in group.fields {
                    let bare = field.name.strip_prefix("content.").unwrap();
                    let bare = bare.split(['[', '.']).next().unwrap().to_owned();
                    if !shown.contains(&bare) {
                        shown.push(bare);
                    }
                }
            }
            shown.sort();
            let mut wanted: Vec<&str> =
                ItemContent::notation(*category).into_iter().map(|(name, _)| name).collect();
            wanted.sort_unstable();
            assert_eq!(shown, wanted, "{category}");
        }
    }

    #[test]
    fn a_content_becomes_the_fields_of_its_form() {
        let value = serde_json::json!({"category": "identity", "contacts": [{"who": "A"}, {"who": "B"}], "subjects": ["family"]});
        let mut out = Vec::new();
        flattened("content", &value, &mut out);
        let has = |name: &str, value: &str| out.iter().any(|(n, v)| n == name && v == value);
        assert!(has("content.category", "identity") && has("content.contacts[1].who", "B"));
        assert!(has("content.subjects[]", "family"));
    }
}
