//! Rows as they are stored, by what a record says that they were.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::{RowName, Written};
use crate::crypto::hash::Digest;
use crate::store::StoreError;
use crate::store::connection::Db;
use crate::store::fact::{self as facts, FactRow};
use crate::store::image::row_image;
use crate::store::item::{ItemRow, VersionRow, item_image, version_image};
use crate::store::reidentification::{self as identity, AskedRow, StepRow};
use crate::store::review::{self, ReviewRow};
use crate::store::schema::{
    access_review, fact, item, item_version, note, organisation, professional, reidentification,
    reidentification_step,
};

/// A stored row, as it can be compared.
pub(super) enum Stored {
    Image(Digest),
    /// Its words are gone.
    Erased,
    /// Another version stands in its place.
    Replaced,
}

fn ids_of<'a>(written: &'a [Written], table: &str) -> Vec<&'a str> {
    let ids: BTreeSet<&str> = written
        .iter()
        .flat_map(|w| &w.rows)
        .filter(|row| row.table == table)
        .map(|row| row.id.as_str())
        .collect();
    ids.into_iter().collect()
}

/// A row of which only the latest version is kept, one column of which is sealed.
fn latest(
    table: &'static str,
    rows: Vec<(String, i64, Vec<u8>)>,
    asked: &[Written],
    found: &mut HashMap<RowName, Stored>,
) {
    let current: HashMap<String, (i64, Vec<u8>)> =
        rows.into_iter().map(|(id, v, body)| (id, (v, body))).collect();
    for row in asked.iter().flat_map(|w| &w.rows).filter(|row| row.table == table) {
        if let Some((version, body)) = current.get(&row.id) {
            let stored = if *version == row.version {
                Stored::Image(row_image(&row.to_ref(), &[body]))
            } else {
                Stored::Replaced
            };
            found.insert(row.clone(), stored);
        }
    }
}

/// The rows that these records wrote, as they stand now.
pub(super) fn load(conn: &mut Db, asked: &[Written]) -> Result<HashMap<RowName, Stored>, StoreError> {
    let mut found = HashMap::new();
    let rows: Vec<FactRow> = fact::table.filter(fact::id.eq_any(ids_of(asked, "fact"))).load(conn)?;
    for row in rows {
        found.insert(RowName::new("fact", &row.id, row.version), Stored::Image(facts::image(&row)));
    }
    for row in items(conn, &ids_of(asked, "item"))? {
        found.insert(RowName::new("item", &row.id, 1), Stored::Image(item_image(&row)));
    }
    for row in versions(conn, &ids_of(asked, "item_version"))? {
        let stored =
            row.body.as_deref().map_or(Stored::Erased, |body| Stored::Image(version_image(&row, body)));
        found.insert(RowName::new("item_version", &row.id, row.number), stored);
    }
    let notes = note::table
        .filter(note::id.eq_any(ids_of(asked, "note")))
        .select((note::id, note::version, note::body))
        .load(conn)?;
    latest("note", notes, asked, &mut found);
    let structures = organisation::table
        .filter(organisation::id.eq_any(ids_of(asked, "organisation")))
        .select((organisation::id, organisation::version, organisation::body))
        .load(conn)?;
    latest("organisation", structures, asked, &mut found);
    let people: Vec<(String, Vec<u8>)> = professional::table
        .filter(professional::id.eq_any(ids_of(asked, "professional")))
        .select((professional::id, professional::body))
        .load(conn)?;
    auditors(conn, asked, &mut found)?;
    for (id, body) in people {
        // The words of an account are written once, at its first version; later ones seal its credentials.
        let first = RowName::new("professional", &id, 1);
        let image = row_image(&first.to_ref(), &[&body]);
        found.insert(first, Stored::Image(image));
    }
    Ok(found)
}

/// What auditors and second persons wrote.
fn auditors(
    conn: &mut Db,
    asked: &[Written],
    found: &mut HashMap<RowName, Stored>,
) -> Result<(), StoreError> {
    let looks: Vec<ReviewRow> =
        access_review::table.filter(access_review::id.eq_any(ids_of(asked, review::TABLE))).load(conn)?;
    for row in looks {
        found.insert(RowName::new(review::TABLE, &row.0, 1), Stored::Image(review::image(&row)));
    }
    let requests: Vec<AskedRow> = reidentification::table
        .filter(reidentification::id.eq_any(ids_of(asked, identity::TABLE)))
        .load(conn)?;
    for row in requests {
        found.insert(RowName::new(identity::TABLE, &row.0, 1), Stored::Image(identity::asked_image(&row)));
    }
    let steps: Vec<StepRow> = reidentification_step::table
        .filter(reidentification_step::request.eq_any(ids_of(asked, identity::STEPS)))
        .load(conn)?;
    for row in steps {
        found.insert(RowName::new(identity::STEPS, &row.0, row.1), Stored::Image(identity::step_image(&row)));
    }
    Ok(())
}

fn items(conn: &mut Db, ids: &[&str]) -> Result<Vec<ItemRow>, StoreError> {
    Ok(item::table
        .filter(item::id.eq_any(ids))
        .select((
            item::id,
            item::pathway,
            item::kind,
            item::category,
            item::subjects,
            item::for_stay,
            item::author,
            item::author_assignment,
            item::created_at,
        ))
        .load(conn)?)
}

pub(super) fn versions(conn: &mut Db, ids: &[&str]) -> Result<Vec<VersionRow>, StoreError> {
    Ok(item_version::table.filter(item_version::id.eq_any(ids)).load(conn)?)
}
