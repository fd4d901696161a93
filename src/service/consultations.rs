//! « Qui a consulté »: which openings of content there were on one pathway, for its référent, who hands them to the
//! family (DESIGN §4, S12).
//!
//! INVARIANT: neither accesses by a participation that is hidden from the référent, nor readings of what such a
//! participation wrote or shared, leave a trace here: not in a line, nor in a category, nor in a count.
//! INVARIANT: a line is one person, day and purpose, without name and without hour.
//! It tells nothing of refusals: a refusal is not an opening.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::auditing::OrganisationName;
use super::receipts::record_ref;
use super::{Act, App, Call, Scene, ServiceError, detail_place};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{CharterBook, Resource, may_know};
use crate::audit::json::{Value, parse};
use crate::audit::{Disclosed, LeafBody};
use crate::clock::Timestamp;
use crate::domain::cell::{Reason, StatuteFact};
use crate::domain::record::{Action, RetentionClass, Verdict};
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::{AssignmentId, ItemVersionId, OrganisationId, ParticipationId, PathwayId};

/// One person, one day, one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ConsultationLine {
    /// The day in Paris.
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    pub organisation: OrganisationName,
    pub profession: Profession,
    pub purpose: Option<Purpose>,
    pub categories: Vec<Category>,
    /// The records whose receipts can be taken away for the family: those that concern nothing hidden from the référent.
    pub receipts: Vec<u64>,
}

/// Who opened content of a pathway, latest day first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Consultations {
    pub items: Vec<ConsultationLine>,
}

/// What the sealed detail of a record says that this view needs.
pub(super) struct Detail {
    assignment: AssignmentId,
    pub(super) versions: Vec<ItemVersionId>,
}

pub(super) fn unreadable() -> ServiceError {
    ServiceError::Internal("the detail of a record does not read back".to_owned())
}

/// Reads a detail; `None` when nobody with an assignment acted.
pub(super) fn read_detail(text: &str) -> Result<Option<Detail>, ServiceError> {
    let Value::Map(members) = parse(text).map_err(|_| unreadable())? else { return Err(unreadable()) };
    let mut assignment = None;
    let mut versions = Vec::new();
    for (key, value) in &members {
        match (key.as_ref(), value) {
            ("assignment", Value::Text(id)) => {
                assignment = Some(AssignmentId::parse(id).map_err(|_| unreadable())?);
            }
            ("returned", Value::List(rows)) => {
                for row in rows {
                    let Value::List(row) = row else { return Err(unreadable()) };
                    let [Value::Text(table), Value::Text(id), _] = row.as_slice() else {
                        return Err(unreadable());
                    };
                    if table == "item_version" {
                        versions.push(ItemVersionId::parse(id).map_err(|_| unreadable())?);
                    }
                }
            }
            _other_member => {}
        }
    }
    Ok(assignment.map(|assignment| Detail { assignment, versions }))
}

/// What the référent may know.
struct Eyes<'a> {
    facts: &'a PathwayFacts,
    book: &'a CharterBook,
    referent: &'a ParticipationFacts,
    now: Timestamp,
}

