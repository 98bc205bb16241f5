//! What the pages are made from.

use std::sync::Arc;

use super::health::Health;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::Store;
use tidings_rules::Rules;

/// What is in force, as far as pages show it.
#[derive(Clone, Debug)]
pub struct ShownInForce {
    /// The configuration.
    pub config: Arc<Config>,
    /// The rules.
    pub rules: Arc<Rules>,
    /// The faults of the rule files, as `tidings check` prints them.
    pub rule_faults: Arc<Vec<String>>,
}

/// Returns what is in force.
pub type InForceNow = Arc<dyn Fn() -> ShownInForce + Send + Sync>;

/// What the pages are made from.
#[derive(Clone)]
pub struct WebParts {
    /// The store.
    pub store: Store,
    /// The health of the daemon.
    pub health: Arc<Health>,
    /// The metrics of the run.
    pub metrics: Arc<Metrics>,
    /// What is in force.
    pub in_force: InForceNow,
}

impl std::fmt::Debug for WebParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebParts").finish_non_exhaustive()
    }
}
