//! From when on something in the log is worth a look. Settings of an instance; each within bounds, so that a typo neither
//! blinds an auditor nor floods one.

/// One bound and its usual value.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub least: i64,
    pub most: i64,
    pub usual: i64,
}

impl Bound {
    /// Reads a whole number within the bound.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<i64> {
        text.parse().ok().filter(|n| (self.least..=self.most).contains(n))
    }
}

/// Openings by one person within an hour.
pub const BULK: Bound = Bound { least: 5, most: 10_000, usual: 60 };
/// Refusals to one person within an hour.
pub const REFUSALS: Bound = Bound { least: 2, most: 1_000, usual: 5 };
/// Openings of one pathway by one person who does nothing in that circle, within the window.
pub const CURIOSITY: Bound = Bound { least: 3, most: 10_000, usual: 20 };
/// Days without any use after which an affectation counts as asleep.
pub const DORMANT: Bound = Bound { least: 30, most: 730, usual: 90 };
/// Days that are looked at, today included.
pub const WINDOW: Bound = Bound { least: 7, most: 92, usual: 30 };

/// The thresholds of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    pub bulk: i64,
    pub refusals: i64,
    pub curiosity: i64,
    pub dormant_days: i64,
    pub window_days: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            bulk: BULK.usual,
            refusals: REFUSALS.usual,
            curiosity: CURIOSITY.usual,
            dormant_days: DORMANT.usual,
            window_days: WINDOW.usual,
        }
    }
}
