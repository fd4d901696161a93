//! Erases what was written for a stay, seven days after the stay (STORIES S1).

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "stays",
    summary: "Efface les éléments « santé » et « besoins pratiques » écrits pour un séjour, sept jours après sa fin.",
    every_minutes: 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    let erased = app.erase_stay_items(now)?;
    Ok(Report { done: erased.done, left: erased.left })
}
