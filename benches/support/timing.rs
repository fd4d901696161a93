//! A small harness: medians of runs, printed with their spread. It reads the machine's clock; nothing else here does.

use std::time::{Duration, Instant};

/// The smallest, the middle and the largest of some measures, in the unit of the measures.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// Of at least one measure.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first().copied(), values.last().copied()) else {
            panic!("nothing was measured");
        };
        let median = values.get(values.len() / 2).copied().unwrap_or(max);
        Self { min, median, max }
    }
}

/// Nanoseconds.
pub fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// How long `work` takes.
pub fn elapsed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Nanoseconds per call of `work`, over `times` calls.
pub fn per_call(times: u32, mut work: impl FnMut()) -> f64 {
    let time = elapsed(|| {
        for _ in 0..times {
            work();
        }
    });
    nanoseconds(time) / f64::from(times)
}

/// `12.3 ns`, `4.56 µs`, `7.89 ms`.
pub fn human(nanoseconds: f64) -> String {
    if nanoseconds < 1_000.0 {
        format!("{nanoseconds:.1} ns")
    } else if nanoseconds < 1_000_000.0 {
        format!("{:.2} µs", nanoseconds / 1_000.0)
    } else {
        format!("{:.2} ms", nanoseconds / 1_000_000.0)
    }
}
