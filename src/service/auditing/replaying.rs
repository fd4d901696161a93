//! Recorded decisions judged again (see `audit::replay`), in words for the auditor: one record, or those of a period.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::as_auditor;
use super::exporting::ExportDays;
use crate::access::CharterBook;
use crate::audit::replay::{Difference, Period, Replayed, Versions, replay as replay_log, replay_record};
use crate::audit::{Disclosed, LeafBody};
use crate::charter::{Charter, Matrix};
use crate::domain::day::Day;
use crate::service::{Act, App, Call, ServiceError};
use crate::store::charter::CharterRow;

/// How many days one replay of the console covers at most: a year.
pub const MOST_REPLAYED_DAYS: u64 = 366;
/// How many differences are told one by one.
const MOST_TOLD: usize = 50;

/// Which decisions an auditor has judged again.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayInput {
    /// First day, in Paris.
    pub from: Day,
    /// Last day, in Paris; at most 366 days in all.
    pub until: Day,
}

/// One record of which a decision no longer follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFinding {
    /// The record's.
    pub index: u64,
    /// In French.
    pub sentence: String,
}

/// What the replay of a period says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodReplay {
    /// Records of these days that have their body.
    pub records: u64,
    /// Decisions judged again on their facts.
    pub decisions: u64,
    /// Decisions that do not depend on the charter: their outcome was held against their reasons.
    pub plain: u64,
    pub differences: u64,
    /// The first of them.
    pub told: Vec<ReplayFinding>,
}

/// What a replay of one record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReplayView {
    /// Whether every decision gives the same answer again.
    pub equal: bool,
    /// Decisions judged again on their facts.
    pub decisions: u64,
    /// In French.
    pub sentence: String,
    /// In French, one for each decision that does not.
    pub differences: Vec<String>,
}

/// The charters as they are stored, compiled. One that no longer compiles to its hash is left out: a record that cites
/// it is then told, instead of being judged under another text.
#[must_use]
pub fn charter_versions(rows: &[CharterRow]) -> Versions {
    let matrix = |row: &CharterRow| -> Option<Arc<Matrix>> {
        let charter = Charter::from_files(&row.charter_text, &row.policy_text).ok()?;
        (charter.policy_hash() == row.policy_hash).then(|| Arc::new(charter.matrix().clone()))
    };
    Versions::new(rows.iter().filter_map(matrix).collect())
}

fn sentence(count: &Replayed) -> String {
    if count.differences > 0 {
        return "Rejouée, elle ne donne pas la même réponse : prévenez le responsable du traitement et vérifiez le journal."
            .to_owned();
    }
    match (count.decisions, count.plain) {
        (0, 0) => "Cette trace ne contient aucune décision à rejouer.".to_owned(),
        (0, _) => "Ses décisions ne dépendaient pas de la charte : leur issue s'accorde avec leurs raisons.".to_owned(),
        _ => "Rejouée sur les mêmes faits, avec la version de la charte qu'elle cite, elle donne la même réponse."
            .to_owned(),
    }
}

fn told(difference: &Difference) -> String {
    let mut said = difference.mismatch.french().to_owned();
    if let Some(hash) = &difference.charter {
        said.push_str(&format!(" ({hash})"));
    }
    if let (Some(recorded), Some(now)) = (&difference.recorded, &difference.now) {
        said.push_str(&format!(" : enregistré `{recorded}`, rejoué `{now}`"));
    }
    said
}

impl App {
    /// Judges every decision of these days again, on its facts, under the charter that it cites.
    ///
    /// # Errors
    /// [`ServiceError`]; a decision that does not follow is no error but an answer.
    pub fn audit_replay(
        &self,
        call: &Call,
        act: Act,
        input: ReplayInput,
    ) -> Result<Disclosed<PeriodReplay>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let days = ExportDays::between(input.from, input.until, MOST_REPLAYED_DAYS, "Un rejeu")?;
            let book = self.book(desk.snapshot)?;
            let mut versions = versions(&book);
            let mut findings = Vec::new();
            let mut tell = |index: i64, difference: Difference| {
                if findings.len() < MOST_TOLD {
                    let index = index.unsigned_abs();
                    findings.push(ReplayFinding { index, sentence: told(&difference) });
                }
            };
            let period = Period { from: days.first(), until: days.after() };
            let count = replay_log(desk.snapshot, &mut versions, period, &mut tell, &mut |_| {})?;
            Ok(PeriodReplay {
                records: count.records,
                decisions: count.decisions,
                plain: count.plain,
                differences: count.differences,
                told: findings,
            })
        })
    }
}

