//! From matches to new alerts: their evidence and their receivers. Pure.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::alerts::volume::Throttle;
use crate::alerts::{Receiver, RuleMatch};
use crate::config::{Config, DefaultNotifiers, Notifier};
use tidings_rules::condition::Condition;
use tidings_rules::story::{NotifierName, Story};
use tidings_rules::{Match, Rule, Settings};

/// One new alert for each match of `story`, in the same order.
#[must_use]
pub fn new_alerts(
    matches: Vec<Match>,
    story: &Story,
    routing: &DefaultNotifiers,
    notifiers: &BTreeMap<NotifierName, Notifier>,
) -> Vec<NewAlert> {
    if matches.is_empty() {
        return Vec::new();
    }
    let text = hash_story_text(&story.title, &story.body);
    matches.into_iter().map(|found| new_alert(found, &text, routing, notifiers)).collect()
}

/// SHA-256, in hex, of a story's headline, an empty line and its text, in UTF-8. It distinguishes
/// the text that a rule matched from later ones.
#[must_use]
pub fn hash_story_text(title: &str, body: &str) -> String {
    sha256_hex(&[title, "\n\n", body])
}

/// SHA-256 of `parts`, one behind the other, in hex.
#[must_use]
pub fn sha256_hex(parts: &[&str]) -> String {
    hex::encode(parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize())
}

fn new_alert(
    found: Match,
    text: &str,
    routing: &DefaultNotifiers,
    notifiers: &BTreeMap<NotifierName, Notifier>,
) -> NewAlert {
    let rule = found.rule;
    let settings = &rule.settings;
    let receivers = settings_receivers(settings, routing, notifiers);
    let rule_match = RuleMatch {
        rule: rule.name().to_owned(),
        row: rule.row().cloned(),
        version: rule.version(),
        text_sha256: Some(text.to_owned()),
        severity: settings.severity,
        why: settings.why.clone(),
        owner: settings.owner.clone(),
        tags: settings.tags.clone(),
        condition: None,
        evidence: found.evidence,
    };
    let throttle = Throttle { burst: settings.burst, digest: settings.digest.clone() };
    let dedup_key = rule.row().map_or_else(String::new, |row| row.id.clone());
    let condition = settings.condition.clone();
    NewAlert { rule_match, dedup_key, throttle, condition, keys: found.keys, receivers }
}

/// The receivers of a rule's messages.
#[must_use]
pub fn rule_receivers(rule: &Rule, config: &Config) -> Vec<Receiver> {
    settings_receivers(&rule.settings, &config.notify, &config.notifiers)
}

fn settings_receivers(
    settings: &Settings,
    routing: &DefaultNotifiers,
    notifiers: &BTreeMap<NotifierName, Notifier>,
) -> Vec<Receiver> {
    let names = if settings.notify.is_empty() {
        routing.receivers_of(settings.severity)
    } else {
        &settings.notify
    };
    let known = names.iter().filter_map(|name| Some((name, notifiers.get(name)?)));
    known.flat_map(|(name, notifier)| receivers(name, notifier)).collect()
}

/// All receivers of a notifier.
#[must_use]
pub fn receivers(name: &NotifierName, notifier: &Notifier) -> Vec<Receiver> {
    let to = |recipient: String| Receiver { notifier: name.clone(), recipient };
    match notifier {
        Notifier::Console(_) | Notifier::Webhook(_) => vec![to(String::new())],
        Notifier::Email(email) => {
            email.to.iter().map(|mailbox| to(mailbox.email.to_string())).collect()
        }
    }
}

/// One rule that matched one story, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlert {
    /// What the alert says of the rule and its evidence.
    pub rule_match: RuleMatch,
    /// The dedup key among the alerts of one rule and story: the id of the row; empty unless the
    /// rule has `each`.
    pub dedup_key: String,
    /// The throttle of its rule.
    pub throttle: Throttle,
    /// The condition of its rule.
    pub condition: Option<Condition>,
    /// What the `first` of that condition looks for.
    pub keys: Vec<String>,
    /// Its receivers, each once.
    pub receivers: Vec<Receiver>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_text_is_what_sha256sum_says() {
        // printf 'Arms\n\nThey sell.' | sha256sum
        let expected = "0c8366de653348a8c2443489531cfea638e4745b6fd9fbf8e80fb3eeed81aaa0";
        assert_eq!(hash_story_text("Arms", "They sell."), expected);
    }
}
