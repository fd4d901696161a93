//! Entity tags, preconditions and cursors: values that mean something for one session and one query only.
//!
//! INVARIANT: none of them can be compared between two people (THREAT: equal tags tell that two people see the same),
//! and none can be made by a client.
//!
//! They are bound to the session, which acts under exactly one assignment: after a new sign-in, what was fetched
//! before must be fetched again.

use zeroize::Zeroizing;

use super::app::App;
use super::error::ServiceError;
use super::flow::Call;
use crate::domain::text::{EntryError, FieldErrors};

/// Who an answer to a request without a session is for.
const NOBODY: &str = "nobody";

fn who(call: Option<&Call>) -> String {
    call.map_or_else(|| NOBODY.to_owned(), |call| call.token.to_hex())
}

impl App {
    /// The entity tag, quoted, of what this session was shown: the bytes of the answer, or a stamp of its version
    /// such as `item:<id>:3`.
    #[must_use]
    pub fn tag(&self, call: Option<&Call>, shown: &[u8]) -> String {
        self.store().instance_keys().etag(&who(call), shown)
    }

    /// Compares `If-Match` with what this session would be shown now. Without `If-Match` nothing is asked. Call it
    /// inside the closure of a change, after the gate has answered: only what may be read can answer 412.
    ///
    /// # Errors
    /// [`ServiceError::PreconditionFailed`].
    pub fn check_if_match(
        &self,
        call: &Call,
        if_match: Option<&str>,
        shown: &[u8],
    ) -> Result<(), ServiceError> {
        match if_match {
            None => Ok(()),
            Some(tag) if tag == self.tag(Some(call), shown) => Ok(()),
            Some(_) => Err(ServiceError::PreconditionFailed),
        }
    }

    /// Seals the place at which a list goes on. `query` names the list and every filter of it.
    ///
    /// # Errors
    /// No randomness, or a place that is too long.
    pub fn seal_cursor(&self, call: &Call, query: &[u8], place: &[u8]) -> Result<String, ServiceError> {
        self.store()
            .instance_keys()
            .seal_cursor(&who(Some(call)), query, place, self.chance())
            .map_err(|e| ServiceError::Unavailable(e.to_string()))
    }

    /// Opens a cursor that was made for the same session and query.
    ///
    /// # Errors
    /// 422 naming the field `cursor`, for any other text.
    pub fn open_cursor(
        &self,
        call: &Call,
        query: &[u8],
        cursor: &str,
    ) -> Result<Zeroizing<Vec<u8>>, ServiceError> {
        self.store().instance_keys().open_cursor(&who(Some(call)), query, cursor).map_err(|_| {
            FieldErrors::one(
                "cursor",
                EntryError::WrongType { expected: "la valeur `next` de la page précédente, telle quelle" },
            )
            .into()
        })
    }
}
