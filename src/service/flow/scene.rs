//! One attempt: on one pathway behind its gate, or at a desk that touches none; and what the record will say of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Asked, Call, SignedIn};
use crate::access::{Actor, CharterBook, Gate};
use crate::audit::lane::CheckKind;
use crate::audit::{Sealed, VersionCheck};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::domain::record::{RecordDraft, RetentionClass, RowRef, TrailEntry};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::PathwayId;
use crate::service::{App, ServiceError};
use crate::store::Snapshot;
use crate::store::fact::Pen;

/// One attempt on one pathway: the gate, the snapshot, and what the record will say.
pub struct Scene<'a> {
    pub app: &'a App,
    pub gate: Gate<'a>,
    pub snapshot: &'a mut Snapshot,
    /// The pathway's key, to seal what is about to be written.
    pub key: &'a DataKey,
    pub signed_in: &'a SignedIn,
    pub now: Timestamp,
    /// Rows that the answer returns.
    pub returned: Vec<RowRef>,
    /// The purpose of the request, when it has one.
    pub purpose: Option<Purpose>,
    /// Categories that the request concerns, beside those that the gate opened.
    pub categories: BTreeSet<Category>,
    /// Why, in the words of the actor (sealed detail only).
    pub motive: Option<String>,
    /// What the permit obliges to.
    pub obligations: Vec<&'static str>,
    /// What the answer rests on beside the decisions: codes, ids and numbers, never words.
    pub cites: Vec<String>,
}

impl<'a> Scene<'a> {
    /// What the actor writes the facts of this pathway with. It holds nothing of the scene itself.
    pub fn pen(&self) -> Pen<'a> {
        Pen {
            key: self.key,
            chance: self.app.chance(),
            pathway: &self.gate.facts().id,
            at: self.now,
            by: &self.gate.actor().assignment().id,
        }
    }

    /// Seals a view made of facts only (ids, codes, dates, directory entries): it too waits for its record.
    pub const fn seal_facts<T>(&self, view: T) -> Sealed<T> {
        Sealed::seal(view)
    }
}

/// A request that touches no pathway.
pub struct Desk<'a> {
    pub app: &'a App,
    pub snapshot: &'a mut Snapshot,
    pub book: &'a CharterBook,
    pub signed_in: &'a SignedIn,
    pub now: Timestamp,
    pub returned: Vec<RowRef>,
    pub motive: Option<String>,
    /// What the record says of the answer: codes, numbers and digests, never words.
    pub cites: Vec<String>,
    /// The pathway that this change opens, with its new key: the record names it.
    pub opened: Option<(PathwayId, DataKey)>,
}

