//! A change, prepared before the lane: its steps, the rows that it writes, and the digest of what they will be.

use std::collections::BTreeMap;

use crate::audit::VersionCheck;
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;
use crate::domain::record::RowRef;
use crate::store::fact::NewFact;
use crate::store::image::{row_image, write_digest};
use crate::store::item::{NewItem, NewNote, NewVersion};
use crate::store::{StoreError, WriteTx};

/// One step of a change, run inside the lane's transaction: writes only, no hashing, no encryption.
pub type Step = Box<dyn FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send>;

/// A change, prepared: its steps, the rows that it writes, and the digest of what they will be.
pub struct Change {
    pub(in crate::service) id: String,
    pub(in crate::service) steps: Vec<Step>,
    pub(in crate::service) written: Vec<RowRef>,
    images: BTreeMap<RowRef, Digest>,
    pub(in crate::service) checks: Vec<VersionCheck>,
}

impl Change {
    /// A change whose answer names `id`.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            steps: Vec::new(),
            written: Vec::new(),
            images: BTreeMap::new(),
            checks: Vec::new(),
        }
    }

    /// Any step, with the row that it writes.
    #[must_use]
    pub fn step(
        mut self,
        row: RowRef,
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        self.written.push(row);
        self.steps.push(Box::new(step));
        self
    }

    /// A step that writes ciphertext.
    #[must_use]
    pub fn sealed_step(
        self,
        row: RowRef,
        ciphertext: &[u8],
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        let image = row_image(&row, &[ciphertext]);
        self.imaged_step(row, image, step)
    }

    /// A step that writes a row of which this is the image.
    #[must_use]
    pub fn imaged_step(
        mut self,
        row: RowRef,
        image: Digest,
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        self.images.insert(row.clone(), image);
        self.step(row, step)
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(self, fact: NewFact) -> Self {
        self.imaged_step(fact.row_ref(), fact.image(), move |tx, _| tx.fact_insert(&fact))
    }

    /// Adds an item, which says everything but its words.
    #[must_use]
    pub fn item(self, item: NewItem) -> Self {
        self.imaged_step(item.row_ref(), item.image(), move |tx, _| tx.item_insert(&item))
    }

    /// Adds a version of an item.
    #[must_use]
    pub fn version(self, version: NewVersion) -> Self {
        self.imaged_step(version.row_ref(), version.image(), move |tx, _| tx.item_version_insert(&version))
    }

    /// Adds or replaces a note.
    #[must_use]
    pub fn note(self, row: RowRef, note: NewNote) -> Self {
        let image = row_image(&row, &[note.ciphertext()]);
        self.imaged_step(row, image, move |tx, _| tx.note_put(&note))
    }

    /// A version that must still hold when the change is written.
    #[must_use]
    pub fn checked(mut self, check: VersionCheck) -> Self {
        self.checks.push(check);
        self
    }

    /// What reconciliation recomputes from the stored rows (see `store::reconcile`).
    pub(in crate::service) fn write_digest(&self) -> Option<Digest> {
        write_digest(self.images.values())
    }
}
