//! Sweeps away what has served: sessions, invitation codes, idempotency keys, counts of failed sign-ins, texts kept for
//! their author. Then empties the write-ahead log, where an earlier erasure may have had to leave its words.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "sweep",
    summary: "Retire les connexions terminées et les codes d'ouverture périmés, et, après 24 heures, les clés d'idempotence, les échecs de connexion et les textes gardés.",
    every_minutes: 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    let done = app.sweep(now)?;
    let emptied = app.empty_journal();
    if let Err(error) = &emptied {
        tracing::warn!(%error, "what was erased is still in the write-ahead log");
    }
    Ok(Report { done, left: u64::from(emptied.is_err()) })
}
