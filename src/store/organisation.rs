//! Structures and affectations.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::Db;
use super::schema::{
    assignment, charter_signature, organisation, participation, pathway, professional, session,
};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::access::facts::AssignmentFacts;
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, CharterId, MissionId, OrganisationId, ProfessionalId};

/// How many ids one statement names.
const AT_ONCE: usize = 500;

/// A mission of an organisation: accords name it together with organisation and profession.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mission {
    pub id: MissionId,
    pub code: String,
    pub title: String,
}

/// What is written of an organisation (sealed under the instance's key).
#[derive(Clone, Serialize, Deserialize)]
pub struct OrganisationWords {
    /// Short name by which files of affectations name the structure.
    #[serde(default)]
    pub code: String,
    pub name: String,
    pub telephone: String,
    pub territory: String,
    pub missions: Vec<Mission>,
    /// The first day from which on the sheets of « Qui a regardé ? » name its people; never, where its manager has not decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names_on_sheets_from: Option<NaiveDate>,
}

/// A structure.
pub struct Organisation {
    pub id: OrganisationId,
    pub version: i64,
    pub kind: OrganisationKind,
    pub created_at: Timestamp,
    pub words: OrganisationWords,
}

fn organisation_place(id: &str, version: i64) -> Place<'_> {
    Place { table: "organisation", row: id, column: "body", version }
}

/// A sealed organisation, ready for the lane.
pub struct NewOrganisation {
    id: OrganisationId,
    version: i64,
    kind: OrganisationKind,
    at: Timestamp,
    body: Vec<u8>,
}

impl NewOrganisation {
    /// Seals the words for `version`.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        id: &OrganisationId,
        version: i64,
        kind: OrganisationKind,
        at: Timestamp,
        words: &OrganisationWords,
    ) -> Result<Self, StoreError> {
        let body =
            seal::seal_json(key, organisation_place(id.as_str(), version), "organisation", words, chance)?;
        Ok(Self { id: id.clone(), version, kind, at, body })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.body
    }
}

/// A new affectation.
#[derive(Clone)]
pub struct NewAssignment {
    pub id: AssignmentId,
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
    pub function: Function,
    pub secrecy: Secrecy,
    pub secrecy_basis: String,
    pub secrecy_until: Option<Timestamp>,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub stated_by: Option<ProfessionalId>,
    pub confirmed_by: Option<ProfessionalId>,
    pub created_at: Timestamp,
}

/// An affectation with who stated and who confirmed it.
pub struct AssignmentRow {
    pub facts: AssignmentFacts,
    pub secrecy_basis: String,
    pub stated_by: Option<ProfessionalId>,
    pub confirmed_by: Option<ProfessionalId>,
}

#[derive(Queryable)]
struct Raw {
    id: String,
    version: i64,
    professional: String,
    organisation: String,
    mission: String,
    profession: String,
    function: String,
    secrecy: String,
    secrecy_basis: String,
    secrecy_until: Option<i64>,
    starts_at: i64,
    ends_at: Option<i64>,
    stated_by: Option<String>,
    confirmed_by: Option<String>,
    _confirmed_at: Option<i64>,
    _created_at: i64,
}

const TABLE: &str = "assignment";

fn read(raw: Raw, state: &str, signed: Vec<CharterId>) -> Result<AssignmentRow, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt(TABLE, e);
    let optional = |text: Option<String>| match text {
        Some(t) => ProfessionalId::parse(&t).map(Some).map_err(|e| bad(&e)),
        None => Ok(None),
    };
    let confirmed_by = optional(raw.confirmed_by)?;
    let account_confirmed = match state {
        "confirmed" => true,
        "invited" | "unconfirmed" | "ended" => false,
        other => return Err(bad(&format!("state `{other}`"))),
    };
    Ok(AssignmentRow {
        facts: AssignmentFacts {
            id: AssignmentId::parse(&raw.id).map_err(|e| bad(&e))?,
            version: raw.version,
            professional: ProfessionalId::parse(&raw.professional).map_err(|e| bad(&e))?,
            organisation: OrganisationId::parse(&raw.organisation).map_err(|e| bad(&e))?,
            mission: MissionId::parse(&raw.mission).map_err(|e| bad(&e))?,
            profession: Profession::parse(&raw.profession).map_err(|e| bad(&e))?,
            function: Function::parse(&raw.function).map_err(|e| bad(&e))?,
            stated_secrecy: Secrecy::parse(&raw.secrecy).map_err(|e| bad(&e))?,
            secrecy_until: raw.secrecy_until.map(Timestamp::from_micros),
            starts_at: Timestamp::from_micros(raw.starts_at),
            ends_at: raw.ends_at.map(Timestamp::from_micros),
            confirmed: confirmed_by.is_some(),
            account_confirmed,
            signed,
        },
        secrecy_basis: raw.secrecy_basis,
        stated_by: optional(raw.stated_by)?,
        confirmed_by,
    })
}

