//! Pathways: opening, the own list, search by name, the page of one. Its steps and its end: `course`.
//!
//! INVARIANTS
//! * Who opens is the first participation and the référent; nobody with a hidden existence, no function of the
//!   platform, nobody whose row is all `N` (DESIGN §3).
//! * A name is shown under a decision on `identity`; without it a situation has a number, the same for good.
//! * There is no index of people: names are searched by opening one's own pathways, and the text searched for is
//!   written nowhere.

mod course;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use course::end_place;
pub use course::{ClosingInput, ClosureBody, ClosureWords, CourseInput, ReferentInput};

use super::app::App;
use super::circle::{PlaceView, circle_of, place_view};
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::people::{
    PersonInput, PersonView, PersonWords, PreferenceInput, person_fact, person_view, person_words,
};
use super::who::{Names, Reachable, Who, iso, last_day};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{Existence, Resource, may_know, purposes_open_to};
use crate::audit::{Disclosed, Sealed};
use crate::clock::{Timestamp, plus_months};
use crate::crypto::keyring::KeyOwner;
use crate::domain::day::Day;
use crate::domain::person::PersonFacts;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{Text, search_key};
use crate::domain::vocabulary::{Function, Mandate, Profession, Purpose, Role, Step, code_enum};
use crate::ids::{FactId, ParticipationId, PathwayId};
use crate::store::fact::{FactKind, Pen, RowAt};
use crate::store::pathway::{CourseBody, NewParticipation, PathwayPlace};
use crate::store::{NewKey, StoreError};

/// A review is at most this far away.
const REVIEW_MONTHS: u32 = 12;
/// Lines of one page of the own list.
const PAGE: usize = 50;

code_enum! {
    /// Why a pathway closes.
    ClosingReason, "closing reason" {
        Achieved = "achieved", "Les objectifs sont atteints";
        HandedOn = "handed_on", "Un autre service prend la suite";
        Refused = "refused", "Le jeune ou la famille arrête";
        Moved = "moved", "Départ du territoire";
        Majority = "majority", "Majorité, suite décidée avec le jeune";
        LostContact = "lost_contact", "Plus de contact";
    }
}

/// What opens a pathway.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub person: PersonInput,
    pub preference: PreferenceInput,
    pub review_on: Day,
    pub mandate: Mandate,
}

/// What to look for; never kept.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInput {
    pub text: Text<80>,
}

/// One line of the own list.
#[derive(Clone, Serialize, ToSchema)]
pub struct PathwayLine {
    pub id: String,
    /// The name, or « Situation n° k (nom non partagé) ».
    pub name: String,
    pub name_shared: bool,
    pub role: Role,
    pub step: Option<Step>,
    #[schema(format = Date)]
    pub review_on: Option<String>,
    /// The review date has come.
    pub review_due: bool,
    pub referent: Option<Who>,
    /// The last day of the own place, when it has one.
    #[schema(format = Date)]
    pub until: Option<String>,
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
}

/// A page of the own list.
#[derive(Serialize, ToSchema)]
pub struct PathwayList {
    pub items: Vec<PathwayLine>,
    pub next: Option<String>,
}

/// A purpose under which something is shared with the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DoorView {
    pub purpose: Purpose,
    /// How many items this door opens now.
    pub items: usize,
}

/// The page of one pathway.
#[derive(Serialize, ToSchema)]
pub struct PathwayView {
    pub id: String,
    pub name: String,
    pub name_shared: bool,
    pub person: Option<PersonView>,
    /// For the référent: the version of what is known of the person, which a correction of the identity names.
    pub person_version: Option<i64>,
    pub step: Option<Step>,
    #[schema(format = Date)]
    pub review_on: Option<String>,
    pub review_due: bool,
    /// The review was due so long ago that only stays in progress are still read; the same for every member.
    pub paused: bool,
    #[schema(format = Date)]
    pub opened_on: Option<String>,
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    pub lead: Option<String>,
    pub referent: Option<Reachable>,
    /// While nobody exercises as référent: a manager of the lead organisation, who names one.
    pub instead: Option<Reachable>,
    pub me: PlaceView,
    pub circle: Vec<PlaceView>,
    pub doors: Vec<DoorView>,
}

const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Pathway }
}

fn numbered(number: usize) -> String {
    format!("Situation n° {number} (nom non partagé)")
}

