//! « Aussi pour ses frères et sœurs » : the same accord for several children, met around one table.
//!
//! INVARIANTS
//! * One accord per child: each is composed, decided and recorded under its own pathway, as if it were alone. Nothing of
//!   one child's pathway stands in another's, neither in its accord nor in its records.
//! * No exact words: those of one child are not those of another. Somebody who shows words makes that accord alone.
//! * A pathway where it may not be is answered like one that is not there; the others are made all the same.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::accords::{AccordInput, InterpreterInput, LineInput};
use super::consent::{RecipientInput, accord_rule};
use super::{Act, App, Call, Created, Idempotency, ServiceError};
use crate::domain::accord::{Language, LineKind};
use crate::domain::day::Day;
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{AssignmentId, PathwayId};

/// The largest family that one sheet serves.
const MOST: usize = 12;

/// One line, without exact words.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiblingsLine {
    pub recipient: RecipientInput,
    /// `recipient` or `contributor`.
    pub kind: LineKind,
    /// « cette personne seulement ».
    #[serde(default)]
    pub only_assignment: Option<AssignmentId>,
    /// Subjects named for this recipient.
    #[serde(default, deserialize_with = "at_most::<13, _, _>")]
    #[schema(max_items = 13)]
    pub categories: Vec<Category>,
    /// Services whose taking part this recipient will know.
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub names_services: Vec<RecipientInput>,
}

/// The same accord, for several children.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiblingsInput {
    /// One pathway per child, each of which the collector may collect for.
    #[serde(deserialize_with = "at_most::<MOST, _, _>")]
    #[schema(max_items = 12)]
    pub pathways: Vec<PathwayId>,
    pub purpose: Purpose,
    pub starts: Day,
    /// First day on which it no longer counts.
    pub ends: Day,
    /// Language in which the notice is read (`fr`, `ar`, `fr-LSF`).
    #[schema(max_length = 20, pattern = "^[A-Za-z]{2,8}(-[A-Za-z]{2,8})*$")]
    pub language: String,
    #[serde(default)]
    pub interpreter: Option<InterpreterInput>,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub lines: Vec<SiblingsLine>,
}

/// Several children, each once, and what is asked for each of them.
pub struct Siblings {
    pathways: Vec<PathwayId>,
    accord: AccordInput,
}

impl SiblingsInput {
    /// Two children at least, each named once.
    ///
    /// # Errors
    /// The field `pathways`; a language that is none.
    pub fn checked(self) -> Result<Siblings, ServiceError> {
        let unique: BTreeSet<&PathwayId> = self.pathways.iter().collect();
        if unique.len() != self.pathways.len() || unique.len() < 2 || unique.len() > MOST {
            let expected = "de deux à douze parcours, chacun une fois";
            return Err(FieldErrors::one("pathways", EntryError::WrongType { expected }).into());
        }
        // A language that is none is none for each child: told once, before anything is prepared.
        Language::parse(&self.language).map_err(|e| accord_rule(&e))?;
        let lines = self.lines.into_iter().map(|l| LineInput {
            recipient: l.recipient,
            kind: l.kind,
            only_assignment: l.only_assignment,
            categories: l.categories,
            shows: Vec::new(),
            names_services: l.names_services,
        });
        Ok(Siblings {
            accord: AccordInput {
                purpose: self.purpose,
                starts: self.starts,
                ends: self.ends,
                language: self.language,
                interpreter: self.interpreter,
                lines: lines.collect(),
                replaces: None,
            },
            pathways: self.pathways,
        })
    }
}

/// What became of one child.
pub type SiblingAnswer = (PathwayId, Result<Created, ServiceError>);

/// Whether the whole request is over: nothing more can be decided or recorded now.
const fn stops(error: &ServiceError) -> bool {
    match error {
        ServiceError::Unauthenticated
        | ServiceError::TooManyAttempts(_)
        | ServiceError::Unavailable(_)
        | ServiceError::Internal(_) => true,
        ServiceError::AbsentOrRefused
        | ServiceError::Explained(_)
        | ServiceError::Invalid(_)
        | ServiceError::Rule { .. }
        | ServiceError::Conflict
        | ServiceError::PreconditionFailed => false,
    }
}

impl App {
    /// Makes the accord for each child, and says of each what became of it.
    ///
    /// # Errors
    /// Only when nothing at all was made and nothing can be: no session, no log.
    pub fn accord_create_siblings(
        &self,
        call: &Call,
        act: Act,
        asked: &Siblings,
    ) -> Result<Vec<SiblingAnswer>, ServiceError> {
        let mut answers = Vec::with_capacity(asked.pathways.len());
        for pathway in &asked.pathways {
            // Each child under a key of its own: what was made before a break is found again, not made twice.
            let idempotency = call.idempotency.as_ref().map(|i| Idempotency {
                key: format!("{}/{}", i.key, pathway.as_str()),
                body: i.body.clone(),
            });
            let one = Call { idempotency, ..call.clone() };
            match self.accord_create(&one, act, pathway, &asked.accord) {
                Err(e) if stops(&e) && answers.is_empty() => return Err(e),
                made => answers.push((pathway.clone(), made)),
            }
        }
        Ok(answers)
    }
}
