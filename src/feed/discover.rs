//! Finds the feeds of a site: whether an address is a feed, the feeds that its page links, and the
//! usual addresses. Pure: the caller fetches.

use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use crate::feed::document::{Document, NoFeed};
use crate::feed::parse;
use crate::feed::sniff::{self, DocumentKind};
use crate::markup::decode::decode;
use crate::markup::link::resolve;
use crate::markup::tokens::{attribute, tokenise};
use tidings_rules::text::one_line;

/// The most feeds that are taken from one page.
pub const MOST_FEEDS: usize = 50;

/// Paths at which feeds usually are. The likeliest stand first.
const USUAL: [&str; 9] = [
    "feed",
    "rss",
    "feed.xml",
    "rss.xml",
    "atom.xml",
    "index.xml",
    "feed.json",
    "feeds",
    "?feed=rss2",
];

/// Types of feeds in `<link rel="alternate">`.
const FEED_TYPES: [&str; 8] = [
    "application/rss",
    "application/atom",
    "application/feed+json",
    "application/rdf+xml",
    "application/xml",
    "application/x-rss",
    "text/xml",
    "text/rss",
];

/// A feed that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFeed {
    /// Its absolute address.
    pub url: Url,
    /// Its title on the page.
    pub title: Option<String>,
}

/// The content of an address.
#[derive(Clone, Debug, PartialEq)]
pub enum Discovery {
    /// A feed itself.
    Feed(Document),
    /// A page that links these feeds, the best first. If there are none, [`usual_addresses`] can be
    /// tried.
    Page(Vec<NamedFeed>),
}

