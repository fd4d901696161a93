//! What is erased because its time is over (LAW §6), each erasure with its record, without content.
//!
//! INVARIANT: an erasure and its record are one transaction; the record names rows, never words.
//! INVARIANT: what is due is worked out on a snapshot, and the pathway's version is compared in the lane: a stay that
//! is prolonged meanwhile is not cut short.
//!
//! Erased means: the ciphertext is gone from its row, and from the free pages and the write-ahead log of the file.
//! A backup keeps it until the backup expires (docs/operations.md).

use std::collections::BTreeMap;

use super::ServiceError;
use super::app::App;
use super::flow::IDLE_SECONDS;
use crate::audit::VersionCheck;
use crate::audit::lane::{CheckKind, Job, LaneError, Priority};
use crate::clock::Timestamp;
use crate::crypto::keyring::KeyOwner;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::domain::vocabulary::Category;
use crate::ids::{ItemVersionId, NoteId, PathwayId, RequestId};
use crate::store::kept_form::KEPT_SECONDS;
use crate::store::retention::{StayVersion, SweepBefore};
use crate::store::{Snapshot, StoreError, WriteTx};

const DAY: i64 = 24 * 3600;
/// LAW §6: the stay pack is kept seven days at most, whatever a charter says.
const STAY_DAYS: u32 = 7;
/// STORIES S1: « the health and practical items written for this stay ».
const STAY_SUBJECTS: &[Category] = &[Category::HealthMinimal, Category::Practical];
/// DESIGN §3.
const NOTE_DAYS: i64 = 30;
/// The text of a form under a session that ended less than a day ago may still be handed back (SECURITY §1).
const SESSION_KEPT: i64 = 2 * DAY;
/// Whoever comes late with a code is still told that it expired, not that it never was.
const INVITATION_KEPT: i64 = 30 * DAY;

/// How far a run came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub done: u64,
    /// Due, and left for the next run.
    pub left: u64,
}

impl Erased {
    fn add(&mut self, many: usize, outcome: Result<bool, ServiceError>) {
        let many = u64::try_from(many).unwrap_or(u64::MAX);
        match outcome {
            Ok(true) => self.done = self.done.saturating_add(many),
            // Another run, or another node, was first.
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "an erasure that is due could not be made");
                self.left = self.left.saturating_add(many);
            }
        }
    }
}

/// When what was written for a stay is to be erased: so many days after the latest end of the stays that were not over
/// when it was written. Without any such stay, or beside one whose end is not known, nothing is due.
fn stay_due(written: Timestamp, ends: &[Option<Timestamp>], days: u32) -> Option<Timestamp> {
    let mut latest = None;
    for end in ends {
        // An end that is not known may lie ahead: erasing could not be undone.
        let end = (*end)?;
        if end > written {
            latest = latest.max(Some(end));
        }
    }
    latest.map(|end: Timestamp| end.plus_seconds(i64::from(days).saturating_mul(DAY)))
}

/// The rows of one record.
struct Erasure<'a> {
    pathway: &'a PathwayId,
    resource: ResourceKind,
    motive: &'static str,
    categories: Vec<Category>,
    rows: Vec<RowRef>,
}

