//! The circle, invitations, and the end of a place.

use super::rows::{get, post};
use crate::domain::record::{Action as A, ResourceKind as R};
use crate::ids::{ParticipationId, PathwayId};
use crate::service::App;
use crate::service::circle::{CircleView, InviteInput};
use crate::service::invitations::InvitationsView;
use crate::web::route::{Answer, Fault, Incoming, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/api/v1/pathways/{pathway}/circle",
            (A::List, R::Circle),
            "The circle, as far as the reader may know it",
            described::<CircleView>("CircleView"),
            circle,
        ),
        post(
            "/api/v1/pathways/{pathway}/participations",
            (A::Invite, R::Participation),
            "Invite an assignment that an accord in force names",
            Some(described::<InviteInput>("InviteInput")),
            invite,
        ),
        get(
            "/api/v1/invitations",
            (A::List, R::Participation),
            "The invitations that the acting assignment has not answered",
            described::<InvitationsView>("InvitationsView"),
            invitations,
        ),
        post(
            "/api/v1/participations/{participation}/acceptance",
            (A::Accept, R::Participation),
            "Accept an invitation",
            None,
            accept,
        ),
        post(
            "/api/v1/participations/{participation}/refusal",
            (A::Decline, R::Participation),
            "Decline an invitation",
            None,
            decline,
        ),
        post(
            "/api/v1/participations/{participation}/end",
            (A::End, R::Participation),
            "End a place: the own one, or as referent, inviter or manager",
            None,
            end,
        ),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn participation(incoming: &Incoming) -> Result<ParticipationId, Fault> {
    incoming.id("participation", ParticipationId::parse)
}

fn circle(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.circle(incoming.call()?, &pathway(incoming)?)?)
}

fn invite(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: InviteInput = incoming.json()?;
    Ok(Answer::created(app.participation_invite(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn invitations(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.invitations(incoming.call()?)?)
}

fn accept(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::created(app.participation_accept(incoming.call()?, &participation(incoming)?)?))
}

fn decline(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::created(app.participation_decline(incoming.call()?, &participation(incoming)?)?))
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::created(app.participation_end(incoming.call()?, &participation(incoming)?)?))
}
