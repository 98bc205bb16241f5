//! Why a rule does not look at a story at all, in words: its feeds, its languages, its last day.

use crate::story::Story;
use crate::{Carrier, FeedFilter, Rule};

/// Why `rule` does not look at `story`, seen in `carriers`; `None` if it does.
pub(crate) fn reason(rule: &Rule, story: &Story, carriers: &[Carrier]) -> Option<String> {
    if !rule.settings.accepts_feeds(carriers) {
        let wanted: Vec<String> = rule.settings.feeds.iter().map(shown).collect();
        let seen: Vec<&str> = carriers.iter().map(|carrier| carrier.name.0.as_str()).collect();
        return Some(format!(
            "it looks only at feeds {}; this story is from {}",
            wanted.join(", "),
            seen.join(", ")
        ));
    }
    if !rule.settings.accepts_language(story) {
        let lang = story.lang.as_deref().unwrap_or_default();
        return Some(format!(
            "it looks only at stories in {}; this one is in {lang}",
            rule.settings.langs.join(", ")
        ));
    }
    let last = rule.settings.expires.filter(|_| !rule.settings.is_in_force(story));
    last.map(|last| format!("it expired on {last}, before this story was first seen"))
}

fn shown(filter: &FeedFilter) -> String {
    match filter {
        FeedFilter::Named(name) => name.0.clone(),
        FeedFilter::Tagged(tag) => format!("tag:{tag}"),
    }
}
