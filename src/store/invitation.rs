//! Invitations: codes that open an account, or replace its second factor. Of a code, only the keyed hash is stored.

use diesel::prelude::*;

use super::StoreError;
use super::schema::invitation;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::crypto::token::TokenHash;
use crate::domain::vocabulary::code_enum;
use crate::ids::{InvitationId, ProfessionalId};

code_enum! {
    /// What an invitation code opens.
    InvitationKind, "invitation kind" {
        Open = "open", "Ouvrir le compte";
        Factor = "factor", "Remplacer le second facteur";
    }
}

/// An invitation code's row; the code itself is nowhere.
pub struct Invitation {
    pub id: InvitationId,
    pub professional: ProfessionalId,
    pub kind: InvitationKind,
    pub issued_by: Option<ProfessionalId>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

type InvitationRaw = (String, String, String, Option<String>, i64, i64, Option<i64>);

const INVITATION_COLUMNS: (
    invitation::id,
    invitation::professional,
    invitation::kind,
    invitation::issued_by,
    invitation::issued_at,
    invitation::expires_at,
    invitation::used_at,
) = (
    invitation::id,
    invitation::professional,
    invitation::kind,
    invitation::issued_by,
    invitation::issued_at,
    invitation::expires_at,
    invitation::used_at,
);

fn read_invitation(raw: InvitationRaw) -> Result<Invitation, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("invitation", e);
    let (id, professional, kind, issued_by, issued_at, expires_at, used_at) = raw;
    Ok(Invitation {
        id: InvitationId::parse(&id).map_err(|e| bad(&e))?,
        professional: ProfessionalId::parse(&professional).map_err(|e| bad(&e))?,
        kind: InvitationKind::parse(&kind).map_err(|e| bad(&e))?,
        issued_by: match issued_by {
            Some(i) => Some(ProfessionalId::parse(&i).map_err(|e| bad(&e))?),
            None => None,
        },
        issued_at: Timestamp::from_micros(issued_at),
        expires_at: Timestamp::from_micros(expires_at),
        used_at: used_at.map(Timestamp::from_micros),
    })
}

impl Snapshot {
    /// An invitation by the hash of its code, used and expired ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn invitation_by_code(&mut self, hash: &TokenHash) -> Result<Option<Invitation>, StoreError> {
        let raw: Option<InvitationRaw> = invitation::table
            .filter(invitation::code_hash.eq(hash.to_hex()))
            .select(INVITATION_COLUMNS)
            .first(self.conn())
            .optional()?;
        raw.map(read_invitation).transpose()
    }

    /// Every invitation of a professional, first to last, used and expired ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn invitations_of(&mut self, id: &ProfessionalId) -> Result<Vec<Invitation>, StoreError> {
        let raws: Vec<InvitationRaw> = invitation::table
            .filter(invitation::professional.eq(id.as_str()))
            .order((invitation::issued_at.asc(), invitation::id.asc()))
            .select(INVITATION_COLUMNS)
            .load(self.conn())?;
        raws.into_iter().map(read_invitation).collect()
    }
}

impl WriteTx {
    /// Adds an invitation.
    ///
    /// # Errors
    /// The database's.
    pub fn invitation_insert(&mut self, row: &Invitation, code: &TokenHash) -> Result<(), StoreError> {
        diesel::insert_into(invitation::table)
            .values((
                invitation::id.eq(row.id.as_str()),
                invitation::professional.eq(row.professional.as_str()),
                invitation::code_hash.eq(code.to_hex()),
                invitation::kind.eq(row.kind.code()),
                invitation::issued_by.eq(row.issued_by.as_ref().map(ProfessionalId::as_str)),
                invitation::issued_at.eq(row.issued_at.micros()),
                invitation::expires_at.eq(row.expires_at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Uses an invitation, once.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it was used meanwhile.
    pub fn invitation_use(&mut self, id: &InvitationId, at: Timestamp) -> Result<(), StoreError> {
        let changed = diesel::update(
            invitation::table.filter(invitation::id.eq(id.as_str())).filter(invitation::used_at.is_null()),
        )
        .set(invitation::used_at.eq(at.micros()))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Lets the unused invitations of a professional expire: only the latest code opens anything.
    ///
    /// # Errors
    /// The database's.
    pub fn invitations_close(&mut self, id: &ProfessionalId, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(
            invitation::table
                .filter(invitation::professional.eq(id.as_str()))
                .filter(invitation::used_at.is_null())
                .filter(invitation::expires_at.gt(at.micros())),
        )
        .set(invitation::expires_at.eq(at.micros()))
        .execute(self.conn())?;
        Ok(())
    }
}
