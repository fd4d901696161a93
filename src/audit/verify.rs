//! `audit verify`: everything that can be recomputed from the stored rows is recomputed (SECURITY §1).
//!
//! Checked, row by row in order: the index follows the one before; the body is there, is canonical and of a known schema;
//! the leaf hash is that of the body; time does not go back; the retention class and the searchable copy are those of the
//! body; the stored interior nodes are those that this leaf completes; the detail, where it can be opened, is the one that
//! the body commits to, and that of a pruning names what that pruning covers. A body may be missing only under a later record of a pruning (see [`prune`](super::prune)), and then
//! nothing stands beside it any more. Then: head, number of searchable copies, and every checkpoint, with the one that
//! somebody kept elsewhere, against the tree at its size.
//!
//! Losses that two people declared (see [`super::gap`]) are followed: from there on checkpoints bear another name.
//!
//! INVARIANT: a row is judged by its own bytes only; no stored hash is believed, but that of a pruned record as far as a
//! checkpoint covers it.
//!
//! What it cannot see: an owner of the file who rewrites everything since the last checkpoint kept elsewhere. That is
//! what checkpoints kept elsewhere are for.

use std::fmt;
use std::sync::mpsc::sync_channel;

use super::body::LeafBody;
use super::checkpoint::SignedCheckpoint;
use super::gap::{Gap, declares};
use super::leaf::detail_commit;
use super::note::VerifierKey;
pub use super::prune::Pruned;
use super::prune::{Cover, Prunings};
use super::tree::{Frontier, NodeSource, ProveError, consistency_proof, leaf_hash, verify_consistency};
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;
use crate::domain::record::Action;
use crate::domain::vocabulary::code_enum;

/// How many rows are asked for at once.
const PAGE: usize = 4096;
/// How many pages are read ahead.
const PAGES_AHEAD: usize = 2;

/// A row of `audit_index` as stored: text, because what is stored may be anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredIndex {
    pub at: i64,
    pub actor: Option<String>,
    pub organisation: Option<String>,
    pub profession: Option<String>,
    pub action: String,
    pub pathway: Option<String>,
    pub purpose: Option<String>,
    pub decision: String,
}

/// A detail that the reader could open.
#[derive(Clone)]
pub struct OpenedDetail {
    pub salt: Vec<u8>,
    pub detail: zeroize::Zeroizing<Vec<u8>>,
}

/// A row of `audit_leaf` as stored, with what stands beside it.
#[derive(Clone)]
pub struct StoredRow {
    pub index: i64,
    pub leaf_hash: Vec<u8>,
    pub body: Option<String>,
    pub retention: String,
    /// The interior nodes that this leaf completed, levels 1, 2, … concatenated.
    pub nodes: Vec<u8>,
    pub row: Option<StoredIndex>,
    /// `None` when there is none, or no key to open it.
    pub detail: Option<OpenedDetail>,
    /// Of a row without its body: whether a sealed detail is beside it all the same.
    pub leftover: bool,
}

/// The row of `audit_head` as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredHead {
    pub size: i64,
    pub frontier: Vec<u8>,
    pub last_time: Option<i64>,
}

/// A row of `audit_checkpoint` as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredCheckpoint {
    pub size: i64,
    pub note: String,
}

/// Reads a stored log, all in one snapshot.
pub trait LogReader {
    type Error;

    /// # Errors
    /// When the log cannot be read; that is never "the log holds".
    fn head(&mut self) -> Result<StoredHead, Self::Error>;

    /// The rows with an index greater than `after` (all, for `None`), ascending, `limit` at most.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    fn rows(&mut self, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, Self::Error>;

    /// Index and body of every record that says of itself that it is a pruning, ascending. A hint: the rows decide.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    fn prunings(&mut self) -> Result<Vec<(i64, String)>, Self::Error>;

    /// How many rows `audit_index` has, with or without a leaf.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    fn index_rows(&mut self) -> Result<u64, Self::Error>;

    /// # Errors
    /// As [`LogReader::head`].
    fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, Self::Error>;
}

