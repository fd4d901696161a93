//! Destroys the keys of pseudonyms of the years whose last record is past its time: nobody can link them any more.

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "years",
    summary: "Détruit les clés de pseudonymes des années dont toutes les traces ont passé leur durée de conservation.",
    every_minutes: 24 * 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    Ok(Report { done: app.forget_years(now)?, left: 0 })
}
