//! The dense matrix: what requests ask. Index arithmetic over closed lists, no hashing, no allocation.
//!
//! Invariants: a missing row is `Never`; a purpose carries nothing that is not written; `policy_hash` is a function of
//! the answers alone (a charter that is renamed keeps it). It does not know accords, authors or releases: `table` does.

use std::fmt;

use super::base::{Base, CATEGORIES, PROFESSIONS, PURPOSES};
use super::error::CharterError;
use super::policy::{Effect, Rule, Scope};
use crate::crypto::hash::sha256;
use crate::domain::cell::{Cell, Need};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

/// Which text a cell comes from: the clause that a record cites.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clause {
    /// The legal ceiling, unchanged.
    Ceiling,
    /// This line of the charter's `policy.csv`.
    Charter { line: u32 },
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ceiling => f.write_str("ceiling"),
            Self::Charter { line } => write!(f, "charter:{line}"),
        }
    }
}

/// What one profession under one secrecy may receive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatrixRow {
    cells: [Cell; CATEGORIES],
    clauses: [Clause; CATEGORIES],
}

impl MatrixRow {
    #[must_use]
    pub fn cell(&self, category: Category) -> Cell {
        // `None` cannot happen (the array has one place per category); denial all the same.
        self.cells.get(category.index()).copied().unwrap_or(Cell::NEVER)
    }

    #[must_use]
    pub fn clause(&self, category: Category) -> Clause {
        self.clauses.get(category.index()).copied().unwrap_or(Clause::Ceiling)
    }

    #[must_use]
    pub fn all_never(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell.need(), Need::Never))
    }
}

/// The compiled charter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix {
    rows: [[Option<MatrixRow>; 2]; PROFESSIONS],
    carries: [[bool; CATEGORIES]; PURPOSES],
    policy_hash: String,
    /// One hash, or two during a transition: the version signed, then the new one.
    policy_hashes: Vec<String>,
}

/// The place of a secrecy among the two rows of a profession. LAW: a contested status reads the `not_bound` row.
const fn side(secrecy: Secrecy) -> usize {
    match secrecy {
        Secrecy::Bound => 0,
        Secrecy::Contested | Secrecy::NotBound => 1,
    }
}

impl Matrix {
    /// The bare ceiling, without a charter.
    ///
    /// # Errors
    /// Every finding, if the embedded files were changed and are wrong.
    pub fn ceiling() -> Result<Self, CharterError> {
        Ok(Self::from_base(&Base::embedded()?))
    }

    /// A ceiling without a charter.
    #[must_use]
    pub fn from_base(base: &Base) -> Self {
        Self::build(base, &[])
    }

    /// Lays the charter's rules over the ceiling. The rules have passed the strict parser.
    pub(crate) fn build(base: &Base, charter: &[Rule]) -> Self {
        let mut rows: [[Option<MatrixRow>; 2]; PROFESSIONS] = std::array::from_fn(|_| [None, None]);
        for row in base.rows() {
            let mut cells = [Cell::NEVER; CATEGORIES];
            for (cell, &category) in cells.iter_mut().zip(Category::ALL) {
                *cell = row.cell(category);
            }
            if let Some(place) =
                rows.get_mut(row.profession.index()).and_then(|r| r.get_mut(side(row.secrecy)))
            {
                *place = Some(MatrixRow { cells, clauses: [Clause::Ceiling; CATEGORIES] });
            }
        }
        let mut carries = [[false; CATEGORIES]; PURPOSES];
        for (line, &purpose) in carries.iter_mut().zip(Purpose::ALL) {
            for (carried, &category) in line.iter_mut().zip(Category::ALL) {
                *carried = base.carries(purpose, category);
            }
        }
        for rule in charter {
            match (rule.scope, rule.effect) {
                // INVARIANT: only the ceiling allows; a charter has no way to add.
                (_, Effect::Allow) => {}
                (Scope::Row(profession, secrecy), Effect::Deny) => {
                    let row = rows.get_mut(profession.index()).and_then(|r| r.get_mut(side(secrecy)));
                    if let Some(Some(row)) = row
                        && let (Some(cell), Some(clause)) = (
                            row.cells.get_mut(rule.category.index()),
                            row.clauses.get_mut(rule.category.index()),
                        )
                    {
                        *cell = cell.stricter(rule.cell);
                        *clause = rule.line.map_or(Clause::Ceiling, |line| Clause::Charter { line });
                    }
                }
                (Scope::Purpose(purpose), Effect::Deny) => {
                    if let Some(carried) =
                        carries.get_mut(purpose.index()).and_then(|r| r.get_mut(rule.category.index()))
                    {
                        *carried = false;
                    }
                }
            }
        }
        Self::sealed(rows, carries)
    }

