//! Emergency (S13), on the side of who looks at it afterwards: a data protection officer reads when, from which service
//! and why, and says what is to be thought of it. Never what was opened, never a name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auditing::OrganisationName;
use super::emergencies::{EmergencyWords, event, rule};
use super::flow::{Act, Call, Change, Created, Scene};
use super::who::Names;
use super::{App, ServiceError};
use crate::access::{Resource, may_review_emergency};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::emergency::{Emergency, EmergencyEventKind, EmergencyOutcome, FamilyTelling};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::Profession;
use crate::ids::{EmergencyId, PathwayId};
use crate::store::Snapshot;
use crate::store::fact::FactKind;

/// What a review says.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyReviewInput {
    pub outcome: EmergencyOutcome,
    pub family: FamilyTelling,
    /// Why, in writing.
    pub remark: Paragraph<600>,
}

/// What a review said, as it is kept.
#[derive(Serialize, Deserialize)]
struct ReviewWords {
    emergency: EmergencyId,
    remark: String,
}

/// One opening, as an officer sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmergencyCase {
    #[schema(value_type = String)]
    pub id: EmergencyId,
    pub organisation: OrganisationName,
    pub profession: Profession,
    #[schema(format = DateTime)]
    pub opened_at: String,
    #[schema(format = DateTime)]
    pub closes_at: String,
    pub open: bool,
    /// Another one of the same person stood within the days before.
    pub repeated: bool,
    #[schema(format = DateTime)]
    pub review_due: String,
    pub overdue: bool,
    /// In the words of who opened.
    pub motive: String,
    pub outcome: Option<EmergencyOutcome>,
    pub family: Option<FamilyTelling>,
    /// In the words of who reviewed.
    pub remark: Option<String>,
}

/// The openings that an officer has to know of: all that are to be reviewed, the oldest of them first; then those that
/// were, page by page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmergencyCases {
    pub items: Vec<EmergencyCase>,
    /// For the next page of those that were reviewed.
    pub next: Option<String>,
}

/// How many reviewed openings a page has.
const PAGE: i64 = 30;
/// What a cursor of this list is of.
const REVIEWED: &[u8] = b"emergencies reviewed";
const LIST: Act = Act { action: Action::List, resource: ResourceKind::Emergency };

type Said = (EmergencyCase, (Option<EmergencyWords>, Vec<(String, ReviewWords)>));

fn told((mut case, (motive, reviews)): Said) -> EmergencyCase {
    case.motive = motive.map(|w| w.motive).unwrap_or_default();
    case.remark = reviews.into_iter().find(|(_, r)| r.emergency == case.id).map(|(_, r)| r.remark);
    case
}

fn in_order(found: Vec<Vec<EmergencyCase>>) -> Vec<EmergencyCase> {
    let mut items: Vec<EmergencyCase> = found.into_iter().flatten().collect();
    items.sort_by(|a, b| {
        let waits = |c: &EmergencyCase| c.outcome.is_none();
        waits(b).cmp(&waits(a)).then_with(|| {
            if waits(a) { a.opened_at.cmp(&b.opened_at) } else { b.opened_at.cmp(&a.opened_at) }
        })
    });
    items
}

