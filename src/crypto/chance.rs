//! The product's source of unpredictable bytes: the system's, through `ring`.

use ring::rand::{SecureRandom, SystemRandom};

use crate::clock::{Chance, NoChance};

/// The system's randomness. Started once, at the edge, and handed down.
pub struct SystemChance(SystemRandom);

impl SystemChance {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that takes the system's randomness")]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemChance {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SystemChance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemChance")
    }
}

impl Chance for SystemChance {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        self.0.fill(into).map_err(|_| NoChance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0_u8; 32], [0_u8; 32]);
        let chance = SystemChance::new();
        chance.fill(&mut a).unwrap();
        chance.fill(&mut b).unwrap();
        assert_ne!(a, b);
        assert_ne!(a, [0; 32]);
    }
}