code_enum! {
    /// What does not hold.
    Flaw, "flaw" {
        Gap = "gap", "il manque une trace, ou l'ordre est rompu";
        BodyMissing = "body_missing", "le contenu de la trace a été effacé, et aucun élagage ne la couvre";
        PruneClass = "prune_class", "le contenu a été effacé sous un élagage qui ne concerne pas cette sorte de traces";
        PruneEarly = "prune_early", "le contenu a été effacé avant la fin de sa durée de conservation";
        PruneUndone = "prune_undone", "un élagage couvre la trace, qui a encore son contenu";
        PruneLeft = "prune_left", "la trace est élaguée, mais sa copie de recherche ou son détail est encore là";
        PruneForm = "prune_form", "l'élagage n'est pas écrit comme il doit l'être";
        PruneSet = "prune_set", "les traces effacées ne sont pas exactement celles que cet élagage annonce";
        PruneAlone = "prune_alone", "l'élagage ne repose pas sur la demande et la confirmation de deux personnes";
        BodyUnreadable = "body_unreadable", "le contenu n'est pas une trace lisible";
        LeafHash = "leaf_hash", "le contenu ne correspond pas à son empreinte";
        TimeBack = "time_back", "l'heure est antérieure à celle de la trace précédente";
        Retention = "retention", "la durée de conservation n'est pas celle de la trace";
        Index = "index", "la copie de recherche ne dit pas la même chose que la trace";
        Nodes = "nodes", "les empreintes intermédiaires ne sont pas celles de l'arbre";
        Detail = "detail", "le détail chiffré n'est pas celui que la trace annonce";
        IndexCount = "index_count", "il y a plus ou moins de copies de recherche que de traces";
        Head = "head", "la fin enregistrée du journal n'est pas celle des traces";
        CheckpointForm = "checkpoint_form", "ce n'est pas un point de contrôle lisible";
        CheckpointSignature = "checkpoint_signature", "la signature n'est pas celle de ce journal";
        CheckpointBeyond = "checkpoint_beyond", "le journal est plus court que ce point de contrôle : il a été tronqué";
        CheckpointRoot = "checkpoint_root", "le journal n'est plus celui que ce point de contrôle atteste";
        CheckpointOrigin = "checkpoint_origin", "il porte un autre nom que celui du journal à cette taille";
        GapForm = "gap_form", "la déclaration d'une perte n'est pas celle de deux personnes, ou ne dit pas ce qu'elle doit";
        LossUnderstated = "loss_understated", "il atteste plus, ou autre chose, que la perte déclarée : davantage a été perdu que ce que deux personnes ont dit";
    }
}

/// Where it does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The record with this index.
    Record(u64),
    /// The stored checkpoint of this size.
    Checkpoint(u64),
    /// The checkpoint given to compare with, of this size where it could be read.
    Given(Option<u64>),
    /// The last checkpoint that a witness cosigned, kept beside the database.
    Attested(Option<u64>),
    /// The log as a whole.
    Log,
}

/// The first thing that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    pub place: Place,
    pub flaw: Flaw,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Record(index) => write!(f, "Trace n° {index} : ")?,
            Place::Checkpoint(size) => write!(f, "Point de contrôle à {size} traces : ")?,
            Place::Given(Some(size)) => write!(f, "Point de contrôle fourni, à {size} traces : ")?,
            Place::Given(None) => write!(f, "Point de contrôle fourni : ")?,
            Place::Attested(Some(size)) => {
                write!(f, "Dernier point de contrôle attesté par un témoin, à {size} traces : ")?;
            }
            Place::Attested(None) => write!(f, "Dernier point de contrôle attesté par un témoin : ")?,
            Place::Log => write!(f, "Journal : ")?,
        }
        write!(f, "{} [{}]", self.flaw.french(), self.flaw.code())
    }
}

/// What was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How many records were recomputed, up to the first that does not hold.
    pub records: u64,
    /// The root over them.
    pub root: Digest,
    /// How many checkpoints agree.
    pub checkpoints: u64,
    /// How many details were opened and agree.
    pub details: u64,
    /// Losses that two people declared, in order.
    pub gaps: Vec<Gap>,
    /// How many of the records are pruned.
    pub pruned: u64,
    /// By which prunings, in their order.
    pub prunings: Vec<Pruned>,
    /// `None`: everything holds.
    pub failure: Option<Failure>,
}

impl Report {
    /// Whether everything that is there holds; `gaps` says what is not there any more.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.failure.is_none()
    }
}

/// What the verifier trusts, and what it compares with.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The name with which the log began.
    pub origin: &'a str,
    /// The log's own keys, the replaced ones included.
    pub keys: &'a [VerifierKey],
    /// A checkpoint kept elsewhere: the log must continue it.
    pub given: Option<&'a str>,
}

