//! What people read of a decision: one French sentence for each reason, and the act that would repair it.
//!
//! INVARIANT: a sentence says nothing that its reason does not: the coarse forms of [`Reason::coarse`] have sentences
//! of their own, so that a refusal stays between the family and who collected it. This room chooses no reason.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate};

use super::cell::Reason;
use super::contact::Phone;
use super::day::{french_date, french_day_and_month};
use super::vocabulary::Purpose;

/// What a sentence may mention; what is not known is left out of it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub purpose: Option<Purpose>,
    /// A permit: the last day on which it is read.
    pub until: Option<NaiveDate>,
    /// A permit by accord: the day on which it was signed.
    pub signed_on: Option<NaiveDate>,
    /// A refusal: the day on which the accord or the share ended.
    pub ended_on: Option<NaiveDate>,
    /// Where the person who has something to do can be called.
    pub telephone: Option<Phone>,
}

fn will_read(context: &Context) -> String {
    match context.until {
        Some(until) => format!("Lira jusqu'au {}", french_date(until)),
        None => "Lira".to_owned(),
    }
}

/// The day of the signature, without its year where the end already tells it.
fn signed(context: &Context, on: NaiveDate) -> String {
    match context.until {
        Some(until) if until.year() == on.year() => french_day_and_month(on),
        Some(_) | None => french_date(on),
    }
}

fn dated(context: &Context, with: &str, without: &str) -> String {
    match context.ended_on {
        Some(ended) => format!("{with} le {}.", french_date(ended)),
        None => format!("{without}."),
    }
}

/// The sentence that people read for `reason`.
#[must_use]
pub fn sentence(reason: Reason, context: &Context) -> String {
    let fixed = match reason {
        Reason::Accord => {
            let mut out = will_read(context);
            match context.signed_on {
                Some(on) => {
                    let written = write!(out, ", avec l'accord signé le {}.", signed(context, on));
                    debug_assert!(written.is_ok(), "writing to a string does not fail");
                }
                None => out.push_str(", avec l'accord de la famille."),
            }
            return out;
        }
        Reason::Statute => {
            return format!(
                "{}, par le partage que la loi prévoit pour protéger un enfant (CASF L226-2-2).",
                will_read(context)
            );
        }
        Reason::PurposeExcludesCategory => {
            return match context.purpose {
                Some(purpose) => format!("Ce sujet ne sert pas à « {} ».", purpose.french()),
                None => "Ce sujet ne sert pas à ce but.".to_owned(),
            };
        }
        Reason::AccordExpired => return dated(context, "L'accord a pris fin", "L'accord a pris fin"),
        Reason::AccordWithdrawn => {
            return dated(context, "La famille a retiré son accord", "La famille a retiré son accord");
        }
        Reason::ShareEnded => return dated(context, "Ce partage a pris fin", "Ce partage a pris fin"),
        Reason::OwnItem => "Cette information vient de vous ou de votre service.",
        Reason::Member => "Les membres du cercle lisent ceci.",
        Reason::Emergency => "Ouvert en urgence (CP 223-6), pour un jour au plus.",
        Reason::AssignmentNotInForce => "Cette personne n'exerce plus cette mission.",
        Reason::CharterNotSignedPerson => "N'a pas encore signé la charte.",
        Reason::CharterNotSignedOrganisation => "Sa structure n'a pas encore signé la charte.",
        Reason::NotAParticipant => "Cette personne n'est pas (ou plus) dans le cercle.",
        Reason::InvitationPending => "N'a pas encore accepté l'invitation.",
        Reason::ContributorOnly => "Son service apporte des informations mais n'en reçoit pas.",
        Reason::NotShared => "Vous ne l'avez pas partagé avec cette personne.",
        Reason::SharingPaused => "Le partage est en pause : le bilan n'a pas eu lieu.",
        Reason::CeilingNever => {
            "La charte ne permet pas à cette profession de recevoir ce sujet, même avec l'accord de la famille."
        }
        Reason::AccordMissing => "L'accord n'a pas encore été recueilli pour ce partage.",
        Reason::AccordRefused => "La famille a dit non à ce partage.",
        Reason::AccordNotInForce => "Il n'y a pas d'accord en cours pour ce partage.",
        Reason::AccordTooNarrow => "La famille a donné un accord général. Ce sujet doit être nommé.",
        Reason::InformationMissing => "La famille doit avoir vu ces mots, et savoir qui les lira.",
        Reason::StatuteNotOpen => {
            "Le partage prévu par la loi pour protéger un enfant ne s'applique pas ici."
        }
        Reason::StatuteNeedsBothBound => {
            "Ce partage n'est possible qu'entre deux professionnels tenus au secret."
        }
        Reason::RefusalNeedsManagerValidation => {
            "La famille a dit non ou a retiré son accord : seule une nécessité de protection validée par votre \
             responsable permet ce partage."
        }
        Reason::ManagerValidationNeeded => {
            "La décision de votre responsable est nécessaire avant d'aller plus loin."
        }
        Reason::NotFamilyReleased => {
            "Cette personne n'est pas tenue au secret : c'est à la famille de valider ces mots."
        }
        Reason::AuthorHidden => "Cette personne ne sait pas que vous intervenez.",
        Reason::ItemExpired => "Cette information n'est plus à jour.",
        Reason::EmergencyEnded => "Cet accès en urgence est terminé.",
    };
    fixed.to_owned()
}

