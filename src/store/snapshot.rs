//! The store's handle, and a read snapshot: everything read from it is of one moment.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::Pool;

use super::backend::DieselBackend;
use super::connection::{self, Db, Reader, Readers, Use};
use super::log::LogFile;
use super::schema::{counter, data_key, instance};
use super::tx::WriteTx;
use super::{DatabaseAddress, StoreError, dialect, migrations};
use crate::audit::note::VerifierKey;
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, DataKeyId};
use crate::crypto::keyring::{InstanceKeys, KeyOwner, Keyring, KeyringError, WrappedKey};
use crate::ids::{AssignmentId, KeyId, PathwayId};

/// `demo` or `real`: written once, never mixed (DESIGN §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceKind {
    Demo,
    Real,
}

impl InstanceKind {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Real => "real",
        }
    }
}

/// The database, with the keys of the instance. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    address: DatabaseAddress,
    kind: InstanceKind,
    pool: Pool<Readers>,
    keyring: Keyring,
    instance: Arc<DataKey>,
    instance_keys: Arc<InstanceKeys>,
}

/// A key, wrapped, ready for the lane.
pub struct NewKey {
    owner: String,
    stored: WrappedKey,
    at: Timestamp,
}

impl NewKey {
    #[must_use]
    pub fn new(owner: &KeyOwner, stored: WrappedKey, at: Timestamp) -> Self {
        Self { owner: owner.as_text(), stored, at }
    }
}

/// Without its own key nothing of an instance opens: no start, and no guess.
fn no_instance_key(why: &str) -> StoreError {
    StoreError::corrupt("data_key", &format!("the key of the instance: {why}"))
}

fn key_rows(conn: &mut Db, owner: &KeyOwner) -> Result<Option<(WrappedKey, Option<i64>)>, StoreError> {
    type Raw = (String, String, Option<Vec<u8>>, Vec<u8>, Option<i64>);
    let raw: Option<Raw> = data_key::table
        .filter(data_key::owner.eq(owner.as_text()))
        .order((data_key::created_at.desc(), data_key::key_id.asc()))
        .select((
            data_key::key_id,
            data_key::kek_id,
            data_key::wrapped,
            data_key::key_commit,
            data_key::destroyed_at,
        ))
        .first(conn)
        .optional()?;
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("data_key", e);
    raw.map(|(id, kek_id, wrapped, commit, destroyed)| {
        Ok((
            WrappedKey {
                key_id: DataKeyId::parse(&id).map_err(|e| bad(&e))?,
                kek_id,
                wrapped: wrapped.unwrap_or_default(),
                commit: commit.try_into().map_err(|_| bad(&"commitment of another length"))?,
            },
            destroyed,
        ))
    })
    .transpose()
}

impl Store {
    /// Creates a database: file (0600), tables, kind, instance key. Used by `init`, `demo` and tests.
    ///
    /// # Errors
    /// When anything exists already, or cannot be written.
    pub fn create(
        address: &DatabaseAddress,
        kind: InstanceKind,
        keyring: Keyring,
        chance: &dyn Chance,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        // Random, because two logs should not share a name.
        let id = KeyId::random(chance).map_err(KeyringError::from)?;
        let origin = format!("relais.invalid/journal/{id}");
        Self::create_with_origin(address, kind, keyring, chance, now, &origin)
    }

    /// [`Store::create`], with the name that the log's checkpoints bear for ever (setting `log_origin`).
    ///
    /// # Errors
    /// As [`Store::create`]; a name that cannot stand in a checkpoint.
    pub fn create_with_origin(
        address: &DatabaseAddress,
        kind: InstanceKind,
        keyring: Keyring,
        chance: &dyn Chance,
        now: Timestamp,
        origin: &str,
    ) -> Result<Self, StoreError> {
        if let DatabaseAddress::Sqlite(path) = address {
            connection::create_file(path)?;
        }
        let mut conn = connection::establish(address, Use::Write)?;
        migrations::run(&mut conn)?;
        let mut tx = WriteTx::new(conn);
        dialect::begin_write(tx.conn())?;
        if let Some(found) = instance_value(tx.conn(), "kind")? {
            return Err(StoreError::InstanceKind { found, wanted: "an empty database" });
        }
        tx.instance_set("kind", kind.code())?;
        let (_, stored) = keyring.new_data_key(&KeyOwner::Instance, chance)?;
        tx.key_insert(&NewKey::new(&KeyOwner::Instance, stored, now))?;
        create_log_key(&mut tx, &keyring, chance, now, origin)?;
        tx.head_create()?;
        tx.conn().batch_execute("COMMIT")?;
        drop(tx);
        Self::open(address, kind, keyring)
    }

