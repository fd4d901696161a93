//! Preparing an accord in four steps: why, to whom, what, until when; then the summary (beside). One form, carried along:
//! nothing is kept before the summary is confirmed.
//!
//! INVARIANT: each step is a page with an address of its own (`address`), so that one goes back and forward as anywhere.

use askama::Template;
use chrono::{Days, NaiveDate};

use super::languages::languages;
use super::{Choice, address, may_prepare, purposes, service_key, service_name, summary};
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Level, Profession, Purpose};
use crate::ids::{MissionId, OrganisationId};
use crate::service::reading::ItemsQuery;
use crate::service::{App, RecipientInput, RecipientView, ServiceError};
use crate::web::form::Form;
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back_to as back};
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
    /// What was asked for and cannot be on this sheet, with why.
    left_out: Vec<String>,
    /// What an accord that begins later means.
    ahead: Option<String>,
}

impl PreparePage {
    /// The services of the circle, then the others, each under its heading.
    fn groups(&self) -> Vec<(&'static str, Vec<&Offer>)> {
        let (circle, others): (Vec<&Offer>, Vec<&Offer>) = self.offers.iter().partition(|o| o.in_circle);
        let groups = [("Déjà dans le cercle", circle), ("Dans l'annuaire", others)];
        groups.into_iter().filter(|(_, offers)| !offers.is_empty()).collect()
    }
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/accords/preparer";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, PATH, (Action::Read, ResourceKind::Accord), open).asking(address::ASKED),
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
pub(super) fn carried(form: &Form, step: u8) -> Vec<(String, String)> {
    form.fields()
        .filter(|(name, value)| !name.starts_with('_') && !of_step(step, name) && !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn refused(errors: FieldErrors) -> Fault {
    Fault::Syntax(ServiceError::Invalid(errors))
}

/// The step that somebody had come to, from what was left.
fn left_at(form: &Form) -> u8 {
    let has = |step| form.fields().any(|(name, _)| of_step(step, name));
    (2..=4).rev().find(|step| has(*step)).unwrap_or(1)
}

/// The form as it was left, or as the address says.
fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    if let Some(left) = crate::web::kept::resumed(app, incoming)? {
        let left = chosen(&left);
        return show(app, incoming, 200, left_at(&left), &left, Entered::sent(&left), Vec::new());
    }
    let mut fields = address::read(&incoming.query);
    let mut left_out = Vec::new();
    let asked = |name: &str| incoming.query.get(name).map(String::as_str);
    let purpose = asked("purpose").and_then(|p| Purpose::parse(p).ok());
    if let (Some(key), Some(purpose)) =
        (asked("recipient").filter(|key| recipient_of(key).is_some()), purpose)
    {
        (fields, left_out) = proposed(app, incoming, fields, key, purpose)?;
    }
    let form = address::form(&fields);
    let last = match (form.one("purpose"), form.one("who[]")) {
        (None, _) => 1,
        (Some(_), None) => 2,
        (Some(_), Some(_)) => address::SUMMARY,
    };
    // An address that says less than its step needs shows the step that is missing.
    let step = asked("step").and_then(|s| s.parse::<u8>().ok()).unwrap_or(3).clamp(1, last);
    if step == address::SUMMARY {
        return match summary::show(app, incoming, &form) {
            Ok(answer) => Ok(answer),
            Err(fault) => back(app, incoming, &form, fault, |status, entered| {
                show(app, incoming, status, 4, &form, entered, Vec::new())
            }),
        };
    }
    show(app, incoming, 200, step, &form, Entered::sent(&form), left_out)
}

type Proposed = (Vec<(String, String)>, Vec<String>);

/// What a preview asked an accord for: one service, a subject, texts. What this service cannot be given is not ticked, and
/// said.
fn proposed(
    app: &App,
    incoming: &Incoming,
    mut fields: Vec<(String, String)>,
    key: &str,
    purpose: Purpose,
) -> Result<Proposed, Fault> {
    let call = incoming.call()?;
    let asked = |name: &str| incoming.query.get(name).map(String::as_str).unwrap_or_default();
    let all = app.addressees(call, purpose)?.into_inner().items;
    let Some(found) = all.iter().find(|a| service_key(&a.service) == key) else {
        let told = format!(
            "Ce service ne peut rien recevoir pour « {} » : choisissez un autre service ou un autre but.",
            purpose.french()
        );
        return Ok((fields, vec![told]));
    };
    fields.push(("who[]".to_owned(), key.to_owned()));
    let mut left_out = Vec::new();
    let needs = |category: Category| found.subjects.iter().find(|s| s.category == category).map(|s| s.needs);
    if let Ok(category) = Category::parse(asked("category")) {
        match needs(category) {
            Some(Level::Category) => {
                fields.push((format!("subject_{key}[]"), category.code().to_owned()));
            }
            other => left_out.extend(not_ticked(category.french(), other, &found.service, purpose)),
        }
    }
    for id in asked("item").split('.').filter_map(|i| crate::ids::ItemId::parse(i).ok()) {
        let item = app.item(call, &id, None)?.into_inner();
        match needs(item.category) {
            Some(Level::Opening | Level::Category | Level::Informed) => {
                fields.push((format!("words_{key}[]"), item.version_id));
            }
            None => {
                let named = format!("{} : {}", item.category.french(), item.label);
                left_out.extend(not_ticked(&named, None, &found.service, purpose));
            }
        }
    }
    Ok((fields, left_out))
}

/// Why a subject that was asked for is not among the boxes.
fn not_ticked(what: &str, needs: Option<Level>, service: &RecipientView, purpose: Purpose) -> Option<String> {
    Some(match needs {
        Some(Level::Category) => return None,
        Some(Level::Opening) => {
            format!("« {what} » n'est pas à cocher : tout accord pour ce but le permet déjà.")
        }
        Some(Level::Informed) => {
            format!(
                "« {what} » n'est pas à cocher : ce sujet ne se lit qu'avec les mots exacts. Cochez un texte, ou écrivez-le d'abord."
            )
        }
        None => format!(
            "« {what} » n'est pas dans cette feuille : pour « {} », la charte ne permet pas à cette profession ({}) de le recevoir, même avec l'accord de la famille.",
            purpose.french(),
            service.profession.within_brackets()
        ),
    })
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
fn proposed_last(frame: &Frame, starts: NaiveDate) -> NaiveDate {
    let latest = starts.checked_add_days(Days::new(364)).unwrap_or(starts);
    let half = starts.checked_add_days(Days::new(182)).unwrap_or(starts);
    let review = frame.view.review_on.as_deref().and_then(|d| Day::parse(d).ok()).map(Day::date);
    review.filter(|d| *d > starts).map_or(half, |d| d.min(latest))
}

fn show(
    app: &App,
    incoming: &Incoming,
    status: u16,
    step: u8,
    form: &Form,
    entered: Entered,
    left_out: Vec<String>,
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
    let entered = if step == 4 && form.one("last").is_none() && entered.told().is_empty() {
        let starts = form.one("starts").and_then(|d| Day::parse(d).ok()).map_or(frame.today, Day::date);
        let (first, last) = (starts.to_string(), proposed_last(&frame, starts).to_string());
        Entered::filled(&[("starts", &first), ("last", &last), ("language", "fr"), ("interpreter", "none")])
    } else {
        entered
    };
    let ahead = if step == 4 { ahead(&frame, entered.value("starts")) } else { None };
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
            left_out,
            ahead,
        },
    )
}

/// What an accord that begins later means, and what is particular to one that begins with majority (STORIES S5).
fn ahead(frame: &Frame, starts: &str) -> Option<String> {
    let day = Day::parse(starts).ok().filter(|day| day.date() > frame.today)?;
    let born =
        frame.view.person.as_ref().and_then(|p| p.birth_date.as_deref()).and_then(|d| Day::parse(d).ok());
    let majority = born.and_then(|born| crate::clock::birthday(born.date(), 18));
    let plain = format!("Cet accord commence le {} : d'ici là, rien n'est lu.", day.french());
    Some(if majority == Some(day.date()) {
        format!(
            "{plain} C'est le jour de ses 18 ans : le jeune signe seul, dès maintenant, et le confirme dans les 30 \
             jours qui suivent."
        )
    } else {
        plain
    })
}

/// What was chosen is brought to the next page by its address; what is missing is asked for here.
fn go(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &chosen(&incoming.form);
    let again = |n: u8, fault: Fault| {
        back(app, incoming, form, fault, |status, entered| {
            show(app, incoming, status, n, form, entered, Vec::new())
        })
    };
    let missing = |field: &str| refused(FieldErrors::one(field, EntryError::Missing));
    let step = match form.button() {
        Some("step1") => 1,
        Some("step2") if form.one("purpose").is_none() => return again(1, missing("purpose")),
        Some("step2") => 2,
        Some("step3") if form.one("who[]").is_none() => return again(2, missing("who")),
        Some("step3") => 3,
        Some("step4") => 4,
        Some("create") => return summary::create(app, incoming, form).or_else(|fault| again(4, fault)),
        Some(_) | None => match summary::input_of(form) {
            Ok(_) => address::SUMMARY,
            Err(errors) => return again(4, refused(errors)),
        },
    };
    // Where the pathway is not one's own, the answer is the one of the page.
    let (_, frame) = Frame::read(app, incoming, Part::Accords, "Préparer un accord")?;
    if !may_prepare(&frame) {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    Ok(Answer::see_other(format!("{}?{}", frame.at("/accords/preparer"), address::of(form, step))))
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
                left_out: if step == 3 {
                    let service = super::sample::recipient(Profession::Aemo);
                    let asked = [("Santé : situation", None), ("Évaluation", Some(Level::Informed))];
                    asked
                        .into_iter()
                        .filter_map(|(what, needs)| not_ticked(what, needs, &service, Purpose::Coordination))
                        .collect()
                } else {
                    vec![]
                },
                ahead: (step == 4)
                    .then(|| "Cet accord commence le 20 mars 2027 : d'ici là, rien n'est lu.".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_preparing() {
        crate::web::pages::snapshots::check::<PreparePage>();
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
}
