//! The statutory record (CASF L226-2-2): recorded by a bound professional on its own items, decided on by a second
//! person, known to those two and to its recipients, listed for its author and nobody else.
//!
//! INVARIANTS
//! * Both ends bound: `contested` is not enough, and the same act towards somebody who is not bound is refused (S7).
//! * The second person is a bound manager of the sharer's organisation, neither sharer nor recipient, and reads the
//!   motive, never an item.
//! * Recipients read the regime and the period only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::consent::standing;
use super::flow::Scene;
use super::who::still_open;
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::facts::StatuteFile;
use crate::access::{Grant, Resource, may_know};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::cell::{Reason, StatuteFact};
use crate::domain::day::Day;
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::record::RowRef;
use crate::domain::statute::{
    ExceptionMotive, Ground, PriorInformation, SecondPerson, StatuteDraft, StatuteError, StatuteEvent,
    StatuteEventKind, StatuteQuery, StatuteRecipient, StatutoryRecord, names_participation, statute_fact,
};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Function, Purpose, Regime, Role, Secrecy};
use crate::ids::{ItemVersionId, ParticipationId, PathwayId, StatuteId};
use crate::store::fact::{FactKind, RowAt};
use crate::store::pathway::StatuteBody;

/// Informed beforehand, or not, in the child's interest, for a motive.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "information", rename_all = "snake_case", deny_unknown_fields)]
pub enum InformationInput {
    Given { on: Day },
    ContraryToInterest { motive: ExceptionMotive },
}

impl InformationInput {
    const fn domain(self) -> PriorInformation {
        match self {
            Self::Given { on } => PriorInformation::Given { on: on.date() },
            Self::ContraryToInterest { motive } => PriorInformation::ContraryToInterest { motive },
        }
    }
}

/// A statutory record.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatuteInput {
    pub ground: Ground,
    /// What makes the share strictly necessary.
    pub necessity: Paragraph<600>,
    pub parents: InformationInput,
    pub child: InformationInput,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub items: Vec<ItemVersionId>,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub recipients: Vec<ParticipationId>,
}

/// What a second person decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Not informing is accepted, or not.
    Exception,
    /// After a refusal or withdrawal of the family.
    Validation,
    /// Still necessary.
    Review,
}

/// A decision, with its motive.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatuteDecision {
    pub kind: DecisionKind,
    pub accepted: bool,
    pub motive: Paragraph<600>,
}

/// What was written (sealed).
#[derive(Serialize, Deserialize)]
pub struct StatuteWords {
    pub necessity: String,
    pub decisions: Vec<DecisionWords>,
}

/// One decision, in the words of who took it.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct DecisionWords {
    pub kind: DecisionKind,
    pub accepted: bool,
    pub at: String,
    pub motive: String,
}

/// One recipient of a record and whether it may rest on it today.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StatuteRecipientView {
    #[schema(value_type = String)]
    pub participation: ParticipationId,
    pub complete: bool,
    pub validated: bool,
}

/// A record as one reader may see it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct StatuteView {
    #[schema(value_type = String)]
    pub id: StatuteId,
    pub regime: Regime,
    pub from: String,
    /// The moment at which it lapses without a (further) review; absent once over.
    pub until: Option<String>,
    /// Author and second person only, from here on.
    pub whole: Option<StatuteWhole>,
}

/// What author and second person read.
#[derive(Serialize, utoipa::ToSchema)]
pub struct StatuteWhole {
    pub ground: Ground,
    pub necessity: String,
    pub parents_informed: bool,
    pub child_informed: bool,
    pub parents_exception: Option<ExceptionMotive>,
    pub child_exception: Option<ExceptionMotive>,
    pub needs_second_person: bool,
    pub items: usize,
    pub recipients: Vec<StatuteRecipientView>,
    pub decisions: Vec<DecisionWords>,
}

impl App {
    /// Records a statutory share of one's own items.
    ///
    /// # Errors
    /// Refused; a rule of the route.
    pub fn statute_create(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &StatuteInput,
    ) -> Result<Created, ServiceError> {
        let id = StatuteId::random(self.chance())?;
        self.change(call, act, pathway, |scene| create(scene, &id, input))
    }

