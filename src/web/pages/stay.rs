//! The stay (S1): for who prepares it, the steps and the next act; for its organiser one sheet and nothing else, and
//! its print, which is recorded as one.
//!
//! INVARIANT: the organiser's pages have no part, circle, author or count, whoever wrote what they show.

use askama::Template;

use super::Page;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::sharing::behind::{self, Behind};
use super::sharing::{member_only, own_items};
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::service::reading::ItemView;
use crate::service::share_views::{ShareView, Standpoint};
use crate::service::stay::{StayLine, StaySheet};
use crate::service::{AccordView, Act, App, SeenAs};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Where a step of the preparation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Done,
    Now,
    Later,
}

impl Progress {
    const fn said(self) -> &'static str {
        match self {
            Self::Done => "fait",
            Self::Now => "à faire maintenant",
            Self::Later => "ensuite",
        }
    }

    const fn chip(self) -> &'static str {
        match self {
            Self::Done => "yes",
            Self::Now => "wait",
            Self::Later => "",
        }
    }
}

/// The preparation.
#[derive(Template)]
#[template(path = "stay.html")]
struct StayPage {
    shell: Shell,
    frame: Frame,
    items: Vec<ItemView>,
    accords: Vec<AccordView>,
    shares: Vec<ShareView>,
    /// Shared by somebody else, as the référent sees it.
    others: bool,
    /// Who still reads words that were corrected since.
    behind: Vec<Behind>,
}

/// What the organiser reads.
#[derive(Template)]
#[template(path = "stay_sheet.html")]
struct StaySheetPage {
    shell: Shell,
    frame: Frame,
    sheet: StaySheet,
}

/// What the organiser prints.
#[derive(Template)]
#[template(path = "stay_print.html")]
struct StayPrintPage {
    shell: Shell,
    frame: Frame,
    sheet: StaySheet,
    printed: String,
}

/// One subject of the sheet.
struct Subject<'a> {
    category: Category,
    lines: Vec<&'a StayLine>,
}

fn subjects(sheet: &StaySheet) -> Vec<Subject<'_>> {
    let mut out: Vec<Subject<'_>> = Vec::new();
    for line in &sheet.lines {
        match out.iter_mut().find(|s| s.category == line.category) {
            Some(subject) => subject.lines.push(line),
            None => out.push(Subject { category: line.category, lines: vec![line] }),
        }
    }
    out
}

impl StaySheetPage {
    fn subjects(&self) -> Vec<Subject<'_>> {
        subjects(&self.sheet)
    }
}

impl StayPrintPage {
    fn subjects(&self) -> Vec<Subject<'_>> {
        subjects(&self.sheet)
    }

    /// The day on which the paper is given back or destroyed.
    fn give_back(&self) -> String {
        self.sheet.until.as_deref().map_or_else(|| "la fin du séjour".to_owned(), words::day_of)
    }
}

impl StayPage {
    fn written(&self) -> Progress {
        if self.items.is_empty() { Progress::Now } else { Progress::Done }
    }

    fn in_force(&self) -> bool {
        self.accords.iter().any(|a| a.state.code.signed())
    }

    /// Corrected words that the family has not seen yet.
    fn unseen(&self) -> bool {
        self.behind.iter().any(|b| !b.ready())
    }

    fn signed(&self) -> Progress {
        match (self.in_force() && !self.unseen(), self.items.is_empty()) {
            (true, _) => Progress::Done,
            (false, false) if !self.over() => Progress::Now,
            (false, _) => Progress::Later,
        }
    }

    fn organisers(&self) -> Vec<&crate::service::circle::PlaceView> {
        self.frame.view.circle.iter().filter(|p| p.role == Role::StayOrganiser).collect()
    }

    fn invited(&self) -> Progress {
        let ready = self.in_force() && !self.items.is_empty();
        match (self.organisers().iter().any(|p| !p.pending), ready) {
            (true, _) => Progress::Done,
            (false, true) => Progress::Now,
            (false, false) => Progress::Later,
        }
    }

