//! « Accès à examiner »: the auditor's queue, and what an auditor finds on looking at one access.

use askama::Template;

use super::{of_pathway, of_person};
use crate::domain::record::{Action, ResourceKind, ReviewKind, ReviewOutcome};
use crate::service::{Act, App, ReviewInput, ReviewLine, ReviewSearch};
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::words;
use crate::web::pages::{Page, record_index};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The queue of one kind.
#[derive(Template)]
#[template(path = "audit_reviews.html")]
struct ReviewsPage {
    shell: Shell,
    /// Address and words of each kind, and whether it is this one.
    kinds: Vec<(String, &'static str, bool)>,
    all: bool,
    /// The same kind with, or without, what has been looked at.
    other: String,
    items: Vec<ReviewLine>,
    next: Option<String>,
}

fn address(kind: ReviewKind, all: bool) -> String {
    format!("/controle/examens?kind={}{}", kind.code(), if all { "&all=true" } else { "" })
}

impl ReviewsPage {
    fn of(shell: Shell, kind: ReviewKind, all: bool, items: Vec<ReviewLine>, next: Option<&str>) -> Self {
        Self {
            shell,
            kinds: ReviewKind::ALL.iter().map(|k| (address(*k, all), k.french(), *k == kind)).collect(),
            all,
            other: address(kind, !all),
            items,
            next: next.map(|cursor| format!("{}&cursor={}", address(kind, all), words::encoded(cursor))),
        }
    }
}

/// One access.
#[derive(Template)]
#[template(path = "audit_review.html")]
struct ReviewPage {
    shell: Shell,
    index: u64,
    sentence: String,
    person: Option<String>,
    pathway: Option<String>,
    entered: Entered,
}

/// The rows; before those of a record, whose address has a number in the same place.
#[must_use]
pub fn routes() -> Vec<Route> {
    const ONE: &str = "/controle/{index}/examen";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, "/controle/examens", (Action::Search, ResourceKind::AccessReview), queue)
            .asking(&["kind", "all", "cursor", "fait"]),
        row(Method::Get, ONE, (Action::Read, ResourceKind::AuditLog), one),
        row(Method::Post, ONE, (Action::Create, ResourceKind::AccessReview), review),
    ]
}

fn queue(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let search = ReviewSearch {
        kind: incoming.query("kind", ReviewKind::parse)?.unwrap_or(ReviewKind::Emergency),
        all: incoming.query.get("all").is_some_and(|v| v == "true"),
        cursor: incoming.query.get("cursor").cloned(),
    };
    let page = app.audit_reviews(incoming.call()?, incoming.act, &search)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Accès à examiner")?;
    Answer::page(&ReviewsPage::of(shell, search.kind, search.all, page.items, page.next.as_deref()))
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let act = Act { action: Action::Read, resource: ResourceKind::AuditLog };
    let line = app.audit_record(incoming.call()?, act, record_index(incoming)?)?.into_inner().line;
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Examiner un accès")?;
    Answer::page_with(
        status,
        &ReviewPage {
            shell,
            index: line.index,
            sentence: line.sentence,
            person: of_person(line.actor.as_ref()),
            pathway: of_pathway(line.pathway.as_ref()),
            entered,
        },
    )
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn review(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: ReviewInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.audit_review(incoming.call()?, incoming.act, record_index(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/controle/examens?fait=examine")),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for ReviewsPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_reviews";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let line = |outcome: Option<ReviewOutcome>| ReviewLine {
            record: super::samples::line(crate::domain::record::Verdict::Permit),
            outcome,
            looked_at: outcome.map(|_| "2027-03-13T09:00:00Z".to_owned()),
            remark: outcome.map(|_| "Le motif tient.".to_owned()),
        };
        let page = |kind, all, items, next| {
            let shell = crate::web::pages::shell::sample::signed_in(Room::Audit, "Accès à examiner");
            Self::of(shell, kind, all, items, next)
        };
        vec![
            ("nothing", page(ReviewKind::Emergency, false, vec![], None)),
            ("waiting", page(ReviewKind::OutOfHours, false, vec![line(None)], Some("suite"))),
            ("all", page(ReviewKind::Statute, true, vec![line(Some(ReviewOutcome::Regular))], None)),
        ]
    }
}

impl Page for ReviewPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_review";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let line = super::samples::line(crate::domain::record::Verdict::Permit);
        vec![(
            "one",
            Self {
                shell: crate::web::pages::shell::sample::signed_in(Room::Audit, "Examiner un accès"),
                index: line.index,
                sentence: line.sentence,
                person: of_person(line.actor.as_ref()),
                pathway: of_pathway(line.pathway.as_ref()),
                entered: Entered::nothing(),
            },
        )]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_reviews() {
        crate::web::pages::snapshots::check::<super::ReviewsPage>();
        crate::web::pages::snapshots::check::<super::ReviewPage>();
    }
}
