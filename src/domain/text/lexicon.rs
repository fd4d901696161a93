//! Words that call for a second look before saving: those of LAW §7 that no structure can refuse, and those that
//! the charter adds. It warns, it never refuses: « il n'a pas de médecin traitant » is right, and only its author knows.
//!
//! Comparison ignores case and accents, takes whole words, and allows the usual French endings of the plural and
//! the feminine (« dépressif », « dépressive » ; « voleur », « voleuse »). A term that ends in `*` stands for every word that begins so.

use std::fmt;
use std::ops::Range;

use super::fold::{fold, search_key};
use crate::domain::vocabulary::code_enum;

code_enum! {
    /// What a warned word speaks of.
    WarningSubject, "warning subject" {
        Diagnosis = "diagnosis", "un diagnostic ou une étiquette médicale";
        Offence = "offence", "une infraction ou la police";
        Procedure = "procedure", "un jugement, un rapport ou une information préoccupante";
        Religion = "religion", "la religion";
        Origin = "origin", "l'origine ou la nationalité";
        Opinion = "opinion", "les opinions ou le syndicat";
        Intimacy = "intimacy", "la vie sexuelle ou l'orientation";
        ParentPrivate = "parent_private", "la santé, les addictions ou l'argent d'un proche";
        Judgment = "judgment", "un jugement sur la personne";
        Secret = "secret", "un mot de passe ou une adresse protégée";
        Charter = "charter", "un mot que votre charte demande d'éviter";
    }
}

/// A word that calls for a second look.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The term of the list (not the sentence it was found in).
    pub term: String,
    pub subject: WarningSubject,
    /// The word as its author wrote it, to be shown to the author alone.
    written: String,
}

impl fmt::Debug for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warning")
            .field("term", &self.term)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Warning {
    /// What people read beside the field.
    #[must_use]
    pub fn french(&self) -> String {
        let advice = match self.subject {
            WarningSubject::Diagnosis => "Écrivez ce qu'il faut faire, pas le nom de la maladie.",
            WarningSubject::Offence | WarningSubject::Procedure => {
                "Relais n'en garde rien. En cas de danger, voyez « Danger »."
            }
            WarningSubject::Religion
            | WarningSubject::Origin
            | WarningSubject::Opinion
            | WarningSubject::Intimacy => "La loi protège ces informations. Écrivez seulement le besoin.",
            WarningSubject::ParentPrivate => "Écrivez ce dont le jeune a besoin, rien sur ses proches.",
            WarningSubject::Judgment => "Écrivez un fait, tel que la famille peut le relire.",
            WarningSubject::Secret => "Ne l'écrivez nulle part ici.",
            WarningSubject::Charter => "Cherchez un autre mot.",
        };
        format!("« {} » : ce mot peut toucher {}. {advice}", self.written, self.subject.french())
    }
}

