//! Receipts (C2SP `tlog-proof`): one record, taken away in one file that anybody can check, without the server, years
//! later. The auditor takes any (`auditing`), the référent those of openings of a pathway for the family
//! (`consultations`), a professional those of what they did themselves (here).
//!
//! INVARIANT: a receipt carries the whole record, so it is given only to whoever may know all that the record says. Own
//! acts are listed when they were permitted throughout: a refusal keeps its exact reason, which is coarser for the person
//! refused (DESIGN §4), and how many things a list left out.
//! THREAT: hidden authors. What was shown « Transmis par la famille » keeps in its record the secrecy of its author: the
//! record of such a reading stays with the auditor.
//! The hashes beside tell nothing; the index tells how many records there were before (threat model).

use chrono::Datelike;
use serde::Serialize;

use super::auditing::{own_deed, record_moment};
use super::checkpoints::{Made, unproven};
use super::openings::{read_detail, tells_no_refusal, unreadable};
use super::{Act, App, Call, Desk, ServiceError, witnesses};
use crate::audit::tree::inclusion_proof;
use crate::audit::{Disclosed, LeafBody, SignedCheckpoint, TlogProof};
use crate::domain::record::{Action, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::domain::vocabulary::Purpose;
use crate::store::Snapshot;
use crate::store::log::LogFilter;

/// How many acts a page has.
const PAGE: usize = 30;
/// How many records are read at once.
const READ: i64 = 100;
/// How many records one page looks at, at most: most of what one did may be such as has no receipt.
const SCAN: usize = 2000;
/// What a cursor of this list is of.
const OWN: &[u8] = b"own acts";
/// No record is older than the program.
const FIRST_YEAR: i32 = 2026;

/// One thing that the asker did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnAct {
    pub index: u64,
    /// RFC 3339, UTC.
    pub at: String,
    pub action: Action,
    pub resource: ResourceKind,
    /// What happened, in French, told to who did it.
    pub sentence: String,
    /// The sentence without its moment, by which a page puts like acts together.
    #[serde(skip)]
    pub done: String,
}

/// What the asker did, latest first: what a receipt can be taken of.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OwnActs {
    pub items: Vec<OwnAct>,
    /// For the next page; a page may be short, or empty, before the last.
    pub next: Option<String>,
}

/// A receipt, and the checkpoint that it rests on.
pub(super) struct Taken {
    text: String,
    made: Made,
}

/// A record as another record names it.
pub(super) fn record_ref(index: u64) -> RowRef {
    RowRef { table: "audit_leaf", id: index.to_string(), version: 1 }
}

impl App {
    /// The receipt of a record with the record in it, under the earliest checkpoint over it that a witness cosigned; else
    /// under the last one that covers it, or a new one.
    pub(super) fn receipt_in(&self, snapshot: &mut Snapshot, index: u64) -> Result<Taken, ServiceError> {
        let row = i64::try_from(index).map_err(|_| ServiceError::AbsentOrRefused)?;
        let least = row.checked_add(1).and_then(|size| u64::try_from(size).ok());
        let least = least.ok_or(ServiceError::AbsentOrRefused)?;
        let found = match snapshot.checkpoint_covering(least, true)? {
            Some(cosigned) => Some(cosigned),
            None => snapshot.checkpoint_latest()?.filter(|last| last.size > row),
        };
        let made = match found {
            Some(found) => {
                let signed = SignedCheckpoint::parse(&found.note).map_err(ServiceError::internal)?;
                let stored = snapshot.cosignatures(signed.claims().size())?;
                Made { signed: witnesses::with_lines(signed, &stored)?, fresh: false }
            }
            None => self.checkpoint_in(snapshot)?,
        };
        let size = made.signed.claims().size();
        if index >= size {
            return Err(ServiceError::AbsentOrRefused);
        }
        let body = snapshot.log_body(row)?.ok_or(ServiceError::AbsentOrRefused)?;
        let hashes = inclusion_proof(index, size, snapshot).map_err(unproven)?;
        let proof = TlogProof::new(index, hashes, made.signed.clone()).and_then(|p| p.with_record(&body));
        Ok(Taken { text: proof.map_err(ServiceError::internal)?.to_string(), made })
    }

