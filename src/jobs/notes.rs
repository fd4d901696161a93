//! Destroys notes thirty days after their author's assignment ended (DESIGN §3).

use super::{Job, Report};
use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

pub const JOB: Job = Job {
    name: "notes",
    summary: "Détruit les notes personnelles trente jours après la fin de l'affectation de leur auteur.",
    every_minutes: 60,
    run,
};

fn run(app: &App, now: Timestamp) -> Result<Report, ServiceError> {
    let destroyed = app.destroy_left_notes(now)?;
    Ok(Report { done: destroyed.done, left: destroyed.left })
}