/// Affectations by their ids, in one query each for rows and signatures.
pub(super) fn assignments(conn: &mut Db, ids: &[String]) -> Result<Vec<AssignmentRow>, StoreError> {
    let rows: Vec<(Raw, String)> = assignment::table
        .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
        .filter(assignment::id.eq_any(ids))
        .select((assignment::all_columns, professional::state))
        .load(conn)?;
    with_signatures(conn, rows)
}

fn with_signatures(conn: &mut Db, rows: Vec<(Raw, String)>) -> Result<Vec<AssignmentRow>, StoreError> {
    let people: Vec<String> = rows.iter().map(|(r, _)| r.professional.clone()).collect();
    let signatures: Vec<(String, String)> = charter_signature::table
        .filter(charter_signature::party_kind.eq("professional"))
        .filter(charter_signature::party.eq_any(&people))
        .select((charter_signature::party, charter_signature::charter))
        .load(conn)?;
    rows.into_iter()
        .map(|(raw, state)| {
            let signed = signatures
                .iter()
                .filter(|(party, _)| *party == raw.professional)
                .map(|(_, c)| CharterId::parse(c).map_err(|e| StoreError::corrupt("charter_signature", &e)))
                .collect::<Result<_, _>>()?;
            read(raw, &state, signed)
        })
        .collect()
}

impl Snapshot {
    /// One affectation, in force or not.
    ///
    /// # Errors
    /// The database's.
    pub fn assignment_fetch(&mut self, id: &AssignmentId) -> Result<Option<AssignmentRow>, StoreError> {
        Ok(assignments(self.conn(), &[id.as_str().to_owned()])?.pop())
    }