pub(super) fn name_line((mut line, words): (PathwayLine, Option<PersonWords>)) -> PathwayLine {
    if let Some(words) = words {
        line.name = words.display();
        line.name_shared = true;
    }
    line
}

type Sought = (String, (PathwayLine, Option<PersonWords>));

fn matching((sought, (line, words)): Sought) -> Option<PathwayLine> {
    let found = words.as_ref().is_some_and(|w| {
        let name = search_key(&w.display());
        sought.split(' ').all(|part| name.contains(part))
    });
    found.then(|| name_line((line, words)))
}

fn name_view((mut view, person): (PathwayView, (PersonFacts, Option<PersonWords>))) -> PathwayView {
    let (facts, words) = person;
    view.person = words.map(|w| person_view(&facts, w));
    if let Some(person) = &view.person {
        view.name.clone_from(&person.name);
        view.name_shared = true;
    }
    view
}

/// A review date that people can keep.
fn review(day: Day, now: Timestamp) -> Result<chrono::NaiveDate, ServiceError> {
    let today = now.paris_day();
    let latest = plus_months(today, REVIEW_MONTHS);
    if day.date() <= today || latest.is_none_or(|l| day.date() > l) {
        return Err(ServiceError::rule(
            "review_date",
            "Le bilan a lieu après aujourd'hui et dans les douze mois : choisissez une autre date.",
        )
        .at("review_on"));
    }
    Ok(day.date())
}

fn review_due(facts: &PathwayFacts, now: Timestamp) -> bool {
    facts.closed_at.is_none() && facts.review_due(now)
}

/// The référent who exercises, when this reader may know of that place.
fn referent<'a>(scene: &Scene<'a>, me: &ParticipationFacts) -> Option<&'a ParticipationFacts> {
    let facts = scene.gate.facts();
    facts.acting_referent(scene.now).filter(|r| may_know(facts, scene.gate.book(), me, r, scene.now))
}

/// One line, decided; sealed until its record is written.
pub(super) fn line(
    scene: &mut Scene<'_>,
    number: usize,
) -> Result<Sealed<(PathwayLine, Option<PersonWords>)>, ServiceError> {
    scene.gate.resource(Resource::Place)?;
    let facts = scene.gate.facts();
    let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
    // A stay organiser has the stay, not the step.
    let whole = me.role != Role::StayOrganiser && scene.gate.resource(Resource::Existence).is_ok();
    let now = scene.now;
    let mut names = Names::default();
    let referent = match referent(scene, me) {
        Some(r) => Some(names.who(scene.snapshot, &r.assignment)?),
        None => None,
    };
    let line = PathwayLine {
        id: facts.id.as_str().to_owned(),
        name: numbered(number),
        name_shared: false,
        role: me.role,
        step: whole.then_some(facts.step),
        review_on: facts.review_on.filter(|_| whole).map(iso),
        review_due: whole && review_due(facts, now),
        referent,
        until: me.until_at.and_then(last_day).map(iso),
        closed_at: facts.closed_at.map(Timestamp::rfc3339),
    };
    scene.returned.push(RowRef {
        table: "pathway",
        id: facts.id.as_str().to_owned(),
        version: facts.version,
    });
    Ok(person_words(scene, Resource::Identity)?.with(line))
}

/// The numbers of one's own situations, found in the same snapshot.
pub(super) fn number_of(scene: &mut Scene<'_>) -> Result<usize, ServiceError> {
    let assignment = scene.gate.actor().assignment().id.clone();
    let id = &scene.gate.facts().id;
    let places = scene.snapshot.pathways_numbered(&assignment)?;
    Ok(places.iter().position(|p| p.pathway == *id).map_or(0, |at| at.saturating_add(1)))
}

/// The order of the list, as text: what is older is less.
fn place_key(place: &PathwayPlace) -> String {
    format!("{:020} {}", place.first.0.micros(), place.first.1)
}

/// What somebody reads whose intervention makes no référent.
pub const CANNOT_OPEN: &str = "Votre mission ne permet pas d'ouvrir un parcours. Parlez-en à un référent.";

/// Under which frames somebody may open a pathway, and so be its référent; none, when it is not for them at all.
///
/// LAW: S11. A hidden existence cannot be the référent.
pub fn opens_under(profession: Profession, function: Function) -> impl Iterator<Item = Mandate> {
    let empowered = match function {
        Function::Practitioner | Function::Manager => true,
        Function::Secretary => false,
    };
    let able = empowered && !profession.is_platform() && profession != Profession::StayOrganiser;
    Mandate::ALL
        .iter()
        .copied()
        .filter(move |mandate| able && Existence::of(profession, *mandate).category().is_none())
}

