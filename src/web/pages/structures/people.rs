//! Accounts: invited by a code that is shown once, recognised, given a new code, closed.

use askama::Template;

use super::{AccountState, Room, Shell, basis};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::ProfessionalId;
use crate::service::accounts::{Invited, NewAccount};
use crate::service::directory::ProfessionalView;
use crate::service::{App, Author, ServiceError};
use crate::web::api::accounts::InviteBody;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::{Page, row, words};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The accounts that one administers, and the invitation.
#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    people: Vec<ProfessionalView>,
    entered: Entered,
}

/// One account.
#[derive(Template)]
#[template(path = "professional.html")]
struct ProfessionalPage {
    shell: Shell,
    person: ProfessionalView,
    /// Whether the reader may recognise this person.
    recognisable: bool,
    entered: Entered,
}

/// An invitation code, shown this once.
#[derive(Template)]
#[template(path = "invited.html")]
struct InvitedPage {
    shell: Shell,
    invited: Invited,
    /// Whose it is, when it was just typed.
    name: String,
}

pub(super) fn routes() -> Vec<Route> {
    let person = |action| (action, ResourceKind::Professional);
    let account = |action| (action, ResourceKind::Account);
    vec![
        row(Method::Get, "/structures/personnes", person(Action::List), people),
        row(Method::Post, "/structures/personnes", person(Action::Invite), invite),
        row(Method::Get, "/structures/personnes/{professional}", person(Action::List), professional),
        row(
            Method::Post,
            "/structures/personnes/{professional}/reconnaitre",
            person(Action::Confirm),
            recognise,
        ),
        row(
            Method::Get,
            "/structures/personnes/{professional}/nouveau-code",
            person(Action::List),
            before_code,
        ),
        row(
            Method::Post,
            "/structures/personnes/{professional}/nouveau-code",
            account(Action::Invite),
            new_code,
        ),
        row(Method::Get, "/structures/personnes/{professional}/fin", person(Action::List), before_end),
        row(Method::Post, "/structures/personnes/{professional}/fin", account(Action::End), end),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let people = app.professionals(Author::Session(incoming.call()?))?.into_inner().items;
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Les personnes")?;
    Answer::page_with(status, &PeoplePage { shell, people, entered })
}

fn people(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing())
}

fn invite(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(Invited, String), Fault> {
        let body: InviteBody = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        let name = body.name.as_str().to_owned();
        let new = NewAccount { login: body.login, name: body.name, telephone: body.telephone };
        Ok((app.invite(Author::Session(incoming.call()?), &new)?, name))
    };
    match attempt() {
        Ok((invited, name)) => told(app, incoming, invited, name),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// The code, once: no address leads back to it.
fn told(app: &App, incoming: &Incoming, invited: Invited, name: String) -> Result<Answer, Fault> {
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Le code d'invitation")?;
    Answer::page(&InvitedPage { shell, invited, name })
}

fn id_of(incoming: &Incoming) -> Result<ProfessionalId, Fault> {
    incoming.id("professional", ProfessionalId::parse)
}

/// The title of a professional's page: a title stays in the history of the browser.
const ONE: &str = "Fiche d'un professionnel";

/// One of the accounts that the reader administers.
fn find(app: &App, incoming: &Incoming) -> Result<ProfessionalView, Fault> {
    let id = id_of(incoming)?;
    let all = app.professionals(Author::Session(incoming.call()?))?.into_inner().items;
    all.into_iter().find(|p| p.id == id).ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))
}

fn show_one(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let person = find(app, incoming)?;
    let recognisable = person.account == AccountState::Unconfirmed
        && app.colleagues_to_recognise(incoming.call()?)?.iter().any(|c| c.id == person.id);
    let shell = Shell::signed_in(app, incoming, Room::Administration, ONE)?;
    Answer::page_with(status, &ProfessionalPage { shell, person, recognisable, entered })
}

fn professional(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_one(app, incoming, 200, Entered::nothing())
}

fn recognise(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = id_of(incoming)?;
    match app.recognise(incoming.call()?, &id) {
        Ok(_) => Ok(Answer::see_other(format!("/structures/personnes/{}?fait=reconnu", id.as_str()))),
        Err(error) => {
            back(app, incoming, error.into(), |status, entered| show_one(app, incoming, status, entered))
        }
    }
}

