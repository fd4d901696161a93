//! What every service is given: the store, the lane, time and chance.

use std::sync::{Arc, Mutex, PoisonError};

use crate::access::{CharterBook, Edition};
use crate::audit::lane::Lane;
use crate::audit::leaf::DetailSealer;
use crate::audit::{PseudonymKey, Record};
use crate::charter::Charter;
use crate::clock::{Chance, Clock, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::password::HashGate;
use crate::domain::record::{RecordDraft, RetentionClass};
use crate::ids::{KeyId, PathwayId};
use crate::store::{NewKey, Snapshot, Store, WriteTx};

use super::ServiceError;

/// Published charters, compiled once per version of the counter.
#[derive(Default)]
pub struct BookCache(Mutex<Option<Arc<CharterBook>>>);

/// Compiled charters by their texts' hash never change; only signatures do.
#[derive(Default)]
struct CompiledCache(Mutex<Vec<(String, Arc<Charter>)>>);

/// What an application is made of.
pub struct AppParts {
    pub store: Store,
    pub lane: Lane<WriteTx>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
}

/// The application behind every door: HTTP, command line, jobs.
pub struct App {
    pub(super) store: Store,
    pub(super) lane: Lane<WriteTx>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) hashes: HashGate,
    books: BookCache,
    compiled: CompiledCache,
}

/// Seals the detail of a record under the pathway's key, or the instance's.
struct Details<'a> {
    pathway: Option<&'a DataKey>,
    instance: &'a DataKey,
    chance: &'a dyn Chance,
    key: KeyId,
}

impl DetailSealer for Details<'_> {
    fn seal_detail(
        &self,
        pathway: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(KeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let key = match pathway {
            Some(_) => self.pathway.unwrap_or(self.instance),
            None => self.instance,
        };
        let row = data_encoding::HEXLOWER.encode(commit);
        let place = Place { table: "audit_detail", row: &row, column: "ciphertext", version: 0 };
        Ok((self.key.clone(), key.seal(place, detail, self.chance)?))
    }
}

impl App {
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        Self {
            store: parts.store,
            lane: parts.lane,
            clock: parts.clock,
            chance: parts.chance,
            hashes: HashGate::default(),
            books: BookCache::default(),
            compiled: CompiledCache::default(),
        }
    }
}
