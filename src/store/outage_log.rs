//! Logs when the server of a store cannot be reached, and when it is back.

use tracing::{info, warn};

/// What was logged of an outage; nothing while the server answers.
#[derive(Debug, Default)]
pub(super) struct OutageLog(Option<String>);

impl OutageLog {
    /// An outage that was logged with this reason.
    pub(super) fn told(why: &str) -> Self {
        Self(Some(why.to_owned()))
    }

    /// Logs why the server does not answer, unless this was logged last.
    pub(super) fn tell(&mut self, why: &str) {
        if self.0.as_deref() != Some(why) {
            warn!(
                event = "store_lost",
                "the store cannot be reached: {why}; nothing is recorded until it is back"
            );
            self.0 = Some(why.to_owned());
        }
    }

    /// Logs that the server answers again, if an outage was logged.
    pub(super) fn end(&mut self) {
        if self.0.take().is_some() {
            info!(event = "store_back", "the store can be written again");
        }
    }
}
