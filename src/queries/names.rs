//! The names of a configuration and of its rules, and what is said of one that is unknown.

use std::collections::BTreeSet;

use crate::alerts::{Receiver, draft};
use crate::config::Config;
use tidings_rules::fault::nearest;
use tidings_rules::story::{FeedName, Severity};
use tidings_rules::text::visible_line;
use tidings_rules::{Carrier, KnownNames, RuleConfig};

/// What rules may name in this configuration.
#[must_use]
pub fn known_names(config: &Config) -> KnownNames {
    let feeds = config.feed_tags();
    let carrier = |(name, tags): (&FeedName, &BTreeSet<String>)| Carrier {
        name: name.clone(),
        tags: tags.clone(),
    };
    KnownNames {
        notifiers: config.notifiers.keys().cloned().collect(),
        feeds: feeds.map(carrier).collect(),
        unrouted: Severity::ALL
            .into_iter()
            .filter(|severity| config.notify.receivers_of(*severity).is_empty())
            .collect(),
    }
}

/// What rules read of this configuration.
#[must_use]
pub fn rule_config(config: &Config) -> RuleConfig {
    RuleConfig { names: Some(known_names(config)), ..any_names(config) }
}

/// What rules that may use any name read of this configuration.
#[must_use]
pub fn any_names(config: &Config) -> RuleConfig {
    RuleConfig { names: None, publishers: config.publishers.clone() }
}

/// All receivers of the configuration.
#[must_use]
pub fn receivers(config: &Config) -> Vec<Receiver> {
    config.notifiers.iter().flat_map(|(name, notifier)| draft::receivers(name, notifier)).collect()
}

/// The most names that are listed if none is near.
const MOST_LISTED: usize = 12;

/// Says that there is no `kind` with this name, with the nearest name or a list of all.
pub fn unknown_name<'n>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    let why = format!("There is no {kind} `{}`.", visible_line(name));
    let known: BTreeSet<&str> = known.into_iter().collect();
    match suggest_names(name, &known.into_iter().collect::<Vec<_>>()) {
        Some(help) => {
            let end = if help.ends_with('?') { "" } else { "." };
            format!("{why} {}{end}", first_upper(&help))
        }
        None => why,
    }
}

/// The nearest known name, or all of few; `None` if there are many or none.
#[must_use]
pub fn suggest_names(name: &str, known: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{}`?", visible_line(near)));
    }
    let listed: Vec<String> =
        known.iter().map(|name| format!("`{}`", visible_line(name))).collect();
    (1..=MOST_LISTED).contains(&listed.len()).then(|| format!("known: {}", listed.join(", ")))
}

fn first_upper(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_is_near() {
        assert_eq!(
            unknown_name("feed", "wire2", ["wire"]),
            "There is no feed `wire2`. Did you mean `wire`?"
        );
        assert_eq!(unknown_name("feed", "wire", []), "There is no feed `wire`.");
    }

    #[test]
    fn what_is_near_is_named_else_all_of_few() {
        assert_eq!(
            suggest_names("armz", &["arms", "oil"]).as_deref(),
            Some("did you mean `arms`?")
        );
        assert_eq!(
            suggest_names("strikes", &["arms", "oil"]).as_deref(),
            Some("known: `arms`, `oil`")
        );
        assert_eq!(suggest_names("strikes", &[]), None);
        assert_eq!(suggest_names("strikes", &["arms"; 13]), None);
    }
}
