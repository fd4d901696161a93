//! Statutory records and what awaits a manager: the rows of the route table, and nothing else.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{PathwayId, StatuteId};
use crate::service::{App, AwaitedDecisions, StatuteDecision, StatuteInput, StatuteList, StatuteView};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

type Handler = fn(&App, &Incoming) -> Result<Answer, Fault>;

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let row = |method, path, action, summary, body, answer, handle| Route {
        method,
        path,
        door: Door::Session,
        action,
        resource: ResourceKind::Statute,
        summary,
        query: &[],
        body,
        answer,
        handle,
    };
    let handlers: [Handler; 6] = [create, list, read, decide, close, awaited];
    let [create, list, read, decide, close, awaited] = handlers;
    vec![
        row(
            Method::Post,
            "/api/v1/pathways/{pathway}/statutes",
            Action::Create,
            "Record a share without accord, to protect a child (CASF L226-2-2)",
            Some(described::<StatuteInput>("StatuteInput")),
            None,
            create,
        ),
        row(
            Method::Get,
            "/api/v1/pathways/{pathway}/statutes",
            Action::List,
            "One's own statutory records on a pathway",
            None,
            Some(described::<StatuteList>("StatuteList")),
            list,
        ),
        row(
            Method::Get,
            "/api/v1/statutes/{statute}",
            Action::Read,
            "A statutory record: whole to its author and second person, regime and period to its recipients",
            None,
            Some(described::<StatuteView>("StatuteView")),
            read,
        ),
        row(
            Method::Post,
            "/api/v1/statutes/{statute}/decisions",
            Action::Confirm,
            "The second person decides on an exception, a validation or a review",
            Some(described::<StatuteDecision>("StatuteDecision")),
            None,
            decide,
        ),
        row(
            Method::Post,
            "/api/v1/statutes/{statute}/closing",
            Action::End,
            "The sharer ends a statutory record",
            None,
            None,
            close,
        ),
        row(
            Method::Get,
            "/api/v1/manager/decisions",
            Action::List,
            "What awaits this manager: motives only",
            None,
            Some(described::<AwaitedDecisions>("AwaitedDecisions")),
            awaited,
        ),
    ]
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let input: StatuteInput = incoming.json()?;
    Ok(Answer::created(app.statute_create(incoming.call()?, incoming.act, &pathway, &input)?))
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    Answer::disclosed(&app.statutes_own(incoming.call()?, incoming.act, &pathway)?)
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("statute", StatuteId::parse)?;
    Answer::disclosed(&app.statute_read(incoming.call()?, incoming.act, &id)?)
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("statute", StatuteId::parse)?;
    let input: StatuteDecision = incoming.json()?;
    Ok(Answer::created(app.statute_decide(incoming.call()?, incoming.act, &id, &input)?))
}

fn close(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("statute", StatuteId::parse)?;
    Ok(Answer::created(app.statute_close(incoming.call()?, incoming.act, &id)?))
}

fn awaited(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.decisions_awaited(incoming.call()?, incoming.act)?)
}
