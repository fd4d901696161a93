//! Somebody signed in at the command line, by the same door as everywhere: login, password, code.
//!
//! INVARIANT: what is done here is done by a person in force under an affectation, with a session that ends with the command;
//! a command has no rights of its own.
//! The password and the code are read from standard input, one line each; the password is not shown.

use std::io::{BufRead, Write};

use anyhow::{Result, anyhow, bail};

use super::ask::{ask, ask_hidden};
use super::instance::told;
use crate::crypto::password::Password;
use crate::domain::vocabulary::Profession;
use crate::ids::RequestId;
use crate::service::sessions::{SessionOpened, SignIn};
use crate::service::{App, Call, FactorCode, Login};

/// A session of one command.
pub struct SignedIn<'a> {
    app: &'a App,
    session: SessionOpened,
}

impl<'a> SignedIn<'a> {
    /// Signs in, under an affectation of one of these professions.
    ///
    /// # Errors
    /// What the sign-in refuses; nobody of these professions.
    pub fn ask(
        app: &'a App,
        login: &str,
        professions: &[Profession],
        input: &mut dyn BufRead,
        progress: &mut dyn Write,
    ) -> Result<Self> {
        let wrong = || anyhow!("identifiant, mot de passe ou code : l'un des trois n'est pas le bon");
        let login = Login::parse(login).map_err(|_| wrong())?;
        let password =
            Password::typed(ask_hidden(input, progress, "Mot de passe")?.to_string()).map_err(|_| wrong())?;
        let code = ask(input, progress, "Code à six chiffres, ou code de secours")?;
        let asked = SignIn {
            request: RequestId::random(app.chance())?,
            login,
            password,
            code: FactorCode::parse(&code).map_err(|_| wrong())?,
            assignment: None,
            network: None,
        };
        let opened = app.sign_in(&asked).map_err(|error| match error {
            crate::service::ServiceError::Unauthenticated => wrong(),
            other => told(other),
        })?;
        let mut one = Self { app, session: opened };
        let fits = |a: &&crate::service::sessions::OwnAssignment| {
            a.in_force && a.confirmed && professions.contains(&a.profession)
        };
        let Some(wanted) = one.session.assignments.iter().find(fits).map(|a| a.id.clone()) else {
            let names: Vec<&str> = professions.iter().map(|p| p.french()).collect();
            bail!("cette personne n'a pas d'affectation en cours comme : {}", names.join(", "));
        };
        if one.session.assignment.as_ref() != Some(&wanted) {
            let call = one.call()?;
            one.session = app.choose_assignment(&call, &wanted).map_err(told)?;
        }
        Ok(one)
    }

    /// A call of this session, with a request id of its own.
    ///
    /// # Errors
    /// No randomness.
    pub fn call(&self) -> Result<Call> {
        self.app.call_of(&self.session).map_err(told)
    }
}

impl Drop for SignedIn<'_> {
    fn drop(&mut self) {
        // A session that cannot be ended now ends by itself, half an hour after its last use.
        if let Ok(call) = self.call() {
            drop(self.app.sign_out(&call));
        }
    }
}
