//! « Conservation du journal »: what is past its time, who asked that it be pruned, and the second person's decision.

use askama::Template;
use chrono::NaiveDate;

use crate::domain::pruning::{DECISION_DAYS, PruningOpinion, PruningState};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::PruningId;
use crate::service::{App, PruningDecisionInput, PruningInput, PruningProspect, PruningView, ServiceError};
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::{Room, Shell};
use crate::web::pages::today::Line;
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const TITLE: &str = "Conservation du journal";

/// What is past its time, and every request.
#[derive(Template)]
#[template(path = "prunings.html")]
struct ListPage {
    shell: Shell,
    prospects: Vec<Prospect>,
    /// Those that wait for who looks.
    waiting: Vec<PruningView>,
    others: Vec<PruningView>,
}

/// What is past its time, and whether it is asked for already.
struct Prospect {
    due: PruningProspect,
    running: bool,
}

/// The request, before it is made.
#[derive(Template)]
#[template(path = "pruning_ask.html")]
struct AskPage {
    shell: Shell,
    due: PruningProspect,
    entered: Entered,
}

/// One of them.
#[derive(Template)]
#[template(path = "pruning.html")]
struct OnePage {
    shell: Shell,
    one: PruningView,
    entered: Entered,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const ASK: &str = "/conservation/demander";
    const ONE: &str = "/conservation/{pruning}";
    let row = crate::web::pages::row;
    let did = |action| (action, ResourceKind::Pruning);
    vec![
        row(Method::Get, "/conservation", did(Action::List), list),
        row(Method::Get, ASK, did(Action::Read), ask_page),
        row(Method::Post, ASK, did(Action::Create), ask),
        row(Method::Get, ONE, did(Action::List), one_page),
        row(Method::Post, ONE, did(Action::Confirm), decide),
    ]
}

impl AskPage {
    /// Beside the field: the latest day, and what it comes to.
    fn latest(&self) -> String {
        format!(
            "Au plus tard le {} : {}.",
            words::day_in_words(&self.due.before),
            words::records(&self.due.records)
        )
    }
}

impl OnePage {
    /// How many records have lost their content.
    const fn done(&self) -> u64 {
        self.one.records.saturating_sub(self.one.left)
    }
}

fn all(app: &App, incoming: &Incoming) -> Result<Vec<PruningView>, Fault> {
    Ok(app.prunings(incoming.call()?)?.into_inner().items)
}

fn prospects(app: &App, incoming: &Incoming) -> Result<Vec<PruningProspect>, Fault> {
    Ok(app.pruning_prospects(incoming.call()?)?.into_inner().items)
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let asked = all(app, incoming)?;
    let prospects = prospects(app, incoming)?
        .into_iter()
        .map(|due| Prospect { running: asked.iter().any(|r| r.class == due.class && r.state.runs()), due })
        .collect();
    let (waiting, others) = asked.into_iter().partition(|r| r.may_decide);
    let shell = Shell::signed_in(app, incoming, Room::Prunings, TITLE)?;
    Answer::page(&ListPage { shell, prospects, waiting, others })
}

fn show_ask(app: &App, incoming: &Incoming, status: u16, entered: Option<Entered>) -> Result<Answer, Fault> {
    // One class only is ever pruned; where a charter keeps longer, its day is further back, not absent.
    let due =
        prospects(app, incoming)?.into_iter().next().ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let entered = match entered {
        Some(entered) => entered,
        None => {
            let before = due.before.to_string();
            Entered::first_or(app, incoming, Entered::filled(&[("before", &before)]))?
        }
    };
    let shell = Shell::signed_in(app, incoming, Room::Prunings, "Demander un élagage")?;
    Answer::page_with(status, &AskPage { shell, due, entered })
}

fn ask_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show_ask(app, incoming, 200, None)
}

fn ask(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<(), Fault> {
        let input: PruningInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.pruning_ask(incoming.call()?, &input)?;
        Ok(())
    };
    match attempt() {
        Ok(()) => Ok(Answer::see_other("/conservation?fait=seconde-personne")),
        Err(fault) => {
            back(app, incoming, fault, |status, entered| show_ask(app, incoming, status, Some(entered)))
        }
    }
}

fn id(incoming: &Incoming) -> Result<PruningId, Fault> {
    incoming.id("pruning", PruningId::parse)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let id = id(incoming)?;
    let one = all(app, incoming)?.into_iter().find(|r| r.id == id);
    let one = one.ok_or(Fault::Syntax(ServiceError::AbsentOrRefused))?;
    let shell = Shell::signed_in(app, incoming, Room::Prunings, "Demande d'élagage")?;
    Answer::page_with(status, &OnePage { shell, one, entered })
}

