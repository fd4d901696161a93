//! Reading items: the list through one door, and one item, each with why it may be read.
//!
//! INVARIANTS
//! * A page is filled from permitted rows only, and never says how many there are (R13).
//! * « Transmis par la famille » has no author, organisation or sharer (S11).
//! * A superseded version stays readable to its readers, marked as corrected.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Scene};
use super::who::{Names, Who, iso, last_day};
pub use crate::access::facts::ItemKind;
use crate::access::facts::{ItemFacts, ParticipationFacts, VersionFacts};
use crate::access::{ItemGrant, Resource, may_know, purposes_open_to};
use crate::audit::{Disclosed, Sealed};
use crate::charter::Charter;
use crate::domain::cell::Reason;
use crate::domain::day::french_date;
use crate::domain::explain::{Context, repair, sentence};
use crate::domain::item::ItemContent;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Category, Purpose, Regime};
use crate::ids::{ItemId, PathwayId};
use crate::store::item::Words;

/// Rows of one answer to a program.
const PAGE: usize = 50;

/// What a page of a telephone holds (60 KiB, DESIGN §8), counted in items of a fact or two.
pub const LIGHT: usize = 18;

/// How much of a list one answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// A number of rows: for programs.
    #[default]
    Rows,
    /// What stays light when it is shown whole: fewer rows, of which the long ones count for several.
    Light,
    /// Everything.
    Whole,
}

impl Fill {
    /// Whether one more of this weight finds room beside what is there. Something always does: no list stands still.
    const fn takes(self, rows: usize, weight: usize, more: usize) -> bool {
        match self {
            Self::Rows => rows < PAGE,
            Self::Light => rows == 0 || weight.saturating_add(more) <= LIGHT,
            Self::Whole => true,
        }
    }
}

/// For how many items of a fact or two one of this subject counts, by what its shape lets be written.
#[must_use]
pub const fn weight(category: Category) -> usize {
    match category {
        // Three lists of ten lines.
        Category::Identity => 4,
        // Five paragraphs.
        Category::Evaluation => 3,
        Category::Schooling
        | Category::Family
        | Category::Housing
        | Category::HealthMinimal
        | Category::HealthDetailed
        | Category::Judicial
        | Category::Leisure
        | Category::Mobility
        | Category::Integration
        | Category::Affective
        | Category::Practical => 1,
    }
}

/// What an action says, and how far it is.
#[derive(Serialize, ToSchema)]
pub struct ActionView {
    pub what: String,
    #[schema(format = Date)]
    pub by_when: String,
    /// Who does it, when the reader may know of that place.
    pub who: Option<Who>,
    pub state: super::actions::ActionState,
}

/// Why the reader may read this.
#[derive(Clone, Serialize, ToSchema)]
pub struct WhyView {
    pub reason: Reason,
    pub regime: Option<Regime>,
    pub purpose: Option<Purpose>,
    /// The last day on which it is read.
    #[schema(format = Date)]
    pub until: Option<String>,
    /// In words.
    pub sentence: String,
}

/// One item, for one reader.
#[derive(Serialize, ToSchema)]
pub struct ItemView {
    pub id: String,
    pub pathway: String,
    /// The version that is shown.
    pub version_id: String,
    pub version: i64,
    pub category: Category,
    pub subjects: Vec<Category>,
    pub label: String,
    pub content: Option<ItemContent>,
    /// The content field by field, as people read it: what it is, then the words.
    #[serde(skip)]
    pub words: Vec<(String, String)>,
    pub action: Option<ActionView>,
    pub for_stay: bool,
    /// « Transmis par la famille »: no author is told.
    pub by_family: bool,
    pub author: Option<Who>,
    #[schema(format = Date)]
    pub written_on: String,
    /// The last day.
    #[schema(format = Date)]
    pub valid_until: Option<String>,
    /// Corrected on this day: ask for the new version.
    #[schema(format = Date)]
    pub corrected_on: Option<String>,
    /// Written under the reader's own assignment.
    pub own: bool,
    pub why: WhyView,
}