    /// One record.
    ///
    /// # Errors
    /// Refused to everyone but author, second person and recipients.
    pub fn statute_read(
        &self,
        call: &Call,
        act: Act,
        id: &StatuteId,
    ) -> Result<Disclosed<StatuteView>, ServiceError> {
        let pathway = self.located(FactKind::Statute, id.as_str())?;
        self.read(call, act, &pathway, |scene| {
            let file = find(scene, id)?;
            scene.purpose = Some(Purpose::Protection);
            scene.returned.push(RowRef { table: "fact", id: id.as_str().to_owned(), version: 1 });
            let view = outline(scene, file);
            match words_grant(scene, file) {
                Some(grant) => {
                    let whole = whole(scene, file);
                    let words: Sealed<Option<StatuteWords>> =
                        scene.snapshot.fact_words(grant, FactKind::Statute, id.as_str())?;
                    Ok(words.with((view, whole)).map_fn(|((view, whole), words)| {
                        let words =
                            words.unwrap_or(StatuteWords { necessity: String::new(), decisions: Vec::new() });
                        let whole =
                            StatuteWhole { necessity: words.necessity, decisions: words.decisions, ..whole };
                        StatuteView { whole: Some(whole), ..view }
                    }))
                }
                None => {
                    scene.gate.resource(Resource::Statute(id.clone()))?;
                    Ok(scene.seal_facts(view))
                }
            }
        })
    }

    /// The second person decides: exception, validation after a refusal, or review.
    ///
    /// # Errors
    /// Refused to anybody else; a rule to the author, who is not the second person.
    pub fn statute_decide(
        &self,
        call: &Call,
        act: Act,
        id: &StatuteId,
        input: &StatuteDecision,
    ) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Statute, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            let file = find(scene, id)?;
            let grant = match scene.gate.resource(Resource::StatuteMotive(id.clone())) {
                Ok(grant) => grant,
                Err(refusal) => {
                    // Whoever wrote it knows that it exists: told why not.
                    scene.gate.resource(Resource::StatuteWhole(id.clone())).map_err(|_| refusal)?;
                    return Err(rule(&StatuteError::IsTheSharer));
                }
            };
            // A decision that opens nothing, or ends it, is heard on a closed pathway too.
            if input.accepted {
                still_open(scene.gate.facts())?;
            }
            let by = second_person(scene);
            let kind = match (input.kind, input.accepted) {
                (DecisionKind::Exception, accepted) => {
                    if !file.record.needs_second_person() {
                        return Err(ServiceError::rule(
                            "no_exception_asked",
                            "Parents et enfant ont été informés : il n'y a pas d'exception à décider.",
                        ));
                    }
                    Some(StatuteEventKind::ExceptionDecided { by, accepted })
                }
                (DecisionKind::Validation, true) => Some(StatuteEventKind::Validated { by }),
                // Not validated: nothing opens, and the motive is kept.
                (DecisionKind::Validation, false) => None,
                (DecisionKind::Review, still_necessary) => {
                    Some(StatuteEventKind::Reviewed { by, still_necessary })
                }
            };
            let decision = DecisionWords {
                kind: input.kind,
                accepted: input.accepted,
                at: scene.now.rfc3339(),
                motive: input.motive.as_str().to_owned(),
            };
            scene.motive = Some(input.motive.as_str().to_owned());
            next_version(scene, grant, file, kind, Some(decision))
        })
    }

    /// The sharer ends it.
    ///
    /// # Errors
    /// Refused to anybody else.
    pub fn statute_close(&self, call: &Call, act: Act, id: &StatuteId) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Statute, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            let file = find(scene, id)?;
            let grant = scene.gate.resource(Resource::StatuteWhole(id.clone()))?;
            next_version(scene, grant, file, Some(StatuteEventKind::Closed), None)
        })
    }
}

