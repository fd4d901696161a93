//! The door: sign in, choose an affectation, leave; and leave quickly.

use askama::Template;

use super::Page;
use super::entered::{Entered, or_wait};
use super::icon::Icon;
use super::shell::{Room, Shell};
use crate::crypto::password::Password;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::ids::{AssignmentId, KeptFormId};
use crate::service::sessions::{OwnAssignment, SignIn};
use crate::service::{AccountState, App, AwaitedAssignment, Call, FactorCode, Login, ServiceError};
use crate::web::form::{self, Form};
use crate::web::kept;
use crate::web::pages::words;
use crate::web::route::{Answer, Cookie, DemonstrationPerson, Door, Fault, Incoming, LEAVE, Method, Route};

/// Sign in.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    entered: Entered,
    /// Where to go afterwards.
    next: String,
    /// The people of a demonstration, by structure; empty elsewhere.
    people: Vec<(String, Vec<DemonstrationPerson>)>,
}

/// People by structure, structures in the order of their first person.
fn by_structure(people: &[DemonstrationPerson]) -> Vec<(String, Vec<DemonstrationPerson>)> {
    let mut out: Vec<(String, Vec<DemonstrationPerson>)> = Vec::new();
    for person in people {
        match out.iter_mut().find(|(name, _)| *name == person.organisation) {
            Some((_, there)) => there.push(person.clone()),
            None => out.push((person.organisation.clone(), vec![person.clone()])),
        }
    }
    out
}

/// Choose the affectation of this session.
#[derive(Template)]
#[template(path = "assignment.html")]
struct AssignmentPage {
    shell: Shell,
    assignments: Vec<OwnAssignment>,
    /// What is stated and cannot be chosen yet, where there is nothing to choose.
    awaited: Vec<AwaitedAssignment>,
    account: AccountState,
}

impl AssignmentPage {
    /// What an affectation waits for.
    fn awaits(&self, a: &AwaitedAssignment) -> String {
        if !a.assignment.confirmed {
            return "Votre affectation attend une seconde confirmation, par une autre personne que celle qui l'a \
                    proposée."
                .to_owned();
        }
        if self.account == AccountState::Confirmed {
            let from = crate::domain::day::french_date(a.starts_at.paris_day());
            return format!("Votre affectation commence le {from}.");
        }
        "Votre affectation est confirmée. Elle attend que votre compte soit reconnu.".to_owned()
    }
}

/// What is left on the screen of somebody who left in a hurry: nothing that tells where they were.
#[derive(Template)]
#[template(path = "gone.html")]
struct GonePage {
    assets: &'static str,
}

/// A row of a page.
fn row(
    method: Method,
    path: &'static str,
    door: Door,
    did: (Action, ResourceKind),
    handle: fn(&App, &Incoming) -> Result<Answer, Fault>,
) -> Route {
    super::row(method, path, did, handle).at(door)
}

/// The rows of the door.
#[must_use]
pub fn routes() -> Vec<Route> {
    let session = |action| (action, ResourceKind::Session);
    vec![
        row(Method::Get, "/connexion", Door::Open, session(Action::SignIn), sign_in_page)
            .asking(&["suite", "fait"]),
        row(Method::Post, "/connexion", Door::Open, session(Action::SignIn), sign_in),
        row(Method::Get, "/affectation", Door::Session, session(Action::Read), assignment_page),
        row(Method::Post, "/affectation", Door::Session, session(Action::SignIn), choose),
        row(Method::Post, "/deconnexion", Door::Session, session(Action::SignOut), sign_out),
        row(Method::Post, LEAVE, Door::Session, session(Action::SignOut), leave),
        row(
            Method::Post,
            "/textes/{text}/jeter",
            Door::Session,
            (Action::End, ResourceKind::KeptForm),
            discard,
        ),
        row(Method::Get, "/au-revoir", Door::Open, session(Action::SignOut), gone),
    ]
}

/// What only a demonstration has.
#[must_use]
pub fn demonstration_routes() -> Vec<Route> {
    vec![row(
        Method::Post,
        "/demonstration/connexion",
        Door::Open,
        (Action::SignIn, ResourceKind::Session),
        demonstration_sign_in,
    )]
}

