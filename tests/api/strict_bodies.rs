//! Every request body of the API, read strictly: a social security number in any text, a day that is none, a field that is
//! not known, a list that is too long, and an `If-Match` where nothing is compared are refused by name, and nothing is
//! written.
//!
//! The bodies are those of the table of callers; where their texts stand is read from the OpenAPI document, so that a new
//! field is asked without a line here. The valid request goes last: what was refused before was refused for that alone.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::collections::{BTreeMap, BTreeSet};

use relais::audit::LeafBody;
use relais::domain::record::Verdict;
use serde_json::{Value, json};

use super::callers::rows;
use super::callers_asks::ask;
use super::callers_world::{Ask, NOBODY, World};
use super::stories_world::*;
use crate::support::{Client, Reply};

const NIR: &str = "1 85 05 78 006 084 91";
/// What only a machine compares: hashed, or sealed by us, and shown to nobody. A refusal would tell that it looked at
/// what a password is made of.
const SECRETS: [&str; 9] = [
    "SignIn.password",
    "PasswordChange.password",
    "PasswordChange.new_password",
    "FactorChange.password",
    "FactorConfirm.ticket",
    "OpenAccount.code",
    "OpenAccount.password",
    "ConfirmAccount.code",
    "ConfirmAccount.ticket",
];
/// Digits are what a telephone number is made of: it has rules of its own, which no number of thirteen or fifteen digits
/// passes without a `+` and the code of a country before it.
const PHONE: &str = "not_a_phone";

/// Days that are none, or that nobody means.
const ABSURD: [(&str, &str); 5] = [
    ("9999-12-31", "date_out_of_range"),
    ("1800-01-01", "date_out_of_range"),
    ("2027-02-30", "not_a_date"),
    ("+12027-01-01", "date_out_of_range"),
    ("2027-1-1", "not_a_date"),
];

/// Where a string stands in a body.
struct Leaf {
    /// `person.identity.contacts[0].who`
    path: String,
    /// `IdentitySheet.who`
    name: String,
    schema: Value,
    /// Tagged values that must be another variant for the field to be there.
    instead: Vec<(String, Value)>,
}

struct Schemas(Value);

impl Schemas {
    fn read() -> Self {
        Self(serde_json::from_str(relais::web::openapi::document().unwrap()).unwrap())
    }

    fn body(&self, method: &str, path: &str) -> Option<&Value> {
        let at = &self.0["paths"][path][method.to_lowercase()]["requestBody"];
        at.get("content").map(|content| &content["application/json"]["schema"])
    }

    fn strings(&self, schema: &Value, name: &str, value: Option<&Value>, path: &str, out: &mut Vec<Leaf>) {
        if let Some(to) = schema["$ref"].as_str() {
            let named = to.rsplit('/').next().unwrap();
            let target = &self.0["components"]["schemas"][named];
            // A type of one string is known by the field that has it.
            let named = if target["type"] == "string" { name } else { named };
            return self.strings(target, named, value, path, out);
        }
        if let Some(variants) = schema["oneOf"].as_array() {
            for variant in variants.iter().filter(|v| v["type"] != "null") {
                let tag = variant["properties"].as_object().into_iter().flatten().find_map(|(key, s)| {
                    s["enum"].as_array().filter(|all| all.len() == 1).map(|all| (key.clone(), all[0].clone()))
                });
                let Some((key, word)) = tag else {
                    self.strings(variant, name, value, path, out);
                    continue;
                };
                if value.is_some_and(|v| v[&key] == word) {
                    self.strings(variant, name, value, path, out);
                    continue;
                }
                let before = out.len();
                self.strings(variant, name, None, path, out);
                for leaf in &mut out[before..] {
                    leaf.instead.insert(0, (path.to_owned(), json!({ key.as_str(): word })));
                }
            }
            return;
        }
        let is = |kind: &str| {
            schema["type"] == kind || schema["type"].as_array().is_some_and(|t| t.contains(&json!(kind)))
        };
        if is("array") {
            self.strings(&schema["items"], name, value.and_then(|v| v.get(0)), &format!("{path}[0]"), out);
        } else if is("string") {
            let leaf = Leaf {
                path: path.to_owned(),
                name: name.to_owned(),
                schema: schema.clone(),
                instead: Vec::new(),
            };
            out.push(leaf);
        }
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let owner = name.split('.').next().unwrap();
            let named = format!("{owner}.{key}");
            self.strings(property, &named, value.and_then(|v| v.get(key)), &below, out);
        }
    }
}

impl Leaf {
    /// Words that people write, and that others read.
    fn is_free(&self) -> bool {
        let has = |key: &str| self.schema.get(key).is_some();
        has("maxLength") && !has("enum") && !has("format") && !has("pattern")
    }
}