impl App {
    /// Opens a pathway: key, person, course, preference and first participation, in one change.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathway_open(&self, call: &Call, input: &Opening) -> Result<Created, ServiceError> {
        self.change_desk(call, act(Action::Create), |desk| {
            let now = desk.now;
            let a = desk.signed_in.actor()?.assignment();
            if call.assignment.as_ref().is_some_and(|asked| *asked != a.id) {
                return Err(ServiceError::Conflict);
            }
            // Gate 1, for somebody who has no pathway yet.
            let standing = desk.book.standing(a, now).map_err(|_| ServiceError::AbsentOrRefused)?;
            let never = standing.matrix.all_never(a.profession, a.secrecy_at(now));
            if !a.in_force(now) || a.function == Function::Secretary || a.profession.is_platform() || never {
                return Err(ServiceError::AbsentOrRefused);
            }
            if !opens_under(a.profession, a.function).any(|mandate| mandate == input.mandate) {
                return Err(ServiceError::rule("cannot_be_referent", CANNOT_OPEN));
            }
            let existence = Existence::of(a.profession, input.mandate);
            let (person, words) = input.person.accept(now)?;
            let review_on = review(input.review_on, now)?;
            let chance = desk.app.chance();
            let id = PathwayId::random(chance)?;
            let place = NewParticipation {
                id: ParticipationId::random(chance)?,
                pathway: id.clone(),
                assignment: a.id.clone(),
                mandate: input.mandate,
                role: Role::Referent,
                existence,
                invited_by: None,
                invited_at: now,
                accepted_at: Some(now),
                until_at: None,
                stands_in_for: None,
            };
            let preference = input.preference.accept(&place.id, now)?;
            let owner = KeyOwner::Pathway(id.clone());
            let (key, wrapped) =
                desk.app.store().keyring().new_data_key(&owner, chance).map_err(StoreError::from)?;
            let course = CourseBody { step: Step::Spotting, review_on: Some(review_on) };
            let fact_id = || FactId::random(chance);
            let pen = Pen { key: &key, chance, pathway: &id, at: now, by: &a.id };
            let facts = [
                pen.with_words(RowAt::first(FactKind::Person, fact_id()?.as_str()), &person, Some(&words))?,
                pen.facts(RowAt::first(FactKind::Course, fact_id()?.as_str()), &course)?,
                pen.with_words(
                    RowAt::first(FactKind::Preference, fact_id()?.as_str()),
                    &preference,
                    Some(&input.preference.words()),
                )?,
            ];
            let row = |table, id: &str| RowRef { table, id: id.to_owned(), version: 1 };
            let new_key = NewKey::new(&owner, wrapped, now);
            let (pathway, lead) = (id.clone(), a.organisation.clone());
            let participation = row("participation", place.id.as_str());
            let mut change = Change::new(id.as_str())
                .step(row("pathway", id.as_str()), move |tx, at| {
                    tx.key_insert(&new_key)?;
                    tx.pathway_insert(&pathway, &lead, at)
                })
                .step(participation, move |tx, _| tx.participation_insert(&place));
            for fact in facts {
                change = change.fact(fact);
            }
            desk.opened = Some((id, key));
            Ok(change)
        })
    }

    /// The pathways of the acting assignment, latest first, each line decided.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathways(
        &self,
        call: &Call,
        cursor: Option<&str>,
    ) -> Result<Disclosed<PathwayList>, ServiceError> {
        const QUERY: &[u8] = b"pathways";
        let after = match cursor {
            None => None,
            Some(text) => {
                let bytes = self.open_cursor(call, QUERY, text)?;
                std::str::from_utf8(&bytes).map(str::to_owned).ok()
            }
        };
        let last: std::cell::RefCell<Option<String>> = std::cell::RefCell::new(None);
        let lines = self.read_many(
            call,
            act(Action::List),
            |snapshot, actor, _| {
                let here = snapshot.pathways_numbered(&actor.assignment().id)?;
                // The cursor says where the last one stood: whether it is still there does not matter.
                let mut page: Vec<PathwayPlace> = here
                    .into_iter()
                    .rev()
                    .filter(|p| p.here && after.as_deref().is_none_or(|after| *place_key(p) < *after))
                    .take(PAGE.saturating_add(1))
                    .collect();
                let more = page.len() > PAGE;
                page.truncate(PAGE);
                *last.borrow_mut() = page.last().filter(|_| more).map(place_key);
                Ok(page.into_iter().map(|p| p.pathway).collect())
            },
            |scene| {
                let number = number_of(scene)?;
                Ok(Some(line(scene, number)?.map_fn(name_line)))
            },
        )?;
        let next = match last.into_inner() {
            Some(key) => Some(self.seal_cursor(call, QUERY, key.as_bytes())?),
            None => None,
        };
        Ok(lines.map(|items| PathwayList { items, next }))
    }

    /// The own pathways whose shared name holds every word of the text.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathways_search(
        &self,
        call: &Call,
        input: &SearchInput,
    ) -> Result<Disclosed<PathwayList>, ServiceError> {
        let sought = search_key(input.text.as_str());
        let lines = self.read_many(
            call,
            act(Action::Search),
            |snapshot, actor, _| {
                let here = snapshot.pathways_numbered(&actor.assignment().id)?;
                Ok(here.into_iter().rev().filter(|p| p.here).map(|p| p.pathway).collect())
            },
            |scene| {
                let number = number_of(scene)?;
                Ok(Some(line(scene, number)?.with(sought.clone()).map_fn(matching)))
            },
        )?;
        Ok(lines.map(|found| PathwayList { items: found.into_iter().flatten().collect(), next: None }))
    }

    /// The page of one pathway.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathway(&self, call: &Call, pathway: &PathwayId) -> Result<Disclosed<PathwayView>, ServiceError> {
        self.read(call, act(Action::Read), pathway, |scene| {
            scene.gate.resource(Resource::Place)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let whole = me.role != Role::StayOrganiser && scene.gate.resource(Resource::Existence).is_ok();
            let number = number_of(scene)?;
            let now = scene.now;
            let mut names = Names::default();
            let referent = match referent(scene, me) {
                Some(r) => Some(names.reachable(scene.snapshot, &r.assignment)?),
                None => None,
            };
            let instead = match referent {
                Some(_) => None,
                None => names.manager_of(scene.snapshot, &facts.lead, now)?,
            };
            let circle = if whole { circle_of(scene, me, &mut names)? } else { Vec::new() };
            let lead = if whole { Some(names.organisation(scene.snapshot, &facts.lead)?) } else { None };
            let person_version = match me.role {
                Role::Referent => Some(person_fact(scene, facts)?.version),
                Role::Participant | Role::ContributorOnly | Role::StayOrganiser => None,
            };
            let view = PathwayView {
                id: facts.id.as_str().to_owned(),
                name: numbered(number),
                name_shared: false,
                person: None,
                person_version,
                step: whole.then_some(facts.step),
                review_on: facts.review_on.filter(|_| whole).map(iso),
                review_due: whole && review_due(facts, now),
                paused: whole
                    && facts.closed_at.is_none()
                    && facts.pause_from().is_some_and(|from| now >= from),
                opened_on: whole.then(|| iso(facts.opened_at.paris_day())),
                closed_at: facts.closed_at.map(Timestamp::rfc3339),
                lead,
                referent,
                instead,
                me: place_view(scene, me, me, &mut names)?,
                circle,
                doors: doors(scene, me),
            };
            scene.returned.push(RowRef {
                table: "pathway",
                id: facts.id.as_str().to_owned(),
                version: facts.version,
            });
            let person = person_words(scene, Resource::Identity)?
                .with(facts.person.clone())
                .with(view)
                .map_fn(name_view);
            Ok(person)
        })
    }
}

/// The purposes open to the reader, each with the number of items that it opens now.
fn doors(scene: &mut Scene<'_>, me: &ParticipationFacts) -> Vec<DoorView> {
    let facts = scene.gate.facts();
    let mut open: std::collections::BTreeMap<Purpose, usize> = std::collections::BTreeMap::new();
    for item in &facts.items {
        let mut counted: Vec<Purpose> = Vec::new();
        for version in &item.versions {
            for purpose in purposes_open_to(facts, me, version) {
                if !counted.contains(&purpose) && scene.gate.item(item, version, Some(purpose)).is_ok() {
                    counted.push(purpose);
                    let count = open.entry(purpose).or_insert(0);
                    *count = count.saturating_add(1);
                }
            }
        }
    }
    open.into_iter().map(|(purpose, items)| DoorView { purpose, items }).collect()
}
