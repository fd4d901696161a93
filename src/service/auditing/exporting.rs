//! Records that leave in a form that other programs read: a table, JSON Lines, FHIR AuditEvent, OCSF.
//!
//! INVARIANT: an export is measured before it is given: how many records and which digest stand in its own record, which
//! is committed first. What is given is read again, piece by piece, and held against that digest: where the two differ
//! the answer breaks off before its end.
//! INVARIANT: no piece is longer than [`PIECE`] records, whatever the log: memory does not grow with the export.
//! INVARIANT: an export says what the auditor's lists say: pseudonyms, and times to the minute. The records as they were
//! hashed leave one by one with their receipts, or from the database by `relais audit export`.
//! LAW: L1121-1 code du travail, CNIL. Nothing here is sorted or summed by person.

use chrono::{Days, NaiveDate};
use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::{RecordLine, as_auditor, line, read_body};
use crate::audit::lane::{Job, Priority};
use crate::audit::tree::leaf_hash;
use crate::audit::{Disclosed, LaneError, LeafBody, Sealed};
use crate::clock::{Timestamp, plus_days};
use crate::crypto::hash::{Digest, Sha256};
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ExportFormat, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::spreadsheet;
use crate::ids::RequestId;
use crate::service::checkpoints::{broken, log_name};
use crate::service::{Act, App, Call, ServiceError};
use crate::store::organisation::Organisation;
use crate::store::{Snapshot, StoreError};

mod fhir;
mod ocsf;
mod table;

/// How many records a piece has at most.
pub const PIECE: i64 = 256;
/// How many days one export of the console covers at most: a quarter.
pub const MOST_EXPORTED_DAYS: u64 = 92;

/// What an auditor takes away.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportInput {
    pub format: ExportFormat,
    /// First day, in Paris.
    pub from: Day,
    /// Last day, in Paris; at most 92 days in all.
    pub until: Day,
}

/// The days of an export; without a limit where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportDays {
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
}

impl ExportDays {
    /// From one day to another, `most` in all; `what` is what covers them, as a sentence begins with it.
    ///
    /// # Errors
    /// A rule, where they are out of order or too many.
    pub(super) fn between(from: Day, until: Day, most: u64, what: &str) -> Result<Self, ServiceError> {
        let (from, until) = (from.date(), until.date());
        if until < from {
            return Err(ServiceError::rule(
                "days_out_of_order",
                "Le dernier jour est avant le premier : corrigez l'un des deux.",
            ));
        }
        let latest = from.checked_add_days(Days::new(most.saturating_sub(1)));
        if latest.is_none_or(|latest| until > latest) {
            let latest =
                latest.map_or_else(String::new, |l| format!(" : jusqu'au {} au plus", french_date(l)));
            return Err(ServiceError::rule(
                "too_many_days",
                format!(
                    "{what} couvre au plus {most} jours{latest}. Faites-en plusieurs, l'un après l'autre."
                ),
            ));
        }
        Ok(Self { from: Some(from), until: Some(until) })
    }

    /// The first moment of these days.
    pub(super) fn first(self) -> Option<Timestamp> {
        self.from.map(Timestamp::paris_midnight)
    }

    /// The first moment after them.
    pub(super) fn after(self) -> Option<Timestamp> {
        self.until.map(|day| plus_days(day, 1).map_or(Timestamp::MAX, Timestamp::paris_midnight))
    }
}

impl ExportInput {
    fn days(&self) -> Result<ExportDays, ServiceError> {
        ExportDays::between(self.from, self.until, MOST_EXPORTED_DAYS, "Un export")
    }
}

/// One record on its way out.
struct Leaving<'a> {
    line: RecordLine,
    body: &'a LeafBody,
    /// RFC 6962 leaf hash of the record as it stands in the log: what a receipt proves.
    leaf_hash: Digest,
    /// The log's name.
    origin: &'a str,
}

/// What was done, as other vocabularies know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Read,
    Query,
    Export,
    Create,
    Update,
    Delete,
    SignIn,
    SignOut,
}

