//! Items, their versions, and notes: the words. They leave this room sealed, for a grant.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use zeroize::Zeroizing;

use super::image::{optional, row_image};
use super::schema::{item, item_version, note};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::access::facts::ItemKind;
use crate::access::{Grant, ItemGrant, Resource, Target};
use crate::audit::Sealed;
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::hash::Digest;
use crate::domain::item::{ActionContent, ItemDraft};
use crate::domain::record::RowRef;
use crate::domain::vocabulary::{Category, Secrecy};
use crate::ids::{AssignmentId, ItemId, ItemVersionId, NoteId, ParticipationId, PathwayId};

const fn version_place(id: &str) -> Place<'_> {
    // A version's row never changes, so its place has no version of its own.
    Place { table: "item_version", row: id, column: "body", version: 0 }
}

const fn note_place(id: &str, version: i64) -> Place<'_> {
    Place { table: "note", row: id, column: "body", version }
}

/// What a version says.
pub enum Words {
    Item(ItemDraft),
    Action(ActionContent),
}

fn seal_words(
    key: &DataKey,
    chance: &dyn Chance,
    id: &ItemVersionId,
    words: &Words,
) -> Result<Vec<u8>, StoreError> {
    let plain = match words {
        Words::Item(draft) => {
            let mut bytes = Zeroizing::new(vec![b'i']);
            bytes.extend_from_slice(&draft.to_stored());
            bytes
        }
        Words::Action(action) => {
            let mut bytes = Zeroizing::new(vec![b'a']);
            let json = Zeroizing::new(
                serde_json::to_vec(action).map_err(|e| StoreError::corrupt("item_version", &e))?,
            );
            bytes.extend_from_slice(&json);
            bytes
        }
    };
    key.seal(version_place(id.as_str()), &plain, chance).map_err(|e| StoreError::corrupt("item_version", &e))
}

fn open_words(key: &DataKey, id: &str, body: &[u8]) -> Result<Words, StoreError> {
    let unreadable =
        || StoreError::Corrupt { table: "item_version", what: "words do not read back".to_owned() };
    let plain = key.open(version_place(id), body).map_err(|e| StoreError::corrupt("item_version", &e))?;
    match plain.split_first() {
        Some((b'i', rest)) => ItemDraft::from_stored(rest).map(Words::Item).map_err(|_| unreadable()),
        Some((b'a', rest)) => serde_json::from_slice(rest).map(Words::Action).map_err(|_| unreadable()),
        Some(_) | None => Err(unreadable()),
    }
}

/// A new item row.
pub struct NewItem {
    pub id: ItemId,
    pub pathway: PathwayId,
    pub kind: ItemKind,
    pub category: Category,
    pub subjects: Vec<Category>,
    pub for_stay: bool,
    pub author: ParticipationId,
    pub author_assignment: AssignmentId,
    pub created_at: Timestamp,
}

impl NewItem {
    /// The row as the record names it.
    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        RowRef { table: "item", id: self.id.as_str().to_owned(), version: 1 }
    }

    fn subjects_text(&self) -> String {
        self.subjects.iter().map(|c| c.code()).collect::<Vec<_>>().join(" ")
    }

    /// What the write digest covers: all that never changes of it (its version rises with each of its versions).
    #[must_use]
    pub fn image(&self) -> Digest {
        item_image(&ItemRow {
            id: self.id.as_str().to_owned(),
            pathway: self.pathway.as_str().to_owned(),
            kind: self.kind.code().to_owned(),
            category: self.category.code().to_owned(),
            subjects: self.subjects_text(),
            for_stay: i64::from(self.for_stay),
            author: self.author.as_str().to_owned(),
            author_assignment: self.author_assignment.as_str().to_owned(),
            created_at: self.created_at.micros(),
        })
    }
}

/// What never changes of a stored item.
#[derive(Queryable)]
pub(super) struct ItemRow {
    pub id: String,
    pub pathway: String,
    pub kind: String,
    pub category: String,
    pub subjects: String,
    pub for_stay: i64,
    pub author: String,
    pub author_assignment: String,
    pub created_at: i64,
}

/// A stored version, whole.
#[derive(Queryable)]
pub(super) struct VersionRow {
    pub id: String,
    pub item: String,
    pub pathway: String,
    pub number: i64,
    pub author_secrecy: String,
    pub created_at: i64,
    pub valid_from: i64,
    pub valid_until: Option<i64>,
    pub body: Option<Vec<u8>>,
    pub _erased_at: Option<i64>,
}

