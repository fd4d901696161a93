//! Validating words: a sheet on which the family validates the exact words of one version, for one recipient and one
//! purpose. Its sheet and its signatures are those of accords.

use askama::Template;

use super::prepare::recipient_of;
use super::service_name;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Purpose;
use crate::ids::{ItemId, ItemVersionId};
use crate::service::{Act, App, RecipientView, ReleaseInput, ServiceError};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// What will be validated, before a sheet is made.
#[derive(Template)]
#[template(path = "release_prepare.html")]
struct ReleasePage {
    shell: Shell,
    frame: Frame,
    entered: Entered,
    label: String,
    version: String,
    purpose: Purpose,
    recipient: String,
    who: String,
    here: String,
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/validations/preparer";
    const ASKED: &[&str] = &["item", "recipient", "purpose"];
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, PATH, (Action::Read, ResourceKind::Release), page).asking(ASKED),
        row(Method::Post, PATH, (Action::Create, ResourceKind::Release), create).asking(ASKED),
    ]
}

fn absent() -> Fault {
    Fault::Syntax(ServiceError::AbsentOrRefused)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let asked = |name: &str| incoming.query.get(name).map(String::as_str).unwrap_or_default();
    let purpose = Purpose::parse(asked("purpose")).map_err(|_| absent())?;
    let item = ItemId::parse(asked("item")).map_err(|_| absent())?;
    let key = recipient_of(asked("recipient")).ok_or_else(absent)?;
    let all = app.addressees(incoming.call()?, purpose)?.into_inner().items;
    let names = |s: &RecipientView| {
        s.organisation == key.organisation && s.profession == key.profession && s.mission == key.mission
    };
    let found = all.into_iter().map(|a| a.service).find(names).ok_or_else(absent)?;
    let item = app.item(incoming.call()?, &item, None)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Faire valider des mots")?;
    let here = frame.at(&format!(
        "/validations/preparer?item={}&recipient={}&purpose={}",
        item.id,
        asked("recipient"),
        purpose.code()
    ));
    Answer::page_with(
        status,
        &ReleasePage {
            label: format!("{} : « {} »", item.category.french(), item.label),
            version: item.version_id,
            recipient: asked("recipient").to_owned(),
            who: format!("{} ({})", service_name(&found), found.profession.within_brackets()),
            purpose,
            shell,
            frame,
            entered,
            here,
        },
    )
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn create(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<String, Fault> {
        let form = &incoming.form;
        let syntax = |e| Fault::Syntax(ServiceError::Invalid(e));
        let input = ReleaseInput {
            item_version: form.need("version", ItemVersionId::parse).map_err(syntax)?,
            recipient: form.one("recipient").and_then(recipient_of).ok_or_else(absent)?,
            purpose: form.need("purpose", Purpose::parse).map_err(syntax)?,
            only_assignment: None,
        };
        let pathway = pathway_of(incoming)?;
        let act = Act { action: Action::Create, resource: ResourceKind::Release };
        let made = app.release_create(incoming.call()?, act, &pathway, &input)?;
        Ok(format!("/parcours/{pathway}/validations/{}/feuille", made.id))
    };
    match attempt() {
        Ok(to) => Ok(Answer::see_other(to)),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for ReleasePage {
    #[cfg(test)]
    const NAME: &'static str = "release_prepare";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered| {
            let (shell, frame) =
                crate::web::pages::frame::sample::frame(Part::Accords, "Faire valider des mots");
            Self {
                shell,
                frame,
                entered,
                label: "Santé : le strict nécessaire : « Traitement à 20 h »".to_owned(),
                version: "v".to_owned(),
                purpose: Purpose::Stay,
                recipient: "key".to_owned(),
                who: "Séjours, Ville de Val-d'Orme (Direction ou animation de séjour)".to_owned(),
                here: "/parcours/pathway/validations/preparer?item=i".to_owned(),
            }
        };
        let rule = ServiceError::rule("version_superseded", "Ces mots ont été corrigés depuis.");
        let form = crate::web::form::Form::default();
        vec![("ready", page(Entered::nothing())), ("corrected", page(Entered::refused(&form, &rule)))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_validation() {
        crate::web::pages::snapshots::check::<super::ReleasePage>();
    }
}
