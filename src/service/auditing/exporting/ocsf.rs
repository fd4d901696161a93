//! A record as an OCSF 1.3.0 event: Authentication for sign-ins, Entity Management for who may act, API Activity for the
//! rest.
//!
//! No network address is ever recorded (LAW §6), so the source endpoint names the service and nothing else.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::{Deed, Leaving};
use crate::clock::Timestamp;
use crate::domain::record::{ResourceKind, Verdict};

const VERSION: &str = "1.3.0";
const PRODUCT: &str = "Relais";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Authentication,
    EntityManagement,
    ApiActivity,
}

impl Class {
    const fn of(deed: Deed, resource: ResourceKind) -> Self {
        match (deed, resource) {
            (Deed::SignIn | Deed::SignOut, _) => Self::Authentication,
            (
                _,
                ResourceKind::Account
                | ResourceKind::Organisation
                | ResourceKind::Professional
                | ResourceKind::Assignment,
            ) => Self::EntityManagement,
            _ => Self::ApiActivity,
        }
    }

    /// Number and name of the class, number and name of its category.
    const fn names(self) -> (u32, &'static str, u32, &'static str) {
        match self {
            Self::Authentication => (3002, "Authentication", 3, "Identity & Access Management"),
            Self::EntityManagement => (3004, "Entity Management", 3, "Identity & Access Management"),
            Self::ApiActivity => (6003, "API Activity", 6, "Application Activity"),
        }
    }
}

const fn activity(deed: Deed) -> (u32, &'static str) {
    match deed {
        Deed::Create => (1, "Create"),
        Deed::Read | Deed::Query | Deed::Export => (2, "Read"),
        Deed::Update => (3, "Update"),
        Deed::Delete => (4, "Delete"),
        Deed::SignIn => (1, "Logon"),
        Deed::SignOut => (2, "Logoff"),
    }
}

fn user(record: &Leaving<'_>) -> Value {
    let line = &record.line;
    let Some(actor) = &line.actor else { return json!({ "name": "unknown", "type_id": 0 }) };
    let mut user = Map::new();
    user.insert("uid".to_owned(), json!(actor));
    user.insert("type_id".to_owned(), json!(1));
    if let Some(organisation) = &line.organisation {
        let org = json!({ "uid": organisation.id.as_str(), "name": organisation.name });
        user.insert("org".to_owned(), org);
    }
    let groups = [line.profession.map(|p| p.code()), line.function.map(|f| f.code())];
    let groups: Vec<Value> = groups.into_iter().flatten().map(|name| json!({ "name": name })).collect();
    if !groups.is_empty() {
        user.insert("groups".to_owned(), Value::Array(groups));
    }
    Value::Object(user)
}

fn actor(record: &Leaving<'_>) -> Value {
    if record.line.actor.is_none() {
        return json!({ "app_name": PRODUCT });
    }
    match &record.body.session {
        Some(session) => json!({ "user": user(record), "session": { "uid": session.as_str() } }),
        None => json!({ "user": user(record) }),
    }
}

/// Milliseconds, to the minute as the lists have it.
fn time(record: &Leaving<'_>) -> i64 {
    let at = Timestamp::parse_rfc3339(&record.line.at).unwrap_or(record.body.at);
    at.micros().div_euclid(60_000_000).saturating_mul(60_000)
}

/// What this vocabulary has no place for.
fn unmapped(record: &Leaving<'_>) -> Value {
    let line = &record.line;
    json!({
        "decision": line.decision.code(),
        "secrecy": line.secrecy.map(|s| s.code()),
        "purpose": line.purpose.map(|p| p.code()),
        "categories": line.categories.iter().map(|c| c.code()).collect::<Vec<_>>(),
        "reasons": line.reasons.iter().map(|r| r.code()).collect::<Vec<_>>(),
        "objects": line.objects,
        "out_of_hours": line.out_of_hours,
        "policy_hashes": record.body.policy_hashes,
        "leaf_hash": HEXLOWER.encode(&record.leaf_hash),
    })
}

/// What each class asks for beside the rest.
fn of_class(record: &Leaving<'_>, class: Class) -> Vec<(&'static str, Value)> {
    let line = &record.line;
    match class {
        Class::Authentication => vec![("user", user(record)), ("service", json!({ "name": PRODUCT }))],
        Class::EntityManagement => vec![
            ("actor", actor(record)),
            ("entity", json!({ "name": line.resource.code(), "type": line.resource.code() })),
        ],
        Class::ApiActivity => {
            let labels: Vec<&str> = line.categories.iter().map(|c| c.code()).collect();
            let mut resource = Map::new();
            resource.insert("type".to_owned(), json!(line.resource.code()));
            if let Some(pathway) = &line.pathway {
                resource.insert("uid".to_owned(), json!(pathway));
            }
            if !labels.is_empty() {
                resource.insert("labels".to_owned(), json!(labels));
            }
            vec![
                ("actor", actor(record)),
                (
                    "api",
                    json!({
                        "operation": line.action.code(),
                        "request": { "uid": line.request },
                        "service": { "name": PRODUCT },
                    }),
                ),
                ("src_endpoint", json!({ "svc_name": record.origin })),
                ("resources", json!([resource])),
            ]
        }
    }
}

/// The event.
pub(super) fn event(record: &Leaving<'_>) -> Value {
    let line = &record.line;
    let deed = Deed::of(line.action);
    let class = Class::of(deed, line.resource);
    let (class_uid, class_name, category_uid, category_name) = class.names();
    let (activity_id, activity_name) = activity(deed);
    let (status_id, status, severity_id, severity) = match line.decision {
        Verdict::Permit => (1, "Success", 1, "Informational"),
        Verdict::Deny | Verdict::Failed => (2, "Failure", 2, "Low"),
    };
    let mut event = json!({
        "activity_id": activity_id,
        "activity_name": activity_name,
        "category_uid": category_uid,
        "category_name": category_name,
        "class_uid": class_uid,
        "class_name": class_name,
        "type_uid": class_uid.saturating_mul(100).saturating_add(activity_id),
        "time": time(record),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "count": line.count.unwrap_or(1),
        "message": line.sentence,
        "metadata": {
            "version": VERSION,
            "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION") },
            "log_name": record.origin,
            "uid": line.index.to_string(),
            "sequence": line.index,
            "event_code": format!("{}.{}", line.action.code(), line.resource.code()),
            "correlation_uid": line.request,
        },
        "unmapped": unmapped(record),
    });
    if let Some(members) = event.as_object_mut() {
        for (name, value) in of_class(record, class) {
            members.insert(name.to_owned(), value);
        }
    }
    event
}
