//! Showing our checkpoints to witnesses, and keeping what they say (SECURITY §1).
//!
//! INVARIANT: a cosignature is verified before it is kept, and what is kept is append-only.
//! INVARIANT: the longest checkpoint that a witness cosigned is also a file beside the database, replaced durably: a
//! server does not start on a log that does not continue it, nor on one that a witness knows to be longer or another.
//! THREAT: an older copy of the database put back, or a second history: the copy is whole in itself, and only somebody
//! else can say so. A witness that cannot be reached proves nothing either way: it is told, and the server serves.
//!
//! It speaks no HTTP: a [`WitnessLink`] does, to the configured hosts and no other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::auditing::minute;
use super::checkpoints::{broken, log_name, unproven};
use super::{App, ServiceError};
use crate::audit::lane::Priority;
use crate::audit::note::NoteSignature;
use crate::audit::tree::consistency_proof;
use crate::audit::verify::{Failure, attested_failure};
use crate::audit::witness::{AddCheckpoint, Refused, Reply};
use crate::audit::{Job, LeafBody, SignedCheckpoint, WitnessKey};
use crate::clock::Timestamp;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::store::log::{LogFilter, StoredCosignature};
use crate::store::{Snapshot, StoreError, durable};

/// The file of the longest cosigned checkpoint, in the data folder.
pub const ATTESTED_FILE: &str = "cosigned-checkpoint.txt";
/// From how many seconds on a witness that has not seen the end of the log is late.
pub const LATE_SECONDS: i64 = 3600;
/// A witness that knows another size than we thought is asked again with its own.
const TRIES: usize = 3;
/// How many records of alarms are looked at, latest first.
const ALARMS: i64 = 64;

/// The way to one witness.
pub trait WitnessLink: Send + Sync {
    /// Whom it leads to.
    fn key(&self) -> &WitnessKey;

    /// Puts one request, within a bounded time.
    ///
    /// # Errors
    /// Why no answer came, for the operator.
    fn ask(&self, body: &str) -> Result<Reply, String>;
}

/// The witnesses of an instance, and where the longest cosigned checkpoint is kept.
#[derive(Clone, Default)]
pub struct Witnesses {
    pub links: Vec<Arc<dyn WitnessLink>>,
    /// `None` keeps no file (nothing is then compared at the next start).
    pub kept: Option<PathBuf>,
}

impl Witnesses {
    /// The witnesses of the instance in this folder.
    #[must_use]
    pub fn of(links: Vec<Arc<dyn WitnessLink>>, data: &Path) -> Self {
        Self { links, kept: Some(data.join(ATTESTED_FILE)) }
    }
}

/// What a witness says of the log, against our checkpoint of some size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It cosigned, at its time.
    Attested(StoredCosignature),
    /// It knows this log longer than our checkpoint.
    Longer(u64),
    /// It knows another log of this size.
    OtherHistory(u64),
    /// It did not answer as a witness does.
    Nothing(String),
}

/// Why a server does not start, by what a witness says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    pub witness: String,
    /// How long the log is that the witness knows.
    pub theirs: u64,
    pub ours: u64,
}

/// Where one witness stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WitnessState {
    pub name: String,
    /// The size that it cosigned last.
    pub size: Option<u64>,
    /// When, by its own clock, to the minute, UTC.
    pub at: Option<String>,
    /// The log has grown since, and that was more than an hour ago; or it never cosigned.
    pub late: bool,
    /// It said that this log does not continue the one that it knows, and has cosigned nothing since: the size that it
    /// knows.
    pub contradicts: Option<u64>,
}

/// What one round of asking came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub attested: u64,
    pub left: u64,
}

impl Round {
    const fn count(&mut self, said: Option<bool>) {
        match said {
            Some(true) => self.attested = self.attested.saturating_add(1),
            Some(false) => self.left = self.left.saturating_add(1),
            None => {}
        }
    }
}

/// The lines of a checkpoint as stored, put under its note.
pub(crate) fn with_lines(
    signed: SignedCheckpoint,
    stored: &[StoredCosignature],
) -> Result<SignedCheckpoint, ServiceError> {
    let lines = stored.iter().map(|c| NoteSignature::parse(&c.line)).collect::<Result<Vec<_>, _>>();
    Ok(signed.with(lines.map_err(broken)?))
}

