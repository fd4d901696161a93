//! The information of a pathway, by subject: who wrote it, when, until when, and why the reader may read it; one item
//! with its versions; one's own writings, to print or take away; an item of mine taken up for a brother or sister.
//!
//! INVARIANT: nothing is told of what is closed, but to its own author (the service's list `closed`).

use std::fmt::Write as _;

use askama::Template;

use super::Page;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::sharing::behind::{self, Behind};
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::ItemId;
use crate::service::handovers::HandoverLine;
use crate::service::pathways::{DoorView, PathwayLine};
use crate::service::reading::{ClosedView, Fill, ItemKind, ItemView, ItemsQuery};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// How many of the own closed items have a line each; the others are counted.
const CLOSED_TOLD: usize = 10;

/// The items of one subject.
struct Group {
    category: Category,
    items: Vec<ItemView>,
}

/// The information of a pathway.
#[derive(Template)]
#[template(path = "information.html")]
struct InformationPage {
    shell: Shell,
    frame: Frame,
    /// The door through which it is read.
    purpose: Option<Purpose>,
    groups: Vec<Group>,
    closed: Vec<ClosedView>,
    /// How many more are closed than `closed` tells.
    closed_too: usize,
    /// The address of the page after this one.
    next: Option<String>,
    may_write: bool,
    may_share: bool,
    /// Handovers that wait for the reader: told where nothing is to be read yet.
    awaiting: Vec<HandoverLine>,
}

impl InformationPage {
    fn is_open(&self, door: &DoorView) -> bool {
        self.purpose == Some(door.purpose)
    }
}

/// One item, with its earlier versions.
#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    shell: Shell,
    frame: Frame,
    item: ItemView,
    before: Vec<ItemView>,
    may_write: bool,
    /// Who still reads the words from before the correction.
    behind: Vec<Behind>,
}

/// Everything that I wrote here.
#[derive(Template)]
#[template(path = "writings.html")]
struct WritingsPage {
    shell: Shell,
    frame: Frame,
    items: Vec<ItemView>,
    /// Written after these.
    first: bool,
    /// Where the page after this one goes on.
    next: Option<String>,
}

/// For which other young person to take it up.
#[derive(Template)]
#[template(path = "take_up.html")]
struct TakeUpPage {
    shell: Shell,
    frame: Frame,
    item: ItemView,
    others: Vec<PathwayLine>,
    today: chrono::NaiveDate,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let on = |action| (action, ResourceKind::Item);
    vec![
        super::row(Method::Get, "/parcours/{pathway}", on(Action::List), information)
            .asking(&["fait", "but", "sujet", "suite"]),
        super::row(Method::Get, "/parcours/{pathway}/informations/{item}", on(Action::Read), one)
            .asking(&["fait", "but"]),
        super::row(
            Method::Get,
            "/parcours/{pathway}/informations/{item}/reprendre",
            on(Action::Read),
            take_up,
        ),
        super::row(Method::Get, "/parcours/{pathway}/mes-ecrits", on(Action::Export), writings)
            .asking(&["fait", "suite"]),
        super::row(Method::Get, "/parcours/{pathway}/mes-ecrits/texte", on(Action::Export), writings_file),
    ]
}

/// What a role may do on an open pathway.
fn may(frame: &Frame) -> (bool, bool) {
    let open = frame.view.closed_at.is_none();
    match frame.view.me.role {
        Role::Referent | Role::Participant | Role::ContributorOnly => (open, open && !frame.nickname_only()),
        Role::StayOrganiser => (false, false),
    }
}

/// The item that an address names, which must be of the pathway that it names.
///
/// # Errors
/// Absent, when it is of another pathway.
pub fn of_this_pathway(incoming: &Incoming, item: &ItemView) -> Result<(), Fault> {
    if pathway_of(incoming)?.as_str() == item.pathway {
        Ok(())
    } else {
        Err(Fault::Syntax(ServiceError::AbsentOrRefused))
    }
}

