//! A holder who cannot be asked: requested from a stated motive, decided by a manager, for six months at most.
//!
//! INVARIANTS
//! * Two persons: who requests never decides (LAW §5, DESIGN §3).
//! * It concerns a holder, once, not an accord; the manager reads the motive and no item.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::flow::Scene;
use super::who::still_open;
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::{Resource, office_knows};
use crate::clock::Timestamp;
use crate::domain::day::{Day, french_date};
use crate::domain::person::{Impossibility, ImpossibilityDraft, Motive, PersonError};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::Function;
use crate::ids::{AssignmentId, HolderId, ImpossibilityId, OrganisationId, PathwayId, ProfessionalId};
use crate::store::fact::{Fact, FactKind, RowAt};

/// Why a holder cannot be asked, as it is stated.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "motive", rename_all = "snake_case", try_from = "MotiveFields")]
pub enum MotiveInput {
    Deceased,
    Unknown,
    AuthorityWithdrawn,
    NoAnswer { first_attempt: Day, second_attempt: Day },
    ContactWouldEndanger,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MotiveKind {
    Deceased,
    Unknown,
    AuthorityWithdrawn,
    NoAnswer,
    ContactWouldEndanger,
}

/// Read flat: a refusal names the field, which it cannot inside a tagged value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MotiveFields {
    motive: MotiveKind,
    first_attempt: Option<Day>,
    second_attempt: Option<Day>,
}

impl TryFrom<MotiveFields> for MotiveInput {
    type Error = serde::de::value::Error;
    fn try_from(fields: MotiveFields) -> Result<Self, Self::Error> {
        let plain = match fields.motive {
            MotiveKind::NoAnswer => {
                let missing = Self::Error::missing_field;
                return Ok(Self::NoAnswer {
                    first_attempt: fields.first_attempt.ok_or_else(|| missing("first_attempt"))?,
                    second_attempt: fields.second_attempt.ok_or_else(|| missing("second_attempt"))?,
                });
            }
            MotiveKind::Deceased => Self::Deceased,
            MotiveKind::Unknown => Self::Unknown,
            MotiveKind::AuthorityWithdrawn => Self::AuthorityWithdrawn,
            MotiveKind::ContactWouldEndanger => Self::ContactWouldEndanger,
        };
        match (fields.first_attempt, fields.second_attempt) {
            (None, None) => Ok(plain),
            (Some(_), _) => Err(Self::Error::unknown_field("first_attempt", &["motive"])),
            (None, Some(_)) => Err(Self::Error::unknown_field("second_attempt", &["motive"])),
        }
    }
}

impl MotiveInput {
    const fn domain(self) -> Motive {
        match self {
            Self::Deceased => Motive::Deceased,
            Self::Unknown => Motive::Unknown,
            Self::AuthorityWithdrawn => Motive::AuthorityWithdrawn,
            Self::NoAnswer { first_attempt, second_attempt } => Motive::NoAnswer {
                first_attempt: first_attempt.date(),
                second_attempt: second_attempt.date(),
            },
            Self::ContactWouldEndanger => Motive::ContactWouldEndanger,
        }
    }
}

/// A request.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpossibilityInput {
    pub holder: HolderId,
    pub motive: MotiveInput,
    /// What the manager decides on.
    pub statement: Paragraph<600>,
}

/// A manager's decision.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpossibilityDecision {
    pub accepted: bool,
    /// First day on which it no longer counts; needed to accept.
    #[serde(default)]
    pub until: Option<Day>,
    pub motive: Paragraph<600>,
}

/// A request as it is kept (fact `impossibility_request`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    pub holder: HolderId,
    pub motive: Motive,
    pub requested_by: AssignmentId,
    pub requester: ProfessionalId,
    pub organisation: OrganisationId,
    pub decided: Option<Decided>,
}

/// What was decided, by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    pub by: AssignmentId,
    pub at: Timestamp,
    pub accepted: bool,
}

