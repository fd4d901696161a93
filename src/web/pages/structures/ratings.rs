//! How often services had to start again after a handover (S2), for who steers the territory: months, kinds of
//! structures, numbers of five and more. No person, no structure, no pathway.

use askama::Template;

use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::StartedAgain;
use crate::service::App;
use crate::service::ratings::RatingLine;
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::{Page, row, words};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The table.
#[derive(Template)]
#[template(path = "ratings.html")]
struct RatingsPage {
    shell: Shell,
    lines: Vec<RatingLine>,
}

impl RatingsPage {
    /// A number, or that it is too small to be shown.
    fn number(count: Option<i64>) -> String {
        count.map_or_else(|| "moins de 5".to_owned(), |n| n.to_string())
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![row(Method::Get, "/structures/passages-de-relais", (Action::List, ResourceKind::Handover), page)]
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let mut lines = app.handover_ratings(incoming.call()?)?.into_inner().items;
    lines.reverse();
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Passages de relais")?;
    Answer::page(&RatingsPage { shell, lines })
}

impl Page for RatingsPage {
    #[cfg(test)]
    const NAME: &'static str = "ratings";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::vocabulary::OrganisationKind;
        let page = |lines| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Administration, "Passages de relais"),
            lines,
        };
        let line = RatingLine {
            month: "2027-03".to_owned(),
            kind: OrganisationKind::Association,
            not_at_all: Some(12),
            partly: None,
            from_scratch: Some(5),
        };
        vec![("nothing", page(Vec::new())), ("one_month", page(vec![line]))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_ratings() {
        crate::web::pages::snapshots::check::<super::RatingsPage>();
    }
}
