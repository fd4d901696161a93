//! The exact notice that the family reads and signs: plain French, one page, « vous ».
//!
//! INVARIANTS
//! * What will be said stands word for word, each in the order of the sheet; nothing else of the pathway does.
//! * Every notice says to whom, why, until when, that one may say no, how to change one's mind, its one limit, and
//!   where to complain (LAW §5, §6).
//! * Services that would read the same stand together, each with its box; every word of capitals is explained.
//! * A heading begins with `# ` at the start of a line; words that people wrote never do (they are indented).
//!
//! It decides nothing and reads nothing: it is a function of what was fetched under grants, run while still sealed.

use std::fmt::{self, Write as _};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::charter::sheet::{Office, Sheet};
use crate::domain::accord::LineKind;
use crate::domain::acronyms;
use crate::domain::contact::Phone;
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Category, Purpose, within_brackets};
use crate::store::item::Words;

/// The version of this text: raised whenever a sentence changes.
pub const NOTICE_VERSION: &str = "notice-3";

/// How a line of the text that names a service begins: what one ticks.
pub const BOX: &str = "☐ ";

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

impl FrameLine {
    /// Whether these two services are told the family in the same words.
    fn reads_as(&self, other: &Self) -> bool {
        let answer = |l: &Self| {
            (
                l.kind,
                l.opening.clone(),
                l.named.clone(),
                l.shown.clone(),
                l.accountable_to,
                l.bound,
                l.services.clone(),
            )
        };
        answer(self) == answer(other)
    }
}

/// The order in which lines stand on the sheet: each after the first one that reads as it does.
#[must_use]
pub fn ranks(lines: &[FrameLine]) -> Vec<usize> {
    let first = |line: &FrameLine| lines.iter().position(|l| l.reads_as(line)).unwrap_or(lines.len());
    lines.iter().map(first).collect()
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
    page.heading(&title(frame.purpose, name));
    page.line("Des professionnels vous demandent votre accord. Prenez votre temps et posez vos questions.");
    what(&mut page, &frame, &shown);
    to_whom(&mut page, &frame);
    page.heading("Pourquoi");
    page.line(&format!("{} Pour rien d'autre.", plain_purpose(frame.purpose, name)));
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
        "Laissez la case vide, ou dites-le, maintenant ou plus tard. Sans dire pourquoi. {} garde sa place et son \
         accompagnement.",
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
    small_print(&mut page, &frame);
    NoticeText(page.0)
}

/// « d'Amel », « de Mathis ».
#[must_use]
pub fn of_name(name: &str) -> String {
    if name.starts_with(VOWELS) { format!("d'{name}") } else { format!("de {name}") }
}

/// SCREENS, the family's sheet: a stay says itself in its title.
fn title(purpose: Purpose, name: Option<&str>) -> String {
    const BLANK: &str = "………………………………";
    match purpose {
        Purpose::Stay => {
            format!("Partager pour le séjour {}", name.map_or_else(|| format!("de {BLANK}"), of_name))
        }
        Purpose::Coordination
        | Purpose::Handover
        | Purpose::Referral
        | Purpose::Schooling
        | Purpose::Integration
        | Purpose::Care
        | Purpose::Conference
        | Purpose::Protection => format!("Partager des informations sur {}", name.unwrap_or(BLANK)),
    }
}

