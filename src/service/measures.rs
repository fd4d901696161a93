//! What a node measures of itself, for an operator's alerts.
//!
//! INVARIANT: numbers of the machine only: no structure, person, category, reason or name of a witness; nothing is
//! counted by any of them. So it needs no record, and is given to the loopback address only (`web::metrics`).
//! INVARIANT: what cannot be read is left out, never given as 0: an alert on absence is worth more than a wrong number.

use super::ServiceError;
use super::app::App;
use super::checkpoints::log_name;
use super::witnesses::alarm;
use crate::audit::lane::LaneStats;
use crate::clock::Timestamp;

/// What a node measures.
#[derive(Clone, Debug)]
pub struct Measures {
    pub lane: LaneMeasures,
    /// Free bytes on the disk of the database file, where it is one.
    pub disk_free: Option<u64>,
    /// `None`: the database does not answer.
    pub log: Option<LogMeasures>,
}

/// Of the queue before the log.
#[derive(Clone, Debug)]
pub struct LaneMeasures {
    pub depth: usize,
    pub capacity: usize,
    pub stats: LaneStats,
    /// It stopped for good; a person must look.
    pub stopped: bool,
}

/// Of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMeasures {
    pub size: u64,
    /// Losses that two people declared.
    pub losses: usize,
    /// Seconds since the last record that the last checkpoint covers; the checkpoint itself is no older.
    pub checkpoint_age: Option<i64>,
    /// Seconds since the oldest record that no checkpoint covers; 0 when all are covered.
    pub unsigned_age: Option<i64>,
    /// In the order of the settings.
    pub witnesses: Vec<WitnessMeasures>,
}

/// Of one witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessMeasures {
    /// Seconds since it last cosigned, by its own clock; `None`: it never did.
    pub age: Option<i64>,
    /// How many records of the last checkpoint it has not seen.
    pub behind: u64,
    pub contradicts: bool,
}

fn seconds(from: Timestamp, now: Timestamp) -> i64 {
    now.micros().saturating_sub(from.micros()).div_euclid(1_000_000).max(0)
}

impl App {
    fn log_measures(&self, now: Timestamp) -> Result<LogMeasures, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let size = snapshot.log_frontier()?.size();
        let signed = snapshot.checkpoint_latest()?.and_then(|c| u64::try_from(c.size).ok()).unwrap_or(0);
        let checkpoint_age = match signed.checked_sub(1) {
            Some(last) => snapshot.log_time(last)?.map(|at| seconds(at, now)),
            None => None,
        };
        let unsigned_age =
            if signed < size { snapshot.log_time(signed)?.map(|at| seconds(at, now)) } else { Some(0) };
        let mut witnesses = Vec::new();
        for link in &self.witnesses.links {
            let latest = snapshot.cosignature_latest(&link.key().to_string())?;
            let seen = latest.as_ref().map(|c| c.size);
            witnesses.push(WitnessMeasures {
                age: latest.map(|c| seconds(c.at, now)),
                behind: signed.saturating_sub(seen.unwrap_or(0)),
                contradicts: alarm(&mut snapshot, link.key().name(), seen)?.is_some(),
            });
        }
        let losses = log_name(&mut snapshot)?.gaps.len();
        Ok(LogMeasures { size, losses, checkpoint_age, unsigned_age, witnesses })
    }

    /// What this node measures now. What cannot be read is left out, and told to the operator.
    #[must_use]
    pub fn measures(&self) -> Measures {
        let told = |what: &'static str| move |error: &dyn std::fmt::Display| tracing::warn!(%error, what, "a measure cannot be taken");
        let lane = self.lane();
        Measures {
            lane: LaneMeasures {
                depth: lane.depth(),
                capacity: lane.capacity(),
                stats: lane.stats(),
                stopped: lane.stopped().is_some(),
            },
            disk_free: self.store.room().inspect_err(|e| told("disk")(e)).unwrap_or(None),
            log: self.log_measures(self.clock.now()).inspect_err(|e| told("log")(e)).ok(),
        }
    }
}
