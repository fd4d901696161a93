//! Re-identification (S4): asked by an auditor, confirmed by a second person, read once.

use super::rows::{get, post};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::ReidentificationId;
use crate::service::{
    App, Identity, ReidentificationInput, Reidentifications, SecondOpinionInput, ServiceError,
};
use crate::web::route::{Answer, Fault, Incoming, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let did = |action| (action, ResourceKind::Reidentification);
    vec![
        post(
            "/api/v1/audit/records/{index}/reidentification",
            did(Action::Create),
            "Ask whom a pseudonym of a record stands for, with a motive (auditor)",
            Some(described::<ReidentificationInput>("ReidentificationInput")),
            ask,
        ),
        get(
            "/api/v1/audit/reidentifications",
            did(Action::List),
            "Requests to know an identity: no name of a record (auditor, data protection officer)",
            described::<Reidentifications>("Reidentifications"),
            list,
        ),
        post(
            "/api/v1/audit/reidentifications/{reidentification}/decision",
            did(Action::Confirm),
            "Confirm or refuse, as the second person (data protection officer, another auditor)",
            Some(described::<SecondOpinionInput>("SecondOpinionInput")),
            decide,
        ),
        Route {
            answer: Some(described::<Identity>("Identity")),
            ..post(
                "/api/v1/audit/reidentifications/{reidentification}/reading",
                did(Action::Read),
                "Read the answer, once, within seven days of the confirmation (the auditor who asked)",
                None,
                read,
            )
        },
    ]
}

fn id(incoming: &Incoming) -> Result<ReidentificationId, Fault> {
    incoming.id("reidentification", ReidentificationId::parse)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    // An index that does not read is answered like an absent one.
    let index = incoming.path.get("index").and_then(|text| text.parse().ok());
    let index = index.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let input: ReidentificationInput = incoming.json()?;
    Ok(Answer::created(app.reidentification_ask(call, incoming.act, index, &input)?))
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.reidentifications(incoming.call()?, incoming.act)?)
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = id(incoming)?;
    let input: SecondOpinionInput = incoming.json()?;
    Ok(Answer::created(app.reidentification_decide(incoming.call()?, &id, &input)?))
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.reidentification_read(incoming.call()?, incoming.act, &id(incoming)?)?)
}