/// The longest checkpoint that a witness cosigned, with every cosignature that it has.
pub(super) fn attested(snapshot: &mut Snapshot) -> Result<Option<SignedCheckpoint>, ServiceError> {
    let Some(note) = snapshot.checkpoint_cosigned()? else { return Ok(None) };
    let signed = SignedCheckpoint::parse(&note).map_err(broken)?;
    let stored = snapshot.cosignatures(signed.claims().size())?;
    with_lines(signed, &stored).map(Some)
}

/// What the kept file says against a log, if anything; a file that is not there says nothing.
///
/// # Errors
/// The system's or the database's: what cannot be read is never « it continues ».
pub fn kept_against(kept: &Path, snapshot: &mut Snapshot) -> Result<Option<Failure>, ServiceError> {
    let Some(text) = durable::read(kept).map_err(ServiceError::internal)? else {
        return Ok(None);
    };
    let name = log_name(snapshot)?;
    let frontier = snapshot.log_frontier()?;
    Ok(attested_failure(&text, &name.trust(None), &name.gaps, &frontier, snapshot)?)
}

fn size_of(signed: &SignedCheckpoint) -> u64 {
    signed.claims().size()
}

/// The cosignature of this witness among the lines that came back.
fn own_line(
    key: &WitnessKey,
    signed: &SignedCheckpoint,
    lines: Vec<NoteSignature>,
    now: Timestamp,
) -> Result<StoredCosignature, String> {
    for line in lines {
        let alone = signed.clone().with([line.clone()]);
        if let Some(at) = alone.cosigned(key, now).map_err(|e| e.to_string())? {
            let (size, witness, line) = (size_of(signed), key.to_string(), line.to_string());
            return Ok(StoredCosignature { size, witness, at, line });
        }
    }
    Err("it answered yes without its cosignature".to_owned())
}

impl App {
    /// The same application, with witnesses.
    #[must_use]
    pub fn with_witnesses(mut self, witnesses: Witnesses) -> Self {
        self.witnesses = witnesses;
        self
    }

    /// Shows one checkpoint to one witness. No snapshot is held while it is waited for: a log only grows.
    fn show(
        &self,
        link: &dyn WitnessLink,
        signed: &SignedCheckpoint,
        known: u64,
    ) -> Result<Said, ServiceError> {
        let size = size_of(signed);
        let mut old = known.min(size);
        for _ in 0..TRIES {
            let proof = if old == 0 {
                Vec::new()
            } else {
                consistency_proof(old, size, &mut self.store.snapshot()?).map_err(unproven)?
            };
            let request = AddCheckpoint::new(old, proof, signed.clone());
            match link.ask(&request.to_string()) {
                Ok(Reply::Cosigned(lines)) => {
                    return Ok(match own_line(link.key(), signed, lines, self.clock.now()) {
                        Ok(cosignature) => Said::Attested(cosignature),
                        Err(why) => Said::Nothing(why),
                    });
                }
                Ok(Reply::Refused(Refused::Conflict(theirs))) if theirs > size => {
                    return Ok(Said::Longer(theirs));
                }
                Ok(Reply::Refused(Refused::Conflict(theirs))) if theirs == old && old == size => {
                    return Ok(Said::OtherHistory(theirs));
                }
                Ok(Reply::Refused(Refused::Conflict(theirs))) if theirs != old => old = theirs,
                Ok(Reply::Refused(Refused::BadProof)) => return Ok(Said::OtherHistory(old)),
                Ok(other) => {
                    let (status, _) = other.wire();
                    return Ok(Said::Nothing(format!("it answered {status}")));
                }
                Err(why) => return Ok(Said::Nothing(why)),
            }
        }
        Ok(Said::Nothing("the log grows faster than it answers".to_owned()))
    }

    /// The last checkpoint that was kept, verified.
    fn last_signed(&self, snapshot: &mut Snapshot) -> Result<Option<SignedCheckpoint>, ServiceError> {
        let Some(last) = snapshot.checkpoint_latest()? else { return Ok(None) };
        let name = log_name(snapshot)?;
        let signed = SignedCheckpoint::parse(&last.note).map_err(broken)?;
        name.check(&signed)?;
        Ok(Some(signed))
    }

