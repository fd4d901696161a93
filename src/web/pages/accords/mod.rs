//! Accords: the list, one accord, and (beside) preparing one, its sheet, and what is recorded on it.
//!
//! INVARIANT: the young person's opinion stands on the collector's own page and on no sheet; a refusal is told in the
//! words that the service gives to this reader, and no others.

mod address;
mod family;
mod impossible;
mod languages;
mod prepare;
mod release;
mod releases;
mod sheet;
mod siblings;
mod sign;
mod summary;

use askama::Template;

pub(super) use family::{Choice, Family, holder_name};
#[cfg(test)]
pub(super) use sign::sample_board as sample_board_for;
pub(super) use sign::{Board, Saying, record_on};

use super::Page;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::clock::Timestamp;
use crate::domain::accord::{LineKind, Opinion};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Mode, Purpose, Role};
use crate::ids::AccordId;
use crate::service::{
    AccordStanding, AccordView, Act, App, AwaitedView, EventView, LineView, RecipientView, SeenAs,
    ServiceError, SheetEvent, StateView,
};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Where an accord or a line stands, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub class: &'static str,
    pub icon: Icon,
    pub words: String,
}

impl State {
    pub(super) fn of(state: &StateView) -> Self {
        let day = |at: &Option<String>| at.as_deref().map(words::day_of).unwrap_or_default();
        let last = || {
            let until = state.until.as_deref().and_then(Timestamp::parse_rfc3339);
            until.map(|t| crate::domain::day::french_date(t.plus_micros(-1).paris_day()))
        };
        let (class, icon, words) = match state.code {
            AccordStanding::InForce => {
                let until = last().map_or_else(String::new, |day| format!(" jusqu'au {day} inclus"));
                let begun = if state.awaited.is_empty() { "" } else { " ; une partie attend encore" };
                ("yes", Icon::Yes, format!("En cours{until}{begun}"))
            }
            AccordStanding::Upcoming => {
                ("accent", Icon::Calendar, format!("Signé, commence le {}", day(&state.at)))
            }
            AccordStanding::PartlySigned => ("wait", Icon::Waiting, "Signé en partie".to_owned()),
            AccordStanding::Printed => {
                ("wait", Icon::Printer, format!("Feuille imprimée le {}, pas encore signée", day(&state.at)))
            }
            AccordStanding::Draft => {
                ("wait", Icon::File, "Préparé, la feuille n'est pas encore imprimée".to_owned())
            }
            AccordStanding::Refused => ("", Icon::No, format!("Non, dit le {}", day(&state.at))),
            AccordStanding::Withdrawn => ("", Icon::Undo, format!("Retiré le {}", day(&state.at))),
            AccordStanding::Expired => ("", Icon::Clock, "Arrivé à son terme".to_owned()),
            AccordStanding::Replaced => ("", Icon::History, format!("Remplacé le {}", day(&state.at))),
            AccordStanding::NotInForce => ("", Icon::Pause, "Pas en cours".to_owned()),
        };
        Self { class, icon, words }
    }
}

/// One line, in words.
pub(super) struct Line {
    pub recipient: String,
    pub profession: &'static str,
    pub brings: bool,
    pub only_one_person: bool,
    pub named: Vec<&'static str>,
    pub exact: Vec<&'static str>,
    pub services: Vec<String>,
    pub accountable: Option<&'static str>,
    pub state: State,
    /// Where it stands elsewhere than the accord as a whole.
    pub apart: bool,
    pub awaited: Vec<String>,
}

/// How a form and an address name a service: « organisation.profession.mission », as codes.
pub(super) fn service_key(r: &RecipientView) -> String {
    format!("{}.{}.{}", r.organisation.as_str(), r.profession.code(), r.mission.as_str())
}

/// « Mission, Structure ».
pub(super) fn service_name(r: &RecipientView) -> String {
    if r.mission_title.is_empty() {
        r.organisation_name.clone()
    } else {
        format!("{}, {}", r.mission_title, r.organisation_name)
    }
}

/// Where a line stands, in words. A box left empty on a sheet that was signed is not a sheet to print.
fn line_state(line: &LineView, accord: &AccordView) -> State {
    let state = State::of(&line.state);
    if !line.state.code.unsigned() || accord.state.code.unsigned() {
        return state;
    }
    let on_paper = accord.events.iter().any(|e| e.original_at.is_some());
    let words = if on_paper { "Pas cochée sur la feuille signée" } else { "Pas encore acceptée" };
    State { class: "", icon: Icon::No, words: words.to_owned() }
}

