//! Facts of a pathway: append-only rows, each new version beside the old ones. `facts` is what decisions read;
//! `words` is what people wrote, opened only under a grant.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::Db;
use super::image::{optional, row_image};
use super::schema::fact;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::access::{Grant, Resource, Target};
use crate::audit::Sealed;
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::domain::record::RowRef;
use crate::domain::vocabulary::code_enum;
use crate::ids::{AssignmentId, PathwayId};

code_enum! {
    /// What a fact row speaks of.
    FactKind, "fact kind" {
        Person = "person", "Personne";
        Course = "course", "Étape et bilan";
        Preference = "preference", "Choix du référent";
        Holder = "holder", "Titulaire";
        Impossibility = "impossibility", "Impossibilité";
        Accord = "accord", "Accord";
        AccordEvent = "accord_event", "Signature, refus, retrait";
        Release = "release", "Validation par la famille";
        Statute = "statute", "Partage prévu par la loi";
        Share = "share", "Partage";
        Handover = "handover", "Passage de relais";
        Succession = "succession", "Remplacement";
        OralNote = "oral_note", "Parole donnée";
        Transmission = "transmission", "Mention de transmission";
        Progress = "progress", "Avancement d'une action";
        Closure = "closure", "Clôture";
        ImpossibilityRequest = "impossibility_request", "Demande : titulaire impossible à joindre";
        Deferral = "deferral", "Ligne reportée de « Qui a regardé ? »";
        Emergency = "emergency", "Accès en urgence";
        EmergencyEvent = "emergency_event", "Fin, examen d'un accès en urgence";
    }
}

/// The latest version of one fact, still sealed.
#[derive(Queryable)]
pub(super) struct FactRow {
    pub id: String,
    pub version: i64,
    pub pathway: String,
    pub kind: String,
    pub at: i64,
    pub by_assignment: String,
    pub facts: Vec<u8>,
    pub words: Option<Vec<u8>>,
}

impl FactRow {
    pub(super) fn kind(&self) -> Result<FactKind, StoreError> {
        FactKind::parse(&self.kind).map_err(|e| StoreError::corrupt("fact", &e))
    }

    pub(super) fn by(&self) -> Result<AssignmentId, StoreError> {
        AssignmentId::parse(&self.by_assignment).map_err(|e| StoreError::corrupt("fact", &e))
    }

    pub(super) fn open_facts<T: DeserializeOwned>(&self, key: &DataKey) -> Result<T, StoreError> {
        seal::open_json(key, place(&self.id, self.version, "facts"), "fact", &self.facts)
    }

    pub(super) fn open_words<T: DeserializeOwned>(&self, key: &DataKey) -> Result<Option<T>, StoreError> {
        match &self.words {
            Some(bytes) => {
                seal::open_json(key, place(&self.id, self.version, "words"), "fact", bytes).map(Some)
            }
            None => Ok(None),
        }
    }
}

const fn place<'a>(row: &'a str, version: i64, column: &'static str) -> Place<'a> {
    Place { table: "fact", row, column, version }
}

/// The whole row, hashed: nothing of a fact ever changes.
pub(super) fn image(row: &FactRow) -> Digest {
    row_image(
        &RowRef { table: "fact", id: row.id.clone(), version: row.version },
        &[
            row.pathway.as_bytes(),
            row.kind.as_bytes(),
            &row.at.to_be_bytes(),
            row.by_assignment.as_bytes(),
            &row.facts,
            optional(row.words.as_deref()).as_slice(),
        ],
    )
}

/// The halves of a row that no key of these opens.
pub(super) fn opens_nowhere(row: &FactRow, keys: &HashMap<String, DataKey>) -> bool {
    let opens = |column, bytes: &[u8]| {
        keys.values().any(|key| key.open(place(&row.id, row.version, column), bytes).is_ok())
    };
    !opens("facts", &row.facts) || row.words.as_ref().is_some_and(|words| !opens("words", words))
}

/// Every fact of a pathway at its latest version, oldest first.
pub(super) fn latest(conn: &mut Db, pathway: &PathwayId) -> Result<Vec<FactRow>, StoreError> {
    let rows = fact::table
        .filter(fact::pathway.eq(pathway.as_str()))
        .order((fact::id.asc(), fact::version.asc()))
        .load(conn)?;
    Ok(last_versions(rows))
}

/// Of rows by id and version, the last of each id; then by time.
fn last_versions(rows: Vec<FactRow>) -> Vec<FactRow> {
    let mut latest: Vec<FactRow> = Vec::with_capacity(rows.len());
    for row in rows {
        match latest.last_mut() {
            Some(last) if last.id == row.id => *last = row,
            _ => latest.push(row),
        }
    }
    latest.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    latest
}

