//! Stopping a succession or a stand-in (S8, S21): for the family, as référent, or as somebody who shares with that
//! place. The page says what stops and what stays before it stops anything.
//!
//! INVARIANT: for whom one may stop it is the service's answer, the same that decides the act.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::SuccessionId;
use crate::service::successions::{StopSuccession, StoppedBy, SuccessionView};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What the circle says of one.
pub struct Replacement {
    pub id: String,
    pub sentence: String,
    pub state: &'static str,
    /// Whether the reader may stop it.
    pub stops: bool,
}

impl Replacement {
    /// In words.
    #[must_use]
    pub fn of(view: &SuccessionView) -> Self {
        let until = view.last_day.map(|d| format!(", jusqu'au {} inclus", d.french())).unwrap_or_default();
        let verb = if view.last_day.is_some() { "remplace" } else { "succède à" };
        let state = match (view.stopped, view.may_stop_for.is_empty(), view.accepted) {
            (true, _, _) => "arrêté",
            (false, true, _) => "terminé",
            (false, false, true) => "en cours",
            (false, false, false) => "pas encore accepté",
        };
        Self {
            id: view.id.as_str().to_owned(),
            sentence: format!("{} {verb} {}{until}.", view.successor, view.predecessor),
            state,
            stops: !view.may_stop_for.is_empty(),
        }
    }
}

/// Stopping one.
#[derive(Template)]
#[template(path = "replacement_end.html")]
struct ReplacementEndPage {
    shell: Shell,
    frame: Frame,
    view: SuccessionView,
    sentence: String,
    entered: Entered,
}

impl ReplacementEndPage {
    /// The words of a choice.
    fn asked(by: &StoppedBy) -> &'static str {
        match by {
            StoppedBy::Family => "Le jeune ou sa famille ne veut pas de cette personne",
            StoppedBy::Referent => "Moi, comme référent",
            StoppedBy::Sharer => "Moi, parce que je partage avec cette place",
        }
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/cercle/remplacements/{succession}";
    let on = |action| (action, ResourceKind::Succession);
    vec![
        super::row(Method::Get, PATH, on(Action::Read), page),
        super::row(Method::Post, PATH, on(Action::End), stop),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = incoming.id("succession", SuccessionId::parse)?;
    let all = app.successions_list(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let view = all.into_iter().find(|s| s.id == id).ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let (shell, frame) = Frame::read(app, incoming, Part::Circle, "Arrêter un remplacement")?;
    let sentence = Replacement::of(&view).sentence;
    Answer::page_with(status, &ReplacementEndPage { shell, frame, view, sentence, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn stop(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let stop: StopSuccession = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        let id = incoming.id("succession", SuccessionId::parse)?;
        app.succession_stop(incoming.call()?, &pathway, &id, &stop)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}/cercle?fait=arrete", pathway.as_str()))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// A stand-in as somebody who shares reads of it.
#[cfg(test)]
pub fn sample(last_day: Option<&str>, stopped: bool) -> SuccessionView {
    use crate::domain::day::Day;
    use crate::ids::ParticipationId;
    SuccessionView {
        id: SuccessionId::parse(&"s".repeat(25).chars().chain(['a']).collect::<String>()).unwrap(),
        predecessor: "Karim Haddad (Les Passerelles)".to_owned(),
        successor: "Inès Roy (Les Passerelles)".to_owned(),
        participation: ParticipationId::parse(&"a".repeat(26)).unwrap(),
        from: None,
        last_day: last_day.map(|d| Day::parse(d).unwrap()),
        accepted: true,
        stopped,
        may_stop_for: if stopped { Vec::new() } else { StoppedBy::ALL.to_vec() },
    }
}

impl Page for ReplacementEndPage {
    #[cfg(test)]
    const NAME: &'static str = "replacement_end";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |view: SuccessionView, entered| {
            let (shell, frame) = frame(Part::Circle, "Arrêter un remplacement");
            let sentence = Replacement::of(&view).sentence;
            Self { shell, frame, view, sentence, entered }
        };
        let missing =
            crate::domain::text::FieldErrors::one("asked_by", crate::domain::text::EntryError::Missing);
        let refused = Entered::refused(&crate::web::form::Form::default(), &ServiceError::Invalid(missing));
        vec![
            ("stand_in", page(sample(Some("2027-03-28"), false), Entered::nothing())),
            ("successor", page(sample(None, false), Entered::nothing())),
            ("over", page(sample(Some("2027-03-28"), true), Entered::nothing())),
            ("refused", page(sample(Some("2027-03-28"), false), refused)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_replacements() {
        crate::web::pages::snapshots::check::<super::ReplacementEndPage>();
    }
}
