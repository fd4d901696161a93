//! The charter as people read it, and its signature in one click (S14).

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::cell::Need;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Secrecy};
use crate::service::App;
use crate::service::charter_reading::{EditionReading, Receiver};
use crate::service::charters::HexHash;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One version, whole; and that another one is announced.
#[derive(Template)]
#[template(path = "charter.html")]
struct CharterPage {
    shell: Shell,
    edition: Option<EditionReading>,
    /// Whether this is the version announced.
    ahead: bool,
    announced: Option<EditionReading>,
    entered: Entered,
}

impl CharterPage {
    /// The class of a need: never by colour alone, the word stands beside it.
    fn class(need: &Need) -> &'static str {
        match need {
            Need::Opening => "yes",
            Need::Category => "accent",
            Need::Informed => "wait",
            Need::Never => "no",
        }
    }

    /// The word of a need in the great table.
    fn word(need: &Need) -> &'static str {
        match need {
            Need::Opening => "accord général",
            Need::Category => "sujet nommé",
            Need::Informed => "texte exact",
            Need::Never => "jamais",
        }
    }

    /// « tenu au secret », beside the profession.
    fn bound(receiver: &Receiver) -> &'static str {
        match receiver.secrecy {
            Secrecy::Bound => "tenu au secret professionnel",
            Secrecy::Contested | Secrecy::NotBound => "tenu à la discrétion, pas au secret",
        }
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let charter = |action| (action, ResourceKind::Charter);
    vec![
        super::row(Method::Get, "/charte", charter(Action::Read), in_force),
        super::row(Method::Get, "/charte/annoncee", charter(Action::Read), announced),
        super::row(Method::Post, "/charte/signer", charter(Action::Sign), sign),
        super::row(
            Method::Post,
            "/charte/signer-pour-la-structure",
            (Action::Sign, ResourceKind::Organisation),
            sign_for_organisation,
        ),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, ahead: bool, entered: Entered) -> Result<Answer, Fault> {
    let reading = app.charter_reading(incoming.call()?)?.into_inner();
    let (edition, announced) =
        if ahead { (reading.announced, None) } else { (reading.in_force, reading.announced) };
    let shell = Shell::signed_in(app, incoming, Room::Charter, "La charte")?;
    Answer::page_with(status, &CharterPage { shell, edition, ahead, announced, entered })
}

fn in_force(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, false, Entered::nothing())
}

fn announced(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, true, Entered::nothing())
}

/// The two hashes of the version that the page showed.
fn shown(incoming: &Incoming) -> Result<(HexHash, HexHash), Fault> {
    let form = &incoming.form;
    let text = form.need("text_hash", HexHash::parse).map_err(|e| Fault::Syntax(e.into()))?;
    let policy = form.need("policy_hash", HexHash::parse).map_err(|e| Fault::Syntax(e.into()))?;
    Ok((text, policy))
}

fn sign(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let (text, policy) = shown(incoming)?;
        app.sign_charter(incoming.call()?, &text, &policy)?;
        Ok(())
    };
    signed(app, incoming, attempt())
}

fn sign_for_organisation(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let (text, policy) = shown(incoming)?;
        app.sign_charter_for_organisation(incoming.call()?, &text, &policy)?;
        Ok(())
    };
    signed(app, incoming, attempt())
}

fn signed(app: &App, incoming: &Incoming, outcome: Result<(), Fault>) -> Result<Answer, Fault> {
    let ahead = incoming.form.has("ahead", "true");
    match outcome {
        Ok(()) if ahead => Ok(Answer::see_other("/charte/annoncee?fait=signe")),
        Ok(()) => Ok(Answer::see_other("/charte?fait=signe")),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show(app, incoming, status, ahead, entered))
        }
    }
}

#[cfg(test)]
fn sample_edition(signed: bool) -> EditionReading {
    use crate::charter::Charter;
    use crate::ids::{CharterId, OrganisationId};
    use crate::service::charter_reading::{packs, purposes, receivers};
    use crate::service::charters::{CharterEdition, CharterParty};
    let charter = Charter::embedded_demo().unwrap();
    let id = |c: &str| format!("{}a", c.repeat(25));
    let mine = (crate::domain::vocabulary::Profession::ReferentPre, Secrecy::Bound);
    EditionReading {
        receivers: receivers(charter.matrix(), Some(mine)),
        purposes: purposes(charter.matrix()),
        packs: packs(charter.sheet()),
        sheet: charter.sheet().clone(),
        may_sign: !signed,
        sign_for: (!signed).then(|| "Ville de Val-d'Orme".to_owned()),
        edition: CharterEdition {
            id: CharterId::parse(&id("a")).unwrap(),
            number: 2,
            title: charter.title().to_owned(),
            version: charter.version().to_owned(),
            published_at: "2027-01-13T08:00:00Z".to_owned(),
            effective_at: "2027-02-12T23:00:00Z".to_owned(),
            text_hash: id("b"),
            policy_hash: id("c"),
            charter_text: String::new(),
            policy_text: String::new(),
            matrix: String::new(),
            differences: vec!["La mission locale ne lira plus le logement.".to_owned()],
            signed_by: vec![CharterParty {
                organisation: OrganisationId::parse(&id("d")).unwrap(),
                name: "Sauvegarde de l'Orme".to_owned(),
                signed_at: "2027-01-14T08:00:00Z".to_owned(),
            }],
            signed_by_me: signed,
            signed_by_my_organisation: signed,
        },
    }
}

impl Page for CharterPage {
    #[cfg(test)]
    const NAME: &'static str = "charter";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |edition, ahead, announced| Self {
            shell: super::shell::sample::signed_in(Room::Charter, "La charte"),
            edition,
            ahead,
            announced,
            entered: Entered::nothing(),
        };
        vec![
            ("signed", page(Some(sample_edition(true)), false, None)),
            ("to_sign_and_announced", page(Some(sample_edition(false)), false, Some(sample_edition(false)))),
            ("ahead", page(Some(sample_edition(false)), true, None)),
            ("none", page(None, false, None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_the_charter() {
        crate::web::pages::snapshots::check::<super::CharterPage>();
    }
}