/// Every fact of one kind at its latest version, oldest first. A fact keeps its kind, so nothing else is fetched.
fn latest_of(conn: &mut Db, pathway: &PathwayId, kind: FactKind) -> Result<Vec<FactRow>, StoreError> {
    let rows = fact::table
        .filter(fact::pathway.eq(pathway.as_str()))
        .filter(fact::kind.eq(kind.code()))
        .order((fact::id.asc(), fact::version.asc()))
        .load(conn)?;
    Ok(last_versions(rows))
}

/// One fact at its latest version.
pub(super) fn one(conn: &mut Db, pathway: &PathwayId, id: &str) -> Result<Option<FactRow>, StoreError> {
    Ok(fact::table
        .filter(fact::pathway.eq(pathway.as_str()))
        .filter(fact::id.eq(id))
        .order(fact::version.desc())
        .first(conn)
        .optional()?)
}

/// A fact as services read it: what decisions could rest on, and who wrote it when. No words.
pub struct Fact<F> {
    pub id: String,
    pub version: i64,
    pub at: Timestamp,
    pub by: AssignmentId,
    pub facts: F,
}

/// Whether a grant opens the words of facts of this kind.
///
/// INVARIANT: a view of an organisation (`ManagerView`, `Contribute`) opens no words at all; what a manager reads is
/// named row by row, and `access` decides whose row it is.
fn opens(target: &Target, kind: FactKind, id: Option<&str>) -> bool {
    let Target::Resource(resource) = target else { return false };
    match (kind, resource) {
        (FactKind::Person, Resource::Identity | Resource::InvitedIdentity(_) | Resource::EmergencyIdentity(_))
        | (FactKind::Holder, Resource::Holders)
        // The référent's business, all of it.
        | (FactKind::Preference | FactKind::Closure, Resource::ReferentAct) => true,
        // A motive: what a manager of that organisation decides on (DESIGN §3), never items, never another's.
        (FactKind::ImpossibilityRequest, Resource::ImpossibilityMotive(request)) => {
            id == Some(request.as_str())
        }
        (FactKind::Deferral, Resource::DeferralMotive(deferral)) => id == Some(deferral.as_str()),
        (FactKind::Accord, Resource::AccordWhole(accord)) => id == Some(accord.as_str()),
        (FactKind::Release, Resource::ReleaseWhole(release)) => id == Some(release.as_str()),
        (FactKind::Share, Resource::Share(share)) => id == Some(share.as_str()),
        // Recipients read the regime and the period only: no words.
        (FactKind::Statute, Resource::StatuteWhole(statute) | Resource::StatuteMotive(statute)) => {
            id == Some(statute.as_str())
        }
        (FactKind::Handover, Resource::Handover(handover)) => id == Some(handover.as_str()),
        // The motive of an opening, for who reviews it.
        (FactKind::Emergency, Resource::EmergencyMotive(emergency)) => id == Some(emergency.as_str()),
        // What reviews said on this pathway: only they have words.
        (FactKind::EmergencyEvent, Resource::EmergencyMotive(_)) => id.is_none(),
        _ => false,
    }
}

impl Snapshot {
    /// The pathway of a fact: location only, nothing of the fact.
    ///
    /// # Errors
    /// The database's.
    pub fn fact_locate(&mut self, kind: FactKind, id: &str) -> Result<Option<PathwayId>, StoreError> {
        let found: Option<String> = fact::table
            .filter(fact::id.eq(id))
            .filter(fact::kind.eq(kind.code()))
            .select(fact::pathway)
            .first(self.conn())
            .optional()?;
        found.map(|p| PathwayId::parse(&p).map_err(|e| StoreError::corrupt("fact", &e))).transpose()
    }

