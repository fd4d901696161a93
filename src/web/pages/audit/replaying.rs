//! « Rejouer les décisions »: those of some days, judged again under the charter of their day.

use askama::Template;

use crate::domain::record::{Action, ResourceKind};
use crate::service::{Act, App, MOST_REPLAYED_DAYS, PeriodReplay, ReplayInput};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const TITLE: &str = "Rejouer les décisions";

#[derive(Template)]
#[template(path = "audit_replay.html")]
struct ReplayPage {
    shell: Shell,
    entered: Entered,
    found: Option<PeriodReplay>,
}

fn counted(number: u64, one: &str, many: &str) -> String {
    words::plural(i64::try_from(number).unwrap_or(i64::MAX), one, many)
}

impl ReplayPage {
    /// « Au plus 366 jours en tout. »
    fn most_days() -> String {
        format!("Au plus {MOST_REPLAYED_DAYS} jours en tout.")
    }

    fn differing(&self, found: &PeriodReplay) -> String {
        format!(
            "{} plus la même réponse.",
            counted(found.differences, "décision ne donne", "décisions ne donnent")
        )
    }

    fn sums(&self, found: &PeriodReplay) -> String {
        format!(
            "{} : {} sur leurs faits, {} sans lien avec la charte ; les autres ne portent pas de décision à rejouer \
             (connexions, listes).",
            words::records(&found.records),
            counted(found.decisions, "décision rejouée", "décisions rejouées"),
            found.plain
        )
    }
}

/// The rows; before those of a record, whose address has a number in the same place.
#[must_use]
pub fn routes() -> Vec<Route> {
    const AT: &str = "/controle/rejouer";
    let row = crate::web::pages::row;
    vec![
        row(Method::Get, AT, (Action::Read, ResourceKind::Checkpoint), form),
        row(Method::Post, AT, (Action::Search, ResourceKind::AuditLog), replay),
    ]
}

fn show(
    app: &App,
    incoming: &Incoming,
    status: u16,
    entered: Entered,
    found: Option<PeriodReplay>,
) -> Result<Answer, Fault> {
    // Whoever is no auditor is told of no form either.
    let act = Act { action: Action::Read, resource: ResourceKind::Checkpoint };
    drop(app.audit_state(incoming.call()?, act)?);
    let shell = Shell::signed_in(app, incoming, Room::Audit, TITLE)?;
    Answer::page_with(status, &ReplayPage { shell, entered, found })
}

fn form(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::nothing(), None)
}

/// Changes nothing: the answer is the page itself, with what was found.
fn replay(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<PeriodReplay, Fault> {
        let input: ReplayInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(app.audit_replay(incoming.call()?, incoming.act, input)?.into_inner())
    };
    match attempt() {
        Ok(found) => show(app, incoming, 200, Entered::sent(&incoming.form), Some(found)),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show(app, incoming, status, entered, None))
        }
    }
}

impl Page for ReplayPage {
    #[cfg(test)]
    const NAME: &'static str = "audit_replay";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::text::{EntryError, FieldErrors};
        use crate::service::{ReplayFinding, ServiceError};
        use crate::web::form::Form;
        let sent = Form::of(&[("from", "2027-03-01"), ("until", "2027-03-31")]);
        let page = |entered, found| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Audit, TITLE),
            entered,
            found,
        };
        let found = |decisions, told: Vec<ReplayFinding>| PeriodReplay {
            records: 1_203,
            decisions,
            plain: 37 * decisions.min(1),
            differences: u64::try_from(told.len()).unwrap(),
            told,
        };
        let sentence = "La décision ne suit pas des faits : enregistré `permit`, rejoué `deny`".to_owned();
        let differing = vec![ReplayFinding { index: 12, sentence }];
        let wrong = ServiceError::Invalid(FieldErrors::one("until", EntryError::Missing));
        vec![
            ("first", page(Entered::nothing(), None)),
            ("equal", page(Entered::sent(&sent), Some(found(311, vec![])))),
            ("nothing", page(Entered::sent(&sent), Some(found(0, vec![])))),
            ("differs", page(Entered::sent(&sent), Some(found(311, differing)))),
            ("refused", page(Entered::refused(&sent, &wrong), None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn page_of_a_replay() {
        crate::web::pages::snapshots::check::<super::ReplayPage>();
    }
}
