//! What the server says of itself: its OpenAPI document and its health. Nothing here touches a person, so nothing here
//! is recorded (SECURITY §1).

use crate::domain::record::{Action, ResourceKind};
use crate::service::{App, ServiceError};
use crate::web::openapi;
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let open = |path, summary, handle| Route {
        method: Method::Get,
        path,
        door: Door::Open,
        action: Action::Read,
        resource: ResourceKind::Instance,
        summary,
        query: &[],
        body: None,
        answer: None,
        handle,
    };
    vec![
        open("/api/v1/openapi.json", "This document", document),
        open("/health/live", "Whether the process answers", live),
        open("/health/ready", "Whether the log can be written and the database read", ready),
    ]
}

fn document(_: &App, _: &Incoming) -> Result<Answer, Fault> {
    let body = openapi::document().map_err(ServiceError::internal)?;
    Ok(Answer::Text { media: "application/json", body: body.to_owned() })
}

fn live(_: &App, _: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::Text { media: "text/plain; charset=utf-8", body: "live\n".to_owned() })
}

fn ready(app: &App, _: &Incoming) -> Result<Answer, Fault> {
    app.ready()?;
    Ok(Answer::Text { media: "text/plain; charset=utf-8", body: "ready\n".to_owned() })
}