/// What was written (sealed).
#[derive(Serialize, Deserialize)]
pub struct RequestWords {
    pub statement: String,
    pub decision: Option<String>,
}

impl App {
    /// Asks a manager to decide that a holder cannot be asked.
    ///
    /// # Errors
    /// Refused to whoever may not know the holders; a rule.
    pub fn impossibility_request(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &ImpossibilityInput,
    ) -> Result<Created, ServiceError> {
        let id = ImpossibilityId::random(self.chance())?;
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::HolderChange)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let actor = scene.gate.actor().assignment();
            let holder = facts.people().holder(&input.holder).filter(|h| h.can_sign()).ok_or_else(|| {
                rule(&PersonError::NotAHolder(crate::domain::vocabulary::Capacity::Relative))
            })?;
            let pending =
                requests(scene)?.iter().any(|r| r.facts.holder == *holder.id() && r.facts.decided.is_none());
            if pending {
                return Err(ServiceError::rule(
                    "already_requested",
                    "Une demande pour ce titulaire attend déjà la décision d'un responsable.",
                ));
            }
            let motive = input.motive.domain();
            if let Motive::NoAnswer { first_attempt, second_attempt } = motive
                && (first_attempt >= second_attempt || second_attempt > scene.now.paris_day())
            {
                return Err(rule(&PersonError::Attempts));
            }
            if !somebody_decides(scene)? {
                return Err(ServiceError::rule(
                    "no_manager",
                    "Personne ne peut décider : votre service n'a pas d'autre responsable. Demandez à l'administrateur d'en \
                     nommer un.",
                ));
            }
            scene.motive = Some(input.statement.as_str().to_owned());
            let body = RequestBody {
                holder: input.holder.clone(),
                motive,
                requested_by: actor.id.clone(),
                requester: actor.professional.clone(),
                organisation: actor.organisation.clone(),
                decided: None,
            };
            let words = RequestWords { statement: input.statement.as_str().to_owned(), decision: None };
            let row = RowAt::first(FactKind::ImpossibilityRequest, id.as_str());
            let fact = scene.pen().with_words(row, &body, Some(&words))?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// A manager decides, from the stated motive.
    ///
    /// # Errors
    /// Refused to anybody but a manager of the requester's organisation; a rule.
    pub fn impossibility_decide(
        &self,
        call: &Call,
        act: Act,
        id: &ImpossibilityId,
        input: &ImpossibilityDecision,
    ) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::ImpossibilityRequest, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            let grant = scene.gate.resource(Resource::ImpossibilityMotive(id.clone()))?;
            let facts = scene.gate.facts();
            let actor = scene.gate.actor().assignment();
            let request = requests(scene)?
                .into_iter()
                .find(|r| r.id == id.as_str())
                .filter(|r| decides(scene, &r.facts))
                .ok_or(ServiceError::AbsentOrRefused)?;
            if request.facts.requester == actor.professional {
                return Err(ServiceError::forbidden(
                    "second_person_needed",
                    "Vous avez fait cette demande : c'est à un autre responsable de décider.",
                ));
            }
            if request.facts.decided.is_some() {
                return Err(ServiceError::Conflict);
            }
            scene.motive = Some(input.motive.as_str().to_owned());
            let mut change = Change::new(id.as_str());
            if input.accepted {
                still_open(facts)?;
                let until = input.until.ok_or_else(|| {
                    ServiceError::rule("until_missing", "Dites jusqu'à quand (six mois au plus).").at("until")
                })?;
                let decided = Impossibility::new(ImpossibilityDraft {
                    holder: request.facts.holder.clone(),
                    motive: request.facts.motive.clone(),
                    decided_by: actor.id.clone(),
                    decided_as: actor.function,
                    decided_at: scene.now,
                    from: scene.now.paris_day(),
                    until: until.date(),
                })
                .map_err(|e| rule(&e))?;
                let row = ImpossibilityId::random(scene.app.chance())?;
                change = change
                    .fact(scene.pen().facts(RowAt::first(FactKind::Impossibility, row.as_str()), &decided)?);
            }
            let body = RequestBody {
                decided: Some(Decided { by: actor.id.clone(), at: scene.now, accepted: input.accepted }),
                ..request.facts
            };
            // What was stated stays beside what was decided; nobody reads it on the way.
            let words = scene
                .snapshot
                .fact_words::<RequestWords>(grant, FactKind::ImpossibilityRequest, id.as_str())?
                .with(input.motive.as_str().to_owned())
                .map_fn(|(decision, words)| RequestWords {
                    statement: words.map(|w| w.statement).unwrap_or_default(),
                    decision: Some(decision),
                });
            let fact = scene.pen().sealed::<_, _, ServiceError>(
                RowAt::after(FactKind::ImpossibilityRequest, id.as_str(), request.version),
                words,
                |w| &w.statement,
                |_| Ok(body),
            )?;
            Ok(change.fact(fact))
        })
    }
}

