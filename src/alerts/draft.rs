//! Matches to alerts: what each says of its rule, and who is to hear of it. Pure.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::alerts::volume::Throttle;
use crate::alerts::{Receiver, RuleMatch};
use crate::config::{DefaultNotifiers, Notifier};
use tidings_rules::Match;
use tidings_rules::story::{NotifierName, Story};

/// One draft for every match of `story`, in the same order.
#[must_use]
pub fn drafts(
    matches: Vec<Match>,
    story: &Story,
    routing: &DefaultNotifiers,
    notifiers: &BTreeMap<NotifierName, Notifier>,
) -> Vec<NewAlert> {
    if matches.is_empty() {
        return Vec::new();
    }
    let text = text_hash(&story.title, &story.body);
    matches.into_iter().map(|found| draft(found, &text, routing, notifiers)).collect()
}

/// SHA-256, in hex, of a story's headline, an empty line and its text, in UTF-8: it tells the text
/// that a rule saw from any later one.
#[must_use]
pub fn text_hash(title: &str, body: &str) -> String {
    let digest =
        Sha256::new().chain_update(title).chain_update("\n\n").chain_update(body).finalize();
    digest.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

fn draft(
    found: Match,
    text: &str,
    routing: &DefaultNotifiers,
    notifiers: &BTreeMap<NotifierName, Notifier>,
) -> NewAlert {
    let rule = found.rule;
    let settings = &rule.settings;
    let names =
        if settings.notify.is_empty() { routing.of(settings.severity) } else { &settings.notify };
    let receivers = names
        .iter()
        .filter_map(|name| notifiers.get(name).map(|notifier| receivers(name, notifier)))
        .flatten()
        .collect();
    let told = RuleMatch {
        rule: rule.name().to_owned(),
        row: rule.row().cloned(),
        version: rule.version(),
        text_sha256: Some(text.to_owned()),
        severity: settings.severity,
        why: settings.why.clone(),
        owner: settings.owner.clone(),
        tags: settings.tags.clone(),
        evidence: found.evidence,
    };
    let pace = Throttle { burst: settings.burst, digest: settings.digest.clone() };
    let occasion = rule.row().map_or_else(String::new, |row| row.id.clone());
    NewAlert { told, occasion, pace, receivers }
}

/// Everybody whom a notifier reaches.
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
    pub told: RuleMatch,
    /// What tells several alerts of one rule and story apart: the row's id; empty unless the rule
    /// has `each`.
    pub occasion: String,
    /// How often its rule wants to be told.
    pub pace: Throttle,
    /// Everybody who is to hear of it: no receiver twice.
    pub receivers: Vec<Receiver>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_text_is_what_sha256sum_says() {
        // printf 'Arms\n\nThey sell.' | sha256sum
        let expected = "0c8366de653348a8c2443489531cfea638e4745b6fd9fbf8e80fb3eeed81aaa0";
        assert_eq!(text_hash("Arms", "They sell."), expected);
    }
}
