//! An invitation: who invites, for which purpose, in which frame and role. Accepted or declined, once read.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Role;
use crate::ids::ParticipationId;
use crate::service::invitations::{InvitationView, TakesPlaceOf};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One invitation.
#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    shell: Shell,
    invitation: InvitationView,
    entered: Entered,
}

/// « vous demande de remplacer Claire Morel jusqu'au 20 décembre 2026 »: what is asked of somebody who takes a place.
#[must_use]
pub fn taking(place: &TakesPlaceOf) -> String {
    let from = place.first_day.as_deref().map(|d| format!(" à partir du {}", words::day_of(d)));
    let from = from.unwrap_or_default();
    match &place.last_day {
        Some(last) => {
            format!("vous demande de remplacer {}{from} jusqu'au {}", place.who.name, words::day_of(last))
        }
        None => format!("vous demande de prendre la suite de {}{from}", place.who.name),
    }
}

impl InvitationPage {
    const fn role_words(&self) -> &'static str {
        role_sentence(self.invitation.role)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const PATH: &str = "/invitations/{participation}";
    vec![
        super::row(Method::Get, PATH, (Action::Read, ResourceKind::Participation), page),
        super::row(Method::Post, PATH, (Action::Accept, ResourceKind::Participation), answer),
    ]
}

/// What the role lets one do, before one takes it.
const fn role_sentence(role: Role) -> &'static str {
    match role {
        Role::Referent => "Vous coordonnez le parcours et vous êtes le premier contact de la famille.",
        Role::Participant => {
            "Vous lisez ce qui est partagé avec vous, vous écrivez et vous partagez ce que vous écrivez."
        }
        Role::ContributorOnly => "Vous apportez des informations. Vous n'en recevez pas.",
        Role::StayOrganiser => "Vous lisez la feuille du séjour, et elle seule, jusqu'au dernier jour.",
    }
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = incoming.id("participation", ParticipationId::parse)?;
    let all = app.invitations(incoming.call()?)?.into_inner().items;
    let found = all.into_iter().find(|i| i.id == id.as_str());
    let invitation = found.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let shell = Shell::signed_in(app, incoming, Room::Today, "Invitation")?;
    Answer::page_with(status, &InvitationPage { shell, invitation, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing())
}

fn answer(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("participation", ParticipationId::parse)?;
    let attempt = || -> Result<&'static str, Fault> {
        let call = incoming.call()?;
        match incoming.form.button() {
            Some("accept") => app.participation_accept(call, &id).map(|_| "accepte"),
            Some("decline") => app.participation_decline(call, &id).map(|_| "decline"),
            Some(_) | None => Err(ServiceError::rule("answer", "Acceptez ou déclinez l'invitation.")),
        }
        .map_err(Fault::Service)
    };
    match attempt() {
        Ok("accepte") => Ok(Answer::see_other("/parcours?fait=accepte")),
        Ok(done) => Ok(Answer::see_other(format!("/?fait={done}"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for InvitationPage {
    #[cfg(test)]
    const NAME: &'static str = "invitation";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::vocabulary::{Mandate, Profession, Purpose};
        let page = |role, name: Option<&str>, until: Option<&str>, entered| Self {
            shell: super::shell::sample::signed_in(Room::Today, "Invitation"),
            invitation: InvitationView {
                id: "a".repeat(26),
                pathway: "p".repeat(26),
                from: Some(super::frame::sample::who(
                    "Nadia Benali",
                    "Ville de Val-d'Orme",
                    Profession::ReferentPre,
                )),
                takes_place_of: None,
                purposes: vec![if role == Role::StayOrganiser {
                    Purpose::Stay
                } else {
                    Purpose::Coordination
                }],
                mandate: Mandate::Contractual,
                role,
                until: until.map(ToOwned::to_owned),
                invited_on: "2027-03-12".to_owned(),
                name: name.map(ToOwned::to_owned),
            },
            entered,
        };
        let replaces = |last_day: Option<&str>| {
            let mut page = page(Role::Participant, Some("Léa Martin"), last_day, Entered::nothing());
            let aemo = |name| super::frame::sample::who(name, "Sauvegarde", Profession::Aemo);
            page.invitation.from = Some(aemo("Anne Fabre"));
            page.invitation.takes_place_of = Some(TakesPlaceOf {
                who: aemo("Claire Morel"),
                first_day: None,
                last_day: last_day.map(ToOwned::to_owned),
            });
            page
        };
        let over = ServiceError::rule("accord_needed_to_accept", "L'accord qui vous nommait a pris fin.");
        vec![
            ("stand_in", replaces(Some("2027-12-20"))),
            ("successor", replaces(None)),
            ("member", page(Role::Participant, Some("Léa Martin"), None, Entered::nothing())),
            ("stay", page(Role::StayOrganiser, None, Some("2027-07-14"), Entered::nothing())),
            (
                "accord_over",
                page(
                    Role::ContributorOnly,
                    None,
                    None,
                    Entered::refused(&crate::web::form::Form::default(), &over),
                ),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_an_invitation() {
        crate::web::pages::snapshots::check::<super::InvitationPage>();
    }
}
