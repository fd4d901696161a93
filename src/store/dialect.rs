//! The only match on the engine, and the only raw SQL but for the lane's backend.

use std::fmt::Write as _;

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{BigInt, Bool, Text};

use super::StoreError;
use super::connection::Db;
use crate::clock::Season;
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::ids::AssignmentId;

/// Opens a read snapshot: everything read until it ends is of one moment.
pub(super) fn begin_snapshot(conn: &mut Db) -> Result<(), StoreError> {
    let sql = match conn {
        Db::Sqlite(_) => "BEGIN DEFERRED",
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    conn.batch_execute(sql).map_err(StoreError::from)
}

/// Opens a write transaction that holds the writer's lock from its first statement.
pub(super) fn begin_write(conn: &mut Db) -> Result<(), StoreError> {
    let sql = match conn {
        Db::Sqlite(_) => "BEGIN IMMEDIATE",
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    conn.batch_execute(sql).map_err(StoreError::from)
}

/// From here to its end this snapshot reads under one assignment (or nobody's): on PostgreSQL row-level security then
/// leaves only the content of its own pathways. SQLite has no such net.
pub(super) fn act_as(conn: &mut Db, assignment: Option<&AssignmentId>) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => {
            let _no_net_here = assignment;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            use diesel::prelude::*;
            use diesel::sql_types::{Bool, Text};
            let id = assignment.map_or("", AssignmentId::as_str);
            c.batch_execute("SET LOCAL ROLE relais_reader")?;
            let _set: String = diesel::select(
                diesel::dsl::sql::<Text>("set_config('relais.assignment', ")
                    .bind::<Text, _>(id)
                    .sql(", ")
                    .bind::<Bool, _>(true)
                    .sql(")"),
            )
            .get_result(c)?;
            Ok(())
        }
    }
}

/// The lane writes as a role that can read no ciphertext of content.
pub(super) fn enter_lane(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            // PostgreSQL waits for the disk only when told so; a server setting must not undo it (SECURITY §1).
            c.batch_execute("SET ROLE relais_lane; SET synchronous_commit = on").map_err(StoreError::from)
        }
    }
}

/// Empties the write-ahead log into the file, so that a destroyed key is in neither. PostgreSQL needs none here.
///
/// THREAT: a reader keeps the log from being emptied, and the engine then says so in a row, not by an error.
#[expect(clippy::disallowed_methods, reason = "this is the room of raw SQL")]
pub(super) fn checkpoint_truncate(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(c) => {
            use diesel::prelude::*;
            use diesel::sql_types::Integer;
            // A statement of its own type: the pragma has a name for each column, and only the first is needed.
            #[derive(diesel::QueryableByName)]
            struct Emptied {
                #[diesel(sql_type = Integer)]
                busy: i32,
            }
            // While it waits for readers nobody writes: not for long, the sweep tries again.
            c.batch_execute("PRAGMA busy_timeout = 1000")?;
            let row: Emptied = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(c)?;
            if row.busy == 0 { Ok(()) } else { Err(StoreError::StillInJournal) }
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Ok(()),
    }
}

/// Writes a copy of the whole database, of one moment, into an empty file; writers go on meanwhile.
#[expect(clippy::disallowed_methods, reason = "this is the room of raw SQL")]
pub(super) fn copy_into(conn: &mut Db, file: &str) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(c) => {
            use diesel::prelude::*;
            // The engine's own means: a consistent copy, without free pages, so without what was erased.
            diesel::sql_query("VACUUM INTO ?").bind::<diesel::sql_types::Text, _>(file).execute(c)?;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Err(StoreError::Address),
    }
}

/// Whether every page and index of the file holds together; PostgreSQL has tools of its own.
pub(super) fn integrity(conn: &mut Db) -> Result<bool, StoreError> {
    match conn {
        Db::Sqlite(c) => {
            use diesel::prelude::*;
            let ask = diesel::dsl::sql::<diesel::sql_types::Text>(
                "(SELECT group_concat(integrity_check, ' ') FROM pragma_integrity_check)",
            );
            let said: String = diesel::select(ask).get_result(c)?;
            Ok(said == "ok")
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Ok(true),
    }
}

/// Takes the head row for this transaction. SQLite's `BEGIN IMMEDIATE` has taken the whole file already.
pub(super) fn lock_head(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            c.batch_execute("SELECT size FROM audit_head WHERE id = 1 FOR UPDATE").map_err(StoreError::from)
        }
    }
}

/// The hour of a record, counted from 1970. Both engines divide whole numbers to whole numbers, and Paris is ahead of
/// UTC by whole hours: hours add up to the days of Paris.
pub(super) fn hour_of_record() -> SqlLiteral<BigInt> {
    sql("audit_index.at / 3600000000")
}

/// The decision of a record, as a group is named by it.
pub(super) fn decision_of_record() -> SqlLiteral<Text> {
    sql("audit_index.decision")
}

/// The pseudonym of an actor, as a group is named by it.
pub(super) fn actor_of_record() -> SqlLiteral<Text> {
    sql("audit_index.actor")
}

/// The pseudonym of a pathway, as a group is named by it.
pub(super) fn pathway_of_record() -> SqlLiteral<Text> {
    sql("audit_index.pathway")
}

