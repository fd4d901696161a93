//! The HTTP server over the table of routes: TLS only, HTTP/2 and HTTP/1.1.
//!
//! It does not read settings, and it does not stop by itself: `startup` does both.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method as HttpMethod;
use actix_web::web::{self, Payload};
use actix_web::{App as Web, HttpRequest, HttpServer};
use rustls::ServerConfig;

use super::adapter::{self, Shared};
use super::route::{Demonstration, Method, Route, face_of};
use super::routes;
use crate::service::App;

/// Threads that talk to clients; the work itself is on threads that may block.
const WORKERS: usize = 2;
/// How many requests of one worker may wait for the lane at once. Many of them make large batches.
const BLOCKING_PER_WORKER: usize = 64;
/// How long a stop waits for requests that are under way.
const DRAIN_SECONDS: u64 = 20;

fn http(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Delete => HttpMethod::DELETE,
    }
}

/// A path, with its methods and the places of their rows in the table.
type ByPath = (&'static str, Vec<(usize, Method)>);

/// The rows of each path; fixed segments before parameters, so that `/accounts/open` is not taken for an id.
fn by_path(rows: &[Route]) -> Vec<ByPath> {
    let mut paths: BTreeMap<Vec<(bool, &str)>, ByPath> = BTreeMap::new();
    for (at, route) in rows.iter().enumerate() {
        let order = route.path.split('/').map(|s| (s.starts_with('{'), s)).collect();
        paths.entry(order).or_insert_with(|| (route.path, Vec::new())).1.push((at, route.method));
    }
    paths.into_values().collect()
}

/// Registers every row.
pub(super) fn configure(config: &mut web::ServiceConfig, shared: &Arc<Shared>) {
    for (path, methods) in by_path(&shared.routes) {
        let allowed: Arc<str> = methods.iter().map(|(_, m)| m.name()).collect::<Vec<_>>().join(", ").into();
        let mut resource = web::resource(path);
        for (at, method) in methods {
            let shared = Arc::clone(shared);
            resource = resource.route(web::method(http(method)).to(
                move |request: HttpRequest, payload: Payload| {
                    adapter::serve(Arc::clone(&shared), at, request, payload)
                },
            ));
        }
        let shared = Arc::clone(shared);
        let face = face_of(path);
        resource = resource.default_service(web::to(move |payload: Payload| {
            adapter::not_allowed(Arc::clone(&shared), face, Arc::clone(&allowed), payload)
        }));
        config.service(resource);
    }
    let shared = Arc::clone(shared);
    config.default_service(web::to(move |request: HttpRequest, payload: Payload| {
        adapter::unknown(Arc::clone(&shared), request.path().to_owned(), payload)
    }));
}

/// The running server. To be called inside an actix system. The door of a demonstration is there only when its people
/// are given, which only `relais demo` does.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(
    app: Arc<App>,
    listener: TcpListener,
    tls: ServerConfig,
    demonstration: Option<Demonstration>,
) -> std::io::Result<Server> {
    let mut rows = routes::all();
    if demonstration.is_some() {
        rows.extend(routes::demonstration());
    }
    let shared = Arc::new(Shared { app, routes: rows, demonstration: demonstration.map(Arc::new) });
    let server = HttpServer::new(move || {
        let shared = Arc::clone(&shared);
        Web::new().configure(move |config| configure(config, &shared))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(BLOCKING_PER_WORKER)
    .client_request_timeout(Duration::from_secs(10))
    .tls_handshake_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen_rustls_0_23(listener, tls)?
    .run();
    Ok(server)
}
