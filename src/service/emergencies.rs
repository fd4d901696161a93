//! Emergency (S13), on the side of who opens: opening, reading what it opens, ending it, and noting that the family knows.
//!
//! INVARIANTS
//! * What is shown is the identity sheet and the items of minimal health in force, each under its own grant, without
//!   author (see `access::emergency`).
//! * A motive is written by every opening, sealed under the pathway's key, and read by who reviews it.
//! * An opening is told to the référent only where that place may be known (S11).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created, Scene};
use super::members::me;
use super::people::{PersonView, PersonWords, person_view};
use super::who::{Names, Who, iso};
use super::{App, ServiceError};
use crate::access::facts::{ItemKind, ParticipationFacts, PathwayFacts};
use crate::access::{CharterBook, Resource, may_know};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::cell::Reason;
use crate::domain::emergency::{
    Emergency, EmergencyCategory, EmergencyError, EmergencyEvent, EmergencyEventKind, EmergencyOpening,
    EmergencyOutcome, MOST_REPEATS, REPEAT_DAYS,
};
use crate::domain::item::ItemContent;
use crate::domain::person::PersonFacts;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Category, Role};
use crate::ids::{EmergencyId, FactId, PathwayId};
use crate::store::fact::{FactKind, NewFact, RowAt};
use crate::store::item::Words;

/// What every opening obliges to, for the record.
pub(super) const OBLIGATIONS: [&str; 3] =
    ["officer_told", "review_within_72_hours", "family_told_afterwards"];

/// What opens.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyInput {
    /// What makes it necessary now, in writing.
    pub motive: Paragraph<600>,
    /// Read and understood: what will be seen, for how long, who is told.
    pub understood: bool,
}

/// The motive, as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct EmergencyWords {
    pub motive: String,
}

/// One piece of information opened in an emergency: no author, whoever wrote it.
#[derive(Serialize, ToSchema)]
pub struct EmergencyItem {
    pub category: Category,
    pub label: String,
    pub content: Option<ItemContent>,
    /// The content field by field, as people read it.
    #[serde(skip)]
    pub words: Vec<(String, String)>,
    #[schema(format = Date)]
    pub written_on: String,
}

/// What an opening shows to its author.
#[derive(Serialize, ToSchema)]
pub struct EmergencyView {
    #[schema(value_type = String)]
    pub id: EmergencyId,
    #[schema(value_type = String)]
    pub pathway: PathwayId,
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// Until when it is open.
    #[schema(format = DateTime)]
    pub closes_at: String,
    /// The identity sheet; nothing while the young person has given no name, or where the charter never opens it.
    pub person: Option<PersonView>,
    /// Minimal health.
    pub items: Vec<EmergencyItem>,
}

/// An opening, without what it opened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EmergencyOpeningLine)]
pub struct EmergencyLine {
    #[schema(value_type = String)]
    pub id: EmergencyId,
    pub mine: bool,
    pub who: Who,
    #[schema(format = DateTime)]
    pub opened_at: String,
    #[schema(format = DateTime)]
    pub closes_at: String,
    pub open: bool,
    pub outcome: Option<EmergencyOutcome>,
    /// The review asks that the family be told, and nobody has noted that it knows.
    pub family_waits: bool,
}

/// The openings of a pathway that the asker may know of, latest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmergencyList {
    pub items: Vec<EmergencyLine>,
    /// Whether the asker could open now.
    pub may_open: bool,
}

const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Emergency }
}

/// What the rules of an opening refuse, in the words of who acts.
pub(super) fn rule(e: EmergencyError) -> ServiceError {
    match e {
        EmergencyError::AlreadyOpen => ServiceError::rule(
            "emergency_already_open",
            "Votre accès en urgence est déjà ouvert : il se trouve sous « Danger ». Il ne se prolonge pas.",
        ),
        EmergencyError::TooMany => ServiceError::forbidden(
            "emergency_repeated",
            format!(
                "Vous avez ouvert {MOST_REPEATS} accès en urgence en {REPEAT_DAYS} jours. Appelez le 15, le 119 ou le \
                 référent ; pour la suite, préparez un accord, ou un partage prévu par la loi."
            ),
        ),
        EmergencyError::OwnOpening => ServiceError::forbidden(
            "emergency_own_review",
            "Personne n'examine un accès que l'on a ouvert soi-même : un autre délégué doit le faire.",
        ),
        EmergencyError::AlreadyReviewed => {
            ServiceError::rule("emergency_already_reviewed", "Cet accès en urgence est déjà examiné.")
        }
    }
}

