//! A record as a FHIR R4 (4.0.1) AuditEvent, on the patterns of IHE « Basic Audit Log Patterns »: who asked, from which
//! application, about which person, under which request.
//!
//! It names no profile: this service is no FHIR server, and claims nothing that a validator of IHE has not confirmed.
//! Identifiers live under the log's own name: pseudonyms of one instance mean nothing elsewhere.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Deed, Leaving};
use crate::domain::record::Verdict;

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const REST: &str = "http://hl7.org/fhir/restful-interaction";
const EVENT: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

/// Type, subtype and action letter.
fn kind(deed: Deed) -> (Value, Value, &'static str) {
    let rest = || coding(EVENT, "rest", "RESTful Operation");
    let signing = || coding(DICOM, "110114", "User Authentication");
    match deed {
        Deed::Read => (rest(), coding(REST, "read", "read"), "R"),
        Deed::Query => (rest(), coding(REST, "search-type", "search-type"), "E"),
        Deed::Export => (coding(DICOM, "110106", "Export"), coding(REST, "operation", "operation"), "R"),
        Deed::Create => (rest(), coding(REST, "create", "create"), "C"),
        Deed::Update => (rest(), coding(REST, "update", "update"), "U"),
        Deed::Delete => (rest(), coding(REST, "delete", "delete"), "D"),
        Deed::SignIn => (signing(), coding(DICOM, "110122", "Login"), "E"),
        Deed::SignOut => (signing(), coding(DICOM, "110123", "Logout"), "E"),
    }
}

/// A closed word of ours as a concept.
fn own(record: &Leaving<'_>, list: &str, code: &str, french: &str) -> Value {
    coding(&format!("https://{}/{list}", record.origin), code, french)
}

fn agents(record: &Leaving<'_>) -> Vec<Value> {
    let line = &record.line;
    let application = |requestor: bool| {
        json!({
            "type": { "coding": [coding(DICOM, "110150", "Application")] },
            "who": { "type": "Device", "display": record.origin },
            "requestor": requestor,
        })
    };
    let Some(actor) = &line.actor else { return vec![application(true)] };
    let roles = [
        line.profession.map(|p| own(record, "profession", p.code(), p.french())),
        line.function.map(|f| own(record, "function", f.code(), f.french())),
        line.secrecy.map(|s| own(record, "secrecy", s.code(), s.french())),
    ];
    let roles: Vec<Value> = roles.into_iter().flatten().map(|c| json!({ "coding": [c] })).collect();
    let mut person = json!({
        "type": { "coding": [coding(PARTICIPATION, "IRCP", "information recipient")] },
        "who": {
            "type": "PractitionerRole",
            "identifier": { "system": format!("https://{}/actor", record.origin), "value": actor },
        },
        "requestor": true,
    });
    if let Some(members) = person.as_object_mut() {
        if !roles.is_empty() {
            members.insert("role".to_owned(), Value::Array(roles));
        }
        if !record.body.policy_hashes.is_empty() {
            let uri = |hash: &String| Value::String(format!("https://{}/charter/{hash}", record.origin));
            members.insert("policy".to_owned(), record.body.policy_hashes.iter().map(uri).collect());
        }
    }
    let mut agents = vec![person];
    if let Some(organisation) = &line.organisation {
        agents.push(json!({
            "who": {
                "type": "Organization",
                "identifier": {
                    "system": format!("https://{}/organisation", record.origin),
                    "value": organisation.id.as_str(),
                },
                "display": organisation.name,
            },
            "requestor": false,
        }));
    }
    agents.push(application(false));
    agents
}

fn entities(record: &Leaving<'_>) -> Vec<Value> {
    let line = &record.line;
    let detail = |kind: &str, value: &str| json!({ "type": kind, "valueString": value });
    let mut details = vec![detail("leaf_hash", &BASE64.encode(&record.leaf_hash))];
    details.extend(line.categories.iter().map(|c| detail("category", c.code())));
    details.extend(line.reasons.iter().map(|r| detail("reason", r.code())));
    details.push(detail("objects", &line.objects.to_string()));
    if let Some(count) = line.count {
        details.push(detail("count", &count.to_string()));
    }
    let record_id = format!("https://{}/record", record.origin);
    let mut entities = vec![json!({
        "what": { "identifier": { "system": record_id, "value": line.index.to_string() } },
        "type": coding(ENTITY, "2", "System Object"),
        "role": coding(ROLE, "4", "Domain Resource"),
        "name": line.resource.code(),
        "description": line.resource.french(),
        "detail": details,
    })];
    if let Some(pathway) = &line.pathway {
        entities.push(json!({
            "what": {
                "type": "Patient",
                "identifier": { "system": format!("https://{}/pathway", record.origin), "value": pathway },
            },
            "type": coding(ENTITY, "1", "Person"),
            "role": coding(ROLE, "1", "Patient"),
        }));
    }
    entities.push(json!({
        "what": { "identifier": { "value": line.request } },
        "type": { "system": BALP_ENTITY, "code": "XrequestId" },
    }));
    entities
}

/// The resource.
pub(super) fn audit_event(record: &Leaving<'_>) -> Value {
    let line = &record.line;
    let (kind, subtype, action) = kind(Deed::of(line.action));
    let outcome = match line.decision {
        Verdict::Permit => "0",
        Verdict::Deny => "4",
        Verdict::Failed => "8",
    };
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("record-{}", line.index),
        "type": kind,
        "subtype": [subtype, own(record, "action", line.action.code(), line.action.french())],
        "action": action,
        "recorded": line.at,
        "outcome": outcome,
        "outcomeDesc": line.sentence,
        "agent": agents(record),
        "source": {
            "observer": {
                "type": "Device",
                "identifier": { "system": "urn:ietf:rfc:3986", "value": format!("https://{}", record.origin) },
                "display": record.origin,
            },
            "type": [coding(SOURCE, "4", "Application Server")],
        },
        "entity": entities(record),
    });
    if let (Some(purpose), Some(members)) = (line.purpose, event.as_object_mut()) {
        let concept = json!([{ "coding": [own(record, "purpose", purpose.code(), purpose.french())] }]);
        members.insert("purposeOfEvent".to_owned(), concept);
    }
    event
}
