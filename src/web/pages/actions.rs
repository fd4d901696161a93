//! Actions: what is to be done, by whom and by when; begun only under an accord (R05), which the service asks.

use askama::Template;

use super::Page;
use super::confirm::ConfirmPage;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::ItemId;
use crate::service::actions::{ActionInput, ActionState, ProgressInput};
use crate::service::circle::PlaceView;
use crate::service::reading::{ActionView, ItemKind, ItemView, ItemsQuery};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// How many pages of items are looked through for actions.
const PAGES: usize = 10;

/// The actions, and a new one.
#[derive(Template)]
#[template(path = "actions.html")]
struct ActionsPage {
    shell: Shell,
    frame: Frame,
    actions: Vec<ItemView>,
    /// Who may be named to do it.
    members: Vec<PlaceView>,
    categories: Vec<Category>,
    entered: Entered,
}

impl ActionsPage {
    /// The state to which an action moves on, unless it is given up.
    fn next(action: &ActionView) -> Option<ActionState> {
        match action.state {
            ActionState::Proposed => Some(ActionState::InProgress),
            ActionState::InProgress => Some(ActionState::Done),
            ActionState::Done | ActionState::Dropped => None,
        }
    }

    fn chip(action: &ActionView) -> &'static str {
        match action.state {
            ActionState::Proposed => "wait",
            ActionState::InProgress => "accent",
            ActionState::Done => "yes",
            ActionState::Dropped => "",
        }
    }

    /// Whether the reader moves this one on: who wrote it, or who does it.
    fn mine(&self, item: &ItemView) -> bool {
        let doer = item.action.as_ref().and_then(|a| a.who.as_ref());
        item.own || doer.is_some_and(|w| *w == self.frame.view.me.who)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const DROP: &str = "/parcours/{pathway}/actions/{item}/abandonner";
    let on = |action| (action, ResourceKind::ActionItem);
    vec![
        super::row(Method::Get, "/parcours/{pathway}/actions", on(Action::List), page)
            .asking(&["fait", "but"]),
        super::row(Method::Post, "/parcours/{pathway}/actions", on(Action::Create), propose),
        super::row(Method::Post, "/parcours/{pathway}/actions/{item}", on(Action::Update), progress),
        super::row(Method::Get, DROP, (Action::Read, ResourceKind::ActionItem), before_drop),
        super::row(Method::Post, DROP, on(Action::Update), drop_it),
    ]
}

/// The actions that the reader may read through one door.
fn readable(app: &App, incoming: &Incoming) -> Result<Vec<ItemView>, Fault> {
    let purpose = incoming.query("but", Purpose::parse)?;
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let kind = Some(ItemKind::Action);
        let query = ItemsQuery { purpose, kind, cursor: cursor.as_deref(), ..ItemsQuery::default() };
        let page = app.items(incoming.call()?, &pathway_of(incoming)?, query)?.into_inner();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Actions, "Actions")?;
    let actions = readable(app, incoming)?;
    let open = frame.view.closed_at.is_none();
    let (members, categories) = if open {
        let members = frame.view.circle.iter().filter(|p| !p.pending && p.role != Role::StayOrganiser);
        (members.cloned().collect(), app.writing(call, &pathway)?.into_inner().categories)
    } else {
        (Vec::new(), Vec::new())
    };
    Answer::page_with(status, &ActionsPage { shell, frame, actions, members, categories, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn to_actions(incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::see_other(format!("/parcours/{}/actions?fait=enregistre", pathway_of(incoming)?.as_str())))
}

fn propose(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: ActionInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.action_propose(incoming.call()?, &pathway_of(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => to_actions(incoming),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

fn progress(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let id = incoming.id("item", ItemId::parse)?;
    let attempt = || -> Result<(), Fault> {
        let input: ProgressInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.action_progress(call, &id, input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => to_actions(incoming),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// What giving up does, before it does it: nothing takes it back.
fn before_drop(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let item = app.item(incoming.call()?, &incoming.id("item", ItemId::parse)?, None)?.into_inner();
    super::information::of_this_pathway(incoming, &item)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Actions, "Abandonner une action")?;
    let absent = || Fault::Syntax(ServiceError::AbsentOrRefused);
    let action = item.action.as_ref().filter(|a| ActionsPage::next(a).is_some()).ok_or_else(absent)?;
    let back = frame.at("/actions");
    Answer::page(&ConfirmPage {
        shell,
        title: format!("Abandonner l'action « {} » ?", action.what),
        effects: vec![
            "Elle est marquée « abandonnée » pour tous ceux qui la lisent, et reste lisible.".to_owned(),
            "Ce n'est pas réversible : pour la reprendre, il faudra en proposer une nouvelle.".to_owned(),
        ],
        action: format!("{back}/{}/abandonner", item.id),
        button: "Abandonner l'action",
        stops: true,
        back,
    })
}

fn drop_it(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("item", ItemId::parse)?;
    match app.action_progress(incoming.call()?, &id, ProgressInput { state: ActionState::Dropped }) {
        Ok(_) => to_actions(incoming),
        Err(error) => {
            back(app, incoming, error.into(), |status, entered| show(app, incoming, status, entered))
        }
    }
}

impl Page for ActionsPage {
    #[cfg(test)]
    const NAME: &'static str = "actions";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |actions, members: Vec<PlaceView>, categories| {
            let (shell, frame) = frame(Part::Actions, "Actions");
            Self { shell, frame, actions, members, categories, entered: Entered::nothing() }
        };
        let every = ActionState::ALL
            .iter()
            .map(|state| {
                let mut item = super::information::sample::own("Inscrire au club", Category::Leisure);
                item.words = Vec::new();
                item.action = Some(ActionView {
                    what: item.label.clone(),
                    by_when: "2027-04-01".to_owned(),
                    who: item.author.clone(),
                    state: *state,
                });
                item
            })
            .collect();
        let me = frame(Part::Actions, "Actions").1.view.me;
        vec![
            ("every_state", page(every, vec![me.clone()], vec![Category::Leisure])),
            ("empty", page(Vec::new(), vec![me], vec![Category::Leisure])),
            ("closed", page(Vec::new(), Vec::new(), Vec::new())),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_actions() {
        crate::web::pages::snapshots::check::<super::ActionsPage>();
    }
}
