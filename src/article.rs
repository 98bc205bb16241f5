//! Extracts the text of an article page, and detects teasers. Pure, but slow: callers run it on
//! threads for blocking work.

mod content;
mod extract;
mod facts;
mod feed_texts;
mod furniture;
mod landing;
mod language;
mod linked_data;
mod next_page;
mod no_article;
mod phrases;
mod refresh;
pub mod robots;
mod simplify;
mod verdict;

use unicode_segmentation::UnicodeSegmentation;
use url::Url;

pub use content::{NextRead, PageContent, PartOfArticle};
pub use feed_texts::FeedTexts;
pub use language::{stated_language, story_language};
pub use no_article::NoArticle;

use crate::feed::document::Item;
use crate::markup::decode::decode;
use extract::{Extract, extract};
use facts::{PageFacts, PageMark, facts};
use landing::{Landing, landing};
use phrases::{FoundPhrase, PageSign, find_phrases};
use verdict::{PageEvidence, TOO_LITTLE, count_words, judge};

/// A text with fewer words is a teaser.
const SHORT: usize = 150;

/// A page as it was fetched.
#[derive(Clone, Copy, Debug)]
pub struct FetchedPage<'p> {
    /// The link of the story.
    pub asked: &'p Url,
    /// The address that answered.
    pub url: &'p Url,
    /// The bytes of the answer.
    pub bytes: &'p [u8],
    /// The header `Content-Type`.
    pub content_type: Option<&'p str>,
    /// The header `Refresh`.
    pub refresh: Option<&'p str>,
}

/// Whether an item has only a teaser: it has no content element, it has under 150 words (Unicode
/// annex 29), or its text ends in an ellipsis or an invitation to read on.
#[must_use]
pub fn is_teaser(item: &Item) -> bool {
    !item.is_content || has_few_words(&item.text, SHORT) || trails_off(&item.text)
}

/// Whether `text` has fewer than `most` words. For most articles, the fast count of pieces between
/// white space suffices: a piece with a letter or digit holds a word.
fn has_few_words(text: &str, most: usize) -> bool {
    let pieces = text
        .split_ascii_whitespace()
        .filter(|piece| piece.bytes().any(|byte| byte.is_ascii_alphanumeric()));
    pieces.take(most).count() < most && text.unicode_words().take(most).count() < most
}

fn trails_off(text: &str) -> bool {
    const INVITATIONS: [&str; 8] = [
        "read more",
        "continue reading",
        "read the full story",
        "read the full article",
        "read the rest",
        "weiterlesen",
        "lire la suite",
        "leer más",
    ];
    let end = without_wordpress_footer(text)
        .trim_end_matches(|c: char| c.is_whitespace() || "])}>»›→.:".contains(c) && c != '.');
    let last = end.rsplit('\n').next().unwrap_or_default().to_lowercase();
    end.ends_with('…')
        || end.ends_with("...")
        || INVITATIONS.iter().any(|words| last.ends_with(words))
}

/// `text` without the paragraph that `WordPress` adds to every excerpt.
fn without_wordpress_footer(text: &str) -> &str {
    match text.rsplit_once("\n\n") {
        Some((before, last))
            if last.starts_with("The post ") && last.contains("appeared first on") =>
        {
            before
        }
        _ => text,
    }
}

/// Reads the page at `url`, of which no feed says anything. Time and stack are bounded for any
/// bytes.
#[must_use]
pub fn read_page(bytes: &[u8], content_type: Option<&str>, url: &Url) -> PageContent {
    let page = FetchedPage { asked: url, url, bytes, content_type, refresh: None };
    read_answer(page, &FeedTexts::default())
}

