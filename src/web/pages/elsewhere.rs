//! A form that was opened under another affectation, or a text that was written under another: nothing is sent, nothing
//! is lost, and here is how to go back to that affectation.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::{Room, Shell};
use crate::service::App;
use crate::web::route::{Answer, Fault, Incoming};

/// What was opened under another affectation.
pub enum Opened {
    /// A form that was sent; until when what it said is kept, if it is.
    Sent(Option<String>),
    /// A text that was kept.
    Text,
}

/// The page.
#[derive(Template)]
#[template(path = "elsewhere.html")]
struct ElsewherePage {
    shell: Shell,
    opened: Opened,
}

/// Shows it.
///
/// # Errors
/// Without a session, or as the database.
pub fn show(app: &App, incoming: &Incoming, opened: Opened) -> Result<Answer, Fault> {
    let shell = Shell::signed_in(app, incoming, Room::None, "Une autre affectation")?;
    Answer::page_with(409, &ElsewherePage { shell, opened })
}

impl Page for ElsewherePage {
    #[cfg(test)]
    const NAME: &'static str = "elsewhere";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |opened| Self {
            shell: super::shell::sample::signed_in(Room::None, "Une autre affectation"),
            opened,
        };
        vec![
            ("kept", page(Opened::Sent(Some("15 mars 2027 à 14 h 05".to_owned())))),
            ("not_kept", page(Opened::Sent(None))),
            ("text", page(Opened::Text)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_another_affectation() {
        crate::web::pages::snapshots::check::<super::ElsewherePage>();
    }
}
