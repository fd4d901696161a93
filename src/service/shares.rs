//! Partages: who shares what with whom, for which purpose, until when (DESIGN §3).
//!
//! INVARIANTS
//! * Named participations only, exact versions only; nothing joins a share by itself (R11, R22).
//! * All or nothing: a share is recorded only when everybody named would read everything in it, so that nobody believes
//!   that something was shared which was not.
//! * A share ends at 24:00 of its last day, never after the accord on which it rests.
//!
//! Reading is decided elsewhere, each time anew.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created, Scene};
use super::members::{me, named_by_me, place_holders};
use super::preview::{ItemRef, Subject, all_will_read, either, end_of, own_statute, own_subjects, unwritten};
use super::who::still_open;
use super::{App, ServiceError};
use crate::access::facts::{ParticipationFacts, PathwayFacts, ShareFacts, ShareRecipient};
use crate::access::{Decision, Resource};
use crate::clock::{Timestamp, plus_months};
use crate::domain::cell::{Need, Reason};
use crate::domain::day::{Day, french_date};
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Purpose, Regime};
use crate::ids::{AccordId, ItemVersionId, ParticipationId, PathwayId, ShareId, StatuteId};
use crate::store::fact::{FactKind, NewFact, RowAt};
use crate::store::pathway::ShareBody;

/// LAW §5: nothing is shared for longer.
const SHARE_MONTHS: u32 = 12;
const NOTHING_SHARED: &str = "Rien n'a été partagé.";

/// A new share.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    pub purpose: Purpose,
    /// Read until 24:00 of this day, in Paris.
    pub last_day: Day,
    /// A stay: its first day, so that what is not read is told before. Left out where it has begun.
    #[serde(default)]
    pub departure: Option<Day>,
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub items: Vec<ItemRef>,
    /// One's own items of one subject; what is written later joins only when its author confirms.
    #[serde(default)]
    pub category: Option<Category>,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub recipients: Vec<ParticipationId>,
    /// The sharer's own statutory record.
    #[serde(default)]
    pub statute: Option<StatuteId>,
}

/// Which part of a share ends.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndShare {
    /// One recipient; everybody when left out.
    #[serde(default)]
    pub recipient: Option<ParticipationId>,
}

/// A version that joins a share, with the list that its author has confirmed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinShare {
    pub item: ItemRef,
    /// Everybody who will read it, as the preview named them.
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub readers: Vec<ParticipationId>,
}

