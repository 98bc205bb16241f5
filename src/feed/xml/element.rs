//! The meaning of an element of a feed, in any format and prefix.

use html5ever::tokenizer::Tag;

/// The most prefixes that are kept.
const MOST_PREFIXES: usize = 64;

/// The meaning of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElementMeaning {
    /// The root of a feed, or the element in its place.
    Feed,
    /// One piece of news.
    Item,
    /// A part of a feed or an item. Of several, the one with the highest rank counts.
    Part(FeedPart, u8),
    /// The source of an item: a name in RSS, the head of a feed in Atom.
    Source,
    /// Another element with a title, a link or a name of its own.
    Aside,
    /// An unknown element.
    Unknown,
}

/// The parts of feeds and items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedPart {
    Title,
    Link,
    Guid,
    Summary,
    Content,
    Date,
    Author,
    /// An author's name, which counts only within an author.
    Name,
    /// Another part of an author.
    Contact,
    Category,
    Language,
    Source,
    /// A recording.
    Enclosure,
    /// A part that `hints` reads. Here it only ends elements that have no end tag.
    Hint,
}

impl FeedPart {
    /// Whether it may contain markup with titles, links and summaries of HTML.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Self::Summary | Self::Content)
    }

    /// Whether an element of this part may also be an HTML element in a text.
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

/// The vocabularies that are read. `Core` is RSS, Atom and CDF, because their words do not collide.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FeedVocabulary {
    Core,
    Dublin,
    Content,
    Media,
    Podcast,
    Other,
}

/// Prefixes that the document declares.
#[derive(Default)]
pub(super) struct NamespacePrefixes(Vec<(String, FeedVocabulary)>);

impl NamespacePrefixes {
    /// Adds the prefixes that `tag` declares.
    pub(super) fn declare(&mut self, tag: &Tag) {
        for attribute in &tag.attrs {
            let Some(prefix) = attribute.name.local.strip_prefix("xmlns:") else { continue };
            if self.0.len() < MOST_PREFIXES
                && let Some(vocabulary) = vocabulary_at(&attribute.value)
            {
                self.0.push((prefix.to_owned(), vocabulary));
            }
        }
    }

    /// The meaning of an element with that name, in lower case.
    pub(super) fn meaning(&self, name: &str) -> ElementMeaning {
        let (vocabulary, local) = match name.split_once(':') {
            None => (FeedVocabulary::Core, name),
            Some((prefix, local)) => (self.vocabulary(prefix), local),
        };
        match vocabulary {
            FeedVocabulary::Core => core_element(local),
            FeedVocabulary::Dublin => dublin(local),
            FeedVocabulary::Content if matches!(local, "encoded") => {
                ElementMeaning::Part(FeedPart::Content, 2)
            }
            FeedVocabulary::Media => media(local),
            FeedVocabulary::Podcast => podcast(local),
            FeedVocabulary::Other if local == "rdf" => ElementMeaning::Feed,
            FeedVocabulary::Other if local == "origlink" => ElementMeaning::Part(FeedPart::Link, 4),
            FeedVocabulary::Other if local == "body" => ElementMeaning::Part(FeedPart::Content, 2),
            FeedVocabulary::Other if matches!(local, "publicationname" | "source") => {
                ElementMeaning::Part(FeedPart::Source, 2)
            }
            FeedVocabulary::Content | FeedVocabulary::Other => ElementMeaning::Unknown,
        }
    }

    fn vocabulary(&self, prefix: &str) -> FeedVocabulary {
        let declared = self
            .0
            .iter()
            .rev()
            .find(|(known, _)| known == prefix)
            .map(|(_, vocabulary)| *vocabulary);
        declared.unwrap_or(match prefix {
            "atom" | "a10" | "rss" => FeedVocabulary::Core,
            "dc" | "dcterms" => FeedVocabulary::Dublin,
            "content" => FeedVocabulary::Content,
            "media" => FeedVocabulary::Media,
            "itunes" | "googleplay" => FeedVocabulary::Podcast,
            _ => FeedVocabulary::Other,
        })
    }
}

/// The vocabulary of a namespace; `None` if only its prefix shows it.
fn vocabulary_at(address: &str) -> Option<FeedVocabulary> {
    let address = address.trim().to_ascii_lowercase();
    let has = |part: &str| address.contains(part);
    let is_rss = has("purl.org/rss/1.0/") && !has("modules")
        || has("purl.org/net/rss1.1#")
        || has("/rdf/simple/0.9");
    if is_rss || has("backend.userland.com/rss") || has("/atom") && !has("thread") {
        Some(FeedVocabulary::Core)
    } else if has("purl.org/dc/") || has("purl.org/rss/1.0/modules/dc") {
        Some(FeedVocabulary::Dublin)
    } else if has("modules/content") {
        Some(FeedVocabulary::Content)
    } else if has("/mrss") {
        Some(FeedVocabulary::Media)
    } else {
        (has("itunes.com") || has("play-podcasts")).then_some(FeedVocabulary::Podcast)
    }
}

