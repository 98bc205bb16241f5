//! The feeds of the configuration that receive stories, and which of them a line names.

use std::collections::BTreeSet;

use crate::config::Config;
use tidings_rules::fault::nearest;
use tidings_rules::story::FeedName;
use tidings_rules::text::visible_line;

/// The most names that are listed if none is near.
const MOST_LISTED: usize = 12;

/// The feeds that receive stories.
#[derive(Clone, Debug)]
pub struct ReceivingFeeds {
    receiving: BTreeSet<FeedName>,
    polled: BTreeSet<FeedName>,
    default: Option<FeedName>,
}

/// Why a feed receives no story, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotReceiving(pub String);

impl ReceivingFeeds {
    /// Those of `config`. `default` receives the stories of lines that name no feed.
    ///
    /// # Errors
    /// If `default` receives no stories, or no feed does.
    pub fn new(config: &Config, default: Option<&str>) -> Result<Self, NotReceiving> {
        let mut feeds = Self {
            receiving: config.receiving.iter().map(|feed| feed.name.clone()).collect(),
            polled: config.feeds.iter().map(|feed| feed.name.clone()).collect(),
            default: None,
        };
        if let Some(name) = default {
            feeds.default = Some(feeds.find(Some(name))?);
        } else if feeds.receiving.is_empty() {
            let why = "the configuration has no feed that receives stories: write `feeds: [{name: NAME, from: ingest}]`";
            return Err(NotReceiving(why.to_owned()));
        }
        Ok(feeds)
    }

    /// The feed of a line that names this one.
    pub(super) fn find(&self, named: Option<&str>) -> Result<FeedName, NotReceiving> {
        let Some(named) = named else {
            let why =
                "this line names no feed: write `\"feed\": \"NAME\"`, or name one for all lines";
            return self.default.clone().ok_or_else(|| NotReceiving(why.to_owned()));
        };
        let name = FeedName(named.to_owned());
        if self.receiving.contains(&name) {
            return Ok(name);
        }
        let shown = visible_line(named);
        if self.polled.contains(&name) {
            let why = format!("the feed `{shown}` is polled, and receives no stories");
            return Err(NotReceiving(why));
        }
        let help = self.suggest(named).map(|help| format!(": {help}")).unwrap_or_default();
        Err(NotReceiving(format!("no feed `{shown}` receives stories{help}")))
    }

    fn suggest(&self, unknown: &str) -> Option<String> {
        let names = || self.receiving.iter().map(|name| name.0.as_str());
        if let Some(near) = nearest(unknown, names()) {
            return Some(format!("did you mean `{}`?", visible_line(near)));
        }
        let listed: Vec<String> = names().map(|name| format!("`{}`", visible_line(name))).collect();
        match listed.len() {
            0 => Some(
                "write `feeds: [{name: NAME, from: ingest}]` into the configuration".to_owned(),
            ),
            1..=MOST_LISTED => Some(format!("those that do are {}", listed.join(", "))),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The feeds `telegram` and `desk` receive stories, and `wire` is polled.
    pub(in crate::ingest) fn feeds(default: Option<&str>) -> ReceivingFeeds {
        let name = |name: &&str| FeedName((*name).to_owned());
        ReceivingFeeds {
            receiving: ["telegram", "desk"].iter().map(name).collect(),
            polled: ["wire"].iter().map(name).collect(),
            default: default.as_ref().map(name),
        }
    }

    #[test]
    fn a_line_is_of_the_feed_that_it_names_else_of_the_default() {
        let found = |default, named| feeds(default).find(named).map(|name| name.0);
        assert_eq!(found(Some("desk"), None).as_deref(), Ok("desk"));
        assert_eq!(found(Some("desk"), Some("telegram")).as_deref(), Ok("telegram"));
        for (named, why) in [
            (None, "this line names no feed"),
            (Some("wire"), "the feed `wire` is polled"),
            (Some("telegramm"), "did you mean `telegram`?"),
            (Some("x"), "those that do are `desk`, `telegram`"),
            (Some("a\u{202e}b"), "no feed `ab` receives stories"),
        ] {
            let found = found(None, named).unwrap_err().0;
            assert!(found.contains(why), "{found}");
        }
    }
}