/// Terms that hold everywhere, by subject (LAW §7).
const BUILT_IN: &[(WarningSubject, &[&str])] = &[
    (
        WarningSubject::Diagnosis,
        &[
            "diagnosti*",
            "schizophren*",
            "psychoti*",
            "psychose",
            "bipolaire",
            "borderline",
            "autis*",
            "asperger",
            "tdah",
            "hyperactif",
            "depressif",
            "depression",
            "anorexi*",
            "boulimi*",
            "epileps*",
            "epilepti*",
            "diabet*",
            "asthm*",
            "trisomi*",
            "vih",
            "sida",
            "hepatite",
            "cancer",
            "psychiatri*",
            "hopital psychiatrique",
            "deficien*",
            "dyslexi*",
            "trouble du comportement",
            "toc",
            "suicid*",
            "scarification",
            "pathologi*",
        ],
    ),
    (
        WarningSubject::Offence,
        &[
            "delinquan*",
            "infraction",
            "condamn*",
            "casier",
            "garde a vue",
            "mise en examen",
            "mis en examen",
            "prison",
            "incarcer*",
            "detention",
            "vol",
            "voleur",
            "cambriol*",
            "trafic",
            "dealer",
            "deal",
            "stupefiant",
            "agression",
            "agresseur",
            "viol",
            "violeur",
            "violence",
            "violent",
            "arme",
            "gendarm*",
            "commissariat",
            "plainte",
            "radicalis*",
            "terroris*",
            "fiche s",
        ],
    ),
    (
        WarningSubject::Procedure,
        &[
            "jugement",
            "ordonnance du juge",
            "rapport aemo",
            "rapport mjie",
            "mjie",
            "information preoccupante",
            "ip",
            "signalement",
            "crip",
            "maltrait*",
            "entretien psychologique",
            "expertise",
        ],
    ),
    (
        WarningSubject::Religion,
        &[
            "musulman*",
            "islam*",
            "catholi*",
            "chretien*",
            "protestant*",
            "evangeli*",
            "juif",
            "juive",
            "judais*",
            "bouddh*",
            "hindou*",
            "temoin de jehovah",
            "religi*",
            "ramadan",
            "halal",
            "casher",
            "cacher",
            "mosquee",
            "eglise",
            "synagogue",
            "voile",
            "priere",
            "athee",
        ],
    ),
    (
        WarningSubject::Origin,
        &[
            "origine",
            "ethni*",
            "race",
            "racial*",
            "nationalite",
            "sans papiers",
            "clandestin",
            "immigr*",
            "migrant",
            "gitan*",
            "rom",
            "roms",
            "tsigane",
            "gens du voyage",
            "maghreb*",
            "africain*",
            "arabe",
            "noir de peau",
            "etranger",
            "couleur de peau",
        ],
    ),
    (
        WarningSubject::Opinion,
        &[
            "syndica*",
            "syndiqu*",
            "cgt",
            "cfdt",
            "opinion politique",
            "militant",
            "extreme droite",
            "extreme gauche",
        ],
    ),
    (
        WarningSubject::Intimacy,
        &[
            "homosexu*",
            "heterosexu*",
            "bisexu*",
            "lesbienne",
            "gay",
            "transgenre",
            "sexuel*",
            "sexualite",
            "prostitu*",
            "avortement",
            "ivg",
            "contracepti*",
        ],
    ),
    (
        WarningSubject::ParentPrivate,
        &[
            "alcooli*",
            "alcool",
            "toxico*",
            "drogu*",
            "addict*",
            "surendett*",
            "dette",
            "rsa",
            "mere malade",
            "pere malade",
            "mere depressive",
            "pere violent",
            "parent defaillant",
        ],
    ),
    (
        WarningSubject::Judgment,
        &[
            "menteu*",
            "manipulat*",
            "feignant",
            "faineant",
            "paresseu*",
            "insolent",
            "pervers*",
            "mauvaise mere",
            "mauvais pere",
            "carence educative",
            "defaillant",
            "irresponsable",
            "incapable",
            "bete",
            "idiot",
            "debile",
            "cas social",
            "ingerable",
            "soupconn*",
            "semble mentir",
            "hysteri*",
            "toxique",
        ],
    ),
    (
        WarningSubject::Secret,
        &[
            "mot de passe",
            "code wifi",
            "code d'acces",
            "adresse secrete",
            "adresse protegee",
            "adresse confidentielle",
        ],
    ),
];

/// Endings of the feminine that are more than an added « e ».
const FEMININE: &[(&str, &[&str])] =
    &[("if", &["ive", "ives"]), ("eur", &["euse", "euses"]), ("teur", &["trice", "trices"])];

/// Whether one word of the text is the word of the term, give or take a French ending.
fn same_word(word: &str, term: &str) -> bool {
    if let Some(stem) = term.strip_suffix('*') {
        return !stem.is_empty() && word.starts_with(stem);
    }
    if let Some(ending) = word.strip_prefix(term) {
        return matches!(ending, "" | "s" | "x" | "e" | "es");
    }
    FEMININE.iter().any(|(masculine, feminine)| {
        let Some(stem) = term.strip_suffix(masculine).filter(|s| !s.is_empty()) else { return false };
        word.strip_prefix(stem).is_some_and(|ending| feminine.contains(&ending))
    })
}

/// A word of a text: where it stands, and as it is compared.
struct Word {
    at: Range<usize>,
    folded: String,
}

