//! Repairs common faults of XML, because feed-rs refuses feeds with them. Correct markup stays as
//! it is.

mod patch;
mod tag;

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use self::patch::Patch;

/// Repairs decoded `text`. Removes the text before the first tag, XML declarations (their encoding
/// is no longer true) and characters that XML forbids. Escapes a bare `&` and a bare `<`, resolves
/// references to forbidden characters, and renames old `rss` versions and namespaces. Correct text
/// is not copied.
pub(super) fn repair(text: &str) -> Cow<'_, str> {
    let text = from_first_tag(text);
    let mut patch = Patch::new(text);
    while let Some(at) = patch.rest().bytes().position(|byte| matches!(byte, b'<' | b'&')) {
        patch.keep(at);
        if patch.rest().starts_with('&') {
            reference(&mut patch);
        } else {
            markup(&mut patch);
        }
    }
    patch.keep(patch.rest().len());
    patch.finish()
}

/// `text` from its first markup on, without XML declarations before it.
fn from_first_tag(text: &str) -> &str {
    let mut rest = text;
    loop {
        let first =
            rest.match_indices('<').map(|(at, _)| at).find(|at| opens_markup(&rest[at + 1..]));
        rest = &rest[first.unwrap_or(rest.len())..];
        if !is_declaration(rest) {
            return rest;
        }
        rest = &rest[instruction_end(rest)..];
    }
}

fn is_declaration(rest: &str) -> bool {
    rest.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<?xml"))
        && !rest.starts_with("<?xml-")
}

/// The length of the processing instruction at the start of `rest`.
fn instruction_end(rest: &str) -> usize {
    rest.find("?>").map_or(rest.len(), |end| end + 2)
}

/// Whether `after` makes the `<` before it the start of markup.
fn opens_markup(after: &str) -> bool {
    after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '_' | ':' | '!' | '?'))
}

/// Passes over the markup at the start of the rest.
fn markup(patch: &mut Patch) {
    let rest = patch.rest();
    if let Some(inner) = rest.strip_prefix("<![CDATA[") {
        let end = find_after(inner, ']', "]]>").map_or(rest.len(), |end| "<![CDATA[".len() + end);
        return patch.keep(end);
    }
    if let Some(inner) = rest.strip_prefix("<!--") {
        let end = find_after(inner, '-', "-->").map_or(rest.len(), |end| "<!--".len() + end);
        return patch.keep(end);
    }
    if is_declaration(rest) {
        patch.replace(instruction_end(rest), "");
    } else if rest.starts_with("<?") {
        patch.keep(instruction_end(rest));
    } else if rest.starts_with("<!") {
        patch.keep(doctype_end(rest));
    } else if opens_markup(&rest[1..]) {
        tag(patch);
    } else {
        patch.replace(1, "&lt;");
    }
}

/// The end of the first `close` in `text`. `first` is its first character, because the search for
/// one character is many times as fast.
fn find_after(text: &str, first: char, close: &str) -> Option<usize> {
    let mut starts = text.match_indices(first).map(|(at, _)| at);
    starts.find(|at| text[*at..].starts_with(close)).map(|at| at + close.len())
}

/// The length of a document type declaration with its internal subset.
pub(super) fn doctype_end(rest: &str) -> usize {
    let close = match rest.find('>') {
        Some(end) if rest[..end].contains('[') => {
            rest.find("]>").map(|end| end + 2).or(Some(end + 1))
        }
        end => end.map(|end| end + 1),
    };
    close.unwrap_or(rest.len())
}

/// Passes over the tag at the start of the rest, and repairs its attributes.
fn tag(patch: &mut Patch) {
    let rest = patch.rest();
    let tag = &rest[..tag_end(rest)];
    let mut inner = Patch::new(tag);
    while let Some(at) = inner.rest().find('&') {
        inner.keep(at);
        reference(&mut inner);
    }
    inner.keep(inner.rest().len());
    let repaired = inner.finish();
    match tag::modernise(&repaired) {
        Some(modern) => patch.replace(tag.len(), &modern),
        None => patch.replace(tag.len(), &repaired),
    }
}