/// An address of ours to come back to; anything else is the first page.
///
/// THREAT: an address of somebody else in a link to our sign-in page.
fn local(next: Option<&str>) -> String {
    match next {
        Some(n)
            if n.starts_with('/')
                && !n.starts_with("//")
                && !n.contains('\\')
                && n.is_ascii()
                && !n.contains(|c: char| c.is_ascii_control()) =>
        {
            n.to_owned()
        }
        Some(_) | None => "/".to_owned(),
    }
}

fn show_sign_in(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let next = local(incoming.query.get("suite").map(String::as_str).or_else(|| incoming.form.one("next")));
    let people = incoming.demonstration.as_ref().map_or_else(Vec::new, |d| by_structure(&d.people));
    let shell = Shell::open(app, incoming, "Connexion")?;
    Answer::page_with(status, &SignInPage { shell, entered, next, people })
}

fn sign_in_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_sign_in(app, incoming, 200, Entered::nothing())
}

fn wrong(field: &str, expected: &'static str) -> Fault {
    Fault::Syntax(ServiceError::Invalid(FieldErrors::one(field, EntryError::WrongType { expected })))
}

/// A password as typed in a field, blanks and all.
pub(super) fn typed(field: &str, form: &Form) -> Result<Password, Fault> {
    Password::typed(form.raw(field).to_owned())
        .map_err(|_| wrong(field, "un mot de passe de 256 caractères au plus"))
}

fn sign_in(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let login: Login = form.need("login", Login::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let code: FactorCode = form.need("code", FactorCode::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let password = typed("password", form)?;
        let opened = app.sign_in(&SignIn {
            request: incoming.request.clone(),
            login,
            password,
            code,
            assignment: None,
            network: incoming.network.clone(),
        })?;
        let to = match opened.assignment {
            Some(_) => local(form.one("next")),
            None => "/affectation".to_owned(),
        };
        Ok(Answer::SeeOther { to, cookie: Cookie::Set(opened.token) })
    };
    match attempt() {
        // One sentence, whatever was wrong.
        Err(Fault::Service(ServiceError::Unauthenticated) | Fault::Syntax(ServiceError::Unauthenticated)) => {
            let told = ServiceError::rule(
                "sign_in_refused",
                "L'identifiant, le mot de passe ou le code ne convient pas. Un code ne sert qu'une fois : attendez le suivant, puis recommencez.",
            );
            show_sign_in(app, incoming, 422, Entered::refused(form, &told))
        }
        otherwise => or_wait(app, incoming, otherwise, show_sign_in),
    }
}

fn demonstration_sign_in(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let absent = || Fault::Syntax(ServiceError::AbsentOrRefused);
    let demonstration = incoming.demonstration.as_ref().ok_or_else(absent)?;
    let login: Login = form.need("login", Login::parse).map_err(|e| Fault::Syntax(e.into()))?;
    if !demonstration.people.iter().any(|p| p.login == login.as_str()) {
        return Err(absent());
    }
    let opened = app.demonstration_session(&incoming.request, &login)?;
    let to = if opened.assignment.is_some() { local(form.one("next")) } else { "/affectation".to_owned() };
    Ok(Answer::SeeOther { to, cookie: Cookie::Set(opened.token) })
}

fn assignment_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let me = app.me(call)?;
    let assignments: Vec<OwnAssignment> = me.assignments.iter().filter(|a| a.in_force).cloned().collect();
    let title = if assignments.is_empty() { "Votre affectation" } else { "Choisir une affectation" };
    let greeting = app.greeting(call)?;
    let shell = Shell::signed_in(app, incoming, Room::Account, title)?;
    Answer::page(&AssignmentPage { shell, assignments, awaited: greeting.awaited, account: me.account })
}

/// Where the first page and the list of pathways lead who acts under no affectation: to what is awaited.
///
/// # Errors
/// Without a session, or as the database.
pub(super) fn without_affectation(app: &App, incoming: &Incoming) -> Result<Option<Answer>, Fault> {
    let call = incoming.call()?;
    if app.greeting(call)?.acting.is_some() {
        return Ok(None);
    }
    // One's own account was looked at: that is the record of this request.
    app.me(call)?;
    Ok(Some(Answer::see_other("/affectation")))
}

fn choose(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let wanted =
        incoming.form.need("assignment", AssignmentId::parse).map_err(|e| Fault::Syntax(e.into()))?;
    let opened = app.choose_assignment(incoming.call()?, &wanted)?;
    Ok(Answer::SeeOther { to: "/".to_owned(), cookie: Cookie::Set(opened.token) })
}

