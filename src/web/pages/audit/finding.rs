//! The one box of the console: a number, a pseudonym or a word, made into the address of a view.
//!
//! INVARIANT: what is typed goes into no record, and into an address only what has the form of a number, a pseudonym or the
//! code of a rule. Somebody who types a name as people write it writes it nowhere.

use super::filters::{self, List};
use crate::audit::Pseudonym;
use crate::domain::text::fold;
use crate::service::RecordSearch;

/// No more ways on than this: somebody who types « a » is asked for more.
const MOST: usize = 12;

/// One way on: in words, and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub label: String,
    pub href: String,
}

/// What was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One view.
    One(String),
    /// Several filters have this word.
    Several(Vec<Way>),
    Nothing,
}

/// « n° 12 », « 12 ».
fn number(text: &str) -> Option<u64> {
    let digits = text.trim_start_matches("trace").trim_start().trim_start_matches("n°").trim_start();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The same letters, whatever their accents and their case.
fn ways(word: &str, lists: &[List]) -> (Vec<Way>, Vec<Way>) {
    let (mut exact, mut near) = (Vec::new(), Vec::new());
    for list in lists {
        for choice in &list.choices {
            let said = fold(&choice.french);
            let way = || Way {
                label: format!("{} : {}", list.label, choice.french),
                href: filters::one(list.name, &choice.code),
            };
            if said == word || choice.code == word {
                exact.push(way());
            } else if said.contains(word) {
                near.push(way());
            }
        }
    }
    (exact, near)
}

/// Understands what was typed, among the lists of the console.
#[must_use]
pub fn find(typed: &str, lists: &[List]) -> Found {
    let word = fold(typed.trim());
    if let Some(number) = number(&word) {
        return Found::One(format!("/controle/{number}"));
    }
    if let Some(pseudonym) = Pseudonym::parse(&word) {
        // It does not tell of whom it is: of a person first, and the page offers the pathway where there is none.
        let search = RecordSearch { actor: Some(pseudonym.to_string()), ..RecordSearch::default() };
        return Found::One(filters::address(&search));
    }
    if word.chars().count() < 2 {
        return Found::Nothing;
    }
    let (exact, near) = ways(&word, lists);
    let ways = if exact.is_empty() { near } else { exact };
    let code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    match ways.as_slice() {
        [way] => Found::One(way.href.clone()),
        // The code of a rule is in no list.
        [] if word.contains('_') && word.bytes().all(code) => Found::One(filters::one("rule", &word)),
        [] => Found::Nothing,
        several => Found::Several(several.iter().take(MOST).cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::audit::filters::{first_lists, other_lists};

    fn found(typed: &str) -> Found {
        let lists: Vec<List> = first_lists(&[]).into_iter().chain(other_lists()).collect();
        find(typed, &lists)
    }

    #[test]
    fn a_number_a_pseudonym_a_code_and_a_word_each_have_their_view() {
        let one = |href: &str| Found::One(href.to_owned());
        assert_eq!(found(" 12 "), one("/controle/12"));
        assert_eq!(found("Trace n° 12"), one("/controle/12"));
        let somebody = "2027d:00112233445566778899aabbccddeeff";
        assert_eq!(found(somebody), one("/controle?actor=2027d%3A00112233445566778899aabbccddeeff"));
        assert_eq!(found("ceiling_never"), one("/controle?reason=ceiling_never"));
        assert_eq!(found("second_person_needed"), one("/controle?rule=second_person_needed"));
        assert_eq!(found("IMPRESSION"), one("/controle?action=print"));
        assert_eq!(found("preparer un sejour"), one("/controle?purpose=stay"));
    }

    #[test]
    fn several_are_offered_and_a_name_is_found_nowhere() {
        let Found::Several(ways) = found("accord") else { panic!("several") };
        assert!(ways.len() > 1 && ways.len() <= MOST, "{ways:?}");
        assert!(ways.iter().all(|way| way.href.starts_with("/controle?") && way.label.contains(" : ")));
        for nobody in ["Nadia Benali", "a", "", "2027d:XYZ", "18446744073709551616"] {
            assert_eq!(found(nobody), Found::Nothing, "{nobody}");
        }
    }
}
