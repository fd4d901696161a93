//! Reconciliation: the data held against the log, to find who changed *data* behind it (SECURITY §1, `write_digest`).
//!
//! A record that writes keeps, in its sealed detail, the names of the rows that it wrote, and in its body a digest of what
//! they said. Here each digest is worked out again from the rows as they are stored, and each stored row must have been
//! written by some record.
//!
//! | table | held against the log |
//! |---|---|
//! | `fact`, `item`, `item_version` | every column that never changes, ciphertext and plain alike, in every version |
//! | `access_review`, `reidentification`, `reidentification_step` | every column: none of them ever changes |
//! | `note`, `organisation` | the ciphertext of the latest version; the ones before were replaced |
//! | `professional` | the words that the account was made with; that some record made it |
//! | `pathway`, `participation`, `assignment`, `emergency`, `emergency_reviewed` | that some record made the row |
//!
//! Out of reach: the columns of `participation`, `assignment` and `professional` that change without words (role, end,
//! profession, secrecy, state, credentials), sessions, invitations, charters (a replay tells), texts kept for a day, and
//! whatever a destroyed key has closed. Rows that the log says were erased are counted, not compared.
//!
//! THREAT: an administrator who edits rows with the rights of the database's owner. One who also has the key-encryption
//! key, and writes a new record for what was changed, is seen by nobody here: the log then says that it was written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use diesel::prelude::*;

use super::StoreError;
use super::connection::Db;
use super::fact::{self as facts, FactRow};
use super::image::write_digest;
use super::item::version_opens_nowhere;
use super::log::LogFile;
use super::reidentification as identity;
use super::review;
use super::schema::{
    access_review, assignment, audit_detail, data_key, emergency, emergency_reviewed, fact, item,
    item_version, note, organisation, participation, pathway, professional, reidentification,
    reidentification_step,
};
use crate::audit::LeafBody;
use crate::audit::json::{Value, parse};
use crate::audit::leaf::detail_commit;
use crate::audit::verify::{LogReader, OpenedDetail};
use crate::crypto::envelope::DataKey;
use crate::crypto::hash::Digest;
use crate::domain::record::{Action, RowRef};
use crate::domain::vocabulary::code_enum;

mod stored;

use stored::{Stored, load, versions};

/// How many records are read at once.
const PAGE: usize = 512;
/// How many rows of a table are read at once.
const ROWS: i64 = 4096;

code_enum! {
    /// What does not agree.
    Discord, "discord" {
        RowMissing = "row_missing", "une ligne que cette trace a écrite n'est plus là, et aucune trace ne dit qu'elle a été effacée";
        RowChanged = "row_changed", "les données ne sont plus celles que cette trace a écrites";
        RowUnknown = "row_unknown", "aucune trace ne dit que cette ligne a été écrite";
        DetailMissing = "detail_missing", "le détail chiffré de la trace a été retiré : ce qu'elle a écrit ne peut plus être comparé";
        DetailChanged = "detail_changed", "le détail chiffré n'est pas celui que la trace annonce";
    }
}

/// A row by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RowName {
    pub table: &'static str,
    pub id: String,
    pub version: i64,
}

impl RowName {
    fn new(table: &'static str, id: &str, version: i64) -> Self {
        Self { table, id: id.to_owned(), version }
    }

    fn to_ref(&self) -> RowRef {
        RowRef { table: self.table, id: self.id.clone(), version: self.version }
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (version {})", self.table, self.id, self.version)
    }
}

/// One thing that does not agree: where, and which rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    pub discord: Discord,
    /// The record concerned; none for a row that no record wrote.
    pub record: Option<u64>,
    /// Those that do not open any more where some do not, else all that the record wrote.
    pub rows: Vec<RowName>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            Some(index) => write!(f, "Trace n° {index} : ")?,
            None => f.write_str("Données : ")?,
        }
        f.write_str(self.discord.french())?;
        for (at, row) in self.rows.iter().enumerate() {
            write!(f, "{} {row}", if at == 0 { " :" } else { "," })?;
        }
        write!(f, " [{}]", self.discord.code())
    }
}

