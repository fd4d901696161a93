//! Preparing an accord in four steps and a summary: why, to whom, what, until when; then the sheet as it will be, and who
//! must sign. One form, carried along: nothing is kept before the summary is confirmed.

use askama::Template;
use chrono::{Days, NaiveDate};

use super::languages::languages;
use super::{Choice, Family, may_prepare, purposes, service_key, service_name, sheet};
use crate::domain::accord::LineKind;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Level, Profession, Purpose, Role};
use crate::ids::{AccordId, AssignmentId, ItemVersionId, MissionId, OrganisationId};
use crate::service::reading::ItemsQuery;
use crate::service::{AccordInput, App, InterpreterInput, LineInput, RecipientInput, ServiceError};
use crate::web::form::Form;
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One service that may be named.
struct Offer {
    /// « organisation.profession.mission »
    key: String,
    name: String,
    profession: &'static str,
    people: String,
    in_circle: bool,
    accountable: Option<String>,
    bound: bool,
    /// Bound or not, according to the person.
    mixed: bool,
}

/// A subject or exact words to tick.
struct Tick {
    name: String,
    value: String,
    label: String,
    hint: &'static str,
}

/// What is chosen for one service.
struct Choices {
    key: String,
    name: String,
    profession: &'static str,
    brings: bool,
    /// Read with any accord for this purpose.
    opening: Vec<&'static str>,
    subjects: Vec<Tick>,
    words: Vec<Tick>,
    /// Subjects that need exact words of which nothing is written.
    unwritten: Vec<&'static str>,
    people: Vec<Choice>,
}

/// One step.
#[derive(Template)]
#[template(path = "accord_prepare.html")]
struct PreparePage {
    shell: Shell,
    frame: Frame,
    step: u8,
    entered: Entered,
    /// What the other steps said.
    carried: Vec<(String, String)>,
    purposes: Vec<Choice>,
    purpose: &'static str,
    offers: Vec<Offer>,
    choices: Vec<Choices>,
    /// Other pathways of the collector, for brothers and sisters.
    siblings: Vec<Choice>,
}

/// The sheet as it would be.
#[derive(Template)]
#[template(path = "accord_summary.html")]
struct SummaryPage {
    shell: Shell,
    frame: Frame,
    carried: Vec<(String, String)>,
    signing: Vec<sheet::Signing>,
    to_be_told: Vec<String>,
    sheet: sheet::Sheet,
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/accords/preparer";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, PATH, (Action::Read, ResourceKind::Accord), open).asking(&[
            "fait",
            "purpose",
            "recipient",
            "category",
            "item",
        ]),
        row(Method::Post, PATH, (Action::Create, ResourceKind::Accord), go),
    ]
}

pub(super) fn recipient_of(key: &str) -> Option<RecipientInput> {
    let (organisation, rest) = key.split_once('.')?;
    let (profession, mission) = rest.split_once('.')?;
    Some(RecipientInput {
        organisation: OrganisationId::parse(organisation).ok()?,
        profession: Profession::parse(profession).ok()?,
        mission: MissionId::parse(mission).ok()?,
    })
}

/// What a service is in the accord: one choice of three on the form.
const PART: &str = "part_";

/// The form with that choice as the steps carry it: who is named, and who of them brings only.
fn chosen(form: &Form) -> Form {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for (name, value) in form.fields() {
        match (name.strip_prefix(PART), value) {
            (Some(key), "receives") => fields.push(("who[]", key)),
            (Some(key), "brings") => fields.extend([("who[]", key), ("brings[]", key)]),
            (Some(_), _) => {}
            (None, _) => fields.push((name, value)),
        }
    }
    Form::of(&fields)
}

/// Whether a field is one of this step's.
fn of_step(step: u8, name: &str) -> bool {
    match step {
        1 => name == "purpose",
        2 => matches!(name, "who[]" | "brings[]") || name.starts_with(PART),
        3 => ["subject_", "words_", "only_"].iter().any(|p| name.starts_with(p)),
        4 => matches!(name, "starts" | "last" | "language" | "interpreter" | "siblings[]"),
        _ => false,
    }
}

