//! One's own account: affectations, sessions open elsewhere, the password, and colleagues to recognise.

use askama::Template;

use super::Page;
use super::door::typed;
use super::entered::{Entered, back, or_wait};
use super::icon::Icon;
use super::opening::FactorPage;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::{ProfessionalId, SessionId};
use crate::service::sessions::{Me, OwnSession};
use crate::service::{AccountState, App, Colleague, FactorCode};
use crate::web::route::{Answer, Cookie, Fault, Incoming, Method, Route};

/// One's own account.
#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    me: Me,
    sessions: Vec<OwnSession>,
    colleagues: Vec<Colleague>,
    entered: Entered,
    /// Whether what is to be corrected is of the second factor.
    factor_refused: bool,
}

impl AccountPage {
    fn several(&self) -> bool {
        self.me.assignments.iter().filter(|a| a.in_force).count() > 1
    }

    /// The affectation of a session, in words.
    fn acting(&self, session: &OwnSession) -> String {
        self.me
            .assignments
            .iter()
            .find(|a| session.assignment.as_ref() == Some(&a.id))
            .map_or_else(|| "aucune affectation choisie".to_owned(), |a| a.organisation_name.clone())
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let account = |action| (action, ResourceKind::Account);
    vec![
        super::row(Method::Get, "/compte", account(Action::Read), account_page),
        super::row(Method::Post, "/compte/mot-de-passe", account(Action::Update), change_password),
        super::row(Method::Post, "/compte/second-facteur", account(Action::Preview), factor),
        super::row(
            Method::Post,
            "/compte/second-facteur/confirmer",
            account(Action::Confirm),
            factor_confirm,
        ),
        super::row(
            Method::Post,
            "/compte/sessions/{session}/fin",
            (Action::End, ResourceKind::Session),
            end_session,
        ),
        super::row(
            Method::Post,
            "/compte/reconnaitre/{professional}",
            (Action::Confirm, ResourceKind::Professional),
            recognise,
        ),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let me = app.me(call)?.into_inner();
    let sessions = app.my_sessions(call)?.into_inner().items;
    let colleagues = match me.account {
        AccountState::Confirmed | AccountState::Unconfirmed => {
            app.colleagues_to_recognise(call)?.into_inner()
        }
        AccountState::Invited | AccountState::Ended => Vec::new(),
    };
    let shell = Shell::signed_in(app, incoming, Room::Account, "Mon compte")?;
    let factor_refused = incoming.act.action == Action::Preview;
    Answer::page_with(status, &AccountPage { shell, me, sessions, colleagues, entered, factor_refused })
}

fn account_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing())
}

fn change_password(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let present = typed("password", form)?;
        let code = form.need("code", FactorCode::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let wanted = super::opening::twice(form, "new_password")?;
        let opened =
            app.change_password(incoming.call()?, &present, &code, wanted, incoming.network.as_deref())?;
        Ok(Answer::SeeOther { to: "/compte?fait=motdepasse".to_owned(), cookie: Cookie::Set(opened.token) })
    };
    or_wait(app, incoming, attempt(), show)
}

const ANOTHER_TELEPHONE: &str = "Votre second facteur sur un autre téléphone";

fn factor(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let present = typed("factor_password", form)?;
        let code = form.need("factor_code", FactorCode::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let network = incoming.network.as_deref();
        let opening = app.factor_offer(incoming.call()?, &present, &code, network)?;
        let shell = Shell::signed_in(app, incoming, Room::Account, ANOTHER_TELEPHONE)?;
        Answer::page(&FactorPage::of(shell, None, opening))
    };
    or_wait(app, incoming, attempt(), show)
}

fn show_factor(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let shell = Shell::signed_in(app, incoming, Room::Account, ANOTHER_TELEPHONE)?;
    Answer::page_with(status, &FactorPage::again(shell, &incoming.form, None, entered))
}

fn factor_confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let digits = form.need("totp", FactorCode::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let network = incoming.network.as_deref();
        let opened = app.factor_confirm(incoming.call()?, form.raw("ticket"), &digits, network)?;
        Ok(Answer::SeeOther { to: "/compte?fait=facteur".to_owned(), cookie: Cookie::Set(opened.token) })
    };
    or_wait(app, incoming, attempt(), show_factor)
}

