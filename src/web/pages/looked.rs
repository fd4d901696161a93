//! « Qui a regardé ? » (S12): the sheet for one person, on paper or as a file to take away; by the référent, or by the
//! manager of a service whose taking part can be hidden.
//!
//! INVARIANT: what is printed, shown and taken away is one view of one service, made for one person.

use askama::Template;

use super::Page;
use super::accords::{Choice, Family, holder_name};
use super::entered::Entered;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::ids::ParticipationId;
use crate::service::{Act, App, LookedSheet, Said, ServiceError, SheetAsk};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};
use crate::web::spreadsheet;

const ASKED: &[&str] = &["fait", "pour", "du", "au"];

/// A sheet with what its paper says beside it.
pub(super) struct Paper {
    pub sheet: LookedSheet,
    /// The young person's name, where the maker of the sheet may say it.
    pub about: Option<String>,
    pub whom: String,
}

impl Paper {
    fn office(&self) -> String {
        format!("{}, {}", self.sheet.office.organisation, words::telephone(&self.sheet.office.telephone))
    }
}

/// Whom it is for, over which days, and the sheet once that is said.
#[derive(Template)]
#[template(path = "looked.html")]
struct LookedPage {
    shell: Shell,
    frame: Frame,
    entered: Entered,
    people: Vec<Choice>,
    told: Option<String>,
    paper: Option<Paper>,
    /// The query that asks for the same sheet as a file.
    same: String,
}

/// The same for the manager of a service, who has no place in the circle.
#[derive(Template)]
#[template(path = "looked_service.html")]
struct ServiceLookedPage {
    shell: Shell,
    place: String,
    entered: Entered,
    people: Vec<Choice>,
    told: Option<String>,
    paper: Option<Paper>,
    same: String,
}

/// The sheet alone, to be taken away.
#[derive(Template)]
#[template(path = "looked_file.html")]
struct LookedFile {
    paper: Paper,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const SERVICE: &str = "/responsable/places/{participation}/qui-a-regarde";
    const SERVICE_CSV: &str = "/responsable/places/{participation}/qui-a-regarde.csv";
    let row = |path, action, handle| {
        super::row(Method::Get, path, (action, ResourceKind::Consultations), handle).asking(ASKED)
    };
    vec![
        row("/parcours/{pathway}/qui-a-regarde", Action::Print, page),
        row("/parcours/{pathway}/qui-a-regarde.csv", Action::Export, table),
        row("/parcours/{pathway}/qui-a-regarde.html", Action::Export, file),
        row(SERVICE, Action::Print, service_page),
        row(SERVICE_CSV, Action::Export, service_table),
    ]
}

/// What the address asks for; `None` while nobody was chosen.
fn asked(incoming: &Incoming) -> Result<Option<SheetAsk>, Fault> {
    let given = |name: &str| incoming.query.get(name).map(|t| t.trim()).filter(|t| !t.is_empty());
    let wrong = |name: &'static str, expected: &'static str| {
        Fault::Syntax(ServiceError::Invalid(FieldErrors::one(name, EntryError::WrongType { expected })))
    };
    let day = |name: &'static str| {
        given(name).map(|t| Day::parse(t).map_err(|_| wrong(name, "une date"))).transpose()
    };
    let Some(whom) = given("pour") else { return Ok(None) };
    let for_whom = Said::parse(whom).map_err(|_| wrong("pour", "une personne de la liste"))?;
    Ok(Some(SheetAsk { for_whom, from: day("du")?, until: day("au")? }))
}

fn need(incoming: &Incoming) -> Result<SheetAsk, Fault> {
    asked(incoming)?.ok_or_else(|| super::entered::missing("pour"))
}

/// The same question, as the address of a file asks it.
fn same(incoming: &Incoming) -> String {
    let parts: Vec<String> = ["pour", "du", "au"]
        .into_iter()
        .filter_map(|name| {
            incoming
                .query
                .get(name)
                .filter(|t| !t.is_empty())
                .map(|t| format!("{name}={}", words::encoded(t)))
        })
        .collect();
    parts.join("&")
}

fn entered(incoming: &Incoming) -> Entered {
    let value = |name: &str| incoming.query.get(name).map_or("", String::as_str);
    Entered::filled(&[("pour", value("pour")), ("du", value("du")), ("au", value("au"))])
}

