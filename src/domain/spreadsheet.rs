//! Tables that people open in a spreadsheet, one cell and one row at a time.
//!
//! THREAT: a cell that begins like a formula is run by the spreadsheet of whoever opens it. Names of structures are
//! typed by people: every cell that could begin one is written as text.

/// What a browser is told.
pub const MEDIA: &str = "text/csv; charset=utf-8";
/// What a table begins with: spreadsheets here take it as the mark of UTF-8.
pub const MARK: &str = "\u{feff}";

/// One cell: quoted, and never a formula (OWASP, « CSV injection »).
#[must_use]
pub fn cell(text: &str) -> String {
    let formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
            || text.starts_with(['\t', '\r', '\n']);
    let text = text.replace('"', "\"\"");
    if formula { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

/// One row with its end, as spreadsheets here read it: semicolons.
#[must_use]
pub fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|c| cell(c)).collect();
    format!("{}\r\n", cells.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_no_cell_is_a_formula() {
        for bad in ["=1+1", "+33", "-2", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"] {
            assert!(cell(bad).starts_with("\"'"), "{bad}: {}", cell(bad));
        }
        assert_eq!(cell("Collège \"Jean\""), "\"Collège \"\"Jean\"\"\"");
        assert_eq!(row(&["a", "=b"]), "\"a\";\"'=b\"\r\n");
    }
}
