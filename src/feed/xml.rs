//! The second reader of XML feeds. It reads any format, even if it is damaged, in one pass over the
//! tokens, without tree and recursion, in time proportional to the length.
//!
//! RSS 0.9x to 2.0, RSS 1.0 and 1.1, Atom 0.3 and 1.0 and CDF are read as one language, because
//! their words do not collide. A missing end tag is assumed before any element that cannot stand
//! inside. A surplus end tag is ignored.

mod capture;
mod draft;
mod element;
pub(super) mod repair;

use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use self::capture::Capture;
use self::draft::{ItemDraft, Ranked, author, headline};
use self::element::{ElementMeaning, FeedPart, NamespacePrefixes};
use self::repair::repair;
use crate::feed::document::{Document, DocumentEnd, Item, MOST_ITEMS, NoFeed};
use crate::feed::hints::PollHints;
use crate::markup::date::parse_date;
use crate::markup::link::resolve;
use crate::markup::plain;
use crate::markup::tokens::{TagTooLarge, attribute, tokenise};
use tidings_rules::text::one_line;

/// The longest `xml:base` that is used, in bytes. Each is joined with all those inside it.
const LONGEST_BASE: usize = 4096;

/// Reads a feed that came from `base`, and every item that is not damaged. `hints` reads its hints.
pub(super) fn read_tokens(text: &str, base: &Url) -> Result<Document, NoFeed> {
    let sink = FeedSink(RefCell::new(XmlReader::new(base)));
    let whole = tokenise(&repair(text), &sink);
    let mut reader = sink.0.into_inner();
    reader.finish_capture();
    let closed = reader.items.len();
    reader.finish_item(false);
    reader.check(whole)?;
    let end = match () {
        // A tag that is too large ends the reading. The items before it stay.
        () if reader.is_ended || whole.is_err() => DocumentEnd::Whole,
        () if reader.items.len() > closed => DocumentEnd::WithinItem,
        () => DocumentEnd::BetweenItems,
    };
    Ok(Document { end, ..reader.document() })
}

struct XmlReader<'a> {
    address: &'a Url,
    prefixes: NamespacePrefixes,
    /// The name of the document's first element.
    root: Option<String>,
    /// Whether it is closed, and no item began after that.
    is_ended: bool,
    /// The name of the element that makes it a feed, and whether it is closed.
    feed: Option<String>,
    is_closed: bool,
    is_atom: bool,
    base: Option<Url>,
    title: Ranked<String>,
    lang: Ranked<String>,
    authors: Vec<(u8, String)>,
    items: Vec<Item>,
    item: Option<ItemDraft>,
    item_base: Option<Url>,
    /// The open element whose parts are not the item's own.
    aside: Option<String>,
    /// The open author, whose name may follow.
    author: Option<String>,
    capture: Option<Capture>,
}