    /// Facts of one kind at their latest version, oldest first.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn facts_of<F: DeserializeOwned>(
        &mut self,
        key: &DataKey,
        pathway: &PathwayId,
        kind: FactKind,
    ) -> Result<Vec<Fact<F>>, StoreError> {
        latest_of(self.conn(), pathway, kind)?
            .iter()
            .map(|row| {
                Ok(Fact {
                    id: row.id.clone(),
                    version: row.version,
                    at: Timestamp::from_micros(row.at),
                    by: row.by()?,
                    facts: row.open_facts(key)?,
                })
            })
            .collect()
    }

    /// Every version of every fact of one kind, in the order in which they were written.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn facts_history<F: DeserializeOwned>(
        &mut self,
        key: &DataKey,
        pathway: &PathwayId,
        kind: FactKind,
    ) -> Result<Vec<Fact<F>>, StoreError> {
        let rows: Vec<FactRow> = fact::table
            .filter(fact::pathway.eq(pathway.as_str()))
            .filter(fact::kind.eq(kind.code()))
            .order((fact::at.asc(), fact::id.asc(), fact::version.asc()))
            .load(self.conn())?;
        rows.iter()
            .map(|row| {
                Ok(Fact {
                    id: row.id.clone(),
                    version: row.version,
                    at: Timestamp::from_micros(row.at),
                    by: row.by()?,
                    facts: row.open_facts(key)?,
                })
            })
            .collect()
    }

    /// The next version of a fact with other facts and the same words, which stay inside this room.
    ///
    /// # Errors
    /// The database's; [`StoreError::Corrupt`] for a row that is not there or does not open.
    pub fn fact_amend<F: Serialize>(
        &mut self,
        pen: &Pen<'_>,
        kind: FactKind,
        id: &str,
        facts: &F,
    ) -> Result<NewFact, StoreError> {
        let row = one(self.conn(), pen.pathway, id)?
            .filter(|row| row.kind == kind.code())
            .ok_or_else(|| StoreError::corrupt("fact", &"no such row"))?;
        let mut next = pen.facts(RowAt::after(kind, id, row.version), facts)?;
        if let Some(words) = &row.words {
            let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("fact", e);
            let plain = pen.key.open(place(id, row.version, "words"), words).map_err(|e| bad(&e))?;
            let sealed =
                pen.key.seal(place(id, next.version, "words"), &plain, pen.chance).map_err(|e| bad(&e))?;
            next.words = Some(sealed);
        }
        Ok(next)
    }

    /// The words of one fact. Consumes the grant.
    ///
    /// # Errors
    /// The database's; [`StoreError::Corrupt`] for a grant that does not open this kind, or a row that is not there.
    pub fn fact_words<W: DeserializeOwned>(
        &mut self,
        grant: Grant,
        kind: FactKind,
        id: &str,
    ) -> Result<Sealed<Option<W>>, StoreError> {
        if !opens(grant.target(), kind, Some(id)) {
            return Err(StoreError::corrupt("fact", &"a grant of another kind"));
        }
        let key = self.pathway_key(grant.pathway())?;
        let row = one(self.conn(), grant.pathway(), id)?
            .filter(|row| row.kind == kind.code())
            .ok_or_else(|| StoreError::corrupt("fact", &"no such row"))?;
        row.open_words(&key).map(Sealed::seal)
    }

    /// The words of every fact of a kind, with their ids, oldest first. Consumes the grant.
    ///
    /// # Errors
    /// As [`Snapshot::fact_words`].
    pub fn facts_words<W: DeserializeOwned>(
        &mut self,
        grant: Grant,
        kind: FactKind,
    ) -> Result<Sealed<Vec<(String, W)>>, StoreError> {
        if !opens(grant.target(), kind, None) {
            return Err(StoreError::corrupt("fact", &"a grant of another kind"));
        }
        let key = self.pathway_key(grant.pathway())?;
        let mut words = Vec::new();
        for row in &latest_of(self.conn(), grant.pathway(), kind)? {
            if let Some(found) = row.open_words(&key)? {
                words.push((row.id.clone(), found));
            }
        }
        Ok(Sealed::seal(words))
    }
}

/// Which version of which row is written.
#[derive(Clone, Copy)]
pub struct RowAt<'a> {
    kind: FactKind,
    id: &'a str,
    version: i64,
}

impl<'a> RowAt<'a> {
    /// A row that did not exist.
    #[must_use]
    pub const fn first(kind: FactKind, id: &'a str) -> Self {
        Self { kind, id, version: 1 }
    }

    /// The version that follows `version`.
    #[must_use]
    pub const fn after(kind: FactKind, id: &'a str, version: i64) -> Self {
        Self { kind, id, version: version.saturating_add(1) }
    }

    /// A version that the caller counted.
    #[must_use]
    pub const fn at(kind: FactKind, id: &'a str, version: i64) -> Self {
        Self { kind, id, version }
    }
}

/// What writes the facts of one pathway in one request: its key, whose hand, and when.
pub struct Pen<'a> {
    pub key: &'a DataKey,
    pub chance: &'a dyn Chance,
    pub pathway: &'a PathwayId,
    pub at: Timestamp,
    pub by: &'a AssignmentId,
}

