//! Personal notes: their author's own, never shareable, read by nobody else.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created};
use super::who::still_open;
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::domain::item::NoteText;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::ids::{NoteId, PathwayId};
use crate::store::item::{NewNote, Note};

/// A note's text.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    pub text: NoteText,
}

/// A note's new text, and the version that it replaces.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteChange {
    pub version: i64,
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    pub text: NoteText,
}

/// A note.
#[derive(Serialize, ToSchema)]
pub struct NoteView {
    pub id: String,
    pub version: i64,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub text: String,
}

/// The own notes, oldest first.
#[derive(Serialize, ToSchema)]
pub struct NotesView {
    pub items: Vec<NoteView>,
}

fn views(notes: Vec<Note>) -> NotesView {
    let items = notes
        .into_iter()
        .map(|n| NoteView {
            id: n.id.as_str().to_owned(),
            version: n.version,
            created_at: n.created_at.rfc3339(),
            text: n.text,
        })
        .collect();
    NotesView { items }
}

const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Note }
}

impl App {
    /// The notes of the acting assignment on one pathway.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn notes(&self, call: &Call, pathway: &PathwayId) -> Result<Disclosed<NotesView>, ServiceError> {
        self.read(call, act(Action::List), pathway, |scene| {
            let author = scene.gate.actor().assignment().id.clone();
            let grant = scene.gate.resource(Resource::OwnNotes(author))?;
            Ok(scene.snapshot.notes_words(grant)?.map_fn(views))
        })
    }

    /// Writes a note.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn note_write(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &NoteInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Create), pathway, |scene| {
            scene.gate.resource(Resource::OwnNotes(scene.gate.actor().assignment().id.clone()))?;
            still_open(scene.gate.facts())?;
            let id = NoteId::random(scene.app.chance())?;
            let note = NewNote::seal(
                scene.key,
                scene.app.chance(),
                &id,
                1,
                &scene.gate.facts().id,
                &scene.gate.actor().assignment().id,
                scene.now,
                input.text.as_str(),
            )?;
            let row = RowRef { table: "note", id: id.as_str().to_owned(), version: 1 };
            Ok(Change::new(id.as_str()).note(row, note))
        })
    }

    /// Replaces the text of an own note.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn note_change(
        &self,
        call: &Call,
        pathway: &PathwayId,
        id: &NoteId,
        input: &NoteChange,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Update), pathway, |scene| {
            scene.gate.resource(Resource::OwnNotes(scene.gate.actor().assignment().id.clone()))?;
            let facts = scene.gate.facts();
            let author = &scene.gate.actor().assignment().id;
            let version =
                scene.snapshot.note_head(&facts.id, author, id)?.ok_or(ServiceError::AbsentOrRefused)?;
            if version != input.version {
                return Err(ServiceError::PreconditionFailed);
            }
            still_open(facts)?;
            let next = version.saturating_add(1);
            let note = NewNote::seal(
                scene.key,
                scene.app.chance(),
                id,
                next,
                &facts.id,
                author,
                scene.now,
                input.text.as_str(),
            )?;
            let row = RowRef { table: "note", id: id.as_str().to_owned(), version: next };
            Ok(Change::new(id.as_str()).note(row, note))
        })
    }
}
