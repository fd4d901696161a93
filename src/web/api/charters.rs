//! The charter: reading it and signing it.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::service::charters::{CharterView, HexHash};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

/// The two hashes that the signer was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignBody {
    text_hash: HexHash,
    policy_hash: HexHash,
}

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let sign = |path, resource, summary, handle| Route {
        method: Method::Post,
        path,
        door: Door::Session,
        action: Action::Sign,
        resource,
        summary,
        query: &[],
        body: Some(described::<SignBody>("CharterSignature")),
        answer: None,
        handle,
    };
    vec![
        Route {
            method: Method::Get,
            action: Action::Read,
            body: None,
            answer: Some(described::<CharterView>("CharterView")),
            ..sign(
                "/api/v1/charter",
                ResourceKind::Charter,
                "The charter in force and the one announced, with what changes",
                read,
            )
        },
        sign("/api/v1/charter/signatures", ResourceKind::Charter, "Sign the charter oneself", person),
        sign(
            "/api/v1/charter/organisation-signature",
            ResourceKind::Organisation,
            "Sign the charter for one's organisation, as its manager",
            organisation,
        ),
    ]
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.charter(incoming.call()?)?)
}

fn person(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: SignBody = incoming.json()?;
    Ok(Answer::created(app.sign_charter(call, &body.text_hash, &body.policy_hash)?))
}

fn organisation(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: SignBody = incoming.json()?;
    Ok(Answer::created(app.sign_charter_for_organisation(call, &body.text_hash, &body.policy_hash)?))
}
