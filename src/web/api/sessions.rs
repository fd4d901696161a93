//! Sessions and one's own account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::crypto::password::Password;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::ids::{AssignmentId, SessionId};
use crate::service::accounts::Opening;
use crate::service::sessions::{Me, OwnSessions, SessionOpened, SignIn};
use crate::service::{App, FactorCode, Login, ServiceError};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route, described};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInBody {
    login: Login,
    #[schema(max_length = 256)]
    password: String,
    /// Six digits, or a rescue code.
    code: FactorCode,
    /// The affectation under which to act; left out, the only one there is.
    assignment: Option<AssignmentId>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChooseBody {
    assignment: AssignmentId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    #[schema(max_length = 256)]
    password: String,
    code: FactorCode,
    #[schema(min_length = 12, max_length = 256)]
    new_password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorBody {
    #[schema(max_length = 256)]
    password: String,
    /// Six digits of the present factor, or a rescue code.
    code: FactorCode,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorConfirmBody {
    /// As the first step gave it.
    #[schema(max_length = 8192)]
    ticket: String,
    totp: FactorCode,
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
            door: Door::Open,
            body: Some(described::<SignInBody>("SignIn")),
            answer: Some(described::<SessionOpened>("SessionOpened")),
            ..row(
                Method::Post,
                "/api/v1/sessions",
                Action::SignIn,
                ResourceKind::Session,
                "Sign in with password and second factor",
                sign_in,
            )
        },
        Route {
            body: Some(described::<ChooseBody>("ChooseAssignment")),
            answer: Some(described::<SessionOpened>("SessionOpened")),
            ..row(
                Method::Post,
                "/api/v1/sessions/assignment",
                Action::SignIn,
                ResourceKind::Session,
                "Choose the assignment to act under; gives a new token",
                choose,
            )
        },
        row(
            Method::Delete,
            "/api/v1/sessions/current",
            Action::SignOut,
            ResourceKind::Session,
            "Sign out",
            sign_out,
        ),
        Route {
            answer: Some(described::<Me>("Me")),
            ..row(
                Method::Get,
                "/api/v1/me",
                Action::Read,
                ResourceKind::Account,
                "One's own account and assignments",
                me,
            )
        },
        Route {
            answer: Some(described::<OwnSessions>("OwnSessions")),
            ..row(
                Method::Get,
                "/api/v1/me/sessions",
                Action::List,
                ResourceKind::Session,
                "One's own open sessions",
                my_sessions,
            )
        },
        row(
            Method::Delete,
            "/api/v1/me/sessions/{session}",
            Action::End,
            ResourceKind::Session,
            "End one of one's own sessions",
            end_session,
        ),
        Route {
            body: Some(described::<PasswordBody>("PasswordChange")),
            answer: Some(described::<SessionOpened>("SessionOpened")),
            ..row(
                Method::Post,
                "/api/v1/me/password",
                Action::Update,
                ResourceKind::Account,
                "Change the password; ends every session and gives a new token",
                change_password,
            )
        },
        Route {
            body: Some(described::<FactorBody>("FactorChange")),
            answer: Some(described::<Opening>("AccountOpening")),
            ..row(
                Method::Post,
                "/api/v1/me/factor",
                Action::Preview,
                ResourceKind::Account,
                "First step to another second factor: password and code; the present one stays",
                factor,
            )
        },
        Route {
            body: Some(described::<FactorConfirmBody>("FactorConfirm")),
            answer: Some(described::<SessionOpened>("SessionOpened")),
            ..row(
                Method::Post,
                "/api/v1/me/factor/confirm",
                Action::Confirm,
                ResourceKind::Account,
                "Second step: prove the new factor; ends every session and gives a new token",
                factor_confirm,
            )
        },
    ]
}

pub(super) fn typed(field: &str, text: String) -> Result<Password, Fault> {
    Password::typed(text).map_err(|_| {
        Fault::Syntax(ServiceError::Invalid(FieldErrors::one(
            field,
            EntryError::WrongType { expected: "un mot de passe de 256 caractères au plus" },
        )))
    })
}

fn sign_in(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let body: SignInBody = incoming.json()?;
    let ask = SignIn {
        request: incoming.request.clone(),
        login: body.login,
        password: typed("password", body.password)?,
        code: body.code,
        assignment: body.assignment,
        network: incoming.network.clone(),
    };
    Answer::made(&app.sign_in(&ask)?)
}

fn choose(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: ChooseBody = incoming.json()?;
    Answer::made(&app.choose_assignment(call, &body.assignment)?)
}

fn sign_out(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.sign_out(incoming.call()?)?;
    Ok(Answer::Empty)
}

fn me(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.me(incoming.call()?)?)
}

fn my_sessions(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.my_sessions(incoming.call()?)?)
}

fn end_session(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("session", SessionId::parse)?;
    app.end_session(incoming.call()?, &id)?;
    Ok(Answer::Empty)
}

fn change_password(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: PasswordBody = incoming.json()?;
    let present = typed("password", body.password)?;
    let network = incoming.network.as_deref();
    Answer::made(&app.change_password(call, &present, &body.code, body.new_password, network)?)
}

fn factor(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: FactorBody = incoming.json()?;
    let present = typed("password", body.password)?;
    Answer::made(&app.factor_offer(call, &present, &body.code, incoming.network.as_deref())?)
}

fn factor_confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let body: FactorConfirmBody = incoming.json()?;
    Answer::made(&app.factor_confirm(call, &body.ticket, &body.totp, incoming.network.as_deref())?)
}
