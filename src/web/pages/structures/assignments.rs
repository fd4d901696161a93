//! Affectations: stated, with what the charter makes of them said first; confirmed by a second person; ended.

use askama::Template;

use super::{Room, Shell, basis, organisation_of};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::secrecy::SecrecyBasis;
use crate::domain::vocabulary::{Function, Profession, Secrecy};
use crate::ids::{AssignmentId, OrganisationId};
use crate::service::directory::{AssignmentView, OrganisationView, ProfessionalView};
use crate::service::structures::{AssignmentDraft, Warning};
use crate::service::{AccountState, App, Author, ServiceError};
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::{Page, row};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What is about to be stated.
struct Checked {
    name: String,
    mission: String,
    body: AssignmentDraft,
    warnings: Vec<Warning>,
}

/// A new affectation: the form, or its summary before it is recorded.
#[derive(Template)]
#[template(path = "assignment_new.html")]
struct NewPage {
    shell: Shell,
    organisation: OrganisationView,
    people: Vec<ProfessionalView>,
    entered: Entered,
    checked: Option<Checked>,
}

pub(super) fn routes() -> Vec<Route> {
    let assignment = |action| (action, ResourceKind::Assignment);
    vec![
        row(
            Method::Get,
            "/structures/{organisation}/affectation",
            (Action::Read, ResourceKind::Organisation),
            form,
        ),
        row(Method::Post, "/structures/{organisation}/affectation", assignment(Action::Create), state),
        row(
            Method::Get,
            "/structures/affectations/{assignment}/confirmer",
            (Action::Read, ResourceKind::Organisation),
            before_confirm,
        )
        .asking(&["structure"]),
        row(
            Method::Post,
            "/structures/affectations/{assignment}/confirmer",
            assignment(Action::Confirm),
            confirm,
        )
        .asking(&["structure"]),
        row(
            Method::Get,
            "/structures/affectations/{assignment}/fin",
            (Action::Read, ResourceKind::Organisation),
            before_end,
        )
        .asking(&["structure"]),
        row(Method::Post, "/structures/affectations/{assignment}/fin", assignment(Action::End), end)
            .asking(&["structure"]),
    ]
}

fn show(
    app: &App,
    incoming: &Incoming,
    status: u16,
    entered: Entered,
    body: Option<(AssignmentDraft, Vec<Warning>)>,
) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let organisation = app.organisation(call, &organisation_of(incoming)?)?.into_inner().organisation;
    // Refused to who administers nobody.
    let mut people = app.professionals(Author::Session(call))?.into_inner().items;
    people.retain(|p| p.account != AccountState::Ended);
    let checked = match body {
        None => None,
        Some((body, warnings)) => Some(Checked {
            warnings,
            name: people
                .iter()
                .find(|p| p.id == body.professional)
                .map(|p| p.name.clone())
                .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?,
            mission: organisation
                .missions
                .iter()
                .find(|m| m.id == body.mission)
                .map_or_else(String::new, |m| m.title.clone()),
            body,
        }),
    };
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Donner une affectation")?;
    Answer::page_with(status, &NewPage { shell, organisation, people, entered, checked })
}

fn form(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing(), None)
}

/// The first button shows what it would do; the second does it; the third goes back to the form as it was.
fn state(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let organisation = organisation_of(incoming)?;
    if incoming.form.button() == Some("back") {
        return show(app, incoming, 200, Entered::sent(&incoming.form), None);
    }
    let attempt = || -> Result<Option<(AssignmentDraft, Vec<Warning>)>, Fault> {
        let draft = super::form::assignment(&incoming.form)?.draft();
        if incoming.form.button() != Some("record") {
            let warnings = app.assignment_warnings(incoming.call()?, &draft)?.into_inner();
            return Ok(Some((draft, warnings)));
        }
        app.assignment_create(Author::Session(incoming.call()?), &draft)?;
        Ok(None)
    };
    match attempt() {
        Ok(Some(checked)) => show(app, incoming, 200, Entered::sent(&incoming.form), Some(checked)),
        Ok(None) => Ok(Answer::see_other(format!("/structures/{}?fait=propose", organisation.as_str()))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show(app, incoming, status, entered, None))
        }
    }
}

/// The affectation that an address names, on the page of its structure.
fn find(app: &App, incoming: &Incoming) -> Result<(AssignmentView, OrganisationView), Fault> {
    let absent = || Fault::Syntax(ServiceError::AbsentOrRefused);
    let id = incoming.id("assignment", AssignmentId::parse)?;
    let organisation = incoming.query("structure", OrganisationId::parse)?.ok_or_else(absent)?;
    let detail = app.organisation(incoming.call()?, &organisation)?.into_inner();
    let found = detail.assignments.into_iter().find(|a| a.id == id).ok_or_else(absent)?;
    Ok((found, detail.organisation))
}

