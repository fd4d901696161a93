//! Whom an auditor trusts (C2SP `tlog-policy`): logs, witnesses, groups « k of n », and the quorum.
//!
//! INVARIANT: what is doubtful is refused: a name or a key given twice, a member of two groups, a witness that has the
//! log's own key, a number written otherwise. The second verifier (`docs/verifier`) says the same of every file; a test
//! puts the same files to both.
//!
//! Its errors are in French: only people who wrote such a file read them.

use std::fmt;

use super::checkpoint::{CheckpointError, SignedCheckpoint, decimal};
use super::cosignature::{CosignatureError, WitnessKey};
use super::note::{NoteError, VerifierKey};
use crate::clock::Timestamp;

/// What is wrong with one line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LineError {
    #[error(
        "ligne inconnue ou incomplète : attendu `log`, `witness`, `group` ou `quorum`, avec ce qui les suit"
    )]
    Unknown,
    #[error("la clé n'en est pas une ({0})")]
    Key(NoteError),
    #[error("le même journal est donné deux fois")]
    LogTwice,
    #[error("le même témoin est donné deux fois : un témoin ne compte qu'une fois")]
    WitnessTwice,
    #[error("le nom `{0}` est déjà pris")]
    NameTaken(String),
    #[error("`{0}` n'est pas défini plus haut")]
    Undefined(String),
    #[error("`{0}` est déjà membre d'un groupe")]
    InTwoGroups(String),
    #[error("le seuil d'un groupe est un nombre entre 1 et celui de ses membres, `any` ou `all`")]
    Threshold,
    #[error("il y a deux lignes `quorum`")]
    TwoQuorums,
}

