//! What awaits a manager: exceptions, validations and reviews of statutory records, impossibilities. Motives, no item.
//!
//! INVARIANT: asked only of what this manager may decide on; a line about another organisation's record is never made.

use std::collections::BTreeSet;

use serde::Serialize;

use super::deferrals::{DeferralWords, decider};
use super::flow::Scene;
use super::impossibilities::{RequestWords, decides, requests};
use super::statutes::{StatuteWords, lapses_at, second_person};
use super::who::{Names, Who};
use super::{Act, App, Call, ServiceError};
use crate::access::facts::AssignmentFacts;
use crate::access::{Resource, awaits_validation, concerns_office, office_knows};
use crate::audit::{Disclosed, Sealed};
use crate::clock::{Timestamp, plus_days};
use crate::domain::day::french_date;
use crate::domain::deferral::{Deferral, DeferralState};
use crate::domain::person::Motive;
use crate::domain::statute::StatuteEventKind;
use crate::domain::vocabulary::{Capacity, Function};
use crate::ids::{AssignmentId, ImpossibilityId, PathwayId};
use crate::store::Snapshot;
use crate::store::fact::FactKind;
use crate::store::pathway::PathwayOf;

/// A review is due from this many days before a record lapses.
const REVIEW_DAYS: i64 = 10;
/// As for a record, within a period that is never longer.
pub(super) const DEFERRAL_REVIEW_DAYS: u64 = 7;

/// A statutory record lapses thirty days after it was made or last reviewed, and so does what a deferral keeps back: what
/// was written longer ago awaits nobody. A few days more, so that no end of a day is missed.
const LAPSED_DAYS: i64 = 35;

/// What awaits a manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AwaitedKind {
    Exception,
    Validation,
    Review,
    Impossibility,
    /// Lines of « Qui a regardé ? » to be told later.
    Deferral,
    /// Such a decision, to be looked at again.
    DeferralReview,
}

/// One decision to take: a motive, no item.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AwaitedDecision {
    #[schema(value_type = String)]
    pub pathway: PathwayId,
    /// The statutory record, or the request.
    pub id: String,
    pub kind: AwaitedKind,
    pub since: String,
    /// By when, for a review.
    pub until: Option<String>,
    /// Who asks, of the manager's own organisation.
    pub asked_by: Option<Who>,
    /// The motive of the list, with what it owns: « sans réponse, tentatives du 10 et du 15 novembre 2026 ».
    pub motive: Option<String>,
    /// In which capacity, of the one whom a request concerns. Never a name.
    pub concerns: Option<Capacity>,
    pub stated: String,
}

/// Everything that awaits this manager.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AwaitedDecisions {
    pub items: Vec<AwaitedDecision>,
}

impl App {
    /// What awaits this manager, pathway by pathway: motives, no item. Each pathway that is looked at has its record, all
    /// in one commit.
    ///
    /// # Errors
    /// Refused to anybody but a manager.
    pub fn decisions_awaited(
        &self,
        call: &Call,
        act: Act,
    ) -> Result<Disclosed<AwaitedDecisions>, ServiceError> {
        let found = self.read_many(
            call,
            act,
            |snapshot, actor, now| {
                let a = actor.assignment();
                if a.function != Function::Manager || !a.in_force(now) {
                    return Err(ServiceError::AbsentOrRefused);
                }
                may_await(snapshot, a, now)
            },
            |scene| {
                if !concerns_office(scene.gate.facts(), scene.gate.actor().assignment(), scene.now) {
                    return Ok(None);
                }
                scene.gate.resource(Resource::ManagerView)?;
                awaited(scene).map(Some)
            },
        )?;
        let items = |lists: Vec<AwaitedDecisions>| lists.into_iter().flat_map(|list| list.items).collect();
        Ok(found.map(|lists| AwaitedDecisions { items: items(lists) }))
    }
}

