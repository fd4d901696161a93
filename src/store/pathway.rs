//! Pathways: location, and the facts of one moment for the decision.

mod bodies;
mod located;

use diesel::prelude::*;
use serde::Deserialize;

pub use bodies::{CourseBody, EventBody, HandoverBody, ShareBody, Sheet, StatuteBody};
pub use located::{PathwayOf, PathwayPlace};

use super::StoreError;
use super::fact::{self, FactKind, FactRow};
use super::organisation;
use super::schema::{item, item_version, participation, pathway};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::access::Existence;
use crate::access::facts::{
    AssignmentFacts, HandoverFacts, ItemFacts, ItemKind, ParticipationFacts, PathwayFacts, RequestFacts,
    ShareFacts, StatuteFile, VersionFacts,
};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::domain::accord::{Accord, AccordFacts, Event};
use crate::domain::deferral::Deferral;
use crate::domain::emergency::{Emergency, EmergencyEvent, EmergencyOpening};
use crate::domain::person::{HolderFacts, Impossibility, PersonFacts};
use crate::domain::release::{Release, ReleaseFacts};
use crate::domain::vocabulary::{Category, Mandate, Role, Secrecy};
use crate::ids::{
    AssignmentId, HandoverId, ImpossibilityId, ItemId, ItemVersionId, OrganisationId, ParticipationId,
    PathwayId, ShareId,
};

/// What decides on a request about a holder (fact `impossibility_request`); the rest is its own view's.
#[derive(Deserialize)]
struct RequestHead {
    organisation: OrganisationId,
    requested_by: AssignmentId,
}

/// A new place in the circle.
#[derive(Clone)]
pub struct NewParticipation {
    pub id: ParticipationId,
    pub pathway: PathwayId,
    pub assignment: AssignmentId,
    pub mandate: Mandate,
    pub role: Role,
    pub existence: Existence,
    pub invited_by: Option<ParticipationId>,
    pub invited_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub until_at: Option<Timestamp>,
    pub stands_in_for: Option<ParticipationId>,
}

/// What changes on a participation, each to a new value.
#[derive(Clone, Default)]
pub struct ParticipationChange {
    pub accepted_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub role: Option<Role>,
}

type ParticipationRaw = (
    String,
    i64,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

const TABLE: &str = "participation";

fn read_participation(
    raw: ParticipationRaw,
    assignments: &[organisation::AssignmentRow],
) -> Result<ParticipationFacts, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt(TABLE, e);
    let (
        id,
        version,
        assignment,
        mandate,
        role,
        existence,
        invited_by,
        invited,
        accepted,
        ended,
        until,
        stands,
    ) = raw;
    let other = |text: Option<String>| match text {
        Some(t) => ParticipationId::parse(&t).map(Some).map_err(|e| bad(&e)),
        None => Ok(None),
    };
    let assignment: AssignmentFacts = assignments
        .iter()
        .find(|a| a.facts.id.as_str() == assignment)
        .map(|a| a.facts.clone())
        .ok_or_else(|| bad(&"its assignment is missing"))?;
    Ok(ParticipationFacts {
        id: ParticipationId::parse(&id).map_err(|e| bad(&e))?,
        version,
        assignment,
        mandate: Mandate::parse(&mandate).map_err(|e| bad(&e))?,
        role: Role::parse(&role).map_err(|e| bad(&e))?,
        existence: Existence::parse(&existence).map_err(|e| bad(&e))?,
        invited_by: other(invited_by)?,
        invited_at: Timestamp::from_micros(invited),
        accepted_at: accepted.map(Timestamp::from_micros),
        ended_at: ended.map(Timestamp::from_micros),
        until_at: until.map(Timestamp::from_micros),
        stands_in_for: other(stands)?,
    })
}

/// The facts of the `fact` table, sorted by kind.
#[derive(Default)]
struct Opened {
    person: Option<PersonFacts>,
    course: Option<CourseBody>,
    holders: Vec<HolderFacts>,
    impossibilities: Vec<Impossibility>,
    requests: Vec<RequestFacts>,
    accords: Vec<AccordFacts>,
    releases: Vec<ReleaseFacts>,
    events: Vec<EventBody>,
    statutes: Vec<StatuteFile>,
    shares: Vec<ShareFacts>,
    handovers: Vec<HandoverFacts>,
    deferrals: Vec<Deferral>,
    openings: Vec<EmergencyOpening>,
    openings_events: Vec<EmergencyEvent>,
}

