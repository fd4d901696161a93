//! First connection (and, from `account`, another telephone): the invitation code and a password, then the second factor with its rescue codes, then the door.
//!
//! INVARIANT: the secret and the rescue codes are shown to who holds the code, or has a session and just gave the password
//! and a code of now, in the answer to their own form, and are kept nowhere on the way: the page carries them back when the
//! six digits were wrong.

use askama::Template;

use super::Page;
use super::entered::{Entered, or_wait};
use super::icon::Icon;
use super::qr::Qr;
use super::shell::Shell;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::service::accounts::Opening;
use crate::service::{App, FactorCode, ServiceError};
use crate::web::form::Form;
use crate::web::route::{Answer, Cookie, Door, Fault, Incoming, Method, Route};

/// Step 1: the code and a password.
#[derive(Template)]
#[template(path = "opening.html")]
struct OpeningPage {
    shell: Shell,
    entered: Entered,
}

/// The second factor and the rescue codes, then the six digits: step 2 of a first connection, or another telephone.
#[derive(Template)]
#[template(path = "opening_factor.html")]
pub(super) struct FactorPage {
    shell: Shell,
    entered: Entered,
    /// The invitation code; none for who has an account already.
    code: Option<String>,
    ticket: String,
    secret: String,
    uri: String,
    rescue: Vec<String>,
    qr: Qr,
}

impl FactorPage {
    /// What was just made, shown this once.
    pub(super) fn of(shell: Shell, code: Option<String>, opening: Opening) -> Self {
        Self {
            shell,
            entered: Entered::nothing(),
            code,
            ticket: opening.ticket,
            qr: Qr::of(&opening.otpauth_uri),
            secret: opening.totp_secret,
            uri: opening.otpauth_uri,
            rescue: opening.rescue_codes,
        }
    }

    /// The page again, with what it showed.
    pub(super) fn again(shell: Shell, form: &Form, code: Option<String>, entered: Entered) -> Self {
        // What a form brings back leads to the application only.
        let uri =
            Some(form.raw("uri")).filter(|uri| uri.starts_with("otpauth://")).unwrap_or_default().to_owned();
        Self {
            shell,
            entered,
            code,
            ticket: form.raw("ticket").to_owned(),
            qr: if uri.is_empty() { Qr::default() } else { Qr::of(&uri) },
            secret: form.raw("secret").to_owned(),
            uri,
            rescue: form.all("rescue[]").map(ToOwned::to_owned).collect(),
        }
    }

    /// The secret in groups of four, to be typed.
    fn groups(&self) -> String {
        let letters: Vec<char> = self.secret.chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let row = |method, path, action, handle| {
        super::row(method, path, (action, ResourceKind::Account), handle).at(Door::Open)
    };
    vec![
        row(Method::Get, "/ouvrir", Action::Accept, first_page),
        row(Method::Post, "/ouvrir", Action::Accept, first),
        row(Method::Post, "/ouvrir/confirmer", Action::Confirm, second),
    ]
}

/// A password typed twice.
///
/// # Errors
/// 422 at the field that is missing or differs.
pub(super) fn twice(form: &Form, name: &str) -> Result<String, Fault> {
    let again = format!("{name}_again");
    let refuse = |field: &str, error| Fault::Syntax(ServiceError::Invalid(FieldErrors::one(field, error)));
    let wanted = form.raw(name);
    if wanted.is_empty() {
        return Err(refuse(name, EntryError::Missing));
    }
    if wanted != form.raw(&again) {
        return Err(refuse(&again, EntryError::PasswordsDiffer));
    }
    Ok(wanted.to_owned())
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let shell = Shell::open(app, incoming, "Ouvrir mon compte")?;
    Answer::page_with(status, &OpeningPage { shell, entered })
}

fn first_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing())
}

fn code_of(form: &Form) -> Result<String, Fault> {
    form.need("code", crate::domain::text::Text::<128>::parse)
        .map(|code| code.as_str().to_owned())
        .map_err(|e| Fault::Syntax(e.into()))
}

fn first(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let code = code_of(form)?;
        let password = twice(form, "password")?;
        let opening = app.open_account(&incoming.request, &code, password, incoming.network.as_deref())?;
        let shell = Shell::open(app, incoming, "Votre téléphone et vos codes de secours")?;
        Answer::page(&FactorPage::of(shell, Some(code), opening))
    };
    or_wait(app, incoming, attempt(), show)
}

/// The second page again, with what it showed.
fn show_factor(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let shell = Shell::open(app, incoming, "Votre téléphone et vos codes de secours")?;
    let code = Some(form.raw("code").to_owned());
    Answer::page_with(status, &FactorPage::again(shell, form, code, entered))
}

fn second(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let attempt = || -> Result<Answer, Fault> {
        let code = code_of(form)?;
        let digits = form.need("totp", FactorCode::parse).map_err(|e| Fault::Syntax(e.into()))?;
        let network = incoming.network.as_deref();
        let opened = app.confirm_account(&incoming.request, &code, form.raw("ticket"), &digits, network)?;
        Ok(Answer::SeeOther {
            to: "/compte?fait=compte-ouvert".to_owned(),
            cookie: Cookie::Set(opened.token),
        })
    };
    or_wait(app, incoming, attempt(), show_factor)
}

impl Page for OpeningPage {
    #[cfg(test)]
    const NAME: &'static str = "opening";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered| Self { shell: super::shell::sample::open("Ouvrir mon compte"), entered };
        let refused = Entered::refused(
            &Form::of(&[("code", "abcd")]),
            &ServiceError::rule("invitation_refused", "Ce code n'ouvre rien."),
        );
        vec![("empty", page(Entered::nothing())), ("refused", page(refused))]
    }
}

impl Page for FactorPage {
    #[cfg(test)]
    const NAME: &'static str = "opening_factor";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let uri = "otpauth://totp/Relais:nadia?secret=ABCDEFGHIJKLMNOP";
        let page = |entered, qr| Self {
            shell: super::shell::sample::open("Votre téléphone et vos codes de secours"),
            entered,
            code: Some("code".to_owned()),
            ticket: "ticket".to_owned(),
            secret: "ABCDEFGHIJKLMNOP".to_owned(),
            uri: uri.to_owned(),
            rescue: vec!["aaaa-bbbb".to_owned(), "cccc-dddd".to_owned()],
            qr,
        };
        let refused = Entered::refused(
            &Form::default(),
            &ServiceError::rule("totp_refused", "Ce code à six chiffres n'est pas celui de maintenant."),
        );
        let another = Self {
            shell: super::shell::sample::signed_in(
                super::shell::Room::Account,
                "Votre second facteur sur un autre téléphone",
            ),
            code: None,
            ..page(Entered::nothing(), Qr::of(uri))
        };
        vec![
            ("ordinary", page(Entered::nothing(), Qr::of(uri))),
            ("refused", page(refused, Qr::default())),
            ("another_telephone", another),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_the_first_connection() {
        snapshots::check::<super::OpeningPage>();
        snapshots::check::<super::FactorPage>();
    }

    #[test]
    fn a_password_is_typed_twice_alike() {
        use crate::web::form::Form;
        let of = |a: &str, b: &str| super::twice(&Form::of(&[("p", a), ("p_again", b)]), "p").is_ok();
        assert!(of(" un mot de passe ", " un mot de passe "));
        assert!(!of("un", "deux") && !of("", "") && !of("un", ""));
    }
}
