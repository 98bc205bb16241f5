//! The texts of a story in the index, with their words and bytes.

use std::borrow::Cow;
use std::ops::Range;

use super::compiled::Engine;
use super::story_part::{StoryPart, decoded, lead_length, parts, story_texts};
use crate::language::scope::Scope;
use crate::story::{Carrier, Story};
use crate::text::Words;

/// A text of a story.
#[derive(Clone, Debug)]
pub(super) struct IndexedText {
    pub(super) part: StoryPart,
    /// Its index among the texts of its part.
    nth: usize,
    /// The numbers of its words.
    pub(super) words: Range<u32>,
    /// Whether it is a title in capitals only. Its capitals then prove nothing.
    pub(super) all_caps: bool,
}

/// The texts of a story, in the order of their parts, so that the texts of a scope are neighbours.
#[derive(Debug, Default)]
pub(super) struct IndexedTexts {
    all: Vec<IndexedText>,
    /// The sentences of the texts that needed them.
    sentences: Vec<(usize, Vec<Range<usize>>)>,
}

impl IndexedText {
    /// The text in `story`.
    pub(super) fn text<'s>(&self, story: &'s Story, carriers: &'s [Carrier]) -> Cow<'s, str> {
        let text = match self.part {
            StoryPart::Title => &story.title,
            StoryPart::Body => &story.body,
            StoryPart::Url => return decoded(story.url.as_deref().unwrap_or_default()),
            StoryPart::Source => carriers.get(self.nth).map_or_else(
                || story.source.as_deref().unwrap_or_default(),
                |carrier| carrier.name.0.as_str(),
            ),
            StoryPart::Author => &story.authors[self.nth],
            StoryPart::Tag => &story.tags[self.nth],
        };
        Cow::Borrowed(text)
    }
}

impl IndexedTexts {
    pub(super) fn all(&self) -> &[IndexedText] {
        &self.all
    }

    /// Adds the texts of `story` that rules search. Returns the number of texts that are headline
    /// and text.
    pub(super) fn index(
        &mut self,
        words: &mut Words,
        engine: &Engine,
        story: &Story,
        carriers: &[Carrier],
    ) -> usize {
        self.all.clear();
        self.sentences.clear();
        let number = |at: usize| u32::try_from(at).expect("no story has four gigabytes");
        let mut nth = 0;
        for (part, raw) in story_texts(story, carriers) {
            let is_of_text = part <= StoryPart::Body;
            if !is_of_text && !engine.reads_scope(part.scope()) {
                continue;
            }
            nth = if self.all.last().is_some_and(|last| last.part == part) { nth + 1 } else { 0 };
            let numbers = words.add(&raw);
            self.all.push(IndexedText {
                part,
                nth,
                words: number(numbers.start)..number(numbers.end),
                all_caps: part.is_all_caps(&raw),
            });
        }
        2
    }

    /// The numbers of the words of `scope`.
    pub(super) fn view(&self, scope: Scope, words: &Words) -> Range<u32> {
        let Some(parts) = parts(scope) else { return 0..0 };
        let from = self.all.partition_point(|text| text.part < *parts.start());
        let to = self.all.partition_point(|text| text.part <= *parts.end());
        match &self.all[from..to] {
            [] => 0..0,
            [title, body] if scope == Scope::Lead => title.words.start..lead(body, words),
            [first, ..] => first.words.start..self.all[to - 1].words.end,
        }
    }

    /// The words and bytes of `scope` in the text with that number; `None` if the text is not in
    /// `scope`.
    pub(super) fn segment(
        &self,
        number: usize,
        scope: Scope,
        words: &Words,
        (story, carriers): (&Story, &[Carrier]),
    ) -> Option<(Range<u32>, Range<usize>)> {
        let text = self
            .all
            .get(number)
            .filter(|text| parts(scope).is_some_and(|parts| parts.contains(&text.part)))?;
        let end = if scope == Scope::Lead && text.part == StoryPart::Body {
            lead(text, words)
        } else {
            text.words.end
        };
        let is_cut = end < text.words.end;
        let bytes = if is_cut {
            words.places()[end as usize].start as usize
        } else {
            text.text(story, carriers).len()
        };
        Some((text.words.start..end, 0..bytes))
    }

    /// The text of the word with the number `word`.
    pub(super) fn text_of_word(&self, word: u32) -> Option<&IndexedText> {
        self.all.get(self.all.partition_point(|text| text.words.end <= word))
    }

    /// Keeps the sentences that `find` returns for a text, unless they are known.
    pub(super) fn set_sentences(&mut self, text: usize, find: impl FnOnce() -> Vec<Range<usize>>) {
        if self.sentences.iter().all(|(known, _)| *known != text) {
            self.sentences.push((text, find()));
        }
    }

    /// A sentence of a text, as bytes; `None` if the text has fewer or they are not known.
    pub(super) fn sentence(&self, text: usize, number: usize) -> Option<Range<usize>> {
        let (_, sentences) = self.sentences.iter().find(|(known, _)| *known == text)?;
        sentences.get(number).cloned()
    }
}

/// The end of the lead of `body`.
fn lead(body: &IndexedText, words: &Words) -> u32 {
    let places = &words.places()[body.words.start as usize..body.words.end as usize];
    let length = lead_length(places.iter().map(|place| place.paragraph));
    body.words.start + u32::try_from(length).unwrap_or_default()
}