impl Line {
    pub(super) fn of(line: &LineView, accord: &AccordView, family: &Family) -> Self {
        let state = line_state(line, accord);
        // Who signs a line that nobody signed yet stands on its own pages.
        let awaited: &[AwaitedView] = if line.state.code.unsigned() { &[] } else { &line.state.awaited };
        Self {
            recipient: service_name(&line.recipient),
            profession: line.recipient.profession.french(),
            brings: line.kind == LineKind::Contributor,
            only_one_person: line.only_one_person,
            named: line.categories.iter().map(|c| c.french()).collect(),
            exact: line.exact_words.iter().map(|c| c.french()).collect(),
            services: line.services.iter().map(service_name).collect(),
            accountable: line.recipient.profession.accountable_to(),
            apart: state != State::of(&StateView { awaited: Vec::new(), ..accord.state.clone() }),
            state,
            awaited: awaited.iter().map(|a| family.awaited(a)).collect(),
        }
    }
}

/// One accord, in words.
pub(super) struct Card {
    pub id: String,
    pub purpose: &'static str,
    pub period: String,
    pub state: State,
    pub lines: Vec<Line>,
    /// Since when somebody is awaited, and how long that is.
    pub since: Option<String>,
    pub collector: bool,
    /// The sheet may still be signed.
    pub open: bool,
    /// The form of what follows it, for an accord that counts or has counted, and a reader who may write one.
    pub next: Option<String>,
}

impl Card {
    pub(super) fn of(view: &AccordView, family: &Family, today: chrono::NaiveDate) -> Self {
        let lines: Vec<Line> = view.lines.iter().map(|l| Line::of(l, view, family)).collect();
        let open = view.state.code.to_sign() || !view.state.awaited.is_empty();
        let first = view.events.iter().filter_map(|e| Timestamp::parse_rfc3339(&e.at)).min();
        let since = first.filter(|_| open).map(|at| {
            let day = at.paris_day();
            format!("{} ({})", crate::domain::day::french_date(day), words::relative(day, today))
        });
        Self {
            id: view.id.as_str().to_owned(),
            purpose: view.purpose.french(),
            period: period(&view.starts, &view.ends),
            state: State::of(&view.state),
            lines,
            since,
            collector: view.seen_as == SeenAs::Collector,
            open,
            next: follows(view),
        }
    }
}

/// What would follow an accord: the same services and subjects. Exact words are shown anew.
fn follows(view: &AccordView) -> Option<String> {
    let counted = view.state.code.counted();
    let may = matches!(view.seen_as, SeenAs::Collector | SeenAs::Referent);
    (counted && may).then(|| address::following(view))
}

#[cfg(test)]
impl Card {
    pub(super) fn sample(code: AccordStanding, seen_as: SeenAs) -> Self {
        let today = chrono::NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        Self::of(&sample::accord(code, seen_as), &Family::sample(), today)
    }
}

/// « du 1 mars au 14 juillet 2027 inclus », from the first day and the first day after the last.
fn period(starts: &str, ends: &str) -> String {
    let last = crate::domain::day::Day::parse(ends)
        .ok()
        .and_then(|d| d.date().pred_opt())
        .map_or_else(|| words::day_of(ends), crate::domain::day::french_date);
    format!("du {} au {last} inclus", words::day_of(starts))
}