    /// Shows the last checkpoint to every witness that has not cosigned it.
    ///
    /// # Errors
    /// The database's. A witness that does not answer is no error: it is counted, and asked again the next time.
    pub fn witnesses_ask(&self) -> Result<Round, ServiceError> {
        let mut round = Round::default();
        if self.witnesses.links.is_empty() {
            return Ok(round);
        }
        let Some(signed) = self.last_signed(&mut self.store.snapshot()?)? else { return Ok(round) };
        for link in &self.witnesses.links {
            round.count(self.ask_one(link.as_ref(), &signed)?);
        }
        if round.attested > 0 {
            self.keep_attested()?;
        }
        let now = self.clock.now();
        for state in self.witness_states(&mut self.store.snapshot()?, now)?.iter().filter(|s| s.late) {
            tracing::warn!(
                witness = state.name,
                last = state.at.as_deref().unwrap_or("never"),
                "the last cosignature of this witness is more than an hour old"
            );
        }
        Ok(round)
    }

    /// Shows a checkpoint to one witness, unless it has cosigned it; whether it did now. `None`: there was nothing to ask.
    fn ask_one(
        &self,
        link: &dyn WitnessLink,
        signed: &SignedCheckpoint,
    ) -> Result<Option<bool>, ServiceError> {
        let (name, vkey) = (link.key().name(), link.key().to_string());
        let known = self.store.snapshot()?.cosignature_latest(&vkey)?.map_or(0, |c| c.size);
        if known == size_of(signed) {
            return Ok(None);
        }
        match self.show(link, signed, known)? {
            Said::Attested(cosignature) => {
                self.store.cosignature_keep(&cosignature)?;
                return Ok(Some(true));
            }
            // Another node of the same database was quicker.
            Said::Longer(theirs) if theirs <= self.store.snapshot()?.log_frontier()?.size() => {}
            Said::Longer(theirs) | Said::OtherHistory(theirs) => {
                tracing::error!(
                    witness = name,
                    theirs,
                    "a witness says that this log does not continue the one that it knows: touch nothing, and run `relais audit verify`"
                );
                self.contradicted(link.key(), theirs)?;
            }
            Said::Nothing(why) => tracing::warn!(witness = name, why, "a witness did not cosign"),
        }
        Ok(Some(false))
    }

    /// Shows the last checkpoint to all witnesses at once, and waits so long at most: for a program that stops. A
    /// witness that takes longer keeps nobody waiting; the next start asks it again.
    ///
    /// # Errors
    /// The database's.
    pub fn witnesses_ask_at_the_end(self: &Arc<Self>, patience: Duration) -> Result<Round, ServiceError> {
        if self.witnesses.links.is_empty() {
            return Ok(Round::default());
        }
        let Some(signed) = self.last_signed(&mut self.store.snapshot()?)? else {
            return Ok(Round::default());
        };
        let many = self.witnesses.links.len();
        let answers = Arc::new((Mutex::new((Round::default(), many)), Condvar::new()));
        for place in 0..many {
            let (app, signed, answers) = (Arc::clone(self), signed.clone(), Arc::clone(&answers));
            let asked = std::thread::Builder::new().name("witness".to_owned()).spawn(move || {
                let said = match app.witnesses.links.get(place) {
                    Some(link) => app.ask_one(link.as_ref(), &signed),
                    None => Ok(None),
                };
                let (state, changed) = &*answers;
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                match said {
                    Ok(said) => state.0.count(said),
                    Err(error) => tracing::warn!(%error, "a witness could not be asked"),
                }
                state.1 = state.1.saturating_sub(1);
                changed.notify_all();
            });
            if let Err(error) = asked {
                tracing::warn!(%error, "a witness could not be asked");
            }
        }
        let (state, changed) = &*answers;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(state, patience, |(_, waited_for)| *waited_for > 0);
        let (mut round, late) = *waited.unwrap_or_else(PoisonError::into_inner).0;
        round.left = round.left.saturating_add(u64::try_from(late).unwrap_or(u64::MAX));
        if round.attested > 0 {
            self.keep_attested()?;
        }
        Ok(round)
    }