/// The length of the tag at the start of `rest`, up to the first `>` outside quotes.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    // A quote is not closed. The tag may end too soon here, but it must not contain the rest of the
    // feed.
    rest.find('>').map_or(rest.len(), |end| end + 1)
}

/// Passes over the reference at the start of the rest, or escapes a bare `&`.
fn reference(patch: &mut Patch) {
    let rest = patch.rest();
    let end = rest[1..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '#'))
        .map_or(rest.len(), |end| end + 1);
    let (name, closed) = (&rest[1..end], rest[end..].starts_with(';'));
    match name.strip_prefix('#') {
        Some(number) if closed => {
            let plain = numbered(number).map(|c| format!("&#{};", u32::from(c)));
            patch.replace(end + 1, &plain.unwrap_or_default());
        }
        None if closed && name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            patch.keep(end + 1);
        }
        _ => patch.replace(1, "&amp;"),
    }
}

/// The character of a numeric reference; `None` if XML forbids it. 128 to 159 mean windows-1252, as
/// in HTML.
fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let c = match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9f) => {
            WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()?
        }
        _ => char::from_u32(code)?,
    };
    is_legal(c).then_some(c)
}

/// Whether XML 1.0 permits a character in a document (production 2).
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rstest::rstest;

    use super::repair;

    #[rstest]
    #[case("\n\n junk <rss version=\"2.0\"></rss>", "<rss version=\"2.0\"></rss>")]
    #[case("\u{feff}<?xml version='1.0' encoding='koi8-r'?>\n<feed/>", "<feed/>")]
    #[case("<?xml?><", "")]
    #[case("<?xml-stylesheet href='x'?><feed/>", "<?xml-stylesheet href='x'?><feed/>")]
    #[case("<t>a\u{0}b\u{b}c\u{ffff}</t>", "<t>abc</t>")]
    #[case("<t>AT&T & <b>Q&amp;A</b>; R&D;</t>", "<t>AT&amp;T &amp; <b>Q&amp;A</b>; R&D;</t>")]
    #[case(
        "<t>caf&eacute; &#233; &#xE9; &#146; &#0;&#x1f;</t>",
        "<t>caf&eacute; &#233; &#233; &#8217; </t>"
    )]
    #[case("<t>1 < 2, x <3 y</t>", "<t>1 &lt; 2, x &lt;3 y</t>")]
    #[case("<a href='?a=1&b=2&amp;c=3'>x</a>", "<a href='?a=1&amp;b=2&amp;c=3'>x</a>")]
    #[case("<a t='x > y &'>&</a>", "<a t='x > y &amp;'>&amp;</a>")]
    #[case("<t><![CDATA[a & b < c\u{1}]]></t>", "<t><![CDATA[a & b < c]]></t>")]
    #[case("<!-- a & b < c --><t/>", "<!-- a & b < c --><t/>")]
    #[case(
        "<!DOCTYPE rss [<!ENTITY x \"y & z\">]><t/>",
        "<!DOCTYPE rss [<!ENTITY x \"y & z\">]><t/>"
    )]
    #[case("<rss version='0.94' x='y'/>", "<rss version=\"2.0\" x='y'/>")]
    #[case("<rss></rss>", "<rss version=\"2.0\"></rss>")]
    #[case("<t>&", "<t>&amp;")]
    #[case("<t a='>x", "<t a='>x")]
    #[case("no markup", "")]
    #[case("", "")]
    fn common_damage_is_repaired_and_nothing_else(#[case] damaged: &str, #[case] repaired: &str) {
        assert_eq!(repair(damaged), repaired);
    }

    #[test]
    fn sound_text_is_not_copied() {
        let sound = "<rss version=\"2.0\"><t a='&amp;'>&#8217;\t</t><![CDATA[<p>a & b]]></rss>\r\n";
        assert!(matches!(repair(sound), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn what_is_repaired_stays(text in "(<|>|&|;|#|x|1|a|\"|'| |/|!|\\[|\\]|-|\\?|rss|xml|CDATA|é){0,60}") {
            let once = repair(&text).into_owned();
            proptest::prop_assert_eq!(repair(&once).into_owned(), once);
        }
    }
}
