//! The gate of one request on one pathway: it asks the decision, hands out grants, and remembers every decision for
//! the record. Nothing else can make a [`Grant`].

use std::collections::{BTreeMap, BTreeSet};

use super::actor::Actor;
use super::facts::{ItemFacts, ParticipationFacts, PathwayFacts, VersionFacts};
use super::item::{
    Decision, Failing, Mode, Question, decide as decide_item, decide_with as decide_item_with,
};
use super::memo::Memo;
use super::resource::{Resource, decide_with as decide_resource};
use super::standing::CharterBook;
use crate::clock::Timestamp;
use crate::domain::cell::{Reason, TableFacts};
use crate::domain::record::TrailEntry;
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{EmergencyId, ItemVersionId, PathwayId};

/// What a grant opens: one located thing, for one act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The words of one version.
    Version(ItemVersionId),
    /// Something that is not an item.
    Resource(Resource),
}

/// The answer "yes" of the decision, for one thing on one pathway. Not `Clone`; store methods consume it.
///
/// Nobody outside `access` can make one:
/// ```compile_fail,E0451
/// fn forge(p: relais::ids::PathwayId, r: relais::access::Resource) -> relais::access::Grant {
///     relais::access::Grant { pathway: p, target: relais::access::Target::Resource(r) }
/// }
/// ```
/// nor use one twice:
/// ```compile_fail,E0382
/// fn open(_: relais::access::Grant) {}
/// fn twice(g: relais::access::Grant) { open(g); open(g); }
/// ```
#[derive(Debug)]
pub struct Grant {
    pathway: PathwayId,
    target: Target,
}

impl Grant {
    #[must_use]
    pub const fn pathway(&self) -> &PathwayId {
        &self.pathway
    }

    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }
}

/// A grant for the words of one version, with what the view needs to say why.
///
/// It is no grant for anything else:
/// ```compile_fail,E0308
/// fn other_act(_: relais::access::Grant) {}
/// fn misuse(g: relais::access::ItemGrant) { other_act(g); }
/// ```
#[derive(Debug)]
pub struct ItemGrant {
    grant: Grant,
    decision: Decision,
}

impl ItemGrant {
    /// The version that may be read.
    #[must_use]
    pub const fn version(&self) -> Option<&ItemVersionId> {
        match &self.grant.target {
            Target::Version(id) => Some(id),
            Target::Resource(_) => None,
        }
    }

    #[must_use]
    pub const fn pathway(&self) -> &PathwayId {
        &self.grant.pathway
    }

    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }
}

/// The answer "no", with every reason.
#[derive(Clone, Debug, thiserror::Error)]
#[error("refused: {}", reason.code())]
pub struct Refusal {
    pub reason: Reason,
    pub failing: Vec<Failing>,
    /// Whether gate 3 names the asker for this thing, so that an explanation may replace the 404 (DESIGN §1).
    pub explainable: bool,
}

/// The decisions of one request on one pathway.
pub struct Gate<'a> {
    actor: &'a Actor,
    facts: &'a PathwayFacts,
    book: &'a CharterBook,
    participation: Option<&'a ParticipationFacts>,
    now: Timestamp,
    valid_until: Timestamp,
    trail: BTreeMap<(Option<TableFacts>, bool, Reason, Vec<Reason>), u32>,
    categories: BTreeSet<Category>,
    basis: BTreeSet<String>,
    memo: Memo,
}

impl<'a> Gate<'a> {
    #[must_use]
    pub fn new(actor: &'a Actor, facts: &'a PathwayFacts, book: &'a CharterBook, now: Timestamp) -> Self {
        let participation = facts.participation_of(&actor.assignment().id, now);
        Self {
            actor,
            facts,
            book,
            participation,
            now,
            // Everything that time alone turns on this pathway: who is named, who is hidden, which label is shown.
            valid_until: actor.session().expires_at.min(facts.next_turn(now)).min(book.next_change(now)),
            trail: BTreeMap::new(),
            categories: BTreeSet::new(),
            basis: BTreeSet::new(),
            memo: Memo::default(),
        }
    }