fn core_element(local: &str) -> ElementMeaning {
    let (part, rank) = match local {
        "rss" | "feed" | "channel" | "rdf" => return ElementMeaning::Feed,
        "item" | "entry" => return ElementMeaning::Item,
        "source" => return ElementMeaning::Source,
        "image" | "textinput" | "contributor" | "cloud" => return ElementMeaning::Aside,
        "title" => (FeedPart::Title, 2),
        "link" => (FeedPart::Link, 3),
        "guid" | "id" => (FeedPart::Guid, 2),
        "description" | "summary" | "abstract" => (FeedPart::Summary, 3),
        "content" | "fullitem" | "body" => (FeedPart::Content, 2),
        "pubdate" | "published" | "issued" => (FeedPart::Date, 4),
        "created" => (FeedPart::Date, 2),
        "updated" | "modified" | "date" | "lastmod" => (FeedPart::Date, 1),
        "author" => (FeedPart::Author, 2),
        "name" => (FeedPart::Name, 2),
        "email" | "uri" | "url" => (FeedPart::Contact, 0),
        "category" => (FeedPart::Category, 2),
        "language" => (FeedPart::Language, 2),
        "enclosure" => (FeedPart::Enclosure, 0),
        "ttl" | "skiphours" | "skipdays" => (FeedPart::Hint, 0),
        _ => return ElementMeaning::Unknown,
    };
    ElementMeaning::Part(part, rank)
}

fn dublin(local: &str) -> ElementMeaning {
    let (part, rank) = match local {
        "title" => (FeedPart::Title, 1),
        "description" => (FeedPart::Summary, 2),
        "date" | "issued" | "created" => (FeedPart::Date, 3),
        "modified" => (FeedPart::Date, 1),
        "creator" | "author" => (FeedPart::Author, 2),
        "subject" => (FeedPart::Category, 2),
        "language" => (FeedPart::Language, 1),
        "publisher" => (FeedPart::Source, 2),
        "source" => (FeedPart::Source, 1),
        _ => return ElementMeaning::Unknown,
    };
    ElementMeaning::Part(part, rank)
}

fn media(local: &str) -> ElementMeaning {
    match local {
        "title" => ElementMeaning::Part(FeedPart::Title, 0),
        "description" => ElementMeaning::Part(FeedPart::Summary, 1),
        "category" => ElementMeaning::Part(FeedPart::Category, 1),
        "credit" => ElementMeaning::Part(FeedPart::Source, 1),
        _ => ElementMeaning::Unknown,
    }
}

fn podcast(local: &str) -> ElementMeaning {
    match local {
        "author" => ElementMeaning::Part(FeedPart::Author, 1),
        "title" => ElementMeaning::Part(FeedPart::Title, 1),
        "summary" => ElementMeaning::Part(FeedPart::Summary, 1),
        "category" => ElementMeaning::Part(FeedPart::Category, 1),
        "owner" => ElementMeaning::Aside,
        _ => ElementMeaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("item", ElementMeaning::Item)]
    #[case("atom:entry", ElementMeaning::Item)]
    #[case("rdf:rdf", ElementMeaning::Feed)]
    #[case("dc:date", ElementMeaning::Part(FeedPart::Date, 3))]
    #[case("content:encoded", ElementMeaning::Part(FeedPart::Content, 2))]
    #[case("feedburner:origlink", ElementMeaning::Part(FeedPart::Link, 4))]
    #[case("media:content", ElementMeaning::Unknown)]
    #[case("x:title", ElementMeaning::Unknown)]
    #[case("source", ElementMeaning::Source)]
    #[case("image", ElementMeaning::Aside)]
    fn elements_are_known_by_their_usual_prefix(
        #[case] name: &str,
        #[case] meaning: ElementMeaning,
    ) {
        assert_eq!(NamespacePrefixes::default().meaning(name), meaning);
    }

    #[rstest]
    #[case(
        "http://purl.org/dc/elements/1.1/",
        "x:creator",
        ElementMeaning::Part(FeedPart::Author, 2)
    )]
    #[case("http://www.w3.org/2005/Atom", "x:updated", ElementMeaning::Part(FeedPart::Date, 1))]
    #[case("http://search.yahoo.com/mrss/", "x:content", ElementMeaning::Unknown)]
    #[case(
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "x:summary",
        ElementMeaning::Part(FeedPart::Summary, 1)
    )]
    #[case("http://purl.org/syndication/thread/1.0", "x:link", ElementMeaning::Unknown)]
    #[case("urn:other", "x:link", ElementMeaning::Unknown)]
    fn a_declared_prefix_means_what_its_address_says(
        #[case] address: &str,
        #[case] name: &str,
        #[case] meaning: ElementMeaning,
    ) {
        let prefixes = NamespacePrefixes(
            vocabulary_at(address)
                .map(|vocabulary| ("x".to_owned(), vocabulary))
                .into_iter()
                .collect(),
        );
        assert_eq!(prefixes.meaning(name), meaning);
    }
}