fn information(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Information, "Informations")?;
    if frame.view.me.role == Role::StayOrganiser {
        return Ok(Answer::see_other(frame.at("/sejour")));
    }
    let query = ItemsQuery {
        purpose: incoming.query("but", Purpose::parse)?,
        category: incoming.query("sujet", Category::parse)?,
        kind: Some(ItemKind::Item),
        own: false,
        fill: Fill::Light,
        cursor: incoming.query.get("suite").map(String::as_str),
    };
    let list = app.items(incoming.call()?, &pathway_of(incoming)?, query)?.into_inner();
    let mut items: Vec<ItemView> = list.items;
    let mut groups = Vec::new();
    for category in Category::ALL {
        let (these, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|i| i.category == *category);
        items = rest;
        if !these.is_empty() {
            groups.push(Group { category: *category, items: these });
        }
    }
    let (may_write, may_share) = may(&frame);
    let awaiting = if groups.is_empty() {
        let mut lines = app.handovers_list(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
        lines.retain(|line| line.waits_for_me);
        lines
    } else {
        Vec::new()
    };
    let mut closed = list.closed;
    let closed_too = closed.len().saturating_sub(CLOSED_TOLD);
    closed.truncate(CLOSED_TOLD);
    let asked = [
        ("but", list.purpose.map(Purpose::code)),
        ("sujet", query.category.map(Category::code)),
        ("suite", list.next.as_deref()),
    ];
    let pairs =
        asked.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", words::encoded(value?))));
    let address = format!("?{}", pairs.collect::<Vec<_>>().join("&"));
    Answer::page(&InformationPage {
        shell,
        awaiting,
        purpose: list.purpose,
        groups,
        closed,
        closed_too,
        next: list.next.is_some().then_some(address),
        may_write,
        may_share,
        frame,
    })
}

fn item_of(incoming: &Incoming) -> Result<ItemId, Fault> {
    incoming.id("item", ItemId::parse)
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let purpose = incoming.query("but", Purpose::parse)?;
    let mut versions = app.item_history(incoming.call()?, &item_of(incoming)?, purpose)?.into_inner();
    if versions.is_empty() {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let item = versions.remove(0);
    of_this_pathway(incoming, &item)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Information, "Information")?;
    let (may_write, _) = may(&frame);
    // Only what was corrected can have left somebody behind.
    let mut behind =
        if item.version > 1 && may_write { behind::read(app, incoming, &frame)? } else { Vec::new() };
    behind.retain(|b| b.item.as_str() == item.id);
    Answer::page(&ItemPage { shell, frame, item, before: versions, may_write, behind })
}

fn take_up(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let item = app.item(call, &item_of(incoming)?, None)?.into_inner();
    of_this_pathway(incoming, &item)?;
    if !item.own || item.action.is_some() {
        return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
    }
    let others = app.pathways(call, None)?.into_inner().items;
    let (shell, frame) = Frame::read(app, incoming, Part::Information, "Reprendre une information")?;
    let others = others
        .into_iter()
        .filter(|p| p.id != item.pathway && p.closed_at.is_none() && p.role != Role::StayOrganiser)
        .collect();
    let today = frame.today;
    Answer::page(&TakeUpPage { shell, frame, item, others, today })
}

fn writings(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("suite").map(String::as_str);
    let page = app.own_writings(incoming.call()?, &pathway_of(incoming)?, Fill::Light, cursor)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "Mes écrits")?;
    Answer::page(&WritingsPage {
        shell,
        frame,
        items: page.items,
        first: cursor.is_none(),
        next: page.next.map(|c| words::encoded(&c)),
    })
}

/// What somebody wrote, as plain text: nothing of others, nothing of who read it.
fn as_text(items: &[ItemView]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for item in items {
        writeln!(out, "{}", item.label)?;
        writeln!(out, "{}, écrit le {}", item.category.french(), words::day_of(&item.written_on))?;
        if let Some(action) = &item.action {
            writeln!(out, "À faire avant le {} ({})", words::day_of(&action.by_when), action.state.french())?;
        }
        for (name, value) in &item.words {
            writeln!(out, "{name} : {value}")?;
        }
        if let Some(day) = &item.valid_until {
            writeln!(out, "Valable jusqu'au {}", words::day_of(day))?;
        }
        writeln!(out)?;
    }
    Ok(out)
}