pub(super) fn item_image(row: &ItemRow) -> Digest {
    row_image(
        &RowRef { table: "item", id: row.id.clone(), version: 1 },
        &[
            row.pathway.as_bytes(),
            row.kind.as_bytes(),
            row.category.as_bytes(),
            row.subjects.as_bytes(),
            &row.for_stay.to_be_bytes(),
            row.author.as_bytes(),
            row.author_assignment.as_bytes(),
            &row.created_at.to_be_bytes(),
        ],
    )
}

/// A version with its words, which the row no longer has once they are erased.
pub(super) fn version_image(row: &VersionRow, body: &[u8]) -> Digest {
    let until = row.valid_until.map(i64::to_be_bytes);
    row_image(
        &RowRef { table: "item_version", id: row.id.clone(), version: row.number },
        &[
            row.item.as_bytes(),
            row.pathway.as_bytes(),
            row.author_secrecy.as_bytes(),
            &row.created_at.to_be_bytes(),
            &row.valid_from.to_be_bytes(),
            &optional(until.as_ref().map(<[u8; 8]>::as_slice)),
            body,
        ],
    )
}

/// Whether no key of these opens the words of a version.
pub(super) fn version_opens_nowhere(row: &VersionRow, keys: &HashMap<String, DataKey>) -> bool {
    let opens = |body: &[u8]| keys.values().any(|key| key.open(version_place(&row.id), body).is_ok());
    !row.body.as_deref().is_some_and(opens)
}

/// A version, sealed and ready for the lane.
pub struct NewVersion {
    id: ItemVersionId,
    item: ItemId,
    pathway: PathwayId,
    number: i64,
    author_secrecy: Secrecy,
    created_at: Timestamp,
    valid_until: Option<Timestamp>,
    body: Vec<u8>,
}

impl NewVersion {
    /// Seals the words of one version.
    ///
    /// # Errors
    /// When sealing fails.
    #[expect(clippy::too_many_arguments, reason = "a row has this many columns, each of its own type")]
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        id: &ItemVersionId,
        item: &ItemId,
        pathway: &PathwayId,
        number: i64,
        author_secrecy: Secrecy,
        created_at: Timestamp,
        valid_until: Option<Timestamp>,
        words: &Words,
    ) -> Result<Self, StoreError> {
        let body = seal_words(key, chance, id, words)?;
        Ok(Self {
            id: id.clone(),
            item: item.clone(),
            pathway: pathway.clone(),
            number,
            author_secrecy,
            created_at,
            valid_until,
            body,
        })
    }

    /// The row as the record names it.
    #[must_use]
    pub fn row_ref(&self) -> RowRef {
        RowRef { table: "item_version", id: self.id.as_str().to_owned(), version: self.number }
    }

    /// The words as they are stored.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.body
    }

    /// What the write digest covers: the whole row.
    #[must_use]
    pub fn image(&self) -> Digest {
        let row = VersionRow {
            id: self.id.as_str().to_owned(),
            item: self.item.as_str().to_owned(),
            pathway: self.pathway.as_str().to_owned(),
            number: self.number,
            author_secrecy: self.author_secrecy.code().to_owned(),
            created_at: self.created_at.micros(),
            valid_from: self.created_at.micros(),
            valid_until: self.valid_until.map(Timestamp::micros),
            body: None,
            _erased_at: None,
        };
        version_image(&row, &self.body)
    }
}

/// A note, sealed and ready for the lane.
pub struct NewNote {
    id: NoteId,
    version: i64,
    pathway: PathwayId,
    author_assignment: AssignmentId,
    created_at: Timestamp,
    body: Vec<u8>,
}

impl NewNote {
    /// Seals a note's text.
    ///
    /// # Errors
    /// When sealing fails.
    #[expect(clippy::too_many_arguments, reason = "a row has this many columns, each of its own type")]
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        id: &NoteId,
        version: i64,
        pathway: &PathwayId,
        author: &AssignmentId,
        at: Timestamp,
        text: &str,
    ) -> Result<Self, StoreError> {
        let body = seal::seal_json(key, note_place(id.as_str(), version), "note", &text, chance)?;
        Ok(Self {
            id: id.clone(),
            version,
            pathway: pathway.clone(),
            author_assignment: author.clone(),
            created_at: at,
            body,
        })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.body
    }
}

