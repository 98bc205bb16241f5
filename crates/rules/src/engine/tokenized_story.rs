//! A story as words, and the occurrences of terms in it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use url::{Host, Url};

use super::story_part::{StoryPart, lead_length, parts, story_texts};
use crate::language::pattern::Pattern;
use crate::language::scope::Scope;
use crate::language::term::{Term, TermWord};
use crate::language::tree::TextUnit;
use crate::language::truth::Truth;
use crate::story::{Carrier, Field, LanguageTag, Story};
use crate::text::{Token, attached, capitals, is_shouted, one_line, sentences, tokenise};

/// A story as words.
#[derive(Debug)]
pub(crate) struct TokenizedStory<'s> {
    texts: Vec<TokenizedText<'s>>,
    host: Option<String>,
    lang: Option<LanguageTag<'s>>,
    /// First seen minus published, in seconds.
    age: Option<i64>,
    /// Whether a part of the story was not read.
    unread: bool,
}

/// One text of a story as words.
#[derive(Debug)]
struct TokenizedText<'s> {
    part: StoryPart,
    text: Cow<'s, str>,
    tokens: Vec<Token>,
    /// Whether it is a title in capitals only. Its capitals then prove nothing.
    all_caps: bool,
    /// Its sentences, found on first use.
    sentences: OnceCell<Vec<Range<usize>>>,
}

/// Neighbouring words of one text of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenSpan {
    /// The index of the text.
    pub(crate) text: usize,
    /// The indices of the words in the text.
    pub(crate) tokens: Range<usize>,
}

/// The part of a story that an expression searches.
#[derive(Clone, Debug)]
pub(crate) enum StoryView {
    /// Texts or parts of them, in the order of the story.
    Words(Vec<Segment>),
    /// The host of its address.
    Site,
    /// Its language.
    Lang,
}

/// One text of a story, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its words.
    words: TokenSpan,
    /// The bytes of the text.
    span: Range<usize>,
    /// Whether the text continues after it, in a part that was not read.
    unread: bool,
}

/// The place of words in a text that readers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownPlace {
    /// The field.
    pub(crate) field: Field,
    /// The bytes of the field's text from the first word to the last.
    pub(crate) span: Range<usize>,
}

impl TokenSpan {
    /// Whether the two have a word in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.text == other.text
            && self.tokens.start < other.tokens.end
            && other.tokens.start < self.tokens.end
    }
}

impl<'s> TokenizedStory<'s> {
    /// Tokenises `story`, which `carriers` carried, once for all rules.
    pub(crate) fn new(story: &'s Story, carriers: &'s [Carrier]) -> Self {
        let texts = story_texts(story, carriers)
            .map(|(part, text)| TokenizedText::new(part, text))
            .collect();
        let url = story.url.as_ref().and_then(|url| Url::parse(url).ok());
        let host = url.and_then(|url| url.host_str().map(str::to_owned));
        let age =
            story.published.map(|published| story.first_seen.as_second() - published.as_second());
        Self {
            texts,
            host,
            lang: story.lang.as_deref().and_then(LanguageTag::parse),
            age,
            unread: false,
        }
    }

    /// The same story with a body of which only a part was read. A term that is not found may be in
    /// the rest.
    pub(crate) fn unread(self) -> Self {
        Self { unread: true, ..self }
    }

    /// The number of words of headline and text; `None` if they were not all read.
    pub(crate) fn words(&self) -> Option<usize> {
        let shown = self
            .texts
            .iter()
            .filter(|text| matches!(text.part, StoryPart::Title | StoryPart::Body));
        (!self.unread).then(|| shown.map(|text| text.tokens.len()).sum())
    }

    /// First seen minus published, in seconds; `None` for a story without a date.
    pub(crate) fn age(&self) -> Option<i64> {
        self.age
    }