fn create(scene: &mut Scene<'_>, id: &StatuteId, input: &StatuteInput) -> Result<Change, ServiceError> {
    scene.gate.resource(Resource::Act)?;
    let facts = scene.gate.facts();
    let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
    let actor = scene.gate.actor().assignment();
    let now = scene.now;
    let mut items = Vec::new();
    for version in &input.items {
        let (item, found) = facts.version(version).ok_or(ServiceError::AbsentOrRefused)?;
        let grant = scene.gate.item(item, found, None)?;
        // No onward sharing: what somebody else shared is not the sharer's to pass on.
        if grant.decision().reason != Reason::OwnItem {
            return Err(ServiceError::AbsentOrRefused);
        }
        items.push(item);
    }
    let mut recipients = Vec::new();
    for id in &input.recipients {
        let other = facts
            .participation(id)
            .filter(|p| p.in_force(now) && may_know(facts, scene.gate.book(), me, p, now))
            .ok_or(ServiceError::AbsentOrRefused)?;
        recipients.push(other);
    }
    still_open(facts)?;
    // LAW: CASF L226-2-2. Both ends are bound by secrecy; `contested` is not enough.
    let ends = recipients.iter().map(|p| &p.assignment).chain(std::iter::once(actor));
    if !ends.into_iter().all(|a| a.secrecy_at(now) == Secrecy::Bound) {
        return Err(ServiceError::denied(
            Reason::StatuteNeedsBothBound,
            "statute_needs_both_bound",
            "Ce partage n'est possible qu'entre deux professionnels tenus au secret.",
        ));
    }
    let standing = standing(scene)?;
    for (recipient, item) in recipients.iter().flat_map(|r| items.iter().map(move |i| (r, i))) {
        let a = &recipient.assignment;
        let subjects: BTreeSet<_> =
            item.subjects.iter().copied().chain(std::iter::once(item.category)).collect();
        let cell = standing.matrix.strictest(a.profession, Secrecy::Bound, subjects.iter().copied());
        let carried = subjects.iter().all(|c| standing.matrix.purpose_carries(Purpose::Protection, *c));
        let receives = match recipient.role {
            Role::Referent | Role::Participant => true,
            Role::ContributorOnly | Role::StayOrganiser => false,
        };
        if !(cell.statute_open() && carried && receives) {
            return Err(ServiceError::denied(
                Reason::StatuteNotOpen,
                "statute_not_open",
                "Le partage prévu par la loi pour protéger un enfant ne s'applique pas ici : voyez « Danger ».",
            ));
        }
    }
    let draft = StatuteDraft {
        id: id.clone(),
        sharer: actor.id.clone(),
        sharer_professional: actor.professional.clone(),
        sharer_organisation: actor.organisation.clone(),
        ground: input.ground,
        necessity_stated: true,
        parents: input.parents.domain(),
        child: input.child.domain(),
        items: input.items.iter().cloned().collect(),
        recipients: recipients
            .iter()
            .map(|p| StatuteRecipient {
                participation: p.id.clone(),
                professional: p.assignment.professional.clone(),
            })
            .collect(),
        recorded_at: now,
    };
    let record = StatutoryRecord::new(draft, &facts.person).map_err(|e| rule(&e))?;
    scene.purpose = Some(Purpose::Protection);
    scene.categories = items.iter().map(|i| i.category).collect();
    scene.motive = Some(input.necessity.as_str().to_owned());
    let words = StatuteWords { necessity: input.necessity.as_str().to_owned(), decisions: Vec::new() };
    let fact = scene.pen().with_words(
        RowAt::first(FactKind::Statute, id.as_str()),
        &StatuteBody { record, events: Vec::new(), author: me.id.clone() },
        Some(&words),
    )?;
    Ok(Change::new(id.as_str()).fact(fact))
}

fn find<'a>(scene: &Scene<'a>, id: &StatuteId) -> Result<&'a StatuteFile, ServiceError> {
    scene.gate.facts().statutes.iter().find(|s| s.id() == id).ok_or(ServiceError::AbsentOrRefused)
}

/// The grant of the author, or of the second person. Asked in the order of who the actor is, so that a permit does not
/// trail a refusal that nobody met.
fn words_grant(scene: &mut Scene<'_>, file: &StatuteFile) -> Option<Grant> {
    let resource = if scene.gate.participation().is_some_and(|p| p.id == file.author) {
        Resource::StatuteWhole(file.id().clone())
    } else if scene.gate.actor().assignment().function == Function::Manager {
        Resource::StatuteMotive(file.id().clone())
    } else {
        return None;
    };
    scene.gate.resource(resource).ok()
}

pub(super) fn second_person(scene: &Scene<'_>) -> SecondPerson {
    let a = scene.gate.actor().assignment();
    SecondPerson {
        assignment: a.id.clone(),
        professional: a.professional.clone(),
        organisation: a.organisation.clone(),
        function: a.function,
        secrecy: a.secrecy_at(scene.now),
    }
}

fn next_version(
    scene: &mut Scene<'_>,
    grant: Grant,
    file: &StatuteFile,
    kind: Option<StatuteEventKind>,
    decision: Option<DecisionWords>,
) -> Result<Change, ServiceError> {
    let facts = scene.gate.facts();
    let id = file.id();
    let row = scene
        .snapshot
        .facts_of::<StatuteBody>(scene.key, &facts.id, FactKind::Statute)?
        .into_iter()
        .find(|f| f.id == id.as_str())
        .ok_or(ServiceError::AbsentOrRefused)?;
    let mut body = row.facts;
    if let Some(kind) = kind {
        let seq = body.events.iter().map(|e| e.seq).max().map_or(0, |s| s.saturating_add(1));
        let event = StatuteEvent { at: scene.now, seq, kind };
        body.record.check_event(&event).map_err(|e| rule(&e))?;
        body.events.push(event);
    }
    scene.purpose = Some(Purpose::Protection);
    let words = scene
        .snapshot
        .fact_words::<StatuteWords>(grant, FactKind::Statute, id.as_str())?
        .with(decision)
        .map_fn(|(decision, words)| {
            let mut words = words.unwrap_or(StatuteWords { necessity: String::new(), decisions: Vec::new() });
            words.decisions.extend(decision);
            words
        });
    let fact = scene.pen().sealed::<_, _, ServiceError>(
        RowAt::after(FactKind::Statute, id.as_str(), row.version),
        words,
        |w| &w.necessity,
        |_| Ok(body),
    )?;
    Ok(Change::new(id.as_str()).fact(fact))
}

