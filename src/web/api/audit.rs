//! The auditor's routes, « qui a consulté » of the référent, and everybody's own acts with their receipts.

use crate::domain::day::Month;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::{ParticipationId, PathwayId};
use crate::service::{
    App, Consistency, Consultations, ExportInput, LogState, MonthlyReport, OwnActs, RecordPage, RecordSearch,
    RecordWhole, ReviewInput, ReviewPage, ReviewSearch, ServiceError,
};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

const PLAIN: &str = "text/plain; charset=utf-8";

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route {
            method: Method::Post,
            path: "/api/v1/audit/records/search",
            door: Door::Session,
            action: Action::Search,
            resource: ResourceKind::AuditLog,
            summary: "Search the records of the log: no content, no names (auditor)",
            query: &[],
            body: Some(described::<RecordSearch>("RecordSearch")),
            answer: Some(described::<RecordPage>("RecordPage")),
            handle: search,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/records/{index}",
            door: Door::Session,
            action: Action::Read,
            resource: ResourceKind::AuditLog,
            summary: "One record with its exact body (auditor)",
            query: &[],
            body: None,
            answer: Some(described::<RecordWhole>("RecordWhole")),
            handle: record,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/records/{index}/proof",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::AuditLog,
            summary: "The offline receipt of one record, which it carries, c2sp.org/tlog-proof (auditor)",
            query: &[],
            body: None,
            answer: None,
            handle: proof,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/checkpoint",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::Checkpoint,
            summary: "The signed checkpoint of the log, c2sp.org/tlog-checkpoint (auditor)",
            query: &[],
            body: None,
            answer: None,
            handle: checkpoint,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/consistency",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::Checkpoint,
            summary: "Proof that the log continues an earlier checkpoint (auditor)",
            query: &["from"],
            body: None,
            answer: Some(described::<Consistency>("Consistency")),
            handle: consistency,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/state",
            door: Door::Session,
            action: Action::Read,
            resource: ResourceKind::Checkpoint,
            summary: "Size, root and verifier key of the log (auditor)",
            query: &[],
            body: None,
            answer: Some(described::<LogState>("LogState")),
            handle: state,
        },
        Route {
            method: Method::Post,
            path: "/api/v1/audit/export",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::LogExport,
            summary: "The records of at most 92 days as CSV, JSON Lines, FHIR R4 AuditEvent or OCSF (auditor)",
            query: &[],
            body: Some(described::<ExportInput>("ExportInput")),
            answer: None,
            handle: export,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/reports/{month}",
            door: Door::Session,
            action: Action::Read,
            resource: ResourceKind::MonthlyReport,
            summary: "Figures of a month that is over: no content, no names, no small groups (auditor)",
            query: &[],
            body: None,
            answer: Some(described::<MonthlyReport>("MonthlyReport")),
            handle: report,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/audit/reports/{month}/note",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::MonthlyReport,
            summary: "The same as a text signed with the log's key, c2sp.org/signed-note (auditor)",
            query: &[],
            body: None,
            answer: None,
            handle: report_note,
        },
        Route {
            method: Method::Post,
            path: "/api/v1/audit/reviews/search",
            door: Door::Session,
            action: Action::Search,
            resource: ResourceKind::AccessReview,
            summary: "Emergency, statutory and out-of-hours accesses to look at (auditor)",
            query: &[],
            body: Some(described::<ReviewSearch>("ReviewSearch")),
            answer: Some(described::<ReviewPage>("ReviewPage")),
            handle: reviews,
        },
        Route {
            method: Method::Post,
            path: "/api/v1/audit/records/{index}/review",
            door: Door::Session,
            action: Action::Create,
            resource: ResourceKind::AccessReview,
            summary: "What an auditor finds on looking at one access (auditor)",
            query: &[],
            body: Some(described::<ReviewInput>("ReviewInput")),
            answer: None,
            handle: review,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/pathways/{pathway}/consultations",
            door: Door::Session,
            action: Action::Read,
            resource: ResourceKind::Consultations,
            summary: "Who opened content of a pathway, one line per person, day and purpose (référent)",
            query: &[],
            body: None,
            answer: Some(described::<Consultations>("Consultations")),
            handle: consultations,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/pathways/{pathway}/consultations/{index}/proof",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::Consultations,
            summary: "The offline receipt of one opening, with its record, for the family (référent)",
            query: &[],
            body: None,
            answer: None,
            handle: consultation_proof,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/participations/{participation}/consultations",
            door: Door::Session,
            action: Action::Read,
            resource: ResourceKind::Consultations,
            summary: "The same for a service whose taking part is hidden, of what is its business alone (its manager)",
            query: &[],
            body: None,
            answer: Some(described::<Consultations>("Consultations")),
            handle: consultations_of_service,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/participations/{participation}/consultations/{index}/proof",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::Consultations,
            summary: "The offline receipt of one of these openings, with its record, for the family (its manager)",
            query: &[],
            body: None,
            answer: None,
            handle: consultation_proof_of_service,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/me/acts",
            door: Door::Session,
            action: Action::List,
            resource: ResourceKind::AuditLog,
            summary: "What the asker did, latest first: what a receipt can be taken of",
            query: &["cursor"],
            body: None,
            answer: Some(described::<OwnActs>("OwnActs")),
            handle: own_acts,
        },
        Route {
            method: Method::Get,
            path: "/api/v1/me/acts/{index}/proof",
            door: Door::Session,
            action: Action::Export,
            resource: ResourceKind::AuditLog,
            summary: "The offline receipt of one of the asker's own acts, with its record",
            query: &[],
            body: None,
            answer: None,
            handle: own_proof,
        },
    ]
}

