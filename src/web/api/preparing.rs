//! Before an accord: to whom, and what the sheet would say; and what an office sees.

use super::rows::{get, post};
use crate::domain::record::{Action as A, ResourceKind as R};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::Purpose;
use crate::ids::PathwayId;
use crate::service::addressees::Addressees;
use crate::service::office::OfficeView;
use crate::service::{AccordInput, App, NoticeView, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/api/v1/addressees",
            (A::List, R::Organisation),
            "The services that may receive something for a purpose, and what the charter asks for each subject",
            described::<Addressees>("Addressees"),
            addressees,
        )
        .asking(&["purpose"]),
        Route {
            answer: Some(described::<NoticeView>("NoticeView")),
            ..post(
                "/api/v1/pathways/{pathway}/accords/preview",
                (A::Read, R::Accord),
                "The notice as it would be, and who would sign; nothing is kept",
                Some(described::<AccordInput>("AccordInput")),
                preview,
            )
        },
        Route {
            query: &["closed", "cursor"],
            ..get(
                "/api/v1/office",
                (A::List, R::Participation),
                "Places and accords of one's own structure, for its manager and its secretary: on open pathways, or on closed ones",
                described::<OfficeView>("OfficeView"),
                office,
            )
        },
    ]
}

fn addressees(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let purpose = incoming.query("purpose", Purpose::parse)?.ok_or_else(|| {
        Fault::Syntax(ServiceError::Invalid(FieldErrors::one("purpose", EntryError::Missing)))
    })?;
    Answer::disclosed(&app.addressees(incoming.call()?, purpose)?)
}

fn preview(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: AccordInput = incoming.json()?;
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    Answer::disclosed(&app.accord_preview(incoming.call()?, &pathway, &input)?)
}

fn office(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    if incoming.query("closed", str::parse)?.unwrap_or(false) {
        return Answer::disclosed(
            &app.office_closed(call, incoming.query.get("cursor").map(String::as_str))?,
        );
    }
    Answer::disclosed(&app.office(call)?)
}
