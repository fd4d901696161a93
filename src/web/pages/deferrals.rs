//! Lines of « Qui a regardé ? » told later: what was asked, asking, and ending it before its day. The decision itself is
//! under « Responsable ».

use askama::Template;

use super::Page;
use super::accords::Choice;
use super::confirm::ConfirmPage;
use super::entered::{Entered, back, missing};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::domain::day::Day;
use crate::domain::deferral::{DeferralMotive, DeferredFor};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::FieldErrors;
use crate::ids::DeferralId;
use crate::service::{Act, App, ConsultationLine, DeferralLine, DeferralStanding, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One request, in words.
struct Told {
    id: String,
    line: String,
    days: String,
    whose: String,
    motive: &'static str,
    standing: DeferralStanding,
    asked_on: String,
    review_on: Option<String>,
}

impl Told {
    fn of(d: DeferralLine, people: &[Choice]) -> Self {
        let purpose = d.purpose.map(|p| format!(", pour « {} »", p.french())).unwrap_or_default();
        let on = words::day_of;
        Self {
            id: d.id.as_str().to_owned(),
            line: format!("{}, {}{purpose}", d.profession.french(), d.organisation),
            days: match (&d.from, &d.until) {
                (Some(from), Some(until)) if from == until => format!("le {}", on(from)),
                (Some(from), Some(until)) => format!("du {} au {}", on(from), on(until)),
                (Some(from), None) => format!("depuis le {}, jours à venir compris", on(from)),
                (None, Some(until)) => format!("jusqu'au {}", on(until)),
                (None, None) => "tous les jours, ceux à venir compris".to_owned(),
            },
            whose: whose_in_words(&d.whose, people),
            motive: d.motive.french(),
            standing: d.standing,
            asked_on: on(&d.asked_on),
            review_on: d.review_on.as_deref().map(on),
        }
    }

    fn over(&self) -> bool {
        self.standing == DeferralStanding::Over
    }
}

fn whose_in_words(whose: &DeferredFor, people: &[Choice]) -> String {
    match whose {
        DeferredFor::YoungPerson => "le jeune".to_owned(),
        DeferredFor::Parents => "les parents".to_owned(),
        DeferredFor::Everybody => "tout le monde".to_owned(),
        DeferredFor::Holder(id) => people
            .iter()
            .find(|c| c.code() == id.as_str())
            .map_or_else(|| "un parent".to_owned(), |c| c.french().to_owned()),
    }
}

/// Everything that was asked here.
#[derive(Template)]
#[template(path = "deferrals.html")]
struct DeferralsPage {
    shell: Shell,
    frame: Frame,
    lines: Vec<Told>,
}

/// Asking for one line.
#[derive(Template)]
#[template(path = "deferral_ask.html")]
struct AskPage {
    shell: Shell,
    frame: Frame,
    entered: Entered,
    line: ConsultationLine,
    people: Vec<Choice>,
}

impl AskPage {
    /// The address names the line, so that a text left here comes back to it.
    fn action(&self) -> String {
        ask_address(&self.frame, &self.line)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const LINE: &[&str] = &["fait", "structure", "metier", "but", "jour"];
    const LIST: &str = "/parcours/{pathway}/consultations/reports";
    const ASK: &str = "/parcours/{pathway}/consultations/reporter";
    const END: &str = "/parcours/{pathway}/consultations/reports/{deferral}/fin";
    let row = super::row;
    vec![
        row(Method::Get, LIST, (Action::List, ResourceKind::Deferral), list),
        row(Method::Get, ASK, (Action::Read, ResourceKind::Consultations), page).asking(LINE),
        row(Method::Post, ASK, (Action::Create, ResourceKind::Deferral), ask).asking(LINE),
        row(Method::Get, END, (Action::List, ResourceKind::Deferral), before_end),
        row(Method::Post, END, (Action::End, ResourceKind::Deferral), end),
    ]
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let found = app.deferral_list(incoming.call()?, incoming.act, &pathway_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Consultations, "Lignes reportées")?;
    let people = super::looked::people(app, incoming)?;
    let lines = found.items.into_iter().map(|d| Told::of(d, &people)).collect();
    Answer::page(&DeferralsPage { shell, frame, lines })
}

/// The address of the form for one line.
pub(super) fn ask_address(frame: &Frame, line: &ConsultationLine) -> String {
    let purpose = line.purpose.map(|p| format!("&but={}", p.code())).unwrap_or_default();
    format!(
        "{}?structure={}&metier={}&jour={}{purpose}",
        frame.at("/consultations/reporter"),
        line.organisation.id,
        line.profession.code(),
        line.on
    )
}

/// The line that an address or a form names, among those that the référent may know.
fn line_of(app: &App, incoming: &Incoming) -> Result<ConsultationLine, Fault> {
    let said = |query: &str, field: &str| {
        incoming.query.get(query).map(String::as_str).or_else(|| incoming.form.one(field)).unwrap_or_default()
    };
    let act = Act { action: Action::Read, resource: ResourceKind::Consultations };
    let all = app.consultations(incoming.call()?, act, &pathway_of(incoming)?)?.into_inner();
    all.items
        .into_iter()
        .find(|l| {
            l.organisation.id.as_str() == said("structure", "organisation")
                && l.profession.code() == said("metier", "profession")
                && l.purpose.map_or("", |p| p.code()) == said("but", "purpose")
                && l.on.to_string() == said("jour", "jour")
        })
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

fn whose() -> Vec<Choice> {
    vec![Choice::new("parents", "Tous les parents"), Choice::new("everybody", "Tout le monde")]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let line = line_of(app, incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Consultations, "Reporter une ligne")?;
    let mut people = super::looked::people(app, incoming)?;
    people.extend(whose());
    Answer::page_with(status, &AskPage { shell, frame, entered, line, people })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let syntax = |e: FieldErrors| Fault::Syntax(ServiceError::Invalid(e));
        let form = &incoming.form;
        let day = form.need("jour", Day::parse).map_err(syntax)?;
        let mut tree = form.without(&["jour", "scope"]).tree().map_err(syntax)?;
        let only = match form.one("scope") {
            Some("day") => Some(day.iso()),
            Some("all") => None,
            Some(_) | None => return Err(missing("scope")),
        };
        if let (Some(only), Some(fields)) = (only, tree.as_object_mut()) {
            for bound in ["from", "until"] {
                fields.insert(bound.to_owned(), serde_json::Value::String(only.clone()));
            }
        }
        let input = crate::web::form::read_tree(tree).map_err(syntax)?;
        let act = Act { action: Action::Create, resource: ResourceKind::Deferral };
        app.deferral_ask(incoming.call()?, act, &pathway, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/consultations/reports?fait=demande"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// What ending it does, before it does it: the line may have been put off for somebody's safety.
fn before_end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("deferral", DeferralId::parse)?;
    let act = Act { action: Action::List, resource: ResourceKind::Deferral };
    let found = app.deferral_list(incoming.call()?, act, &pathway_of(incoming)?)?.into_inner();
    let one = found.items.into_iter().find(|d| d.id == id);
    let one = one.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let (shell, frame) = Frame::read(app, incoming, Part::Consultations, "Remettre sur la feuille")?;
    let told = Told::of(one, &super::looked::people(app, incoming)?);
    let back = frame.at("/consultations/reports");
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Remettre sur la feuille : {} ?", told.line),
        effects: vec![
            format!("La ligne ({}) figure dès maintenant sur la feuille pour : {}.", told.days, told.whose),
            format!("Elle avait été reportée pour ce motif : {}. Vérifiez qu'il ne vaut plus.", told.motive),
            "Ce n'est pas réversible : pour la reporter à nouveau, il faut une nouvelle décision.".to_owned(),
        ],
        action: format!("{back}/{}/fin", told.id),
        button: "Remettre sur la feuille",
        stops: true,
        back,
    })
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let id = incoming.id("deferral", DeferralId::parse)?;
    app.deferral_end(incoming.call()?, incoming.act, &id)?;
    Ok(Answer::see_other(format!("/parcours/{pathway}/consultations/reports?fait=fin")))
}

#[cfg(test)]
fn sample_line() -> ConsultationLine {
    ConsultationLine {
        on: chrono::NaiveDate::from_ymd_opt(2027, 3, 12).unwrap(),
        organisation: crate::service::OrganisationName {
            id: crate::ids::OrganisationId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            name: "Collège Jean-Moulin".to_owned(),
        },
        profession: crate::domain::vocabulary::Profession::Teacher,
        purpose: Some(crate::domain::vocabulary::Purpose::Schooling),
        categories: vec![crate::domain::vocabulary::Category::Schooling],
        receipts: Vec::new(),
    }
}

impl Page for DeferralsPage {
    #[cfg(test)]
    const NAME: &'static str = "deferrals";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let line = |standing, review: Option<&str>, whose| {
            let day = "2027-03-12".to_owned();
            let line = DeferralLine {
                id: DeferralId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
                whose,
                organisation: "Collège Jean-Moulin".to_owned(),
                profession: crate::domain::vocabulary::Profession::Teacher,
                purpose: None,
                from: Some(day.clone()),
                until: review.is_some().then(|| day.clone()),
                motive: DeferralMotive::ParentSafety,
                asked_on: day,
                standing,
                review_on: review.map(ToOwned::to_owned),
            };
            Told::of(line, &[])
        };
        let page = |lines| {
            let (shell, frame) = super::frame::sample::frame(Part::Consultations, "Lignes reportées");
            Self { shell, frame, lines }
        };
        vec![
            ("empty", page(vec![])),
            (
                "every_standing",
                page(vec![
                    line(DeferralStanding::Asked, None, DeferredFor::Parents),
                    line(DeferralStanding::KeptBack, Some("2027-04-02"), DeferredFor::YoungPerson),
                    line(DeferralStanding::Over, None, DeferredFor::Everybody),
                ]),
            ),
        ]
    }
}

impl Page for AskPage {
    #[cfg(test)]
    const NAME: &'static str = "deferral_ask";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered| {
            let (shell, frame) = super::frame::sample::frame(Part::Consultations, "Reporter une ligne");
            let mut people = vec![Choice::new("young_person", "Le jeune")];
            people.extend(whose());
            Self { shell, frame, entered, line: sample_line(), people }
        };
        let wrong =
            ServiceError::Invalid(FieldErrors::one("statement", crate::domain::text::EntryError::Missing));
        let form = crate::web::form::Form::of(&[("whose", "parents"), ("scope", "day")]);
        vec![
            ("empty", page(Entered::nothing())),
            ("statement_missing", page(Entered::refused(&form, &wrong))),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_deferrals() {
        crate::web::pages::snapshots::check::<super::DeferralsPage>();
        crate::web::pages::snapshots::check::<super::AskPage>();
    }
}
