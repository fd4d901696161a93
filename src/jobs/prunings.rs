//! Goes on with the prunings of the log that two persons decided, where one was interrupted.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, PrunedRecords, ServiceError};

pub const JOB: Job = Job {
    name: "prunings",
    summary: "Termine les élagages du journal confirmés par une seconde personne.",
    every_minutes: 60,
    run,
};

fn run(app: &App, _: Timestamp) -> Result<Report, ServiceError> {
    let PrunedRecords { done, left, in_journal } = app.prune_confirmed()?;
    Ok(Report { done, left: left.saturating_add(u64::from(in_journal)) })
}
