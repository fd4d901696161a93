//! The sheet that the family reads and signs: at most two A4 pages, large type, a pictogram beside each heading. Its
//! text is that of the notice, word for word, and nothing is added to it but places to tick and to sign, one for each
//! person who is asked.

use askama::Template;

use super::{Family, act, read, service_name};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::ReleaseId;
use crate::service::{App, BOX, Happening, NoticeView, SheetId};
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One line of the sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub text: String,
    /// It belongs to the one before: it is indented there.
    pub inside: bool,
    /// It names a service: who ticks a box of their own beside it, where that can be said.
    pub boxes: Option<Vec<String>>,
}

/// A heading with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub icon: Icon,
    pub heading: String,
    pub lines: Vec<Line>,
    pub small: bool,
    pub signatures: bool,
}

/// A notice, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    pub title: String,
    pub opening: Vec<String>,
    pub sections: Vec<Section>,
    /// Everybody who may have to sign: a place for each.
    pub places: Vec<String>,
}

const TO_WHOM: &str = "À qui";

fn pictogram(heading: &str) -> Icon {
    match heading {
        "Ce qui sera dit, mot pour mot" => Icon::Message,
        TO_WHOM => Icon::Circle,
        "Pourquoi" => Icon::Question,
        "Jusqu'à quand" => Icon::Calendar,
        "Vous pouvez dire non" => Icon::No,
        "Vous pouvez changer d'avis" => Icon::Undo,
        "Une limite" => Icon::Warning,
        "Qui a regardé ?" => Icon::Eye,
        "Signatures" => Icon::Pencil,
        _other => Icon::Info,
    }
}

impl Sheet {
    pub(super) fn of(notice: &NoticeView, family: &Family) -> Self {
        let sections = notice.text.as_ref().map(|t| t.sections()).unwrap_or_default();
        let mut sections = sections.into_iter();
        let (title, opening) = sections.next().unwrap_or(("", Vec::new()));
        // The lines of the accord stand in the order of its text.
        let mut signers = notice.signing.iter().map(|s| family.signers(&s.all_of, &s.any_of));
        let mut line = |heading: &str, text: &str| {
            let service = text.strip_prefix(BOX).filter(|_| heading == TO_WHOM);
            let boxes = service.and_then(|_| signers.next()).filter(|who| !who.is_empty());
            let shown = match (service, &boxes) {
                (Some(service), Some(_)) => service,
                (Some(_) | None, _) => text.trim_start(),
            };
            Line { text: shown.to_owned(), inside: text.starts_with("  "), boxes }
        };
        let sections = sections
            .map(|(heading, lines)| Section {
                icon: pictogram(heading),
                heading: heading.to_owned(),
                lines: lines.into_iter().map(|l| line(heading, l)).collect(),
                small: heading == "En petits caractères",
                signatures: heading == "Signatures",
            })
            .collect();
        let mut places: Vec<String> = Vec::new();
        for name in notice.signing.iter().flat_map(|s| family.signers(&s.all_of, &s.any_of)) {
            if !places.contains(&name) {
                places.push(name);
            }
        }
        Self {
            title: title.to_owned(),
            opening: opening.into_iter().map(ToOwned::to_owned).collect(),
            sections,
            places,
        }
    }

    /// How many A4 pages it prints on, from its lines and the print rules of `relais.css`.
    ///
    /// INVARIANT: never less than what a browser prints (measured by the browser tests): letters are counted wider than
    /// they are on average, and what may not be cut is given the room that a cut would lose.
    pub(super) fn pages(&self) -> usize {
        let height: usize = PRINTED_TITLE + self.sections.iter().map(Section::height).sum::<usize>();
        let places = self.places.len().max(1) * PRINTED_PLACE;
        (height + places).div_ceil(PRINTED_PAGE)
    }
}

// Of the printed sheet, in points: an A4 page within its margins, less what a part that is not cut may leave empty; the
// title with its lead; a heading with its space; a line of text; a line of small print; a place to sign.
const PRINTED_PAGE: usize = 745;
const PRINTED_TITLE: usize = 70;
const PRINTED_HEADING: usize = 28;
const PRINTED_LINE: usize = 16;
const PRINTED_SMALL: usize = 12;
const PRINTED_PLACE: usize = 30;
/// Letters that one line holds.
const PRINTED_WIDTH: usize = 88;
const PRINTED_SMALL_WIDTH: usize = 118;

