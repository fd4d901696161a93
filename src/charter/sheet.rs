//! `charter.toml`: everything in a charter that is not the matrix. Unknown keys are refused, with line and column.
//!
//! Invariants: follow-up and evaluation are distinct texts (R26); a retention never exceeds the default of LAW §6; a
//! pack names categories that its purpose carries; codes are unique. The matrix is not here: `policy` reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::error::Finding;
use crate::domain::item::Codes;
use crate::domain::vocabulary::{Category, OrganisationKind, Purpose};

/// The four packs of a charter, and the purpose of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pack {
    Stay,
    Handover,
    School,
    Review,
}

impl Pack {
    pub const ALL: [Self; 4] = [Self::Stay, Self::Handover, Self::School, Self::Review];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Stay => "stay",
            Self::Handover => "handover",
            Self::School => "school",
            Self::Review => "review",
        }
    }

    /// The purpose that a share made from this pack has.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Stay => Purpose::Stay,
            Self::Handover => Purpose::Handover,
            Self::School => Purpose::Schooling,
            Self::Review => Purpose::Coordination,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    pub name: String,
    pub kind: OrganisationKind,
    pub part: String,
}

/// How long things are kept; never more than LAW §6 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    pub shared_items_months: u32,
    pub stay_pack_days: u32,
    pub referral_months: u32,
    pub technical_log_months: u32,
    pub backup_days: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    pub term: String,
    pub definition: String,
}

/// A code of the charter's own and its French words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coded {
    pub code: String,
    pub words: String,
}

/// The department's numbers for a danger (S20); Relais calls none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contacts {
    pub department: String,
    pub concern_unit_phone: String,
    pub prosecutor_phone: String,
}

/// Somebody to write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Office {
    pub name: String,
    pub contact: String,
}

/// A charter's sheet, read and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    pub name: String,
    pub title: String,
    pub version: String,
    pub objectives: Vec<String>,
    pub parties: Vec<Party>,
    pub public: String,
    pub governance: Vec<String>,
    pub retention: Retention,
    pub glossary: Vec<Term>,
    pub needs: Vec<Coded>,
    pub judicial_kinds: Vec<Coded>,
    pub packs: BTreeMap<Pack, Vec<Category>>,
    pub follow_up: String,
    pub evaluation: String,
    pub communication: String,
    pub warning_words: Vec<String>,
    pub contacts: Contacts,
    pub controller: Office,
    pub data_protection_officer: Office,
}

impl Sheet {
    /// The categories of a pack, in the order of the charter.
    #[must_use]
    pub fn pack(&self, pack: Pack) -> &[Category] {
        self.packs.get(&pack).map_or(&[], Vec::as_slice)
    }

    /// The words of a code of the needs list; `None` when the charter does not have it.
    #[must_use]
    pub fn need(&self, code: &str) -> Option<&str> {
        self.needs.iter().find(|need| need.code == code).map(|need| need.words.as_str())
    }

    /// The words of a kind of measure; `None` when the charter does not have it.
    #[must_use]
    pub fn judicial_kind(&self, code: &str) -> Option<&str> {
        self.judicial_kinds.iter().find(|kind| kind.code == code).map(|kind| kind.words.as_str())
    }
}

impl Codes for Sheet {
    fn need(&self, code: &str) -> Option<&str> {
        Self::need(self, code)
    }

    fn judicial_kind(&self, code: &str) -> Option<&str> {
        Self::judicial_kind(self, code)
    }

