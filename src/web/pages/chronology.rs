//! What happened on a pathway, latest first, each line as its object: the service filters and decides.

use askama::Template;

use super::Page;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::service::chronology::{Happened, LineView};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The chronology.
#[derive(Template)]
#[template(path = "chronology.html")]
struct ChronologyPage {
    shell: Shell,
    frame: Frame,
    lines: Vec<Line>,
    next: Option<String>,
}

/// One line, in words.
struct Line {
    when: String,
    icon: Icon,
    what: String,
    detail: String,
    href: Option<String>,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(
            Method::Get,
            "/parcours/{pathway}/chronologie",
            (Action::List, ResourceKind::Chronology),
            chronology,
        )
        .asking(&["fait", "suite"]),
    ]
}

const fn icon(what: Happened) -> Icon {
    match what {
        Happened::Opened => Icon::Pathway,
        Happened::Step => Icon::Forward,
        Happened::Closed => Icon::Archive,
        Happened::Joined => Icon::Plus,
        Happened::Left => Icon::Leave,
        Happened::Written => Icon::Pencil,
        Happened::AccordInForce => Icon::Yes,
        Happened::AccordWaiting => Icon::Waiting,
        Happened::AccordOver => Icon::No,
        Happened::Shared => Icon::Share,
        Happened::ShareEnded => Icon::Clock,
        Happened::HandoverAsked | Happened::HandoverDone => Icon::Send,
    }
}

fn line(frame: &Frame, view: LineView) -> Line {
    let page = match view.what {
        Happened::Written => Some("/informations/"),
        Happened::AccordInForce | Happened::AccordWaiting | Happened::AccordOver => Some("/accords/"),
        Happened::Shared => Some("/partages/"),
        Happened::HandoverAsked | Happened::HandoverDone => Some("/passages/"),
        Happened::Opened
        | Happened::Step
        | Happened::Closed
        | Happened::Joined
        | Happened::Left
        | Happened::ShareEnded => None,
    };
    let href = page.zip(view.id).map(|(page, id)| frame.at(&format!("{page}{id}")));
    let mut detail: Vec<String> = Vec::new();
    detail.extend(view.label.map(|l| format!("« {l} »")));
    detail.extend(view.category.map(|c| c.french().to_owned()));
    detail.extend(view.step.map(|s| s.french().to_owned()));
    detail.extend(view.purpose.map(|p| p.french().to_owned()));
    detail.extend(view.who.map(|w| format!("{}, {} ({})", w.name, w.profession.french(), w.organisation)));
    Line {
        when: words::moment_of(&view.at),
        icon: icon(view.what),
        what: view.what.french().to_owned(),
        detail: detail.join(" · "),
        href,
    }
}

fn chronology(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("suite").map(String::as_str);
    let view = app.chronology(incoming.call()?, &pathway_of(incoming)?, cursor)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Chronology, "Chronologie")?;
    let lines = view.items.into_iter().map(|l| line(&frame, l)).collect();
    let next = view.next.map(|c| words::encoded(&c));
    Answer::page(&ChronologyPage { shell, frame, lines, next })
}

impl Page for ChronologyPage {
    #[cfg(test)]
    const NAME: &'static str = "chronology";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::vocabulary::{Category, Profession, Purpose, Step};
        let page = |views: Vec<LineView>, next: Option<&str>| {
            let (shell, frame) = super::frame::sample::frame(Part::Chronology, "Chronologie");
            let lines = views.into_iter().map(|v| line(&frame, v)).collect();
            Self { shell, frame, lines, next: next.map(ToOwned::to_owned) }
        };
        let every: Vec<LineView> = Happened::ALL
            .iter()
            .map(|what| LineView {
                at: "2027-03-02T09:05:00Z".to_owned(),
                what: *what,
                who: matches!(what, Happened::Joined | Happened::Left).then(|| {
                    super::frame::sample::who(
                        "Karim Haddad",
                        "Les Passerelles",
                        Profession::SpecialisedPrevention,
                    )
                }),
                step: (*what == Happened::Step).then_some(Step::Accompaniment),
                purpose: (*what == Happened::Shared).then_some(Purpose::Coordination),
                category: (*what == Happened::Written).then_some(Category::Leisure),
                id: (!matches!(what, Happened::Joined | Happened::Left)).then(|| "object".to_owned()),
                label: (*what == Happened::Written).then(|| "Club".to_owned()),
            })
            .collect();
        vec![("every_line", page(every, Some("c"))), ("empty", page(Vec::new(), None))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_the_chronology() {
        crate::web::pages::snapshots::check::<super::ChronologyPage>();
    }
}