fn before_code(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let person = find(app, incoming)?;
    let at = format!("/structures/personnes/{}", person.id.as_str());
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Nouveau code")?;
    let mut effects = vec![
        "Un code d'invitation est fait. Il est montré une seule fois et sert pendant 72 heures.".to_owned(),
        "Le code d'avant ne sert plus, et les sessions ouvertes se ferment.".to_owned(),
    ];
    if person.account != AccountState::Invited {
        effects.push(
            "La personne choisira un nouveau mot de passe et un nouveau second facteur. Un collègue devra la reconnaître à nouveau."
                .to_owned(),
        );
    }
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Donner un nouveau code à {} ?", person.name),
        effects,
        action: format!("{at}/nouveau-code"),
        button: "Donner un nouveau code",
        stops: false,
        back: at,
    })
}

fn new_code(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = id_of(incoming)?;
    match app.renew_factor(Author::Session(incoming.call()?), &id) {
        Ok(invited) => told(app, incoming, invited, String::new()),
        Err(error) => {
            back(app, incoming, error.into(), |status, entered| show_one(app, incoming, status, entered))
        }
    }
}

fn before_end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let person = find(app, incoming)?;
    let at = format!("/structures/personnes/{}", person.id.as_str());
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Fermer un compte")?;
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Fermer le compte de {} ?", person.name),
        effects: vec![
            "Ses sessions se ferment tout de suite et ses affectations ne valent plus.".to_owned(),
            "Elle ne lira plus rien, dès la prochaine page.".to_owned(),
            "Les parcours restent à sa structure. La personne responsable nomme qui prend la suite."
                .to_owned(),
            "Un compte fermé ne se rouvre pas : il faudra une nouvelle invitation.".to_owned(),
        ],
        action: format!("{at}/fin"),
        button: "Fermer le compte",
        stops: true,
        back: at,
    })
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = id_of(incoming)?;
    match app.end_account(Author::Session(incoming.call()?), &id) {
        Ok(_) => Ok(Answer::see_other("/structures/personnes?fait=fin")),
        Err(error) => {
            back(app, incoming, error.into(), |status, entered| show_one(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
fn sample_person(account: AccountState) -> ProfessionalView {
    use super::sample;
    ProfessionalView {
        id: ProfessionalId::parse(&sample::id("p")).unwrap(),
        login: "nadia.benali".to_owned(),
        name: "Nadia Benali".to_owned(),
        telephone: "06 12 34 56 78".to_owned(),
        account,
        invited_by: Some("Claire Morin".to_owned()),
        recognised_by: (account == AccountState::Confirmed).then(|| "Paul Roux".to_owned()),
        assignments: vec![sample::assignment("a", account == AccountState::Confirmed)],
    }
}

impl Page for PeoplePage {
    #[cfg(test)]
    const NAME: &'static str = "people";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |people, entered| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Administration, "Les personnes"),
            people,
            entered,
        };
        let all = AccountState::ALL.iter().map(|s| sample_person(*s)).collect();
        let refused = Entered::refused(
            &crate::web::form::Form::of(&[("login", "nadia.benali")]),
            &ServiceError::rule("login_taken", "Cet identifiant est déjà pris : choisissez-en un autre.")
                .at("login"),
        );
        vec![("every_state", page(all, Entered::nothing())), ("refused", page(Vec::new(), refused))]
    }
}

impl Page for ProfessionalPage {
    #[cfg(test)]
    const NAME: &'static str = "professional";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Administration, ONE),
            person: sample_person(state),
            recognisable: false,
            entered: Entered::nothing(),
        };
        let recognisable = ProfessionalPage { recognisable: true, ..page(AccountState::Unconfirmed) };
        vec![
            ("invited", page(AccountState::Invited)),
            ("unconfirmed", page(AccountState::Unconfirmed)),
            ("recognisable", recognisable),
            ("confirmed", page(AccountState::Confirmed)),
            ("ended", page(AccountState::Ended)),
        ]
    }
}

impl Page for InvitedPage {
    #[cfg(test)]
    const NAME: &'static str = "invited";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |code: Option<&str>| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Administration, "Le code d'invitation"),
            invited: Invited {
                id: ProfessionalId::parse(&super::sample::id("p")).unwrap(),
                code: code.map(ToOwned::to_owned),
                expires_at: code.map(|_| "2027-03-17T08:00:00Z".to_owned()),
            },
            name: "Nadia Benali".to_owned(),
        };
        vec![("code", page(Some("abcd-efgh-ijkm"))), ("shown_before", page(None))]
    }
}

#[cfg(test)]
mod tests {
    use crate::web::pages::snapshots;

    #[test]
    fn pages_of_people() {
        snapshots::check::<super::PeoplePage>();
        snapshots::check::<super::ProfessionalPage>();
        snapshots::check::<super::InvitedPage>();
    }
}
