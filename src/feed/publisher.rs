//! Separates a publisher's own words from its stories: the name behind a headline, the footer of
//! `WordPress`, the list of links of Google News.

use std::sync::LazyLock;

use regex::Regex;

use crate::feed::document::{Document, Item};
use crate::markup::plain;
use tidings_rules::text::one_line;

/// What separates a headline from the name of its publisher.
const SEPARATORS: [&str; 6] = [" - ", " – ", " — ", " | ", " · ", " :: "];

/// The most bytes of a footer.
const LONGEST_FOOTER: usize = 2000;

/// The most bytes of a footer beside the headline, in plain text.
const MOST_BESIDE_HEADLINE: usize = 160;

/// What `WordPress` writes between a headline and the name of the site.
const APPEARED_FIRST: [&str; 16] = [
    "appeared first on",
    "first appeared on",
    "erschien zuerst auf",
    "est apparu en premier sur",
    "se publicó primero en",
    "apareció primero en",
    "apareceu primeiro em",
    "aparece primeiro em",
    "proviene da",
    "verscheen eerst op",
    "dök först upp på",
    "blev først udgivet på",
    "dukket først opp på",
    "pochodzi z serwisu",
    "впервые появилась",
    "появились сначала на",
];

/// Any of [`APPEARED_FIRST`].
static APPEARED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&APPEARED_FIRST.join("|")).expect("the expression is well formed"));

/// A paragraph of two links: to the story, and to the site.
static FOOTER: LazyLock<Regex> = LazyLock::new(|| {
    let footer = r"(?is)^<p\b[^>]*>[^<]{0,80}<a\b[^>]*>(.*?)</a>[^<]{1,80}<a\b[^>]*>[^<]*</a>[^<]{0,60}(?:</p>)?\s*$";
    Regex::new(footer).expect("the expression is well formed")
});

/// The text of an item with this headline: `html` without what its publisher adds to each item.
pub(super) fn own_text(html: &str, title: &str) -> String {
    if is_list_of_links(html) {
        return String::new();
    }
    let text = plain::from_markup(without_footer(html, title));
    match plain_footer(&text, title) {
        Some(at) => text[..at].trim_end().to_owned(),
        None => text,
    }
}

/// Whether `html` has only links, and names of publishers in grey behind them.
fn is_list_of_links(html: &str) -> bool {
    if !html.contains("<font") {
        return false;
    }
    let (mut rest, mut has_link) = (html, false);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return has_link;
        }
        let starts = |(start, _): &&(&str, &str)| rest.starts_with(start);
        let Some((start, end)) = BESIDE_LINKS.iter().find(starts) else { return false };
        let Some((_, after)) = rest.split_once(end) else { return false };
        has_link |= *start == "<a ";
        rest = after;
    }
}

/// What a list of links holds: the start and the end of each part. The first that fits counts.
const BESIDE_LINKS: [(&str, &str); 4] =
    [("&nbsp;", "&nbsp;"), ("<a ", "</a>"), ("<font", "</font>"), ("<", ">")];

/// `html` without a last paragraph that links the story by its headline, and its site.
fn without_footer<'h>(html: &'h str, title: &str) -> &'h str {
    let Some(at) = html.rfind("<p").filter(|at| *at > 0 && html.len() - at < LONGEST_FOOTER) else {
        return html;
    };
    if !html[at..].contains("</a") && !html[at..].contains("</A") {
        return html;
    }
    let is_footer = FOOTER.captures(&html[at..]).is_some_and(|footer| {
        let linked = one_line(&plain::from_markup(&footer[1]));
        !linked.is_empty() && title.starts_with(&linked)
    });
    if is_footer { &html[..at] } else { html }
}

