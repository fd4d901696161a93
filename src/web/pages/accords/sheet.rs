//! The sheet that the family reads and signs: at most two A4 pages, large type, a pictogram beside each heading. Its
//! text is that of the notice, word for word, and nothing is added to it but places to sign.

use askama::Template;

use super::{Family, act, read, service_name};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::ReleaseId;
use crate::service::{App, Happening, NoticeView, SheetId};
use crate::web::pages::Page;
use crate::web::pages::frame::{Frame, Part};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// A heading with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub icon: Icon,
    pub heading: String,
    /// Whether a line belongs to the one before (it is indented there), and its text.
    pub lines: Vec<(bool, String)>,
    pub small: bool,
    pub signatures: bool,
}

/// A notice, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    pub title: String,
    pub opening: Vec<String>,
    pub sections: Vec<Section>,
}

fn pictogram(heading: &str) -> Icon {
    match heading {
        "Ce qui sera dit, mot pour mot" => Icon::Message,
        "À qui" => Icon::Circle,
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
    pub(super) fn of(notice: &NoticeView) -> Self {
        let sections = notice.text.as_ref().map(|t| t.sections()).unwrap_or_default();
        let mut sections = sections.into_iter();
        let (title, opening) = sections.next().unwrap_or(("", Vec::new()));
        Self {
            title: title.to_owned(),
            opening: opening.into_iter().map(ToOwned::to_owned).collect(),
            sections: sections
                .map(|(heading, lines)| Section {
                    icon: pictogram(heading),
                    heading: heading.to_owned(),
                    lines: lines
                        .into_iter()
                        .map(|l| (l.starts_with("  "), l.trim_start().to_owned()))
                        .collect(),
                    small: heading == "En petits caractères",
                    signatures: heading == "Signatures",
                })
                .collect(),
        }
    }
}

/// Who signs one line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    pub recipient: String,
    pub profession: &'static str,
    pub level: Option<&'static str>,
    pub wanted: Vec<String>,
    pub unestablished: Option<String>,
    pub why: String,
}

impl Signing {
    pub(super) fn all(notice: &NoticeView, family: &Family) -> Vec<Self> {
        notice
            .signing
            .iter()
            .map(|s| Self {
                recipient: service_name(&s.recipient),
                profession: s.recipient.profession.french(),
                level: s.level.map(crate::domain::vocabulary::Level::french),
                wanted: family.wanted(&s.all_of, &s.any_of),
                unestablished: s.unestablished.clone(),
                why: s.why.clone(),
            })
            .collect()
    }

    /// One place to sign for each name that may be needed, in the order in which they appear.
    pub(super) fn places(all: &[Self]) -> Vec<String> {
        let mut places: Vec<String> = Vec::new();
        let wanted =
            all.iter().flat_map(|s| &s.wanted).flat_map(|w| w.split(" ou ")).flat_map(|w| w.split(" et "));
        for name in wanted.filter(|w| *w != "l'avis du jeune") {
            if !places.iter().any(|p| p == name) {
                places.push(name.to_owned());
            }
        }
        places
    }
}

/// The sheet, to read and to print.
#[derive(Template)]
#[template(path = "accord_sheet.html")]
struct SheetPage {
    shell: Shell,
    frame: Frame,
    sheet: Sheet,
    places: Vec<String>,
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
    let family = Family::read(app, incoming, true)?;
    let places = Signing::places(&Signing::all(notice, &family));
    let places = places.into_iter().map(|place| named(place, &frame)).collect();
    Answer::page(&SheetPage { shell, frame, sheet: Sheet::of(notice), places, base })
}

/// On the family's paper the young person has a name.
fn named(place: String, frame: &Frame) -> String {
    if place == "le jeune" && frame.view.name_shared { frame.view.name.clone() } else { place }
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
    use crate::service::SigningView;

    pub fn notice() -> NoticeView {
        let text = "# Partager des informations sur Léa\nDes professionnels vous demandent votre accord.\n\
                    # Ce qui sera dit, mot pour mot\n1. Santé : le strict nécessaire : « Traitement »\n  Quoi : à 20 h\n\
                    # À qui\n☐ Action éducative, Sauvegarde (Éducateur AEMO / AED)\n  Pourra lire mot pour mot : n° 1\n  \
                    À savoir : ce service rend compte au juge.\nEt personne d'autre.\n# Pourquoi\nPour que les professionnels autour \
                    de Léa travaillent ensemble. Pour rien d'autre.\n# Jusqu'à quand\nDu 1 mars 2027 au 14 juillet 2027 inclus.\n# Vous pouvez dire non\n\
                    Sans dire pourquoi.\n# Une limite\nSi un enfant est en danger, chaque professionnel doit alerter.\n\
                    # Signatures\n☐ lu à voix haute\nNom, date, signature : ………\n# En petits caractères\nResponsable : Ville.\n";
        NoticeView {
            version: "notice-2".to_owned(),
            keyed_hash: String::new(),
            text: serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap(),
            signing: vec![SigningView {
                line: id(AccordLineId::parse, 'e'),
                recipient: recipient(Profession::Aemo),
                level: Some(Level::Informed),
                all_of: vec![slot("young_person")],
                any_of: vec![vec![slot("holder")]],
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
        let places = Signing::places(&Signing::all(&notice, &Family::sample()));
        let places = places.into_iter().map(|place| named(place, &frame)).collect();
        let base = "/accords/aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
        vec![("stay", Self { shell, frame, sheet: Sheet::of(&notice), places, base })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_sheet() {
        crate::web::pages::snapshots::check::<SheetPage>();
    }

    #[test]
    fn a_place_to_sign_for_each_and_none_for_an_opinion() {
        let mut notice = sample::notice();
        for signing in &mut notice.signing {
            signing.all_of.push(super::super::sample::slot("opinion"));
        }
        let all = Signing::all(&notice, &Family::sample());
        assert_eq!(Signing::places(&all), ["le jeune", "Sonia Martin (mère)"]);
    }
}
