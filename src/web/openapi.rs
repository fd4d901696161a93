//! The OpenAPI 3.1 document, made from the table of routes: what is not a row cannot be described, and a row cannot be
//! left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{ResponseBuilder, ResponsesBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, HttpMethod, InfoBuilder, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required,
    Schema,
};

use super::problem::Problem;
use super::response::{CreatedBody, REQUEST_HEADER};
use super::route::{Described, Door, Method, Route, described};
use super::routes;

/// The document cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenApiError {
    #[error("the document does not serialise: {0}")]
    Json(#[from] serde_json::Error),
    #[error("two different schemas are named {0}: give one of each another name with `#[schema(as = …)]`")]
    TwoSchemas(String),
}

const BEARER: &str = "session";
const PROBLEM: &str = "Problem";
const CREATED: &str = "Created";

fn http(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Delete => HttpMethod::Delete,
    }
}

fn text_parameter(name: &str, place: ParameterIn, required: bool, about: Option<&str>) -> Parameter {
    let schema: Schema = ObjectBuilder::new().schema_type(Type::String).build().into();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if required { Required::True } else { Required::False })
        .description(about)
        .schema(Some(schema))
        .build()
}

fn refers(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// Schemas by name; one name means one thing.
#[derive(Default)]
struct Schemas {
    named: BTreeMap<String, RefOr<Schema>>,
    /// Names that mean two things.
    twice: BTreeSet<String>,
}

impl Schemas {
    fn add(&mut self, name: &str, schema: RefOr<Schema>) -> Result<(), OpenApiError> {
        let new = serde_json::to_value(&schema)?;
        match self.named.get(name) {
            Some(known) if serde_json::to_value(known)? == new => {}
            Some(_) => {
                self.twice.insert(name.to_owned());
            }
            None => {
                self.named.insert(name.to_owned(), schema);
            }
        }
        Ok(())
    }

    fn describe(&mut self, described: &Described) -> Result<(), OpenApiError> {
        let mut parts = Vec::new();
        (described.parts)(&mut parts);
        for (name, schema) in parts {
            self.add(&name, schema)?;
        }
        self.add(described.name, (described.schema)())
    }
}

fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1");
    let words: Vec<String> = path
        .split(['/', '.', '-'])
        .filter(|s| !s.is_empty())
        .map(|s| s.trim_matches(['{', '}']).to_owned())
        .collect();
    format!("{}_{}", route.method.name().to_lowercase(), words.join("_"))
}

fn tag(route: &Route) -> String {
    route.path.trim_start_matches("/api/v1").split('/').find(|s| !s.is_empty()).unwrap_or("api").to_owned()
}

