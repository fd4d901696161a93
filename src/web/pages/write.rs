//! Writing (S1, S3): one subject first, then its fields with the room left, the reminder of what must never be entered,
//! words that call for a second look, and corrections beside what they correct.
//!
//! INVARIANT: words that call for a second look warn, they never refuse; « Enregistrer quand même » keeps them.

mod fields;

use askama::Template;

use self::fields::Group;
use super::Page;
use super::entered::{Entered, back, missing};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::information::of_this_pathway;
use super::shell::Shell;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Category;
use crate::ids::ItemId;
use crate::service::items::{CheckView, Corrects, ItemInput, RevisionInput, WarningView};
use crate::service::reading::ItemView;
use crate::service::writing::WritingView;
use crate::service::{App, ServiceError};
use crate::web::form::read_tree;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Choosing the subject.
#[derive(Template)]
#[template(path = "write_subject.html")]
struct SubjectPage {
    shell: Shell,
    frame: Frame,
    categories: Vec<Category>,
}

/// Writing, and correcting.
#[derive(Template)]
#[template(path = "write.html")]
struct WritePage {
    shell: Shell,
    frame: Frame,
    category: Category,
    groups: Vec<Group>,
    /// It may go into a stay sheet.
    stay: bool,
    entered: Entered,
    warnings: Vec<WarningView>,
    /// What is corrected, as it is now.
    corrects: Option<ItemView>,
    /// Somebody corrected it meanwhile: both versions are shown.
    stale: bool,
    /// Filled in from another young person's item.
    taken_up: bool,
}

impl WritePage {
    fn hint(category: &Category) -> &'static str {
        fields::purpose_of(*category)
    }

    fn action(&self) -> String {
        match &self.corrects {
            Some(item) => self.frame.at(&format!("/informations/{}/corriger", item.id)),
            None => self.frame.at("/ecrire"),
        }
    }

    fn cancel(&self) -> String {
        match &self.corrects {
            Some(item) => self.frame.at(&format!("/informations/{}", item.id)),
            None => self.frame.at(""),
        }
    }
}

impl SubjectPage {
    fn hint(category: &Category) -> &'static str {
        fields::purpose_of(*category)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let on = |action| (action, ResourceKind::Item);
    vec![
        super::row(Method::Get, "/parcours/{pathway}/ecrire", on(Action::Preview), page)
            .asking(&["fait", "category", "de", "sejour"]),
        super::row(Method::Post, "/parcours/{pathway}/ecrire", on(Action::Create), write),
        super::row(
            Method::Get,
            "/parcours/{pathway}/informations/{item}/corriger",
            on(Action::Preview),
            correct_page,
        ),
        super::row(
            Method::Post,
            "/parcours/{pathway}/informations/{item}/corriger",
            on(Action::Update),
            correct,
        ),
    ]
}

/// What a form of this area is shown with.
struct Shown {
    status: u16,
    entered: Entered,
    warnings: Vec<WarningView>,
    corrects: Option<ItemView>,
    taken_up: bool,
}

fn show(app: &App, incoming: &Incoming, category: Category, shown: Shown) -> Result<Answer, Fault> {
    let writing = app.writing(incoming.call()?, &pathway_of(incoming)?)?.into_inner();
    let title = if shown.corrects.is_some() { "Corriger" } else { "Écrire" };
    let (shell, frame) = Frame::read(app, incoming, Part::Information, title)?;
    Answer::page_with(shown.status, &form_page(shell, frame, &writing, category, shown))
}

fn form_page(
    shell: Shell,
    frame: Frame,
    writing: &WritingView,
    category: Category,
    shown: Shown,
) -> WritePage {
    let (entered, stale) = match &shown.corrects {
        Some(item) => shown.entered.against(item.version),
        None => (shown.entered, false),
    };
    WritePage {
        shell,
        frame,
        category,
        groups: fields::of(category, writing),
        stay: shown.corrects.is_none() && writing.stay.contains(&category),
        stale,
        entered,
        warnings: shown.warnings,
        corrects: shown.corrects,
        taken_up: shown.taken_up,
    }
}

/// The label and content of an item, as its form says them.
fn fields_of(item: &ItemView) -> Result<Vec<(String, String)>, Fault> {
    let mut out = vec![("label".to_owned(), item.label.clone())];
    let content =
        serde_json::to_value(&item.content).map_err(|e| Fault::Service(ServiceError::internal(e)))?;
    fields::flattened("content", &content, &mut out);
    Ok(out)
}