/// A value put at its path; what is missing on the way is made.
fn put(body: &mut Value, path: &str, value: Value) {
    let mut slot = body;
    for part in path.split('.').filter(|p| !p.is_empty()) {
        let (key, index) =
            part.split_once('[').map_or((part, None), |(k, i)| (k, Some(i.trim_end_matches(']'))));
        if slot.is_null() {
            *slot = json!({});
        }
        slot = slot.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
        if let Some(index) = index {
            let at: usize = index.parse().unwrap();
            if slot.is_null() {
                *slot = json!([]);
            }
            let list = slot.as_array_mut().unwrap();
            while list.len() <= at {
                list.push(Value::Null);
            }
            slot = &mut list[at];
        }
    }
    *slot = value;
}

/// The paths of the objects of a body, and of its lists that have an entry.
fn parts(value: &Value, path: &str, objects: &mut Vec<String>, lists: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            objects.push(path.to_owned());
            for (key, field) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                parts(field, &below, objects, lists);
            }
        }
        Value::Array(all) if !all.is_empty() => {
            lists.push(path.to_owned());
            parts(&all[0], &format!("{path}[0]"), objects, lists);
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn at<'v>(body: &'v Value, path: &str) -> &'v Value {
    body.pointer(&format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))).unwrap()
}

struct Walk {
    w: World,
    wrong: Vec<String>,
    /// Requests that must have written nothing: their numbers, and what they were.
    refused: BTreeMap<String, String>,
    tried: BTreeSet<String>,
}

impl Walk {
    fn send(&self, ask: &Ask, method: &str, body: Option<&Value>, tag: Option<&str>) -> Reply {
        let mut client: Client = match (&ask.client, ask.right) {
            (Some(own), _) => own.clone(),
            (None, NOBODY) => self.w.s.server.client(),
            (None, login) => self.w.s.of(login),
        };
        if let Some(tag) = tag {
            client = client.with("If-Match", tag);
        }
        match body {
            Some(body) => client.with("Content-Type", "application/json").send(
                method,
                &ask.path,
                Some(body.to_string().as_bytes()),
            ),
            None => client.send(method, &ask.path, None),
        }
    }

    /// A request that must be refused as 422 with this code at this path, or in one sentence where no path is given.
    fn refused(&mut self, what: &str, reply: &Reply, code: &str, path: Option<&str>) {
        let told = reply.json();
        let errors = told["errors"].as_array().cloned().unwrap_or_default();
        let named = |error: &Value, path: &str| {
            let at = error["path"].as_str().unwrap();
            // Inside a tagged value the value is named.
            at == path || path.starts_with(&format!("{at}.")) || path.starts_with(&format!("{at}["))
        };
        let good = match path {
            Some(path) => errors.iter().any(|e| (code.is_empty() || e["code"] == code) && named(e, path)),
            None => told["code"] == code || code.is_empty(),
        };
        let sentence = errors.first().map_or(&told["detail"], |e| &e["message"]);
        let said = sentence.as_str().is_some_and(|s| s.len() > 10) && !text(reply).contains(NIR);
        if reply.status != 422 || !good || !said {
            self.wrong.push(format!("{what}: {} {}", reply.status, text(reply)));
        }
        let number = reply.header("relais-request").unwrap().to_owned();
        self.refused.insert(number, what.to_owned());
    }

    fn texts(&mut self, schemas: &Schemas, method: &str, path: &str, ask: &Ask, body: &Value) {
        let schema = schemas.body(method, path).unwrap_or_else(|| panic!("{method} {path} has no schema"));
        let mut leaves = Vec::new();
        schemas.strings(schema, "", Some(body), "", &mut leaves);
        for leaf in leaves {
            if SECRETS.contains(&leaf.name.as_str()) {
                self.tried.insert(leaf.name);
                continue;
            }
            let mut sent = body.clone();
            for (path, value) in &leaf.instead {
                put(&mut sent, path, value.clone());
            }
            put(&mut sent, &leaf.path, json!(NIR));
            let reply = self.send(ask, method, Some(&sent), ask.if_match.as_deref());
            let what = format!("{method} {path} with a number in {}", leaf.path);
            if leaf.schema["format"] == "date" {
                self.refused(&what, &reply, "not_a_date", Some(&leaf.path));
                for (day, code) in ABSURD {
                    put(&mut sent, &leaf.path, json!(day));
                    let reply = self.send(ask, method, Some(&sent), ask.if_match.as_deref());
                    let what = format!("{method} {path} with « {day} » in {}", leaf.path);
                    self.refused(&what, &reply, code, Some(&leaf.path));
                }
            } else if !leaf.is_free() {
                // A code or an id: refused as what it is not.
                self.refused(&what, &reply, "", None);
            } else if leaf.path.ends_with("number") || leaf.path.ends_with("telephone") {
                self.refused(&what, &reply, PHONE, Some(&leaf.path));
            } else {
                self.refused(&what, &reply, "nir_like", Some(&leaf.path));
            }
            self.tried.insert(leaf.name);
        }
    }

