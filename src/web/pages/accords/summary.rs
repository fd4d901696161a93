//! The last page before an accord exists: the sheet as the family will read it, on how many pages it prints, and who must
//! sign it; then the accord itself.

use askama::Template;

use super::prepare::{carried, recipient_of, refused};
use super::{Family, sheet};
use crate::domain::accord::LineKind;
use crate::domain::day::Day;
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::{AccordId, AssignmentId, ItemVersionId};
#[cfg(test)]
use crate::service::NoticeView;
use crate::service::{AccordInput, App, InterpreterInput, LineInput};
use crate::web::form::Form;
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming};

/// The sheet as it would be.
#[derive(Template)]
#[template(path = "accord_summary.html")]
struct SummaryPage {
    shell: Shell,
    frame: Frame,
    carried: Vec<(String, String)>,
    signing: Vec<sheet::Signing>,
    to_be_told: Vec<String>,
    sheet: sheet::Sheet,
}

/// What the form asks for, as the API would.
pub(super) fn input_of(form: &Form) -> Result<AccordInput, FieldErrors> {
    let purpose = form.need("purpose", Purpose::parse)?;
    let missing = |field: &str| FieldErrors::one(field, EntryError::Missing);
    let mut lines = Vec::new();
    for key in form.all("who[]") {
        let wrong = || FieldErrors::one("who", EntryError::NotInList { list: "liste" });
        let recipient = recipient_of(key).ok_or_else(wrong)?;
        let brings = form.has("brings[]", key);
        let (subject, word, only) =
            (format!("subject_{key}[]"), format!("words_{key}[]"), format!("only_{key}"));
        let mut categories = Vec::new();
        for code in form.all(&subject).filter(|_| !brings) {
            categories.push(Category::parse(code).map_err(|_| wrong())?);
        }
        let mut shows = Vec::new();
        for version in form.all(&word).filter(|_| !brings) {
            shows.push(ItemVersionId::parse(version).map_err(|_| wrong())?);
        }
        lines.push(LineInput {
            recipient,
            kind: if brings { LineKind::Contributor } else { LineKind::Recipient },
            only_assignment: match form.one(&only) {
                Some(id) => Some(AssignmentId::parse(id).map_err(|_| wrong())?),
                None => None,
            },
            categories,
            shows,
            names_services: Vec::new(),
        });
    }
    if lines.is_empty() {
        return Err(missing("who"));
    }
    let last = form.need("last", Day::parse)?;
    let ends = last.date().succ_opt().and_then(|d| Day::new(d).ok()).ok_or_else(|| missing("last"))?;
    Ok(AccordInput {
        purpose,
        starts: form.need("starts", Day::parse)?,
        ends,
        language: form.one("language").unwrap_or("fr").to_owned(),
        interpreter: match form.one("interpreter") {
            Some("adult") => Some(InterpreterInput { of_age: true }),
            Some(_) | None => None,
        },
        lines,
        replaces: match form.one("replaces") {
            Some(id) => Some(AccordId::parse(id).map_err(|_| missing("replaces"))?),
            None => None,
        },
    })
}

pub(super) fn show(app: &App, incoming: &Incoming, form: &Form) -> Result<Answer, Fault> {
    let input = input_of(form).map_err(refused)?;
    let pathway = pathway_of(incoming)?;
    let notice = app.accord_preview(incoming.call()?, &pathway, &input)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Préparer un accord")?;
    let family = Family::read(app, incoming, frame.view.me.role == Role::Referent)?.under(&frame);
    Answer::page(&SummaryPage {
        carried: carried(form, 0),
        signing: sheet::Signing::all(&notice, &family),
        to_be_told: notice.to_be_told.iter().map(|id| family.name(id.as_str())).collect(),
        sheet: sheet::Sheet::of(&notice, &family),
        shell,
        frame,
    })
}

pub(super) fn create(app: &App, incoming: &Incoming, form: &Form) -> Result<Answer, Fault> {
    let input = input_of(form).map_err(refused)?;
    if super::siblings::asked(form) {
        return super::siblings::create(app, incoming, input);
    }
    let pathway = pathway_of(incoming)?;
    let made = app.accord_create(incoming.call()?, incoming.act, &pathway, &input)?;
    Ok(Answer::see_other(format!("/parcours/{pathway}/accords/{}?fait=accord", made.id)))
}

impl Page for SummaryPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_summary";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::web::pages::frame::sample::frame;
        let page = |notice: NoticeView| {
            let (shell, frame) = frame(Part::Accords, "Préparer un accord");
            Self {
                shell,
                frame,
                carried: vec![("purpose".to_owned(), "coordination".to_owned())],
                signing: sheet::Signing::all(&notice, &Family::sample()),
                to_be_told: vec!["Karim Martin (père)".to_owned()],
                sheet: sheet::Sheet::of(&notice, &Family::sample()),
            }
        };
        let long = {
            let notice = sheet::sample::notice();
            let text = notice.text.as_ref().unwrap().as_str();
            let text = text.replace("  Quoi : à 20 h\n", &"  Quoi : à 20 h\n".repeat(90));
            NoticeView { text: serde_json::from_value(serde_json::Value::String(text)).unwrap(), ..notice }
        };
        vec![("category", page(sheet::sample::notice())), ("too_long", page(long))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_summary() {
        crate::web::pages::snapshots::check::<SummaryPage>();
    }

    #[test]
    fn a_service_that_brings_is_asked_for_no_subject_and_the_last_day_counts() {
        let key = "bbbbbbbbbbbbbbbbbbbbbbbbba.aemo.ccccccccccccccccccccccccca";
        let subject = format!("subject_{key}[]");
        let form = Form::of(&[
            ("purpose", "coordination"),
            ("who[]", key),
            ("brings[]", key),
            (&subject, "schooling"),
            ("starts", "2027-03-14"),
            ("last", "2027-06-14"),
        ]);
        let input = input_of(&form).unwrap();
        let [line] = input.lines.as_slice() else { panic!("one line") };
        assert_eq!(line.kind, LineKind::Contributor);
        assert!(line.categories.is_empty());
        assert_eq!(input.ends.iso(), "2027-06-15");
        assert!(input_of(&Form::of(&[("purpose", "coordination")])).is_err());
    }
}