fn filled(fields: &[(String, String)]) -> Entered {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Entered::filled(&fields)
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let kept = Entered::kept(app, incoming)?;
    // A text that was kept says its subject itself.
    let said = kept.as_ref().and_then(|k| Category::parse(k.value("content.category")).ok());
    let Some(category) = incoming.query("category", Category::parse)?.or(said) else {
        let writing = app.writing(call, &pathway_of(incoming)?)?.into_inner();
        let (shell, frame) = Frame::read(app, incoming, Part::Information, "Écrire")?;
        return Answer::page(&SubjectPage { shell, frame, categories: writing.categories });
    };
    let from = incoming.query("de", ItemId::parse)?;
    let entered = match &from {
        // Taking up what one wrote oneself, for a brother or sister: read as any item is, then written anew.
        Some(id) => {
            let item = app.item(call, id, None)?.into_inner();
            if !item.own || item.category != category || item.action.is_some() {
                return Err(Fault::Syntax(ServiceError::AbsentOrRefused));
            }
            filled(&fields_of(&item)?)
        }
        None if incoming.query.get("sejour").is_some_and(|v| v == "oui") => {
            Entered::filled(&[("for_stay:bool", "true")])
        }
        None => Entered::nothing(),
    };
    let entered = kept.unwrap_or(entered);
    let shown =
        Shown { status: 200, entered, warnings: Vec::new(), corrects: None, taken_up: from.is_some() };
    show(app, incoming, category, shown)
}

/// Whether the person has seen the words that call for a second look; and whether to go on to who will read.
fn buttons(incoming: &Incoming) -> (bool, bool) {
    let pressed = incoming.form.button().unwrap_or_default();
    (matches!(pressed, "anyway" | "anyway_readers"), matches!(pressed, "readers" | "anyway_readers"))
}

/// What a form came to.
enum Outcome {
    Kept(String),
    SecondLook(Vec<WarningView>),
}

fn category_of(incoming: &Incoming) -> Result<Category, Fault> {
    incoming.form.need("content.category", Category::parse).map_err(|e| Fault::Syntax(e.into()))
}

fn write(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    // A form of ours always says its subject; without one, the subjects are shown to who may write here.
    let Ok(category) = category_of(incoming) else { return page(app, incoming) };
    let (anyway, readers) = buttons(incoming);
    let attempt = || -> Result<Outcome, Fault> {
        let input: ItemInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        if !anyway {
            let CheckView { warnings, .. } = app.item_check(call, &pathway, &input)?.into_inner();
            if !warnings.is_empty() {
                return Ok(Outcome::SecondLook(warnings));
            }
        }
        Ok(Outcome::Kept(app.item_write(call, &pathway, &input)?.id))
    };
    let again = |status, entered, warnings| {
        show(app, incoming, category, Shown { status, entered, warnings, corrects: None, taken_up: false })
    };
    match attempt() {
        Ok(Outcome::Kept(id)) => Ok(Answer::see_other(after(pathway.as_str(), &id, readers, "enregistre"))),
        Ok(Outcome::SecondLook(warnings)) => again(200, Entered::sent(&incoming.form), warnings),
        Err(fault) => back(app, incoming, fault, |status, entered| again(status, entered, Vec::new())),
    }
}

fn after(pathway: &str, item: &str, readers: bool, done: &str) -> String {
    if readers {
        format!("/parcours/{pathway}/partager?item={item}&fait={done}")
    } else {
        format!("/parcours/{pathway}/informations/{item}?fait={done}")
    }
}

/// The item to correct: one's own, of this pathway, as it is now.
fn corrected(app: &App, incoming: &Incoming) -> Result<ItemView, Fault> {
    let id = incoming.id("item", ItemId::parse)?;
    let item = app.item(incoming.call()?, &id, None)?.into_inner();
    of_this_pathway(incoming, &item)?;
    if item.own && item.action.is_none() {
        Ok(item)
    } else {
        Err(Fault::Syntax(ServiceError::AbsentOrRefused))
    }
}

fn correct_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let item = corrected(app, incoming)?;
    let mut fields = fields_of(&item)?;
    if let Some(day) = &item.valid_until {
        fields.push(("valid_until".to_owned(), day.clone()));
    }
    let entered = Entered::first_or(app, incoming, filled(&fields))?;
    let category = item.category;
    let shown = Shown { status: 200, entered, warnings: Vec::new(), corrects: Some(item), taken_up: false };
    show(app, incoming, category, shown)
}

