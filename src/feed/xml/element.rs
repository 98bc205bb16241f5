//! What an element of a feed means, whichever format and prefix it comes in.

use html5ever::tokenizer::Tag;

/// The most prefixes that are remembered.
const MOST_PREFIXES: usize = 64;

/// What an element is to a reader of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The root of a feed, or what stands for it.
    Feed,
    /// One piece of news.
    Item,
    /// A part of a feed or an item; the rank says which of several counts, highest first.
    Part(Part, u8),
    /// Who an item was taken from: a name in RSS, a feed's head in Atom.
    Source,
    /// Something else that has a title, a link or a name of its own.
    Aside,
    /// Nothing that is known.
    Unknown,
}

/// The parts of feeds and items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Title,
    Link,
    Guid,
    Summary,
    Content,
    Date,
    Author,
    /// An author's name, which counts in an author alone.
    Name,
    /// What else stands in an author.
    Contact,
    Category,
    Language,
    Source,
    /// What `hints` reads; here it only ends what nothing closed before it.
    Hint,
}

impl Part {
    /// Whether it may hold markup of its own, among which titles, links and summaries are HTML's.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Self::Summary | Self::Content)
    }

    /// Whether an element of that part may as well be HTML inside a text.
    pub(super) fn is_html_too(self) -> bool {
        matches!(
            self,
            Self::Title
                | Self::Link
                | Self::Summary
                | Self::Content
                | Self::Name
                | Self::Contact
                | Self::Language
        )
    }
}

/// The vocabularies that matter here. `Core` is RSS, Atom and CDF alike: their words do not
/// collide.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    Core,
    Dublin,
    Content,
    Media,
    Podcast,
    Other,
}

/// Prefixes that the document declares.
#[derive(Default)]
pub(super) struct Prefixes(Vec<(String, Vocabulary)>);

impl Prefixes {
    /// Remembers what `tag` declares.
    pub(super) fn learn(&mut self, tag: &Tag) {
        for attribute in &tag.attrs {
            let Some(prefix) = attribute.name.local.strip_prefix("xmlns:") else { continue };
            if self.0.len() < MOST_PREFIXES
                && let Some(vocabulary) = by_address(&attribute.value)
            {
                self.0.push((prefix.to_owned(), vocabulary));
            }
        }
    }

    /// What an element of that name, in lower case, means.
    pub(super) fn meaning(&self, name: &str) -> Meaning {
        let (vocabulary, local) = match name.split_once(':') {
            None => (Vocabulary::Core, name),
            Some((prefix, local)) => (self.vocabulary(prefix), local),
        };
        match vocabulary {
            Vocabulary::Core => core(local),
            Vocabulary::Dublin => dublin(local),
            Vocabulary::Content if matches!(local, "encoded") => Meaning::Part(Part::Content, 2),
            Vocabulary::Media => media(local),
            Vocabulary::Podcast => podcast(local),
            Vocabulary::Other if local == "rdf" => Meaning::Feed,
            Vocabulary::Other if local == "origlink" => Meaning::Part(Part::Link, 4),
            Vocabulary::Other if local == "body" => Meaning::Part(Part::Content, 2),
            Vocabulary::Content | Vocabulary::Other => Meaning::Unknown,
        }
    }

    fn vocabulary(&self, prefix: &str) -> Vocabulary {
        let declared = self
            .0
            .iter()
            .rev()
            .find(|(known, _)| known == prefix)
            .map(|(_, vocabulary)| *vocabulary);
        declared.unwrap_or(match prefix {
            "atom" | "a10" | "rss" => Vocabulary::Core,
            "dc" | "dcterms" => Vocabulary::Dublin,
            "content" => Vocabulary::Content,
            "media" => Vocabulary::Media,
            "itunes" | "googleplay" => Vocabulary::Podcast,
            _ => Vocabulary::Other,
        })
    }
}

/// The vocabulary of a namespace; `None` if only its prefix can tell.
fn by_address(address: &str) -> Option<Vocabulary> {
    let address = address.trim().to_ascii_lowercase();
    let has = |part: &str| address.contains(part);
    let is_rss = has("purl.org/rss/1.0/") && !has("modules")
        || has("purl.org/net/rss1.1#")
        || has("/rdf/simple/0.9");
    if is_rss || has("backend.userland.com/rss") || has("/atom") && !has("thread") {
        Some(Vocabulary::Core)
    } else if has("purl.org/dc/") || has("purl.org/rss/1.0/modules/dc") {
        Some(Vocabulary::Dublin)
    } else if has("modules/content") {
        Some(Vocabulary::Content)
    } else if has("/mrss") {
        Some(Vocabulary::Media)
    } else {
        (has("itunes.com") || has("play-podcasts")).then_some(Vocabulary::Podcast)
    }
}