    /// The host of its address.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Its language.
    pub(crate) fn lang(&self) -> Option<LanguageTag<'s>> {
        self.lang
    }

    /// The text of `field`.
    pub(crate) fn text(&self, field: Field) -> &str {
        let part = if field == Field::Title { StoryPart::Title } else { StoryPart::Body };
        self.texts.iter().find(|text| text.part == part).map_or("", |text| &*text.text)
    }

    /// The part of the story in `scope`.
    pub(crate) fn view(&self, scope: Scope) -> StoryView {
        let parts = match (parts(scope), scope) {
            (Some(parts), _) => parts,
            (None, Scope::Site) => return StoryView::Site,
            (None, _) => return StoryView::Lang,
        };
        let texts = self.texts.iter().enumerate().filter(|(_, text)| parts.contains(&text.part));
        let segment = |(at, text): (usize, &TokenizedText<'_>)| {
            let words = if scope == Scope::Lead && text.part == StoryPart::Body {
                text.lead_words()
            } else {
                text.tokens.len()
            };
            let span = 0..if words < text.tokens.len() {
                text.tokens[words].span.start
            } else {
                text.text.len()
            };
            let unread = self.unread && text.part == StoryPart::Body;
            Segment { words: TokenSpan { text: at, tokens: 0..words }, span, unread }
        };
        StoryView::Words(texts.map(segment).collect())
    }

    /// The sentences or paragraphs of `view`, each as a view, in order.
    pub(crate) fn units(
        &self,
        unit: TextUnit,
        view: &StoryView,
    ) -> impl Iterator<Item = StoryView> {
        let units = view.segments().iter().flat_map(move |segment| {
            let text = &self.texts[segment.words.text];
            let spans = match unit {
                TextUnit::Sentence => text.sentences().to_vec(),
                TextUnit::Paragraph => text.paragraphs(),
            };
            spans.into_iter().filter_map(move |span| text.part_of(segment, &span))
        });
        units.map(|segment| StoryView::Words(vec![segment]))
    }

    /// Whether `term` is found in `view`.
    pub(crate) fn contains(&self, term: &Term, view: &StoryView) -> bool {
        match view {
            StoryView::Words(_) => self.occurrences(term, view).next().is_some(),
            StoryView::Site => self.host.as_ref().is_some_and(|host| is_of_site(host, &term.text)),
            StoryView::Lang => {
                let range = LanguageTag::parse(&term.text).map(|tag| tag.to_string());
                self.lang.zip(range).is_some_and(|(lang, range)| lang.is_in(&range))
            }
        }
    }

    /// The occurrences of `term` in `view`, those of each spelling in order. None reaches over two
    /// texts or paragraphs.
    pub(crate) fn occurrences(
        &self,
        term: &Term,
        view: &StoryView,
    ) -> impl Iterator<Item = TokenSpan> {
        term.spellings().flat_map(move |spelling| self.occurrences_as_spelled(spelling, view))
    }

    fn occurrences_as_spelled(
        &self,
        term: &Term,
        view: &StoryView,
    ) -> impl Iterator<Item = TokenSpan> {
        view.segments().iter().map(|segment| &segment.words).flat_map(move |token_span| {
            let text = &self.texts[token_span.text];
            let length = term.words.len();
            let windows = text.tokens[token_span.tokens.clone()].windows(length).enumerate();
            windows.filter(move |(_, tokens)| text.matches_term(tokens, term)).map(
                move |(at, _)| {
                    let start = token_span.tokens.start + at;
                    TokenSpan { text: token_span.text, tokens: start..start + length }
                },
            )
        })
    }

    /// The first match of `pattern` in `view`: the index of the text, and the bytes in it.
    pub(crate) fn search(
        &self,
        pattern: &Pattern,
        view: &StoryView,
    ) -> Option<(usize, Range<usize>)> {
        view.segments().iter().find_map(|segment| {
            let text = &self.texts[segment.words.text].text[segment.span.clone()];
            let found = pattern.find(text)?;
            Some((
                segment.words.text,
                segment.span.start + found.start..segment.span.start + found.end,
            ))
        })
    }

    /// The texts that `pattern` matches in `view`, in order.
    pub(crate) fn search_all(&self, pattern: &Pattern, view: &StoryView) -> Vec<&str> {
        let texts = view
            .segments()
            .iter()
            .map(|segment| self.slice(segment.words.text, segment.span.clone()));
        texts.flat_map(|text| pattern.find_all(text)).collect()
    }

    /// The words of `token_span`, folded, with spaces between them.
    pub(crate) fn folded_words(&self, token_span: &TokenSpan) -> String {
        let tokens = &self.texts[token_span.text].tokens[token_span.tokens.clone()];
        let words: Vec<&str> = tokens.iter().map(|token| token.word.as_str()).collect();
        words.join(" ")
    }

    /// Whether both are in one paragraph of one text.
    pub(crate) fn share_paragraph(&self, one: &TokenSpan, other: &TokenSpan) -> bool {
        let paragraph = |token_span: &TokenSpan| {
            self.texts[token_span.text].tokens[token_span.tokens.start].paragraph
        };
        one.text == other.text && paragraph(one) == paragraph(other)
    }

    /// The words in `view`, each folded and as written.
    pub(crate) fn words_in(&self, view: &StoryView) -> impl Iterator<Item = (&str, &str)> {
        view.segments().iter().flat_map(|segment| {
            let text = &self.texts[segment.words.text];
            let tokens = &text.tokens[segment.words.tokens.clone()];
            tokens.iter().map(|token| (token.word.as_str(), &text.text[token.span.clone()]))
        })
    }

    /// The words of `token_span` as written, on one line.
    pub(crate) fn shown_words(&self, token_span: &TokenSpan) -> String {
        let text = &self.texts[token_span.text];
        let tokens = &text.tokens[token_span.tokens.clone()];
        let span = tokens.first().map_or(0, |first| first.span.start)
            ..tokens.last().map_or(0, |last| last.span.end);
        one_line(self.slice(token_span.text, span))
    }

    /// The bytes `span` of a text.
    pub(crate) fn slice(&self, text: usize, span: Range<usize>) -> &str {
        &self.texts[text].text[span]
    }

    /// The first text in `view`, or its part in `view`.
    pub(crate) fn shown_text(&self, view: &StoryView) -> &str {
        view.segments()
            .first()
            .map_or("", |segment| self.slice(segment.words.text, segment.span.clone()))
    }

    /// The place of `term` at `token_span` for readers, with the signs that the term requires;
    /// `None` in a text that is not shown, such as the address.
    pub(crate) fn shown_place(&self, term: &Term, token_span: &TokenSpan) -> Option<ShownPlace> {
        let text = &self.texts[token_span.text];
        let tokens = &text.tokens[token_span.tokens.clone()];
        let place = |token: &Token, word: &TermWord| {
            word.condition_of(&token.word).place(&text.text, &token.span)
        };
        let first = place(tokens.first()?, term.words.first()?);
        let last = place(tokens.last()?, term.words.last()?);
        self.shown_place_of_bytes(token_span.text, first.start..last.end)
    }

    /// The place for readers of the bytes `span` of a text; `None` for a text that is not shown.
    pub(crate) fn shown_place_of_bytes(
        &self,
        text: usize,
        span: Range<usize>,
    ) -> Option<ShownPlace> {
        let field = match self.texts[text].part {
            StoryPart::Title => Field::Title,
            StoryPart::Body => Field::Body,
            StoryPart::Url | StoryPart::Source | StoryPart::Author | StoryPart::Tag => return None,
        };
        Some(ShownPlace { field, span })
    }
}