/// A purpose, as one says it to a family.
#[must_use]
pub fn plain_purpose(purpose: Purpose, name: Option<&str>) -> String {
    let (who, of) = match name {
        Some(name) => (name.to_owned(), of_name(name)),
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
    page.line("Cochez ce que vous acceptez. Une case vide veut dire non.");
    for alike in frame.lines.chunk_by(FrameLine::reads_as) {
        for line in alike {
            page.line(&format!("{BOX}{} ({})", line.who, within_brackets(line.profession)));
        }
        let Some(line) = alike.first() else { continue };
        match (line.kind, alike.len() > 1) {
            (LineKind::Contributor, false) => {
                page.words("Ce service", "apporte des informations. Il n'en reçoit pas.");
            }
            (LineKind::Contributor, true) => {
                page.words("Ces services", "apportent des informations. Ils n'en reçoivent pas.");
            }
            (LineKind::Recipient, several) => reads(page, line, several),
        }
    }
    page.line("Et personne d'autre.");
    let texts = frame.lines.iter().flat_map(|l| {
        [l.who.as_str(), l.profession]
            .into_iter()
            .chain(l.accountable_to)
            .chain(l.services.iter().map(String::as_str))
    });
    for explained in acronyms::explained(texts) {
        page.line(&explained);
    }
}

/// What one service reads, or `several` that read the same.
fn reads(page: &mut Page, line: &FrameLine, several: bool) {
    let said = |one: &'static str, all: &'static str| if several { all } else { one };
    if !line.shown.is_empty() {
        let numbers =
            line.shown.iter().map(|n| n.saturating_add(1).to_string()).collect::<Vec<_>>().join(", ");
        let label = said("Pourra lire mot pour mot", "Ces services pourront lire mot pour mot");
        page.words(label, &format!("n° {numbers}"));
    }
    if !line.named.is_empty() {
        let label = said(
            "Pourra lire, parce que vous le nommez ici",
            "Ces services pourront lire, parce que vous le nommez ici",
        );
        page.words(label, &list(&line.named));
    }
    if !line.opening.is_empty() {
        let label = said("Lira aussi, si vous dites oui", "Ces services liront aussi, si vous dites oui");
        page.words(label, &list(&line.opening));
    }
    if !line.bound {
        let told = said(
            "cette personne n'est pas tenue au secret professionnel, mais à la discrétion.",
            "ces personnes ne sont pas tenues au secret professionnel, mais à la discrétion.",
        );
        page.words("À savoir", told);
    }
    if let Some(to) = line.accountable_to {
        // LAW §6: such a recipient reports upward, and the family reads it before signing.
        let told = if several {
            format!("ces services rendent compte {to}. Ce qu'ils lisent ici peut figurer dans leur rapport.")
        } else {
            format!("ce service rend compte {to}. Ce qu'il lit ici peut figurer dans son rapport.")
        };
        page.words("À savoir", &told);
    }
    for service in &line.services {
        page.words(said("Saura aussi qu'intervient", "Sauront aussi qu'intervient"), service);
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
        assert!(text.as_str().starts_with("# Partager pour le séjour de Mathis\n"));
        assert!(text.as_str().contains("Mathis garde sa place"));
        assert!(text.as_str().contains("Pour préparer le séjour de Mathis. Pour rien d'autre."));
        for purpose in Purpose::ALL {
            let said = plain_purpose(*purpose, Some("Inès"));
            assert!(
                said.starts_with("Pour ") && said.contains("Inès") && !said.contains("de Inès"),
                "{said}"
            );
        }
        assert_eq!(format!("{text:?}"), "NoticeText(…)");
        assert_eq!(title(Purpose::Stay, Some("Amel")), "Partager pour le séjour d'Amel");
        assert_eq!(title(Purpose::Schooling, Some("Amel")), "Partager des informations sur Amel");
    }

    #[test]
    fn the_sheet_says_what_its_boxes_mean_and_how_to_say_no() {
        let text = compose((frame(vec![line(None)], vec![]), (None, vec![])));
        assert!(
            text.as_str().contains("# À qui\nCochez ce que vous acceptez. Une case vide veut dire non.\n☐ ")
        );
        assert!(
            text.as_str()
                .contains("Laissez la case vide, ou dites-le, maintenant ou plus tard. Sans dire pourquoi.")
        );
        // The places to sign are named beside the text, one by one.
        assert!(!text.as_str().contains("Nom, date, signature"));
    }

    #[test]
    fn services_that_would_read_the_same_stand_together_each_with_its_box() {
        let of = |who: &str, named: Vec<Category>| FrameLine { who: who.to_owned(), named, ..line(None) };
        let lines =
            vec![of("A", vec![Category::Schooling]), of("B", vec![]), of("C", vec![Category::Schooling])];
        assert_eq!(ranks(&lines), [0, 1, 0]);
        let mut lines: Vec<_> = ranks(&lines).into_iter().zip(lines).collect();
        lines.sort_by_key(|(rank, _)| *rank);
        let text = compose((frame(lines.into_iter().map(|(_, l)| l).collect(), vec![]), (None, vec![])));
        let together = "☐ A (Éducateur AEMO / AED)\n☐ C (Éducateur AEMO / AED)\n  Ces services pourront lire mot pour \
                        mot : n° 1\n  Ces services pourront lire, parce que vous le nommez ici : Scolarité\n";
        assert!(text.as_str().contains(together), "{}", text.as_str());
        assert_eq!(text.as_str().matches("☐ ").count(), 4, "three services, and « lu à voix haute »");
    }

    #[test]
    fn no_word_of_capitals_stands_without_its_explanation_for_any_profession_and_purpose() {
        // The text itself says these in full; the last is part of a postal address.
        let said_in_full = ["RGPD", "CNIL", "TSA"];
        for profession in crate::domain::vocabulary::Profession::ALL {
            for purpose in Purpose::ALL {
                let of = FrameLine { profession: profession.french(), ..line(profession.accountable_to()) };
                let of = FrameLine {
                    who: "Service, Structure".to_owned(),
                    services: vec!["Un CCAS".to_owned()],
                    ..of
                };
                let text = compose((Frame { purpose: *purpose, ..frame(vec![of], vec![]) }, (None, vec![])));
                for letters in acronyms::letters_in([text.as_str()]) {
                    let explained = text.as_str().contains(&format!("\n{letters} : "));
                    assert!(explained || said_in_full.contains(&letters), "{letters} for {profession:?}");
                }
            }
        }
    }
}