fn writings_file(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let all = app.own_writings(incoming.call()?, &pathway_of(incoming)?, Fill::Whole, None)?.into_inner();
    let text = as_text(&all.items).map_err(|e| Fault::Service(ServiceError::internal(e)))?;
    Ok(Answer::File {
        media: "text/plain; charset=utf-8",
        name: "mes-ecrits.txt".to_owned(),
        body: text.into_bytes(),
    })
}

/// Items for samples.
#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::domain::cell::Reason;
    use crate::domain::vocabulary::{Profession, Regime};
    use crate::service::reading::WhyView;

    /// Something that was shared with the reader.
    pub fn shared(label: &str, category: Category) -> ItemView {
        ItemView {
            id: "item".to_owned(),
            pathway: "pathway".to_owned(),
            version_id: "version".to_owned(),
            version: 1,
            category,
            subjects: Vec::new(),
            label: label.to_owned(),
            content: None,
            words: vec![
                ("Fait".to_owned(), "Vient au club le mercredi".to_owned()),
                ("Source".to_owned(), "dit par le jeune".to_owned()),
            ],
            action: None,
            for_stay: false,
            by_family: false,
            author: Some(super::super::frame::sample::who(
                "Karim Haddad",
                "Les Passerelles",
                Profession::SpecialisedPrevention,
            )),
            written_on: "2027-03-02".to_owned(),
            valid_until: Some("2027-06-02".to_owned()),
            corrected_on: None,
            own: false,
            why: WhyView {
                reason: Reason::Accord,
                regime: Some(Regime::Accord),
                purpose: Some(Purpose::Coordination),
                until: Some("2027-06-01".to_owned()),
                sentence: "Vous lisez ceci jusqu'au 1er juin 2027, avec l'accord signé le 2 mars 2027."
                    .to_owned(),
            },
        }
    }

    /// Something that the reader wrote.
    pub fn own(label: &str, category: Category) -> ItemView {
        let mut item = shared(label, category);
        item.own = true;
        item.why.reason = Reason::OwnItem;
        item.why.sentence = "Cette information vient de vous ou de votre service.".to_owned();
        item
    }
}

impl Page for InformationPage {
    #[cfg(test)]
    const NAME: &'static str = "information";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::{frame, frame_as, paused, without_referent};
        let page = |(shell, frame): (Shell, Frame), purpose, groups, closed| {
            let (may_write, may_share) = may(&frame);
            let awaiting = Vec::new();
            let (closed_too, next) = (0, None);
            Self { shell, frame, purpose, groups, closed, closed_too, next, may_write, may_share, awaiting }
        };
        let title = "Informations";
        let own = Group { category: Category::Leisure, items: vec![sample::own("Club", Category::Leisure)] };
        let mut family = sample::shared("Traitement", Category::HealthMinimal);
        family.by_family = true;
        family.author = None;
        family.for_stay = true;
        family.corrected_on = Some("2027-03-10".to_owned());
        let told = Group { category: Category::HealthMinimal, items: vec![family] };
        let shut = ClosedView {
            id: "item".to_owned(),
            category: Category::Housing,
            written_on: "2026-03-02".to_owned(),
            sentence: "Cette information n'est plus à jour.".to_owned(),
            repair: Some("La relire et la prolonger.".to_owned()),
        };
        let mut doors = frame(Part::Information, title);
        doors.1.view.doors = vec![
            DoorView { purpose: Purpose::Coordination, items: 3 },
            DoorView { purpose: Purpose::Stay, items: 1 },
        ];
        let mut closed = frame_as(Role::Participant, Part::Information, title);
        closed.1.view.closed_at = Some("2027-03-01T12:00:00Z".to_owned());
        let nameless = Group {
            category: Category::Mobility,
            items: vec![ItemView { author: None, ..sample::shared("Trajets", Category::Mobility) }],
        };
        let member = |part| frame_as(Role::Participant, part, title);
        let mut handed = page(member(Part::Information), None, Vec::new(), Vec::new());
        handed.awaiting.push(super::handovers::sample_line());
        vec![
            ("hidden_author", page(member(Part::Information), None, vec![nameless], Vec::new())),
            ("handover_waits", handed),
            ("no_referent", page(without_referent(Part::Information, title), None, Vec::new(), Vec::new())),
            (
                "paused",
                page(paused(Role::Participant, Part::Information, title), None, Vec::new(), Vec::new()),
            ),
            ("empty", page(frame(Part::Information, title), None, Vec::new(), Vec::new())),
            ("two_doors", page(doors, None, vec![own], Vec::new())),
            (
                "shared",
                page(
                    frame_as(Role::Participant, Part::Information, title),
                    Some(Purpose::Stay),
                    vec![told],
                    vec![shut.clone()],
                ),
            ),
            ("closed", page(closed, None, Vec::new(), Vec::new())),
            ("many_closed", {
                let mut page = page(member(Part::Information), None, Vec::new(), vec![shut.clone()]);
                page.closed_too = 12;
                page.next = Some("?suite=c".to_owned());
                page
            }),
        ]
    }
}

