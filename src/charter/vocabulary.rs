//! Holds `policies/vocabulary.toml` against the closed lists of the code: every code both ways, every French word.
//!
//! It changes nothing; a difference is a mistake of ours, refused at publication and by a test.

use super::error::{CharterError, Finding, Findings};
use crate::domain::vocabulary::{Category, Function, Level, Mandate, Profession, Purpose, Role, Secrecy};

const FILE: &str = include_str!("../../policies/vocabulary.toml");

/// Compares the embedded file with the code.
///
/// # Errors
/// Every difference.
pub fn check() -> Result<(), CharterError> {
    check_text(FILE)
}

fn check_text(text: &str) -> Result<(), CharterError> {
    let mut found = Vec::new();
    match text.parse::<toml::Table>() {
        Ok(table) => compare(text, &table, &mut found),
        Err(error) => found.push(at(text, "", &format!("écriture TOML refusée ({})", error.message()))),
    }
    Findings::refuse_if_any(found)
}

/// A finding at the line of a section or key, as well as a reader can find it.
fn at(text: &str, needle: &str, message: &str) -> Finding {
    let line =
        text.lines().position(|l| !needle.is_empty() && l.trim_start().starts_with(needle)).unwrap_or(0);
    Finding::new("vocabulary.toml", u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1), 1, message)
}

fn words<T: Copy>(
    all: &[T],
    code: fn(T) -> &'static str,
    french: fn(T) -> &'static str,
) -> Vec<(&'static str, &'static str)> {
    all.iter().map(|&one| (code(one), french(one))).collect()
}

fn compare(text: &str, table: &toml::Table, found: &mut Vec<Finding>) {
    let accountable: Vec<(&'static str, &'static str)> =
        Profession::ALL.iter().filter_map(|p| p.accountable_to().map(|to| (p.code(), to))).collect();
    let sections = [
        ("categories", words(Category::ALL, Category::code, Category::french)),
        ("professions", words(Profession::ALL, Profession::code, Profession::french)),
        ("purposes", words(Purpose::ALL, Purpose::code, Purpose::french)),
        ("levels", words(Level::ALL, Level::code, Level::french)),
        ("secrecy", words(Secrecy::ALL, Secrecy::code, Secrecy::french)),
        ("functions", words(Function::ALL, Function::code, Function::french)),
        ("roles", words(Role::ALL, Role::code, Role::french)),
        ("mandates", words(Mandate::ALL, Mandate::code, Mandate::french)),
        ("accountable_to", accountable),
    ];
    for name in table.keys() {
        if !sections.iter().any(|(known, _)| known == name) {
            found.push(at(text, &format!("[{name}]"), &format!("liste inconnue « {name} »")));
        }
    }
    for (name, ours) in &sections {
        let Some(theirs) = table.get(*name).and_then(toml::Value::as_table) else {
            found.push(at(text, "", &format!("il manque la liste « {name} »")));
            continue;
        };
        for (code, french) in ours {
            match theirs.get(*code).map(toml::Value::as_str) {
                Some(Some(said)) if said == *french => {}
                Some(Some(said)) => {
                    found.push(at(
                        text,
                        code,
                        &format!("{name}.{code} : « {said} », le programme dit « {french} »"),
                    ));
                }
                Some(None) => found.push(at(text, code, &format!("{name}.{code} : un texte est attendu"))),
                None => found.push(at(
                    text,
                    &format!("[{name}]"),
                    &format!("{name} : il manque le code « {code} »"),
                )),
            }
        }
        for code in theirs.keys() {
            if !ours.iter().any(|(known, _)| known == code) {
                found.push(at(text, code, &format!("{name} : code inconnu « {code} »")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_and_the_code_say_the_same_words() {
        check().unwrap();
    }

    #[test]
    fn any_difference_is_found_both_ways() {
        for (from, to) in [
            ("police                    =", "gendarmerie ="),
            ("\"Logement\"", "\"Logements\""),
            ("[mandates]", "[frames]"),
            ("[secrecy]", "[secrecy]\nsworn = \"Assermenté\""),
            ("youth_justice = \"au juge\"", "youth_justice = 1"),
        ] {
            assert!(FILE.contains(from), "{from}");
            assert!(check_text(&FILE.replace(from, to)).is_err(), "{from}");
        }
    }
}
