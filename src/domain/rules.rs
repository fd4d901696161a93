//! The codes that a record cites beside the reasons of the gates, in French: rules that refused, obligations, clauses.
//!
//! A code without its sentence stops a test or a debug build where it enters a record (`service::flow`), and the tests here,
//! which read the codes where they are written; elsewhere the bare code is shown. This room refuses nothing.

/// The rule that a code names, as the end of « Règle : ».
#[must_use]
pub fn rule(code: &str) -> Option<&'static str> {
    RULES.iter().find(|(known, _)| *known == code).map(|(_, french)| *french)
}

/// What a permission obliges to, as the end of « Oblige à ».
#[must_use]
pub fn obligation(code: &str) -> Option<&'static str> {
    OBLIGATIONS.iter().find(|(known, _)| *known == code).map(|(_, french)| *french)
}

/// What a clause of a record says: a rule, a line of the charter, the ceiling. One of an older version stands as it is.
#[must_use]
pub fn clause(text: &str) -> String {
    if let Some(code) = text.strip_prefix("rule=") {
        return rule(code).map_or_else(|| format!("règle {code}"), |french| format!("règle : {french}"));
    }
    match text.strip_prefix("charter:") {
        Some(line) => format!("charte, ligne {line} de sa table"),
        None if text == "ceiling" => "plafond fixé par la loi".to_owned(),
        None => text.to_owned(),
    }
}

const OBLIGATIONS: &[(&str, &str)] = &[
    ("officer_told", "prévenir le délégué à la protection des données"),
    ("review_within_72_hours", "un examen sous 72 heures"),
    ("family_told_afterwards", "le dire ensuite à la famille"),
    ("print_return_or_destroy", "rendre ou détruire la feuille imprimée"),
];