/// A checkpoint to compare with the tree at its size.
struct Expected {
    size: u64,
    root: Digest,
    /// The name that it bears; signed by a trusted key of this name.
    origin: String,
    place: Place,
}

impl Expected {
    /// One that came from outside may be of what was lost since; one that is stored never is.
    fn judged_by(&self, gap: &Gap) -> Result<(), Failure> {
        let failed = |flaw| Err(Failure { place: self.place, flaw });
        match self.place {
            Place::Given(_) | Place::Attested(_) if gap.covers(self.size, &self.root) => Ok(()),
            Place::Given(_) | Place::Attested(_) => failed(Flaw::LossUnderstated),
            Place::Record(_) | Place::Checkpoint(_) | Place::Log => failed(Flaw::CheckpointOrigin),
        }
    }
}

/// Reads one checkpoint; a flaw is reported only when all rows hold, because a row names the deed more closely.
fn expect(
    note: &str,
    stored_size: Option<u64>,
    trust: &Trust<'_>,
    place: fn(Option<u64>) -> Place,
) -> Result<Expected, Failure> {
    let form = |size| Failure { place: place(size), flaw: Flaw::CheckpointForm };
    let signed = SignedCheckpoint::parse(note).map_err(|_| form(stored_size))?;
    let size = signed.claims().size();
    if stored_size.is_some_and(|stored| stored != size) {
        return Err(form(stored_size));
    }
    let place = place(Some(size));
    // The name is judged where the walk comes to its size: by then it is known which name the log had.
    let origin = signed.claims().origin().to_owned();
    let known = signed.verify(&origin, trust.keys);
    let checkpoint = known.map_err(|_| Failure { place, flaw: Flaw::CheckpointSignature })?;
    Ok(Expected { size, root: *checkpoint.root(), origin, place })
}

/// The walk over the rows.
struct Walk {
    frontier: Frontier,
    last_time: Option<Timestamp>,
    /// Ascending by size; those before `met` agree.
    expected: Vec<Expected>,
    met: usize,
    /// Those among `met` that are of what was lost.
    lost: usize,
    details: u64,
    /// The name that the log has here.
    origin: String,
    gaps: Vec<Gap>,
    /// The first record of a declaration, until the second.
    declared: Option<(u64, LeafBody)>,
    prunings: Prunings,
    pruned: u64,
    seen: Vec<Pruned>,
}

impl Walk {
    /// Compares with every checkpoint of the size reached.
    fn meet(&mut self) -> Result<(), Failure> {
        while let Some(next) = self.expected.get(self.met).filter(|e| e.size == self.frontier.size()) {
            if next.origin == self.origin {
                if next.root != self.frontier.root() {
                    return Err(Failure { place: next.place, flaw: Flaw::CheckpointRoot });
                }
            } else {
                self.of_another_name(next)?;
                self.lost = self.lost.saturating_add(1);
            }
            self.met = self.met.saturating_add(1);
        }
        Ok(())
    }

    /// A checkpoint with another name than the log has at its size.
    fn of_another_name(&self, expected: &Expected) -> Result<(), Failure> {
        match self.gaps.iter().find(|gap| gap.lost == expected.origin) {
            Some(gap) => expected.judged_by(gap),
            None => Err(Failure { place: expected.place, flaw: Flaw::CheckpointOrigin }),
        }
    }

    /// Follows the declaration of a loss: from its first record on the log has another name.
    fn follow(&mut self, index: u64, body: &LeafBody) -> Result<(), Flaw> {
        match self.declared.take() {
            None if !declares(body) => Ok(()),
            None => {
                let gap =
                    Gap::read(index, body).filter(|gap| gap.lost == self.origin).ok_or(Flaw::GapForm)?;
                self.origin.clone_from(&gap.origin);
                self.gaps.push(gap);
                self.declared = Some((index, body.clone()));
                Ok(())
            }
            Some((_, first)) if Gap::seconded(&first, body) => Ok(()),
            Some(_) => Err(Flaw::GapForm),
        }
    }

    fn row(&mut self, row: &StoredRow) -> Result<(), Failure> {
        let index = self.frontier.size();
        self.judge(index, row).map_err(|flaw| Failure { place: Place::Record(index), flaw })?;
        self.meet()
    }

    fn judge(&mut self, index: u64, row: &StoredRow) -> Result<(), Flaw> {
        if u64::try_from(row.index) != Ok(index) {
            return Err(Flaw::Gap);
        }
        match row.body.as_deref() {
            Some(text) => self.whole(index, row, text),
            None => self.erased(index, row),
        }
    }

