//! Passer le relais (S2): four steps and a summary for who leaves; both ends afterwards.
//!
//! INVARIANT: each piece says whether it may go, in the words of the decision that would let it be read; a piece that may
//! not go cannot be ticked.

use askama::Template;

use super::Page;
use super::accords::Choice;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::sharing::decision::{About, Why};
use super::sharing::own_items;
use super::shell::Shell;
use super::words;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Purpose, Role, StartedAgain};
use crate::ids::{HandoverId, ItemId, ParticipationId};
use crate::service::handovers::{HandoverLine, HandoverState, HandoverView, NewHandover};
use crate::service::preview::{ItemRef, PreviewRequest};
use crate::service::{App, ServiceError};
use crate::web::form::Form;
use crate::web::kept::resumed;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The list.
#[derive(Template)]
#[template(path = "handovers.html")]
struct HandoversPage {
    shell: Shell,
    frame: Frame,
    lines: Vec<HandoverLine>,
    may_begin: bool,
}

/// One piece, and whether it may go.
struct Piece {
    item: String,
    label: String,
    goes: bool,
    sentence: String,
    /// What is missing, each with its act; nothing where it goes.
    why: Vec<Why>,
}

/// Who could take over.
struct Taker {
    id: String,
    who: String,
    accountable: Option<&'static str>,
}

/// One step of preparing.
#[derive(Template)]
#[template(path = "handover_new.html")]
struct NewPage {
    shell: Shell,
    frame: Frame,
    step: u8,
    entered: Entered,
    carried: Vec<(String, String)>,
    takers: Vec<Taker>,
    pieces: Vec<Piece>,
    /// For a référent who leaves.
    referents: Vec<Choice>,
    /// The summary.
    to: String,
    accountable: Option<&'static str>,
    last_day: String,
    new_referent: String,
}

impl NewPage {
    fn something_goes(&self) -> bool {
        self.pieces.iter().any(|p| p.goes)
    }

    fn something_stays(&self) -> bool {
        self.pieces.iter().any(|p| !p.goes)
    }
}

/// One handover, for its two ends.
#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    shell: Shell,
    frame: Frame,
    view: HandoverView,
    entered: Entered,
}

impl HandoverPage {
    const fn answers(&self) -> bool {
        self.view.i_am_incoming && matches!(self.view.state, HandoverState::Proposed)
    }

    const fn confirms(&self) -> bool {
        let mine =
            if self.view.i_am_incoming { self.view.incoming_confirmed } else { self.view.outgoing_confirmed };
        !mine && matches!(self.view.state, HandoverState::Accepted | HandoverState::HalfConfirmed)
    }

    const fn complete(&self) -> bool {
        matches!(self.view.state, HandoverState::Complete)
    }

    fn last_day(&self) -> Option<String> {
        self.view.last_day.map(Day::french)
    }

