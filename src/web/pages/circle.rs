//! The circle: who takes part, in which frame, bound to secrecy or not, whom each reports to; ending a place; naming
//! another référent with what the young person said about it.
//!
//! INVARIANT: it lists what the service lists; whoever may not know of a place learns of it from nothing here (S11).

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::replacements::Replacement;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Capacity, Role};
use crate::ids::ParticipationId;
use crate::service::circle::PlaceView;
use crate::service::pathways::ReferentInput;
use crate::service::people::PreferenceView;
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The circle.
#[derive(Template)]
#[template(path = "circle.html")]
struct CirclePage {
    shell: Shell,
    frame: Frame,
    places: Vec<PlaceView>,
    /// Successors and stand-ins of whom the reader is told, the latest first.
    replacements: Vec<Replacement>,
    may_invite: bool,
    is_referent: bool,
}

/// Ending one place.
#[derive(Template)]
#[template(path = "place_end.html")]
struct EndPage {
    shell: Shell,
    frame: Frame,
    place: PlaceView,
    entered: Entered,
}

/// Naming another référent.
#[derive(Template)]
#[template(path = "referent.html")]
struct ReferentPage {
    shell: Shell,
    frame: Frame,
    candidates: Vec<PlaceView>,
    said: Vec<PreferenceView>,
    entered: Entered,
}

impl CirclePage {
    /// Whether the reader may end this place.
    fn may_end(&self, place: &PlaceView) -> bool {
        place.role != Role::Referent && (place.me || place.pending || self.is_referent)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let on = |action| (action, ResourceKind::Participation);
    vec![
        super::row(Method::Get, "/parcours/{pathway}/cercle", (Action::List, ResourceKind::Circle), circle),
        super::row(Method::Get, "/parcours/{pathway}/cercle/referent", on(Action::Update), referent_page),
        super::row(Method::Post, "/parcours/{pathway}/cercle/referent", on(Action::Update), referent),
        super::row(Method::Get, "/parcours/{pathway}/cercle/{place}/fin", on(Action::End), end_page),
        super::row(Method::Post, "/parcours/{pathway}/cercle/{place}/fin", on(Action::End), end),
    ]
}

fn circle(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (call, pathway) = (incoming.call()?, pathway_of(incoming)?);
    let places = app.circle(call, &pathway)?.into_inner().items;
    let told = app.successions_list(call, &pathway)?.into_inner().items;
    let replacements = told.iter().rev().map(Replacement::of).collect();
    let (shell, frame) = Frame::read(app, incoming, Part::Circle, "Cercle")?;
    let open = frame.view.closed_at.is_none();
    let role = frame.view.me.role;
    let may_invite = open && !frame.nickname_only() && matches!(role, Role::Referent | Role::Participant);
    let is_referent = open && role == Role::Referent;
    Answer::page(&CirclePage { shell, frame, places, replacements, may_invite, is_referent })
}

fn show_end(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = incoming.id("place", ParticipationId::parse)?;
    let places = app.circle(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let place = places
        .into_iter()
        .find(|p| p.id == id.as_str())
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let (shell, frame) = Frame::read(app, incoming, Part::Circle, "Fin d'une participation")?;
    Answer::page_with(status, &EndPage { shell, frame, place, entered })
}

fn end_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_end(app, incoming, 200, Entered::first(app, incoming)?)
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("place", ParticipationId::parse)?;
    let own = incoming.form.button() == Some("leave");
    match app.participation_end(incoming.call()?, &id).map_err(Fault::from) {
        Ok(_) if own => Ok(Answer::see_other("/parcours?fait=quitte")),
        Ok(_) => {
            Ok(Answer::see_other(format!("/parcours/{}/cercle?fait=fin", pathway_of(incoming)?.as_str())))
        }
        Err(fault) => back(app, incoming, fault, |status, entered| show_end(app, incoming, status, entered)),
    }
}

fn show_referent(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    let said = app.preferences(call, &pathway)?.into_inner().items;
    let places = app.circle(call, &pathway)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Circle, "Nommer un autre référent")?;
    let candidates =
        places.into_iter().filter(|p| p.role == Role::Participant && !p.pending && !p.me).collect();
    Answer::page_with(status, &ReferentPage { shell, frame, candidates, said, entered })
}

