//! One's own notes: read by nobody else, never shareable.

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::NoteId;
use crate::service::notes::{NoteChange, NoteInput, NoteView};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// The notes, and a new one.
#[derive(Template)]
#[template(path = "notes.html")]
struct NotesPage {
    shell: Shell,
    frame: Frame,
    /// Latest first.
    notes: Vec<NoteView>,
    may_write: bool,
    entered: Entered,
}

/// Changing one.
#[derive(Template)]
#[template(path = "note.html")]
struct NotePage {
    shell: Shell,
    frame: Frame,
    note: NoteView,
    /// It was changed elsewhere meanwhile.
    stale: bool,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let on = |action| (action, ResourceKind::Note);
    vec![
        super::row(Method::Get, "/parcours/{pathway}/notes", on(Action::List), page),
        super::row(Method::Post, "/parcours/{pathway}/notes", on(Action::Create), write),
        super::row(Method::Get, "/parcours/{pathway}/notes/{note}", on(Action::List), one),
        super::row(Method::Post, "/parcours/{pathway}/notes/{note}", on(Action::Update), change),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let mut notes = app.notes(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    notes.reverse();
    let (shell, frame) = Frame::read(app, incoming, Part::Notes, "Mes notes")?;
    let may_write = frame.view.closed_at.is_none();
    Answer::page_with(status, &NotesPage { shell, frame, notes, may_write, entered })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn to_notes(incoming: &Incoming) -> Result<Answer, Fault> {
    Ok(Answer::see_other(format!("/parcours/{}/notes?fait=enregistre", pathway_of(incoming)?.as_str())))
}

fn write(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: NoteInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.note_write(incoming.call()?, &pathway_of(incoming)?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => to_notes(incoming),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

fn show_one(app: &App, incoming: &Incoming, status: u16, entered: Option<Entered>) -> Result<Answer, Fault> {
    let id = incoming.id("note", NoteId::parse)?;
    let notes = app.notes(incoming.call()?, &pathway_of(incoming)?)?.into_inner().items;
    let note = notes
        .into_iter()
        .find(|n| n.id == id.as_str())
        .ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let (shell, frame) = Frame::read(app, incoming, Part::Notes, "Modifier une note")?;
    let entered = entered.unwrap_or_else(|| Entered::filled(&[("text", note.text.as_str())]));
    let (entered, stale) = entered.against(note.version);
    Answer::page_with(status, &NotePage { shell, frame, note, stale, entered })
}

fn one(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_one(app, incoming, 200, Entered::kept(app, incoming)?)
}

fn change(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("note", NoteId::parse)?;
    let attempt = || -> Result<(), Fault> {
        let input: NoteChange = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.note_change(incoming.call()?, &pathway_of(incoming)?, &id, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => to_notes(incoming),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_one(app, incoming, status, Some(entered)))
        }
    }
}

#[cfg(test)]
fn sample_note() -> NoteView {
    NoteView {
        id: "note".to_owned(),
        version: 1,
        created_at: "2027-03-02T09:05:00Z".to_owned(),
        text: "Rappeler la mère mardi.\nPréparer le bilan.".to_owned(),
    }
}

impl Page for NotesPage {
    #[cfg(test)]
    const NAME: &'static str = "notes";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |notes, may_write| {
            let (shell, frame) = super::frame::sample::frame(Part::Notes, "Mes notes");
            Self { shell, frame, notes, may_write, entered: Entered::nothing() }
        };
        vec![
            ("empty", page(Vec::new(), true)),
            ("one", page(vec![sample_note()], true)),
            ("closed", page(vec![sample_note()], false)),
            ("given_back", {
                let mut page = page(Vec::new(), true);
                page.entered = Entered::filled(&[("text", "Mardi.")]);
                page.shell.resumed = Some("k".repeat(26));
                page.shell.given_back = true;
                page
            }),
        ]
    }
}

impl Page for NotePage {
    #[cfg(test)]
    const NAME: &'static str = "note";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |stale| {
            let (shell, frame) = super::frame::sample::frame(Part::Notes, "Modifier une note");
            Self { shell, frame, note: sample_note(), stale, entered: Entered::filled(&[("text", "Mardi.")]) }
        };
        vec![("ordinary", page(false)), ("stale", page(true))]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_notes() {
        crate::web::pages::snapshots::check::<super::NotesPage>();
        crate::web::pages::snapshots::check::<super::NotePage>();
    }
}
