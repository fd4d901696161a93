//! Pruning of the log: asked by one person, confirmed or refused by another, done by the service.

use super::rows::{get, post};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::PruningId;
use crate::service::{App, PruningDecisionInput, PruningInput, PruningProspects, Prunings};
use crate::web::route::{Answer, Fault, Incoming, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/audit/prunings";
    let did = |action| (action, ResourceKind::Pruning);
    vec![
        get(
            "/api/v1/audit/prunings/prospects",
            did(Action::Read),
            "How many records are past the time that the charter keeps them (auditor, data protection officer)",
            described::<PruningProspects>("PruningProspects"),
            prospects,
        ),
        get(
            ALL,
            did(Action::List),
            "Requests to prune the log, the latest first (auditor, data protection officer)",
            described::<Prunings>("Prunings"),
            list,
        ),
        post(
            ALL,
            did(Action::Create),
            "Ask that records past their time lose their content (auditor, data protection officer)",
            Some(described::<PruningInput>("PruningInput")),
            ask,
        ),
        post(
            "/api/v1/audit/prunings/{pruning}/decision",
            did(Action::Confirm),
            "Confirm or refuse, as the second person; what is confirmed is erased within the hour",
            Some(described::<PruningDecisionInput>("PruningDecisionInput")),
            decide,
        ),
    ]
}

fn prospects(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.pruning_prospects(incoming.call()?)?)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.prunings(incoming.call()?)?)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let input: PruningInput = incoming.json()?;
    Ok(Answer::created(app.pruning_ask(call, &input)?))
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let id = incoming.id("pruning", PruningId::parse)?;
    let input: PruningDecisionInput = incoming.json()?;
    Ok(Answer::created(app.pruning_decide(call, &id, &input)?))
}
