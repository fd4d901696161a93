//! Danger (S20): the numbers first, then the mention that a transmission was made. Relais transmits nothing.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::{Room, Shell};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Role;
use crate::service::App;
use crate::service::danger::DangerView;
use crate::service::transmissions::{NewTransmission, TransmissionView, TransmittedTo};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The numbers alone, from anywhere.
#[derive(Template)]
#[template(path = "danger_anywhere.html")]
struct DangerAnywherePage {
    shell: Shell,
    danger: DangerView,
}

/// The numbers, then the mention, from a pathway.
#[derive(Template)]
#[template(path = "danger.html")]
struct DangerPage {
    shell: Shell,
    frame: Frame,
    danger: DangerView,
    /// Nothing for who does not write in this pathway.
    mentions: Option<Vec<TransmissionView>>,
    entered: Entered,
}

impl DangerPage {
    /// Whether « Ouvrir en urgence » leads anywhere for this role; what is behind the door is decided behind it.
    fn may_open(&self) -> bool {
        let receives = match self.frame.view.me.role {
            Role::Referent | Role::Participant => true,
            Role::ContributorOnly | Role::StayOrganiser => false,
        };
        receives && self.frame.view.closed_at.is_none()
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(Method::Get, "/danger", (Action::Read, ResourceKind::Charter), anywhere),
        super::row(Method::Get, "/parcours/{pathway}/danger", (Action::Read, ResourceKind::Charter), danger),
        super::row(
            Method::Post,
            "/parcours/{pathway}/danger",
            (Action::Create, ResourceKind::Transmission),
            mention,
        ),
    ]
}

fn anywhere(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let danger = app.danger(incoming.call()?)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::None, "Danger")?;
    Answer::page(&DangerAnywherePage { shell, danger })
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Danger")?;
    let danger = app.danger(call)?.into_inner();
    let mentions = match frame.view.me.role {
        Role::Referent | Role::Participant | Role::ContributorOnly => {
            Some(app.transmissions_list(call, &pathway_of(incoming)?)?.into_inner().items)
        }
        Role::StayOrganiser => None,
    };
    Answer::page_with(status, &DangerPage { shell, frame, danger, mentions, entered })
}

fn danger(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn mention(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let new: NewTransmission = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.transmission_note(incoming.call()?, &pathway, &new)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}/danger?fait=note", pathway.as_str()))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

#[cfg(test)]
fn sample_numbers() -> DangerView {
    use crate::service::danger::DangerNumber;
    DangerView {
        numbers: vec![
            DangerNumber { who: "SAMU (urgence médicale)".to_owned(), number: "15".to_owned() },
            DangerNumber { who: "Allô enfance en danger".to_owned(), number: "119".to_owned() },
        ],
        department: Some("Val-d'Orme".to_owned()),
        sentence: "Relais ne transmet rien à votre place.".to_owned(),
    }
}

impl Page for DangerAnywherePage {
    #[cfg(test)]
    const NAME: &'static str = "danger_anywhere";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let shell = super::shell::sample::signed_in(Room::None, "Danger");
        vec![("numbers", Self { shell, danger: sample_numbers() })]
    }
}

impl Page for DangerPage {
    #[cfg(test)]
    const NAME: &'static str = "danger";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::{frame, frame_as};
        let mention = TransmissionView {
            id: crate::ids::TransmissionId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            by: "Nadia Benali".to_owned(),
            on: crate::domain::day::Day::parse("2027-03-12").unwrap(),
            to: TransmittedTo::Crip,
        };
        let page = |(shell, frame), mentions| Self {
            shell,
            frame,
            danger: sample_numbers(),
            mentions,
            entered: Entered::nothing(),
        };
        vec![
            ("empty", page(frame(Part::Other, "Danger"), Some(Vec::new()))),
            ("mentioned", page(frame(Part::Other, "Danger"), Some(vec![mention]))),
            ("stay_organiser", page(frame_as(Role::StayOrganiser, Part::Other, "Danger"), None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_danger() {
        crate::web::pages::snapshots::check::<super::DangerAnywherePage>();
        crate::web::pages::snapshots::check::<super::DangerPage>();
    }
}
