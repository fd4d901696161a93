//! Emergency (S13): opening, what is open, and its review. Hard to do by mistake (what is seen, for how long, who is told,
//! a written motive, one box), quick in need (one page, no script).
//!
//! INVARIANT: what is open is shown without author, and with the time at which it closes.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::clock::Timestamp;
use crate::domain::emergency::{EmergencyOutcome, FamilyTelling, OPEN_HOURS, REVIEW_HOURS};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::EmergencyId;
use crate::service::emergencies::{EmergencyInput, EmergencyLine, EmergencyView};
use crate::service::{App, EmergencyCase, EmergencyReviewInput, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Before opening, and what was opened before.
#[derive(Template)]
#[template(path = "emergency_open.html")]
struct OpenPage {
    shell: Shell,
    frame: Frame,
    lines: Vec<EmergencyLine>,
    may_open: bool,
    /// When an opening of this moment would close.
    closes: String,
    entered: Entered,
}

impl OpenPage {
    /// One's own opening that is open now.
    fn own(&self) -> Option<&EmergencyLine> {
        self.lines.iter().find(|l| l.mine && l.open)
    }
}

/// What is open.
#[derive(Template)]
#[template(path = "emergency.html")]
struct EmergencyPage {
    shell: Shell,
    frame: Frame,
    view: EmergencyView,
    left: String,
}

/// What a data protection officer has to look at.
#[derive(Template)]
#[template(path = "emergency_cases.html")]
struct CasesPage {
    shell: Shell,
    waiting: Vec<EmergencyCase>,
    done: Vec<EmergencyCase>,
    /// Whether it is a further page of those that were reviewed.
    further: bool,
    next: Option<String>,
}

/// One of them.
#[derive(Template)]
#[template(path = "emergency_review.html")]
struct ReviewPage {
    shell: Shell,
    case: EmergencyCase,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const OPEN: &str = "/parcours/{pathway}/urgence";
    const ONE: &str = "/parcours/{pathway}/urgences/{emergency}";
    const CASE: &str = "/urgences/{emergency}";
    let did = |action| (action, ResourceKind::Emergency);
    vec![
        super::row(Method::Get, OPEN, did(Action::List), open_page),
        super::row(Method::Post, OPEN, did(Action::Create), open),
        super::row(Method::Get, ONE, did(Action::Read), one),
        super::row(Method::Post, "/parcours/{pathway}/urgences/{emergency}/terminer", did(Action::End), end),
        super::row(
            Method::Post,
            "/parcours/{pathway}/urgences/{emergency}/famille",
            did(Action::Update),
            told,
        ),
        super::row(Method::Get, "/urgences", did(Action::List), cases).asking(&["suite", "fait"]),
        super::row(Method::Get, CASE, did(Action::List), case_page),
        super::row(Method::Post, CASE, did(Action::Confirm), review),
    ]
}

fn emergency_of(incoming: &Incoming) -> Result<EmergencyId, Fault> {
    incoming.id("emergency", EmergencyId::parse)
}

fn show_open(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let list = app.emergencies_on(incoming.call()?, &pathway_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Ouvrir en urgence")?;
    let closes = words::moment(app.clock().now().plus_seconds(OPEN_HOURS * 3600));
    Answer::page_with(
        status,
        &OpenPage { shell, frame, lines: list.items, may_open: list.may_open, closes, entered },
    )
}

fn open_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_open(app, incoming, 200, Entered::first(app, incoming)?)
}

fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<String, Fault> {
        let mut tree = incoming.form.tree().map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
        // A box that is not taken sends nothing.
        if let Some(fields) = tree.as_object_mut() {
            fields.entry("understood").or_insert(serde_json::Value::Bool(false));
        }
        let input: EmergencyInput =
            crate::web::form::read_tree(tree).map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
        Ok(app.emergency_open(incoming.call()?, &pathway, &input)?.id)
    };
    match attempt() {
        Ok(id) => Ok(Answer::see_other(format!("/parcours/{}/urgences/{id}", pathway.as_str()))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_open(app, incoming, status, entered)),
    }
}