/// Why a policy, or what it judged, does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PolicyError {
    #[error("la politique contient un caractère de contrôle (fins de ligne de Windows ?)")]
    Control,
    #[error("la dernière ligne de la politique n'est pas terminée")]
    Unfinished,
    #[error("politique, ligne {number} : {what}")]
    Line { number: usize, what: LineError },
    #[error("il manque la ligne `quorum` à la politique")]
    NoQuorum,
    #[error("un témoin de la politique a la clé du journal qu'il doit surveiller")]
    OwnWitness,
    #[error("la clé de journal donnée n'est pas une de celles de la politique")]
    OtherLog,
    #[error("la même clé de journal est donnée deux fois")]
    KeyTwice,
    #[error("aucune clé de journal : donnez --vkey, ou une politique qui nomme le journal")]
    NoLog,
    #[error("le quorum de témoins (`{quorum}`) n'est pas atteint ; ont cosigné : {seen}")]
    NoneSuch { quorum: String, seen: String },
    #[error("le point de contrôle n'est pas de ce journal ({0})")]
    Checkpoint(#[from] CheckpointError),
    #[error("une cosignature ne tient pas ({0})")]
    Cosignature(#[from] CosignatureError),
}

/// A name of the file: bytes, as the format has it.
#[derive(Clone, PartialEq, Eq)]
struct Name(Vec<u8>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

struct Group {
    name: Name,
    least: usize,
    members: Vec<Name>,
}

enum Quorum {
    /// No witness is asked for.
    None,
    /// A witness or a group.
    Of(Name),
}

/// What a policy found of a checkpoint: which witnesses cosigned, under the names of the file, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    pub name: String,
    pub at: Timestamp,
}

/// A policy that was read.
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<(Name, WitnessKey)>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A policy while it is read.
#[derive(Default)]
struct Reading {
    logs: Vec<VerifierKey>,
    witnesses: Vec<(Name, WitnessKey)>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
}

fn key<T>(word: &[u8], parse: fn(&str) -> Result<T, NoteError>) -> Result<T, LineError> {
    let text = std::str::from_utf8(word).map_err(|_| LineError::Key(NoteError::Key("not UTF-8")))?;
    parse(text).map_err(LineError::Key)
}

impl Reading {
    fn defined(&self, name: &Name) -> bool {
        self.witnesses.iter().any(|(known, _)| known == name) || self.groups.iter().any(|g| g.name == *name)
    }

    fn known(&self, word: &[u8]) -> Result<Name, LineError> {
        let name = Name(word.to_vec());
        if self.defined(&name) { Ok(name) } else { Err(LineError::Undefined(name.to_string())) }
    }

    fn new_name(&self, word: &[u8]) -> Result<Name, LineError> {
        let name = Name(word.to_vec());
        if word == b"none" || self.defined(&name) {
            return Err(LineError::NameTaken(name.to_string()));
        }
        Ok(name)
    }

    fn group(&mut self, name: &[u8], least: &[u8], members: &[&[u8]]) -> Result<(), LineError> {
        let name = self.new_name(name)?;
        let mut own: Vec<Name> = Vec::new();
        for member in members {
            let member = self.known(member)?;
            if own.contains(&member) || self.groups.iter().any(|g| g.members.contains(&member)) {
                return Err(LineError::InTwoGroups(member.to_string()));
            }
            own.push(member);
        }
        let least = match least {
            b"any" => Some(1),
            b"all" => Some(own.len()),
            number => {
                std::str::from_utf8(number).ok().and_then(decimal).and_then(|n| usize::try_from(n).ok())
            }
        };
        let least = least.filter(|n| (1..=own.len()).contains(n)).ok_or(LineError::Threshold)?;
        self.groups.push(Group { name, least, members: own });
        Ok(())
    }

    fn line(&mut self, words: &[&[u8]]) -> Result<(), LineError> {
        match words {
            [b"log", vkey] | [b"log", vkey, _] => {
                let log = key(vkey, VerifierKey::parse)?;
                if self.logs.iter().any(|known| known.public() == log.public()) {
                    return Err(LineError::LogTwice);
                }
                self.logs.push(log);
            }
            [b"witness", name, vkey] | [b"witness", name, vkey, _] => {
                let witness = key(vkey, WitnessKey::parse)?;
                if self.witnesses.iter().any(|(_, known)| known.public() == witness.public()) {
                    return Err(LineError::WitnessTwice);
                }
                let name = self.new_name(name)?;
                self.witnesses.push((name, witness));
            }
            [b"group", name, least, members @ ..] if !members.is_empty() => {
                self.group(name, least, members)?
            }
            [b"quorum", name] => {
                if self.quorum.is_some() {
                    return Err(LineError::TwoQuorums);
                }
                let of = if *name == b"none" { Quorum::None } else { Quorum::Of(self.known(name)?) };
                self.quorum = Some(of);
            }
            _other => return Err(LineError::Unknown),
        }
        Ok(())
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`], with the line where it is in one.
    pub fn parse(data: &[u8]) -> Result<Self, PolicyError> {
        if data.iter().any(|b| (*b < 0x20 && *b != b'\t' && *b != b'\n') || *b == 0x7f) {
            return Err(PolicyError::Control);
        }
        let Some(lines) = data.strip_suffix(b"\n") else { return Err(PolicyError::Unfinished) };
        let mut reading = Reading::default();
        for (at, line) in lines.split(|b| *b == b'\n').enumerate() {
            let words: Vec<&[u8]> =
                line.split(|b| *b == b' ' || *b == b'\t').filter(|word| !word.is_empty()).collect();
            if words.first().is_none_or(|word| word.starts_with(b"#")) {
                continue;
            }
            reading.line(&words).map_err(|what| PolicyError::Line { number: at.saturating_add(1), what })?;
        }
        let Reading { logs, witnesses, groups, quorum } = reading;
        let quorum = quorum.ok_or(PolicyError::NoQuorum)?;
        let policy = Self { logs, witnesses, groups, quorum };
        policy.no_own_witness(&policy.logs)?;
        Ok(policy)
    }

    /// THREAT: a log that is its own witness attests to itself.
    fn no_own_witness(&self, logs: &[VerifierKey]) -> Result<(), PolicyError> {
        let own = |key: &WitnessKey| logs.iter().any(|log| log.public() == key.public());
        if self.witnesses.iter().any(|(_, key)| own(key)) { Err(PolicyError::OwnWitness) } else { Ok(()) }
    }

    /// The log's keys to verify with: those that were given, which the policy must name if it names any; else its own.
    ///
    /// # Errors
    /// [`PolicyError`] when there is none, or another than the policy's.
    pub fn keys(&self, given: &[VerifierKey]) -> Result<Vec<VerifierKey>, PolicyError> {
        for (at, key) in given.iter().enumerate() {
            if given.iter().skip(at.saturating_add(1)).any(|other| other.public() == key.public()) {
                return Err(PolicyError::KeyTwice);
            }
        }
        if !self.logs.is_empty() && !given.iter().all(|key| self.logs.contains(key)) {
            return Err(PolicyError::OtherLog);
        }
        self.no_own_witness(given)?;
        let keys = if given.is_empty() { self.logs.clone() } else { given.to_vec() };
        if keys.is_empty() { Err(PolicyError::NoLog) } else { Ok(keys) }
    }

    /// Whether the log signed this checkpoint and enough witnesses saw it; which, and when.
    ///
    /// # Errors
    /// [`PolicyError`]. One wrong cosignature of a witness that is named spoils the whole.
    pub fn check(
        &self,
        checkpoint: &SignedCheckpoint,
        given: &[VerifierKey],
        now: Timestamp,
    ) -> Result<Vec<Attested>, PolicyError> {
        let keys = self.keys(given)?;
        checkpoint.verify(checkpoint.claims().origin(), &keys)?;
        let mut seen: Vec<(&Name, Timestamp)> = Vec::new();
        for (name, key) in &self.witnesses {
            if let Some(at) = checkpoint.cosigned(key, now)? {
                seen.push((name, at));
            }
        }
        let attested: Vec<Attested> =
            seen.iter().map(|(name, at)| Attested { name: name.to_string(), at: *at }).collect();
        match &self.quorum {
            Quorum::Of(name) if !self.met(name, &seen) => {
                let names: Vec<&str> = attested.iter().map(|a| a.name.as_str()).collect();
                let seen = if names.is_empty() { "aucun".to_owned() } else { names.join(", ") };
                Err(PolicyError::NoneSuch { quorum: name.to_string(), seen })
            }
            Quorum::Of(_) | Quorum::None => Ok(attested),
        }
    }

    /// Members are defined above their group: this ends.
    fn met(&self, name: &Name, seen: &[(&Name, Timestamp)]) -> bool {
        match self.groups.iter().find(|g| g.name == *name) {
            Some(group) => group.members.iter().filter(|m| self.met(m, seen)).count() >= group.least,
            None => seen.iter().any(|(known, _)| *known == name),
        }
    }
}

#[cfg(test)]
mod tests;
