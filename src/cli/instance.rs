//! A real instance, opened for one command: the same store and lane as a server, beside it or without it.

use std::sync::Arc;

use crate::audit::lane::LaneThread;
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::service::{App, ServiceError, Witnesses};
use crate::startup::{StartupError, assemble, french, open_store, witnesses};
use crate::store::{InstanceKind, Store, WriteTx};

/// An open instance; dropping it writes what is queued.
pub struct Instance {
    pub app: Arc<App>,
    lane: Option<LaneThread<WriteTx>>,
}

impl Instance {
    /// Opens the real instance of these settings; a demonstration is refused.
    ///
    /// # Errors
    /// Whatever keeps a server from starting.
    pub fn open(settings: &Settings) -> Result<Self, StartupError> {
        Self::over(open_store(settings, InstanceKind::Real)?, witnesses(settings)?)
    }

    pub(super) fn over(store: Store, witnesses: Witnesses) -> Result<Self, StartupError> {
        let (app, lane) = assemble(store, witnesses, Arc::new(SystemClock), Arc::new(SystemChance::new()))?;
        Ok(Self { app, lane: Some(lane) })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            lane.stop();
        }
    }
}

/// What a service refused, in the words for people.
pub(super) fn told(error: ServiceError) -> anyhow::Error {
    anyhow::anyhow!(french::service(&error))
}
