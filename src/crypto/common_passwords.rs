//! Which passwords are too easy to guess, whatever their length.
//!
//! A candidate is reduced as guessers do it (case, accents, digits for letters, trailing digits and signs), and
//! refused when what is left is a listed password, the person's own words, the product's name, a repetition, a
//! walk over the keyboard or a sequence. The list is our own: words and patterns that every published survey of
//! leaked passwords shows, French ones first. It never leaves the binary; no password is sent anywhere.
//!
//! Not done here: measuring entropy. Twelve characters that are not known are taken.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

/// What makes a password easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    Common,
    Personal,
    Repetition,
    Sequence,
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Common => "one of the best-known passwords",
            Self::Personal => "your login, your name or the product's",
            Self::Repetition => "a few characters repeated",
            Self::Sequence => "a sequence of the keyboard or of the alphabet",
        })
    }
}

static LIST: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect()
});

const PRODUCT: &[&str] = &["relais", "parcours"];

/// Rows and walks; a password made of pieces of these in order is a sequence.
const WALKS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "azertyuiopqsdfghjklmwxcvbn",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1a2z3e4r5t6y7u8i9o0p",
    "aqwzsxedcrfvtgbyhnujikolpm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Why `password` is easy to guess; `None` when nothing says so.
#[must_use]
pub fn weakness(password: &str, login: &str, words: &[&str]) -> Option<Weakness> {
    let folded = Zeroizing::new(fold(password));
    let plain = Zeroizing::new(letters(&folded));
    if is_repetition(password) || is_repetition(&folded) || is_repetition(&plain) {
        return Some(Weakness::Repetition);
    }
    if is_sequence(&plain) {
        return Some(Weakness::Sequence);
    }
    if is_personal(&plain, login, words) {
        return Some(Weakness::Personal);
    }
    let candidates = [
        plain.clone(),
        Zeroizing::new(core_of(&folded)),
        // As guessers do: replacements undone with the trailing digits and signs off, with the signs alone
        // off, and in the whole.
        guessed(folded.trim_matches(|c: char| !c.is_alphabetic())),
        guessed(folded.trim_matches(|c: char| !c.is_alphanumeric())),
        guessed(&folded),
    ];
    for candidate in &candidates {
        if is_listed(candidate) {
            return Some(Weakness::Common);
        }
        if is_sequence(candidate) {
            return Some(Weakness::Sequence);
        }
    }
    None
}

/// Lower case, without the accents that French writes.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ñ' => 'n',
            'ô' | 'ö' | 'ó' | 'õ' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            'ÿ' => 'y',
            other => other,
        })
        .collect()
}

fn guessed(text: &str) -> Zeroizing<String> {
    Zeroizing::new(letters(&Zeroizing::new(unleet(text))))
}

/// Undoes the usual replacements of letters by digits and signs.
fn unleet(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            '8' => 'b',
            other => other,
        })
        .collect()
}

/// Letters and digits only.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The letters inside, without digits and signs at both ends.
fn core_of(text: &str) -> String {
    letters(text.trim_matches(|c: char| !c.is_alphabetic()))
}

/// Listed, or two listed words one after the other (a few million in all: nothing to a guesser).
fn is_listed(candidate: &str) -> bool {
    if candidate.is_empty() {
        return false;
    }
    LIST.contains(candidate)
        || candidate.char_indices().skip(3).any(|(at, _)| {
            candidate
                .split_at_checked(at)
                .is_some_and(|(a, b)| LIST.contains(a) && (LIST.contains(b) || is_sequence(b)))
        })
}