/// The pathways of a structure on which something can await a decision: with a statutory record that was made or
/// decided on since the last could have lapsed, with a request or a deferral while the pathway is open, and for a while
/// afterwards. What was over long ago is not looked at, and has no record of being looked at.
fn may_await(
    snapshot: &mut Snapshot,
    manager: &AssignmentFacts,
    now: Timestamp,
) -> Result<Vec<PathwayId>, ServiceError> {
    let (closed, open): (Vec<PathwayOf>, Vec<PathwayOf>) = snapshot
        .pathways_in(&manager.organisation, &manager.mission)?
        .into_iter()
        .partition(|p| p.closed_at.is_some());
    let [closed, open] = [&closed, &open].map(|some| some.iter().map(|p| &p.id).collect::<Vec<_>>());
    let before = |days: i64| now.plus_seconds(-86_400_i64.saturating_mul(days));
    let asked = [FactKind::ImpossibilityRequest, FactKind::Deferral];
    let mut found = BTreeSet::new();
    for among in [&closed, &open] {
        found.extend(snapshot.pathways_with_facts(among, &[FactKind::Statute], before(LAPSED_DAYS))?);
    }
    found.extend(snapshot.pathways_with_facts(&open, &asked, Timestamp::from_micros(i64::MIN))?);
    found.extend(snapshot.pathways_with_facts(&closed, &asked, before(LAPSED_DAYS))?);
    Ok(found.into_iter().collect())
}

type Stated = Sealed<AwaitedDecision>;

fn awaited(scene: &mut Scene<'_>) -> Result<Sealed<AwaitedDecisions>, ServiceError> {
    let facts = scene.gate.facts();
    let mut found: Vec<Stated> = Vec::new();
    let mut names = Names::default();
    for file in &facts.statutes {
        let Some(until) = lapses_at(scene, file) else { continue };
        // Asked only where this manager could be the second person: a refusal would be recorded of a thing never asked.
        let sharer = &file.record.draft().sharer;
        if file.record.accepts_second_person(&second_person(scene)).is_err()
            || !office_knows(facts, scene.gate.actor().assignment(), sharer)
        {
            continue;
        }
        let decided = file.events.iter().any(|e| matches!(e.kind, StatuteEventKind::ExceptionDecided { .. }));
        let due = scene.now >= until.plus_seconds(REVIEW_DAYS.saturating_mul(-86_400));
        let mut kinds = Vec::new();
        if file.record.needs_second_person() && !decided {
            kinds.push(AwaitedKind::Exception);
        }
        if awaits_validation(facts, scene.gate.book(), file, scene.now) {
            kinds.push(AwaitedKind::Validation);
        }
        if due {
            kinds.push(AwaitedKind::Review);
        }
        let asked_by = match facts.participation(&file.author) {
            Some(author) => who_asked(scene, &mut names, &author.assignment.id)?,
            None => None,
        };
        for kind in kinds {
            let grant = scene.gate.resource(Resource::StatuteMotive(file.id().clone()))?;
            let line = AwaitedDecision {
                pathway: facts.id.clone(),
                id: file.id().as_str().to_owned(),
                kind,
                since: file.record.draft().recorded_at.rfc3339(),
                until: Some(until.rfc3339()),
                asked_by: asked_by.clone(),
                motive: None,
                concerns: None,
                stated: String::new(),
            };
            let words: Sealed<Option<StatuteWords>> =
                scene.snapshot.fact_words(grant, FactKind::Statute, file.id().as_str())?;
            found.push(words.with(line).map_fn(|(line, words)| AwaitedDecision {
                stated: words.map(|w| w.necessity).unwrap_or_default(),
                ..line
            }));
        }
    }
    for request in requests(scene)? {
        let actor = scene.gate.actor().assignment();
        let mine = decides(scene, &request.facts) && request.facts.requester != actor.professional;
        if request.facts.decided.is_some() || !mine {
            continue;
        }
        let asked = ImpossibilityId::parse(&request.id).map_err(ServiceError::internal)?;
        let grant = scene.gate.resource(Resource::ImpossibilityMotive(asked))?;
        let line = AwaitedDecision {
            pathway: facts.id.clone(),
            id: request.id.clone(),
            kind: AwaitedKind::Impossibility,
            since: request.at.rfc3339(),
            until: None,
            asked_by: who_asked(scene, &mut names, &request.facts.requested_by)?,
            motive: Some(motive_words(&request.facts.motive)),
            concerns: facts.people().holder(&request.facts.holder).map(|h| h.capacity()),
            stated: String::new(),
        };
        let words: Sealed<Option<RequestWords>> =
            scene.snapshot.fact_words(grant, FactKind::ImpossibilityRequest, &request.id)?;
        found.push(words.with(line).map_fn(|(line, words)| AwaitedDecision {
            stated: words.map(|w| w.statement).unwrap_or_default(),
            ..line
        }));
    }
    for deferral in &facts.deferrals {
        found.extend(deferral_awaited(scene, deferral)?);
    }
    Ok(Sealed::all(found).map_fn(|items| AwaitedDecisions { items }))
}

