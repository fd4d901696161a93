//! Tests of exports: what they hold, what they weigh, what their record says, and that they break off.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::audit::LeafBody;
use crate::clock::Clock;
use crate::crypto::hash::sha256;
use crate::domain::cell::Reason;
use crate::domain::record::{ActorStamp, TrailEntry};
use crate::domain::vocabulary::{Category, Function, Purpose, Secrecy};
use crate::ids::PathwayId;
use crate::service::testing::Territory;

const EXPORT: Act = Act { action: Action::Export, resource: ResourceKind::LogExport };

fn log_size(t: &Territory) -> u64 {
    t.app.store().snapshot().unwrap().log_frontier().unwrap().size()
}

fn last_body(t: &Territory) -> LeafBody {
    let last = i64::try_from(log_size(t) - 1).unwrap();
    LeafBody::parse(&t.app.store().snapshot().unwrap().log_body(last).unwrap().unwrap()).unwrap()
}

/// A record of somebody with everything that a record can say.
fn did(t: &Territory, name: &str, action: Action, resource: ResourceKind, verdict: Verdict) {
    let who = t.person(name);
    let request = RequestId::random(t.app.chance()).unwrap();
    let mut draft = RecordDraft::new(request, RetentionClass::Disclosure, action, resource, verdict);
    draft.actor = Some(ActorStamp {
        professional: who.professional.clone(),
        assignment: Some(who.assignment.clone()),
        organisation: Some(who.organisation.clone()),
        profession: Some(who.profession),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        session: None,
    });
    if action.shows_content() {
        draft.pathway = Some(PathwayId::random(t.app.chance()).unwrap());
        draft.categories = BTreeSet::from([Category::Schooling, Category::Leisure]);
        draft.purpose = Some(Purpose::Stay);
        draft.policy_hashes = vec!["ab".repeat(32)];
    }
    if verdict == Verdict::Deny {
        draft.reasons = vec![Reason::NotShared];
        draft.trail = vec![TrailEntry {
            facts: None,
            permitted: false,
            reason: Reason::NotShared,
            failing: vec![Reason::NotShared],
            objects: 2,
        }];
    }
    let record = t.app.prepare(&draft, Some(t.app.store().instance_key())).unwrap();
    t.app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
}

/// Every action and every kind of thing, permitted, refused and failed.
fn of_every_kind(t: &Territory) {
    let names = ["teacher", "referente", "nurse"];
    for (n, action) in Action::ALL.iter().enumerate() {
        let verdict = Verdict::ALL[n % Verdict::ALL.len()];
        did(t, names[n % names.len()], *action, ResourceKind::Item, verdict);
    }
    for resource in ResourceKind::ALL {
        did(t, "teacher", Action::Read, *resource, Verdict::Permit);
    }
    assert!(!t.app.count_anonymous(crate::service::Uncalled::SignInRefused));
    assert!(!t.app.count_anonymous(crate::service::Uncalled::NoSession));
    t.app.flush_anonymous(true).unwrap();
}

fn today(t: &Territory, format: ExportFormat) -> ExportInput {
    let day = Day::new(t.clock.now().paris_day()).unwrap();
    ExportInput { format, from: day, until: day }
}

/// All of an export, and how long its longest piece was, in records.
fn whole(t: &Territory, export: Disclosed<LogExport>) -> (String, u64) {
    let (mut reading, mut bytes, mut longest, mut before) = (ExportReading::new(export), Vec::new(), 0, 0);
    while let Some(piece) = t.app.export_next(&mut reading).unwrap() {
        longest = longest.max(reading.records - before);
        before = reading.records;
        bytes.extend(piece);
    }
    assert_eq!(sha256(&[&bytes]), *reading.export().digest());
    (String::from_utf8(bytes).unwrap(), longest)
}

fn exported(t: &Territory, format: ExportFormat) -> String {
    whole(t, t.app.audit_export(&t.call("auditor"), EXPORT, &today(t, format)).unwrap()).0
}