/// When the record lapses, complete or not: the same for everything that it names.
pub(super) fn lapses_at(scene: &Scene<'_>, file: &StatuteFile) -> Option<Timestamp> {
    let draft = file.record.draft();
    let query = StatuteQuery {
        item_version: draft.items.iter().next()?,
        recipient: &draft.recipients.iter().next()?.participation,
        refused_at: None,
    };
    statute_fact(&file.record, &file.events, &query, &scene.gate.facts().person, scene.now).lapses_at
}

fn outline(scene: &Scene<'_>, file: &StatuteFile) -> StatuteView {
    StatuteView {
        id: file.id().clone(),
        regime: Regime::L226_2_2,
        from: file.record.draft().recorded_at.rfc3339(),
        until: lapses_at(scene, file).map(Timestamp::rfc3339),
        whole: None,
    }
}

fn whole(scene: &Scene<'_>, file: &StatuteFile) -> StatuteWhole {
    let draft = file.record.draft();
    let person = &scene.gate.facts().person;
    let exception = |i: PriorInformation| match i {
        PriorInformation::Given { .. } => None,
        PriorInformation::ContraryToInterest { motive } => Some(motive),
    };
    StatuteWhole {
        ground: draft.ground,
        necessity: String::new(),
        parents_informed: exception(draft.parents).is_none(),
        child_informed: exception(draft.child).is_none(),
        parents_exception: exception(draft.parents),
        child_exception: exception(draft.child),
        needs_second_person: file.record.needs_second_person(),
        items: draft.items.len(),
        recipients: draft
            .recipients
            .iter()
            .map(|r| {
                let answer =
                    names_participation(&file.record, &file.events, &r.participation, person, scene.now);
                StatuteRecipientView {
                    participation: r.participation.clone(),
                    complete: answer.fact != StatuteFact::None,
                    validated: answer.fact == StatuteFact::CompleteValidated,
                }
            })
            .collect(),
        decisions: Vec::new(),
    }
}

fn rule(e: &StatuteError) -> ServiceError {
    let (code, message): (&'static str, &'static str) = match e {
        StatuteError::MinorityNotProved => (
            "minority_not_proved",
            "Cette voie est pour les mineurs dont la date de naissance est connue : sinon, alertez (voyez « Danger »).",
        ),
        StatuteError::NicknameOnly => {
            ("nickname_only", "Cette personne est connue sous un surnom : pas de partage par cette voie.")
        }
        StatuteError::NecessityNotStated => {
            ("necessity_not_stated", "Dites ce qui rend ce partage strictement nécessaire.")
        }
        StatuteError::NoItem => ("no_item", "Choisissez au moins une information."),
        StatuteError::NoRecipient => ("no_recipient", "Choisissez au moins un destinataire."),
        StatuteError::InformedAfter(_) => {
            ("informed_after", "L'information vient avant le partage : la date ne peut pas être à venir.")
        }
        StatuteError::MaturityOfParents => {
            ("maturity_of_parents", "L'âge et la maturité ne concernent que l'information de l'enfant.")
        }
        StatuteError::SharerIsRecipient => {
            ("sharer_is_recipient", "Vous ne pouvez pas être votre propre destinataire.")
        }
        StatuteError::IsTheSharer => (
            "second_person_needed",
            "Vous faites ce partage : c'est à un responsable de votre structure, une autre personne, de décider.",
        ),
        StatuteError::NotAManager(_)
        | StatuteError::NotBound(_)
        | StatuteError::AnotherOrganisation
        | StatuteError::IsARecipient => (
            "second_person_needed",
            "La seconde personne est un responsable de la structure qui partage, tenu au secret, qui ne reçoit rien.",
        ),
        StatuteError::BeforeTheRecord => ("before_the_record", "Cette décision vient avant le partage."),
    };
    // What the law does not allow is a refusal; what was typed wrong is not.
    match e {
        StatuteError::MinorityNotProved
        | StatuteError::NicknameOnly
        | StatuteError::SharerIsRecipient
        | StatuteError::IsTheSharer
        | StatuteError::NotAManager(_)
        | StatuteError::NotBound(_)
        | StatuteError::AnotherOrganisation
        | StatuteError::IsARecipient => ServiceError::forbidden(code, message),
        StatuteError::NecessityNotStated
        | StatuteError::NoItem
        | StatuteError::NoRecipient
        | StatuteError::InformedAfter(_)
        | StatuteError::MaturityOfParents
        | StatuteError::BeforeTheRecord => ServiceError::rule(code, message),
    }
}
