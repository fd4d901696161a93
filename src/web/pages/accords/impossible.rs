//! « Impossible à joindre » (LAW §5): asking a manager to decide that a holder is not asked. Once for a holder, not for an
//! accord, six months at most.

use askama::Template;

use super::{Choice, Family, holder_name};
use crate::domain::record::{Action, ResourceKind};
use crate::service::{Act, App, ServiceError};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The request.
#[derive(Template)]
#[template(path = "impossible.html")]
struct ImpossiblePage {
    shell: Shell,
    frame: Frame,
    entered: Entered,
    holders: Vec<Choice>,
    motives: Vec<Choice>,
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/impossible-a-joindre";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, PATH, (Action::Read, ResourceKind::Impossibility), page),
        row(Method::Post, PATH, (Action::Create, ResourceKind::Impossibility), ask),
    ]
}

fn motives() -> Vec<Choice> {
    [
        ("no_answer", "Sans réponse, après deux tentatives à deux jours différents"),
        ("deceased", "Décédé"),
        ("unknown", "Inconnu"),
        ("authority_withdrawn", "Autorité parentale retirée ou suspendue par un juge"),
        ("contact_would_endanger", "Le contacter mettrait l'enfant ou l'autre parent en danger"),
    ]
    .into_iter()
    .map(|(code, french)| Choice::new(code, french))
    .collect()
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Impossible à joindre")?;
    let family = Family::read(app, incoming, true)?;
    let holders = family.holders().iter().filter(|h| h.can_sign);
    let holders = holders.map(|h| Choice::new(h.id.clone(), holder_name(h))).collect();
    Answer::page_with(status, &ImpossiblePage { shell, frame, entered, holders, motives: motives() })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let form = &incoming.form;
        let form = if form.one("motive.motive") == Some("no_answer") {
            form.clone()
        } else {
            form.without(&["motive.first_attempt", "motive.second_attempt"])
        };
        let input = form.read().map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
        let act = Act { action: Action::Create, resource: ResourceKind::Impossibility };
        app.impossibility_request(incoming.call()?, act, &pathway, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/accords?fait=demande"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for ImpossiblePage {
    #[cfg(test)]
    const NAME: &'static str = "impossible";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered| {
            let (shell, frame) =
                crate::web::pages::frame::sample::frame(Part::Accords, "Impossible à joindre");
            let holders = vec![Choice::new("d", "Karim Martin (père)")];
            Self { shell, frame, entered, holders, motives: motives() }
        };
        let rule = ServiceError::rule("attempts", "« Sans réponse » demande deux tentatives.");
        let form = crate::web::form::Form::of(&[("holder", "d"), ("motive.motive", "no_answer")]);
        vec![("empty", page(Entered::nothing())), ("refused", page(Entered::refused(&form, &rule)))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_impossibility() {
        crate::web::pages::snapshots::check::<super::ImpossiblePage>();
    }
}
