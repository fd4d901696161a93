//! Reading a record back: strict, into the words of the vocabulary.
//!
//! Serves the auditor's list, the replay of past decisions and `verify`'s recomputation of the index. An unknown
//! member, an empty list, a word that is in no list or a number out of range refuses the whole body: what cannot be
//! understood cannot be vouched for. The schema is described in `leaf`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use data_encoding::HEXLOWER;

use super::json::{JsonError, Reader};
use super::leaf::{IndexRow, Pseudonym, SCHEMA};
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;
use crate::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use crate::domain::record::{Action, ResourceKind, RetentionClass, TrailEntry, Verdict};
use crate::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy, UnknownWord};
use crate::ids::{InvalidId, OrganisationId, RequestId};

/// Why a body was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("schema `{0}` is not known to this program; use a newer one")]
    Schema(i64),
    #[error("member `{0}` is missing")]
    Missing(&'static str),
    #[error("member `{0}` does not have the form it must have")]
    Form(&'static str),
    #[error("member `{0}` is not of this schema")]
    Unknown(String),
    #[error(transparent)]
    Word(#[from] UnknownWord),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// A record as an auditor reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeafBody {
    pub action: Action,
    pub actor: Option<Pseudonym>,
    pub at: Timestamp,
    pub basis: Vec<String>,
    pub blinder: [u8; 16],
    pub categories: BTreeSet<Category>,
    pub clauses: Vec<String>,
    pub count: Option<u32>,
    pub decision: Verdict,
    pub detail_commit: Option<Digest>,
    pub facts: Vec<TrailEntry>,
    pub function: Option<Function>,
    pub obligations: Vec<String>,
    pub organisation: Option<OrganisationId>,
    pub pathway: Option<Pseudonym>,
    pub policy_hashes: Vec<String>,
    pub profession: Option<Profession>,
    pub purpose: Option<Purpose>,
    pub reasons: Vec<Reason>,
    pub request: RequestId,
    pub resource: ResourceKind,
    pub result_digest: Option<Digest>,
    pub retention: RetentionClass,
    pub secrecy: Option<Secrecy>,
    pub session: Option<Pseudonym>,
    pub write_digest: Option<Digest>,
}

impl LeafBody {
    /// Reads a body.
    ///
    /// # Errors
    /// [`BodyError`] with the member that is wrong.
    pub fn parse(body: &str) -> Result<Self, BodyError> {
        let mut reader = Reader::new(body);
        let read = Self::read(&mut reader)?;
        reader.end()?;
        Ok(read)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, BodyError> {
        let mut m = Members::new(reader, "body")?;
        // Members come in ascending order: they are asked for in that order.
        let read = Self {
            action: Action::parse(&m.need("action")?)?,
            actor: m.pseudonym("actor")?,
            at: Timestamp::from_micros(m.need_integer("at")?),
            basis: m.texts("basis")?.into_iter().map(Cow::into_owned).collect(),
            blinder: m.bytes("blinder")?.ok_or(BodyError::Missing("blinder"))?,
            categories: categories(&m.texts("categories")?)?,
            clauses: m.texts("clauses")?.into_iter().map(Cow::into_owned).collect(),
            count: m.counter("count")?,
            decision: Verdict::parse(&m.need("decision")?)?,
            detail_commit: m.bytes("detail_commit")?,
            facts: m.list("facts", trail)?,
            function: m.text("function")?.map(|c| Function::parse(&c)).transpose()?,
            obligations: m.texts("obligations")?.into_iter().map(Cow::into_owned).collect(),
            organisation: m.text("organisation")?.map(|c| OrganisationId::parse(&c)).transpose()?,
            pathway: m.pseudonym("pathway")?,
            policy_hashes: m.texts("policy_hashes")?.into_iter().map(Cow::into_owned).collect(),
            profession: m.text("profession")?.map(|c| Profession::parse(&c)).transpose()?,
            purpose: m.text("purpose")?.map(|c| Purpose::parse(&c)).transpose()?,
            reasons: reasons("reasons", &m.texts("reasons")?)?,
            request: RequestId::parse(&m.need("request")?)?,
            resource: ResourceKind::parse(&m.need("resource")?)?,
            result_digest: m.bytes("result_digest")?,
            retention: RetentionClass::parse(&m.need("retention")?)?,
            secrecy: m.text("secrecy")?.map(|c| Secrecy::parse(&c)).transpose()?,
            session: m.pseudonym("session")?,
            write_digest: {
                let version = m.need_integer("v")?;
                if version != SCHEMA {
                    return Err(BodyError::Schema(version));
                }
                m.bytes("write_digest")?
            },
        };
        m.end()?;
        Ok(read)
    }

    /// Whether this record put content before somebody's eyes: an opening, as the review queue, the report and the
    /// findings of the console count it. `store::dialect::opening` says the same to the database.
    #[must_use]
    pub fn opens_content(&self) -> bool {
        self.decision == Verdict::Permit && self.action.opens(self.resource) && !self.categories.is_empty()
    }

    /// The searchable copy that must stand beside this body.
    #[must_use]
    pub fn index_row(&self) -> IndexRow {
        IndexRow {
            at: self.at,
            actor: self.actor.clone(),
            organisation: self.organisation.clone(),
            profession: self.profession,
            action: self.action,
            pathway: self.pathway.clone(),
            purpose: self.purpose,
            decision: self.decision,
        }
    }
}

fn categories(codes: &[Cow<'_, str>]) -> Result<BTreeSet<Category>, BodyError> {
    if !codes.is_sorted_by(|a, b| a < b) {
        return Err(BodyError::Form("categories"));
    }
    Ok(codes.iter().map(|c| Category::parse(c)).collect::<Result<_, _>>()?)
}

fn reasons(member: &'static str, codes: &[Cow<'_, str>]) -> Result<Vec<Reason>, BodyError> {
    codes.iter().map(|c| Reason::parse(c).ok_or(BodyError::Form(member))).collect()
}

fn trail(reader: &mut Reader<'_>) -> Result<TrailEntry, BodyError> {
    let mut m = Members::new(reader, "facts")?;
    let accord = m.text("accord")?;
    let author_secrecy = m.text("author_secrecy")?;
    let category = m.text("category")?;
    let failing = reasons("failing", &m.texts("failing")?)?;
    let family_released = m.text("family_released")?;
    let objects = m.counter("objects")?.ok_or(BodyError::Missing("objects"))?;
    let permitted = match Verdict::parse(&m.need("outcome")?)? {
        Verdict::Permit => true,
        Verdict::Deny => false,
        Verdict::Failed => return Err(BodyError::Form("outcome")),
    };
    let purpose = m.text("purpose")?;
    let reason = Reason::parse(&m.need("reason")?).ok_or(BodyError::Form("reason"))?;
    let profession = m.text("recipient_profession")?;
    let secrecy = m.text("recipient_secrecy")?;
    let statute = m.text("statute")?;
    m.end()?;
    let columns = (accord, author_secrecy, category, family_released, purpose, profession, secrecy, statute);
    let facts = match columns {
        (None, None, None, None, None, None, None, None) => None,
        (Some(acc), Some(aut), Some(cat), Some(fam), Some(pur), Some(pro), Some(sec), Some(sta)) => {
            Some(TableFacts {
                recipient_profession: Profession::parse(&pro)?,
                recipient_secrecy: Secrecy::parse(&sec)?,
                author_secrecy: Secrecy::parse(&aut)?,
                category: Category::parse(&cat)?,
                purpose: Purpose::parse(&pur)?,
                accord: AccordFact::parse(&acc).ok_or(BodyError::Form("accord"))?,
                family_released: match fam.as_ref() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(BodyError::Form("family_released")),
                },
                statute: StatuteFact::parse(&sta).ok_or(BodyError::Form("statute"))?,
            })
        }
        _ => return Err(BodyError::Form("facts")),
    };
    Ok(TrailEntry { facts, permitted, reason, failing, objects })
}

/// The members of an object, asked for in ascending order.
///
/// INVARIANT: a member that is not asked for in its place is never skipped: it stays here and [`Members::end`] refuses
/// it. So the order of the questions is the order of the keys, and each comes once.
struct Members<'r, 'a> {
    reader: &'r mut Reader<'a>,
    next: Option<Cow<'a, str>>,
}

impl<'r, 'a> Members<'r, 'a> {
    fn new(reader: &'r mut Reader<'a>, what: &'static str) -> Result<Self, BodyError> {
        if !reader.take(b'{') {
            return Err(BodyError::Form(what));
        }
        let next = reader.key(true)?;
        Ok(Self { reader, next })
    }

    /// Reads the member, if it is the next one and starts as its kind does.
    fn member<T>(
        &mut self,
        key: &'static str,
        starts: fn(u8) -> bool,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, BodyError>,
    ) -> Result<Option<T>, BodyError> {
        if self.next.as_deref() != Some(key) {
            return Ok(None);
        }
        if !self.reader.peek().is_some_and(starts) {
            return Err(BodyError::Form(key));
        }
        let value = read(self.reader)?;
        self.next = self.reader.key(false)?;
        Ok(Some(value))
    }

    fn text(&mut self, key: &'static str) -> Result<Option<Cow<'a, str>>, BodyError> {
        self.member(key, |b| b == b'"', |reader| Ok(reader.string()?))
    }

    fn need(&mut self, key: &'static str) -> Result<Cow<'a, str>, BodyError> {
        self.text(key)?.ok_or_else(|| self.absent(key))
    }

    /// Why a member that must be here is not: another stands in its place, or none does.
    fn absent(&self, key: &'static str) -> BodyError {
        match self.next.as_deref() {
            Some(other) if other < key => BodyError::Unknown(other.chars().take(80).collect()),
            Some(_) | None => BodyError::Missing(key),
        }
    }

    fn integer(&mut self, key: &'static str) -> Result<Option<i64>, BodyError> {
        self.member(key, |b| b.is_ascii_digit(), |reader| Ok(reader.integer()?))
    }

    fn need_integer(&mut self, key: &'static str) -> Result<i64, BodyError> {
        self.integer(key)?.ok_or_else(|| self.absent(key))
    }

    fn counter(&mut self, key: &'static str) -> Result<Option<u32>, BodyError> {
        self.integer(key)?.map(|n| u32::try_from(n).map_err(|_| BodyError::Form(key))).transpose()
    }

    fn list<T>(
        &mut self,
        key: &'static str,
        read: fn(&mut Reader<'a>) -> Result<T, BodyError>,
    ) -> Result<Vec<T>, BodyError> {
        let items = self.member(
            key,
            |b| b == b'[',
            |reader| {
                reader.take(b'[');
                let mut items = Vec::new();
                while reader.item(items.is_empty())? {
                    items.push(read(reader)?);
                }
                // An empty list would be a second way to say "absent".
                if items.is_empty() { Err(BodyError::Form(key)) } else { Ok(items) }
            },
        )?;
        Ok(items.unwrap_or_default())
    }

    fn texts(&mut self, key: &'static str) -> Result<Vec<Cow<'a, str>>, BodyError> {
        self.list(key, |reader| match reader.peek() {
            Some(b'"') => Ok(reader.string()?),
            Some(_) | None => Err(BodyError::Form("list")),
        })
    }

    fn pseudonym(&mut self, key: &'static str) -> Result<Option<Pseudonym>, BodyError> {
        self.text(key)?.map(|t| Pseudonym::parse(&t).ok_or(BodyError::Form(key))).transpose()
    }

    fn bytes<const N: usize>(&mut self, key: &'static str) -> Result<Option<[u8; N]>, BodyError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let mut out = [0_u8; N];
        let fits = HEXLOWER.decode_len(text.len()) == Ok(N);
        let read = fits && HEXLOWER.decode_mut(text.as_bytes(), &mut out).is_ok();
        if read { Ok(Some(out)) } else { Err(BodyError::Form(key)) }
    }

    fn end(self) -> Result<(), BodyError> {
        match self.next {
            None => Ok(()),
            Some(key) => Err(BodyError::Unknown(key.chars().take(80).collect())),
        }
    }
}
