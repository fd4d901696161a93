//! Structures and affectations: who works where, as what, under which secrecy.
//!
//! INVARIANT: profession, secrecy and function take effect when a second person confirms them: neither who stated
//! them nor the holder; for what the command line stated, not who recognised the holder either.
//! INVARIANT: nobody holds an administrator's, auditor's or data protection officer's affectation together with one
//! that can enter a circle (DESIGN §3). Refused when stated, whichever comes second.
//! INVARIANT: ending an affectation ends its sessions and all its access at once (R02).

use serde::Serialize;

use super::ServiceError;
use super::accounts::professional_check;
use super::app::App;
use super::console::{Author, Office};
use super::flow::{Act, Call, Change, Created};
use super::sessions::row_ref;
use crate::audit::lane::{CheckKind, VersionCheck};
use crate::clock::Timestamp;
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::secrecy::{self, SecrecyBasis};
use crate::domain::text::Text;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, MissionId, OrganisationId, ProfessionalId};
use crate::store::account::{AccountState, Professional};
use crate::store::organisation::{
    AssignmentRow, Mission, NewAssignment, NewOrganisation, Organisation, OrganisationWords,
};

/// A mission, as stated.
#[derive(Clone)]
pub struct MissionDraft {
    pub code: Text<40>,
    pub title: Text<120>,
}

/// A structure, as stated.
#[derive(Clone)]
pub struct OrganisationDraft {
    pub code: Text<40>,
    pub name: Text<120>,
    pub kind: OrganisationKind,
    pub territory: Text<120>,
    pub telephone: Phone,
    pub missions: Vec<MissionDraft>,
}

/// An affectation, as stated.
#[derive(Clone)]
pub struct AssignmentDraft {
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
    pub function: Function,
    pub secrecy: Secrecy,
    pub secrecy_basis: Option<SecrecyBasis>,
    /// The first day on which the secrecy no longer holds.
    pub secrecy_until: Option<Day>,
    /// Today when left out.
    pub starts: Option<Day>,
    /// The first day on which the affectation no longer holds.
    pub ends: Option<Day>,
}

/// Something to know, that does not prevent the act.
#[derive(Serialize, utoipa::ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    pub code: &'static str,
    pub message: String,
}

/// What was made, and what to know of it.
#[derive(Serialize, utoipa::ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct CreatedWithWarnings {
    pub id: String,
    pub warnings: Vec<Warning>,
}

/// Whether a code can name a structure or mission in files.
pub(crate) fn code_is_sound(code: &str) -> bool {
    !code.is_empty()
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn unsound_code() -> ServiceError {
    ServiceError::rule(
        "code_form",
        "Un code s'écrit en minuscules sans accent, chiffres, tirets : corrigez-le.",
    )
}

impl Office<'_> {
    /// Adds a structure to a change.
    pub(super) fn organisation_into(
        &mut self,
        change: Change,
        id: &OrganisationId,
        draft: &OrganisationDraft,
        first_mission: &mut Option<MissionId>,
    ) -> Result<Change, ServiceError> {
        let codes = std::iter::once(&draft.code).chain(draft.missions.iter().map(|m| &m.code));
        if !codes.map(Text::as_str).all(code_is_sound) {
            return Err(unsound_code());
        }
        let there = self.snapshot.organisations()?;
        if there.iter().any(|o| o.words.code == draft.code.as_str()) {
            return Err(ServiceError::rule(
                "organisation_code_taken",
                "Une structure a déjà ce code : choisissez-en un autre.",
            )
            .at("code"));
        }
        let words = words_of(self.app, draft, None)?;
        *first_mission = words.missions.first().map(|m| m.id.clone());
        let row = NewOrganisation::seal(
            self.app.store().instance_key(),
            self.app.chance(),
            id,
            1,
            draft.kind,
            self.now,
            &words,
        )?;
        let ciphertext = row.ciphertext().to_vec();
        // An import adds several in one change.
        let added = change.written.iter().filter(|row| row.table == "organisation").count();
        let others = there.len().saturating_add(added);
        Ok(change.sealed_step(row_ref("organisation", id.as_str(), 1), &ciphertext, move |tx, _| {
            tx.organisation_add(&row, others)
        }))
    }

    /// Adds an affectation to a change. `others` are the professions that the holder has, or is given beside.
    pub(super) fn assignment_into(
        &mut self,
        change: Change,
        id: &AssignmentId,
        draft: &AssignmentDraft,
        others: &[Profession],
    ) -> Result<Change, ServiceError> {
        let basis = draft.secrecy_basis;
        secrecy_stands(draft)?;
        separation(draft.profession, others)?;
        let starts_at = draft.starts.map_or(self.now, |d| Timestamp::paris_midnight(d.date()));
        let ends_at = draft.ends.map(|d| Timestamp::paris_midnight(d.date()));
        if ends_at.is_some_and(|end| end <= starts_at || end <= self.now) {
            return Err(ServiceError::rule(
                "assignment_period",
                "Une affectation finit après avoir commencé, et pas dans le passé : corrigez les dates.",
            )
            .at("ends"));
        }
        let row = NewAssignment {
            id: id.clone(),
            professional: draft.professional.clone(),
            organisation: draft.organisation.clone(),
            mission: draft.mission.clone(),
            profession: draft.profession,
            function: draft.function,
            secrecy: draft.secrecy,
            secrecy_basis: basis.map_or_else(String::new, |b| b.code().to_owned()),
            secrecy_until: draft.secrecy_until.map(|d| Timestamp::paris_midnight(d.date())),
            starts_at,
            ends_at,
            stated_by: self.professional().cloned(),
            confirmed_by: None,
            created_at: self.now,
        };
        Ok(change.step(row_ref("assignment", id.as_str(), 1), move |tx, _| tx.assignment_insert(&row)))
    }

    /// What to know of an affectation under the charter in force.
    pub(super) fn warnings(&self, profession: Profession, secrecy: Secrecy) -> Vec<Warning> {
        let Some(edition) = self.book.in_force(self.now) else { return Vec::new() };
        if profession.is_platform() || !edition.matrix.all_never(profession, secrecy) {
            return Vec::new();
        }
        let what = if edition.matrix.row_exists(profession, secrecy) {
            "la charte en vigueur ne permet de rien partager avec cette profession sous ce statut de secret : elle ne pourra pas être invitée"
        } else {
            "la charte en vigueur ne connaît pas cette profession sous ce statut de secret : elle ne pourra rien recevoir"
        };
        vec![Warning { code: "nothing_receivable", message: format!("{} : {what}.", profession.french()) }]
    }
}

