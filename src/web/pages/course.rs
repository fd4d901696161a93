//! What the référent alone does: identity and holders, the review with the next step, and the end of a pathway.
//!
//! INVARIANT: an identity is given by the young person (S15); each of these acts says what it will do before it does it.

use askama::Template;

use super::Page;
use super::entered::{Entered, back, missing};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::clock::plus_months;
use crate::domain::item::ContactKind;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Capacity, Role, Step};
use crate::ids::HolderId;
use crate::service::pathways::{ClosingInput, ClosingReason, CourseInput};
use crate::service::people::{
    EmancipationInput, HolderEnd, HolderInput, HolderView, IdentityInput, PreferenceView,
};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Lines of contacts that the form offers.
const CONTACTS: [usize; 3] = [0, 1, 2];

/// The three forms of the page of the person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Identity,
    Holder,
    Emancipation,
}

/// Identity, holders, emancipation.
#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    frame: Frame,
    holders: Vec<HolderView>,
    is_referent: bool,
    identity: Entered,
    /// The identity was corrected meanwhile: what is known now stands beside what was written.
    stale: bool,
    holder: Entered,
    emancipation: Entered,
}

impl PersonPage {
    /// LAW: C. civ. 413-1 and 413-2. From sixteen, before majority, once.
    fn may_be_emancipated(&self) -> bool {
        let once = self.frame.view.person.as_ref().is_some_and(|p| p.emancipated_on.is_none());
        once && self.frame.years().is_some_and(|years| (16..18).contains(&years))
    }

    /// The pathway's person is known by a nickname.
    fn nickname(&self) -> bool {
        self.frame.view.person.as_ref().is_some_and(|p| p.nickname_only)
    }
}

impl PersonPage {
    /// What is known now, in words.
    fn known(&self) -> Vec<(&'static str, String)> {
        let Some(person) = &self.frame.view.person else { return Vec::new() };
        let mut out = vec![("Nom", person.name.clone())];
        out.extend(person.birth_date.as_deref().map(|day| ("Date de naissance", words::day_of(day))));
        let called = |who: &str, number: &str| format!("{who} : {}", words::telephone(number));
        if let Some(sheet) = &person.identity {
            out.extend(sheet.contacts.iter().map(|c| {
                let who = format!("{} ({})", c.who.as_str(), c.kind.french());
                ("Contact", called(&who, c.number.as_str()))
            }));
            out.extend(
                sheet
                    .emergency_contacts
                    .iter()
                    .map(|c| ("En cas d'urgence", called(c.who.as_str(), c.number.as_str()))),
            );
        }
        out
    }

    fn version(&self) -> i64 {
        self.frame.view.person_version.unwrap_or_default()
    }
}

/// The end of one holder's capacity.
#[derive(Template)]
#[template(path = "holder_end.html")]
struct HolderEndPage {
    shell: Shell,
    frame: Frame,
    holder: HolderView,
    entered: Entered,
}

/// The review.
#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    shell: Shell,
    frame: Frame,
    /// The step that it is at, and the one after.
    steps: Vec<Step>,
    said: Vec<PreferenceView>,
    entered: Entered,
}

/// The end of a pathway.
#[derive(Template)]
#[template(path = "closing.html")]
struct ClosingPage {
    shell: Shell,
    frame: Frame,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let pathway = |action| (action, ResourceKind::Pathway);
    let holder = |action| (action, ResourceKind::Holder);
    let (get, post) = (Method::Get, Method::Post);
    vec![
        super::row(get, "/parcours/{pathway}/personne", holder(Action::Read), person),
        super::row(post, "/parcours/{pathway}/personne", (Action::Update, ResourceKind::Identity), identity),
        super::row(
            post,
            "/parcours/{pathway}/personne/emancipation",
            (Action::Update, ResourceKind::Identity),
            emancipation,
        ),
        super::row(post, "/parcours/{pathway}/personne/titulaires", holder(Action::Create), add_holder),
        super::row(
            get,
            "/parcours/{pathway}/personne/titulaires/{holder}/fin",
            holder(Action::End),
            holder_end_page,
        ),
        super::row(
            post,
            "/parcours/{pathway}/personne/titulaires/{holder}/fin",
            holder(Action::End),
            holder_end,
        ),
        super::row(get, "/parcours/{pathway}/bilan", pathway(Action::Update), review_page),
        super::row(post, "/parcours/{pathway}/bilan", pathway(Action::Update), review),
        super::row(get, "/parcours/{pathway}/clore", pathway(Action::End), closing_page),
        super::row(post, "/parcours/{pathway}/clore", pathway(Action::End), close),
    ]
}

