//! Pathways: opening, the own list, search by name, the page of one, its course and its end.
//!
//! INVARIANTS
//! * Who opens is the first participation and the référent; nobody with a hidden existence, no function of the
//!   platform, nobody whose row is all `N` (DESIGN §3).
//! * A name is shown under a decision on `identity`; without it a situation has a number, the same for good.
//! * There is no index of people: names are searched by opening one's own pathways, and the text searched for is
//!   written nowhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::circle::{PlaceView, circle_of, place_view};
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::people::{PersonInput, PersonView, PersonWords, PreferenceInput, person_view, person_words};
use super::shares_end::ended_shares;
use super::who::{Names, Who, iso, last_day, still_open};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{Existence, Resource, may_know, purposes_open_to};
use crate::audit::{Disclosed, Sealed};
use crate::clock::{Timestamp, plus_months};
use crate::crypto::keyring::KeyOwner;
use crate::domain::day::Day;
use crate::domain::person::PersonFacts;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{Paragraph, Text, search_key};
use crate::domain::vocabulary::{Function, Mandate, Profession, Purpose, Role, Step, code_enum};
use crate::ids::{FactId, ParticipationId, PathwayId};
use crate::store::fact::{FactKind, NewFact};
use crate::store::pathway::{CourseBody, NewParticipation, ParticipationChange};
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

/// The next step, or another review date.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourseInput {
    pub step: Step,
    pub review_on: Day,
}

/// The end of a pathway.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingInput {
    pub reason: ClosingReason,
    pub words: Option<Paragraph<600>>,
}

/// Facts of a closure (fact `closure`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureBody {
    pub reason: ClosingReason,
}

/// Its words.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureWords {
    pub words: Paragraph<600>,
}

/// What to look for; never kept.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInput {
    pub text: Text<80>,
}

/// Another référent, with what the young person said about it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferentInput {
    #[schema(value_type = String)]
    pub participation: ParticipationId,
    pub preference: PreferenceInput,
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

/// The référent, and where to call.
#[derive(Serialize, ToSchema)]
pub struct ReferentView {
    pub who: Who,
    pub telephone: String,
}

/// The page of one pathway.
#[derive(Serialize, ToSchema)]
pub struct PathwayView {
    pub id: String,
    pub name: String,
    pub name_shared: bool,
    pub person: Option<PersonView>,
    pub step: Option<Step>,
    #[schema(format = Date)]
    pub review_on: Option<String>,
    pub review_due: bool,
    #[schema(format = Date)]
    pub opened_on: Option<String>,
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    pub lead: Option<String>,
    pub referent: Option<ReferentView>,
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
        ));
    }
    Ok(day.date())
}

fn review_due(facts: &PathwayFacts, now: Timestamp) -> bool {
    facts.closed_at.is_none() && facts.review_on.is_some_and(|d| d <= now.paris_day())
}

