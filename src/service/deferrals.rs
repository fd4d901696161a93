//! Lines of « Qui a regardé ? » told later: asked for by whoever makes the sheet, from a stated motive; decided by a
//! manager; over by itself on its review day.
//!
//! INVARIANTS
//! * Two persons: who asks never decides, and nobody decides on a line that is one's own.
//! * The manager reads the motive, never an item, and not which service looked: that could be one that stays hidden.
//! * What may be asked does not depend on whether there is such a line: a service that is hidden from the asker is
//!   answered like one that never looked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::Scene;
use super::who::{iso, still_open};
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::domain::day::{Day, french_date};
use crate::domain::deferral::{
    Decider, Deferral, DeferralDraft, DeferralError, DeferralMotive, DeferralState, DeferredFor,
    DeferredLines, SheetMaker,
};
use crate::domain::record::RowRef;
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Profession, Purpose, Role, code_enum};
use crate::ids::{DeferralId, OrganisationId, PathwayId};
use crate::store::fact::{FactKind, RowAt};

/// What is asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeferralInput {
    /// `young_person`, `parents`, `everybody`, or a holder's id.
    #[schema(value_type = String, max_length = 26, pattern = "^(young_person|parents|everybody|[a-kmnp-z2-9]{26})$")]
    pub whose: DeferredFor,
    pub organisation: OrganisationId,
    pub profession: Profession,
    /// Any purpose when left out.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// The first day; from the beginning when left out.
    #[serde(default)]
    pub from: Option<Day>,
    /// The last day; days to come included when left out.
    #[serde(default)]
    pub until: Option<Day>,
    pub motive: DeferralMotive,
    /// What the manager decides on.
    pub statement: Paragraph<600>,
}

/// A manager's decision: the first one, or a review.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeferralDecision {
    /// Whether the lines are kept back.
    pub accepted: bool,
    /// The day of the review; needed to keep back, thirty days at most.
    #[serde(default)]
    pub until: Option<Day>,
    pub motive: Paragraph<600>,
}

/// What was written (sealed).
#[derive(Serialize, Deserialize)]
pub(super) struct DeferralWords {
    pub statement: String,
    pub decisions: Vec<String>,
}

code_enum! {
    /// Where a request stands, in words.
    DeferralStanding, "standing of a deferral" {
        Asked = "asked", "Attend la décision d'un responsable";
        KeptBack = "kept_back", "Ne figure pas sur la feuille";
        Over = "over", "Terminé : figure sur la feuille";
    }
}

/// One request, without its words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeferralLine {
    #[schema(value_type = String)]
    pub id: DeferralId,
    #[schema(value_type = String)]
    pub whose: DeferredFor,
    pub organisation: String,
    pub profession: Profession,
    pub purpose: Option<Purpose>,
    #[schema(format = Date)]
    pub from: Option<String>,
    /// The last day.
    #[schema(format = Date)]
    pub until: Option<String>,
    #[schema(value_type = String)]
    pub motive: DeferralMotive,
    #[schema(format = Date)]
    pub asked_on: String,
    #[schema(value_type = String)]
    pub standing: DeferralStanding,
    #[schema(format = Date)]
    pub review_on: Option<String>,
}

/// What was asked on a pathway, latest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeferralList {
    pub items: Vec<DeferralLine>,
}

/// Whose sheets the actor makes on this pathway: the référent's, or those of a service that can be hidden.
fn maker(scene: &mut Scene<'_>) -> Result<SheetMaker, ServiceError> {
    let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
    if me.role == Role::Referent {
        scene.gate.resource(Resource::Consultations)?;
        return Ok(SheetMaker::Referent);
    }
    scene.gate.resource(Resource::ServiceDeferral)?;
    Ok(SheetMaker::Service {
        organisation: me.assignment.organisation.clone(),
        mission: me.assignment.mission.clone(),
    })
}

fn found(scene: &Scene<'_>, id: &DeferralId) -> Result<Deferral, ServiceError> {
    scene.gate.facts().deferrals.iter().find(|d| d.id() == id).cloned().ok_or(ServiceError::AbsentOrRefused)
}