fn core(local: &str) -> Meaning {
    let (part, rank) = match local {
        "rss" | "feed" | "channel" | "rdf" => return Meaning::Feed,
        "item" | "entry" => return Meaning::Item,
        "source" => return Meaning::Source,
        "image" | "textinput" | "contributor" | "cloud" => return Meaning::Aside,
        "title" => (Part::Title, 2),
        "link" => (Part::Link, 3),
        "guid" | "id" => (Part::Guid, 2),
        "description" | "summary" | "abstract" => (Part::Summary, 3),
        "content" | "fullitem" | "body" => (Part::Content, 2),
        "pubdate" | "published" | "issued" => (Part::Date, 4),
        "created" => (Part::Date, 2),
        "updated" | "modified" | "date" | "lastmod" => (Part::Date, 1),
        "author" => (Part::Author, 2),
        "name" => (Part::Name, 2),
        "email" | "uri" | "url" => (Part::Contact, 0),
        "category" => (Part::Category, 2),
        "language" => (Part::Language, 2),
        "ttl" | "skiphours" | "skipdays" => (Part::Hint, 0),
        _ => return Meaning::Unknown,
    };
    Meaning::Part(part, rank)
}

fn dublin(local: &str) -> Meaning {
    let (part, rank) = match local {
        "title" => (Part::Title, 1),
        "description" => (Part::Summary, 2),
        "date" | "issued" | "created" => (Part::Date, 3),
        "modified" => (Part::Date, 1),
        "creator" | "author" => (Part::Author, 2),
        "subject" => (Part::Category, 2),
        "language" => (Part::Language, 1),
        _ => return Meaning::Unknown,
    };
    Meaning::Part(part, rank)
}

fn media(local: &str) -> Meaning {
    match local {
        "title" => Meaning::Part(Part::Title, 0),
        "description" => Meaning::Part(Part::Summary, 1),
        "category" => Meaning::Part(Part::Category, 1),
        _ => Meaning::Unknown,
    }
}

fn podcast(local: &str) -> Meaning {
    match local {
        "author" => Meaning::Part(Part::Author, 1),
        "title" => Meaning::Part(Part::Title, 1),
        "summary" => Meaning::Part(Part::Summary, 1),
        "category" => Meaning::Part(Part::Category, 1),
        "owner" => Meaning::Aside,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("item", Meaning::Item)]
    #[case("atom:entry", Meaning::Item)]
    #[case("rdf:rdf", Meaning::Feed)]
    #[case("dc:date", Meaning::Part(Part::Date, 3))]
    #[case("content:encoded", Meaning::Part(Part::Content, 2))]
    #[case("feedburner:origlink", Meaning::Part(Part::Link, 4))]
    #[case("media:content", Meaning::Unknown)]
    #[case("x:title", Meaning::Unknown)]
    #[case("source", Meaning::Source)]
    #[case("image", Meaning::Aside)]
    fn elements_are_known_by_their_usual_prefix(#[case] name: &str, #[case] meaning: Meaning) {
        assert_eq!(Prefixes::default().meaning(name), meaning);
    }

    #[rstest]
    #[case("http://purl.org/dc/elements/1.1/", "x:creator", Meaning::Part(Part::Author, 2))]
    #[case("http://www.w3.org/2005/Atom", "x:updated", Meaning::Part(Part::Date, 1))]
    #[case("http://search.yahoo.com/mrss/", "x:content", Meaning::Unknown)]
    #[case(
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "x:summary",
        Meaning::Part(Part::Summary, 1)
    )]
    #[case("http://purl.org/syndication/thread/1.0", "x:link", Meaning::Unknown)]
    #[case("urn:other", "x:link", Meaning::Unknown)]
    fn a_declared_prefix_means_what_its_address_says(
        #[case] address: &str,
        #[case] name: &str,
        #[case] meaning: Meaning,
    ) {
        let prefixes = Prefixes(
            by_address(address)
                .map(|vocabulary| ("x".to_owned(), vocabulary))
                .into_iter()
                .collect(),
        );
        assert_eq!(prefixes.meaning(name), meaning);
    }
}