/// The openings that a member may know of: the own ones, and for the référent those of every place that may be known.
pub(super) fn known_to<'a>(
    facts: &'a PathwayFacts,
    book: &'a CharterBook,
    reader: &'a ParticipationFacts,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Emergency, &'a ParticipationFacts)> {
    facts.emergencies.iter().filter_map(move |e| {
        let place = facts.participation(e.place())?;
        let mine = *e.assignment() == reader.assignment.id;
        let told = reader.role == Role::Referent && may_know(facts, book, reader, place, now);
        (mine || told).then_some((e, place))
    })
}

/// An event of an opening, ready to be written.
pub(super) fn event<W: Serialize>(
    scene: &Scene<'_>,
    id: &EmergencyId,
    kind: EmergencyEventKind,
    words: Option<&W>,
) -> Result<NewFact, ServiceError> {
    let body = EmergencyEvent { emergency: id.clone(), at: scene.now, kind };
    let row = FactId::random(scene.app.chance())?;
    Ok(scene.pen().with_words(RowAt::first(FactKind::EmergencyEvent, row.as_str()), &body, words)?)
}

fn with_words((mut item, (sheet, words)): Dressed) -> EmergencyItem {
    if let Words::Item(draft) = words {
        let (label, content) = draft.into_parts();
        item.label = label.as_str().to_owned();
        item.words = sheet.map(|c| content.words(c.sheet())).unwrap_or_default();
        item.content = Some(content);
    }
    item
}

type Sheet = Option<std::sync::Arc<crate::charter::Charter>>;
type Dressed = (EmergencyItem, (Sheet, Words));

type Whole = ((EmergencyView, PersonFacts), (Option<PersonWords>, Vec<EmergencyItem>));

fn whole(((mut view, facts), (person, items)): Whole) -> EmergencyView {
    view.person = person.map(|words| person_view(&facts, words));
    view.items = items;
    view
}

fn last_words(mut rows: Vec<(String, PersonWords)>) -> Option<PersonWords> {
    rows.pop().map(|(_, words)| words)
}

