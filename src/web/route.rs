//! A route as data, what comes in, and what goes out.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use utoipa::openapi::{RefOr, Schema};

use super::form::{Form, refusal};
use super::pages::Page;
use crate::audit::Disclosed;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldError, FieldErrors};
use crate::ids::{KeptFormId, RequestId};
use crate::service::{Act, App, Call, Created, ExportReading, LogExport, ServiceError};

/// How much of a path is told: a field that is not ours may have any name.
const LONGEST_PATH: usize = 80;

/// Where « Quitter vite » is sent.
pub const LEAVE: &str = "/quitter";

/// The methods that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Needs a session; everything else is decided behind it.
    Session,
    /// Sign-in, opening an account, the OpenAPI document, health.
    Open,
}

/// A named schema for the OpenAPI document.
pub struct Described {
    pub name: &'static str,
    pub schema: fn() -> RefOr<Schema>,
    /// The schemas that it refers to.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
    /// Whether `If-Match` names the version that this body changes. Anywhere else that header is refused: a program that
    /// sends it would take silence for a comparison.
    pub if_match: bool,
}

impl Described {
    /// A body that is taken only for the version that `If-Match` names.
    #[must_use]
    pub fn if_match(self) -> Self {
        Self { if_match: true, ..self }
    }
}

/// Describes a type that derives `ToSchema`.
#[must_use]
pub fn described<T: utoipa::ToSchema>(name: &'static str) -> Described {
    Described { name, schema: T::schema, parts: T::schemas, if_match: false }
}

/// One route.
pub struct Route {
    pub method: Method,
    /// With `{name}` for parameters, e.g. `/api/v1/pathways/{pathway}/items`.
    pub path: &'static str,
    pub door: Door,
    pub action: Action,
    pub resource: ResourceKind,
    /// One English line for the OpenAPI document.
    pub summary: &'static str,
    /// Names of query parameters; any other is refused.
    pub query: &'static [&'static str],
    pub body: Option<Described>,
    pub answer: Option<Described>,
    /// Runs on a thread that may block.
    pub handle: fn(&App, &Incoming) -> Result<Answer, Fault>,
}

/// What a route speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// JSON for programs.
    Api,
    /// French pages, forms and files for people.
    Page,
}

/// What an address speaks, known or not.
#[must_use]
pub fn face_of(path: &str) -> Face {
    if path.starts_with("/api/") || path.starts_with("/health/") { Face::Api } else { Face::Page }
}

impl Route {
    /// What it speaks.
    #[must_use]
    pub fn face(&self) -> Face {
        face_of(self.path)
    }

    /// The same row with another door.
    #[must_use]
    pub const fn at(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// The same row with these query parameters.
    #[must_use]
    pub const fn asking(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// Whether `If-Match` is read here.
    #[must_use]
    pub fn reads_if_match(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.if_match)
    }

    /// Whether this is the way out in a hurry: nothing that its form says may keep somebody here.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.path == LEAVE
    }

    /// What the record of a request to this route says.
    #[must_use]
    pub const fn act(&self) -> Act {
        Act { action: self.action, resource: self.resource }
    }
}

/// A request, taken apart.
pub struct Incoming {
    /// The request's id, as its answer's header names it.
    pub request: RequestId,
    pub act: Act,
    /// Present when the request carries a well-formed token.
    pub call: Option<Call>,
    pub path: HashMap<String, String>,
    pub query: HashMap<String, String>,
    pub if_match: Option<String>,
    pub body: Vec<u8>,
    /// The body of a page's form; empty elsewhere.
    pub form: Form,
    /// The path and query as asked, for pages that come back to where somebody was.
    pub address: String,
    /// The people of a demonstration, where its door is open.
    pub demonstration: Option<Arc<Demonstration>>,
    /// The peer's address, for sign-in delays only; never logged with a name.
    pub network: Option<String>,
    /// The kept text that the page took up.
    pub taken: OnceCell<KeptFormId>,
}

/// Why a handler has no answer.
#[derive(Debug)]
pub enum Fault {
    /// Found before any service was called: the adapter records it.
    Syntax(ServiceError),
    /// From a service, which recorded it.
    Service(ServiceError),
}

impl From<ServiceError> for Fault {
    fn from(e: ServiceError) -> Self {
        Self::Service(e)
    }
}

impl Incoming {
    /// The call, for routes behind a session.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`].
    pub fn call(&self) -> Result<&Call, Fault> {
        self.call.as_ref().ok_or(Fault::Syntax(ServiceError::Unauthenticated))
    }

    /// An id from the path.
    ///
    /// # Errors
    /// THREAT: existence oracle. A malformed id is answered like an absent one.
    pub fn id<T>(&self, name: &str, parse: fn(&str) -> Result<T, crate::ids::InvalidId>) -> Result<T, Fault> {
        self.path
            .get(name)
            .and_then(|text| parse(text).ok())
            .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
    }

