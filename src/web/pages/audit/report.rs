//! « Le rapport du mois »: figures of a month that is over, to print, and the same as a signed text to keep.

use askama::Template;

use crate::domain::day::Month;
use crate::domain::record::{Action, ResourceKind};
use crate::service::{Act, App, Figure, LEAST_COUNT, LEAST_PERSONS, MonthlyReport, ServiceError};
use crate::web::pages::Page;
use crate::web::pages::entered::Entered;
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const TITLE: &str = "Le rapport du mois";
const ACT: Act = Act { action: Action::Read, resource: ResourceKind::MonthlyReport };

#[derive(Template)]
#[template(path = "audit_report.html")]
struct ReportPage {
    shell: Shell,
    entered: Entered,
    report: Option<MonthlyReport>,
}

impl ReportPage {
    /// Title of each table, and its lines.
    fn tables(report: &MonthlyReport) -> [(&'static str, &[Figure]); 4] {
        [
            ("Consultations par structure", &report.by_organisation),
            ("Consultations par profession", &report.by_profession),
            ("Consultations par but", &report.by_purpose),
            ("Refus de lire des mots, par raison", &report.refusals_by_reason),
        ]
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, "/controle/rapport", (ACT.action, ACT.resource), page).asking(&["mois", "fait"]),
        row(Method::Get, "/controle/rapport/note", (Action::Export, ACT.resource), note).asking(&["mois"]),
    ]
}

/// The month that is asked for; the last one that is over otherwise.
fn month(app: &App, incoming: &Incoming) -> Result<Month, Fault> {
    let asked = incoming.query("mois", Month::parse)?;
    Ok(asked.unwrap_or_else(|| Month::of(app.clock().now().paris_day()).before()))
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let month = month(app, incoming)?;
    let said = month.to_string();
    let sent = crate::web::form::Form::of(&[("mois", said.as_str())]);
    let (status, entered, report) = match app.audit_report(incoming.call()?, incoming.act, month) {
        Ok(report) => (200, Entered::sent(&sent), Some(report.into_inner())),
        Err(error @ ServiceError::Rule { .. }) => (422, Entered::refused(&sent, &error), None),
        Err(error) => return Err(error.into()),
    };
    let shell = Shell::signed_in(app, incoming, Room::Audit, TITLE)?;
    Answer::page_with(status, &ReportPage { shell, entered, report })
}

fn note(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let month = month(app, incoming)?;
    let note = app.audit_report_note(incoming.call()?, incoming.act, month)?.into_inner();
    let name = format!("rapport-{month}.txt");
    Ok(Answer::File { media: super::PLAIN, name, body: note.into_bytes() })
}

impl Page for ReportPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_report";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered, report| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Audit, TITLE),
            entered,
            report,
        };
        let asked = crate::web::form::Form::of(&[("mois", "2027-03")]);
        let early = ServiceError::rule(
            "month_not_over",
            "Ce mois n'est pas fini (mars 2027) : son rapport se fait à partir du 1er avril 2027.",
        );
        vec![
            ("ordinary", page(Entered::sent(&asked), Some(samples::ordinary()))),
            ("nothing", page(Entered::sent(&asked), Some(samples::nothing()))),
            ("early", page(Entered::refused(&asked, &early), None)),
        ]
    }
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::domain::record::ReviewKind;
    use crate::service::{ReportCheckpoint, ReportVerification, ReportWitness, ReviewFigure};

    fn figure(code: Option<&str>, label: &str, count: u64) -> Figure {
        Figure { code: code.map(ToOwned::to_owned), label: label.to_owned(), count }
    }

    fn reviews(waiting: u64) -> Vec<ReviewFigure> {
        let one =
            |kind: &ReviewKind| ReviewFigure { kind: *kind, accesses: 4, waiting, overdue: waiting / 2 };
        ReviewKind::ALL.iter().map(one).collect()
    }

    pub fn nothing() -> MonthlyReport {
        MonthlyReport {
            month: "2027-03".to_owned(),
            month_said: "mars 2027".to_owned(),
            origin: "relais.test/val-d-orme".to_owned(),
            made_at: "2027-04-02T09:12:00Z".to_owned(),
            records: 0,
            first: None,
            last: None,
            permitted: 0,
            refused: 0,
            failed: 0,
            openings: 0,
            by_organisation: Vec::new(),
            by_profession: Vec::new(),
            by_purpose: Vec::new(),
            refusals_by_reason: Vec::new(),
            openings_out_of_hours: 0,
            openings_by_statute: 0,
            emergencies: 0,
            sign_in_failures: 0,
            reviews: reviews(0),
            emergency_reviews_late: 0,
            checkpoint: None,
            verification: ReportVerification { holds: true, records: 12, failure: None, losses: Vec::new() },
        }
    }

    pub fn ordinary() -> MonthlyReport {
        MonthlyReport {
            records: 1198,
            first: Some(6),
            last: Some(1203),
            permitted: 1100,
            refused: 90,
            failed: 8,
            openings: 412,
            by_organisation: vec![
                figure(Some("a"), "Ville de Val-d'Orme", 300),
                figure(None, "Tous les autres ensemble", 112),
            ],
            by_profession: vec![figure(None, "Ensemble, sans distinction", 412)],
            by_purpose: vec![figure(Some("stay"), "Séjour", 412)],
            refusals_by_reason: vec![figure(Some("not_shared"), "Rien n'a été partagé.", 90)],
            openings_out_of_hours: 7,
            openings_by_statute: 3,
            emergencies: 1,
            sign_in_failures: 31,
            reviews: reviews(2),
            emergency_reviews_late: 1,
            checkpoint: Some(ReportCheckpoint {
                size: 1204,
                root: "q1B3mJ3i9p7Wm4b0n3tYH0vN6c5e1kQ2Z8r7s9uXyw0=".to_owned(),
                witnesses: vec![ReportWitness {
                    name: "departement.example/temoin".to_owned(),
                    at: "2027-04-01T00:02:00Z".to_owned(),
                }],
            }),
            verification: ReportVerification {
                holds: false,
                records: 40,
                failure: Some("Trace n° 40 : son contenu n'est plus celui qui a été attesté.".to_owned()),
                losses: vec![crate::web::pages::audit::samples::LOSS.to_owned()],
            },
            ..nothing()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn page_of_a_report() {
        crate::web::pages::snapshots::check::<super::ReportPage>();
    }
}