/// A page of items.
#[derive(Serialize, ToSchema)]
pub struct ItemList {
    /// The door through which it was read; none shows the own items only.
    pub purpose: Option<Purpose>,
    pub items: Vec<ItemView>,
    /// The own items that are closed to their author now, with why; all of them, on the first page only.
    pub closed: Vec<ClosedView>,
    pub next: Option<String>,
}

/// An own item that cannot be read now: no words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClosedView {
    pub id: String,
    pub category: Category,
    #[schema(format = Date)]
    pub written_on: String,
    /// Why, and what would repair it.
    pub sentence: String,
    pub repair: Option<String>,
}

/// What a list is asked for. Whoever asks says what will be shown: what is opened is recorded, and told to its sharer
/// and to the family as read.
#[derive(Clone, Copy, Default)]
pub struct ItemsQuery<'a> {
    /// The door; without it, the only one that there is.
    pub purpose: Option<Purpose>,
    pub category: Option<Category>,
    pub kind: Option<ItemKind>,
    /// Only what gate 3 opens, one's own and one's service's: through no door at all.
    pub own: bool,
    pub fill: Fill,
    pub cursor: Option<&'a str>,
}

/// A page of what the acting assignment wrote.
pub struct Writings {
    pub items: Vec<ItemView>,
    pub next: Option<String>,
}

/// The items after the one that a cursor names, latest first.
fn after<'a>(items: &'a [ItemFacts], place: Option<&str>) -> impl Iterator<Item = &'a ItemFacts> {
    let start = match place {
        None => items.len(),
        Some(place) => items.iter().position(|i| i.id.as_str() == place).unwrap_or(0),
    };
    items.iter().take(start).rev()
}

/// All that a view says but the words.
pub(super) struct Known {
    view: ItemView,
    action: Option<(Option<Who>, super::actions::ActionState)>,
    /// Whose lists give the words of coded fields.
    charter: Option<Arc<Charter>>,
}

fn with_words((mut known, words): (Known, Words)) -> ItemView {
    match words {
        Words::Item(draft) => {
            let (label, content) = draft.into_parts();
            known.view.label = label.as_str().to_owned();
            known.view.words = known.charter.as_ref().map(|c| content.words(c.sheet())).unwrap_or_default();
            known.view.content = Some(content);
        }
        Words::Action(action) => {
            known.view.label = action.what.as_str().to_owned();
            let (who, state) = known.action.unwrap_or((None, super::actions::ActionState::Proposed));
            known.view.action = Some(ActionView {
                what: action.what.as_str().to_owned(),
                by_when: action.by_when.iso(),
                who,
                state,
            });
        }
    }
    known.view
}

type Page = ((Option<Purpose>, Option<String>, Vec<ClosedView>), Vec<ItemView>);

fn page(((purpose, next, closed), items): Page) -> ItemList {
    ItemList { purpose, items, closed, next }
}

/// An own item that its author cannot read now, where the gate explains why.
fn closed<'a>(scene: &mut Scene<'a>, me: &ParticipationFacts, item: &'a ItemFacts) -> Option<ClosedView> {
    let current = item.current().filter(|v| !v.erased && item.author_assignment == me.assignment.id)?;
    let refusal = scene.gate.item(item, current, None).err().filter(|r| r.explainable)?;
    let reason = refusal.reason.coarse();
    Some(ClosedView {
        id: item.id.as_str().to_owned(),
        category: item.category,
        written_on: iso(current.created_at.paris_day()),
        sentence: sentence(reason, &Context::default()),
        repair: repair(reason).map(ToOwned::to_owned),
    })
}