/// Something that happened, in words.
fn happened(event: &EventView, accord: &AccordView, family: &Family) -> (String, String) {
    let by = event.by.as_deref().map_or_else(|| "quelqu'un".to_owned(), |by| family.name(by));
    let how = || {
        let mode = event.mode.map_or("", Mode::french);
        let kept = event.original_at.as_deref().map_or_else(String::new, |at| format!(" ; original : {at}"));
        let read = if event.read_aloud == Some(true) { " ; feuille lue à voix haute" } else { "" };
        format!(" ({mode}{kept}{read})")
    };
    // Which boxes it ticked: an accord of one line has one.
    let covered = || {
        let ticked: Vec<String> = accord
            .lines
            .iter()
            .filter(|l| event.lines.contains(&l.id))
            .map(|l| service_name(&l.recipient))
            .collect();
        match (accord.lines.len(), ticked.len()) {
            (_, 0) | (1, _) => String::new(),
            (all, ticked) if all == ticked => " Toutes les cases.".to_owned(),
            _some => format!(" Cases cochées : {}.", ticked.join(" ; ")),
        }
    };
    let said = match event.kind {
        SheetEvent::Printed => "Feuille imprimée.".to_owned(),
        SheetEvent::Signed => format!("Signature : {by}{}.{}", how(), covered()),
        SheetEvent::SheetSigned => format!(
            "Feuille signée reçue : {by} (original : {}).",
            event.original_at.as_deref().unwrap_or("non noté")
        ),
        SheetEvent::Opinion => {
            format!("Avis du jeune : {}.", event.opinion.map_or("noté", Opinion::french))
        }
        SheetEvent::Refused => format!("Non : {by}."),
        SheetEvent::Withdrawn => format!("Accord retiré : {by}."),
        SheetEvent::Opposed => format!("Opposition : {by}."),
        SheetEvent::TalkHeld => match event.maintained {
            Some(true) => "Échange avec l'enfant : son refus est maintenu.".to_owned(),
            Some(false) | None => "Échange avec l'enfant : il ne maintient pas son refus.".to_owned(),
        },
        SheetEvent::Replaced => "Remplacé par un accord plus récent.".to_owned(),
    };
    (words::moment_of(&event.at), said)
}

/// The list.
#[derive(Template)]
#[template(path = "accords.html")]
struct AccordsPage {
    shell: Shell,
    frame: Frame,
    standing: Vec<Card>,
    past: Vec<Card>,
    /// Whether one may be prepared from here.
    prepares: bool,
}

/// One accord.
#[derive(Template)]
#[template(path = "accord.html")]
struct AccordPage {
    shell: Shell,
    frame: Frame,
    card: Card,
    signing: Vec<sheet::Signing>,
    events: Vec<(String, String)>,
    to_be_told: Vec<String>,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let accord = |action| (action, ResourceKind::Accord);
    let mut rows = vec![super::row(Method::Get, "/parcours/{pathway}/accords", accord(Action::List), list)];
    rows.extend(prepare::routes());
    rows.push(super::row(Method::Get, "/parcours/{pathway}/accords/{accord}", accord(Action::Read), one));
    rows.extend(release::routes());
    rows.extend(releases::routes());
    rows.extend(impossible::routes());
    rows.extend(sheet::routes());
    rows.extend(sign::routes());
    rows
}

pub(super) const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Accord }
}

