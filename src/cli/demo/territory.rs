//! Structures, people and charter of the demonstration: through the importers, and as each person.

use std::collections::BTreeMap;
use std::io::Write;

use super::Account;
use crate::charter::Charter;
use crate::domain::contact::Phone;
use crate::domain::text::Text;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession};
use crate::ids::{AssignmentId, MissionId, OrganisationId};
use crate::service::accounts::NewAccount;
use crate::service::founding::{FoundingOrganisation, Opened};
use crate::service::import::{Mode, Report};
use crate::service::sessions::SessionOpened;
use crate::service::{App, Author, Call, Login, ServiceError};

pub(super) const ORGANISATIONS: &str = include_str!("organisations.csv");
const PEOPLE: &str = include_str!("people.csv");

/// One person, settled: way in, session, and the three that accords name.
pub struct Settled {
    account: Account,
    session: SessionOpened,
    pub assignment: AssignmentId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
}

/// Everybody, by login.
pub struct People(BTreeMap<String, Settled>);

impl People {
    /// One person.
    ///
    /// # Errors
    /// When nobody has this login.
    pub fn get(&self, login: &str) -> Result<&Settled, ServiceError> {
        self.0.get(login).ok_or_else(|| ServiceError::internal(format!("nobody is called {login}")))
    }

    /// A call of this person.
    ///
    /// # Errors
    /// When nobody has this login.
    pub fn call(&self, app: &App, login: &str) -> Result<Call, ServiceError> {
        app.call_of(&self.get(login)?.session)
    }

    pub fn accounts(&self) -> Vec<Account> {
        self.0.values().map(|s| s.account.clone()).collect()
    }
}

fn account(login: &str, name: &str, telephone: &str) -> Result<NewAccount, ServiceError> {
    Ok(NewAccount {
        login: Login::parse(login).map_err(ServiceError::internal)?,
        name: Text::parse(name).map_err(ServiceError::internal)?,
        telephone: Phone::parse(telephone).map_err(ServiceError::internal)?,
    })
}

fn written(report: &Report) -> Result<(), ServiceError> {
    match report.wrong.first() {
        Some(w) => Err(ServiceError::internal(format!("line {}: {}", w.line, w.message))),
        None if report.written => Ok(()),
        None => Err(ServiceError::internal("nothing was imported")),
    }
}

/// Two administrators who recognise each other, the structures, the people, the charter and its signatures.
///
/// # Errors
/// As each of the acts.
pub fn found(app: &App, progress: &mut dyn Write) -> Result<People, ServiceError> {
    let said = ServiceError::internal;
    writeln!(progress, "Deux administrateurs, qui se reconnaissent l'un l'autre…").map_err(said)?;
    let organisation = FoundingOrganisation {
        code: Text::parse("reseau").map_err(ServiceError::internal)?,
        name: Text::parse("Réseau éducatif de Val-d'Orme").map_err(ServiceError::internal)?,
        kind: OrganisationKind::Network,
        territory: Text::parse("Val-d'Orme").map_err(ServiceError::internal)?,
        telephone: Phone::parse("0102030400").map_err(ServiceError::internal)?,
    };
    let two = [
        account("alice.bernard", "Alice Bernard", "0601020399")?,
        account("bruno.carre", "Bruno Carré", "0601020398")?,
    ];
    let founded = app.found(&organisation, &two)?;
    let [first, second] = founded.founders;
    let (alice, bruno) = (app.open_with_random(&first)?, app.open_with_random(&second)?);
    app.recognise(&app.call_of(&alice.session)?, &bruno.id)?;
    app.recognise(&app.call_of(&bruno.session)?, &alice.id)?;
    let alice = acting(app, alice)?;
    let bruno = acting(app, bruno)?;

    writeln!(progress, "Structures et personnes, par les imports…").map_err(said)?;
    let by = app.call_of(&alice.session)?;
    let author = Author::Session(&by);
    written(&app.import_organisations(
        author,
        "organisations.csv",
        ORGANISATIONS.as_bytes(),
        Mode::Write,
    )?)?;
    let report = app.import_professionals(author, "people.csv", PEOPLE.as_bytes(), Mode::Write)?;
    written(&report)?;
    let invited: Vec<_> = report.invited.into_iter().map(|i| i.invited).collect();
    let mut everybody = app.settle(&bruno.session, &invited, &report.stated)?;

    writeln!(progress, "Charte : publication et signatures de chacun…").map_err(said)?;
    let charter = Charter::embedded_demo().map_err(ServiceError::internal)?;
    app.charter_publish(author, &charter)?;
    everybody.push(alice);
    everybody.push(bruno);
    let mut people = BTreeMap::new();
    for opened in everybody {
        sign(app, &opened)?;
        let (login, settled) = settled(app, opened)?;
        people.insert(login, settled);
    }
    Ok(People(people))
}

/// Gives a founder the session of an administrator.
fn acting(app: &App, mut opened: Opened) -> Result<Opened, ServiceError> {
    let me = app.me(&app.call_of(&opened.session)?)?;
    let first = me
        .assignments
        .first()
        .map(|a| a.id.clone())
        .ok_or_else(|| ServiceError::internal("no affectation"))?;
    opened.session = app.choose_assignment(&app.call_of(&opened.session)?, &first)?;
    Ok(opened)
}

fn sign(app: &App, opened: &Opened) -> Result<(), ServiceError> {
    let call = || app.call_of(&opened.session);
    let charter = app.charter(&call()?)?;
    let Some(edition) = &charter.in_force else { return Err(ServiceError::internal("no charter in force")) };
    let hash = |text: &str| Text::parse(text).map_err(ServiceError::internal);
    let (text, policy) = (hash(&edition.text_hash)?, hash(&edition.policy_hash)?);
    app.sign_charter(&call()?, &text, &policy)?;
    let me = app.me(&call()?)?;
    let manages = me.assignments.iter().any(|a| match a.function {
        Function::Manager => true,
        Function::Practitioner | Function::Secretary => false,
    });
    if manages {
        app.sign_charter_for_organisation(&call()?, &text, &policy)?;
    }
    Ok(())
}

fn settled(app: &App, opened: Opened) -> Result<(String, Settled), ServiceError> {
    let me = app.me(&app.call_of(&opened.session)?)?;
    let a = me.assignments.first().ok_or_else(|| ServiceError::internal("no affectation"))?;
    let account = Account {
        login: me.login.clone(),
        password: opened.password.to_string(),
        totp_secret: opened.totp_secret.to_string(),
        name: me.name.clone(),
        organisation: a.organisation_name.clone(),
        profession: a.profession.french().to_owned(),
        function: match a.function {
            Function::Practitioner => String::new(),
            Function::Manager | Function::Secretary => a.function.french().to_owned(),
        },
    };
    let settled = Settled {
        account,
        assignment: a.id.clone(),
        organisation: a.organisation.clone(),
        mission: a.mission.clone(),
        profession: a.profession,
        session: opened.session,
    };
    Ok((me.login.clone(), settled))
}