fn events(t: &Territory, format: ExportFormat) -> Vec<Value> {
    exported(t, format).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_is_itself_a_record_with_its_count_and_digest() {
    let t = Territory::new();
    of_every_kind(&t);
    let before = log_size(&t);
    let export = t.app.audit_export(&t.call("auditor"), EXPORT, &today(&t, ExportFormat::Csv)).unwrap();
    assert_eq!(log_size(&t), before + 1, "committed before anything is given");
    let body = last_body(&t);
    assert_eq!((body.action, body.resource), (Action::Export, ResourceKind::LogExport));
    let (table, _) = whole(&t, export);
    let rows = table.lines().count() - 1;
    assert!(body.basis.contains(&format!("records={rows}")), "{:?}", body.basis);
    let digest = HEXLOWER.encode(&sha256(&[table.as_bytes()]));
    assert!(body.basis.contains(&format!("sha256={digest}")) && body.basis.contains(&"form=csv".to_owned()));
}

#[test]
fn only_an_auditor_exports_and_for_a_quarter_at_most() {
    let t = Territory::new();
    let input = today(&t, ExportFormat::Jsonl);
    // The year's key of pseudonyms is made, and recorded, with the first disclosure.
    did(&t, "teacher", Action::Read, ResourceKind::Item, Verdict::Permit);
    for name in ["referente", "administrator", "pre_manager", "teacher"] {
        let before = log_size(&t);
        let refused = t.app.audit_export(&t.call(name), EXPORT, &input).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{name}");
        assert_eq!(log_size(&t), before + 1, "{name}");
    }
    let day = |text| Day::parse(text).unwrap();
    for (from, until, code) in
        [("2027-03-02", "2027-03-01", "days_out_of_order"), ("2027-01-01", "2027-04-03", "too_many_days")]
    {
        let input = ExportInput { format: ExportFormat::Csv, from: day(from), until: day(until) };
        let refused = t.app.audit_export(&t.call("auditor"), EXPORT, &input).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::Rule { code: c, .. }) if c == code), "{from} {until}");
    }
    let quarter =
        ExportInput { format: ExportFormat::Csv, from: day("2027-01-01"), until: day("2027-04-02") };
    let empty = t.app.audit_export(&t.call("auditor"), EXPORT, &quarter);
    assert!(empty.is_ok());
}

#[test]
fn an_export_streams_in_pieces_that_do_not_grow_with_the_log() {
    let t = Territory::new();
    for _ in 0..(2 * PIECE + 10) {
        did(&t, "teacher", Action::Read, ResourceKind::Item, Verdict::Permit);
    }
    let size = log_size(&t);
    let export = t.app.export_here(ExportFormat::Jsonl, ExportDays::default()).unwrap();
    assert_eq!(export.records(), size);
    let (text, longest) = whole(&t, export);
    assert_eq!(longest, u64::try_from(PIECE).unwrap());
    let indexes: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].as_u64().unwrap())
        .collect();
    assert!(indexes.iter().copied().eq(0..size), "each once, in order");
}

#[test]
fn threat_an_export_that_is_no_longer_what_was_measured_breaks_off_before_its_end() {
    let t = Territory::new();
    for _ in 0..(PIECE + 10) {
        did(&t, "teacher", Action::Read, ResourceKind::Item, Verdict::Permit);
    }
    let measured = |spoil: fn(&mut LogExport)| {
        let mut snapshot = t.app.store().snapshot().unwrap();
        let days = ExportDays::default();
        let mut export = LogExport::measure(&mut snapshot, ExportFormat::Jsonl, days).unwrap();
        drop(snapshot);
        spoil(&mut export);
        t.app.disclose_here(EXPORT, export.cites(), Sealed::seal(export)).unwrap()
    };
    let spoils: [fn(&mut LogExport); 2] = [|e| e.digest[0] ^= 1, |e| e.records += 1];
    for spoil in spoils {
        let mut reading = ExportReading::new(measured(spoil));
        let mut given = 0;
        let ended = loop {
            match t.app.export_next(&mut reading) {
                Ok(Some(piece)) => given += piece.iter().filter(|b| **b == b'\n').count(),
                other => break other,
            }
        };
        assert!(matches!(ended, Err(ServiceError::Internal(_))));
        assert_eq!(given, usize::try_from(PIECE).unwrap(), "the last piece was not given");
    }
}

#[test]
fn threat_no_export_has_a_name_a_second_or_a_formula() {
    let t = Territory::new();
    of_every_kind(&t);
    for format in ExportFormat::ALL {
        let text = exported(&t, *format);
        for name in ["teacher", "referente", "nurse", "auditor"] {
            let who = t.person(name);
            for secret in [who.professional.as_str(), who.assignment.as_str()] {
                assert!(!text.contains(secret), "{format}: {name}");
            }
        }
    }
    for line in exported(&t, ExportFormat::Csv).lines().skip(1) {
        for cell in line.split(';') {
            assert!(cell.starts_with('"') && !cell.starts_with("\"=") && !cell.starts_with("\"+"), "{cell}");
        }
    }
    assert!(events(&t, ExportFormat::Fhir).iter().all(|e| e["recorded"].as_str().unwrap().ends_with(":00Z")));
    assert!(events(&t, ExportFormat::Ocsf).iter().all(|e| e["time"].as_i64().unwrap() % 60_000 == 0));
}

/// HL7 FHIR R4 (4.0.1), <https://hl7.org/fhir/R4/auditevent.html>, resource content: the elements of cardinality 1..1 and
/// 1..*, each with the type that its JSON has. A path goes through every member of a list.
const FHIR_REQUIRED: [(&str, &str); 9] = [
    ("resourceType", "string"),
    ("type", "object"),
    ("recorded", "string"),
    ("agent", "array"),
    ("agent.requestor", "boolean"),
    ("source", "object"),
    ("source.observer", "object"),
    ("entity.detail.type", "string"),
    ("entity.detail.valueString", "string"),
];

