//! Reading a record back: strict, into the words of the vocabulary.
//!
//! Serves the auditor's list, the replay of past decisions and `verify`'s recomputation of the index. An unknown
//! member, an empty list, a word that is in no list or a number out of range refuses the whole body: what cannot be
//! understood cannot be vouched for. The schema is described in `leaf`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use data_encoding::HEXLOWER;

use super::json::{JsonError, Value, parse};
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
        let mut m = Members::new(parse(body)?)?;
        // Members come in ascending order: they are asked for in that order.
        let read = Self {
            action: Action::parse(&m.need("action")?)?,
            actor: m.pseudonym("actor")?,
            at: Timestamp::from_micros(m.integer("at")?.ok_or(BodyError::Missing("at"))?),
            basis: m.texts("basis")?.into_iter().map(Cow::into_owned).collect(),
            blinder: m.bytes("blinder")?.ok_or(BodyError::Missing("blinder"))?,
            categories: categories(&m.texts("categories")?)?,
            clauses: m.texts("clauses")?.into_iter().map(Cow::into_owned).collect(),
            count: m.counter("count")?,
            decision: Verdict::parse(&m.need("decision")?)?,
            detail_commit: m.bytes("detail_commit")?,
            facts: m.list("facts")?.into_iter().map(trail).collect::<Result<_, _>>()?,
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
                let version = m.integer("v")?.ok_or(BodyError::Missing("v"))?;
                if version != SCHEMA {
                    return Err(BodyError::Schema(version));
                }
                m.bytes("write_digest")?
            },
        };
        m.end()?;
        Ok(read)
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

fn trail(entry: Value<'_>) -> Result<TrailEntry, BodyError> {
    let mut m = Members::new(entry)?;
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

/// The members of an object, taken in ascending order.
struct Members<'a> {
    rest: std::iter::Peekable<std::vec::IntoIter<(Cow<'a, str>, Value<'a>)>>,
}

impl<'a> Members<'a> {
    fn new(value: Value<'a>) -> Result<Self, BodyError> {
        match value {
            Value::Map(entries) => Ok(Self { rest: entries.into_iter().peekable() }),
            Value::Integer(_) | Value::Text(_) | Value::List(_) => Err(BodyError::Form("body")),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value<'a>> {
        self.rest.next_if(|(k, _)| k == key).map(|(_, value)| value)
    }

    fn text(&mut self, key: &'static str) -> Result<Option<Cow<'a, str>>, BodyError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Integer(_) | Value::List(_) | Value::Map(_)) => Err(BodyError::Form(key)),
        }
    }

    fn need(&mut self, key: &'static str) -> Result<Cow<'a, str>, BodyError> {
        self.text(key)?.ok_or(BodyError::Missing(key))
    }

    fn integer(&mut self, key: &'static str) -> Result<Option<i64>, BodyError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Integer(n)) if n >= 0 => Ok(Some(n)),
            Some(Value::Integer(_) | Value::Text(_) | Value::List(_) | Value::Map(_)) => {
                Err(BodyError::Form(key))
            }
        }
    }

    fn counter(&mut self, key: &'static str) -> Result<Option<u32>, BodyError> {
        self.integer(key)?.map(|n| u32::try_from(n).map_err(|_| BodyError::Form(key))).transpose()
    }

    fn list(&mut self, key: &'static str) -> Result<Vec<Value<'a>>, BodyError> {
        match self.take(key) {
            None => Ok(Vec::new()),
            // An empty list would be a second way to say "absent".
            Some(Value::List(items)) if !items.is_empty() => Ok(items),
            Some(Value::List(_) | Value::Integer(_) | Value::Text(_) | Value::Map(_)) => {
                Err(BodyError::Form(key))
            }
        }
    }

    fn texts(&mut self, key: &'static str) -> Result<Vec<Cow<'a, str>>, BodyError> {
        let text = |value| match value {
            Value::Text(text) => Ok(text),
            Value::Integer(_) | Value::List(_) | Value::Map(_) => Err(BodyError::Form(key)),
        };
        self.list(key)?.into_iter().map(text).collect()
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

    fn end(mut self) -> Result<(), BodyError> {
        match self.rest.next() {
            None => Ok(()),
            Some((key, _)) => Err(BodyError::Unknown(key.chars().take(80).collect())),
        }
    }
}
