//! From a request to a handler and back: session → syntax → handler → bytes (DESIGN §1).
//!
//! INVARIANT: a request with a session that this room refuses before any service is called is recorded through
//! [`App::record_malformed`]; a panic too. Without a session nothing is looked at, and the request is counted.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::form::Form;
use super::kept;
use super::pages;
use super::problem::Problem;
use super::query;
use super::request::{self, Credential};
use super::response;
use super::route::{Answer, Cookie, Demonstration, Door, Face, Fault, Incoming, Method, Route, face_of};
use crate::ids::RequestId;
use crate::service::{App, Call, Idempotency, ServiceError, Uncalled};

/// What all workers share.
pub struct Shared {
    pub app: Arc<App>,
    pub routes: Vec<Route>,
    pub demonstration: Option<Arc<Demonstration>>,
}

/// A request that was refused before its handler.
struct Early {
    call: Option<Call>,
    error: ServiceError,
}

fn new_id(app: &App) -> Result<RequestId, ServiceError> {
    Ok(RequestId::random(app.chance())?)
}

/// Answers when there is not even a request id: no randomness, so nothing can be recorded.
fn speechless(error: &ServiceError) -> HttpResponse {
    tracing::error!(%error, "no request id");
    response::problem(Face::Api, &Problem::of(error, "none"), "none")
}

/// Counts a request without a session, and hands counts that are due to the lane on another thread.
fn count(shared: &Arc<Shared>, what: Uncalled) {
    if shared.app.count_anonymous(what) {
        let shared = Arc::clone(shared);
        // Nobody waits for it: what the lane does not take is kept for the next time.
        drop(web::block(move || {
            if let Err(error) = shared.app.flush_anonymous(false) {
                tracing::warn!(%error, "counts of requests without a session are kept for later");
            }
        }));
    }
}

/// An address that no row of the table has. Not recorded (SECURITY §1).
pub async fn unknown(shared: Arc<Shared>, path: String, payload: Payload) -> HttpResponse {
    drop(request::body(payload).await);
    match new_id(&shared.app) {
        Ok(id) => response::problem(face_of(&path), &Problem::not_found(), id.as_str()),
        Err(e) => speechless(&e),
    }
}

/// A known address with another method. Not recorded: the table of routes is public.
pub async fn not_allowed(
    shared: Arc<Shared>,
    face: Face,
    allowed: Arc<str>,
    payload: Payload,
) -> HttpResponse {
    drop(request::body(payload).await);
    match new_id(&shared.app) {
        Ok(id) => response::not_allowed(face, &allowed, id.as_str()),
        Err(e) => speechless(&e),
    }
}

/// One request to one row of the table.
pub async fn serve(shared: Arc<Shared>, at: usize, request: HttpRequest, payload: Payload) -> HttpResponse {
    let id = match new_id(&shared.app) {
        Ok(id) => id,
        Err(e) => return speechless(&e),
    };
    let name = id.as_str().to_owned();
    let Some(route) = shared.routes.get(at) else {
        return response::problem(Face::Api, &Problem::not_found(), &name);
    };
    let face = route.face();
    let address = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let credential = request::credential(request.headers());
    if credential.is_none() && route.door == Door::Session {
        drop(request::body(payload).await);
        count(&shared, Uncalled::NoSession);
        return turned_away(route, &address, &name);
    }
    let body = request::body(payload).await;
    let taken = take_apart(&shared, route, id, &request, credential, body);
    let (door, method, path) = (route.door, route.method, route.path);
    let worker = Arc::clone(&shared);
    let ended = web::block(move || run(&worker, at, taken)).await;
    let error = match ended {
        Ok(Ok((answer, call))) => {
            tracing::debug!(request = %name, method = method.name(), path, "answered");
            return response::answer(&shared.app, call.as_ref(), answer, &name);
        }
        Ok(Err(error)) => error,
        Err(_) => ServiceError::Internal("the blocking pool is gone".to_owned()),
    };
    // Sign-ins that the limiter turns away are counted by the service that knows them.
    if let (ServiceError::Unauthenticated, Door::Session) = (&error, door) {
        count(&shared, Uncalled::NoSession);
        if let Some(route) = shared.routes.get(at) {
            return turned_away(route, &address, &name);
        }
    }
    let problem = Problem::of(&error, &name);
    if problem.status >= 500 {
        tracing::error!(incident = %name, method = method.name(), path, %error, "not answered");
    } else {
        tracing::debug!(request = %name, method = method.name(), path, status = problem.status, "refused");
    }
    response::problem(face, &problem, &name)
}

/// Without a session: programs are told, people are brought to the sign-in page, and back afterwards.
fn turned_away(route: &Route, address: &str, name: &str) -> HttpResponse {
    match (route.face(), route.method) {
        (Face::Page, Method::Get) => response::see_other(&pages::sign_in_for(address), &Cookie::Keep, name),
        (Face::Page, Method::Post | Method::Put | Method::Delete) => {
            response::see_other(&pages::sign_in_for(""), &Cookie::Keep, name)
        }
        (Face::Api, _) => response::problem(Face::Api, &Problem::unauthenticated(), name),
    }
}