impl Deed {
    const fn of(action: Action) -> Self {
        match action {
            Action::Read | Action::Print => Self::Read,
            Action::List | Action::Search | Action::Preview => Self::Query,
            Action::Export => Self::Export,
            Action::Create
            | Action::Share
            | Action::Invite
            | Action::Sign
            | Action::Refuse
            | Action::Withdraw
            | Action::Oppose
            | Action::Publish
            | Action::Attest
            | Action::AcceptGap => Self::Create,
            Action::Update
            | Action::End
            | Action::Accept
            | Action::Decline
            | Action::Confirm
            | Action::Maintain => Self::Update,
            Action::Erase | Action::Prune => Self::Delete,
            Action::SignIn => Self::SignIn,
            Action::SignOut => Self::SignOut,
        }
    }
}

/// An export: which records, in which form, and what they come to.
pub struct LogExport {
    format: ExportFormat,
    days: ExportDays,
    extent: Option<(i64, i64)>,
    organisations: Vec<Organisation>,
    origin: String,
    records: u64,
    digest: Digest,
}

impl LogExport {
    fn measure(
        snapshot: &mut Snapshot,
        format: ExportFormat,
        days: ExportDays,
    ) -> Result<Self, ServiceError> {
        let mut export = Self {
            format,
            days,
            extent: snapshot.log_extent(days.first(), days.after())?,
            organisations: snapshot.organisations()?,
            origin: log_name(snapshot)?.origin,
            records: 0,
            digest: [0; 32],
        };
        let mut digest = Sha256::default();
        let mut place = Some(Place::Head);
        while let Some(here) = place {
            let piece = export.piece(snapshot, here)?;
            digest.update(&piece.bytes);
            export.records = export.records.saturating_add(piece.records);
            place = piece.next;
        }
        export.digest = digest.finish();
        Ok(export)
    }

    /// What stands here, and where the next piece is.
    fn piece(&self, snapshot: &mut Snapshot, place: Place) -> Result<Piece, ServiceError> {
        let (first, last) = match (place, self.extent) {
            (Place::Head, extent) => {
                let bytes = match self.format {
                    ExportFormat::Csv => table::head(),
                    ExportFormat::Jsonl | ExportFormat::Fhir | ExportFormat::Ocsf => String::new(),
                };
                let next = extent.map(|(first, _)| Place::After(first.saturating_sub(1)));
                return Ok(Piece { bytes: bytes.into_bytes(), records: 0, next });
            }
            (Place::After(first), Some((_, last))) => (first, last),
            (Place::After(_), None) => return Ok(Piece::default()),
        };
        let rows = snapshot.log_slice(first, last, PIECE)?;
        let mut piece = Piece::default();
        for (index, text) in &rows {
            let body = read_body(text)?;
            let leaving = Leaving {
                line: line(*index, &body, &self.organisations)?,
                body: &body,
                leaf_hash: leaf_hash(text.as_bytes()),
                origin: &self.origin,
            };
            piece.bytes.extend_from_slice(self.written(&leaving)?.as_bytes());
            piece.records = piece.records.saturating_add(1);
        }
        piece.next = rows.last().filter(|(index, _)| *index < last).map(|(index, _)| Place::After(*index));
        Ok(piece)
    }

    fn written(&self, record: &Leaving<'_>) -> Result<String, ServiceError> {
        let json = match self.format {
            ExportFormat::Csv => return Ok(table::row(record)),
            ExportFormat::Jsonl => serde_json::to_string(&record.line),
            ExportFormat::Fhir => serde_json::to_string(&fhir::audit_event(record)),
            ExportFormat::Ocsf => serde_json::to_string(&ocsf::event(record)),
        };
        json.map(|text| text + "\n").map_err(ServiceError::internal)
    }

    /// What its own record says of it.
    fn cites(&self) -> Vec<String> {
        let day = |day: Option<NaiveDate>| day.map_or_else(|| "any".to_owned(), |d| d.to_string());
        vec![
            format!("form={}", self.format.code()),
            format!("from={}", day(self.days.from)),
            format!("until={}", day(self.days.until)),
            format!("records={}", self.records),
            format!("sha256={}", HEXLOWER.encode(&self.digest)),
        ]
    }