/// The accord that an address names, under the pathway that it names too.
fn read(app: &App, incoming: &Incoming) -> Result<AccordView, Fault> {
    let id = incoming.id("accord", AccordId::parse)?;
    let view = app.accord_read(incoming.call()?, act(Action::Read), &id)?.into_inner();
    if incoming.path.get("pathway").is_some_and(|p| *p != view.pathway.as_str()) {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    Ok(view)
}

fn may_prepare(frame: &Frame) -> bool {
    frame.view.closed_at.is_none() && matches!(frame.view.me.role, Role::Referent | Role::Participant)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Accords")?;
    let views = app.accord_list(call, act(Action::List), &pathway_of(incoming)?)?.into_inner().items;
    let collects = views.iter().any(|v| v.seen_as == SeenAs::Collector);
    let family = Family::read(app, incoming, collects || frame.view.me.role == Role::Referent)?.under(&frame);
    let cards = views.iter().rev().map(|v| (v.state.code.past(), Card::of(v, &family, frame.today)));
    let (past, standing): (Vec<_>, Vec<_>) = cards.partition(|(past, _)| *past);
    let prepares = may_prepare(&frame) && !frame.nickname_only();
    let only = |cards: Vec<(bool, Card)>| cards.into_iter().map(|(_, card)| card).collect();
    Answer::page(&AccordsPage { shell, frame, standing: only(standing), past: only(past), prepares })
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let view = read(app, incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Accord")?;
    let collector = view.seen_as == SeenAs::Collector;
    let family =
        Family::read(app, incoming, collector || frame.view.me.role == Role::Referent)?.under(&frame);
    let notice = if collector {
        Some(app.accord_notice(incoming.call()?, act(Action::Read), &view.id)?.into_inner())
    } else {
        None
    };
    let signing = notice.iter().flat_map(|n| sheet::Signing::all(n, &family)).collect();
    let to_be_told = notice.iter().flat_map(|n| &n.to_be_told).map(|id| family.name(id.as_str())).collect();
    let events = view.events.iter().rev().map(|e| happened(e, &view, &family)).collect();
    let mut card = Card::of(&view, &family, frame.today);
    card.next = card.next.filter(|_| may_prepare(&frame));
    Answer::page(&AccordPage { shell, frame, card, signing, events, to_be_told })
}

/// Purposes that an accord may serve: the statutory route is not one (LAW §0.1).
pub(super) fn purposes() -> impl Iterator<Item = Purpose> {
    Purpose::ALL.iter().copied().filter(|p| *p != Purpose::Protection)
}

#[cfg(test)]
pub(super) mod sample {
    use super::*;
    use crate::domain::vocabulary::{Capacity, Category, Profession};
    use crate::ids::{AccordLineId, HolderId, MissionId, OrganisationId, PathwayId};
    use crate::service::{SlotKind, SlotView};

    pub fn id<T>(parse: fn(&str) -> Result<T, crate::ids::InvalidId>, letter: char) -> T {
        parse(&format!("{}a", letter.to_string().repeat(25))).unwrap()
    }

    pub fn recipient(profession: Profession) -> RecipientView {
        RecipientView {
            organisation: id(OrganisationId::parse, 'b'),
            organisation_name: "Sauvegarde du Val-d'Orme".to_owned(),
            profession,
            mission: id(MissionId::parse, 'c'),
            mission_title: "Action éducative".to_owned(),
        }
    }

    pub fn holder() -> HolderId {
        id(HolderId::parse, 'd')
    }

    pub fn line(code: AccordStanding) -> LineView {
        LineView {
            id: id(AccordLineId::parse, 'e'),
            recipient: recipient(Profession::Aemo),
            kind: LineKind::Recipient,
            only_one_person: false,
            categories: vec![Category::Schooling],
            exact_words: vec![Category::HealthMinimal],
            services: vec![],
            state: state(code, vec![]),
        }
    }

    pub fn state(code: AccordStanding, awaited: Vec<AwaitedView>) -> StateView {
        StateView {
            code,
            at: Some("2027-03-02T10:00:00Z".to_owned()),
            until: Some("2027-07-14T22:00:00Z".to_owned()),
            ends_by: None,
            awaited,
        }
    }

    pub fn slot(kind: SlotKind) -> SlotView {
        match kind {
            SlotKind::Holder => SlotView { kind, holder: Some(holder()), capacity: Some(Capacity::Parent) },
            SlotKind::YoungPerson | SlotKind::Opinion => {
                SlotView { kind, holder: None, capacity: Some(Capacity::YoungPerson) }
            }
        }
    }

    pub fn accord(code: AccordStanding, seen_as: SeenAs) -> AccordView {
        let awaited = if code == AccordStanding::PartlySigned {
            vec![AwaitedView {
                line: id(AccordLineId::parse, 'e'),
                all_of: vec![slot(SlotKind::YoungPerson)],
                any_of: vec![vec![slot(SlotKind::Holder)]],
                unestablished: None,
            }]
        } else {
            vec![]
        };
        let event = |kind, by: Option<String>| EventView {
            kind,
            at: "2027-03-02T10:00:00Z".to_owned(),
            by,
            on: Some("2027-03-02".to_owned()),
            mode: (kind == SheetEvent::Signed).then_some(Mode::Paper),
            original_at: (kind == SheetEvent::Signed).then(|| "Classeur du PRE".to_owned()),
            read_aloud: None,
            lines: if kind == SheetEvent::Signed { vec![id(AccordLineId::parse, 'e')] } else { vec![] },
            opinion: None,
            maintained: None,
        };
        let collector = seen_as == SeenAs::Collector;
        AccordView {
            id: id(AccordId::parse, 'a'),
            pathway: id(PathwayId::parse, 'p'),
            seen_as,
            purpose: Purpose::Coordination,
            starts: "2027-03-01".to_owned(),
            ends: "2027-07-15".to_owned(),
            state: state(code, awaited.clone()),
            lines: vec![LineView { state: state(code, awaited), ..line(code) }],
            language: collector.then(|| "fr".to_owned()),
            notice_version: None,
            notice_hash: None,
            replaces: None,
            events: if collector {
                vec![
                    event(SheetEvent::Printed, None),
                    event(SheetEvent::Signed, Some(holder().as_str().to_owned())),
                ]
            } else {
                vec![]
            },
        }
    }
}

impl Page for AccordsPage {
    #[cfg(test)]
    const NAME: &'static str = "accords";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        let page = |role, views: Vec<AccordView>| {
            let (shell, frame) = frame_as(role, Part::Accords, "Accords");
            let family = Family::sample();
            let card = |v: &AccordView| Card::of(v, &family, frame.today);
            let standing = views.iter().filter(|v| !v.state.code.past()).map(card).collect();
            let past = views.iter().filter(|v| v.state.code.past()).map(card).collect();
            let prepares = may_prepare(&frame) && !frame.nickname_only();
            Self { shell, frame, standing, past, prepares }
        };
        let all = AccordStanding::ALL.iter().filter(|s| **s != AccordStanding::NotInForce);
        vec![
            ("empty", page(Role::Referent, vec![])),
            ("collector", page(Role::Referent, all.map(|s| sample::accord(*s, SeenAs::Collector)).collect())),
            (
                "recipient",
                page(Role::Participant, vec![sample::accord(AccordStanding::InForce, SeenAs::Recipient)]),
            ),
            (
                "referent",
                page(Role::Referent, vec![sample::accord(AccordStanding::NotInForce, SeenAs::Referent)]),
            ),
        ]
    }
}