impl<'a> XmlReader<'a> {
    fn new(address: &'a Url) -> Self {
        Self {
            address,
            prefixes: NamespacePrefixes::default(),
            root: None,
            is_ended: false,
            feed: None,
            is_closed: false,
            is_atom: false,
            base: None,
            title: Ranked::default(),
            lang: Ranked::default(),
            authors: Vec::new(),
            items: Vec::new(),
            item: None,
            item_base: None,
            aside: None,
            author: None,
            capture: None,
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        self.is_ended |= self.root.is_none() && tag.self_closing;
        self.root.get_or_insert_with(|| name.to_owned());
        self.prefixes.declare(tag);
        let meaning = self.prefixes.meaning(name);
        if meaning == ElementMeaning::Item {
            return self.start_item(tag);
        }
        if let Some(capture) = &mut self.capture {
            if !capture.is_ended_by(name, meaning) {
                return capture.tag(tag);
            }
            self.finish_capture();
        }
        match meaning {
            _ if self.aside.is_some() => {}
            ElementMeaning::Feed if self.item.is_none() => self.start_feed(tag),
            ElementMeaning::Source | ElementMeaning::Aside if !tag.self_closing => {
                self.aside = Some(name.to_owned());
                if meaning == ElementMeaning::Source {
                    self.capture = Some(Capture::new(tag, FeedPart::Source, 3, self.is_atom, None));
                }
            }
            ElementMeaning::Part(part, rank) => self.start_part(tag, part, rank),
            _ => {}
        }
    }

    fn start_feed(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        self.is_atom |= name.ends_with("feed");
        self.is_closed |= self.feed.is_none() && tag.self_closing;
        self.feed.get_or_insert_with(|| name.to_owned());
        if let Some(lang) = attribute(tag, "xml:lang") {
            self.lang.replace_if_higher(3, lang.trim().to_owned());
        }
        self.base = based(tag, self.base()).or(self.base.take());
    }

    fn start_item(&mut self, tag: &Tag) {
        self.finish_capture();
        self.finish_item(false);
        self.is_ended = false;
        self.is_atom |= tag.name.ends_with("entry");
        self.item_base = based(tag, self.base());
        let mut draft = ItemDraft::default();
        if let Some(about) =
            attribute(tag, "rdf:about").map(str::trim).filter(|about| !about.is_empty())
        {
            draft.guid.replace_if_higher(1, about.to_owned());
        }
        if let Some(link) = attribute(tag, "href").and_then(|link| resolve(link, self.base())) {
            draft.link.replace_if_higher(3, link);
        }
        if let Some(date) = attribute(tag, "lastmod").and_then(parse_date) {
            draft.date.replace_if_higher(1, date);
        }
        if let Some(lang) = attribute(tag, "xml:lang").filter(|lang| !lang.is_empty()) {
            draft.lang.replace_if_higher(3, lang.trim().to_owned());
        }
        self.item = Some(draft);
        if tag.self_closing {
            self.finish_item(true);
        }
    }

    fn start_part(&mut self, tag: &Tag, part: FeedPart, rank: u8) {
        let is_named = matches!(part, FeedPart::Name | FeedPart::Contact) && self.author.is_none();
        if is_named || self.takes_attributes(tag, part, rank) || tag.self_closing {
            return;
        }
        if part == FeedPart::Author {
            self.author = Some(tag.name.to_string());
        }
        if let (FeedPart::Guid, Some(item)) = (part, &mut self.item) {
            let says = attribute(tag, "ispermalink").unwrap_or_default();
            item.is_permalink |= says.trim().eq_ignore_ascii_case("true");
        }
        let base = based(tag, self.base());
        self.capture = Some(Capture::new(tag, part, rank, self.is_atom, base));
    }

    /// Whether the part's value is in the tag's attributes, as in links and categories of Atom.
    fn takes_attributes(&mut self, tag: &Tag, part: FeedPart, rank: u8) -> bool {
        match part {
            FeedPart::Link => {
                let Some(href) = attribute(tag, "href").or_else(|| attribute(tag, "rdf:resource"))
                else {
                    return false;
                };
                let rel = attribute(tag, "rel").unwrap_or("alternate").to_ascii_lowercase();
                let is_page = attribute(tag, "type").is_none_or(|kind| kind.contains("html"));
                let base = based(tag, self.base());
                let link = resolve(href, base.as_ref().unwrap_or(self.base()));
                if let (Some(item), Some(link)) = (&mut self.item, link) {
                    if rel.split_whitespace().any(|word| word == "alternate") {
                        item.link.replace_if_higher(rank - u8::from(!is_page), link);
                    } else if let Some(rank) = other_link_rank(&rel) {
                        item.other_link.replace_if_higher(rank, link);
                    }
                }
                true
            }
            FeedPart::Enclosure => {
                let href = attribute(tag, "url").or_else(|| attribute(tag, "href"));
                let link = href.and_then(|href| resolve(href, self.base()));
                if let (Some(item), Some(link)) = (&mut self.item, link) {
                    item.other_link.replace_if_higher(0, link);
                }
                true
            }
            FeedPart::Source => {
                let role = attribute(tag, "role").unwrap_or_default().to_ascii_lowercase();
                PERSONS.contains(&role.trim())
            }
            FeedPart::Category => {
                let named =
                    ["label", "term", "text"].into_iter().filter_map(|name| attribute(tag, name));
                let tag = named
                    .map(|name| one_line(&plain::from_markup(name)))
                    .find(|name| !name.is_empty());
                if let (Some(item), Some(tag)) = (&mut self.item, &tag) {
                    item.tags.push(tag.clone());
                }
                tag.is_some()
            }
            _ => false,
        }
    }

    fn end(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        let meaning = self.prefixes.meaning(name);
        if let Some(capture) = &mut self.capture {
            let is_over = capture.is_closed_by(name)
                || matches!(meaning, ElementMeaning::Item | ElementMeaning::Feed);
            if !is_over {
                return capture.tag(tag);
            }
            self.finish_capture();
        }
        self.is_ended |= self.root.as_deref() == Some(name);
        for open in [&mut self.aside, &mut self.author] {
            if open.as_deref() == Some(name) {
                *open = None;
            }
        }
        match meaning {
            ElementMeaning::Item => self.finish_item(true),
            ElementMeaning::Feed => self.is_closed |= self.feed.as_deref() == Some(name),
            _ => {}
        }
    }

    fn finish_item(&mut self, is_closed: bool) {
        (self.aside, self.author) = (None, None);
        let Some(draft) = self.item.take() else { return };
        self.item_base = None;
        if (is_closed || !draft.is_empty()) && self.items.len() < MOST_ITEMS {
            self.items.push(draft.item(self.address));
        }
    }

    /// The address to which relative links are relative.
    fn base(&self) -> &Url {
        self.item_base.as_ref().or(self.base.as_ref()).unwrap_or(self.address)
    }

    fn finish_capture(&mut self) {
        let Some(capture) = self.capture.take() else { return };
        let rank = capture.rank;

        match (capture.part, &mut self.item) {
            (FeedPart::Title, item) => {
                let title = headline(capture.form, &capture.text);
                if !title.is_empty() {
                    item.as_mut()
                        .map_or(&mut self.title, |item| &mut item.title)
                        .replace_if_higher(rank, title);
                }
            }
            (FeedPart::Author | FeedPart::Name | FeedPart::Contact, item) => {
                let name = author(&capture.text);
                if !name.is_empty() && (capture.part != FeedPart::Contact || name.contains('@')) {
                    item.as_mut()
                        .map_or(&mut self.authors, |item| &mut item.authors)
                        .push((rank, name));
                }
            }
            (FeedPart::Language, item) => {
                let lang = capture.text.trim().to_ascii_lowercase();
                if !lang.is_empty() {
                    item.as_mut()
                        .map_or(&mut self.lang, |item| &mut item.lang)
                        .replace_if_higher(rank, lang);
                }
            }
            (FeedPart::Source, Some(item)) => {
                let source = one_line(&plain::from_markup(&capture.text));
                // `dc:source` may be an address.
                if !source.is_empty() && !source.contains("://") {
                    item.source.replace_if_higher(rank, source);
                }
            }
            (FeedPart::Link, Some(_)) => {
                let link = resolve(&capture.text, capture.base.as_ref().unwrap_or(self.base()));
                if let (Some(item), Some(link)) = (&mut self.item, link) {
                    item.link.replace_if_higher(rank, link);
                }
            }
            (_, Some(item)) => capture.into_item(item),
            _ => {}
        }
    }

    /// The error, if this is not a feed.
    fn check(&self, whole: Result<(), TagTooLarge>) -> Result<(), NoFeed> {
        let is_news = |item: &Item| item.link.is_some() || !item.title.is_empty();
        let why = match (&self.feed, whole) {
            (Some(_), _) if !self.items.is_empty() => return Ok(()),
            (None, _) if self.items.iter().any(is_news) => return Ok(()),
            (_, Err(TagTooLarge)) => {
                "one of the feed's tags is too large to be read safely".to_owned()
            }
            (Some(_), Ok(())) if self.is_closed => return Ok(()),
            (Some(name), Ok(())) => {
                format!(
                    "the feed is damaged: it breaks off before its first item (there is no </{name}>)"
                )
            }
            (None, Ok(())) => match &self.root {
                Some(root) => {
                    format!("this XML is not a feed: its first element is <{}>", short(root))
                }
                None => "this is not a feed: it is damaged from its first tag on".to_owned(),
            },
        };
        Err(NoFeed(why))
    }

    fn document(self) -> Document {
        let lang = self.lang.get();
        let mut items = self.items;
        for item in &mut items {
            item.lang = item.lang.take().or_else(|| lang.clone());
            if self.is_atom && item.authors.is_empty() {
                // RFC 4287, 4.1.2: the feed's authors are the entry's, unless the entry has its
                // own.
                item.authors = self.authors.iter().map(|(_, name)| name.clone()).collect();
            }
        }
        Document {
            title: self.title.get(),
            hints: PollHints::default(),
            items,
            end: DocumentEnd::Whole,
        }
    }
}

/// Roles of persons in `media:credit`. A credit of others is a source.
const PERSONS: [&str; 8] = [
    "author",
    "photographer",
    "illustrator",
    "editor",
    "actor",
    "director",
    "composer",
    "reporter",
];

/// The rank of a link to something else than the page of an entry.
fn other_link_rank(rel: &str) -> Option<u8> {
    match rel.trim() {
        "via" => Some(3),
        "related" => Some(2),
        "self" => Some(1),
        "enclosure" => Some(0),
        _ => None,
    }
}

/// The `xml:base` of a tag, resolved against the one around it.
fn based(tag: &Tag, around: &Url) -> Option<Url> {
    let base = attribute(tag, "xml:base")?.trim();
    around.join(base).ok().filter(|base| base.as_str().len() <= LONGEST_BASE)
}

fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(40)]
}

struct FeedSink<'a>(RefCell<XmlReader<'a>>);

impl TokenSink for FeedSink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => reader.start(&tag),
            Token::TagToken(tag) => reader.end(&tag),
            Token::CharacterTokens(text) => {
                if let Some(capture) = &mut reader.capture {
                    capture.text(&text);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