    /// A query parameter, parsed.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn query<T, E>(
        &self,
        name: &'static str,
        parse: fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        match self.query.get(name) {
            None => Ok(None),
            Some(text) => parse(text).map(Some).map_err(|_| {
                Fault::Syntax(ServiceError::Invalid(FieldErrors::one(
                    name,
                    EntryError::WrongType { expected: "une valeur de la liste" },
                )))
            }),
        }
    }

    /// The JSON body, strictly: unknown fields are refused by the types, as is anything after it.
    ///
    /// # Errors
    /// 422 with the path of what is wrong; never with what was sent.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let read = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
            let path = e.path().to_string();
            (path, e.into_inner())
        });
        let (path, error) = match read {
            Ok(read) => match reader.end() {
                Ok(()) => return Ok(read),
                Err(e) => (".".to_owned(), e),
            },
            Err(told) => told,
        };
        // The message of serde can quote the input: only what is said by a type of ours is told, at its path.
        let refused = match error.classify() {
            Category::Data => {
                let message = error.to_string();
                let said = message.rsplit_once(" at line ").map_or(message.as_str(), |(said, _)| said);
                refusal(&path, said)
            }
            Category::Io | Category::Syntax | Category::Eof => {
                FieldError { path: ".".to_owned(), error: EntryError::WrongType { expected: "" } }
            }
        };
        let error = match refused.error {
            EntryError::WrongType { .. } => {
                EntryError::WrongType { expected: "celle que décrit /api/v1/openapi.json" }
            }
            error => error,
        };
        let path: String = match refused.path.as_str() {
            "." => "body".to_owned(),
            path => path.chars().take(LONGEST_PATH).collect(),
        };
        Err(Fault::Syntax(ServiceError::Invalid(FieldErrors::one(&path, error))))
    }
}

/// What goes out.
pub enum Answer {
    /// 200 with a JSON body; the ETag is made from the body for this actor.
    Json(Vec<u8>),
    /// 200 with a JSON body; the ETag is made, for this actor, from a stamp of the version (`item:<id>:3`): for what
    /// can be changed with `If-Match` by a service that may not look at the words.
    Stamped { stamp: String, body: Vec<u8> },
    /// 201 with a JSON body that is more than an id.
    Made(Vec<u8>),
    /// 201 with `{"id": …}`.
    Created(String),
    /// 200 with another media type (`text/plain` checkpoint, proof).
    Text { media: &'static str, body: String },
    /// 204.
    Empty,
    /// A page, with its status: 200, or 4xx for a form that comes back with what is to be corrected.
    Page { status: u16, html: String, retry_after: Option<u32> },
    /// 303: the answer to a form that did something.
    SeeOther { to: String, cookie: Cookie },
    /// A file to keep.
    File { media: &'static str, name: String, body: Vec<u8> },
    /// A file to keep, of any length, given piece by piece.
    Export(Box<ExportReading>),
    /// A file of the pages: the same for everybody, named by its hash, kept for a year.
    Asset { media: &'static str, body: &'static [u8] },
}

/// What becomes of the session's cookie.
#[derive(Clone, PartialEq, Eq)]
pub enum Cookie {
    Keep,
    /// The token of the session that begins.
    Set(String),
    Clear,
}

/// One person of a demonstration, for the door of its sign-in page.
#[derive(Clone, Debug)]
pub struct DemonstrationPerson {
    pub login: String,
    pub name: String,
    pub organisation: String,
    pub profession: String,
    /// « Professionnel », « Responsable (cadre) »…
    pub function: String,
}

/// The people whom the sign-in page of a demonstration offers. Only `relais demo` on a loopback address makes one.
#[derive(Clone, Debug)]
pub struct Demonstration {
    pub people: Vec<DemonstrationPerson>,
}

impl Answer {
    /// Renders what is readable, and only that.
    ///
    /// # Errors
    /// 500 when it does not serialise, which is a bug.
    pub fn disclosed<T: Serialize>(content: &Disclosed<T>) -> Result<Self, Fault> {
        let view: &T = content;
        Self::render(view).map(Self::Json)
    }

    /// [`Answer::disclosed`] of something that can be changed: the service compares `If-Match` with the same stamp.
    ///
    /// # Errors
    /// 500 when it does not serialise, which is a bug.
    pub fn stamped<T: Serialize>(content: &Disclosed<T>, stamp: String) -> Result<Self, Fault> {
        let view: &T = content;
        Ok(Self::Stamped { stamp, body: Self::render(view)? })
    }

    /// 201 with what only the asker may keep (a token, a code), made by a service that recorded it.
    ///
    /// # Errors
    /// 500 when it does not serialise, which is a bug.
    pub fn made<T: Serialize>(view: &T) -> Result<Self, Fault> {
        Self::render(view).map(Self::Made)
    }

    fn render<T: Serialize>(view: &T) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(view).map_err(|e| Fault::Service(ServiceError::internal(e)))
    }

    /// A page of ours.
    ///
    /// # Errors
    /// 500 when it does not render, which is a bug.
    pub fn page<P: Page>(page: &P) -> Result<Self, Fault> {
        Self::page_with(200, page)
    }

    /// A page with another status.
    ///
    /// # Errors
    /// 500 when it does not render, which is a bug.
    pub fn page_with<P: Page>(status: u16, page: &P) -> Result<Self, Fault> {
        page.html()
            .map(|html| Self::Page { status, html, retry_after: None })
            .map_err(|e| Fault::Service(ServiceError::internal(e)))
    }

    /// The same page, with the seconds after which it is worth asking again.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        match self {
            Self::Page { status, html, retry_after: _ } => {
                Self::Page { status, html, retry_after: Some(seconds) }
            }
            other => other,
        }
    }

    /// Where to go after a form did something.
    #[must_use]
    pub fn see_other(to: impl Into<String>) -> Self {
        Self::SeeOther { to: to.into(), cookie: Cookie::Keep }
    }

    /// An export whose record is committed.
    #[must_use]
    pub fn export(export: Disclosed<LogExport>) -> Self {
        Self::Export(Box::new(ExportReading::new(export)))
    }

    /// The id of what was made.
    #[must_use]
    pub fn created(created: Created) -> Self {
        Self::Created(created.id)
    }
}

/// Whether an address, without its query, is one of this pattern's.
#[must_use]
pub fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(w), Some(g)) if w == g || (w.starts_with('{') && !g.is_empty()) => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}