/// A note, readable by its author only.
pub struct Note {
    pub id: NoteId,
    pub version: i64,
    pub created_at: Timestamp,
    pub text: String,
}

impl Snapshot {
    /// The words that a grant opens. Consumes the grant.
    ///
    /// # Errors
    /// The database's; [`StoreError::Corrupt`] for a version that is not there or does not open (never "no").
    pub fn item_words(&mut self, grant: ItemGrant) -> Result<Sealed<Words>, StoreError> {
        let id = grant.version().ok_or(StoreError::Corrupt {
            table: "item_version",
            what: "a grant of another kind".to_owned(),
        })?;
        let key = self.pathway_key(grant.pathway())?;
        self.version_words(&key, grant.pathway(), id).map(Sealed::seal)
    }

    /// The words of many grants of one pathway, in their order, in one query.
    ///
    /// # Errors
    /// As [`Snapshot::item_words`].
    pub fn items_words(&mut self, grants: Vec<ItemGrant>) -> Result<Vec<Sealed<Words>>, StoreError> {
        let Some(first) = grants.first() else { return Ok(Vec::new()) };
        let pathway = first.pathway().clone();
        let key = self.pathway_key(&pathway)?;
        let ids: Vec<&str> = grants.iter().filter_map(|g| g.version().map(ItemVersionId::as_str)).collect();
        let rows: Vec<(String, Option<Vec<u8>>)> = item_version::table
            .filter(item_version::pathway.eq(pathway.as_str()))
            .filter(item_version::id.eq_any(&ids))
            .select((item_version::id, item_version::body))
            .load(self.conn())?;
        let by_id: HashMap<String, Option<Vec<u8>>> = rows.into_iter().collect();
        let missing = || StoreError::Corrupt { table: "item_version", what: "missing or erased".to_owned() };
        grants
            .iter()
            .map(|grant| {
                let id = grant.version().filter(|_| *grant.pathway() == pathway).ok_or_else(missing)?;
                let body = by_id.get(id.as_str()).and_then(Option::as_ref).ok_or_else(missing)?;
                open_words(&key, id.as_str(), body).map(Sealed::seal)
            })
            .collect()
    }

    fn version_words(
        &mut self,
        key: &DataKey,
        pathway: &PathwayId,
        id: &ItemVersionId,
    ) -> Result<Words, StoreError> {
        let body: Option<Option<Vec<u8>>> = item_version::table
            .filter(item_version::id.eq(id.as_str()))
            .filter(item_version::pathway.eq(pathway.as_str()))
            .select(item_version::body)
            .first(self.conn())
            .optional()?;
        let body = body
            .flatten()
            .ok_or(StoreError::Corrupt { table: "item_version", what: "missing or erased".to_owned() })?;
        open_words(key, id.as_str(), &body)
    }

