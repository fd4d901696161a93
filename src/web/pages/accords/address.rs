//! An accord that is being prepared, as an address: so that each step is a page that one can go back to.
//!
//! INVARIANT: an address carries ids, codes and days, and no word that somebody wrote. Services are told once; what
//! belongs to one names it by its place among them: `who=KEY-KEY`, `subjects=0.schooling.leisure-1.housing`.

use std::collections::HashMap;

use super::prepare::recipient_of;
use super::service_key;
use crate::domain::accord::{Language, LineKind};
use crate::domain::day::Day;
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{AccordId, AssignmentId, ItemVersionId, PathwayId};
use crate::service::{AccordView, SeenAs};
use crate::web::form::Form;

/// What an address of the form may ask.
pub(super) const ASKED: &[&str] = &[
    "fait",
    "purpose",
    "recipient",
    "category",
    "item",
    "who",
    "brings",
    "subjects",
    "words",
    "only",
    "starts",
    "last",
    "language",
    "interpreter",
    "siblings",
    "replaces",
    "step",
];

/// The step that shows the whole sheet.
pub(super) const SUMMARY: u8 = 5;

type Fields = Vec<(String, String)>;

/// What belongs to each service: the field of the form, the name in the address, and what a value must be.
/// Whether a value may stand in an address.
type Sound = fn(&str) -> bool;

const OF_A_SERVICE: [(&str, &str, Sound); 3] = [
    ("subject_", "subjects", |v| Category::parse(v).is_ok()),
    ("words_", "words", |v| ItemVersionId::parse(v).is_ok()),
    ("only_", "only", |v| AssignmentId::parse(v).is_ok()),
];

/// What belongs to the accord as a whole.
const OF_ALL: [(&str, Sound); 6] = [
    ("purpose", |v| Purpose::parse(v).is_ok()),
    ("starts", |v| Day::parse(v).is_ok()),
    ("last", |v| Day::parse(v).is_ok()),
    ("language", |v| Language::parse(v).is_ok()),
    ("interpreter", |v| matches!(v, "adult" | "none")),
    ("replaces", |v| AccordId::parse(v).is_ok()),
];

/// The name in the form of what belongs to one service: only one person has it once.
fn field(prefix: &str, key: &str) -> String {
    if prefix == "only_" { format!("{prefix}{key}") } else { format!("{prefix}{key}[]") }
}

/// The query of an address that shows this form at a step. What is not an id, a code or a day is not carried.
pub(super) fn of(form: &Form, step: u8) -> String {
    let mut out: Vec<String> = Vec::new();
    for (name, holds) in OF_ALL {
        out.extend(form.one(name).filter(|v| holds(v)).map(|v| format!("{name}={v}")));
    }
    let who: Vec<&str> = form.all("who[]").filter(|key| recipient_of(key).is_some()).collect();
    if !who.is_empty() {
        out.push(format!("who={}", who.join("-")));
    }
    let brings: Vec<String> = (0..who.len())
        .zip(&who)
        .filter(|(_, key)| form.has("brings[]", key))
        .map(|(at, _)| at.to_string())
        .collect();
    if !brings.is_empty() {
        out.push(format!("brings={}", brings.join("-")));
    }
    for (prefix, name, holds) in OF_A_SERVICE {
        let chosen: Vec<String> = (0..who.len())
            .zip(&who)
            .filter_map(|(at, key)| {
                let field = field(prefix, key);
                let values: Vec<&str> = form.all(&field).filter(|v| holds(v)).collect();
                (!values.is_empty()).then(|| format!("{at}.{}", values.join(".")))
            })
            .collect();
        if !chosen.is_empty() {
            out.push(format!("{name}={}", chosen.join("-")));
        }
    }
    let siblings: Vec<&str> = form.all("siblings[]").filter(|id| PathwayId::parse(id).is_ok()).collect();
    if !siblings.is_empty() {
        out.push(format!("siblings={}", siblings.join("-")));
    }
    out.push(format!("step={step}"));
    out.join("&")
}

/// The form that an address carries; what it cannot mean is left out.
pub(super) fn read(query: &HashMap<String, String>) -> Fields {
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let list = |name: &str| asked(name).split('-').filter(|v| !v.is_empty()).map(ToOwned::to_owned).collect();
    let mut fields: Fields = Vec::new();
    for (name, holds) in OF_ALL {
        if holds(asked(name)) {
            fields.push((name.to_owned(), asked(name).to_owned()));
        }
    }
    let who: Vec<String> = list("who");
    let key_at =
        |at: &str| at.parse::<usize>().ok().and_then(|at| who.get(at)).filter(|k| recipient_of(k).is_some());
    fields.extend(who.iter().filter(|k| recipient_of(k).is_some()).map(|k| ("who[]".to_owned(), k.clone())));
    let brings: Vec<String> = list("brings");
    fields.extend(brings.iter().filter_map(|at| key_at(at)).map(|k| ("brings[]".to_owned(), k.clone())));
    for (prefix, name, holds) in OF_A_SERVICE {
        let of_each: Vec<String> = list(name);
        for one in &of_each {
            let mut parts = one.split('.');
            let Some(key) = parts.next().and_then(key_at) else { continue };
            fields.extend(parts.filter(|v| holds(v)).map(|v| (field(prefix, key), v.to_owned())));
        }
    }
    let siblings: Vec<String> = list("siblings");
    fields.extend(
        siblings
            .into_iter()
            .filter(|id| PathwayId::parse(id).is_ok())
            .map(|id| ("siblings[]".to_owned(), id)),
    );
    fields
}