fn correct(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    let id = incoming.id("item", ItemId::parse)?;
    let (anyway, readers) = buttons(incoming);
    let attempt = || -> Result<Outcome, Fault> {
        let mut tree = incoming.form.tree().map_err(|e| Fault::Syntax(e.into()))?;
        let version = tree
            .as_object_mut()
            .and_then(|fields| fields.remove("version"))
            .and_then(|v| v.as_i64())
            .ok_or_else(|| missing("version"))?;
        let input: RevisionInput = read_tree(tree).map_err(|e| Fault::Syntax(e.into()))?;
        if !anyway {
            let as_new = ItemInput {
                label: input.label.clone(),
                content: input.content.clone(),
                valid_until: input.valid_until,
                for_stay: false,
            };
            let CheckView { warnings, .. } = app.item_check(call, &pathway, &as_new)?.into_inner();
            if !warnings.is_empty() {
                return Ok(Outcome::SecondLook(warnings));
            }
        }
        app.item_revise(call, &id, Corrects::Number(version), &input)?;
        Ok(Outcome::Kept(id.as_str().to_owned()))
    };
    let again = |status, entered, warnings| {
        let item = corrected(app, incoming)?;
        let category = item.category;
        let shown = Shown { status, entered, warnings, corrects: Some(item), taken_up: false };
        show(app, incoming, category, shown)
    };
    match attempt() {
        Ok(Outcome::Kept(id)) => Ok(Answer::see_other(after(pathway.as_str(), &id, readers, "corrige"))),
        Ok(Outcome::SecondLook(warnings)) => again(200, Entered::sent(&incoming.form), warnings),
        Err(fault) => back(app, incoming, fault, |status, entered| again(status, entered, Vec::new())),
    }
}

#[cfg(test)]
fn sample_writing() -> WritingView {
    use crate::service::writing::CodedView;
    let one = |code: &str, words: &str| vec![CodedView { code: code.to_owned(), words: words.to_owned() }];
    WritingView {
        categories: vec![Category::Identity, Category::Leisure, Category::Practical, Category::Evaluation],
        stay: vec![Category::Practical],
        needs: one("warm_clothes", "Vêtements chauds"),
        judicial_kinds: Vec::new(),
        terms: one("passage de relais", "Le moment où un professionnel confie la suite à un autre."),
    }
}

impl Page for SubjectPage {
    #[cfg(test)]
    const NAME: &'static str = "write_subject";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        let page = |categories| {
            let (shell, frame) = frame(Part::Information, "Écrire");
            Self { shell, frame, categories }
        };
        vec![("subjects", page(sample_writing().categories)), ("none", page(Vec::new()))]
    }
}

impl Page for WritePage {
    #[cfg(test)]
    const NAME: &'static str = "write";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame;
        use crate::domain::text::lexicon::WarningSubject;
        let page = |category, shown| {
            let (shell, frame) = frame(Part::Information, "Écrire");
            form_page(shell, frame, &sample_writing(), category, shown)
        };
        let blank =
            |entered| Shown { status: 200, entered, warnings: Vec::new(), corrects: None, taken_up: false };
        let warning = WarningView {
            term: "diagnostic".to_owned(),
            subject: WarningSubject::Diagnosis,
            sentence: "« diagnostic » : ce mot peut toucher un diagnostic.".to_owned(),
        };
        let written = Entered::filled(&[("label", "Club"), ("content.fact", "Un diagnostic")]);
        let stale = Shown {
            status: 409,
            corrects: Some(super::information::sample::own("Club de boxe", Category::Leisure)),
            ..blank(Entered::refused(
                &crate::web::form::Form::of(&[("label", "Club"), ("version:int", "0")]),
                &ServiceError::PreconditionFailed,
            ))
        };
        vec![
            ("fact", page(Category::Leisure, blank(Entered::nothing()))),
            ("practical", page(Category::Practical, blank(Entered::filled(&[("for_stay:bool", "true")])))),
            ("identity", page(Category::Identity, Shown { taken_up: true, ..blank(Entered::nothing()) })),
            ("synthesis", page(Category::Evaluation, blank(Entered::nothing()))),
            ("second_look", page(Category::Leisure, Shown { warnings: vec![warning], ..blank(written) })),
            ("stale", page(Category::Leisure, stale)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_writing() {
        crate::web::pages::snapshots::check::<super::SubjectPage>();
        crate::web::pages::snapshots::check::<super::WritePage>();
    }
}
