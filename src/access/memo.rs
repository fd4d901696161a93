//! What one request has already worked out on one pathway. Three hundred items of one author ask the same few
//! questions; each is answered once.
//!
//! INVARIANT: a memo belongs to one set of facts, one book and one moment ([`super::Gate`] owns it). A place that is
//! not one of these facts (a future place, somebody asked about) is judged anew each time.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::existence::{hidden_from, reads_every_existence};
use super::facts::{ParticipationFacts, PathwayFacts};
use super::item::named_in_force;
use super::standing::CharterBook;
use crate::clock::Timestamp;
use crate::domain::accord::{AccordQuery, FactAnswer, Line, accord_fact};
use crate::domain::cell::Need;
use crate::domain::release::{ReleaseAnswer, ReleaseQuery, released};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{AssignmentId, ItemVersionId, ParticipationId};

/// Reader, subject, purpose, and the version when some sheet shows its words.
type Asked = (AssignmentId, Category, Purpose, Option<ItemVersionId>);

#[derive(Default)]
pub(super) struct Memo {
    named: RefCell<HashMap<ParticipationId, bool>>,
    hidden: RefCell<HashMap<(ParticipationId, ParticipationId), bool>>,
    every: RefCell<HashMap<ParticipationId, bool>>,
    accords: RefCell<HashMap<(Asked, Need), FactAnswer>>,
    releases: RefCell<HashMap<Asked, ReleaseAnswer>>,
    shown: OnceCell<HashSet<ItemVersionId>>,
}

fn once<K: Eq + Hash, V: Clone>(
    kept: &RefCell<HashMap<K, V>>,
    key: Option<K>,
    work: impl FnOnce() -> V,
) -> V {
    let Some(key) = key else { return work() };
    if let Some(found) = kept.borrow().get(&key) {
        return found.clone();
    }
    let found = work();
    kept.borrow_mut().insert(key, found.clone());
    found
}

/// The id of a place that is one of these facts, the very same value.
fn own(facts: &PathwayFacts, p: &ParticipationFacts) -> Option<ParticipationId> {
    facts.participations.iter().any(|x| std::ptr::eq(x, p)).then(|| p.id.clone())
}

impl Memo {
    pub(super) fn named(&self, facts: &PathwayFacts, p: &ParticipationFacts, now: Timestamp) -> bool {
        once(&self.named, own(facts, p), || named_in_force(facts, p, now))
    }

    pub(super) fn hidden(
        &self,
        facts: &PathwayFacts,
        book: &CharterBook,
        reader: &ParticipationFacts,
        other: &ParticipationFacts,
        now: Timestamp,
    ) -> bool {
        let key = own(facts, reader).zip(own(facts, other));
        once(&self.hidden, key, || hidden_from(facts, book, reader, other, now))
    }

    pub(super) fn reads_every_existence(
        &self,
        facts: &PathwayFacts,
        book: &CharterBook,
        reader: &ParticipationFacts,
        now: Timestamp,
    ) -> bool {
        once(&self.every, own(facts, reader), || reads_every_existence(facts, book, reader, now))
    }

    /// The versions that some sheet shows: for every other one, an accord says the same whatever the version.
    fn shown(&self, facts: &PathwayFacts) -> &HashSet<ItemVersionId> {
        self.shown.get_or_init(|| {
            let accords = facts.accords.iter().flat_map(|a| a.facts().lines());
            let releases = facts.releases.iter().map(|r| r.facts().line());
            accords.chain(releases).flat_map(|l: &Line| l.shown.iter().map(|s| s.version.clone())).collect()
        })
    }

    fn asked(
        &self,
        facts: &PathwayFacts,
        assignment: Option<&AssignmentId>,
        category: Category,
        purpose: Purpose,
        version: Option<&ItemVersionId>,
    ) -> Option<Asked> {
        let version = version.filter(|v| self.shown(facts).contains(*v)).cloned();
        assignment.map(|a| (a.clone(), category, purpose, version))
    }

    pub(super) fn accord(&self, facts: &PathwayFacts, q: &AccordQuery<'_>, now: Timestamp) -> FactAnswer {
        let asked = self.asked(facts, q.assignment, q.category, q.purpose, q.item_version);
        once(&self.accords, asked.map(|a| (a, q.need)), || accord_fact(q, &facts.consent(), now))
    }

    pub(super) fn released(
        &self,
        facts: &PathwayFacts,
        q: &ReleaseQuery<'_>,
        now: Timestamp,
    ) -> ReleaseAnswer {
        let asked = self.asked(facts, q.assignment, q.category, q.purpose, Some(q.item_version));
        once(&self.releases, asked, || released(q, &facts.consent(), now))
    }
}
