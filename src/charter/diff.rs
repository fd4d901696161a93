//! What changes from one charter to the next, in French sentences: what people read before they sign (S14).
//!
//! Invariant: two charters without a sentence between them have the same `policy_hash` and the same sheet. The statutory
//! route is spoken of for recipients bound by secrecy only: for the others it is closed whatever their cell says.

use std::collections::BTreeMap;

use super::folder::Charter;
use super::french;
use super::matrix::Matrix;
use super::sheet::{Pack, Sheet};
use crate::domain::cell::{Cell, Need};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

/// The sentences, the matrix first.
#[must_use]
pub fn diff(old: &Charter, new: &Charter) -> Vec<String> {
    let mut out = Vec::new();
    cells(old.matrix(), new.matrix(), &mut out);
    purposes(old.matrix(), new.matrix(), &mut out);
    if out.is_empty() && old.policy_hash() != new.policy_hash() {
        out.push("les règles sont écrites autrement, sans changer aucune décision".to_owned());
    }
    sheets(old.sheet(), new.sheet(), &mut out);
    out
}

fn cells(old: &Matrix, new: &Matrix, out: &mut Vec<String>) {
    for &profession in Profession::ALL {
        let has = |secrecy| old.row_exists(profession, secrecy) || new.row_exists(profession, secrecy);
        let both = has(Secrecy::Bound) && has(Secrecy::NotBound);
        for secrecy in [Secrecy::Bound, Secrecy::NotBound] {
            let who = french::recipient(profession, secrecy, both);
            for &category in Category::ALL {
                let (from, to) =
                    (old.cell(profession, secrecy, category), new.cell(profession, secrecy, category));
                need(&who, french::category(category), from, to, out);
                // LAW: CASF L226-2-2 is between persons already bound by secrecy.
                if secrecy == Secrecy::Bound {
                    statute(&who, french::category(category), from, to, out);
                }
            }
        }
    }
}

fn need(who: &str, what: &str, from: Cell, to: Cell, out: &mut Vec<String>) {
    let (before, after) = (from.need(), to.need());
    match (before, after) {
        (Need::Never, Need::Never) => {}
        (_, Need::Never) => out.push(format!("{who} ne lira plus {what}")),
        (Need::Never, _) => out.push(format!("{who} pourra lire {what}, avec {}", french::accord(after))),
        (_, _) if after > before => {
            out.push(format!("il faudra {} pour que {who} lise {what}", french::accord(after)));
        }
        (_, _) if after < before => out.push(format!(
            "pour que {who} lise {what}, {} suffira ; il fallait {}",
            french::accord(after),
            french::accord(before)
        )),
        (_, _) => {}
    }
}

fn statute(who: &str, what: &str, from: Cell, to: Cell, out: &mut Vec<String>) {
    match (from.statute_open(), to.statute_open()) {
        // Never is said already, and says it all.
        (true, false) if to.need() == Need::Never => {}
        (true, false) => {
            out.push(format!(
                "{who} ne pourra plus recevoir {what} par le partage prévu par la loi (CASF L226-2-2)"
            ));
        }
        (false, true) => {
            out.push(format!("{who} pourra recevoir {what} par le partage prévu par la loi (CASF L226-2-2)"));
        }
        (true, true) | (false, false) => {}
    }
}

fn purposes(old: &Matrix, new: &Matrix, out: &mut Vec<String>) {
    for &purpose in Purpose::ALL {
        for &category in Category::ALL {
            let (name, what) = (purpose.french(), french::category(category));
            match (old.purpose_carries(purpose, category), new.purpose_carries(purpose, category)) {
                (true, false) => out.push(format!("« {name} » ne permettra plus de partager {what}")),
                (false, true) => out.push(format!("« {name} » permettra de partager {what}")),
                (true, true) | (false, false) => {}
            }
        }
    }
}

fn text(name: &str, old: &str, new: &str, out: &mut Vec<String>) {
    if old != new {
        out.push(format!("{name} : « {old} » devient « {new} »"));
    }
}