/// Fields of the form that are shown on another step.
fn carried(form: &Form, step: u8) -> Vec<(String, String)> {
    form.fields()
        .filter(|(name, value)| !name.starts_with('_') && !of_step(step, name) && !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn refused(errors: FieldErrors) -> Fault {
    Fault::Syntax(ServiceError::Invalid(errors))
}

/// The step that somebody had come to, from what was left.
fn left_at(form: &Form) -> u8 {
    let has = |step| form.fields().any(|(name, _)| of_step(step, name));
    (2..=4).rev().find(|step| has(*step)).unwrap_or(1)
}

/// The form as it was left, or with what the address proposes.
fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    if let Some(left) = crate::web::kept::resumed(app, incoming)? {
        let left = chosen(&left);
        return show(app, incoming, 200, left_at(&left), &left, Entered::sent(&left));
    }
    let asked = |name: &str| incoming.query.get(name).map(String::as_str);
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    let purpose = asked("purpose").and_then(|p| Purpose::parse(p).ok());
    if let Some(purpose) = purpose {
        put("purpose", purpose.code());
    }
    let recipient = asked("recipient").filter(|key| recipient_of(key).is_some());
    if let Some(key) = recipient {
        put("who[]", key);
        if let Some(category) = asked("category").and_then(|c| Category::parse(c).ok()) {
            put(&format!("subject_{key}[]"), category.code());
        }
        let items = asked("item").unwrap_or_default().split('.');
        for item in items.filter_map(|i| crate::ids::ItemId::parse(i).ok()) {
            let item = app.item(incoming.call()?, &item, None)?.into_inner();
            put(&format!("words_{key}[]"), &item.version_id);
        }
    }
    let step = match (purpose, recipient) {
        (None, _) => 1,
        (Some(_), None) => 2,
        (Some(_), Some(_)) => 3,
    };
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let form = Form::of(&pairs);
    show(app, incoming, 200, step, &form, Entered::sent(&form))
}

fn offers(app: &App, incoming: &Incoming, frame: &Frame, purpose: Purpose) -> Result<Vec<Offer>, Fault> {
    let all = app.addressees(incoming.call()?, purpose)?.into_inner().items;
    let circle = &frame.view.circle;
    let mut offers: Vec<Offer> = all
        .iter()
        .map(|a| Offer {
            key: service_key(&a.service),
            name: service_name(&a.service),
            profession: a.service.profession.french(),
            people: a.people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", "),
            in_circle: circle.iter().any(|p| {
                p.who.organisation == a.service.organisation_name && p.who.profession == a.service.profession
            }),
            accountable: a.accountable.clone(),
            bound: a.bound,
            mixed: a.mixed,
        })
        .collect();
    offers.sort_by(|a, b| (!a.in_circle, &a.name).cmp(&(!b.in_circle, &b.name)));
    Ok(offers)
}

/// What may be chosen for each service that was named: from the charter, and from what one may show.
fn choices(app: &App, incoming: &Incoming, form: &Form, purpose: Purpose) -> Result<Vec<Choices>, Fault> {
    let call = incoming.call()?;
    let all = app.addressees(call, purpose)?.into_inner().items;
    let pathway = pathway_of(incoming)?;
    let query = ItemsQuery::default();
    let items = app.items(call, &pathway, query)?.into_inner().items;
    let mut out = Vec::new();
    for key in form.all("who[]") {
        let Some(a) = all.iter().find(|a| service_key(&a.service) == key) else { continue };
        let needs = |level: Level| a.subjects.iter().filter(move |s| s.needs == level).map(|s| s.category);
        let subjects = needs(Level::Category)
            .map(|c| Tick {
                name: format!("subject_{key}[]"),
                value: c.code().to_owned(),
                label: c.french().to_owned(),
                hint: "",
            })
            .collect();
        let shown: Vec<&crate::service::reading::ItemView> = items
            .iter()
            .filter(|i| i.content.is_some() && i.corrected_on.is_none())
            .filter(|i| a.subjects.iter().any(|s| s.category == i.category))
            .collect();
        let words = shown
            .iter()
            .map(|i| Tick {
                name: format!("words_{key}[]"),
                value: i.version_id.clone(),
                label: format!("{} : « {} »", i.category.french(), i.label),
                hint: match a.subjects.iter().find(|s| s.category == i.category).map(|s| s.needs) {
                    Some(Level::Informed) => "ce sujet ne se lit qu'avec les mots exacts",
                    Some(Level::Opening | Level::Category) | None if !a.bound => {
                        "cette personne n'est pas tenue au secret : la famille valide ces mots"
                    }
                    Some(Level::Opening | Level::Category) | None => "",
                },
            })
            .collect();
        out.push(Choices {
            key: key.to_owned(),
            name: service_name(&a.service),
            profession: a.service.profession.french(),
            brings: form.has("brings[]", key),
            opening: needs(Level::Opening).map(Category::french).collect(),
            subjects,
            words,
            unwritten: needs(Level::Informed)
                .filter(|c| !shown.iter().any(|i| i.category == *c))
                .map(Category::french)
                .collect(),
            people: a.people.iter().map(|p| Choice::new(p.assignment.as_str(), p.name.clone())).collect(),
        });
    }
    Ok(out)
}

