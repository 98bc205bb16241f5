//! Changes XML that an HTML tokenizer would read differently. Other markup stays as it is.

use std::borrow::Cow;

use crate::feed::repair::doctype_end;
use crate::markup::tokens::begins_reference;

/// Repairs `text`. Outside comments and CDATA sections, a bare `&` before a letter is escaped,
/// because HTML reads `&sect` in `?a=1&section=2` as a sign. A document type is removed, because
/// HTML would end it too early. Correct text is not copied.
pub(super) fn repair(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(next) = next_suspect(text, at) {
        at = next;
        let rest = &text[at..];
        let close = if rest.starts_with("<!--") { "-->" } else { "]]>" };
        let (length, instead) = if rest.starts_with("<![CDATA[") || rest.starts_with("<!--") {
            at += rest.find(close).map_or(rest.len(), |end| end + 3);
            continue;
        } else if rest.starts_with('<') {
            (doctype_end(rest), "")
        } else if is_reference(rest) || !begins_reference(rest) {
            at += 1;
            continue;
        } else {
            (1, "&amp;")
        };
        out.push_str(&text[kept..at]);
        out.push_str(instead);
        at += length;
        kept = at;
    }
    if kept == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[kept..]) }
}

/// The next `&`, comment, CDATA section or document type at or after `from`.
fn next_suspect(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text[at..].find(['&', '<'])?;
        let rest = &text.as_bytes()[at..];
        let is_doctype = |rest: &[u8]| {
            rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE"))
        };
        if rest[0] == b'&'
            || rest.starts_with(b"<![CDATA[")
            || rest.starts_with(b"<!--")
            || is_doctype(rest)
        {
            return Some(at);
        }
        at += 1;
    }
}

/// Whether the `&` at the start of `rest` is a whole reference: a name or a number, and a
/// semicolon.
fn is_reference(rest: &str) -> bool {
    let end = rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).map(|end| end + 1);
    end.is_some_and(|end| end > 1 && rest[end..].starts_with(';'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::repair;

    #[rstest]
    #[case("<t>AT&T & <b>Q&amp;A</b>; R&D;</t>", "<t>AT&amp;T & <b>Q&amp;A</b>; R&D;</t>")]
    #[case("<l>http://a.example/?b=1&section=2</l>", "<l>http://a.example/?b=1&amp;section=2</l>")]
    #[case("<a href='?a=1&b=2&amp;c=3'>x</a>", "<a href='?a=1&amp;b=2&amp;c=3'>x</a>")]
    #[case("<t>caf&eacute; &#233; &#xE9; &#146;</t>", "<t>caf&eacute; &#233; &#xE9; &#146;</t>")]
    #[case("<t><![CDATA[a &b]]>&b</t>", "<t><![CDATA[a &b]]>&amp;b</t>")]
    #[case("<!-- <!DOCTYPE --><t>&x</t>", "<!-- <!DOCTYPE --><t>&amp;x</t>")]
    #[case("<t><![CDATA[a & b", "<t><![CDATA[a & b")]
    #[case("<!DOCTYPE rss [<!ENTITY x \"y & z\">]><t/>", "<t/>")]
    #[case("<!doctype rss><t/>", "<t/>")]
    #[case("<t>&", "<t>&")]
    #[case("", "")]
    fn common_damage_is_repaired_and_nothing_else(#[case] damaged: &str, #[case] repaired: &str) {
        assert_eq!(repair(damaged), repaired);
    }

    proptest::proptest! {
        #[test]
        fn what_is_repaired_stays(text in "(<|>|&|;|#|x|1|a|\"|'| |/|!|<!--|-->|<!\\[CDATA\\[|\\]\\]>|-|é){0,60}") {
            let once = repair(&text).into_owned();
            proptest::prop_assert_eq!(repair(&once).into_owned(), once);
        }
    }
}