    fn state(&self) -> (&'static str, Icon) {
        match self.view.state {
            HandoverState::Proposed | HandoverState::Accepted | HandoverState::HalfConfirmed => {
                ("wait", Icon::Waiting)
            }
            HandoverState::Complete => ("yes", Icon::Yes),
            HandoverState::Declined => ("", Icon::No),
        }
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const ALL: &str = "/parcours/{pathway}/passages";
    const NEW: &str = "/parcours/{pathway}/passages/nouveau";
    const ONE: &str = "/parcours/{pathway}/passages/{handover}";
    let handover = |action| (action, ResourceKind::Handover);
    vec![
        super::row(Method::Get, ALL, handover(Action::List), list),
        super::row(Method::Get, NEW, handover(Action::Preview), new),
        super::row(Method::Post, NEW, handover(Action::Create), go),
        super::row(Method::Get, ONE, handover(Action::Read), one),
        super::row(Method::Post, ONE, handover(Action::Confirm), act),
    ]
}

fn may_begin(frame: &Frame) -> bool {
    frame.view.closed_at.is_none() && matches!(frame.view.me.role, Role::Referent | Role::Participant)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let lines = app.handovers_list(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Handovers, "Passages de relais")?;
    let may_begin = may_begin(&frame);
    Answer::page(&HandoversPage { shell, frame, lines, may_begin })
}

fn of_step(step: u8, name: &str) -> bool {
    match step {
        1 => name == "incoming",
        2 => name == "items[]",
        3 => name == "last_day",
        4 => name == "new_referent",
        _ => false,
    }
}

fn takers(frame: &Frame) -> Vec<Taker> {
    frame
        .view
        .circle
        .iter()
        .filter(|p| !p.me && !p.pending && matches!(p.role, Role::Participant | Role::Referent))
        .map(|p| Taker {
            id: p.id.clone(),
            who: format!("{}, {} ({})", p.who.name, p.who.organisation, p.who.profession.within_brackets()),
            accountable: p.who.profession.accountable_to(),
        })
        .collect()
}

/// What one's own service wrote, each with the answer for who takes over.
fn pieces(
    app: &App,
    incoming: &Incoming,
    frame: &Frame,
    incoming_place: &ParticipationId,
) -> Result<Vec<Piece>, Fault> {
    let (call, pathway) = (incoming.call()?, pathway_of(incoming)?);
    let mut own = own_items(app, incoming, &pathway)?;
    own.retain(|i| i.corrected_on.is_none());
    let mut items = Vec::with_capacity(own.len());
    for item in &own {
        let id = ItemId::parse(&item.id).map_err(|_| Fault::Syntax(ServiceError::AbsentOrRefused))?;
        items.push(ItemRef { item: id, version: None });
    }
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let request = PreviewRequest {
        purpose: Purpose::Handover,
        items,
        category: None,
        recipients: Some(vec![incoming_place.clone()]),
        hypothetical: None,
        last_day: None,
        statute: None,
    };
    let answer = app.preview(call, &pathway, &request)?.into_inner();
    let about = About { frame, purpose: Purpose::Handover, labels: &[], rest: "" };
    let things = answer.readers.iter().flat_map(|r| r.things.iter().map(move |thing| (&r.member, thing)));
    Ok(things
        .filter_map(|(member, thing)| {
            let id = thing.item.as_ref()?;
            let item = own.iter().find(|i| i.id == id.as_str())?;
            Some(Piece {
                item: item.id.clone(),
                label: format!("{} : « {} »", item.category.french(), item.label),
                goes: thing.will_read,
                sentence: thing.sentence.clone(),
                why: about.missing_of(member, thing),
            })
        })
        .collect())
}

/// The step that somebody had come to, from what was left.
fn left_at(form: &Form) -> u8 {
    let has = |step| form.fields().any(|(name, value)| of_step(step, name) && !value.is_empty());
    (2..=4).rev().find(|step| has(*step)).unwrap_or(1)
}

/// The form as it was left, or its first step.
fn new(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let left = resumed(app, incoming)?.unwrap_or_default();
    show_new(app, incoming, 200, left_at(&left), &left, Entered::sent(&left))
}

fn show_new(
    app: &App,
    incoming: &Incoming,
    status: u16,
    step: u8,
    form: &Form,
    entered: Entered,
) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Handovers, "Passer le relais")?;
    if !may_begin(&frame) {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let takers = takers(&frame);
    let chosen = form.one("incoming").and_then(|id| ParticipationId::parse(id).ok());
    let (step, taker) = match &chosen {
        Some(id) => (step, takers.iter().find(|t| t.id == id.as_str())),
        None => (1, None),
    };
    let mut pieces = match (&chosen, step) {
        (Some(id), 2 | 5) => pieces(app, incoming, &frame, id)?,
        (Some(_) | None, _) => Vec::new(),
    };
    if step == 5 {
        pieces.retain(|p| form.has("items[]", &p.item));
    }
    let leaving_referent = frame.view.me.role == Role::Referent;
    let referents: Vec<Choice> = takers.iter().map(|t| Choice::new(t.id.clone(), t.who.clone())).collect();
    let entered = if step == 3 && form.one("last_day").is_none() && entered.told().is_empty() {
        let review = frame.view.review_on.clone().filter(|d| *d > frame.today.to_string());
        Entered::filled(&[("last_day", review.as_deref().unwrap_or(""))])
    } else {
        entered
    };
    let carried = form
        .fields()
        .filter(|(name, value)| !name.starts_with('_') && !of_step(step, name) && !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let new_referent = form.one("new_referent").unwrap_or_default();
    let page = NewPage {
        carried,
        to: taker.map(|t| t.who.clone()).unwrap_or_default(),
        accountable: taker.and_then(|t| t.accountable),
        last_day: form.one("last_day").map(words::day_of).unwrap_or_default(),
        new_referent: referents
            .iter()
            .find(|c| c.code() == new_referent)
            .map(|c| c.french().to_owned())
            .unwrap_or_default(),
        referents: if leaving_referent { referents } else { Vec::new() },
        shell,
        frame,
        step,
        entered,
        takers,
        pieces,
    };
    Answer::page_with(status, &page)
}

fn missing(field: &str) -> FieldErrors {
    FieldErrors::one(field, EntryError::Missing)
}

fn input_of(form: &Form) -> Result<NewHandover, FieldErrors> {
    let items: Vec<&str> = form.all("items[]").collect();
    if items.is_empty() {
        return Err(missing("items"));
    }
    let wrong = |field: &str| FieldErrors::one(field, EntryError::NotInList { list: "liste" });
    Ok(NewHandover {
        incoming: form.need("incoming", ParticipationId::parse)?,
        items: items
            .into_iter()
            .map(|id| ItemId::parse(id).map(|item| ItemRef { item, version: None }))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("items"))?,
        last_day: form.need("last_day", Day::parse)?,
        new_referent: match form.one("new_referent") {
            Some(id) => Some(ParticipationId::parse(id).map_err(|_| wrong("new_referent"))?),
            None => None,
        },
    })
}

