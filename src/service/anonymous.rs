//! Requests without a session are not recorded one by one: they are counted, one leaf a minute (SECURITY §1).
//!
//! INVARIANT: a count leaves memory only for the lane; when the lane does not take it, it is put back.
//! THREAT: a flood. Whoever has no session can make neither the log grow nor the lane work faster than once a minute.
//!
//! It does not decide who has a session, and it knows nothing of who knocked. Counts of a minute that a kill cut off
//! are lost: nothing was shown or changed under them.

use std::sync::{Mutex, PoisonError};

use super::app::App;
use super::error::ServiceError;
use crate::audit::Job;
use crate::audit::lane::Priority;
use crate::clock::Timestamp;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;

const MINUTE: i64 = 60_000_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncalled {
    /// A request that needed a session and had none: answered 401.
    NoSession,
    /// A sign-in that the limiter turned away: answered 429.
    SignInRefused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Counts {
    no_session: u32,
    sign_in_refused: u32,
}

impl Counts {
    const fn is_empty(self) -> bool {
        self.no_session == 0 && self.sign_in_refused == 0
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            no_session: self.no_session.saturating_add(other.no_session),
            sign_in_refused: self.sign_in_refused.saturating_add(other.sign_in_refused),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// The minute that is being counted.
    minute: i64,
    current: Counts,
    /// Counts of minutes that are over and not yet in the log.
    due: Counts,
}

/// The counters of a node.
#[derive(Debug, Default)]
pub struct Anonymous(Mutex<State>);

impl Anonymous {
    /// Counts one; says whether a minute that is over waits to be recorded.
    fn count(&self, what: Uncalled, now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Self::turn(&mut state, now);
        let one = match what {
            Uncalled::NoSession => Counts { no_session: 1, sign_in_refused: 0 },
            Uncalled::SignInRefused => Counts { no_session: 0, sign_in_refused: 1 },
        };
        state.current = state.current.plus(one);
        !state.due.is_empty()
    }

    fn turn(state: &mut State, now: Timestamp) {
        let minute = now.micros().div_euclid(MINUTE);
        if minute != state.minute {
            state.due = state.due.plus(std::mem::take(&mut state.current));
            state.minute = minute;
        }
    }

    /// Takes what is due; with `all`, the running minute too.
    fn take(&self, now: Timestamp, all: bool) -> Counts {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Self::turn(&mut state, now);
        let due = std::mem::take(&mut state.due);
        if all { due.plus(std::mem::take(&mut state.current)) } else { due }
    }

    fn put_back(&self, counts: Counts) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.due = state.due.plus(counts);
    }
}

impl App {
    /// Counts a request without a session. Memory only: true means that [`App::flush_anonymous`] has work, which
    /// belongs on a thread that may block.
    #[must_use]
    pub fn count_anonymous(&self, what: Uncalled) -> bool {
        self.anonymous.count(what, self.clock.now())
    }

    /// Records the counts of the minutes that are over; with `all` (at the end), also of the running one.
    ///
    /// # Errors
    /// When the lane does not take them; they are kept for the next time.
    pub fn flush_anonymous(&self, all: bool) -> Result<(), ServiceError> {
        let counts = self.anonymous.take(self.clock.now(), all);
        let requests = Counts { sign_in_refused: 0, ..counts };
        let sign_ins = Counts { no_session: 0, ..counts };
        let first = self.flush_one(requests, counts.no_session, Action::Read, ResourceKind::Request);
        if first.is_err() {
            self.anonymous.put_back(sign_ins);
            return first;
        }
        self.flush_one(sign_ins, counts.sign_in_refused, Action::SignIn, ResourceKind::Session)
    }

    fn flush_one(
        &self,
        counts: Counts,
        number: u32,
        action: Action,
        resource: ResourceKind,
    ) -> Result<(), ServiceError> {
        if number == 0 {
            return Ok(());
        }
        let recorded = || -> Result<(), ServiceError> {
            let request = RequestId::random(self.chance.as_ref())?;
            let mut draft =
                RecordDraft::new(request, RetentionClass::Technical, action, resource, Verdict::Failed);
            draft.count = Some(number);
            let record = self.prepare(&draft, None)?;
            self.lane.record(Priority::Anonymous, Job::new(record)).wait()?;
            Ok(())
        };
        recorded().inspect_err(|_| self.anonymous.put_back(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn a_minute_is_due_once_it_is_over_and_only_once() {
        let counter = Anonymous::default();
        for _ in 0..3 {
            assert!(!counter.count(Uncalled::NoSession, at(1)));
        }
        assert!(!counter.count(Uncalled::SignInRefused, at(59)));
        assert_eq!(counter.take(at(59), false), Counts::default());
        assert!(counter.count(Uncalled::NoSession, at(60)));
        assert_eq!(counter.take(at(61), false), Counts { no_session: 3, sign_in_refused: 1 });
        assert_eq!(counter.take(at(61), false), Counts::default());
        assert_eq!(counter.take(at(61), true), Counts { no_session: 1, sign_in_refused: 0 });
    }

    #[test]
    fn what_the_log_did_not_take_is_kept() {
        let counter = Anonymous::default();
        counter.put_back(Counts { no_session: 7, sign_in_refused: 0 });
        assert!(counter.count(Uncalled::NoSession, at(0)));
        assert_eq!(counter.take(at(1), true), Counts { no_session: 8, sign_in_refused: 0 });
    }
}
