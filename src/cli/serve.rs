//! `relais serve`: a real instance, served until it is told to stop. It creates nothing.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::startup::{Application, Signals, start_telemetry};
use crate::store::InstanceKind;

/// Serves the instance.
///
/// # Errors
/// When it cannot start, or breaks down.
pub fn run(settings: &Settings) -> Result<ExitCode> {
    start_telemetry(settings);
    let application = Application::build(
        settings,
        InstanceKind::Real,
        Arc::new(SystemClock),
        Arc::new(SystemChance::new()),
    )?;
    application.run(Signals::Heed)?;
    Ok(ExitCode::SUCCESS)
}