/// The time of the latest record of a group.
pub(super) fn latest_of_group() -> SqlLiteral<BigInt> {
    sql("max(audit_index.at)")
}

/// What somebody does in a circle, who does not only look.
const ACTS: [Action; 12] = [
    Action::Create,
    Action::Update,
    Action::Share,
    Action::End,
    Action::Invite,
    Action::Accept,
    Action::Decline,
    Action::Confirm,
    Action::Sign,
    Action::Refuse,
    Action::Withdraw,
    Action::Oppose,
];

/// The condition that the action of a record is one of these. Words of our own list: nothing comes from a request.
fn action_among(actions: impl Iterator<Item = Action>) -> String {
    let codes: Vec<String> = actions.map(|action| format!("'{}'", action.code())).collect();
    format!("audit_index.action IN ({})", codes.join(", "))
}

/// [`LeafBody::opens_content`](crate::audit::LeafBody::opens_content), for the database.
fn opening() -> String {
    let every = || Action::ALL.iter().copied();
    let names: Vec<String> = ResourceKind::ALL
        .iter()
        .filter(|resource| resource.listed_by_name())
        .map(|resource| like(&format!("\"resource\":\"{}\"", resource.code())))
        .collect();
    format!(
        "(audit_index.decision = '{}' AND {} AND {} AND NOT ({} AND ({})))",
        Verdict::Permit.code(),
        action_among(every().filter(|action| action.shows_content())),
        // Left out of a body that has none.
        like("\"categories\":["),
        action_among(every().filter(|action| action.lists())),
        names.join(" OR "),
    )
}

/// Records that put content before somebody's eyes.
pub(super) fn openings() -> SqlLiteral<Bool> {
    sql(&opening())
}

/// Groups with at least `least` openings and no act.
pub(super) fn openings_without_act(least: i64) -> SqlLiteral<Bool> {
    let sum = |condition: &str| format!("sum(CASE WHEN {condition} THEN 1 ELSE 0 END)");
    let (openings, acts) = (sum(&opening()), sum(&action_among(ACTS.into_iter())));
    sql(&format!("({openings} >= {least} AND {acts} = 0)"))
}

/// How many records a group has.
pub(super) fn records() -> SqlLiteral<BigInt> {
    sql("count(*)")
}

/// Groups of at least `least` records.
pub(super) fn at_least(least: i64) -> SqlLiteral<Bool> {
    sql(&format!("count(*) >= {least}"))
}

/// Records at night, on a day of the week-end or on one of these days, in Paris. Nothing in it comes from a request: numbers only.
pub(super) fn out_of_hours(seasons: &[Season], holidays: &[NaiveDate]) -> SqlLiteral<Bool> {
    // Days counted from 1970, as whole hours of Paris are counted below.
    let days: Vec<String> = holidays
        .iter()
        .map(|day| day.signed_duration_since(NaiveDate::default()).num_days().to_string())
        .collect();
    let days = if days.is_empty() { "-1".to_owned() } else { days.join(", ") };
    let mut text = String::from("(1 = 0");
    for Season { from, until, ahead } in seasons {
        let hour = format!("(audit_index.at / 3600000000 + {ahead})");
        let (from, until) = (from.micros(), until.micros());
        // 1 January 1970 was a Thursday: day 4 of weeks that begin on Monday.
        let written = write!(
            text,
            " OR (audit_index.at >= {from} AND audit_index.at < {until} AND ({hour} % 24 < {} OR {hour} % 24 >= {} OR ({hour} / 24 + 3) % 7 >= 5 OR {hour} / 24 IN ({days})))",
            crate::clock::FIRST_HOUR,
            crate::clock::LAST_HOUR,
        );
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
    text.push(')');
    sql(&text)
}

/// What a pattern may hold.
///
/// THREAT: SQL by way of a filter. A code has letters of `a` to `z`, digits, `_` and `=`; anything else finds nothing.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'=')
}

fn nothing() -> SqlLiteral<Bool> {
    sql("1 = 0")
}

/// The condition that a body has this text, which must be our own.
fn like(text: &str) -> String {
    format!("audit_leaf.body LIKE '%{text}%'")
}

/// Records whose body gives this code for this member. The form of a body is canonical: no space, each member once.
pub(super) fn body_says(member: &str, code: &str) -> SqlLiteral<Bool> {
    if is_code(member) && is_code(code) { sql(&like(&format!("\"{member}\":\"{code}\""))) } else { nothing() }
}

/// Records whose body has this code in a list: first or further, last or not. No member is named between `,"` and `",`.
pub(super) fn body_lists(code: &str) -> SqlLiteral<Bool> {
    if !is_code(code) {
        return nothing();
    }
    let within = |before: char, after: char| like(&format!("{before}\"{code}\"{after}"));
    let places = [within('[', ']'), within('[', ','), within(',', ','), within(',', ']')];
    sql(&format!("({})", places.join(" OR ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_only_codes_come_into_a_pattern() {
        for bad in ["", "a'b", "a%", "a\"b", "A", "a b", "a;--", "é"] {
            assert!(!is_code(bad), "{bad}");
        }
        assert!(is_code("rule=second_person_needed") && is_code("health_minimal"));
    }
}
