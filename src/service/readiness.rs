//! Whether this node can do its work: a request that would be refused for want of a record is better sent elsewhere.
//!
//! INVARIANT: ready means that a record could be written now, as far as can be told without writing one: health is
//! asked every few seconds, and a log that grows by being asked about would fill the disk by itself.
//! INVARIANT: where room on the disk gets short, new sign-ins are refused first; whoever is at work goes on (SECURITY §1).
//!
//! It repairs nothing, and says why to the operator's log only: the answer over the network is 503 and no more.

use super::ServiceError;
use super::app::App;

/// Free bytes below which nobody new signs in, where nobody says more (the settings do).
const LEAST_HEADROOM: u64 = 16 * 1024 * 1024;
/// Below this part of it the node is not ready: the next record may be the last that fits.
const LAST_PART: u64 = 4;
/// So many seconds after a batch that could not be written a node counts as not ready, unless one was written since.
const FAILED_SECONDS: i64 = 30;

fn short(free: u64, wanted: u64) -> ServiceError {
    ServiceError::Unavailable(format!("the disk has {free} bytes left, and {wanted} are to be kept free"))
}

impl App {
    /// Sets how much room is kept free on the disk, once; later calls change nothing.
    pub fn keep_free(&self, bytes: u64) {
        self.headroom.get_or_init(|| bytes);
    }

    fn headroom(&self) -> u64 {
        self.headroom.get().copied().unwrap_or(LEAST_HEADROOM)
    }

    fn room_of(&self, wanted: u64) -> Result<(), ServiceError> {
        match self.store().room()? {
            Some(free) if free < wanted => Err(short(free, wanted)),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses to begin something new while room is short.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] below the headroom.
    pub(super) fn room_for_newcomers(&self) -> Result<(), ServiceError> {
        self.room_of(self.headroom())
    }

    /// Whether a record could be written, and the database read, now.
    ///
    /// # Errors
    /// What stands in the way: the lane has stopped, the disk is full, the last batch could not be written and none was
    /// since, the head is another, the database does not answer.
    pub fn ready(&self) -> Result<(), ServiceError> {
        if let Some(why) = self.lane().stopped() {
            return Err(ServiceError::Unavailable(why.to_string()));
        }
        self.room_of(self.headroom().div_euclid(LAST_PART))?;
        let now = self.clock().now();
        if self.lane().failed_at().is_some_and(|at| now < at.plus_seconds(FAILED_SECONDS)) {
            return Err(ServiceError::Unavailable("the last batch could not be written".to_owned()));
        }
        self.lane().probe()?;
        drop(self.store().snapshot()?);
        Ok(())
    }
}