/// S11: a hidden place is known to the manager of its own mission only.
fn who_asked(
    scene: &mut Scene<'_>,
    names: &mut Names,
    assignment: &AssignmentId,
) -> Result<Option<Who>, ServiceError> {
    let Some(row) = scene.snapshot.assignment_fetch(assignment)? else { return Ok(None) };
    let (facts, manager) = (scene.gate.facts(), scene.gate.actor().assignment());
    let known = row.facts.mission == manager.mission || office_knows(facts, manager, assignment);
    Ok(if known { Some(names.who(scene.snapshot, &row.facts)?) } else { None })
}

/// A motive of the list, in words, with the days that it owns.
fn motive_words(motive: &Motive) -> String {
    match motive {
        Motive::Deceased => "décédé".to_owned(),
        Motive::Unknown => "inconnu".to_owned(),
        Motive::AuthorityWithdrawn => "autorité parentale retirée ou suspendue par un juge".to_owned(),
        Motive::NoAnswer { first_attempt, second_attempt } => format!(
            "sans réponse, tentatives du {} et du {}",
            french_date(*first_attempt),
            french_date(*second_attempt)
        ),
        Motive::ContactWouldEndanger => {
            "le contacter mettrait l'enfant ou l'autre parent en danger".to_owned()
        }
    }
}

/// A motive and its words; never which service looked, which could be one that stays hidden.
fn deferral_awaited(scene: &mut Scene<'_>, deferral: &Deferral) -> Result<Option<Stated>, ServiceError> {
    let known = deferral.maker().may_be_known_in(&scene.gate.actor().assignment().mission);
    if !known || deferral.accepts(&decider(scene)).is_err() {
        return Ok(None);
    }
    let today = scene.now.paris_day();
    let (kind, until) = match deferral.state_on(today) {
        DeferralState::Asked => (AwaitedKind::Deferral, None),
        DeferralState::KeptBack { review_on }
            if plus_days(today, DEFERRAL_REVIEW_DAYS).is_none_or(|soon| review_on <= soon) =>
        {
            (AwaitedKind::DeferralReview, Some(Timestamp::paris_midnight(review_on).rfc3339()))
        }
        DeferralState::KeptBack { .. } | DeferralState::Over => return Ok(None),
    };
    let id = deferral.id();
    let grant = scene.gate.resource(Resource::DeferralMotive(id.clone()))?;
    let line = AwaitedDecision {
        pathway: scene.gate.facts().id.clone(),
        id: id.as_str().to_owned(),
        kind,
        since: deferral.asked_at().rfc3339(),
        until,
        asked_by: who_asked(scene, &mut Names::default(), deferral.asked_by())?,
        motive: None,
        concerns: None,
        stated: deferral.motive().french().to_owned(),
    };
    let words: Sealed<Option<DeferralWords>> =
        scene.snapshot.fact_words(grant, FactKind::Deferral, id.as_str())?;
    Ok(Some(words.with(line).map_fn(|(line, words)| {
        let said = words.map(|w| w.statement).unwrap_or_default();
        AwaitedDecision { stated: format!("{} : {said}", line.stated), ..line }
    })))
}