    #[must_use]
    pub const fn participation(&self) -> Option<&'a ParticipationFacts> {
        self.participation
    }

    #[must_use]
    pub const fn facts(&self) -> &'a PathwayFacts {
        self.facts
    }

    #[must_use]
    pub const fn book(&self) -> &'a CharterBook {
        self.book
    }

    #[must_use]
    pub const fn actor(&self) -> &'a Actor {
        self.actor
    }

    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    fn note(&mut self, decision: &Decision) {
        // A refusal's end matters as much as a permit's: both must be re-decided when time passes it.
        self.valid_until = self.valid_until.min(decision.valid_until);
        let failing: Vec<Reason> = decision.failing.iter().map(|f| f.reason).collect();
        let count =
            self.trail.entry((decision.facts, decision.permitted, decision.reason, failing)).or_insert(0);
        *count = count.saturating_add(1);
        if decision.permitted {
            self.basis.extend(decision.basis.iter().cloned());
        }
    }

    fn refusal(&self, decision: &Decision, explainable: bool) -> Refusal {
        Refusal { reason: decision.reason, failing: decision.failing.clone(), explainable }
    }

    /// May the actor read these words, for this purpose?
    ///
    /// # Errors
    /// [`Refusal`], already noted for the record.
    pub fn item(
        &mut self,
        item: &'a ItemFacts,
        version: &'a VersionFacts,
        purpose: Option<Purpose>,
    ) -> Result<ItemGrant, Refusal> {
        self.item_as(item, version, purpose, Mode::Read)
    }

    fn item_as(
        &mut self,
        item: &'a ItemFacts,
        version: &'a VersionFacts,
        purpose: Option<Purpose>,
        mode: Mode,
    ) -> Result<ItemGrant, Refusal> {
        let question = Question {
            facts: self.facts,
            book: self.book,
            assignment: self.actor.assignment(),
            participation: self.participation,
            asker: None,
            item,
            version,
            purpose,
            mode,
            now: self.now,
        };
        let decision = decide_item_with(&question, &self.memo);
        self.note(&decision);
        if !decision.permitted {
            let author = item.author_assignment == self.actor.assignment().id;
            return Err(self.refusal(&decision, author));
        }
        self.categories.insert(item.category);
        let target = Target::Version(version.id.clone());
        Ok(ItemGrant { grant: Grant { pathway: self.facts.id.clone(), target }, decision })
    }

    /// May the actor read these words under this opening in an emergency (S13)?
    ///
    /// # Errors
    /// [`Refusal`], already noted for the record.
    pub fn item_in_emergency(
        &mut self,
        item: &'a ItemFacts,
        version: &'a VersionFacts,
        opening: &EmergencyId,
    ) -> Result<ItemGrant, Refusal> {
        self.item_as(item, version, None, Mode::Emergency { opening: opening.clone() })
    }

    /// May the actor reach this thing that is not an item?
    ///
    /// # Errors
    /// [`Refusal`], already noted for the record.
    pub fn resource(&mut self, resource: Resource) -> Result<Grant, Refusal> {
        let decision = decide_resource(
            self.facts,
            self.book,
            self.actor.assignment(),
            self.participation,
            &resource,
            self.now,
            &self.memo,
        );
        self.note(&decision);
        if !decision.permitted {
            // That one's own opening is over is told to its author, who alone reaches this reason.
            return Err(self.refusal(&decision, decision.reason == Reason::EmergencyEnded));
        }
        if matches!(
            resource,
            Resource::Identity | Resource::InvitedIdentity(_) | Resource::EmergencyIdentity(_)
        ) {
            self.categories.insert(Category::Identity);
        }
        Ok(Grant { pathway: self.facts.id.clone(), target: Target::Resource(resource) })
    }

    /// A decision about somebody else (preview): noted, never a grant.
    #[must_use]
    pub fn preview(&mut self, question: &Question<'_>) -> Decision {
        // What was worked out holds for these facts, this book and this moment only.
        let same = std::ptr::eq(question.facts, self.facts)
            && std::ptr::eq(question.book, self.book)
            && question.now == self.now;
        let decision = if same { decide_item_with(question, &self.memo) } else { decide_item(question) };
        self.note(&decision);
        decision
    }

    /// Until when everything decided here holds by time alone.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// The trail for the record, with the categories and bases of what was permitted.
    #[must_use]
    pub fn into_trail(self) -> (Vec<TrailEntry>, BTreeSet<Category>, Vec<String>) {
        let trail = self
            .trail
            .into_iter()
            .map(|((facts, permitted, reason, failing), objects)| TrailEntry {
                facts,
                permitted,
                reason,
                failing,
                objects,
            })
            .collect();
        (trail, self.categories, self.basis.into_iter().collect())
    }
}
