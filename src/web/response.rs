//! What goes out. Every answer is built here, so that none lacks a header.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use data_encoding::BASE64;
use serde::Serialize;
use utoipa::ToSchema;

use super::pages;
use super::problem::Problem;
use super::request::COOKIE;
use super::route::{Answer, Cookie, Face};
use super::stream::Pieces;
use crate::service::{App, Call};

/// Names the request in the answer, and in the operator's log.
pub const REQUEST_HEADER: &str = "Relais-Request";

/// Answers of the API are not documents: nothing may be loaded for them.
const POLICY_API: &str = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
/// Pages load what we serve, and nothing written into them runs or styles (SECURITY §4).
const POLICY_PAGE: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What every answer carries (SECURITY §4).
const FIXED: &[(&str, &str)] = &[
    ("Strict-Transport-Security", "max-age=63072000"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

/// What a creation answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedBody {
    /// The id of what was made.
    pub id: String,
}

fn begin(face: Face, status: u16, request: &str) -> HttpResponseBuilder {
    let mut builder = begin_kept(face, status, request);
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    builder
}

/// [`begin`], for the only answers that a browser may keep: files that are the same for everybody.
fn begin_kept(face: Face, status: u16, request: &str) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in FIXED {
        builder.insert_header((*name, *value));
    }
    let policy = match face {
        Face::Api => POLICY_API,
        Face::Page => POLICY_PAGE,
    };
    builder.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    builder.insert_header((REQUEST_HEADER, request));
    builder
}

/// A problem document.
pub fn problem(face: Face, problem: &Problem, request: &str) -> HttpResponse {
    let mut builder = begin(face, problem.status, request);
    if problem.status == 401 {
        builder.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some(seconds) = problem.retry_after {
        builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if face == Face::Page {
        return html(builder, pages::problem(problem));
    }
    builder.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    match serde_json::to_vec(problem) {
        Ok(body) => builder.body(body),
        // Text and numbers always serialise; without them the status still tells.
        Err(_) => builder.finish(),
    }
}

/// 405, with what is allowed.
pub fn not_allowed(face: Face, allowed: &str, request: &str) -> HttpResponse {
    let mut response = problem(face, &Problem::method(), request);
    if let Ok(value) = header::HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn json(status: u16, tag: Option<String>, body: Vec<u8>, request: &str) -> HttpResponse {
    let mut builder = begin(Face::Api, status, request);
    if let Some(tag) = tag {
        builder.insert_header((header::ETAG, tag));
    }
    builder.insert_header((header::CONTENT_TYPE, "application/json")).body(body)
}

fn html(mut builder: HttpResponseBuilder, body: String) -> HttpResponse {
    builder.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8")).body(body)
}

/// 303.
pub fn see_other(to: &str, cookie: &Cookie, request: &str) -> HttpResponse {
    let mut builder = begin(Face::Page, 303, request);
    builder.insert_header((header::LOCATION, to));
    // `__Host-`: this host only, over TLS only, for every path; out of reach of scripts.
    let set = match cookie {
        Cookie::Keep => None,
        Cookie::Set(token) => Some(format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")),
        Cookie::Clear => Some(format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")),
    };
    if let Some(set) = set {
        builder.insert_header((header::SET_COOKIE, set));
    }
    builder.finish()
}

/// A handler's answer.
pub fn answer(app: &Arc<App>, call: Option<&Call>, answer: Answer, request: &str) -> HttpResponse {
    match answer {
        Answer::Json(body) => json(200, Some(app.tag(call, &body)), body, request),
        Answer::Stamped { stamp, body } => json(200, Some(app.tag(call, stamp.as_bytes())), body, request),
        Answer::Made(body) => json(201, None, body, request),
        Answer::Created(id) => match serde_json::to_vec(&CreatedBody { id }) {
            Ok(body) => json(201, None, body, request),
            Err(_) => begin(Face::Api, 201, request).finish(),
        },
        Answer::Text { media, body } => {
            begin(Face::Api, 200, request).insert_header((header::CONTENT_TYPE, media)).body(body)
        }
        Answer::Empty => begin(Face::Api, 204, request).finish(),
        Answer::Page { status, html: body, retry_after } => {
            let mut builder = begin(Face::Page, status, request);
            if let Some(seconds) = retry_after {
                builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            html(builder, body)
        }
        Answer::SeeOther { to, cookie } => see_other(&to, &cookie, request),
        Answer::File { media, name, body } => begin(Face::Page, 200, request)
            .insert_header((header::CONTENT_TYPE, media))
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
            .body(body),
        Answer::Export(reading) => {
            let export = reading.export();
            let file = format!("attachment; filename=\"{}\"", export.file_name());
            // RFC 9530: whoever kept the file can compare it with the record of the export.
            let digest = format!("sha-256=:{}:", BASE64.encode(export.digest()));
            begin(Face::Page, 200, request)
                .insert_header((header::CONTENT_TYPE, export.media()))
                .insert_header((header::CONTENT_DISPOSITION, file))
                .insert_header(("Repr-Digest", digest))
                .body(Pieces::new(Arc::clone(app), reading))
        }
        Answer::Asset { media, body } => begin_kept(Face::Page, 200, request)
            .insert_header((header::CONTENT_TYPE, media))
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(body),
    }
}