/// Fewer than five different characters, or one block over and over.
fn is_repetition(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    if chars.len() < 4 {
        return false;
    }
    let mut distinct = chars.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 {
        return true;
    }
    (1..=chars.len() / 2).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

/// Made of pieces of at least three characters that follow one another on a keyboard row, in the alphabet or
/// among the digits, forwards or backwards.
fn is_sequence(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    if chars.len() < 4 {
        return false;
    }
    // `reached[i]`: the first i characters are made of pieces.
    let mut reached = vec![false; chars.len().saturating_add(1)];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for start in 0..chars.len() {
        if reached.get(start) != Some(&true) {
            continue;
        }
        for end in start.saturating_add(3)..=chars.len() {
            let piece = chars.get(start..end).unwrap_or_default();
            if !WALKS.iter().any(|walk| walks(walk, piece)) {
                break;
            }
            if let Some(slot) = reached.get_mut(end) {
                *slot = true;
            }
        }
    }
    reached.last() == Some(&true)
}

fn walks(walk: &str, piece: &[char]) -> bool {
    let forwards: String = piece.iter().collect();
    let backwards: String = piece.iter().rev().collect();
    let found = walk.contains(&forwards) || walk.contains(&backwards);
    drop((Zeroizing::new(forwards), Zeroizing::new(backwards)));
    found
}

/// Nothing much is left once the login, the given words and the product's name are taken away.
fn is_personal(plain: &str, login: &str, words: &[&str]) -> bool {
    let mut left = Zeroizing::new(plain.to_owned());
    let mut taken = false;
    let parts = std::iter::once(login)
        .chain(words.iter().copied())
        .flat_map(|text| {
            let folded = fold(text);
            let whole: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
            let pieces: Vec<String> =
                folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
            std::iter::once(whole).chain(pieces)
        })
        .chain(PRODUCT.iter().map(|word| (*word).to_owned()))
        .filter(|part| part.chars().count() >= 4);
    for part in parts {
        if left.contains(&part) {
            left = Zeroizing::new(left.replace(&part, ""));
            taken = true;
        }
    }
    taken && left.chars().filter(|c| c.is_alphabetic()).count() < 6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(password: &str) -> Option<Weakness> {
        weakness(password, "marie.durand@ville.example", &["Les Tilleuls"])
    }

    #[test]
    fn the_list_is_lower_case_without_accents_and_of_some_size() {
        assert!(LIST.len() >= 2000, "{}", LIST.len());
        for line in LIST.iter() {
            assert_eq!(fold(line), **line);
            assert!(!line.contains(char::is_whitespace), "{line}");
        }
        for known in ["motdepasse", "azerty", "password", "soleil", "doudou", "loulou", "123456", "qwerty"] {
            assert!(LIST.contains(known), "{known}");
        }
    }

    #[test]
    fn disguises_of_listed_words_are_seen_through() {
        for bad in [
            "motdepasse12",
            "MotDePasse2024!",
            "m0td3p4ss3!!!",
            "Mot de passe 1",
            "P@ssw0rd!2023",
            "password1234",
            "soleilsoleil1",
            "azertyazerty",
            "doudouloulou",
            "Bienvenue2026",
            "iloveyou1234",
            "jetaime12345",
            "Administrateur1",
            "!!!!motdepasse",
            "motdepassemotdepasse",
            "passwordazerty",
            "éducateur2025!",
        ] {
            assert!(found(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn repetitions_and_sequences_are_seen() {
        for bad in ["aaaaaaaaaaaa", "abababababab", "abcdeabcdeabcde", "ababbabbabab", "xyzwvxyzwvxyz"] {
            assert_eq!(found(bad), Some(Weakness::Repetition), "{bad}");
        }
        for bad in [
            "123456789012",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "azertyuiopqs",
            "1q2w3e4r5t6y",
            "qwertyuiop12345",
            "poiuytrezamlk",
            "azerty-123456",
            "1a2z3e4r5t6y",
        ] {
            assert!(matches!(found(bad), Some(Weakness::Sequence | Weakness::Common)), "{bad}");
        }
    }

    #[test]
    fn the_login_the_names_and_the_product_are_refused_as_the_whole() {
        for bad in [
            "marie.durand1985",
            "Durand-Marie-75",
            "Les Tilleuls 2026",
            "relaisrelais1x",
            "Relais2026!!!",
            "tilleulsdurand",
        ] {
            assert!(found(bad).is_some(), "{bad}");
        }
        assert_eq!(found("marie.durand1985"), Some(Weakness::Personal));
        assert_eq!(found("le relais de la montagne"), None, "one such word among others is no harm");
    }

    #[test]
    fn what_is_not_known_is_taken() {
        for good in [
            "cheval brun pluie lente",
            "tramway violet herisson",
            "xqvzrtplmwdk",
            "vk4-tromb-Plou!",
            "k7wq2n9vr4xz",
            "les trois cerfs boivent tard",
            "Ça fait longtemps, Paulette",
        ] {
            assert_eq!(found(good), None, "{good}");
        }
    }
}
