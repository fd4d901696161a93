//! What happens without anybody asking. The caller keeps the time: a job never sleeps.
//!
//! A job is one file beside this one with a `pub const JOB: Job`, and one line in [`JOBS`]. The server runs each when
//! it is due, `relais jobs run` by hand.
//!
//! INVARIANT: a job keeps no state of its own. What is due is worked out anew from the facts, and what was done stands
//! in the facts (a version erased, a note gone, a reminder noted as sent), written in one transaction with its record.
//! So a job may be killed at any point, run twice, or run on two nodes at once, and nothing is done twice.
//! INVARIANT: a job that finds nothing to do writes nothing: the log does not grow by being looked after.
//! INVARIANT: a job that fails leaves everything as it was; the next run tries again, and the others run all the same.
//!
//! It does not decide what the durations are: `service::retention` and the charter do.

mod checkpoints;
mod notes;
mod prunings;
mod reconcile;
#[cfg(test)]
mod retention_tests;
mod stays;
mod sweep;
mod witnesses;
mod years;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::service::{App, ServiceError};

/// What a job did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many things were done (erased, sent, signed).
    pub done: u64,
    /// How many were due and could not be done this time; why is in the service's output.
    pub left: u64,
}

/// One job.
#[derive(Clone, Copy)]
pub struct Job {
    /// Stable, in lower case: what `relais jobs run` takes.
    pub name: &'static str,
    /// What it does, in French, for people.
    pub summary: &'static str,
    /// How often the server runs it, in minutes.
    pub every_minutes: i64,
    pub run: fn(&App, Timestamp) -> Result<Report, ServiceError>,
}

/// Every job, in the order in which they run. Checkpoints after all others, since they sign what these recorded; then
/// witnesses are shown what was signed.
pub const JOBS: &[Job] = &[
    stays::JOB,
    notes::JOB,
    sweep::JOB,
    prunings::JOB,
    years::JOB,
    reconcile::JOB,
    checkpoints::JOB,
    witnesses::JOB,
];

/// The job of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Job> {
    JOBS.iter().find(|job| job.name == name)
}

/// When each job is due again on this node. A server that starts has everything due: jobs are idempotent.
#[derive(Debug, Default)]
pub struct Schedule(Mutex<BTreeMap<&'static str, Timestamp>>);

impl Schedule {
    /// The jobs that are due, noted as run: one that panics is not tried again at once, and keeps no other waiting.
    fn take_due<'j>(&self, jobs: &'j [Job], now: Timestamp) -> Vec<&'j Job> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |job: &&Job| next.get(job.name).is_none_or(|at| *at <= now);
        let due: Vec<&Job> = jobs.iter().filter(is_due).collect();
        for job in &due {
            next.insert(job.name, now.plus_seconds(job.every_minutes.saturating_mul(60)));
        }
        due
    }

    /// Runs what is due. A failure is told to the operator and tried again when the job is due again.
    pub fn run_due(&self, app: &App) {
        for job in self.take_due(JOBS, app.clock().now()) {
            run(job, app);
        }
    }
}

fn run(job: &Job, app: &App) {
    match (job.run)(app, app.clock().now()) {
        Ok(Report { done: 0, left: 0 }) => {}
        Ok(Report { done, left: 0 }) => tracing::info!(job = job.name, done, "job done"),
        Ok(Report { done, left }) => tracing::warn!(job = job.name, done, left, "job done in part"),
        Err(error) => tracing::error!(job = job.name, %error, "job failed; the next run tries again"),
    }
}

/// What is done once more before the program stops.
pub fn at_the_end(app: &App) {
    run(&checkpoints::JOB, app);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_have_names_of_their_own_and_say_what_they_do() {
        for (at, job) in JOBS.iter().enumerate() {
            assert!(!job.name.is_empty() && job.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            assert!(job.summary.len() > 10 && job.every_minutes >= 1, "{}", job.name);
            assert_eq!(JOBS.iter().position(|other| other.name == job.name), Some(at));
            assert_eq!(find(job.name).map(|j| j.name), Some(job.name));
        }
        assert!(find("toto").is_none());
    }

    #[test]
    fn a_job_is_due_at_the_start_and_then_each_time_its_minutes_are_over() {
        fn nothing(_: &App, _: Timestamp) -> Result<Report, ServiceError> {
            Ok(Report::default())
        }
        let jobs = [
            Job { name: "a", summary: "", every_minutes: 1, run: nothing },
            Job { name: "b", summary: "", every_minutes: 60, run: nothing },
        ];
        let start = Timestamp::from_micros(0);
        let schedule = Schedule::default();
        let due = |seconds| -> Vec<&str> {
            schedule.take_due(&jobs, start.plus_seconds(seconds)).iter().map(|j| j.name).collect()
        };
        assert_eq!(due(0), ["a", "b"]);
        assert_eq!(due(59), [""; 0]);
        assert_eq!(due(60), ["a"]);
        assert_eq!(due(3600), ["a", "b"]);
    }
}