impl Eyes<'_> {
    fn knows(&self, p: &ParticipationFacts) -> bool {
        may_know(self.facts, self.book, self.referent, p, self.now)
    }

    /// Every place that the reader has or had here is known; somebody without a place is not shown.
    fn knows_reader(&self, reader: &AssignmentId) -> bool {
        let mut places = self.facts.participations.iter().filter(|p| p.assignment.id == *reader).peekable();
        places.peek().is_some() && places.all(|p| self.knows(p))
    }

    /// The category of a version whose author is known, and which came to the reader by nobody hidden.
    fn category_of(&self, version: &ItemVersionId, reader: &AssignmentId) -> Option<Category> {
        let (item, _) = self.facts.version(version)?;
        let author = self.facts.participation(&item.author)?;
        if !self.knows(author) {
            return None;
        }
        let places: BTreeSet<_> =
            self.facts.participations.iter().filter(|p| p.assignment.id == *reader).map(|p| &p.id).collect();
        let mut sharers = self
            .facts
            .shares
            .iter()
            .filter(|s| {
                s.versions.contains(version) && s.recipients.iter().any(|r| places.contains(&r.participation))
            })
            .filter_map(|s| self.facts.participation(&s.sharer))
            .peekable();
        // Without a share it was opened as the reader's own service's.
        let came_openly = sharers.peek().is_none() || sharers.any(|p| self.knows(p));
        came_openly.then_some(item.category)
    }

    /// The categories that a line may name; empty when nothing of the opening may be told.
    fn categories(&self, body: &LeafBody, detail: &Detail) -> BTreeSet<Category> {
        let mut seen: BTreeSet<Category> =
            detail.versions.iter().filter_map(|v| self.category_of(v, &detail.assignment)).collect();
        // The identity sheet is no version: it is told unless the category can come from an item that was returned.
        let from_item = detail
            .versions
            .iter()
            .any(|v| self.facts.version(v).is_none_or(|(item, _)| item.category == Category::Identity));
        if body.categories.contains(&Category::Identity) && !from_item {
            seen.insert(Category::Identity);
        }
        seen
    }
}

impl Eyes<'_> {
    /// Whether the whole record, as it was hashed, tells the référent nothing that is hidden from it.
    ///
    /// THREAT: a record says more than its line: refusals within a list, the share and the accord on which a permit
    /// rests, whether the law was used. Each must be known already, or the record stays with the auditor.
    fn may_take(&self, body: &LeafBody, detail: &Detail) -> bool {
        let known = |id: &ParticipationId| self.facts.participation(id).is_some_and(|p| self.knows(p));
        let basis_known = body.basis.iter().all(|basis| {
            let mut parts = basis.split(':');
            match (parts.next(), parts.next()) {
                (Some("own"), None) => true,
                (Some("share"), Some(id)) => {
                    self.facts.shares.iter().any(|s| s.id.as_str() == id && known(&s.sharer))
                }
                (Some("accord"), Some(id)) => self.facts.accords.iter().any(|a| {
                    let collector = a.facts().collected_by();
                    a.facts().id().as_str() == id && self.knows_reader(collector)
                }),
                _ => false,
            }
        });
        tells_no_refusal(body)
            && basis_known
            && !detail.versions.is_empty()
            && detail.versions.iter().all(|v| self.category_of(v, &detail.assignment).is_some())
    }
}

/// Whether a record tells of permits only, and of none that rests on the law: who was refused what, for which reason,
/// and that the law was used are nobody's but the auditor's (DESIGN §4).
pub(super) fn tells_no_refusal(body: &LeafBody) -> bool {
    body.decision == Verdict::Permit
        && body.facts.iter().all(|entry| {
            entry.permitted
                && entry.reason != Reason::Statute
                && entry.facts.is_none_or(|facts| facts.statute == StatuteFact::None)
        })
}

const fn opens_content(action: Action) -> bool {
    match action {
        Action::Read | Action::Print | Action::Export => true,
        Action::List
        | Action::Search
        | Action::Preview
        | Action::Create
        | Action::Update
        | Action::Share
        | Action::End
        | Action::Invite
        | Action::Accept
        | Action::Decline
        | Action::Confirm
        | Action::Sign
        | Action::Refuse
        | Action::Withdraw
        | Action::Oppose
        | Action::Publish
        | Action::SignIn
        | Action::SignOut
        | Action::Maintain
        | Action::Erase => false,
    }
}

type Key = (std::cmp::Reverse<NaiveDate>, OrganisationId, Profession, AssignmentId, Option<Purpose>);

