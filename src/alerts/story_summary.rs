//! What a message shows of a story.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use tidings_rules::story::{Story, headline};
use tidings_rules::text::visible_line;

/// What a message shows of a story: enough to know what it is and where to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorySummary {
    /// The headline; may be empty.
    pub title: String,
    /// The first words of the text, where there is no headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<String>,
    /// Where to read it.
    pub url: Option<String>,
    /// When its publisher says it appeared.
    pub published: Option<Timestamp>,
    /// When a poll first saw it.
    pub first_seen: Timestamp,
    /// BCP 47 tag as the feed gives it.
    pub lang: Option<String>,
}

impl StorySummary {
    /// The summary of a story with its text.
    #[must_use]
    pub fn of(story: &Story) -> Self {
        let title = visible_line(&story.title);
        Self {
            opening: headline::made_headline(&title, &visible_line(&story.body)),
            title,
            url: story.url.clone(),
            published: story.published,
            first_seen: story.first_seen,
            lang: story.lang.clone(),
        }
    }

    /// The headline, or its replacement; never empty.
    #[must_use]
    pub fn headline(&self) -> &str {
        if self.title.trim().is_empty() {
            self.opening.as_deref().unwrap_or(headline::NONE)
        } else {
            &self.title
        }
    }
}
