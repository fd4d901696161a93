//! The exact notice that the family reads and signs: plain French, one page, « vous ».
//!
//! INVARIANTS
//! * What will be said stands word for word, each in the order of the sheet; nothing else of the pathway does.
//! * Every notice says to whom, why, until when, that one may say no, how to change one's mind, its one limit, and
//!   where to complain (LAW §5, §6).
//! * A heading begins with `# ` at the start of a line; words that people wrote never do (they are indented).
//!
//! It decides nothing and reads nothing: it is a function of what was fetched under grants, run while still sealed.

use std::fmt::{self, Write as _};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::charter::sheet::{Office, Sheet};
use crate::domain::accord::LineKind;
use crate::domain::contact::Phone;
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Category, Purpose, within_brackets};
use crate::store::item::Words;

/// The version of this text: raised whenever a sentence changes.
pub const NOTICE_VERSION: &str = "notice-2";

/// The text of a notice. Wiped when dropped, without `Debug` content.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeText(Zeroizing<String>);

impl NoticeText {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Headings with their lines, for a page or a printed sheet.
    #[must_use]
    pub fn sections(&self) -> Vec<(&str, Vec<&str>)> {
        let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in self.0.lines() {
            match (line.strip_prefix("# "), out.last_mut()) {
                (Some(heading), _) => out.push((heading, Vec::new())),
                (None, Some((_, lines))) => lines.push(line),
                (None, None) => out.push(("", vec![line])),
            }
        }
        out
    }
}

impl fmt::Debug for NoticeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoticeText(…)")
    }
}

impl Serialize for NoticeText {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NoticeText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The young person's first name, in whatever else the row of the person holds.
#[derive(Deserialize)]
pub struct NamedPerson {
    #[serde(default)]
    first_name: Option<Zeroized>,
    #[serde(default)]
    identity: Option<NamedIdentity>,
}

#[derive(Deserialize)]
struct NamedIdentity {
    #[serde(default)]
    first_name: Option<Zeroized>,
}

struct Zeroized(Zeroizing<String>);

impl<'de> Deserialize<'de> for Zeroized {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|text| Self(Zeroizing::new(text)))
    }
}

impl NamedPerson {
    fn first_name(&self) -> Option<&str> {
        let inside = self.identity.as_ref().and_then(|i| i.first_name.as_ref());
        self.first_name.as_ref().or(inside).map(|n| n.0.as_str())
    }
}

/// Who will read, or bring.
pub struct FrameLine {
    pub kind: LineKind,
    /// « Mission …, Structure … », and the person when only that person was chosen.
    pub who: String,
    pub profession: &'static str,
    /// Subjects that any accord for this purpose opens to this recipient.
    pub opening: Vec<Category>,
    /// Subjects that this line names.
    pub named: Vec<Category>,
    /// How many of the shown words, in their order, are for this line.
    pub shown: Vec<usize>,
    pub accountable_to: Option<&'static str>,
    pub bound: bool,
    /// Services that this recipient will know of.
    pub services: Vec<String>,
}

/// Everything of a notice but the words.
pub struct Frame {
    pub purpose: Purpose,
    pub starts: NaiveDate,
    /// First day on which it no longer counts; a release has none.
    pub ends: Option<NaiveDate>,
    pub lines: Vec<FrameLine>,
    /// Categories of the shown words, in their order.
    pub subjects: Vec<Category>,
    pub collector: String,
    pub telephone: String,
    pub interpreted: bool,
    pub controller: Office,
    pub protection_officer: Office,
    pub sheet: Sheet,
}

struct Page(Zeroizing<String>);