    fn sealed(rows: [[Option<MatrixRow>; 2]; PROFESSIONS], carries: [[bool; CATEGORIES]; PURPOSES]) -> Self {
        let mut matrix = Self { rows, carries, policy_hash: String::new(), policy_hashes: Vec::new() };
        let digest = sha256(&[matrix.canonical().as_bytes()]);
        matrix.policy_hash = data_encoding::HEXLOWER.encode(&digest);
        matrix.policy_hashes = vec![matrix.policy_hash.clone()];
        matrix
    }

    /// Under which an organisation goes on that has not signed `new` yet (DESIGN §3, S14): cell by cell the stricter,
    /// a purpose only where both carry it. Both hashes are kept, the old one first.
    #[must_use]
    pub fn stricter_of(old: &Self, new: &Self) -> Self {
        let rows = std::array::from_fn(|p| {
            std::array::from_fn(|s| {
                let (a, b) = (old.row_at(p, s)?, new.row_at(p, s)?);
                let cells = std::array::from_fn(|c| {
                    let (x, y) = (a.cells.get(c).copied(), b.cells.get(c).copied());
                    x.zip(y).map_or(Cell::NEVER, |(x, y)| x.stricter(y))
                });
                let clauses = std::array::from_fn(|c| {
                    // The version whose cell is the result is cited; the new one when both say the same.
                    let kept = if b.cells.get(c) == cells.get(c) { b } else { a };
                    kept.clauses.get(c).copied().unwrap_or(Clause::Ceiling)
                });
                Some(MatrixRow { cells, clauses })
            })
        });
        let carries = std::array::from_fn(|p| {
            std::array::from_fn(|c| {
                let at = |m: &Self| m.carries.get(p).and_then(|r| r.get(c)).is_some_and(|carried| *carried);
                at(old) && at(new)
            })
        });
        let mut matrix = Self::sealed(rows, carries);
        matrix.policy_hashes = vec![old.policy_hash.clone(), new.policy_hash.clone()];
        matrix
    }

    fn row_at(&self, profession: usize, side: usize) -> Option<&MatrixRow> {
        self.rows.get(profession)?.get(side)?.as_ref()
    }

    /// The row of this profession and secrecy; `contested` uses the `not_bound` row.
    #[must_use]
    pub fn row(&self, profession: Profession, secrecy: Secrecy) -> Option<&MatrixRow> {
        self.row_at(profession.index(), side(secrecy))
    }

    #[must_use]
    pub fn row_exists(&self, profession: Profession, secrecy: Secrecy) -> bool {
        self.row(profession, secrecy).is_some()
    }

    /// Whether this recipient can never receive anything: no such recipient can be invited.
    #[must_use]
    pub fn all_never(&self, profession: Profession, secrecy: Secrecy) -> bool {
        self.row(profession, secrecy).is_none_or(MatrixRow::all_never)
    }

    /// The cell; a missing row is `Never`.
    #[must_use]
    pub fn cell(&self, profession: Profession, secrecy: Secrecy, category: Category) -> Cell {
        self.row(profession, secrecy).map_or(Cell::NEVER, |row| row.cell(category))
    }

    /// The strictest cell over several categories, part by part: how a synthesis is read. Nothing at all is `Never`.
    #[must_use]
    pub fn strictest(
        &self,
        profession: Profession,
        secrecy: Secrecy,
        categories: impl IntoIterator<Item = Category>,
    ) -> Cell {
        categories
            .into_iter()
            .map(|category| self.cell(profession, secrecy, category))
            .reduce(Cell::stricter)
            .unwrap_or(Cell::NEVER)
    }

    /// The clause that a record cites for this cell; a missing row is the ceiling's doing.
    #[must_use]
    pub fn clause(&self, profession: Profession, secrecy: Secrecy, category: Category) -> Clause {
        self.row(profession, secrecy).map_or(Clause::Ceiling, |row| row.clause(category))
    }

    #[must_use]
    pub fn purpose_carries(&self, purpose: Purpose, category: Category) -> bool {
        self.carries
            .get(purpose.index())
            .and_then(|row| row.get(category.index()))
            .is_some_and(|carried| *carried)
    }

    /// Hex SHA-256 of every answer of this matrix.
    #[must_use]
    pub fn policy_hash(&self) -> &str {
        &self.policy_hash
    }

    /// What a record cites: this hash, or during a transition those of the two versions, the signed one first.
    #[must_use]
    pub fn policy_hashes(&self) -> &[String] {
        &self.policy_hashes
    }