/// The one purpose under which something is shared with the reader, when there is one only (DESIGN §7).
fn only_door(scene: &Scene<'_>, me: &ParticipationFacts) -> Option<Purpose> {
    let facts = scene.gate.facts();
    let mut doors: Vec<Purpose> =
        facts.items.iter().flat_map(|i| &i.versions).flat_map(|v| purposes_open_to(facts, me, v)).collect();
    doors.sort_unstable();
    doors.dedup();
    match doors.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether asking makes sense: something of the own organisation, or named by a share with the reader. It only spares
/// decisions that would refuse; it permits nothing.
fn concerns(
    scene: &Scene<'_>,
    me: &ParticipationFacts,
    item: &ItemFacts,
    version: &VersionFacts,
    purpose: Option<Purpose>,
) -> bool {
    let facts = scene.gate.facts();
    item.author_assignment == me.assignment.id
        || facts
            .participation(&item.author)
            .is_some_and(|a| a.assignment.organisation == me.assignment.organisation)
        || purpose.is_some_and(|p| purposes_open_to(facts, me, version).contains(&p))
}

/// The latest version of an item that the gate opens to the reader.
pub(super) fn readable<'a>(
    scene: &mut Scene<'a>,
    me: &ParticipationFacts,
    item: &'a ItemFacts,
    purpose: Option<Purpose>,
) -> Option<(ItemGrant, &'a VersionFacts)> {
    for version in item.versions.iter().rev() {
        if concerns(scene, me, item, version, purpose)
            && let Ok(grant) = scene.gate.item(item, version, purpose)
        {
            return Some((grant, version));
        }
    }
    None
}

fn why(grant: &ItemGrant, purpose: Option<Purpose>) -> WhyView {
    let decision = grant.decision();
    let until = last_day(decision.reads_until);
    let own = decision.reason == Reason::OwnItem;
    let sentence = if own {
        sentence(decision.reason, &Context::default())
    } else {
        let end = until.map(|d| format!(" jusqu'au {}", french_date(d))).unwrap_or_default();
        let basis = match (decision.regime, decision.signed_on) {
            (Some(Regime::L226_2_2), _) => {
                ", par le partage que la loi prévoit pour protéger un enfant (CASF L226-2-2)".to_owned()
            }
            (Some(Regime::Emergency), _) => ", ouvert en urgence".to_owned(),
            (_, Some(day)) => format!(", avec l'accord signé le {}", french_date(day)),
            (_, None) => ", avec l'accord de la famille".to_owned(),
        };
        format!("Vous lisez ceci{end}{basis}.")
    };
    WhyView {
        reason: decision.reason,
        regime: decision.regime,
        purpose: purpose.filter(|_| !own),
        until: until.filter(|_| !own).map(iso),
        sentence,
    }
}

pub(super) fn known(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    item: &ItemFacts,
    version: &VersionFacts,
    grant: &ItemGrant,
    purpose: Option<Purpose>,
    names: &mut Names,
) -> Result<Known, ServiceError> {
    let facts = scene.gate.facts();
    let book = scene.gate.book();
    let now = scene.now;
    let by_family = grant.decision().as_family;
    let author = match facts.participation(&item.author) {
        Some(a) if !by_family && may_know(facts, book, me, a, now) => {
            Some(names.who(scene.snapshot, &a.assignment)?)
        }
        Some(_) | None => None,
    };
    let action = match item.kind {
        ItemKind::Item => None,
        ItemKind::Action => {
            let progress = super::actions::progress_of(scene, &item.id)?;
            let who = match facts.participation(&progress.who) {
                Some(p) if !by_family && may_know(facts, book, me, p, now) => {
                    Some(names.who(scene.snapshot, &p.assignment)?)
                }
                Some(_) | None => None,
            };
            Some((who, progress.state))
        }
    };
    let corrected = item.versions.iter().find(|v| v.number > version.number);
    scene.returned.push(RowRef {
        table: "item_version",
        id: version.id.as_str().to_owned(),
        version: version.number,
    });
    Ok(Known {
        action,
        charter: book.in_force(now).map(|edition| Arc::clone(&edition.charter)),
        view: ItemView {
            id: item.id.as_str().to_owned(),
            pathway: facts.id.as_str().to_owned(),
            version_id: version.id.as_str().to_owned(),
            version: version.number,
            category: item.category,
            subjects: item.subjects.clone(),
            label: String::new(),
            content: None,
            words: Vec::new(),
            action: None,
            for_stay: item.for_stay,
            by_family,
            author,
            written_on: iso(version.created_at.paris_day()),
            valid_until: version.valid_until.and_then(last_day).map(iso),
            corrected_on: corrected.map(|v| iso(v.created_at.paris_day())),
            own: item.author_assignment == me.assignment.id,
            why: why(grant, purpose),
        },
    })
}