/// The requests of this pathway.
pub(super) fn requests(scene: &mut Scene<'_>) -> Result<Vec<Fact<RequestBody>>, ServiceError> {
    let pathway = scene.gate.facts().id.clone();
    Ok(scene.snapshot.facts_of(scene.key, &pathway, FactKind::ImpossibilityRequest)?)
}

/// Whether a manager other than the actor, of the same organisation, may know of the actor's place here and decide.
fn somebody_decides(scene: &mut Scene<'_>) -> Result<bool, ServiceError> {
    let (facts, now) = (scene.gate.facts(), scene.now);
    let actor = scene.gate.actor().assignment();
    Ok(scene.snapshot.assignments_in(&actor.organisation)?.iter().map(|row| &row.facts).any(|a| {
        a.function == Function::Manager
            && a.in_force(now)
            && a.professional != actor.professional
            && office_knows(facts, a, &actor.id)
    }))
}

/// Whether the actor decides on this request: a manager of the organisation that made it.
pub(super) fn decides(scene: &Scene<'_>, request: &RequestBody) -> bool {
    let actor = scene.gate.actor().assignment();
    let manager = match actor.function {
        Function::Manager => true,
        Function::Practitioner | Function::Secretary => false,
    };
    manager
        && request.organisation == actor.organisation
        && office_knows(scene.gate.facts(), actor, &request.requested_by)
}

fn rule(e: &PersonError) -> ServiceError {
    match e {
        PersonError::ImpossibilityTooLong(latest) => ServiceError::rule(
            "impossibility_too_long",
            format!(
                "Six mois au plus : finissez au plus tard le {} inclus, puis décidez à nouveau.",
                french_date(latest.pred_opt().unwrap_or(*latest))
            ),
        )
        .at("until"),
        PersonError::Attempts => ServiceError::rule(
            "attempts",
            "« Sans réponse » demande deux tentatives, à deux jours différents, déjà faites.",
        )
        .at("motive.second_attempt"),
        PersonError::EmptyPeriod { .. } => {
            ServiceError::rule("empty_period", "La fin vient avant le début : corrigez la date.").at("until")
        }
        PersonError::NotAHolder(_) => {
            ServiceError::rule("not_a_holder", "Choisissez un titulaire enregistré, qui peut signer.")
                .at("holder")
        }
        PersonError::BirthDate(_)
        | PersonError::EmancipationWithoutBirthDate
        | PersonError::EmancipationTooEarly(_)
        | PersonError::DecisionMissing(_)
        | PersonError::ServiceMissing(_)
        | PersonError::Reference
        | PersonError::NotAManager(_)
        | PersonError::ImpossibilityBackdated(_) => ServiceError::rule(
            "impossibility",
            "Cette impossibilité ne peut pas être enregistrée ainsi : vérifiez les dates.",
        ),
    }
}
