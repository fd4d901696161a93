//! *Aujourd'hui*: what waits for the acting assignment, and its pathways.
//!
//! INVARIANTS
//! * A line is derived at read time from the facts of one pathway, and stored nowhere: nothing goes stale.
//! * A line about a person, an accord or a handover passes the same gate as that object's own page, so that hidden
//!   existence holds here as there; each pathway touched has its record.
//!
//! It sends nothing and reminds nobody by itself.

mod accords;
mod emergency;
mod ends;
mod places;
mod review;
mod shared;

pub(super) use review::of_structure as review_of_structure;

use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Scene};
use super::pathways::{PathwayLine, line, name_line, number_of};
use super::people::PersonWords;
use super::release_views::Standing as ReleaseStanding;
use super::statutes::lapses_at;
use super::who::{Names, Who, iso, last_day};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, may_know, may_review_emergency, sees_in_circle};
use crate::audit::Disclosed;
use crate::clock::plus_days;
use crate::domain::accord::AccordState;
use crate::domain::day::french_date;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Function, Role, code_enum};
use crate::ids::PathwayId;

/// Accords that end are told this long before, and urgently in the last days.
const ACCORD_NOTICE_DAYS: u64 = 30;
const URGENT_DAYS: u64 = 7;
/// A statutory record is told before it lapses without a review.
const STATUTE_NOTICE_DAYS: u64 = 10;

code_enum! {
    /// What waits.
    Waiting, "kind of line of today" {
        ReviewOverdue = "review_overdue", "Partage en pause : le bilan n'a pas eu lieu";
        ReviewDue = "review_due", "Bilan à faire";
        ReviewSoon = "review_soon", "Bilan bientôt";
        ReviewOfStructure = "review_of_structure", "Bilan d'un parcours de votre structure";
        HandoverToAnswer = "handover_to_answer", "Passage de relais à accepter";
        HandoverToConfirm = "handover_to_confirm", "Passage de relais à confirmer";
        StatuteReview = "statute_review", "Partage prévu par la loi à revoir";
        UnreadStay = "unread_stay", "Partage de séjour pas encore lu";
        CorrectedSince = "corrected_since", "Texte corrigé, l'ancien se lit encore";
        SignaturesAwaited = "signatures_awaited", "Signatures attendues";
        AccordToSign = "accord_to_sign", "Accord à faire signer";
        AccordEnds = "accord_ends", "Accord qui prend fin";
        SheetAwaited = "sheet_awaited", "Feuille signée attendue";
        ConfirmationAwaited = "confirmation_awaited", "Signé à l'avance : à confirmer";
        AccordEnded = "accord_ended", "Un accord a pris fin";
        ReleaseAwaited = "release_awaited", "Mots à faire valider par la famille";
        InvitationUnanswered = "invitation_unanswered", "Invitation sans réponse";
        StandInEnds = "stand_in_ends", "Remplacement qui prend fin";
        PlaceToFill = "place_to_fill", "Place à pourvoir";
        StandInOfStructure = "stand_in_of_structure", "Remplacement qui prend fin";
        ImpossibilityEnds = "impossibility_ends", "Impossibilité qui prend fin";
        Majority = "majority", "Préparer la majorité";
        DeferralEnds = "deferral_ends", "Ligne reportée : à revoir";
        EmergencyOpen = "emergency_open", "Accès en urgence ouvert";
        EmergencyKnown = "emergency_known", "Accès en urgence dans ce parcours";
        EmergencyToTell = "emergency_to_tell", "À dire au jeune et à sa famille";
        EmergencyToReview = "emergency_to_review", "Accès en urgence à examiner";
        EmergencyUnreviewed = "emergency_unreviewed", "Accès en urgence : examen en retard";
    }
}