impl App {
    /// One erasure on one pathway with its record; false when somebody else was first.
    fn erase(
        &self,
        snapshot: &mut Snapshot,
        erasure: Erasure<'_>,
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<bool, ServiceError> {
        let pathway = erasure.pathway.clone();
        let Some(version) = snapshot.pathway_version(&pathway)? else { return Ok(false) };
        let key = match snapshot.key_of(&KeyOwner::Pathway(pathway.clone())) {
            Ok(key) => key,
            // With its key, everything of the pathway is erased already; the rows are taken away all the same.
            Err(StoreError::KeyDestroyed) => None,
            Err(e) => return Err(e.into()),
        };
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Disclosure,
            Action::Erase,
            erasure.resource,
            Verdict::Permit,
        );
        draft.pathway = Some(pathway.clone());
        draft.categories.extend(erasure.categories);
        draft.count = u32::try_from(erasure.rows.len()).ok();
        draft.written = erasure.rows;
        draft.motive = Some(erasure.motive.to_owned());
        // The key is destroyed: what closes with it is closed, and this record is the instance's.
        let record = self.prepare(&draft, key.as_ref().or(Some(self.store.instance_key())))?;
        let check = VersionCheck { kind: CheckKind::Pathway, id: pathway.as_str().to_owned(), version };
        let job = Job::new(record).checked(vec![check]);
        let done = self.lane().submit(Priority::Session, job, move |tx: &mut WriteTx, at| {
            step(tx, at)?;
            tx.pathway_touch(&pathway)
        });
        match done.wait() {
            Ok(_) => Ok(true),
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Erases the health and practical items written for stays that have been over for the charter's days.
    ///
    /// # Errors
    /// When what is due cannot be worked out. What could not be erased is counted, and left for the next run.
    pub fn erase_stay_items(&self, now: Timestamp) -> Result<Erased, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let book = self.book(&mut snapshot)?;
        let days = book
            .in_force(now)
            .map_or(STAY_DAYS, |e| e.charter.sheet().retention.stay_pack_days.min(STAY_DAYS));
        let mut by_pathway: BTreeMap<PathwayId, Vec<StayVersion>> = BTreeMap::new();
        for version in snapshot.stay_versions(STAY_SUBJECTS)? {
            by_pathway.entry(version.pathway.clone()).or_default().push(version);
        }
        drop(snapshot);
        let mut erased = Erased::default();
        for (pathway, versions) in by_pathway {
            let (many, outcome) = self.erase_stay_of(&pathway, &versions, days, now);
            erased.add(many, outcome);
        }
        self.forget_erased(erased)
    }

    /// Erases what is due of one pathway; how many versions that is, and whether it was done.
    fn erase_stay_of(
        &self,
        pathway: &PathwayId,
        versions: &[StayVersion],
        days: u32,
        now: Timestamp,
    ) -> (usize, Result<bool, ServiceError>) {
        // One snapshot per pathway: its version is then that of the very ends it is judged by.
        let read = || {
            let mut snapshot = self.store().snapshot()?;
            let ends: Vec<Option<Timestamp>> = snapshot
                .stay_ends(std::slice::from_ref(pathway))?
                .into_iter()
                .map(|stay| stay.ends_at)
                .collect();
            Ok::<_, ServiceError>((snapshot, ends))
        };
        let (mut snapshot, ends) = match read() {
            Ok(read) => read,
            Err(error) => return (versions.len(), Err(error)),
        };
        let due: Vec<&StayVersion> = versions
            .iter()
            .filter(|v| stay_due(v.created_at, &ends, days).is_some_and(|t| t <= now))
            .collect();
        if due.is_empty() {
            return (0, Ok(false));
        }
        let ids: Vec<ItemVersionId> = due.iter().map(|v| v.id.clone()).collect();
        let erasure = Erasure {
            pathway,
            resource: ResourceKind::Item,
            motive: "durée de conservation : le séjour est terminé",
            categories: due.iter().map(|v| v.category).collect(),
            rows: due
                .iter()
                .map(|v| RowRef { table: "item_version", id: v.id.as_str().to_owned(), version: v.number })
                .collect(),
        };
        let (on, many) = (pathway.clone(), ids.len());
        let outcome = self.erase(&mut snapshot, erasure, move |tx, at| tx.item_versions_erase(&on, &ids, at));
        (many, outcome)
    }

    /// Destroys the notes whose author's assignment has been over for thirty days.
    ///
    /// # Errors
    /// As [`App::erase_stay_items`].
    pub fn destroy_left_notes(&self, now: Timestamp) -> Result<Erased, ServiceError> {
        let before = now.plus_seconds(-NOTE_DAYS.saturating_mul(DAY));
        let mut by_pathway: BTreeMap<PathwayId, Vec<(NoteId, i64)>> = BTreeMap::new();
        for note in self.store().snapshot()?.left_notes(before)? {
            by_pathway.entry(note.pathway).or_default().push((note.id, note.version));
        }
        let mut erased = Erased::default();
        for (pathway, notes) in by_pathway {
            let mut snapshot = match self.store().snapshot() {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    erased.add(notes.len(), Err(error.into()));
                    continue;
                }
            };
            let ids: Vec<NoteId> = notes.iter().map(|(id, _)| id.clone()).collect();
            let erasure = Erasure {
                pathway: &pathway,
                resource: ResourceKind::Note,
                motive: "durée de conservation : l'affectation de l'auteur est terminée",
                categories: Vec::new(),
                rows: notes
                    .iter()
                    .map(|(id, version)| RowRef {
                        table: "note",
                        id: id.as_str().to_owned(),
                        version: *version,
                    })
                    .collect(),
            };
            let (on, many) = (pathway.clone(), ids.len());
            let outcome = self.erase(&mut snapshot, erasure, move |tx, _| tx.notes_destroy(&on, &ids));
            erased.add(many, outcome);
        }
        self.forget_erased(erased)
    }

    /// What was erased leaves the write-ahead log too; where a reader kept it there, that is left for the next sweep.
    fn forget_erased(&self, mut erased: Erased) -> Result<Erased, ServiceError> {
        if erased.done > 0 {
            erased.add(1, self.empty_journal().map(|()| false));
        }
        Ok(erased)
    }

    /// Empties the write-ahead log, whatever was erased since it last was.
    ///
    /// # Errors
    /// The database's; [`StoreError::StillInJournal`] while somebody reads.
    pub fn empty_journal(&self) -> Result<(), ServiceError> {
        Ok(self.store().forget_destroyed()?)
    }

    /// Takes away sessions that are over, codes that expired unused, and idempotency keys, counts of failures and texts
    /// kept for their author older than a day; one record, with how many of each. Nothing to take, nothing written.
    ///
    /// # Errors
    /// The database's, or the lane's.
    pub fn sweep(&self, now: Timestamp) -> Result<u64, ServiceError> {
        let before = SweepBefore {
            session_over: now.plus_seconds(-SESSION_KEPT),
            session_seen: now.plus_seconds(-SESSION_KEPT.saturating_add(IDLE_SECONDS)),
            invitation_expired: now.plus_seconds(-INVITATION_KEPT),
            idempotency: now.plus_seconds(-DAY),
            delay: now.plus_seconds(-DAY),
            kept_form: now.plus_seconds(-KEPT_SECONDS),
        };
        let swept = self.store().snapshot()?.sweepable(&before)?;
        if swept.total() == 0 {
            return Ok(0);
        }
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Technical,
            Action::Erase,
            ResourceKind::Instance,
            Verdict::Permit,
        );
        draft.count = u32::try_from(swept.total()).ok();
        draft.motive = Some(format!(
            "balayage : {} connexion(s), {} code(s), {} clé(s) d'idempotence, {} compte(s) d'échecs, {} texte(s) \
             gardé(s) pour leur auteur",
            swept.sessions, swept.invitations, swept.idempotency, swept.delays, swept.kept_forms
        ));
        let job = Job::new(self.prepare(&draft, None)?);
        let done = self.lane().submit(Priority::Session, job, move |tx: &mut WriteTx, _| tx.sweep(&before));
        match done.wait() {
            Ok(_) => Ok(swept.total()),
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Ok(0),
            Err(e) => Err(e.into()),
        }
    }
}
