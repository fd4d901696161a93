//! How often one address may ask a witness: a bucket that fills again with time.
//!
//! INVARIANT: what is remembered is bounded: beyond [`MOST`] addresses, those whose bucket is full again are forgotten,
//! and if none is, strangers wait. An address that is not known to the system counts as one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// Requests at once, and one more every so many microseconds.
const BURST: i64 = 20;
const EVERY: i64 = 200_000;
/// Addresses remembered.
const MOST: usize = 1024;

/// When each address's bucket is full again.
#[derive(Default)]
pub(super) struct Rate(Mutex<BTreeMap<IpAddr, i64>>);

impl Rate {
    /// Counts a request; how many seconds to wait where it is one too many.
    pub(super) fn wait(&self, from: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let now = now.micros();
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST && !full_at.contains_key(&from) {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= MOST {
                return Some(1);
            }
        }
        let at = full_at.entry(from).or_insert(now);
        let next = (*at).max(now).saturating_add(EVERY);
        let over = next.saturating_sub(now).saturating_sub(BURST.saturating_mul(EVERY));
        if over > 0 {
            // Rounded up: whoever waits what is said gets in.
            return Some(over.saturating_add(999_999).div_euclid(1_000_000));
        }
        *at = next;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn an_address_has_a_burst_and_then_waits_its_turn() {
        let rate = Rate::default();
        let one = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for _ in 0..BURST {
            assert_eq!(rate.wait(one, at(0)), None);
        }
        assert_eq!(rate.wait(one, at(0)), Some(1));
        assert_eq!(rate.wait(None, at(0)), None, "another address is not concerned");
        assert_eq!(rate.wait(one, at(1_000_000)), None);
    }

    #[test]
    fn threat_many_addresses_do_not_fill_the_memory() {
        let rate = Rate::default();
        for n in 0..5000_u32 {
            rate.wait(Some(IpAddr::V4(Ipv4Addr::from_bits(n))), at(0));
        }
        assert_eq!(rate.0.lock().unwrap().len(), MOST);
        assert_eq!(rate.wait(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), at(0)), Some(1));
        // Later those that are quiet are forgotten.
        assert_eq!(rate.wait(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), at(10_000_000)), None);
        assert_eq!(rate.0.lock().unwrap().len(), 1);
    }
}
