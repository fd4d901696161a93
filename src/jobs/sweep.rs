//! Sweeps away what has served: sessions, invitation codes, idempotency keys, counts of failed sign-ins.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "sweep",
    summary: "Retire les connexions terminées, les codes d'ouverture périmés et les clés d'idempotence anciennes.",
    every_minutes: 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    Ok(Report { done: app.sweep(now)?, left: 0 })
}
