//! The names that a configuration gives: to rules, and to messages.

use crate::alerts::{Receiver, draft};
use crate::config::Config;
use tidings_rules::story::Severity;
use tidings_rules::{Carrier, KnownNames};

/// What rules may name in this configuration.
#[must_use]
pub fn known_names(config: &Config) -> KnownNames {
    let feeds = config.feed_tags();
    KnownNames {
        notifiers: config.notifiers.keys().cloned().collect(),
        feeds: feeds
            .map(|(name, tags)| Carrier { name: name.clone(), tags: tags.clone() })
            .collect(),
        unrouted: Severity::ALL
            .into_iter()
            .filter(|severity| config.notify.receivers_of(*severity).is_empty())
            .collect(),
    }
}

/// All receivers of the configuration.
#[must_use]
pub fn receivers(config: &Config) -> Vec<Receiver> {
    config.notifiers.iter().flat_map(|(name, notifier)| draft::receivers(name, notifier)).collect()
}