impl Section {
    fn height(&self) -> usize {
        let (line, width) =
            if self.small { (PRINTED_SMALL, PRINTED_SMALL_WIDTH) } else { (PRINTED_LINE, PRINTED_WIDTH) };
        let rows = |letters: usize| letters.div_ceil(width).max(1);
        let lines: usize = self
            .lines
            .iter()
            .map(|l| {
                let indent = if l.inside { 4 } else { 0 };
                let boxes = l.boxes.as_ref().map_or(0, |who| {
                    // Each name with its box and the space after it; a little air above the service.
                    rows(who.iter().map(|name| name.chars().count() + 6).sum()) * line + 4
                });
                rows(l.text.chars().count() + indent) * line + 2 + boxes
            })
            .sum();
        PRINTED_HEADING + lines
    }
}

/// Services whose lines the same people sign, for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    /// Service, profession and level of each; no level for a service that brings only.
    pub services: Vec<(String, &'static str, Option<&'static str>)>,
    /// Who signs, in a sentence; empty where nobody does.
    pub wanted: String,
    pub unestablished: Option<String>,
    pub why: String,
}

impl Signing {
    pub(super) fn all(notice: &NoticeView, family: &Family) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for s in &notice.signing {
            let service = (
                service_name(&s.recipient),
                s.recipient.profession.french(),
                s.level.map(crate::domain::vocabulary::Level::french),
            );
            let next = Self {
                services: Vec::new(),
                wanted: family.wanted(&s.all_of, &s.any_of),
                unestablished: s.unestablished.clone(),
                why: s.why.clone(),
            };
            let same = |o: &&mut Self| {
                (&o.wanted, &o.unestablished, &o.why) == (&next.wanted, &next.unestablished, &next.why)
            };
            match out.iter_mut().find(same) {
                Some(known) => known.services.push(service),
                None => out.push(Self { services: vec![service], ..next }),
            }
        }
        out
    }
}

/// The sheet, to read and to print.
#[derive(Template)]
#[template(path = "accord_sheet.html")]
struct SheetPage {
    shell: Shell,
    frame: Frame,
    sheet: Sheet,
    /// Where it is printed from and signed: `/accords/…` or `/validations/…`.
    base: String,
}

/// The rows.
pub(super) fn routes() -> Vec<Route> {
    const ACCORD: &str = "/parcours/{pathway}/accords/{accord}/feuille";
    const RELEASE: &str = "/parcours/{pathway}/validations/{release}/feuille";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, ACCORD, (Action::Read, ResourceKind::Accord), of_accord),
        row(Method::Post, ACCORD, (Action::Print, ResourceKind::Accord), print_accord),
        row(Method::Get, RELEASE, (Action::Read, ResourceKind::Release), of_release),
        row(Method::Post, RELEASE, (Action::Print, ResourceKind::Release), print_release),
    ]
}

fn show(app: &App, incoming: &Incoming, notice: &NoticeView, base: String) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "Feuille à signer")?;
    let family = Family::read(app, incoming, true)?.under(&frame);
    Answer::page(&SheetPage { sheet: Sheet::of(notice, &family), shell, frame, base })
}

fn of_accord(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let view = read(app, incoming)?;
    let notice = app.accord_notice(incoming.call()?, act(Action::Read), &view.id)?.into_inner();
    show(app, incoming, &notice, format!("/accords/{}", view.id.as_str()))
}

fn print_accord(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let view = read(app, incoming)?;
    let sheet = SheetId::Accord(view.id.clone());
    app.sheet_record(incoming.call()?, act(Action::Print), &sheet, &Happening::Printed)?;
    let to = format!("/parcours/{}/accords/{}/feuille?fait=imprime", view.pathway, view.id);
    Ok(Answer::see_other(to))
}

fn of_release(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    let act = crate::service::Act { action: Action::Read, resource: ResourceKind::Release };
    let notice = app.release_notice(incoming.call()?, act, &id)?.into_inner();
    show(app, incoming, &notice, format!("/validations/{}", id.as_str()))
}

fn print_release(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = incoming.id("release", ReleaseId::parse)?;
    let act = crate::service::Act { action: Action::Print, resource: ResourceKind::Release };
    app.sheet_record(incoming.call()?, act, &SheetId::Release(id.clone()), &Happening::Printed)?;
    let pathway = crate::web::pages::frame::pathway_of(incoming)?;
    Ok(Answer::see_other(format!("/parcours/{pathway}/validations/{id}/feuille?fait=imprime")))
}

#[cfg(test)]
pub(super) mod sample {
    use super::super::sample::{id, recipient, slot};
    use super::*;
    use crate::domain::vocabulary::{Level, Profession};
    use crate::ids::AccordLineId;
    use crate::service::{SigningView, SlotKind};

