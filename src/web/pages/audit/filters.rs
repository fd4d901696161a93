//! The auditor's filters in the address: codes, pseudonyms and days only, so that a view can be sent to a colleague.
//!
//! INVARIANT: reading an address and writing it back gives the same search; a value that is not understood is refused at
//! its field, never left out.

use std::collections::HashMap;

use crate::audit::Pseudonym;
use crate::domain::cell::Reason;
use crate::domain::day::{Day, french_date};
use crate::domain::explain::{Context, sentence};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::domain::rules;
use crate::domain::text::{EntryError, FieldError, FieldErrors};
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::OrganisationId;
use crate::service::{OrganisationName, RecordSearch};
use crate::web::pages::words;

/// What an address of the console may ask.
pub const NAMES: &[&str] = &[
    "from",
    "to",
    "organisation",
    "profession",
    "actor",
    "pathway",
    "category",
    "purpose",
    "decision",
    "reason",
    "rule",
    "action",
    "resource",
    "openings",
    "out_of_hours",
    "cursor",
    "fait",
];

/// One choice of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub code: String,
    pub french: String,
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub name: &'static str,
    pub label: &'static str,
    pub choices: Vec<Choice>,
}

/// A filter that is set, and the address without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    pub label: String,
    pub without: String,
}

struct Reading<'a> {
    query: &'a HashMap<String, String>,
    errors: Vec<FieldError>,
}

impl Reading<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(|v| v.trim()).filter(|v| !v.is_empty())
    }

    fn value<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, EntryError>) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError { path: name.to_owned(), error });
                None
            }
        }
    }

    fn code<T, E>(&mut self, name: &'static str, parse: fn(&str) -> Result<T, E>) -> Option<T> {
        self.value(name, |text| parse(text).map_err(|_| EntryError::NotInList { list: "liste" }))
    }

    fn ticked(&mut self, name: &'static str) -> bool {
        self.value(name, |text| match text {
            "true" => Ok(true),
            _other => Err(EntryError::WrongType { expected: "oui ou rien" }),
        })
        .is_some()
    }

    fn pseudonym(&mut self, name: &'static str) -> Option<String> {
        let expected = "un pseudonyme tel qu'une trace le donne";
        self.value(name, |text| {
            Pseudonym::parse(text).map(|p| p.to_string()).ok_or(EntryError::WrongType { expected })
        })
    }
}

/// Reads a search from the query of an address.
///
/// # Errors
/// Every field that is not understood.
pub fn read(query: &HashMap<String, String>) -> Result<RecordSearch, FieldErrors> {
    let mut r = Reading { query, errors: Vec::new() };
    let search = RecordSearch {
        from: r.value("from", Day::parse).map(Day::date),
        until: r.value("to", Day::parse).map(Day::date),
        organisation: r.code("organisation", OrganisationId::parse),
        profession: r.code("profession", Profession::parse),
        actor: r.pseudonym("actor"),
        pathway: r.pseudonym("pathway"),
        category: r.code("category", Category::parse),
        purpose: r.code("purpose", Purpose::parse),
        decision: r.code("decision", Verdict::parse),
        reason: r.code("reason", |code| Reason::parse(code).ok_or(())),
        rule: r.value("rule", |text| {
            let code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            let expected = "le code d'une règle tel qu'une trace le donne";
            let well_formed = text.len() <= 80 && text.bytes().all(code);
            if well_formed { Ok(text.to_owned()) } else { Err(EntryError::WrongType { expected }) }
        }),
        action: r.code("action", Action::parse),
        resource: r.code("resource", ResourceKind::parse),
        openings: r.ticked("openings"),
        out_of_hours: r.ticked("out_of_hours"),
        cursor: r.text("cursor").map(ToOwned::to_owned),
    };
    if search.out_of_order() {
        r.errors.push(FieldError { path: "to".to_owned(), error: EntryError::EndBeforeStart });
    }
    FieldErrors::new(r.errors).map_or(Ok(search), Err)
}

