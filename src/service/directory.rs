//! Who works where: the directory of structures and people, for professionals in force.
//!
//! Structures, names of professionals, who stated and who confirmed an affectation are no secret among them; who takes
//! part in which pathway is not here (DESIGN §3, hidden existence). Lists stand in the order of names, accents put aside.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::ServiceError;
use super::app::App;
use super::console::{Author, Office};
use super::flow::{Act, Call, Desk};
use super::sessions::row_ref;
use super::structures::{awaits_second, is_second_person};
use super::who::Names;
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::fold;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, MissionId, OrganisationId, ProfessionalId};
use crate::store::account::{AccountState, Professional};
use crate::store::organisation::{AssignmentRow, Organisation};

/// A mission, as the directory shows it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MissionView {
    #[schema(value_type = String)]
    pub id: MissionId,
    pub code: String,
    pub title: String,
}

/// A structure, as the directory shows it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrganisationView {
    #[schema(value_type = String)]
    pub id: OrganisationId,
    pub version: i64,
    pub code: String,
    pub name: String,
    pub kind: OrganisationKind,
    pub territory: String,
    pub telephone: String,
    pub missions: Vec<MissionView>,
    /// Whether it signed the charter in force.
    pub charter_signed: bool,
    /// The day from which on « Qui a regardé ? » names its people, where it decided so.
    #[schema(value_type = Option<String>, format = Date)]
    pub names_on_sheets_from: Option<NaiveDate>,
}

/// The directory.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Organisations {
    pub items: Vec<OrganisationView>,
}

/// An affectation, as the directory shows it: who stated and who confirmed it is for everybody to see.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AssignmentView {
    #[schema(value_type = String)]
    pub id: AssignmentId,
    pub version: i64,
    #[schema(value_type = String)]
    pub professional: ProfessionalId,
    pub name: String,
    pub telephone: String,
    pub account: AccountState,
    #[schema(value_type = String)]
    pub organisation: OrganisationId,
    pub organisation_name: String,
    #[schema(value_type = String)]
    pub mission: MissionId,
    pub profession: Profession,
    pub function: Function,
    /// As it counts now.
    pub secrecy: Secrecy,
    pub secrecy_basis: String,
    pub secrecy_until: Option<String>,
    pub stated_by: Option<String>,
    pub confirmed_by: Option<String>,
    /// Whether the asker may be the second person who confirms it.
    pub yours_to_confirm: bool,
    pub in_force: bool,
    pub starts_at: String,
    pub ends_at: Option<String>,
}

/// A structure with its people.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrganisationDetail {
    pub organisation: OrganisationView,
    pub assignments: Vec<AssignmentView>,
}

/// An account, as who administers it sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProfessionalView {
    #[schema(value_type = String)]
    pub id: ProfessionalId,
    pub login: String,
    pub name: String,
    pub telephone: String,
    pub account: AccountState,
    pub invited_by: Option<String>,
    pub recognised_by: Option<String>,
    pub assignments: Vec<AssignmentView>,
}

/// Accounts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Professionals {
    pub items: Vec<ProfessionalView>,
}

fn organisation_view(o: Organisation, charter_signed: bool) -> OrganisationView {
    OrganisationView {
        id: o.id,
        version: o.version,
        code: o.words.code,
        name: o.words.name,
        kind: o.kind,
        territory: o.words.territory,
        telephone: o.words.telephone,
        missions: o
            .words
            .missions
            .into_iter()
            .map(|m| MissionView { id: m.id, code: m.code, title: m.title })
            .collect(),
        charter_signed,
        names_on_sheets_from: o.words.names_on_sheets_from,
    }
}

fn assignment_view(
    office: &mut Office<'_>,
    names: &mut Names,
    person: &Professional,
    organisation_name: &str,
    row: AssignmentRow,
) -> Result<AssignmentView, ServiceError> {
    let yours_to_confirm = awaits_second(&row, office.now)
        && office.administers_or_manages(std::slice::from_ref(&row.facts.organisation)).is_ok()
        && office.professional().is_some_and(|me| is_second_person(me, &row, person));
    let a = row.facts;
    Ok(AssignmentView {
        secrecy: a.secrecy_at(office.now),
        in_force: a.in_force(office.now),
        id: a.id,
        version: a.version,
        professional: a.professional,
        name: person.words.name.clone(),
        telephone: person.words.telephone.clone(),
        account: person.state,
        organisation: a.organisation,
        organisation_name: organisation_name.to_owned(),
        yours_to_confirm,
        mission: a.mission,
        profession: a.profession,
        function: a.function,
        secrecy_basis: row.secrecy_basis,
        secrecy_until: a.secrecy_until.map(Timestamp::rfc3339),
        stated_by: names.name(office.snapshot, row.stated_by.as_ref())?,
        confirmed_by: names.name(office.snapshot, row.confirmed_by.as_ref())?,
        starts_at: a.starts_at.rfc3339(),
        ends_at: a.ends_at.map(Timestamp::rfc3339),
    })
}

/// Whether whoever asks works somewhere today.
pub(super) fn in_force(desk: &Desk<'_>) -> Result<(), ServiceError> {
    let actor = desk.signed_in.actor()?;
    if actor.assignment().in_force(desk.now) { Ok(()) } else { Err(ServiceError::AbsentOrRefused) }
}