const fn secrecy_words(e: secrecy::SecrecyError) -> (&'static str, &'static str) {
    use secrecy::SecrecyError as E;
    match e {
        E::BasisMissing => {
            ("secrecy_basis_missing", "Un secret repose sur un texte : choisissez-le dans la liste.")
        }
        E::BasisWithoutSecret => (
            "secrecy_basis_without_secret",
            "Sans secret professionnel, pas de texte de secret : retirez-le.",
        ),
        E::OnlyContested => (
            "secrecy_only_contested",
            "L121-6 du CGFP ne suffit pas à tenir au secret : indiquez « secret discuté », ou un autre texte.",
        ),
        E::ExpiryWithoutSecret => {
            ("secrecy_expiry_without_secret", "Sans secret professionnel, pas de date de fin : retirez-la.")
        }
    }
}

/// What is wrong with a status and its text, in French.
pub(super) const fn secrecy_sentence(e: secrecy::SecrecyError) -> &'static str {
    secrecy_words(e).1
}

/// That the status of an affectation can rest on its text.
pub(super) fn secrecy_stands(draft: &AssignmentDraft) -> Result<(), ServiceError> {
    use secrecy::SecrecyError as E;
    secrecy::check(draft.secrecy, draft.secrecy_basis, draft.secrecy_until.is_some()).map_err(|e| {
        let (code, sentence) = secrecy_words(e);
        let field = match e {
            E::BasisMissing | E::BasisWithoutSecret | E::OnlyContested => "secrecy_basis",
            E::ExpiryWithoutSecret => "secrecy_until",
        };
        ServiceError::rule(code, sentence).at(field)
    })
}

/// Whether an affectation still waits for the second person who confirms it.
pub(super) fn awaits_second(row: &AssignmentRow, now: Timestamp) -> bool {
    row.confirmed_by.is_none() && row.facts.ends_at.is_none_or(|end| now < end)
}

/// Whether `me` can be the second person: neither who stated it nor the holder; for what the command line stated, not who
/// recognised the holder either (see `recognition`).
pub(super) fn is_second_person(me: &ProfessionalId, row: &AssignmentRow, holder: &Professional) -> bool {
    let second = *me != holder.id && row.stated_by.as_ref() != Some(me);
    let apart = row.stated_by.is_some() || holder.recognised_by.as_ref() != Some(me);
    second && apart
}