fn operation(route: &Route) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(operation_id(route)))
        .summary(Some(route.summary))
        .tag(tag(route));
    for segment in route.path.split('/') {
        if let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            operation = operation.parameter(text_parameter(name, ParameterIn::Path, true, None));
        }
    }
    for name in route.query {
        operation = operation.parameter(text_parameter(name, ParameterIn::Query, false, None));
    }
    let changes = match route.method {
        Method::Get => false,
        Method::Post | Method::Put | Method::Delete => true,
    };
    if route.door == Door::Session {
        operation = operation.security(SecurityRequirement::new(BEARER, Vec::<String>::new()));
        if changes {
            let about = "An act that is sent again under the same key is done once; kept 24 hours";
            if route.reads_if_match() {
                let about = "The ETag of what is changed, as it was read; another one now is 412";
                operation =
                    operation.parameter(text_parameter("If-Match", ParameterIn::Header, true, Some(about)));
            }
            operation = operation
                .parameter(text_parameter("Idempotency-Key", ParameterIn::Header, false, Some(about)))
                .parameter(text_parameter(
                    "Relais-Assignment",
                    ParameterIn::Header,
                    false,
                    Some("The assignment under which the form was made; another one now is 409"),
                ));
        }
    } else {
        operation = operation.security(SecurityRequirement::default());
    }
    if let Some(body) = &route.body {
        let content = ContentBuilder::new().schema(Some(refers(body.name))).build();
        operation = operation.request_body(Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .required(Some(Required::True))
                .build(),
        ));
    }
    let mut responses = ResponsesBuilder::new();
    let json = |name: &str| ContentBuilder::new().schema(Some(refers(name))).build();
    responses = match (&route.answer, route.method) {
        (Some(answer), Method::Get) => responses.response(
            "200",
            ResponseBuilder::new().description("The answer").content("application/json", json(answer.name)),
        ),
        // A search answers 200, a creation that tells more than an id 201.
        (Some(answer), Method::Post | Method::Put | Method::Delete) => responses.response(
            "2XX",
            ResponseBuilder::new().description("The answer").content("application/json", json(answer.name)),
        ),
        (None, Method::Get) => responses.response("200", ResponseBuilder::new().description("The answer")),
        (None, Method::Post) => responses.response(
            "2XX",
            ResponseBuilder::new()
                .description("Done; 201 names what was made")
                .content("application/json", json(CREATED)),
        ),
        (None, Method::Put | Method::Delete) => {
            responses.response("2XX", ResponseBuilder::new().description("Done"))
        }
    };
    responses = responses.response(
        "default",
        ResponseBuilder::new()
            .description("A problem document; refused and absent are the same 404")
            .content("application/problem+json", json(PROBLEM)),
    );
    operation.responses(responses.build())
}

fn make() -> Result<String, OpenApiError> {
    let routes = routes::api();
    let mut schemas = Schemas::default();
    schemas.describe(&described::<Problem>(PROBLEM))?;
    schemas.describe(&described::<CreatedBody>(CREATED))?;
    let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
    for route in &routes {
        for part in [&route.body, &route.answer].into_iter().flatten() {
            schemas.describe(part)?;
        }
        let item = PathItem::new(http(route.method), operation(route));
        items.entry(route.path).or_default().merge_operations(item);
    }
    if !schemas.twice.is_empty() {
        let names: Vec<String> = schemas.twice.iter().map(|n| format!("`{n}`")).collect();
        return Err(OpenApiError::TwoSchemas(names.join(", ")));
    }
    let mut components = ComponentsBuilder::new().security_scheme(
        BEARER,
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "The token that POST /api/v1/sessions gives; 30 minutes idle, 12 hours at most",
                ))
                .build(),
        ),
    );
    for (name, schema) in schemas.named {
        components = components.schema(name, schema);
    }
    let mut paths = PathsBuilder::new();
    for (path, item) in items {
        paths = paths.path(path, item);
    }
    let about = format!(
        "Case coordination for individual pathways. Every answer carries `{REQUEST_HEADER}`, the id of the request in the log of accesses."
    );
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Relais")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(about))
                .build(),
        )
        .paths(paths.build())
        .components(Some(components.build()))
        .build();
    Ok(document.to_pretty_json()? + "\n")
}

/// The document, made once.
///
/// # Errors
/// [`OpenApiError`], which a test would have found.
pub fn document() -> Result<&'static str, OpenApiError> {
    static MADE: OnceLock<String> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(MADE.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_described_under_its_own_name() {
        let document: serde_json::Value = serde_json::from_str(document().unwrap()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = std::collections::BTreeSet::new();
        for route in routes::api() {
            let operation = &document["paths"][route.path][route.method.name().to_lowercase()];
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{}", route.path)).to_owned();
            assert!(ids.insert(id.clone()), "{id}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &serde_json::Value, document: &serde_json::Value) {
            match value {
                serde_json::Value::Object(map) => {
                    if let Some(to) = map.get("$ref").and_then(|r| r.as_str()) {
                        assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                    }
                    map.values().for_each(|v| walk(v, document));
                }
                serde_json::Value::Array(list) => list.iter().for_each(|v| walk(v, document)),
                _ => {}
            }
        }
        let document: serde_json::Value = serde_json::from_str(document().unwrap()).unwrap();
        walk(&document, &document);
    }
}
