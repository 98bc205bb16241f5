//! The identity of stories that come one by one, without a document that shows what else its feed
//! has. Pure.

use std::collections::{HashMap, HashSet};

use super::face::{Face, item_face, joined};
use super::known::ItemKey;
use super::link::identifies_story;
use crate::feed::document::Item;
use tidings_rules::story::{FeedName, StoryKey};

/// What identifies an item that comes alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedItem {
    /// Its key within its feed: its guid, without a guid its link, without both its words.
    pub key: ItemKey,
    /// Its normalised link.
    pub link: Option<String>,
    /// The part of its link that stays when tokens, hosts and slugs change.
    pub stem: Option<String>,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its title and text.
    pub hash: String,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its text alone, if it has one.
    pub text_hash: Option<String>,
}

impl ArrivedItem {
    /// What identifies `item`.
    #[must_use]
    pub fn new(item: &Item) -> Self {
        let Face { guid, link, stem, hash, text, .. } = item_face(0, item);
        let own_link = link.as_deref().filter(|link| identifies_story(link));
        let part = match (&guid, own_link) {
            (Some(guid), _) => ("guid", guid.as_str()),
            (None, Some(link)) => ("link", link),
            (None, None) => ("text", hash.as_str()),
        };
        Self { key: joined(&[part]), link, stem, hash, text_hash: text }
    }

    /// Its link, if it can identify its story in other feeds, too.
    #[must_use]
    pub fn story_link(&self) -> Option<&str> {
        self.link.as_deref().filter(|link| identifies_story(link))
    }
}

/// The change that an item makes to what was known of its feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemArrival {
    /// It is new. `event_of` is the key of a story that another feed has under the same link, of
    /// whose event it is.
    New {
        /// The key of its story.
        story: StoryKey,
        /// The key of the other story.
        event_of: Option<StoryKey>,
    },
    /// It is known, with another title or text.
    Edited,
    /// It is known and unchanged.
    Same,
}

/// What is known before an item of a feed comes.
#[derive(Clone, Debug, Default)]
pub struct KnownArrivals {
    /// The feed's items that have one of the keys: the hashes of their words.
    pub hashes: HashMap<ItemKey, String>,
    /// The links that other items of the feed have.
    pub links: HashSet<String>,
    /// The links that are keys of stories.
    pub stories: HashSet<String>,
}

impl KnownArrivals {
    /// Classifies the next item of `feed`, which is known from then on.
    ///
    /// A key is of one item for ever: with other words, the item was edited. A link identifies the
    /// story if no other item of the feed has it: the messages of a channel may all link to the
    /// same page, and are stories of their own.
    pub fn classify(&mut self, feed: &FeedName, item: &ArrivedItem) -> ItemArrival {
        if let Some(hash) = self.hashes.get_mut(&item.key) {
            let is_same = *hash == item.hash;
            hash.clone_from(&item.hash);
            return if is_same { ItemArrival::Same } else { ItemArrival::Edited };
        }
        self.hashes.insert(item.key.clone(), item.hash.clone());
        let own = StoryKey(format!("{feed}\n{}", item.key.0));
        let Some(link) = item.story_link().filter(|link| self.links.insert((*link).to_owned()))
        else {
            return ItemArrival::New { story: own, event_of: None };
        };
        if self.stories.insert(link.to_owned()) {
            ItemArrival::New { story: StoryKey(link.to_owned()), event_of: None }
        } else {
            ItemArrival::New { story: own, event_of: Some(StoryKey(link.to_owned())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(guid: &str, link: &str, text: &str) -> ArrivedItem {
        ArrivedItem::new(&Item {
            guid: Some(guid.to_owned()).filter(|guid| !guid.is_empty()),
            link: link.parse().ok(),
            text: text.to_owned(),
            ..Item::default()
        })
    }

    fn wire() -> FeedName {
        FeedName("wire".to_owned())
    }

    fn new(story: &str) -> ItemArrival {
        ItemArrival::New { story: StoryKey(story.to_owned()), event_of: None }
    }

    #[test]
    fn an_item_is_known_by_its_guid_else_its_link_else_its_words() {
        let key = |guid, link| item(guid, link, "Words.").key.0;
        assert_eq!(key("7", "https://a.example/7"), "guid 7");
        assert_eq!(key("", "http://A.example/7?utm_source=x"), "link https://a.example/7");
        let words = format!("text {}", item("", "", "Words.").hash);
        assert_eq!(key("", ""), words);
        assert_eq!(key("", "https://a.example/"), words, "a home page is of no single story");
    }

    #[test]
    fn a_known_key_with_other_words_is_an_edit_and_never_another_story() {
        let mut known = KnownArrivals::default();
        let story = "wire\nguid 7";
        assert_eq!(known.classify(&wire(), &item("7", "", "Freight doubles.")), new(story));
        assert_eq!(known.classify(&wire(), &item("7", "", "Freight doubles.")), ItemArrival::Same);
        let other = item("7", "https://a.example/x", "A king dies.");
        assert_eq!(known.classify(&wire(), &other), ItemArrival::Edited);
        assert_eq!(known.classify(&wire(), &other), ItemArrival::Same);
    }

    #[test]
    fn the_first_item_of_a_feed_with_a_link_is_the_story_of_that_link() {
        let mut known = KnownArrivals::default();
        let link = "https://a.example/channel";
        assert_eq!(known.classify(&wire(), &item("1", link, "One.")), new(link));
        assert_eq!(known.classify(&wire(), &item("2", link, "Two.")), new("wire\nguid 2"));
    }

    #[test]
    fn a_link_that_another_feed_has_is_of_the_same_event() {
        let link = "https://a.example/7";
        let stories = HashSet::from([link.to_owned()]);
        let mut known = KnownArrivals { stories, ..KnownArrivals::default() };
        let expected = ItemArrival::New {
            story: StoryKey("wire\nguid 7".to_owned()),
            event_of: Some(StoryKey(link.to_owned())),
        };
        assert_eq!(known.classify(&wire(), &item("7", link, "Freight doubles.")), expected);
    }

    #[test]
    fn a_link_of_another_item_of_the_feed_shares_no_event() {
        let link = "https://a.example/channel";
        let mut known = KnownArrivals {
            links: HashSet::from([link.to_owned()]),
            stories: HashSet::from([link.to_owned()]),
            ..KnownArrivals::default()
        };
        assert_eq!(known.classify(&wire(), &item("2", link, "Two.")), new("wire\nguid 2"));
    }
}
