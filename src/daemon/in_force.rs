//! What is in force: the configuration, the rules, and what is made of them. A reload replaces all
//! of it at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::alerts::volume::DeliveryPolicies;
use crate::config::Config;
use crate::daemon::recheck_ages::RecheckAges;
use crate::http::NoClient;
use crate::notify::SendContext;
use tidings_rules::Rules;
use tidings_rules::story::FeedName;

/// What every loop shares. Each job reads what it needs when it begins.
pub(crate) type Shared = Arc<ArcSwap<InForce>>;

/// The configuration and the rules in force, and what is made of them. A clone shares its parts.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) config: Arc<Config>,
    pub(crate) rules: Arc<Rules>,
    /// The faults of the rule files, as `tidings check` prints them.
    pub(crate) rule_faults: Arc<Vec<String>>,
    /// The clients and connections of `config`.
    pub(crate) send_context: SendContext,
    pub(crate) recheck_ages: Arc<RecheckAges>,
    pub(super) feed_tags: Arc<HashMap<FeedName, BTreeSet<String>>>,
    pub(super) policies: Arc<DeliveryPolicies>,
}

impl InForce {
    /// What follows from `config` and `rules` at the start of a run.
    ///
    /// # Errors
    /// HTTPS cannot be set up on this machine.
    pub(super) fn new(
        config: Config,
        rules: Rules,
        rule_faults: Vec<String>,
    ) -> Result<Self, NoClient> {
        let (network, hosts) = (config.network.clone(), config.hosts.clone());
        let send_context = SendContext::new(network, hosts, config.zone.clone())?;
        let loaded = (Arc::new(rules), Arc::new(rule_faults));
        Ok(Self::with_clients(config, loaded, send_context))
    }

    /// The same with a changed configuration. Clients and connections stay where their settings do.
    ///
    /// # Errors
    /// HTTPS cannot be set up on this machine.
    pub(super) fn with_config(&self, config: Config) -> Result<Self, NoClient> {
        let is_same_network =
            config.network == self.config.network && config.hosts == self.config.hosts;
        let mut send_context = if is_same_network {
            self.send_context.clone()
        } else {
            self.send_context.with_network(config.network.clone(), config.hosts.clone())?
        };
        send_context.zone = config.zone.clone();
        let loaded = (Arc::clone(&self.rules), Arc::clone(&self.rule_faults));
        Ok(Self::with_clients(config, loaded, send_context))
    }

    fn with_clients(
        config: Config,
        (rules, rule_faults): (Arc<Rules>, Arc<Vec<String>>),
        send_context: SendContext,
    ) -> Self {
        let feeds = config.feed_tags();
        Self {
            rules,
            rule_faults,
            send_context,
            recheck_ages: Arc::new(RecheckAges::new(&config)),
            feed_tags: Arc::new(feeds.map(|(name, tags)| (name.clone(), tags.clone())).collect()),
            policies: Arc::new(DeliveryPolicies {
                policies: config.delivery_policies.clone(),
                zone: config.zone.clone(),
                publishers: config.publishers.clone(),
            }),
            config: Arc::new(config),
        }
    }
}