fn line(scene: &mut Scene<'_>, d: &Deferral) -> Result<DeferralLine, ServiceError> {
    let lines = d.lines();
    let organisation = scene
        .snapshot
        .organisation_fetch(&lines.organisation)?
        .map_or_else(|| "structure inconnue".to_owned(), |o| o.words.name.clone());
    let (standing, review_on) = match d.state_on(scene.now.paris_day()) {
        DeferralState::Asked => (DeferralStanding::Asked, None),
        DeferralState::KeptBack { review_on } => (DeferralStanding::KeptBack, Some(review_on)),
        DeferralState::Over => (DeferralStanding::Over, None),
    };
    Ok(DeferralLine {
        id: d.id().clone(),
        whose: d.whose().clone(),
        organisation,
        profession: lines.profession,
        purpose: lines.purpose,
        from: lines.from.map(iso),
        until: lines.until.map(iso),
        motive: d.motive(),
        asked_on: iso(d.asked_at().paris_day()),
        standing,
        review_on: review_on.map(iso),
    })
}

impl App {
    /// Asks that lines be told later.
    ///
    /// # Errors
    /// Refused to whoever makes no sheet here; a rule.
    pub fn deferral_ask(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &DeferralInput,
    ) -> Result<Created, ServiceError> {
        let id = DeferralId::random(self.chance())?;
        self.change(call, act, pathway, |scene| {
            let maker = maker(scene)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let actor = scene.gate.actor().assignment();
            if let DeferredFor::Holder(holder) = &input.whose
                && facts.people().holder(holder).is_none()
            {
                return Err(ServiceError::AbsentOrRefused);
            }
            if scene.snapshot.organisation_fetch(&input.organisation)?.is_none() {
                return Err(ServiceError::rule(
                    "organisation_unknown",
                    "Choisissez une structure de l'annuaire.",
                )
                .at("organisation"));
            }
            scene.motive = Some(input.statement.as_str().to_owned());
            let deferral = Deferral::new(DeferralDraft {
                id: id.clone(),
                asked_by: actor.id.clone(),
                asker: actor.professional.clone(),
                organisation: actor.organisation.clone(),
                asked_at: scene.now,
                maker,
                whose: input.whose.clone(),
                lines: DeferredLines {
                    organisation: input.organisation.clone(),
                    profession: input.profession,
                    purpose: input.purpose,
                    from: input.from.map(Day::date),
                    until: input.until.map(Day::date),
                },
                motive: input.motive,
            })
            .map_err(|e| rule(&e))?;
            let words =
                DeferralWords { statement: input.statement.as_str().to_owned(), decisions: Vec::new() };
            let fact = scene.pen().with_words(
                RowAt::first(FactKind::Deferral, id.as_str()),
                &deferral,
                Some(&words),
            )?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// What was asked for the sheets that the actor makes here, without its words.
    ///
    /// # Errors
    /// Refused to whoever makes no sheet here.
    pub fn deferral_list(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<DeferralList>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            let maker = maker(scene)?;
            let mine = scene.gate.facts().deferrals.iter().rev().filter(|d| *d.maker() == maker);
            let mut items = Vec::new();
            for deferral in mine {
                items.push(line(scene, deferral)?);
                scene.returned.push(RowRef {
                    table: "fact",
                    id: deferral.id().as_str().to_owned(),
                    version: 1,
                });
            }
            Ok(scene.seal_facts(DeferralList { items }))
        })
    }

    /// A manager decides, or reviews, from the stated motive.
    ///
    /// # Errors
    /// Refused to anybody but a manager of the organisation that asked; a rule.
    pub fn deferral_decide(
        &self,
        call: &Call,
        act: Act,
        id: &DeferralId,
        input: &DeferralDecision,
    ) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Deferral, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            let grant = scene.gate.resource(Resource::DeferralMotive(id.clone()))?;
            let facts = scene.gate.facts();
            let actor = scene.gate.actor().assignment();
            let deferral = found(scene, id)?;
            // THREAT: a manager who looked decides that nobody is told.
            let own = facts.participations.iter().any(|p| {
                p.assignment.professional == actor.professional
                    && p.assignment.organisation == deferral.lines().organisation
                    && p.assignment.profession == deferral.lines().profession
            });
            if own {
                return Err(rule(&DeferralError::IsTheAsker));
            }
            let review_on = match (input.accepted, input.until) {
                (false, _) => None,
                (true, Some(day)) => Some(day.date()),
                (true, None) => {
                    return Err(ServiceError::rule(
                        "until_missing",
                        "Dites quand vous revoyez cette décision (30 jours au plus).",
                    )
                    .at("until"));
                }
            };
            scene.motive = Some(input.motive.as_str().to_owned());
            let decided = deferral.decided(decider(scene), scene.now, review_on).map_err(|e| rule(&e))?;
            // What was stated stays beside what was decided; nobody reads it on the way.
            let words = scene
                .snapshot
                .fact_words::<DeferralWords>(grant, FactKind::Deferral, id.as_str())?
                .with(input.motive.as_str().to_owned())
                .map_fn(|(decision, words)| {
                    let mut words =
                        words.unwrap_or(DeferralWords { statement: String::new(), decisions: Vec::new() });
                    words.decisions.push(decision);
                    words
                });
            let fact = scene.pen().sealed::<_, _, ServiceError>(
                RowAt::after(FactKind::Deferral, id.as_str(), version(scene, id)?),
                words,
                |w| &w.statement,
                |_| Ok(decided),
            )?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// Whoever makes the sheets needs it no more: the lines appear again.
    ///
    /// # Errors
    /// Refused to whoever does not make these sheets; a rule when it is over already.
    pub fn deferral_end(&self, call: &Call, act: Act, id: &DeferralId) -> Result<Created, ServiceError> {
        let pathway = self.located(FactKind::Deferral, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            let maker = maker(scene)?;
            let deferral = found(scene, id)?;
            if *deferral.maker() != maker {
                return Err(ServiceError::AbsentOrRefused);
            }
            let actor = scene.gate.actor().assignment();
            let ended = deferral.ended(actor.id.clone(), scene.now).map_err(|e| rule(&e))?;
            let fact = scene.snapshot.fact_amend(&scene.pen(), FactKind::Deferral, id.as_str(), &ended)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }
}

fn version(scene: &mut Scene<'_>, id: &DeferralId) -> Result<i64, ServiceError> {
    let pathway = scene.gate.facts().id.clone();
    scene
        .snapshot
        .facts_of::<Deferral>(scene.key, &pathway, FactKind::Deferral)?
        .into_iter()
        .find(|f| f.id == id.as_str())
        .map(|f| f.version)
        .ok_or(ServiceError::AbsentOrRefused)
}

/// The next day on which lines come back to the référent's sheets, for that référent.
pub(super) fn ends_next(scene: &mut Scene<'_>) -> Option<chrono::NaiveDate> {
    let me = scene.gate.participation()?;
    let today = scene.now.paris_day();
    let kept = scene.gate.facts().deferrals.iter().filter(|d| *d.maker() == SheetMaker::Referent);
    let days = kept.filter_map(|d| match d.state_on(today) {
        DeferralState::KeptBack { review_on } => Some(review_on),
        DeferralState::Asked | DeferralState::Over => None,
    });
    let next = days.min()?;
    (me.role == Role::Referent && scene.gate.resource(Resource::Consultations).is_ok()).then_some(next)
}

/// The actor, as the second person.
pub(super) fn decider(scene: &Scene<'_>) -> Decider {
    let a = scene.gate.actor().assignment();
    Decider {
        assignment: a.id.clone(),
        professional: a.professional.clone(),
        organisation: a.organisation.clone(),
        function: a.function,
    }
}

fn rule(e: &DeferralError) -> ServiceError {
    match e {
        DeferralError::EmptyPeriod { .. } => {
            ServiceError::rule("empty_period", "La fin vient avant le début : corrigez les dates.")
        }
        DeferralError::NotAManager(_) | DeferralError::AnotherOrganisation | DeferralError::IsTheAsker => {
            ServiceError::forbidden(
                "second_person_needed",
                "C'est à un autre responsable de la structure de décider : ni qui l'a demandé, ni qui a regardé.",
            )
        }
        DeferralError::ReviewDay(latest) => ServiceError::rule(
            "review_day",
            format!(
                "Une ligne ne se reporte que pour un temps : revoyez la décision au plus tard le {}.",
                french_date(*latest)
            ),
        )
        .at("until"),
        DeferralError::Over => ServiceError::rule(
            "deferral_over",
            "C'est terminé : la ligne figure sur la feuille. Si c'est encore nécessaire, faites une nouvelle demande.",
        ),
    }
}