/// Entries that came, went, or say something else under the same key.
fn keyed(name: &str, old: &BTreeMap<&str, &str>, new: &BTreeMap<&str, &str>, out: &mut Vec<String>) {
    for (key, said) in old {
        match new.get(key) {
            None => out.push(format!("{name} : « {key} » est retiré")),
            Some(says) if says != said => out.push(format!("{name} : « {key} » dit maintenant « {says} »")),
            Some(_) => {}
        }
    }
    for (key, says) in new {
        if !old.contains_key(key) {
            let more = if says.is_empty() { String::new() } else { format!(" (« {says} »)") };
            out.push(format!("{name} : « {key} » est ajouté{more}"));
        }
    }
}

fn sheets(old: &Sheet, new: &Sheet, out: &mut Vec<String>) {
    fn plain(list: &[String]) -> BTreeMap<&str, &str> {
        list.iter().map(|text| (text.as_str(), "")).collect()
    }
    text("nom", &old.name, &new.name, out);
    text("titre", &old.title, &new.title, out);
    text("version", &old.version, &new.version, out);
    keyed("objectifs", &plain(&old.objectives), &plain(&new.objectives), out);
    text("public", &old.public, &new.public, out);
    keyed("gouvernance", &plain(&old.governance), &plain(&new.governance), out);
    let (a, b) = (old.retention, new.retention);
    for (name, before, after, unit) in [
        ("éléments partagés", a.shared_items_months, b.shared_items_months, "mois"),
        ("pack du séjour", a.stay_pack_days, b.stay_pack_days, "jours"),
        ("orientations sans suite", a.referral_months, b.referral_months, "mois"),
        ("journal technique", a.technical_log_months, b.technical_log_months, "mois"),
        ("sauvegardes", a.backup_days, b.backup_days, "jours"),
    ] {
        if before != after {
            out.push(format!("durée de conservation, {name} : {after} {unit} au lieu de {before}"));
        }
    }
    let parties = |s: &'_ Sheet| -> Vec<(String, String)> {
        s.parties.iter().map(|p| (p.name.clone(), format!("{} : {}", p.kind.french(), p.part))).collect()
    };
    let terms = |s: &'_ Sheet| -> Vec<(String, String)> {
        s.glossary.iter().map(|t| (t.term.clone(), t.definition.clone())).collect()
    };
    let needs = |s: &'_ Sheet| -> Vec<(String, String)> {
        s.needs.iter().map(|t| (t.code.clone(), t.words.clone())).collect()
    };
    let kinds = |s: &'_ Sheet| -> Vec<(String, String)> {
        s.judicial_kinds.iter().map(|t| (t.code.clone(), t.words.clone())).collect()
    };
    for (name, before, after) in [
        ("structures", parties(old), parties(new)),
        ("glossaire", terms(old), terms(new)),
        ("besoins pratiques", needs(old), needs(new)),
        ("mesures", kinds(old), kinds(new)),
    ] {
        keyed(
            name,
            &before.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
            &after.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
            out,
        );
    }
    for pack in Pack::ALL {
        let subjects =
            |s: &'_ Sheet| -> Vec<&'static str> { s.pack(pack).iter().map(|c| c.french()).collect() };
        let (a, b) = (subjects(old), subjects(new));
        keyed(
            &format!("pack « {} »", pack.purpose().french()),
            &a.iter().map(|subject| (*subject, "")).collect(),
            &b.iter().map(|subject| (*subject, "")).collect(),
            out,
        );
    }
    text("suivi", &old.follow_up, &new.follow_up, out);
    text("évaluation", &old.evaluation, &new.evaluation, out);
    text("communication extérieure", &old.communication, &new.communication, out);
    keyed("mots qui avertissent", &plain(&old.warning_words), &plain(&new.warning_words), out);
    text("département", &old.contacts.department, &new.contacts.department, out);
    text("téléphone de la CRIP", &old.contacts.concern_unit_phone, &new.contacts.concern_unit_phone, out);
    text("téléphone du parquet", &old.contacts.prosecutor_phone, &new.contacts.prosecutor_phone, out);
    for (name, before, after) in [
        ("responsable du traitement", &old.controller, &new.controller),
        ("délégué à la protection des données", &old.data_protection_officer, &new.data_protection_officer),
    ] {
        text(name, &before.name, &after.name, out);
        text(&format!("{name}, contact"), &before.contact, &after.contact, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s14_the_next_version_is_said_in_words() {
        let (one, two) = (Charter::embedded_demo().unwrap(), Charter::embedded_demo_v2().unwrap());
        assert_eq!(
            diff(&one, &two),
            ["la mission locale ne lira plus le logement", "version : « 2026-1 » devient « 2027-1 »"]
        );
        assert!(diff(&one, &one).is_empty());
        assert_eq!(
            diff(&two, &one).first().map(String::as_str),
            Some("la mission locale pourra lire le logement, avec un accord qui nomme le sujet")
        );
    }

    #[test]
    fn a_stricter_accord_a_lost_statute_and_a_lost_purpose_are_said() {
        let one = Charter::embedded_demo().unwrap();
        let policy = format!(
            "{}p, referent_pre, bound, housing, *, CI, deny\np, *, *, leisure, conference, N, deny\n",
            one.policy_csv()
        );
        let two = Charter::from_files(one.charter_toml(), &policy).unwrap();
        assert_eq!(
            diff(&one, &two),
            [
                "il faudra un accord sur le texte exact pour que le référent de parcours, quand il est tenu au secret, lise le logement",
                "le référent de parcours, quand il est tenu au secret, ne pourra plus recevoir le logement par le partage prévu par la loi (CASF L226-2-2)",
                "« Préparer une réunion sur la situation » ne permettra plus de partager les loisirs, la culture et le sport",
            ]
        );
        assert!(
            diff(&two, &one)
                .first()
                .unwrap()
                .ends_with("un accord qui nomme le sujet suffira ; il fallait un accord sur le texte exact")
        );
    }

    #[test]
    fn the_statute_is_not_spoken_of_where_it_is_closed_and_no_change_of_hash_is_silent() {
        let one = Charter::embedded_demo().unwrap();
        let with = |cell: &str| {
            let policy = format!("{}p, teacher, not_bound, identity, *, {cell}, deny\n", one.policy_csv());
            Charter::from_files(one.charter_toml(), &policy).unwrap()
        };
        assert_eq!(
            diff(&one, &with("C")),
            [
                "il faudra un accord qui nomme le sujet pour que l'enseignant, le CPE ou la direction d'établissement lise l'identité et le contact"
            ]
        );
        assert_eq!(
            diff(&with("C"), &with("C*")),
            ["les règles sont écrites autrement, sans changer aucune décision"]
        );
    }

    #[test]
    fn every_key_of_the_sheet_speaks_when_it_changes() {
        let one = Charter::embedded_demo().unwrap();
        for (from, to) in [
            ("shared_items_months = 24", "shared_items_months = 12"),
            ("words = \"Vêtements chauds\"", "words = \"Habits chauds\""),
            ("name = \"Collège Jacques-Prévert\"", "name = \"Lycée Jacques-Prévert\""),
            ("part = \"Prévention spécialisée.\"", "part = \"Rue.\""),
            ("\"practical\", \"leisure\"]", "\"practical\"]"),
            ("\"violeur\"]", "\"voleur\"]"),
            ("04 65 71 00 20", "04 65 71 00 21"),
            ("dpo@val-dorme", "dpd@val-dorme"),
            ("Il ne voit que des chiffres.", "Il ne voit aucun nom."),
        ] {
            assert!(one.charter_toml().contains(from), "{from}");
            let two = Charter::from_files(&one.charter_toml().replace(from, to), one.policy_csv()).unwrap();
            assert!(!diff(&one, &two).is_empty(), "{from}");
        }
    }
}
