//! A pruning in the log: the record that says which records lost their body, and the proof that it says no more and no
//! less (SECURITY §1).
//!
//! A `prune` record is like any other, of the class that is never pruned. What it covers stands in its `basis`, `count`
//! says how many:
//!
//! | `basis` | what |
//! |---|---|
//! | `prune:<first>:<last>:<digest>` | all records of the request's class from index first to last; SHA-256 over each index (8 bytes, big endian) and leaf hash, ascending |
//! | `pruning:<id>:<class>:<first>:<last>:<before>` | the request that two persons decided, as the records of both cite it: the class, between which indexes, and that each record is older than `before` (µs) |
//!
//! INVARIANT: a body may be missing only under exactly one such record, later in the log, of its class, over its index; and
//! under one, it must be missing.
//! INVARIANT: what is erased is judged by its body ([`Request::cover`]): the columns beside it can be edited.
//! INVARIANT: the sealed detail of a pruning names what it covers ([`Cover::row_ref`]): that of another says something else.
//! INVARIANT: of a pruned record the leaf hash stays. It is believed as far as a signed checkpoint covers it: so is every
//! proof and receipt that was taken before.
//!
//! It erases nothing and decides nothing: `service::auditing::pruning` does.

use std::collections::{BTreeMap, HashMap};

use data_encoding::HEXLOWER;

use super::body::LeafBody;
use super::json::{self, Value};
use super::leaf::Pseudonym;
use super::tree::leaf_hash;
use super::verify::Flaw;
use crate::clock::Timestamp;
use crate::crypto::hash::{Digest, Sha256, sha256};
use crate::domain::pruning::least_days;
use crate::domain::record::{Action, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::ids::PruningId;

const DAY: i64 = 24 * 3600;

/// Under which name the detail of a pruning says what it covers.
const COVERED: &str = "prune";

/// Why a record must keep its body, although the columns beside it say otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PruneError {
    #[error("record `{0}` is not the one that its hash stands for; run `relais audit verify`")]
    Hash(u64),
    #[error("record `{0}` cannot be read; run `relais audit verify`")]
    Unreadable(u64),
    #[error("record `{0}` is not of the class that its row says; run `relais audit verify`")]
    Class(u64),
    #[error("record `{0}` is not as old as its row says; run `relais audit verify`")]
    Time(u64),
    #[error("record `{0}` is not among those that were asked for; ask anew")]
    Bounds(u64),
}

/// What a set of erased records comes to.
#[derive(Clone, Default)]
pub struct Erased {
    hash: Sha256,
    count: u32,
}

impl Erased {
    /// The next one, ascending.
    pub fn add(&mut self, index: u64, leaf_hash: &[u8]) {
        self.hash.update(&index.to_be_bytes());
        self.hash.update(leaf_hash);
        self.count = self.count.saturating_add(1);
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The digest over all of them.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.hash.clone().finish()
    }
}

/// What two persons decided: the records of a class, between two indexes, older than a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub id: PruningId,
    pub class: RetentionClass,
    pub first: u64,
    pub last: u64,
    pub before: Timestamp,
}

/// A number in its only spelling.
fn number<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|n| n.to_string() == text)
}

impl Request {
    /// How the records of it cite it.
    #[must_use]
    pub fn mark(&self) -> String {
        let Self { id, class, first, last, before } = self;
        format!("pruning:{id}:{}:{first}:{last}:{}", class.code(), before.micros())
    }

    /// What a record of a pruning of these records covers: index, leaf hash and body of each, ascending. Nothing where there
    /// are none.
    ///
    /// THREAT: who owns the database and edits the class or the time in the columns of a record between the request and its
    /// confirmation: the service itself would erase a disclosure, and no verifier would see it.
    ///
    /// # Errors
    /// [`PruneError`] with the first record that must keep its body.
    pub fn cover<'a>(
        &self,
        records: impl IntoIterator<Item = (u64, &'a [u8], &'a str)>,
    ) -> Result<Option<Cover>, PruneError> {
        let mut erased = Erased::default();
        let mut ends: Option<(u64, u64)> = None;
        for (index, hash, text) in records {
            if leaf_hash(text.as_bytes()) != hash {
                return Err(PruneError::Hash(index));
            }
            let body = LeafBody::parse(text).map_err(|_| PruneError::Unreadable(index))?;
            if body.retention != self.class {
                return Err(PruneError::Class(index));
            }
            if body.at >= self.before {
                return Err(PruneError::Time(index));
            }
            if !(self.first..=self.last).contains(&index) {
                return Err(PruneError::Bounds(index));
            }
            erased.add(index, hash);
            ends = Some((ends.map_or(index, |(first, _)| first), index));
        }
        Ok(ends.map(|(first, last)| Cover {
            request: self.clone(),
            first,
            last,
            count: erased.count(),
            digest: erased.digest(),
        }))
    }

    fn parse(mark: &str) -> Option<Self> {
        let words: Vec<&str> = mark.split(':').collect();
        let ["pruning", id, class, first, last, before] = words.as_slice() else { return None };
        Some(Self {
            id: PruningId::parse(id).ok()?,
            class: RetentionClass::parse(class).ok()?,
            first: number(first)?,
            last: number(last)?,
            before: Timestamp::from_micros(number(before)?),
        })
    }
}

