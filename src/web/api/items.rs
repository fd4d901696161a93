//! Items, actions and personal notes.

use super::rows::{get, post};
use crate::domain::record::{Action as A, ResourceKind as R};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{ItemId, NoteId, PathwayId};
use crate::service::actions::{ActionInput, ProgressInput};
use crate::service::items::{CheckView, Corrects, ItemInput, RevisionInput, item_stamp};
use crate::service::notes::{NoteChange, NoteInput, NotesView};
use crate::service::reading::{ItemList, ItemView, ItemsQuery};
use crate::service::writing::WritingView;
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route, described};

/// The rows of this area.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut rows = items();
    rows.extend(actions_and_notes());
    rows
}

fn items() -> Vec<Route> {
    vec![
        Route {
            query: &["purpose", "category", "cursor"],
            ..get(
                "/api/v1/pathways/{pathway}/items",
                (A::List, R::Item),
                "The items that may be read through one door, latest first",
                described::<ItemList>("ItemList"),
                list,
            )
        },
        get(
            "/api/v1/pathways/{pathway}/items/writing",
            (A::Preview, R::Item),
            "What may be written here: the subjects of the own row, and the charter's lists",
            described::<WritingView>("WritingView"),
            writing,
        ),
        post(
            "/api/v1/pathways/{pathway}/items",
            (A::Create, R::Item),
            "Write an item",
            Some(described::<ItemInput>("ItemInput")),
            write,
        ),
        Route {
            answer: Some(described::<CheckView>("CheckView")),
            ..post(
                "/api/v1/pathways/{pathway}/items/check",
                (A::Preview, R::Item),
                "Read an item before it is kept: words that call for a second look",
                Some(described::<ItemInput>("ItemInput")),
                check,
            )
        },
        Route {
            query: &["purpose"],
            ..get(
                "/api/v1/items/{item}",
                (A::Read, R::Item),
                "One item, with why it may be read",
                described::<ItemView>("ItemView"),
                read,
            )
        },
        post(
            "/api/v1/items/{item}/versions",
            (A::Update, R::Item),
            "Correct an item: a version beside the one before (If-Match)",
            Some(described::<RevisionInput>("RevisionInput").if_match()),
            revise,
        ),
    ]
}

fn actions_and_notes() -> Vec<Route> {
    vec![
        post(
            "/api/v1/pathways/{pathway}/actions",
            (A::Create, R::ActionItem),
            "Propose an action",
            Some(described::<ActionInput>("ActionInput")),
            propose,
        ),
        post(
            "/api/v1/actions/{item}/progress",
            (A::Update, R::ActionItem),
            "Move an action on; it begins only under an accord",
            Some(described::<ProgressInput>("ProgressInput")),
            progress,
        ),
        get(
            "/api/v1/pathways/{pathway}/notes",
            (A::List, R::Note),
            "The own notes",
            described::<NotesView>("NotesView"),
            notes,
        ),
        post(
            "/api/v1/pathways/{pathway}/notes",
            (A::Create, R::Note),
            "Write a note for oneself",
            Some(described::<NoteInput>("NoteInput")),
            note,
        ),
        Route {
            method: Method::Put,
            ..post(
                "/api/v1/pathways/{pathway}/notes/{note}",
                (A::Update, R::Note),
                "Change an own note",
                Some(described::<NoteChange>("NoteChange")),
                note_change,
            )
        },
    ]
}

fn pathway(incoming: &Incoming) -> Result<PathwayId, Fault> {
    incoming.id("pathway", PathwayId::parse)
}

fn item(incoming: &Incoming) -> Result<ItemId, Fault> {
    incoming.id("item", ItemId::parse)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let query = ItemsQuery {
        purpose: incoming.query("purpose", Purpose::parse)?,
        category: incoming.query("category", Category::parse)?,
        cursor: incoming.query.get("cursor").map(String::as_str),
        ..ItemsQuery::default()
    };
    Answer::disclosed(&app.items(incoming.call()?, &pathway(incoming)?, query)?)
}

fn writing(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.writing(incoming.call()?, &pathway(incoming)?)?)
}

fn write(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ItemInput = incoming.json()?;
    Ok(Answer::created(app.item_write(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn check(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ItemInput = incoming.json()?;
    Answer::disclosed(&app.item_check(incoming.call()?, &pathway(incoming)?, &input)?)
}

fn read(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = item(incoming)?;
    let view = app.item(incoming.call()?, &id, incoming.query("purpose", Purpose::parse)?)?;
    let stamp = String::from_utf8_lossy(&item_stamp(&id, view.version)).into_owned();
    Answer::stamped(&view, stamp)
}

fn revise(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: RevisionInput = incoming.json()?;
    let tag = incoming.if_match.as_deref().ok_or_else(|| {
        Fault::Syntax(ServiceError::Invalid(FieldErrors::one("If-Match", EntryError::Missing)))
    })?;
    Ok(Answer::created(app.item_revise(incoming.call()?, &item(incoming)?, Corrects::Tag(tag), &input)?))
}

fn propose(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ActionInput = incoming.json()?;
    Ok(Answer::created(app.action_propose(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn progress(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: ProgressInput = incoming.json()?;
    Ok(Answer::created(app.action_progress(incoming.call()?, &item(incoming)?, input)?))
}

fn notes(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    Answer::disclosed(&app.notes(incoming.call()?, &pathway(incoming)?)?)
}

fn note(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: NoteInput = incoming.json()?;
    Ok(Answer::created(app.note_write(incoming.call()?, &pathway(incoming)?, &input)?))
}

fn note_change(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let input: NoteChange = incoming.json()?;
    let note = incoming.id("note", NoteId::parse)?;
    Ok(Answer::created(app.note_change(incoming.call()?, &pathway(incoming)?, &note, &input)?))
}