    fn shapes(&mut self, method: &str, path: &str, ask: &Ask, body: &Value) {
        let (mut objects, mut lists) = (Vec::new(), Vec::new());
        parts(body, "", &mut objects, &mut lists);
        for object in objects {
            let field = if object.is_empty() { "inconnu".to_owned() } else { format!("{object}.inconnu") };
            let mut sent = body.clone();
            put(&mut sent, &field, json!(1));
            let reply = self.send(ask, method, Some(&sent), ask.if_match.as_deref());
            self.refused(&format!("{method} {path} with {field}"), &reply, "unknown_field", Some(&field));
        }
        for list in lists {
            let first = at(body, &list)[0].clone();
            let mut sent = body.clone();
            put(&mut sent, &list, Value::Array(vec![first; 101]));
            let reply = self.send(ask, method, Some(&sent), ask.if_match.as_deref());
            self.refused(&format!("{method} {path} with 101 of {list}"), &reply, "too_many", Some(&list));
        }
    }
}

#[test]
fn every_body_is_read_strictly_and_what_is_refused_writes_nothing() {
    let schemas = Schemas::read();
    let mut walk =
        Walk { w: World::begin(), wrong: Vec::new(), refused: BTreeMap::new(), tried: BTreeSet::new() };
    let routes = api_routes();
    for (method, path, why) in rows() {
        let route = routes.iter().find(|r| r.method.name() == method && r.path == path).unwrap();
        let ask = ask(&walk.w, method, path).unwrap_or_else(|| panic!("{method} {path}: no request"));
        assert_eq!(route.body.is_some(), ask.body.is_some(), "{method} {path}");
        let reply = walk.send(&ask, method, ask.body.as_ref(), Some("\"abcdefghijklmnopqrstuv\""));
        if route.reads_if_match() {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (412, "precondition_failed"),
                "{method} {path}"
            );
            walk.refused.insert(reply.header("relais-request").unwrap().to_owned(), path.to_owned());
            let reply = walk.send(&ask, method, ask.body.as_ref(), None);
            walk.refused(&format!("{method} {path} without If-Match"), &reply, "missing", Some("If-Match"));
        } else {
            walk.refused(&format!("{method} {path} with If-Match"), &reply, "if_match_not_read", None);
        }
        if let Some(body) = &ask.body {
            walk.texts(&schemas, method, path, &ask, body);
            walk.shapes(method, path, &ask, body);
        }
        let reply = walk.send(&ask, method, ask.body.as_ref(), ask.if_match.as_deref());
        if reply.status >= 400 && reply.code() != why {
            walk.wrong.push(format!("{method} {path}, valid: {} {}", reply.status, text(&reply)));
        }
    }
    assert!(walk.wrong.is_empty(), "{}\n{} in all", walk.wrong.join("\n"), walk.wrong.len());

    // Each of them failed by its own record, and none has a change.
    let mut snapshot = walk.w.s.server.app.store().snapshot().unwrap();
    let (mut index, mut seen) = (0, 0);
    while let Some(body) = snapshot.log_body(index).unwrap() {
        index += 1;
        let body = LeafBody::parse(&body).unwrap();
        let Some(what) = walk.refused.get(&body.request.to_string()) else { continue };
        assert_eq!(body.decision, Verdict::Failed, "{what}");
        assert_eq!(body.write_digest, None, "{what}");
        seen += 1;
    }
    assert!(seen > 500, "{seen} of {}", walk.refused.len());

    // No text of any body was passed over.
    let mut all = Vec::new();
    for route in routes.iter().filter(|r| r.body.is_some()) {
        let schema = schemas.body(route.method.name(), route.path).unwrap();
        schemas.strings(schema, "", None, "", &mut all);
    }
    let missed: BTreeSet<&str> = all
        .iter()
        .filter(|l| l.is_free() && !walk.tried.contains(&l.name))
        .map(|l| l.name.as_str())
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
    let unknown: Vec<&&str> = SECRETS.iter().filter(|s| !walk.tried.contains(**s)).collect();
    assert!(unknown.is_empty(), "no longer in any body: {unknown:?}");
}