/// Detects the content of the bytes at `url`.
///
/// # Errors
/// If they are neither a feed nor a web page.
pub fn discover(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<Discovery, NoFeed> {
    let text = decode(bytes, content_type);
    if sniff::kind(&text) == DocumentKind::Html {
        return Ok(Discovery::Page(named(&text, url)));
    }
    parse::parse(bytes, content_type, url).map(Discovery::Feed)
}

/// The feeds that an HTML page names, each once, the best first: those of `<link rel="alternate">`
/// in the page's order, then those of comments, then links in the text that look like feeds. At
/// most [`MOST_FEEDS`].
#[must_use]
pub fn named(html: &str, page: &Url) -> Vec<NamedFeed> {
    let sink = PageSink(RefCell::new(SeenElements::new(page)));
    let _ = tokenise(html, &sink);
    let mut seen = sink.0.into_inner();
    seen.end_link();
    let mut seen = seen.named;
    seen.sort_by_key(|(rank, _)| *rank);
    let mut named: Vec<NamedFeed> = Vec::new();
    for (_, feed) in seen {
        if named.len() < MOST_FEEDS && named.iter().all(|known| known.url != feed.url) {
            named.push(feed);
        }
    }
    named
}

/// The feeds that the header `Link` names (RFC 8288).
#[must_use]
pub fn named_in_header(links: &str, page: &Url) -> Vec<NamedFeed> {
    let of_link = |link: &str| {
        let (target, parameters) = link.split_once('>')?;
        let value = |name: &str| {
            parameters.split(';').find_map(|parameter| {
                let (found, value) = parameter.split_once('=')?;
                let value = value.trim().trim_end_matches(',').trim_end().trim_matches('"');
                found.trim().eq_ignore_ascii_case(name).then_some(value)
            })
        };
        let url = resolve(target, page).filter(|_| is_feed_link(value("rel"), value("type")))?;
        let title = value("title").map(one_line).filter(|title| !title.is_empty());
        Some(NamedFeed { url, title })
    };
    links.split('<').skip(1).filter_map(of_link).take(MOST_FEEDS).collect()
}

/// Addresses beside and above `page` at which a feed may be, each once, the likeliest first.
#[must_use]
pub fn usual_addresses(page: &Url) -> Vec<Url> {
    let mut folder = page.clone();
    folder.set_query(None);
    folder.set_fragment(None);
    if !folder.path().ends_with('/')
        && !folder.path().rsplit('/').next().unwrap_or_default().contains('.')
    {
        folder.set_path(&format!("{}/", folder.path()));
    }
    let folder = folder.join(".").unwrap_or(folder);
    let root = folder.join("/").ok();
    let mut places: Vec<Url> = Vec::new();
    for folder in root.iter().chain([&folder]) {
        for place in USUAL.iter().filter_map(|place| resolve(place, folder)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

struct SeenElements {
    base: Url,
    /// The lower the rank, the better.
    named: Vec<(u8, NamedFeed)>,
    /// The address of the open `<a>`, and its text so far.
    link: Option<(Url, String)>,
}

impl SeenElements {
    fn new(page: &Url) -> Self {
        Self { base: page.clone(), named: Vec::new(), link: None }
    }

    /// Adds the open `<a>` if its text says that it leads to a feed.
    fn end_link(&mut self) {
        let Some((url, text)) = self.link.take() else { return };
        let text = text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        if words.any(|word| matches!(word, "rss" | "atom" | "feed" | "feeds" | "xml")) {
            self.add(3, url, None);
        }
    }

    fn add(&mut self, rank: u8, url: Url, title: Option<String>) {
        if self.named.len() < 20 * MOST_FEEDS {
            self.named.push((rank, NamedFeed { url, title }));
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let value = |name: &str| attribute(tag, name).map(str::trim);
        let Some(url) = value("href").and_then(|href| resolve(href, &self.base)) else { return };
        let rank = match &*tag.name {
            "base" => {
                self.base = url;
                return;
            }
            "link" if is_feed_link(value("rel"), value("type")) => {
                u8::from(is_of_comments(&url, value("title")))
            }
            "a" if is_feed_link(value("rel"), value("type")) || looks_like_feed(&url) => 2,
            "a" => {
                let title = value("title").unwrap_or_default().to_owned() + " ";
                self.link = Some((url, title));
                return;
            }
            _ => return,
        };
        let title = value("title").map(one_line).filter(|title| !title.is_empty());
        self.add(rank, url, title);
    }
}

fn is_feed_link(rel: Option<&str>, kind: Option<&str>) -> bool {
    let rel = rel.unwrap_or_default().to_ascii_lowercase();
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let is_feed = FEED_TYPES.iter().any(|feed| kind.trim_start().starts_with(feed));
    let has = |word: &str| rel.split_whitespace().any(|found| found == word);
    has("alternate") && is_feed || has("feed")
}

fn is_of_comments(url: &Url, title: Option<&str>) -> bool {
    let title = title.unwrap_or_default().to_ascii_lowercase();
    url.path().contains("/comments/") || title.contains("comment")
}

fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_file = [".rss", ".atom", ".rdf"].iter().any(|end| name.ends_with(end));
    let stem = name.split(['.', '-', '_']).next().unwrap_or_default();
    let is_script = name.contains('.') && matches!(stem, "rss" | "atom" | "feed" | "feeds");
    is_file
        || is_script
        || matches!(
            name,
            "feed"
                | "rss"
                | "atom"
                | "feed.xml"
                | "rss.xml"
                | "atom.xml"
                | "index.xml"
                | "feed.json"
        )
}

struct PageSink(RefCell<SeenElements>);

impl TokenSink for PageSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut seen = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                match (&*tag.name, &mut seen.link) {
                    ("img", Some((_, text))) => {
                        text.push_str(attribute(&tag, "alt").unwrap_or_default());
                        text.push(' ');
                    }
                    ("a", Some(_)) => seen.end_link(),
                    _ => {}
                }
                seen.tag(&tag);
            }
            Token::TagToken(tag) if &*tag.name == "a" => seen.end_link(),
            Token::CharacterTokens(text) => {
                if let Some((_, open)) = seen.link.as_mut().filter(|(_, open)| open.len() < 200) {
                    open.push_str(&text);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Url {
        "https://wire.example/news/today".parse().unwrap()
    }

    fn urls(html: &str) -> Vec<String> {
        named(html, &page()).iter().map(|feed| feed.url.to_string()).collect()
    }

    #[test]
    fn a_page_names_its_feeds_the_best_first_and_each_once() {
        let html = "<html><a href='/feed'>RSS</a><a href=/x>x</a>
            <link REL='home alternate' type=application/rss+xml href='/comments/feed' title='Comments'>
            <link rel=alternate type='application/atom+xml; charset=utf-8' href='../atom' title=' The\nwire '>
            <link rel=alternate type=application/feed+json href='f.json'><link rel=alternate type=text/html href=y>
            <link rel=alternate type=application/rss+xml href='../atom'><link rel=stylesheet href=z.rss>";
        let expected = ["atom", "news/f.json", "comments/feed", "feed"]
            .map(|path| format!("https://wire.example/{path}"));
        assert_eq!(urls(html), expected);
        assert_eq!(named(html, &page())[0].title.as_deref(), Some("The wire"));
    }

    #[test]
    fn a_link_whose_text_says_so_is_a_feed() {
        let html = "<a href=/1>World <b>RSS</b> feed</a><a href=/2>News</a><a href=/rss.php?lang=en>x</a>
            <a href=/3><img alt='RSS' src=x></a><a href=/4>Feedback</a><a href=/5 rel=alternate type=text/xml>y</a>";
        let expected =
            ["rss.php?lang=en", "5", "1", "3"].map(|path| format!("https://wire.example/{path}"));
        assert_eq!(urls(html), expected);
        assert_eq!(
            urls("<link rel=alternate type=application/xml href=/6>"),
            ["https://wire.example/6"]
        );
    }

    #[test]
    fn the_header_link_names_feeds() {
        let links = "</style.css>; rel=preload, </f,1>; rel=\"alternate\"; type=\"application/rss+xml\"; title=\"News\", <f2>; type=application/atom+xml; rel=alternate";
        let named = named_in_header(links, &page());
        let urls: Vec<&str> = named.iter().map(|feed| feed.url.as_str()).collect();
        assert_eq!(urls, ["https://wire.example/f,1", "https://wire.example/news/f2"]);
        assert_eq!(named[0].title.as_deref(), Some("News"));
    }

    #[test]
    fn links_follow_the_base_and_lead_to_the_web_only() {
        assert_eq!(urls("<base href='/b/'><link rel=feed href=f>"), ["https://wire.example/b/f"]);
        assert_eq!(
            urls("<link rel=feed href='javascript:x'><link rel=feed><link rel=feed href='file:///etc/rss'>").len(),
            0
        );
    }

    #[test]
    fn a_page_of_thousands_of_feeds_names_fifty() {
        let html =
            (0..5000).fold(String::new(), |all, i| all + &format!("<link rel=feed href={i}>"));
        assert_eq!(urls(&html).len(), MOST_FEEDS);
    }

    #[test]
    fn the_usual_places_are_those_of_the_site_and_of_the_folder() {
        let places = usual_addresses(&"https://wire.example/blog?x=1#y".parse().unwrap());
        assert_eq!(places.len(), 2 * USUAL.len());
        assert_eq!(places[0].as_str(), "https://wire.example/feed");
        assert!(places.contains(&"https://wire.example/blog/?feed=rss2".parse().unwrap()));
        assert_eq!(
            usual_addresses(&"https://wire.example/index.html".parse().unwrap()).len(),
            USUAL.len()
        );
    }

    #[test]
    fn an_address_has_a_feed_or_a_page_or_an_error() {
        let find = |text: &str| discover(text.as_bytes(), None, &page());
        assert!(matches!(
            find("<rss><channel><title>x</title></channel></rss>"),
            Ok(Discovery::Feed(_))
        ));
        assert_eq!(find("<!doctype html><p>x"), Ok(Discovery::Page(Vec::new())));
        assert!(find("x").is_err());
    }
}
