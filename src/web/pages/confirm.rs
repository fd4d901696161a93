//! « Voici ce qui va se passer »: the page before an act that widens or destroys, with its own button and a way back.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::Shell;

/// What will happen, and the two ways on.
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    pub shell: Shell,
    pub title: String,
    /// What will happen, sentence by sentence.
    pub effects: Vec<String>,
    /// Where the form goes.
    pub action: String,
    pub button: &'static str,
    /// Whether it takes something away.
    pub stops: bool,
    /// Where « Annuler » leads.
    pub back: String,
}

impl Page for ConfirmPage {
    #[cfg(test)]
    const NAME: &'static str = "confirm";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::shell::{Room, sample};
        let page = |stops| Self {
            shell: sample::signed_in(Room::Administration, "Terminer une affectation"),
            title: "Terminer l'affectation de Nadia Benali ?".to_owned(),
            effects: vec!["Ses sessions se ferment tout de suite.".to_owned()],
            action: "/structures".to_owned(),
            button: "Terminer",
            stops,
            back: "/structures".to_owned(),
        };
        vec![("stops", page(true)), ("widens", page(false))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_confirmation() {
        crate::web::pages::snapshots::check::<super::ConfirmPage>();
    }
}
