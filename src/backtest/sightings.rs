//! The events of stories, and who had them first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use twox_hash::XxHash3_64;

use super::batch::SourceStory;
use crate::alerts::copies::{Relation, compute_fingerprint, open_since, relation};
use crate::store::StoredSighting;
use tidings_rules::condition::{Publishers, Sighting};
use tidings_rules::story::{Read, Story};

/// The publisher of stories without a source and a link.
const UNKNOWN_PUBLISHER: &str = "unknown";

/// The fewest words by which a text is identified that another story repeats.
const FEWEST_WORDS: usize = 8;

/// The most bytes of a place and a date at the beginning of a text.
const LONGEST_DATELINE: usize = 60;

/// The most bytes of a text that are kept and compared.
const LONGEST_BODY: usize = 2_000;

/// The letters of a text by which copies are searched.
const OPENING_LENGTH: usize = 60;

/// The number of links, headlines and first words from which the oldest are forgotten.
const MOST_KEYS: usize = 20_000;

/// The most letters of a headline that are hashed, in bytes.
const MOST_HASHED: usize = 512;

/// What a hash is of.
const LINK: u64 = 0;
const HEADLINE: u64 = 1;
const OPENING: u64 = 2;

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

/// The events of the stories of a file. A story is compared with the last one that has the same
/// link, headline or first words.
#[derive(Debug, Default)]
pub(crate) struct FileEvents {
    /// By the hashes of links, headlines and first words: the last story that had it.
    known: HashMap<u64, Arc<FileStory>, RandomState>,
    /// The number of the last story.
    last: u64,
    /// Memory of texts that were forgotten, for others.
    spare: Vec<String>,
}

#[derive(Debug)]
struct FileStory {
    number: u64,
    /// The number of the first story of its event.
    event: u64,
    publisher: Arc<str>,
    /// When its event began.
    started: Timestamp,
    /// The headline, and the part of the text that is kept.
    texts: String,
    /// The bytes of the headline.
    title: usize,
}

impl FileEvents {
    /// The event of a story that comes at the time `at`. Times never go back.
    pub(crate) fn sight(
        &mut self,
        entry: &SourceStory,
        at: Timestamp,
        publishers: &Publishers,
    ) -> StorySighting {
        let story = &entry.story;
        let since = open_since(at);
        let of_link = |url: &String| XxHash3_64::oneshot_with_seed(LINK, url.as_bytes());
        let link = story.url.as_ref().map(of_link);
        let keys = [
            hash_of_letters(HEADLINE, &story.title, MOST_HASHED),
            hash_of_letters(OPENING, opening(&story.body), OPENING_LENGTH),
        ];
        let known = |key: &u64| self.known.get(key).filter(|one| one.started >= since);
        let by_link = link.as_ref().and_then(known);
        let is_copy = |one: &&Arc<FileStory>| one.has_copy(story);
        let first = by_link.or_else(|| keys.iter().filter_map(known).find(is_copy));
        self.last += 1;
        let number = self.last;
        let (event, publisher, started) = match first {
            Some(first) => (first.event, Arc::clone(&first.publisher), first.started),
            None => (number, publisher_of(story, publishers), at),
        };
        let sighting = StorySighting { event, publisher: Arc::clone(&publisher), is_news: true };
        let (headline, body) = (story.title.as_str(), beginning(&story.body));
        let mut kept_texts = self.spare.pop().unwrap_or_default();
        kept_texts.reserve_exact(headline.len() + body.len());
        kept_texts.push_str(headline);
        kept_texts.push_str(body);
        let (texts, title) = (kept_texts, headline.len());
        let kept = Arc::new(FileStory { number, event, publisher, started, texts, title });
        for key in keys.into_iter().chain(link) {
            if let Some(old) = self.known.insert(key, Arc::clone(&kept)) {
                forget(&mut self.spare, old);
            }
        }
        if self.known.len() > MOST_KEYS {
            let oldest = number.saturating_sub(MOST_KEYS as u64 / 8);
            let is_old = |one: &FileStory| one.started < since || one.number <= oldest;
            for (_, old) in self.known.extract_if(|_, one| is_old(one)) {
                forget(&mut self.spare, old);
            }
        }
        sighting
    }
}