    fn whole(&mut self, index: u64, row: &StoredRow, text: &str) -> Result<(), Flaw> {
        let hash = leaf_hash(text.as_bytes());
        if row.leaf_hash != hash {
            return Err(Flaw::LeafHash);
        }
        let body = LeafBody::parse(text).map_err(|_| Flaw::BodyUnreadable)?;
        if self.last_time.is_some_and(|last| body.at < last) {
            return Err(Flaw::TimeBack);
        }
        if row.retention != body.retention.code() {
            return Err(Flaw::Retention);
        }
        if !row.row.as_ref().is_some_and(|stored| same_index(stored, &body)) {
            return Err(Flaw::Index);
        }
        self.nodes(row, hash)?;
        if let Some(opened) = &row.detail {
            if body.detail_commit != Some(detail_commit(&opened.salt, &opened.detail)) {
                return Err(Flaw::Detail);
            }
            let pruning = if body.action == Action::Prune { Cover::of(&body) } else { None };
            if pruning.is_some_and(|cover| !cover.is_named_in(&opened.detail)) {
                return Err(Flaw::Detail);
            }
            self.details = self.details.saturating_add(1);
        }
        self.seen.extend(self.prunings.whole(index, &body)?);
        self.last_time = Some(body.at);
        self.follow(index, &body)
    }

    fn erased(&mut self, index: u64, row: &StoredRow) -> Result<(), Flaw> {
        if self.declared.is_some() {
            return Err(Flaw::GapForm);
        }
        self.prunings.erased(index, &row.retention, &row.leaf_hash, self.last_time)?;
        if row.row.is_some() || row.leftover {
            return Err(Flaw::PruneLeft);
        }
        let hash = Digest::try_from(row.leaf_hash.as_slice()).map_err(|_| Flaw::LeafHash)?;
        self.nodes(row, hash)?;
        self.pruned = self.pruned.saturating_add(1);
        Ok(())
    }

    fn nodes(&mut self, row: &StoredRow, hash: Digest) -> Result<(), Flaw> {
        if row.nodes == self.frontier.append(hash).concat() { Ok(()) } else { Err(Flaw::Nodes) }
    }

    fn end(&self, head: &StoredHead, index_rows: u64) -> Result<(), Failure> {
        let at_log = |flaw| Failure { place: Place::Log, flaw };
        if let Some((first, _)) = &self.declared {
            return Err(Failure { place: Place::Record(*first), flaw: Flaw::GapForm });
        }
        // A checkpoint beyond the end says more than the head: the log was cut, unless two people said so.
        for beyond in self.expected.iter().skip(self.met) {
            if beyond.origin == self.origin {
                return Err(Failure { place: beyond.place, flaw: Flaw::CheckpointBeyond });
            }
            self.of_another_name(beyond)?;
        }
        let same_head = u64::try_from(head.size) == Ok(self.frontier.size())
            && head.frontier == self.frontier.to_bytes()
            && head.last_time == self.last_time.map(Timestamp::micros);
        if !same_head {
            return Err(at_log(Flaw::Head));
        }
        if index_rows != self.frontier.size().saturating_sub(self.pruned) {
            return Err(at_log(Flaw::IndexCount));
        }
        Ok(())
    }
}

fn same_index(stored: &StoredIndex, body: &LeafBody) -> bool {
    stored.at == body.at.micros()
        && stored.actor.as_deref() == body.actor.as_ref().map(|p| p.as_str())
        && stored.organisation.as_deref() == body.organisation.as_ref().map(|o| o.as_str())
        && stored.profession.as_deref() == body.profession.map(|p| p.code())
        && stored.action == body.action.code()
        && stored.pathway.as_deref() == body.pathway.as_ref().map(|p| p.as_str())
        && stored.purpose.as_deref() == body.purpose.map(|p| p.code())
        && stored.decision == body.decision.code()
}