    fn given(&self) -> Progress {
        let ready =
            self.invited() == Progress::Done && self.in_force() && !self.items.is_empty() && !self.unseen();
        let all_given = self.shares.iter().any(|s| s.in_force) && self.behind.is_empty();
        match (all_given, ready && !self.over()) {
            (true, _) => Progress::Done,
            (false, true) => Progress::Now,
            (false, false) => Progress::Later,
        }
    }

    fn read(&self) -> Progress {
        // Who reads the words from before has not read those that count.
        if !self.behind.is_empty() {
            return Progress::Later;
        }
        let mut readers = self.shares.iter().filter(|s| s.in_force).flat_map(|s| &s.readers).peekable();
        match (readers.peek().is_some(), readers.all(|r| r.first_read_at.is_some())) {
            (true, true) => Progress::Done,
            (true, false) => Progress::Now,
            (false, _) => Progress::Later,
        }
    }

    /// Given once, and no longer.
    fn over(&self) -> bool {
        !self.shares.is_empty() && self.shares.iter().all(|s| !s.in_force)
    }

    fn ended(&self) -> Progress {
        if self.over() { Progress::Done } else { Progress::Later }
    }

    /// All of one's writings for the stay, ready to be shared in one go.
    fn share_href(&self) -> String {
        let ids: Vec<&str> = self.items.iter().map(|i| i.id.as_str()).collect();
        let until = self.organisers().iter().filter_map(|p| p.until.as_deref()).min().map(ToOwned::to_owned);
        let mut href = self.frame.at(&format!("/partager?purpose=stay&item={}", ids.join(".")));
        if let Some(day) = until {
            href.push_str(&format!("&last_day={day}"));
        }
        href
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    use Method::{Get, Post};
    use ResourceKind::{Item, Share};
    vec![
        super::row(Get, "/parcours/{pathway}/sejour", (Action::Read, Share), page),
        super::row(Post, "/parcours/{pathway}/sejour/fiche", (Action::Print, Item), print),
    ]
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (call, pathway) = (incoming.call()?, pathway_of(incoming)?);
    let (shell, frame) = Frame::read(app, incoming, Part::Stay, "Séjour")?;
    if frame.view.me.role == Role::StayOrganiser {
        return sheet(app, incoming);
    }
    member_only(&frame)?;
    let items: Vec<ItemView> =
        own_items(app, incoming, &pathway)?.into_iter().filter(|i| i.own && i.for_stay).collect();
    let act = Act { action: Action::List, resource: ResourceKind::Accord };
    let accords = app.accord_list(call, act, &pathway)?.into_inner().items;
    let accords = accords
        .into_iter()
        .filter(|a| a.purpose == Purpose::Stay)
        .filter(|a| matches!(a.seen_as, SeenAs::Collector | SeenAs::Referent))
        .collect();
    let lines = app.shares_list(call, &pathway)?.into_inner().items;
    let stays = || lines.iter().filter(|s| s.purpose == Purpose::Stay);
    let others = stays().any(|s| s.seen_as == Standpoint::Referent);
    let mut shares = Vec::new();
    for line in stays().filter(|s| s.seen_as == Standpoint::Sharer) {
        shares.push(app.share_read(call, &pathway, &line.id)?.into_inner());
    }
    let mut behind = if shares.is_empty() { Vec::new() } else { behind::read(app, incoming, &frame)? };
    behind.retain(|b| b.purpose == Purpose::Stay);
    Answer::page(&StayPage { shell, frame, items, accords, shares, others, behind })
}

/// The organiser's one page: for the handler of `/parcours/{pathway}`, when the place is that of a stay organiser.
///
/// # Errors
/// As the reads; as absent to anybody else.
pub fn sheet(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let act = Act { action: Action::Read, resource: ResourceKind::Item };
    let sheet = app.stay_sheet(incoming.call()?, act, &pathway_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Stay, "Fiche du séjour")?;
    Answer::page(&StaySheetPage { shell, frame, sheet })
}

fn print(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let sheet = app.stay_sheet(incoming.call()?, incoming.act, &pathway_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Stay, "Fiche à imprimer")?;
    let printed = words::moment(app.clock().now());
    Answer::page(&StayPrintPage { shell, frame, sheet, printed })
}

#[cfg(test)]
fn sample_sheet() -> StaySheet {
    use crate::service::stay::StayWords;
    let word = |field: &str, said: &str| StayWords { field: field.to_owned(), said: said.to_owned() };
    StaySheet {
        departure: Some("2027-07-12".to_owned()),
        until: Some("2027-07-26".to_owned()),
        lines: vec![
            StayLine {
                category: Category::HealthMinimal,
                label: "Traitement du soir".to_owned(),
                words: vec![word("Quoi", "Un comprimé à 20 h"), word("Quand", "tous les soirs")],
                valid_until: None,
                corrected_on: Some("2027-07-12".to_owned()),
            },
            StayLine {
                category: Category::Practical,
                label: "Affaires".to_owned(),
                words: vec![word("Détail", "Manque de vêtements chauds")],
                valid_until: Some("2027-07-26".to_owned()),
                corrected_on: None,
            },
        ],
    }
}

/// With the identity, which an accord for a stay opens, and whom to call.
#[cfg(test)]
fn sample_with_calls() -> (Shell, Frame) {
    let (shell, mut frame) = sample_organiser();
    let sheet = serde_json::json!({
        "first_name": "Léa", "name": "Martin",
        "emergency_contacts": [{ "who": "Tante", "number": "0611223355" }],
    });
    if let Some(person) = &mut frame.view.person {
        person.identity = Some(serde_json::from_value(sheet).unwrap());
    }
    (shell, frame)
}

#[cfg(test)]
fn sample_organiser() -> (Shell, Frame) {
    let (shell, mut frame) =
        super::frame::sample::frame_as(Role::StayOrganiser, Part::Stay, "Fiche du séjour");
    frame.view.circle = Vec::new();
    frame.view.step = None;
    frame.view.review_on = None;
    frame.view.me.until = Some("2027-07-26".to_owned());
    (shell, frame)
}

impl Page for StayPage {
    #[cfg(test)]
    const NAME: &'static str = "stay";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::{frame, place};
        use super::sharing::sample;
        use crate::domain::day::Day;
        use crate::domain::vocabulary::{Profession, Secrecy};
        use crate::ids::{AccordId, PathwayId, ShareId};
        use crate::service::share_views::SharedWith;
        use crate::service::{AccordStanding, StateView};
        let letters = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let accord = |code| AccordView {
            id: AccordId::parse(letters).unwrap(),
            pathway: PathwayId::parse(letters).unwrap(),
            seen_as: SeenAs::Collector,
            purpose: Purpose::Stay,
            starts: "2027-03-02".to_owned(),
            ends: "2027-08-01".to_owned(),
            state: StateView { code, at: None, until: None, ends_by: None, awaited: Vec::new() },
            lines: Vec::new(),
            language: None,
            notice_version: None,
            notice_hash: None,
            replaces: None,
            events: Vec::new(),
        };
        let page = |items, accords, organiser: bool, shares, others| {
            let (shell, mut frame) = frame(Part::Stay, "Séjour");
            if organiser {
                let mut paul = place("Paul Girard", Profession::StayOrganiser, Role::StayOrganiser, false);
                paul.until = Some("2027-07-26".to_owned());
                frame.view.circle.push(paul);
            }
            Self { shell, frame, items, accords, shares, others, behind: Vec::new() }
        };
        let items = || vec![sample::item('a', "Traitement du soir", Category::HealthMinimal, true)];
        let share = |in_force, read: bool| ShareView {
            id: ShareId::parse(letters).unwrap(),
            purpose: Purpose::Stay,
            starts: "2027-03-02T09:00:00Z".to_owned(),
            last_day: Day::parse("2027-07-26").ok(),
            departure: Day::parse("2027-07-12").ok(),
            ended_at: None,
            in_force,
            halted: None,
            category: None,
            things: Vec::new(),
            readers: vec![SharedWith {
                member: sample::member('b', "Paul Girard", Profession::StayOrganiser, Secrecy::NotBound),
                in_place_of: None,
                reads_now: in_force,
                sentence: None,
                first_read_at: read.then(|| "2027-07-01T09:00:00Z".to_owned()),
                read: if read { "lu le 1er juillet 2027" } else { "pas encore lu" }.to_owned(),
                versions_read: Vec::new(),
                printed_at: read.then(|| "2027-07-02T09:00:00Z".to_owned()),
                ended_at: None,
            }],
            handover: None,
        };
        let corrected = |ready| {
            let mut page =
                page(items(), vec![accord(AccordStanding::InForce)], true, vec![share(true, true)], false);
            page.behind = vec![behind::sample::behind(&page.frame, ready)];
            page
        };
        vec![
            ("nickname", {
                let (shell, frame) = super::frame::sample::nicknamed(Part::Stay, "Séjour");
                let nothing = page(Vec::new(), Vec::new(), false, Vec::new(), false);
                Self { shell, frame, ..nothing }
            }),
            ("empty", page(Vec::new(), Vec::new(), false, Vec::new(), true)),
            ("to_sign", page(items(), vec![accord(AccordStanding::PartlySigned)], false, Vec::new(), false)),
            ("to_give", page(items(), vec![accord(AccordStanding::InForce)], true, Vec::new(), false)),
            (
                "unread",
                page(items(), vec![accord(AccordStanding::InForce)], true, vec![share(true, false)], false),
            ),
            ("corrected_unseen", corrected(false)),
            ("corrected_ready", corrected(true)),
            (
                "over",
                page(items(), vec![accord(AccordStanding::Expired)], true, vec![share(false, true)], false),
            ),
        ]
    }
}

