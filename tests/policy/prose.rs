//! The rules of DESIGN §4 written a second time, from the prose, slowly, over the text of the files: no cell type, no
//! enumeration, no index. Only words.

use std::collections::HashMap;

/// The files as words.
pub struct Files {
    /// (profession, secrecy, category) → the letters of the cell.
    pub ceiling: HashMap<(String, String, String), String>,
    /// (purpose, category) → carried.
    pub purposes: HashMap<(String, String), bool>,
}

fn table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut lines = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    let split = |l: &str| l.split(',').map(str::to_owned).collect::<Vec<_>>();
    (split(lines.next().unwrap()), lines.map(split).collect())
}

impl Files {
    pub fn read() -> Self {
        let mut ceiling = HashMap::new();
        let (header, rows) = table(include_str!("../../policies/ceiling.csv"));
        for row in rows {
            for (category, cell) in header.iter().zip(&row).skip(2) {
                ceiling.insert((row[0].clone(), row[1].clone(), category.clone()), cell.clone());
            }
        }
        let mut purposes = HashMap::new();
        let (header, rows) = table(include_str!("../../policies/purposes.csv"));
        for row in rows {
            for (category, carried) in header.iter().zip(&row).skip(1) {
                purposes.insert((row[0].clone(), category.clone()), carried == "1");
            }
        }
        Self { ceiling, purposes }
    }

    /// The letters that apply to this recipient.
    pub fn cell(&self, profession: &str, secrecy: &str, category: &str) -> &str {
        let row = if secrecy == "contested" { "not_bound" } else { secrecy };
        self.ceiling
            .get(&(profession.to_owned(), row.to_owned(), category.to_owned()))
            .map_or("N", String::as_str)
    }
}

/// The eight facts as words.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    pub recipient_profession: &'a str,
    pub recipient_secrecy: &'a str,
    pub author_secrecy: &'a str,
    pub category: &'a str,
    pub purpose: &'a str,
    pub accord: &'a str,
    pub family_released: &'a str,
    pub statute: &'a str,
}

/// Decision and reason, sentence after sentence.
pub fn decide(carried: bool, cell: &str, w: Words<'_>) -> (&'static str, &'static str) {
    // "the row is missing, or its cell is N → ceiling_never"
    if cell == "N" {
        return ("deny", "ceiling_never");
    }
    // "the purpose does not carry the category"
    if !carried {
        return ("deny", "purpose_excludes_category");
    }
    // "accord at least as strong as the cell (A opening, C category, CI informed) → permit accord, except: author bound or
    // contested, recipient not bound (or contested), category other than identity, no release → not_family_released"
    let letters = cell.trim_end_matches('*');
    let strong_enough = match letters {
        "A" => ["opening", "category", "informed"].contains(&w.accord),
        "C" => ["category", "informed"].contains(&w.accord),
        "CI" => w.accord == "informed",
        other => panic!("{other}"),
    };
    let mut found = None;
    if strong_enough {
        let secret = w.author_secrecy == "bound" || w.author_secrecy == "contested";
        let outside = w.recipient_secrecy == "not_bound" || w.recipient_secrecy == "contested";
        if secret && outside && w.category != "identity" && w.family_released == "no" {
            found = Some("not_family_released");
        } else {
            return ("permit", "accord");
        }
    }
    // "a statutory record is claimed: …; in both cases not_family_released is kept if it was already found; …"
    if w.statute != "none" {
        if w.purpose != "protection" || !(cell.ends_with('*') || letters == "A") {
            return ("deny", found.unwrap_or("statute_not_open"));
        }
        if w.recipient_secrecy != "bound" || w.author_secrecy != "bound" {
            return ("deny", found.unwrap_or("statute_needs_both_bound"));
        }
        if (w.accord == "refused" || w.accord == "withdrawn") && w.statute != "complete_validated" {
            return ("deny", "refusal_needs_manager_validation");
        }
        return ("permit", "statute");
    }
    if let Some(found) = found {
        return ("deny", found);
    }
    // "otherwise the state of the accord"
    let reason = match w.accord {
        "none" => "accord_missing",
        "refused" => "accord_refused",
        "withdrawn" => "accord_withdrawn",
        "expired" => "accord_expired",
        "opening" => "accord_too_narrow",
        "category" => "information_missing",
        other => panic!("{other}"),
    };
    ("deny", reason)
}