/// The review date when it is not too far, six months otherwise.
fn proposed_last(frame: &Frame) -> NaiveDate {
    let today = frame.today;
    let latest = today.checked_add_days(Days::new(364)).unwrap_or(today);
    let half = today.checked_add_days(Days::new(182)).unwrap_or(today);
    let review = frame.view.review_on.as_deref().and_then(|d| Day::parse(d).ok()).map(Day::date);
    review.filter(|d| *d > today).map_or(half, |d| d.min(latest))
}

fn show(
    app: &App,
    incoming: &Incoming,
    status: u16,
    step: u8,
    form: &Form,
    entered: Entered,
) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Préparer un accord")?;
    if !may_prepare(&frame) {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let chosen = form.one("purpose").and_then(|p| Purpose::parse(p).ok());
    let (step, purpose) = match chosen {
        Some(purpose) => (step, purpose),
        None => (1, Purpose::Coordination),
    };
    let offers = if step == 2 { offers(app, incoming, &frame, purpose)? } else { Vec::new() };
    let words = form.fields().any(|(name, value)| name.starts_with("words_") && !value.is_empty());
    let siblings = if step == 4 && !words { super::siblings::others(app, incoming)? } else { Vec::new() };
    let choices = if step == 3 { choices(app, incoming, form, purpose)? } else { Vec::new() };
    let entered = if step == 4 && form.one("starts").is_none() && entered.told().is_empty() {
        let (starts, last) = (frame.today.to_string(), proposed_last(&frame).to_string());
        Entered::filled(&[("starts", &starts), ("last", &last), ("language", "fr"), ("interpreter", "none")])
    } else {
        entered
    };
    Answer::page_with(
        status,
        &PreparePage {
            carried: carried(form, step),
            purposes: purposes().map(|p| Choice::new(p.code(), p.french())).collect(),
            purpose: chosen.map_or("", Purpose::french),
            shell,
            frame,
            step,
            entered,
            offers,
            choices,
            siblings,
        },
    )
}

/// What the form asks for, as the API would.
fn input_of(form: &Form) -> Result<AccordInput, FieldErrors> {
    let purpose = form.need("purpose", Purpose::parse)?;
    let missing = |field: &str| FieldErrors::one(field, EntryError::Missing);
    let mut lines = Vec::new();
    for key in form.all("who[]") {
        let wrong = || FieldErrors::one("who", EntryError::NotInList { list: "liste" });
        let recipient = recipient_of(key).ok_or_else(wrong)?;
        let brings = form.has("brings[]", key);
        let (subject, word, only) =
            (format!("subject_{key}[]"), format!("words_{key}[]"), format!("only_{key}"));
        let mut categories = Vec::new();
        for code in form.all(&subject).filter(|_| !brings) {
            categories.push(Category::parse(code).map_err(|_| wrong())?);
        }
        let mut shows = Vec::new();
        for version in form.all(&word).filter(|_| !brings) {
            shows.push(ItemVersionId::parse(version).map_err(|_| wrong())?);
        }
        lines.push(LineInput {
            recipient,
            kind: if brings { LineKind::Contributor } else { LineKind::Recipient },
            only_assignment: match form.one(&only) {
                Some(id) => Some(AssignmentId::parse(id).map_err(|_| wrong())?),
                None => None,
            },
            categories,
            shows,
            names_services: Vec::new(),
        });
    }
    if lines.is_empty() {
        return Err(missing("who"));
    }
    let last = form.need("last", Day::parse)?;
    let ends = last.date().succ_opt().and_then(|d| Day::new(d).ok()).ok_or_else(|| missing("last"))?;
    Ok(AccordInput {
        purpose,
        starts: form.need("starts", Day::parse)?,
        ends,
        language: form.one("language").unwrap_or("fr").to_owned(),
        interpreter: match form.one("interpreter") {
            Some("adult") => Some(InterpreterInput { of_age: true }),
            Some(_) | None => None,
        },
        lines,
        replaces: match form.one("replaces") {
            Some(id) => Some(AccordId::parse(id).map_err(|_| missing("replaces"))?),
            None => None,
        },
    })
}

