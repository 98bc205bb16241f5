//! What a message shows of a story.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use tidings_rules::story::headline;

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