/// What is known already, as the fields of the form.
fn known(frame: &Frame) -> Entered {
    let Some(person) = &frame.view.person else { return Entered::nothing() };
    let mut fields: Vec<(String, String)> = Vec::new();
    if let Some(sheet) = &person.identity {
        let value = |v: &dyn AsRef<str>| v.as_ref().to_owned();
        fields.push(("identity.first_name".to_owned(), value(&sheet.first_name.as_str())));
        fields.push(("identity.name".to_owned(), value(&sheet.name.as_str())));
        for (i, contact) in sheet.contacts.iter().enumerate() {
            let at = |name: &str| format!("identity.contacts[{i}].{name}");
            fields.push((at("kind"), contact.kind.code().to_owned()));
            fields.push((at("who"), contact.who.as_str().to_owned()));
            fields.push((at("number"), contact.number.as_str().to_owned()));
        }
        for (i, contact) in sheet.emergency_contacts.iter().enumerate() {
            let at = |name: &str| format!("identity.emergency_contacts[{i}].{name}");
            fields.push((at("who"), contact.who.as_str().to_owned()));
            fields.push((at("number"), contact.number.as_str().to_owned()));
        }
    }
    if let Some(day) = &person.birth_date {
        fields.push(("birth_date".to_owned(), day.clone()));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Entered::filled(&fields)
}

fn show_person(
    app: &App,
    incoming: &Incoming,
    status: u16,
    refused: Option<(Which, Entered)>,
) -> Result<Answer, Fault> {
    let holders = app.holders(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Identité et titulaires")?;
    let today = frame.today.to_string();
    let mut page = PersonPage {
        is_referent: frame.view.me.role == Role::Referent && frame.view.closed_at.is_none(),
        identity: known(&frame),
        stale: false,
        holder: Entered::filled(&[("from", today.as_str())]),
        emancipation: Entered::nothing(),
        shell,
        frame,
        holders,
    };
    match refused {
        Some((Which::Identity, entered)) => {
            (page.identity, page.stale) = entered.against(page.version());
        }
        Some((Which::Holder, entered)) => page.holder = entered,
        Some((Which::Emancipation, entered)) => page.emancipation = entered,
        None => {}
    }
    Answer::page_with(status, &page)
}

fn person(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let kept = Entered::kept(app, incoming)?;
    show_person(app, incoming, 200, kept.map(|entered| (Which::Identity, entered)))
}

/// After one of the page's forms: back to it.
fn settled(
    app: &App,
    incoming: &Incoming,
    which: Which,
    attempt: impl FnOnce() -> Result<(), Fault>,
) -> Result<Answer, Fault> {
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!(
            "/parcours/{}/personne?fait=enregistre",
            pathway_of(incoming)?.as_str()
        ))),
        Err(fault) => back(app, incoming, fault, |status, entered| {
            show_person(app, incoming, status, Some((which, entered)))
        }),
    }
}

fn identity(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    settled(app, incoming, Which::Identity, || {
        let input: IdentityInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.identity_set(incoming.call()?, &pathway_of(incoming)?, &input)?;
        Ok(())
    })
}

fn emancipation(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    settled(app, incoming, Which::Emancipation, || {
        // It ends the parents' accords: the form asks again before it is sent.
        if !incoming.form.has("seen", "true") {
            return Err(missing("seen"));
        }
        let form = incoming.form.without(&["seen"]);
        let input: EmancipationInput = form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.emancipation_set(incoming.call()?, &pathway_of(incoming)?, input)?;
        Ok(())
    })
}

fn add_holder(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    settled(app, incoming, Which::Holder, || {
        let input: HolderInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.holder_add(incoming.call()?, &pathway_of(incoming)?, &input)?;
        Ok(())
    })
}

fn show_holder_end(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = incoming.id("holder", HolderId::parse)?;
    let holders = app.holders(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let holder = holders
        .into_iter()
        .find(|h| h.id == id.as_str())
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Fin d'une qualité")?;
    Answer::page_with(status, &HolderEndPage { shell, frame, holder, entered })
}

fn holder_end_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_holder_end(app, incoming, 200, Entered::first(app, incoming)?)
}

fn holder_end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let id = incoming.id("holder", HolderId::parse)?;
    let attempt = || -> Result<(), Fault> {
        let input: HolderEnd = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.holder_end(incoming.call()?, &pathway, &id, input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}/personne?fait=fin", pathway.as_str()))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_holder_end(app, incoming, status, entered))
        }
    }
}

fn show_review(
    app: &App,
    incoming: &Incoming,
    status: u16,
    entered: Option<Entered>,
) -> Result<Answer, Fault> {
    let said = app.preferences(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Bilan")?;
    let steps: Vec<Step> = frame.view.step.map_or_else(Vec::new, |now| {
        Step::ALL
            .iter()
            .copied()
            .filter(|s| matches!(s.index().checked_sub(now.index()), Some(0 | 1)))
            .collect()
    });
    let entered = entered.unwrap_or_else(|| {
        let next = plus_months(frame.today, 6).map(|d| d.to_string()).unwrap_or_default();
        let step = frame.view.step.map_or("", Step::code);
        Entered::filled(&[("step", step), ("review_on", next.as_str())])
    });
    Answer::page_with(status, &ReviewPage { shell, frame, steps, said, entered })
}

fn review_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_review(app, incoming, 200, Entered::kept(app, incoming)?)
}

