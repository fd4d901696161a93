//! « Demandes d'identité »: asked from a record, decided by a second person, read once by who asked.
//!
//! INVARIANT: the name stands on one page, the answer to the form that asks for it; no address shows it again.

use askama::Template;

use crate::domain::record::{Action, ResourceKind};
use crate::domain::reidentification::{
    PseudonymOf, READING_DAYS, ReidentificationMotive, ReidentificationState, SecondOpinion,
};
use crate::ids::ReidentificationId;
use crate::service::{
    Act, App, Identity, RecordLine, ReidentificationInput, ReidentificationView, SecondOpinionInput,
    ServiceError,
};
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::today::Line;
use crate::web::pages::words;
use crate::web::pages::{Page, record_index};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const LIST: Act = Act { action: Action::List, resource: ResourceKind::Reidentification };

/// The request, before it is made.
#[derive(Template)]
#[template(path = "identity_ask.html")]
struct AskPage {
    shell: Shell,
    index: u64,
    sentence: String,
    /// Which pseudonyms the record carries.
    of: Vec<PseudonymOf>,
    entered: Entered,
}

/// Every request that one may know of.
#[derive(Template)]
#[template(path = "identities.html")]
struct ListPage {
    shell: Shell,
    /// Those that wait for who looks.
    waiting: Vec<ReidentificationView>,
    others: Vec<ReidentificationView>,
}

/// One of them.
#[derive(Template)]
#[template(path = "identity.html")]
struct OnePage {
    shell: Shell,
    one: ReidentificationView,
    entered: Entered,
}

/// The answer.
#[derive(Template)]
#[template(path = "identity_read.html")]
struct ReadPage {
    shell: Shell,
    identity: Identity,
}

/// The rows; before those of a record, whose address has a number in the same place.
#[must_use]
pub fn routes() -> Vec<Route> {
    const ASK: &str = "/controle/{index}/identite";
    const ONE: &str = "/identites/{reidentification}";
    let row = crate::web::pages::row;
    let did = |action| (action, ResourceKind::Reidentification);
    vec![
        row(Method::Get, ASK, (Action::Read, ResourceKind::AuditLog), ask_page),
        row(Method::Post, ASK, did(Action::Create), ask),
        row(Method::Get, "/identites", did(Action::List), list),
        row(Method::Get, ONE, did(Action::List), one_page),
        row(Method::Post, ONE, did(Action::Confirm), decide),
        row(Method::Post, "/identites/{reidentification}/lire", did(Action::Read), read),
    ]
}

impl AskPage {
    fn of(shell: Shell, line: RecordLine, entered: Entered) -> Self {
        let mut of = Vec::new();
        of.extend(line.actor.map(|_| PseudonymOf::Actor));
        of.extend(line.pathway.map(|_| PseudonymOf::Pathway));
        Self { shell, index: line.index, sentence: line.sentence, of, entered }
    }
}

fn show_ask(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let act = Act { action: Action::Read, resource: ResourceKind::AuditLog };
    let line = app.audit_record(incoming.call()?, act, record_index(incoming)?)?.into_inner().line;
    let shell = Shell::signed_in(app, incoming, Room::Audit, "Demander une identité")?;
    Answer::page_with(status, &AskPage::of(shell, line, entered))
}

fn ask_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_ask(app, incoming, 200, Entered::first(app, incoming)?)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: ReidentificationInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.reidentification_ask(incoming.call()?, incoming.act, record_index(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/identites?fait=seconde-personne")),
        Err(fault) => back(app, incoming, fault, |status, entered| show_ask(app, incoming, status, entered)),
    }
}

fn all(app: &App, incoming: &Incoming) -> Result<Vec<ReidentificationView>, Fault> {
    Ok(app.reidentifications(incoming.call()?, LIST)?.into_inner().items)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (waiting, others) = all(app, incoming)?.into_iter().partition(|r| r.may_decide || r.may_read);
    let shell = Shell::signed_in(app, incoming, Room::Identities, "Demandes d'identité")?;
    Answer::page(&ListPage { shell, waiting, others })
}

fn id(incoming: &Incoming) -> Result<ReidentificationId, Fault> {
    incoming.id("reidentification", ReidentificationId::parse)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = id(incoming)?;
    let one = all(app, incoming)?.into_iter().find(|r| r.id == id);
    let one = one.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let shell = Shell::signed_in(app, incoming, Room::Identities, "Demande d'identité")?;
    Answer::page_with(status, &OnePage { shell, one, entered })
}

