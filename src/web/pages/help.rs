//! Help in two pages: what Relais is and will never do; what the law says. With the words of the territory's charter.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::{Room, Shell};
use crate::charter::sheet::Term;
use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What Relais is.
#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    shell: Shell,
    glossary: Vec<Term>,
}

/// What the law says.
#[derive(Template)]
#[template(path = "help_law.html")]
struct LawPage {
    shell: Shell,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let charter = (Action::Read, ResourceKind::Charter);
    vec![super::row(Method::Get, "/aide", charter, help), super::row(Method::Get, "/aide/loi", charter, law)]
}

fn help(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let reading = app.charter_reading(incoming.call()?)?.into_inner();
    let glossary = reading.in_force.map_or_else(Vec::new, |e| e.sheet.glossary);
    let shell = Shell::signed_in(app, incoming, Room::Help, "Aide")?;
    Answer::page(&HelpPage { shell, glossary })
}

fn law(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    // Every page rests on a recorded read; this one says what the charter is founded on.
    drop(app.charter(incoming.call()?)?);
    let shell = Shell::signed_in(app, incoming, Room::Help, "Ce que dit la loi")?;
    Answer::page(&LawPage { shell })
}

impl Page for HelpPage {
    #[cfg(test)]
    const NAME: &'static str = "help";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |glossary| Self { shell: super::shell::sample::signed_in(Room::Help, "Aide"), glossary };
        let term = Term {
            term: "passage de relais".to_owned(),
            definition: "Le moment où un professionnel confie la suite à un autre.".to_owned(),
        };
        vec![("with_words", page(vec![term])), ("without_charter", page(Vec::new()))]
    }
}

impl Page for LawPage {
    #[cfg(test)]
    const NAME: &'static str = "help_law";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        vec![("always", Self { shell: super::shell::sample::signed_in(Room::Help, "Ce que dit la loi") })]
    }
}

#[cfg(test)]
mod tests {
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_help() {
        snapshots::check::<super::HelpPage>();
        snapshots::check::<super::LawPage>();
    }
}
