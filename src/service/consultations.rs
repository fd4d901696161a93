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
use super::{Act, App, Call, Scene, ServiceError, detail_place};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{CharterBook, Resource, may_know};
use crate::audit::json::{Value, parse};
use crate::audit::{Disclosed, LeafBody};
use crate::clock::Timestamp;
use crate::domain::record::{Action, RetentionClass, Verdict};
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::{AssignmentId, ItemVersionId, OrganisationId, PathwayId};

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
}

/// Who opened content of a pathway, latest day first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Consultations {
    pub items: Vec<ConsultationLine>,
}

/// What the sealed detail of a record says that this view needs.
struct Detail {
    assignment: AssignmentId,
    versions: Vec<ItemVersionId>,
}

fn unreadable() -> ServiceError {
    ServiceError::Internal("the detail of a record does not read back".to_owned())
}

/// Reads a detail; `None` when nobody with an assignment acted.
fn read_detail(text: &str) -> Result<Option<Detail>, ServiceError> {
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
        | Action::Erase
        | Action::Attest => false,
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
    let mut found: BTreeMap<Key, BTreeSet<Category>> = BTreeMap::new();
    for (_, text, ciphertext) in scene.snapshot.log_of_pathway(&pseudonyms)? {
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
            let key = (day, organisation, profession, detail.assignment, body.purpose);
            found.entry(key).or_default().extend(categories);
        }
    }
    let organisations = scene.snapshot.organisations()?;
    Ok(found
        .into_iter()
        .map(|((day, id, profession, _, purpose), categories)| ConsultationLine {
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
}

#[cfg(test)]
mod tests;
