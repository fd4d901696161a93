//! Shows the last checkpoint to the witnesses of the settings, and keeps what they say.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "witnesses",
    summary: "Fait cosigner le dernier point de contrôle par les témoins des réglages.",
    every_minutes: 1,
    run,
};

fn run(app: &App, _: Timestamp) -> Result<Report, ServiceError> {
    let round = app.witnesses_ask()?;
    Ok(Report { done: round.attested, left: round.left })
}