/// One thing that waits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TodayLine)]
pub struct WaitingView {
    pub kind: Waiting,
    /// Empty, as the name, where the pathway may not be named any more.
    pub pathway: String,
    /// The name, or « Situation n° k (nom non partagé) ».
    pub name: String,
    /// The accord, handover, share, invitation or record whose page settles it.
    pub object: Option<String>,
    /// The day that counts.
    #[schema(format = Date)]
    pub on: Option<String>,
    pub urgent: bool,
    /// What it is, in a sentence.
    pub sentence: String,
    /// The number to call about it.
    pub telephone: Option<String>,
}

/// *Aujourd'hui*.
#[derive(Serialize, ToSchema)]
pub struct TodayView {
    /// The urgent first, then by day.
    pub waiting: Vec<WaitingView>,
    /// All pathways of the acting assignment, latest first.
    pub pathways: Vec<PathwayLine>,
}

struct Lines<'s> {
    pathway: &'s PathwayId,
    out: Vec<WaitingView>,
}

impl Lines<'_> {
    fn add(
        &mut self,
        kind: Waiting,
        object: Option<&str>,
        on: Option<chrono::NaiveDate>,
        urgent: bool,
        sentence: impl Into<String>,
    ) -> &mut WaitingView {
        self.out.push_mut(WaitingView {
            kind,
            pathway: self.pathway.as_str().to_owned(),
            name: String::new(),
            object: object.map(ToOwned::to_owned),
            on: on.map(iso),
            urgent,
            sentence: sentence.into(),
            telephone: None,
        })
    }
}

impl WaitingView {
    /// The number to call about it; nothing when it is not known.
    fn calling(&mut self, telephone: String) {
        self.telephone = Some(telephone).filter(|number| !number.is_empty());
    }
}

/// A line of the own list, where there is a place; and what waits.
type Found = (Option<PathwayLine>, Vec<WaitingView>);

fn named((mut waiting, known): (Vec<WaitingView>, (PathwayLine, Option<PersonWords>))) -> Found {
    let line = name_line(known);
    for one in &mut waiting {
        one.name.clone_from(&line.name);
    }
    (Some(line), waiting)
}

/// `day` is at most `days` away.
fn near(day: chrono::NaiveDate, today: chrono::NaiveDate, days: u64) -> bool {
    plus_days(today, days).is_none_or(|limit| day <= limit)
}

fn said(who: &Who) -> String {
    format!("{} ({})", who.name, who.organisation)
}

