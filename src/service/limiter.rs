//! Progressive delay of sign-ins, per login and per network (SECURITY §4).
//!
//! INVARIANT: unknown logins are delayed exactly like known ones; no number of failures locks anyone out for good.
//! THREAT: many attempts at once, all let in before the first failure is counted. The delay is judged again inside the
//! lane's transaction, under the writer's lock, before anything is answered.
//!
//! It counts nothing that it turned away itself: trying during a delay does not lengthen it.

use super::ServiceError;
use crate::audit::LaneError;
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;
use crate::crypto::keyring::{InstanceKeys, LoginIndex};
use crate::store::{Snapshot, StoreError, WriteTx};

/// Failures without delay, and the longest delay, for a login.
const LOGIN: Rule = Rule { free: 3, longest: 300 };
/// A town hall is behind one address: more is free, and less is asked.
const NETWORK: Rule = Rule { free: 20, longest: 60 };

#[derive(Clone, Copy)]
struct Rule {
    free: i64,
    longest: i64,
}

impl Rule {
    /// Seconds to wait after so many failures: none, then 2, 4, 8, … up to the longest.
    fn delay(self, failures: i64) -> i64 {
        let over = failures.saturating_sub(self.free);
        match u32::try_from(over) {
            Ok(0) | Err(_) if over <= 0 => 0,
            Ok(over) => 2_i64.saturating_pow(over).min(self.longest),
            Err(_) => self.longest,
        }
    }

    fn wait(self, counted: Option<(i64, Timestamp)>, now: Timestamp) -> i64 {
        let Some((failures, last)) = counted else { return 0 };
        let until = last.plus_seconds(self.delay(failures));
        // Rounded up: whoever waits what is said gets in.
        until.micros().saturating_sub(now.micros()).max(0).saturating_add(999_999).div_euclid(1_000_000)
    }
}

/// Under which an attempt is counted.
#[derive(Clone)]
pub(super) struct Subjects {
    login: Option<Digest>,
    network: Option<Digest>,
}

/// Why an attempt was not written.
#[derive(Debug)]
pub(super) enum Held {
    /// Seconds to wait.
    Wait(u32),
    Store(StoreError),
}

impl From<StoreError> for Held {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

/// What the lane says of an attempt, as a service says it; `None` means: decide again.
pub(super) fn outcome<T>(result: Result<T, LaneError<Held>>) -> Option<Result<T, ServiceError>> {
    match result {
        Ok(value) => Some(Ok(value)),
        Err(LaneError::Stale | LaneError::Refused(Held::Store(StoreError::Stale))) => None,
        Err(LaneError::Refused(Held::Wait(seconds))) => Some(Err(ServiceError::TooManyAttempts(seconds))),
        Err(LaneError::Refused(Held::Store(e))) => Some(Err(e.into())),
        Err(LaneError::Panicked) => Some(Err(ServiceError::Internal("the change panicked".to_owned()))),
        Err(LaneError::NothingPermitted) => {
            Some(Err(ServiceError::Internal("nothing was permitted".to_owned())))
        }
        Err(LaneError::Unavailable) => Some(Err(ServiceError::Unavailable("the lane".to_owned()))),
    }
}

impl Subjects {
    pub(super) fn new(keys: &InstanceKeys, login: Option<&LoginIndex>, network: Option<&str>) -> Self {
        Self {
            login: login.map(|l| keys.delay_subject("account", l.as_str())),
            network: network.map(|n| keys.delay_subject("network", n)),
        }
    }

    fn judge<E>(
        &self,
        now: Timestamp,
        mut counted: impl FnMut(&Digest) -> Result<Option<(i64, Timestamp)>, E>,
    ) -> Result<Option<u32>, E> {
        let mut wait = 0;
        for (subject, rule) in [(&self.login, LOGIN), (&self.network, NETWORK)] {
            if let Some(subject) = subject {
                wait = wait.max(rule.wait(counted(subject)?, now));
            }
        }
        Ok((wait > 0).then(|| u32::try_from(wait).unwrap_or(u32::MAX)))
    }

    /// The wait that stands before an attempt, before anything costly is done for it.
    pub(super) fn check(&self, snapshot: &mut Snapshot, now: Timestamp) -> Result<(), ServiceError> {
        match self.judge(now, |s| snapshot.login_delay(s))? {
            Some(seconds) => Err(ServiceError::TooManyAttempts(seconds)),
            None => Ok(()),
        }
    }

    /// The same, inside the lane.
    pub(super) fn hold(&self, tx: &mut WriteTx, at: Timestamp) -> Result<(), Held> {
        match self.judge(at, |s| tx.login_delay(s))? {
            Some(seconds) => Err(Held::Wait(seconds)),
            None => Ok(()),
        }
    }

    /// Counts a failure.
    pub(super) fn raise(&self, tx: &mut WriteTx, at: Timestamp) -> Result<(), StoreError> {
        [&self.login, &self.network]
            .into_iter()
            .flatten()
            .try_for_each(|subject| tx.login_delay_raise(subject, at))
    }

    /// A success forgets the failures of the login. Those of the network stay.
    ///
    /// THREAT: whoever has one account of his own would wipe the count between two guesses at another's.
    pub(super) fn clear(&self, tx: &mut WriteTx) -> Result<(), StoreError> {
        self.login.as_ref().map_or(Ok(()), |subject| tx.login_delay_clear(subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_stay_bounded() {
        let delays: Vec<i64> = [0, 2, 3, 4, 5, 6, 11, 12, 1000, i64::MAX].map(|n| LOGIN.delay(n)).to_vec();
        assert_eq!(delays, [0, 0, 0, 2, 4, 8, 256, 300, 300, 300]);
        assert_eq!(NETWORK.delay(20), 0);
        assert_eq!(NETWORK.delay(60), 60);
    }

    #[test]
    fn whoever_waits_what_is_said_gets_in() {
        let last = Timestamp::from_micros(1_000_000_000_000_000);
        let counted = Some((5, last));
        assert_eq!(LOGIN.wait(counted, last), 4);
        assert_eq!(LOGIN.wait(counted, last.plus_micros(1)), 4);
        assert_eq!(LOGIN.wait(counted, last.plus_seconds(4)), 0);
        assert_eq!(LOGIN.wait(None, last), 0);
    }
}
