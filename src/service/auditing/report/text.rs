//! The report as plain text, to be signed.
//!
//! THREAT: a signed text that a verifier takes for a checkpoint would be a second history under the real key. The first
//! line of a checkpoint is the log's name; the first line of a report is [`FIRST_LINE`], which is the name of no log,
//! since a name has no space.

use super::{Figure, MonthlyReport};
use crate::clock::Timestamp;
use crate::domain::day::french_date;

/// Says what it is.
pub(super) const FIRST_LINE: &str = "Relais, rapport mensuel du journal, version 1";

/// A text of one line, whatever it holds: names of structures are typed by people.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn figures(out: &mut Vec<String>, title: &str, figures: &[Figure]) {
    out.push(title.to_owned());
    if figures.is_empty() {
        out.push("- aucune".to_owned());
    }
    out.extend(figures.iter().map(|f| format!("- {} : {}", line(&f.label), f.count)));
}

/// All of it, with its last newline.
pub(super) fn of(report: &MonthlyReport) -> String {
    let made =
        Timestamp::parse_rfc3339(&report.made_at).map_or_else(String::new, |at| french_date(at.paris_day()));
    let mut out = vec![
        FIRST_LINE.to_owned(),
        format!("Journal : {}", report.origin),
        format!("Mois : {} ({})", report.month, report.month_said),
        format!("Fait le {made} ({})", report.made_at),
        match (report.first, report.last) {
            (Some(first), Some(last)) => format!("Traces : {}, du n° {first} au n° {last}", report.records),
            _ => "Traces : aucune".to_owned(),
        },
        format!("Autorisé : {} ; refusé : {} ; échoué : {}", report.permitted, report.refused, report.failed),
        format!("Consultations : {}", report.openings),
    ];
    figures(&mut out, "Consultations par structure :", &report.by_organisation);
    figures(&mut out, "Consultations par profession :", &report.by_profession);
    figures(&mut out, "Consultations par but :", &report.by_purpose);
    figures(&mut out, "Refus de lire des mots, par raison :", &report.refusals_by_reason);
    out.push(format!("Consultations hors horaires : {}", report.openings_out_of_hours));
    out.push(format!("Consultations prévues par la loi, sans accord : {}", report.openings_by_statute));
    out.push(format!("Accès en urgence : {}", report.emergencies));
    out.push(format!(
        "Accès en urgence, de tous les mois, dont l'examen est en retard : {}",
        report.emergency_reviews_late
    ));
    out.push(format!("Connexions refusées : {}", report.sign_in_failures));
    out.push("Accès du mois à examiner un par un :".to_owned());
    out.extend(report.reviews.iter().map(|r| {
        format!("- {} : {}, en attente {}, en retard {}", r.kind.french(), r.accesses, r.waiting, r.overdue)
    }));
    match &report.checkpoint {
        None => out.push("Point de contrôle sur le mois : aucun".to_owned()),
        Some(checkpoint) => {
            out.push(format!("Point de contrôle sur le mois : {} {}", checkpoint.size, checkpoint.root));
            if checkpoint.witnesses.is_empty() {
                out.push("- cosigné par aucun témoin".to_owned());
            }
            out.extend(checkpoint.witnesses.iter().map(|w| format!("- cosigné par {} le {}", w.name, w.at)));
        }
    }
    out.push(match &report.verification.failure {
        None => {
            format!("Vérification : le journal tient, {} traces recalculées", report.verification.records)
        }
        Some(failure) => format!("Vérification : LE JOURNAL NE TIENT PAS. {}", line(failure)),
    });
    out.extend(report.verification.losses.iter().map(|loss| line(loss)));
    out.push("Aucun groupe de moins de 3 personnes ou de 5 actes n'est compté à part.".to_owned());
    out.join("\n") + "\n"
}