impl Page for StaySheetPage {
    #[cfg(test)]
    const NAME: &'static str = "stay_sheet";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |sheet| {
            let (shell, frame) = sample_organiser();
            Self { shell, frame, sheet }
        };
        let empty = StaySheet { departure: None, until: None, lines: Vec::new() };
        let (shell, frame) = sample_with_calls();
        vec![
            ("shared", page(sample_sheet())),
            ("whom_to_call", Self { shell, frame, sheet: sample_sheet() }),
            ("empty", page(empty)),
        ]
    }
}

impl Page for StayPrintPage {
    #[cfg(test)]
    const NAME: &'static str = "stay_print";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let (shell, frame) = sample_with_calls();
        vec![(
            "printed",
            Self { shell, frame, sheet: sample_sheet(), printed: "2 juillet 2027 à 9 h 05".to_owned() },
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_stay() {
        super::super::snapshots::check::<StayPage>();
        super::super::snapshots::check::<StaySheetPage>();
        super::super::snapshots::check::<StayPrintPage>();
    }

    #[test]
    fn story_s1_the_organiser_has_one_sheet_without_parts_or_circle() {
        for (_, page) in StaySheetPage::samples() {
            let html = page.render().unwrap();
            for elsewhere in ["/cercle", "/accords", "/partages", "/chronologie", "/ecrire"] {
                assert!(!html.contains(elsewhere), "{elsewhere}");
            }
        }
    }

    #[test]
    fn a_correction_takes_the_steps_back_to_showing_the_words_then_to_giving_them() {
        let samples = StayPage::samples();
        let steps = |wanted: &str| {
            let (_, page) = samples.iter().find(|(name, _)| *name == wanted).unwrap();
            [page.signed(), page.given(), page.read()]
        };
        use Progress::{Done, Later, Now};
        assert_eq!(steps("corrected_unseen"), [Now, Later, Later]);
        assert_eq!(steps("corrected_ready"), [Done, Now, Later]);
    }

    #[test]
    fn one_step_at_most_is_to_be_done_now() {
        for (name, page) in StayPage::samples() {
            let steps = [page.written(), page.signed(), page.invited(), page.given(), page.read()];
            let now = steps.iter().filter(|s| **s == Progress::Now).count();
            assert!(now <= 1, "{name}: {steps:?}");
        }
    }
}