fn take_apart(
    shared: &Shared,
    route: &Route,
    id: RequestId,
    request: &HttpRequest,
    credential: Option<Credential>,
    body: Result<Vec<u8>, ServiceError>,
) -> Result<Incoming, Box<Early>> {
    let app = &shared.app;
    let headers = request.headers();
    let mut call = credential.as_ref().map(|c| Call {
        request: id.clone(),
        token: app.store().instance_keys().session_hash(c.token()),
        assignment: None,
        idempotency: None,
    });
    macro_rules! or_early {
        ($e:expr) => {
            match $e {
                Ok(v) => v,
                Err(e) => return Err(Box::new(Early { call, error: ServiceError::from(e) })),
            }
        };
    }
    if let Some(credential) = &credential {
        or_early!(request::check_site(request, credential, route.method));
    }
    if route.face() == Face::Page {
        // THREAT: a page of somebody else that signs a person in under an account of its own.
        or_early!(request::check_page(request, route.method));
    }
    let mut extras = or_early!(request::extras(headers));
    or_early!(request::check_if_match(headers, route.reads_if_match()));
    let known = kept::asked(route);
    let query = or_early!(query::read(request.query_string(), &known));
    let body = if route.leaves() { body.unwrap_or_default() } else { or_early!(body) };
    let form = match (route.face(), route.method) {
        (Face::Page, Method::Post) => match form_of(headers, &body, &mut extras) {
            // What was being written is lost rather than the person kept here.
            Err(_) if route.leaves() => Form::default(),
            read => or_early!(read),
        },
        (Face::Page, Method::Get | Method::Put | Method::Delete) | (Face::Api, _) => {
            or_early!(request::check_body(headers, &body, route.body.is_some()));
            Form::default()
        }
    };
    if let Some(call) = &mut call {
        call.assignment = extras.assignment;
        call.idempotency = extras.idempotency.map(|key| Idempotency {
            key,
            // A key stands for one act: the same body under another address is another act.
            body: [route.method.name().as_bytes(), b" ", request.path().as_bytes(), b"\n", &body].concat(),
        });
    }
    let path: HashMap<String, String> =
        request.match_info().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Incoming {
        request: id,
        act: route.act(),
        call,
        path,
        query,
        if_match: extras.if_match,
        body,
        form,
        address: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        demonstration: shared.demonstration.clone(),
        network: request::network(request),
        taken: OnceCell::new(),
    })
}

fn form_of(headers: &HeaderMap, body: &[u8], extras: &mut request::Extras) -> Result<Form, ServiceError> {
    request::check_form(headers, body)?;
    let form = Form::parse(body)?;
    extras.of_form(&form)?;
    Ok(form)
}

/// The part that may block.
fn run(
    shared: &Shared,
    at: usize,
    taken: Result<Incoming, Box<Early>>,
) -> Result<(Answer, Option<Call>), ServiceError> {
    let app = &shared.app;
    let route = shared.routes.get(at).ok_or(ServiceError::AbsentOrRefused)?;
    let incoming = match taken {
        Ok(incoming) => incoming,
        Err(early) => {
            let Early { call, error } = *early;
            return Err(record_early(app, route, call.as_ref(), error));
        }
    };
    let error = match catch_unwind(AssertUnwindSafe(|| (route.handle)(app, &incoming))) {
        Ok(Ok(answer)) => {
            kept::settle(app, &shared.routes, route, &incoming, &answer);
            return Ok((answer, incoming.call));
        }
        Ok(Err(Fault::Service(error))) => error,
        Ok(Err(Fault::Syntax(error))) => record_early(app, route, incoming.call.as_ref(), error),
        Err(_panic) => {
            let error = ServiceError::Internal("a handler panicked".to_owned());
            record_early(app, route, incoming.call.as_ref(), error)
        }
    };
    if let Some(answer) = kept::after_the_end(app, &shared.routes, route, &incoming, &error) {
        return Ok((answer, None));
    }
    match kept::under_another(app, &shared.routes, route, &incoming, &error) {
        Ok(Some(answer)) => Ok((answer, None)),
        Ok(None) => Err(error),
        Err(Fault::Service(instead) | Fault::Syntax(instead)) => Err(instead),
    }
}

/// Records what no service has seen. At an open door, a session that is over is as good as none.
fn record_early(app: &App, route: &Route, call: Option<&Call>, error: ServiceError) -> ServiceError {
    let Some(call) = call else { return error };
    match route.door {
        Door::Session => app.record_malformed(call, route.act(), error),
        Door::Open => error,
    }
}

#[cfg(test)]
mod tests;
