//! Texts that somebody wrote and could not send: one sealed row for each author, found by a keyed digest.
//!
//! INVARIANT: neither whose it is, nor from which page, nor what it says can be read from the table.
//! INVARIANT: a row that nobody touched for 24 hours is not handed back; the hourly sweep deletes it (`jobs`).

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::sealed_form;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::ids::{AssignmentId, KeptFormId, ProfessionalId};

/// How long a text is kept.
pub const KEPT_SECONDS: i64 = 24 * 3600;

/// One text as it is kept (sealed under the instance's key).
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptForm {
    pub id: KeptFormId,
    /// Where it was written.
    pub path: String,
    /// Under which affectation; nothing where none was chosen, and in rows made before this was kept.
    #[serde(default)]
    pub assignment: Option<AssignmentId>,
    /// Names and values, as the form had them.
    pub fields: Vec<(String, String)>,
    /// When, in microseconds.
    pub at: i64,
}

/// All that is kept for somebody, with the moment at which the row was written.
pub struct KeptForms {
    pub written_at: Timestamp,
    pub forms: Vec<KeptForm>,
}

const fn place(owner: &str, at: Timestamp) -> Place<'_> {
    Place { table: "sealed_form", row: owner, column: "body", version: at.micros() }
}

/// What replaces somebody's row, ready for the lane.
pub struct SealedForms {
    subject: Digest,
    at: Timestamp,
    /// The row that it replaces.
    before: Option<Timestamp>,
    /// Nothing when nothing is left to keep.
    body: Option<Vec<u8>>,
}

impl SealedForms {
    /// Seals what is kept for `owner` from `at` on.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        (owner, subject): (&ProfessionalId, Digest),
        (before, at): (Option<Timestamp>, Timestamp),
        forms: &[KeptForm],
    ) -> Result<Self, StoreError> {
        let body = if forms.is_empty() {
            None
        } else {
            Some(seal::seal_json(key, place(owner.as_str(), at), "sealed_form", &forms, chance)?)
        };
        Ok(Self { subject, at, before, body })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

impl Snapshot {
    /// What is kept for `owner`, too old or not.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn kept_forms(
        &mut self,
        owner: &ProfessionalId,
        subject: &Digest,
    ) -> Result<Option<KeptForms>, StoreError> {
        let raw: Option<(i64, Vec<u8>)> = sealed_form::table
            .filter(sealed_form::subject.eq(subject.as_slice()))
            .select((sealed_form::at, sealed_form::body))
            .first(self.conn())
            .optional()?;
        let Some((at, body)) = raw else { return Ok(None) };
        let written_at = Timestamp::from_micros(at);
        let key = self.instance_key()?;
        let forms = seal::open_json(&key, place(owner.as_str(), written_at), "sealed_form", &body)?;
        Ok(Some(KeptForms { written_at, forms }))
    }
}

impl WriteTx {
    /// Replaces what is kept for somebody.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another request replaced it meanwhile.
    pub fn kept_forms_put(&mut self, row: &SealedForms) -> Result<(), StoreError> {
        let own = sealed_form::table.filter(sealed_form::subject.eq(row.subject.as_slice()));
        match row.before {
            Some(before) => {
                let gone =
                    diesel::delete(own.filter(sealed_form::at.eq(before.micros()))).execute(self.conn())?;
                if gone != 1 {
                    return Err(StoreError::Stale);
                }
            }
            None => {
                let there: i64 = own.count().get_result(self.conn())?;
                if there > 0 {
                    return Err(StoreError::Stale);
                }
            }
        }
        if let Some(body) = &row.body {
            diesel::insert_into(sealed_form::table)
                .values((
                    sealed_form::subject.eq(row.subject.as_slice()),
                    sealed_form::at.eq(row.at.micros()),
                    sealed_form::body.eq(body.as_slice()),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