/// What was compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reconciled {
    /// Records read.
    pub records: u64,
    /// Records whose digest was worked out again.
    pub digests: u64,
    /// Rows of which some record must tell.
    pub rows: u64,
    /// Rows that the log says were erased.
    pub erased: u64,
    /// Records whose rows were replaced since, or are of a kind that cannot be worked out again.
    pub replaced: u64,
    /// Records and rows that a destroyed key has closed.
    pub closed: u64,
    pub divergences: u64,
}

/// The tables that a detail may name, and here are looked at.
const TABLES: [&str; 17] = [
    "access_review",
    "assignment",
    "emergency",
    "emergency_reviewed",
    "fact",
    "item",
    "item_version",
    "note",
    "organisation",
    "participation",
    "pathway",
    "professional",
    "pruning",
    "pruning_decision",
    "reidentification",
    "reidentification_step",
    "sealed_form",
];

/// One record that wrote, and what it says that its rows were.
struct Written {
    index: u64,
    digest: Digest,
    rows: BTreeSet<RowName>,
}

/// What one walk over the log has learnt.
#[derive(Default)]
struct Walk {
    named: HashSet<RowName>,
    ids: HashSet<(&'static str, String)>,
    erased: HashSet<RowName>,
    absent: Vec<(u64, RowName)>,
    count: Reconciled,
}

fn unreadable() -> StoreError {
    StoreError::Corrupt { table: "audit_detail", what: "a detail does not read back".to_owned() }
}

/// The rows that a detail says were written.
fn written(opened: &OpenedDetail) -> Result<BTreeSet<RowName>, StoreError> {
    let text = std::str::from_utf8(&opened.detail).map_err(|_| unreadable())?;
    let Value::Map(members) = parse(text).map_err(|_| unreadable())? else { return Err(unreadable()) };
    let mut rows = BTreeSet::new();
    for (key, value) in &members {
        let ("written", Value::List(list)) = (key.as_ref(), value) else { continue };
        for row in list {
            let Value::List(parts) = row else { return Err(unreadable()) };
            let [Value::Text(table), Value::Text(id), Value::Integer(version)] = parts.as_slice() else {
                return Err(unreadable());
            };
            if let Some(known) = TABLES.iter().find(|t| **t == table.as_ref()) {
                rows.insert(RowName::new(known, id, *version));
            }
        }
    }
    Ok(rows)
}

/// Of the rows of a record that do not agree: those that no key opens any more, else all of them.
fn closest(
    conn: &mut Db,
    keys: &HashMap<String, DataKey>,
    rows: &[RowName],
) -> Result<Vec<RowName>, StoreError> {
    let mut closed = Vec::new();
    for row in rows {
        let opens = match row.table {
            "fact" => {
                let found: Option<FactRow> = fact::table
                    .filter(fact::id.eq(&row.id))
                    .filter(fact::version.eq(row.version))
                    .first(conn)
                    .optional()?;
                !found.is_some_and(|found| facts::opens_nowhere(&found, keys))
            }
            "item_version" => !versions(conn, &[&row.id])?.iter().any(|v| version_opens_nowhere(v, keys)),
            _without_words => true,
        };
        if !opens {
            closed.push(row.clone());
        }
    }
    Ok(if closed.is_empty() { rows.to_vec() } else { closed })
}

impl Walk {
    fn tell(
        &mut self,
        found: &mut dyn FnMut(Divergence),
        discord: Discord,
        record: Option<u64>,
        rows: Vec<RowName>,
    ) {
        self.count.divergences = self.count.divergences.saturating_add(1);
        found(Divergence { discord, record, rows });
    }

    /// One record: what it says that it wrote.
    fn hear(
        &mut self,
        index: u64,
        body: &LeafBody,
        detail: Option<&OpenedDetail>,
        stands: bool,
        found: &mut dyn FnMut(Divergence),
    ) -> Result<Option<Written>, StoreError> {
        self.count.records = self.count.records.saturating_add(1);
        let Some(commit) = body.detail_commit else { return Ok(None) };
        let Some(opened) = detail else {
            if stands {
                self.count.closed = self.count.closed.saturating_add(1);
            } else {
                self.tell(found, Discord::DetailMissing, Some(index), Vec::new());
            }
            return Ok(None);
        };
        if detail_commit(&opened.salt, &opened.detail) != commit {
            self.tell(found, Discord::DetailChanged, Some(index), Vec::new());
            return Ok(None);
        }
        let rows = written(opened)?;
        if body.action == Action::Erase {
            self.erased.extend(rows);
            return Ok(None);
        }
        self.ids.extend(rows.iter().map(|row| (row.table, row.id.clone())));
        self.named.extend(rows.iter().cloned());
        Ok(body.write_digest.map(|digest| Written { index, digest, rows }))
    }

