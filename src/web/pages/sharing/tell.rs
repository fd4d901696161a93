//! « Puis-je le lui dire ? » (S19): a person, a subject, a purpose; nothing is written. Then, if it was said, its note.

use askama::Template;

use super::decision::{About, Line};
use super::{SUBJECTS, labels, member_only, own_items};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::{ItemId, ItemVersionId, ParticipationId};
use crate::service::App;
use crate::service::pathways::PathwayList;
use crate::service::preview::{ItemRef, PreviewRequest};
use crate::service::reading::ItemView;
use crate::service::spoken::{NewSpoken, SpokenView};
use crate::web::form::Form;
use crate::web::kept::resumed;
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::route::{Answer, Fault, Incoming};

/// Whose situation first.
#[derive(Template)]
#[template(path = "tell_choose.html")]
struct TellChoosePage {
    shell: Shell,
    list: PathwayList,
}

impl TellChoosePage {
    /// A stay organiser has a sheet, and nobody to share with.
    fn nobody_to_tell(&self) -> bool {
        self.list.next.is_none() && self.list.items.iter().all(|p| p.role == Role::StayOrganiser)
    }
}

/// What the answer is about.
struct Told {
    purpose: Purpose,
    /// The subject or the label of the text.
    subject: String,
    category: Category,
    item: Option<(ItemId, ItemVersionId)>,
    line: Line,
}

/// The question and its answer.
#[derive(Template)]
#[template(path = "tell.html")]
struct TellPage {
    shell: Shell,
    frame: Frame,
    items: Vec<ItemView>,
    purposes: &'static [Purpose],
    /// What was asked.
    asked: Entered,
    entered: Entered,
    told: Option<Told>,
    spoken: Vec<SpokenView>,
}

const PURPOSES: &[Purpose] = &[
    Purpose::Coordination,
    Purpose::Stay,
    Purpose::Schooling,
    Purpose::Integration,
    Purpose::Care,
    Purpose::Conference,
    Purpose::Referral,
    Purpose::Handover,
];

impl TellPage {
    fn today(&self) -> String {
        self.frame.today.to_string()
    }

    fn option(item: &ItemView) -> String {
        format!("item:{}", item.id)
    }
}

impl Told {
    /// The verdict of the one thing asked about.
    fn yes(&self) -> bool {
        self.line.verdict == super::decision::Verdict::All
    }
}

pub fn choose(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("cursor").map(String::as_str);
    let list = app.pathways(incoming.call()?, cursor)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::MayITell, "Puis-je le lui dire ?")?;
    Answer::page(&TellChoosePage { shell, list })
}

/// A subject with nothing written, or one's own text.
enum Subject {
    Category(Category),
    Item(ItemId),
}

fn subject(text: &str) -> Result<Subject, ()> {
    match text.strip_prefix("item:") {
        Some(id) => ItemId::parse(id).map(Subject::Item).map_err(|_| ()),
        None => Category::parse(text).map(Subject::Category).map_err(|_| ()),
    }
}

/// What is asked, from the address, or from the note that was refused or left.
fn asked_of(incoming: &Incoming, form: &Form) -> Form {
    let of = |name: &str| {
        let from_form = match name {
            "subject" => form
                .one("item.item")
                .map(|id| format!("item:{id}"))
                .or_else(|| form.one("category").map(ToOwned::to_owned)),
            other => form.one(other).map(ToOwned::to_owned),
        };
        from_form.or_else(|| incoming.query.get(name).cloned()).unwrap_or_default()
    };
    let (recipient, subject, purpose) = (of("recipient"), of("subject"), of("purpose"));
    Form::of(&[("recipient", &recipient), ("subject", &subject), ("purpose", &purpose)])
}

fn answer(
    app: &App,
    incoming: &Incoming,
    frame: &Frame,
    items: &[ItemView],
    asked: &Form,
) -> Result<Option<Told>, Fault> {
    if asked.fields().any(|(_, value)| value.is_empty()) {
        return Ok(None);
    }
    let wrong = |e: crate::domain::text::FieldErrors| Fault::Syntax(e.into());
    let recipient = asked.need("recipient", ParticipationId::parse).map_err(wrong)?;
    let purpose = asked.need("purpose", Purpose::parse).map_err(wrong)?;
    let subject = asked.need("subject", subject).map_err(wrong)?;
    let (category, refs) = match &subject {
        Subject::Category(category) => (Some(*category), Vec::new()),
        Subject::Item(item) => (None, vec![ItemRef { item: item.clone(), version: None }]),
    };
    let request = PreviewRequest {
        purpose,
        items: refs,
        category,
        recipients: Some(vec![recipient]),
        hypothetical: None,
        last_day: None,
        statute: None,
    };
    let preview = app.preview(incoming.call()?, &pathway_of(incoming)?, &request)?.into_inner();
    let labels = labels(items);
    let about = About { frame, purpose, labels: &labels, rest: "" };
    let thing = preview.readers.first().and_then(|r| r.things.first());
    let line = about.lines(&preview).into_iter().next();
    Ok(thing.zip(line).map(|(thing, line)| Told {
        purpose,
        subject: thing
            .item
            .as_ref()
            .and_then(|id| labels.iter().find(|(known, _)| known == id))
            .map_or_else(|| thing.category.french().to_owned(), |(_, label)| label.clone()),
        category: thing.category,
        item: thing.item.clone().zip(thing.version.clone()),
        line,
    }))
}