/// What a `prune` record covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cover {
    pub request: Request,
    pub first: u64,
    pub last: u64,
    pub count: u32,
    pub digest: Digest,
}

impl Cover {
    /// What the record of it rests on.
    #[must_use]
    pub fn basis(&self) -> Vec<String> {
        let of = format!("prune:{}:{}:{}", self.first, self.last, HEXLOWER.encode(&self.digest));
        vec![of, self.request.mark()]
    }

    /// What its sealed detail names: a digest of all that it says it covers, and how many.
    ///
    /// THREAT: a pruning that is made up, with the commitment and the sealed detail of an earlier one beside it.
    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        let id = HEXLOWER.encode(&sha256(&[self.basis().join("\n").as_bytes()]));
        RowRef { table: COVERED, id, version: i64::from(self.count) }
    }

    /// Whether an opened detail is that of this pruning.
    pub(super) fn is_named_in(&self, detail: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(detail) else { return false };
        let Ok(Value::Map(members)) = json::parse(text) else { return false };
        let RowRef { table, id, version } = self.row_ref();
        let own = Value::List(vec![Value::text(table), Value::text(&id), Value::Integer(version)]);
        members.iter().any(|(name, rows)| match rows {
            Value::List(rows) => name == "returned" && rows.contains(&own),
            Value::Integer(_) | Value::Text(_) | Value::Map(_) => false,
        })
    }

    /// What this record covers; nothing where it is not a pruning in its only form.
    #[must_use]
    pub fn of(body: &LeafBody) -> Option<Self> {
        let kept = body.action == Action::Prune
            && body.resource == ResourceKind::AuditLog
            && body.decision == Verdict::Permit
            && body.retention == RetentionClass::Disclosure
            && body.detail_commit.is_some();
        let [what, mark] = body.basis.as_slice() else { return None };
        let words: Vec<&str> = what.split(':').collect();
        let ["prune", first, last, digest] = words.as_slice() else { return None };
        let mut bytes: Digest = [0; 32];
        let whole = digest.len() == 64 && HEXLOWER.decode_mut(digest.as_bytes(), &mut bytes).is_ok();
        let cover = Self {
            request: Request::parse(mark)?,
            first: number(first)?,
            last: number(last)?,
            count: body.count?,
            digest: bytes,
        };
        let within = cover.request.first <= cover.first
            && cover.first <= cover.last
            && cover.last <= cover.request.last;
        (kept && whole && within).then_some(cover)
    }

    /// Whether what it covers had been kept for as long as the law asks when it was pruned.
    fn in_time(&self, at: Timestamp) -> bool {
        least_days(self.request.class)
            .is_some_and(|days| self.request.before.plus_seconds(days.saturating_mul(DAY)) <= at)
    }
}

/// One pruning that a verification met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pruned {
    /// The index of its own record.
    pub index: u64,
    pub at: Timestamp,
    pub class: RetentionClass,
    pub first: u64,
    pub last: u64,
    pub before: Timestamp,
    pub count: u32,
}

struct Tracked {
    index: u64,
    cover: Cover,
    in_time: bool,
    erased: Erased,
}

/// The two persons of a request, by pseudonym, as far as they were met.
#[derive(Default)]
struct Persons {
    asked: Option<Pseudonym>,
    confirmed: Option<Pseudonym>,
}

impl Persons {
    /// Pseudonyms change with the year: of two years, they do not say whether it is one person.
    fn are_two(&self) -> bool {
        let (Some(asked), Some(confirmed)) = (&self.asked, &self.confirmed) else { return false };
        asked != confirmed && asked.year() == confirmed.year()
    }
}

