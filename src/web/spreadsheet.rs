//! « Qui a regardé ? » as a table that people open in a spreadsheet.
//!
//! It makes no table of anything but what it is given: who may read it was decided before.

pub use crate::domain::spreadsheet::MEDIA;

use crate::domain::spreadsheet::{MARK, row};
use crate::service::LookedSheet;

/// « Qui a regardé ? » as a table, in French, as spreadsheets here read it: semicolons, and a mark of UTF-8.
#[must_use]
pub fn looked(sheet: &LookedSheet) -> String {
    let mut out = String::from(MARK);
    out.push_str(&row(&["Jour", "Profession", "Structure", "Nom", "Pourquoi", "Sujets"]));
    for line in &sheet.items {
        let categories: Vec<&str> = line.categories.iter().map(|c| c.french()).collect();
        out.push_str(&row(&[
            &line.on.to_string(),
            line.profession.french(),
            &line.organisation,
            line.name.as_deref().unwrap_or(""),
            line.purpose.map_or("", |p| p.french()),
            &categories.join(", "),
        ]));
    }
    for note in sheet.notes() {
        out.push_str(&row(&[&note]));
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
                name: Some("@Julie Lambert".to_owned()),
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
        assert!(
            rows[1].starts_with("\"2027-03-02\";") && rows[1].contains(";\"'=Ville\";\"'@Julie Lambert\";"),
            "{table}"
        );
        assert!(
            rows[3].contains("2 lignes ne figurent pas ici") && rows[3].contains("30 mars 2027"),
            "{table}"
        );
    }
}
