//! A record on its way to the log: everything that costs is done here, outside the lane.
//!
//! [`Record::prepare`] draws the blinder, makes the pseudonyms, has the detail sealed and writes the canonical body
//! around one hole, the time. The lane fills the hole, hashes once and numbers.
//!
//! INVARIANT: no content, no name, no search text: a body is made of [`RecordDraft`]'s closed words, of random ids
//! and of keyed digests. Who acted and on which pathway stands in the sealed detail and, pseudonymised, in the body.
//! INVARIANT: the schema below is version 1 for ever; another schema is another number in `v`.
//!
//! Body, version 1 (members that are absent or empty are left out; order is alphabetical):
//!
//! | member | what |
//! |---|---|
//! | `action`, `resource`, `decision`, `retention` | closed words of the vocabulary |
//! | `actor`, `pathway`, `session` | pseudonyms: `<year><class>:` and 32 hexadecimal digits |
//! | `at` | microseconds since 1970-01-01, UTC |
//! | `basis`, `clauses`, `policy_hashes` | what the decision rests on |
//! | `blinder` | 16 random bytes, hexadecimal |
//! | `categories` | codes, ascending |
//! | `count` | for how many requests a counting leaf stands |
//! | `detail_commit` | HMAC-SHA-256(salt, detail), hexadecimal |
//! | `facts` | distinct decisions: the eight columns of the decision table, `outcome`, `reason`, `failing`, `objects` |
//! | `function`, `organisation`, `profession`, `purpose`, `secrecy` | of the actor and of the request |
//! | `obligations`, `reasons` | codes, in their order |
//! | `request` | id shared by all records of a request |
//! | `result_digest` | SHA-256 of the canonical list of returned `[kind, id, version]`, ascending |
//! | `write_digest` | digest of the new ciphertext rows |
//! | `v` | 1 |
//!
//! This room does not choose keys: the pseudonym key and the sealer are given by the caller.

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::json::{MAX_INTEGER, Value, write_around};
use crate::clock::{Chance, NoChance, Timestamp};
use crate::crypto::envelope::DataKeyId;
use crate::crypto::hash::{Digest, hmac_sha256, sha256};
use crate::domain::record::{Action, ActorStamp, RecordDraft, RetentionClass, RowRef, TrailEntry, Verdict};
use crate::domain::vocabulary::{Profession, Purpose};
use crate::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, SessionId};

/// The version of the body's schema.
pub const SCHEMA: i64 = 1;

/// A record cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(
        "the pseudonym key is of class `{key}` and the record of class `{record}`; take the key of the record's class"
    )]
    OtherClass { key: RetentionClass, record: RetentionClass },
    #[error("version `{version}` of a row cannot be written; versions are at most 2^53 - 1")]
    Version { version: i64 },
    #[error(transparent)]
    Chance(#[from] NoChance),
    #[error("the detail of the record cannot be encrypted")]
    Seal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A stable stand-in for a person, a session or a pathway inside one year and class.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// Reads `<year><class>:<32 hexadecimal digits>`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, digits) = text.split_once(':')?;
        let year = head.strip_suffix(['d', 't'])?;
        let well_formed = year.len() == 4
            && year.bytes().all(|b| b.is_ascii_digit())
            && digits.len() == 32
            && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The year of the key under which it was made.
    #[must_use]
    pub fn year(&self) -> Option<u16> {
        self.0.get(..4).and_then(|year| year.parse().ok())
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key under which pseudonyms of one retention class and year are made. Destroying it unlinks that year.
pub struct PseudonymKey {
    class: RetentionClass,
    year: u16,
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey")
    }
}

impl PseudonymKey {
    /// A key for `class` in `year` (written with four digits).
    #[must_use]
    pub fn new(class: RetentionClass, year: u16, key: Zeroizing<[u8; 32]>) -> Self {
        Self { class, year, key }
    }

    #[must_use]
    pub const fn class(&self) -> RetentionClass {
        self.class
    }

    #[must_use]
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// Of a pathway.
    #[must_use]
    pub fn pathway(&self, id: &PathwayId) -> Pseudonym {
        self.make("pathway", id.as_str())
    }

    /// Of an actor: of the assignment, because an actor *is* somebody acting under one assignment.
    #[must_use]
    pub fn assignment(&self, id: &AssignmentId) -> Pseudonym {
        self.make("assignment", id.as_str())
    }

    /// Of somebody who acts before choosing an assignment (a refused sign-in).
    #[must_use]
    pub fn professional(&self, id: &ProfessionalId) -> Pseudonym {
        self.make("professional", id.as_str())
    }

    /// Of a session.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Pseudonym {
        self.make("session", id.as_str())
    }

    /// The pseudonym under which an actor appears in the log.
    #[must_use]
    pub fn actor(&self, stamp: &ActorStamp) -> Pseudonym {
        match &stamp.assignment {
            Some(assignment) => self.assignment(assignment),
            None => self.professional(&stamp.professional),
        }
    }

    fn make(&self, kind: &str, id: &str) -> Pseudonym {
        let letter = match self.class {
            RetentionClass::Technical => 't',
            RetentionClass::Disclosure => 'd',
        };
        // Kinds are fixed words without NUL and ids have one length: the concatenation is unambiguous.
        let digest = hmac_sha256(self.key.as_ref(), &[kind.as_bytes(), &[0], id.as_bytes()]);
        let (half, _) = digest.split_at(16);
        Pseudonym(format!("{:04}{letter}:{}", self.year, HEXLOWER.encode(half)))
    }
}

