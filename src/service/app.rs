//! What every service is given: the store, the lane, time and chance.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Datelike;

use super::ServiceError;
use super::anonymous::Anonymous;
use super::witnesses::Witnesses;
use crate::access::facts::AssignmentFacts;
use crate::access::{CharterBook, Edition};
use crate::audit::lane::{Job, Lane, LaneError, Priority};
use crate::audit::leaf::DetailSealer;
use crate::audit::{PseudonymKey, Record};
use crate::charter::Charter;
use crate::clock::{Chance, Clock, Timestamp};
use crate::crypto::envelope::{DataKey, DataKeyId};
use crate::crypto::hash::Digest;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::password::{HashGate, PasswordHasher};
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::watch::Thresholds;
use crate::ids::{PathwayId, RequestId};
pub use crate::store::log::detail_place;
use crate::store::{NewKey, Snapshot, Store, StoreError, WriteTx};

/// How many password hashes run, and wait, at once.
const HASHES_RUNNING: usize = 2;
const HASHES_WAITING: usize = 64;

/// What an application is made of.
pub struct AppParts {
    pub store: Store,
    pub lane: Lane<WriteTx>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
}

type PseudonymYear = (RetentionClass, u16);

/// The application behind every door: HTTP, command line, jobs.
pub struct App {
    pub(crate) store: Store,
    pub(crate) lane: Lane<WriteTx>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) hashes: HashGate,
    pub(crate) hasher: PasswordHasher,
    /// The charters of one version of the counter.
    book: Mutex<Option<Arc<CharterBook>>>,
    /// Compiled charters by the hash of their text: they never change.
    compiled: Mutex<HashMap<String, Arc<Charter>>>,
    /// Keys of this year's pseudonyms. Those of other years are asked for each time: they are destroyed at their end, and
    /// must not live on here.
    pseudonyms: Mutex<HashMap<PseudonymYear, Arc<PseudonymKey>>>,
    /// Years that are over and have no such key, or none any more.
    without: Mutex<HashSet<PseudonymYear>>,
    /// Requests without a session, counted.
    pub(crate) anonymous: Anonymous,
    /// From when on something in the log is worth a look; the usual ones until an instance says otherwise.
    thresholds: std::sync::OnceLock<Thresholds>,
    /// Bytes to be kept free on the disk; the usual until an instance says otherwise.
    pub(super) headroom: std::sync::OnceLock<u64>,
    /// Who else sees our checkpoints.
    pub(crate) witnesses: Witnesses,
}

/// Seals the detail of a record under the key that was chosen for it.
struct Details<'a> {
    key: &'a DataKey,
    chance: &'a dyn Chance,
}

impl DetailSealer for Details<'_> {
    fn seal_detail(
        &self,
        _pathway: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let row = data_encoding::HEXLOWER.encode(commit);
        Ok((*self.key.id(), self.key.seal(detail_place(&row), detail, self.chance)?))
    }
}

