//! A text that could not be sent, as the first page names it.
//!
//! INVARIANT: every row that keeps a form has its name here, and nothing else has (a test compares).

use super::words;
use crate::domain::vocabulary::Category;
use crate::ids::AssignmentId;
use crate::service::kept_forms::KeptLine;
use crate::web::kept;
use crate::web::route::fits;

/// A text that could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: String,
    /// « Écrire : Mobilité »
    pub what: String,
    /// The pathway where it was written; empty where it was on none.
    pub pathway: String,
    /// That page, filled with it.
    pub href: String,
    /// « demain à 14 h 05 »
    pub until: String,
    /// Written under another affectation, under which alone its page opens.
    pub elsewhere: bool,
}

const WRITE: &str = "/parcours/{pathway}/ecrire";

/// What was being written, by the row to which its form is sent.
const NAMES: &[(&str, &str)] = &[
    ("/parcours/ouvrir", "Ouvrir un parcours"),
    (WRITE, "Écrire une information"),
    ("/parcours/{pathway}/informations/{item}/corriger", "Corriger une information"),
    ("/parcours/{pathway}/notes", "Une note"),
    ("/parcours/{pathway}/notes/{note}", "Une note"),
    ("/parcours/{pathway}/actions", "Proposer une action"),
    ("/parcours/{pathway}/partager", "Partager"),
    ("/parcours/{pathway}/partager/apercu", "Partager"),
    ("/parcours/{pathway}/puis-je-le-dire", "Ce qui a été dit de vive voix"),
    ("/parcours/{pathway}/protection", "Partager pour protéger un enfant"),
    ("/parcours/{pathway}/danger", "Un enfant en danger"),
    ("/parcours/{pathway}/urgence", "Ouvrir en urgence"),
    ("/parcours/{pathway}/inviter", "Inviter quelqu'un"),
    ("/parcours/{pathway}/cercle/referent", "Changer de référent"),
    ("/parcours/{pathway}/cercle/remplacements/{succession}", "Un remplacement"),
    ("/parcours/{pathway}/passages/nouveau", "Passer le relais"),
    ("/parcours/{pathway}/passages/{handover}", "Un passage de relais"),
    ("/parcours/{pathway}/accords/preparer", "Préparer un accord"),
    ("/parcours/{pathway}/accords/{accord}/signer", "Enregistrer une signature"),
    ("/parcours/{pathway}/validations/{release}/signer", "Enregistrer une signature"),
    ("/parcours/{pathway}/impossible-a-joindre", "Un parent impossible à joindre"),
    ("/parcours/{pathway}/consultations/reporter", "Reporter une ligne"),
    ("/parcours/{pathway}/retrait", "La famille ne veut plus"),
    ("/parcours/{pathway}/personne", "Identité"),
    ("/parcours/{pathway}/personne/titulaires/{holder}/fin", "Un parent qui ne signe plus"),
    ("/parcours/{pathway}/bilan", "Bilan"),
    ("/parcours/{pathway}/clore", "Clore le parcours"),
    ("/responsable/decisions/{decision}/{subject}", "Une décision"),
    ("/responsable/places/{participation}", "Nommer qui prend une place"),
    ("/secretariat/{pathway}/accords/{accord}", "Enregistrer une signature"),
    ("/secretariat/{pathway}/retrait", "La famille ne veut plus"),
    ("/urgences/{emergency}", "Examiner un accès"),
    ("/identites/{reidentification}", "Une demande d'identité"),
    ("/conservation/demander", "Demander un élagage"),
    ("/conservation/{pruning}", "Décider d'un élagage"),
    ("/controle/{index}/identite", "Demander une identité"),
    ("/controle/{index}/examen", "Examiner un accès"),
];

/// What was being written at this address. A text kept before its row changed its address has no better name.
fn named(path: &str, asked: &str) -> String {
    let subject = || {
        let code = asked.split('&').find_map(|pair| pair.strip_prefix("category="))?;
        Category::parse(code).ok()
    };
    match (NAMES.iter().find(|(row, _)| fits(row, path)), subject()) {
        (Some((WRITE, _)), Some(subject)) => format!("Écrire : {}", subject.french()),
        (Some((_, name)), _) => (*name).to_owned(),
        (None, _) => "Un formulaire".to_owned(),
    }
}

impl Kept {
    /// A text, for who acts under this affectation.
    pub fn of(kept: &KeptLine, acting: Option<&AssignmentId>) -> Self {
        let (path, asked) = kept.path.split_once('?').unwrap_or((&kept.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        Self {
            id: kept.id.as_str().to_owned(),
            what: named(path, asked),
            pathway: match parts.as_slice() {
                ["parcours", pathway, _, ..] => (*pathway).to_owned(),
                _elsewhere => String::new(),
            },
            href: kept::back_to(kept),
            until: words::moment(kept.until),
            elsewhere: kept::written_elsewhere(kept, acting),
        }
    }
}

/// A text that waits, for samples.
#[cfg(test)]
pub fn sample(elsewhere: bool) -> Kept {
    Kept {
        id: "k".repeat(26),
        what: "Écrire : Mobilité, Lina Carpentier".to_owned(),
        pathway: "pathway".to_owned(),
        href: "/parcours/pathway/ecrire?category=mobility&repris=k".to_owned(),
        until: "15 mars 2027 à 14 h 05".to_owned(),
        elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_that_keeps_a_form_has_a_name_and_no_other_has() {
        let routes = crate::web::routes::all();
        let keeping: BTreeSet<&str> =
            routes.iter().filter(|r| kept::keeps_forms_of(&routes, r)).map(|r| r.path).collect();
        let named_here: BTreeSet<&str> = NAMES.iter().map(|(row, _)| *row).collect();
        assert_eq!(keeping, named_here);
        assert_eq!(named_here.len(), NAMES.len(), "one row twice");
        assert!(keeping.len() > 30);
        for (row, name) in NAMES {
            assert_eq!(named(row, ""), *name, "{row}: an earlier row takes its address");
        }
    }

    #[test]
    fn what_is_written_is_named_with_its_subject() {
        assert_eq!(named("/parcours/a/ecrire", "category=mobility"), "Écrire : Mobilité");
        assert_eq!(named("/parcours/a/ecrire", "category=nothing"), "Écrire une information");
        assert_eq!(named("/parcours/a/notes", "category=mobility"), "Une note");
        assert_eq!(named("/secretariat/a/retrait", ""), "La famille ne veut plus");
        assert_eq!(named("/parcours/a/no-more", ""), "Un formulaire");
    }
}