    /// The notes of the assignment that the grant names, on its pathway.
    ///
    /// # Errors
    /// The database's, or a grant for something else.
    pub fn notes_words(&mut self, grant: Grant) -> Result<Sealed<Vec<Note>>, StoreError> {
        let author = match grant.target() {
            Target::Resource(Resource::OwnNotes(author)) => author.clone(),
            _ => {
                return Err(StoreError::Corrupt {
                    table: "note",
                    what: "a grant of another kind".to_owned(),
                });
            }
        };
        let key = self.pathway_key(grant.pathway())?;
        let rows: Vec<(String, i64, i64, Vec<u8>)> = note::table
            .filter(note::pathway.eq(grant.pathway().as_str()))
            .filter(note::author_assignment.eq(author.as_str()))
            .order((note::created_at.asc(), note::id.asc()))
            .select((note::id, note::version, note::created_at, note::body))
            .load(self.conn())?;
        let notes = rows
            .into_iter()
            .map(|(id, version, at, body)| {
                Ok(Note {
                    text: seal::open_json(&key, note_place(&id, version), "note", &body)?,
                    id: NoteId::parse(&id).map_err(|e| StoreError::corrupt("note", &e))?,
                    version,
                    created_at: Timestamp::from_micros(at),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Sealed::seal(notes))
    }

    /// The version of an own note: location only, nothing of the note.
    ///
    /// # Errors
    /// The database's.
    pub fn note_head(
        &mut self,
        pathway: &PathwayId,
        author: &AssignmentId,
        id: &NoteId,
    ) -> Result<Option<i64>, StoreError> {
        Ok(note::table
            .filter(note::id.eq(id.as_str()))
            .filter(note::pathway.eq(pathway.as_str()))
            .filter(note::author_assignment.eq(author.as_str()))
            .select(note::version)
            .first(self.conn())
            .optional()?)
    }

    /// Whether any of these versions is of an item written for a stay. One that is not there counts as if it were.
    ///
    /// # Errors
    /// The database's.
    pub fn any_for_stay(&mut self, ids: &[ItemVersionId]) -> Result<bool, StoreError> {
        let codes: BTreeSet<&str> = ids.iter().map(ItemVersionId::as_str).collect();
        let others: i64 = item_version::table
            .inner_join(item::table.on(item::id.eq(item_version::item)))
            .filter(item_version::id.eq_any(&codes))
            .filter(item::for_stay.eq(0))
            .count()
            .get_result(self.conn())?;
        Ok(usize::try_from(others).ok() != Some(codes.len()))
    }

    /// The pathway on which an item stands: location only, nothing of the item.
    ///
    /// # Errors
    /// The database's.
    pub fn item_locate(&mut self, id: &ItemId) -> Result<Option<PathwayId>, StoreError> {
        let found: Option<String> = item::table
            .filter(item::id.eq(id.as_str()))
            .select(item::pathway)
            .first(self.conn())
            .optional()?;
        found.map(|p| PathwayId::parse(&p).map_err(|e| StoreError::corrupt("item", &e))).transpose()
    }
}

impl WriteTx {
    /// Adds an item.
    ///
    /// # Errors
    /// The database's.
    pub fn item_insert(&mut self, row: &NewItem) -> Result<(), StoreError> {
        diesel::insert_into(item::table)
            .values((
                item::id.eq(row.id.as_str()),
                item::version.eq(1),
                item::pathway.eq(row.pathway.as_str()),
                item::kind.eq(row.kind.code()),
                item::category.eq(row.category.code()),
                item::subjects.eq(row.subjects_text()),
                item::for_stay.eq(i64::from(row.for_stay)),
                item::author.eq(row.author.as_str()),
                item::author_assignment.eq(row.author_assignment.as_str()),
                item::created_at.eq(row.created_at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Adds a version and raises the item's.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the version before it is not the latest, or the item is not on this pathway.
    pub fn item_version_insert(&mut self, row: &NewVersion) -> Result<(), StoreError> {
        let latest: Option<i64> = item_version::table
            .filter(item_version::item.eq(row.item.as_str()))
            .filter(item_version::pathway.eq(row.pathway.as_str()))
            .select(diesel::dsl::max(item_version::number))
            .first(self.conn())?;
        if latest.unwrap_or(0) != row.number.saturating_sub(1) {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(item_version::table)
            .values((
                item_version::id.eq(row.id.as_str()),
                item_version::item.eq(row.item.as_str()),
                item_version::pathway.eq(row.pathway.as_str()),
                item_version::number.eq(row.number),
                item_version::author_secrecy.eq(row.author_secrecy.code()),
                item_version::created_at.eq(row.created_at.micros()),
                item_version::valid_from.eq(row.created_at.micros()),
                item_version::valid_until.eq(row.valid_until.map(Timestamp::micros)),
                item_version::body.eq(&row.body),
            ))
            .execute(self.conn())?;
        let raised = diesel::update(
            item::table.filter(item::id.eq(row.item.as_str())).filter(item::pathway.eq(row.pathway.as_str())),
        )
        .set(item::version.eq(row.number))
        .execute(self.conn())?;
        if raised == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Adds a note, or replaces its text at the next version.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed meanwhile.
    pub fn note_put(&mut self, row: &NewNote) -> Result<(), StoreError> {
        if row.version == 1 {
            diesel::insert_into(note::table)
                .values((
                    note::id.eq(row.id.as_str()),
                    note::version.eq(1),
                    note::pathway.eq(row.pathway.as_str()),
                    note::author_assignment.eq(row.author_assignment.as_str()),
                    note::created_at.eq(row.created_at.micros()),
                    note::body.eq(&row.body),
                ))
                .execute(self.conn())?;
            return Ok(());
        }
        let changed = diesel::update(
            note::table
                .filter(note::id.eq(row.id.as_str()))
                .filter(note::author_assignment.eq(row.author_assignment.as_str()))
                .filter(note::version.eq(row.version.saturating_sub(1))),
        )
        .set((note::version.eq(row.version), note::body.eq(&row.body)))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }
}