fn open_facts(rows: &[FactRow], key: &DataKey) -> Result<Opened, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("fact", e);
    let mut o = Opened::default();
    for row in rows {
        match row.kind()? {
            FactKind::Person => o.person = Some(row.open_facts(key)?),
            FactKind::Course => o.course = Some(row.open_facts(key)?),
            FactKind::Holder => o.holders.push(row.open_facts(key)?),
            FactKind::Impossibility => o.impossibilities.push(row.open_facts(key)?),
            FactKind::ImpossibilityRequest => {
                let head: RequestHead = row.open_facts(key)?;
                let id = ImpossibilityId::parse(&row.id).map_err(|e| bad(&e))?;
                let RequestHead { organisation, requested_by } = head;
                o.requests.push(RequestFacts { id, organisation, requested_by });
            }
            FactKind::Accord => o.accords.push(row.open_facts(key)?),
            FactKind::Release => o.releases.push(row.open_facts(key)?),
            FactKind::Deferral => o.deferrals.push(row.open_facts(key)?),
            FactKind::AccordEvent => o.events.push(row.open_facts(key)?),
            FactKind::Statute => {
                let body: StatuteBody = row.open_facts(key)?;
                o.statutes.push(StatuteFile {
                    record: body.record,
                    events: body.events,
                    author: body.author,
                });
            }
            FactKind::Share => {
                let b: ShareBody = row.open_facts(key)?;
                o.shares.push(ShareFacts {
                    id: ShareId::parse(&row.id).map_err(|e| bad(&e))?,
                    version: row.version,
                    sharer: b.sharer,
                    purpose: b.purpose,
                    starts: b.starts,
                    ends: b.ends,
                    ended_at: b.ended_at,
                    category: b.category,
                    versions: b.versions,
                    recipients: b.recipients,
                    handover: b.handover,
                    departure: b.departure,
                });
            }
            FactKind::Handover => {
                let b: HandoverBody = row.open_facts(key)?;
                o.handovers.push(HandoverFacts {
                    id: HandoverId::parse(&row.id).map_err(|e| bad(&e))?,
                    version: row.version,
                    outgoing: b.outgoing,
                    incoming: b.incoming,
                    share: b.share,
                    accepted_at: b.accepted_at,
                    declined_at: b.declined_at,
                    outgoing_confirmed_at: b.outgoing_confirmed_at,
                    incoming_confirmed_at: b.incoming_confirmed_at,
                });
            }
            FactKind::Emergency => o.openings.push(row.open_facts(key)?),
            FactKind::EmergencyEvent => o.openings_events.push(row.open_facts(key)?),
            // Read by their own views; no decision rests on them.
            FactKind::Preference
            | FactKind::Succession
            | FactKind::OralNote
            | FactKind::Transmission
            | FactKind::Progress
            | FactKind::Closure => {}
        }
    }
    Ok(o)
}

fn with_events(o: &mut Opened) -> (Vec<Accord>, Vec<Release>, Vec<Event>) {
    let events = std::mem::take(&mut o.events);
    let of = |sheet: &Sheet| -> Vec<Event> {
        events.iter().filter(|e| e.sheet == *sheet).map(|e| e.event.clone()).collect()
    };
    let accords = std::mem::take(&mut o.accords)
        .into_iter()
        .map(|a| {
            let mine = of(&Sheet::Accord(a.id().clone()));
            Accord::new(a, mine)
        })
        .collect();
    let releases = std::mem::take(&mut o.releases)
        .into_iter()
        .map(|r| {
            let mine = of(&Sheet::Release(r.id().clone()));
            Release::new(r, mine)
        })
        .collect();
    (accords, releases, of(&Sheet::Standing))
}

