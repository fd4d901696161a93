//! The young person: identity, emancipation, the choice of the référent. Those beside: `holders`.
//!
//! INVARIANTS
//! * A nickname becomes an identity only by the young person's own act (S15).
//! * A choice of référent is added, never replaced: its changes stay readable (R28).

mod holders;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use holders::{HolderEnd, HolderInput, HolderView, HolderWords, HoldersView};

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::who::{iso, still_open};
use crate::access::Resource;
use crate::access::facts::PathwayFacts;
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::item::{ContactKind, LONGEST_LIST};
use crate::domain::person::{PersonError, PersonFacts};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{EntryError, FieldError, FieldErrors, Paragraph, Text};
use crate::domain::vocabulary::Capacity;
use crate::ids::{FactId, ParticipationId, PathwayId};
use crate::store::StoreError;
use crate::store::fact::{FactKind, NewFact, RowAt};

/// A number by which the family is reached.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactLine {
    pub kind: ContactKind,
    pub who: Text<80>,
    pub number: Phone,
}

/// Whom to call, in this order.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyLine {
    pub who: Text<80>,
    pub number: Phone,
}

/// Who the young person is; the birth date stands among the facts.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentitySheet {
    pub first_name: Text<80>,
    pub name: Text<80>,
    #[serde(default)]
    #[schema(max_items = 10)]
    pub contacts: Vec<ContactLine>,
    #[serde(default)]
    #[schema(max_items = 10)]
    pub emergency_contacts: Vec<EmergencyLine>,
}

impl IdentitySheet {
    fn check(&self) -> Result<(), FieldErrors> {
        let too_many = |path: &str, len: usize| {
            (len > LONGEST_LIST).then(|| FieldError {
                path: path.to_owned(),
                error: EntryError::TooMany { max: LONGEST_LIST },
            })
        };
        let errors = [
            too_many("identity.contacts", self.contacts.len()),
            too_many("identity.emergency_contacts", self.emergency_contacts.len()),
        ];
        FieldErrors::new(errors.into_iter().flatten().collect()).map_or(Ok(()), Err)
    }
}

/// What is written of the young person (words of the fact `person`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonWords {
    pub nickname: Option<Text<80>>,
    pub identity: Option<IdentitySheet>,
}

impl PersonWords {
    /// The name by which this pathway is called.
    #[must_use]
    pub fn display(&self) -> String {
        match (&self.identity, &self.nickname) {
            (Some(i), _) => format!("{} {}", i.first_name.as_str(), i.name.as_str()),
            (None, Some(n)) => n.as_str().to_owned(),
            (None, None) => String::new(),
        }
    }
}

/// Either a nickname or an identity with what is known of the birth date.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    pub nickname: Option<Text<80>>,
    pub identity: Option<IdentitySheet>,
    pub birth_date: Option<Day>,
}

fn born(day: Option<Day>, now: Timestamp) -> Result<Option<chrono::NaiveDate>, FieldErrors> {
    match day {
        Some(day) if day.date() > now.paris_day() => {
            Err(FieldErrors::one("birth_date", EntryError::DateInFuture))
        }
        Some(day) => Ok(Some(day.date())),
        None => Ok(None),
    }
}

impl PersonInput {
    /// Facts and words of a new pathway's person.
    ///
    /// # Errors
    /// Neither or both of nickname and identity, or a date that makes no sense.
    pub fn accept(&self, now: Timestamp) -> Result<(PersonFacts, PersonWords), ServiceError> {
        let nickname_only = match (&self.nickname, &self.identity) {
            (Some(_), None) => true,
            (None, Some(sheet)) => {
                sheet.check()?;
                false
            }
            (Some(_), Some(_)) => return Err(FieldErrors::one("nickname", EntryError::UnknownField).into()),
            (None, None) => return Err(FieldErrors::one("identity", EntryError::Missing).into()),
        };
        let facts =
            PersonFacts::new(born(self.birth_date, now)?, None, nickname_only).map_err(|e| refused(&e))?;
        Ok((facts, PersonWords { nickname: self.nickname.clone(), identity: self.identity.clone() }))
    }
}