    /// The text under the hash: professions, categories and purposes in the order of the vocabulary.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::from("relais-matrix-1\n");
        for &profession in Profession::ALL {
            for secrecy in [Secrecy::Bound, Secrecy::NotBound] {
                let Some(row) = self.row(profession, secrecy) else { continue };
                out.push_str(profession.code());
                out.push(',');
                out.push_str(secrecy.code());
                for &category in Category::ALL {
                    out.push(',');
                    out.push_str(category.code());
                    out.push('=');
                    out.push_str(&row.cell(category).to_string());
                }
                out.push('\n');
            }
        }
        for &purpose in Purpose::ALL {
            out.push_str(purpose.code());
            for &category in Category::ALL {
                if self.purpose_carries(purpose, category) {
                    out.push(',');
                    out.push_str(category.code());
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(policy: &str) -> Matrix {
        let base = Base::embedded().unwrap();
        let mut found = Vec::new();
        let rules = super::super::policy::parse("policy.csv", policy.as_bytes(), &base, &mut found);
        assert!(found.is_empty(), "{found:?}");
        Matrix::build(&base, &rules)
    }

    #[test]
    fn a_missing_row_is_never_and_contested_uses_the_not_bound_row() {
        let m = Matrix::ceiling().unwrap();
        assert!(!m.row_exists(Profession::Teacher, Secrecy::Bound));
        assert!(
            m.all_never(Profession::Teacher, Secrecy::Bound)
                && m.all_never(Profession::Police, Secrecy::NotBound)
        );
        assert!(!m.all_never(Profession::Teacher, Secrecy::Contested));
        for &c in Category::ALL {
            assert_eq!(m.cell(Profession::Teacher, Secrecy::Bound, c), Cell::NEVER);
            assert_eq!(
                m.cell(Profession::ReferentPre, Secrecy::Contested, c),
                m.cell(Profession::ReferentPre, Secrecy::NotBound, c)
            );
        }
    }

    #[test]
    fn the_hash_depends_on_every_answer_and_on_nothing_else() {
        let a = matrix("p, teacher, not_bound, practical, *, CI, deny");
        let b = matrix("# renamed\n\np,teacher,not_bound,practical,*,CI,deny");
        let c = matrix("p, teacher, not_bound, practical, *, N, deny");
        let d = matrix("p, *, *, practical, stay, N, deny");
        assert_eq!(a.policy_hash(), b.policy_hash());
        assert_eq!(a.policy_hash().len(), 64);
        assert!(a.policy_hash() != c.policy_hash() && a.policy_hash() != d.policy_hash());
        assert_eq!(
            a.clause(Profession::Teacher, Secrecy::NotBound, Category::Practical),
            Clause::Charter { line: 1 }
        );
        assert_eq!(
            b.clause(Profession::Teacher, Secrecy::NotBound, Category::Practical),
            Clause::Charter { line: 3 }
        );
    }

    #[test]
    fn s14_the_transition_keeps_the_stricter_of_both_and_both_hashes() {
        let old = matrix("p, aemo, bound, identity, *, C, deny\np, *, *, leisure, stay, N, deny");
        let new = matrix("p, aemo, bound, family, *, CI, deny\np, aemo, bound, identity, *, C*, deny");
        let both = Matrix::stricter_of(&old, &new);
        let cell = |c| both.cell(Profession::Aemo, Secrecy::Bound, c).to_string();
        assert_eq!((cell(Category::Identity).as_str(), cell(Category::Family).as_str()), ("C", "CI"));
        assert!(!both.purpose_carries(Purpose::Stay, Category::Leisure));
        assert_eq!(both.policy_hashes(), [old.policy_hash(), new.policy_hash()]);
        assert!(both.policy_hash() != old.policy_hash() && both.policy_hash() != new.policy_hash());
        assert_eq!(Matrix::stricter_of(&old, &old).policy_hash(), old.policy_hash());
    }

    #[test]
    fn a_synthesis_is_read_under_its_strictest_subject() {
        let m = Matrix::ceiling().unwrap();
        let at = |subjects: &[Category]| {
            m.strictest(Profession::ReferentPre, Secrecy::Bound, subjects.iter().copied()).to_string()
        };
        assert_eq!(at(&[Category::Evaluation]), "CI*");
        assert_eq!(at(&[Category::Evaluation, Category::HealthMinimal]), "CI");
        assert_eq!(at(&[Category::Evaluation, Category::HealthDetailed]), "N");
        assert_eq!(at(&[]), "N");
    }
}
