//! Passer le relais.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{HandoverId, PathwayId};
use crate::service::App;
use crate::service::handovers::{HandoverList, HandoverView, NewHandover};
use crate::service::ratings::{HandoverRating, RatingTable};
use crate::web::route::{Answer, Described, Door, Fault, Incoming, Method, Route, described};

const ALL: &str = "/api/v1/pathways/{pathway}/handovers";

fn row(
    method: Method,
    path: &'static str,
    action: Action,
    summary: &'static str,
    body: Option<Described>,
    answer: Option<Described>,
    handle: fn(&App, &Incoming) -> Result<Answer, Fault>,
) -> Route {
    Route {
        method,
        path,
        door: Door::Session,
        action,
        resource: ResourceKind::Handover,
        summary,
        query: &[],
        body,
        answer,
        handle,
    }
}

/// The routes of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    use Method::{Get, Post};
    vec![
        row(
            Get,
            ALL,
            Action::List,
            "Handovers whose both ends the asker may know",
            None,
            Some(described::<HandoverList>("HandoverList")),
            list,
        ),
        row(
            Post,
            ALL,
            Action::Create,
            "Prepare a handover",
            Some(described::<NewHandover>("NewHandover")),
            None,
            create,
        ),
        row(
            Get,
            "/api/v1/pathways/{pathway}/handovers/{handover}",
            Action::Read,
            "A handover, for its two ends: subjects, no words",
            None,
            Some(described::<HandoverView>("Handover")),
            read,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/handovers/{handover}/acceptance",
            Action::Accept,
            "The incoming end accepts",
            None,
            None,
            accept,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/handovers/{handover}/refusal",
            Action::Decline,
            "The incoming end declines",
            None,
            None,
            decline,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/handovers/{handover}/confirmation",
            Action::Confirm,
            "One end confirms; the second confirmation completes it",
            None,
            None,
            confirm,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/handovers/{handover}/rating",
            Action::Update,
            "The receiving end says, once, whether it had to start again",
            Some(described::<HandoverRating>("HandoverRating")),
            None,
            rate,
        ),
        row(
            Get,
            "/api/v1/handover-ratings",
            Action::List,
            "How often services had to start again, by month and kind of structure, without small numbers",
            None,
            Some(described::<RatingTable>("RatingTable")),
            ratings,
        ),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn handover(incoming: &Incoming) -> Result<HandoverId, Fault> {
    incoming.id("handover", HandoverId::parse)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.handovers_list(incoming.call()?, &pathway(incoming)?)?)
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let new: NewHandover = incoming.json()?;
    Ok(Answer::created(app.handover_create(incoming.call()?, &pathway(incoming)?, &new)?))
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.handover_read(incoming.call()?, &pathway(incoming)?, &handover(incoming)?)?)
}

fn accept(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.handover_answer(incoming.call()?, &pathway(incoming)?, &handover(incoming)?, true)?;
    Ok(Answer::Empty)
}

fn decline(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.handover_answer(incoming.call()?, &pathway(incoming)?, &handover(incoming)?, false)?;
    Ok(Answer::Empty)
}

fn confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.handover_confirm(incoming.call()?, &pathway(incoming)?, &handover(incoming)?)?;
    Ok(Answer::Empty)
}

fn rate(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let rating: HandoverRating = incoming.json()?;
    app.handover_rate(incoming.call()?, &pathway(incoming)?, &handover(incoming)?, rating)?;
    Ok(Answer::Empty)
}

fn ratings(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.handover_ratings(incoming.call()?)?)
}