/// Those of the openings of one pathway that are asked for, as an officer sees them.
fn cases(
    scene: &mut Scene<'_>,
    asked: &BTreeSet<EmergencyId>,
) -> Result<Option<Sealed<Vec<EmergencyCase>>>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let officer = scene.gate.actor().assignment().professional.clone();
    let mut names = Names::default();
    let mut found = Vec::new();
    let theirs = |e: &&Emergency| asked.contains(e.id()) && *e.professional() != officer;
    for opening in facts.emergencies.iter().filter(theirs) {
        let resource = Resource::EmergencyMotive(opening.id().clone());
        let place = facts.participation(opening.place()).ok_or(ServiceError::AbsentOrRefused)?;
        let by = &place.assignment;
        let review = opening.review();
        let case = EmergencyCase {
            id: opening.id().clone(),
            organisation: OrganisationName {
                id: by.organisation.clone(),
                name: names.organisation(scene.snapshot, &by.organisation)?,
            },
            profession: by.profession,
            opened_at: opening.opened_at().rfc3339(),
            closes_at: opening.closes_at().rfc3339(),
            open: opening.in_force(now),
            repeated: opening.repeated(&facts.emergencies),
            review_due: opening.review_due().rfc3339(),
            overdue: opening.review_overdue(now),
            motive: String::new(),
            outcome: review.map(|r| r.outcome),
            family: review.map(|r| r.family),
            remark: None,
        };
        scene.returned.push(RowRef { table: "fact", id: opening.id().as_str().to_owned(), version: 1 });
        let (motive, reviews) = (scene.gate.resource(resource.clone())?, scene.gate.resource(resource)?);
        let motive: Sealed<Option<EmergencyWords>> =
            scene.snapshot.fact_words(motive, FactKind::Emergency, opening.id().as_str())?;
        let reviews: Sealed<Vec<(String, ReviewWords)>> =
            scene.snapshot.facts_words(reviews, FactKind::EmergencyEvent)?;
        found.push(motive.zip(reviews).with(case).map_fn(told));
    }
    Ok((!found.is_empty()).then(|| Sealed::all(found)))
}

/// The place in the list that a cursor names.
fn place_of(said: &str) -> Result<(Timestamp, EmergencyId), ServiceError> {
    let broken = || ServiceError::Internal("a cursor without its place".to_owned());
    let (at, id) = said.split_once(' ').ok_or_else(broken)?;
    let at = at.parse().map(Timestamp::from_micros).map_err(|_| broken())?;
    Ok((at, EmergencyId::parse(id).map_err(|_| broken())?))
}

impl App {
    /// The openings that a data protection officer has to know of. Each pathway that is looked at has its record.
    ///
    /// # Errors
    /// Refused to anybody else; a cursor of another list is a rule.
    pub fn emergency_cases(
        &self,
        call: &Call,
        cursor: Option<&str>,
    ) -> Result<Disclosed<EmergencyCases>, ServiceError> {
        let next = RefCell::new(None);
        let found = self.cases_among(call, |snapshot, who| {
            let after = match cursor {
                None => None,
                Some(cursor) => Some(place_of(&self.cursor_opened(who, REVIEWED, cursor)?)?),
            };
            let mut located = match after {
                // Whatever waits stands on the first page, however much it is.
                None => snapshot.emergencies_unreviewed()?,
                Some(_) => Vec::new(),
            };
            let mut reviewed = snapshot.emergencies_reviewed(after, PAGE.saturating_add(1))?;
            let further = i64::try_from(reviewed.len()).is_ok_and(|n| n > PAGE);
            reviewed.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
            let last = reviewed.last().filter(|_| further).map(|e| format!("{} {}", e.at.micros(), e.id));
            next.replace(last.map(|said| self.cursor_sealed(who, REVIEWED, &said)).transpose()?);
            located.extend(reviewed);
            Ok(located.into_iter().map(|e| (e.id, e.pathway)).collect())
        })?;
        Ok(found.map(|items| EmergencyCases { items, next: next.into_inner() }))
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`App::emergency_cases`]; absent for one's own opening too.
    pub fn emergency_case(
        &self,
        call: &Call,
        id: &EmergencyId,
    ) -> Result<Disclosed<EmergencyCase>, ServiceError> {
        let found = self.cases_among(call, |snapshot, _| {
            let pathway = snapshot.fact_locate(FactKind::Emergency, id.as_str())?;
            Ok(pathway.map(|pathway| (id.clone(), pathway)).into_iter().collect())
        })?;
        found.map(|mut items| items.pop()).transposed().ok_or(ServiceError::AbsentOrRefused)
    }