impl StoryView {
    /// The texts of the view, or their parts.
    fn segments(&self) -> &[Segment] {
        if let Self::Words(segments) = self { segments } else { &[] }
    }

    /// The truth of a term that is not found in the view.
    pub(crate) fn truth_of_absence(&self) -> Truth {
        if self.segments().iter().any(|segment| segment.unread) {
            Truth::Unknown
        } else {
            Truth::False
        }
    }
}

impl<'s> TokenizedText<'s> {
    fn new(part: StoryPart, text: Cow<'s, str>) -> Self {
        let (all_caps, tokens) = (part.is_all_caps(&text), tokenise(&text));
        Self { part, text, tokens, all_caps, sentences: OnceCell::new() }
    }

    /// The number of words of its lead.
    fn lead_words(&self) -> usize {
        lead_length(self.tokens.iter().map(|token| token.paragraph))
    }

    fn sentences(&self) -> &[Range<usize>] {
        self.sentences.get_or_init(|| sentences(&self.text))
    }

    /// Its paragraphs, each up to the first word of the next.
    fn paragraphs(&self) -> Vec<Range<usize>> {
        let groups = self.tokens.chunk_by(|one, next| one.paragraph == next.paragraph);
        let mut starts: Vec<usize> = groups.skip(1).map(|group| group[0].span.start).collect();
        starts.push(self.text.len());
        let mut start = 0;
        starts.into_iter().map(|end| std::mem::replace(&mut start, end)..end).collect()
    }

