//! Explains in words why a rule does not accept a story: feeds, languages, last day.

use crate::rule::settings::Settings;
use crate::story::{Carrier, FeedFilter, Story};

/// Why a rule with `settings` does not accept `story`, which `carriers` carried; `None` if it
/// accepts it.
pub(crate) fn reason(settings: &Settings, story: &Story, carriers: &[Carrier]) -> Option<String> {
    if !settings.accepts_feeds(carriers) {
        let wanted: Vec<String> = settings.feeds.iter().map(shown).collect();
        let seen: Vec<&str> = carriers.iter().map(|carrier| carrier.name.0.as_str()).collect();
        return Some(format!(
            "it accepts only stories of the feeds {}; this story is from {}",
            wanted.join(", "),
            seen.join(", ")
        ));
    }
    if !settings.accepts_language(story) {
        return Some(refused_language(settings, story));
    }
    let last = settings.expires.filter(|_| !settings.is_in_force(story));
    last.map(|last| format!("it expired on {last}, before this story was first seen"))
}

/// Why the language of `story` is not accepted.
pub(crate) fn refused_language(settings: &Settings, story: &Story) -> String {
    let lang = story.lang.as_deref().unwrap_or_default();
    format!("it accepts only stories in {}; this one is in {lang}", settings.langs.join(", "))
}

fn shown(filter: &FeedFilter) -> String {
    match filter {
        FeedFilter::Named(name) => name.0.clone(),
        FeedFilter::Tagged(tag) => format!("tag:{tag}"),
    }
}