impl App {
    /// The directory of structures, for anybody in force.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn organisations(&self, call: &Call) -> Result<Disclosed<Organisations>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Organisation };
        self.read_desk(call, act, |desk| {
            in_force(desk)?;
            let all = organisations_of(&mut Office::at(desk))?;
            desk.returned = all.iter().map(|o| row_ref("organisation", o.id.as_str(), o.version)).collect();
            Ok(Organisations { items: all })
        })
    }

    /// The directory, for the command line.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn console_organisations(&self, command: &str) -> Result<Disclosed<Organisations>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Organisation };
        self.console_read(act, command, |office| Ok(Organisations { items: organisations_of(office)? }))
    }

    /// One structure with its people, for anybody in force.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn organisation(
        &self,
        call: &Call,
        id: &OrganisationId,
    ) -> Result<Disclosed<OrganisationDetail>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Organisation };
        self.read_desk(call, act, |desk| {
            in_force(desk)?;
            let signed = desk.book.in_force(desk.now).is_some_and(|e| e.signed_by.contains(id));
            let stored = desk.snapshot.organisation_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let rows = desk.snapshot.assignments_in(id)?;
            desk.returned = vec![row_ref("organisation", id.as_str(), stored.version)];
            desk.returned
                .extend(rows.iter().map(|r| row_ref("assignment", r.facts.id.as_str(), r.facts.version)));
            let (mut names, mut office) = (Names::default(), Office::at(desk));
            let people = office.snapshot.professionals_in(id)?;
            let mut assignments = Vec::with_capacity(rows.len());
            for row in rows {
                let person =
                    people.iter().find(|person| person.id == row.facts.professional).ok_or_else(|| {
                        ServiceError::Internal("an affectation without its professional".to_owned())
                    })?;
                assignments.push(assignment_view(&mut office, &mut names, person, &stored.words.name, row)?);
            }
            assignments.sort_by_cached_key(|a| (fold(&a.name), a.id.clone()));
            Ok(OrganisationDetail { organisation: organisation_view(stored, signed), assignments })
        })
    }

    /// Accounts: all of them for an administrator or the command line, those of the own structure for its manager
    /// (with those that have no affectation yet and were invited by this manager).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn professionals(&self, author: Author<'_>) -> Result<Disclosed<Professionals>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Professional };
        match author {
            Author::Session(call) => self.read_desk(call, act, |desk| {
                let items = professionals_of(&mut Office::at(desk))?;
                desk.returned = items.iter().map(|p| row_ref("professional", p.id.as_str(), 1)).collect();
                Ok(Professionals { items })
            }),
            Author::Console(command) => self
                .console_read(act, command, |office| Ok(Professionals { items: professionals_of(office)? })),
        }
    }
}

fn organisations_of(office: &mut Office<'_>) -> Result<Vec<OrganisationView>, ServiceError> {
    let signed = office.book.in_force(office.now).map(|e| e.signed_by.clone()).unwrap_or_default();
    let mut all = office.snapshot.organisations()?;
    all.sort_by_cached_key(|o| (fold(&o.words.name), o.id.clone()));
    Ok(all
        .into_iter()
        .map(|o| {
            let charter_signed = signed.contains(&o.id);
            organisation_view(o, charter_signed)
        })
        .collect())
}

fn professionals_of(office: &mut Office<'_>) -> Result<Vec<ProfessionalView>, ServiceError> {
    let mut people = if office.administers().is_ok() {
        office.snapshot.professionals()?
    } else {
        // Only the rows of the own organisation, and the people invited who have no affectation yet.
        let managed = office.manages().ok_or(ServiceError::AbsentOrRefused)?;
        let mut people = office.snapshot.professionals_in(&managed)?;
        if let Some(me) = office.professional().cloned() {
            people.extend(office.snapshot.professionals_invited_by(&me)?);
        }
        people
    };
    people.sort_by_cached_key(|p| (fold(&p.words.name), p.id.clone()));
    let structures: BTreeMap<OrganisationId, String> =
        office.snapshot.organisations()?.into_iter().map(|o| (o.id, o.words.name)).collect();
    let ids: Vec<ProfessionalId> = people.iter().map(|person| person.id.clone()).collect();
    let mut placed = office.snapshot.assignments_of_each(&ids)?;
    let mut names = Names::default();
    let mut items = Vec::with_capacity(people.len());
    for person in people {
        let rows = placed.remove(&person.id).unwrap_or_default();
        let assignments = rows
            .into_iter()
            .map(|row| {
                let structure = structures.get(&row.facts.organisation).map_or("", String::as_str);
                assignment_view(office, &mut names, &person, structure, row)
            })
            .collect::<Result<_, _>>()?;
        items.push(ProfessionalView {
            login: person.words.login,
            name: person.words.name,
            telephone: person.words.telephone,
            account: person.state,
            invited_by: names.name(office.snapshot, person.invited_by.as_ref())?,
            recognised_by: names.name(office.snapshot, person.recognised_by.as_ref())?,
            assignments,
            id: person.id,
        });
    }
    Ok(items)
}
