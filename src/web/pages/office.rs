//! The secretary's entry (S6): the accords that this structure collected, with their signatures, and withdrawals. No
//! words, no name of a young person; the names of those who sign, by which families are told apart.

use askama::Template;

use super::Page;
#[cfg(test)]
use super::accords::sample_board_for;
use super::accords::{Board, Card, Family, Saying, act, record_on};
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::today;
use super::withdrawal::{DonePage, WithdrawalForm, recorded};
use super::words;
use crate::domain::accord::{Opinion, Verification};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Category;
use crate::ids::{AccordId, PathwayId};
#[cfg(test)]
use crate::service::AccordStanding;
use crate::service::office::OfficeLine;
use crate::service::{App, SeenAs, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One pathway of the list.
struct Line {
    pathway: String,
    title: String,
    hears: bool,
    closed: bool,
    signatories: Vec<String>,
    cards: Vec<Card>,
}

/// The list.
#[derive(Template)]
#[template(path = "office.html")]
struct OfficePage {
    shell: Shell,
    lines: Vec<Line>,
    /// Whether these are the pathways that are over.
    closed: bool,
    next: Option<String>,
}

/// What the family said, on one accord.
#[derive(Template)]
#[template(path = "office_sign.html")]
struct OfficeSignPage {
    shell: Shell,
    card: Card,
    board: Board,
}

/// « La famille ne veut plus », at the office.
#[derive(Template)]
#[template(path = "office_withdrawal.html")]
struct OfficeWithdrawalPage {
    shell: Shell,
    title: String,
    form: WithdrawalForm,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const SIGN: &str = "/secretariat/{pathway}/accords/{accord}";
    const WITHDRAWAL: &str = "/secretariat/{pathway}/retrait";
    vec![
        super::row(Method::Get, "/secretariat", (Action::List, ResourceKind::Participation), page)
            .asking(&["clos", "suite", "fait"]),
        super::row(Method::Get, SIGN, (Action::Read, ResourceKind::Accord), sign_page)
            .asking(&["acte", "fait"]),
        super::row(Method::Post, SIGN, (Action::Sign, ResourceKind::Accord), sign).asking(&["acte"]),
        super::row(Method::Get, WITHDRAWAL, (Action::Read, ResourceKind::Accord), withdrawal_page),
        super::row(Method::Post, WITHDRAWAL, (Action::Withdraw, ResourceKind::Accord), withdraw),
    ]
}

fn title_of(line: &OfficeLine) -> String {
    let referent = line.referent.as_ref().map(|r| format!(", référent {}", r.name)).unwrap_or_default();
    match &line.opened_on {
        Some(day) => format!("Parcours ouvert le {}{referent}", words::day_of(day)),
        None => "Parcours d'une autre structure".to_owned(),
    }
}

/// Who holds authority, by name.
fn names(family: &Family) -> Vec<String> {
    family.holders().iter().map(super::accords::holder_name).collect()
}

/// What waits for a secretary, for *Aujourd'hui*: sheets that still miss a signature, the oldest first.
pub(super) fn waiting(app: &App, incoming: &Incoming) -> Result<Vec<today::Line>, Fault> {
    let today = app.clock().now().paris_day();
    let mut lines = Vec::new();
    for line in &app.office(incoming.call()?)?.into_inner().items {
        let nobody = Family::of_pathway(app, incoming, &line.pathway, false)?;
        let open: Vec<Card> =
            line.accords.iter().map(|a| Card::of(a, &nobody, today)).filter(|card| card.open).collect();
        if open.is_empty() {
            continue;
        }
        // Two families may have the same référent and the same day: who signs tells them apart, as on the list.
        let family = Family::of_pathway(app, incoming, &line.pathway, true)?;
        lines.extend(open.into_iter().map(|card| awaiting(line, &family, card)));
    }
    Ok(lines)
}

/// One accord that waits, as a line of *Aujourd'hui*.
fn awaiting(line: &OfficeLine, family: &Family, card: Card) -> today::Line {
    let signatories = names(family).join(", ");
    let title = title_of(line);
    let title = if signatories.is_empty() { title } else { format!("{title} · {signatories}") };
    today::Line {
        chip: "Signatures attendues",
        urgent: false,
        whose: Some((title, "/secretariat".to_owned())),
        sentence: format!("« {} », {}. {}.", card.purpose, card.period, card.state.words),
        when: card.since.map(|since| format!("depuis le {since}")),
        telephone: None,
        href: format!("/secretariat/{}/accords/{}", line.pathway, card.id),
        act: "Enregistrer ce que la famille a dit",
    }
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let today = app.clock().now().paris_day();
    let mut lines = Vec::new();
    let closed = incoming.query.contains_key("clos");
    let office = if closed {
        app.office_closed(call, incoming.query.get("suite").map(String::as_str))?.into_inner()
    } else {
        app.office(call)?.into_inner()
    };
    for line in office.items {
        if !line.hears && line.accords.is_empty() {
            continue;
        }
        let family = Family::of_pathway(app, incoming, &line.pathway, !line.accords.is_empty())?;
        lines.push(Line {
            pathway: line.pathway.as_str().to_owned(),
            title: title_of(&line),
            hears: line.hears,
            closed: line.closed,
            signatories: names(&family),
            cards: line.accords.iter().rev().map(|a| Card::of(a, &family, today)).collect(),
        });
    }
    let shell = Shell::signed_in(app, incoming, Room::Office, "Secrétariat")?;
    Answer::page(&OfficePage { shell, lines, closed, next: office.next })
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn said(incoming: &Incoming) -> Saying {
    let asked = Saying::parse(incoming.query.get("acte").map(String::as_str));
    if Saying::OFFICE.contains(&asked) { asked } else { Saying::Signature }
}

fn show_sign(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (pathway, id) = (pathway(incoming)?, incoming.id("accord", AccordId::parse)?);
    let view = app.accord_read(incoming.call()?, act(Action::Read), &id)?.into_inner();
    if view.pathway != pathway || view.seen_as != SeenAs::Office {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let family = Family::of_pathway(app, incoming, &pathway, true)?;
    let here = format!("/secretariat/{pathway}/accords/{id}");
    let today = app.clock().now().paris_day();
    let board = Board::of_accord(said(incoming), Saying::OFFICE, here, entered, &view, &family, today);
    let card = Card::of(&view, &family, today);
    let shell = Shell::signed_in(app, incoming, Room::Office, "Signatures")?;
    Answer::page_with(status, &OfficeSignPage { shell, card, board })
}

fn sign_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_sign(app, incoming, 200, Entered::first(app, incoming)?)
}

fn sign(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (pathway, id) = (pathway(incoming)?, incoming.id("accord", AccordId::parse)?);
    match record_on(app, incoming, said(incoming), &id) {
        Ok(done) => Ok(Answer::see_other(format!("/secretariat/{pathway}/accords/{id}?fait={done}"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_sign(app, incoming, status, entered)),
    }
}

fn show_withdrawal(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let pathway = pathway(incoming)?;
    let line = app.office_line(incoming.call()?, &pathway)?.into_inner();
    if !line.hears {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let family = Family::of_pathway(app, incoming, &pathway, !line.accords.is_empty())?;
    let action = format!("/secretariat/{pathway}/retrait");
    let form = WithdrawalForm::read(app, incoming, action, "/secretariat".to_owned(), entered, &family)?;
    let shell = Shell::signed_in(app, incoming, Room::Office, "La famille ne veut plus")?;
    Answer::page_with(status, &OfficeWithdrawalPage { shell, title: title_of(&line), form })
}

fn withdrawal_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_withdrawal(app, incoming, 200, Entered::first(app, incoming)?)
}

fn withdraw(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    match recorded(app, incoming, &pathway(incoming)?) {
        Ok(told) => {
            let shell = Shell::signed_in(app, incoming, Room::Office, "C'est noté")?;
            Answer::page(&DonePage { shell, told, back: "/secretariat".to_owned() })
        }
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_withdrawal(app, incoming, status, entered))
        }
    }
}

/// A line of *Aujourd'hui*, for samples.
#[cfg(test)]
pub(super) fn sample_waiting() -> today::Line {
    let line = OfficeLine {
        pathway: PathwayId::parse(&"a".repeat(26)).unwrap(),
        opened_on: Some("2027-01-04".to_owned()),
        referent: None,
        closed: false,
        hears: true,
        places: Vec::new(),
        accords: Vec::new(),
    };
    awaiting(&line, &Family::sample(), Card::sample(AccordStanding::PartlySigned, SeenAs::Office))
}

impl Page for OfficePage {
    #[cfg(test)]
    const NAME: &'static str = "office";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let shell = || super::shell::sample::signed_in(Room::Office, "Secrétariat");
        let line = |closed| Line {
            pathway: "p".repeat(26),
            title: "Parcours ouvert le 4 janvier 2027, référent Nadia Benali".to_owned(),
            hears: true,
            closed,
            signatories: vec!["Sonia Martin (mère)".to_owned()],
            cards: vec![Card::sample(AccordStanding::PartlySigned, SeenAs::Office)],
        };
        vec![
            ("empty", Self { shell: shell(), lines: vec![], closed: false, next: None }),
            ("some", Self { shell: shell(), lines: vec![line(false)], closed: false, next: None }),
            (
                "closed",
                Self {
                    shell: shell(),
                    lines: vec![line(true)],
                    closed: true,
                    next: Some("c3VpdGU".to_owned()),
                },
            ),
        ]
    }
}

impl Page for OfficeSignPage {
    #[cfg(test)]
    const NAME: &'static str = "office_sign";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |saying| Self {
            shell: super::shell::sample::signed_in(Room::Office, "Signatures"),
            card: Card::sample(AccordStanding::PartlySigned, SeenAs::Office),
            board: sample_board_for(saying, Saying::OFFICE, Entered::nothing()),
        };
        vec![("signature", page(Saying::Signature)), ("withdrawal", page(Saying::Withdrawal))]
    }
}

impl Page for OfficeWithdrawalPage {
    #[cfg(test)]
    const NAME: &'static str = "office_withdrawal";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        vec![(
            "everything",
            Self {
                shell: super::shell::sample::signed_in(Room::Office, "La famille ne veut plus"),
                title: "Parcours ouvert le 4 janvier 2027, référent Nadia Benali".to_owned(),
                form: WithdrawalForm::sample(WithdrawalForm::usual()),
            },
        )]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_an_office() {
        crate::web::pages::snapshots::check::<super::OfficePage>();
        crate::web::pages::snapshots::check::<super::OfficeSignPage>();
        crate::web::pages::snapshots::check::<super::OfficeWithdrawalPage>();
    }
}
