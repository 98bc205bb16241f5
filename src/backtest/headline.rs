//! A story in one line: its date and its headline.

use jiff::Timestamp;

use super::batch::SourceStory;

/// The longest headline that is kept, in characters.
const LONGEST_HEADLINE: usize = 300;

/// A story in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Headline {
    /// The time of publication, else the time when the store first saw the story. `None` if neither
    /// is known.
    pub(crate) date: Option<Timestamp>,
    /// The title, else the start of the text.
    pub(crate) title: String,
}

impl Headline {
    /// The headline of a story, with its date.
    pub(crate) fn of(entry: &SourceStory) -> Self {
        let headline = entry.story.headline();
        let is_long = headline.len() > LONGEST_HEADLINE;
        let end = is_long.then(|| headline.char_indices().nth(LONGEST_HEADLINE)).flatten();
        let title = headline[..end.map_or(headline.len(), |(end, _)| end)].to_owned();
        Self { date: Self::date_of(entry), title }
    }

    /// The time of publication, else the time when the store first saw the story.
    pub(crate) fn date_of(entry: &SourceStory) -> Option<Timestamp> {
        let seen = entry.carriers.is_some().then_some(entry.story.first_seen);
        entry.story.published.or(seen)
    }
}