fn refused(e: &PersonError) -> ServiceError {
    let (code, message) = match e {
        PersonError::BirthDate(_) => {
            ("birth_date", "Cette date de naissance n'est pas possible : vérifiez l'année.")
        }
        PersonError::EmancipationWithoutBirthDate => {
            ("birth_date_needed", "Notez d'abord la date de naissance, puis l'émancipation.")
        }
        PersonError::EmancipationTooEarly(_) => {
            ("emancipation_too_early", "Personne n'est émancipé avant 16 ans : vérifiez la date du jugement.")
        }
        PersonError::EmptyPeriod { .. } => {
            ("empty_period", "La fin doit venir après le début : vérifiez les dates.")
        }
        PersonError::NotAHolder(_) => (
            "not_a_holder",
            "Le jeune n'est pas titulaire de l'autorité parentale : choisissez une autre qualité.",
        ),
        PersonError::DecisionMissing(_) => (
            "decision_missing",
            "Cette qualité repose sur une décision : notez sa référence et sa date de fin.",
        ),
        PersonError::ServiceMissing(_) => ("service_missing", "Dites quelle structure est ce service."),
        PersonError::Reference => ("reference", "Une référence tient sur une ligne de 140 caractères."),
        PersonError::NotAManager(_)
        | PersonError::ImpossibilityTooLong(_)
        | PersonError::ImpossibilityBackdated(_)
        | PersonError::Attempts => ("impossibility", "Cette impossibilité ne peut pas être notée ainsi."),
    };
    ServiceError::rule(code, message)
}

/// Who the young person is, as those read who may.
#[derive(Serialize, ToSchema)]
pub struct PersonView {
    pub name: String,
    pub nickname_only: bool,
    pub identity: Option<IdentitySheet>,
    #[schema(format = Date)]
    pub birth_date: Option<String>,
    #[schema(format = Date)]
    pub emancipated_on: Option<String>,
}

fn last_words(mut rows: Vec<(String, PersonWords)>) -> Option<PersonWords> {
    rows.pop().map(|(_, words)| words)
}

/// The words of the person, under `resource` (identity, or that of an invited person); nothing when it is refused,
/// which is no refusal of the request: without the name, a situation has a number.
pub(super) fn person_words(
    scene: &mut Scene<'_>,
    resource: Resource,
) -> Result<Sealed<Option<PersonWords>>, ServiceError> {
    match scene.gate.resource(resource) {
        Ok(grant) => {
            scene.returned.push(RowRef {
                table: "person",
                id: scene.gate.facts().id.as_str().to_owned(),
                version: scene.gate.facts().version,
            });
            Ok(scene.snapshot.facts_words::<PersonWords>(grant, FactKind::Person)?.map_fn(last_words))
        }
        Err(_) => Ok(scene.seal_facts(None)),
    }
}

/// Facts and words together, for a view.
pub(super) fn person_view(known: &PersonFacts, words: PersonWords) -> PersonView {
    PersonView {
        name: words.display(),
        nickname_only: known.nickname_only(),
        identity: words.identity,
        birth_date: known.birth_date().map(iso),
        emancipated_on: known.emancipated_on().map(iso),
    }
}

/// The young person's name, given by the young person.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityInput {
    /// What is corrected: the `person_version` of the pathway as it was read.
    pub version: i64,
    pub identity: IdentitySheet,
    pub birth_date: Option<Day>,
    /// The young person gave it, for this; needed the first time.
    pub given_by_young_person: bool,
}

/// Emancipation.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmancipationInput {
    pub on: Day,
}

/// Whom the person wants as référent, and who said so.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceInput {
    pub said_by: Capacity,
    pub wish: Paragraph<600>,
    pub on: Day,
}

/// What is kept of it (fact `preference`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferenceBody {
    pub said_by: Capacity,
    pub on: chrono::NaiveDate,
    /// Who was référent when it was recorded.
    pub referent: ParticipationId,
}

/// Its words.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferenceWords {
    pub wish: Paragraph<600>,
}

/// One choice, with its words.
#[derive(Serialize, ToSchema)]
pub struct PreferenceView {
    pub said_by: Capacity,
    #[schema(format = Date)]
    pub on: String,
    pub wish: Option<Paragraph<600>>,
}

/// All choices, latest first.
#[derive(Serialize, ToSchema)]
pub struct PreferencesView {
    pub items: Vec<PreferenceView>,
}

impl PreferenceInput {
    /// The body, checked.
    ///
    /// # Errors
    /// A day in the future.
    pub fn accept(&self, referent: &ParticipationId, now: Timestamp) -> Result<PreferenceBody, ServiceError> {
        if self.on.date() > now.paris_day() {
            return Err(FieldErrors::one("preference.on", EntryError::DateInFuture).into());
        }
        Ok(PreferenceBody { said_by: self.said_by, on: self.on.date(), referent: referent.clone() })
    }

    #[must_use]
    pub fn words(&self) -> PreferenceWords {
        PreferenceWords { wish: self.wish.clone() }
    }
}