/// The words of what was permitted, each under its grant.
pub(super) fn views(
    scene: &mut Scene<'_>,
    found: Vec<(ItemGrant, Known)>,
) -> Result<Vec<Sealed<ItemView>>, ServiceError> {
    let (grants, known): (Vec<ItemGrant>, Vec<Known>) = found.into_iter().unzip();
    let words = scene.snapshot.items_words(grants)?;
    Ok(words.into_iter().zip(known).map(|(words, known)| words.with(known).map_fn(with_words)).collect())
}

impl App {
    /// The pathway of an item, or one that is nowhere: absent and refused then take the same way.
    pub(super) fn pathway_of_item(&self, id: &ItemId) -> Result<PathwayId, ServiceError> {
        match self.store().snapshot()?.item_locate(id)? {
            Some(found) => Ok(found),
            None => Ok(PathwayId::random(self.chance())?),
        }
    }

    /// Where the page before stopped.
    fn place_of(
        &self,
        call: &Call,
        list: &str,
        cursor: Option<&str>,
    ) -> Result<Option<String>, ServiceError> {
        let Some(cursor) = cursor else { return Ok(None) };
        let place = self.open_cursor(call, list.as_bytes(), cursor)?;
        Ok(Some(String::from_utf8_lossy(&place).into_owned()))
    }

    /// The cursor after the last row of a page that is not the last.
    fn next_of(
        &self,
        call: &Call,
        list: &str,
        last: Option<&(ItemGrant, Known)>,
    ) -> Result<Option<String>, ServiceError> {
        last.map(|(_, last)| self.seal_cursor(call, list.as_bytes(), last.view.id.as_bytes())).transpose()
    }