/// Whose key seals the detail of a record: the pathway's, which closes with it. The instance's for what belongs to no
/// pathway, and for an attempt that came to nothing, where there may be no such pathway.
///
/// INVARIANT: what was shown or changed on a pathway is never kept under a key that outlives it.
fn detail_key<'a>(
    draft: &RecordDraft,
    pathway: Option<&'a DataKey>,
    instance: &'a DataKey,
) -> Result<&'a DataKey, ServiceError> {
    let to_nothing = match draft.verdict {
        Verdict::Permit => false,
        Verdict::Deny | Verdict::Failed => draft.returned.is_empty() && draft.written.is_empty(),
    };
    match (&draft.pathway, pathway) {
        (Some(_), Some(key)) => Ok(key),
        (None, _) => Ok(instance),
        (Some(_), None) if to_nothing => Ok(instance),
        (Some(_), None) => {
            Err(ServiceError::Internal("a record of a pathway without the pathway's key".to_owned()))
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A cache is whole between two statements: a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Puts an application together.
    ///
    /// # Errors
    /// When the dummy hash for unknown logins cannot be made.
    pub fn new(parts: AppParts) -> Result<Self, ServiceError> {
        let hasher = PasswordHasher::new(parts.chance.as_ref()).map_err(ServiceError::internal)?;
        Ok(Self {
            store: parts.store,
            lane: parts.lane,
            clock: parts.clock,
            chance: parts.chance,
            hashes: HashGate::new(HASHES_RUNNING, HASHES_WAITING),
            hasher,
            book: Mutex::new(None),
            compiled: Mutex::new(HashMap::new()),
            pseudonyms: Mutex::new(HashMap::new()),
            without: Mutex::new(HashSet::new()),
            anonymous: Anonymous::default(),
            thresholds: std::sync::OnceLock::new(),
            headroom: std::sync::OnceLock::new(),
            witnesses: Witnesses::default(),
        })
    }

    /// Sets the thresholds of this instance, once; later calls change nothing.
    pub fn watch(&self, thresholds: Thresholds) {
        self.thresholds.get_or_init(|| thresholds);
    }

    pub(crate) fn thresholds(&self) -> Thresholds {
        self.thresholds.get().copied().unwrap_or_default()
    }

    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    #[must_use]
    pub const fn lane(&self) -> &Lane<WriteTx> {
        &self.lane
    }

    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    #[must_use]
    pub fn chance(&self) -> &dyn Chance {
        self.chance.as_ref()
    }

    /// The charters as the snapshot's counter has them; compiled once.
    ///
    /// # Errors
    /// The database's; a stored charter that no longer compiles to its recorded hash.
    pub fn book(&self, snapshot: &mut Snapshot) -> Result<Arc<CharterBook>, ServiceError> {
        let version = snapshot.charter_version()?;
        if let Some(book) = locked(&self.book).as_ref().filter(|b| b.version() == version) {
            return Ok(Arc::clone(book));
        }
        let signatures = snapshot.charter_organisations()?;
        let mut editions = Vec::new();
        for row in snapshot.charters()? {
            let charter = self.compiled(&row.text_hash, &row.charter_text, &row.policy_text)?;
            // INVARIANT: requests use the matrix whose hash was recorded at publication, or none at all.
            if charter.matrix().policy_hash() != row.policy_hash {
                return Err(ServiceError::Internal(format!(
                    "charter {} does not compile to its hash",
                    row.number
                )));
            }
            editions.push(Edition {
                matrix: Arc::new(charter.matrix().clone()),
                signed_by: signatures
                    .iter()
                    .filter(|(c, _, _)| *c == row.id)
                    .map(|(_, o, _)| o.clone())
                    .collect(),
                id: row.id,
                number: row.number,
                published_at: row.published_at,
                effective_at: row.effective_at,
                charter,
            });
        }
        let book = Arc::new(CharterBook::new(version, editions));
        *locked(&self.book) = Some(Arc::clone(&book));
        Ok(book)
    }

    /// What the record of a request without a session cites: there is no assignment yet, or one that is chosen now.
    pub(super) fn charter_cited(
        &self,
        snapshot: &mut Snapshot,
        assignment: Option<&AssignmentFacts>,
        now: Timestamp,
    ) -> Result<Vec<String>, ServiceError> {
        Ok(self.book(snapshot)?.cited(assignment, now))
    }

    fn compiled(&self, hash: &str, charter: &str, policy: &str) -> Result<Arc<Charter>, ServiceError> {
        if let Some(found) = locked(&self.compiled).get(hash) {
            return Ok(Arc::clone(found));
        }
        let compiled = Charter::from_files(charter, policy).map_err(ServiceError::internal)?;
        let compiled = Arc::new(compiled);
        locked(&self.compiled).insert(hash.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// What a cursor of this person and query says.
    pub(in crate::service) fn cursor_opened(
        &self,
        who: &str,
        query: &[u8],
        cursor: &str,
    ) -> Result<String, ServiceError> {
        let opened = self.store.instance_keys().open_cursor(who, query, cursor).map_err(|_| {
            ServiceError::rule(
                "cursor_of_another_query",
                "Cette suite de liste n'est pas celle de cette recherche : recommencez la recherche.",
            )
        })?;
        std::str::from_utf8(&opened).map(ToOwned::to_owned).map_err(ServiceError::internal)
    }

    /// A cursor that only this person reads, for this query.
    pub(in crate::service) fn cursor_sealed(
        &self,
        who: &str,
        query: &[u8],
        said: &str,
    ) -> Result<String, ServiceError> {
        let keys = self.store.instance_keys();
        keys.seal_cursor(who, query, said.as_bytes(), self.chance())
            .map_err(|e| ServiceError::Unavailable(e.to_string()))
    }

    /// Makes a record ready for the lane: pseudonyms, sealed detail, body.
    ///
    /// # Errors
    /// When a key cannot be had; nothing may then be shown or changed.
    pub fn prepare(
        &self,
        draft: &RecordDraft,
        pathway_key: Option<&DataKey>,
    ) -> Result<Record, ServiceError> {
        let key = self.pseudonym_key(draft.retention)?;
        self.prepare_under(draft, pathway_key, &key)
    }

    pub(super) fn prepare_under(
        &self,
        draft: &RecordDraft,
        pathway_key: Option<&DataKey>,
        key: &PseudonymKey,
    ) -> Result<Record, ServiceError> {
        let details = Details {
            key: detail_key(draft, pathway_key, self.store.instance_key())?,
            chance: self.chance.as_ref(),
        };
        Record::prepare(draft, key, &details, self.chance.as_ref())
            .map_err(|e| ServiceError::Unavailable(e.to_string()))
    }

    fn year(&self) -> Result<u16, ServiceError> {
        u16::try_from(self.clock.now().utc().year())
            .map_err(|_| ServiceError::Unavailable("the clock is outside our calendar".to_owned()))
    }

    /// This year's pseudonym key of a class; where there is none, one whose row the caller's own job inserts: for a
    /// record before which no other may come.
    pub(super) fn pseudonym_key_or_new(
        &self,
        class: RetentionClass,
    ) -> Result<(Arc<PseudonymKey>, Option<NewKey>), ServiceError> {
        let year = self.year()?;
        if let Some(key) = self.pseudonym_key_of(class, year)? {
            return Ok((key, None));
        }
        let owner = KeyOwner::Pseudonyms { class, year: i32::from(year) };
        let made = self.store.keyring().new_pseudonym_key(class, i32::from(year), self.chance.as_ref());
        let (fresh, stored) = made.map_err(ServiceError::internal)?;
        let key = Arc::new(PseudonymKey::new(class, year, fresh.into_bytes()));
        Ok((key, Some(NewKey::new(&owner, stored, self.clock.now()))))
    }

    /// This year's pseudonym key of a class; made, and its making recorded, when it does not exist yet.
    fn pseudonym_key(&self, class: RetentionClass) -> Result<Arc<PseudonymKey>, ServiceError> {
        let year = self.year()?;
        if let Some(key) = self.pseudonym_key_of(class, year)? {
            return Ok(key);
        }
        let keyring = self.store.keyring();
        let owner = KeyOwner::Pseudonyms { class, year: i32::from(year) };
        let (fresh, stored) = keyring
            .new_pseudonym_key(class, i32::from(year), self.chance.as_ref())
            .map_err(ServiceError::internal)?;
        let fresh = PseudonymKey::new(class, year, fresh.into_bytes());
        let request = RequestId::random(self.chance.as_ref())?;
        let draft = RecordDraft::new(request, class, Action::Create, ResourceKind::Instance, Verdict::Permit);
        let record = self.prepare_under(&draft, None, &fresh)?;
        let new_key = NewKey::new(&owner, stored, self.clock.now());
        let made = self.lane.submit(Priority::Session, Job::new(record), move |tx: &mut WriteTx, _| {
            if tx.key_exists(&owner)? { Err(StoreError::Stale) } else { tx.key_insert(&new_key) }
        });
        match made.wait() {
            // Another thread or node was first: its key counts.
            Ok(_) | Err(LaneError::Refused(StoreError::Stale)) => {}
            Err(e) => return Err(e.into()),
        }
        self.pseudonym_key_of(class, year)?
            .ok_or_else(|| ServiceError::Internal("a pseudonym key that was made is not there".to_owned()))
    }

    /// The pseudonym key of a class and year, if there is one.
    ///
    /// # Errors
    /// The database's, or a key that does not unwrap.
    pub fn pseudonym_key_of(
        &self,
        class: RetentionClass,
        year: u16,
    ) -> Result<Option<Arc<PseudonymKey>>, ServiceError> {
        if let Some(found) = self.pseudonym_key_kept(class, year)? {
            return Ok(Some(found));
        }
        self.pseudonym_key_in(&mut self.store.snapshot()?, class, year)
    }

    /// This year's, from memory; of another year none is kept there.
    fn pseudonym_key_kept(
        &self,
        class: RetentionClass,
        year: u16,
    ) -> Result<Option<Arc<PseudonymKey>>, ServiceError> {
        let current = year == self.year()?;
        Ok(locked(&self.pseudonyms).get(&(class, year)).filter(|_| current).map(Arc::clone))
    }

    /// [`App::pseudonym_key_of`] for who has a snapshot already: no second reader is taken.
    pub(in crate::service) fn pseudonym_key_in(
        &self,
        snapshot: &mut Snapshot,
        class: RetentionClass,
        year: u16,
    ) -> Result<Option<Arc<PseudonymKey>>, ServiceError> {
        if let Some(found) = self.pseudonym_key_kept(class, year)? {
            return Ok(Some(found));
        }
        if locked(&self.without).contains(&(class, year)) {
            return Ok(None);
        }
        let owner = KeyOwner::Pseudonyms { class, year: i32::from(year) };
        let stored = match snapshot.wrapped_key(&owner) {
            Ok(Some(stored)) => stored,
            Ok(None) | Err(StoreError::KeyDestroyed) => {
                // Keys are made for the year that runs: a year that is over without one stays without.
                if year < self.year()? {
                    locked(&self.without).insert((class, year));
                }
                return Ok(None);
            }
            Err(e) => return Err(e.into()),
        };
        let key = self
            .store
            .keyring()
            .unwrap_pseudonym_key(class, i32::from(year), &stored)
            .map_err(ServiceError::internal)?;
        let key = Arc::new(PseudonymKey::new(class, year, key.into_bytes()));
        if year == self.year()? {
            let mut kept = locked(&self.pseudonyms);
            kept.retain(|(_, other), _| *other == year);
            kept.insert((class, year), Arc::clone(&key));
        }
        Ok(Some(key))
    }
}