fn go(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &chosen(&incoming.form);
    let step = |n: u8| show(app, incoming, 200, n, form, Entered::sent(form));
    let again = |n: u8, fault: Fault| {
        back(app, incoming, fault, |status, entered| show(app, incoming, status, n, form, entered))
    };
    let missing = |field: &str| refused(FieldErrors::one(field, EntryError::Missing));
    match form.button() {
        Some("step1") => step(1),
        Some("step2") if form.one("purpose").is_none() => again(1, missing("purpose")),
        Some("step2") => step(2),
        Some("step3") if form.one("who[]").is_none() => again(2, missing("who")),
        Some("step3") => step(3),
        Some("step4") => step(4),
        Some("create") => match create(app, incoming, form) {
            Ok(answer) => Ok(answer),
            Err(fault) => again(4, fault),
        },
        Some(_) | None => match summary(app, incoming, form) {
            Ok(answer) => Ok(answer),
            Err(fault) => again(4, fault),
        },
    }
}

fn summary(app: &App, incoming: &Incoming, form: &Form) -> Result<Answer, Fault> {
    let input = input_of(form).map_err(refused)?;
    let pathway = pathway_of(incoming)?;
    let notice = app.accord_preview(incoming.call()?, &pathway, &input)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Préparer un accord")?;
    let family = Family::read(app, incoming, frame.view.me.role == Role::Referent)?;
    Answer::page(&SummaryPage {
        carried: carried(form, 0),
        signing: sheet::Signing::all(&notice, &family),
        to_be_told: notice.to_be_told.iter().map(|id| family.name(id.as_str())).collect(),
        sheet: sheet::Sheet::of(&notice),
        shell,
        frame,
    })
}

fn create(app: &App, incoming: &Incoming, form: &Form) -> Result<Answer, Fault> {
    let input = input_of(form).map_err(refused)?;
    if super::siblings::asked(form) {
        return super::siblings::create(app, incoming, input);
    }
    let pathway = pathway_of(incoming)?;
    let made = app.accord_create(incoming.call()?, incoming.act, &pathway, &input)?;
    Ok(Answer::see_other(format!("/parcours/{pathway}/accords/{}?fait=accord", made.id)))
}