    /// The items that the reader may read through one door, latest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn items(
        &self,
        call: &Call,
        pathway: &PathwayId,
        query: ItemsQuery<'_>,
    ) -> Result<Disclosed<ItemList>, ServiceError> {
        let name = format!(
            "items {pathway} {} {} {} {}",
            query.purpose.map_or("-", Purpose::code),
            query.category.map_or("-", Category::code),
            query.kind.map_or("-", ItemKind::code),
            if query.own { "own" } else { "-" },
        );
        let act = Act { action: Action::List, resource: ResourceKind::Item };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Place)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            // After the decision: a cursor of another query says nothing about the pathway.
            let place = self.place_of(call, &name, query.cursor)?;
            let purpose = if query.own { None } else { query.purpose.or_else(|| only_door(scene, me)) };
            scene.purpose = purpose;
            let mut names = Names::default();
            let mut found: Vec<(ItemGrant, Known)> = Vec::new();
            let (mut filled, mut more) = (0, false);
            let mut shut = Vec::new();
            // What is closed stands on the first page, however far down it was written.
            let tells_closed = query.cursor.is_none() && !query.own;
            let rows = after(&facts.items, place.as_deref())
                .filter(|i| query.category.is_none_or(|c| c == i.category))
                .filter(|i| query.kind.is_none_or(|k| k == i.kind));
            for item in rows {
                if more && !(tells_closed && item.author_assignment == me.assignment.id) {
                    continue;
                }
                let Some((grant, version)) = readable(scene, me, item, purpose) else {
                    if tells_closed {
                        shut.extend(closed(scene, me, item));
                    }
                    continue;
                };
                let weight = weight(item.category);
                more = more || !query.fill.takes(found.len(), filled, weight);
                if more {
                    if tells_closed {
                        continue;
                    }
                    break;
                }
                filled = filled.saturating_add(weight);
                let known = known(scene, me, item, version, &grant, purpose, &mut names)?;
                found.push((grant, known));
            }
            let next = self.next_of(call, &name, found.last().filter(|_| more))?;
            let views = views(scene, found)?;
            Ok(Sealed::all(views).with((purpose, next, shut)).map_fn(page))
        })
    }

    /// One item. Its author alone is told why it is refused.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn item(
        &self,
        call: &Call,
        id: &ItemId,
        purpose: Option<Purpose>,
    ) -> Result<Disclosed<ItemView>, ServiceError> {
        let pathway = self.pathway_of_item(id)?;
        self.read(call, READ, &pathway, |scene| {
            opened(scene, id, purpose, false)?.pop().ok_or(ServiceError::AbsentOrRefused)
        })
    }

    /// One item with every version of it that the reader may read, latest first: « corrigé le … ».
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn item_history(
        &self,
        call: &Call,
        id: &ItemId,
        purpose: Option<Purpose>,
    ) -> Result<Disclosed<Vec<ItemView>>, ServiceError> {
        let pathway = self.pathway_of_item(id)?;
        self.read(call, READ, &pathway, |scene| Ok(Sealed::all(opened(scene, id, purpose, true)?)))
    }

    /// What the acting assignment wrote here, to be taken away or printed; latest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn own_writings(
        &self,
        call: &Call,
        pathway: &PathwayId,
        fill: Fill,
        cursor: Option<&str>,
    ) -> Result<Disclosed<Writings>, ServiceError> {
        let name = format!("writings {pathway}");
        let act = Act { action: Action::Export, resource: ResourceKind::Item };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Place)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let place = self.place_of(call, &name, cursor)?;
            let mut names = Names::default();
            let mut found = Vec::new();
            let (mut filled, mut more) = (0, false);
            let rows = after(&scene.gate.facts().items, place.as_deref())
                .filter(|i| i.author_assignment == me.assignment.id);
            for item in rows {
                let Some((grant, version)) = readable(scene, me, item, None) else { continue };
                let weight = weight(item.category);
                if !fill.takes(found.len(), filled, weight) {
                    more = true;
                    break;
                }
                filled = filled.saturating_add(weight);
                let known = known(scene, me, item, version, &grant, None, &mut names)?;
                found.push((grant, known));
            }
            let next = self.next_of(call, &name, found.last().filter(|_| more))?;
            let views = views(scene, found)?;
            Ok(Sealed::all(views).with(next).map_fn(|(next, items)| Writings { items, next }))
        })
    }
}

const READ: Act = Act { action: Action::Read, resource: ResourceKind::Item };

/// The versions of an item that the gate opens, latest first; the latest only when not asked for `all`. Nothing to
/// read is the refusal of the current version.
fn opened(
    scene: &mut Scene<'_>,
    id: &ItemId,
    purpose: Option<Purpose>,
    all: bool,
) -> Result<Vec<Sealed<ItemView>>, ServiceError> {
    let facts = scene.gate.facts();
    let item = facts.item(id).ok_or(ServiceError::AbsentOrRefused)?;
    let Some(me) = scene.gate.participation() else {
        // Recorded as what it is: somebody without a place.
        scene.gate.resource(Resource::Place)?;
        return Err(ServiceError::AbsentOrRefused);
    };
    let purpose = purpose.or_else(|| only_door(scene, me));
    scene.purpose = purpose;
    let mut open = Vec::new();
    if all {
        for version in item.versions.iter().rev() {
            if concerns(scene, me, item, version, purpose)
                && let Ok(grant) = scene.gate.item(item, version, purpose)
            {
                open.push((grant, version));
            }
        }
    } else {
        open.extend(readable(scene, me, item, purpose));
    }
    if open.is_empty() {
        let current = item.current().ok_or(ServiceError::AbsentOrRefused)?;
        open.push((scene.gate.item(item, current, purpose)?, current));
    }
    let mut names = Names::default();
    let mut found = Vec::with_capacity(open.len());
    for (grant, version) in open {
        let known = known(scene, me, item, version, &grant, purpose, &mut names)?;
        found.push((grant, known));
    }
    views(scene, found)
}
