//! Replay: each recorded decision judged again, on the facts that the record keeps, under the charter that it cites.
//!
//! A record keeps, for each distinct decision, the eight columns of `policies/decision-table.csv` and the outcome. Gates
//! 5 to 7 are judged again by `charter::table` and must say, in their order, exactly the reasons that the record says;
//! permitted must mean that no gate failed, and the reason told must be the first that failed. What an emergency opened
//! is judged by the rule of an emergency, which asks neither accord nor share.
//!
//! INVARIANT: a charter version that the record cites and nobody has is a difference, never "equal".
//! INVARIANT: one record at a time is in memory, whatever the length of the log.
//!
//! What it cannot judge: gates 1 to 4 and 8 (their facts are not in the record, their reasons are), and of a synthesis
//! the subjects that it speaks of: there any cell at least as strict as the synthesis' own may stand. It does not prove
//! that the record is unchanged: `verify` does. A decision about somebody else (a preview, a write that lists who will
//! read) may stand under the transition between the version cited and its neighbour, as that other person did.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::body::LeafBody;
use super::verify::LogReader;
use crate::charter::Matrix;
use crate::charter::table::{Judgement, judge_cell};
use crate::clock::Timestamp;
use crate::domain::cell::{Cell, Reason, TableFacts};
use crate::domain::emergency::emergency_opens;
use crate::domain::record::{ResourceKind, TrailEntry};
use crate::domain::vocabulary::{Category, code_enum};

/// How many rows are read at once.
const PAGE: usize = 1024;

code_enum! {
    /// Why a recorded decision is not the one that is given today.
    Mismatch, "mismatch" {
        CharterMissing = "charter_missing", "la version de la charte que la trace cite n'est pas dans cette base";
        Reasons = "reasons", "sur les mêmes faits et la même charte, les règles répondent autrement";
        Outcome = "outcome", "l'issue enregistrée contredit les raisons enregistrées";
        Unreadable = "unreadable", "le contenu n'est pas une trace lisible";
    }
}

/// What gates 5 to 7 answer: nothing failing is "permitted", for the reason told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub permitted: bool,
    /// On a permit what it rests on; on a refusal every failing reason, in order.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.permitted { "permit" } else { "deny" })?;
        for reason in &self.reasons {
            write!(f, " {}", reason.code())?;
        }
        Ok(())
    }
}

/// One decision that does not replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub mismatch: Mismatch,
    pub facts: Option<TableFacts>,
    pub recorded: Option<Answer>,
    /// What the rules answer now; nothing where they could not be asked.
    pub now: Option<Answer>,
    /// The version that is missing.
    pub charter: Option<String>,
}

/// What a replay counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Records in the period.
    pub records: u64,
    /// Decisions judged again on their facts.
    pub decisions: u64,
    /// Decisions without such facts (own items, membership): only their outcome was held against their reasons.
    pub plain: u64,
    /// Decisions about somebody else that hold under a transition beside the version cited.
    pub beside: u64,
    /// Records without a body: what was pruned can no more be judged.
    pub without_body: u64,
    pub differences: u64,
}

/// The charter versions that are known, in the order of their publication.
#[derive(Default)]
pub struct Versions {
    matrices: Vec<Arc<Matrix>>,
    transitions: HashMap<(String, String), Arc<Matrix>>,
}

/// Under what a record may stand.
enum Cited {
    /// No charter was in force: nothing may be received.
    None,
    Known(Arc<Matrix>),
    Missing(String),
}

impl Versions {
    #[must_use]
    pub fn new(matrices: Vec<Arc<Matrix>>) -> Self {
        Self { matrices, transitions: HashMap::new() }
    }

    fn find(&self, hash: &str) -> Option<(usize, &Arc<Matrix>)> {
        self.matrices.iter().enumerate().find(|(_, m)| m.policy_hash() == hash)
    }

    /// The stricter of two versions, worked out once.
    fn between(&mut self, old: &str, new: &str) -> Option<Arc<Matrix>> {
        let key = (old.to_owned(), new.to_owned());
        if let Some(known) = self.transitions.get(&key) {
            return Some(Arc::clone(known));
        }
        let ((_, a), (_, b)) = (self.find(old)?, self.find(new)?);
        let made = Arc::new(Matrix::stricter_of(a, b));
        self.transitions.insert(key, Arc::clone(&made));
        Some(made)
    }