/// Names and values of what a search asks, but for its place in the list.
fn pairs(search: &RecordSearch) -> Vec<(&'static str, String)> {
    let RecordSearch {
        from,
        until,
        organisation,
        profession,
        action,
        resource,
        actor,
        pathway,
        purpose,
        decision,
        category,
        reason,
        rule,
        openings,
        out_of_hours,
        cursor: _,
    } = search;
    [
        ("from", from.map(|d| d.to_string())),
        ("to", until.map(|d| d.to_string())),
        ("organisation", organisation.as_ref().map(ToString::to_string)),
        ("profession", profession.map(|v| v.code().to_owned())),
        ("actor", actor.clone()),
        ("pathway", pathway.clone()),
        ("category", category.map(|v| v.code().to_owned())),
        ("purpose", purpose.map(|v| v.code().to_owned())),
        ("decision", decision.map(|v| v.code().to_owned())),
        ("reason", reason.map(|v| v.code().to_owned())),
        ("rule", rule.clone()),
        ("action", action.map(|v| v.code().to_owned())),
        ("resource", resource.map(|v| v.code().to_owned())),
        ("openings", openings.then(|| "true".to_owned())),
        ("out_of_hours", out_of_hours.then(|| "true".to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|v| (name, v)))
    .collect()
}

fn written<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", words::encoded(value))).collect();
    if query.is_empty() { "/controle".to_owned() } else { format!("/controle?{}", query.join("&")) }
}

/// The address of a search, from its first page.
#[must_use]
pub fn address(search: &RecordSearch) -> String {
    written(pairs(search).iter().map(|(n, v)| (*n, v.as_str())))
}

/// The address of a search for one thing.
#[must_use]
pub fn one(name: &str, code: &str) -> String {
    written([(name, code)].into_iter())
}

/// The address of the page that follows.
#[must_use]
pub fn further(search: &RecordSearch, cursor: &str) -> String {
    written(pairs(search).iter().map(|(n, v)| (*n, v.as_str())).chain([("cursor", cursor)]))
}

/// What is set, in words.
#[must_use]
pub fn chips(search: &RecordSearch, organisations: &[OrganisationName]) -> Vec<Chip> {
    let pairs = pairs(search);
    let without =
        |gone: &str| written(pairs.iter().filter(|(n, _)| *n != gone).map(|(n, v)| (*n, v.as_str())));
    let label = |name: &str, value: &str| match name {
        "from" => format!("Depuis le {}", search.from.map_or_else(String::new, french_date)),
        "to" => format!("Jusqu'au {}", search.until.map_or_else(String::new, french_date)),
        "organisation" => {
            let known = organisations.iter().find(|o| o.id.as_str() == value);
            known.map_or_else(|| "Structure inconnue".to_owned(), |o| o.name.clone())
        }
        "profession" => search.profession.map_or_else(String::new, |v| v.french().to_owned()),
        "category" => search.category.map_or_else(String::new, |v| format!("Sujet : {}", v.french())),
        "purpose" => search.purpose.map_or_else(String::new, |v| format!("But : {}", v.french())),
        "decision" => search.decision.map_or_else(String::new, |v| v.french().to_owned()),
        "action" => search.action.map_or_else(String::new, |v| v.french().to_owned()),
        "resource" => search.resource.map_or_else(String::new, |v| v.french().to_owned()),
        "reason" => search.reason.map_or_else(String::new, |v| sentence(v, &Context::default())),
        "rule" => format!("Règle : {}", rules::rule(value).unwrap_or(value)),
        "actor" => format!("Personne : {value}"),
        "pathway" => format!("Parcours : {value}"),
        "openings" => "Consultations de contenu".to_owned(),
        "out_of_hours" => "Hors horaires".to_owned(),
        _other => value.to_owned(),
    };
    pairs.iter().map(|(name, value)| Chip { label: label(name, value), without: without(name) }).collect()
}

