//! « Mots à faire valider »: the sheets on which the family validates words, as who prepared them finds them again.

use askama::Template;

use super::{Family, State, service_name};
use crate::domain::record::{Action, ResourceKind};
use crate::service::reading::ItemView;
use crate::service::{AccordStanding, Act, App, ReleaseView};
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::sharing::own_items;
use crate::web::pages::shell::Shell;
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One sheet, in words.
struct Card {
    id: String,
    /// The subject, and the name that its author gave to the text.
    words: String,
    who: String,
    only_one_person: bool,
    purpose: &'static str,
    made: String,
    state: State,
    awaited: Vec<String>,
    /// The family has still to be asked.
    open: bool,
    /// The words changed since.
    corrected: bool,
    /// Where one asks again, with the new words.
    again: String,
}

/// A sheet that validates words has no period: its states are told as such.
fn said(view: &ReleaseView) -> State {
    use AccordStanding as S;
    let told = |class, icon, words: &str| State { class, icon, words: words.to_owned() };
    if view.validated_elsewhere {
        return told("yes", Icon::Yes, "Validé par une autre feuille");
    }
    match view.state.code {
        S::InForce if view.superseded => told("", Icon::History, "Validé, mais les mots ont changé"),
        S::InForce => told("yes", Icon::Yes, "Validé par la famille"),
        S::Draft | S::Printed | S::PartlySigned if view.superseded => {
            told("", Icon::History, "Les mots ont changé")
        }
        S::Expired => told("", Icon::Clock, "Ne compte plus"),
        S::Draft
        | S::Printed
        | S::PartlySigned
        | S::Upcoming
        | S::Refused
        | S::Withdrawn
        | S::Replaced
        | S::NotInForce => State::of(&view.state),
    }
}

impl Card {
    fn of(view: &ReleaseView, items: &[ItemView], family: &Family, frame: &Frame) -> Self {
        let label = items.iter().find(|i| i.id == view.item.as_str()).map(|i| i.label.as_str());
        let mut awaited: Vec<String> = view.state.awaited.iter().map(|a| family.awaited(a)).collect();
        awaited.dedup();
        let closed = view.superseded || view.validated_elsewhere;
        Self {
            id: view.id.as_str().to_owned(),
            words: match label {
                Some(label) => format!("{} : « {label} »", view.category.french()),
                None => view.category.french().to_owned(),
            },
            who: format!(
                "{} ({})",
                service_name(&view.recipient),
                view.recipient.profession.within_brackets()
            ),
            only_one_person: view.only_one_person,
            purpose: view.purpose.french(),
            made: words::dated(&view.made_on, &frame.today),
            state: said(view),
            awaited: if closed { Vec::new() } else { awaited },
            open: view.state.code.to_sign() && !closed,
            corrected: view.superseded,
            again: frame.at(&format!("/partager?item={}&purpose={}", view.item, view.purpose.code())),
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "releases.html")]
struct ReleasesPage {
    shell: Shell,
    frame: Frame,
    /// What the family has not answered yet, latest first.
    waiting: Vec<Card>,
    answered: Vec<Card>,
}

impl ReleasesPage {
    fn new(shell: Shell, frame: Frame, views: &[ReleaseView], items: &[ItemView], family: &Family) -> Self {
        let cards = views.iter().rev().map(|v| Card::of(v, items, family, &frame));
        let (waiting, answered) = cards.partition(|card| card.open);
        Self { shell, frame, waiting, answered }
    }
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/validations";
    vec![crate::web::pages::row(Method::Get, PATH, (Action::List, ResourceKind::Release), list)]
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let act = Act { action: Action::List, resource: ResourceKind::Release };
    let views = app.release_list(incoming.call()?, act, &pathway)?.into_inner().items;
    // The names of texts, and of who signs, only where there is a sheet that speaks of them.
    let items = if views.is_empty() { Vec::new() } else { own_items(app, incoming, &pathway)? };
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Mots à faire valider")?;
    let family = Family::read(app, incoming, !views.is_empty())?;
    Answer::page(&ReleasesPage::new(shell, frame, &views, &items, &family))
}

impl Page for ReleasesPage {
    #[cfg(test)]
    const NAME: &'static str = "releases";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::sample::{id, recipient, slot};
        use crate::domain::vocabulary::{Category, Profession, Purpose};
        use crate::ids::{AccordLineId, PathwayId, ReleaseId};
        use crate::service::{AwaitedView, SlotKind};
        use crate::web::pages::sharing::sample;
        let view = |letter, code: AccordStanding| ReleaseView {
            id: id(ReleaseId::parse, letter),
            pathway: id(PathwayId::parse, 'p'),
            purpose: Purpose::Schooling,
            recipient: recipient(Profession::Teacher),
            only_one_person: letter == 'b',
            category: Category::Schooling,
            item: sample::item_id(if letter == 'f' { 'z' } else { 'a' }),
            version: sample::version_id('a'),
            made_on: "2027-03-02".to_owned(),
            state: super::sample::state(
                code,
                if code == AccordStanding::PartlySigned {
                    vec![AwaitedView {
                        line: id(AccordLineId::parse, 'e'),
                        all_of: vec![],
                        any_of: vec![vec![slot(SlotKind::Holder)]],
                        unestablished: None,
                    }]
                } else {
                    vec![]
                },
            ),
            superseded: false,
            validated_elsewhere: false,
        };
        let page = |views: &[ReleaseView]| {
            let (shell, frame) =
                crate::web::pages::frame::sample::frame(Part::Accords, "Mots à faire valider");
            Self::new(shell, frame, views, &sample::items(), &Family::sample())
        };
        let corrected = ReleaseView { superseded: true, ..view('d', AccordStanding::InForce) };
        let elsewhere = ReleaseView { validated_elsewhere: true, ..view('e', AccordStanding::Printed) };
        vec![
            ("empty", page(&[])),
            (
                "waiting",
                page(&[
                    view('a', AccordStanding::Draft),
                    view('b', AccordStanding::PartlySigned),
                    view('c', AccordStanding::InForce),
                ]),
            ),
            (
                "answered",
                page(&[
                    view('c', AccordStanding::InForce),
                    corrected,
                    elsewhere,
                    view('f', AccordStanding::Refused),
                ]),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_validations() {
        crate::web::pages::snapshots::check::<ReleasesPage>();
    }

    #[test]
    fn a_sheet_that_validates_nothing_any_more_is_not_offered_to_be_signed() {
        for (_, page) in ReleasesPage::samples() {
            assert!(page.waiting.iter().all(|card| card.open && !card.corrected));
            assert!(page.answered.iter().all(|card| !card.open));
        }
    }
}