fn review(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let input: CourseInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.course_set(incoming.call()?, &pathway, input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}?fait=bilan", pathway.as_str()))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_review(app, incoming, status, Some(entered)))
        }
    }
}

fn show_closing(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Clore le parcours")?;
    if frame.view.me.role != Role::Referent {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    Answer::page_with(status, &ClosingPage { shell, frame, entered })
}

fn closing_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_closing(app, incoming, 200, Entered::first(app, incoming)?)
}

fn close(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let input: ClosingInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.pathway_close(incoming.call()?, &pathway, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{}?fait=clos", pathway.as_str()))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_closing(app, incoming, status, entered))
        }
    }
}

#[cfg(test)]
fn sample_identity() -> crate::service::people::IdentitySheet {
    serde_json::from_value(serde_json::json!({
        "first_name": "Léa", "name": "Martin",
        "contacts": [{ "kind": "parent", "who": "Sarah Martin", "number": "0611223344" }],
        "emergency_contacts": [{ "who": "Tante", "number": "0611223355" }],
    }))
    .unwrap()
}

#[cfg(test)]
fn sample_holder() -> HolderView {
    HolderView {
        id: "holder".to_owned(),
        capacity: Capacity::Parent,
        can_sign: true,
        from: "2011-05-02".to_owned(),
        ends: None,
        organisation: None,
        proof: None,
        do_not_contact: false,
        name: crate::domain::text::Text::parse("Sarah Martin").ok(),
        number: crate::domain::contact::Phone::parse("06 12 34 56 78").ok(),
        relation: crate::domain::text::Text::parse("mère").ok(),
    }
}

impl Page for PersonPage {
    #[cfg(test)]
    const NAME: &'static str = "person";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |holders, nickname, is_referent| {
            let (shell, mut frame) = frame(Part::Other, "Identité et titulaires");
            if let Some(person) = &mut frame.view.person {
                person.nickname_only = nickname;
            }
            let nothing = Entered::nothing;
            Self {
                shell,
                identity: known(&frame),
                frame,
                holders,
                is_referent,
                stale: false,
                holder: nothing(),
                emancipation: nothing(),
            }
        };
        let mut hidden = sample_holder();
        hidden.do_not_contact = true;
        hidden.number = None;
        hidden.ends = Some("2027-09-01".to_owned());
        let stale = {
            let mut page = page(Vec::new(), false, true);
            let form = crate::web::form::Form::of(&[
                ("version:int", "0"),
                ("identity.first_name", "Léa"),
                ("identity.name", "Martin-Roux"),
            ]);
            if let Some(person) = &mut page.frame.view.person {
                person.identity = Some(sample_identity());
            }
            (page.identity, page.stale) =
                Entered::refused(&form, &ServiceError::Conflict).against(page.version());
            page
        };
        vec![
            ("stale", stale),
            ("nobody", page(Vec::new(), false, true)),
            ("nickname", page(Vec::new(), true, true)),
            ("two", page(vec![sample_holder(), hidden], false, true)),
            ("collector", page(vec![sample_holder()], false, false)),
        ]
    }
}

impl Page for HolderEndPage {
    #[cfg(test)]
    const NAME: &'static str = "holder_end";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let (shell, frame) = super::frame::sample::frame(Part::Other, "Fin d'une qualité");
        vec![("parent", Self { shell, frame, holder: sample_holder(), entered: Entered::nothing() })]
    }
}

impl Page for ReviewPage {
    #[cfg(test)]
    const NAME: &'static str = "review";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |due| {
            let (shell, mut frame) = super::frame::sample::frame(Part::Other, "Bilan");
            frame.view.review_due = due;
            let said = PreferenceView {
                said_by: Capacity::YoungPerson,
                on: "2027-01-04".to_owned(),
                wish: crate::domain::text::Paragraph::parse("Je veux bien avec elle.").ok(),
            };
            let steps = vec![Step::Accompaniment, Step::Evaluation];
            Self { shell, frame, steps, said: vec![said], entered: Entered::nothing() }
        };
        vec![("ahead", page(false)), ("due", page(true))]
    }
}

impl Page for ClosingPage {
    #[cfg(test)]
    const NAME: &'static str = "closing";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let (shell, frame) = super::frame::sample::frame(Part::Other, "Clore le parcours");
        vec![("ordinary", Self { shell, frame, entered: Entered::nothing() })]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_the_referent() {
        crate::web::pages::snapshots::check::<super::PersonPage>();
        crate::web::pages::snapshots::check::<super::HolderEndPage>();
        crate::web::pages::snapshots::check::<super::ReviewPage>();
        crate::web::pages::snapshots::check::<super::ClosingPage>();
    }
}