    /// Opens a database that exists, of this kind, with no migration pending.
    ///
    /// # Errors
    /// Refuses to start rather than guess: missing file, other kind, pending or unknown migration, wrong key.
    pub fn open(address: &DatabaseAddress, kind: InstanceKind, keyring: Keyring) -> Result<Self, StoreError> {
        let mut conn = connection::establish(address, Use::Write)?;
        match migrations::standing(&mut conn)? {
            migrations::Standing::Current => {}
            migrations::Standing::Pending(n) => return Err(StoreError::MigrationsPending(n)),
            migrations::Standing::Newer(v) => return Err(StoreError::NewerDatabase(v)),
        }
        match instance_value(&mut conn, "kind")? {
            Some(found) if found == kind.code() => {}
            Some(found) => return Err(StoreError::InstanceKind { found, wanted: kind.code() }),
            None => {
                return Err(StoreError::InstanceKind { found: "none".to_owned(), wanted: kind.code() });
            }
        }
        let (stored, destroyed) =
            key_rows(&mut conn, &KeyOwner::Instance)?.ok_or_else(|| no_instance_key("there is none"))?;
        if destroyed.is_some() {
            return Err(no_instance_key("it was destroyed"));
        }
        let instance = keyring.unwrap_data_key(&KeyOwner::Instance, &stored)?;
        let instance_keys = InstanceKeys::derive(&instance);
        Ok(Self {
            address: address.clone(),
            kind,
            pool: connection::pool(address.clone())?,
            keyring,
            instance: Arc::new(instance),
            instance_keys: Arc::new(instance_keys),
        })
    }

    /// The log of this database in one snapshot of its own, with the keys that open its details.
    ///
    /// # Errors
    /// As [`LogFile::open`]; a key that does not unwrap.
    pub fn log_file(&self) -> Result<LogFile, StoreError> {
        LogFile::open(&self.address)?.with_details(&self.keyring)
    }

    /// What this database says it is.
    #[must_use]
    pub const fn kind(&self) -> InstanceKind {
        self.kind
    }

    /// Runs pending migrations; returns how many ran.
    ///
    /// # Errors
    /// When one fails, or the database is newer than this program.
    pub fn migrate(address: &DatabaseAddress) -> Result<usize, StoreError> {
        let mut conn = connection::establish(address, Use::Write)?;
        if let migrations::Standing::Newer(v) = migrations::standing(&mut conn)? {
            return Err(StoreError::NewerDatabase(v));
        }
        migrations::run(&mut conn)
    }

    /// The kind of the instance in a database, without opening it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kind_of(address: &DatabaseAddress) -> Result<Option<String>, StoreError> {
        let mut conn = connection::establish(address, Use::Read)?;
        instance_value(&mut conn, "kind")
    }

    /// A read snapshot. Call it inside the blocking closure.
    ///
    /// # Errors
    /// [`StoreError::Pool`] when no reader is free in three seconds.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut conn = self.pool.get().map_err(|e| StoreError::Pool(e.to_string()))?;
        dialect::begin_snapshot(&mut conn)?;
        Ok(Snapshot { conn: Some(conn), store: self.clone(), opened: HashMap::new() })
    }

    /// The lane's connection: the only writer.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn backend(&self) -> Result<DieselBackend, StoreError> {
        let mut conn = connection::establish(&self.address, Use::Write)?;
        dialect::enter_lane(&mut conn)?;
        Ok(DieselBackend::new(self.address.clone(), WriteTx::new(conn)))
    }

    /// Takes what was erased or destroyed out of the write-ahead log too. The last step of every destruction.
    ///
    /// # Errors
    /// The database's; [`StoreError::StillInJournal`] when somebody read all the while.
    pub fn forget_destroyed(&self) -> Result<(), StoreError> {
        let mut conn = connection::establish(&self.address, Use::Write)?;
        dialect::checkpoint_truncate(&mut conn)
    }

    /// Keeps a signed checkpoint. It has no record of its own and so does not go through the lane: otherwise every
    /// checkpoint would make the log grow, and the next one necessary. It takes the writer's lock like another node.
    ///
    /// # Errors
    /// The database's.
    pub fn checkpoint_keep(&self, size: u64, note: &str) -> Result<(), StoreError> {
        self.append(|tx| tx.checkpoint_insert(size, note))
    }

    /// Adds what stands beside the log and has no record of its own, under the writers' lock.
    pub(super) fn append(
        &self,
        add: impl FnOnce(&mut WriteTx) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tx = WriteTx::new(connection::establish(&self.address, Use::Write)?);
        dialect::enter_lane(tx.conn())?;
        dialect::begin_write(tx.conn())?;
        dialect::lock_head(tx.conn())?;
        add(&mut tx)?;
        tx.conn().batch_execute("COMMIT")?;
        Ok(())
    }

    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The instance's data key: structures and accounts are sealed under it.
    #[must_use]
    pub fn instance_key(&self) -> &DataKey {
        &self.instance
    }

    /// Subkeys of the instance's key, one per use.
    #[must_use]
    pub fn instance_keys(&self) -> &InstanceKeys {
        &self.instance_keys
    }

    /// The database's file, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.address {
            DatabaseAddress::Sqlite(path) => Some(path),
            DatabaseAddress::Postgres(_) => None,
        }
    }
}

