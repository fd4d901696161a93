//! What is wrong with a charter or a file of rows, and where: French sentences with file, line and column.
//!
//! Invariant: a refusal lists every finding that could be established at once, in the order of the files. This module
//! judges nothing.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    file: String,
    line: u32,
    column: u32,
    field: Option<String>,
    message: String,
}

impl Finding {
    /// A finding; lines and columns start at 1. In a CSV file the column is the number of the field, as in a
    /// spreadsheet; in a TOML file it is the number of the character.
    pub(crate) fn new(file: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column, field: None, message: message.into() }
    }

    /// The same, naming the field by its header.
    pub(crate) fn in_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    #[must_use]
    pub const fn column(&self) -> u32 {
        self.column
    }

    /// The sentence without its place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ligne {}, colonne {}", self.file, self.line, self.column)?;
        if let Some(field) = &self.field {
            write!(f, " ({field})")?;
        }
        write!(f, " : {}", self.message)
    }
}

/// Every finding of one reading; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// `Err` with all of them when there is at least one.
    ///
    /// # Errors
    /// The findings themselves.
    pub(crate) fn refuse_if_any(mut found: Vec<Finding>) -> Result<(), CharterError> {
        if found.is_empty() {
            return Ok(());
        }
        found.sort();
        found.dedup();
        Err(CharterError::Refused(Self(found)))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }
}

impl From<Finding> for Findings {
    fn from(one: Finding) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

/// Why a charter, a policy file or a file of rows is refused.
#[derive(Debug, thiserror::Error)]
pub enum CharterError {
    /// The content is wrong; every place is named.
    #[error("{0}")]
    Refused(Findings),
    /// A file cannot be read.
    #[error("`{path}` ne peut pas être lu : vérifiez le chemin et les droits")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The policy engine did not accept what the strict reader let through: a bug, never a wrong charter.
    #[error("le moteur de règles a refusé la politique : signalez-le, rien n'a été publié")]
    Engine(#[source] Box<casbin::Error>),
    /// The policy engine could not be run at all.
    #[error("le moteur de règles n'a pas pu démarrer : signalez-le, rien n'a été publié")]
    Runtime(#[source] std::io::Error),
    /// The engine did not load every rule (it drops duplicates silently).
    #[error(
        "le moteur de règles n'a pas gardé toutes les règles de `{0}` : signalez-le, rien n'a été publié"
    )]
    RulesLost(String),
    /// Matrix, reference evaluator and casbin do not agree on one cell.
    #[error("les trois calculs ne disent pas la même chose pour `{0}` : signalez-le, rien n'a été publié")]
    Disagreement(String),
}

impl From<Finding> for CharterError {
    fn from(one: Finding) -> Self {
        Self::Refused(one.into())
    }
}