/// What is kept beside a leaf and dies with its key (table `audit_detail`).
#[derive(Clone, PartialEq, Eq)]
pub struct SealedDetail {
    pub salt: [u8; 32],
    pub key: DataKeyId,
    pub ciphertext: Vec<u8>,
    pub commit: Digest,
}

/// Who encrypts details: under the pathway's key, or the instance's where there is no pathway.
pub trait DetailSealer {
    /// Encrypts `detail`. `commit` names the row in the associated data: it stands in the leaf body, so a ciphertext
    /// moved to another record does not open.
    ///
    /// # Errors
    /// When there is no key to encrypt under; the record is then not made.
    fn seal_detail(
        &self,
        pathway: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>>;
}

/// The searchable copy of a record (table `audit_index`), recomputed by `audit verify` from the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexRow {
    pub at: Timestamp,
    pub actor: Option<Pseudonym>,
    pub organisation: Option<OrganisationId>,
    pub profession: Option<Profession>,
    pub action: Action,
    pub pathway: Option<Pseudonym>,
    pub purpose: Option<Purpose>,
    pub decision: Verdict,
}

/// A record ready for the lane: only its index, its time and its hash are missing.
#[must_use = "a record that does not reach the lane records nothing"]
pub struct Record {
    before: String,
    after: String,
    retention: RetentionClass,
    index: IndexRow,
    detail: Option<SealedDetail>,
}

/// A record with its number, its time and its hash: what the backend stores.
pub struct NumberedLeaf {
    pub index: u64,
    pub leaf_hash: Digest,
    /// The hashes of the interior nodes that this leaf completes, levels 1, 2, …; stored with it, because proofs
    /// read them by [`NodeId::completed_by`](super::tree::NodeId::completed_by). As a blob: `nodes.concat()`.
    pub nodes: Vec<Digest>,
    pub body: String,
    pub retention: RetentionClass,
    pub row: IndexRow,
    pub detail: Option<SealedDetail>,
}

impl Record {
    /// Does everything that costs: randomness, pseudonyms, encryption of the detail, the text of the body.
    ///
    /// # Errors
    /// [`PrepareError`]; nothing may then be shown or changed.
    pub fn prepare(
        draft: &RecordDraft,
        key: &PseudonymKey,
        sealer: &dyn DetailSealer,
        chance: &dyn Chance,
    ) -> Result<Self, PrepareError> {
        if key.class != draft.retention {
            return Err(PrepareError::OtherClass { key: key.class, record: draft.retention });
        }
        let mut versions = draft.returned.iter().chain(&draft.written).map(|r| r.version);
        if let Some(version) = versions.find(|v| v.unsigned_abs() > MAX_INTEGER.unsigned_abs()) {
            return Err(PrepareError::Version { version });
        }
        let mut blinder = [0_u8; 16];
        chance.fill(&mut blinder)?;
        let detail = seal(draft, sealer, chance)?;
        let index = IndexRow {
            // The lane's time; this one is never stored.
            at: Timestamp::from_micros(0),
            actor: draft.actor.as_ref().map(|a| key.actor(a)),
            organisation: draft.actor.as_ref().and_then(|a| a.organisation.clone()),
            profession: draft.actor.as_ref().and_then(|a| a.profession),
            action: draft.action,
            pathway: draft.pathway.as_ref().map(|p| key.pathway(p)),
            purpose: draft.purpose,
            decision: draft.verdict,
        };
        let session = draft.actor.as_ref().and_then(|a| a.session.as_ref()).map(|s| key.session(s));
        let members = members(draft, &index, session.as_ref(), &blinder, detail.as_ref());
        let (before, after) = write_around(members, "at");
        Ok(Self { before, after, retention: draft.retention, index, detail })
    }

