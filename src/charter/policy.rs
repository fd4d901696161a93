//! The rules of a charter: casbin rows that a spreadsheet can show, behind a strict parser (docs/adr/0002).
//!
//! `p, profession, secrecy, category, purpose, cell, effect`. `allow`: what the cell covers is allowed (only the legal
//! ceiling writes such rows). `deny`: what the cell does not cover is refused. A charter writes `deny` only, in two forms:
//! one cell (`p, teacher, not_bound, practical, *, CI, deny`), or a category that a purpose no longer carries
//! (`p, *, *, health_minimal, conference, N, deny`).
//!
//! Invariant: a charter cannot widen anything, whatever it writes: refusals are all that it can say.
//!
//! THREAT (SECURITY §3): casbin accepts a short row, reads `Deny` as nothing, drops a duplicate silently, and an empty
//! set may allow. None of these gets past this parser.

use super::base::{Base, bad_cell};
use super::error::Finding;
use super::reader::{Dialect, Field, Row, rows};
use crate::domain::cell::{Cell, Need};
use crate::domain::vocabulary::{Category, Level, Profession, Purpose, Secrecy};

/// On what a read may rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Claim {
    /// An accord of this level.
    Accord(Level),
    /// LAW: CASF L226-2-2.
    Statute,
}

impl Claim {
    pub const ALL: [Self; 4] = [
        Self::Accord(Level::Opening),
        Self::Accord(Level::Category),
        Self::Accord(Level::Informed),
        Self::Statute,
    ];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accord(level) => level.code(),
            Self::Statute => "statute",
        }
    }

    /// Whether a cell lets a read rest on this claim.
    #[must_use]
    pub fn covered_by(self, cell: Cell) -> bool {
        match self {
            Self::Accord(level) => cell.need().satisfied_by(level),
            Self::Statute => cell.statute_open(),
        }
    }
}

/// What a rule does with what its cell covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    Allow,
    Deny,
}

impl Effect {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// To whom and for what a rule speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// One profession under one secrecy, for every purpose.
    Row(Profession, Secrecy),
    /// Everyone, for one purpose.
    Purpose(Purpose),
}

/// One casbin row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    pub(crate) scope: Scope,
    pub(crate) category: Category,
    pub(crate) cell: Cell,
    pub(crate) effect: Effect,
    /// Line of the charter's `policy.csv`; `None` for a rule of the ceiling, or of the pack of a stay.
    pub(crate) line: Option<u32>,
}

impl Rule {
    /// The six values that casbin reads.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        let (profession, secrecy, purpose) = match self.scope {
            Scope::Row(profession, secrecy) => (profession.code(), secrecy.code(), "*"),
            Scope::Purpose(purpose) => ("*", "*", purpose.code()),
        };
        [profession, secrecy, self.category.code(), purpose, &self.cell.to_string(), self.effect.code()]
            .map(str::to_owned)
            .to_vec()
    }

    /// Whether the rule speaks of this recipient, category and purpose.
    #[must_use]
    pub fn concerns(
        &self,
        profession: Profession,
        secrecy: Secrecy,
        category: Category,
        purpose: Purpose,
    ) -> bool {
        self.category == category
            && match self.scope {
                Scope::Row(p, s) => p == profession && s == secrecy,
                Scope::Purpose(p) => p == purpose,
            }
    }
}

impl Rule {
    /// For everyone, this purpose does not carry this category.
    const fn not_carried(purpose: Purpose, category: Category) -> Self {
        Self { scope: Scope::Purpose(purpose), category, cell: Cell::NEVER, effect: Effect::Deny, line: None }
    }
}

/// LAW: R18. What a stay delivers is its pack and nothing else: whatever `carries` lets the purpose carry and the pack
/// leaves out, the charter refuses. Other packs only propose.
pub(crate) fn beyond_the_stay(pack: &[Category], carries: &dyn Fn(Purpose, Category) -> bool) -> Vec<Rule> {
    Category::ALL
        .iter()
        .filter(|category| carries(Purpose::Stay, **category) && !pack.contains(category))
        .map(|category| Rule::not_carried(Purpose::Stay, *category))
        .collect()
}

/// The rules of the ceiling itself: one allow per cell, one refusal per category that a purpose does not carry.
#[must_use]
pub fn base_rules(base: &Base) -> Vec<Rule> {
    let mut rules = Vec::new();
    for row in base.rows() {
        for &category in Category::ALL {
            rules.push(Rule {
                scope: Scope::Row(row.profession, row.secrecy),
                category,
                cell: row.cell(category),
                effect: Effect::Allow,
                line: None,
            });
        }
    }
    for &purpose in Purpose::ALL {
        for &category in Category::ALL {
            if !base.carries(purpose, category) {
                rules.push(Rule::not_carried(purpose, category));
            }
        }
    }
    rules
}