/// Gives the texts of a story to others, if no other key leads to it.
fn forget(spare: &mut Vec<String>, story: Arc<FileStory>) {
    if let Some(FileStory { mut texts, .. }) = Arc::into_inner(story) {
        texts.clear();
        spare.push(texts);
    }
}

impl FileStory {
    /// Whether `later` is a copy of it, as a run decides it without the frames of hosts.
    fn has_copy(&self, later: &Story) -> bool {
        let (title, body) = self.texts.split_at(self.title);
        if title == later.title && body == beginning(&later.body) {
            let words = later.title.split_whitespace().chain(later.body.split_whitespace());
            return words.take(FEWEST_WORDS).count() == FEWEST_WORDS;
        }
        let fingerprint = |title: &str, body: &str| compute_fingerprint(title, body, &Read::Full);
        let earlier = fingerprint(title, body);
        let pair = earlier.zip(fingerprint(&later.title, beginning(&later.body)));
        pair.is_some_and(|(earlier, later)| {
            relation(&earlier, &later, &HashSet::new()) != Relation::Other
        })
    }
}

fn publisher_of(story: &Story, publishers: &Publishers) -> Arc<str> {
    let (source, url) = (story.source.as_deref(), story.url.as_deref());
    publishers.publisher(Sighting { source, url, feed: UNKNOWN_PUBLISHER }).into()
}

/// The part of a text that is kept.
fn beginning(body: &str) -> &str {
    &body[..body.floor_char_boundary(LONGEST_BODY)]
}

/// The text behind the place and the date with which agencies begin.
fn opening(body: &str) -> &str {
    let head = &body[..body.floor_char_boundary(LONGEST_DATELINE)];
    let is_end = |(at, _): &(usize, _)| head[..*at].ends_with(['-', '—', '–']);
    head.match_indices(' ').find(is_end).map_or(body, |(at, _)| &body[at + 1..])
}

/// A hash of the first letters and digits of a text of this kind, at most `most`, in lower case
/// where that is a matter of ASCII.
fn hash_of_letters(kind: u64, text: &str, most: usize) -> u64 {
    let mut letters = [0; MOST_HASHED];
    let mut length = 0;
    for byte in text.bytes() {
        if length == most {
            break;
        }
        // Another byte than a letter is replaced by the next. This has no branch to predict.
        letters[length] = byte.to_ascii_lowercase();
        length += usize::from(byte.is_ascii_alphanumeric() || !byte.is_ascii());
    }
    XxHash3_64::oneshot_with_seed(kind, &letters[..length])
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

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
            (3, story("AP", None, "Oil"), (4, "AP")),
            (4, story("AFP", None, "Oil"), (5, "AFP")),
            (73, story("Yonhap", None, TEXT), (6, "Yonhap")),
            (74, story("AFP", None, TEXT), (6, "Yonhap")),
        ] {
            let (event, publisher) = sight(&mut events, hours, story);
            assert_eq!((event, publisher.as_str()), expected, "at {hours} h");
        }
    }

    #[test]
    fn a_text_with_another_dateline_or_a_few_more_words_is_a_copy() {
        let body = |place: &str, more: &str| {
            let words: Vec<String> = (0..90).map(|n| format!("word{n}")).collect();
            format!("{place}, March 2 - {} {more}", words.join(" "))
        };
        let story = |title: &str, body: String| Story::from_words(title, body);
        let mut events = FileEvents::default();
        for (story, expected) in [
            (story("Refinery burns", body("Houston", "")), 1),
            (story("Fire in Texas", body("London", "It burns.")), 1),
            (story("Refinery burns", "Another text. ".repeat(40)), 3),
            (story("Rain", body("Houston", "").replace("word5", "word6")), 4),
        ] {
            let title = story.title.clone();
            assert_eq!(sight(&mut events, 0, story).0, expected, "{title}");
        }
    }

    #[test]
    fn old_stories_are_forgotten() {
        let mut events = FileEvents::default();
        for number in 0..100_000 {
            sight(&mut events, 0, story("AFP", None, &format!("{number} {TEXT}")));
        }
        assert!(events.known.len() <= MOST_KEYS + 3, "{}", events.known.len());
        let texts: HashSet<u64> = events.known.values().map(|one| one.number).collect();
        assert!(texts.len() <= MOST_KEYS, "{}", texts.len());
    }
}