/// Refuses what no new share may do, in words.
pub(super) fn may_begin(facts: &PathwayFacts, now: Timestamp) -> Result<(), ServiceError> {
    still_open(facts)?;
    // LAW: S15. Under a nickname there is no accord, invitation, share or statute.
    if facts.person.nickname_only() {
        return Err(ServiceError::forbidden(
            "nickname_only",
            "Cette personne n'est connue que par un surnom : rien ne se partage avant qu'elle ait donné son identité.",
        ));
    }
    // LAW: R34, S3. From the review date, no new share; a preview says the same.
    match facts.review_on {
        Some(day) if facts.review_due(now) => Err(ServiceError::denied(
            Reason::SharingPaused,
            "review_overdue",
            format!("Le bilan était prévu le {} : faites-le avant de partager à nouveau.", french_date(day)),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The end of the period that was asked for.
pub(super) fn period(last_day: Day, now: Timestamp) -> Result<Timestamp, ServiceError> {
    let today = now.paris_day();
    if last_day.date() < today {
        return Err(ServiceError::rule(
            "last_day_past",
            "Ce dernier jour est déjà passé : choisissez-en un autre.",
        ));
    }
    if plus_months(today, SHARE_MONTHS).is_none_or(|latest| last_day.date() > latest) {
        return Err(ServiceError::rule("too_long", "Un partage dure douze mois au plus."));
    }
    end_of(last_day)
}

/// STORIES S1. The first day of a stay, today or to come, no later than its last.
fn departure(new: &NewShare, now: Timestamp) -> Result<Option<NaiveDate>, ServiceError> {
    let Some(day) = new.departure else { return Ok(None) };
    if new.purpose != Purpose::Stay {
        return Err(ServiceError::rule(
            "departure_without_stay",
            "Un jour de départ se note pour un séjour : laissez-le vide, ou choisissez « Préparer un séjour ».",
        ));
    }
    if day.date() < now.paris_day() {
        return Err(ServiceError::rule(
            "departure_past",
            "Ce jour de départ est déjà passé : corrigez-le, ou laissez-le vide si le séjour a commencé.",
        ));
    }
    if day.date() > new.last_day.date() {
        return Err(ServiceError::rule(
            "departure_after_end",
            "Le départ vient après le dernier jour : corrigez l'une des deux dates.",
        ));
    }
    Ok(Some(day.date()))
}

/// A share never outlasts the accord that carries it, nor the age at which others sign.
pub(super) fn within_accords(
    facts: &PathwayFacts,
    decisions: &[(ParticipationId, Vec<Decision>)],
    ends: Timestamp,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let earliest: Option<NaiveDate> = decisions
        .iter()
        .flat_map(|(_, many)| many)
        .flat_map(|d| &d.basis)
        .filter_map(|basis| basis.strip_prefix("accord:")?.split(':').next())
        .filter_map(|id| AccordId::parse(id).ok())
        .filter_map(|id| facts.accords.iter().find(|a| *a.facts().id() == id))
        .map(|a| a.facts().ends())
        .min();
    // LAW: C. civ. 414, 413-6. At midnight in Paris of the day on which the young person decides alone, whatever others
    // signed lapses: a share that was promised for longer would promise what nobody reads.
    let alone = facts.person.decides_alone_from().filter(|day| Timestamp::paris_midnight(*day) > now);
    if let Some(day) = alone.filter(|day| ends > Timestamp::paris_midnight(*day)) {
        let last = earliest.map_or(day, |end| end.min(day));
        return Err(ServiceError::denied(
            Reason::AccordExpired,
            "beyond_majority",
            format!(
                "Ce jeune décidera seul à partir du {} : le dernier jour possible est le {}. Ensuite, c'est à lui de donner \
                 son accord.",
                french_date(day),
                french_date(last.pred_opt().unwrap_or(last))
            ),
        ));
    }
    match earliest {
        Some(end) if ends > Timestamp::paris_midnight(end) => {
            let last = end.pred_opt().unwrap_or(end);
            Err(ServiceError::denied(
                Reason::AccordExpired,
                "beyond_accord",
                format!(
                    "L'accord compte jusqu'au {} : choisissez ce dernier jour au plus tard.",
                    french_date(last)
                ),
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// One recipient, with the record on which reading rests where it rests on one.
pub(super) fn recipients_of(
    decisions: &[(ParticipationId, Vec<Decision>)],
    statute: Option<&StatuteId>,
) -> Vec<ShareRecipient> {
    decisions
        .iter()
        .map(|(participation, many)| ShareRecipient {
            participation: participation.clone(),
            statute: statute.filter(|_| many.iter().any(|d| d.regime == Some(Regime::L226_2_2))).cloned(),
            ended_at: None,
        })
        .collect()
}

/// The stored form of a share, to write its next version.
pub(super) fn body_of(share: &ShareFacts) -> ShareBody {
    ShareBody {
        sharer: share.sharer.clone(),
        purpose: share.purpose,
        starts: share.starts,
        ends: share.ends,
        ended_at: share.ended_at,
        category: share.category,
        versions: share.versions.clone(),
        recipients: share.recipients.clone(),
        handover: share.handover.clone(),
        departure: share.departure,
    }
}

/// Seals one version of a share.
pub(super) fn seal_share(
    scene: &Scene<'_>,
    id: &ShareId,
    version: i64,
    body: &ShareBody,
) -> Result<NewFact, ServiceError> {
    Ok(scene.pen().facts(RowAt::at(FactKind::Share, id.as_str(), version), body)?)
}

/// Everybody named, each visible to the asker, each once.
pub(super) fn named<'a>(
    scene: &Scene<'a>,
    ids: &[ParticipationId],
) -> Result<Vec<&'a ParticipationFacts>, ServiceError> {
    let unique: BTreeSet<&ParticipationId> = ids.iter().collect();
    let myself = &me(scene)?.id;
    if unique.contains(myself) {
        return Err(ServiceError::rule("recipient_is_self", "On ne partage pas avec soi-même."));
    }
    if unique.is_empty() || unique.len() > MOST_NAMED {
        return Err(ServiceError::rule("recipients", "Nommez au moins une personne, et 100 au plus."));
    }
    unique.into_iter().map(|id| named_by_me(scene, id)).collect()
}

/// The current versions of the asker's own items of one subject.
fn own_of_category(scene: &mut Scene<'_>, category: Category) -> Vec<Subject> {
    let facts = scene.gate.facts();
    let mine = scene.gate.actor().assignment().id.clone();
    let mut subjects = Vec::new();
    for item in facts.items.iter().filter(|i| i.category == category && i.author_assignment == mine) {
        let Some(version) = item.current() else { continue };
        // An item that is over stays out: there is nothing of it to read.
        if scene.gate.item(item, version, None).is_ok() {
            subjects.push(Subject { item: item.clone(), version: version.clone(), written: true });
        }
    }
    subjects
}

/// DESIGN §3: a whole subject only where the charter asks for a general accord or one that names it.
fn category_is_open(
    scene: &Scene<'_>,
    readers: &[&ParticipationFacts],
    category: Category,
) -> Result<(), ServiceError> {
    for reader in readers {
        let a = &reader.assignment;
        let need =
            scene.gate.book().standing(a, scene.now).map_or(Need::Never, |s| {
                s.matrix.cell(a.profession, a.secrecy_at(scene.now), category).need()
            });
        match need {
            // `Never` is told with its reason by the preview of each pair.
            Need::Opening | Need::Category | Need::Never => {}
            Need::Informed => {
                return Err(ServiceError::denied(
                    Reason::InformationMissing,
                    "category_needs_texts",
                    "Ce sujet se partage texte par texte : la famille doit voir chaque texte. Choisissez les \
                     informations.",
                ));
            }
        }
    }
    Ok(())
}

impl App {
    /// Shares (S1, S3). What is refused is told pair by pair, and then nothing is shared.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn share_create(
        &self,
        call: &Call,
        pathway: &PathwayId,
        new: &NewShare,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Share, resource: ResourceKind::Share };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            scene.purpose = Some(new.purpose);
            let mut subjects = match new.category {
                Some(category) => own_of_category(scene, category),
                None => own_subjects(scene, &new.items)?,
            };
            let statute = own_statute(scene, new.statute.as_ref())?;
            let readers = named(scene, &new.recipients)?;
            let facts = scene.gate.facts();
            either(&new.items, new.category)?;
            may_begin(facts, scene.now)?;
            if new.purpose == Purpose::Handover {
                return Err(ServiceError::rule(
                    "handover_apart",
                    "Un passage de relais se prépare par « Passer le relais » : les deux services le confirment.",
                ));
            }
            let ends = period(new.last_day, scene.now)?;
            let departure = departure(new, scene.now)?;
            let versions: Vec<ItemVersionId> = subjects.iter().map(|s| s.version.id.clone()).collect();
            if let Some(category) = new.category {
                category_is_open(scene, &readers, category)?;
                // Nothing written yet: decided as for a first text.
                subjects.push(unwritten(scene, category, new.purpose)?);
            }
            scene.categories.extend(subjects.iter().map(|s| s.item.category));
            let decisions =
                all_will_read(scene, &readers, &subjects, new.purpose, statute.as_ref(), NOTHING_SHARED)?;
            within_accords(facts, &decisions, ends, scene.now)?;
            let id = ShareId::random(self.chance())?;
            let body = ShareBody {
                sharer: me(scene)?.id.clone(),
                purpose: new.purpose,
                starts: scene.now,
                ends,
                ended_at: None,
                category: new.category,
                versions,
                recipients: recipients_of(&decisions, statute.as_ref()),
                handover: None,
                departure,
            };
            Ok(Change::new(id.as_str()).fact(seal_share(scene, &id, 1, &body)?))
        })
    }

    /// Ends a share, or one recipient's part of it, from the next request on.
    ///
    /// # Errors
    /// [`ServiceError`]; a share of somebody else reads as absent.
    pub fn share_end(
        &self,
        call: &Call,
        pathway: &PathwayId,
        share: &ShareId,
        end: &EndShare,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::Share };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Share(share.clone()))?;
            let current = find(scene, share)?;
            if over(current, scene.now) {
                return Err(ServiceError::rule("share_over", "Ce partage a déjà pris fin."));
            }
            let mut body = body_of(current);
            match &end.recipient {
                None => body.ended_at = Some(scene.now),
                Some(id) => {
                    let line = body
                        .recipients
                        .iter_mut()
                        .find(|r| r.participation == *id)
                        .ok_or(ServiceError::AbsentOrRefused)?;
                    line.ended_at.get_or_insert(scene.now);
                }
            }
            let next = current.version.saturating_add(1);
            Ok(Change::new(share.as_str()).fact(seal_share(scene, share, next, &body)?))
        })
    }

    /// A version joins a share that already carries an earlier version of its item, or its category: never by itself,
    /// only when its sharer confirms the list of who will read it (R22).
    ///
    /// # Errors
    /// [`ServiceError`]; 409 when the list is no longer the one that was confirmed.
    pub fn share_join(
        &self,
        call: &Call,
        pathway: &PathwayId,
        share: &ShareId,
        join: &JoinShare,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Share };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Share(share.clone()))?;
            let subjects = own_subjects(scene, std::slice::from_ref(&join.item))?;
            let current = find(scene, share)?;
            let facts = scene.gate.facts();
            scene.purpose = Some(current.purpose);
            may_begin(facts, scene.now)?;
            if over(current, scene.now) || current.handover.is_some() {
                return Err(ServiceError::rule(
                    "share_over",
                    "Ce partage a pris fin : faites-en un nouveau.",
                ));
            }
            let subject = subjects.first().ok_or(ServiceError::AbsentOrRefused)?;
            let continues = subject.item.versions.iter().any(|v| current.versions.contains(&v.id));
            if !continues && current.category != Some(subject.item.category) {
                return Err(ServiceError::rule(
                    "not_in_share",
                    "Cette information n'est pas dans ce partage : faites un partage pour elle.",
                ));
            }
            if current.versions.contains(&subject.version.id) {
                return Err(ServiceError::rule("already_shared", "Ce texte est déjà dans ce partage."));
            }
            let readers: Vec<&ParticipationFacts> = current
                .recipients
                .iter()
                .filter(|r| r.ended_at.is_none_or(|t| t > scene.now))
                .flat_map(|r| place_holders(facts, &r.participation))
                .filter(|p| !p.ended(scene.now) && p.accepted_at.is_some())
                .collect();
            let will: BTreeSet<&ParticipationId> = readers.iter().map(|p| &p.id).collect();
            // INVARIANT: the list that was confirmed is the list that counts.
            if will != join.readers.iter().collect() {
                return Err(ServiceError::Conflict);
            }
            let statute = current.recipients.iter().find_map(|r| r.statute.clone());
            let decisions = all_will_read(
                scene,
                &readers,
                &subjects,
                current.purpose,
                statute.as_ref(),
                "Ce texte n'a pas été ajouté au partage.",
            )?;
            within_accords(facts, &decisions, current.ends, scene.now)?;
            let mut body = body_of(current);
            body.versions.push(subject.version.id.clone());
            let next = current.version.saturating_add(1);
            Ok(Change::new(share.as_str()).fact(seal_share(scene, share, next, &body)?))
        })
    }
}

fn find<'a>(scene: &Scene<'a>, id: &ShareId) -> Result<&'a ShareFacts, ServiceError> {
    scene.gate.facts().shares.iter().find(|s| s.id == *id).ok_or(ServiceError::AbsentOrRefused)
}

/// Whether a share is over for everybody.
pub(super) fn over(share: &ShareFacts, now: Timestamp) -> bool {
    now >= share.ends || share.ended_at.is_some_and(|t| t <= now)
}
