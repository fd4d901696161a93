//! Partager, « Puis-je le lui dire ? », danger.

use crate::domain::record::{Action, ResourceKind};
use crate::ids::{PathwayId, ShareId};
use crate::service::App;
use crate::service::danger::DangerView;
use crate::service::preview::{PreviewRequest, PreviewView};
use crate::service::share_views::{ShareList, ShareView};
use crate::service::shares::{EndShare, JoinShare, NewShare};
use crate::service::spoken::{NewSpoken, SpokenList};
use crate::service::transmissions::{NewTransmission, TransmissionList};
use crate::web::route::{Answer, Described, Door, Fault, Incoming, Method, Route, described};

fn route(
    method: Method,
    path: &'static str,
    action: Action,
    resource: ResourceKind,
    summary: &'static str,
    handle: fn(&App, &Incoming) -> Result<Answer, Fault>,
) -> Route {
    Route {
        method,
        path,
        door: Door::Session,
        action,
        resource,
        summary,
        query: &[],
        body: None,
        answer: None,
        handle,
    }
}

fn takes(body: Described, route: Route) -> Route {
    Route { body: Some(body), ..route }
}

fn gives(answer: Described, route: Route) -> Route {
    Route { answer: Some(answer), ..route }
}

/// The routes of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    use Method::{Get, Post};
    const SHARES: &str = "/api/v1/pathways/{pathway}/shares";
    const SPOKEN: &str = "/api/v1/pathways/{pathway}/spoken";
    const TRANSMISSIONS: &str = "/api/v1/pathways/{pathway}/transmissions";
    vec![
        gives(
            described::<PreviewView>("Preview"),
            takes(
                described::<PreviewRequest>("PreviewRequest"),
                route(
                    Post,
                    "/api/v1/pathways/{pathway}/preview",
                    Action::Preview,
                    ResourceKind::Share,
                    "Who would read, who would not, and why",
                    preview,
                ),
            ),
        ),
        gives(
            described::<ShareList>("ShareList"),
            route(Get, SHARES, Action::List, ResourceKind::Share, "Shares that concern the asker", list),
        ),
        takes(
            described::<NewShare>("NewShare"),
            route(
                Post,
                SHARES,
                Action::Share,
                ResourceKind::Share,
                "Share named things with named members",
                create,
            ),
        ),
        gives(
            described::<ShareView>("Share"),
            route(
                Get,
                "/api/v1/pathways/{pathway}/shares/{share}",
                Action::Read,
                ResourceKind::Share,
                "A share, for its sharer: read or not yet read",
                read,
            ),
        ),
        takes(
            described::<EndShare>("EndShare"),
            route(
                Post,
                "/api/v1/pathways/{pathway}/shares/{share}/end",
                Action::End,
                ResourceKind::Share,
                "End a share, or one recipient's part of it",
                end,
            ),
        ),
        takes(
            described::<JoinShare>("JoinShare"),
            route(
                Post,
                "/api/v1/pathways/{pathway}/shares/{share}/versions",
                Action::Update,
                ResourceKind::Share,
                "Let a version join a share, after confirming who will read it",
                join,
            ),
        ),
        gives(
            described::<SpokenList>("SpokenList"),
            route(Get, SPOKEN, Action::List, ResourceKind::OralNote, "What was said aloud", spoken_list),
        ),
        takes(
            described::<NewSpoken>("NewSpoken"),
            route(
                Post,
                SPOKEN,
                Action::Create,
                ResourceKind::OralNote,
                "Note that something was said",
                spoken_note,
            ),
        ),
        gives(
            described::<TransmissionList>("TransmissionList"),
            route(
                Get,
                TRANSMISSIONS,
                Action::List,
                ResourceKind::Transmission,
                "Mentions of transmissions by the asker's organisation",
                transmissions,
            ),
        ),
        takes(
            described::<NewTransmission>("NewTransmission"),
            route(
                Post,
                TRANSMISSIONS,
                Action::Create,
                ResourceKind::Transmission,
                "Note that a transmission was made outside Relais",
                transmit,
            ),
        ),
        gives(
            described::<DangerView>("Danger"),
            route(
                Get,
                "/api/v1/danger",
                Action::Read,
                ResourceKind::Charter,
                "The numbers to call when a child is in danger",
                danger,
            ),
        ),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn share(incoming: &Incoming) -> Result<ShareId, Fault> {
    incoming.id("share", ShareId::parse)
}

fn preview(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let request: PreviewRequest = incoming.json()?;
    Answer::disclosed(&app.preview(incoming.call()?, &pathway(incoming)?, &request)?)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.shares_list(incoming.call()?, &pathway(incoming)?)?)
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let new: NewShare = incoming.json()?;
    Ok(Answer::created(app.share_create(incoming.call()?, &pathway(incoming)?, &new)?))
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.share_read(incoming.call()?, &pathway(incoming)?, &share(incoming)?)?)
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let end: EndShare = incoming.json()?;
    app.share_end(incoming.call()?, &pathway(incoming)?, &share(incoming)?, &end)?;
    Ok(Answer::Empty)
}

fn join(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let join: JoinShare = incoming.json()?;
    app.share_join(incoming.call()?, &pathway(incoming)?, &share(incoming)?, &join)?;
    Ok(Answer::Empty)
}

fn spoken_list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.spoken_list(incoming.call()?, &pathway(incoming)?)?)
}

fn spoken_note(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let new: NewSpoken = incoming.json()?;
    Ok(Answer::created(app.spoken_note(incoming.call()?, &pathway(incoming)?, &new)?))
}

fn transmissions(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.transmissions_list(incoming.call()?, &pathway(incoming)?)?)
}

fn transmit(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let new: NewTransmission = incoming.json()?;
    Ok(Answer::created(app.transmission_note(incoming.call()?, &pathway(incoming)?, &new)?))
}

fn danger(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.danger(incoming.call()?)?)
}
