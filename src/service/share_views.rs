//! Shares as they are told: whole to the sharer (« lu le … / pas encore lu »), its own line to each recipient, an
//! outline to the référent for the family's sheet (DESIGN §4, second table).
//!
//! INVARIANT: a recipient who may not read every existence category learns a sharer's name only where what it reads
//! names its author too: the label « Transmis par la famille » must tell nothing (S11).

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::flow::{Act, Call, Scene};
use super::members::{MemberView, me, named, place_holders};
use super::preview::{Subject, asked_of, last_day, told};
use super::readings::Reading;
use super::shares::over;
use super::who::Names;
use super::{App, ServiceError};
use crate::access::facts::{ItemFacts, ParticipationFacts, ShareFacts, VersionFacts};
use crate::access::{Decision, Mode, Resource, may_know, reads_every_existence};
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::cell::Reason;
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Category, Purpose, Role, code_enum};
use crate::ids::{HandoverId, ItemId, ItemVersionId, ParticipationId, PathwayId, ShareId};

code_enum! {
    /// Why nobody reads a share that is not over.
    Halt, "why a share is halted" {
        NoAccord = "no_accord", "arrêté : il n'y a plus d'accord";
        Paused = "paused", "en pause : le bilan n'a pas eu lieu";
        NobodyReads = "nobody_reads", "personne ne lit en ce moment";
    }
}

/// One version in a share, without its words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SharedVersion {
    #[schema(value_type = String)]
    pub item: ItemId,
    #[schema(value_type = String)]
    pub version: ItemVersionId,
    pub category: Category,
    /// A newer version exists that is not in this share.
    pub superseded: bool,
}

/// One reader of a share, for its sharer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SharedWith {
    pub member: MemberView,
    /// The place in which this reader stands, when a successor or stand-in took it.
    #[schema(value_type = Option<String>)]
    pub in_place_of: Option<ParticipationId>,
    pub reads_now: bool,
    /// Why not, when it does not.
    pub sentence: Option<String>,
    pub first_read_at: Option<String>,
    /// « lu le 3 mars 2027 » or « pas encore lu ».
    pub read: String,
    #[schema(value_type = Vec<String>)]
    pub versions_read: Vec<ItemVersionId>,
    /// When it was last printed: paper outlives a share.
    pub printed_at: Option<String>,
    pub ended_at: Option<String>,
}

/// A share, for its sharer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareView {
    #[schema(value_type = String)]
    pub id: ShareId,
    pub purpose: Purpose,
    pub starts: String,
    pub last_day: Option<Day>,
    /// A stay: its first day, where it was given.
    pub departure: Option<Day>,
    pub ended_at: Option<String>,
    /// Whether it is not over. What `halted` says, stands beside.
    pub in_force: bool,
    /// Not over, and yet nobody reads.
    pub halted: Option<Halt>,
    pub category: Option<Category>,
    pub things: Vec<SharedVersion>,
    pub readers: Vec<SharedWith>,
    #[schema(value_type = Option<String>)]
    pub handover: Option<HandoverId>,
}

/// As whom the reader of a list sees a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standpoint {
    Sharer,
    Recipient,
    Referent,
}

/// One who reads a share today, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReadsToday {
    pub name: String,
    pub categories: Vec<Category>,
}

/// One line of a list of shares.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareLine {
    #[schema(value_type = String)]
    pub id: ShareId,
    pub seen_as: Standpoint,
    pub purpose: Purpose,
    /// Who shares, where the reader may know; « Transmis par la famille » otherwise.
    pub sharer: Option<String>,
    /// Recipients whom the reader may know; a recipient sees itself only.
    pub recipients: Vec<String>,
    pub categories: Vec<Category>,
    pub last_day: Option<Day>,
    pub in_force: bool,
    /// Who reads it today, of those whom the reader of this list may know; a recipient is told of itself only, by
    /// `categories`.
    pub read_by: Vec<ReadsToday>,
    /// Not over, and yet nobody reads.
    pub halted: Option<Halt>,
}

/// A list of shares.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareList {
    pub items: Vec<ShareLine>,
}

fn find<'a>(scene: &Scene<'a>, id: &ShareId) -> Result<&'a ShareFacts, ServiceError> {
    scene.gate.facts().shares.iter().find(|s| s.id == *id).ok_or(ServiceError::AbsentOrRefused)
}