    /// The digests of a page of records.
    fn compare(
        &mut self,
        conn: &mut Db,
        keys: &HashMap<String, DataKey>,
        page: &[Written],
        found: &mut dyn FnMut(Divergence),
    ) -> Result<(), StoreError> {
        if page.is_empty() {
            return Ok(());
        }
        let stored = load(conn, page)?;
        for one in page {
            let mut images = Vec::new();
            let (mut whole, mut sealed) = (true, Vec::new());
            for row in &one.rows {
                match row.table {
                    // Without words of their own: no part of a digest.
                    "assignment" | "emergency" | "emergency_reviewed" | "participation" | "pathway" => {
                        continue;
                    }
                    // A text kept for a day: gone or replaced by now. What is asked of the log itself stands in it.
                    "sealed_form" | "pruning" | "pruning_decision" => whole = false,
                    "professional" if row.version > 1 => whole = false,
                    _with_an_image => match stored.get(row) {
                        Some(Stored::Image(image)) => {
                            images.push(image);
                            sealed.push(row.clone());
                        }
                        Some(Stored::Replaced) => whole = false,
                        Some(Stored::Erased) | None => {
                            whole = false;
                            self.absent.push((one.index, row.clone()));
                        }
                    },
                }
            }
            if !whole {
                self.count.replaced = self.count.replaced.saturating_add(1);
            } else if write_digest(images) == Some(one.digest) {
                self.count.digests = self.count.digests.saturating_add(1);
            } else {
                let rows = closest(conn, keys, &sealed)?;
                self.tell(found, Discord::RowChanged, Some(one.index), rows);
            }
        }
        Ok(())
    }

    /// Rows that were written and are no more: the log must say that they were erased.
    fn settle(&mut self, found: &mut dyn FnMut(Divergence)) {
        for (index, row) in std::mem::take(&mut self.absent) {
            if self.erased.contains(&row) {
                self.count.erased = self.count.erased.saturating_add(1);
            } else {
                self.tell(found, Discord::RowMissing, Some(index), vec![row]);
            }
        }
    }

