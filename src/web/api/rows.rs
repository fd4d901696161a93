//! The usual shapes of rows of the route table, behind a session.

use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::web::route::{Answer, Described, Door, Fault, Incoming, Method, Route};

type Handle = fn(&App, &Incoming) -> Result<Answer, Fault>;

/// A row that reads.
pub(super) fn get(
    path: &'static str,
    did: (Action, ResourceKind),
    summary: &'static str,
    answer: Described,
    handle: Handle,
) -> Route {
    Route {
        method: Method::Get,
        path,
        door: Door::Session,
        action: did.0,
        resource: did.1,
        summary,
        query: &[],
        body: None,
        answer: Some(answer),
        handle,
    }
}

/// A row that makes or changes something, and answers its id.
pub(super) fn post(
    path: &'static str,
    did: (Action, ResourceKind),
    summary: &'static str,
    body: Option<Described>,
    handle: Handle,
) -> Route {
    Route {
        method: Method::Post,
        path,
        door: Door::Session,
        action: did.0,
        resource: did.1,
        summary,
        query: &[],
        body,
        answer: None,
        handle,
    }
}