fn referent_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let today = app.clock().now().paris_day().to_string();
    let entered = Entered::filled(&[("preference.on", today.as_str())]);
    show_referent(app, incoming, 200, Entered::first_or(app, incoming, entered)?)
}

fn referent(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let input: ReferentInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.referent_name(incoming.call()?, &pathway, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}/cercle?fait=referent", pathway.as_str()))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_referent(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
fn sample_circle() -> Vec<PlaceView> {
    use super::frame::sample::place;
    use crate::domain::vocabulary::{Mandate, Profession, Secrecy};
    let me = place("Nadia Benali", Profession::ReferentPre, Role::Referent, true);
    let mut aemo = place("Claire Morel", Profession::Aemo, Role::Participant, false);
    aemo.mandate = Mandate::Judicial;
    aemo.without_accord = true;
    let mut teacher = place("Luc Petit", Profession::Teacher, Role::ContributorOnly, false);
    teacher.secrecy = Secrecy::NotBound;
    teacher.pending = true;
    let mut stand_in = place("Inès Roy", Profession::SpecialisedPrevention, Role::Participant, false);
    stand_in.in_place_of =
        Some(super::frame::sample::who("Karim Haddad", "Les Passerelles", Profession::SpecialisedPrevention));
    stand_in.until = Some("2027-03-28".to_owned());
    vec![me, aemo, teacher, stand_in]
}

impl Page for CirclePage {
    #[cfg(test)]
    const NAME: &'static str = "circle";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::{frame, frame_as, without_referent};
        let page = |(shell, frame), places, replacements, is_referent| Self {
            shell,
            frame,
            places,
            replacements,
            may_invite: is_referent,
            is_referent,
        };
        let replaced = || {
            let stand_in = super::replacements::sample(Some("2027-03-28"), false);
            let stopped = super::replacements::sample(None, true);
            vec![Replacement::of(&stand_in), Replacement::of(&stopped)]
        };
        let alone = sample_circle().into_iter().take(1).collect();
        let mut left = sample_circle();
        left[0].me = false;
        left[0].exercises = false;
        vec![
            ("four", page(frame(Part::Circle, "Cercle"), sample_circle(), replaced(), true)),
            ("alone", page(frame(Part::Circle, "Cercle"), alone, Vec::new(), true)),
            ("no_referent", page(without_referent(Part::Circle, "Cercle"), left, Vec::new(), false)),
            (
                "contributor",
                page(
                    frame_as(Role::ContributorOnly, Part::Circle, "Cercle"),
                    sample_circle(),
                    Vec::new(),
                    false,
                ),
            ),
        ]
    }
}

impl Page for EndPage {
    #[cfg(test)]
    const NAME: &'static str = "place_end";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |at: usize, me| {
            let (shell, frame) = frame(Part::Circle, "Fin d'une participation");
            let mut place = sample_circle().remove(at);
            place.me = me;
            Self { shell, frame, place, entered: Entered::nothing() }
        };
        vec![("other", page(1, false)), ("own", page(1, true)), ("invited", page(2, false))]
    }
}

impl Page for ReferentPage {
    #[cfg(test)]
    const NAME: &'static str = "referent";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |candidates, said| {
            let (shell, frame) = frame(Part::Circle, "Nommer un autre référent");
            Self { shell, frame, candidates, said, entered: Entered::nothing() }
        };
        let said = PreferenceView {
            said_by: Capacity::YoungPerson,
            on: "2027-01-04".to_owned(),
            wish: crate::domain::text::Paragraph::parse("Je veux bien avec elle.").ok(),
        };
        let candidates = sample_circle().into_iter().filter(|p| p.role == Role::Participant).collect();
        vec![("two", page(candidates, vec![said])), ("nobody", page(Vec::new(), Vec::new()))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_the_circle() {
        crate::web::pages::snapshots::check::<super::CirclePage>();
        crate::web::pages::snapshots::check::<super::EndPage>();
        crate::web::pages::snapshots::check::<super::ReferentPage>();
    }
}