const RULES: &[(&str, &str)] = &[
    (
        "accord_needed_to_accept",
        "une place ne s'accepte plus quand l'accord qui nommait le service a pris fin",
    ),
    ("accord_needed_to_act", "aucune action ne commence sans accord de la famille"),
    ("accord_needed_to_invite", "on n'invite que les services qu'un accord nomme"),
    ("ask_the_circle", "aucune feuille pour un parent sans voir d'abord un collègue du cercle"),
    ("before_accord", "un accord ne couvre pas ce qui a été dit avant lui"),
    ("beyond_accord", "un partage ne dure pas plus que l'accord"),
    ("beyond_majority", "un partage accepté par les parents ne va pas au-delà de la majorité"),
    ("cannot_be_invited", "on n'invite que quelqu'un dont l'affectation et le compte sont confirmés"),
    ("cannot_sign", "seule une personne qui peut signer à cette date donne un accord"),
    ("category_needs_texts", "ce sujet se partage texte par texte, vus par la famille"),
    ("category_not_yours", "la charte ne prévoit pas que cette profession écrive sur ce sujet"),
    ("ceiling_never", "la charte ne permet pas à cette profession de recevoir ce sujet"),
    ("collected_by_only_recipient", "qui serait seul à recevoir ne recueille pas l'accord"),
    ("contact_would_endanger", "une personne qu'il est dangereux de contacter ne signe pas"),
    ("contributor_by_accord", "l'accord dit que ce service apporte des informations et n'en reçoit pas"),
    ("contributor_receives", "un service qui apporte ne reçoit rien"),
    ("emergency_own_review", "personne n'examine un accès en urgence qu'il a ouvert"),
    ("emergency_repeated", "les accès en urgence d'une même personne sont limités"),
    (
        "functions_apart",
        "l'administration, l'audit et la protection des données ne vont pas avec une place auprès des jeunes",
    ),
    ("hidden_inviter", "qui intervient sans que la personne le sache ne l'invite pas"),
    ("incoming_receives_nothing", "un service qui ne reçoit rien ne prend pas le relais"),
    ("interpreter_minor", "l'interprète est un adulte"),
    ("judicial_mandate_needed", "seul un service mandaté par le juge écrit sur la mesure"),
    ("measure_over", "une mesure d'assistance éducative finit à la majorité"),
    ("minority_not_proved", "cette voie est pour les mineurs dont la date de naissance est connue"),
    ("never_invited", "la charte ne permet à cette profession de recevoir aucune information"),
    ("nickname_only", "rien ne se partage tant que le jeune n'a donné qu'un surnom"),
    (
        "no_sheet_for_this_person",
        "aucune feuille n'est faite pour une personne qu'il est dangereux de contacter",
    ),
    ("not_a_signatory", "la feuille est pour le jeune et pour qui exerce l'autorité parentale"),
    ("not_in_stay_pack", "la charte ne prévoit pas ce sujet dans une fiche de séjour"),
    ("not_to_be_said", "ce qui ne serait pas lu ne se dit pas non plus"),
    ("onward_sharing", "seul le service qui a écrit une information la partage"),
    ("own_account", "on ne ferme pas son propre compte"),
    ("own_act_needed", "seul le jeune donne son nom"),
    (
        "platform_by_administrator",
        "seul un administrateur propose une affectation d'administration, d'audit ou de protection des données",
    ),
    ("platform_recipient", "une fonction d'administration ou de contrôle n'a pas de place dans un cercle"),
    ("purpose_excludes_category", "ce sujet ne sert pas à ce but"),
    ("recipient_never_receives", "la charte ne permet pas à cette profession de recevoir quoi que ce soit"),
    ("recorded_by_recipient", "la validation est recueillie par quelqu'un d'autre que celui qui lira"),
    ("review_overdue", "le bilan se fait avant de partager à nouveau"),
    ("second_person", "une affectation est confirmée par une seconde personne"),
    ("second_person_needed", "une seconde personne décide, autre que celle qui demande"),
    ("sharer_is_recipient", "qui partage n'est pas son propre destinataire"),
    ("statute_needs_both_bound", "ce partage n'est possible qu'entre deux professionnels tenus au secret"),
    ("statute_not_open", "le partage prévu par la loi pour protéger un enfant ne s'applique pas ici"),
    ("talk_by_another", "qui a recueilli l'accord en parle avec l'enfant"),
    ("will_not_read", "rien n'est partagé quand quelqu'un ne lirait pas"),
    ("words_need_paper", "des mots exacts demandent une feuille signée"),
    ("young_person_alone", "le jeune décide seul depuis sa majorité ou son émancipation"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn sources(folder: &Path, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    fn service() -> Vec<String> {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/service"), &mut all);
        all
    }

    /// The first literal after each call, unless the code comes from elsewhere.
    fn cited<'a>(source: &'a str, call: &str) -> Vec<&'a str> {
        let literal = |after: &'a str| {
            let arguments = after.split_once(')').map_or(after, |(inside, _)| inside);
            arguments.split('"').nth(1)
        };
        source.split(call).skip(1).filter_map(literal).collect()
    }

    #[test]
    fn every_rule_that_refuses_has_its_french() {
        let mut found = 0;
        for source in &service() {
            for call in ["::forbidden(", "::denied(", "nothing_done("] {
                for code in cited(source, call) {
                    assert!(rule(code).is_some(), "no French in domain/rules.rs for the rule `{code}`");
                    found += 1;
                }
            }
        }
        assert!(found > 40, "the calls are read: {found}");
    }

    #[test]
    fn every_obligation_has_its_french() {
        let mut found = 0;
        for source in &service() {
            // A constant of this name, on one line or two, is the list that a scene takes.
            for declared in source.split("const OBLIGATION").skip(1) {
                let list = declared.split_once(';').and_then(|(kind, rest)| {
                    // `[&str; 3] = …;` has its own semicolon.
                    if kind.contains('=') { Some(kind) } else { rest.split_once(';').map(|(list, _)| list) }
                });
                for code in list.unwrap().split('"').skip(1).step_by(2) {
                    assert!(obligation(code).is_some(), "no French in domain/rules.rs for `{code}`");
                    found += 1;
                }
            }
            for line in source.lines().filter(|l| l.contains("scene.obligations") && !l.contains("take(")) {
                assert!(line.contains("OBLIGATION"), "an obligation is a constant: {line}");
            }
        }
        assert_eq!(found, OBLIGATIONS.len());
    }

    #[test]
    fn no_code_is_said_raw() {
        for (code, french) in RULES.iter().chain(OBLIGATIONS) {
            assert!(!french.contains('_') && french != code && !french.ends_with('.'), "{code}");
        }
        let mut codes: Vec<_> = RULES.iter().map(|(code, _)| *code).collect();
        codes.dedup();
        assert_eq!(codes.len(), RULES.len());
        assert!(RULES.is_sorted_by_key(|(code, _)| *code), "in the order of codes");
        assert_eq!(clause("ceiling"), "plafond fixé par la loi");
        assert_eq!(clause("charter:12"), "charte, ligne 12 de sa table");
        assert_eq!(
            clause("rule=second_person"),
            "règle : une affectation est confirmée par une seconde personne"
        );
        assert_eq!(clause("teacher.schooling"), "teacher.schooling");
    }
}
