//! The legal ceiling and the purposes (`policies/ceiling.csv`, `purposes.csv`), read strictly.
//!
//! Invariants: a row is for `bound` or `not_bound` (a contested status reads the `not_bound` row, LAW §3); a missing
//! row is not an empty one; every purpose is there exactly once. This module does not know what a charter tightens.

use super::error::{CharterError, Finding, Findings};
use super::reader::{Dialect, Table, table};
use crate::domain::cell::Cell;
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

pub(crate) const CATEGORIES: usize = Category::ALL.len();
pub(crate) const PROFESSIONS: usize = Profession::ALL.len();
pub(crate) const PURPOSES: usize = Purpose::ALL.len();

const CEILING: &str = include_str!("../../policies/ceiling.csv");
const PURPOSES_FILE: &str = include_str!("../../policies/purposes.csv");

/// One row of the ceiling: what a profession under one secrecy may at most receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeilingRow {
    pub profession: Profession,
    pub secrecy: Secrecy,
    cells: [Cell; CATEGORIES],
}

impl CeilingRow {
    #[must_use]
    pub fn cell(&self, category: Category) -> Cell {
        self.cells.get(category.index()).copied().unwrap_or(Cell::NEVER)
    }
}

/// The ceiling and the purposes, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    rows: Vec<CeilingRow>,
    carries: [[bool; CATEGORIES]; PURPOSES],
}

impl Base {
    /// The files embedded in this binary.
    ///
    /// # Errors
    /// Every finding, if the files were changed and are wrong.
    pub fn embedded() -> Result<Self, CharterError> {
        Self::from_csv(CEILING.as_bytes(), PURPOSES_FILE.as_bytes())
    }

    /// Reads both files.
    ///
    /// # Errors
    /// Every finding of both.
    pub fn from_csv(ceiling: &[u8], purposes: &[u8]) -> Result<Self, CharterError> {
        let mut found = Vec::new();
        let rows = read_ceiling(ceiling, &mut found);
        let carries = read_purposes(purposes, &mut found);
        Findings::refuse_if_any(found)?;
        Ok(Self { rows, carries })
    }

    #[must_use]
    pub fn rows(&self) -> &[CeilingRow] {
        &self.rows
    }

    /// The row of this profession; `contested` reads as `not_bound`.
    #[must_use]
    pub fn row(&self, profession: Profession, secrecy: Secrecy) -> Option<&CeilingRow> {
        // LAW: LAW §3. A contested status receives as not bound.
        let secrecy = secrecy.receiving();
        self.rows.iter().find(|row| row.profession == profession && row.secrecy == secrecy)
    }

    /// Whether the purpose may carry the category at all.
    #[must_use]
    pub fn carries(&self, purpose: Purpose, category: Category) -> bool {
        self.carries
            .get(purpose.index())
            .and_then(|row| row.get(category.index()))
            .is_some_and(|carried| *carried)
    }
}

/// The columns of the thirteen categories; a column that is none of `own` nor a category is a finding.
fn category_columns(t: &Table, own: &[&str], found: &mut Vec<Finding>) -> Option<[usize; CATEGORIES]> {
    for field in &t.header {
        if !own.contains(&field.text.as_str()) && Category::parse(&field.text).is_err() {
            found.push(Finding::new(
                &t.file,
                field.line,
                field.column,
                format!("colonne inconnue « {} » : attendu un sujet de vocabulary.toml", field.text),
            ));
        }
    }
    let mut names = [""; CATEGORIES];
    for (name, category) in names.iter_mut().zip(Category::ALL) {
        *name = category.code();
    }
    match t.columns(names) {
        Ok(columns) => Some(columns),
        Err(missing) => {
            found.extend(missing);
            None
        }
    }
}

fn read_ceiling(bytes: &[u8], found: &mut Vec<Finding>) -> Vec<CeilingRow> {
    let t = match table("ceiling.csv", bytes, Dialect::TABLE) {
        Ok(t) => t,
        Err(findings) => {
            found.extend(findings);
            return Vec::new();
        }
    };
    let categories = category_columns(&t, &["profession", "secrecy"], found);
    let own = t.columns(["profession", "secrecy"]).map_err(|missing| found.extend(missing));
    let (Some(categories), Ok([profession_at, secrecy_at])) = (categories, own) else { return Vec::new() };
    if t.rows.is_empty() {
        found.push(Finding::new(
            &t.file,
            1,
            1,
            "aucune ligne : le plafond doit dire ce que chacun peut recevoir",
        ));
    }
    let mut rows: Vec<CeilingRow> = Vec::new();
    for row in &t.rows {
        let (Some(p), Some(s)) = (row.fields.get(profession_at), row.fields.get(secrecy_at)) else {
            continue;
        };
        let profession = Profession::parse(&p.text)
            .map_err(|_| found.push(t.at(p, format!("profession inconnue « {} »", p.text))));
        let secrecy = match Secrecy::parse(&s.text) {
            Ok(Secrecy::Contested) => {
                found.push(t.at(s, "un statut discuté lit la ligne not_bound : il n'a pas de ligne à lui"));
                Err(())
            }
            Ok(known @ (Secrecy::Bound | Secrecy::NotBound)) => Ok(known),
            Err(_) => {
                found.push(t.at(s, format!("statut inconnu « {} » : bound ou not_bound", s.text)));
                Err(())
            }
        };
        let mut cells = [Cell::NEVER; CATEGORIES];
        for (cell, at) in cells.iter_mut().zip(categories) {
            let Some(field) = row.fields.get(at) else { continue };
            match Cell::parse(&field.text) {
                Some(read) => *cell = read,
                None => found.push(t.at(field, bad_cell(&field.text))),
            }
        }
        let (Ok(profession), Ok(secrecy)) = (profession, secrecy) else { continue };
        if rows.iter().any(|r| r.profession == profession && r.secrecy == secrecy) {
            found.push(t.at(p, format!("la ligne {profession}, {secrecy} est écrite deux fois")));
            continue;
        }
        rows.push(CeilingRow { profession, secrecy, cells });
    }
    rows
}