fn one_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<PruningOpinion, Fault> {
        let input: PruningDecisionInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        app.pruning_decide(incoming.call()?, &id(incoming)?, &input)?;
        Ok(input.outcome)
    };
    match attempt() {
        Ok(PruningOpinion::Confirmed) => Ok(Answer::see_other("/conservation?fait=elagage")),
        Ok(PruningOpinion::Refused) => Ok(Answer::see_other("/conservation?fait=decide")),
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// What waits for who may be second: lines of the first page.
///
/// # Errors
/// As the service.
pub(in crate::web::pages) fn waiting(app: &App, incoming: &Incoming) -> Result<Vec<Line>, Fault> {
    let today = app.clock().now().paris_day();
    Ok(all(app, incoming)?.into_iter().filter(|r| r.may_decide).map(|r| line_of(&r, today)).collect())
}

fn line_of(one: &PruningView, today: NaiveDate) -> Line {
    Line {
        chip: "Élagage du journal",
        urgent: false,
        whose: None,
        sentence: format!(
            "{} ({}) demande que {} d'avant le {} perdent leur contenu. Confirmez ou refusez.",
            one.asked_by.name,
            one.asked_by.organisation,
            words::records(&one.records),
            words::day_in_words(&one.before),
        ),
        when: Some(words::dated(&one.asked_at, &today)),
        telephone: None,
        href: format!("/conservation/{}", one.id),
        act: "Lire et décider",
    }
}

#[cfg(test)]
pub(in crate::web::pages) mod samples {
    use super::*;
    use crate::domain::record::RetentionClass;
    use crate::domain::vocabulary::Profession;
    use crate::web::pages::frame::sample::who;

    pub(super) fn due(records: u64) -> PruningProspect {
        let before = NaiveDate::from_ymd_opt(2026, 3, 14).unwrap();
        PruningProspect { class: RetentionClass::Technical, months: 12, before, records }
    }

    pub(super) fn one(state: PruningState, mine: bool) -> PruningView {
        let decided = !matches!(state, PruningState::Waiting | PruningState::Lapsed);
        PruningView {
            id: PruningId::parse(&"a".repeat(26)).unwrap(),
            class: RetentionClass::Technical,
            before: due(0).before,
            records: 4_812,
            first: 3,
            last: 9_420,
            left: match state {
                PruningState::Done => 0,
                PruningState::Running => 812,
                PruningState::Waiting | PruningState::Lapsed | PruningState::Refused => 4_812,
            },
            until: (state == PruningState::Waiting).then(|| "2027-04-11T10:00:00Z".to_owned()),
            asked_at: "2027-03-12T10:00:00Z".to_owned(),
            asked_by: who("Irène Vidal", "Contrôle", Profession::Auditor),
            mine,
            reason: "Terme des douze mois de la charte.".to_owned(),
            state,
            may_decide: !mine && state == PruningState::Waiting,
            decided_by: decided.then(|| who("Émile Garnier", "Contrôle", Profession::DataProtectionOfficer)),
            remark: decided.then(|| "Charte et dates relues.".to_owned()),
        }
    }

    /// The line of the first page.
    pub(in crate::web::pages) fn line(today: NaiveDate) -> Line {
        line_of(&one(PruningState::Waiting, false), today)
    }
}

impl Page for ListPage {
    #[cfg(test)]
    const NAME: &'static str = "prunings";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |records, running, waiting, others| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Prunings, TITLE),
            prospects: vec![Prospect { due: samples::due(records), running }],
            waiting,
            others,
        };
        let every = PruningState::ALL.iter().map(|state| samples::one(*state, true)).collect();
        let asked = vec![samples::one(PruningState::Waiting, false)];
        vec![
            ("nothing_due", page(0, false, vec![], vec![])),
            ("due", page(4_812, false, vec![], vec![])),
            ("every", page(4_812, true, asked, every)),
        ]
    }
}

impl Page for AskPage {
    #[cfg(test)]
    const NAME: &'static str = "pruning_ask";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::text::{EntryError, FieldErrors};
        let page = |entered| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Prunings, "Demander un élagage"),
            due: samples::due(4_812),
            entered,
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("reason", EntryError::Missing));
        let refused = Entered::refused(&crate::web::form::Form::of(&[("before", "2026-03-14")]), &wrong);
        vec![("first", page(Entered::filled(&[("before", "2026-03-14")]))), ("refused", page(refused))]
    }
}

impl Page for OnePage {
    #[cfg(test)]
    const NAME: &'static str = "pruning";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state, mine| Self {
            shell: crate::web::pages::shell::sample::signed_in(Room::Prunings, "Demande d'élagage"),
            one: samples::one(state, mine),
            entered: Entered::nothing(),
        };
        vec![
            ("to_decide", page(PruningState::Waiting, false)),
            ("asked", page(PruningState::Waiting, true)),
            ("running", page(PruningState::Running, true)),
            ("done", page(PruningState::Done, false)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_prunings() {
        crate::web::pages::snapshots::check::<super::ListPage>();
        crate::web::pages::snapshots::check::<super::AskPage>();
        crate::web::pages::snapshots::check::<super::OnePage>();
    }
}
