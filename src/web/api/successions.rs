//! Successors and stand-ins.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{ParticipationId, PathwayId, SuccessionId};
use crate::service::App;
use crate::service::successions::{NewSuccession, StopSuccession, SuccessionList};
use crate::web::route::{Answer, Described, Door, Fault, Incoming, Method, Route, described};

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
        resource: ResourceKind::Succession,
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
            Post,
            "/api/v1/pathways/{pathway}/participations/{participation}/successor",
            Action::Invite,
            "A manager names a successor or a dated stand-in for a place",
            Some(described::<NewSuccession>("NewSuccession")),
            None,
            name,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/participations/{participation}/succession",
            Action::Accept,
            "The person named takes the place",
            None,
            None,
            accept,
        ),
        row(
            Get,
            "/api/v1/pathways/{pathway}/successions",
            Action::List,
            "Who took whose place, as far as the asker may know",
            None,
            Some(described::<SuccessionList>("SuccessionList")),
            list,
        ),
        row(
            Post,
            "/api/v1/pathways/{pathway}/successions/{succession}/stop",
            Action::End,
            "Stop a succession, for the family, as référent or as sharer",
            Some(described::<StopSuccession>("StopSuccession")),
            None,
            stop,
        ),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn name(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let new: NewSuccession = incoming.json()?;
    let place = incoming.id("participation", ParticipationId::parse)?;
    Ok(Answer::created(app.succession_name(incoming.call()?, &pathway(incoming)?, &place, &new)?))
}

fn accept(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let place = incoming.id("participation", ParticipationId::parse)?;
    app.succession_accept(incoming.call()?, &pathway(incoming)?, &place)?;
    Ok(Answer::Empty)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.successions_list(incoming.call()?, &pathway(incoming)?)?)
}

fn stop(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let stop: StopSuccession = incoming.json()?;
    let succession = incoming.id("succession", SuccessionId::parse)?;
    app.succession_stop(incoming.call()?, &pathway(incoming)?, &succession, &stop)?;
    Ok(Answer::Empty)
}
