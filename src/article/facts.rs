//! What a page says of itself beside its text, collected in one pass over its tokens.

mod blocks;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use super::linked_data;
use super::next_page::is_next_page;
use super::refresh::refresh_target;
use crate::markup::elements::{has_no_text, is_block, raw_kind};
use crate::markup::link::resolve;
use crate::markup::tokens::{attribute, tokenise};
use blocks::RawBlockCollector;
pub(super) use blocks::RawBlocks;
use tidings_rules::text::one_line;

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// The language of its `<html>`.
    pub(super) lang: Option<String>,
    /// The canonical page (`rel=canonical`), if it is another.
    pub(super) canonical: Option<Url>,
    /// The AMP version of the page (`rel=amphtml`), if it is another.
    pub(super) amp: Option<Url>,
    /// The next page of the same article (`rel=next`).
    pub(super) next_page: Option<Url>,
    /// Where it sends browsers within a few seconds.
    pub(super) refresh: Option<Url>,
    /// Its title, its headline for other sites, and the texts of its first `<h1>`.
    pub(super) headlines: Vec<String>,
    /// What else it shows of itself.
    pub(super) marks: BTreeSet<PageMark>,
    /// Its blocks of text.
    pub(super) blocks: RawBlocks,
}

/// What a page shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PageMark {
    /// It is an AMP page.
    Amp,
    /// It marks a headline (`<h1>`, `og:title`), and has not only a title.
    Headline,
    /// Its metadata say that the article is not free.
    Sold,
    /// It asks for a password.
    Password,
    /// It has the markup of a program that asks for consent.
    Consent,
    /// It has the markup of a program that checks for robots.
    RobotCheck,
    /// It asks search engines to leave it out.
    NoIndex,
    /// A script of it sends browsers on.
    SendsOn,
}

/// Marks of programs that ask for consent, in `id`, `class` and `src`.
const CONSENT: [&str; 16] = [
    "sp_message",
    "privacy-mgmt",
    "didomi",
    "onetrust",
    "qc-cmp",
    "usercentrics",
    "cmpbox",
    "cmpwrapper",
    "cookiebot",
    "trustarc",
    "iubenda",
    "fc-consent",
    "cookie-consent",
    "cookieconsent",
    "cookie-wall",
    "consent-",
];

/// Marks of programs that check for robots.
const ROBOTS: [&str; 7] = [
    "challenges.cloudflare.com",
    "cf-challenge",
    "cf-chl",
    "captcha-delivery.com",
    "_incapsula_resource",
    "px-captcha",
    "g-recaptcha",
];

/// The marks of [`CONSENT`] and [`ROBOTS`], in this order.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = CONSENT.iter().chain(&ROBOTS);
    AhoCorasick::builder().ascii_case_insensitive(true).build(marks).expect("few marks")
});

/// What scripts say that send browsers on.
const SENDS_ON: [&str; 5] = [
    "location.replace(",
    "location.assign(",
    "location.href=",
    "location.href =",
    "window.location=",
];

/// The longest script that is searched for [`SENDS_ON`]. Pages that only send on have short ones.
const LONGEST_SCRIPT: usize = 4096;

/// The most headlines that are kept.
const MOST_HEADLINES: usize = 4;

/// The most bytes of a headline or a script that are read.
const MOST_READ: usize = 256 << 10;

/// Collects what the page at `url` says of itself. The first link of each kind counts. `refresh` is
/// its header `Refresh`.
pub(super) fn facts(html: &str, url: &Url, refresh: Option<&str>) -> PageFacts {
    let sink = FactSink(RefCell::new(FactCollector::new(url)));
    // If a tag is too large, what stands before it counts.
    let _ = tokenise(html, &sink);
    let mut collector = sink.0.into_inner();
    collector.end_text();
    if let Some(target) = refresh.and_then(refresh_target) {
        collector.refresh(target);
    }
    PageFacts { blocks: collector.blocks.finish(), ..collector.facts }
}

/// A text whose end is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Headline,
    LinkedData,
    Script,
    /// The text of an element with the property `isAccessibleForFree`.
    Free,
}