fn before_confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (a, o) = find(app, incoming)?;
    // The page of the structure says that another person is awaited.
    if !a.yours_to_confirm {
        return Ok(Answer::see_other(format!("/structures/{}", o.id)));
    }
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Confirmer une affectation")?;
    let secret = if a.secrecy_basis.is_empty() {
        a.secrecy.french().to_owned()
    } else {
        format!("{} : {}", a.secrecy.french(), basis(&a.secrecy_basis))
    };
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Confirmer l'affectation de {} ?", a.name),
        effects: vec![
            format!("Profession : {}. Fonction : {}.", a.profession.french(), a.function.french()),
            format!("Secret : {secret}. Vérifiez que ce texte vaut bien pour cette personne."),
            format!(
                "Proposée par {}. Vous êtes la seconde personne : ni celle qui l'a proposée, ni celle qu'elle concerne.",
                a.stated_by.as_deref().unwrap_or("la ligne de commande")
            ),
            "L'affectation prend effet. Cette personne lira ce que la charte et les accords lui ouvrent, et rien d'autre."
                .to_owned(),
        ],
        action: format!("/structures/affectations/{}/confirmer?structure={}", a.id, o.id),
        button: "C'est exact, je confirme",
        stops: false,
        back: format!("/structures/{}", o.id),
    })
}

fn after(incoming: &Incoming, done: &str) -> Result<Answer, Fault> {
    Ok(match incoming.query("structure", OrganisationId::parse)? {
        Some(id) => Answer::see_other(format!("/structures/{id}?fait={done}")),
        None => Answer::see_other("/structures"),
    })
}

fn confirm(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("assignment", AssignmentId::parse)?;
    let refused = match app.assignment_confirm(incoming.call()?, &id) {
        Ok(_) => return after(incoming, "confirme"),
        Err(error) => error,
    };
    let Some(structure) = incoming.query("structure", OrganisationId::parse)? else {
        return Err(refused.into());
    };
    back(app, incoming, refused.into(), |status, entered| {
        super::show_structure(app, incoming, &structure, status, super::Shown::Other(entered))
    })
}

fn before_end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (a, o) = find(app, incoming)?;
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Terminer une affectation")?;
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Terminer l'affectation de {} ?", a.name),
        effects: vec![
            format!("{} ({}) : l'affectation finit maintenant.", o.name, a.profession.within_brackets()),
            "Ses sessions sous cette affectation se ferment, et ses accès s'arrêtent dès la prochaine page."
                .to_owned(),
            "Les parcours restent à la structure. La personne responsable nomme qui prend la suite."
                .to_owned(),
        ],
        action: format!("/structures/affectations/{}/fin?structure={}", a.id, o.id),
        button: "Terminer l'affectation",
        stops: true,
        back: format!("/structures/{}", o.id),
    })
}

fn end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("assignment", AssignmentId::parse)?;
    app.assignment_end(Author::Session(incoming.call()?), &id)?;
    after(incoming, "fin")
}

impl Page for NewPage {
    #[cfg(test)]
    const NAME: &'static str = "assignment_new";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::sample;
        use crate::ids::{MissionId, ProfessionalId};
        let page = |entered, checked| Self {
            shell: crate::web::pages::shell::sample::signed_in(
                Room::Administration,
                "Donner une affectation",
            ),
            organisation: sample::organisation(),
            people: vec![ProfessionalView {
                id: ProfessionalId::parse(&sample::id("p")).unwrap(),
                login: "nadia.benali".to_owned(),
                name: "Nadia Benali".to_owned(),
                telephone: "06 12 34 56 78".to_owned(),
                account: AccountState::Confirmed,
                invited_by: None,
                recognised_by: None,
                assignments: Vec::new(),
            }],
            entered,
            checked,
        };
        let body = AssignmentDraft {
            professional: ProfessionalId::parse(&sample::id("p")).unwrap(),
            organisation: OrganisationId::parse(&sample::id("g")).unwrap(),
            mission: MissionId::parse(&sample::id("m")).unwrap(),
            profession: Profession::Landlord,
            function: Function::Practitioner,
            secrecy: Secrecy::NotBound,
            secrecy_basis: None,
            secrecy_until: None,
            starts: None,
            ends: None,
        };
        let checked = Checked {
            name: "Nadia Benali".to_owned(),
            mission: "Réussite éducative".to_owned(),
            body,
            warnings: vec![Warning { code: "nothing_receivable", message: "Bailleur : rien.".to_owned() }],
        };
        let refused = Entered::refused(
            &crate::web::form::Form::of(&[("secrecy", "bound")]),
            &ServiceError::rule("secrecy_basis_missing", "Un secret repose sur un texte.")
                .at("secrecy_basis"),
        );
        vec![
            ("form", page(Entered::nothing(), None)),
            ("checked", page(Entered::nothing(), Some(checked))),
            ("refused", page(refused, None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_affectations() {
        crate::web::pages::snapshots::check::<super::NewPage>();
    }
}
