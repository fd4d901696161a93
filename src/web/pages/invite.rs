//! Inviting somebody into the circle: first the structure (those that an accord names stand first), then the person,
//! the frame and the role.
//!
//! INVARIANT: the directory tells who works where, never who takes part: somebody hidden from the inviter is invited
//! like a newcomer (S11).

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::structures::basis;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Mandate, Role};
use crate::ids::OrganisationId;
use crate::service::circle::InviteInput;
use crate::service::directory::{AssignmentView, OrganisationDetail, OrganisationView};
use crate::service::{AccordStanding, Act, App};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The roles to which somebody is invited; a référent is named among members.
const ROLES: [Role; 3] = [Role::Participant, Role::ContributorOnly, Role::StayOrganiser];

/// A structure to choose.
struct Structure {
    organisation: OrganisationView,
    /// An accord in force that the inviter may see names it.
    named: bool,
}

/// Inviting.
#[derive(Template)]
#[template(path = "invite.html")]
struct InvitePage {
    shell: Shell,
    frame: Frame,
    structures: Vec<Structure>,
    chosen: Option<OrganisationDetail>,
    people: Vec<AssignmentView>,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let did = (Action::Invite, ResourceKind::Participation);
    vec![
        super::row(Method::Get, "/parcours/{pathway}/inviter", did, page).asking(&["fait", "structure"]),
        super::row(Method::Post, "/parcours/{pathway}/inviter", did, invite).asking(&["structure"]),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let (shell, frame) = Frame::read(app, incoming, Part::Circle, "Inviter")?;
    let chosen = match incoming.query("structure", OrganisationId::parse)? {
        Some(id) => Some(app.organisation(call, &id)?.into_inner()),
        None => None,
    };
    let mut structures = Vec::new();
    if chosen.is_none() {
        let act = Act { action: Action::List, resource: ResourceKind::Accord };
        let accords = app.accord_list(call, act, &pathway_of(incoming)?)?.into_inner().items;
        let in_force = accords.iter().filter(|a| a.state.code == AccordStanding::InForce);
        let named: Vec<&OrganisationId> =
            in_force.flat_map(|a| a.lines.iter().map(|l| &l.recipient.organisation)).collect();
        structures = app
            .organisations(call)?
            .into_inner()
            .items
            .into_iter()
            .map(|organisation| Structure { named: named.contains(&&organisation.id), organisation })
            .collect();
        structures.sort_by_cached_key(|s| (!s.named, s.organisation.name.clone()));
    }
    let mut chosen = chosen;
    let people = chosen.as_mut().map(|c| std::mem::take(&mut c.assignments)).unwrap_or_default();
    let people = people.into_iter().filter(|a| a.in_force && !a.profession.is_platform()).collect();
    Answer::page_with(status, &InvitePage { shell, frame, structures, chosen, people, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let entered =
        Entered::filled(&[("mandate", Mandate::Contractual.code()), ("role", Role::Participant.code())]);
    show(app, incoming, 200, Entered::first_or(app, incoming, entered)?)
}

fn invite(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let input: InviteInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.participation_invite(incoming.call()?, &pathway, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}/cercle?fait=invite", pathway.as_str()))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for InvitePage {
    #[cfg(test)]
    const NAME: &'static str = "invite";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
        use crate::ids::{AssignmentId, MissionId, ProfessionalId};
        use crate::service::AccountState;
        let id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let organisation = || OrganisationView {
            id: OrganisationId::parse(id).unwrap(),
            version: 1,
            code: "passerelles".to_owned(),
            name: "Les Passerelles".to_owned(),
            kind: OrganisationKind::Association,
            territory: "Val-d'Orme".to_owned(),
            telephone: "04 65 71 00 03".to_owned(),
            missions: Vec::new(),
            charter_signed: true,
            names_on_sheets_from: None,
        };
        let karim = AssignmentView {
            id: AssignmentId::parse(id).unwrap(),
            version: 1,
            professional: ProfessionalId::parse(id).unwrap(),
            name: "Karim Haddad".to_owned(),
            telephone: "06 01 02 03 02".to_owned(),
            account: AccountState::Confirmed,
            organisation: OrganisationId::parse(id).unwrap(),
            organisation_name: "Les Passerelles".to_owned(),
            yours_to_confirm: false,
            mission: MissionId::parse(id).unwrap(),
            profession: Profession::SpecialisedPrevention,
            function: Function::Practitioner,
            secrecy: Secrecy::Bound,
            secrecy_basis: "casf_l221_6".to_owned(),
            secrecy_until: None,
            stated_by: None,
            confirmed_by: None,
            in_force: true,
            starts_at: "2027-01-01T00:00:00Z".to_owned(),
            ends_at: None,
        };
        let page = |structures, chosen: bool, people| {
            let (shell, frame) = frame(Part::Circle, "Inviter");
            let chosen =
                chosen.then(|| OrganisationDetail { organisation: organisation(), assignments: Vec::new() });
            Self { shell, frame, structures, chosen, people, entered: Entered::nothing() }
        };
        let unnamed = Structure { organisation: organisation(), named: false };
        let named = Structure { organisation: organisation(), named: true };
        vec![
            ("structures", page(vec![named, unnamed], false, Vec::new())),
            ("person", page(Vec::new(), true, vec![karim])),
            ("nobody", page(Vec::new(), true, Vec::new())),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_invitations() {
        crate::web::pages::snapshots::check::<super::InvitePage>();
    }
}