impl Page for AccordPage {
    #[cfg(test)]
    const NAME: &'static str = "accord";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |code, seen_as| {
            let (shell, frame) = frame(Part::Accords, "Accord");
            let family = Family::sample();
            let view = sample::accord(code, seen_as);
            let collector = seen_as == SeenAs::Collector;
            Self {
                card: Card::of(&view, &family, frame.today),
                signing: if collector {
                    sheet::Signing::all(&sheet::sample::notice(), &family)
                } else {
                    vec![]
                },
                events: view.events.iter().map(|e| happened(e, &view, &family)).collect(),
                to_be_told: if collector { vec!["Karim Martin (père)".to_owned()] } else { vec![] },
                shell,
                frame,
            }
        };
        vec![
            ("partly_signed", page(AccordStanding::PartlySigned, SeenAs::Collector)),
            ("in_force", page(AccordStanding::InForce, SeenAs::Collector)),
            ("recipient", page(AccordStanding::InForce, SeenAs::Recipient)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccordLineId;

    #[test]
    fn pages_of_accords() {
        crate::web::pages::snapshots::check::<AccordsPage>();
        crate::web::pages::snapshots::check::<AccordPage>();
    }

    /// An accord of two lines of which one was ticked.
    fn half_ticked() -> AccordView {
        let mut view = sample::accord(AccordStanding::InForce, SeenAs::Collector);
        let id = sample::id(AccordLineId::parse, 'h');
        view.lines.push(LineView {
            id,
            state: sample::state(AccordStanding::Draft, vec![]),
            ..sample::line(AccordStanding::Draft)
        });
        view
    }

    #[test]
    fn a_box_left_empty_on_a_signed_sheet_is_not_a_sheet_to_print() {
        let (mut view, family) = (half_ticked(), Family::sample());
        let words = |view: &AccordView| Line::of(view.lines.last().unwrap(), view, &family).state.words;
        assert_eq!(words(&view), "Pas cochée sur la feuille signée");
        view.events.clear();
        assert_eq!(words(&view), "Pas encore acceptée");
        view.state.code = AccordStanding::Draft;
        assert!(words(&view).contains("pas encore imprimée"));
    }

    #[test]
    fn a_line_says_where_it_stands_only_where_that_is_elsewhere_than_the_accord() {
        let (view, family) = (half_ticked(), Family::sample());
        let apart: Vec<bool> = view.lines.iter().map(|l| Line::of(l, &view, &family).apart).collect();
        assert_eq!(apart, [false, true]);
    }

    #[test]
    fn a_signature_names_the_boxes_that_it_ticked() {
        let (view, family) = (half_ticked(), Family::sample());
        let said = |view: &AccordView| happened(view.events.last().unwrap(), view, &family).1;
        assert!(
            said(&view).ends_with("Cases cochées : Action éducative, Sauvegarde du Val-d'Orme."),
            "{}",
            said(&view)
        );
        let mut all = half_ticked();
        all.events.last_mut().unwrap().lines = all.lines.iter().map(|l| l.id.clone()).collect();
        assert!(said(&all).ends_with("Toutes les cases."));
        assert!(!said(&sample::accord(AccordStanding::InForce, SeenAs::Collector)).contains("cases"));
        // What is said aloud is known to answer a sheet that was read.
        let event = all.events.last_mut().unwrap();
        (event.mode, event.original_at, event.read_aloud) = (Some(Mode::Telephone), None, Some(true));
        assert!(said(&all).contains("feuille lue à voix haute"));
    }
}
