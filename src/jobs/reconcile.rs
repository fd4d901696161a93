//! Holds the data against the log once a day, and records what it found: the auditor reads it in the console.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "reconcile",
    summary: "Compare les données au journal, une fois par jour, et laisse le résultat à l'auditeur.",
    // Asked each hour, due once a day: a server that restarts does not compare again.
    every_minutes: 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    Ok(match app.reconcile_daily(now)? {
        None => Report::default(),
        Some(found) => Report { done: 1, left: found.sum.divergences },
    })
}