/// Those for whom the référent may make a sheet today, by name.
pub(super) fn people(app: &App, incoming: &Incoming) -> Result<Vec<Choice>, Fault> {
    let act = Act { action: Action::List, resource: ResourceKind::Consultations };
    let may = app.sheet_readers(incoming.call()?, act, &pathway_of(incoming)?)?.into_inner().0;
    let family = Family::read(app, incoming, true)?;
    let holders = family.holders().iter().filter(|h| may.contains(&h.id));
    let young = Choice::new("young_person", "Le jeune");
    Ok(std::iter::once(young).chain(holders.map(|h| Choice::new(h.id.clone(), holder_name(h)))).collect())
}

/// A sheet, or the sentence that says why there is none.
fn sheet_or_told(made: Result<LookedSheet, ServiceError>) -> Result<Result<LookedSheet, String>, Fault> {
    match made {
        Ok(sheet) => Ok(Ok(sheet)),
        Err(ServiceError::Rule { message, .. }) => Ok(Err(message)),
        Err(other) => Err(other.into()),
    }
}

fn whom(people: &[Choice], incoming: &Incoming) -> String {
    let code = incoming.query.get("pour").map(|t| t.trim());
    let chosen = people.iter().find(|c| code == Some(c.code()));
    chosen.map_or_else(|| "un parent".to_owned(), |c| c.french().to_owned())
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let ask = asked(incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Consultations, "Qui a regardé ?")?;
    let people = people(app, incoming)?;
    let (mut paper, mut told) = (None, None);
    if let Some(ask) = ask {
        let made = app.looked_sheet(incoming.call()?, incoming.act, &pathway_of(incoming)?, &ask);
        match sheet_or_told(made.map(crate::audit::Disclosed::into_inner))? {
            Ok(sheet) => {
                let about = Some(frame.view.name.clone());
                paper = Some(Paper { sheet, about, whom: whom(&people, incoming) });
            }
            Err(message) => told = Some(message),
        }
    }
    let (entered, same) = (entered(incoming), same(incoming));
    Answer::page(&LookedPage { shell, frame, entered, people, told, paper, same })
}

fn csv(sheet: &LookedSheet) -> Answer {
    Answer::File {
        media: spreadsheet::MEDIA,
        name: format!("qui-a-regarde-{}.csv", sheet.made_on),
        body: spreadsheet::looked(sheet).into_bytes(),
    }
}

fn table(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let ask = need(incoming)?;
    let sheet = app.looked_sheet(incoming.call()?, incoming.act, &pathway_of(incoming)?, &ask)?;
    Ok(csv(&sheet.into_inner()))
}

fn file(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let ask = need(incoming)?;
    let call = incoming.call()?;
    let sheet = app.looked_sheet(call, incoming.act, &pathway_of(incoming)?, &ask)?.into_inner();
    let name = format!("qui-a-regarde-{}.html", sheet.made_on);
    let whom = whom(&people(app, incoming)?, incoming);
    let about = app.pathway(call, &pathway_of(incoming)?)?.into_inner().name;
    let file = LookedFile { paper: Paper { sheet, about: Some(about), whom } };
    let html = file.render().map_err(|e| Fault::Service(ServiceError::internal(e)))?;
    Ok(Answer::File { media: "text/html; charset=utf-8", name, body: html.into_bytes() })
}

fn service_people() -> Vec<Choice> {
    vec![Choice::new("young_person", "Le jeune"), Choice::new("parent", "Un parent")]
}

fn service_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let place = incoming.id("participation", ParticipationId::parse)?;
    let people = service_people();
    let (mut paper, mut told) = (None, None);
    // The choice alone is offered behind the same gate as the sheet.
    let ask = asked(incoming)?;
    let probe = SheetAsk { for_whom: Said::YoungPerson, from: None, until: None };
    let act = match &ask {
        Some(_) => incoming.act,
        None => Act { action: Action::List, resource: ResourceKind::Consultations },
    };
    let made = app.looked_sheet_of_service(incoming.call()?, act, &place, ask.as_ref().unwrap_or(&probe));
    match sheet_or_told(made.map(crate::audit::Disclosed::into_inner))? {
        Ok(sheet) if ask.is_some() => {
            paper = Some(Paper { sheet, about: None, whom: whom(&people, incoming) });
        }
        Ok(_) => {}
        Err(message) => told = Some(message),
    }
    let shell = Shell::signed_in(app, incoming, Room::Manager, "Qui a regardé ?")?;
    let (entered, same) = (entered(incoming), same(incoming));
    let place = place.as_str().to_owned();
    Answer::page(&ServiceLookedPage { shell, place, entered, people, told, paper, same })
}