fn handovers(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    for h in facts.handovers.iter().filter(|h| h.declined_at.is_none() && !h.complete()) {
        let incoming = h.incoming == me.id;
        if (!incoming && h.outgoing != me.id)
            || scene.gate.resource(Resource::Handover(h.id.clone())).is_err()
        {
            continue;
        }
        let other = if incoming { &h.outgoing } else { &h.incoming };
        let who = match facts.participation(other) {
            Some(p) if may_know(facts, scene.gate.book(), me, p, scene.now) => {
                format!(" avec {}", said(&names.who(scene.snapshot, &p.assignment)?))
            }
            Some(_) | None => String::new(),
        };
        let confirmed = if incoming { h.incoming_confirmed_at } else { h.outgoing_confirmed_at };
        let id = Some(h.id.as_str());
        match h.accepted_at {
            None if incoming => {
                let sentence = format!("Un passage de relais{who} attend votre réponse.");
                lines.add(Waiting::HandoverToAnswer, id, None, true, sentence);
            }
            Some(_) if confirmed.is_none() => {
                let sentence = format!("Le passage de relais{who} attend votre confirmation.");
                lines.add(Waiting::HandoverToConfirm, id, None, false, sentence);
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Words shown to the family by this assignment, and not validated yet.
fn releases(scene: &mut Scene<'_>, lines: &mut Lines<'_>) {
    let facts = scene.gate.facts();
    for release in &facts.releases {
        let own = release.facts();
        if scene.gate.resource(Resource::ReleaseWhole(own.id().clone())).is_err() {
            continue;
        }
        let standing = ReleaseStanding::of(scene, release);
        if !standing.waits() {
            continue;
        }
        let purpose = own.purpose().french();
        let sentence = match standing.state {
            AccordState::PartlySigned { .. } => {
                format!("« {purpose} » : des signatures manquent encore pour valider des mots.")
            }
            _nobody_yet => {
                format!(
                    "« {purpose} » : des mots sont à faire valider, personne n'a encore signé la feuille."
                )
            }
        };
        lines.add(Waiting::ReleaseAwaited, Some(own.id().as_str()), None, false, sentence);
    }
}

fn invitations(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    let mine = |p: &&ParticipationFacts| {
        p.invited_by.as_ref() == Some(&me.id) && p.accepted_at.is_none() && !p.ended(scene.now)
    };
    for p in facts.participations.iter().filter(mine).collect::<Vec<_>>() {
        if scene.gate.resource(Resource::Invitation(p.id.clone())).is_err() {
            continue;
        }
        let who = names.who(scene.snapshot, &p.assignment)?;
        let telephone = names.telephone(scene.snapshot, &p.assignment)?;
        lines
            .add(
                Waiting::InvitationUnanswered,
                Some(p.id.as_str()),
                Some(p.invited_at.paris_day()),
                false,
                format!("{} n'a pas encore répondu à votre invitation.", said(&who)),
            )
            .calling(telephone);
    }
    Ok(())
}

fn people(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    let (now, today) = (scene.now, scene.now.paris_day());
    let concerned = |p: &ParticipationFacts| p.id == me.id || me.role == Role::Referent;
    for p in facts.participations.iter().filter(|p| p.stands_in_for.is_some() && p.in_force(now)) {
        let Some(end) = p.until_at.and_then(last_day) else { continue };
        if !concerned(p)
            || !near(end, today, URGENT_DAYS)
            || !sees_in_circle(facts, scene.gate.book(), me, p, now)
        {
            continue;
        }
        let sentence = if p.id == me.id {
            format!("Votre remplacement prend fin le {}.", french_date(end))
        } else {
            let who = names.who(scene.snapshot, &p.assignment)?;
            format!("Le remplacement par {} prend fin le {}.", said(&who), french_date(end))
        };
        lines.add(Waiting::StandInEnds, Some(p.id.as_str()), Some(end), false, sentence);
    }
    let ends = facts
        .impossibilities
        .iter()
        .filter(|i| i.in_force(today))
        .filter_map(|i| i.until().pred_opt())
        .filter(|end| near(*end, today, ACCORD_NOTICE_DAYS))
        .min();
    if let Some(end) = ends
        && scene.gate.resource(Resource::Holders).is_ok()
    {
        lines.add(
            Waiting::ImpossibilityEnds,
            None,
            Some(end),
            near(end, today, URGENT_DAYS),
            format!(
                "L'impossibilité de joindre un titulaire compte jusqu'au {}. Après, sa signature manquera.",
                french_date(end)
            ),
        );
    }
    Ok(())
}

fn statutes(scene: &mut Scene<'_>, lines: &mut Lines<'_>) {
    let today = scene.now.paris_day();
    for file in &scene.gate.facts().statutes {
        let Some(end) = lapses_at(scene, file).and_then(last_day) else { continue };
        if near(end, today, STATUTE_NOTICE_DAYS)
            && scene.gate.resource(Resource::StatuteWhole(file.id().clone())).is_ok()
        {
            lines.add(
                Waiting::StatuteReview,
                Some(file.id().as_str()),
                Some(end),
                true,
                format!(
                    "Le partage prévu par la loi s'arrête le {} sans nouvelle décision de votre responsable.",
                    french_date(end)
                ),
            );
        }
    }
}

/// Everything that waits on one pathway, under the gates of this scene.
fn waiting(app: &App, scene: &mut Scene<'_>) -> Result<Vec<WaitingView>, ServiceError> {
    let facts = scene.gate.facts();
    let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
    let mut lines = Lines { pathway: &facts.id, out: Vec::new() };
    if facts.closed_at.is_some() || me.role == Role::StayOrganiser {
        return Ok(lines.out);
    }
    let mut names = Names::default();
    review::members(scene, me, &mut names, &mut lines)?;
    places::managers(scene, &mut names, &mut lines)?;
    handovers(scene, me, &mut names, &mut lines)?;
    statutes(scene, &mut lines);
    shared::stays(app, scene, me, &mut lines)?;
    shared::corrected(scene, me, &mut names, &mut lines)?;
    let views = accords::views(scene)?;
    accords::lines(scene, &views, &mut lines);
    releases(scene, &mut lines);
    invitations(scene, me, &mut names, &mut lines)?;
    people(scene, me, &mut names, &mut lines)?;
    accords::majority(scene, me, &views, &mut lines);
    ends::deferrals(scene, &mut lines);
    emergency::members(scene, me, &mut names, &mut lines)?;
    Ok(lines.out)
}

fn whole(found: Vec<Found>) -> TodayView {
    let (pathways, waiting): (Vec<Option<PathwayLine>>, Vec<Vec<WaitingView>>) = found.into_iter().unzip();
    let pathways = pathways.into_iter().flatten().collect();
    let mut waiting: Vec<WaitingView> = waiting.into_iter().flatten().collect();
    let never = "9999".to_owned();
    waiting.sort_by_cached_key(|w| (!w.urgent, w.on.clone().unwrap_or_else(|| never.clone()), w.kind));
    TodayView { waiting, pathways }
}

impl App {
    /// What waits for the acting assignment, and its pathways.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn today(&self, call: &Call) -> Result<Disclosed<TodayView>, ServiceError> {
        let found = self.read_many(
            call,
            Act { action: Action::List, resource: ResourceKind::Pathway },
            |snapshot, actor, now| {
                let a = actor.assignment();
                let here = snapshot.pathways_numbered(&a.id)?;
                let mut ids: Vec<PathwayId> =
                    here.into_iter().rev().filter(|p| p.here).map(|p| p.pathway).collect();
                // S13, S3: who looks at emergencies, or answers for who holds a review, has no place, and hears of them all
                // the same.
                let mut looked_at = Vec::new();
                let mut managed = Vec::new();
                if may_review_emergency(a, now) {
                    looked_at = snapshot.emergencies_unreviewed()?;
                } else if a.function == Function::Manager && a.in_force(now) {
                    let concerned = snapshot.pathways_in(&a.organisation, &a.mission)?;
                    looked_at = snapshot.emergencies_unreviewed()?;
                    looked_at.retain(|e| concerned.iter().any(|one| one.id == e.pathway));
                    managed = review::located(snapshot, &a.organisation, now)?;
                    managed.extend(places::located(snapshot, &a.organisation, now)?);
                    managed.extend(places::stood_in(snapshot, &a.organisation, now)?);
                }
                for one in looked_at.into_iter().map(|e| e.pathway).chain(managed) {
                    if !ids.contains(&one) {
                        ids.push(one);
                    }
                }
                Ok(ids)
            },
            |scene| {
                let now = scene.now;
                if !scene.gate.participation().is_some_and(|p| p.in_force(now)) {
                    let mut waiting = emergency::overseers(scene)?;
                    waiting.extend(review::overseers(scene)?);
                    return Ok((!waiting.is_empty()).then(|| scene.seal_facts((None, waiting))));
                }
                if let Some(ended) = ends::ended(scene) {
                    return Ok(Some(scene.seal_facts((None, vec![ended]))));
                }
                let number = number_of(scene)?;
                let line = line(scene, number)?;
                let waiting = waiting(self, scene)?;
                Ok(Some(line.with(waiting).map_fn(named)))
            },
        )?;
        Ok(found.map(whole))
    }
}

/// A line whose day has come or is near, for tests and samples.
#[cfg(test)]
pub fn sample(kind: Waiting, on: Option<&str>, urgent: bool, sentence: &str) -> WaitingView {
    WaitingView {
        kind,
        pathway: "pathway".to_owned(),
        name: "Léa Martin".to_owned(),
        object: Some("object".to_owned()),
        on: on.map(ToOwned::to_owned),
        urgent,
        sentence: sentence.to_owned(),
        telephone: Some("0601020301".to_owned()),
    }
}
