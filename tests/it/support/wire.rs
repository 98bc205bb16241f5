//! Invented feeds and pages for tests.

use std::fmt::Write;

/// A page whose article has all words of `Russia AND North Korea AND arms`, and the length of an
/// article.
pub const PAGE: &str = "<!doctype html><html lang=en><head><title>Freight</title></head><body><nav><a href=/>Home</a></nav><article>\
<h1>Freight over the bridge doubles</h1>\
<p>Freight over the bridge at the river’s mouth has doubled since the spring, according to an invented study. Its authors counted \
closed rail cars on pictures taken from orbit and compared them with the figures of the customs offices on both banks.</p>\
<p>They believe that North Korea is shipping shells, and that Russia pays for them with oil, grain and technical help. Both \
governments have denied any trade in arms, and a spokesman called the study a fairy tale told from a great height.</p>\
<p>The authors are careful in their conclusions. A closed rail car can hold shells as well as shoes, they write, and a picture \
cannot tell the two apart. What it does show is where the cars go: to a depot behind walls of earth.</p>\
</article><footer>Invented for tests</footer></body></html>";

/// A text of over 150 words about the trade in arms between Russia and North Korea.
pub const LONG: &str = "Russia and North Korea trade arms for oil, an invented study says. Its authors counted closed rail cars on \
pictures taken from orbit and compared them with the figures of the customs offices on both banks of the river. They believe that \
shells go one way, and that oil, grain and technical help go the other. Both governments have denied it, and a spokesman called the \
study a fairy tale told from a great height. The authors are careful in their conclusions. A closed rail car can hold shells as well \
as shoes, they write, and a picture cannot tell the two apart. What it does show is where the cars go: to a depot behind walls of \
earth, of the kind that armies build where they store what may explode. From there the cars return empty, and lighter by the \
measure of the springs. Monitors called the work sound. Their director asked both countries to let inspectors look into the depot, \
and said that she did not expect an answer before the snow melts.";

/// A text like [`LONG`] that is not a copy of another. All words after its first sentence are
/// unique.
pub fn long(n: usize) -> String {
    let (first, rest) = LONG.split_once(". ").expect("sentences");
    rest.split(' ').fold(format!("{first}."), |text, word| format!("{text} {n}{word}"))
}

/// One item of a feed.
pub struct Entry {
    title: String,
    link: String,
    element: &'static str,
    text: String,
    /// The date, as RFC 2822 writes it.
    date: Option<String>,
}

impl Entry {
    /// An item with a short description that lacks two of the three words.
    pub fn teaser(title: &str, link: &str) -> Self {
        let text = "Freight at a border of Russia has doubled, analysts say.".to_owned();
        Self {
            title: title.to_owned(),
            link: link.to_owned(),
            element: "description",
            text,
            date: None,
        }
    }

    /// An item with its whole text.
    pub fn full(title: &str, link: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            link: link.to_owned(),
            element: "content:encoded",
            text: text.to_owned(),
            date: None,
        }
    }

    /// The same item, published on this date.
    pub fn published(self, date: &str) -> Self {
        Self { date: Some(date.to_owned()), ..self }
    }
}

/// An RSS document of `entries`.
pub fn feed(entries: &[Entry]) -> String {
    let mut document =
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\
                        <channel><title>Test wire</title>"
            .to_owned();
    for Entry { title, link, element, text, date } in entries {
        let link = link.replace('&', "&amp;");
        let date = date.as_ref().map(|date| format!("<pubDate>{date}</pubDate>"));
        let date = date.unwrap_or_default();
        write!(
            document,
            "<item><title>{title}</title><link>{link}</link><{element}><![CDATA[{text}]]></{element}>{date}</item>"
        )
        .expect("strings grow");
    }
    document + "</channel></rss>"
}
