//! « Mes actes »: what one did oneself, as the log has it, with a receipt of each.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::service::{App, OwnActs};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One's own acts, latest first.
#[derive(Template)]
#[template(path = "own_acts.html")]
struct OwnActsPage {
    shell: Shell,
    acts: OwnActs,
    /// Whether it is a further page.
    further: bool,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(Method::Get, "/compte/traces", (Action::List, ResourceKind::AuditLog), acts)
            .asking(&["suite", "fait"]),
        super::row(
            Method::Get,
            "/compte/traces/{index}/recu",
            (Action::Export, ResourceKind::AuditLog),
            receipt,
        ),
    ]
}

fn acts(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("suite").map(String::as_str);
    let acts = app.own_acts(incoming.call()?, incoming.act, cursor)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Account, "Ce que j'ai fait")?;
    Answer::page(&OwnActsPage { shell, acts, further: cursor.is_some() })
}

fn receipt(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let index = super::record_index(incoming)?;
    let proof = app.own_receipt(incoming.call()?, incoming.act, index)?.into_inner();
    Ok(super::receipt_file(index, proof))
}

impl Page for OwnActsPage {
    #[cfg(test)]
    const NAME: &'static str = "own_acts";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::service::OwnAct;
        let one = |index, action, resource, sentence: &str| OwnAct {
            index,
            at: "2027-03-14T09:05:00Z".to_owned(),
            action,
            resource,
            sentence: sentence.to_owned(),
        };
        let page = |items, next, further| Self {
            shell: super::shell::sample::signed_in(Room::Account, "Ce que j'ai fait"),
            acts: OwnActs { items, next },
            further,
        };
        let next = || Some("c3VpdGU".to_owned());
        let two = vec![
            one(
                41,
                Action::Read,
                ResourceKind::Item,
                "Référente (Ville) a consulté un élément d'information.",
            ),
            one(12, Action::SignIn, ResourceKind::Session, "Référente (Ville) s'est connecté."),
        ];
        vec![
            ("empty", page(Vec::new(), None, false)),
            ("first", page(two.clone(), next(), false)),
            ("nothing_yet", page(Vec::new(), next(), true)),
            ("last", page(two, None, true)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_own_acts() {
        crate::web::pages::snapshots::check::<super::OwnActsPage>();
    }
}