/// Reads the page of a story of which the feed gives `feed`. Time and stack are bounded for any
/// bytes.
#[must_use]
pub fn read_answer(page: FetchedPage<'_>, feed: &FeedTexts) -> PageContent {
    let FetchedPage { asked, url, bytes, content_type, refresh } = page;
    if let Some(kind) = other_kind(bytes, content_type) {
        return PageContent::nothing(NoArticle::because(format!(
            "the link does not lead to a web page, but to {kind}"
        )));
    }
    let landing = landing(asked, url);
    if let Some(why) = landing.refusal() {
        return PageContent::nothing(NoArticle::because(why));
    }
    let html = decode(bytes, content_type);
    let facts = facts(&html, url, refresh);
    let extract = extract(&html, url);
    if let Some(target) = followed_refresh(&facts, &extract) {
        let why = NoArticle::Stub("the page only sends browsers on to another".to_owned());
        let next = vec![NextRead::Refresh(target)];
        return PageContent { next, lang: facts.lang, ..PageContent::nothing(why) };
    }
    let (title, judged) = match extract {
        Ok(Extract { title, text }) => {
            (title, judge(text, PageEvidence { landing, facts: &facts, feed }))
        }
        Err(why) => (String::new(), Err(why)),
    };
    let (text, part) = match judged {
        Ok((text, part)) => (Ok(text), part),
        Err(why) => (Err(why), None),
    };
    let tells_story = feed.has_headline(&facts.headlines)
        || text.as_ref().is_ok_and(|text| feed.are_told_in(text));
    let next = next_reads(&facts, url, text.as_ref(), part);
    let PageFacts { lang, headlines, .. } = facts;
    PageContent { title, lang, text, part, next, headlines, tells_story, pages: 1 }
}

/// Where a page sends browsers that holds next to no text and does not check for robots.
fn followed_refresh(facts: &PageFacts, extract: &Result<Extract, NoArticle>) -> Option<Url> {
    let is_empty = match extract {
        Ok(Extract { text, .. }) => {
            let checks = |found: &FoundPhrase| found.sign == PageSign::Robot;
            count_words(text) < TOO_LITTLE && !find_phrases(text).iter().any(checks)
        }
        Err(NoArticle::Stub(_)) => true,
        Err(NoArticle::Refused(_)) => false,
    };
    facts.refresh.clone().filter(|_| is_empty && !facts.shows(PageMark::RobotCheck))
}

/// What is to be read after the page at `url`: the canonical page of an AMP page unless its address
/// is that of another kind of page, the AMP page of an empty one, and the next page of an article
/// that is free.
fn next_reads(
    facts: &PageFacts,
    url: &Url,
    text: Result<&String, &NoArticle>,
    part: Option<PartOfArticle>,
) -> Vec<NextRead> {
    let has_little = match text {
        Ok(_) => matches!(part, Some(PartOfArticle::FewWords(_))),
        Err(why) => matches!(why, NoArticle::Stub(_)),
    };
    let may_be_article = |canonical: &Url| match landing(url, canonical) {
        Landing::Article | Landing::Moved => true,
        Landing::Section => has_little || text.is_err(),
        _ => false,
    };
    let other = if facts.shows(PageMark::Amp) {
        facts.canonical.clone().filter(may_be_article)
    } else {
        facts.amp.clone().filter(|_| has_little)
    };
    let is_paid = part == Some(PartOfArticle::FreePart);
    let next_page = facts.next_page.clone().filter(|_| text.is_ok() && !is_paid);
    let other = other.map(NextRead::OtherVersion);
    other.into_iter().chain(next_page.map(NextRead::NextPage)).collect()
}

/// The kind of a document that is not a web page.
fn other_kind(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    let kind = content_type
        .unwrap_or("text/html")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if bytes.starts_with(b"%PDF") {
        return Some("a PDF".to_owned());
    }
    let is_page = matches!(
        kind.as_str(),
        "text/html" | "application/xhtml+xml" | "application/xml" | "text/xml" | ""
    );
    (!is_page).then(|| format!("a document of type {kind}"))
}

/// The text that rules match once a page was read. It is the page's text. The teaser is a paragraph
/// before it, unless the page contains the whole teaser.
#[must_use]
pub fn with_teaser(teaser: &str, page: &str) -> String {
    let said = bare_words(without_cut_word(without_wordpress_footer(teaser)));
    // The spaces around let only whole words match.
    if bare_words(page).contains(&said) || said.trim().is_empty() {
        page.to_owned()
    } else {
        format!("{}\n\n{}", teaser.trim(), page.trim())
    }
}

/// `text` without the cut word at its end. Many feeds cut their teasers inside a word.
fn without_cut_word(text: &str) -> &str {
    let end = text.trim_end_matches(|c: char| c.is_whitespace() || "])".contains(c));
    let Some(cut) = end.strip_suffix('…').or_else(|| end.strip_suffix("...")) else {
        return text;
    };
    let cut = cut.trim_end_matches(['[', '(']);
    cut.rfind(char::is_whitespace).map_or("", |at| &cut[..at])
}

/// The words in lower case, each with a space on both sides.
fn bare_words(text: &str) -> String {
    text.unicode_words().fold(" ".to_owned(), |words, word| words + &word.to_lowercase() + " ")
}

#[cfg(test)]
mod tests;