/// The log's name and key, made with the instance: its checkpoints carry them from the first to the last.
fn create_log_key(
    tx: &mut WriteTx,
    keyring: &Keyring,
    chance: &dyn Chance,
    now: Timestamp,
    origin: &str,
) -> Result<(), StoreError> {
    let (key, stored) = keyring.new_log_key(origin, chance)?;
    let vkey = VerifierKey::new(origin, key.public()).map_err(|e| StoreError::corrupt("instance", &e))?;
    tx.key_insert(&NewKey::new(&KeyOwner::Log { origin: origin.to_owned() }, stored, now))?;
    tx.instance_set("log_origin", origin)?;
    tx.instance_set("log_vkey", &vkey.to_string())
}

/// Every data key that is not destroyed, wrapped, with its owner; keys that sign are none.
pub(super) fn live_keys(conn: &mut Db) -> Result<Vec<(KeyOwner, WrappedKey)>, StoreError> {
    let owners: Vec<String> = data_key::table
        .filter(data_key::destroyed_at.is_null())
        .select(data_key::owner)
        .distinct()
        .load(conn)?;
    let mut keys = Vec::with_capacity(owners.len());
    for text in owners {
        let owner = KeyOwner::parse(&text).map_err(|e| StoreError::corrupt("data_key", &e))?;
        match &owner {
            KeyOwner::Instance | KeyOwner::Pathway(_) => {}
            KeyOwner::Pseudonyms { .. } | KeyOwner::Log { .. } => continue,
        }
        if let Some((stored, None)) = key_rows(conn, &owner)? {
            keys.push((owner, stored));
        }
    }
    Ok(keys)
}

pub(super) fn instance_value(conn: &mut Db, name: &str) -> Result<Option<String>, StoreError> {
    Ok(instance::table.filter(instance::name.eq(name)).select(instance::value).first(conn).optional()?)
}

/// One moment of the database, read-only.
pub struct Snapshot {
    conn: Option<Reader>,
    store: Store,
    /// Keys of pathways, as this moment has them: each is read and unwrapped once.
    opened: HashMap<PathwayId, Arc<DataKey>>,
}

impl Snapshot {
    /// The connection; present until the snapshot is dropped.
    #[expect(clippy::expect_used, reason = "the option is only emptied by drop")]
    pub(super) fn conn(&mut self) -> &mut Db {
        self.conn.as_mut().expect("a snapshot has its connection until it is dropped")
    }

    pub(super) fn instance_key(&self) -> Result<Arc<DataKey>, StoreError> {
        Ok(Arc::clone(&self.store.instance))
    }

    /// From here on this snapshot reads for one assignment; for nobody, without one. Called as soon as the session is
    /// known, before anything of a pathway is read.
    ///
    /// # Errors
    /// The database's.
    pub fn act_as(&mut self, assignment: Option<&AssignmentId>) -> Result<(), StoreError> {
        dialect::act_as(self.conn(), assignment)
    }

    /// An instance value.
    ///
    /// # Errors
    /// The database's.
    pub fn instance_value(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        instance_value(self.conn(), name)
    }