fn one_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: SecondOpinionInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.reidentification_decide(incoming.call()?, &id(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/identites?fait=decide")),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// Nothing to go back to: the answer is the page itself, and pressing twice says that it was read.
fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let read = id(incoming)
        .and_then(|id| Ok(app.reidentification_read(incoming.call()?, incoming.act, &id)?.into_inner()));
    match read {
        Ok(identity) => {
            let shell = Shell::signed_in(app, incoming, Room::Identities, "Identité")?;
            Answer::page(&ReadPage { shell, identity })
        }
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// What waits for who may be second, or who may read: a line of the first page.
///
/// # Errors
/// As the service.
pub(in crate::web::pages) fn waiting(app: &App, incoming: &Incoming) -> Result<Vec<Line>, Fault> {
    let today = app.clock().now().paris_day();
    Ok(all(app, incoming)?.into_iter().filter(|r| r.may_decide).map(|r| line_of(&r, today)).collect())
}

fn line_of(one: &ReidentificationView, today: chrono::NaiveDate) -> Line {
    Line {
        chip: "Demande d'identité",
        urgent: false,
        whose: None,
        sentence: format!(
            "{} ({}) demande qui est derrière un pseudonyme du journal. Confirmez ou refusez.",
            one.asked_by.name, one.asked_by.organisation
        ),
        when: one.until.as_deref().map(|end| words::dated(end, &today)),
        telephone: None,
        href: format!("/identites/{}", one.id),
        act: "Lire et décider",
    }
}

#[cfg(test)]
pub(in crate::web::pages) mod samples {
    use super::*;
    use crate::domain::vocabulary::Profession;
    use crate::web::pages::frame::sample::who;

    pub(in crate::web::pages) fn one(state: ReidentificationState, mine: bool) -> ReidentificationView {
        let decided = !matches!(state, ReidentificationState::Waiting | ReidentificationState::Lapsed);
        ReidentificationView {
            id: ReidentificationId::parse(&"a".repeat(26)).unwrap(),
            index: 1203,
            of: PseudonymOf::Actor,
            record: super::super::samples::line(crate::domain::record::Verdict::Permit).sentence,
            motive: ReidentificationMotive::IrregularAccess,
            reason: "Lectures de nuit, sans acte dans le cercle.".to_owned(),
            asked_at: "2027-03-12T10:00:00Z".to_owned(),
            asked_by: who("Irène Vidal", "Contrôle", Profession::Auditor),
            mine,
            state,
            until: state.runs().then(|| "2027-03-20T10:00:00Z".to_owned()),
            may_decide: !mine && state == ReidentificationState::Waiting,
            may_read: mine && state == ReidentificationState::Open,
            decided_by: decided.then(|| who("Émile Garnier", "Contrôle", Profession::DataProtectionOfficer)),
            remark: decided.then(|| "Le motif tient.".to_owned()),
        }
    }

    /// The line of the first page.
    pub(in crate::web::pages) fn line(today: chrono::NaiveDate) -> Line {
        line_of(&one(ReidentificationState::Waiting, false), today)
    }
}

impl Page for AskPage {
    #[cfg(test)]
    const NAME: &'static str = "identity_ask";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::text::{EntryError, FieldErrors};
        let page = |pathway: bool, entered| {
            let shell = crate::web::pages::shell::sample::signed_in(Room::Audit, "Demander une identité");
            let mut line = super::samples::line(crate::domain::record::Verdict::Permit);
            if !pathway {
                line.pathway = None;
            }
            Self::of(shell, line, entered)
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("reason", EntryError::Missing));
        let refused = Entered::refused(&crate::web::form::Form::default(), &wrong);
        vec![("both", page(true, Entered::nothing())), ("refused", page(false, refused))]
    }
}

impl Page for ListPage {
    #[cfg(test)]
    const NAME: &'static str = "identities";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |waiting, others| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Identities, "Demandes d'identité"),
            waiting,
            others,
        };
        let every = ReidentificationState::ALL.iter().map(|state| samples::one(*state, false)).collect();
        let mine = samples::one(ReidentificationState::Open, true);
        let asked = samples::one(ReidentificationState::Waiting, false);
        vec![("none", page(vec![], vec![])), ("every", page(vec![asked, mine], every))]
    }
}

impl Page for OnePage {
    #[cfg(test)]
    const NAME: &'static str = "identity";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state, mine| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Identities, "Demande d'identité"),
            one: samples::one(state, mine),
            entered: Entered::nothing(),
        };
        vec![
            ("to_decide", page(ReidentificationState::Waiting, false)),
            ("asked", page(ReidentificationState::Waiting, true)),
            ("to_read", page(ReidentificationState::Open, true)),
            ("refused", page(ReidentificationState::Refused, true)),
        ]
    }
}

impl Page for ReadPage {
    #[cfg(test)]
    const NAME: &'static str = "identity_read";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::vocabulary::Profession;
        use crate::service::ReferentName;
        let page = |identity| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Identities, "Identité"),
            identity,
        };
        let pathway = |referent| Identity::Pathway {
            organisation: "Ville de Val-d'Orme".to_owned(),
            telephone: "0102030405".to_owned(),
            referent,
        };
        let actor = |place: Option<&str>, profession| Identity::Actor {
            name: "Julie Morel".to_owned(),
            organisation: place.map(ToOwned::to_owned),
            profession,
        };
        let referent = ReferentName { name: "Nadia Benali".to_owned(), telephone: "0601020304".to_owned() };
        vec![
            ("actor", page(actor(Some("Collège Jean-Moulin"), Some(Profession::Teacher)))),
            ("account", page(actor(None, None))),
            ("pathway", page(pathway(Some(referent)))),
            ("nobody", page(pathway(None))),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_identities() {
        crate::web::pages::snapshots::check::<super::AskPage>();
        crate::web::pages::snapshots::check::<super::ListPage>();
        crate::web::pages::snapshots::check::<super::OnePage>();
        crate::web::pages::snapshots::check::<super::ReadPage>();
    }
}