/// OCSF 1.3.0, <https://schema.ocsf.io/1.3.0>: attributes whose requirement is « required », of the base event and of the
/// objects in it, then of each class.
const OCSF_REQUIRED: [(&str, &str); 9] = [
    ("activity_id", "number"),
    ("category_uid", "number"),
    ("class_uid", "number"),
    ("type_uid", "number"),
    ("severity_id", "number"),
    ("time", "number"),
    ("metadata.version", "string"),
    ("metadata.product.vendor_name", "string"),
    ("metadata", "object"),
];
const OCSF_API_ACTIVITY: [(&str, &str); 3] =
    [("actor", "object"), ("api.operation", "string"), ("src_endpoint", "object")];
const OCSF_ENTITY_MANAGEMENT: [(&str, &str); 1] = [("entity", "object")];
/// Its constraint asks for one of `service` and `dst_endpoint` too.
const OCSF_AUTHENTICATION: [(&str, &str); 2] = [("user", "object"), ("service", "object")];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What stands at the end of a path, in every member of the lists on the way; nothing behind what is left out.
fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let Some((first, rest)) = path.split_once('.') else { return vec![&value[path]] };
    match &value[first] {
        Value::Null => Vec::new(),
        Value::Array(many) => many.iter().flat_map(|one| at(one, rest)).collect(),
        one => at(one, rest),
    }
}

fn has(event: &Value, required: &[(&str, &str)]) {
    for (path, wanted) in required {
        let found = at(event, path);
        assert!(!found.is_empty(), "{path}: {event}");
        assert!(found.iter().all(|v| kind(v) == *wanted), "{path} is not {wanted}: {event}");
    }
}

#[test]
fn every_record_is_a_fhir_r4_audit_event_with_its_required_elements() {
    let t = Territory::new();
    of_every_kind(&t);
    let events = events(&t, ExportFormat::Fhir);
    assert!(events.len() > Action::ALL.len() + ResourceKind::ALL.len());
    let (mut outcomes, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for event in &events {
        has(event, &FHIR_REQUIRED);
        assert_eq!(event["resourceType"], "AuditEvent");
        // Required bindings: audit-event-action and audit-event-outcome.
        let (action, outcome) = (event["action"].as_str().unwrap(), event["outcome"].as_str().unwrap());
        assert!("CRUDE".contains(action) && ["0", "4", "8", "12"].contains(&outcome), "{event}");
        outcomes.insert(outcome);
        actions.insert(action);
        // BALP: exactly one agent asked; a request id; a person where there is a pathway.
        let asked = event["agent"].as_array().unwrap().iter().filter(|a| a["requestor"] == true).count();
        assert_eq!(asked, 1, "{event}");
        let entities = event["entity"].as_array().unwrap();
        assert!(entities.iter().any(|e| e["type"]["code"] == "XrequestId"), "{event}");
        let codings = [&event["type"], &event["subtype"][0], &event["source"]["type"][0]];
        assert!(codings.iter().all(|c| kind(&c["system"]) == "string" && kind(&c["code"]) == "string"));
        let id = event["id"].as_str().unwrap();
        assert!(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
    }
    assert_eq!((outcomes.len(), actions.len()), (3, 5), "{outcomes:?} {actions:?}");
    let with_person = events.iter().find(|e| {
        let entities = e["entity"].as_array().unwrap();
        entities.iter().any(|e| e["role"]["code"] == "1" && e["type"]["code"] == "1")
    });
    assert!(with_person.unwrap()["purposeOfEvent"][0]["coding"][0]["code"] == "stay");
}

#[test]
fn every_record_is_an_ocsf_event_with_the_required_attributes_of_its_class() {
    let t = Territory::new();
    of_every_kind(&t);
    let mut classes = BTreeSet::new();
    for event in events(&t, ExportFormat::Ocsf) {
        has(&event, &OCSF_REQUIRED);
        let class = event["class_uid"].as_u64().unwrap();
        let (category, activities) = match class {
            6003 => {
                has(&event, &OCSF_API_ACTIVITY);
                (6, 1..=4)
            }
            3004 => {
                has(&event, &OCSF_ENTITY_MANAGEMENT);
                (3, 1..=4)
            }
            3002 => {
                has(&event, &OCSF_AUTHENTICATION);
                (3, 1..=2)
            }
            other => panic!("class {other}"),
        };
        let activity = event["activity_id"].as_u64().unwrap();
        assert_eq!(event["category_uid"], category, "{event}");
        assert!(activities.contains(&activity), "{event}");
        assert_eq!(event["type_uid"].as_u64().unwrap(), class * 100 + activity, "{event}");
        classes.insert(class);
    }
    assert_eq!(classes, BTreeSet::from([3002, 3004, 6003]));
}