fn show(app: &App, incoming: &Incoming, status: u16, form: &Form, entered: Entered) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Puis-je le lui dire ?")?;
    member_only(&frame)?;
    let items = own_items(app, incoming, &pathway)?;
    let asked = asked_of(incoming, form);
    let (status, entered, told) = match answer(app, incoming, &frame, &items, &asked) {
        Ok(told) => (status, entered, told),
        Err(fault) => {
            let mut back_with = None;
            back(app, incoming, fault, |status, entered| {
                back_with = Some((status, entered));
                Ok(Answer::Empty)
            })?;
            let (status, told) = back_with.unwrap_or((status, Entered::nothing()));
            (status, told, None)
        }
    };
    let spoken = app.spoken_list(incoming.call()?, &pathway)?.into_inner().items;
    let asked = Entered::sent(&asked);
    Answer::page_with(
        status,
        &TellPage { shell, frame, items, purposes: PURPOSES, asked, entered, told, spoken },
    )
}

pub fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let left = resumed(app, incoming)?.unwrap_or_default();
    show(app, incoming, 200, &left, Entered::sent(&left))
}

pub fn note(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<(), Fault> {
        let new: NewSpoken = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.spoken_note(incoming.call()?, &pathway, &new)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other(format!("/parcours/{pathway}/puis-je-le-dire?fait=note"))),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show(app, incoming, status, &incoming.form, entered))
        }
    }
}

impl Page for TellChoosePage {
    #[cfg(test)]
    const NAME: &'static str = "tell_choose";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::service::pathways::PathwayLine;
        let page = |items, next: Option<&str>| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::MayITell, "Puis-je le lui dire ?"),
            list: PathwayList { items, next: next.map(ToOwned::to_owned) },
        };
        let line = PathwayLine {
            id: "pathway".to_owned(),
            name: "Léa Martin".to_owned(),
            name_shared: true,
            role: Role::Referent,
            step: None,
            review_on: None,
            review_due: false,
            referent: None,
            until: None,
            closed_at: None,
        };
        vec![("empty", page(Vec::new(), None)), ("one", page(vec![line], Some("suite")))]
    }
}

impl Page for TellPage {
    #[cfg(test)]
    const NAME: &'static str = "tell";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::sample;
        use crate::domain::day::Day;
        use crate::domain::vocabulary::Profession;
        use crate::ids::OralNoteId;
        use crate::service::ServiceError;
        use crate::web::pages::frame::sample::{frame, place};
        let page = |which: Option<usize>, entered, spoken| {
            let (shell, mut frame) = frame(Part::Shares, "Puis-je le lui dire ?");
            frame.view.circle.push(place("Julie Lambert", Profession::Teacher, Role::Participant, false));
            let about = About { frame: &frame, purpose: Purpose::Schooling, labels: &[], rest: "" };
            let told =
                which.and_then(|n| about.lines(&sample::preview()).into_iter().nth(n)).map(|line| Told {
                    purpose: Purpose::Schooling,
                    subject: "Scolarité".to_owned(),
                    category: Category::Schooling,
                    item: Some((sample::item_id('a'), sample::version_id('a'))),
                    line,
                });
            let items = sample::items();
            let asked = Entered::filled(&[("subject", "schooling"), ("purpose", "schooling")]);
            Self { shell, frame, items, purposes: PURPOSES, asked, entered, told, spoken }
        };
        let said = SpokenView {
            id: OralNoteId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            said_by: "Nadia Benali".to_owned(),
            said_to: "Julie Lambert".to_owned(),
            category: Category::Schooling,
            purpose: Purpose::Schooling,
            version: None,
            on: Day::parse("2027-03-12").unwrap(),
            mine: true,
        };
        let refused = Entered::refused(
            &Form::default(),
            &ServiceError::rule("on", "Notez ce qui a été dit le jour même."),
        );
        vec![
            ("asked", page(None, Entered::nothing(), Vec::new())),
            ("yes", page(Some(0), Entered::nothing(), vec![said])),
            ("no", page(Some(2), Entered::nothing(), Vec::new())),
            ("note_refused", page(Some(0), refused, Vec::new())),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_what_may_be_said() {
        crate::web::pages::snapshots::check::<super::TellChoosePage>();
        crate::web::pages::snapshots::check::<super::TellPage>();
    }
}
