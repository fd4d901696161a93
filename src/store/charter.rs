//! Published charter versions and their signatures: append-only.

use diesel::prelude::*;

use super::StoreError;
use super::connection::Db;
use super::log::LogFile;
use super::schema::{charter, charter_signature};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::ids::{AssignmentId, CharterId, OrganisationId, ProfessionalId};

/// A published version, as its two texts.
#[derive(Clone)]
pub struct CharterRow {
    pub id: CharterId,
    pub number: i64,
    pub published_at: Timestamp,
    pub effective_at: Timestamp,
    pub policy_hash: String,
    pub text_hash: String,
    pub charter_text: String,
    pub policy_text: String,
    pub published_by: Option<ProfessionalId>,
}

/// Who signs a charter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Organisation(OrganisationId),
    Professional(ProfessionalId),
}

/// A signature: it binds text and policy.
#[derive(Clone)]
pub struct CharterSignature {
    pub charter: CharterId,
    pub party: Party,
    pub signed_by: AssignmentId,
    pub signed_at: Timestamp,
    pub text_hash: String,
    pub policy_hash: String,
}

fn published(conn: &mut Db) -> Result<Vec<CharterRow>, StoreError> {
    type Raw = (String, i64, i64, i64, String, String, String, String, Option<String>);
    let raws: Vec<Raw> = charter::table.order(charter::number.asc()).load(conn)?;
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("charter", e);
    raws.into_iter()
        .map(|(id, number, published, effective, policy_hash, text_hash, charter_text, policy_text, by)| {
            Ok(CharterRow {
                id: CharterId::parse(&id).map_err(|e| bad(&e))?,
                number,
                published_at: Timestamp::from_micros(published),
                effective_at: Timestamp::from_micros(effective),
                policy_hash,
                text_hash,
                charter_text,
                policy_text,
                published_by: match by {
                    Some(p) => Some(ProfessionalId::parse(&p).map_err(|e| bad(&e))?),
                    None => None,
                },
            })
        })
        .collect()
}

impl LogFile {
    /// Every published version, first to last: what a replay judges under.
    ///
    /// # Errors
    /// The database's.
    pub fn charters(&mut self) -> Result<Vec<CharterRow>, StoreError> {
        published(self.conn())
    }
}

impl Snapshot {
    /// Every published version, first to last.
    ///
    /// # Errors
    /// The database's.
    pub fn charters(&mut self) -> Result<Vec<CharterRow>, StoreError> {
        published(self.conn())
    }

    /// Which organisations signed which version, and when.
    ///
    /// # Errors
    /// The database's.
    pub fn charter_organisations(
        &mut self,
    ) -> Result<Vec<(CharterId, OrganisationId, Timestamp)>, StoreError> {
        let raws: Vec<(String, String, i64)> = charter_signature::table
            .filter(charter_signature::party_kind.eq("organisation"))
            .select((charter_signature::charter, charter_signature::party, charter_signature::signed_at))
            .order(charter_signature::signed_at.asc())
            .load(self.conn())?;
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("charter_signature", e);
        raws.into_iter()
            .map(|(c, o, at)| {
                Ok((
                    CharterId::parse(&c).map_err(|e| bad(&e))?,
                    OrganisationId::parse(&o).map_err(|e| bad(&e))?,
                    Timestamp::from_micros(at),
                ))
            })
            .collect()
    }
}

impl WriteTx {
    /// Adds a version.
    ///
    /// # Errors
    /// The database's; a number that exists is a unique violation.
    pub fn charter_insert(&mut self, row: &CharterRow) -> Result<(), StoreError> {
        diesel::insert_into(charter::table)
            .values((
                charter::id.eq(row.id.as_str()),
                charter::number.eq(row.number),
                charter::published_at.eq(row.published_at.micros()),
                charter::effective_at.eq(row.effective_at.micros()),
                charter::policy_hash.eq(&row.policy_hash),
                charter::text_hash.eq(&row.text_hash),
                charter::charter_text.eq(&row.charter_text),
                charter::policy_text.eq(&row.policy_text),
                charter::published_by.eq(row.published_by.as_ref().map(ProfessionalId::as_str)),
            ))
            .execute(self.conn())?;
        self.charter_touch()
    }

    /// Adds a signature; an organisation's raises the charter's counter.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when that party has signed that version already.
    pub fn charter_sign(&mut self, row: &CharterSignature) -> Result<(), StoreError> {
        let (kind, party) = match &row.party {
            Party::Organisation(id) => ("organisation", id.as_str()),
            Party::Professional(id) => ("professional", id.as_str()),
        };
        let exists: i64 = charter_signature::table
            .filter(charter_signature::charter.eq(row.charter.as_str()))
            .filter(charter_signature::party_kind.eq(kind))
            .filter(charter_signature::party.eq(party))
            .count()
            .get_result(self.conn())?;
        if exists > 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(charter_signature::table)
            .values((
                charter_signature::charter.eq(row.charter.as_str()),
                charter_signature::party_kind.eq(kind),
                charter_signature::party.eq(party),
                charter_signature::signed_by.eq(row.signed_by.as_str()),
                charter_signature::signed_at.eq(row.signed_at.micros()),
                charter_signature::text_hash.eq(&row.text_hash),
                charter_signature::policy_hash.eq(&row.policy_hash),
            ))
            .execute(self.conn())?;
        match row.party {
            Party::Organisation(_) => self.charter_touch(),
            Party::Professional(_) => Ok(()),
        }
    }
}
