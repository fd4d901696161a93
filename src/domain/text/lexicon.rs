//! Words that call for a second look before saving: those of LAW §7 that no structure can refuse, and those that
//! the charter adds. It warns, it never refuses: « il n'a pas de médecin traitant » is right, and only its author knows.
//!
//! Comparison ignores case and accents, takes whole words, and allows the usual French endings of the plural and
//! the feminine. A term that ends in `*` stands for every word that begins so.

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The term of the list (not the sentence it was found in).
    pub term: String,
    pub subject: WarningSubject,
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
        format!(
            "« {} » : ce mot peut toucher {}. {advice}",
            self.term.trim_end_matches('*'),
            self.subject.french()
        )
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

/// Whether one word of the text is the word of the term, give or take a French ending.
fn same_word(word: &str, term: &str) -> bool {
    if let Some(stem) = term.strip_suffix('*') {
        return !stem.is_empty() && word.starts_with(stem);
    }
    match word.strip_prefix(term) {
        Some(ending) => matches!(ending, "" | "s" | "x" | "e" | "es"),
        None => false,
    }
}

fn stands_in(words: &[&str], term: &str) -> bool {
    // The star belongs to the last word and would be lost as punctuation.
    let starred = term.ends_with('*');
    let key = search_key(term);
    let mut parts: Vec<String> = key.split(' ').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if let (true, Some(last)) = (starred, parts.last_mut()) {
        last.push('*');
    }
    !parts.is_empty()
        && words
            .windows(parts.len())
            .any(|window| window.iter().zip(&parts).all(|(word, part)| same_word(word, part)))
}

/// The words of `text` that call for a second look, in the order of the lists, each once. `lexicon` holds the terms
/// that the charter adds.
#[must_use]
pub fn warnings<S: AsRef<str>>(text: &str, lexicon: &[S]) -> Vec<Warning> {
    let folded = fold(text);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let built_in =
        BUILT_IN.iter().flat_map(|(subject, terms)| terms.iter().map(move |term| (*term, *subject)));
    let local = lexicon.iter().map(|term| (term.as_ref(), WarningSubject::Charter));
    let mut found: Vec<Warning> = Vec::new();
    for (term, subject) in built_in.chain(local) {
        if stands_in(&words, term) && !found.iter().any(|w| w.term == term) {
            found.push(Warning { term: term.to_owned(), subject });
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
        assert_eq!(subjects("voleuse de vols"), [WarningSubject::Offence]);
        for fine in
            ["volley et volontaire", "romans et Romane", "tocsin", "violette", "ipso facto", "bêtement", ""]
        {
            assert!(subjects(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn the_charter_adds_its_own_terms_and_an_empty_term_matches_nothing() {
        let found = warnings("Risque de décrochage !", &["décrochage", "", "*", " "]);
        assert_eq!(found, [Warning { term: "décrochage".to_owned(), subject: WarningSubject::Charter }]);
        assert!(
            found[0].french().starts_with("« décrochage » : ce mot peut toucher un mot que votre charte")
        );
        assert_eq!(warnings("un, deux ; trois", &["deux trois"]).len(), 1);
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