impl Snapshot {
    /// Everything that is decided on for one pathway; `None` when there is none.
    ///
    /// # Errors
    /// The database's; a value that does not read back; [`StoreError::KeyDestroyed`] for an erased pathway.
    pub fn pathway_facts(&mut self, id: &PathwayId) -> Result<Option<PathwayFacts>, StoreError> {
        type Head = (i64, String, i64, Option<i64>);
        let head: Option<Head> = pathway::table
            .filter(pathway::id.eq(id.as_str()))
            .select((pathway::version, pathway::lead, pathway::opened_at, pathway::closed_at))
            .first(self.conn())
            .optional()?;
        let Some((version, lead, opened_at, closed_at)) = head else { return Ok(None) };
        let key = self.pathway_key(id)?;
        let rows = fact::latest(self.conn(), id)?;
        // Every pathway has facts from its opening on. None at all: row-level security keeps them from this reader.
        if rows.is_empty() {
            return Ok(None);
        }
        let mut opened = open_facts(&rows, &key)?;
        let (accords, releases, standing) = with_events(&mut opened);
        let course = opened.course.ok_or_else(|| StoreError::corrupt("fact", &"no `course`"))?;
        let person = opened.person.ok_or_else(|| StoreError::corrupt("fact", &"no `person`"))?;
        let participations =
            self.participations(id)?.into_iter().map(|p| p.within_minority(&person)).collect();
        Ok(Some(PathwayFacts {
            id: id.clone(),
            version,
            lead: OrganisationId::parse(&lead).map_err(|e| StoreError::corrupt("pathway", &e))?,
            step: course.step,
            review_on: course.review_on,
            opened_at: Timestamp::from_micros(opened_at),
            closed_at: closed_at.map(Timestamp::from_micros),
            person,
            holders: opened.holders,
            impossibilities: opened.impossibilities,
            requests: opened.requests,
            participations,
            accords,
            releases,
            standing,
            statutes: opened.statutes,
            shares: opened.shares,
            items: self.items_facts(id)?,
            handovers: opened.handovers,
            deferrals: opened.deferrals,
            emergencies: opened
                .openings
                .into_iter()
                .map(|o| Emergency::new(o, &opened.openings_events))
                .collect(),
        }))
    }

    fn participations(&mut self, id: &PathwayId) -> Result<Vec<ParticipationFacts>, StoreError> {
        let raws: Vec<ParticipationRaw> = participation::table
            .filter(participation::pathway.eq(id.as_str()))
            .order((participation::invited_at.asc(), participation::id.asc()))
            .select((
                participation::id,
                participation::version,
                participation::assignment,
                participation::mandate,
                participation::role,
                participation::existence,
                participation::invited_by,
                participation::invited_at,
                participation::accepted_at,
                participation::ended_at,
                participation::until_at,
                participation::stands_in_for,
            ))
            .load(self.conn())?;
        let ids: Vec<String> = raws.iter().map(|r| r.2.clone()).collect();
        let assignments = organisation::assignments(self.conn(), &ids)?;
        raws.into_iter().map(|raw| read_participation(raw, &assignments)).collect()
    }