    /// Keeps the checkpoint of a receipt whose record is committed, and gives the receipt.
    pub(super) fn keep_receipt(&self, taken: Disclosed<Taken>) -> Result<Disclosed<String>, ServiceError> {
        self.checkpoint_keep(&taken.made)?;
        Ok(taken.map(|t| t.text))
    }

    /// The pseudonyms of this person: the account and each of its assignments, for every year whose key stands.
    fn own_pseudonyms(&self, desk: &mut Desk<'_>) -> Result<Vec<String>, ServiceError> {
        let professional = desk.signed_in.professional().clone();
        let assignments = desk.snapshot.assignments_of(&professional)?;
        let mut own = Vec::new();
        for year in FIRST_YEAR..=desk.now.utc().year() {
            let year = u16::try_from(year).map_err(ServiceError::internal)?;
            for class in RetentionClass::ALL {
                let Some(key) = self.pseudonym_key_in(desk.snapshot, *class, year)? else { continue };
                own.push(key.professional(&professional).to_string());
                own.extend(assignments.iter().map(|a| key.assignment(&a.facts.id).to_string()));
            }
        }
        Ok(own)
    }

    /// What the asker did, under every assignment, latest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn own_acts(
        &self,
        call: &Call,
        act: Act,
        cursor: Option<&str>,
    ) -> Result<Disclosed<OwnActs>, ServiceError> {
        self.read_desk(call, act, |desk| {
            let who = desk.signed_in.professional().as_str().to_owned();
            let own = self.own_pseudonyms(desk)?;
            let mut before = match cursor {
                None => None,
                Some(cursor) => Some(self.index_of(&who, OWN, cursor)?),
            };
            let mut items: Vec<OwnAct> = Vec::new();
            let (mut seen, mut more) = (0_usize, true);
            while more && items.len() < PAGE && seen < SCAN {
                let filter = LogFilter {
                    actors: Some(own.clone()),
                    decision: Some(Verdict::Permit.code().to_owned()),
                    before,
                    ..LogFilter::default()
                };
                let rows = desk.snapshot.log_page(&filter, READ)?;
                more = i64::try_from(rows.len()) == Ok(READ);
                for (index, text) in rows {
                    if items.len() == PAGE {
                        more = true;
                        break;
                    }
                    seen = seen.saturating_add(1);
                    before = Some(index);
                    let body = parse(&text)?;
                    if !own_to_take(desk.snapshot, index, &body)? {
                        continue;
                    }
                    let done = own_deed(&body);
                    items.push(OwnAct {
                        index: u64::try_from(index).map_err(ServiceError::internal)?,
                        at: body.at.rfc3339(),
                        action: body.action,
                        resource: body.resource,
                        sentence: format!("{done}, le {}.", record_moment(body.at)),
                        done,
                    });
                }
            }
            desk.returned.extend(items.iter().map(|item| record_ref(item.index)));
            // THREAT: the index of what is not listed is nobody's business. The cursor is sealed.
            let next = self.after_index(&who, OWN, before.filter(|_| more))?;
            Ok(OwnActs { items, next })
        })
    }

    /// The receipt of one of the asker's own acts.
    ///
    /// # Errors
    /// [`ServiceError`]; what is not listed by [`App::own_acts`] is answered like what is not there.
    pub fn own_receipt(&self, call: &Call, act: Act, index: u64) -> Result<Disclosed<String>, ServiceError> {
        let taken = self.read_desk(call, act, |desk| {
            let row = i64::try_from(index).map_err(|_| ServiceError::AbsentOrRefused)?;
            let own = self.own_pseudonyms(desk)?;
            let body = parse(&desk.snapshot.log_body(row)?.ok_or(ServiceError::AbsentOrRefused)?)?;
            let mine = body.actor.as_ref().is_some_and(|actor| own.iter().any(|o| o == actor.as_str()));
            if !mine || !own_to_take(desk.snapshot, row, &body)? {
                return Err(ServiceError::AbsentOrRefused);
            }
            desk.returned.push(record_ref(index));
            self.receipt_in(desk.snapshot, index)
        })?;
        self.keep_receipt(taken)
    }
}

