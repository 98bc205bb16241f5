//! The texts of a story and their parts, for the engine and the plain evaluator.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use crate::language::scope::Scope;
use crate::story::{Carrier, Story};

/// The most words of the body that are its lead.
const MOST_LEAD_WORDS: usize = 50;

/// The part of a story that a text is. The texts of a story are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StoryPart {
    Title,
    Body,
    Url,
    Source,
    Author,
    Tag,
}

impl StoryPart {
    /// The scope with only this part.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Title => Scope::Title,
            Self::Body => Scope::Body,
            Self::Url => Scope::Url,
            Self::Source => Scope::Source,
            Self::Author => Scope::Author,
            Self::Tag => Scope::Tag,
        }
    }

    /// Whether `text` is a title in capitals only. Its capitals then prove nothing.
    pub(crate) fn is_all_caps(self, text: &str) -> bool {
        self == Self::Title && text.chars().all(|c| c.is_uppercase() || !c.is_alphabetic())
    }
}

/// The parts in which `scope` searches words; `None` for the host and the language.
pub(crate) fn parts(scope: Scope) -> Option<RangeInclusive<StoryPart>> {
    let (first, last) = match scope {
        Scope::Title => (StoryPart::Title, StoryPart::Title),
        Scope::Body => (StoryPart::Body, StoryPart::Body),
        Scope::Text | Scope::Lead => (StoryPart::Title, StoryPart::Body),
        Scope::Url => (StoryPart::Url, StoryPart::Url),
        Scope::Source => (StoryPart::Source, StoryPart::Source),
        Scope::Author => (StoryPart::Author, StoryPart::Author),
        Scope::Tag => (StoryPart::Tag, StoryPart::Tag),
        Scope::Site | Scope::Lang => return None,
    };
    Some(first..=last)
}

/// The texts of `story`, which `carriers` carried, in the order of their parts. Title and body are
/// always present.
pub(crate) fn story_texts<'s>(
    story: &'s Story,
    carriers: &'s [Carrier],
) -> impl Iterator<Item = (StoryPart, Cow<'s, str>)> {
    let of = |part, text: &'s String| (part, Cow::Borrowed(text.as_str()));
    let names = carriers.iter().map(|carrier| &carrier.name.0);
    [of(StoryPart::Title, &story.title), of(StoryPart::Body, &story.body)]
        .into_iter()
        .chain(story.url.iter().map(move |url| (StoryPart::Url, decoded(url))))
        .chain(names.chain(&story.source).map(move |source| of(StoryPart::Source, source)))
        .chain(story.authors.iter().map(move |author| of(StoryPart::Author, author)))
        .chain(story.tags.iter().map(move |tag| of(StoryPart::Tag, tag)))
}

/// `url` without percent-encoding (RFC 3986, section 2.1), if it is UTF-8 then.
pub(crate) fn decoded(url: &str) -> Cow<'_, str> {
    percent_decode_str(url).decode_utf8().unwrap_or(Cow::Borrowed(url))
}

/// The number of words in the lead of a body: its first paragraph, up to [`MOST_LEAD_WORDS`].
/// `paragraphs` has the number of the paragraph of each word of the body.
pub(crate) fn lead_length(paragraphs: impl Iterator<Item = u32>) -> usize {
    let mut first = None;
    paragraphs
        .take(MOST_LEAD_WORDS)
        .take_while(|paragraph| *first.get_or_insert(*paragraph) == *paragraph)
        .count()
}