    pub fn notice() -> NoticeView {
        let text = "# Partager des informations sur Léa\nDes professionnels vous demandent votre accord.\n\
                    # Ce qui sera dit, mot pour mot\n1. Santé : le strict nécessaire : « Traitement »\n  Quoi : à 20 h\n\
                    # À qui\nCochez ce que vous acceptez. Une case vide veut dire non.\n☐ Action éducative, Sauvegarde (Éducateur AEMO / AED)\n  Pourra lire mot pour mot : n° 1\n  \
                    À savoir : ce service rend compte au juge.\nEt personne d'autre.\nAED : aide éducative à domicile.\n# Pourquoi\nPour que les professionnels autour \
                    de Léa travaillent ensemble. Pour rien d'autre.\n# Jusqu'à quand\nDu 1 mars 2027 au 14 juillet 2027 inclus.\n# Vous pouvez dire non\n\
                    Sans dire pourquoi.\n# Une limite\nSi un enfant est en danger, chaque professionnel doit alerter.\n\
                    # Signatures\n☐ lu à voix haute\n# En petits caractères\nResponsable : Ville.\n";
        NoticeView {
            version: crate::service::NOTICE_VERSION.to_owned(),
            keyed_hash: String::new(),
            text: serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap(),
            signing: vec![SigningView {
                line: id(AccordLineId::parse, 'e'),
                recipient: recipient(Profession::Aemo),
                level: Some(Level::Informed),
                all_of: vec![slot(SlotKind::YoungPerson)],
                any_of: vec![vec![slot(SlotKind::Holder)]],
                unestablished: None,
                why: "De 15 à 17 ans : la signature du jeune est nécessaire.".to_owned(),
            }],
            to_be_told: vec![],
        }
    }
}

impl Page for SheetPage {
    #[cfg(test)]
    const NAME: &'static str = "accord_sheet";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::web::pages::frame::sample::frame;
        let (shell, frame) = frame(Part::Accords, "Feuille à signer");
        let notice = sample::notice();
        let family = Family::sample().under(&frame);
        let base = "/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
        vec![("stay", Self { sheet: Sheet::of(&notice, &family), shell, frame, base })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{SigningView, SlotKind};

    #[test]
    fn pages_of_the_sheet() {
        crate::web::pages::snapshots::check::<SheetPage>();
    }

    #[test]
    fn each_person_who_is_asked_has_a_box_under_each_service_and_a_place_to_sign() {
        let sheet = Sheet::of(&sample::notice(), &Family::sample());
        let who = ["le jeune".to_owned(), "Sonia Martin (mère)".to_owned()];
        assert_eq!(sheet.places, who);
        let to_whom = sheet.sections.iter().find(|s| s.heading == TO_WHOM).unwrap();
        let services: Vec<&Line> = to_whom.lines.iter().filter(|l| l.boxes.is_some()).collect();
        let [service] = services.as_slice() else { panic!("{services:?}") };
        assert_eq!(service.text, "Action éducative, Sauvegarde (Éducateur AEMO / AED)");
        assert_eq!(service.boxes.as_deref(), Some(&who[..]));
        // « ☐ lu à voix haute » is nobody's.
        let signatures = sheet.sections.iter().find(|s| s.signatures).unwrap();
        assert_eq!(signatures.lines.first().unwrap().text, "☐ lu à voix haute");
    }

    #[test]
    fn where_nobody_can_be_named_the_text_keeps_its_own_box() {
        let mut notice = sample::notice();
        for signing in &mut notice.signing {
            (signing.all_of, signing.any_of) = (vec![super::super::sample::slot(SlotKind::Opinion)], vec![]);
        }
        let sheet = Sheet::of(&notice, &Family::sample());
        assert!(sheet.places.is_empty());
        let to_whom = sheet.sections.iter().find(|s| s.heading == TO_WHOM).unwrap();
        assert!(to_whom.lines.iter().any(|l| l.text.starts_with("☐ Action éducative") && l.boxes.is_none()));
    }

    #[test]
    fn lines_with_the_same_answer_are_told_once() {
        let mut notice = sample::notice();
        let same = notice.signing.first().unwrap().clone();
        let other = SigningView { why: "Autre raison.".to_owned(), ..same.clone() };
        notice.signing.extend([same, other]);
        let all = Signing::all(&notice, &Family::sample());
        assert_eq!(all.iter().map(|s| s.services.len()).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_longer_sheet_is_said_to_need_more_pages() {
        let mut notice = sample::notice();
        assert_eq!(Sheet::of(&notice, &Family::sample()).pages(), 1);
        let text = notice.text.as_ref().unwrap().as_str().to_owned();
        let long = text.replace("  Quoi : à 20 h\n", &"  Quoi : à 20 h, avec un verre d'eau\n".repeat(100));
        notice.text = serde_json::from_value(serde_json::Value::String(long)).unwrap();
        assert_eq!(Sheet::of(&notice, &Family::sample()).pages(), 4);
    }
}