/// The référent, when this reader may know of that place.
fn referent<'a>(scene: &Scene<'a>, me: &ParticipationFacts) -> Option<&'a ParticipationFacts> {
    let facts = scene.gate.facts();
    facts.referent(scene.now).filter(|r| may_know(facts, scene.gate.book(), me, r, scene.now))
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
            let empowered = match a.function {
                Function::Practitioner | Function::Manager => true,
                Function::Secretary => false,
            };
            let never = standing.matrix.all_never(a.profession, a.secrecy_at(now));
            if !a.in_force(now) || !empowered || a.profession.is_platform() || never {
                return Err(ServiceError::AbsentOrRefused);
            }
            // LAW: S11. A hidden existence cannot be the référent.
            let existence = Existence::of(a.profession, input.mandate);
            if existence.category().is_some() || a.profession == Profession::StayOrganiser {
                return Err(ServiceError::rule(
                    "cannot_be_referent",
                    "Votre intervention ne permet pas d'être référent : demandez à un service du cercle d'ouvrir le \
                     parcours.",
                ));
            }
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
            let facts = [
                NewFact::seal(
                    &key,
                    chance,
                    &id,
                    FactKind::Person,
                    fact_id()?.as_str(),
                    1,
                    now,
                    &a.id,
                    &person,
                    Some(&words),
                )?,
                NewFact::seal(
                    &key,
                    chance,
                    &id,
                    FactKind::Course,
                    fact_id()?.as_str(),
                    1,
                    now,
                    &a.id,
                    &course,
                    None::<&()>,
                )?,
                NewFact::seal(
                    &key,
                    chance,
                    &id,
                    FactKind::Preference,
                    fact_id()?.as_str(),
                    1,
                    now,
                    &a.id,
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
        let last = std::cell::RefCell::new(None);
        let lines = self.read_many(
            call,
            act(Action::List),
            |snapshot, actor, _| {
                let here = snapshot.pathways_numbered(&actor.assignment().id)?;
                let mut page: Vec<PathwayId> = here
                    .into_iter()
                    .rev()
                    .filter(|p| p.here)
                    .map(|p| p.pathway)
                    .skip_while(|p| after.as_deref().is_some_and(|a| a != p.as_str()))
                    .skip(usize::from(after.is_some()))
                    .take(PAGE.saturating_add(1))
                    .collect();
                let more = page.len() > PAGE;
                page.truncate(PAGE);
                *last.borrow_mut() = page.last().filter(|_| more).cloned();
                Ok(page)
            },
            |scene| {
                let number = number_of(scene)?;
                Ok(Some(line(scene, number)?.map_fn(name_line)))
            },
        )?;
        let next = match last.into_inner() {
            Some(id) => Some(self.seal_cursor(call, QUERY, id.as_str().as_bytes())?),
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
                Some(r) => Some(ReferentView {
                    who: names.who(scene.snapshot, &r.assignment)?,
                    telephone: names.telephone(scene.snapshot, &r.assignment)?,
                }),
                None => None,
            };
            let circle = if whole { circle_of(scene, me, &mut names)? } else { Vec::new() };
            let lead = if whole { Some(names.organisation(scene.snapshot, &facts.lead)?) } else { None };
            let view = PathwayView {
                id: facts.id.as_str().to_owned(),
                name: numbered(number),
                name_shared: false,
                person: None,
                step: whole.then_some(facts.step),
                review_on: facts.review_on.filter(|_| whole).map(iso),
                review_due: whole && review_due(facts, now),
                opened_on: whole.then(|| iso(facts.opened_at.paris_day())),
                closed_at: facts.closed_at.map(Timestamp::rfc3339),
                lead,
                referent,
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

    /// The next step, in order, and the next review (R03).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn course_set(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: CourseInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Update), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            // LAW: R03. Steps follow one another; none is skipped, none is taken back.
            let ahead = input.step.index().checked_sub(facts.step.index());
            if !matches!(ahead, Some(0 | 1)) {
                return Err(ServiceError::rule(
                    "step_order",
                    "Les étapes se suivent dans l'ordre : choisissez l'étape actuelle ou la suivante.",
                ));
            }
            let body = CourseBody { step: input.step, review_on: Some(review(input.review_on, scene.now)?) };
            let previous = scene
                .snapshot
                .facts_of::<CourseBody>(scene.key, &facts.id, FactKind::Course)?
                .pop()
                .ok_or_else(|| StoreError::corrupt("fact", &"no `course`"))?;
            let by = &scene.gate.actor().assignment().id;
            let fact = scene.snapshot.fact_amend(
                scene.key,
                scene.app.chance(),
                &facts.id,
                FactKind::Course,
                &previous.id,
                scene.now,
                by,
                &body,
            )?;
            Ok(Change::new(facts.id.as_str()).fact(fact))
        })
    }

    /// Closes a pathway: shares end, every place but the référent's ends. What a service wrote stays its own until
    /// it is erased; nobody else reads it any more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathway_close(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ClosingInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::End), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let id = FactId::random(scene.app.chance())?;
            let words = input.words.clone().map(|words| ClosureWords { words });
            let closure = NewFact::seal(
                scene.key,
                scene.app.chance(),
                &facts.id,
                FactKind::Closure,
                id.as_str(),
                1,
                scene.now,
                &scene.gate.actor().assignment().id,
                &ClosureBody { reason: input.reason },
                words.as_ref(),
            )?;
            let (row, closing) = (facts.id.clone(), facts.id.clone());
            let mut change = Change::new(facts.id.as_str())
                .step(
                    RowRef { table: "pathway", id: row.as_str().to_owned(), version: facts.version },
                    move |tx, at| tx.pathway_close(&closing, at),
                )
                .fact(closure);
            for share in ended_shares(scene, |_| true)? {
                change = change.fact(share);
            }
            for p in facts.participations.iter().filter(|p| p.role != Role::Referent && p.ended_at.is_none())
            {
                change = end_place(change, &facts.id, p);
            }
            Ok(change)
        })
    }

    /// Names another référent; the one before becomes a member of the circle.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn referent_name(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ReferentInput,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Participation };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let next = facts
                .participation(&input.participation)
                .filter(|p| p.in_force(scene.now) && may_know(facts, scene.gate.book(), me, p, scene.now))
                .ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            // LAW: S11. A hidden existence cannot be the référent.
            if next.existence.category().is_some()
                || next.role != Role::Participant
                || !next.assignment.in_force(scene.now)
            {
                return Err(ServiceError::rule(
                    "cannot_be_referent",
                    "Cette personne ne peut pas être référente : choisissez un autre membre du cercle.",
                ));
            }
            let preference = super::people::preference_fact(scene, &input.preference, &next.id)?;
            let role = |change: Change, p: &ParticipationFacts, role: Role| {
                let (pathway, id, version) = (facts.id.clone(), p.id.clone(), p.version);
                let row = RowRef {
                    table: "participation",
                    id: id.as_str().to_owned(),
                    version: version.saturating_add(1),
                };
                let new = ParticipationChange { role: Some(role), ..ParticipationChange::default() };
                change.step(row, move |tx, _| tx.participation_update(&pathway, &id, version, &new))
            };
            let change = role(Change::new(next.id.as_str()), me, Role::Participant);
            Ok(role(change, next, Role::Referent).fact(preference))
        })
    }
}

/// Adds the end of one place to a change.
pub(super) fn end_place(change: Change, on: &PathwayId, p: &ParticipationFacts) -> Change {
    let (pathway, id, version) = (on.clone(), p.id.clone(), p.version);
    let row =
        RowRef { table: "participation", id: id.as_str().to_owned(), version: version.saturating_add(1) };
    change.step(row, move |tx, at| {
        let ended = ParticipationChange { ended_at: Some(at), ..ParticipationChange::default() };
        tx.participation_update(&pathway, &id, version, &ended)
    })
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