/// Whether `reader` reads these words today, for this purpose.
pub(super) fn reads_now(
    scene: &mut Scene<'_>,
    purpose: Purpose,
    reader: &ParticipationFacts,
    item: &ItemFacts,
    version: &VersionFacts,
) -> Decision {
    asked_of(scene, reader, (item, version), purpose, Mode::Read)
}

/// What `reader` reads of a share today: each version that still stands, with its decision.
fn reading_now(
    scene: &mut Scene<'_>,
    share: &ShareFacts,
    reader: &ParticipationFacts,
) -> Vec<(Subject, Decision)> {
    let facts = scene.gate.facts();
    share
        .versions
        .iter()
        .filter_map(|id| facts.version(id))
        .map(|(item, version)| {
            let decision = reads_now(scene, share.purpose, reader, item, version);
            (Subject { item: item.clone(), version: version.clone(), written: true }, decision)
        })
        .collect()
}

/// Why nobody reads a share that is not over; nothing while somebody reads, or nothing is written in it.
///
/// It tells no more than the coarse reasons do: neither who said no, nor that somebody did.
fn halted(share: &ShareFacts, now: Timestamp, decisions: &[Decision]) -> Option<Halt> {
    if over(share, now) || decisions.is_empty() || decisions.iter().any(|d| d.permitted) {
        return None;
    }
    let all = |wanted: fn(Reason) -> bool| {
        decisions.iter().all(|d| d.failing.iter().any(|failing| wanted(failing.reason)))
    };
    Some(if all(|r| matches!(r.coarse(), Reason::AccordNotInForce | Reason::AccordExpired)) {
        Halt::NoAccord
    } else if all(|r| r == Reason::SharingPaused) {
        Halt::Paused
    } else {
        Halt::NobodyReads
    })
}

/// Whoever holds a place of this share today: those it was shared with, their successors and stand-ins.
pub(super) fn readers_of<'a>(scene: &Scene<'a>, share: &ShareFacts) -> Vec<&'a ParticipationFacts> {
    let facts = scene.gate.facts();
    let mut found: Vec<&ParticipationFacts> = Vec::new();
    for recipient in share.recipients.iter().filter(|r| r.ended_at.is_none_or(|t| t > scene.now)) {
        for place in place_holders(facts, &recipient.participation) {
            let there = place.accepted_at.is_some() || place.id == recipient.participation;
            if there && !found.iter().any(|p| p.id == place.id) {
                found.push(place);
            }
        }
    }
    found
}

impl App {
    /// Who of `readers` reads which part of a share today, as far as `seen` goes; and why nobody does.
    fn read_today(
        scene: &mut Scene<'_>,
        names: &mut Names,
        share: &ShareFacts,
        readers: &[&ParticipationFacts],
        seen: impl Fn(&Subject) -> bool,
    ) -> Result<(Vec<ReadsToday>, Option<Halt>), ServiceError> {
        let (mut by, mut decisions) = (Vec::new(), Vec::new());
        for reader in readers {
            let now = reading_now(scene, share, reader).into_iter().filter(|(subject, _)| seen(subject));
            let now: Vec<(Subject, Decision)> = now.collect();
            let read = || now.iter().filter(|(_, d)| d.permitted).map(|(subject, _)| subject.item.category);
            if read().next().is_some()
                && !over(share, scene.now)
                && let Some(name) = name_of(scene, names, &reader.id)?
            {
                by.push(ReadsToday { name, categories: categories(read()) });
            }
            decisions.extend(now.into_iter().map(|(_, decision)| decision));
        }
        Ok((by, halted(share, scene.now, &decisions)))
    }

