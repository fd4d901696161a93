//! French pages, complete without JavaScript: `GET` shows, `POST` does and answers 303.
//!
//! INVARIANTS
//! * A page shows views that a service disclosed, after their record; what stands in the head line is one's own name.
//! * A form carries the affectation that it was shown for and a key, so that pressing twice does once.
//! * Nothing is written into a page that a browser would run or style: the content policy forbids it.
//! * A page without samples does not compile in tests (`Page::samples`); each sample has its snapshot, and each snapshot
//!   its sample (`snapshots`).
//!
//! It decides nothing: what a page says of a decision comes from the service that decides the read.

mod accords;
mod account;
mod actions;
mod assets;
mod audit;
mod charter;
mod chronology;
mod circle;
mod confirm;
mod consultations;
mod course;
mod danger;
mod deferrals;
mod door;
pub(super) mod elsewhere;
mod emergency;
mod entered;
mod family_sheet;
mod frame;
mod handovers;
mod help;
mod icon;
mod information;
mod invitation;
mod invite;
mod kept;
mod looked;
mod manager;
mod notes;
mod office;
mod opening;
mod own_acts;
mod pathways;
mod protection;
mod qr;
mod replacements;
mod sharing;
mod shell;
#[cfg(test)]
mod snapshots;
mod spacing;
mod stay;
mod structures;
mod today;
mod told;
mod turning;
mod withdrawal;
pub mod words;
mod write;

use askama::Template;

use super::problem::Problem;
use super::route::{Answer, Door, Fault, Incoming, Method, Route};
use crate::domain::record::{Action, ResourceKind};
use crate::service::{App, ServiceError};

/// A page: a compiled template with samples of it.
pub trait Page: Template {
    /// The template's file name without its end.
    #[cfg(test)]
    const NAME: &'static str;

    /// What it may have to show, by the name of its snapshot: the ordinary, the empty, the refused.
    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)>
    where
        Self: Sized;

    /// What is sent: the template, its summary naming the fields, with the spaces of French.
    ///
    /// # Errors
    /// When it does not render, which is a bug.
    fn html(&self) -> askama::Result<String> {
        self.render().map(told::named).map(|html| spacing::french(&html))
    }
}

/// A row of the table: a page behind a session.
fn row(
    method: Method,
    path: &'static str,
    did: (Action, ResourceKind),
    handle: fn(&App, &Incoming) -> Result<Answer, Fault>,
) -> Route {
    Route {
        method,
        path,
        door: Door::Session,
        action: did.0,
        resource: did.1,
        summary: "Page",
        query: &["fait"],
        body: None,
        answer: None,
        handle,
    }
}

/// The index of a record; one that does not read is answered like an absent one.
fn record_index(incoming: &Incoming) -> Result<u64, Fault> {
    incoming
        .path
        .get("index")
        .and_then(|text| text.parse().ok())
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

/// A receipt, as a file to take away.
fn receipt_file(index: u64, receipt: String) -> Answer {
    Answer::File {
        media: "text/plain; charset=utf-8",
        name: format!("trace-{index}.proof"),
        body: receipt.into_bytes(),
    }
}

/// The rows of all pages.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        assets::routes(),
        door::routes(),
        today::routes(),
        pathways::routes(),
        information::routes(),
        write::routes(),
        circle::routes(),
        replacements::routes(),
        invite::routes(),
        chronology::routes(),
        actions::routes(),
        notes::routes(),
        course::routes(),
        danger::routes(),
        emergency::routes(),
        opening::routes(),
        account::routes(),
        own_acts::routes(),
        charter::routes(),
        structures::routes(),
        help::routes(),
        sharing::routes(),
        stay::routes(),
        protection::routes(),
        accords::routes(),
        withdrawal::routes(),
        invitation::routes(),
        handovers::routes(),
        manager::routes(),
        office::routes(),
        family_sheet::routes(),
        audit::routes(),
        consultations::routes(),
        looked::routes(),
        deferrals::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Rows that exist under `relais demo` only.
#[must_use]
pub fn demonstration_routes() -> Vec<Route> {
    door::demonstration_routes()
}

/// The address of the sign-in page that comes back to `address` afterwards.
#[must_use]
pub fn sign_in_for(address: &str) -> String {
    if address.is_empty() || address == "/" {
        "/connexion".to_owned()
    } else {
        format!("/connexion?suite={}", words::encoded(address))
    }
}

/// A problem, for people: what happened, what to do. The same bytes for what is refused and what is absent.
#[must_use]
pub fn problem(problem: &Problem) -> String {
    shell::Trouble { problem, assets: assets::base() }
        .html()
        .unwrap_or_else(|_| format!("{} : {}", problem.title, problem.detail))
}