/// DESIGN §3: platform functions and places in a circle are never in one hand.
pub(super) fn separation(profession: Profession, others: &[Profession]) -> Result<(), ServiceError> {
    if others.iter().any(|other| other.is_platform() != profession.is_platform()) {
        return Err(ServiceError::forbidden(
            "functions_apart",
            "L'administration, l'audit et la protection des données ne vont pas avec une affectation auprès des jeunes : ce sont deux personnes.",
        ));
    }
    Ok(())
}

fn words_of(
    app: &App,
    draft: &OrganisationDraft,
    known: Option<&OrganisationWords>,
) -> Result<OrganisationWords, ServiceError> {
    let mut missions: Vec<Mission> = Vec::with_capacity(draft.missions.len());
    for mission in &draft.missions {
        let code = mission.code.as_str();
        if missions.iter().any(|m| m.code == code) {
            return Err(ServiceError::rule(
                "mission_code_twice",
                "Deux missions ont le même code : changez-en un.",
            ));
        }
        // A mission keeps its id: accords name it.
        let id = match known.iter().flat_map(|o| &o.missions).find(|m| m.code == code) {
            Some(m) => m.id.clone(),
            None => MissionId::random(app.chance())?,
        };
        missions.push(Mission { id, code: code.to_owned(), title: mission.title.as_str().to_owned() });
    }
    Ok(OrganisationWords {
        code: draft.code.as_str().to_owned(),
        name: draft.name.as_str().to_owned(),
        telephone: draft.telephone.as_str().to_owned(),
        territory: draft.territory.as_str().to_owned(),
        missions,
        // Decided apart, by the manager alone.
        names_on_sheets_from: known.and_then(|o| o.names_on_sheets_from),
    })
}

