//! What retention asks of the tables: which rows are past their time, and their erasure.
//!
//! INVARIANT: an erasure names its rows and counts what it changed: a row that is gone already is [`StoreError::Stale`],
//! so that two runs never record one erasure twice.
//!
//! Content is not read here: ids, subjects and times only. It does not know the durations: `service::retention` does.

use diesel::prelude::*;

use super::StoreError;
use super::schema::{
    assignment, idempotency, invitation, item, item_version, login_delay, note, participation, pathway,
    sealed_form, session,
};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::domain::vocabulary::{Category, Role};
use crate::ids::{ItemVersionId, NoteId, PathwayId};

/// A version that was written for a stay and is not erased.
pub struct StayVersion {
    pub id: ItemVersionId,
    pub pathway: PathwayId,
    pub number: i64,
    pub category: Category,
    pub created_at: Timestamp,
}

/// The end of one stay organiser's place, where it has one.
pub struct StayEnd {
    pub pathway: PathwayId,
    pub ends_at: Option<Timestamp>,
}

/// A note whose author's assignment is over.
pub struct LeftNote {
    pub id: NoteId,
    pub pathway: PathwayId,
    pub version: i64,
}

/// Before when each kind of row has served.
#[derive(Clone, Copy, Debug)]
pub struct SweepBefore {
    /// Sessions that ended, or went past their end.
    pub session_over: Timestamp,
    /// Sessions last used.
    pub session_seen: Timestamp,
    /// Codes never used that expired.
    pub invitation_expired: Timestamp,
    pub idempotency: Timestamp,
    pub delay: Timestamp,
    /// Texts kept for their author, last touched.
    pub kept_form: Timestamp,
}

/// How many rows of each kind a sweep takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub sessions: u64,
    pub invitations: u64,
    pub idempotency: u64,
    pub delays: u64,
    pub kept_forms: u64,
}

impl Swept {
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.sessions
            .saturating_add(self.invitations)
            .saturating_add(self.idempotency)
            .saturating_add(self.delays)
            .saturating_add(self.kept_forms)
    }
}

/// The conditions, for counting and for deleting alike.
macro_rules! over {
    (session, $b:expr) => {
        session::ended_at
            .le($b.session_over.micros())
            .or(session::expires_at.le($b.session_over.micros()))
            .or(session::seen_at.le($b.session_seen.micros()))
    };
    (invitation, $b:expr) => {
        invitation::used_at.is_null().and(invitation::expires_at.le($b.invitation_expired.micros()))
    };
    (idempotency, $b:expr) => {
        idempotency::at.le($b.idempotency.micros())
    };
    (login_delay, $b:expr) => {
        login_delay::last_at.le($b.delay.micros())
    };
    (sealed_form, $b:expr) => {
        sealed_form::at.le($b.kept_form.micros())
    };
}

fn counted(n: i64, table: &'static str) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|e| StoreError::corrupt(table, &e))
}