    fn cited(&mut self, hashes: &[String]) -> Cited {
        if let Some(missing) = hashes.iter().find(|hash| self.find(hash).is_none()) {
            return Cited::Missing(missing.clone());
        }
        match hashes {
            [] => Cited::None,
            [one] => self
                .find(one)
                .map_or_else(|| Cited::Missing(one.clone()), |(_, matrix)| Cited::Known(Arc::clone(matrix))),
            [old, new, ..] => {
                self.between(old, new).map_or_else(|| Cited::Missing(new.clone()), Cited::Known)
            }
        }
    }

    /// What somebody else may have stood under on that day: the versions cited, alone, and each with its neighbours.
    fn beside(&mut self, hashes: &[String]) -> Vec<Arc<Matrix>> {
        let places: Vec<usize> = hashes.iter().filter_map(|h| self.find(h).map(|(at, _)| at)).collect();
        let mut around: Vec<Arc<Matrix>> =
            places.iter().filter_map(|at| self.matrices.get(*at).cloned()).collect();
        let pairs: Vec<(String, String)> = self
            .matrices
            .windows(2)
            .enumerate()
            .filter(|(at, _)| places.iter().any(|place| place == at || Some(*place) == at.checked_add(1)))
            .filter_map(|(_, pair)| match pair {
                [old, new] => Some((old.policy_hash().to_owned(), new.policy_hash().to_owned())),
                _ => None,
            })
            .collect();
        around.extend(pairs.iter().filter_map(|(old, new)| self.between(old, new)));
        around
    }
}

/// Whether gates 5 to 7 give this reason, the hidden author's apart, which is no column of the table.
const fn of_the_table(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::CeilingNever
            | Reason::PurposeExcludesCategory
            | Reason::AccordMissing
            | Reason::AccordRefused
            | Reason::AccordWithdrawn
            | Reason::AccordExpired
            | Reason::AccordTooNarrow
            | Reason::InformationMissing
            | Reason::StatuteNotOpen
            | Reason::StatuteNeedsBothBound
            | Reason::RefusalNeedsManagerValidation
            | Reason::NotFamilyReleased
    )
}

fn answer_of(judgement: &Judgement) -> Answer {
    let failing: Vec<Reason> = judgement.failing().into_iter().flatten().collect();
    Answer {
        permitted: judgement.permitted,
        reasons: if judgement.permitted { vec![judgement.reason] } else { failing },
    }
}

/// What the record says of gates 5 to 7. Where another gate refused and these did not, what they rested on is not told.
struct Recorded {
    answer: Answer,
    told: bool,
}

fn recorded(entry: &TrailEntry) -> Recorded {
    let failing: Vec<Reason> = entry.failing.iter().copied().filter(|r| of_the_table(*r)).collect();
    let permitted = failing.is_empty();
    let reasons = if permitted { vec![entry.reason] } else { failing };
    Recorded { answer: Answer { permitted, reasons }, told: entry.permitted || !permitted }
}

impl Recorded {
    fn is(&self, now: &Answer) -> bool {
        now.permitted == self.answer.permitted && (!self.told || now.reasons == self.answer.reasons)
    }
}

/// The cell and the purpose under which these facts may be judged: for a synthesis every stricter one as well.
fn cells(matrix: Option<&Matrix>, facts: &TableFacts) -> Vec<(Cell, bool)> {
    let Some(matrix) = matrix else { return vec![(Cell::NEVER, false)] };
    let (profession, secrecy) = (facts.recipient_profession, facts.recipient_secrecy);
    let own = matrix.cell(profession, secrecy, facts.category);
    let carries = matrix.purpose_carries(facts.purpose, facts.category);
    let mut cells = vec![(own, carries)];
    if facts.category == Category::Evaluation {
        let subjects: Vec<Cell> =
            Category::ALL.iter().map(|c| matrix.cell(profession, secrecy, *c)).collect();
        for one in &subjects {
            for other in &subjects {
                let cell = own.stricter(*one).stricter(*other);
                cells.extend([(cell, carries), (cell, false)]);
            }
        }
    }
    cells
}

/// By which rule a decision was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Table,
    Emergency,
}

/// A permit says by which; a refusal stands in a record of the emergency that was asked for. One that says « emergency »
/// anywhere else, or cites none, is judged by the table, where there is no such permit.
fn rule_of(body: &LeafBody, entry: &TrailEntry) -> Rule {
    let asked = body.resource == ResourceKind::Emergency;
    let cites = || body.basis.iter().any(|b| b.starts_with("emergency:"));
    match (asked, entry.permitted, entry.reason) {
        (true, true, Reason::Emergency) if cites() => Rule::Emergency,
        (true, false, _) => Rule::Emergency,
        (true | false, ..) => Rule::Table,
    }
}