    /// Whether this record says that something was permitted.
    #[must_use]
    pub fn permits(&self) -> bool {
        matches!(self.index.decision, Verdict::Permit)
    }

    /// Fills in the time and hashes; called by the lane only.
    pub(super) fn number(
        self,
        index: u64,
        at: Timestamp,
        frontier: &mut super::tree::Frontier,
    ) -> NumberedLeaf {
        let body = format!("{}{}{}", self.before, at.micros(), self.after);
        let leaf_hash = super::tree::leaf_hash(body.as_bytes());
        let nodes = frontier.append(leaf_hash);
        let row = IndexRow { at, ..self.index };
        NumberedLeaf { index, leaf_hash, nodes, body, retention: self.retention, row, detail: self.detail }
    }
}

/// The canonical detail: what a motivated, recorded re-identification opens. `None` when there is nothing to tell.
///
/// The blinder inside keeps the commitment from being guessed by somebody who reads the salt's column.
#[must_use]
pub fn detail_bytes(draft: &RecordDraft, blinder: &[u8; 16]) -> Option<Zeroizing<Vec<u8>>> {
    let mut members: Vec<(Cow<'_, str>, Value<'_>)> = Vec::new();
    let mut put = |key: &'static str, value: Value<'static>| members.push((Cow::Borrowed(key), value));
    if let Some(actor) = &draft.actor {
        put("professional", owned(actor.professional.as_str()));
        if let Some(assignment) = &actor.assignment {
            put("assignment", owned(assignment.as_str()));
        }
    }
    if let Some(pathway) = &draft.pathway {
        put("pathway", owned(pathway.as_str()));
    }
    if let Some(motive) = &draft.motive {
        put("motive", owned(motive));
    }
    for (key, rows) in [("returned", &draft.returned), ("written", &draft.written)] {
        if !rows.is_empty() {
            put(key, rows_value(rows));
        }
    }
    if members.is_empty() {
        return None;
    }
    members.push((Cow::Borrowed("blinder"), Value::Text(HEXLOWER.encode(blinder).into())));
    members.push((Cow::Borrowed("v"), Value::Integer(SCHEMA)));
    Some(Zeroizing::new(Value::Map(members).write().into_bytes()))
}

/// The commitment that binds a leaf to its detail.
#[must_use]
pub fn detail_commit(salt: &[u8], detail: &[u8]) -> Digest {
    hmac_sha256(salt, &[detail])
}

fn seal(
    draft: &RecordDraft,
    sealer: &dyn DetailSealer,
    chance: &dyn Chance,
) -> Result<Option<SealedDetail>, PrepareError> {
    let mut blinder = [0_u8; 16];
    chance.fill(&mut blinder)?;
    let Some(detail) = detail_bytes(draft, &blinder) else { return Ok(None) };
    let mut salt = [0_u8; 32];
    chance.fill(&mut salt)?;
    let commit = detail_commit(&salt, &detail);
    let (key, ciphertext) =
        sealer.seal_detail(draft.pathway.as_ref(), &commit, &detail).map_err(PrepareError::Seal)?;
    Ok(Some(SealedDetail { salt, key, ciphertext, commit }))
}

fn owned(text: &str) -> Value<'static> {
    Value::Text(Cow::Owned(text.to_owned()))
}

fn codes<T>(items: &[T], code: fn(&T) -> &'static str) -> Value<'static> {
    Value::texts(items.iter().map(code))
}

/// Rows as a canonical list: ascending, each once.
fn rows_value(rows: &[RowRef]) -> Value<'static> {
    let mut sorted: Vec<&RowRef> = rows.iter().collect();
    sorted.sort();
    sorted.dedup();
    let row = |r: &RowRef| Value::List(vec![Value::text(r.table), owned(&r.id), Value::Integer(r.version)]);
    Value::List(sorted.into_iter().map(row).collect())
}

