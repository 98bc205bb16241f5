//! A story in words, and where terms occur in it.

use std::ops::Range;

use url::{Host, Url};

use super::Carrier;
use super::scope::Scope;
use super::tree::{Term, Word};
use crate::story::{Field, Story};
use crate::text::{Token, tokenise};

/// Words of the text that count as its lead, at most.
const LEAD: usize = 50;

/// A story in words.
#[derive(Debug)]
pub(crate) struct Page<'s> {
    texts: Vec<PageText<'s>>,
    host: Option<String>,
    lang: Option<String>,
}

/// One text of a story in words.
#[derive(Debug)]
struct PageText<'s> {
    part: Part,
    text: &'s str,
    tokens: Vec<Token>,
    /// A title wholly in capitals: its capitals say nothing.
    shouted: bool,
}

/// What a text is to its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Title,
    Body,
    Url,
    Source,
    Author,
    Tag,
}

/// Words that follow one another in one text of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which text of the page.
    pub(super) text: usize,
    /// The words of that text, by their numbers.
    pub(super) tokens: Range<usize>,
}

/// What of a page is looked at.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// Words, in the order of the story.
    Words(Vec<Stretch>),
    /// The host of its address.
    Site,
    /// Its language.
    Lang,
}

/// Where words stand in what a reader sees of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// In which field.
    pub(crate) field: Field,
    /// The bytes of the field's text from the first word to the last.
    pub(crate) span: Range<usize>,
}

impl Stretch {
    /// Whether some word belongs to both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.text == other.text && self.tokens.start < other.tokens.end && other.tokens.start < self.tokens.end
    }
}

impl<'s> Page<'s> {
    /// Tokenises `story`, seen in `carriers`, once for all rules.
    pub(crate) fn new(story: &'s Story, carriers: &'s [Carrier]) -> Self {
        let mut texts = vec![PageText::new(Part::Title, &story.title), PageText::new(Part::Body, &story.body)];
        texts.extend(story.url.iter().map(|url| PageText::new(Part::Url, url)));
        texts.extend(carriers.iter().map(|feed| PageText::new(Part::Source, &feed.name.0)));
        texts.extend(story.authors.iter().map(|author| PageText::new(Part::Author, author)));
        texts.extend(story.tags.iter().map(|tag| PageText::new(Part::Tag, tag)));
        let url = story.url.as_ref().and_then(|url| Url::parse(url).ok());
        let host = url.and_then(|url| url.host_str().map(str::to_owned));
        Self { texts, host, lang: story.lang.as_deref().map(language) }
    }

    /// The text of `field`.
    pub(crate) fn text(&self, field: Field) -> &'s str {
        let part = if field == Field::Title { Part::Title } else { Part::Body };
        self.texts.iter().find(|text| text.part == part).map_or("", |text| text.text)
    }

    /// What `scope` looks at.
    pub(crate) fn view(&self, scope: Scope) -> View {
        let parts: &[Part] = match scope {
            Scope::Site => return View::Site,
            Scope::Lang => return View::Lang,
            Scope::Title => &[Part::Title],
            Scope::Body => &[Part::Body],
            Scope::Text | Scope::Lead => &[Part::Title, Part::Body],
            Scope::Url => &[Part::Url],
            Scope::Source => &[Part::Source],
            Scope::Author => &[Part::Author],
            Scope::Tag => &[Part::Tag],
        };
        let texts = self.texts.iter().enumerate().filter(|(_, text)| parts.contains(&text.part));
        let stretch = |(at, text): (usize, &PageText<'_>)| {
            let is_cut = scope == Scope::Lead && text.part == Part::Body;
            Stretch { text: at, tokens: 0..if is_cut { text.lead() } else { text.tokens.len() } }
        };
        View::Words(texts.map(stretch).collect())
    }

    /// Whether `term` is found in `view`.
    pub(crate) fn has(&self, term: &Term, view: &View) -> bool {
        match view {
            View::Words(_) => self.occurrences(term, view).next().is_some(),
            View::Site => self.host.as_ref().is_some_and(|host| is_of_site(host, &term.text)),
            View::Lang => self.lang.as_ref().is_some_and(|lang| is_of_language(lang, &language(&term.text))),
        }
    }

    /// Where `term` stands in `view`, in order. Never across two texts or paragraphs.
    pub(crate) fn occurrences(&self, term: &Term, view: &View) -> impl Iterator<Item = Stretch> {
        let stretches = if let View::Words(stretches) = view { stretches.as_slice() } else { &[] };
        stretches.iter().flat_map(move |stretch| {
            let text = &self.texts[stretch.text];
            let length = term.words.len();
            let windows = text.tokens[stretch.tokens.clone()].windows(length).enumerate();
            windows.filter(move |(_, tokens)| text.stand(tokens, term)).map(move |(at, _)| {
                let start = stretch.tokens.start + at;
                Stretch { text: stretch.text, tokens: start..start + length }
            })
        })
    }

    /// Whether both stand in one paragraph of one text.
    pub(crate) fn share_paragraph(&self, one: &Stretch, other: &Stretch) -> bool {
        let paragraph = |stretch: &Stretch| self.texts[stretch.text].tokens[stretch.tokens.start].paragraph;
        one.text == other.text && paragraph(one) == paragraph(other)
    }

    /// Where a reader sees `stretch`; `None` for a text that is not shown, such as the address.
    pub(crate) fn place(&self, stretch: &Stretch) -> Option<Place> {
        let text = &self.texts[stretch.text];
        let field = match text.part {
            Part::Title => Field::Title,
            Part::Body => Field::Body,
            Part::Url | Part::Source | Part::Author | Part::Tag => return None,
        };
        let tokens = &text.tokens[stretch.tokens.clone()];
        Some(Place { field, span: tokens.first()?.span.start..tokens.last()?.span.end })
    }
}

impl<'s> PageText<'s> {
    fn new(part: Part, text: &'s str) -> Self {
        let shouted = part == Part::Title && !text.contains(char::is_lowercase);
        Self { part, text, tokens: tokenise(text), shouted }
    }

    /// How many words its lead has.
    fn lead(&self) -> usize {
        self.tokens.iter().take(LEAD).take_while(|token| token.paragraph == self.tokens[0].paragraph).count()
    }

    /// Whether `tokens` are the words of `term`, in one paragraph.
    fn stand(&self, tokens: &[Token], term: &Term) -> bool {
        tokens.iter().zip(&term.words).all(|(token, word)| self.is(token, word))
            && tokens.iter().all(|token| token.paragraph == tokens[0].paragraph)
    }

    fn is(&self, token: &Token, word: &Word) -> bool {
        match word {
            Word::Exact(folded) => token.word == *folded,
            Word::Prefix(folded) => token.word.starts_with(folded.as_str()),
            Word::Initials { dotted, bare } => {
                let in_capitals = || !self.shouted && !self.text[token.span.clone()].contains(char::is_lowercase);
                token.word == *dotted || (token.word == *bare && in_capitals())
            }
        }
    }
}

/// Whether `host` is `site` or ends in it.
fn is_of_site(host: &str, site: &str) -> bool {
    let Ok(site) = Host::parse(site) else { return false };
    let before = host.strip_suffix(&site.to_string());
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Basic filtering of RFC 4647, section 3.3.1.
fn is_of_language(lang: &str, range: &str) -> bool {
    lang.strip_prefix(range).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// A language tag in the form in which tags are compared.
fn language(tag: &str) -> String {
    tag.to_ascii_lowercase().replace('_', "-")
}
