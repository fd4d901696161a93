//! *Aujourd'hui*: the first page.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::{Room, Shell};
use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::service::pathways::PathwayList;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The first page.
#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    shell: Shell,
    pathways: PathwayList,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![super::row(Method::Get, "/", (Action::List, ResourceKind::Pathway), today).asking(&["fait"])]
}

fn today(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathways = app.pathways(incoming.call()?, None)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Today, "Aujourd'hui")?;
    Answer::page(&TodayPage { shell, pathways })
}

impl Page for TodayPage {
    #[cfg(test)]
    const NAME: &'static str = "today";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let shell = super::shell::sample::signed_in(Room::Today, "Aujourd'hui");
        vec![("empty", Self { shell, pathways: PathwayList { items: Vec::new(), next: None } })]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_today() {
        crate::web::pages::snapshots::check::<super::TodayPage>();
    }
}
