//! Tables that people open in a spreadsheet.
//!
//! THREAT: a cell that begins like a formula is run by the spreadsheet of whoever opens it. Names of structures are
//! typed by people: every cell that could begin one is written as text.
//! It makes no table of anything but what it is given: who may read it was decided before.

use std::fmt::Write as _;

use crate::service::LookedSheet;

/// What a browser is told.
pub const MEDIA: &str = "text/csv; charset=utf-8";

/// One cell: quoted, and never a formula (OWASP, « CSV injection »).
#[must_use]
pub fn cell(text: &str) -> String {
    let formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
            || text.starts_with(['\t', '\r', '\n']);
    let text = text.replace('"', "\"\"");
    if formula { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

fn row(out: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|c| cell(c)).collect();
    let written = writeln!(out, "{}\r", cells.join(";"));
    debug_assert!(written.is_ok(), "writing into memory");
}

/// « Qui a regardé ? » as a table, in French, as spreadsheets here read it: semicolons, and a mark of UTF-8.
#[must_use]
pub fn looked(sheet: &LookedSheet) -> String {
    let mut out = String::from("\u{feff}");
    row(&mut out, &["Jour", "Profession", "Structure", "Pourquoi", "Sujets"]);
    for line in &sheet.items {
        let categories: Vec<&str> = line.categories.iter().map(|c| c.french()).collect();
        row(
            &mut out,
            &[
                &line.on.to_string(),
                line.profession.french(),
                &line.organisation,
                line.purpose.map_or("", |p| p.french()),
                &categories.join(", "),
            ],
        );
    }
    for note in sheet.notes() {
        row(&mut out, &[&note]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::{Capacity, Category, Profession, Purpose};
    use crate::service::{KeptBack, LookedLine, SheetOffice};
    use chrono::NaiveDate;

    #[test]
    fn threat_no_cell_is_a_formula() {
        for bad in ["=1+1", "+33", "-2", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"] {
            assert!(cell(bad).starts_with("\"'"), "{bad}: {}", cell(bad));
        }
        assert_eq!(cell("Collège \"Jean\""), "\"Collège \"\"Jean\"\"\"");
    }

    #[test]
    fn a_table_has_one_row_for_a_line_and_says_what_is_missing() {
        let day = |d| NaiveDate::from_ymd_opt(2027, 3, d).unwrap();
        let sheet = LookedSheet {
            for_whom: Capacity::Parent,
            from: day(1),
            until: day(20),
            made_on: day(20),
            items: vec![LookedLine {
                on: day(2),
                organisation: "=Ville".to_owned(),
                profession: Profession::Teacher,
                purpose: Some(Purpose::Schooling),
                categories: vec![Category::Schooling, Category::Leisure],
            }],
            kept_back: Some(KeptBack { lines: 2, review_on: day(30) }),
            of_one_service: false,
            office: SheetOffice { organisation: "Ville".to_owned(), telephone: "0102030405".to_owned() },
            proof: None,
        };
        let table = looked(&sheet);
        let rows: Vec<&str> = table.split("\r\n").collect();
        assert!(rows[1].starts_with("\"2027-03-02\";") && rows[1].contains(";\"'=Ville\";"), "{table}");
        assert!(
            rows[3].contains("2 lignes ne figurent pas ici") && rows[3].contains("30 mars 2027"),
            "{table}"
        );
    }
}