/// The prunings of a log, told beforehand by whoever reads it, and held against its rows as they come.
///
/// INVARIANT: what is told beforehand is a hint and no more. A pruning counts once its own record is reached, well hashed,
/// and says the same.
#[derive(Default)]
pub(super) struct Prunings {
    /// Ascending by index and by range, which no two share.
    tracked: BTreeMap<RetentionClass, Vec<Tracked>>,
    persons: HashMap<String, Persons>,
}

impl Prunings {
    /// Those that the reader tells, ascending: index and body. What cannot be one is left out, and is named where its row
    /// comes.
    pub(super) fn told(records: Vec<(i64, String)>) -> Self {
        let mut tracked: BTreeMap<RetentionClass, Vec<Tracked>> = BTreeMap::new();
        for (index, text) in records {
            let (Ok(index), Ok(body)) = (u64::try_from(index), LeafBody::parse(&text)) else { continue };
            let Some(cover) = Cover::of(&body) else { continue };
            let before = tracked.entry(cover.request.class).or_default();
            // One record is pruned once, by a later one.
            let follows = before.last().is_none_or(|t| t.index < index && t.cover.last < cover.first);
            if cover.last < index && follows {
                let in_time = cover.in_time(body.at);
                before.push(Tracked { index, cover, in_time, erased: Erased::default() });
            }
        }
        Self { tracked, persons: HashMap::new() }
    }

    fn over(&mut self, index: u64, class: RetentionClass) -> Option<&mut Tracked> {
        let all = self.tracked.get_mut(&class)?;
        let at = all.partition_point(|t| t.cover.last < index);
        all.get_mut(at).filter(|t| t.cover.first <= index)
    }

    /// A record without its body. `since` is the time of the last one before it that has its body.
    pub(super) fn erased(
        &mut self,
        index: u64,
        class: &str,
        leaf_hash: &[u8],
        since: Option<Timestamp>,
    ) -> Result<(), Flaw> {
        let class = RetentionClass::parse(class).map_err(|_| Flaw::Retention)?;
        let another =
            RetentionClass::ALL.iter().any(|other| *other != class && self.over(index, *other).is_some());
        let Some(over) = self.over(index, class) else {
            return Err(if another { Flaw::PruneClass } else { Flaw::BodyMissing });
        };
        // Times never go back: what follows a record of that day or later is not older than that day.
        if !over.in_time || since.is_some_and(|last| last >= over.cover.request.before) {
            return Err(Flaw::PruneEarly);
        }
        over.erased.add(index, leaf_hash);
        Ok(())
    }

    /// A record with its body, well hashed.
    pub(super) fn whole(&mut self, index: u64, body: &LeafBody) -> Result<Option<Pruned>, Flaw> {
        if self.over(index, body.retention).is_some() {
            return Err(Flaw::PruneUndone);
        }
        if body.resource == ResourceKind::Pruning && body.decision == Verdict::Permit {
            self.hear(body);
        }
        if body.action == Action::Prune { self.judge(index, body).map(Some) } else { Ok(None) }
    }

    /// Who asked, and who confirmed.
    fn hear(&mut self, body: &LeafBody) {
        let Some(mark) = body.basis.iter().find(|mark| Request::parse(mark).is_some()) else { return };
        let persons = self.persons.entry(mark.clone()).or_default();
        match body.action {
            Action::Create => persons.asked = body.actor.clone(),
            Action::Confirm => persons.confirmed = body.actor.clone(),
            _other => {}
        }
    }

    fn judge(&self, index: u64, body: &LeafBody) -> Result<Pruned, Flaw> {
        let cover = Cover::of(body).ok_or(Flaw::PruneForm)?;
        let all = self.tracked.get(&cover.request.class).ok_or(Flaw::PruneForm)?;
        let told = all.binary_search_by_key(&index, |t| t.index).ok().and_then(|at| all.get(at));
        let tracked = told.filter(|t| t.cover == cover).ok_or(Flaw::PruneForm)?;
        if !cover.in_time(body.at) {
            return Err(Flaw::PruneEarly);
        }
        if tracked.erased.count() != cover.count || tracked.erased.digest() != cover.digest {
            return Err(Flaw::PruneSet);
        }
        let two = self.persons.get(&cover.request.mark()).is_some_and(Persons::are_two);
        if !two {
            return Err(Flaw::PruneAlone);
        }
        Ok(Pruned {
            index,
            at: body.at,
            class: cover.request.class,
            first: cover.first,
            last: cover.last,
            before: cover.request.before,
            count: cover.count,
        })
    }
}
