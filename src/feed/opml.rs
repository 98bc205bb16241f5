//! Lists of feeds in OPML, as other readers keep them. Faults are tolerated.

use std::cell::RefCell;
use std::collections::HashMap;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use crate::feed::repair::repair;
use crate::markup::decode::decode;
use crate::markup::escape;
use crate::markup::tokens::{TagTooLarge, attribute, tokenise};
use tidings_rules::text::one_line;

/// The most feeds that are taken from one list.
pub const MOST_SUBSCRIPTIONS: usize = 100_000;

/// The most folders around a feed that become its tags.
const MOST_TAGS: usize = 16;

/// A feed in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The feed's address: `http` or `https`.
    pub url: Url,
    /// Its title in the list, in one line.
    pub title: Option<String>,
    /// Its folders, the outermost first, and its categories; each once.
    pub tags: Vec<String>,
}

/// Why bytes are not a list of feeds, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoList(String);

/// Reads a list. It tolerates attributes in any case, a bare `&`, missing titles and missing end
/// tags. A feed in several folders becomes one feed with all their tags.
///
/// # Errors
/// If the list names no feed.
pub fn read_opml(bytes: &[u8]) -> Result<Vec<Subscription>, NoList> {
    let sink = OutlineSink(RefCell::default());
    let whole = tokenise(&repair(&decode(bytes, None)), &sink);
    let list = sink.0.into_inner();
    let why = match (list.subscriptions.is_empty(), whole) {
        (false, _) => return Ok(list.subscriptions),
        (_, Err(TagTooLarge)) => "one of the list's tags is too large to be read safely",
        (_, Ok(())) if list.is_opml => {
            "the list names no feed: no <outline> has an xmlUrl that is an http or https address"
        }
        (_, Ok(())) => "this is not OPML: it has no <outline>",
    };
    Err(NoList(why.to_owned()))
}

/// Writes a list. The first tag of a feed is its folder, the others are its categories.
#[must_use]
pub fn write_opml(title: &str, subscriptions: &[Subscription]) -> String {
    let head = format!("<head><title>{}</title></head>\n<body>\n", escaped(title));
    let mut out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n".to_owned() + &head;
    let mut folder: Option<&str> = None;
    for subscription in subscriptions {
        let within = subscription.tags.first().map(String::as_str);
        if within != folder {
            out += if folder.is_some() { "</outline>\n" } else { "" };
            out += &within
                .map(|name| format!("<outline text=\"{}\">\n", escaped(name)))
                .unwrap_or_default();
            folder = within;
        }
        out += &outline(subscription);
    }
    out + if folder.is_some() { "</outline>\n" } else { "" } + "</body>\n</opml>\n"
}

fn outline(subscription: &Subscription) -> String {
    let named = |name: &str, value: &str| format!(" {name}=\"{}\"", escaped(value));
    let Subscription { url, title, tags } = subscription;
    let title = title
        .as_deref()
        .map(|title| named("text", title) + &named("title", title))
        .unwrap_or_default();
    let categories = tags
        .get(1..)
        .filter(|others| !others.is_empty())
        .map(|others| named("category", &others.join(",")));
    format!(
        "<outline type=\"rss\"{title}{}{}/>\n",
        named("xmlUrl", url.as_str()),
        categories.unwrap_or_default()
    )
}

fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    escape::push_attribute(&mut value, text);
    value.retain(|c| !c.is_control());
    value
}

#[derive(Default)]
struct OpmlOutline {
    subscriptions: Vec<Subscription>,
    /// The index of each address among them.
    places: HashMap<Url, usize>,
    /// The open outlines. Feeds among them have no name.
    open: Vec<Option<String>>,
    is_opml: bool,
}

impl OpmlOutline {
    fn tag(&mut self, tag: &Tag) {
        if &*tag.name != "outline" {
            return;
        }
        self.is_opml = true;
        if tag.kind == TagKind::EndTag {
            self.open.pop();
            return;
        }
        let value =
            |name: &str| attribute(tag, name).map(one_line).filter(|value| !value.is_empty());
        let title = value("title").or_else(|| value("text"));
        let feed = value("xmlurl")
            .or_else(|| value("url").filter(|_| value("type").as_deref() == Some("rss")));
        if let Some(feed) = &feed {
            self.subscribe(feed, title.clone(), &value("category").unwrap_or_default());
        }
        if !tag.self_closing {
            self.open.push(title.filter(|_| feed.is_none()));
        }
    }

