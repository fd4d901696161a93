//! The review queue of auditors (S4): accesses in an emergency, by the statute and out of hours that nobody has looked at
//! yet, and what an auditor finds on looking at one, as an act of its own.
//!
//! INVARIANT: a look is added, never changed; a record may be looked at again, and the latest look counts.
//! LAW: L1121-1 code du travail. The queue is in the order of time; it counts nobody and ranks nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RecordLine, RecordSearch, SCAN, as_auditor, line, minute, no_such_record, read_body, row_ref};
use crate::audit::{Disclosed, LeafBody};
use crate::domain::cell::Reason;
use crate::domain::hours::out_of_hours;
use crate::domain::record::{Action, ResourceKind, ReviewKind, ReviewOutcome, Verdict};
use crate::domain::text::Paragraph;
use crate::service::{Act, App, Call, Change, Created, Desk, ServiceError};
use crate::store::review::{AccessReview, NewAccessReview};

/// How many accesses a page of the queue has.
const PAGE: usize = 30;

/// Which accesses to look at.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSearch {
    pub kind: ReviewKind,
    /// Those already looked at too; otherwise those nobody looked at, or that need a follow-up.
    #[serde(default)]
    pub all: bool,
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What an auditor finds.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewInput {
    pub outcome: ReviewOutcome,
    /// Facts only: neither a name nor a content.
    pub remark: Option<Paragraph<600>>,
}

/// One access, with the latest look at it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewLine {
    pub record: RecordLine,
    pub outcome: Option<ReviewOutcome>,
    /// To the minute, UTC.
    pub looked_at: Option<String>,
    pub remark: Option<String>,
}

/// A page of the queue, latest access first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewPage {
    pub items: Vec<ReviewLine>,
    /// For the next page; a page may be short, or empty, before the last.
    pub next: Option<String>,
}

/// Whether a record belongs into the queue of this kind.
pub(super) fn belongs(kind: ReviewKind, body: &LeafBody) -> bool {
    match kind {
        // The act of opening: one line for each emergency, not one for each look at the page.
        ReviewKind::Emergency => {
            body.decision == Verdict::Permit
                && body.resource == ResourceKind::Emergency
                && body.action == Action::Create
                // A repeated request is recorded anew, and opened nothing.
                && body.write_digest.is_some()
        }
        ReviewKind::Statute => body.opens_content() && body.reasons.contains(&Reason::Statute),
        ReviewKind::OutOfHours => body.opens_content() && out_of_hours(body.at),
    }
}

/// What the database can tell apart already.
fn narrowed(kind: ReviewKind) -> RecordSearch {
    let openings = RecordSearch { openings: true, ..RecordSearch::default() };
    match kind {
        ReviewKind::Emergency => RecordSearch {
            action: Some(Action::Create),
            resource: Some(ResourceKind::Emergency),
            decision: Some(Verdict::Permit),
            ..RecordSearch::default()
        },
        ReviewKind::Statute => RecordSearch { reason: Some(Reason::Statute), ..openings },
        ReviewKind::OutOfHours => RecordSearch { out_of_hours: true, ..openings },
    }
}

/// Whether somebody has still to look at it.
pub(super) fn waits(look: Option<&AccessReview>) -> bool {
    look.is_none_or(|l| l.outcome == ReviewOutcome::ToFollowUp)
}

impl App {
    /// A page of the review queue.
    ///
    /// # Errors
    /// [`ServiceError`]; a cursor made for another query is a rule.
    pub fn audit_reviews(
        &self,
        call: &Call,
        act: Act,
        search: &ReviewSearch,
    ) -> Result<Disclosed<ReviewPage>, ServiceError> {
        self.read_desk(call, act, |desk| {
            let who = as_auditor(desk)?;
            self.reviews_in(desk, &who, search)
        })
    }

    fn reviews_in(
        &self,
        desk: &mut Desk<'_>,
        who: &str,
        search: &ReviewSearch,
    ) -> Result<ReviewPage, ServiceError> {
        let query = format!("reviews {} {}", search.kind, search.all).into_bytes();
        let mut before = match &search.cursor {
            None => None,
            Some(cursor) => Some(self.index_of(who, &query, cursor)?),
        };
        let organisations = desk.snapshot.organisations()?;
        let narrowed = narrowed(search.kind);
        let (mut items, mut seen, mut more) = (Vec::new(), 0_usize, true);
        while more && items.len() < PAGE && seen < SCAN {
            let rows = desk.snapshot.log_page(&narrowed.filter(before, desk.now)?, 200)?;
            more = rows.len() == 200;
            let indexes: Vec<i64> = rows.iter().map(|(index, _)| *index).collect();
            let mut looks: BTreeMap<i64, AccessReview> =
                desk.snapshot.access_reviews(self.store.instance_key(), &indexes)?;
            for (index, text) in &rows {
                seen = seen.saturating_add(1);
                before = Some(*index);
                let body = read_body(text)?;
                let look = looks.remove(index);
                if !belongs(search.kind, &body) || !(search.all || waits(look.as_ref())) {
                    continue;
                }
                desk.returned.push(row_ref(*index));
                items.push(ReviewLine {
                    record: line(*index, &body, &organisations)?,
                    outcome: look.as_ref().map(|l| l.outcome),
                    looked_at: look.as_ref().map(|l| minute(l.at)),
                    remark: look.and_then(|l| l.remark),
                });
                if items.len() == PAGE {
                    more = true;
                    break;
                }
            }
        }
        let next = self.after_index(who, &query, before.filter(|_| more))?;
        Ok(ReviewPage { items, next })
    }

    /// What an auditor finds on looking at one access.
    ///
    /// # Errors
    /// [`ServiceError`]; a record that is in no queue is a rule.
    pub fn audit_review(
        &self,
        call: &Call,
        act: Act,
        index: u64,
        input: &ReviewInput,
    ) -> Result<Created, ServiceError> {
        self.change_desk(call, act, |desk| {
            as_auditor(desk)?;
            let by = desk.signed_in.actor()?.assignment().id.clone();
            let index = i64::try_from(index).map_err(|_| no_such_record())?;
            let text = desk.snapshot.log_body(index)?.ok_or_else(no_such_record)?;
            let body = read_body(&text)?;
            if !ReviewKind::ALL.iter().any(|kind| belongs(*kind, &body)) {
                return Err(ServiceError::rule(
                    "nothing_to_review",
                    "Cette trace n'est ni un accès en urgence, ni un accès prévu par la loi, ni un accès hors horaires.",
                ));
            }
            let remark = input.remark.as_ref().map(Paragraph::as_str);
            let key = self.store.instance_key();
            let row = NewAccessReview::seal(
                key,
                self.chance(),
                index,
                input.outcome,
                (desk.now, by),
                remark,
            )?;
            desk.returned.push(row_ref(index));
            desk.motive = remark.map(ToOwned::to_owned);
            let (written, image) = (row.row_ref(), row.image());
            Ok(Change::new(row.id.as_str())
                .imaged_step(written, image, move |tx, _| tx.access_review_insert(&row)))
        })
    }
}