/// The digest of what a request returned: row ids and versions, never content.
#[must_use]
pub fn result_digest(rows: &[RowRef]) -> Digest {
    sha256(&[rows_value(rows).write().as_bytes()])
}

fn members<'a>(
    draft: &'a RecordDraft,
    index: &'a IndexRow,
    session: Option<&'a Pseudonym>,
    blinder: &[u8; 16],
    detail: Option<&SealedDetail>,
) -> Vec<(&'static str, Value<'a>)> {
    let mut out: Vec<(&'static str, Value<'a>)> = Vec::with_capacity(28);
    out.push(("v", Value::Integer(SCHEMA)));
    out.push(("action", Value::text(draft.action.code())));
    out.push(("blinder", Value::Text(HEXLOWER.encode(blinder).into())));
    out.push(("decision", Value::text(draft.verdict.code())));
    out.push(("request", Value::text(draft.request.as_str())));
    out.push(("resource", Value::text(draft.resource.code())));
    out.push(("retention", Value::text(draft.retention.code())));
    let hex = |digest: &Digest| HEXLOWER.encode(digest);
    let single: [(&'static str, Option<Cow<'a, str>>); 11] = [
        ("actor", index.actor.as_ref().map(|p| p.as_str().into())),
        ("pathway", index.pathway.as_ref().map(|p| p.as_str().into())),
        ("session", session.map(|p| p.as_str().into())),
        ("organisation", index.organisation.as_ref().map(|o| o.as_str().into())),
        ("profession", index.profession.map(|p| p.code().into())),
        ("purpose", index.purpose.map(|p| p.code().into())),
        ("function", draft.actor.as_ref().and_then(|a| a.function).map(|f| f.code().into())),
        ("secrecy", draft.actor.as_ref().and_then(|a| a.secrecy).map(|s| s.code().into())),
        ("detail_commit", detail.map(|d| hex(&d.commit).into())),
        ("result_digest", (!draft.returned.is_empty()).then(|| hex(&result_digest(&draft.returned)).into())),
        ("write_digest", draft.write_digest.as_ref().map(|d| hex(d).into())),
    ];
    out.extend(single.into_iter().filter_map(|(key, text)| Some((key, Value::Text(text?)))));
    out.extend(draft.count.map(|count| ("count", Value::Integer(i64::from(count)))));
    let mut categories: Vec<&'static str> = draft.categories.iter().map(|c| c.code()).collect();
    categories.sort_unstable();
    let lists = [
        ("basis", Value::texts(draft.basis.iter().map(String::as_str))),
        ("categories", Value::texts(categories)),
        ("clauses", Value::texts(draft.clauses.iter().map(String::as_str))),
        ("facts", Value::List(distinct(&draft.trail).iter().map(trail_value).collect())),
        ("obligations", Value::texts(draft.obligations.iter().copied())),
        ("policy_hashes", Value::texts(draft.policy_hashes.iter().map(String::as_str))),
        ("reasons", codes(&draft.reasons, |r| r.code())),
    ];
    out.extend(
        lists.into_iter().filter(|(_, value)| !matches!(value, Value::List(items) if items.is_empty())),
    );
    out
}

/// Each distinct decision once, with the sum of its objects.
fn distinct(trail: &[TrailEntry]) -> Vec<TrailEntry> {
    let mut sorted = trail.to_vec();
    sorted.sort();
    sorted.dedup_by(|next, kept| {
        let same = next.facts == kept.facts
            && next.permitted == kept.permitted
            && next.reason == kept.reason
            && next.failing == kept.failing;
        if same {
            kept.objects = kept.objects.saturating_add(next.objects);
        }
        same
    });
    sorted
}

fn trail_value(entry: &TrailEntry) -> Value<'static> {
    let outcome = if entry.permitted { Verdict::Permit } else { Verdict::Deny };
    let mut out: Vec<(Cow<'static, str>, Value<'static>)> = vec![
        ("objects".into(), Value::Integer(i64::from(entry.objects))),
        ("outcome".into(), Value::text(outcome.code())),
        ("reason".into(), Value::text(entry.reason.code())),
    ];
    if !entry.failing.is_empty() {
        out.push(("failing".into(), codes(&entry.failing, |r| r.code())));
    }
    if let Some(facts) = &entry.facts {
        out.extend(facts.columns().map(|(key, code)| (Cow::Borrowed(key), Value::text(code))));
    }
    Value::Map(out)
}

#[cfg(test)]
mod tests;