    fn cases_among(
        &self,
        call: &Call,
        choose: impl Fn(&mut Snapshot, &str) -> Result<Vec<(EmergencyId, PathwayId)>, ServiceError>,
    ) -> Result<Disclosed<Vec<EmergencyCase>>, ServiceError> {
        let asked = RefCell::new(BTreeSet::new());
        let found = self.read_many(
            call,
            LIST,
            |snapshot, actor, now| {
                let officer = actor.assignment();
                if !may_review_emergency(officer, now) {
                    return Err(ServiceError::AbsentOrRefused);
                }
                let chosen = choose(snapshot, officer.id.as_str())?;
                let mut pathways: Vec<PathwayId> = Vec::new();
                let mut ids = BTreeSet::new();
                for (id, pathway) in chosen {
                    ids.insert(id);
                    if !pathways.contains(&pathway) {
                        pathways.push(pathway);
                    }
                }
                asked.replace(ids);
                Ok(pathways)
            },
            |scene| cases(scene, &asked.borrow()),
        )?;
        Ok(found.map(in_order))
    }

    /// Says what is to be thought of an opening, once.
    ///
    /// # Errors
    /// [`ServiceError`]; refused to who opened it, and to anybody but an officer.
    pub fn emergency_review(
        &self,
        call: &Call,
        id: &EmergencyId,
        input: &EmergencyReviewInput,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Emergency };
        let pathway = self.located(FactKind::Emergency, id.as_str())?;
        self.change(call, act, &pathway, |scene| {
            scene.gate.resource(Resource::EmergencyMotive(id.clone()))?;
            let by = scene.gate.actor().assignment().professional.clone();
            let opening = scene.gate.facts().emergency(id).ok_or(ServiceError::AbsentOrRefused)?;
            opening.accepts_review(&by).map_err(rule)?;
            let kind = EmergencyEventKind::Reviewed { by, outcome: input.outcome, family: input.family };
            let words = ReviewWords { emergency: id.clone(), remark: input.remark.as_str().to_owned() };
            scene.motive = Some(words.remark.clone());
            let fact = event(scene, id, kind, Some(&words))?;
            let reviewed = id.clone();
            let written = RowRef { table: "emergency_reviewed", id: id.as_str().to_owned(), version: 1 };
            Ok(Change::new(id.as_str())
                .fact(fact)
                .step(written, move |tx, _| tx.emergency_reviewed(&reviewed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::service::pathway_tests::Case;

    #[test]
    fn what_waits_for_an_officer_is_on_the_first_page_and_the_rest_is_turned_page_by_page() {
        let case = Case::new();
        let (t, now) = (&case.t, case.t.clock.now());
        let mut ids = Vec::new();
        for n in 0..PAGE + 3 {
            let (id, pathway, at) =
                (EmergencyId::random(t.app.chance()).unwrap(), case.id.clone(), now.plus_seconds(n));
            ids.push(id.clone());
            t.write(move |tx, _| {
                tx.emergency_insert(&id, &pathway, at)?;
                if n > 1 { tx.emergency_reviewed(&id) } else { Ok(()) }
            });
        }
        let snapshot = || t.app.store().snapshot().unwrap();
        let waiting: Vec<EmergencyId> =
            snapshot().emergencies_unreviewed().unwrap().into_iter().map(|e| e.id).collect();
        assert_eq!(waiting, ids[..2], "the oldest first");
        let page = snapshot().emergencies_reviewed(None, PAGE).unwrap();
        let last = page.last().map(|e| (e.at, e.id.clone()));
        let mut turned: Vec<EmergencyId> = page.into_iter().map(|e| e.id).collect();
        turned.extend(snapshot().emergencies_reviewed(last, PAGE).unwrap().into_iter().map(|e| e.id));
        turned.reverse();
        assert_eq!(turned, ids[2..], "each once, the latest first");
        let first = t.app.emergency_cases(&t.call("officer"), None).unwrap();
        let next = first.next.clone().unwrap();
        assert_eq!(t.app.emergency_cases(&t.call("officer"), Some(&next)).unwrap().next, None);
        let other = t.app.emergency_cases(&t.call("officer"), Some("c3VpdGU"));
        assert!(matches!(other, Err(ServiceError::Rule { code: "cursor_of_another_query", .. })));
        let refused = t.app.emergency_cases(&t.call("auditor"), None);
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
    }
}