impl Page for ItemPage {
    #[cfg(test)]
    const NAME: &'static str = "item";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |item, before| {
            let (shell, frame) = frame(Part::Information, "Information");
            Self { shell, frame, item, before, may_write: true, behind: Vec::new() }
        };
        let left = |ready| {
            let mut item = sample::own("Traitement du matin", Category::HealthMinimal);
            item.version = 2;
            let mut page: Self = page(item, Vec::new());
            page.behind = vec![behind::sample::behind(&page.frame, ready)];
            page
        };
        let mut now = sample::own("Club de boxe", Category::Leisure);
        now.version = 2;
        let mut before = sample::own("Club", Category::Leisure);
        before.corrected_on = Some("2027-03-10".to_owned());
        vec![
            ("shared", page(sample::shared("Club", Category::Leisure), Vec::new())),
            ("corrected", page(now, vec![before])),
            ("old_text_read", left(false)),
            ("new_text_to_share", left(true)),
        ]
    }
}

impl Page for WritingsPage {
    #[cfg(test)]
    const NAME: &'static str = "writings";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |items, first, next: Option<&str>| {
            let (shell, frame) = frame(Part::Other, "Mes écrits");
            Self { shell, frame, items, first, next: next.map(ToOwned::to_owned) }
        };
        let club = || vec![sample::own("Club", Category::Leisure)];
        vec![
            ("empty", page(Vec::new(), true, None)),
            ("one", page(club(), true, None)),
            ("older", page(club(), false, Some("c"))),
        ]
    }
}

