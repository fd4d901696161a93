//! « Aussi pour ses frères et sœurs » : one accord for each child, met around one table, each under its own pathway.
//!
//! What is listed is the collector's own list of pathways; who is whose brother or sister is the collector's to know.

use askama::Template;

use super::Choice;
use crate::domain::vocabulary::Role;
use crate::ids::PathwayId;
use crate::service::siblings::{SiblingsInput, SiblingsLine};
use crate::service::{AccordInput, App, ServiceError};
use crate::web::form::Form;
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming};

/// What became of one child.
struct Made {
    name: String,
    /// The address of the accord.
    href: Option<String>,
    /// Why there is none.
    why: String,
}

/// One accord for each child.
#[derive(Template)]
#[template(path = "accord_siblings.html")]
struct SiblingsPage {
    shell: Shell,
    frame: Frame,
    made: Vec<Made>,
}

/// The other pathways for which one may collect.
pub(super) fn others(app: &App, incoming: &Incoming) -> Result<Vec<Choice>, Fault> {
    let here = pathway_of(incoming)?;
    let mine = app.pathways(incoming.call()?, None)?.into_inner().items;
    Ok(mine
        .into_iter()
        .filter(|p| p.id != here.as_str() && matches!(p.role, Role::Referent | Role::Participant))
        .map(|p| Choice::new(p.id, p.name))
        .collect())
}

/// Whether the form asks for more than one child.
pub(super) fn asked(form: &Form) -> bool {
    form.one("siblings[]").is_some()
}

/// Makes the accord for each, and tells of each what became of it.
pub(super) fn create(app: &App, incoming: &Incoming, input: AccordInput) -> Result<Answer, Fault> {
    if input.lines.iter().any(|l| !l.shows.is_empty()) {
        return Err(Fault::Service(ServiceError::rule(
            "words_are_of_one_child",
            "Les mots exacts sont ceux d'un seul enfant : préparez cet accord sans ses frères et sœurs, ou sans mots exacts.",
        )));
    }
    let here = pathway_of(incoming)?;
    let names = others(app, incoming)?;
    let absent = |_| Fault::Syntax(ServiceError::AbsentOrRefused);
    let mut pathways = vec![here.clone()];
    for id in incoming.form.all("siblings[]") {
        pathways.push(PathwayId::parse(id).map_err(absent)?);
    }
    let asked = SiblingsInput {
        pathways,
        purpose: input.purpose,
        starts: input.starts,
        ends: input.ends,
        language: input.language,
        interpreter: input.interpreter,
        lines: input
            .lines
            .into_iter()
            .map(|l| SiblingsLine {
                recipient: l.recipient,
                kind: l.kind,
                only_assignment: l.only_assignment,
                categories: l.categories,
                names_services: l.names_services,
            })
            .collect(),
    }
    .checked()?;
    let answers = app.accord_create_siblings(incoming.call()?, incoming.act, &asked)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Accords de la fratrie")?;
    let name_of = |id: &PathwayId| {
        let other = names.iter().find(|c| c.code() == id.as_str());
        other.map_or_else(|| frame.view.name.clone(), |c| c.french().to_owned())
    };
    let made = answers
        .into_iter()
        .map(|(pathway, answer)| Made {
            name: name_of(&pathway),
            href: answer.as_ref().ok().map(|made| format!("/parcours/{pathway}/accords/{}", made.id)),
            why: match answer {
                Ok(_) => String::new(),
                Err(ServiceError::Rule { message, .. }) => message,
                Err(_) => "Cet accord n'a pas pu être préparé ici.".to_owned(),
            },
        })
        .collect();
    Answer::page(&SiblingsPage { shell, frame, made })
}

impl Page for SiblingsPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_siblings";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let (shell, frame) = crate::web::pages::frame::sample::frame(Part::Accords, "Accords de la fratrie");
        let made = |name: &str, href: Option<&str>| Made {
            name: name.to_owned(),
            href: href.map(ToOwned::to_owned),
            why: if href.is_some() { String::new() } else { "Ce parcours est clos.".to_owned() },
        };
        vec![(
            "one_refused",
            Self {
                shell,
                frame,
                made: vec![made("Léa Martin", Some("/parcours/pathway/accords/a")), made("Tom Martin", None)],
            },
        )]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_siblings() {
        crate::web::pages::snapshots::check::<super::SiblingsPage>();
    }
}