fn search(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let search: RecordSearch = incoming.json()?;
    Answer::disclosed(&app.audit_search(call, incoming.act, &search)?)
}

/// An index that does not read is answered like an absent one.
fn index(incoming: &Incoming) -> Result<u64, Fault> {
    incoming
        .path
        .get("index")
        .and_then(|text| text.parse().ok())
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

fn record(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    Answer::disclosed(&app.audit_record(call, incoming.act, index(incoming)?)?)
}

fn proof(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let proof = app.audit_proof(call, incoming.act, index(incoming)?)?;
    Ok(Answer::Text { media: PLAIN, body: proof.into_inner() })
}

fn checkpoint(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let checkpoint = app.audit_checkpoint(incoming.call()?, incoming.act)?;
    Ok(Answer::Text { media: PLAIN, body: checkpoint.into_inner() })
}

fn consistency(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    // Left out it reads as 0, which the service refuses with the sizes that it takes.
    let from = incoming.query("from", str::parse::<u64>)?.unwrap_or(0);
    Answer::disclosed(&app.audit_consistency(call, incoming.act, from)?)
}

fn state(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.audit_state(incoming.call()?, incoming.act)?)
}

fn export(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let input: ExportInput = incoming.json()?;
    Ok(Answer::export(app.audit_export(call, incoming.act, &input)?))
}

/// A month that does not read is answered like an absent one.
fn month(incoming: &Incoming) -> Result<Month, Fault> {
    let month = incoming.path.get("month").and_then(|text| Month::parse(text).ok());
    month.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

fn report(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    Answer::disclosed(&app.audit_report(call, incoming.act, month(incoming)?)?)
}

fn report_note(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let note = app.audit_report_note(call, incoming.act, month(incoming)?)?;
    Ok(Answer::Text { media: PLAIN, body: note.into_inner() })
}

fn reviews(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let search: ReviewSearch = incoming.json()?;
    Answer::disclosed(&app.audit_reviews(call, incoming.act, &search)?)
}

fn review(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let input: ReviewInput = incoming.json()?;
    Ok(Answer::created(app.audit_review(call, incoming.act, index(incoming)?, &input)?))
}

fn consultations(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    Answer::disclosed(&app.consultations(call, incoming.act, &pathway)?)
}

fn consultation_proof(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = incoming.id("pathway", PathwayId::parse)?;
    let proof = app.consultation_receipt(call, incoming.act, &pathway, index(incoming)?)?;
    Ok(Answer::Text { media: PLAIN, body: proof.into_inner() })
}

fn consultations_of_service(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let place = incoming.id("participation", ParticipationId::parse)?;
    Answer::disclosed(&app.consultations_of_service(call, incoming.act, &place)?)
}

fn consultation_proof_of_service(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let place = incoming.id("participation", ParticipationId::parse)?;
    let proof = app.consultation_receipt_of_service(call, incoming.act, &place, index(incoming)?)?;
    Ok(Answer::Text { media: PLAIN, body: proof.into_inner() })
}

fn own_acts(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    Answer::disclosed(&app.own_acts(call, incoming.act, incoming.query.get("cursor").map(String::as_str))?)
}

fn own_proof(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let proof = app.own_receipt(call, incoming.act, index(incoming)?)?;
    Ok(Answer::Text { media: PLAIN, body: proof.into_inner() })
}