impl Page for TakeUpPage {
    #[cfg(test)]
    const NAME: &'static str = "take_up";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |others| {
            let (shell, frame) = frame(Part::Information, "Reprendre une information");
            let today = frame.today;
            Self { shell, frame, item: sample::own("Club", Category::Leisure), others, today }
        };
        vec![("alone", page(Vec::new())), ("brother", page(vec![super::pathways::sample_line()]))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_information() {
        crate::web::pages::snapshots::check::<InformationPage>();
        crate::web::pages::snapshots::check::<ItemPage>();
        crate::web::pages::snapshots::check::<WritingsPage>();
        crate::web::pages::snapshots::check::<TakeUpPage>();
    }

    /// An item whose label, words and author are as long as their limits let them be, in French letters.
    fn longest(category: Category, own: bool) -> ItemView {
        use crate::web::pages::snapshots::full;
        let id = "abcdefghijklmnopqrstuvwxyz";
        let mut item = if own { sample::own("", category) } else { sample::shared("", category) };
        item.label = full(140);
        item.id = id.to_owned();
        item.corrected_on = Some("2027-03-10".to_owned()).filter(|_| !own);
        if let Some(author) = &mut item.author {
            author.name = full(80);
            author.organisation = full(120);
        }
        let line = |name: &str, letters| (name.to_owned(), full(letters));
        item.words = match category {
            Category::Identity => {
                let mut words = vec![line("Nom", 80), line("Prénom", 80), line("Né(e) le", 20)];
                // Who it is, the name and the number.
                words.extend((0..10).map(|_| line("Contact", 130)));
                words.extend((0..10).map(|_| line("En cas d'urgence", 100)));
                words.extend((0..10).map(|_| line("Remise uniquement à", 80)));
                words
            }
            Category::Evaluation => {
                let mut words: Vec<_> = (0..5).map(|_| line("Ce que dit la famille", 600)).collect();
                words.extend([line("Sujets abordés", 400), line("Relu avec la famille le", 20)]);
                words
            }
            _of_a_fact => vec![
                line("Fait", 140),
                line("Depuis le", 20),
                line("Source", 40),
                line("Au sens de la charte", 60),
            ],
        };
        item
    }

    /// As many of a subject as one page takes, and of a fact what still finds room.
    fn fullest(category: Category, own: bool) -> Vec<ItemView> {
        use crate::service::reading::{LIGHT, weight};
        let many = LIGHT / weight(category);
        let rest = LIGHT % weight(category);
        let items = (0..many).map(|_| longest(category, own));
        items.chain((0..rest).map(|_| longest(Category::Schooling, own))).collect()
    }

    #[test]
    fn the_fullest_page_of_information_is_light() {
        use crate::service::reading::LIGHT;
        use crate::web::pages::frame::sample::frame;
        for (category, own) in Category::ALL.iter().flat_map(|c| [true, false].map(|own| (*c, own))) {
            let (shell, mut frame) = frame(Part::Information, "Informations");
            frame.view.id = "abcdefghijklmnopqrstuvwxyz".to_owned();
            frame.view.doors = Purpose::ALL.iter().map(|p| DoorView { purpose: *p, items: 20 }).collect();
            let shut = ClosedView {
                id: "item".to_owned(),
                category: Category::HealthDetailed,
                written_on: "2026-03-02".to_owned(),
                sentence: "Cette information n'est plus à jour.".to_owned(),
                repair: Some("La relire et la prolonger.".to_owned()),
            };
            let items = fullest(category, own);
            let html = crate::web::pages::snapshots::light(&InformationPage {
                shell,
                frame,
                purpose: Some(Purpose::Coordination),
                groups: items.into_iter().map(|i| Group { category: i.category, items: vec![i] }).collect(),
                closed: vec![shut; CLOSED_TOLD],
                closed_too: 40,
                next: Some(
                    "?but=coordination&suite=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz".to_owned(),
                ),
                may_write: true,
                may_share: true,
                awaiting: Vec::new(),
            });
            assert!(html.matches("<article").count() >= LIGHT / 4 && html.contains("Et 40 autres"));
        }
    }

    #[test]
    fn the_fullest_page_of_ones_own_writings_is_light() {
        use crate::web::pages::frame::sample::frame;
        for category in Category::ALL {
            let (shell, mut frame) = frame(Part::Other, "Mes écrits");
            frame.view.id = "abcdefghijklmnopqrstuvwxyz".to_owned();
            let items = fullest(*category, true);
            let many = items.len();
            let next = Some("abcdefghijklmnopqrstuvwxyz".to_owned());
            let page = WritingsPage { shell, frame, items, first: false, next };
            let html = crate::web::pages::snapshots::light(&page);
            assert_eq!(html.matches("<article").count(), many);
        }
    }

    #[test]
    fn own_writings_are_taken_away_as_text() {
        let text = as_text(&[sample::own("Club de boxe", Category::Leisure)]).unwrap();
        assert!(text.starts_with("Club de boxe\nLoisirs, culture, sport, écrit le 2 mars 2027\n"));
        assert!(text.contains("Fait : Vient au club le mercredi\n"));
        assert!(!text.contains("Karim"), "who wrote it is who takes it away");
    }
}