impl App {
    /// Adds a structure: an administrator, or the command line.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn organisation_create(
        &self,
        author: Author<'_>,
        draft: &OrganisationDraft,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Organisation };
        let id = OrganisationId::random(self.chance())?;
        self.administer(author, act, |office| {
            office.administers()?;
            office.organisation_into(Change::new(id.as_str()), &id, draft, &mut None)
        })
    }

    /// Replaces what is written of a structure; its kind stays. Missions keep their ids by their codes; one that has
    /// affectations not ended cannot go.
    ///
    /// # Errors
    /// [`ServiceError::PreconditionFailed`] when `version` is no longer the one stored.
    pub fn organisation_update(
        &self,
        call: &Call,
        id: &OrganisationId,
        version: i64,
        draft: &OrganisationDraft,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Organisation };
        self.change_desk(call, act, |desk| {
            let office = Office::at(desk);
            office.administers_or_manages(std::slice::from_ref(id))?;
            let stored = office.snapshot.organisation_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            if stored.version != version {
                return Err(ServiceError::PreconditionFailed);
            }
            if stored.words.code != draft.code.as_str() || stored.kind != draft.kind {
                return Err(ServiceError::rule(
                    "organisation_fixed",
                    "Le code et le genre d'une structure ne changent pas : remettez ceux d'avant.",
                ));
            }
            if !draft.missions.iter().all(|m| code_is_sound(m.code.as_str())) {
                return Err(unsound_code());
            }
            let words = words_of(self, draft, Some(&stored.words))?;
            let now = office.now;
            let assignments = office.snapshot.assignments_in(id)?;
            let in_use = assignments
                .iter()
                .filter(|r| r.facts.ends_at.is_none_or(|end| now < end))
                .any(|r| !words.missions.iter().any(|m| m.id == r.facts.mission));
            if in_use {
                return Err(ServiceError::rule(
                    "mission_in_use",
                    "Une mission retirée a encore des affectations : terminez-les d'abord.",
                ));
            }
            self.organisation_rewritten(&stored, &words, Some(assignments.len()))
        })
    }

    /// The change that replaces the words of a structure as it was read; with how many affectations it had, where its
    /// missions are held against them.
    pub(super) fn organisation_rewritten(
        &self,
        stored: &Organisation,
        words: &OrganisationWords,
        assignments: Option<usize>,
    ) -> Result<Change, ServiceError> {
        let next = stored.version.saturating_add(1);
        let row = NewOrganisation::seal(
            self.store().instance_key(),
            self.chance(),
            &stored.id,
            next,
            stored.kind,
            stored.created_at,
            words,
        )?;
        let ciphertext = row.ciphertext().to_vec();
        Ok(Change::new(stored.id.as_str()).sealed_step(
            row_ref("organisation", stored.id.as_str(), next),
            &ciphertext,
            move |tx, _| tx.organisation_update(&row, assignments),
        ))
    }

    /// States an affectation: an administrator, a manager of the structure, or the command line. It takes effect once a
    /// second person has confirmed it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn assignment_create(
        &self,
        author: Author<'_>,
        draft: &AssignmentDraft,
    ) -> Result<CreatedWithWarnings, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Assignment };
        let id = AssignmentId::random(self.chance())?;
        let warnings = std::cell::RefCell::new(Vec::new());
        let created = self.administer(author, act, |office| {
            office.administers_or_manages(std::slice::from_ref(&draft.organisation))?;
            let person = office
                .snapshot
                .professional_fetch(&draft.professional)?
                .filter(|p| p.state != AccountState::Ended)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let organisation = office
                .snapshot
                .organisation_fetch(&draft.organisation)?
                .ok_or(ServiceError::AbsentOrRefused)?;
            if !organisation.words.missions.iter().any(|m| m.id == draft.mission) {
                return Err(ServiceError::rule(
                    "mission_unknown",
                    "Cette structure n'a pas cette mission : choisissez-en une des siennes.",
                )
                .at("mission"));
            }
            if draft.profession.is_platform() && office.administers().is_err() {
                return Err(ServiceError::forbidden(
                    "platform_by_administrator",
                    "Seul un administrateur propose une affectation d'administration, d'audit ou de protection des données.",
                ));
            }
            let now = office.now;
            let others: Vec<Profession> = office
                .snapshot
                .assignments_of(&person.id)?
                .into_iter()
                .filter(|r| r.facts.ends_at.is_none_or(|end| now < end))
                .map(|r| r.facts.profession)
                .collect();
            warnings.replace(office.warnings(draft.profession, draft.secrecy));
            let (holder, version) = (person.id.clone(), person.version);
            // Two affectations stated at once are judged one after the other.
            let missions = VersionCheck {
                kind: CheckKind::Organisation,
                id: organisation.id.as_str().to_owned(),
                version: organisation.version,
            };
            let change = Change::new(id.as_str()).checked(professional_check(&person)).checked(missions).step(
                row_ref("professional", holder.as_str(), version.saturating_add(1)),
                move |tx, _| tx.professional_touch(&holder, version),
            );
            office.assignment_into(change, &id, draft, &others)
        })?;
        Ok(CreatedWithWarnings { id: created.id, warnings: warnings.into_inner() })
    }

    /// Confirms what was stated: a second person, administrator or manager of the structure.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn assignment_confirm(&self, call: &Call, id: &AssignmentId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Assignment };
        self.change_desk(call, act, |desk| {
            let office = Office::at(desk);
            let row = office.snapshot.assignment_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            office.administers_or_manages(std::slice::from_ref(&row.facts.organisation))?;
            let me = office.professional().cloned().ok_or(ServiceError::AbsentOrRefused)?;
            if !awaits_second(&row, office.now) {
                return Err(ServiceError::rule(
                    "nothing_to_confirm",
                    "Cette affectation est déjà confirmée, ou terminée.",
                ));
            }
            let holder = office
                .snapshot
                .professional_fetch(&row.facts.professional)?
                .ok_or_else(|| ServiceError::Internal("an affectation without its holder".to_owned()))?;
            if !is_second_person(&me, &row, &holder) {
                return Err(ServiceError::forbidden(
                    "second_person",
                    "Une affectation est confirmée par une seconde personne : ni celle qui l'a saisie, ni celle qu'elle concerne, ni, pour une saisie en ligne de commande, celle qui a reconnu le compte.",
                ));
            }
            let (assignment, version) = (id.clone(), row.facts.version);
            Ok(Change::new(id.as_str()).step(
                row_ref("assignment", id.as_str(), version.saturating_add(1)),
                move |tx, at| tx.assignment_confirm(&assignment, version, &me, at),
            ))
        })
    }

    /// Ends an affectation now: its holder, an administrator, a manager of the structure, or the command line.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn assignment_end(&self, author: Author<'_>, id: &AssignmentId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::Assignment };
        self.administer(author, act, |office| {
            let row = office.snapshot.assignment_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            if office.professional() != Some(&row.facts.professional) {
                office.administers_or_manages(std::slice::from_ref(&row.facts.organisation))?;
            }
            if row.facts.ends_at.is_some_and(|end| end <= office.now) {
                return Err(ServiceError::rule("already_ended", "Cette affectation est déjà terminée."));
            }
            let (assignment, version) = (id.clone(), row.facts.version);
            Ok(Change::new(id.as_str()).step(
                row_ref("assignment", id.as_str(), version.saturating_add(1)),
                move |tx, at| {
                    tx.assignment_end(&assignment, version, at)?;
                    tx.sessions_end_under(&assignment, at)
                },
            ))
        })
    }
}