/// « encore 23 h 12 min »
fn left(closes_at: &str, now: Timestamp) -> String {
    let Some(end) = Timestamp::parse_rfc3339(closes_at) else { return String::new() };
    let minutes = end.micros().saturating_sub(now.micros()).max(0) / 60_000_000;
    format!("encore {} h {:02} min", minutes / 60, minutes % 60)
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let view = app.emergency_read(incoming.call()?, &emergency_of(incoming)?)?.into_inner();
    if view.pathway != pathway {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Accès en urgence")?;
    let left = left(&view.closes_at, app.clock().now());
    Answer::page(&EmergencyPage { shell, frame, view, left })
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.emergency_end(incoming.call()?, &emergency_of(incoming)?)?;
    Ok(Answer::see_other(format!("/parcours/{}/urgence?fait=urgence-finie", pathway_of(incoming)?.as_str())))
}

fn told(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.emergency_told(incoming.call()?, &emergency_of(incoming)?)?;
    Ok(Answer::see_other(format!("/parcours/{}/urgence?fait=note", pathway_of(incoming)?.as_str())))
}

fn cases(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("suite").map(String::as_str);
    let all = app.emergency_cases(incoming.call()?, cursor)?.into_inner();
    let (waiting, done) = all.items.into_iter().partition(|c| c.outcome.is_none());
    let shell = Shell::signed_in(app, incoming, Room::Emergencies, "Accès en urgence")?;
    Answer::page(&CasesPage { shell, waiting, done, further: cursor.is_some(), next: all.next })
}

fn show_case(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = emergency_of(incoming)?;
    let case = app.emergency_case(incoming.call()?, &id)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Emergencies, "Examiner un accès en urgence")?;
    Answer::page_with(status, &ReviewPage { shell, case, entered })
}

fn case_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_case(app, incoming, 200, Entered::first(app, incoming)?)
}