fn versions(book: &CharterBook) -> Versions {
    Versions::new(book.editions().iter().map(|e| Arc::clone(&e.matrix)).collect())
}

/// Judges one record again, under the charters of this book.
pub(super) fn replay(book: &CharterBook, body: &LeafBody) -> ReplayView {
    let mut versions = versions(book);
    let (mut count, mut differences) = (Replayed::default(), Vec::new());
    replay_record(body, &mut versions, &mut count, &mut |d| differences.push(told(&d)));
    ReplayView {
        equal: count.differences == 0,
        decisions: count.decisions,
        sentence: sentence(&count),
        differences,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::record::{Action, ResourceKind};
    use crate::domain::vocabulary::{Category, Mandate, Purpose, Role};
    use crate::service::pathway_tests::{Case, leisure, to};
    use crate::service::reading::ItemsQuery;

    const REPLAY: Act = Act { action: Action::Search, resource: ResourceKind::AuditLog };

    fn refused(case: &Case, who: &str, from: Day, until: Day) -> &'static str {
        match case.t.app.audit_replay(&case.t.call(who), REPLAY, ReplayInput { from, until }) {
            Ok(_) => "ok",
            Err(ServiceError::AbsentOrRefused) => "absent",
            Err(ServiceError::Rule { code, .. }) => code,
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn a_period_judged_again_gives_the_same_answers_and_names_the_record_that_does_not() {
        let case = Case::new();
        let t = &case.t;
        let read = || {
            let query = ItemsQuery { purpose: Some(Purpose::Coordination), ..ItemsQuery::default() };
            t.app.items(&t.call("prevention"), &case.id, query).unwrap().into_inner().items.len()
        };
        case.agree(Purpose::Coordination, &[to("prevention", &[Category::Leisure])]);
        case.join("prevention", Mandate::Contractual, Role::Participant);
        let (_, version) = case.write("referente", &leisure("Judo le mardi"));
        case.share("referente", "prevention", Purpose::Coordination, &[version]);
        assert_eq!(read(), 1);
        let today = Day::new(t.clock.now().paris_day()).unwrap();
        let yesterday = Day::new(today.date().pred_opt().unwrap()).unwrap();
        let replayed = |from, until| {
            t.app.audit_replay(&t.call("auditor"), REPLAY, ReplayInput { from, until }).unwrap().into_inner()
        };
        let honest = replayed(today, today);
        assert!(honest.decisions > 0 && honest.records > honest.decisions, "{honest:?}");
        assert_eq!((honest.differences, honest.told.len()), (0, 0), "{honest:?}");
        let before = replayed(yesterday, yesterday);
        assert_eq!((before.records, before.decisions), (0, 0));

        // Somebody who owns the database has it that an emergency opened it; then, that something else was judged.
        t.write(|tx, _| tx.as_owner("DROP TRIGGER audit_leaf_prune_only"));
        let rewrite = |old: &'static str, new: &'static str| {
            let sql = format!("UPDATE audit_leaf SET body = replace(body, '{old}', '{new}')");
            t.write(move |tx, _| tx.as_owner(&sql));
        };
        let (accord, emergency) = ("\"reason\":\"accord\"", "\"reason\":\"emergency\"");
        rewrite(accord, emergency);
        assert!(replayed(today, today).differences > 0);
        rewrite(emergency, accord);
        assert_eq!(replayed(today, today).differences, 0);
        rewrite("\"category\":\"leisure\"", "\"category\":\"judicial\"");
        let forged = replayed(today, today);
        assert!(forged.differences > 0 && !forged.told.is_empty(), "{forged:?}");
        let index = i64::try_from(forged.told[0].index).unwrap();
        let body = t.app.store().snapshot().unwrap().log_body(index).unwrap().unwrap();
        assert!(body.contains("judicial"), "{body}");

        assert_eq!(refused(&case, "auditor", today, yesterday), "days_out_of_order");
        let far = Day::new(today.date() + chrono::Days::new(MOST_REPLAYED_DAYS)).unwrap();
        assert_eq!(refused(&case, "auditor", today, far), "too_many_days");
        for who in ["officer", "referente", "administrator"] {
            assert_eq!(refused(&case, who, today, today), "absent", "{who}");
        }
    }
}
