//! What an auditor sees first: the records, how many there were each day, and what is worth looking at.
//!
//! INVARIANT: days are counted by the database; no record is walked through for a count.
//! LAW: L1121-1 code du travail. A finding says that a threshold was passed, by whom (as the records say it: profession,
//! structure, pseudonym), and leads to the records. It gives no number for anybody, compares nobody, and comes in the order
//! of time among its like; what waits for somebody to decide comes first.
//! It decides nothing: a finding is a place to look, not a fault.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Timelike};
use serde::Serialize;

use super::{LogState, OrganisationName, RecordPage, RecordSearch, as_auditor, proving, read_body, watching};
use crate::audit::Disclosed;
use crate::clock::{Timestamp, plus_days};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::service::{Act, App, Call, Desk, ServiceError};
use crate::store::log::LogFilter;

/// Days that are looked at when nothing else is asked, today included.
const DAYS: u64 = 30;
/// The most days that are counted at once.
const MOST_DAYS: u64 = 92;
/// Findings of one kind.
const MOST: i64 = 10;
/// A decision on a statutory share is looked at again within this time.
const REVIEW_DAYS: u64 = 30;

/// How many records a day had, by decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayCount {
    /// The day in Paris.
    pub on: NaiveDate,
    pub permit: i64,
    pub deny: i64,
    pub failed: i64,
}

/// What is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FindingKind {
    /// Openings at night, on a week-end or on a public holiday.
    OutOfHours,
    /// Many openings by one person within an hour.
    Bulk,
    /// Many refusals to one person within an hour.
    Refusals,
    /// A share provided for by law on which no second person has decided.
    StatuteUndecided,
    /// A decision on such a share that nobody has looked at again.
    StatuteReview,
    /// An opening in an emergency that no officer has reviewed in time.
    EmergencyLate,
    /// Many openings of one pathway by one person who does nothing there.
    Curiosity,
    /// An affectation that nobody uses.
    Dormant,
}

/// One of them, and the search that shows its records.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// In French.
    pub sentence: String,
    pub search: RecordSearch,
}

/// The first page of an auditor.
#[derive(Clone, Debug, Serialize)]
pub struct Console {
    pub page: RecordPage,
    /// Days of the chart.
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub days: Vec<DayCount>,
    pub findings: Vec<Finding>,
    pub state: LogState,
    pub organisations: Vec<OrganisationName>,
}

fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(chrono::Days::new(days)).unwrap_or(day)
}

/// The days of the chart: those asked for, as far as they are not too many; the last thirty otherwise.
fn span(search: &RecordSearch, today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let until = search.until.unwrap_or(today).min(today);
    let earliest = before(until, MOST_DAYS.saturating_sub(1));
    let from = search.from.unwrap_or_else(|| before(until, DAYS.saturating_sub(1)));
    (from.max(earliest).min(until), until)
}