impl Page for PreparePage {
    #[cfg(test)]
    const NAME: &'static str = "accord_prepare";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::web::pages::frame::sample::frame;
        let key = "bbbbbbbbbbbbbbbbbbbbbbbbba.aemo.ccccccccccccccccccccccccca";
        let form = Form::of(&[("purpose", "coordination"), ("who[]", key)]);
        let offer = |in_circle, bound, accountable: Option<&str>| Offer {
            key: key.to_owned(),
            name: "Action éducative, Sauvegarde".to_owned(),
            profession: Profession::Aemo.french(),
            people: "Claire Morel, David Lopes".to_owned(),
            in_circle,
            accountable: accountable.map(ToOwned::to_owned),
            bound,
            mixed: !bound && in_circle,
        };
        let tick = |name: &str, value: &str, label: &str, hint| Tick {
            name: format!("{name}_{key}[]"),
            value: value.to_owned(),
            label: label.to_owned(),
            hint,
        };
        let page = |step: u8, entered: Entered| {
            let (shell, frame) = frame(Part::Accords, "Préparer un accord");
            PreparePage {
                shell,
                frame,
                step,
                entered,
                carried: carried(&form, step),
                purposes: purposes().map(|p| Choice::new(p.code(), p.french())).collect(),
                siblings: if step == 4 { vec![Choice::new("s", "Tom Martin")] } else { vec![] },
                purpose: if step == 1 { "" } else { Purpose::Coordination.french() },
                offers: if step == 2 {
                    vec![
                        offer(true, true, Some("Ce service rend compte au juge.")),
                        offer(false, false, None),
                        offer(true, false, None),
                    ]
                } else {
                    vec![]
                },
                choices: if step == 3 {
                    vec![Choices {
                        key: key.to_owned(),
                        name: "Action éducative, Sauvegarde".to_owned(),
                        profession: Profession::Aemo.french(),
                        brings: false,
                        opening: vec![Category::Identity.french(), Category::Practical.french()],
                        subjects: vec![tick("subject", "schooling", "Scolarité", "")],
                        words: vec![tick(
                            "words",
                            "hhhhhhhhhhhhhhhhhhhhhhhhhh",
                            "Santé : le strict nécessaire : « Traitement à 20 h »",
                            "ce sujet ne se lit qu'avec les mots exacts",
                        )],
                        unwritten: vec![Category::Evaluation.french()],
                        people: vec![Choice::new("iiiiiiiiiiiiiiiiiiiiiiiiii", "Claire Morel")],
                    }]
                } else {
                    vec![]
                },
            }
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("purpose", EntryError::Missing));
        vec![
            ("purpose", page(1, Entered::nothing())),
            ("purpose_missing", page(1, Entered::refused(&form, &wrong))),
            ("recipients", page(2, Entered::nothing())),
            ("subjects", page(3, Entered::nothing())),
            ("period", page(4, Entered::filled(&[("starts", "2027-03-14"), ("last", "2027-06-14")]))),
            (
                "refused",
                page(4, Entered::refused(&form, &ServiceError::rule("too_long", "Douze mois au plus."))),
            ),
        ]
    }
}

impl Page for SummaryPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_summary";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::web::pages::frame::sample::frame;
        let (shell, frame) = frame(Part::Accords, "Préparer un accord");
        let notice = sheet::sample::notice();
        vec![(
            "category",
            Self {
                shell,
                frame,
                carried: vec![("purpose".to_owned(), "coordination".to_owned())],
                signing: sheet::Signing::all(&notice, &Family::sample()),
                to_be_told: vec!["Karim Martin (père)".to_owned()],
                sheet: sheet::Sheet::of(&notice),
            },
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_preparing() {
        crate::web::pages::snapshots::check::<PreparePage>();
        crate::web::pages::snapshots::check::<SummaryPage>();
    }

    #[test]
    fn what_was_left_comes_back_at_the_step_where_it_was_left() {
        for (step, fields) in [
            (1, &[("purpose", "stay")][..]),
            (2, &[("purpose", "stay"), ("who[]", "k")]),
            (3, &[("who[]", "k"), ("subject_k[]", "schooling")]),
            (4, &[("who[]", "k"), ("subject_k[]", "schooling"), ("starts", "2027-03-14")]),
        ] {
            assert_eq!(left_at(&Form::of(fields)), step);
        }
    }

    #[test]
    fn one_choice_of_three_says_what_a_service_is() {
        let form = Form::of(&[
            ("part_a", "receives"),
            ("part_b", "brings"),
            ("part_c", "none"),
            ("purpose", "stay"),
        ]);
        let form = chosen(&form);
        assert_eq!(form.all("who[]").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.all("brings[]").collect::<Vec<_>>(), ["b"]);
        assert_eq!(form.one("purpose"), Some("stay"));
    }

    #[test]
    fn a_service_that_brings_is_asked_for_no_subject_and_the_last_day_counts() {
        let key = "bbbbbbbbbbbbbbbbbbbbbbbbba.aemo.ccccccccccccccccccccccccca";
        let subject = format!("subject_{key}[]");
        let form = Form::of(&[
            ("purpose", "coordination"),
            ("who[]", key),
            ("brings[]", key),
            (&subject, "schooling"),
            ("starts", "2027-03-14"),
            ("last", "2027-06-14"),
        ]);
        let input = input_of(&form).unwrap();
        let [line] = input.lines.as_slice() else { panic!("one line") };
        assert_eq!(line.kind, LineKind::Contributor);
        assert!(line.categories.is_empty());
        assert_eq!(input.ends.iso(), "2027-06-15");
        assert!(input_of(&Form::of(&[("purpose", "coordination")])).is_err());
    }
}