fn said(rule: Rule, matrix: Option<&Matrix>, facts: &TableFacts, recorded: &Recorded) -> Result<(), Answer> {
    let mut first = None;
    for (cell, carries) in cells(matrix, facts) {
        let now = match (rule, emergency_opens(facts.category, cell)) {
            (Rule::Table, _) => answer_of(&judge_cell(cell, carries, facts)),
            (Rule::Emergency, Ok(_)) => Answer { permitted: true, reasons: vec![Reason::Emergency] },
            (Rule::Emergency, Err(never)) => Answer { permitted: false, reasons: vec![never] },
        };
        if recorded.is(&now) {
            return Ok(());
        }
        first.get_or_insert(now);
    }
    Err(first.unwrap_or(Answer { permitted: false, reasons: Vec::new() }))
}

/// Whether permitted means that nothing failed, and the reason is the first that did.
fn coherent(entry: &TrailEntry) -> bool {
    if entry.permitted { entry.failing.is_empty() } else { entry.failing.first() == Some(&entry.reason) }
}

/// Judges every decision of one record again; `tell` hears each that does not replay.
pub fn replay_record(
    body: &LeafBody,
    versions: &mut Versions,
    count: &mut Replayed,
    tell: &mut dyn FnMut(Difference),
) {
    count.records = count.records.saturating_add(1);
    let mut differs = |difference: Difference, count: &mut Replayed| {
        count.differences = count.differences.saturating_add(1);
        tell(difference);
    };
    for entry in &body.facts {
        let whole = Answer {
            permitted: entry.permitted,
            reasons: if entry.permitted { vec![entry.reason] } else { entry.failing.clone() },
        };
        let plain = |mismatch, now, charter| Difference {
            mismatch,
            facts: entry.facts,
            recorded: Some(whole.clone()),
            now,
            charter,
        };
        if !coherent(entry) {
            differs(plain(Mismatch::Outcome, None, None), count);
            continue;
        }
        let Some(facts) = &entry.facts else {
            count.plain = count.plain.saturating_add(1);
            continue;
        };
        count.decisions = count.decisions.saturating_add(1);
        let recorded = recorded(entry);
        let matrix = match versions.cited(&body.policy_hashes) {
            Cited::None => None,
            Cited::Known(matrix) => Some(matrix),
            Cited::Missing(hash) => {
                differs(plain(Mismatch::CharterMissing, None, Some(hash)), count);
                continue;
            }
        };
        let rule = rule_of(body, entry);
        let Err(now) = said(rule, matrix.as_deref(), facts, &recorded) else { continue };
        // Who reads decides about itself: then the version cited is its own.
        let another = !body.action.shows_content();
        if another
            && versions
                .beside(&body.policy_hashes)
                .iter()
                .any(|m| said(rule, Some(m), facts, &recorded).is_ok())
        {
            count.beside = count.beside.saturating_add(1);
            continue;
        }
        let difference = Difference {
            mismatch: Mismatch::Reasons,
            facts: entry.facts,
            recorded: Some(recorded.answer),
            now: Some(now),
            charter: None,
        };
        differs(difference, count);
    }
}

/// A period of time; either end may be open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    pub from: Option<Timestamp>,
    /// The first moment after it.
    pub until: Option<Timestamp>,
}

impl Period {
    fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// Replays a log. `tell` hears each difference with the index of its record; `progress` how many rows were read.
///
/// # Errors
/// What the reader says, when the log cannot be read.
pub fn replay<R: LogReader>(
    reader: &mut R,
    versions: &mut Versions,
    period: Period,
    tell: &mut dyn FnMut(i64, Difference),
    progress: &mut dyn FnMut(u64),
) -> Result<Replayed, R::Error> {
    let mut count = Replayed::default();
    let (mut after, mut read) = (None, 0_u64);
    loop {
        let rows = reader.rows(after, PAGE)?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = Some(last.index);
        for row in &rows {
            read = read.saturating_add(1);
            let Some(text) = row.body.as_deref() else {
                count.without_body = count.without_body.saturating_add(1);
                continue;
            };
            match LeafBody::parse(text) {
                Ok(body) if period.holds(body.at) => {
                    replay_record(&body, versions, &mut count, &mut |d| tell(row.index, d));
                }
                Ok(_) => {}
                Err(_) => {
                    count.differences = count.differences.saturating_add(1);
                    let mismatch = Mismatch::Unreadable;
                    tell(
                        row.index,
                        Difference { mismatch, facts: None, recorded: None, now: None, charter: None },
                    );
                }
            }
        }
        progress(read);
    }
}