fn end_session(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("session", SessionId::parse)?;
    app.end_session(incoming.call()?, &id)?;
    Ok(Answer::see_other("/compte?fait=session"))
}

fn recognise(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("professional", ProfessionalId::parse)?;
    match app.recognise(incoming.call()?, &id) {
        Ok(_) => Ok(Answer::see_other("/compte?fait=reconnu")),
        Err(error) => {
            back(app, incoming, error.into(), |status, entered| show(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
pub(super) fn sample_me(account: AccountState) -> Me {
    use crate::domain::secrecy::SecrecyBasis;
    use crate::domain::vocabulary::{Function, Profession, Secrecy};
    use crate::ids::{AssignmentId, MissionId, OrganisationId};
    use crate::service::sessions::OwnAssignment;
    let id = |c: &str| format!("{}a", c.repeat(25));
    let assignment = |letter: &str, confirmed| OwnAssignment {
        id: AssignmentId::parse(&id(letter)).unwrap(),
        organisation: OrganisationId::parse(&id("g")).unwrap(),
        organisation_name: "Ville de Val-d'Orme".to_owned(),
        mission: MissionId::parse(&id("m")).unwrap(),
        mission_title: "Réussite éducative".to_owned(),
        profession: Profession::ReferentPre,
        function: Function::Practitioner,
        secrecy: Secrecy::Bound,
        secrecy_basis: Some(SecrecyBasis::CasfL121_6_2),
        confirmed,
        in_force: confirmed,
        starts_at: "2027-01-04T08:00:00Z".to_owned(),
        ends_at: None,
    };
    Me {
        professional: ProfessionalId::parse(&id("p")).unwrap(),
        login: "nadia.benali".to_owned(),
        name: "Nadia Benali".to_owned(),
        telephone: "06 12 34 56 78".to_owned(),
        account,
        session: SessionId::parse(&id("s")).unwrap(),
        assignment: Some(AssignmentId::parse(&id("a")).unwrap()),
        assignments: vec![assignment("a", true), assignment("b", false)],
        expires_at: "2027-03-14T20:00:00Z".to_owned(),
        idle_minutes: 30,
        charters_to_sign: Vec::new(),
        rescue_codes_left: 2,
    }
}

impl Page for AccountPage {
    #[cfg(test)]
    const NAME: &'static str = "account";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let session = |letter: &str, current| OwnSession {
            id: SessionId::parse(&format!("{}a", letter.repeat(25))).unwrap(),
            current,
            assignment: sample_me(AccountState::Confirmed).assignment,
            created_at: "2027-03-14T08:00:00Z".to_owned(),
            seen_at: "2027-03-14T09:05:00Z".to_owned(),
            expires_at: "2027-03-14T20:00:00Z".to_owned(),
        };
        let page = |account, sessions, colleagues, entered| Self {
            shell: super::shell::sample::signed_in(Room::Account, "Mon compte"),
            me: sample_me(account),
            sessions,
            colleagues,
            entered,
            factor_refused: false,
        };
        let colleague = Colleague {
            id: ProfessionalId::parse(&format!("{}a", "q".repeat(25))).unwrap(),
            name: "Karim Haddad".to_owned(),
            telephone: "06 98 76 54 32".to_owned(),
            works: sample_me(AccountState::Confirmed).assignments,
        };
        let refused = Entered::refused(
            &crate::web::form::Form::default(),
            &crate::service::ServiceError::rule(
                "password_not_changed",
                "Mot de passe actuel ou code inexact.",
            ),
        );
        let both = || vec![session("s", true), session("t", false)];
        vec![
            ("ordinary", page(AccountState::Confirmed, both(), vec![colleague], Entered::nothing())),
            (
                "unrecognised",
                page(AccountState::Unconfirmed, vec![session("s", true)], Vec::new(), Entered::nothing()),
            ),
            ("refused", page(AccountState::Confirmed, both(), Vec::new(), refused)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_the_account() {
        crate::web::pages::snapshots::check::<super::AccountPage>();
    }
}
