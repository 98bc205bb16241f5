//! Signs in angle brackets that are no markup, such as `<MSFT.O>` and `<desk@wire.example>`.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::markup::elements::is_element;

/// `html` with `&lt;` for each `<` that begins no markup: what follows is the name of no element of
/// HTML, and has neither attributes nor an end.
pub(super) fn with_strays_as_text(html: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut closed = None;
    let mut written = 0;
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        at += found;
        let rest = &html[at..];
        if let Some(end) = end_of_section(rest) {
            at += end;
            continue;
        }
        if is_stray(rest, |name| closed.get_or_insert_with(|| closed_names(html)).contains(name)) {
            out.push_str(&html[written..at]);
            out.push_str("&lt;");
            written = at + 1;
        }
        at += 1;
    }
    if written == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(&html[written..]);
    Cow::Owned(out)
}

/// The length of the comment or CDATA section at the start of `rest`.
fn end_of_section(rest: &str) -> Option<usize> {
    let end = match () {
        () if rest.starts_with("<!--") => "-->",
        () if rest.starts_with("<![CDATA[") => "]]>",
        () => return None,
    };
    Some(rest.find(end).map_or(rest.len(), |at| at + end.len()))
}

/// Whether the `<` at the start of `rest` begins no markup. `is_closed`: whether there is an end
/// tag with a name in lower case.
fn is_stray(rest: &str, mut is_closed: impl FnMut(&str) -> bool) -> bool {
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '<');
    let name = &rest[1..];
    let name = &name[..name.find(ends).unwrap_or(name.len())];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || is_element(name) {
        return false;
    }
    let tag = &rest[..rest.floor_char_boundary(LONGEST_TAG)];
    let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
    let has_attributes = tag.contains('=') && !name.contains(':');
    let is_address = name.ends_with(':') && rest[1 + name.len()..].starts_with("//");
    is_address || !has_attributes && !tag.ends_with('/') && !is_closed(&name.to_ascii_lowercase())
}

/// The names of all end tags, in lower case.
fn closed_names(html: &str) -> HashSet<String> {
    let name = |rest: &str| {
        let rest = &rest[..rest.floor_char_boundary(LONGEST_TAG)];
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
        Some(rest[..end].to_ascii_lowercase())
    };
    html.split("</").skip(1).filter_map(name).collect()
}

/// The most bytes of a tag that are read to find its attributes or its name.
const LONGEST_TAG: usize = 256;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Microsoft <MSFT.O> and <AAPL.O>", "Microsoft &lt;MSFT.O> and &lt;AAPL.O>")]
    #[case("Ana <desk@wire.example>", "Ana &lt;desk@wire.example>")]
    #[case("<https://wire.example/?a=1>", "&lt;https://wire.example/?a=1>")]
    #[case("vector<int> of <country", "vector&lt;int> of &lt;country")]
    #[case("<p>x <B>y</B> <br/><o:p></o:p>", "<p>x <B>y</B> <br/><o:p></o:p>")]
    #[case(
        "<location>Seoul</location><more/><w a='b'>",
        "<location>Seoul</location><more/><w a='b'>"
    )]
    #[case("<!-- <x> --><![CDATA[<x>]]>1 < 2 <3", "<!-- <x> --><![CDATA[<x>]]>1 < 2 <3")]
    fn what_is_no_element_is_text(#[case] html: &str, #[case] text: &str) {
        assert_eq!(with_strays_as_text(html), text);
    }

    #[test]
    fn many_strays_take_little_time() {
        let html = "<x>".repeat(100_000) + &"</y>".repeat(100_000);
        assert_eq!(with_strays_as_text(&html).matches("&lt;").count(), 100_000);
    }
}