    /// The part of `segment` in `span`, a whole sentence or paragraph; `None` if it has no word.
    fn part_of(&self, segment: &Segment, span: &Range<usize>) -> Option<Segment> {
        let (first, last) = (segment.span.start.max(span.start), segment.span.end.min(span.end));
        let before = |at: usize| self.tokens.partition_point(|token| token.span.start < at);
        let tokens = before(first).max(segment.words.tokens.start)
            ..before(last).min(segment.words.tokens.end);
        let words = TokenSpan { text: segment.words.text, tokens };
        (!words.tokens.is_empty()).then_some(Segment { words, span: first..last, unread: false })
    }

    /// Whether `tokens` are the words of `term`, in one paragraph.
    fn matches_term(&self, tokens: &[Token], term: &Term) -> bool {
        tokens.iter().zip(&term.words).all(|(token, word)| self.matches_word(token, word))
            && term.capitals.as_ref().is_none_or(|wanted| self.have_capitals(tokens, wanted))
            && tokens.iter().all(|token| token.paragraph == tokens[0].paragraph)
    }

    /// Whether each of `tokens` has the wanted capitals and small letters. The longer of the two is
    /// cut, because other forms have other endings.
    fn have_capitals(&self, tokens: &[Token], wanted: &[Vec<bool>]) -> bool {
        let written = |token: &Token| capitals(&self.text[token.span.clone()]);
        let agree = |token: &Token, wanted: &[bool]| {
            written(token).iter().zip(wanted).all(|(is, wanted)| is == wanted)
        };
        let words = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
        !self.all_caps
            && tokens.iter().zip(wanted).all(|(token, wanted)| agree(token, wanted))
            && !is_shouted(&self.text, &words)
    }

    fn matches_word(&self, token: &Token, word: &TermWord) -> bool {
        match word {
            TermWord::Plain(folded) | TermWord::Exact(folded) => token.word == *folded,
            TermWord::Attached(folded) => {
                token.word == *folded || attached::is_prefixed(&token.word, folded)
            }
            TermWord::Spelled { spellings, .. } => spellings.iter().any(|spelling| {
                token.word == spelling.word
                    && spelling.condition.holds(&self.text, &token.span, self.all_caps)
            }),
            TermWord::Stem(stemmer, stem) => stemmer.finds(stem, &token.word),
            TermWord::Prefix(folded) => token.word.starts_with(folded.as_str()),
        }
    }
}

/// Whether `host` is `site` or a domain in it.
fn is_of_site(host: &str, site: &str) -> bool {
    let Ok(site) = Host::parse(site) else { return false };
    let before = host.strip_suffix(&site.to_string());
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