fn go(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let form = &incoming.form;
    let step = |n: u8| show_new(app, incoming, 200, n, form, Entered::sent(form));
    let again = |n: u8, errors: FieldErrors| {
        let fault = Fault::Syntax(ServiceError::Invalid(errors));
        back(app, incoming, fault, |status, entered| show_new(app, incoming, status, n, form, entered))
    };
    match form.button() {
        Some("step1") => step(1),
        Some("step2") if form.one("incoming").is_none() => again(1, missing("incoming")),
        Some("step2") => step(2),
        Some("step3") if form.one("items[]").is_none() => again(2, missing("items")),
        Some("step3") => step(3),
        Some("step4") if form.one("last_day").is_none() => again(3, missing("last_day")),
        Some("step4") => step(4),
        Some("create") => {
            let attempt = || -> Result<String, Fault> {
                let new = input_of(form).map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
                let pathway = pathway_of(incoming)?;
                let made = app.handover_create(incoming.call()?, &pathway, &new)?;
                Ok(format!("/parcours/{pathway}/passages/{}?fait=passage", made.id))
            };
            match attempt() {
                Ok(to) => Ok(Answer::see_other(to)),
                Err(fault) => back(app, incoming, fault, |status, entered| {
                    show_new(app, incoming, status, 5, form, entered)
                }),
            }
        }
        Some(_) | None => step(5),
    }
}

