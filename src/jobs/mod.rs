//! What happens without anybody asking. The caller keeps the time: a job never sleeps.
//!
//! INVARIANT: a job that fails leaves everything as it was; the next run tries again.

use crate::service::App;

/// What is due once a minute, and once more before the program stops.
pub fn every_minute(app: &App) {
    match app.checkpoint_if_grown() {
        Ok(Some(size)) => tracing::info!(size, "checkpoint signed"),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "no checkpoint could be signed"),
    }
}