/// Reads a charter's `policy.csv` and holds it against the ceiling; every finding at once.
pub(crate) fn parse(file: &str, bytes: &[u8], base: &Base, found: &mut Vec<Finding>) -> Vec<Rule> {
    let read = match rows(file, bytes, Dialect::POLICY) {
        Ok(read) => read,
        Err(finding) => {
            found.push(finding);
            return Vec::new();
        }
    };
    if read.is_empty() {
        found.push(Finding::new(
            file,
            1,
            1,
            "aucune règle : pour garder le plafond tel quel, recopiez une de ses cases (un jeu vide n'est jamais accepté)",
        ));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for row in &read {
        let Some(rule) = parse_row(file, row, base, found) else { continue };
        if let Some(earlier) = rules.iter().find(|r| r.scope == rule.scope && r.category == rule.category) {
            found.push(Finding::new(
                file,
                row.line,
                1,
                format!(
                    "cette case est déjà réglée ligne {} : gardez une seule des deux",
                    earlier.line.unwrap_or(0)
                ),
            ));
            continue;
        }
        rules.push(rule);
    }
    rules
}

const HEADER: [&str; 7] = ["p", "profession", "secrecy", "category", "purpose", "cell", "effect"];

/// `*`, or a word of a closed list.
enum Word<T> {
    Any,
    One(T),
    Wrong,
}

fn word<T, E>(
    field: &Field,
    parse: impl Fn(&str) -> Result<T, E>,
    kind: &str,
    wrong: &mut dyn FnMut(&Field, String),
) -> Word<T> {
    if field.text == "*" {
        return Word::Any;
    }
    match parse(&field.text) {
        Ok(known) => Word::One(known),
        Err(_) => {
            wrong(field, format!("{kind} « {} »", field.text));
            Word::Wrong
        }
    }
}

fn parse_row(file: &str, row: &Row, base: &Base, found: &mut Vec<Finding>) -> Option<Rule> {
    let [p, profession, secrecy, category, purpose, cell, effect] = row.fields.as_slice() else {
        let have = row.fields.len();
        let column = u32::try_from(have.min(HEADER.len())).unwrap_or(u32::MAX).max(1);
        found.push(Finding::new(
            file,
            row.line,
            column,
            format!("cette règle a {have} champs ; il en faut 7 : {}", HEADER.join(", ")),
        ));
        return None;
    };
    let mut wrong = |field: &Field, message: String| {
        let name = usize::try_from(field.column).ok().and_then(|c| HEADER.get(c.saturating_sub(1))).copied();
        found.push(Finding::new(file, field.line, field.column, message).in_field(name.unwrap_or("?")));
    };
    if p.text != "p" {
        wrong(p, format!("« {} » : une règle commence par p", p.text));
    }
    let who = word(profession, Profession::parse, "profession inconnue", &mut wrong);
    let bound = match word(secrecy, Secrecy::parse, "statut inconnu", &mut wrong) {
        Word::One(Secrecy::Contested) => {
            wrong(secrecy, "un statut discuté lit la ligne not_bound : réglez celle-là".to_owned());
            Word::Wrong
        }
        other @ (Word::Any | Word::Wrong | Word::One(Secrecy::Bound | Secrecy::NotBound)) => other,
    };
    let what = match word(category, Category::parse, "sujet inconnu", &mut wrong) {
        Word::One(known) => Some(known),
        Word::Any => {
            wrong(category, "« * » : une règle vise un seul sujet".to_owned());
            None
        }
        Word::Wrong => None,
    };
    let why = word(purpose, Purpose::parse, "but inconnu", &mut wrong);
    let need = Cell::parse(&cell.text);
    if need.is_none() {
        wrong(cell, bad_cell(&cell.text));
    }
    match effect.text.as_str() {
        "deny" => {}
        "allow" => {
            wrong(effect, "« allow » : une charte ne peut que resserrer le plafond, écrivez deny".to_owned())
        }
        other => wrong(effect, format!("effet inconnu « {other} » : écrivez deny, en minuscules")),
    }
    let scope = match (who, bound, why) {
        (Word::One(who), Word::One(bound), Word::Any) => Scope::Row(who, bound),
        (Word::Any, Word::Any, Word::One(why)) => Scope::Purpose(why),
        (Word::Wrong, _, _) | (_, Word::Wrong, _) | (_, _, Word::Wrong) => return None,
        (Word::One(_), Word::One(_), Word::One(_)) => {
            wrong(
                purpose,
                "une case vaut pour tous les buts : écrivez « * », ou réglez le but pour tout le monde"
                    .to_owned(),
            );
            return None;
        }
        (Word::Any, _, _) | (_, Word::Any, _) => {
            wrong(
                profession,
                "écrivez une profession et un statut avec le but « * », ou « *, * » avec un but".to_owned(),
            );
            return None;
        }
    };
    let (category_code, need) = (what?, need?);
    match scope {
        Scope::Row(who, bound) => match base.row(who, bound) {
            None => {
                wrong(
                    profession,
                    format!("le plafond n'a pas de ligne {who}, {bound} : elle ne reçoit déjà rien"),
                );
                return None;
            }
            Some(ceiling) if !need.within(ceiling.cell(category_code)) => {
                wrong(cell, too_wide(need, ceiling.cell(category_code)));
                return None;
            }
            Some(_) => {}
        },
        Scope::Purpose(why) => {
            if need.need() != Need::Never {
                wrong(
                    cell,
                    format!("« {need} » : pour tout le monde, un but ne peut que perdre un sujet, écrivez N"),
                );
                return None;
            }
            if !base.carries(why, category_code) {
                wrong(category, format!("le but {why} ne porte déjà pas ce sujet : retirez la règle"));
                return None;
            }
        }
    }
    Some(Rule { scope, category: category_code, cell: need, effect: Effect::Deny, line: Some(row.line) })
}

fn too_wide(cell: Cell, ceiling: Cell) -> String {
    if cell.need() < ceiling.need() {
        format!("« {cell} » demande moins que le plafond « {ceiling} » : une charte ne peut que resserrer")
    } else {
        format!(
            "« {cell} » ouvre le partage prévu par la loi, que le plafond « {ceiling} » n'ouvre pas : retirez l'étoile"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Rule>, Vec<Finding>) {
        let mut found = Vec::new();
        let rules = parse("policy.csv", text.as_bytes(), &Base::embedded().unwrap(), &mut found);
        (rules, found)
    }

    fn place(text: &str) -> (u32, u32) {
        let (_, found) = read(text);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].line(), found[0].column())
    }

    #[test]
    fn both_forms_read_with_or_without_spaces_quotes_and_crlf() {
        let (rules, found) = read(
            "# c\r\np, teacher, not_bound, practical, *, CI, deny\r\n\"p\",*,*,health_minimal,\"conference\",N,deny\r\n",
        );
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(rules[0].values(), ["teacher", "not_bound", "practical", "*", "CI", "deny"]);
        assert_eq!(rules[1].values(), ["*", "*", "health_minimal", "conference", "N", "deny"]);
        assert_eq!(rules[1].line, Some(3));
    }

    #[test]
    fn traps_of_the_engine_are_refused_with_line_and_column() {
        let good = "p, teacher, not_bound, practical, *, CI, deny\n";
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI, Deny")), (2, 7));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI, refuse")), (2, 7));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI, allow")), (2, 7));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI, ")), (2, 7));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI")), (2, 6));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, mobility, *, CI, deny, x")), (2, 7));
        assert_eq!(place(&format!("{good}\n{good}")), (3, 1));
        assert_eq!(place(&format!("{good}p, teacher, not_bound, practical, *, N, deny")), (2, 1));
        assert_eq!(place(""), (1, 1));
        assert_eq!(place("# nothing\n\n"), (1, 1));
        assert_eq!(place("p2, teacher, not_bound, mobility, *, CI, deny"), (1, 1));
        assert_eq!(place("p, Teacher, not_bound, mobility, *, CI, deny"), (1, 2));
        assert_eq!(place("p, teacher, contested, mobility, *, CI, deny"), (1, 3));
        assert_eq!(place("p, teacher, not_bound, *, *, CI, deny"), (1, 4));
        assert_eq!(place("p, teacher, not_bound, mobility, stay, CI, deny"), (1, 5));
        assert_eq!(place("p, teacher, not_bound, mobility, *, CI *, deny"), (1, 6));
        assert_eq!(place("p, *, not_bound, mobility, *, CI, deny"), (1, 2));
        assert_eq!(place("p, *, *, mobility, coordination, CI, deny"), (1, 6));
        assert_eq!(place("p, *, *, mobility, stay, N, deny"), (1, 4));
        assert_eq!(place("p, teacher, bound, mobility, *, N, deny"), (1, 2));
    }

    #[test]
    fn law_a_charter_may_only_tighten_the_ceiling() {
        assert_eq!(place("p, teacher, not_bound, mobility, *, A, deny"), (1, 6));
        assert_eq!(place("p, teacher, not_bound, mobility, *, C*, deny"), (1, 6));
        assert_eq!(place("p, teacher, not_bound, family, *, CI, deny"), (1, 6));
        assert!(read("p, teacher, not_bound, identity, *, C*, deny").1.is_empty());
    }

    #[test]
    fn every_finding_comes_at_once() {
        let (_, found) = read("p, Teacher, x, y, z, B, Deny\np, teacher\n");
        assert_eq!(found.len(), 7, "{found:?}");
    }
}