fn service_table(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let place = incoming.id("participation", ParticipationId::parse)?;
    let ask = need(incoming)?;
    let sheet = app.looked_sheet_of_service(incoming.call()?, incoming.act, &place, &ask)?;
    Ok(csv(&sheet.into_inner()))
}

#[cfg(test)]
pub(super) fn sample_sheet(lines: usize, kept: bool, of_one_service: bool) -> LookedSheet {
    use crate::domain::vocabulary::{Capacity, Category, Profession, Purpose};
    use crate::service::{KeptBack, LookedLine, ProofHint, SheetOffice};
    use chrono::NaiveDate;
    let day = |d| NaiveDate::from_ymd_opt(2027, 3, d).unwrap();
    let all = vec![
        LookedLine {
            on: day(12),
            organisation: "Collège Jean-Moulin".to_owned(),
            profession: Profession::Teacher,
            name: Some("Julie Lambert".to_owned()),
            purpose: Some(Purpose::Schooling),
            categories: vec![Category::Schooling],
        },
        LookedLine {
            on: day(2),
            organisation: "Ville de Val-d'Orme".to_owned(),
            profession: Profession::ReferentPre,
            name: None,
            purpose: None,
            categories: vec![Category::Identity, Category::Practical],
        },
    ];
    LookedSheet {
        for_whom: Capacity::Parent,
        from: NaiveDate::from_ymd_opt(2027, 1, 4).unwrap(),
        until: day(14),
        made_on: day(14),
        items: all.into_iter().take(lines).collect(),
        kept_back: kept.then(|| KeptBack { lines: 1, review_on: day(30) }),
        of_one_service,
        office: SheetOffice {
            organisation: "Ville de Val-d'Orme".to_owned(),
            telephone: "0102030405".to_owned(),
        },
        proof: kept.then(|| ProofHint {
            origin: "relais.example/val-d-orme".to_owned(),
            size: 1204,
            root_hash: "ab".repeat(32),
        }),
    }
}

#[cfg(test)]
fn sample_paper(lines: usize, kept: bool, of_one_service: bool) -> Paper {
    Paper {
        sheet: sample_sheet(lines, kept, of_one_service),
        about: (!of_one_service).then(|| "Léa Martin".to_owned()),
        whom: if of_one_service { "Un parent" } else { "Sonia Martin (mère)" }.to_owned(),
    }
}

impl Page for LookedPage {
    #[cfg(test)]
    const NAME: &'static str = "looked";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |paper: Option<Paper>, told: Option<&str>| {
            let (shell, frame) = super::frame::sample::frame(Part::Consultations, "Qui a regardé ?");
            let people = vec![
                Choice::new("young_person", "Le jeune"),
                Choice::new("daaaaaaaaaaaaaaaaaaaaaaaaa", "Sonia Martin (mère)"),
            ];
            let same = "pour=young_person".to_owned();
            let entered = Entered::filled(&[("pour", "young_person")]);
            Self { shell, frame, entered, people, told: told.map(ToOwned::to_owned), paper, same }
        };
        vec![
            ("choose", page(None, None)),
            ("sheet", page(Some(sample_paper(2, false, false)), None)),
            ("kept_back", page(Some(sample_paper(1, true, false)), None)),
            ("empty", page(Some(sample_paper(0, false, false)), None)),
            ("refused", page(None, Some("La fin vient avant le début : corrigez les dates."))),
        ]
    }
}

impl Page for ServiceLookedPage {
    #[cfg(test)]
    const NAME: &'static str = "looked_service";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |paper: Option<Paper>, told: Option<&str>| Self {
            shell: super::shell::sample::signed_in(Room::Manager, "Qui a regardé ?"),
            place: "q".repeat(26),
            entered: Entered::filled(&[("pour", "young_person")]),
            people: service_people(),
            told: told.map(ToOwned::to_owned),
            paper,
            same: "pour=young_person".to_owned(),
        };
        vec![
            ("choose", page(None, None)),
            ("sheet", page(Some(sample_paper(1, false, true)), None)),
            ("refused", page(None, Some("Voyez d'abord avec votre collègue qui est dans le cercle."))),
        ]
    }
}

impl Page for LookedFile {
    #[cfg(test)]
    const NAME: &'static str = "looked_file";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("sheet", Self { paper: sample_paper(2, false, false) }),
            ("kept_back", Self { paper: sample_paper(1, true, false) }),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_who_looked() {
        crate::web::pages::snapshots::check::<super::LookedPage>();
        crate::web::pages::snapshots::check::<super::ServiceLookedPage>();
        crate::web::pages::snapshots::check::<super::LookedFile>();
    }
}