fn read_purposes(bytes: &[u8], found: &mut Vec<Finding>) -> [[bool; CATEGORIES]; PURPOSES] {
    let mut carries = [[false; CATEGORIES]; PURPOSES];
    let t = match table("purposes.csv", bytes, Dialect::TABLE) {
        Ok(t) => t,
        Err(findings) => {
            found.extend(findings);
            return carries;
        }
    };
    let categories = category_columns(&t, &["purpose"], found);
    let own = t.columns(["purpose"]).map_err(|missing| found.extend(missing));
    let (Some(categories), Ok([purpose_at])) = (categories, own) else { return carries };
    let mut seen: Vec<Purpose> = Vec::new();
    for row in &t.rows {
        let Some(p) = row.fields.get(purpose_at) else { continue };
        let Ok(purpose) = Purpose::parse(&p.text) else {
            found.push(t.at(p, format!("but inconnu « {} »", p.text)));
            continue;
        };
        if seen.contains(&purpose) {
            found.push(t.at(p, format!("le but {purpose} est écrit deux fois")));
            continue;
        }
        seen.push(purpose);
        let Some(line) = carries.get_mut(purpose.index()) else { continue };
        for (carried, at) in line.iter_mut().zip(categories) {
            let Some(field) = row.fields.get(at) else { continue };
            match field.text.as_str() {
                "1" => *carried = true,
                "0" => *carried = false,
                other => found.push(t.at(field, format!("« {other} » : attendu 1 (porté) ou 0 (pas porté)"))),
            }
        }
    }
    for purpose in Purpose::ALL {
        if !seen.contains(purpose) {
            found.push(Finding::new(&t.file, 1, 1, format!("il manque la ligne du but « {purpose} »")));
        }
    }
    carries
}

/// What to say of a cell that cannot be read.
pub(crate) fn bad_cell(text: &str) -> String {
    format!(
        "case « {text} » : attendu A, C, CI ou N, avec une étoile pour le partage prévu par la loi (jamais sur N)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_ceiling_reads_and_a_missing_row_is_not_an_empty_one() {
        let base = Base::embedded().unwrap();
        assert_eq!(base.rows().len(), 26);
        let teacher = base.row(Profession::Teacher, Secrecy::Contested).unwrap();
        assert_eq!(teacher.cell(Category::Mobility).to_string(), "C");
        assert!(base.row(Profession::Teacher, Secrecy::Bound).is_none());
        assert!(
            base.carries(Purpose::Stay, Category::Leisure) && !base.carries(Purpose::Stay, Category::Family)
        );
    }

    #[test]
    fn columns_may_stand_in_any_order_but_every_wrong_one_is_named() {
        let places = |ceiling: &str| match Base::from_csv(ceiling.as_bytes(), PURPOSES_FILE.as_bytes()) {
            Err(CharterError::Refused(found)) => {
                found.iter().map(|f| (f.file().to_owned(), f.line(), f.column())).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let at = |line, column| ("ceiling.csv".to_owned(), line, column);
        let start = CEILING.lines().position(|l| l.starts_with("profession")).unwrap();
        let line = u32::try_from(start).unwrap() + 2;
        assert_eq!(
            places(&CEILING.replace("referent_pre,bound,A", "referent_pre,bound,N*")),
            vec![at(line, 3)]
        );
        assert_eq!(
            places(&CEILING.replace("referent_pre,bound", "référent,contested")),
            vec![at(line, 1), at(line, 2)]
        );
        assert_eq!(
            places(&CEILING.replace("referent_pre,not_bound", "referent_pre,bound")),
            vec![at(line + 1, 1)]
        );
        assert_eq!(places(&CEILING.replace("secrecy,identity", "secrecy,identité")).len(), 2);
        let swapped = "secrecy,profession,practical,evaluation,affective,integration,mobility,leisure,judicial,\
                       health_detailed,health_minimal,housing,family,schooling,identity\n\
                       bound,aemo,N,N,N,N,N,N,N,N,N,N,N,C,A\n";
        let base = Base::from_csv(swapped.as_bytes(), PURPOSES_FILE.as_bytes()).unwrap();
        let row = base.row(Profession::Aemo, Secrecy::Bound).unwrap();
        assert_eq!(row.cell(Category::Identity).to_string(), "A");
    }

    #[test]
    fn purposes_must_all_be_there_once_with_zero_or_one() {
        let refused =
            |purposes: &str| Base::from_csv(CEILING.as_bytes(), purposes.as_bytes()).unwrap_err().to_string();
        assert!(
            refused(&PURPOSES_FILE.replace("\nstay,1", "\nstay,oui"))
                .contains("purposes.csv, ligne 6, colonne 2 (identity)")
        );
        assert!(
            refused(&PURPOSES_FILE.replace("\ncare,", "\nstay,"))
                .contains("il manque la ligne du but « care »")
        );
        assert!(refused("").contains("fichier vide"));
    }
}