fn id_of(incoming: &Incoming) -> Result<HandoverId, Fault> {
    incoming.id("handover", HandoverId::parse)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let view = app.handover_read(incoming.call()?, &pathway_of(incoming)?, &id_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Handovers, "Passage de relais")?;
    Answer::page_with(status, &HandoverPage { shell, frame, view, entered })
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn act(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (pathway, id) = (pathway_of(incoming)?, id_of(incoming)?);
    let form = &incoming.form;
    let attempt = || -> Result<&'static str, Fault> {
        let call = incoming.call()?;
        match form.button() {
            Some("accept") => app.handover_answer(call, &pathway, &id, true).map(|_| "accepte"),
            Some("decline") => app.handover_answer(call, &pathway, &id, false).map(|_| "decline"),
            Some("confirm") => app.handover_confirm(call, &pathway, &id).map(|_| "relais"),
            Some("rate") => {
                let rating = form.read().map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
                app.handover_rate(call, &pathway, &id, rating).map(|_| "note")
            }
            Some(_) | None => Err(ServiceError::rule("answer", "Choisissez ce que vous faites.")),
        }
        .map_err(Fault::Service)
    };
    match attempt() {
        Ok(done) => Ok(Answer::see_other(format!("/parcours/{pathway}/passages/{id}?fait={done}"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

#[cfg(test)]
fn sample_member(
    name: &str,
    profession: crate::domain::vocabulary::Profession,
) -> crate::service::members::MemberView {
    crate::service::members::MemberView {
        participation: ParticipationId::parse(&"e".repeat(26)).unwrap(),
        name: name.to_owned(),
        organisation_id: crate::ids::OrganisationId::parse(&"a".repeat(26)).unwrap(),
        mission_id: crate::ids::MissionId::parse(&"a".repeat(26)).unwrap(),
        organisation: "Sauvegarde".to_owned(),
        profession,
        mission: "Action éducative".to_owned(),
        secrecy: crate::domain::vocabulary::Secrecy::Bound,
        secrecy_basis: "CASF L221-6".to_owned(),
        stated_by: None,
        confirmed_by: None,
        charter_signed: true,
        telephone: Some("06 01 02 03 08".to_owned()),
        accountable: crate::service::members::accountable(profession),
        replaced_by_asking: None,
    }
}

#[cfg(test)]
pub fn sample_line() -> HandoverLine {
    HandoverLine {
        id: HandoverId::parse(&"e".repeat(26)).unwrap(),
        outgoing: "Samira Haddad (Éducateur de prévention spécialisée)".to_owned(),
        incoming: "Claire Morel (Éducateur AEMO / AED)".to_owned(),
        state: HandoverState::Proposed,
        mine: true,
        waits_for_me: true,
    }
}

impl Page for HandoversPage {
    #[cfg(test)]
    const NAME: &'static str = "handovers";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        let line = |state, mine, waits_for_me| HandoverLine { state, mine, waits_for_me, ..sample_line() };
        let page = |role, lines| {
            let (shell, frame) = frame_as(role, Part::Handovers, "Passages de relais");
            let may_begin = may_begin(&frame);
            Self { shell, frame, lines, may_begin }
        };
        vec![
            ("empty", page(Role::Participant, vec![])),
            (
                "some",
                page(
                    Role::Referent,
                    vec![
                        line(HandoverState::Proposed, true, true),
                        line(HandoverState::Complete, false, false),
                        line(HandoverState::Declined, true, false),
                    ],
                ),
            ),
        ]
    }
}

impl Page for NewPage {
    #[cfg(test)]
    const NAME: &'static str = "handover_new";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        let piece = |goes| Piece {
            item: "i".repeat(26),
            label: "Scolarité : « Rentrée en seconde »".to_owned(),
            goes,
            sentence: if goes {
                "Lira jusqu'au 14 juin 2027.".to_owned()
            } else {
                "La famille a donné un accord général. Ce sujet doit être nommé.".to_owned()
            },
            why: if goes {
                vec![]
            } else {
                use super::sharing::sample::no;
                let (_, frame) = frame_as(Role::Participant, Part::Handovers, "Passer le relais");
                let about = About { frame: &frame, purpose: Purpose::Handover, labels: &[], rest: "" };
                let aemo = sample_member("Claire Morel", crate::domain::vocabulary::Profession::Aemo);
                let narrow = crate::domain::cell::Reason::AccordTooNarrow;
                about.missing_of(&aemo, &no('a', crate::domain::vocabulary::Category::Schooling, narrow))
            },
        };
        let taker = || Taker {
            id: "e".repeat(26),
            who: "Claire Morel, Sauvegarde (Éducateur AEMO / AED)".to_owned(),
            accountable: Some("au juge des enfants ou au Département"),
        };
        let page = |role, step: u8, entered, nobody: bool| {
            let (shell, frame) = frame_as(role, Part::Handovers, "Passer le relais");
            Self {
                shell,
                frame,
                step,
                entered,
                carried: vec![("incoming".to_owned(), "e".repeat(26))],
                takers: if nobody { vec![] } else { vec![taker()] },
                pieces: if step == 2 && !nobody {
                    vec![piece(true), piece(false)]
                } else if step == 5 {
                    vec![piece(true)]
                } else {
                    vec![]
                },
                referents: if role == Role::Referent {
                    vec![Choice::new("q", "Marc Delattre")]
                } else {
                    vec![]
                },
                to: taker().who,
                accountable: taker().accountable,
                last_day: "14 juin 2027".to_owned(),
                new_referent: if role == Role::Referent { "Marc Delattre".to_owned() } else { String::new() },
            }
        };
        let form = Form::of(&[("incoming", "x")]);
        let rule =
            ServiceError::rule("referent_first", "Vous êtes référent : nommez d'abord un autre référent.");
        vec![
            ("who", page(Role::Participant, 1, Entered::nothing(), false)),
            ("nobody", page(Role::Participant, 1, Entered::nothing(), true)),
            ("what", page(Role::Participant, 2, Entered::nothing(), false)),
            ("nothing_written", page(Role::Participant, 2, Entered::nothing(), true)),
            ("until", page(Role::Participant, 3, Entered::filled(&[("last_day", "2027-06-14")]), false)),
            ("role", page(Role::Participant, 4, Entered::nothing(), false)),
            ("role_of_a_referent", page(Role::Referent, 4, Entered::nothing(), false)),
            ("summary", page(Role::Referent, 5, Entered::nothing(), false)),
            ("refused", page(Role::Referent, 5, Entered::refused(&form, &rule), false)),
        ]
    }
}

impl Page for HandoverPage {
    #[cfg(test)]
    const NAME: &'static str = "handover";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        use crate::domain::vocabulary::{Category, Profession};
        let page = |i_am_incoming, state, to_rate| {
            let (shell, frame) = frame_as(Role::Participant, Part::Handovers, "Passage de relais");
            let incoming = sample_member("Claire Morel", Profession::Aemo);
            let view = HandoverView {
                id: HandoverId::parse(&"e".repeat(26)).unwrap(),
                share: crate::ids::ShareId::parse(&"a".repeat(26)).unwrap(),
                outgoing: sample_member("Samira Haddad", Profession::SpecialisedPrevention),
                accountable: incoming.accountable.clone(),
                incoming,
                i_am_incoming,
                state,
                outgoing_confirmed: matches!(state, HandoverState::HalfConfirmed | HandoverState::Complete),
                incoming_confirmed: state == HandoverState::Complete,
                subjects: vec![Category::Schooling, Category::Leisure],
                last_day: Day::parse("2027-06-14").ok(),
                new_referent: None,
                to_rate,
            };
            Self { shell, frame, view, entered: Entered::nothing() }
        };
        vec![
            ("to_answer", page(true, HandoverState::Proposed, false)),
            ("waiting", page(false, HandoverState::Proposed, false)),
            ("to_confirm", page(true, HandoverState::HalfConfirmed, false)),
            ("confirmed_by_me", page(false, HandoverState::HalfConfirmed, false)),
            ("to_rate", page(true, HandoverState::Complete, true)),
            ("declined", page(false, HandoverState::Declined, false)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_handovers() {
        crate::web::pages::snapshots::check::<HandoversPage>();
        crate::web::pages::snapshots::check::<NewPage>();
        crate::web::pages::snapshots::check::<HandoverPage>();
    }

    #[test]
    fn nothing_chosen_is_nothing_handed_over() {
        let place = "e".repeat(26);
        let form = Form::of(&[("incoming", &place), ("last_day", "2027-06-14")]);
        assert!(input_of(&form).is_err());
    }
}