fn sign_out(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    app.sign_out(incoming.call()?)?;
    Ok(Answer::SeeOther { to: "/connexion?fait=deconnexion".to_owned(), cookie: Cookie::Clear })
}

/// Leaves at once: what was being written is kept for its author, the session ends, and nothing that could stand in the
/// way (another affectation, a form sent twice, a session that is over) keeps somebody here.
fn leave(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = Call { assignment: None, idempotency: None, ..incoming.call()?.clone() };
    if let Some(from) = incoming.form.one(form::FROM) {
        kept::keep(app, incoming, from);
    }
    match app.sign_out(&call) {
        Ok(_) | Err(ServiceError::Unauthenticated) => {}
        // A full disk keeps nobody in front of a page: the browser forgets the session, which ends by itself.
        Err(error) => tracing::error!(%error, "somebody left, and the session could not be ended"),
    }
    Ok(Answer::SeeOther { to: "/au-revoir".to_owned(), cookie: Cookie::Clear })
}

fn discard(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("text", KeptFormId::parse)?;
    app.kept_form_drop(incoming.call()?, &id)?;
    Ok(Answer::see_other("/?fait=jete"))
}

fn gone(_app: &App, _incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::page(&GonePage { assets: super::assets::base() })
}

impl Page for SignInPage {
    #[cfg(test)]
    const NAME: &'static str = "sign_in";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::shell::sample;
        let page = |entered, people| Self {
            shell: sample::open("Connexion"),
            entered,
            next: "/".to_owned(),
            people,
        };
        let refused = Entered::refused(
            &crate::web::form::Form::of(&[("login", "nadia.benali")]),
            &ServiceError::rule("sign_in_refused", "L'identifiant ne convient pas."),
        );
        let nadia = DemonstrationPerson {
            login: "nadia.benali".to_owned(),
            name: "Nadia Benali".to_owned(),
            organisation: "Ville".to_owned(),
            profession: "Référent de parcours".to_owned(),
            function: "Professionnel".to_owned(),
        };
        let people = by_structure(&[nadia.clone(), nadia]);
        vec![
            ("empty", page(Entered::nothing(), Vec::new())),
            ("refused", page(refused, Vec::new())),
            ("demonstration", {
                let page = page(Entered::nothing(), people);
                Self { shell: Shell { demonstration: true, ..page.shell }, ..page }
            }),
        ]
    }
}

impl Page for AssignmentPage {
    #[cfg(test)]
    const NAME: &'static str = "assignment";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |assignments, awaited, account| Self {
            shell: super::shell::sample::signed_in(Room::Account, "Votre affectation"),
            assignments,
            awaited,
            account,
        };
        let two = || super::account::sample_me(AccountState::Confirmed).assignments;
        let awaited = || -> Vec<AwaitedAssignment> {
            let starts_at =
                crate::clock::Timestamp::paris_midnight(chrono::NaiveDate::from_ymd_opt(2027, 4, 1).unwrap());
            let telephone = "01 02 03 04 05".to_owned();
            let of = |assignment| AwaitedAssignment { assignment, telephone: telephone.clone(), starts_at };
            two().into_iter().map(of).collect()
        };
        vec![
            ("none", page(Vec::new(), Vec::new(), AccountState::Confirmed)),
            ("several", page(two(), Vec::new(), AccountState::Confirmed)),
            ("awaited", page(Vec::new(), awaited(), AccountState::Confirmed)),
            ("awaited_unrecognised", page(Vec::new(), awaited(), AccountState::Unconfirmed)),
        ]
    }
}

impl Page for GonePage {
    #[cfg(test)]
    const NAME: &'static str = "gone";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        vec![("always", Self { assets: "/assets/0" })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_the_door() {
        snapshots::check::<SignInPage>();
        snapshots::check::<AssignmentPage>();
        snapshots::check::<GonePage>();
    }

    #[test]
    fn threat_open_redirect_only_addresses_of_ours_are_come_back_to() {
        assert_eq!(local(Some("/parcours/a?b=c")), "/parcours/a?b=c");
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb", "/é"] {
            assert_eq!(local(Some(bad)), "/", "{bad:?}");
        }
    }
}