fn review(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: EmergencyReviewInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.emergency_review(incoming.call()?, &emergency_of(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/urgences?fait=examine")),
        Err(fault) => back(app, incoming, fault, |status, entered| show_case(app, incoming, status, entered)),
    }
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::domain::text::{EntryError, FieldErrors, Text};
    use crate::domain::vocabulary::{Category, Profession, Role};
    use crate::ids::{OrganisationId, PathwayId};
    use crate::service::OrganisationName;
    use crate::service::emergencies::EmergencyItem;
    use crate::service::people::{EmergencyLine as Call, IdentitySheet, PersonView};
    use crate::web::pages::frame::sample::{frame_as, who};

    fn id() -> EmergencyId {
        EmergencyId::parse(&"a".repeat(26)).unwrap()
    }

    fn line(mine: bool, open: bool, waits: bool) -> EmergencyLine {
        EmergencyLine {
            id: id(),
            mine,
            who: who("Samira Haddad", "Association Rue & Liens", Profession::SpecialisedPrevention),
            opened_at: "2027-03-12T10:00:00Z".to_owned(),
            closes_at: "2027-03-13T10:00:00Z".to_owned(),
            open,
            outcome: waits.then_some(EmergencyOutcome::Justified),
            family_waits: waits,
        }
    }

    pub(super) fn opening() -> Vec<(&'static str, OpenPage)> {
        let page = |lines, may_open, entered| {
            let (shell, frame) = frame_as(Role::Participant, Part::Other, "Ouvrir en urgence");
            let closes = "15 mars 2027 à 11 h 00".to_owned();
            OpenPage { shell, frame, lines, may_open, closes, entered }
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("motive", EntryError::Missing));
        let refused = Entered::refused(&crate::web::form::Form::default(), &wrong);
        vec![
            ("first", page(Vec::new(), true, Entered::nothing())),
            ("refused", page(Vec::new(), true, refused)),
            ("open", page(vec![line(true, true, false)], true, Entered::nothing())),
            ("to_tell", page(vec![line(false, false, true)], false, Entered::nothing())),
        ]
    }

    pub(super) fn opened() -> Vec<(&'static str, EmergencyPage)> {
        let page = |person, items| {
            let (shell, frame) = frame_as(Role::Participant, Part::Other, "Accès en urgence");
            let view = EmergencyView {
                id: id(),
                pathway: PathwayId::parse(&"a".repeat(26)).unwrap(),
                opened_at: "2027-03-12T10:00:00Z".to_owned(),
                closes_at: "2027-03-13T10:00:00Z".to_owned(),
                person,
                items,
            };
            EmergencyPage { shell, frame, view, left: "encore 23 h 12 min".to_owned() }
        };
        let person = PersonView {
            name: "Léa Martin".to_owned(),
            nickname_only: false,
            identity: Some(IdentitySheet {
                first_name: Text::parse("Léa").unwrap(),
                name: Text::parse("Martin").unwrap(),
                contacts: Vec::new(),
                emergency_contacts: vec![Call {
                    who: Text::parse("Tante").unwrap(),
                    number: crate::domain::contact::Phone::parse("0611223355").unwrap(),
                }],
            }),
            birth_date: Some("2012-03-01".to_owned()),
            emancipated_on: None,
        };
        let item = EmergencyItem {
            category: Category::HealthMinimal,
            label: "Allergie".to_owned(),
            content: None,
            words: vec![("Que faire".to_owned(), "Appeler le 15".to_owned())],
            written_on: "2027-03-01".to_owned(),
        };
        vec![("both", page(Some(person), vec![item])), ("nothing", page(None, Vec::new()))]
    }

    pub(super) fn case(outcome: Option<EmergencyOutcome>) -> EmergencyCase {
        EmergencyCase {
            id: id(),
            organisation: OrganisationName {
                id: OrganisationId::parse(&"a".repeat(26)).unwrap(),
                name: "Association Rue & Liens".to_owned(),
            },
            profession: Profession::SpecialisedPrevention,
            opened_at: "2027-03-12T10:00:00Z".to_owned(),
            closes_at: "2027-03-13T10:00:00Z".to_owned(),
            open: false,
            repeated: outcome.is_none(),
            review_due: "2027-03-15T10:00:00Z".to_owned(),
            overdue: outcome.is_none(),
            motive: "Malaise pendant une sortie, personne ne répond.".to_owned(),
            outcome,
            family: outcome.map(|_| FamilyTelling::ToTell),
            remark: outcome.map(|_| "Le SAMU a demandé les allergies.".to_owned()),
        }
    }
}

impl Page for OpenPage {
    #[cfg(test)]
    const NAME: &'static str = "emergency_open";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        samples::opening()
    }
}

impl Page for EmergencyPage {
    #[cfg(test)]
    const NAME: &'static str = "emergency";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        samples::opened()
    }
}

impl Page for CasesPage {
    #[cfg(test)]
    const NAME: &'static str = "emergency_cases";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |waiting, done, further, next| Self {
            shell: super::shell::sample::signed_in(Room::Emergencies, "Accès en urgence"),
            waiting,
            done,
            further,
            next,
        };
        let done = || vec![samples::case(Some(EmergencyOutcome::Justified))];
        vec![
            ("none", page(vec![], vec![], false, None)),
            ("both", page(vec![samples::case(None)], done(), false, Some("c3VpdGU".to_owned()))),
            ("further", page(vec![], done(), true, None)),
        ]
    }
}

impl Page for ReviewPage {
    #[cfg(test)]
    const NAME: &'static str = "emergency_review";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |outcome| Self {
            shell: super::shell::sample::signed_in(Room::Emergencies, "Examiner un accès en urgence"),
            case: samples::case(outcome),
            entered: Entered::nothing(),
        };
        vec![("to_review", page(None)), ("reviewed", page(Some(EmergencyOutcome::ToFollowUp)))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_emergency() {
        crate::web::pages::snapshots::check::<super::OpenPage>();
        crate::web::pages::snapshots::check::<super::EmergencyPage>();
        crate::web::pages::snapshots::check::<super::CasesPage>();
        crate::web::pages::snapshots::check::<super::ReviewPage>();
    }
}