struct FactCollector {
    facts: PageFacts,
    page: Url,
    /// The address that links are relative to.
    base: Url,
    blocks: RawBlockCollector,
    awaited: Option<Awaited>,
    text: String,
    /// The open elements whose text is not shown, such as `<noscript>`.
    hidden: Vec<String>,
    is_in_link: bool,
}

impl PageFacts {
    /// Whether the page shows this of itself.
    pub(super) fn shows(&self, mark: PageMark) -> bool {
        self.marks.contains(&mark)
    }
}

impl FactCollector {
    fn new(url: &Url) -> Self {
        Self {
            facts: PageFacts::default(),
            page: url.clone(),
            base: url.clone(),
            blocks: RawBlockCollector::default(),
            awaited: None,
            text: String::new(),
            hidden: Vec::new(),
            is_in_link: false,
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if self.awaited == Some(Awaited::Free) || matches!(name, "h1" | "title" | "script") {
            self.end_text();
        }
        if self.hidden.is_empty() {
            self.visible_start(name, tag);
        }
        let hides = matches!(name, "noscript" | "title") || has_no_text(name);
        if hides && !tag.self_closing {
            self.hidden.push(name.to_owned());
        }
        if is_block(name) || name == "br" {
            self.blocks.end_block();
        }
    }

    fn visible_start(&mut self, name: &str, tag: &Tag) {
        self.attributes(tag);
        match name {
            "html" => {
                let lang = value(tag, "lang").or_else(|| value(tag, "xml:lang"));
                let is_amp = attribute(tag, "amp").or(attribute(tag, "⚡")).is_some();
                self.mark(PageMark::Amp, is_amp);
                self.facts.lang = self.facts.lang.take().or_else(|| lang.map(ToOwned::to_owned));
            }
            "base" => {
                if let Some(base) = value(tag, "href").and_then(|href| self.resolve(href)) {
                    self.base = base;
                }
            }
            "link" => self.link(tag),
            "a" => {
                self.is_in_link = attribute(tag, "href").is_some();
                self.next_page(tag);
            }
            "meta" => self.meta(tag),
            "title" | "h1" => {
                self.awaited = Some(Awaited::Headline);
                self.mark(PageMark::Headline, name == "h1");
            }
            "script" => {
                let kind = value(tag, "type").unwrap_or_default().to_ascii_lowercase();
                let is_data = kind.starts_with("application/ld+json");
                self.awaited = Some(if is_data { Awaited::LinkedData } else { Awaited::Script });
            }
            "input" => {
                let kind = value(tag, "type").unwrap_or_default();
                self.mark(PageMark::Password, kind.eq_ignore_ascii_case("password"));
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        let ends_headline =
            matches!(name, "title" | "h1") && self.awaited == Some(Awaited::Headline);
        if ends_headline || name == "script" || self.awaited == Some(Awaited::Free) {
            self.end_text();
        }
        if let Some(at) = self.hidden.iter().rposition(|hidden| hidden == name) {
            self.hidden.truncate(at);
        }
        self.is_in_link &= name != "a";
        if is_block(name) {
            self.blocks.end_block();
        }
    }

    fn characters(&mut self, text: &str) {
        if self.awaited.is_some() && self.text.len() < MOST_READ {
            self.text.push_str(text);
        }
        if self.hidden.is_empty() {
            self.blocks.push(text, self.is_in_link);
        }
    }

    /// Uses the text that was awaited.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        match self.awaited.take() {
            Some(Awaited::Headline) => self.headline(&text),
            Some(Awaited::LinkedData) => self.mark(PageMark::Sold, linked_data::is_sold(&text)),
            Some(Awaited::Script) => {
                let is_short = text.len() <= LONGEST_SCRIPT;
                let sends_on = is_short && SENDS_ON.iter().any(|way| text.contains(way));
                self.mark(PageMark::SendsOn, sends_on);
            }
            Some(Awaited::Free) => self.mark(PageMark::Sold, linked_data::says_no(&text)),
            None => {}
        }
    }

    fn headline(&mut self, text: &str) {
        let (text, headlines) = (one_line(text), &mut self.facts.headlines);
        if !text.is_empty() && headlines.len() < MOST_HEADLINES && !headlines.contains(&text) {
            headlines.push(text);
        }
    }

    fn mark(&mut self, mark: PageMark, is_met: bool) {
        if is_met {
            self.facts.marks.insert(mark);
        }
    }

    /// Reads the attributes that any element may have.
    fn attributes(&mut self, tag: &Tag) {
        for name in ["id", "class", "src"] {
            for mark in MARKS.find_iter(value(tag, name).unwrap_or_default()) {
                let is_consent = mark.pattern().as_usize() < CONSENT.len();
                self.mark(PageMark::Consent, is_consent);
                self.mark(PageMark::RobotCheck, !is_consent);
            }
        }
        let names = value(tag, "itemprop").or_else(|| value(tag, "property")).unwrap_or_default();
        if names.split_whitespace().any(|name| name == linked_data::PROPERTY) {
            match value(tag, "content").or_else(|| value(tag, "href")) {
                Some(said) => self.mark(PageMark::Sold, linked_data::says_no(said)),
                None => self.awaited = Some(Awaited::Free),
            }
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let Some(content) = value(tag, "content") else { return };
        let name = value(tag, "name").or_else(|| value(tag, "property")).unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "og:title" => {
                self.headline(content);
                self.mark(PageMark::Headline, true);
            }
            "robots" => {
                let is_hidden = content.to_ascii_lowercase().contains("noindex");
                self.mark(PageMark::NoIndex, is_hidden);
            }
            "article:content_tier" => {
                self.mark(PageMark::Sold, content.eq_ignore_ascii_case("locked"));
            }
            _ => {}
        }
        let is_refresh =
            value(tag, "http-equiv").unwrap_or_default().eq_ignore_ascii_case("refresh");
        if is_refresh && let Some(target) = refresh_target(content) {
            self.refresh(target);
        }
    }

    /// Takes the target of a refresh, unless it is the page itself or gives up encryption.
    fn refresh(&mut self, target: &str) {
        let is_safe = |url: &Url| url.scheme() == "https" || self.page.scheme() != "https";
        let target = self.other(target).filter(is_safe);
        self.facts.refresh = self.facts.refresh.take().or(target);
    }

    fn link(&mut self, tag: &Tag) {
        self.next_page(tag);
        let rel = value(tag, "rel").unwrap_or_default().to_ascii_lowercase();
        let other = value(tag, "href").and_then(|href| self.other(href));
        let place = match rel.as_str() {
            "canonical" => &mut self.facts.canonical,
            "amphtml" => &mut self.facts.amp,
            _ => return,
        };
        *place = place.take().or(other);
    }

    fn next_page(&mut self, tag: &Tag) {
        let rel = value(tag, "rel").unwrap_or_default();
        if !rel.split_whitespace().any(|word| word.eq_ignore_ascii_case("next")) {
            return;
        }
        let url = value(tag, "href").and_then(|href| self.resolve(href));
        let next = url.filter(|url| is_next_page(&self.page, url));
        self.facts.next_page = self.facts.next_page.take().or(next);
    }

    fn resolve(&self, href: &str) -> Option<Url> {
        resolve(href, &self.base)
    }

    /// The address of a link to another page.
    fn other(&self, href: &str) -> Option<Url> {
        self.resolve(href).filter(|url| !is_same(url, &self.page))
    }
}

struct FactSink(RefCell<FactCollector>);

impl TokenSink for FactSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut collector = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                collector.start(&tag);
                return raw_kind(&tag.name)
                    .map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
            }
            Token::TagToken(tag) => collector.end(&tag.name),
            Token::CharacterTokens(text) => collector.characters(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn is_same(one: &Url, other: &Url) -> bool {
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    bare(one) == bare(other)
}

fn value<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    attribute(tag, name).map(str::trim)
}

#[cfg(test)]
mod tests;