    /// What must hold before the first request: every witness that answers knows this log, and no longer one.
    ///
    /// # Errors
    /// The database's.
    pub fn witnesses_contradict(&self) -> Result<Option<Contradiction>, ServiceError> {
        for link in &self.witnesses.links {
            // Nothing is signed before a witness has judged what was signed already.
            let mut signed = match self.last_signed(&mut self.store.snapshot()?)? {
                Some(signed) => signed,
                None => self.checkpoint()?,
            };
            let mut said = self.show(link.as_ref(), &signed, size_of(&signed))?;
            let ours = self.store.snapshot()?.log_frontier()?.size();
            if let Said::Longer(theirs) = said
                && theirs <= ours
            {
                signed = self.checkpoint()?;
                said = self.show(link.as_ref(), &signed, theirs)?;
            }
            match said {
                Said::Attested(cosignature) => {
                    self.store.cosignature_keep(&cosignature)?;
                    self.keep_attested()?;
                }
                Said::Longer(theirs) | Said::OtherHistory(theirs) => {
                    let witness = link.key().name().to_owned();
                    return Ok(Some(Contradiction { witness, theirs, ours }));
                }
                Said::Nothing(why) => tracing::warn!(
                    witness = link.key().name(),
                    why,
                    "a witness cannot say whether this log is the one that it knows; it is served all the same"
                ),
            }
        }
        Ok(None)
    }

    /// Replaces the kept file when there is something longer, or a cosignature more.
    fn keep_attested(&self) -> Result<(), ServiceError> {
        let Some(kept) = &self.witnesses.kept else { return Ok(()) };
        let Some(signed) = attested(&mut self.store.snapshot()?)? else { return Ok(()) };
        let internal = |e: std::io::Error| ServiceError::Internal(format!("`{}`: {e}", kept.display()));
        let text = signed.to_string();
        let before = durable::read(kept).map_err(internal)?;
        let longer = before
            .as_deref()
            .and_then(|old| SignedCheckpoint::parse(old).ok())
            // Another name: the loss of what it attested was declared, else this program would not have started.
            .is_none_or(|old| {
                size_of(&old) <= size_of(&signed) || old.claims().origin() != signed.claims().origin()
            });
        if longer && before.as_deref() != Some(text.as_str()) {
            durable::replace(kept, text.as_bytes()).map_err(internal)?;
        }
        Ok(())
    }

    /// Records that a witness contradicts this log, once until it cosigns again.
    fn contradicted(&self, key: &WitnessKey, theirs: u64) -> Result<(), ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let cosigned = snapshot.cosignature_latest(&key.to_string())?.map(|c| c.size);
        if alarm(&mut snapshot, key.name(), cosigned)?.is_some() {
            return Ok(());
        }
        drop(snapshot);
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Disclosure,
            Action::Attest,
            ResourceKind::Checkpoint,
            Verdict::Failed,
        );
        draft.basis.push(format!("witness:{}", key.name()));
        draft.basis.push(format!("witness_size:{theirs}"));
        self.lane().record(Priority::Session, Job::new(self.prepare(&draft, None)?)).wait()?;
        Ok(())
    }

    /// Where every configured witness stands.
    pub(super) fn witness_states(
        &self,
        snapshot: &mut Snapshot,
        now: Timestamp,
    ) -> Result<Vec<WitnessState>, ServiceError> {
        let last = snapshot.checkpoint_latest()?.and_then(|c| u64::try_from(c.size).ok());
        let mut states = Vec::new();
        for link in &self.witnesses.links {
            let name = link.key().name().to_owned();
            let latest = snapshot.cosignature_latest(&link.key().to_string())?;
            let size = latest.as_ref().map(|c| c.size);
            let late = match &latest {
                Some(c) => last > Some(c.size) && c.at.plus_seconds(LATE_SECONDS) < now,
                None => last.is_some(),
            };
            let contradicts = alarm(snapshot, &name, size)?;
            states.push(WitnessState { name, size, at: latest.map(|c| minute(c.at)), late, contradicts });
        }
        Ok(states)
    }
}

/// The size that a witness claimed in its last contradiction, unless it cosigned a checkpoint that covers the record.
pub(super) fn alarm(
    snapshot: &mut Snapshot,
    name: &str,
    cosigned: Option<u64>,
) -> Result<Option<u64>, StoreError> {
    let filter = LogFilter {
        action: Some(Action::Attest.code().to_owned()),
        decision: Some(Verdict::Failed.code().to_owned()),
        ..LogFilter::default()
    };
    let named = format!("witness:{name}");
    for (index, text) in snapshot.log_page(&filter, ALARMS)? {
        let body = LeafBody::parse(&text).map_err(|e| StoreError::corrupt("audit_leaf", &e))?;
        if body.basis.contains(&named) {
            let resolved = cosigned.is_some_and(|size| u64::try_from(index).is_ok_and(|i| i < size));
            let theirs = body.basis.iter().find_map(|b| b.strip_prefix("witness_size:")?.parse().ok());
            return Ok(theirs.filter(|_| !resolved));
        }
    }
    Ok(None)
}