/// Verifies a whole log and names the first thing that does not hold. `progress` is told how many rows were read.
///
/// # Errors
/// What the reader says, when the log cannot be read at all.
pub fn verify<R: LogReader>(
    reader: &mut R,
    trust: &Trust<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, R::Error> {
    let head = reader.head()?;
    let mut expected = Vec::new();
    let mut unreadable = None;
    let mut keep = |read: Result<Expected, Failure>| match read {
        Ok(one) => expected.push(one),
        Err(failure) => unreadable = unreadable.or(Some(failure)),
    };
    for stored in reader.checkpoints()? {
        let place = |size: Option<u64>| Place::Checkpoint(size.unwrap_or_default());
        keep(expect(&stored.note, Some(u64::try_from(stored.size).unwrap_or(u64::MAX)), trust, place));
    }
    if let Some(note) = trust.given {
        keep(expect(note, None, trust, Place::Given));
    }
    expected.sort_by_key(|e| e.size);
    let mut walk = Walk {
        frontier: Frontier::empty(),
        last_time: None,
        expected,
        met: 0,
        lost: 0,
        details: 0,
        origin: trust.origin.to_owned(),
        gaps: Vec::new(),
        declared: None,
        prunings: Prunings::told(reader.prunings()?),
        pruned: 0,
        seen: Vec::new(),
    };
    let walked = walk_all(reader, &mut walk, progress)?;
    let index_rows = reader.index_rows()?;
    let failure = walked.err().or_else(|| walk.end(&head, index_rows).err()).or(unreadable);
    Ok(Report {
        records: walk.frontier.size(),
        root: walk.frontier.root(),
        checkpoints: u64::try_from(walk.met.saturating_sub(walk.lost)).unwrap_or(u64::MAX),
        details: walk.details,
        gaps: walk.gaps,
        pruned: walk.pruned,
        prunings: walk.seen,
        failure,
    })
}

/// What a checkpoint that a witness cosigned says against a log of which the end, the nodes and the declared losses are at
/// hand; `None` when the log continues it, or declares it lost. Stored nodes are believed here: [`verify`] judges them.
///
/// # Errors
/// What the source says.
pub fn attested_failure<S: NodeSource>(
    note: &str,
    trust: &Trust<'_>,
    gaps: &[Gap],
    frontier: &Frontier,
    source: &mut S,
) -> Result<Option<Failure>, S::Error> {
    let known = match expect(note, None, trust, Place::Attested) {
        Ok(known) => known,
        Err(failure) => return Ok(Some(failure)),
    };
    let failed = |flaw| Some(Failure { place: known.place, flaw });
    let name = gaps.last().map_or(trust.origin, |gap| gap.origin.as_str());
    if known.origin != name {
        let Some(gap) = gaps.iter().find(|gap| gap.lost == known.origin) else {
            return Ok(failed(Flaw::CheckpointOrigin));
        };
        if known.size > gap.index {
            return Ok(known.judged_by(gap).err());
        }
    }
    if known.size > frontier.size() {
        return Ok(failed(Flaw::CheckpointBeyond));
    }
    if known.size == 0 {
        return Ok(None);
    }
    let proof = match consistency_proof(known.size, frontier.size(), source) {
        Ok(proof) => proof,
        Err(ProveError::Source(error)) => return Err(error),
        Err(ProveError::Tree(_)) => return Ok(failed(Flaw::Nodes)),
    };
    let continues = verify_consistency(known.size, frontier.size(), &proof, &known.root, &frontier.root());
    Ok(if continues.is_ok() { None } else { failed(Flaw::CheckpointRoot) })
}

/// Reads on this thread and recomputes on another, so that neither waits for the other.
fn walk_all<R: LogReader>(
    reader: &mut R,
    walk: &mut Walk,
    progress: &mut dyn FnMut(u64),
) -> Result<Result<(), Failure>, R::Error> {
    if let Err(failure) = walk.meet() {
        return Ok(Err(failure));
    }
    let (pages, received) = sync_channel::<Vec<StoredRow>>(PAGES_AHEAD);
    std::thread::scope(|scope| {
        let judge = scope.spawn(move || received.iter().flatten().try_for_each(|row| walk.row(&row)));
        let mut read = 0_u64;
        let read_all = read_pages(reader, |page| {
            read = read.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            progress(read);
            // A judge who has found a flaw no longer listens.
            pages.send(page).is_ok()
        });
        drop(pages);
        match judge.join() {
            Ok(judged) => read_all.map(|()| judged),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Gives every page to `take`, in order, until it has had enough.
fn read_pages<R: LogReader>(
    reader: &mut R,
    mut take: impl FnMut(Vec<StoredRow>) -> bool,
) -> Result<(), R::Error> {
    let mut after = None;
    loop {
        let rows = reader.rows(after, PAGE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.index);
        if !take(rows) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
