//! Structures and affectations.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::lists::at_most;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::secrecy::SecrecyBasis;
use crate::domain::text::Text;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, MissionId, OrganisationId, ProfessionalId};
use crate::service::directory::{OrganisationDetail, Organisations};
use crate::service::sheet_names::SheetNamesInput;
use crate::service::structures::{AssignmentDraft, CreatedWithWarnings, MissionDraft, OrganisationDraft};
use crate::service::{App, Author};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

/// Missions of one structure.
const MOST_MISSIONS: usize = 40;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct MissionBody {
    pub code: Text<40>,
    pub title: Text<120>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct OrganisationBody {
    pub code: Text<40>,
    pub name: Text<120>,
    pub kind: OrganisationKind,
    pub territory: Text<120>,
    pub telephone: Phone,
    #[serde(deserialize_with = "at_most::<MOST_MISSIONS, _, _>")]
    #[schema(max_items = 40)]
    pub missions: Vec<MissionBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct OrganisationUpdateBody {
    /// The version that was read; another one now is 412.
    pub version: i64,
    pub organisation: OrganisationBody,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct AssignmentBody {
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
    pub function: Function,
    pub secrecy: Secrecy,
    pub secrecy_basis: Option<SecrecyBasis>,
    /// The first day on which the secrecy no longer holds.
    pub secrecy_until: Option<Day>,
    pub starts: Option<Day>,
    /// The first day on which the assignment no longer holds.
    pub ends: Option<Day>,
}

impl AssignmentBody {
    pub(in crate::web) fn draft(self) -> AssignmentDraft {
        AssignmentDraft {
            professional: self.professional,
            organisation: self.organisation,
            mission: self.mission,
            profession: self.profession,
            function: self.function,
            secrecy: self.secrecy,
            secrecy_basis: self.secrecy_basis,
            secrecy_until: self.secrecy_until,
            starts: self.starts,
            ends: self.ends,
        }
    }
}

impl OrganisationBody {
    pub(in crate::web) fn draft(self) -> OrganisationDraft {
        OrganisationDraft {
            code: self.code,
            name: self.name,
            kind: self.kind,
            territory: self.territory,
            telephone: self.telephone,
            missions: self
                .missions
                .into_iter()
                .map(|m| MissionDraft { code: m.code, title: m.title })
                .collect(),
        }
    }
}

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let row = |method, path, action, resource, summary, handle| Route {
        method,
        path,
        door: Door::Session,
        action,
        resource,
        summary,
        query: &[],
        body: None,
        answer: None,
        handle,
    };
    vec![
        Route {
            answer: Some(described::<Organisations>("Organisations")),
            ..row(
                Method::Get,
                "/api/v1/organisations",
                Action::List,
                ResourceKind::Organisation,
                "The directory of organisations",
                list,
            )
        },
        Route {
            body: Some(described::<OrganisationBody>("NewOrganisation")),
            ..row(
                Method::Post,
                "/api/v1/organisations",
                Action::Create,
                ResourceKind::Organisation,
                "Add an organisation",
                create,
            )
        },
        Route {
            answer: Some(described::<OrganisationDetail>("OrganisationDetail")),
            ..row(
                Method::Get,
                "/api/v1/organisations/{organisation}",
                Action::Read,
                ResourceKind::Organisation,
                "An organisation with its people, who stated and who confirmed",
                read,
            )
        },
        Route {
            body: Some(described::<OrganisationUpdateBody>("OrganisationUpdate")),
            ..row(
                Method::Put,
                "/api/v1/organisations/{organisation}",
                Action::Update,
                ResourceKind::Organisation,
                "Replace the particulars and missions of an organisation",
                update,
            )
        },
        Route {
            body: Some(described::<SheetNamesInput>("SheetNames")),
            ..row(
                Method::Put,
                "/api/v1/organisations/{organisation}/sheet-names",
                Action::Update,
                ResourceKind::Organisation,
                "Decide, as its manager, whether « Qui a regardé ? » names the people of an organisation",
                sheet_names,
            )
        },
        Route {
            body: Some(described::<AssignmentBody>("NewAssignment")),
            answer: Some(described::<CreatedWithWarnings>("CreatedWithWarnings")),
            ..row(
                Method::Post,
                "/api/v1/assignments",
                Action::Create,
                ResourceKind::Assignment,
                "State an assignment; it takes effect once a second person has confirmed it",
                assign,
            )
        },
        row(
            Method::Post,
            "/api/v1/assignments/{assignment}/confirmation",
            Action::Confirm,
            ResourceKind::Assignment,
            "Confirm profession, secrecy and function, as a second person",
            confirm,
        ),
        row(
            Method::Post,
            "/api/v1/assignments/{assignment}/end",
            Action::End,
            ResourceKind::Assignment,
            "End an assignment now, with its sessions",
            end,
        ),
    ]
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.organisations(incoming.call()?)?)
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let draft = incoming.json::<OrganisationBody>()?.draft();
    Ok(Answer::created(app.organisation_create(Author::Session(call), &draft)?))
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("organisation", OrganisationId::parse)?;
    Answer::disclosed(&app.organisation(incoming.call()?, &id)?)
}

fn update(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let id = incoming.id("organisation", OrganisationId::parse)?;
    let body: OrganisationUpdateBody = incoming.json()?;
    let draft = body.organisation.draft();
    app.organisation_update(call, &id, body.version, &draft)?;
    Ok(Answer::Empty)
}

fn sheet_names(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("organisation", OrganisationId::parse)?;
    app.sheet_names_decide(incoming.call()?, incoming.act, &id, incoming.json()?)?;
    Ok(Answer::Empty)
}

fn assign(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: AssignmentBody = incoming.json()?;
    let draft = body.draft();
    Answer::made(&app.assignment_create(Author::Session(call), &draft)?)
}

fn confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("assignment", AssignmentId::parse)?;
    app.assignment_confirm(incoming.call()?, &id)?;
    Ok(Answer::Empty)
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("assignment", AssignmentId::parse)?;
    app.assignment_end(Author::Session(incoming.call()?), &id)?;
    Ok(Answer::Empty)
}