/// Where the footer of a text without links begins.
fn plain_footer(text: &str, title: &str) -> Option<usize> {
    let tail = text.len().saturating_sub(MOST_BESIDE_HEADLINE);
    let tail = text.floor_char_boundary(tail);
    let appeared = tail + APPEARED.find_iter(&text[tail..]).last()?.start();
    let linked = text[..appeared].rfind(title).filter(|_| !title.is_empty())?;
    let start = text[..linked]
        .rfind(['\n', '.', '!', '?', '…', ']'])
        .map_or(0, |end| end + text[end..].chars().next().map_or(0, char::len_utf8));
    let is_short = text.len() - start < title.len() + MOST_BESIDE_HEADLINE;
    (is_short && start > 0).then_some(start)
}

/// Cuts the name of the publisher off the headlines, if the item or the feed says that name.
pub(super) fn cut_names(document: &mut Document) {
    let feed = document.title.clone();
    for Item { title, source, .. } in &mut document.items {
        let names = [source.as_deref(), feed.as_deref()];
        if let Some(headline) =
            names.into_iter().flatten().find_map(|name| without_name(title, name))
        {
            *title = headline;
        }
    }
}

/// The headline before a separator and `name`.
fn without_name(title: &str, name: &str) -> Option<String> {
    let bare = |name: &str| {
        let name = name.trim().to_lowercase();
        name.strip_prefix("the ").map_or(name.clone(), ToOwned::to_owned)
    };
    let name = bare(name);
    let fits = |(at, separator): (usize, &str)| {
        let headline = title[..at].trim_end();
        let is_name = !name.is_empty() && bare(&title[at + separator.len()..]) == name;
        (is_name && !headline.is_empty()).then(|| headline.to_owned())
    };
    SEPARATORS.iter().flat_map(|separator| title.match_indices(separator)).find_map(fits)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Ships collide - The Harbour Gazette", "The Harbour Gazette", Some("Ships collide"))]
    #[case("Ships collide | Harbour Gazette", "The Harbour Gazette", Some("Ships collide"))]
    #[case("Ships – and boats – collide — WIRE", "Wire", Some("Ships – and boats – collide"))]
    #[case("Money - Yahoo - Finance", "Yahoo - Finance", Some("Money"))]
    #[case("Ships collide at The Harbour Gazette", "The Harbour Gazette", None)]
    #[case("Ships - boats", "Wire", None)]
    #[case(" - Wire", "Wire", None)]
    #[case("Ships - ", "", None)]
    fn a_name_behind_a_separator_is_no_headline(
        #[case] title: &str,
        #[case] name: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(without_name(title, name).as_deref(), expected);
    }

    #[rstest]
    #[case(
        "<p>Bread.</p>\n<p>The post <a href='/1'>Bakers &#8211; bake</a> appeared first on <a href='/'>Union News</a>.</p>\n",
        "Bread."
    )]
    #[case(
        "<p>Brot.</p><p>Der Beitrag <a href='/1'>Bakers – bake</a> irgendwo auf <a href='/'>Union</a></p>",
        "Brot."
    )]
    #[case("Bread. The post Bakers – bake appeared first on Union News.", "Bread.")]
    #[case(
        "<p>Bread.</p><p>See <a href='/1'>another story</a> and <a href='/2'>more</a>.</p>",
        "Bread.\n\nSee another story and more."
    )]
    #[case(
        "<p>The post <a href='/1'>Bakers – bake</a> appeared first on <a href='/'>U</a>.</p>",
        "The post Bakers – bake appeared first on U."
    )]
    #[case(
        "<a href='/1'>Bakers – bake</a>&nbsp;&nbsp;<font color=\"#6f6f6f\">Union News</font>",
        ""
    )]
    #[case(
        "<ol><li><a href='/1'>A</a> <font>U</font></li><li><a href='/2'>B</a> <font>W</font></li></ol>",
        ""
    )]
    #[case("<a href='/1'>Bakers</a> bake <font>bread</font>", "Bakers bake bread")]
    #[case("<a href='/1'>[comments]</a>", "[comments]")]
    fn what_a_publisher_adds_is_left_out(#[case] html: &str, #[case] text: &str) {
        assert_eq!(own_text(html, "Bakers – bake"), text);
    }
}
