//! Accounts: invitations, opening, recognition, the second factor.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::contact::Phone;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::Text;
use crate::ids::ProfessionalId;
use crate::service::accounts::{Invited, NewAccount, Opening};
use crate::service::directory::Professionals;
use crate::service::sessions::SessionOpened;
use crate::service::{App, Author, FactorCode, Login};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct InviteBody {
    pub login: Login,
    pub name: Text<120>,
    pub telephone: Phone,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenBody {
    #[schema(max_length = 128)]
    code: String,
    #[schema(min_length = 12, max_length = 256)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmBody {
    #[schema(max_length = 128)]
    code: String,
    /// As the first step gave it.
    #[schema(max_length = 8192)]
    ticket: String,
    totp: FactorCode,
}

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let row = |path, action, resource, summary, handle| Route {
        method: Method::Post,
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
            method: Method::Get,
            answer: Some(described::<Professionals>("Professionals")),
            ..row(
                "/api/v1/professionals",
                Action::List,
                ResourceKind::Professional,
                "Accounts that the asker administers",
                list,
            )
        },
        Route {
            body: Some(described::<InviteBody>("NewAccount")),
            answer: Some(described::<Invited>("Invited")),
            ..row(
                "/api/v1/professionals",
                Action::Invite,
                ResourceKind::Professional,
                "Invite somebody to open an account; the code is shown once",
                invite,
            )
        },
        row(
            "/api/v1/professionals/{professional}/recognition",
            Action::Confirm,
            ResourceKind::Professional,
            "Recognise the holder of an account, as a colleague other than the issuer",
            recognise,
        ),
        Route {
            answer: Some(described::<Invited>("Invited")),
            ..row(
                "/api/v1/professionals/{professional}/factor",
                Action::Invite,
                ResourceKind::Account,
                "Give a new code after a lost factor; ends every session",
                factor,
            )
        },
        row(
            "/api/v1/professionals/{professional}/end",
            Action::End,
            ResourceKind::Account,
            "Close an account",
            end,
        ),
        Route {
            door: Door::Open,
            body: Some(described::<OpenBody>("OpenAccount")),
            answer: Some(described::<Opening>("AccountOpening")),
            ..row(
                "/api/v1/accounts/open",
                Action::Accept,
                ResourceKind::Account,
                "First step of opening an account: code and password; nothing is kept",
                open,
            )
        },
        Route {
            door: Door::Open,
            body: Some(described::<ConfirmBody>("ConfirmAccount")),
            answer: Some(described::<SessionOpened>("SessionOpened")),
            ..row(
                "/api/v1/accounts/open/confirm",
                Action::Confirm,
                ResourceKind::Account,
                "Second step: prove the second factor; the account is open and unconfirmed",
                confirm,
            )
        },
    ]
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.professionals(Author::Session(incoming.call()?))?)
}

fn invite(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: InviteBody = incoming.json()?;
    let new = NewAccount { login: body.login, name: body.name, telephone: body.telephone };
    Answer::made(&app.invite(Author::Session(call), &new)?)
}

fn recognise(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("professional", ProfessionalId::parse)?;
    app.recognise(incoming.call()?, &id)?;
    Ok(Answer::Empty)
}

fn factor(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("professional", ProfessionalId::parse)?;
    Answer::made(&app.renew_factor(Author::Session(incoming.call()?), &id)?)
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("professional", ProfessionalId::parse)?;
    app.end_account(Author::Session(incoming.call()?), &id)?;
    Ok(Answer::Empty)
}

fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let body: OpenBody = incoming.json()?;
    Answer::made(&app.open_account(
        &incoming.request,
        &body.code,
        body.password,
        incoming.network.as_deref(),
    )?)
}

fn confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let body: ConfirmBody = incoming.json()?;
    let network = incoming.network.as_deref();
    Answer::made(&app.confirm_account(&incoming.request, &body.code, &body.ticket, &body.totp, network)?)
}

#[cfg(test)]
mod tests {
    use crate::web::routes;

    #[test]
    fn no_route_removes_a_factor() {
        let mut routes: Vec<String> = routes::all()
            .iter()
            .filter(|r| r.path.contains("factor") || r.path.contains("totp"))
            .map(|r| format!("{} {}", r.method.name(), r.path))
            .collect();
        routes.sort();
        assert_eq!(
            routes,
            [
                "POST /api/v1/me/factor",
                "POST /api/v1/me/factor/confirm",
                "POST /api/v1/professionals/{professional}/factor"
            ]
        );
    }
}
