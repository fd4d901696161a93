//! What the letters of the field stand for, for people who are not of it: one table, for every paper of the family.
//!
//! It knows the words of this crate and the usual ones of the trade; the names that structures give themselves are theirs.

/// Letters, and what they stand for in plain French.
const KNOWN: &[(&str, &str)] = &[
    ("AED", "aide éducative à domicile, demandée avec la famille"),
    ("AEMO", "action éducative en milieu ouvert, décidée par un juge"),
    ("ASE", "aide sociale à l'enfance, service du Département"),
    ("CCAS", "centre communal d'action sociale, service de la mairie"),
    ("CMP", "centre médico-psychologique, consultations de l'hôpital public"),
    ("CPE", "conseiller principal d'éducation, au collège ou au lycée"),
    ("CRIP", "service du Département qui reçoit les alertes sur les enfants en danger"),
    ("MECS", "maison d'enfants à caractère social"),
    ("PJJ", "protection judiciaire de la jeunesse, service de la justice"),
    ("PMI", "protection maternelle et infantile, service du Département"),
    ("PRE", "programme de réussite éducative, aide de la ville aux enfants et à leurs parents"),
    ("REP", "réseau d'éducation prioritaire"),
];

/// A word of two capitals or more.
fn is_letters(word: &str) -> bool {
    word.chars().filter(|c| c.is_uppercase()).count() >= 2
        && word.chars().all(|c| c.is_uppercase() || c.is_numeric())
}

/// Words of capitals that these texts hold, each once, in the order of the alphabet.
pub fn letters_in<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = texts
        .into_iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| is_letters(word))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// « AEMO : action éducative en milieu ouvert, décidée par un juge. » for every word of the table in these texts.
pub fn explained<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let found = letters_in(texts);
    KNOWN
        .iter()
        .filter(|(letters, _)| found.contains(letters))
        .map(|(letters, words)| format!("{letters} : {words}."))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::{Category, Profession, Purpose};

    #[test]
    fn every_word_of_capitals_of_the_lists_is_explained() {
        let professions =
            Profession::ALL.iter().flat_map(|p| [Some(p.french()), p.accountable_to()]).flatten();
        let lists = professions
            .chain(Purpose::ALL.iter().map(|p| p.french()))
            .chain(Category::ALL.iter().map(|c| c.french()));
        for text in lists {
            for letters in letters_in([text]) {
                assert!(KNOWN.iter().any(|(known, _)| *known == letters), "{letters} in {text}");
            }
        }
    }

    #[test]
    fn only_what_stands_there_is_explained_and_once() {
        assert_eq!(letters_in(["Éducateur AEMO / AED", "Mission AEMO, É.", "Infirmerie"]), ["AED", "AEMO"]);
        assert_eq!(
            explained(["Enseignant, CPE, direction d'établissement", "le CPE"]),
            ["CPE : conseiller principal d'éducation, au collège ou au lycée."]
        );
        assert!(explained(["Infirmerie, Collège Jean-Moulin"]).is_empty());
    }
}
