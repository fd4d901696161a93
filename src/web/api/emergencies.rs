//! Emergency access (S13) and its review.

use super::rows::{get, post};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::{EmergencyId, PathwayId};
use crate::service::emergencies::{EmergencyInput, EmergencyList, EmergencyView};
use crate::service::{App, EmergencyCases, EmergencyReviewInput};
use crate::web::route::{Answer, Fault, Incoming, Route, described};

const ON: &str = "/api/v1/pathways/{pathway}/emergencies";
const ONE: &str = "/api/v1/emergencies/{emergency}";

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let did = |action| (action, ResourceKind::Emergency);
    vec![
        post(
            ON,
            did(Action::Create),
            "Open identity and minimal health for a day at most, with a motive (S13)",
            Some(described::<EmergencyInput>("EmergencyInput")),
            open,
        ),
        get(
            ON,
            did(Action::List),
            "Openings in an emergency: one's own, and those that the référent may know of",
            described::<EmergencyList>("EmergencyList"),
            list,
        ),
        get(
            ONE,
            did(Action::Read),
            "What one's own opening shows, while it is open: identity and minimal health, without author",
            described::<EmergencyView>("EmergencyView"),
            read,
        ),
        post("/api/v1/emergencies/{emergency}/closing", did(Action::End), "End one's own opening", None, end),
        post(
            "/api/v1/emergencies/{emergency}/telling",
            did(Action::Update),
            "Note that the young person and the family know (author, référent)",
            None,
            told,
        ),
        Route {
            query: &["cursor"],
            ..get(
                "/api/v1/emergencies",
                did(Action::List),
                "Openings to review: motives, no item, no name (data protection officer)",
                described::<EmergencyCases>("EmergencyCases"),
                cases,
            )
        },
        post(
            "/api/v1/emergencies/{emergency}/review",
            did(Action::Confirm),
            "Review an opening: outcome, and whether the family is to be told (data protection officer)",
            Some(described::<EmergencyReviewInput>("EmergencyReviewInput")),
            review,
        ),
    ]
}

fn emergency_of(incoming: &Incoming) -> Result<EmergencyId, Fault> {
    incoming.id("emergency", EmergencyId::parse)
}

fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let input: EmergencyInput = incoming.json()?;
    Ok(Answer::created(app.emergency_open(incoming.call()?, &pathway, &input)?))
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    Answer::disclosed(&app.emergencies_on(incoming.call()?, &pathway)?)
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.emergency_read(incoming.call()?, &emergency_of(incoming)?)?)
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::created(app.emergency_end(incoming.call()?, &emergency_of(incoming)?)?))
}

fn told(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::created(app.emergency_told(incoming.call()?, &emergency_of(incoming)?)?))
}

fn cases(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(
        &app.emergency_cases(incoming.call()?, incoming.query.get("cursor").map(String::as_str))?,
    )
}

fn review(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = emergency_of(incoming)?;
    let input: EmergencyReviewInput = incoming.json()?;
    Ok(Answer::created(app.emergency_review(incoming.call()?, &id, &input)?))
}
