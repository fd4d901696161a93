//! What goes out. Every answer is built here, so that none lacks a header.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::route::Answer;
use crate::service::{App, Call};

/// Names the request in the answer, and in the operator's log.
pub const REQUEST_HEADER: &str = "Relais-Request";

/// What every answer carries (SECURITY §4). Answers of the API are not documents: nothing may be loaded for them.
const FIXED: &[(&str, &str)] = &[
    (
        "Content-Security-Policy",
        "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("Strict-Transport-Security", "max-age=63072000"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
];

/// What a creation answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedBody {
    /// The id of what was made.
    pub id: String,
}

fn begin(status: u16, request: &str) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in FIXED {
        builder.insert_header((*name, *value));
    }
    builder.insert_header((REQUEST_HEADER, request));
    builder
}

/// A problem document.
pub fn problem(problem: &Problem, request: &str) -> HttpResponse {
    let mut builder = begin(problem.status, request);
    if problem.status == 401 {
        builder.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some(seconds) = problem.retry_after {
        builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    builder.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    match serde_json::to_vec(problem) {
        Ok(body) => builder.body(body),
        // Text and numbers always serialise; without them the status still tells.
        Err(_) => builder.finish(),
    }
}

/// 405, with what is allowed.
pub fn not_allowed(allowed: &str, request: &str) -> HttpResponse {
    let mut response = problem(&Problem::method(), request);
    if let Ok(value) = header::HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn json(status: u16, tag: Option<String>, body: Vec<u8>, request: &str) -> HttpResponse {
    let mut builder = begin(status, request);
    if let Some(tag) = tag {
        builder.insert_header((header::ETAG, tag));
    }
    builder.insert_header((header::CONTENT_TYPE, "application/json")).body(body)
}

/// A handler's answer.
pub fn answer(app: &App, call: Option<&Call>, answer: Answer, request: &str) -> HttpResponse {
    match answer {
        Answer::Json(body) => json(200, Some(app.tag(call, &body)), body, request),
        Answer::Stamped { stamp, body } => json(200, Some(app.tag(call, stamp.as_bytes())), body, request),
        Answer::Made(body) => json(201, None, body, request),
        Answer::Created(id) => match serde_json::to_vec(&CreatedBody { id }) {
            Ok(body) => json(201, None, body, request),
            Err(_) => begin(201, request).finish(),
        },
        Answer::Text { media, body } => {
            begin(200, request).insert_header((header::CONTENT_TYPE, media)).body(body)
        }
        Answer::Empty => begin(204, request).finish(),
    }
}