    fn subscribe(&mut self, feed: &str, title: Option<String>, categories: &str) {
        let Some(url) = address(feed) else { return };
        let place = *self.places.entry(url.clone()).or_insert(self.subscriptions.len());
        if place == self.subscriptions.len() {
            if place >= MOST_SUBSCRIPTIONS {
                return;
            }
            self.subscriptions.push(Subscription { url, title, tags: Vec::new() });
        }
        let folders = self.open.iter().rev().take(MOST_TAGS).rev().flatten().cloned();
        let categories =
            categories.split(',').map(|category| category.trim().trim_matches('/').to_owned());
        let tags = &mut self.subscriptions[place].tags;
        for tag in folders.chain(categories) {
            if !tag.is_empty() && tags.len() < MOST_TAGS && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
}

/// The address of a feed. `feed:` stands for `http:`, or stands before the whole address.
fn address(text: &str) -> Option<Url> {
    let bare = text.strip_prefix("feed://").map(|rest| format!("http://{rest}"));
    let bare = bare.unwrap_or_else(|| text.strip_prefix("feed:").unwrap_or(text).to_owned());
    bare.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
}

struct OutlineSink(RefCell<OpmlOutline>);

impl TokenSink for OutlineSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.0.borrow_mut().tag(&tag);
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list_subscriptions(opml: &str) -> Vec<String> {
        let show = |s: Subscription| {
            format!("{} {:?} {}", s.url, s.title.unwrap_or_default(), s.tags.join("+"))
        };
        read_opml(opml.as_bytes()).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn nested_folders_are_tags_and_damage_is_forgiven() {
        let opml = "<?xml version='1.0'?><OPML><body><outline text='News & views'><outline title='Asia'>
            <outline TEXT='A &amp; B' XMLURL='https://a.example/?x=1&y=2' type='rss'/>
            <outline xmlUrl='feed://b.example/rss' category='/ports/,ships'></outline></outline>
            <outline text='c' xmlUrl='feed:https://c.example/'/></outline>
            <outline text='a again' xmlUrl='https://a.example/?x=1&amp;y=2'/><outline text='no' xmlUrl='c:\\x'/>
            <outline type='rss' url='https://d.example/'/>";
        let expected = [
            "https://a.example/?x=1&y=2 \"A & B\" News & views+Asia",
            "http://b.example/rss \"\" News & views+Asia+ports+ships",
            "https://c.example/ \"c\" News & views",
            "https://d.example/ \"\" ",
        ];
        assert_eq!(list_subscriptions(opml), expected);
    }

    #[test]
    fn what_names_no_feed_is_an_error_that_says_why() {
        let why = |text: &str| read_opml(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(why("<rss/>"), "this is not OPML: it has no <outline>");
        assert!(why("<opml><outline text='x'/></opml>").starts_with("the list names no feed"));
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = "<outline text='x'>".repeat(20_000) + "<outline xmlUrl='https://a.example/'>";
        assert_eq!(list_subscriptions(&deep), ["https://a.example/ \"\" x"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(list in proptest::collection::vec(
            ("[a-z]{1,8}", proptest::option::of("[!-~é]{1,9}( [!-~é]{1,9})?"), proptest::collection::btree_set("[a-zé&<\"' ]{0,3}[a-z]", 0..4)),
            1..9,
        )) {
            let mut list: Vec<Subscription> = list.into_iter().map(|(path, title, tags)| Subscription {
                url: format!("https://wire.example/{path}?a=1&b=2").parse().unwrap(),
                title,
                tags: tags.iter().map(|tag| one_line(tag)).collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
            }).collect();
            list.sort_by(|a, b| a.url.cmp(&b.url));
            list.dedup_by(|a, b| a.url == b.url);
            prop_assert_eq!(read_opml(write_opml("Mine & <others>", &list).as_bytes()), Ok(list));
        }

        #[test]
        fn nothing_makes_it_panic(text in "(<outline |text=|xmlUrl=|'https://a.example'|</outline>|/>|>|<|&|\"|é){0,40}") {
            let _ = read_opml(text.as_bytes());
        }
    }
}