impl Desk<'_> {
    /// DESIGN §7: a form carries its assignment; a mismatch is 409.
    pub(super) fn same_form(&self, call: &Call) -> Result<(), ServiceError> {
        match (&call.assignment, &self.signed_in.session.assignment) {
            (Some(form), now) if now.as_ref() != Some(form) => Err(ServiceError::Conflict),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// What one attempt came to, before anything is handed to the lane.
pub(super) struct Staged<R> {
    pub draft: RecordDraft,
    /// Under which the detail of the record is sealed.
    pub key: Option<Arc<DataKey>>,
    pub outcome: Result<R, ServiceError>,
    pub checks: Vec<VersionCheck>,
    pub valid_until: Timestamp,
    /// Whether the asker passed the gate, so that what failed afterwards is a matter of meaning.
    pub passed: bool,
}

impl<R> Staged<R> {
    fn refused(draft: RecordDraft, checks: Vec<VersionCheck>, end: Timestamp, error: ServiceError) -> Self {
        Self { draft, key: None, outcome: Err(error), checks, valid_until: end, passed: false }
    }
}

/// The cells that decided, under the matrix that the record cites. In a transition, that of the transition.
fn cite_clauses(draft: &mut RecordDraft, book: &CharterBook, actor: &Actor, now: Timestamp) {
    let Some(matrix) = book.explaining(actor.assignment(), now) else { return };
    let clauses: BTreeSet<String> = draft
        .trail
        .iter()
        .filter_map(|entry| entry.facts)
        .map(|f| {
            let clause = matrix.clause(f.recipient_profession, f.recipient_secrecy, f.category);
            format!(
                "{}.{}.{}={clause}",
                f.recipient_profession.code(),
                f.recipient_secrecy.code(),
                f.category.code()
            )
        })
        .collect();
    draft.clauses = clauses.into_iter().collect();
}

/// Every distinct reason of a trail.
fn reasons_of(trail: &[TrailEntry]) -> Vec<crate::domain::cell::Reason> {
    let reasons: BTreeSet<_> = trail.iter().map(|t| t.reason).collect();
    reasons.into_iter().collect()
}

impl App {
    pub(in crate::service) fn charter_check(book: &CharterBook) -> VersionCheck {
        VersionCheck { kind: CheckKind::Charter, id: "charter".to_owned(), version: book.version() }
    }

    /// Locates the pathway, runs `work` behind its gate, and completes the draft with what the gate heard.
    pub(super) fn on_scene<R>(
        &self,
        asked: &Asked<'_>,
        pathway: &PathwayId,
        snapshot: &mut Snapshot,
        work: impl FnOnce(&mut Scene<'_>) -> Result<R, ServiceError>,
    ) -> Staged<R> {
        let (signed_in, now) = (asked.signed_in, asked.now);
        let book = self.book(snapshot);
        let mut draft = Self::draft(asked, book.as_deref().ok());
        // The attempt is told with what was asked for, whether or not there is such a pathway.
        draft.pathway = Some(pathway.clone());
        let mut checks = signed_in.checks();
        let end = signed_in.ends();
        macro_rules! or_end {
            ($e:expr) => {
                match $e {
                    Ok(v) => v,
                    Err(e) => return Staged::refused(draft, checks, end, e.into()),
                }
            };
        }
        let actor = or_end!(signed_in.actor());
        if asked.call.assignment.as_ref().is_some_and(|a| *a != actor.assignment().id) {
            return Staged::refused(draft, checks, end, ServiceError::Conflict);
        }
        let book = or_end!(book);
        // THREAT: existence oracle. Absent goes through the same record and the same answer as refused.
        let Some(facts) = or_end!(snapshot.pathway_facts(pathway)) else {
            return Staged::refused(draft, checks, end, ServiceError::AbsentOrRefused);
        };
        let key = or_end!(snapshot.pathway_key(pathway));
        checks.push(VersionCheck {
            kind: CheckKind::Pathway,
            id: pathway.as_str().to_owned(),
            version: facts.version,
        });
        checks.push(Self::charter_check(&book));
        let mut scene = Scene {
            app: self,
            gate: Gate::new(actor, &facts, &book, now),
            snapshot,
            key: &key,
            signed_in,
            now,
            returned: Vec::new(),
            purpose: None,
            categories: BTreeSet::new(),
            motive: None,
            obligations: Vec::new(),
            cites: Vec::new(),
        };
        let outcome = work(&mut scene);
        draft.returned = std::mem::take(&mut scene.returned);
        draft.purpose = scene.purpose;
        draft.motive = scene.motive.take();
        draft.obligations = std::mem::take(&mut scene.obligations);
        draft.categories = std::mem::take(&mut scene.categories);
        let cites = std::mem::take(&mut scene.cites);
        let valid_until = scene.gate.valid_until().min(end);
        let (trail, categories, basis) = scene.gate.into_trail();
        draft.categories.extend(categories);
        draft.basis = basis;
        draft.basis.extend(cites);
        draft.reasons = reasons_of(&trail);
        draft.trail = trail;
        cite_clauses(&mut draft, &book, actor, now);
        // LAW §6: a list that opened subjects of the young person is a disclosure, and is kept like one.
        if !draft.categories.is_empty() {
            draft.retention = RetentionClass::Disclosure;
        }
        let passed = draft.trail.iter().any(|entry| entry.permitted);
        Staged { draft, key: Some(key), outcome, checks, valid_until, passed }
    }

    /// Runs `work` at a desk. The second answer is the pathway that the work opens, with its key.
    pub(super) fn on_desk<R>(
        &self,
        asked: &Asked<'_>,
        snapshot: &mut Snapshot,
        work: impl FnOnce(&mut Desk<'_>) -> Result<R, ServiceError>,
    ) -> (Staged<R>, Option<(PathwayId, DataKey)>) {
        let signed_in = asked.signed_in;
        let book = self.book(snapshot);
        let mut draft = Self::draft(asked, book.as_deref().ok());
        let mut checks = signed_in.checks();
        let end = signed_in.ends();
        let book = match book {
            Ok(book) => book,
            Err(e) => return (Staged::refused(draft, checks, end, e), None),
        };
        checks.push(Self::charter_check(&book));
        let mut desk = Desk {
            app: self,
            snapshot,
            book: &book,
            signed_in,
            now: asked.now,
            returned: Vec::new(),
            motive: None,
            cites: Vec::new(),
            opened: None,
        };
        let same_form = desk.same_form(asked.call);
        let passed = same_form.is_ok();
        let outcome = same_form.and_then(|()| work(&mut desk));
        draft.returned = std::mem::take(&mut desk.returned);
        draft.motive = desk.motive.take();
        draft.basis = std::mem::take(&mut desk.cites);
        let opened = desk.opened.take();
        (Staged { draft, key: None, outcome, checks, valid_until: end, passed }, opened)
    }
}