/// The words of a text. What parts them is what parts them once folded: « l’œuvre » is two.
fn words_of(text: &str) -> Vec<Word> {
    let inside = |c: char| {
        let folded = fold(c.encode_utf8(&mut [0; 4]));
        // A combining mark folds to nothing, and belongs to its letter.
        folded.chars().all(char::is_alphanumeric)
    };
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (inside(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let folded = text.get(from..at).map(fold).unwrap_or_default();
                words.push(Word { at: from..at, folded });
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    words
}

/// Where a term stands first.
fn stands_at(words: &[Word], term: &str) -> Option<Range<usize>> {
    // The star belongs to the last word and would be lost as punctuation.
    let starred = term.ends_with('*');
    let key = search_key(term);
    let mut parts: Vec<String> = key.split(' ').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if let (true, Some(last)) = (starred, parts.last_mut()) {
        last.push('*');
    }
    if parts.is_empty() {
        return None;
    }
    words
        .windows(parts.len())
        .find(|window| window.iter().zip(&parts).all(|(word, part)| same_word(&word.folded, part)))
        .and_then(|window| Some(window.first()?.at.start..window.last()?.at.end))
}

/// The words of `text` that call for a second look, in the order of the lists, each once. `lexicon` holds the terms
/// that the charter adds.
#[must_use]
pub fn warnings<S: AsRef<str>>(text: &str, lexicon: &[S]) -> Vec<Warning> {
    let words = words_of(text);
    let built_in =
        BUILT_IN.iter().flat_map(|(subject, terms)| terms.iter().map(move |term| (*term, *subject)));
    let local = lexicon.iter().map(|term| (term.as_ref(), WarningSubject::Charter));
    let mut found: Vec<Warning> = Vec::new();
    for (term, subject) in built_in.chain(local) {
        if let Some(at) = stands_at(&words, term)
            && !found.iter().any(|w| w.term == term)
        {
            let written = text.get(at).unwrap_or_default().to_owned();
            found.push(Warning { term: term.to_owned(), subject, written });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &[&str] = &[];

    fn subjects(text: &str) -> Vec<WarningSubject> {
        warnings(text, NONE).into_iter().map(|w| w.subject).collect()
    }

    #[test]
    fn law_7_each_subject_that_must_never_enter_has_its_warning() {
        for (text, subject) in [
            ("Il est SCHIZOPHRÈNE", WarningSubject::Diagnosis),
            ("deux gardes à vue... une garde à vue", WarningSubject::Offence),
            ("une information préoccupante a été faite", WarningSubject::Procedure),
            ("ne mange pas pendant le Ramadan", WarningSubject::Religion),
            ("de nationalité étrangère", WarningSubject::Origin),
            ("père syndiqué", WarningSubject::Opinion),
            ("parle de sa sexualité", WarningSubject::Intimacy),
            ("sa mère est alcoolique", WarningSubject::ParentPrivate),
            ("elle est manipulatrice", WarningSubject::Judgment),
            ("l'adresse secrète du foyer", WarningSubject::Secret),
        ] {
            assert!(subjects(text).contains(&subject), "{text}");
        }
        assert_eq!(BUILT_IN.len() + 1, WarningSubject::ALL.len());
    }

    #[test]
    fn whole_words_only_with_french_endings() {
        assert_eq!(subjects("voleuse de vols"), [WarningSubject::Offence; 2]);
        for (text, subject) in [
            ("elle est dépressive", WarningSubject::Diagnosis),
            ("très hyperactives", WarningSubject::Diagnosis),
            ("une agresseuse", WarningSubject::Offence),
        ] {
            assert_eq!(subjects(text), [subject], "{text}");
        }
        assert_eq!(warnings("une manipulatrice", &["manipulateur"]).len(), 2);
        for fine in
            ["volley et volontaire", "romans et Romane", "tocsin", "violette", "ipso facto", "bêtement", ""]
        {
            assert!(subjects(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn the_charter_adds_its_own_terms_and_an_empty_term_matches_nothing() {
        let found = warnings("Risque de décrochage !", &["décrochage", "", "*", " "]);
        let written = "décrochage".to_owned();
        assert_eq!(found, [Warning { term: written.clone(), subject: WarningSubject::Charter, written }]);
        assert!(
            found[0].french().starts_with("« décrochage » : ce mot peut toucher un mot que votre charte")
        );
        assert_eq!(warnings("un, deux ; trois", &["deux trois"]).len(), 1);
    }

    #[test]
    fn a_warning_quotes_the_word_as_it_was_written() {
        for (text, quoted) in [
            ("Sa mère est Alcoolique.", "« Alcoolique »"),
            ("alcoolique", "« alcoolique »"),
            ("trois gardes à vue", "« gardes à vue »"),
            ("l\u{2bc}alcool", "« alcool »"),
            ("une de\u{301}pression", "« de\u{301}pression »"),
        ] {
            let found = warnings(text, NONE);
            assert!(found.iter().all(|w| w.french().starts_with(quoted)) && !found.is_empty(), "{text}");
        }
        let found = warnings("Sa mère est ALCOOLIQUE", NONE);
        assert!(!format!("{found:?}").contains("ALCOOLIQUE"), "no words in what a log could hold");
    }

    #[test]
    fn what_the_stay_needs_raises_nothing() {
        for text in
            ["traitement à 20 h", "manque de vêtements chauds", "un comprimé le soir, boîte chez la mère"]
        {
            assert!(subjects(text).is_empty(), "{text}: {:?}", warnings(text, NONE));
        }
    }
}
