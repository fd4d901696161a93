//! `relais migrate`: brings the database to the level of this program. Never by itself: `serve` refuses to start while a
//! migration is pending.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;

use crate::config::Settings;
use crate::startup::database_address;
use crate::store::Store;

/// Runs what is pending.
///
/// # Errors
/// When the database is missing or newer, or a migration fails.
pub fn run(settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    match Store::migrate(&database_address(settings))? {
        0 => writeln!(out, "La base de données est déjà à jour.")?,
        n => writeln!(out, "{n} migration(s) faite(s). La base de données est à jour.")?,
    }
    Ok(ExitCode::SUCCESS)
}