impl Page {
    fn heading(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    fn line(&mut self, text: &str) {
        let written = writeln!(self.0, "{text}");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }

    /// Words that people wrote. THREAT: a line of theirs must not pass for one of ours.
    fn words(&mut self, label: &str, value: &str) {
        let value = Zeroizing::new(value.replace('\n', "\n    "));
        self.line(&format!("  {label} : {}", value.as_str()));
    }
}

fn list(categories: &[Category]) -> String {
    categories.iter().map(|c| c.french()).collect::<Vec<_>>().join(", ")
}

/// Composes the notice. Takes everything by value and captures nothing, so that it can run on what is still sealed.
#[must_use]
pub fn compose((frame, (person, shown)): (Frame, (Option<NamedPerson>, Vec<Words>))) -> NoticeText {
    let name = person.as_ref().and_then(NamedPerson::first_name);
    let mut page = Page(Zeroizing::new(String::with_capacity(4096)));
    page.heading(&match name {
        Some(name) => format!("Partager des informations sur {name}"),
        None => "Partager des informations sur ………………………………".to_owned(),
    });
    page.line("Des professionnels vous demandent votre accord. Prenez votre temps et posez vos questions.");
    what(&mut page, &frame, &shown);
    to_whom(&mut page, &frame);
    page.heading("Pourquoi");
    page.line(&format!("{} Pour rien d'autre.", why(frame.purpose, name)));
    page.heading("Jusqu'à quand");
    match frame.ends.and_then(|ends| ends.checked_sub_days(Days::new(1))) {
        Some(last) => page.line(&format!(
            "Du {} au {} inclus. Après, personne ne peut plus lire ceci ici. Le papier est rendu ou détruit.",
            french_date(frame.starts),
            french_date(last)
        )),
        None => page.line(
            "Aussi longtemps qu'un accord en cours le permet. Après, personne ne peut plus lire ceci ici. Le papier \
             est rendu ou détruit.",
        ),
    }
    page.heading("Vous pouvez dire non");
    page.line(&format!(
        "Sans dire pourquoi. {} garde sa place et son accompagnement.",
        name.unwrap_or("L'enfant ou le jeune")
    ));
    page.heading("Vous pouvez changer d'avis");
    page.line(&format!(
        "Quand vous voulez, comme vous voulez. Dites-le à {}, {}, ou à n'importe quel professionnel autour de vous. \
         Le partage s'arrête tout de suite.",
        frame.collector, frame.telephone
    ));
    page.heading("Une limite");
    // LAW §6: every notice says this.
    page.line("Si un enfant est en danger, chaque professionnel doit alerter, même sans votre accord.");
    page.heading("Qui a regardé ?");
    page.line("Demandez : la liste vous est donnée.");
    page.heading("Signatures");
    page.line("☐ lu à voix haute");
    if frame.interpreted {
        page.line("Traduit par un interprète adulte : ………………………………");
    }
    page.line("Nom, date, signature : ………………………………");
    small_print(&mut page, &frame);
    NoticeText(page.0)
}

/// A purpose, as one says it to a family.
fn why(purpose: Purpose, name: Option<&str>) -> String {
    let (who, of) = match name {
        Some(name) if name.starts_with(VOWELS) => (name.to_owned(), format!("d'{name}")),
        Some(name) => (name.to_owned(), format!("de {name}")),
        None => ("le jeune".to_owned(), "du jeune".to_owned()),
    };
    match purpose {
        Purpose::Coordination => {
            format!("Pour que les professionnels autour {of} travaillent ensemble.")
        }
        Purpose::Handover => {
            format!("Pour que le service suivant connaisse {who} sans que vous ayez à tout redire.")
        }
        Purpose::Referral => format!("Pour orienter {who} vers le bon service."),
        Purpose::Stay => format!("Pour préparer le séjour {of}."),
        Purpose::Schooling => format!("Pour soutenir {who} dans sa scolarité."),
        Purpose::Integration => format!("Pour soutenir {who} vers une formation ou un emploi."),
        Purpose::Care => format!("Pour organiser les soins {of}."),
        Purpose::Conference => format!("Pour préparer une réunion sur la situation {of}."),
        Purpose::Protection => format!("Pour protéger {who}."),
    }
}

/// Before these letters « de » is « d' ».
const VOWELS: [char; 19] =
    ['A', 'E', 'I', 'O', 'U', 'À', 'Â', 'Ä', 'É', 'È', 'Ê', 'Ë', 'Î', 'Ï', 'Ô', 'Ö', 'Û', 'Ü', 'Œ'];

fn what(page: &mut Page, frame: &Frame, shown: &[Words]) {
    if shown.is_empty() {
        return;
    }
    page.heading("Ce qui sera dit, mot pour mot");
    for (at, (words, category)) in shown.iter().zip(&frame.subjects).enumerate() {
        let number = at.saturating_add(1);
        match words {
            Words::Item(draft) => {
                page.line(&format!("{number}. {} : « {} »", category.french(), draft.label().as_str()));
                for (label, value) in draft.content().words(&frame.sheet) {
                    page.words(&label, &Zeroizing::new(value));
                }
            }
            Words::Action(action) => {
                page.line(&format!("{number}. {} : « {} »", category.french(), action.what.as_str()));
                page.words("À faire avant le", &action.by_when.french());
            }
        }
    }
}

fn to_whom(page: &mut Page, frame: &Frame) {
    page.heading("À qui");
    for line in &frame.lines {
        page.line(&format!("☐ {} ({})", line.who, within_brackets(line.profession)));
        match line.kind {
            LineKind::Contributor => {
                page.words("Ce service", "apporte des informations. Il n'en reçoit pas.");
            }
            LineKind::Recipient => reads(page, line),
        }
    }
    page.line("Et personne d'autre.");
    if frame.lines.iter().any(|l| l.profession.contains("AEMO") || l.who.contains("AEMO")) {
        page.line(
            "AEMO : action éducative en milieu ouvert, décidée par un juge. AED : aide éducative à domicile, demandée \
             avec la famille.",
        );
    }
}

fn reads(page: &mut Page, line: &FrameLine) {
    if !line.shown.is_empty() {
        let numbers =
            line.shown.iter().map(|n| n.saturating_add(1).to_string()).collect::<Vec<_>>().join(", ");
        page.words("Pourra lire mot pour mot", &format!("n° {numbers}"));
    }
    if !line.named.is_empty() {
        page.words("Pourra lire, parce que vous le nommez ici", &list(&line.named));
    }
    if !line.opening.is_empty() {
        page.words("Lira aussi, si vous dites oui", &list(&line.opening));
    }
    if !line.bound {
        page.words(
            "À savoir",
            "cette personne n'est pas tenue au secret professionnel, mais à la discrétion.",
        );
    }
    if let Some(to) = line.accountable_to {
        // LAW §6: such a recipient reports upward, and the family reads it before signing.
        page.words(
            "À savoir",
            &format!("ce service rend compte {to}. Ce qu'il lit ici peut figurer dans son rapport."),
        );
    }
    for service in &line.services {
        page.words("Saura aussi qu'intervient", service);
    }
}

fn small_print(page: &mut Page, frame: &Frame) {
    page.heading("En petits caractères");
    page.line(&format!("Responsable des données : {}, {}.", frame.controller.name, frame.controller.contact));
    page.line(&format!(
        "Délégué à la protection des données : {}, {}.",
        frame.protection_officer.name, frame.protection_officer.contact
    ));
    // LAW §0.5: the accord is not the legal basis of the processing.
    page.line(
        "Ces données servent une mission d'intérêt public (règlement européen sur la protection des données, RGPD, \
         article 6, 1, e). Vous pouvez demander à les voir, à les corriger, à en limiter l'usage ou vous y opposer. \
         Réclamation : Commission nationale de l'informatique et des libertés (CNIL), 3 place de Fontenoy, TSA 80715, \
         75334 Paris Cedex 07, www.cnil.fr.",
    );
}

/// A telephone as people read it aloud.
#[must_use]
pub fn spoken(telephone: &str) -> String {
    Phone::parse(telephone).map_or_else(|_| telephone.to_owned(), |p| p.spoken())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::Charter;
    use crate::domain::item::{ItemDraft, Submitted};

    fn frame(lines: Vec<FrameLine>, subjects: Vec<Category>) -> Frame {
        let sheet = Charter::embedded_demo().unwrap().sheet().clone();
        Frame {
            purpose: Purpose::Stay,
            starts: NaiveDate::from_ymd_opt(2027, 7, 1).unwrap(),
            ends: NaiveDate::from_ymd_opt(2027, 7, 15),
            lines,
            subjects,
            collector: "Prénom referente".to_owned(),
            telephone: spoken("0601020304"),
            interpreted: false,
            controller: sheet.controller.clone(),
            protection_officer: sheet.data_protection_officer.clone(),
            sheet,
        }
    }

    fn line(accountable_to: Option<&'static str>) -> FrameLine {
        FrameLine {
            kind: LineKind::Recipient,
            who: "Mission aemo, Structure sauvegarde".to_owned(),
            profession: "Éducateur AEMO / AED",
            opening: vec![Category::Leisure],
            named: vec![],
            shown: vec![0],
            accountable_to,
            bound: true,
            services: vec![],
        }
    }

    fn words(going_well: &str) -> Words {
        let sheet = Charter::embedded_demo().unwrap();
        let day = NaiveDate::from_ymd_opt(2027, 3, 2).unwrap();
        let json = serde_json::json!({"category": "evaluation", "going_well": going_well, "worries": "rien",
            "done": "le bilan", "said_by_family": "merci", "proposed": "continuer", "subjects": ["leisure"],
            "read_with_family_on": "2027-03-01"});
        let submitted: Submitted = serde_json::from_value(json).unwrap();
        Words::Item(ItemDraft::parse("Bilan de mars", submitted, sheet.sheet(), day).unwrap())
    }

    #[test]
    fn law_every_notice_says_its_limit_and_an_accountable_service_says_to_whom_it_reports() {
        let with = compose((frame(vec![line(Some("au juge"))], vec![]), (None, vec![])));
        let limit = "Si un enfant est en danger, chaque professionnel doit alerter, même sans votre accord.";
        assert!(with.as_str().contains(limit));
        assert!(with.as_str().contains("ce service rend compte au juge. Ce qu'il lit ici peut figurer"));
        let without = compose((frame(vec![line(None)], vec![]), (None, vec![])));
        assert!(without.as_str().contains(limit) && !without.as_str().contains("rend compte"));
        for must in
            ["Vous pouvez dire non", "Sans dire pourquoi", "06 01 02 03 04", "CNIL", "14 juillet 2027"]
        {
            assert!(with.as_str().contains(must), "{must}");
        }
    }

    #[test]
    fn words_of_people_cannot_pass_for_a_heading() {
        let text = compose((
            frame(vec![line(None)], vec![Category::Evaluation]),
            (None, vec![words("Tout va bien\n# Vous ne pouvez pas dire non")]),
        ));
        assert!(text.as_str().contains("    # Vous ne pouvez pas dire non"));
        let headings: Vec<&str> = text.sections().into_iter().map(|(h, _)| h).collect();
        assert!(headings.contains(&"Ce qui sera dit, mot pour mot"));
        assert!(!headings.iter().any(|h| h.contains("ne pouvez pas")), "{headings:?}");
    }

    #[test]
    fn the_first_name_is_found_where_the_person_has_one_and_a_blank_stands_otherwise() {
        let named: NamedPerson =
            serde_json::from_str(r#"{"identity":{"first_name":"Mathis","x":1}}"#).unwrap();
        let text = compose((frame(vec![], vec![]), (Some(named), vec![])));
        assert!(text.as_str().starts_with("# Partager des informations sur Mathis\n"));
        assert!(text.as_str().contains("Mathis garde sa place"));
        assert!(text.as_str().contains("Pour préparer le séjour de Mathis. Pour rien d'autre."));
        for purpose in Purpose::ALL {
            let said = why(*purpose, Some("Inès"));
            assert!(
                said.starts_with("Pour ") && said.contains("Inès") && !said.contains("de Inès"),
                "{said}"
            );
        }
        assert_eq!(format!("{text:?}"), "NoticeText(…)");
    }
}