impl Pen<'_> {
    /// Seals a row without words under the pathway's key.
    ///
    /// # Errors
    /// When sealing fails; nothing is then written.
    pub fn facts<F: Serialize>(&self, row: RowAt<'_>, facts: &F) -> Result<NewFact, StoreError> {
        let facts = self.half(row, "facts", facts)?;
        Ok(self.row(row, facts, None))
    }

    /// Seals both halves under the pathway's key.
    ///
    /// # Errors
    /// As [`Pen::facts`].
    pub fn with_words<F: Serialize, W: Serialize>(
        &self,
        row: RowAt<'_>,
        facts: &F,
        words: Option<&W>,
    ) -> Result<NewFact, StoreError> {
        let facts = self.half(row, "facts", facts)?;
        let words = words.map(|w| self.half(row, "words", w)).transpose()?;
        Ok(self.row(row, facts, words))
    }

    /// Seals words that are still sealed: they go from one row to another under a grant, and nobody reads them on the
    /// way. `facts` is given the keyed digest of the text that `text` points at (the exact notice of an accord).
    ///
    /// # Errors
    /// When sealing fails, or what `facts` answers; nothing is then written.
    pub fn sealed<F: Serialize, W: Serialize, E: From<StoreError>>(
        &self,
        row: RowAt<'_>,
        words: Sealed<W>,
        text: fn(&W) -> &str,
        facts: impl FnOnce(&Digest) -> Result<F, E>,
    ) -> Result<NewFact, E> {
        let (words, digest) = words.into_rest(|w| {
            let digest =
                self.key.keyed_digest("fact words", &[row.kind.code().as_bytes(), text(w).as_bytes()]);
            (self.half(row, "words", w), digest)
        });
        let words = words?;
        let facts = self.half(row, "facts", &facts(&digest)?)?;
        Ok(self.row(row, facts, Some(words)))
    }

    fn half<T: Serialize>(
        &self,
        row: RowAt<'_>,
        column: &'static str,
        half: &T,
    ) -> Result<Vec<u8>, StoreError> {
        seal::seal_json(self.key, place(row.id, row.version, column), "fact", half, self.chance)
    }

    fn row(&self, row: RowAt<'_>, facts: Vec<u8>, words: Option<Vec<u8>>) -> NewFact {
        NewFact {
            id: row.id.to_owned(),
            version: row.version,
            pathway: self.pathway.clone(),
            kind: row.kind,
            at: self.at,
            by: self.by.clone(),
            facts,
            words,
        }
    }
}

/// A fact, sealed and ready for the lane.
pub struct NewFact {
    id: String,
    version: i64,
    pathway: PathwayId,
    kind: FactKind,
    at: Timestamp,
    by: AssignmentId,
    facts: Vec<u8>,
    words: Option<Vec<u8>>,
}

impl NewFact {
    /// The row as the record names it.
    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        RowRef { table: "fact", id: self.id.clone(), version: self.version }
    }

    /// What the write digest covers: the whole row.
    #[must_use]
    pub fn image(&self) -> Digest {
        image(&FactRow {
            id: self.id.clone(),
            version: self.version,
            pathway: self.pathway.as_str().to_owned(),
            kind: self.kind.code().to_owned(),
            at: self.at.micros(),
            by_assignment: self.by.as_str().to_owned(),
            facts: self.facts.clone(),
            words: self.words.clone(),
        })
    }
}

impl WriteTx {
    /// Adds one version of a fact.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when that version exists already; otherwise the database's.
    pub fn fact_insert(&mut self, row: &NewFact) -> Result<(), StoreError> {
        if row.version > 1 {
            let previous: Option<i64> = fact::table
                .filter(fact::id.eq(&row.id))
                .filter(fact::pathway.eq(row.pathway.as_str()))
                .filter(fact::kind.eq(row.kind.code()))
                .select(diesel::dsl::max(fact::version))
                .first(self.conn())?;
            if previous != Some(row.version.saturating_sub(1)) {
                return Err(StoreError::Stale);
            }
        }
        diesel::insert_into(fact::table)
            .values((
                fact::id.eq(&row.id),
                fact::version.eq(row.version),
                fact::pathway.eq(row.pathway.as_str()),
                fact::kind.eq(row.kind.code()),
                fact::at.eq(row.at.micros()),
                fact::by_assignment.eq(row.by.as_str()),
                fact::facts.eq(&row.facts),
                fact::words.eq(row.words.as_ref()),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ImpossibilityId;

    struct Fixed(u8);
    impl Chance for Fixed {
        fn fill(&self, into: &mut [u8]) -> Result<(), crate::clock::NoChance> {
            into.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn the_view_of_an_organisation_opens_no_words() {
        for kind in FactKind::ALL {
            for resource in [Resource::ManagerView, Resource::Contribute, Resource::Hear, Resource::Act] {
                let target = Target::Resource(resource);
                assert!(!opens(&target, *kind, None) && !opens(&target, *kind, Some("x")), "{kind:?}");
            }
        }
    }

    #[test]
    fn a_motive_is_opened_by_the_grant_that_names_it() {
        let id = ImpossibilityId::random(&Fixed(1)).unwrap();
        let target = Target::Resource(Resource::ImpossibilityMotive(id.clone()));
        let kind = FactKind::ImpossibilityRequest;
        assert!(opens(&target, kind, Some(id.as_str())));
        assert!(!opens(&target, kind, Some("another")) && !opens(&target, kind, None));
        assert!(!opens(&target, FactKind::Statute, Some(id.as_str())));
    }
}