fn days(
    desk: &mut Desk<'_>,
    search: &RecordSearch,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<DayCount>, ServiceError> {
    let asked = RecordSearch { from: Some(from), until: Some(until), cursor: None, ..search.clone() };
    let mut days = BTreeMap::new();
    for counted in desk.snapshot.log_hours(&asked.filter(None, desk.now)?)? {
        let on = counted.hour.paris_day();
        let day = days.entry(on).or_insert(DayCount { on, permit: 0, deny: 0, failed: 0 });
        let decision = Verdict::parse(&counted.decision).map_err(ServiceError::internal)?;
        let sum = match decision {
            Verdict::Permit => &mut day.permit,
            Verdict::Deny => &mut day.deny,
            Verdict::Failed => &mut day.failed,
        };
        *sum = sum.saturating_add(counted.records);
    }
    Ok(days.into_values().collect())
}

/// « le 14 mars 2027, entre 10 h et 11 h »
fn hour_said(hour: Timestamp) -> String {
    let local = hour.utc().with_timezone(&chrono_tz::Europe::Paris).hour();
    let day = crate::domain::day::french_date(hour.paris_day());
    format!("le {day}, entre {local} h et {} h", local.saturating_add(1))
}

fn bursts(
    desk: &mut Desk<'_>,
    kind: FindingKind,
    search: &RecordSearch,
    least: i64,
    said: &str,
) -> Result<Vec<Finding>, ServiceError> {
    let mut found = Vec::new();
    for (hour, actor) in desk.snapshot.log_bursts(&search.filter(None, desk.now)?, least, MOST)? {
        let search = RecordSearch {
            from: Some(hour.paris_day()),
            until: Some(hour.paris_day()),
            actor: Some(actor),
            ..search.clone()
        };
        let who = named(desk, &search)?;
        let sentence = format!("{said} par une même personne en une heure, {} : {who}.", hour_said(hour));
        found.push(Finding { kind, sentence, search });
    }
    Ok(found)
}

/// Whom the records of a search are of, as the latest of them says it.
pub(super) fn named(desk: &mut Desk<'_>, search: &RecordSearch) -> Result<String, ServiceError> {
    let filter = search.filter(None, desk.now)?;
    let Some((_, text)) = desk.snapshot.log_page(&filter, 1)?.into_iter().next() else {
        return Ok("une personne dont les traces ne sont plus là".to_owned());
    };
    let body = read_body(&text)?;
    let organisation = match &body.organisation {
        Some(id) => desk.snapshot.organisation_fetch(id)?.map(|o| o.words.name),
        None => None,
    };
    Ok(super::words::who(&body, organisation.as_deref()))
}

/// Statutory shares by the records alone: which pathway's last act is older than its review. A record does not name the
/// share: two shares on one pathway count as one here.
fn statutes(desk: &mut Desk<'_>) -> Result<Vec<Finding>, ServiceError> {
    let mut last: BTreeMap<String, (i64, Timestamp, Action)> = BTreeMap::new();
    for action in [Action::Create, Action::Confirm, Action::End] {
        let filter = LogFilter {
            action: Some(action.code().to_owned()),
            resource: Some(ResourceKind::Statute.code().to_owned()),
            decision: Some(Verdict::Permit.code().to_owned()),
            ..LogFilter::default()
        };
        for (index, text) in desk.snapshot.log_page(&filter, 500)? {
            let body = read_body(&text)?;
            // A repeated request is recorded anew, and wrote nothing.
            if body.write_digest.is_none() {
                continue;
            }
            let Some(pathway) = body.pathway else { continue };
            let slot = last.entry(pathway.to_string()).or_insert((index, body.at, action));
            if slot.0 < index {
                *slot = (index, body.at, action);
            }
        }
    }
    let today = desk.now.paris_day();
    let mut found: Vec<(Timestamp, Finding)> = Vec::new();
    for (pathway, (_, at, action)) in last {
        let day = at.paris_day();
        let said = crate::domain::day::french_date(day);
        let overdue = plus_days(day, REVIEW_DAYS).is_some_and(|due| due < today);
        let (kind, sentence) = if action == Action::Create {
            let sentence = format!(
                "Un partage prévu par la loi, du {said} : aucune seconde personne n'a décidé depuis."
            );
            (FindingKind::StatuteUndecided, sentence)
        } else if action == Action::Confirm && overdue {
            let sentence =
                format!("Un partage prévu par la loi, décidé le {said} : personne ne l'a réexaminé depuis.");
            (FindingKind::StatuteReview, sentence)
        } else {
            continue;
        };
        let search = RecordSearch {
            pathway: Some(pathway),
            resource: Some(ResourceKind::Statute),
            ..RecordSearch::default()
        };
        found.push((at, Finding { kind, sentence, search }));
    }
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    Ok(found.into_iter().take(most).map(|(_, f)| f).collect())
}

fn findings(app: &App, desk: &mut Desk<'_>) -> Result<Vec<Finding>, ServiceError> {
    let thresholds = app.thresholds();
    let (bulk, refusals, days) = (thresholds.bulk, thresholds.refusals, thresholds.window_days);
    let past = u64::try_from(days.saturating_sub(1)).unwrap_or_default();
    let today = desk.now.paris_day();
    let since = RecordSearch { from: Some(before(today, past)), ..RecordSearch::default() };
    let opened = RecordSearch { openings: true, ..since.clone() };
    // What waits for a decision comes first: it is what an auditor may have to act on today.
    let mut out = watching::emergencies(desk.snapshot, desk.now)?;
    out.extend(statutes(desk)?);
    let many = format!("Au moins {bulk} consultations");
    out.extend(bursts(desk, FindingKind::Bulk, &opened, bulk, &many)?);
    let refused = RecordSearch { decision: Some(Verdict::Deny), ..since.clone() };
    let many = format!("Au moins {refusals} refus");
    out.extend(bursts(desk, FindingKind::Refusals, &refused, refusals, &many)?);
    out.extend(watching::curiosity(app, desk, &since, MOST)?);
    let night = RecordSearch { out_of_hours: true, ..opened.clone() };
    let number: i64 = desk
        .snapshot
        .log_hours(&night.filter(None, desk.now)?)?
        .iter()
        .fold(0, |sum, hour| sum.saturating_add(hour.records));
    if number > 0 {
        out.push(Finding {
            kind: FindingKind::OutOfHours,
            sentence: format!(
                "{number} consultation{} la nuit, le week-end ou un jour férié, ces {days} derniers jours.",
                if number > 1 { "s" } else { "" }
            ),
            search: night,
        });
    }
    out.extend(watching::dormant(app, desk)?);
    Ok(out)
}

impl App {
    /// The auditor's first page, for a search: one request, one record.
    ///
    /// # Errors
    /// [`ServiceError`]; as [`App::audit_search`].
    pub fn audit_console(
        &self,
        call: &Call,
        act: Act,
        search: &RecordSearch,
    ) -> Result<Disclosed<Console>, ServiceError> {
        self.read_desk(call, act, |desk| {
            let who = as_auditor(desk)?;
            let page = self.search_in(desk, &who, search)?;
            let (from, until) = span(search, desk.now.paris_day());
            let organisations = desk.snapshot.organisations()?;
            let mut organisations: Vec<OrganisationName> = organisations
                .into_iter()
                .map(|o| OrganisationName { id: o.id, name: o.words.name })
                .collect();
            organisations.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(Console {
                page,
                from,
                until,
                days: days(desk, search, from, until)?,
                findings: findings(self, desk)?,
                state: proving::state(desk)?,
                organisations,
            })
        })
    }
}

#[cfg(test)]
mod tests;
