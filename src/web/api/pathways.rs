//! Pathways: opening, list, search, page, course, end, and the people of one.

use super::rows::{get, post};
use crate::domain::record::{Action as A, ResourceKind as R};
use crate::ids::{HolderId, PathwayId};
use crate::service::App;
use crate::service::chronology::ChronologyView;
use crate::service::pathways::{
    ClosingInput, CourseInput, Opening, PathwayList, PathwayView, ReferentInput, SearchInput,
};
use crate::service::people::{
    EmancipationInput, HolderEnd, HolderInput, HoldersView, IdentityInput, PreferenceInput, PreferencesView,
};
use crate::service::today::TodayView;
use crate::web::route::{Answer, Fault, Incoming, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut rows = lists();
    rows.extend(people());
    rows
}

fn lists() -> Vec<Route> {
    vec![
        Route {
            query: &["cursor"],
            ..get(
                "/api/v1/pathways",
                (A::List, R::Pathway),
                "The pathways of the acting assignment, each line decided",
                described::<PathwayList>("PathwayList"),
                list,
            )
        },
        get(
            "/api/v1/today",
            (A::List, R::Pathway),
            "What waits for the acting assignment, derived now, with its pathways",
            described::<TodayView>("TodayView"),
            today,
        ),
        post(
            "/api/v1/pathways",
            (A::Create, R::Pathway),
            "Open a pathway; who opens it is its referent",
            Some(described::<Opening>("Opening")),
            open,
        ),
        Route {
            answer: Some(described::<PathwayList>("PathwayList")),
            ..post(
                "/api/v1/pathways/search",
                (A::Search, R::Pathway),
                "Search the own pathways by shared name; the text is kept nowhere",
                Some(described::<SearchInput>("SearchInput")),
                search,
            )
        },
        get(
            "/api/v1/pathways/{pathway}",
            (A::Read, R::Pathway),
            "The page of one pathway",
            described::<PathwayView>("PathwayView"),
            page,
        ),
        post(
            "/api/v1/pathways/{pathway}/course",
            (A::Update, R::Pathway),
            "The next step and review date (referent)",
            Some(described::<CourseInput>("CourseInput")),
            course,
        ),
        post(
            "/api/v1/pathways/{pathway}/closing",
            (A::End, R::Pathway),
            "Close a pathway (referent)",
            Some(described::<ClosingInput>("ClosingInput")),
            close,
        ),
        post(
            "/api/v1/pathways/{pathway}/referent",
            (A::Update, R::Participation),
            "Name another referent, with the young person's preference (referent)",
            Some(described::<ReferentInput>("ReferentInput")),
            referent,
        ),
        Route {
            query: &["cursor"],
            ..get(
                "/api/v1/pathways/{pathway}/chronology",
                (A::List, R::Chronology),
                "What happened, each line as its object",
                described::<ChronologyView>("ChronologyView"),
                chronology,
            )
        },
    ]
}

fn people() -> Vec<Route> {
    vec![
        post(
            "/api/v1/pathways/{pathway}/identity",
            (A::Update, R::Identity),
            "The name, given by the young person, or corrected (referent)",
            Some(described::<IdentityInput>("IdentityInput")),
            identity,
        ),
        post(
            "/api/v1/pathways/{pathway}/emancipation",
            (A::Update, R::Identity),
            "Record an emancipation (referent)",
            Some(described::<EmancipationInput>("EmancipationInput")),
            emancipation,
        ),
        get(
            "/api/v1/pathways/{pathway}/preference",
            (A::Read, R::Preference),
            "The choices of referent, latest first (referent)",
            described::<PreferencesView>("PreferencesView"),
            preferences,
        ),
        post(
            "/api/v1/pathways/{pathway}/preference",
            (A::Create, R::Preference),
            "Record a choice of referent, or that it changed (referent)",
            Some(described::<PreferenceInput>("PreferenceInput")),
            preference,
        ),
        get(
            "/api/v1/pathways/{pathway}/holders",
            (A::Read, R::Holder),
            "Holders of parental authority and others, by name (referent, collectors)",
            described::<HoldersView>("HoldersView"),
            holders,
        ),
        post(
            "/api/v1/pathways/{pathway}/holders",
            (A::Create, R::Holder),
            "Add a holder of parental authority, or another capacity",
            Some(described::<HolderInput>("HolderInput")),
            holder,
        ),
        post(
            "/api/v1/pathways/{pathway}/holders/{holder}/end",
            (A::End, R::Holder),
            "End a holder's capacity",
            Some(described::<HolderEnd>("HolderEnd")),
            holder_end,
        ),
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn cursor(incoming: &Incoming) -> Option<&str> {
    incoming.query.get("cursor").map(String::as_str)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.pathways(incoming.call()?, cursor(incoming))?)
}

fn today(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.today(incoming.call()?)?)
}

fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: Opening = incoming.json()?;
    Ok(Answer::created(app.pathway_open(incoming.call()?, &input)?))
}

fn search(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: SearchInput = incoming.json()?;
    Answer::disclosed(&app.pathways_search(incoming.call()?, &input)?)
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.pathway(incoming.call()?, &pathway(incoming)?)?)
}

fn course(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: CourseInput = incoming.json()?;
    Ok(Answer::created(app.course_set(incoming.call()?, &pathway(incoming)?, input)?))
}

fn close(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ClosingInput = incoming.json()?;
    Ok(Answer::created(app.pathway_close(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn referent(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ReferentInput = incoming.json()?;
    Ok(Answer::created(app.referent_name(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn chronology(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.chronology(incoming.call()?, &pathway(incoming)?, cursor(incoming))?)
}

fn identity(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: IdentityInput = incoming.json()?;
    Ok(Answer::created(app.identity_set(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn emancipation(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: EmancipationInput = incoming.json()?;
    Ok(Answer::created(app.emancipation_set(incoming.call()?, &pathway(incoming)?, input)?))
}

fn preferences(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.preferences(incoming.call()?, &pathway(incoming)?)?)
}

fn preference(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: PreferenceInput = incoming.json()?;
    Ok(Answer::created(app.preference_add(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn holders(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.holders(incoming.call()?, &pathway(incoming)?)?)
}

fn holder(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: HolderInput = incoming.json()?;
    Ok(Answer::created(app.holder_add(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn holder_end(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: HolderEnd = incoming.json()?;
    let holder = incoming.id("holder", HolderId::parse)?;
    Ok(Answer::created(app.holder_end(incoming.call()?, &pathway(incoming)?, &holder, input)?))
}