/// The query of what follows an accord: the same services and subjects, at the step of the subjects. Who collected it
/// makes the new one take its place; exact words are of their day, and chosen anew.
pub(super) fn following(view: &AccordView) -> String {
    let mut fields: Fields = vec![("purpose".to_owned(), view.purpose.code().to_owned())];
    for line in &view.lines {
        let key = service_key(&line.recipient);
        if line.kind == LineKind::Contributor {
            fields.push(("brings[]".to_owned(), key.clone()));
        }
        fields.extend(line.categories.iter().map(|c| (field("subject_", &key), c.code().to_owned())));
        fields.push(("who[]".to_owned(), key));
    }
    if view.seen_as == SeenAs::Collector {
        fields.push(("replaces".to_owned(), view.id.as_str().to_owned()));
    }
    of(&form(&fields), 3)
}

/// Fields as a form.
pub(super) fn form(fields: &[(String, String)]) -> Form {
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Form::of(&pairs)
}

#[cfg(test)]
mod tests {
    use super::super::sample::accord;
    use super::*;
    use crate::service::AccordStanding;

    const KEYS: [&str; 2] = [
        "bbbbbbbbbbbbbbbbbbbbbbbbba.aemo.ccccccccccccccccccccccccca",
        "ddddddddddddddddddddddddda.teacher.eeeeeeeeeeeeeeeeeeeeeeeeea",
    ];

    fn query(text: &str) -> HashMap<String, String> {
        text.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn what_was_chosen_comes_back_from_the_address() {
        let version = "hhhhhhhhhhhhhhhhhhhhhhhhha";
        let (subject, word) = (format!("subject_{}[]", KEYS[0]), format!("words_{}[]", KEYS[0]));
        let all = [
            ("purpose", "coordination"),
            ("starts", "2027-03-14"),
            ("last", "2027-06-14"),
            ("language", "fr"),
            ("interpreter", "adult"),
            ("who[]", KEYS[0]),
            ("who[]", KEYS[1]),
            ("brings[]", KEYS[1]),
            (subject.as_str(), "schooling"),
            (subject.as_str(), "health_minimal"),
            (word.as_str(), version),
            ("siblings[]", "mmmmmmmmmmmmmmmmmmmmmmmmma"),
        ];
        let address = of(&Form::of(&all), 4);
        assert!(address.ends_with("&step=4"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=&.".contains(&b);
        assert!(address.bytes().all(plain), "{address}");
        let back = read(&query(&address));
        let back: Vec<(&str, &str)> = back.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(back, all);
    }

    #[test]
    fn no_word_that_somebody_wrote_is_in_an_address_nor_read_from_one() {
        let subject = format!("subject_{}[]", KEYS[0]);
        let written = "Une phrase de la mère";
        let form = Form::of(&[
            ("purpose", written),
            ("language", written),
            ("who[]", KEYS[0]),
            (&subject, written),
            ("note", written),
        ]);
        assert_eq!(of(&form, 2), format!("who={}&step=2", KEYS[0]));
        let odd =
            query("purpose=x&who=a-b.c&subjects=9.schooling-x.y-0.schooling&words=0&siblings=..&replaces=1");
        assert!(read(&odd).is_empty());
    }

    #[test]
    fn what_follows_an_accord_names_the_same_services_and_subjects_and_takes_its_place() {
        let view = accord(AccordStanding::InForce, SeenAs::Collector);
        let next = read(&query(&following(&view)));
        let key = service_key(&view.lines.first().unwrap().recipient);
        let has = |name: &str, value: &str| next.iter().any(|(n, v)| n == name && v == value);
        assert!(has("purpose", "coordination") && has("who[]", &key) && has("replaces", view.id.as_str()));
        assert!(has(&format!("subject_{key}[]"), "schooling"));
        // Only who collected an accord may put another in its place.
        let outline = read(&query(&following(&accord(AccordStanding::InForce, SeenAs::Referent))));
        assert!(outline.iter().all(|(name, _)| name != "replaces") && !outline.is_empty());
    }
}
