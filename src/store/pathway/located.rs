//! Where pathways are: of an assignment, of an organisation, with something to look at. Location only: each pathway that
//! is found is then decided on.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::access::Existence;
use crate::clock::Timestamp;
use crate::ids::{AssignmentId, MissionId, OrganisationId, ParticipationId, PathwayId};
use crate::store::StoreError;
use crate::store::account::AccountState;
use crate::store::fact::FactKind;
use crate::store::schema::{assignment, fact, participation, pathway, professional};
use crate::store::snapshot::Snapshot;

const TABLE: &str = "participation";
/// How many ids one statement names.
const AT_ONCE: usize = 500;

/// Where an assignment stands on one pathway; location only.
pub struct PathwayPlace {
    pub pathway: PathwayId,
    /// When it first came there, and by which participation: the order of the list, for good.
    pub first: (Timestamp, ParticipationId),
    pub here: bool,
    pub invited: bool,
}

/// Where a pathway of an organisation is, and whether it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathwayOf {
    pub id: PathwayId,
    pub closed_at: Option<Timestamp>,
}

impl Snapshot {
    /// The pathways on which an assignment has or had a place, latest first. Location only: each is then decided on.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_of(&mut self, assignment: &AssignmentId) -> Result<Vec<PathwayId>, StoreError> {
        let ids: Vec<String> = participation::table
            .filter(participation::assignment.eq(assignment.as_str()))
            .order(participation::invited_at.desc())
            .select(participation::pathway)
            .load(self.conn())?;
        let mut seen = BTreeSet::new();
        ids.iter()
            .filter(|id| seen.insert((*id).clone()))
            .map(|id| PathwayId::parse(id).map_err(|e| StoreError::corrupt(TABLE, &e)))
            .collect()
    }

    /// The pathways on which an assignment has or had a place, in the order in which it first came to each: the n-th is
    /// « Situation n° n » to it, for good. With whether it has a place that is accepted and not ended, or is invited.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_numbered(&mut self, assignment: &AssignmentId) -> Result<Vec<PathwayPlace>, StoreError> {
        type Raw = (String, i64, String, Option<i64>, Option<i64>);
        let rows: Vec<Raw> = participation::table
            .filter(participation::assignment.eq(assignment.as_str()))
            .order((participation::invited_at.asc(), participation::id.asc()))
            .select((
                participation::pathway,
                participation::invited_at,
                participation::id,
                participation::accepted_at,
                participation::ended_at,
            ))
            .load(self.conn())?;
        let mut places: Vec<PathwayPlace> = Vec::new();
        for (pathway, invited_at, id, accepted, ended) in rows {
            let here = accepted.is_some() && ended.is_none();
            let invited = accepted.is_none() && ended.is_none();
            match places.iter_mut().find(|p| p.pathway.as_str() == pathway) {
                Some(place) => {
                    place.here |= here;
                    place.invited |= invited;
                }
                None => places.push(PathwayPlace {
                    pathway: PathwayId::parse(&pathway).map_err(|e| StoreError::corrupt(TABLE, &e))?,
                    first: (
                        Timestamp::from_micros(invited_at),
                        ParticipationId::parse(&id).map_err(|e| StoreError::corrupt(TABLE, &e))?,
                    ),
                    here,
                    invited,
                }),
            }
        }
        Ok(places)
    }

    /// The pathway of a participation: location only.
    ///
    /// # Errors
    /// The database's.
    pub fn participation_locate(&mut self, id: &ParticipationId) -> Result<Option<PathwayId>, StoreError> {
        let found: Option<String> = participation::table
            .filter(participation::id.eq(id.as_str()))
            .select(participation::pathway)
            .first(self.conn())
            .optional()?;
        found.map(|p| PathwayId::parse(&p).map_err(|e| StoreError::corrupt(TABLE, &e))).transpose()
    }

    /// The pathways that can concern an office (managers, secretaries): those that its organisation leads, and those in
    /// which one of its assignments has or had a place that is hidden from nobody, or is of the office's own mission (S11:
    /// another mission's hidden places are not even looked at). Location only.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_in(
        &mut self,
        organisation: &OrganisationId,
        mission: &MissionId,
    ) -> Result<Vec<PathwayOf>, StoreError> {
        let mut rows: Vec<(String, Option<i64>)> = participation::table
            .inner_join(assignment::table.on(assignment::id.eq(participation::assignment)))
            .inner_join(pathway::table.on(pathway::id.eq(participation::pathway)))
            .filter(assignment::organisation.eq(organisation.as_str()))
            .filter(
                participation::existence
                    .eq(Existence::Open.code())
                    .or(assignment::mission.eq(mission.as_str())),
            )
            .select((pathway::id, pathway::closed_at))
            .distinct()
            .load(self.conn())?;
        let led: Vec<(String, Option<i64>)> = pathway::table
            .filter(pathway::lead.eq(organisation.as_str()))
            .select((pathway::id, pathway::closed_at))
            .load(self.conn())?;
        rows.extend(led);
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter()
            .map(|(id, closed_at)| {
                Ok(PathwayOf {
                    id: PathwayId::parse(&id).map_err(|e| StoreError::corrupt("pathway", &e))?,
                    closed_at: closed_at.map(Timestamp::from_micros),
                })
            })
            .collect()
    }

    /// The pathways where somebody of an organisation stands in for a colleague, until a moment after `now` and at most
    /// `limit`. Location only.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_stood_in(
        &mut self,
        organisation: &OrganisationId,
        now: Timestamp,
        limit: Timestamp,
    ) -> Result<Vec<PathwayId>, StoreError> {
        let ids: Vec<String> = participation::table
            .inner_join(assignment::table.on(assignment::id.eq(participation::assignment)))
            .filter(assignment::organisation.eq(organisation.as_str()))
            .filter(participation::stands_in_for.is_not_null())
            .filter(participation::accepted_at.is_not_null())
            .filter(participation::ended_at.is_null())
            .filter(participation::until_at.gt(now.micros()))
            .filter(participation::until_at.le(limit.micros()))
            .select(participation::pathway)
            .distinct()
            .load(self.conn())?;
        ids.iter().map(|id| PathwayId::parse(id).map_err(|e| StoreError::corrupt("pathway", &e))).collect()
    }

    /// The pathways where somebody of an organisation holds a place, accepted and not ended, under an assignment that is
    /// not in force: over, not begun, not confirmed, or of an account that is not. Location only.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_left(
        &mut self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Vec<PathwayId>, StoreError> {
        let now = now.micros();
        let ids: Vec<String> = participation::table
            .inner_join(assignment::table.on(assignment::id.eq(participation::assignment)))
            .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
            .filter(assignment::organisation.eq(organisation.as_str()))
            .filter(participation::accepted_at.is_not_null())
            .filter(participation::ended_at.is_null())
            .filter(
                assignment::ends_at
                    .le(now)
                    .or(assignment::starts_at.gt(now))
                    .or(assignment::confirmed_by.is_null())
                    .or(professional::state.ne(AccountState::Confirmed.code())),
            )
            .order(participation::pathway.asc())
            .select(participation::pathway)
            .distinct()
            .load(self.conn())?;
        ids.iter().map(|id| PathwayId::parse(id).map_err(|e| StoreError::corrupt(TABLE, &e))).collect()
    }

    /// The open pathways that an organisation leads. Location only.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_open_of(&mut self, organisation: &OrganisationId) -> Result<Vec<PathwayId>, StoreError> {
        let ids: Vec<String> = pathway::table
            .filter(pathway::lead.eq(organisation.as_str()))
            .filter(pathway::closed_at.is_null())
            .order((pathway::opened_at.asc(), pathway::id.asc()))
            .select(pathway::id)
            .load(self.conn())?;
        ids.iter().map(|id| PathwayId::parse(id).map_err(|e| StoreError::corrupt("pathway", &e))).collect()
    }

    /// Those of these pathways that have a fact of one of these kinds, written since then. Location only.
    ///
    /// # Errors
    /// The database's.
    pub fn pathways_with_facts(
        &mut self,
        among: &[&PathwayId],
        kinds: &[FactKind],
        since: Timestamp,
    ) -> Result<BTreeSet<PathwayId>, StoreError> {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
        let mut found = BTreeSet::new();
        for some in among.chunks(AT_ONCE) {
            let ids: Vec<String> = fact::table
                .filter(fact::pathway.eq_any(some.iter().map(|id| id.as_str())))
                .filter(fact::kind.eq_any(&kinds))
                .filter(fact::at.ge(since.micros()))
                .select(fact::pathway)
                .distinct()
                .load(self.conn())?;
            for id in ids {
                found.insert(PathwayId::parse(&id).map_err(|e| StoreError::corrupt("fact", &e))?);
            }
        }
        Ok(found)
    }
}