/// The act that would repair a refusal; `None` for a permit, and where nothing does.
#[must_use]
pub const fn repair(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Accord | Reason::Statute | Reason::OwnItem | Reason::Member | Reason::Emergency => None,
        Reason::AssignmentNotInForce => Some("Demander qui la remplace."),
        Reason::CharterNotSignedPerson | Reason::CharterNotSignedOrganisation => Some("Le lui rappeler."),
        Reason::NotAParticipant => Some("Inviter."),
        Reason::InvitationPending => Some("Relancer."),
        Reason::ContributorOnly => None,
        Reason::NotShared => Some("Partager."),
        Reason::ShareEnded => Some("Le renouveler."),
        Reason::SharingPaused => Some("Faire le bilan."),
        Reason::CeilingNever => Some("La famille peut le dire elle-même."),
        Reason::PurposeExcludesCategory => Some("Retirer ce sujet ou choisir un autre but."),
        Reason::AccordMissing => Some("Préparer l'accord."),
        Reason::AccordNotInForce => Some("Préparer l'accord / Demander au référent."),
        // LAW §5: a refusal needs no justification and is not argued with; only the family can change its mind.
        Reason::AccordRefused | Reason::AccordWithdrawn => {
            Some("Respecter ce choix. La famille peut changer d'avis : un nouvel accord sera alors à signer.")
        }
        Reason::AccordExpired => Some("Proposer de le renouveler."),
        Reason::AccordTooNarrow => Some("Ajouter ce sujet à l'accord."),
        Reason::InformationMissing => Some("Montrer le texte et faire signer."),
        Reason::StatuteNotOpen => Some("Voir « Danger »."),
        Reason::StatuteNeedsBothBound => None,
        Reason::RefusalNeedsManagerValidation | Reason::ManagerValidationNeeded => {
            Some("Demander la décision.")
        }
        Reason::NotFamilyReleased => Some("Faire valider ces mots."),
        Reason::AuthorHidden => Some("Faire transmettre par la famille."),
        Reason::ItemExpired => Some("La relire et la prolonger."),
        Reason::EmergencyEnded => {
            Some("Si le danger dure : appeler, puis ouvrir à nouveau avec un nouveau motif.")
        }
    }
}

