//! Turning the pages of a list that is at hand whole and would weigh too much on one page.
//!
//! INVARIANT: whatever number an address gives, some page of the list is shown, and every line stands on one page.

use std::ops::Range;

use super::Fault;
use crate::web::route::Incoming;

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turning {
    /// The page that is shown; the first is 1.
    pub page: usize,
    each: usize,
    pub of: usize,
}

impl Turning {
    /// The page that was asked for, or the last that there is.
    #[must_use]
    pub fn to(page: usize, each: usize, of: usize) -> Self {
        let last = of.div_ceil(each).max(1);
        Self { page: page.clamp(1, last), each, of }
    }

    /// Which lines stand on it.
    #[must_use]
    pub fn lines(&self) -> Range<usize> {
        let from = self.page.saturating_sub(1).saturating_mul(self.each);
        from..from.saturating_add(self.each).min(self.of)
    }

    /// Whether one page does not hold the list.
    #[must_use]
    pub fn several(&self) -> bool {
        self.of > self.each
    }

    #[must_use]
    pub fn before(&self) -> Option<usize> {
        self.page.checked_sub(1).filter(|page| *page > 0)
    }

    #[must_use]
    pub fn after(&self) -> Option<usize> {
        (self.lines().end < self.of).then(|| self.page.saturating_add(1))
    }

    /// « 1 à 20 sur 57 ».
    #[must_use]
    pub fn told(&self) -> String {
        let lines = self.lines();
        format!("{} à {} sur {}", lines.start.saturating_add(1), lines.end, self.of)
    }
}

/// The number of a page, as an address gives it.
///
/// # Errors
/// 422, when it is no number.
pub fn asked(incoming: &Incoming) -> Result<usize, Fault> {
    Ok(incoming.query("suite", str::parse::<usize>)?.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_stands_on_one_page_and_every_number_shows_one() {
        for of in [0, 1, 19, 20, 21, 40, 57] {
            let mut all = Vec::new();
            let mut page = Some(1);
            while let Some(n) = page {
                let turning = Turning::to(n, 20, of);
                assert_eq!(turning.page, n);
                assert_eq!(turning.before(), (n > 1).then(|| n - 1));
                all.extend(turning.lines());
                page = turning.after();
            }
            assert_eq!(all, (0..of).collect::<Vec<_>>());
        }
        assert_eq!(Turning::to(0, 20, 57).page, 1);
        assert_eq!(Turning::to(usize::MAX, 20, 57).told(), "41 à 57 sur 57");
        assert!(!Turning::to(1, 20, 20).several() && Turning::to(1, 20, 21).several());
    }
}
