//! The events of stories, and who had them first.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use super::batch::SourceStory;
use crate::alerts::copies::open_since;
use crate::store::StoredSighting;
use tidings_rules::condition::{Publishers, Sighting};

/// The publisher of stories without a source and a link.
const UNKNOWN_PUBLISHER: &str = "unknown";

/// The fewest words by which a text is identified.
const FEWEST_WORDS: usize = 8;

/// The number of texts and links from which those are forgotten whose events take no more copies.
const FORGETS_FROM: usize = 4096;

/// The event of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorySighting {
    /// The number of its event.
    pub(crate) event: u64,
    /// The publisher of the event's first sighting.
    pub(crate) publisher: Arc<str>,
    /// Whether a run would match the story. It does not match what was no news when it came.
    pub(crate) is_news: bool,
}

impl StorySighting {
    /// The sighting that the store has.
    pub(crate) fn of_stored(stored: &StoredSighting, publishers: &Publishers) -> Self {
        let feed = stored.feed.as_deref().unwrap_or(UNKNOWN_PUBLISHER);
        let first = Sighting { source: stored.source.as_deref(), url: stored.url.as_deref(), feed };
        Self {
            event: stored.event.0.unsigned_abs(),
            publisher: publishers.publisher(first).into(),
            is_news: !stored.is_recorded,
        }
    }

    /// That of a story that the store no longer has.
    pub(crate) fn of_deleted() -> Self {
        Self { event: 0, publisher: UNKNOWN_PUBLISHER.into(), is_news: false }
    }
}

/// The events of the stories of a file. Stories with the same text or the same link are one event.
#[derive(Debug, Default)]
pub(crate) struct FileEvents {
    /// By the hashes of texts and links.
    known: HashMap<u64, FileEvent>,
    /// The number of hashes from which the old ones are forgotten.
    most: usize,
    /// The number of the last event.
    last: u64,
}

#[derive(Clone, Debug)]
struct FileEvent {
    number: u64,
    publisher: Arc<str>,
    started: Timestamp,
}

impl FileEvents {
    /// The event of a story that comes at the time `at`. Times never go back.
    pub(crate) fn sight(
        &mut self,
        entry: &SourceStory,
        at: Timestamp,
        publishers: &Publishers,
    ) -> StorySighting {
        let since = open_since(at);
        if self.known.len() > self.most.max(FORGETS_FROM) {
            self.known.retain(|_, event| event.started >= since);
            self.most = 2 * self.known.len();
        }
        let story = &entry.story;
        let link = story.url.as_ref().map(hash_of);
        let text = (&story.title, &story.body);
        let words = story.title.split_whitespace().chain(story.body.split_whitespace());
        let text = (words.take(FEWEST_WORDS).count() == FEWEST_WORDS).then(|| hash_of(&text));
        let hashes = link.into_iter().chain(text);
        let known = hashes.clone().find_map(|hash| self.known.get(&hash));
        let event = known.filter(|event| event.started >= since).cloned();
        let event = event.unwrap_or_else(|| {
            self.last += 1;
            let first = Sighting {
                source: story.source.as_deref(),
                url: story.url.as_deref(),
                feed: UNKNOWN_PUBLISHER,
            };
            let publisher = publishers.publisher(first).into();
            FileEvent { number: self.last, publisher, started: at }
        });
        for hash in hashes {
            self.known.insert(hash, event.clone());
        }
        StorySighting { event: event.number, publisher: event.publisher, is_news: true }
    }
}

fn hash_of(text: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use tidings_rules::story::Story;

    const TEXT: &str = "An explosion at the refinery was heard in the whole city";

    fn sight(events: &mut FileEvents, hours: i64, story: Story) -> (u64, String) {
        let at = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(hours)).unwrap();
        let entry = SourceStory { id: String::new(), story, carriers: None };
        let found = events.sight(&entry, at, &Publishers::default());
        (found.event, found.publisher.to_string())
    }

    fn story(source: &str, url: Option<&str>, text: &str) -> Story {
        let mut story = Story::from_words(text, "");
        (story.source, story.url) = (Some(source.to_owned()), url.map(str::to_owned));
        story
    }

    #[test]
    fn the_same_text_or_link_is_one_event_of_its_first_publisher_for_three_days() {
        let mut events = FileEvents::default();
        let link = Some("https://afp.com/1");
        for (hours, story, expected) in [
            (0, story("AFP", link, TEXT), (1, "AFP")),
            (1, story("Yonhap", None, TEXT), (1, "AFP")),
            (2, story("AP", link, "The refinery burns"), (1, "AFP")),
            (3, story("AP", None, "Oil"), (2, "AP")),
            (4, story("AFP", None, "Oil"), (3, "AFP")),
            (73, story("Yonhap", None, TEXT), (4, "Yonhap")),
            (74, story("AFP", None, TEXT), (4, "Yonhap")),
        ] {
            let (event, publisher) = sight(&mut events, hours, story);
            assert_eq!((event, publisher.as_str()), expected, "at {hours} h");
        }
    }

    #[test]
    fn events_that_take_no_more_copies_are_forgotten() {
        let mut events = FileEvents::default();
        for hours in 0..50_000 {
            sight(&mut events, hours, story("AFP", None, &format!("{TEXT} {hours}")));
        }
        assert!(events.known.len() <= FORGETS_FROM + 1, "{}", events.known.len());
    }
}
