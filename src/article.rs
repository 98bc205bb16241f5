//! Extracts the text of an article page, and detects teasers. Pure, but slow: callers run it on
//! threads for blocking work.

mod extract;
mod furniture;
mod language;
mod no_article;
mod refusal;
pub mod robots;
mod simplify;
mod versions;

use unicode_segmentation::UnicodeSegmentation;
use url::Url;

pub use language::{stated_language, story_language};
pub use no_article::NoArticle;

use crate::feed::document::Item;
use crate::markup::decode::decode;
use extract::{Extract, extract};
use refusal::redirected_elsewhere;
use versions::versions;

/// A text with fewer words is a teaser.
const SHORT: usize = 150;

/// A page with fewer words holds no article.
const TOO_LITTLE: usize = 30;

/// The content of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageContent {
    /// The headline of the page. It may be empty.
    pub title: String,
    /// The language that the page says it is in.
    pub lang: Option<String>,
    /// The article's text, with a blank line between paragraphs.
    pub text: Result<String, NoArticle>,
    /// The version of the page that is read in its place: the canonical page of an AMP page, or the
    /// AMP page of an empty page.
    pub instead: Option<Url>,
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

/// The number of words of `text`, counted up to the largest limit that is used.
fn count_words(text: &str) -> usize {
    text.unicode_words().take(refusal::LONG).count()
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

/// Reads the page at `url`. Time and stack are bounded for any bytes.
#[must_use]
pub fn read_page(bytes: &[u8], content_type: Option<&str>, url: &Url) -> PageContent {
    if let Some(kind) = other_kind(bytes, content_type) {
        return PageContent::nothing(NoArticle::because(format!(
            "the link does not lead to a web page, but to {kind}"
        )));
    }
    let html = decode(bytes, content_type);
    let (title, text) = match text_of(&html, url) {
        Ok((title, text)) => (title, Ok(text)),
        Err(why) => (String::new(), Err(why)),
    };
    let versions = versions(&html, url);
    let instead = match &text {
        _ if versions.is_amp => versions.canonical,
        Err(NoArticle::Stub(_)) => versions.amp,
        _ => None,
    };
    PageContent { title, lang: versions.lang, text, instead }
}

/// Reads the answer from `url` to a request for `asked`.
#[must_use]
pub fn read_answer(
    asked: &Url,
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
) -> PageContent {
    match redirected_elsewhere(asked, url) {
        Some(why) => PageContent::nothing(why),
        None => read_page(bytes, content_type, url),
    }
}

impl PageContent {
    /// A page without an article and without another version.
    #[must_use]
    pub fn nothing(why: NoArticle) -> Self {
        Self { title: String::new(), lang: None, text: Err(why), instead: None }
    }
}

fn text_of(html: &str, url: &Url) -> Result<(String, String), NoArticle> {
    let Extract { title, text } = extract(html, url)?;
    refusal::check(&title, &text, html)?;
    match count_words(&text) {
        count if count < TOO_LITTLE => {
            Err(NoArticle::Stub(format!("the page holds too little text (words: {count})")))
        }
        _ => Ok((title, text)),
    }
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