    /// Every affectation of a professional, ended ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn assignments_of(&mut self, id: &ProfessionalId) -> Result<Vec<AssignmentRow>, StoreError> {
        let rows: Vec<(Raw, String)> = assignment::table
            .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
            .filter(assignment::professional.eq(id.as_str()))
            .order(assignment::created_at.asc())
            .select((assignment::all_columns, professional::state))
            .load(self.conn())?;
        with_signatures(self.conn(), rows)
    }

    /// Every affectation of each of these professionals, ended ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn assignments_of_each(
        &mut self,
        people: &[ProfessionalId],
    ) -> Result<BTreeMap<ProfessionalId, Vec<AssignmentRow>>, StoreError> {
        let mut found: BTreeMap<ProfessionalId, Vec<AssignmentRow>> = BTreeMap::new();
        for some in people.chunks(AT_ONCE) {
            let rows: Vec<(Raw, String)> = assignment::table
                .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
                .filter(assignment::professional.eq_any(some.iter().map(ProfessionalId::as_str)))
                .order((assignment::created_at.asc(), assignment::id.asc()))
                .select((assignment::all_columns, professional::state))
                .load(self.conn())?;
            for row in with_signatures(self.conn(), rows)? {
                found.entry(row.facts.professional.clone()).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// Every affectation of an organisation, ended ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn assignments_in(&mut self, id: &OrganisationId) -> Result<Vec<AssignmentRow>, StoreError> {
        let rows: Vec<(Raw, String)> = assignment::table
            .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
            .filter(assignment::organisation.eq(id.as_str()))
            .order((assignment::created_at.asc(), assignment::id.asc()))
            .select((assignment::all_columns, professional::state))
            .load(self.conn())?;
        with_signatures(self.conn(), rows)
    }

    /// Affectations that nobody has confirmed and that are not over, in the order in which they were stated.
    ///
    /// # Errors
    /// The database's.
    pub fn assignments_unconfirmed(&mut self, now: Timestamp) -> Result<Vec<AssignmentRow>, StoreError> {
        let rows: Vec<(Raw, String)> = assignment::table
            .inner_join(professional::table.on(professional::id.eq(assignment::professional)))
            .filter(assignment::confirmed_by.is_null())
            .filter(assignment::ends_at.is_null().or(assignment::ends_at.gt(now.micros())))
            .order((assignment::created_at.asc(), assignment::id.asc()))
            .select((assignment::all_columns, professional::state))
            .load(self.conn())?;
        with_signatures(self.conn(), rows)
    }

    /// One structure. Structures are no secret among signed-in professionals; their words are sealed at rest only.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn organisation_fetch(&mut self, id: &OrganisationId) -> Result<Option<Organisation>, StoreError> {
        Ok(self.organisations_where(Some(id))?.pop())
    }

    /// Every structure, in the order in which they were made.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn organisations(&mut self) -> Result<Vec<Organisation>, StoreError> {
        self.organisations_where(None)
    }

    fn organisations_where(&mut self, id: Option<&OrganisationId>) -> Result<Vec<Organisation>, StoreError> {
        let mut query = organisation::table
            .select((
                organisation::id,
                organisation::version,
                organisation::kind,
                organisation::created_at,
                organisation::body,
            ))
            .order((organisation::created_at.asc(), organisation::id.asc()))
            .into_boxed();
        if let Some(id) = id {
            query = query.filter(organisation::id.eq(id.as_str().to_owned()));
        }
        let rows: Vec<(String, i64, String, i64, Vec<u8>)> = query.load(self.conn())?;
        let key = self.instance_key()?;
        rows.into_iter()
            .map(|(id, version, kind, at, body)| {
                let words = seal::open_json(&key, organisation_place(&id, version), "organisation", &body)?;
                Ok(Organisation {
                    id: OrganisationId::parse(&id).map_err(|e| StoreError::corrupt("organisation", &e))?,
                    version,
                    kind: OrganisationKind::parse(&kind)
                        .map_err(|e| StoreError::corrupt("organisation", &e))?,
                    created_at: Timestamp::from_micros(at),
                    words,
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Adds a structure.
    ///
    /// # Errors
    /// The database's.
    pub fn organisation_insert(&mut self, row: &NewOrganisation) -> Result<(), StoreError> {
        diesel::insert_into(organisation::table)
            .values((
                organisation::id.eq(row.id.as_str()),
                organisation::version.eq(row.version),
                organisation::kind.eq(row.kind.code()),
                organisation::created_at.eq(row.at.micros()),
                organisation::body.eq(&row.body),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Adds a structure beside this many others, among which its code was looked for.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where another was added meanwhile; else the database's.
    pub fn organisation_add(&mut self, row: &NewOrganisation, others: usize) -> Result<(), StoreError> {
        let there: i64 = organisation::table.count().get_result(self.conn())?;
        // THREAT: two structures of one code at the same moment. Codes are sealed: no index can refuse the second.
        if usize::try_from(there) != Ok(others) {
            return Err(StoreError::Stale);
        }
        self.organisation_insert(row)
    }

    /// Replaces a structure's words; `row` is sealed for the version after the one read. `assignments` is how many it has
    /// ever had, where its missions were held against them.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed meanwhile, or another affectation was stated.
    pub fn organisation_update(
        &mut self,
        row: &NewOrganisation,
        assignments: Option<usize>,
    ) -> Result<(), StoreError> {
        // THREAT: an affectation stated under a mission while that mission is taken away.
        if let Some(seen) = assignments {
            let there: i64 = assignment::table
                .filter(assignment::organisation.eq(row.id.as_str()))
                .count()
                .get_result(self.conn())?;
            if usize::try_from(there) != Ok(seen) {
                return Err(StoreError::Stale);
            }
        }
        let changed = diesel::update(
            organisation::table
                .filter(organisation::id.eq(row.id.as_str()))
                .filter(organisation::version.eq(row.version.saturating_sub(1))),
        )
        .set((organisation::version.eq(row.version), organisation::body.eq(&row.body)))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Adds an affectation.
    ///
    /// # Errors
    /// The database's.
    pub fn assignment_insert(&mut self, row: &NewAssignment) -> Result<(), StoreError> {
        diesel::insert_into(assignment::table)
            .values((
                assignment::id.eq(row.id.as_str()),
                assignment::version.eq(1),
                assignment::professional.eq(row.professional.as_str()),
                assignment::organisation.eq(row.organisation.as_str()),
                assignment::mission.eq(row.mission.as_str()),
                assignment::profession.eq(row.profession.code()),
                assignment::function.eq(row.function.code()),
                assignment::secrecy.eq(row.secrecy.code()),
                assignment::secrecy_basis.eq(&row.secrecy_basis),
                assignment::secrecy_until.eq(row.secrecy_until.map(Timestamp::micros)),
                assignment::starts_at.eq(row.starts_at.micros()),
                assignment::ends_at.eq(row.ends_at.map(Timestamp::micros)),
                assignment::stated_by.eq(row.stated_by.as_ref().map(ProfessionalId::as_str)),
                assignment::confirmed_by.eq(row.confirmed_by.as_ref().map(ProfessionalId::as_str)),
                assignment::confirmed_at.eq(row.confirmed_by.as_ref().map(|_| row.created_at.micros())),
                assignment::created_at.eq(row.created_at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// A second person confirms profession, secrecy and function.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed meanwhile.
    pub fn assignment_confirm(
        &mut self,
        id: &AssignmentId,
        version: i64,
        by: &ProfessionalId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(
            assignment::table
                .filter(assignment::id.eq(id.as_str()))
                .filter(assignment::version.eq(version))
                .filter(assignment::confirmed_by.is_null()),
        )
        .set((
            assignment::version.eq(version.saturating_add(1)),
            assignment::confirmed_by.eq(by.as_str()),
            assignment::confirmed_at.eq(at.micros()),
        ))
        .execute(self.conn())?;
        if changed == 1 { self.pathways_touch_of(id) } else { Err(StoreError::Stale) }
    }

    /// Ends an affectation: every pathway in which it takes part is re-decided from the next request.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed meanwhile.
    pub fn assignment_end(
        &mut self,
        id: &AssignmentId,
        version: i64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(
            assignment::table.filter(assignment::id.eq(id.as_str())).filter(assignment::version.eq(version)),
        )
        .set((assignment::version.eq(version.saturating_add(1)), assignment::ends_at.eq(at.micros())))
        .execute(self.conn())?;
        if changed == 1 { self.pathways_touch_of(id) } else { Err(StoreError::Stale) }
    }

    /// Ends every session under an affectation.
    ///
    /// # Errors
    /// The database's.
    pub fn sessions_end_under(&mut self, id: &AssignmentId, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(
            session::table.filter(session::assignment.eq(id.as_str())).filter(session::ended_at.is_null()),
        )
        .set((session::ended_at.eq(at.micros()), session::version.eq(session::version + 1)))
        .execute(self.conn())?;
        Ok(())
    }

    /// Raises an affectation's version, and that of every pathway in which it takes part.
    ///
    /// # Errors
    /// The database's.
    pub fn assignment_touch(&mut self, id: &AssignmentId) -> Result<(), StoreError> {
        diesel::update(assignment::table.filter(assignment::id.eq(id.as_str())))
            .set(assignment::version.eq(assignment::version + 1))
            .execute(self.conn())?;
        self.pathways_touch_of(id)
    }

    fn pathways_touch_of(&mut self, id: &AssignmentId) -> Result<(), StoreError> {
        let pathways: Vec<String> = participation::table
            .filter(participation::assignment.eq(id.as_str()))
            .select(participation::pathway)
            .distinct()
            .load(self.conn())?;
        diesel::update(pathway::table.filter(pathway::id.eq_any(pathways)))
            .set(pathway::version.eq(pathway::version + 1))
            .execute(self.conn())?;
        Ok(())
    }
}