    fn items_facts(&mut self, id: &PathwayId) -> Result<Vec<ItemFacts>, StoreError> {
        type Raw = (String, i64, String, String, String, i64, String, String);
        type VersionRaw = (String, String, i64, String, i64, i64, Option<i64>, Option<i64>);
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("item", e);
        let items: Vec<Raw> = item::table
            .filter(item::pathway.eq(id.as_str()))
            .order((item::created_at.asc(), item::id.asc()))
            .select((
                item::id,
                item::version,
                item::kind,
                item::category,
                item::subjects,
                item::for_stay,
                item::author,
                item::author_assignment,
            ))
            .load(self.conn())?;
        let versions: Vec<VersionRaw> = item_version::table
            .filter(item_version::pathway.eq(id.as_str()))
            .order((item_version::item.asc(), item_version::number.asc()))
            .select((
                item_version::id,
                item_version::item,
                item_version::number,
                item_version::author_secrecy,
                item_version::created_at,
                item_version::valid_from,
                item_version::valid_until,
                item_version::erased_at,
            ))
            .load(self.conn())?;
        let mut by_item: std::collections::HashMap<String, Vec<VersionFacts>> =
            std::collections::HashMap::new();
        for (id, item, number, secrecy, created, from, until, erased) in versions {
            by_item.entry(item).or_default().push(VersionFacts {
                id: ItemVersionId::parse(&id).map_err(|e| bad(&e))?,
                number,
                author_secrecy: Secrecy::parse(&secrecy).map_err(|e| bad(&e))?,
                created_at: Timestamp::from_micros(created),
                valid_from: Timestamp::from_micros(from),
                valid_until: until.map(Timestamp::from_micros),
                erased: erased.is_some(),
            });
        }
        items
            .into_iter()
            .map(|(id, version, kind, category, subjects, for_stay, author, author_assignment)| {
                let versions = by_item.remove(&id).unwrap_or_default();
                Ok(ItemFacts {
                    id: ItemId::parse(&id).map_err(|e| bad(&e))?,
                    version,
                    kind: match kind.as_str() {
                        "item" => ItemKind::Item,
                        "action" => ItemKind::Action,
                        other => return Err(bad(&format!("kind `{other}`"))),
                    },
                    category: Category::parse(&category).map_err(|e| bad(&e))?,
                    subjects: subjects
                        .split_whitespace()
                        .map(|c| Category::parse(c).map_err(|e| bad(&e)))
                        .collect::<Result<_, _>>()?,
                    for_stay: for_stay == 1,
                    author: ParticipationId::parse(&author).map_err(|e| bad(&e))?,
                    author_assignment: AssignmentId::parse(&author_assignment).map_err(|e| bad(&e))?,
                    versions,
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Opens a pathway.
    ///
    /// # Errors
    /// The database's.
    pub fn pathway_insert(
        &mut self,
        id: &PathwayId,
        lead: &OrganisationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(pathway::table)
            .values((
                pathway::id.eq(id.as_str()),
                pathway::version.eq(1),
                pathway::lead.eq(lead.as_str()),
                pathway::opened_at.eq(at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Closes a pathway.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is closed already.
    pub fn pathway_close(&mut self, id: &PathwayId, at: Timestamp) -> Result<(), StoreError> {
        let changed = diesel::update(
            pathway::table.filter(pathway::id.eq(id.as_str())).filter(pathway::closed_at.is_null()),
        )
        .set(pathway::closed_at.eq(at.micros()))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Adds a place in the circle.
    ///
    /// # Errors
    /// The database's.
    pub fn participation_insert(&mut self, row: &NewParticipation) -> Result<(), StoreError> {
        diesel::insert_into(participation::table)
            .values((
                participation::id.eq(row.id.as_str()),
                participation::version.eq(1),
                participation::pathway.eq(row.pathway.as_str()),
                participation::assignment.eq(row.assignment.as_str()),
                participation::mandate.eq(row.mandate.code()),
                participation::role.eq(row.role.code()),
                participation::existence.eq(row.existence.code()),
                participation::invited_by.eq(row.invited_by.as_ref().map(ParticipationId::as_str)),
                participation::invited_at.eq(row.invited_at.micros()),
                participation::accepted_at.eq(row.accepted_at.map(Timestamp::micros)),
                participation::until_at.eq(row.until_at.map(Timestamp::micros)),
                participation::stands_in_for.eq(row.stands_in_for.as_ref().map(ParticipationId::as_str)),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Changes a place in the circle.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed meanwhile.
    pub fn participation_update(
        &mut self,
        pathway: &PathwayId,
        id: &ParticipationId,
        version: i64,
        change: &ParticipationChange,
    ) -> Result<(), StoreError> {
        let next = version.saturating_add(1);
        let row = || {
            participation::table
                .filter(participation::id.eq(id.as_str().to_owned()))
                .filter(participation::pathway.eq(pathway.as_str().to_owned()))
                .filter(participation::version.eq(version))
        };
        let mut touched = diesel::update(row())
            .set(participation::version.eq(participation::version))
            .execute(self.conn())?;
        if let Some(at) = change.accepted_at {
            touched =
                diesel::update(row()).set(participation::accepted_at.eq(at.micros())).execute(self.conn())?;
        }
        if let Some(at) = change.ended_at {
            touched =
                diesel::update(row()).set(participation::ended_at.eq(at.micros())).execute(self.conn())?;
        }
        if let Some(role) = change.role {
            touched = diesel::update(row()).set(participation::role.eq(role.code())).execute(self.conn())?;
        }
        if touched != 1 {
            return Err(StoreError::Stale);
        }
        diesel::update(row()).set(participation::version.eq(next)).execute(self.conn())?;
        Ok(())
    }
}