    /// How many records it has.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// SHA-256 of all its bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What a browser is told.
    #[must_use]
    pub const fn media(&self) -> &'static str {
        match self.format {
            ExportFormat::Csv => spreadsheet::MEDIA,
            ExportFormat::Jsonl | ExportFormat::Ocsf => "application/x-ndjson",
            ExportFormat::Fhir => "application/fhir+ndjson",
        }
    }

    /// A name for the file.
    #[must_use]
    pub fn file_name(&self) -> String {
        let day = |day: Option<NaiveDate>| day.map_or_else(String::new, |d| format!("-{d}"));
        let end = match self.format {
            ExportFormat::Csv => "csv",
            ExportFormat::Jsonl => "jsonl",
            ExportFormat::Fhir => "fhir.ndjson",
            ExportFormat::Ocsf => "ocsf.ndjson",
        };
        format!("journal{}{}.{end}", day(self.days.from), day(self.days.until))
    }
}

/// Where a reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first record.
    Head,
    /// After this one.
    After(i64),
}

/// A few records, written.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    records: u64,
    next: Option<Place>,
}

/// An export while it is given: only one whose record is committed can be read.
pub struct ExportReading {
    export: Disclosed<LogExport>,
    place: Option<Place>,
    digest: Sha256,
    records: u64,
}

impl ExportReading {
    /// From its beginning.
    #[must_use]
    pub fn new(export: Disclosed<LogExport>) -> Self {
        Self { export, place: Some(Place::Head), digest: Sha256::default(), records: 0 }
    }

    /// What is being given.
    #[must_use]
    pub fn export(&self) -> &LogExport {
        &self.export
    }
}

impl App {
    /// What leaves the log for these days, measured and recorded; it is then read by [`App::export_next`].
    ///
    /// # Errors
    /// [`ServiceError`]; days in the wrong order or too many are a rule.
    pub fn audit_export(
        &self,
        call: &Call,
        act: Act,
        input: &ExportInput,
    ) -> Result<Disclosed<LogExport>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let export = LogExport::measure(desk.snapshot, input.format, input.days()?)?;
            desk.cites = export.cites();
            Ok(export)
        })
    }

    /// The same for whoever has the instance's key on the machine itself, any number of days; recorded too.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn export_here(
        &self,
        format: ExportFormat,
        days: ExportDays,
    ) -> Result<Disclosed<LogExport>, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let export = LogExport::measure(&mut snapshot, format, days)?;
        drop(snapshot);
        let act = Act { action: Action::Export, resource: ResourceKind::LogExport };
        self.disclose_here(act, export.cites(), Sealed::seal(export))
    }

    /// Discloses to whoever has the instance's key, without a session; recorded as an act of the service.
    pub(in crate::service) fn disclose_here<T>(
        &self,
        act: Act,
        cites: Vec<String>,
        content: Sealed<T>,
    ) -> Result<Disclosed<T>, ServiceError> {
        let request = RequestId::random(self.chance())?;
        let mut draft =
            RecordDraft::new(request, RetentionClass::Disclosure, act.action, act.resource, Verdict::Permit);
        draft.basis = cites;
        let job = Job::new(self.prepare(&draft, None)?);
        let (disclosed, _) = self
            .lane
            .disclose_blocking(Priority::Session, job, content)
            .map_err(LaneError::widen::<StoreError>)?;
        Ok(disclosed)
    }

    /// The next piece of an export; `None` once all of it was given and agrees with what its record says.
    ///
    /// # Errors
    /// When the log cannot be read, or is no longer what was measured: what was given so far is then worth nothing.
    pub fn export_next(&self, reading: &mut ExportReading) -> Result<Option<Vec<u8>>, ServiceError> {
        while let Some(place) = reading.place {
            // One short snapshot for each piece: a slow reader keeps no old state of the database alive.
            let piece = reading.export.piece(&mut self.store.snapshot()?, place)?;
            reading.place = piece.next;
            reading.digest.update(&piece.bytes);
            reading.records = reading.records.saturating_add(piece.records);
            let whole = reading.place.is_some()
                || (reading.records == reading.export.records
                    && reading.digest.clone().finish() == reading.export.digest);
            // THREAT: records changed between the measure and the reading. The last piece is not given.
            if !whole {
                return Err(broken("the log is not what its export was measured on"));
            }
            if !piece.bytes.is_empty() {
                return Ok(Some(piece.bytes));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