fn changed(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl Snapshot {
    /// The versions written for a stay, in these subjects, that still have their words.
    ///
    /// # Errors
    /// The database's.
    pub fn stay_versions(&mut self, subjects: &[Category]) -> Result<Vec<StayVersion>, StoreError> {
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("item_version", e);
        let codes: Vec<&str> = subjects.iter().map(|c| c.code()).collect();
        let rows: Vec<(String, String, i64, String, i64)> = item_version::table
            .inner_join(item::table.on(item::id.eq(item_version::item)))
            .filter(item::for_stay.eq(1))
            .filter(item::category.eq_any(codes))
            .filter(item_version::erased_at.is_null())
            .order((item_version::pathway.asc(), item_version::created_at.asc(), item_version::id.asc()))
            .select((
                item_version::id,
                item_version::pathway,
                item_version::number,
                item::category,
                item_version::created_at,
            ))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(id, pathway, number, category, created)| {
                Ok(StayVersion {
                    id: ItemVersionId::parse(&id).map_err(|e| bad(&e))?,
                    pathway: PathwayId::parse(&pathway).map_err(|e| bad(&e))?,
                    number,
                    category: Category::parse(&category).map_err(|e| bad(&e))?,
                    created_at: Timestamp::from_micros(created),
                })
            })
            .collect()
    }

    /// The ends of every stay organiser's place on these pathways; a place that ended early ended then.
    ///
    /// # Errors
    /// The database's.
    pub fn stay_ends(&mut self, pathways: &[PathwayId]) -> Result<Vec<StayEnd>, StoreError> {
        let ids: Vec<&str> = pathways.iter().map(PathwayId::as_str).collect();
        let rows: Vec<(String, Option<i64>, Option<i64>)> = participation::table
            .filter(participation::pathway.eq_any(ids))
            .filter(participation::role.eq(Role::StayOrganiser.code()))
            .select((participation::pathway, participation::ended_at, participation::until_at))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(pathway, ended, until)| {
                Ok(StayEnd {
                    pathway: PathwayId::parse(&pathway)
                        .map_err(|e| StoreError::corrupt("participation", &e))?,
                    ends_at: [ended, until].into_iter().flatten().min().map(Timestamp::from_micros),
                })
            })
            .collect()
    }

    /// The notes of assignments that ended before this moment.
    ///
    /// # Errors
    /// The database's.
    pub fn left_notes(&mut self, ended_before: Timestamp) -> Result<Vec<LeftNote>, StoreError> {
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("note", e);
        let rows: Vec<(String, String, i64)> = note::table
            .inner_join(assignment::table.on(assignment::id.eq(note::author_assignment)))
            .filter(assignment::ends_at.le(ended_before.micros()))
            .order((note::pathway.asc(), note::id.asc()))
            .select((note::id, note::pathway, note::version))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(id, pathway, version)| {
                Ok(LeftNote {
                    id: NoteId::parse(&id).map_err(|e| bad(&e))?,
                    pathway: PathwayId::parse(&pathway).map_err(|e| bad(&e))?,
                    version,
                })
            })
            .collect()
    }

    /// The version of a pathway, without its facts.
    ///
    /// # Errors
    /// The database's.
    pub fn pathway_version(&mut self, id: &PathwayId) -> Result<Option<i64>, StoreError> {
        Ok(pathway::table
            .filter(pathway::id.eq(id.as_str()))
            .select(pathway::version)
            .first(self.conn())
            .optional()?)
    }

    /// What a sweep would take.
    ///
    /// # Errors
    /// The database's.
    pub fn sweepable(&mut self, before: &SweepBefore) -> Result<Swept, StoreError> {
        let conn = self.conn();
        let sessions = session::table.filter(over!(session, before)).count().get_result(conn)?;
        let invitations = invitation::table.filter(over!(invitation, before)).count().get_result(conn)?;
        let keys = idempotency::table.filter(over!(idempotency, before)).count().get_result(conn)?;
        let delays = login_delay::table.filter(over!(login_delay, before)).count().get_result(conn)?;
        let kept = sealed_form::table.filter(over!(sealed_form, before)).count().get_result(conn)?;
        Ok(Swept {
            sessions: counted(sessions, "session")?,
            invitations: counted(invitations, "invitation")?,
            idempotency: counted(keys, "idempotency")?,
            delays: counted(delays, "login_delay")?,
            kept_forms: counted(kept, "sealed_form")?,
        })
    }
}

impl WriteTx {
    /// Erases the words of these versions of one pathway. Their rows stay: who wrote what kind of thing, and when.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when one of them is erased already, or stands elsewhere.
    pub fn item_versions_erase(
        &mut self,
        pathway: &PathwayId,
        ids: &[ItemVersionId],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let codes: Vec<&str> = ids.iter().map(ItemVersionId::as_str).collect();
        let erased = diesel::update(
            item_version::table
                .filter(item_version::pathway.eq(pathway.as_str()))
                .filter(item_version::id.eq_any(codes))
                .filter(item_version::erased_at.is_null()),
        )
        .set((item_version::body.eq(None::<Vec<u8>>), item_version::erased_at.eq(at.micros())))
        .execute(self.conn())?;
        if erased == ids.len() { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Destroys these notes of one pathway.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when one of them is gone already.
    pub fn notes_destroy(&mut self, pathway: &PathwayId, ids: &[NoteId]) -> Result<(), StoreError> {
        let codes: Vec<&str> = ids.iter().map(NoteId::as_str).collect();
        let gone = diesel::delete(
            note::table.filter(note::pathway.eq(pathway.as_str())).filter(note::id.eq_any(codes)),
        )
        .execute(self.conn())?;
        if gone == ids.len() { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Takes away what has served.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is nothing left to take: another run was first.
    pub fn sweep(&mut self, before: &SweepBefore) -> Result<(), StoreError> {
        let conn = self.conn();
        let swept = Swept {
            sessions: changed(diesel::delete(session::table.filter(over!(session, before))).execute(conn)?),
            invitations: changed(
                diesel::delete(invitation::table.filter(over!(invitation, before))).execute(conn)?,
            ),
            idempotency: changed(
                diesel::delete(idempotency::table.filter(over!(idempotency, before))).execute(conn)?,
            ),
            delays: changed(
                diesel::delete(login_delay::table.filter(over!(login_delay, before))).execute(conn)?,
            ),
            kept_forms: changed(
                diesel::delete(sealed_form::table.filter(over!(sealed_form, before))).execute(conn)?,
            ),
        };
        if swept.total() == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }
}
