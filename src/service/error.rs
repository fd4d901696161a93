//! What a service can answer instead of a result. The edge turns each into one status and one stable code.

use crate::access::Refusal;
use crate::audit::LaneError;
use crate::domain::cell::Reason;
use crate::domain::text::FieldErrors;
use crate::store::StoreError;

/// Why not, for those whom gate 3 names for this very thing (DESIGN §1).
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Every failing reason, coarse where a refusal must stay between the family and who collected it.
    pub reasons: Vec<Reason>,
}

/// The one error of services.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// 401: no session, or one that ended.
    #[error("no session")]
    Unauthenticated,
    /// 404: refused and absent are one answer.
    #[error("absent or refused")]
    AbsentOrRefused,
    /// 403: refused, with the explanation that this asker may have.
    #[error("refused, with an explanation")]
    Explained(Explanation),
    /// 422: what was sent is not valid; nothing was kept.
    #[error("invalid input")]
    Invalid(FieldErrors),
    /// 422: valid in form, impossible in substance: a stable code and a French sentence, told at a field where it is
    /// about one.
    #[error("`{code}`: {message}")]
    Rule { code: &'static str, message: String, refused: Option<Vec<Reason>>, field: Option<&'static str> },
    /// 409: the thing changed meanwhile, or the form was made under another assignment.
    #[error("changed meanwhile")]
    Conflict,
    /// 412: `If-Match` names another version.
    #[error("another version")]
    PreconditionFailed,
    /// 429, with the seconds to wait.
    #[error("too many attempts; wait {0} s")]
    TooManyAttempts(u32),
    /// 503: the log or the database does not answer; nothing was shown or changed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// 500: a bug; the incident number is in the log.
    #[error("internal: {0}")]
    Internal(String),
}

impl ServiceError {
    /// What was asked makes no sense as it was asked: recorded as failed.
    pub fn rule(code: &'static str, message: impl Into<String>) -> Self {
        Self::Rule { code, message: message.into(), refused: None, field: None }
    }

    /// What cannot be, from what it says of itself.
    pub fn internal(e: impl std::fmt::Display) -> Self {
        Self::Internal(e.to_string())
    }

    /// A session whose professional is not there.
    pub fn nobody() -> Self {
        Self::internal("a session without its professional")
    }

    /// The same rule, told at the field that it is about: its path in the body of the API.
    #[must_use]
    pub fn at(self, path: &'static str) -> Self {
        match self {
            Self::Rule { code, message, refused, field: _ } => {
                Self::Rule { code, message, refused, field: Some(path) }
            }
            other => other,
        }
    }

    /// Law, charter or family say no, whatever is typed: told in a sentence, and recorded as the refusal that it is.
    pub fn denied(reason: Reason, code: &'static str, message: impl Into<String>) -> Self {
        Self::denied_for(vec![reason], code, message)
    }

    /// As [`ServiceError::denied`], where no reason of the gates says it: the record cites the rule itself.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::denied_for(Vec::new(), code, message)
    }

    /// As [`ServiceError::denied`], for several reasons.
    pub fn denied_for(reasons: Vec<Reason>, code: &'static str, message: impl Into<String>) -> Self {
        Self::Rule { code, message: message.into(), refused: Some(reasons), field: None }
    }
}

impl From<StoreError> for ServiceError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Stale => Self::Conflict,
            StoreError::Pool(_)
            | StoreError::Connect(_)
            | StoreError::Database(_)
            | StoreError::StillInJournal => Self::Unavailable(e.to_string()),
            // THREAT: an erased pathway must read as absent, not as broken.
            StoreError::KeyDestroyed => Self::AbsentOrRefused,
            StoreError::Address
            | StoreError::EngineNotBuilt
            | StoreError::File { .. }
            | StoreError::FileMode(_)
            | StoreError::Migration(_)
            | StoreError::MigrationsPending(_)
            | StoreError::NewerDatabase(_)
            | StoreError::InstanceKind { .. }
            | StoreError::Keyring(_)
            | StoreError::Corrupt { .. } => Self::Internal(e.to_string()),
        }
    }
}

impl From<LaneError<StoreError>> for ServiceError {
    fn from(e: LaneError<StoreError>) -> Self {
        match e {
            LaneError::Stale => Self::Unavailable("facts kept moving".to_owned()),
            LaneError::Refused(store) => store.into(),
            LaneError::Panicked | LaneError::NothingPermitted => Self::Internal(e.to_string()),
            LaneError::Unavailable => Self::Unavailable(e.to_string()),
        }
    }
}

impl From<LaneError> for ServiceError {
    fn from(e: LaneError) -> Self {
        match e {
            LaneError::Stale => Self::Unavailable("facts kept moving".to_owned()),
            LaneError::Refused(never) => match never {},
            LaneError::Panicked | LaneError::NothingPermitted => Self::Internal(e.to_string()),
            LaneError::Unavailable => Self::Unavailable(e.to_string()),
        }
    }
}

impl From<crate::clock::NoChance> for ServiceError {
    fn from(e: crate::clock::NoChance) -> Self {
        Self::Unavailable(e.to_string())
    }
}

impl From<FieldErrors> for ServiceError {
    fn from(e: FieldErrors) -> Self {
        Self::Invalid(e)
    }
}

impl From<&Refusal> for ServiceError {
    fn from(r: &Refusal) -> Self {
        if r.explainable {
            Self::Explained(Explanation { reasons: r.failing.iter().map(|f| f.reason.coarse()).collect() })
        } else {
            Self::AbsentOrRefused
        }
    }
}