type ToldPreferences = (Vec<(String, PreferenceView)>, Vec<(String, PreferenceWords)>);

fn tell_preferences((views, words): ToldPreferences) -> PreferencesView {
    let mut items: Vec<PreferenceView> = views
        .into_iter()
        .map(|(id, mut view)| {
            view.wish = words.iter().find(|(w, _)| *w == id).map(|(_, w)| w.wish.clone());
            view
        })
        .collect();
    items.reverse();
    PreferencesView { items }
}

const fn act(action: Action, resource: ResourceKind) -> Act {
    Act { action, resource }
}

/// What decisions read of the person, at its latest version.
pub(super) fn person_fact(
    scene: &mut Scene<'_>,
    facts: &PathwayFacts,
) -> Result<crate::store::fact::Fact<PersonFacts>, ServiceError> {
    scene
        .snapshot
        .facts_of::<PersonFacts>(scene.key, &facts.id, FactKind::Person)?
        .pop()
        .ok_or_else(|| StoreError::corrupt("fact", &"no `person`").into())
}

impl App {
    /// The identity: given by the young person, or corrected. The référent's.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn identity_set(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &IdentityInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Update, ResourceKind::Identity), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            // LAW: S15. The identity enters only by the young person's own act.
            if facts.person.nickname_only() && !input.given_by_young_person {
                return Err(ServiceError::forbidden(
                    "own_act_needed",
                    "Seul le jeune peut donner son nom. Notez qu'il l'a donné, ou gardez le surnom.",
                ));
            }
            input.identity.check()?;
            let birth = born(input.birth_date, scene.now)?;
            let person =
                PersonFacts::new(birth, facts.person.emancipated_on(), false).map_err(|e| refused(&e))?;
            let words = PersonWords { nickname: None, identity: Some(input.identity.clone()) };
            let previous = person_fact(scene, facts)?;
            // Two windows, two corrections: the second is not written over the first unseen.
            if previous.version != input.version {
                return Err(ServiceError::Conflict);
            }
            let fact = scene.pen().with_words(
                RowAt::after(FactKind::Person, &previous.id, previous.version),
                &person,
                Some(&words),
            )?;
            Ok(Change::new(facts.id.as_str()).fact(fact))
        })
    }

    /// An emancipation, from the day of the decision. The référent's.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn emancipation_set(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: EmancipationInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Update, ResourceKind::Identity), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            if input.on.date() > scene.now.paris_day() {
                return Err(FieldErrors::one("on", EntryError::DateInFuture).into());
            }
            let person = PersonFacts::new(
                facts.person.birth_date(),
                Some(input.on.date()),
                facts.person.nickname_only(),
            )
            .map_err(|e| refused(&e))?;
            let previous = person_fact(scene, facts)?;
            let fact = scene.snapshot.fact_amend(&scene.pen(), FactKind::Person, &previous.id, &person)?;
            Ok(Change::new(facts.id.as_str()).fact(fact))
        })
    }

    /// Records a choice of référent, or that it changed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn preference_add(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &PreferenceInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Create, ResourceKind::Preference), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let fact = preference_fact(scene, input, &me.id)?;
            Ok(Change::new(fact.row_ref().id).fact(fact))
        })
    }

    /// The choices of référent and their words. The référent's.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn preferences(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<PreferencesView>, ServiceError> {
        self.read(call, act(Action::Read, ResourceKind::Preference), pathway, |scene| {
            let grant = scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            let rows =
                scene.snapshot.facts_of::<PreferenceBody>(scene.key, &facts.id, FactKind::Preference)?;
            let views: Vec<(String, PreferenceView)> = rows
                .into_iter()
                .map(|row| {
                    scene.returned.push(RowRef { table: "fact", id: row.id.clone(), version: row.version });
                    let view =
                        PreferenceView { said_by: row.facts.said_by, on: iso(row.facts.on), wish: None };
                    (row.id, view)
                })
                .collect();
            let words = scene.snapshot.facts_words::<PreferenceWords>(grant, FactKind::Preference)?;
            Ok(words.with(views).map_fn(tell_preferences))
        })
    }
}

/// A preference, sealed for the pathway of the scene.
pub(super) fn preference_fact(
    scene: &Scene<'_>,
    input: &PreferenceInput,
    referent: &ParticipationId,
) -> Result<NewFact, ServiceError> {
    let body = input.accept(referent, scene.now)?;
    let id = FactId::random(scene.app.chance())?;
    Ok(scene.pen().with_words(
        RowAt::first(FactKind::Preference, id.as_str()),
        &body,
        Some(&input.words()),
    )?)
}
