//! Signs a checkpoint of the log when it has grown.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "checkpoints",
    summary: "Signe un point de contrôle du journal des accès quand il s'est allongé.",
    every_minutes: 1,
    run,
};

fn run(app: &App, _: Timestamp) -> Result<Report, ServiceError> {
    let signed = app.checkpoint_if_grown()?;
    Ok(Report { done: u64::from(signed.is_some()), left: 0 })
}