    /// The data key of an owner: `None` when there is none; `destroyed_at` is read in this very snapshot.
    ///
    /// # Errors
    /// [`StoreError::KeyDestroyed`], or what unwrapping says.
    pub fn key_of(&mut self, owner: &KeyOwner) -> Result<Option<DataKey>, StoreError> {
        match self.wrapped_key(owner)? {
            Some(stored) => Ok(Some(self.store.keyring.unwrap_data_key(owner, &stored)?)),
            None => Ok(None),
        }
    }

    /// The data key of a pathway that is there. A row that is missing is damage, not an erasure: an erased pathway keeps
    /// the row, with the moment of its destruction.
    ///
    /// # Errors
    /// [`StoreError::KeyDestroyed`], [`StoreError::Corrupt`], or what unwrapping says.
    pub fn pathway_key(&mut self, pathway: &PathwayId) -> Result<Arc<DataKey>, StoreError> {
        if let Some(found) = self.opened.get(pathway) {
            return Ok(Arc::clone(found));
        }
        let key = self
            .key_of(&KeyOwner::Pathway(pathway.clone()))?
            .map(Arc::new)
            .ok_or_else(|| StoreError::corrupt("data_key", &"a pathway without its key"))?;
        self.opened.insert(pathway.clone(), Arc::clone(&key));
        Ok(key)
    }

    /// The wrapped key of an owner, to be unwrapped by the keyring (pseudonyms, log key).
    ///
    /// # Errors
    /// [`StoreError::KeyDestroyed`], or the database's.
    pub fn wrapped_key(&mut self, owner: &KeyOwner) -> Result<Option<WrappedKey>, StoreError> {
        match key_rows(self.conn(), owner)? {
            None => Ok(None),
            Some((_, Some(_))) => Err(StoreError::KeyDestroyed),
            Some((stored, None)) => Ok(Some(stored)),
        }
    }

    /// The charter's counter.
    ///
    /// # Errors
    /// The database's.
    pub fn charter_version(&mut self) -> Result<i64, StoreError> {
        Ok(counter::table.filter(counter::name.eq("charter")).select(counter::version).first(self.conn())?)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(mut conn) = self.conn.take() {
            // A failed end leaves a broken connection, which the pool's check on check-out replaces.
            if let Err(error) = conn.batch_execute("ROLLBACK") {
                tracing::warn!(%error, "a read snapshot did not end cleanly");
            }
        }
    }
}

impl WriteTx {
    /// Adds a wrapped key.
    ///
    /// # Errors
    /// The database's.
    pub fn key_insert(&mut self, key: &NewKey) -> Result<(), StoreError> {
        diesel::insert_into(data_key::table)
            .values((
                data_key::key_id.eq(key.stored.key_id.to_string()),
                data_key::owner.eq(&key.owner),
                data_key::kek_id.eq(&key.stored.kek_id),
                data_key::wrapped.eq(&key.stored.wrapped),
                data_key::key_commit.eq(key.stored.commit.to_vec()),
                data_key::created_at.eq(key.at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Whether an owner has, or had, a key.
    ///
    /// # Errors
    /// The database's.
    pub fn key_exists(&mut self, owner: &KeyOwner) -> Result<bool, StoreError> {
        Ok(key_rows(self.conn(), owner)?.is_some())
    }

    /// Destroys a key: everything under it is erased with it (in backups, once they have expired). After the commit,
    /// call [`Store::forget_destroyed`].
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is none left to destroy.
    pub fn key_destroy(&mut self, owner: &KeyOwner, at: Timestamp) -> Result<(), StoreError> {
        let changed = diesel::update(
            data_key::table
                .filter(data_key::owner.eq(owner.as_text()))
                .filter(data_key::destroyed_at.is_null()),
        )
        .set((data_key::wrapped.eq(None::<Vec<u8>>), data_key::destroyed_at.eq(at.micros())))
        .execute(self.conn())?;
        if changed == 0 {
            return Err(StoreError::Stale);
        }
        // What was decided on this pathway before its key went must not be disclosed after.
        match owner {
            KeyOwner::Pathway(id) => self.pathway_touch(id),
            KeyOwner::Instance | KeyOwner::Pseudonyms { .. } | KeyOwner::Log { .. } => Ok(()),
        }
    }
}