/// The identity sheet under an opening; nothing where the charter never opens it to this profession.
fn sheet(scene: &mut Scene<'_>, id: &EmergencyId) -> Result<Sealed<Option<PersonWords>>, ServiceError> {
    match scene.gate.resource(Resource::EmergencyIdentity(id.clone())) {
        Ok(grant) => {
            let facts = scene.gate.facts();
            scene.returned.push(RowRef {
                table: "person",
                id: facts.id.as_str().to_owned(),
                version: facts.version,
            });
            Ok(scene.snapshot.facts_words::<PersonWords>(grant, FactKind::Person)?.map_fn(last_words))
        }
        Err(refusal) if refusal.failing.iter().all(|f| f.reason == Reason::CeilingNever) => {
            Ok(scene.seal_facts(None))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// Minimal health under an opening.
fn health(scene: &mut Scene<'_>, id: &EmergencyId) -> Result<Vec<Sealed<EmergencyItem>>, ServiceError> {
    let facts = scene.gate.facts();
    let charter = scene.gate.book().in_force(scene.now).map(|e| std::sync::Arc::clone(&e.charter));
    let (mut grants, mut known) = (Vec::new(), Vec::new());
    for item in facts.items.iter().filter(|i| i.kind == ItemKind::Item).rev() {
        // Asked only of what an emergency can open: a refusal would be recorded of a thing never asked.
        let asked = EmergencyCategory::of(item.category).is_some() && item.subjects.is_empty();
        let Some(version) = item.current().filter(|v| asked && !v.erased) else { continue };
        let Ok(grant) = scene.gate.item_in_emergency(item, version, id) else { continue };
        scene.returned.push(RowRef {
            table: "item_version",
            id: version.id.as_str().to_owned(),
            version: version.number,
        });
        grants.push(grant);
        known.push(EmergencyItem {
            category: item.category,
            label: String::new(),
            content: None,
            words: Vec::new(),
            written_on: iso(version.created_at.paris_day()),
        });
    }
    let words = scene.snapshot.items_words(grants)?;
    let dress = |(words, item): (Sealed<Words>, EmergencyItem)| {
        words.with(charter.clone()).with(item).map_fn(with_words)
    };
    Ok(words.into_iter().zip(known).map(dress).collect())
}

impl App {
    /// Opens identity and minimal health for a day at most.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn emergency_open(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &EmergencyInput,
    ) -> Result<Created, ServiceError> {
        let id = EmergencyId::random(self.chance())?;
        self.change(call, act(Action::Create), pathway, |scene| {
            scene.gate.resource(Resource::EmergencyOpen)?;
            if !input.understood {
                return Err(ServiceError::rule(
                    "understood",
                    "Cochez la case : vous avez lu ce qui s'ouvre, pour combien de temps, et qui en est averti.",
                ));
            }
            let (place, assignment) = (me(scene)?, scene.gate.actor().assignment());
            let by = (assignment.id.clone(), assignment.professional.clone());
            let before = &scene.gate.facts().emergencies;
            let opening = EmergencyOpening::open(id.clone(), place.id.clone(), by, scene.now, before)
                .map_err(rule)?;
            let words = EmergencyWords { motive: input.motive.as_str().to_owned() };
            let row = RowAt::first(FactKind::Emergency, id.as_str());
            let fact = scene.pen().with_words(row, &opening, Some(&words))?;
            scene.motive = Some(input.motive.as_str().to_owned());
            scene.obligations = OBLIGATIONS.to_vec();
            scene.categories.extend(EmergencyCategory::ALL.iter().map(|c| c.category()));
            let (row, at) = (id.clone(), pathway.clone());
            let written = RowRef { table: "emergency", id: id.as_str().to_owned(), version: 1 };
            let opened_at = scene.now;
            Ok(Change::new(id.as_str())
                .fact(fact)
                .step(written, move |tx, _| tx.emergency_insert(&row, &at, opened_at)))
        })
    }

    /// What one's own opening shows, while it is open.
    ///
    /// # Errors
    /// [`ServiceError`]; its author alone is told that it is over.
    pub fn emergency_read(
        &self,
        call: &Call,
        id: &EmergencyId,
    ) -> Result<Disclosed<EmergencyView>, ServiceError> {
        let pathway = self.located(FactKind::Emergency, id.as_str())?;
        self.read(call, act(Action::Read), &pathway, |scene| {
            let person = sheet(scene, id)?;
            let items = health(scene, id)?;
            let facts = scene.gate.facts();
            let opening = facts.emergency(id).ok_or(ServiceError::AbsentOrRefused)?;
            scene.obligations = OBLIGATIONS.to_vec();
            let view = EmergencyView {
                id: id.clone(),
                pathway: facts.id.clone(),
                opened_at: opening.opened_at().rfc3339(),
                closes_at: opening.closes_at().rfc3339(),
                person: None,
                items: Vec::new(),
            };
            Ok(person.zip(Sealed::all(items)).with((view, facts.person.clone())).map_fn(whole))
        })
    }

    /// Its author needs it no longer.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn emergency_end(&self, call: &Call, id: &EmergencyId) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Emergency, id.as_str())?;
        self.change(call, act(Action::End), &pathway, |scene| {
            scene.gate.resource(Resource::Emergency(id.clone()))?;
            let opening = scene.gate.facts().emergency(id).ok_or(ServiceError::AbsentOrRefused)?;
            if *opening.assignment() != scene.gate.actor().assignment().id {
                return Err(ServiceError::AbsentOrRefused);
            }
            if !opening.in_force(scene.now) {
                return Err(ServiceError::rule("emergency_over", "Cet accès en urgence est déjà terminé."));
            }
            let fact = event(scene, id, EmergencyEventKind::Ended, None::<&()>)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// The young person and the family know.
    ///
    /// # Errors
    /// [`ServiceError`]; the author and the référent only.
    pub fn emergency_told(&self, call: &Call, id: &EmergencyId) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Emergency, id.as_str())?;
        self.change(call, act(Action::Update), &pathway, |scene| {
            scene.gate.resource(Resource::Emergency(id.clone()))?;
            let opening = scene.gate.facts().emergency(id).ok_or(ServiceError::AbsentOrRefused)?;
            if !opening.family_waits() {
                return Err(ServiceError::rule(
                    "emergency_not_to_tell",
                    "Rien n'est à dire à la famille pour cet accès : l'examen ne le demande pas, ou c'est déjà noté.",
                ));
            }
            let fact = event(scene, id, EmergencyEventKind::FamilyTold, None::<&()>)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// The openings of a pathway that the asker may know of.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn emergencies_on(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<EmergencyList>, ServiceError> {
        self.read(call, act(Action::List), pathway, |scene| {
            scene.gate.resource(Resource::Place)?;
            let reader = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let mut names = Names::default();
            let mut items = Vec::new();
            for (opening, place) in known_to(facts, book, reader, now) {
                if scene.gate.resource(Resource::Emergency(opening.id().clone())).is_err() {
                    continue;
                }
                items.push(EmergencyLine {
                    id: opening.id().clone(),
                    mine: *opening.assignment() == reader.assignment.id,
                    who: names.who(scene.snapshot, &place.assignment)?,
                    opened_at: opening.opened_at().rfc3339(),
                    closes_at: opening.closes_at().rfc3339(),
                    open: opening.in_force(now),
                    outcome: opening.review().map(|r| r.outcome),
                    family_waits: opening.family_waits(),
                });
            }
            items.reverse();
            // Who only brings, or organises a stay, is not asked for: nothing was wanted.
            let may_open = match reader.role {
                Role::Referent | Role::Participant => scene.gate.resource(Resource::EmergencyOpen).is_ok(),
                Role::ContributorOnly | Role::StayOrganiser => false,
            };
            Ok(scene.seal_facts(EmergencyList { items, may_open }))
        })
    }
}