    /// One stored row: some record must have written it.
    fn stands(&mut self, row: RowName, exact: bool, closed: bool, found: &mut dyn FnMut(Divergence)) {
        self.count.rows = self.count.rows.saturating_add(1);
        let known =
            if exact { self.named.contains(&row) } else { self.ids.contains(&(row.table, row.id.clone())) };
        if known {
            return;
        }
        if closed {
            self.count.closed = self.count.closed.saturating_add(1);
        } else {
            self.tell(found, Discord::RowUnknown, None, vec![row]);
        }
    }
}

/// The pathways whose key is destroyed: what wrote their rows can be read no more.
fn closed_pathways(conn: &mut Db) -> Result<HashSet<String>, StoreError> {
    let owners: Vec<String> = data_key::table
        .filter(data_key::destroyed_at.is_not_null())
        .select(data_key::owner)
        .distinct()
        .load(conn)?;
    Ok(owners.iter().filter_map(|o| o.strip_prefix("pathway:")).map(str::to_owned).collect())
}

/// Walks over a table by its primary key, page by page.
macro_rules! walk {
    ($conn:expr, $table:ident, $version:expr, $pathway:expr, |$row:ident| $each:expr) => {
        walk!($conn, $table, $table::id, $version, $pathway, |$row| $each)
    };
    ($conn:expr, $table:ident, $id:expr, $version:expr, $pathway:expr, |$row:ident| $each:expr) => {{
        let mut after = (String::new(), i64::MIN);
        loop {
            let rows: Vec<(String, i64, String)> = $table::table
                .filter($id.gt(&after.0).or($id.eq(&after.0).and($version.gt(after.1))))
                .order(($id.asc(), $version.asc()))
                .limit(ROWS)
                .select(($id, $version, $pathway))
                .load($conn)?;
            let Some(last) = rows.last() else { break };
            after = (last.0.clone(), last.1);
            for $row in rows {
                $each;
            }
        }
    }};
}

impl LogFile {
    /// Holds the data against the log. The keys must be given first ([`LogFile::with_details`]). Names of rows are kept
    /// in memory; nothing that they say is.
    ///
    /// # Errors
    /// The database's; a log without keys.
    pub fn reconcile(
        &mut self,
        found: &mut dyn FnMut(Divergence),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Reconciled, StoreError> {
        if self.keys().is_empty() {
            return Err(StoreError::KeyDestroyed);
        }
        let mut walk = Walk::default();
        let mut after = None;
        loop {
            let rows = self.rows(after, PAGE)?;
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
            let there: HashSet<i64> = audit_detail::table
                .filter(audit_detail::idx.between(first.index, last.index))
                .select(audit_detail::idx)
                .load(self.conn())?
                .into_iter()
                .collect();
            after = Some(last.index);
            let mut page = Vec::new();
            for row in &rows {
                // What is no record is `verify`'s to tell.
                let body = row.body.as_deref().map(LeafBody::parse);
                let (Some(Ok(body)), Ok(index)) = (body, u64::try_from(row.index)) else { continue };
                let stands = there.contains(&row.index);
                page.extend(walk.hear(index, &body, row.detail.as_ref(), stands, found)?);
            }
            let (conn, keys) = self.parts();
            walk.compare(conn, keys, &page, found)?;
            progress(walk.count.records);
        }
        walk.settle(found);
        rows_that_stand(self.conn(), &mut walk, found)?;
        Ok(walk.count)
    }
}

fn rows_that_stand(
    conn: &mut Db,
    walk: &mut Walk,
    found: &mut dyn FnMut(Divergence),
) -> Result<(), StoreError> {
    let closed = closed_pathways(conn)?;
    let mut one = |table: &'static str, (id, version, of): (String, i64, String), exact: bool| {
        walk.stands(RowName { table, id, version }, exact, closed.contains(&of), found);
    };
    walk!(conn, fact, fact::version, fact::pathway, |row| one("fact", row, true));
    walk!(conn, item_version, item_version::number, item_version::pathway, |row| one(
        "item_version",
        row,
        true
    ));
    walk!(conn, note, note::version, note::pathway, |row| one("note", row, true));
    walk!(conn, item, item::version, item::pathway, |row| one("item", row, false));
    walk!(conn, participation, participation::version, participation::pathway, |row| {
        one("participation", row, false)
    });
    walk!(conn, pathway, pathway::version, pathway::id, |row| one("pathway", row, false));
    walk!(conn, emergency, emergency::at, emergency::pathway, |row| one("emergency", row, false));
    let reviewed: Vec<(String, i64, String)> = emergency_reviewed::table
        .inner_join(emergency::table.on(emergency::id.eq(emergency_reviewed::emergency)))
        .select((emergency::id, emergency::at, emergency::pathway))
        .load(conn)?;
    reviewed.into_iter().for_each(|row| one("emergency_reviewed", row, false));
    // These belong to no pathway: nothing closes them.
    walk!(conn, access_review, access_review::idx, access_review::outcome, |row| {
        one(review::TABLE, (row.0, 1, row.2), true)
    });
    walk!(conn, reidentification, reidentification::idx, reidentification::motive, |row| {
        one(identity::TABLE, (row.0, 1, row.2), true)
    });
    walk!(
        conn,
        reidentification_step,
        reidentification_step::request,
        reidentification_step::step,
        reidentification_step::kind,
        |row| one(identity::STEPS, row, true)
    );
    walk!(conn, organisation, organisation::version, organisation::kind, |row| one(
        "organisation",
        row,
        false
    ));
    walk!(conn, professional, professional::version, professional::state, |row| {
        one("professional", row, false)
    });
    walk!(conn, assignment, assignment::version, assignment::mission, |row| one("assignment", row, false));
    Ok(())
}
