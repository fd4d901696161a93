//! Findings that need more than one group of records: reviews of emergencies that are late, reading without any act in
//! the circle, affectations that nobody uses.
//!
//! LAW: L1121-1 code du travail. A finding gives no number for anybody; what concerns a structure names the structure only.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use super::overview::{Finding, FindingKind, named};
use super::{RecordSearch, read_body};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::emergency::REVIEW_HOURS;
use crate::domain::record::{Action, ResourceKind, RetentionClass, Verdict};
use crate::service::{App, Desk, ServiceError};
use crate::store::Snapshot;
use crate::store::log::LogFilter;

const DAY: i64 = 24 * 3600;

/// Openings in an emergency that no officer has reviewed in time. A record does not name the opening: on one pathway the
/// oldest opening is the first that is reviewed.
pub(super) fn emergencies(snapshot: &mut Snapshot, now: Timestamp) -> Result<Vec<Finding>, ServiceError> {
    let mut opened: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    let mut reviewed: BTreeMap<String, usize> = BTreeMap::new();
    for action in [Action::Create, Action::Confirm] {
        let filter = LogFilter {
            action: Some(action.code().to_owned()),
            resource: Some(ResourceKind::Emergency.code().to_owned()),
            decision: Some(Verdict::Permit.code().to_owned()),
            ..LogFilter::default()
        };
        for (_, text) in snapshot.log_page(&filter, 500)? {
            let body = read_body(&text)?;
            // A repeated request is recorded anew, and wrote nothing.
            if body.write_digest.is_none() {
                continue;
            }
            let Some(pathway) = body.pathway.map(|p| p.to_string()) else { continue };
            if action == Action::Create {
                opened.entry(pathway).or_default().push(body.at);
            } else {
                let count = reviewed.entry(pathway).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let late = now.plus_seconds(-REVIEW_HOURS.saturating_mul(3600));
    let mut found = Vec::new();
    for (pathway, mut times) in opened {
        times.sort_unstable();
        let done = reviewed.get(&pathway).copied().unwrap_or_default();
        if let Some(first) = times.into_iter().nth(done).filter(|at| *at <= late) {
            found.push(Finding {
                kind: FindingKind::EmergencyLate,
                sentence: format!(
                    "Un accès en urgence ouvert le {} n'a pas été examiné sous {REVIEW_HOURS} heures par le délégué à la \
                     protection des données.",
                    french_date(first.paris_day())
                ),
                search: RecordSearch {
                    pathway: Some(pathway),
                    resource: Some(ResourceKind::Emergency),
                    ..RecordSearch::default()
                },
            });
        }
    }
    Ok(found)
}

/// Somebody opens a pathway again and again and does nothing in that circle.
pub(super) fn curiosity(
    app: &App,
    desk: &mut Desk<'_>,
    since: &RecordSearch,
    most: i64,
) -> Result<Vec<Finding>, ServiceError> {
    let thresholds = app.thresholds();
    let filter = RecordSearch { decision: Some(Verdict::Permit), ..since.clone() }.filter(None, desk.now)?;
    let mut found = Vec::new();
    for (actor, pathway) in desk.snapshot.log_readers_without_act(&filter, thresholds.curiosity, most)? {
        let search =
            RecordSearch { openings: true, actor: Some(actor), pathway: Some(pathway), ..since.clone() };
        let who = named(desk, &search)?;
        let sentence = format!(
            "Au moins {} consultations d'un même parcours par une même personne, sans aucun acte dans ce cercle, en {} \
             jours : {who}.",
            thresholds.curiosity, thresholds.window_days
        );
        found.push(Finding { kind: FindingKind::Curiosity, sentence, search });
    }
    Ok(found)
}

/// Affectations in force that left no record for a long time, by structure.
pub(super) fn dormant(app: &App, desk: &mut Desk<'_>) -> Result<Vec<Finding>, ServiceError> {
    let days = app.thresholds().dormant_days;
    let since = desk.now.plus_seconds(-days.saturating_mul(DAY));
    let seen: BTreeSet<String> = desk.snapshot.log_actors_since(since)?.into_iter().collect();
    let mut keys = Vec::new();
    for year in since.utc().year()..=desk.now.utc().year() {
        let year = u16::try_from(year).map_err(ServiceError::internal)?;
        for class in [RetentionClass::Technical, RetentionClass::Disclosure] {
            keys.extend(app.pseudonym_key_in(desk.snapshot, class, year)?);
        }
    }
    let mut found = Vec::new();
    for organisation in desk.snapshot.organisations()? {
        let asleep = desk.snapshot.assignments_in(&organisation.id)?.into_iter().any(|row| {
            row.facts.in_force(desk.now)
                && row.facts.starts_at < since
                && !keys.iter().any(|key| seen.contains(key.assignment(&row.facts.id).as_str()))
        });
        if asleep {
            found.push(Finding {
                kind: FindingKind::Dormant,
                sentence: format!(
                    "{} : au moins une affectation en cours n'a pas servi depuis {days} jours. Faut-il y mettre fin ?",
                    organisation.words.name
                ),
                search: RecordSearch { organisation: Some(organisation.id), ..RecordSearch::default() },
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Job;
    use crate::audit::lane::Priority;
    use crate::clock::Clock;
    use crate::domain::record::RecordDraft;
    use crate::ids::{PathwayId, RequestId};
    use crate::service::testing::Territory;

    fn told(t: &Territory, pathway: &PathwayId, action: Action, wrote: bool) {
        let request = RequestId::random(t.app.chance()).unwrap();
        let mut draft = RecordDraft::new(
            request,
            RetentionClass::Disclosure,
            action,
            ResourceKind::Emergency,
            Verdict::Permit,
        );
        draft.pathway = Some(pathway.clone());
        draft.write_digest = wrote.then_some([7; 32]);
        let record = t.app.prepare(&draft, Some(t.app.store().instance_key())).unwrap();
        t.app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
    }

    /// Two openings of which one is reviewed leave one that is late, however often the review is sent; an opening that is
    /// sent twice is one.
    #[test]
    fn threat_a_request_sent_twice_neither_reviews_nor_opens_twice() {
        let t = Territory::new();
        let [reviewed_once, sent_twice] = [(); 2].map(|()| PathwayId::random(t.app.chance()).unwrap());
        told(&t, &reviewed_once, Action::Create, true);
        told(&t, &reviewed_once, Action::Create, true);
        told(&t, &reviewed_once, Action::Confirm, true);
        told(&t, &reviewed_once, Action::Confirm, false);
        told(&t, &sent_twice, Action::Create, true);
        told(&t, &sent_twice, Action::Create, false);
        told(&t, &sent_twice, Action::Confirm, true);
        let late = t.clock.now().plus_seconds(REVIEW_HOURS * 3600);
        let found = |now| emergencies(&mut t.app.store().snapshot().unwrap(), now).unwrap();
        assert!(found(late.plus_seconds(-60)).is_empty(), "not late yet");
        let found = found(late.plus_seconds(60));
        assert_eq!(found.len(), 1, "{:?}", found.iter().map(|f| &f.sentence).collect::<Vec<_>>());
        let key = t.app.pseudonym_key_of(RetentionClass::Disclosure, 2027).unwrap().unwrap();
        assert_eq!(found[0].search.pathway, Some(key.pathway(&reviewed_once).to_string()));
    }
}