fn parse(text: &str) -> Result<LeafBody, ServiceError> {
    LeafBody::parse(text).map_err(|e| ServiceError::Internal(format!("a record does not read back: {e}")))
}

/// Whether a record of somebody's own act tells that person nothing new.
fn own_to_take(snapshot: &mut Snapshot, index: i64, body: &LeafBody) -> Result<bool, ServiceError> {
    // THREAT: hidden existence. A record of a list counts what was decided on, shown or not: accords of a service that the
    // reader may not know among them. Of what was read on a pathway only the reading of one thing is taken away.
    let alone =
        body.action == Action::Read && matches!(body.resource, ResourceKind::Item | ResourceKind::ActionItem);
    if body.pathway.is_some() && body.write_digest.is_none() && !alone {
        return Ok(false);
    }
    let as_family = |purpose, released| purpose == Purpose::Stay || released;
    if !tells_no_refusal(body)
        || body.facts.iter().filter_map(|t| t.facts).any(|f| as_family(f.purpose, f.family_released))
    {
        return Ok(false);
    }
    if body.facts.iter().all(|t| t.facts.is_none()) {
        return Ok(true);
    }
    let Some(commit) = body.detail_commit else { return Ok(false) };
    // Without its detail nobody can tell any more what it showed.
    let Some(plain) = snapshot.log_detail(index, &commit)? else { return Ok(false) };
    let detail = read_detail(std::str::from_utf8(&plain).map_err(|_| unreadable())?)?;
    match detail {
        Some(detail) => Ok(!snapshot.any_for_stay(&detail.versions)?),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Job;
    use crate::audit::lane::Priority;
    use crate::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
    use crate::domain::record::{ActorStamp, RecordDraft, TrailEntry};
    use crate::domain::vocabulary::{Category, Function, Profession, Secrecy};
    use crate::ids::{PathwayId, RequestId};
    use crate::service::checkpoints::log_name;
    use crate::service::testing::Territory;

    const LIST: Act = Act { action: Action::List, resource: ResourceKind::AuditLog };
    const TAKE: Act = Act { action: Action::Export, resource: ResourceKind::AuditLog };

    const FACTS: TableFacts = TableFacts {
        recipient_profession: Profession::Teacher,
        recipient_secrecy: Secrecy::NotBound,
        author_secrecy: Secrecy::NotBound,
        category: Category::Schooling,
        purpose: Purpose::Schooling,
        accord: AccordFact::Informed,
        family_released: false,
        statute: StatuteFact::None,
    };

    fn entry(facts: Option<TableFacts>, permitted: bool, reason: Reason) -> TrailEntry {
        let failing = if permitted { Vec::new() } else { vec![reason] };
        TrailEntry { facts, permitted, reason, failing, objects: 1 }
    }

    /// A record of the teacher with these decisions; its index.
    fn did(t: &Territory, verdict: Verdict, trail: Vec<TrailEntry>) -> u64 {
        did_on(t, Action::Read, None, verdict, trail)
    }

    /// As [`did`], on a pathway or on none.
    fn did_on(
        t: &Territory,
        action: Action,
        pathway: Option<PathwayId>,
        verdict: Verdict,
        trail: Vec<TrailEntry>,
    ) -> u64 {
        let who = t.person("teacher");
        let request = RequestId::random(t.app.chance()).unwrap();
        let mut draft =
            RecordDraft::new(request, RetentionClass::Disclosure, action, ResourceKind::Item, verdict);
        draft.pathway = pathway;
        draft.actor = Some(ActorStamp {
            professional: who.professional.clone(),
            assignment: Some(who.assignment.clone()),
            organisation: Some(who.organisation.clone()),
            profession: Some(who.profession),
            function: Some(Function::Practitioner),
            secrecy: Some(Secrecy::NotBound),
            session: None,
        });
        draft.trail = trail;
        let record = t.app.prepare(&draft, Some(t.app.store().instance_key())).unwrap();
        t.app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
        t.app.store().snapshot().unwrap().log_frontier().unwrap().size() - 1
    }

    #[test]
    fn own_acts_are_taken_away_by_nobody_else_and_verify_alone() {
        let t = Territory::new();
        let mine = did(&t, Verdict::Permit, vec![entry(None, true, Reason::OwnItem)]);
        let acts = t.app.own_acts(&t.call("teacher"), LIST, None).unwrap();
        assert!(
            acts.items.iter().any(|a| a.index == mine && a.sentence.contains("consulté")),
            "{acts:?}",
            acts = *acts
        );
        let taken = t.app.own_receipt(&t.call("teacher"), TAKE, mine).unwrap();
        let name = log_name(&mut t.app.store().snapshot().unwrap()).unwrap();
        let proof = TlogProof::parse(&taken).unwrap();
        assert!(proof.verify_carried(&name.origin, &name.keys).is_ok() && proof.index() == mine);
        for other in ["referente", "auditor", "administrator", "nurse"] {
            let refused = t.app.own_receipt(&t.call(other), TAKE, mine).map(|_| ());
            assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{other}");
            let theirs = t.app.own_acts(&t.call(other), LIST, None).unwrap();
            assert!(theirs.items.iter().all(|a| a.index != mine), "{other}");
        }
    }

    #[test]
    fn threat_a_receipt_tells_its_taker_nothing_that_the_answer_did_not() {
        let t = Territory::new();
        let permitted = |facts| entry(Some(facts), true, Reason::Accord);
        let hidden = [
            // The exact reason of a refusal stays between the family and who collected it.
            did(&t, Verdict::Deny, vec![entry(Some(FACTS), false, Reason::AccordWithdrawn)]),
            // A list that left things out.
            did(
                &t,
                Verdict::Permit,
                vec![entry(None, true, Reason::OwnItem), entry(None, false, Reason::NotShared)],
            ),
            // A list on a pathway: it counts what was left out of it too.
            did_on(
                &t,
                Action::List,
                Some(PathwayId::random(t.app.chance()).unwrap()),
                Verdict::Permit,
                vec![entry(None, true, Reason::OwnItem)],
            ),
            // An emergency shows no author, and the record has the author's secrecy.
            did(&t, Verdict::Permit, vec![entry(Some(FACTS), true, Reason::Emergency)]),
            // « Transmis par la famille »: the secrecy of an author who is not told.
            did(&t, Verdict::Permit, vec![permitted(TableFacts { family_released: true, ..FACTS })]),
            did(&t, Verdict::Permit, vec![permitted(TableFacts { purpose: Purpose::Stay, ..FACTS })]),
            // That the law was used, and that a refusal was overruled.
            did(
                &t,
                Verdict::Permit,
                vec![permitted(TableFacts { statute: StatuteFact::CompleteValidated, ..FACTS })],
            ),
            did(&t, Verdict::Permit, vec![entry(Some(FACTS), true, Reason::Statute)]),
        ];
        let acts = t.app.own_acts(&t.call("teacher"), LIST, None).unwrap();
        for index in hidden {
            assert!(acts.items.iter().all(|a| a.index != index), "{index}");
            let refused = t.app.own_receipt(&t.call("teacher"), TAKE, index).map(|_| ());
            assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{index}");
        }
    }

    #[test]
    fn own_acts_follow_each_other_without_gap() {
        let t = Territory::new();
        let mut all: Vec<u64> = (0..PAGE * 2 + 3)
            .map(|_| did(&t, Verdict::Permit, vec![entry(None, true, Reason::OwnItem)]))
            .collect();
        all.reverse();
        let (mut seen, mut before) = (Vec::new(), None::<String>);
        loop {
            let page = t.app.own_acts(&t.call("teacher"), LIST, before.as_deref()).unwrap();
            assert!(page.items.len() <= PAGE);
            seen.extend(page.items.iter().map(|a| a.index).filter(|index| all.contains(index)));
            before.clone_from(&page.next);
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}