fn lines(
    app: &App,
    scene: &mut Scene<'_>,
    pathway: &PathwayId,
) -> Result<Vec<ConsultationLine>, ServiceError> {
    let facts = scene.gate.facts();
    let referent = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
    let eyes = Eyes { facts, book: scene.gate.book(), referent, now: scene.now };
    let mut pseudonyms = Vec::new();
    for year in facts.opened_at.utc().year()..=scene.now.utc().year() {
        let year = u16::try_from(year).map_err(|e| ServiceError::Internal(e.to_string()))?;
        // A destroyed key has unlinked its year: those records are nobody's any more.
        if let Some(key) = app.pseudonym_key_of(RetentionClass::Disclosure, year)? {
            pseudonyms.push(key.pathway(pathway).to_string());
        }
    }
    let mut found: BTreeMap<Key, (BTreeSet<Category>, Vec<u64>)> = BTreeMap::new();
    for (index, text, ciphertext) in scene.snapshot.log_of_pathway(&pseudonyms)? {
        let body = LeafBody::parse(&text).map_err(|e| ServiceError::Internal(e.to_string()))?;
        let opened = body.decision == Verdict::Permit && opens_content(body.action);
        let (true, Some(commit), Some(organisation), Some(profession)) = (
            opened && !body.categories.is_empty(),
            body.detail_commit,
            body.organisation.clone(),
            body.profession,
        ) else {
            continue;
        };
        let plain =
            scene.key.open(detail_place(&HEXLOWER.encode(&commit)), &ciphertext).map_err(|_| unreadable())?;
        let Some(detail) = read_detail(std::str::from_utf8(&plain).map_err(|_| unreadable())?)? else {
            continue;
        };
        if !eyes.knows_reader(&detail.assignment) {
            continue;
        }
        let categories = eyes.categories(&body, &detail);
        if !categories.is_empty() {
            let day = std::cmp::Reverse(body.at.paris_day());
            let receipt = eyes.may_take(&body, &detail).then(|| u64::try_from(index).ok()).flatten();
            let key = (day, organisation, profession, detail.assignment, body.purpose);
            let line = found.entry(key).or_default();
            line.0.extend(categories);
            line.1.extend(receipt);
        }
    }
    let organisations = scene.snapshot.organisations()?;
    Ok(found
        .into_iter()
        .map(|((day, id, profession, _, purpose), (categories, receipts))| ConsultationLine {
            on: day.0,
            organisation: OrganisationName {
                name: organisations
                    .iter()
                    .find(|o| o.id == id)
                    .map_or_else(|| "structure inconnue".to_owned(), |o| o.words.name.clone()),
                id,
            },
            profession,
            purpose,
            categories: categories.into_iter().collect(),
            receipts,
        })
        .collect())
}

impl App {
    /// Who opened content of this pathway.
    ///
    /// # Errors
    /// [`ServiceError`]; absent and refused are one answer.
    pub fn consultations(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<Consultations>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            // The view holds no words of the pathway: the grant opens nothing in the store.
            let _seen = scene.gate.resource(Resource::Consultations)?;
            let items = lines(self, scene, pathway)?;
            Ok(scene.seal_facts(Consultations { items }))
        })
    }
    /// The receipt of one opening, taken by the référent for the family, with its record.
    ///
    /// # Errors
    /// [`ServiceError`]; a record that concerns anything hidden from the référent is answered like an absent one.
    pub fn consultation_receipt(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        index: u64,
    ) -> Result<Disclosed<String>, ServiceError> {
        let taken = self.read(call, act, pathway, |scene| {
            let _seen = scene.gate.resource(Resource::Consultations)?;
            if !lines(self, scene, pathway)?.iter().any(|line| line.receipts.contains(&index)) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let taken = self.receipt_in(scene.snapshot, index)?;
            scene.returned.push(record_ref(index));
            Ok(scene.seal_facts(taken))
        })?;
        self.keep_receipt(taken)
    }
}

#[cfg(test)]
mod tests;
