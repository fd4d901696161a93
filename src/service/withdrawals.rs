//! « Je ne veux plus » : recorded by any member of the circle or the lead organisation's secretary, in one step.
//!
//! INVARIANTS
//! * It covers accords that the recorder cannot see, and the answer is the same whether there were any.
//! * It counts on the next request, through any channel, by one person who signs or holds authority (LAW §5).
//! * No reason is asked.

use serde::{Deserialize, Serialize};

use super::consent::{RecipientInput, Said, accord_rule};
use super::flow::Scene;
use super::notices::spoken;
use super::signatures::Channel;
use super::{Act, App, Call, Change, ServiceError};
use crate::access::{Resource, sees_in_circle};
use crate::audit::Disclosed;
use crate::domain::accord::{Event, EventKind, Scope, Signatory, check_event};
use crate::domain::record::RowRef;
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::{AssignmentId, ConsentEventId, PathwayId};
use crate::store::fact::{FactKind, RowAt};
use crate::store::pathway::{EventBody, Sheet};

/// What stops.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "scope", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScopeInput {
    Everything {},
    Recipient {
        recipient: RecipientInput,
    },
    /// One person and nobody else of the same service, whatever the accord named.
    Person {
        assignment: AssignmentId,
    },
    Category {
        category: Category,
    },
}

/// A withdrawal.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalInput {
    /// `young_person`, `parent` when the recorder does not know which one, or a holder's id.
    pub by: Said,
    pub what: ScopeInput,
    pub channel: Channel,
}

/// A stay that goes on: the paper is still with its organiser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RunningStay {
    pub organisation: String,
    pub telephone: String,
    pub sentence: String,
}

/// What the recorder is told, the same whatever was covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WithdrawalView {
    pub id: String,
    pub sentence: String,
    pub running_stays: Vec<RunningStay>,
}

/// What is kept beside the event: how it was said, and by whom when the recorder knows no more than « un parent ».
#[derive(Serialize, Deserialize)]
struct Heard {
    channel: Channel,
    which_parent_unknown: bool,
}

impl App {
    /// Records that somebody of the family takes back an accord, known or not to who records it.
    ///
    /// # Errors
    /// Refused to whoever has no place; a rule when nobody is recorded who could say it.
    pub fn withdrawal_record(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &WithdrawalInput,
    ) -> Result<Disclosed<WithdrawalView>, ServiceError> {
        let id = ConsentEventId::random(self.chance())?;
        let plan = |scene: &mut Scene<'_>| {
            scene.gate.resource(Resource::Hear)?;
            let scope = match &input.what {
                ScopeInput::Everything {} => Scope::Everything,
                ScopeInput::Recipient { recipient } => Scope::Recipient(recipient.key()),
                ScopeInput::Person { assignment } => {
                    known_person(scene, assignment)?;
                    Scope::Assignment(assignment.clone())
                }
                ScopeInput::Category { category } => Scope::Category(*category),
            };
            let facts = scene.gate.facts();
            let first = facts.standing.iter().map(Event::seq).max().map_or(0, |s| s.saturating_add(1));
            let mut change = Change::new(id.as_str());
            for ((at, by), seq) in who(scene, &input.by)?.into_iter().enumerate().zip(first..) {
                let kind = EventKind::Withdrawn { by, scope: scope.clone() };
                let event = Event::new(scene.now, seq, kind).map_err(|e| accord_rule(&e))?;
                check_event(&[], &facts.standing, &event, &facts.people()).map_err(|e| accord_rule(&e))?;
                let row = if at == 0 { id.clone() } else { ConsentEventId::random(scene.app.chance())? };
                let fact = scene.pen().with_words(
                    RowAt::first(FactKind::AccordEvent, row.as_str()),
                    &EventBody { sheet: Sheet::Standing, event },
                    Some(&Heard { channel: input.channel, which_parent_unknown: input.by == Said::Parent }),
                )?;
                change = change.fact(fact);
            }
            Ok(change)
        };
        // The same whatever was covered, and the same when it is asked again.
        let tell = |scene: &mut Scene<'_>| {
            let view = WithdrawalView {
                id: id.as_str().to_owned(),
                sentence: sentence(&input.by),
                running_stays: running_stays(scene, &input.what)?,
            };
            Ok(scene.seal_facts(view))
        };
        let (created, told) = self.change_telling(call, act, pathway, plan, tell)?;
        // A replayed request names what the first one recorded.
        Ok(told.map(|view| WithdrawalView { id: created.id, ..view }))
    }
}