/// [`repair`], with the telephone of whom to call where somebody has to be reminded.
#[must_use]
pub fn repair_line(reason: Reason, context: &Context) -> Option<String> {
    let act = repair(reason)?;
    let reminds = matches!(
        reason,
        Reason::CharterNotSignedPerson | Reason::CharterNotSignedOrganisation | Reason::InvitationPending
    );
    Some(match &context.telephone {
        Some(telephone) if reminds => format!("{} ({}).", act.trim_end_matches('.'), telephone.spoken()),
        Some(_) | None => act.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn day(y: i32, m: u32, d: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(y, m, d)
    }

    #[test]
    fn every_reason_has_its_own_sentence_that_stands_without_context() {
        let mut seen = BTreeSet::new();
        for reason in Reason::ALL {
            let said = sentence(*reason, &Context::default());
            assert!(said.ends_with('.') && said.chars().next().unwrap().is_uppercase(), "{said}");
            assert!(!said.contains(['{', '}', '_']) && !said.contains("  "), "{said}");
            assert!(seen.insert(said), "{reason:?} says the same as another");
        }
    }

    #[test]
    fn only_permits_and_two_refusals_have_no_repair() {
        let without: Vec<_> = Reason::ALL.iter().copied().filter(|r| repair(*r).is_none()).collect();
        assert_eq!(
            without,
            [
                Reason::Accord,
                Reason::Statute,
                Reason::OwnItem,
                Reason::Member,
                Reason::Emergency,
                Reason::ContributorOnly,
                Reason::StatuteNeedsBothBound
            ]
        );
    }

    #[test]
    fn a_permit_says_until_when_and_on_what_it_rests() {
        let context = Context { until: day(2027, 3, 14), signed_on: day(2027, 3, 2), ..Context::default() };
        assert_eq!(
            sentence(Reason::Accord, &context),
            "Lira jusqu'au 14 mars 2027, avec l'accord signé le 2 mars."
        );
        let context = Context { until: day(2027, 3, 14), signed_on: day(2026, 9, 1), ..Context::default() };
        assert_eq!(
            sentence(Reason::Accord, &context),
            "Lira jusqu'au 14 mars 2027, avec l'accord signé le 1er septembre 2026."
        );
        assert_eq!(sentence(Reason::Accord, &Context::default()), "Lira, avec l'accord de la famille.");
        assert!(
            sentence(Reason::Statute, &context).starts_with("Lira jusqu'au 14 mars 2027, par le partage")
        );
    }

    #[test]
    fn a_refusal_names_purpose_date_and_telephone() {
        let context = Context {
            purpose: Some(Purpose::Stay),
            ended_on: day(2027, 7, 26),
            telephone: Some(Phone::parse("0612345678").unwrap()),
            ..Context::default()
        };
        assert_eq!(
            sentence(Reason::PurposeExcludesCategory, &context),
            "Ce sujet ne sert pas à « Préparer un séjour »."
        );
        assert_eq!(sentence(Reason::AccordExpired, &context), "L'accord a pris fin le 26 juillet 2027.");
        assert_eq!(sentence(Reason::ShareEnded, &context), "Ce partage a pris fin le 26 juillet 2027.");
        assert_eq!(
            repair_line(Reason::CharterNotSignedPerson, &context).as_deref(),
            Some("Le lui rappeler (06 12 34 56 78).")
        );
        assert_eq!(repair_line(Reason::NotShared, &context).as_deref(), Some("Partager."));
        assert_eq!(repair_line(Reason::Accord, &context), None);
    }

    #[test]
    fn law_5_a_refusal_is_not_told_by_the_coarse_sentence() {
        for reason in [Reason::AccordMissing, Reason::AccordRefused, Reason::AccordWithdrawn] {
            assert_eq!(
                sentence(reason.coarse(), &Context { ended_on: day(2027, 1, 1), ..Context::default() }),
                "Il n'y a pas d'accord en cours pour ce partage."
            );
        }
    }
}