    /// Terms are cited by themselves: the glossary has one entry for each.
    fn term(&self, code: &str) -> Option<&str> {
        self.glossary.iter().find(|t| t.term == code).map(|t| t.term.as_str())
    }
}

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSheet {
    name: Text,
    title: Text,
    version: Text,
    objectives: Spanned<Vec<Text>>,
    parties: Spanned<Vec<RawParty>>,
    public: Text,
    governance: Spanned<Vec<Text>>,
    retention: RawRetention,
    glossary: Spanned<Vec<RawTerm>>,
    needs: Spanned<Vec<RawCoded>>,
    judicial_kinds: Spanned<Vec<RawCoded>>,
    packs: RawPacks,
    follow_up: Text,
    evaluation: Text,
    communication: Text,
    warning_words: Vec<Text>,
    contacts: RawContacts,
    controller: RawOffice,
    data_protection_officer: RawOffice,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParty {
    name: Text,
    kind: Text,
    part: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetention {
    shared_items_months: Spanned<i64>,
    stay_pack_days: Spanned<i64>,
    referral_months: Spanned<i64>,
    technical_log_months: Spanned<i64>,
    backup_days: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    term: Text,
    definition: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCoded {
    code: Text,
    words: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPacks {
    stay: RawPack,
    handover: RawPack,
    school: RawPack,
    review: RawPack,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    categories: Spanned<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContacts {
    department: Text,
    concern_unit_phone: Text,
    prosecutor_phone: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffice {
    name: Text,
    contact: Text,
}

/// Line and column (in characters) of a byte offset.
fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or("").chars().count().saturating_add(1);
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// The parser's English, in the words of the person who writes the charter.
fn in_french(message: &str) -> String {
    let first = message.lines().next().unwrap_or("");
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or("?").to_owned();
    if first.starts_with("unknown field") {
        format!("clé inconnue « {} » : vérifiez l'orthographe, ou retirez-la", quoted(first))
    } else if first.starts_with("missing field") {
        format!("il manque la clé « {} »", quoted(first))
    } else if first.starts_with("duplicate") {
        "clé écrite deux fois".to_owned()
    } else if first.starts_with("invalid type") {
        format!("valeur d'un autre genre que celui attendu ({first})")
    } else {
        format!("écriture TOML refusée ({first})")
    }
}

const TEXT_LIMIT: usize = 2_000;
const LIST_LIMIT: usize = 200;

struct Reader<'a> {
    file: &'a str,
    source: &'a str,
    found: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn refuse(&mut self, offset: usize, message: impl Into<String>) {
        let (line, column) = place(self.source, offset);
        self.found.push(Finding::new(self.file, line, column, message));
    }

    /// A text that says something, within bounds.
    fn text(&mut self, raw: Text) -> String {
        let at = raw.span().start;
        let text = raw.into_inner();
        if text.trim().is_empty() {
            self.refuse(at, "texte vide : écrivez-le, la charte est lue par les familles");
        } else if text.chars().count() > TEXT_LIMIT {
            self.refuse(at, format!("texte trop long : {TEXT_LIMIT} caractères au plus"));
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.refuse(at, "caractère de contrôle dans le texte : retirez-le");
        }
        text
    }

    /// A list with something in it.
    fn list<T, U>(&mut self, raw: Spanned<Vec<T>>, mut each: impl FnMut(&mut Self, T) -> U) -> Vec<U> {
        let at = raw.span().start;
        let items = raw.into_inner();
        if items.is_empty() {
            self.refuse(at, "liste vide : écrivez au moins une ligne");
        } else if items.len() > LIST_LIMIT {
            self.refuse(at, format!("liste trop longue : {LIST_LIMIT} lignes au plus"));
        }
        items.into_iter().map(|item| each(self, item)).collect()
    }

    fn coded(&mut self, raw: Spanned<Vec<RawCoded>>) -> Vec<Coded> {
        let mut seen: Vec<String> = Vec::new();
        self.list(raw, |r, item| {
            let at = item.code.span().start;
            let code = item.code.into_inner();
            let plain = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if code.is_empty() || code.len() > 40 || !plain {
                r.refuse(at, format!("code « {code} » : minuscules, chiffres et _ seulement, 40 au plus"));
            }
            if seen.contains(&code) {
                r.refuse(at, format!("le code « {code} » est écrit deux fois"));
            }
            seen.push(code.clone());
            Coded { code, words: r.text(item.words) }
        })
    }

    /// LAW: LAW §6. A charter may keep for less long, never longer.
    fn duration(&mut self, raw: Spanned<i64>, least: u32, most: u32, unit: &str) -> u32 {
        let at = raw.span().start;
        match u32::try_from(raw.into_inner()) {
            Ok(value) if (least..=most).contains(&value) => value,
            Ok(_) | Err(_) => {
                self.refuse(at, format!("durée hors des bornes : entre {least} et {most} {unit}"));
                least
            }
        }
    }

    fn pack(
        &mut self,
        pack: Pack,
        raw: RawPack,
        carries: &dyn Fn(Purpose, Category) -> bool,
    ) -> Vec<Category> {
        let mut out: Vec<Category> = Vec::new();
        let items = self.list(raw.categories, |r, item| {
            let at = item.span().start;
            match Category::parse(item.get_ref()) {
                Ok(category) => Some((at, category)),
                Err(_) => {
                    r.refuse(at, format!("sujet inconnu « {} »", item.get_ref()));
                    None
                }
            }
        });
        for (at, category) in items.into_iter().flatten() {
            if out.contains(&category) {
                self.refuse(at, format!("le sujet « {category} » est écrit deux fois"));
            } else if carries(pack.purpose(), category) {
                out.push(category);
            } else {
                self.refuse(
                    at,
                    format!(
                        "« {} » ne porte pas « {} » : retirez-le",
                        pack.purpose().french(),
                        category.french()
                    ),
                );
            }
        }
        out
    }

    fn office(&mut self, raw: RawOffice) -> Office {
        Office { name: self.text(raw.name), contact: self.text(raw.contact) }
    }
}

/// Reads the sheet; `carries` is the charter's own, so that packs are held against it.
pub(crate) fn parse(
    file: &str,
    source: &str,
    carries: &dyn Fn(Purpose, Category) -> bool,
    found: &mut Vec<Finding>,
) -> Option<Sheet> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let raw: RawSheet = match toml::from_str(source) {
        Ok(raw) => raw,
        Err(error) => {
            let (line, column) = place(source, error.span().map_or(0, |span| span.start));
            found.push(Finding::new(file, line, column, in_french(error.message())));
            return None;
        }
    };
    let before = found.len();
    let mut r = Reader { file, source, found };
    let evaluation_at = raw.evaluation.span().start;
    let sheet = Sheet {
        name: r.text(raw.name),
        title: r.text(raw.title),
        version: r.text(raw.version),
        objectives: r.list(raw.objectives, Reader::text),
        parties: r.list(raw.parties, |r, p| {
            let at = p.kind.span().start;
            let kind = OrganisationKind::parse(p.kind.get_ref()).unwrap_or_else(|_| {
                r.refuse(at, format!("genre de structure inconnu « {} »", p.kind.get_ref()));
                OrganisationKind::Association
            });
            Party { name: r.text(p.name), kind, part: r.text(p.part) }
        }),
        public: r.text(raw.public),
        governance: r.list(raw.governance, Reader::text),
        retention: Retention {
            shared_items_months: r.duration(raw.retention.shared_items_months, 1, 24, "mois"),
            stay_pack_days: r.duration(raw.retention.stay_pack_days, 1, 7, "jours"),
            referral_months: r.duration(raw.retention.referral_months, 1, 3, "mois"),
            // LAW §6: technical records of the log 12 months, up to 36 where the charter documents an internal control.
            technical_log_months: r.duration(raw.retention.technical_log_months, 12, 36, "mois"),
            backup_days: r.duration(raw.retention.backup_days, 1, 35, "jours"),
        },
        glossary: {
            let mut seen: Vec<String> = Vec::new();
            r.list(raw.glossary, |r, t| {
                let at = t.term.span().start;
                let term = Term { term: r.text(t.term), definition: r.text(t.definition) };
                if seen.contains(&term.term) {
                    r.refuse(at, format!("le mot « {} » est défini deux fois", term.term));
                }
                seen.push(term.term.clone());
                term
            })
        },
        needs: r.coded(raw.needs),
        judicial_kinds: r.coded(raw.judicial_kinds),
        packs: BTreeMap::from([
            (Pack::Stay, r.pack(Pack::Stay, raw.packs.stay, carries)),
            (Pack::Handover, r.pack(Pack::Handover, raw.packs.handover, carries)),
            (Pack::School, r.pack(Pack::School, raw.packs.school, carries)),
            (Pack::Review, r.pack(Pack::Review, raw.packs.review, carries)),
        ]),
        follow_up: r.text(raw.follow_up),
        evaluation: r.text(raw.evaluation),
        communication: r.text(raw.communication),
        warning_words: raw.warning_words.into_iter().map(|word| r.text(word)).collect(),
        contacts: Contacts {
            department: r.text(raw.contacts.department),
            concern_unit_phone: r.text(raw.contacts.concern_unit_phone),
            prosecutor_phone: r.text(raw.contacts.prosecutor_phone),
        },
        controller: r.office(raw.controller),
        data_protection_officer: r.office(raw.data_protection_officer),
    };
    // R26: the report asks that following a pathway and evaluating the cooperation stay distinct.
    if sheet.follow_up.trim() == sheet.evaluation.trim() {
        r.refuse(
            evaluation_at,
            "le suivi et l'évaluation doivent être distincts : ce texte répète follow_up",
        );
    }
    (found.len() == before).then_some(sheet)
}