    /// A share, whole, for its sharer.
    ///
    /// # Errors
    /// [`ServiceError`]; a share of somebody else reads as absent.
    pub fn share_read(
        &self,
        call: &Call,
        pathway: &PathwayId,
        share: &ShareId,
    ) -> Result<Disclosed<ShareView>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Share };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Share(share.clone()))?;
            let found = find(scene, share)?;
            scene.purpose = Some(found.purpose);
            let facts = scene.gate.facts();
            let readings = self.readings_of(scene, found)?;
            let mut readers = Vec::new();
            let mut decisions = Vec::new();
            for recipient in &found.recipients {
                for place in place_holders(facts, &recipient.participation) {
                    if place.accepted_at.is_none() && place.id != recipient.participation {
                        continue;
                    }
                    let origin = &recipient.participation;
                    let now = reading_now(scene, found, place);
                    readers.push(self.shared_with(scene, found, origin, place, &readings, &now)?);
                    if recipient.ended_at.is_none_or(|t| t > scene.now) {
                        decisions.extend(now.into_iter().map(|(_, decision)| decision));
                    }
                }
            }
            scene.returned.push(RowRef {
                table: "fact",
                id: found.id.as_str().to_owned(),
                version: found.version,
            });
            let things = found
                .versions
                .iter()
                .filter_map(|id| facts.version(id))
                .map(|(item, version)| SharedVersion {
                    item: item.id.clone(),
                    version: version.id.clone(),
                    category: item.category,
                    superseded: item.current().is_some_and(|c| c.id != version.id),
                })
                .collect();
            Ok(scene.seal_facts(ShareView {
                id: found.id.clone(),
                purpose: found.purpose,
                starts: found.starts.rfc3339(),
                last_day: last_day(found.ends),
                departure: found.departure.and_then(|day| Day::new(day).ok()),
                ended_at: found.ended_at.map(Timestamp::rfc3339),
                in_force: !over(found, scene.now),
                halted: halted(found, scene.now, &decisions),
                category: found.category,
                things,
                readers,
                handover: found.handover.clone(),
            }))
        })
    }

    fn shared_with(
        &self,
        scene: &mut Scene<'_>,
        share: &ShareFacts,
        origin: &ParticipationId,
        place: &ParticipationFacts,
        readings: &[Reading],
        now: &[(Subject, Decision)],
    ) -> Result<SharedWith, ServiceError> {
        let member = self.member_view(scene.snapshot, scene.gate.book(), place, scene.now)?;
        let sentence = now.iter().find(|(_, d)| !d.permitted).map(|(subject, decision)| {
            told(scene, place, &member, subject, share.purpose, Some(share.ends), decision).sentence
        });
        let mine = || {
            readings
                .iter()
                .filter(|r| r.assignment == place.assignment.id)
                .filter(|r| r.versions.iter().any(|v| share.versions.contains(v)))
        };
        let first = mine().map(|r| r.at).min();
        let seen: BTreeSet<&ItemVersionId> =
            mine().flat_map(|r| &r.versions).filter(|v| share.versions.contains(v)).collect();
        let printed = mine().filter(|r| r.printed).map(|r| r.at).max();
        let ended_at = share.recipients.iter().find(|r| r.participation == *origin).and_then(|r| r.ended_at);
        Ok(SharedWith {
            in_place_of: (place.id != *origin).then(|| origin.clone()),
            reads_now: !now.is_empty() && now.iter().all(|(_, d)| d.permitted),
            sentence,
            first_read_at: first.map(Timestamp::rfc3339),
            read: first.map_or_else(
                || "pas encore lu".to_owned(),
                |t| format!("lu le {}", french_date(t.paris_day())),
            ),
            versions_read: seen.into_iter().cloned().collect(),
            printed_at: printed.map(Timestamp::rfc3339),
            ended_at: ended_at.map(Timestamp::rfc3339),
            member,
        })
    }

    /// The shares that concern the asker: its own, those to it, and as référent the outline of the others.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn shares_list(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<ShareList>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Share };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let facts = scene.gate.facts();
            let (mut items, mut names) = (Vec::new(), Names::default());
            for share in &facts.shares {
                let line = if share.sharer == myself.id {
                    Some(Self::line_for_sharer(scene, &mut names, share)?)
                } else if share
                    .recipients
                    .iter()
                    .any(|r| place_holders(facts, &r.participation).iter().any(|p| p.id == myself.id))
                {
                    Self::line_for_recipient(scene, &mut names, share, myself)?
                } else if myself.role == Role::Referent {
                    Self::line_for_referent(scene, &mut names, share, myself)?
                } else {
                    None
                };
                if let Some(line) = line {
                    scene.returned.push(RowRef {
                        table: "fact",
                        id: share.id.as_str().to_owned(),
                        version: share.version,
                    });
                    items.push(line);
                }
            }
            Ok(scene.seal_facts(ShareList { items }))
        })
    }

    fn line_for_sharer(
        scene: &mut Scene<'_>,
        names: &mut Names,
        share: &ShareFacts,
    ) -> Result<ShareLine, ServiceError> {
        let mut recipients = Vec::new();
        for recipient in &share.recipients {
            recipients.extend(name_of(scene, names, &recipient.participation)?);
        }
        let readers = readers_of(scene, share);
        let (read_by, halted) = Self::read_today(scene, names, share, &readers, |_| true)?;
        let facts = scene.gate.facts();
        Ok(ShareLine {
            id: share.id.clone(),
            seen_as: Standpoint::Sharer,
            purpose: share.purpose,
            sharer: None,
            recipients,
            categories: categories(
                share.versions.iter().filter_map(|v| facts.version(v)).map(|(i, _)| i.category),
            ),
            last_day: last_day(share.ends),
            in_force: !over(share, scene.now),
            read_by,
            halted,
        })
    }

    /// Its own line: what it reads today, and who shares where the label may tell.
    fn line_for_recipient(
        scene: &mut Scene<'_>,
        names: &mut Names,
        share: &ShareFacts,
        myself: &ParticipationFacts,
    ) -> Result<Option<ShareLine>, ServiceError> {
        let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
        let ended = share
            .recipients
            .iter()
            .any(|r| r.participation == myself.id && r.ended_at.is_some_and(|t| t <= now));
        if over(share, now) || ended || share.handover.is_some() && !complete(scene, share) {
            return Ok(None);
        }
        let reads = reading_now(scene, share, myself);
        let permitted = || reads.iter().filter(|(_, d)| d.permitted);
        // Nothing that it reads: the line would only tell that something is closed to it.
        if permitted().next().is_none() {
            return Ok(None);
        }
        let named_anyway = reads_every_existence(facts, book, myself, now)
            || (reads.iter().all(|(_, d)| d.permitted && !d.as_family) && share.purpose != Purpose::Stay);
        let sharer = match facts.participation(&share.sharer) {
            Some(p) if named_anyway && may_know(facts, book, myself, p, now) => {
                name_of(scene, names, &share.sharer)?
            }
            Some(_) | None => None,
        };
        Ok(Some(ShareLine {
            id: share.id.clone(),
            seen_as: Standpoint::Recipient,
            purpose: share.purpose,
            sharer,
            recipients: Vec::new(),
            categories: categories(permitted().map(|(s, _)| s.item.category)),
            last_day: last_day(share.ends),
            in_force: true,
            read_by: Vec::new(),
            halted: None,
        }))
    }

    /// For the family's sheet: without what is hidden from the référent; a hidden service prints its own.
    fn line_for_referent(
        scene: &mut Scene<'_>,
        names: &mut Names,
        share: &ShareFacts,
        myself: &ParticipationFacts,
    ) -> Result<Option<ShareLine>, ServiceError> {
        let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
        let known =
            |id: &ParticipationId| facts.participation(id).filter(|p| may_know(facts, book, myself, p, now));
        let Some(sharer) = known(&share.sharer) else { return Ok(None) };
        let visible: Vec<&ParticipationFacts> =
            share.recipients.iter().filter_map(|r| known(&r.participation)).collect();
        let statutory = share.recipients.iter().any(|r| r.statute.is_some());
        // A statutory record is in no list shown to others.
        if visible.is_empty() || over(share, now) || statutory {
            return Ok(None);
        }
        let categories = categories(
            share
                .versions
                .iter()
                .filter_map(|v| facts.version(v))
                .filter(|(item, _)| known(&item.author).is_some())
                .map(|(item, _)| item.category),
        );
        let readers = readers_of(scene, share);
        let readers: Vec<_> = readers.into_iter().filter(|p| known(&p.id).is_some()).collect();
        let (read_by, halted) =
            Self::read_today(scene, names, share, &readers, |subject| known(&subject.item.author).is_some())?;
        let mut recipients = Vec::new();
        for p in visible {
            recipients.extend(name_of(scene, names, &p.id)?);
        }
        Ok(Some(ShareLine {
            id: share.id.clone(),
            seen_as: Standpoint::Referent,
            purpose: share.purpose,
            sharer: name_of(scene, names, &sharer.id)?,
            recipients,
            categories,
            last_day: last_day(share.ends),
            in_force: true,
            read_by,
            halted,
        }))
    }
}

/// A member as a sentence names somebody; each name is fetched once.
fn name_of(
    scene: &mut Scene<'_>,
    names: &mut Names,
    id: &ParticipationId,
) -> Result<Option<String>, ServiceError> {
    let Some(p) = scene.gate.facts().participation(id) else { return Ok(None) };
    let name = names.name(scene.snapshot, Some(&p.assignment.professional))?;
    Ok(name.map(|name| named(&name, p.assignment.profession)))
}

fn complete(scene: &Scene<'_>, share: &ShareFacts) -> bool {
    share
        .handover
        .as_ref()
        .is_none_or(|id| scene.gate.facts().handovers.iter().any(|h| h.id == *id && h.complete()))
}

fn categories(all: impl Iterator<Item = Category>) -> Vec<Category> {
    all.collect::<BTreeSet<_>>().into_iter().collect()
}