fn list<T: Copy>(
    name: &'static str,
    label: &'static str,
    all: &[T],
    say: impl Fn(T) -> (&'static str, String),
) -> List {
    let choice = |v: &T| {
        let (code, french) = say(*v);
        Choice { code: code.to_owned(), french }
    };
    List { name, label, choices: all.iter().map(choice).collect() }
}

/// The lists that are asked for most.
#[must_use]
pub fn first_lists(organisations: &[OrganisationName]) -> Vec<List> {
    let structures = organisations
        .iter()
        .map(|o| Choice { code: o.id.as_str().to_owned(), french: o.name.clone() })
        .collect();
    vec![
        List { name: "organisation", label: "Structure", choices: structures },
        list("profession", "Profession", Profession::ALL, |v| (v.code(), v.french().to_owned())),
        list("decision", "Décision", Verdict::ALL, |v| (v.code(), v.french().to_owned())),
    ]
}

/// The others.
#[must_use]
pub fn other_lists() -> Vec<List> {
    vec![
        list("action", "Ce qui a été fait", Action::ALL, |v| (v.code(), v.french().to_owned())),
        list("resource", "Sur quoi", ResourceKind::ALL, |v| (v.code(), v.french().to_owned())),
        list("category", "Sujet", Category::ALL, |v| (v.code(), v.french().to_owned())),
        list("purpose", "But", Purpose::ALL, |v| (v.code(), v.french().to_owned())),
        list("reason", "Raison de la décision", Reason::ALL, |v| {
            (v.code(), sentence(v, &Context::default()))
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn an_address_read_and_written_back_is_the_same_search() {
        let asked = query(&[
            ("from", "2027-03-01"),
            ("to", "2027-03-14"),
            ("organisation", "aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("profession", "teacher"),
            ("actor", "2027d:00112233445566778899aabbccddeeff"),
            ("pathway", "2027d:00112233445566778899aabbccddeeff"),
            ("category", "schooling"),
            ("purpose", "stay"),
            ("decision", "deny"),
            ("reason", "ceiling_never"),
            ("rule", "second_person_needed"),
            ("action", "read"),
            ("resource", "item"),
            ("openings", "true"),
            ("out_of_hours", "true"),
            ("cursor", ""),
        ]);
        let search = read(&asked).unwrap();
        let address = address(&search);
        for (name, value) in asked.iter().filter(|(n, _)| *n != "cursor") {
            assert!(address.contains(&format!("{name}={}", words::encoded(value))), "{name}: {address}");
        }
        assert_eq!(chips(&search, &[]).len(), 15);
        assert!(chips(&search, &[]).iter().all(|c| !c.label.is_empty() && c.without.len() < address.len()));
        assert!(further(&search, "a+b").ends_with("&cursor=a%2Bb"));
        assert_eq!(super::address(&read(&query(&[("profession", " "), ("from", "")])).unwrap()), "/controle");
    }

    #[test]
    fn what_is_not_understood_is_refused_at_its_field() {
        for (name, value) in [
            ("from", "hier"),
            ("profession", "Nadia"),
            ("actor", "Nadia Benali"),
            ("pathway", "2027d:XYZ"),
            ("rule", "a b"),
            ("openings", "1"),
            ("out_of_hours", "1"),
            ("organisation", "x"),
        ] {
            let errors = read(&query(&[(name, value)])).map(|_| ()).unwrap_err();
            assert!(errors.iter().all(|e| e.path == name), "{name}");
        }
    }

    /// « Aucune trace » would be an answer that somebody may quote.
    #[test]
    fn days_out_of_order_are_refused_at_the_last_one() {
        let of = |from, to| read(&query(&[("from", from), ("to", to)])).map(|_| ());
        let errors = of("2027-01-20", "2027-01-10").unwrap_err();
        let told: Vec<_> = errors.iter().map(|e| (e.path.as_str(), e.error.code())).collect();
        assert_eq!(told, [("to", "end_before_start")]);
        assert!(of("2027-01-20", "2027-01-20").is_ok() && of("", "2027-01-10").is_ok());
    }
}