/// Somebody of the directory, in the circle or not: the answer tells nothing of who takes part.
fn known_person(scene: &mut Scene<'_>, assignment: &AssignmentId) -> Result<(), ServiceError> {
    match scene.snapshot.assignment_fetch(assignment)? {
        Some(row) if !row.facts.profession.is_platform() => Ok(()),
        Some(_) | None => Err(ServiceError::rule(
            "unknown_person",
            "Cette personne n'est pas dans l'annuaire : choisissez-la dans la liste de sa structure.",
        )),
    }
}

/// Who says it. A recorder who knows no more than « un parent » cannot tell which: it is recorded of each holder of
/// authority, so that a later accord needs the signature of the one who really said no.
fn who(scene: &Scene<'_>, by: &Said) -> Result<Vec<Signatory>, ServiceError> {
    let people = scene.gate.facts().people();
    let today = scene.now.paris_day();
    let found: Vec<Signatory> = match by {
        Said::YoungPerson => vec![Signatory::YoungPerson],
        Said::Holder(id) => vec![Signatory::Holder(id.clone())],
        Said::Parent => {
            let free = |signs: bool| {
                people
                    .holders
                    .iter()
                    .filter(|h| h.in_period(today) && (h.holds_authority() || (signs && h.can_sign())))
                    .map(|h| Signatory::Holder(h.id().clone()))
                    .collect::<Vec<_>>()
            };
            let authority = free(false);
            if authority.is_empty() { free(true) } else { authority }
        }
    };
    if found.is_empty() {
        return Err(ServiceError::rule(
            "no_holder",
            "Aucun titulaire n'est enregistré ici : dites-le tout de suite au référent ou à son secrétariat.",
        ));
    }
    Ok(found)
}

fn sentence(by: &Said) -> String {
    match by {
        // The same words at every age: the answer must not tell it.
        Said::YoungPerson => {
            "C'est noté. Dès 15 ans, cela arrête le partage tout de suite ; de 12 à 14 ans, cela le suspend jusqu'à un \
             échange avec l'enfant ; avant, c'est entendu et transmis à ses parents."
        }
        Said::Parent | Said::Holder(_) => {
            "C'est noté. Ce qui reposait sur un accord n'est plus lu à partir de maintenant, y compris ce que vous ne \
             voyez pas."
        }
    }
    .to_owned()
}

/// STORIES S1: during a stay a withdrawal stops the screen, not the sheet. From the circle as the recorder sees it:
/// never from accords or shares, which may be hidden.
fn running_stays(scene: &mut Scene<'_>, what: &ScopeInput) -> Result<Vec<RunningStay>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let actor = scene.gate.actor().assignment();
    let mut found = Vec::new();
    for organiser in facts.participations.iter().filter(|p| p.role == Role::StayOrganiser && p.in_force(now))
    {
        let known = match scene.gate.participation() {
            Some(me) => sees_in_circle(facts, scene.gate.book(), me, organiser, now),
            None => organiser.assignment.organisation == actor.organisation,
        };
        let concerned = match what {
            ScopeInput::Everything {} => true,
            ScopeInput::Recipient { recipient } => organiser.assignment.recipient_key() == recipient.key(),
            ScopeInput::Person { assignment } => organiser.assignment.id == *assignment,
            ScopeInput::Category { category } => scene
                .gate
                .book()
                .in_force(now)
                .is_some_and(|e| e.matrix.purpose_carries(Purpose::Stay, *category)),
        };
        if !(known && concerned) {
            continue;
        }
        let Some(organisation) = scene.snapshot.organisation_fetch(&organiser.assignment.organisation)?
        else {
            continue;
        };
        let telephone = spoken(&organisation.words.telephone);
        scene.returned.push(RowRef {
            table: "participation",
            id: organiser.id.as_str().to_owned(),
            version: organiser.version,
        });
        found.push(RunningStay {
            sentence: format!("Le séjour est en cours : appelez la direction au {telephone}."),
            organisation: organisation.words.name,
            telephone,
        });
    }
    Ok(found)
}
