//! « Emporter des traces »: records of some days as a file for a spreadsheet or for another program.

use askama::Template;

use crate::domain::record::{Action, ExportFormat, ResourceKind};
use crate::service::{Act, App, ExportInput, MOST_EXPORTED_DAYS};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const TITLE: &str = "Emporter des traces";

#[derive(Template)]
#[template(path = "audit_export.html")]
struct ExportPage {
    shell: Shell,
    entered: Entered,
}

impl ExportPage {
    /// « Au plus 92 jours en tout. »
    fn most_days() -> String {
        format!("Au plus {MOST_EXPORTED_DAYS} jours en tout.")
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const AT: &str = "/controle/emporter";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, AT, (Action::Read, ResourceKind::Checkpoint), form),
        row(Method::Post, AT, (Action::Export, ResourceKind::LogExport), export),
    ]
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    // Whoever is no auditor is told of no form either.
    let act = Act { action: Action::Read, resource: ResourceKind::Checkpoint };
    drop(app.audit_state(incoming.call()?, act)?);
    let shell = Shell::signed_in(app, incoming, Room::Audit, TITLE)?;
    Answer::page_with(status, &ExportPage { shell, entered })
}

fn form(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::filled(&[("format", ExportFormat::Csv.code())]))
}

fn export(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<Answer, Fault> {
        let input: ExportInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(Answer::export(app.audit_export(incoming.call()?, incoming.act, &input)?))
    };
    match attempt() {
        Ok(answer) => Ok(answer),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

impl Page for ExportPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_export";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |entered| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Audit, TITLE),
            entered,
        };
        let sent = [("format", "csv"), ("from", "2027-03-31"), ("until", "2027-03-01")];
        let wrong = crate::service::ServiceError::rule(
            "days_out_of_order",
            "Le dernier jour est avant le premier : corrigez l'un des deux.",
        );
        vec![
            ("first", page(Entered::filled(&[("format", "csv")]))),
            ("refused", page(Entered::refused(&crate::web::form::Form::of(&sent), &wrong))),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn page_of_an_export() {
        crate::web::pages::snapshots::check::<super::ExportPage>();
    }
}
