//! Repairs common faults of XML, because feed-rs refuses feeds with them. Correct markup stays as
//! it is.

mod tag;

use std::fmt::Write;

use encoding_rs::WINDOWS_1252;

/// Repairs `text`, which is decoded. Removes what stands before the first tag, XML declarations
/// (they name an encoding that is no longer true) and characters that XML forbids. Escapes a bare
/// `&` and a bare `<`, resolves references to forbidden characters, and renames old `rss` versions
/// and namespaces.
pub(super) fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = from_first_tag(text);
    while let Some(at) = rest.find(['<', '&']) {
        push_legal(&mut out, &rest[..at]);
        rest = &rest[at..];
        let taken =
            if rest.starts_with('&') { reference(&mut out, rest) } else { markup(&mut out, rest) };
        rest = &rest[taken..];
    }
    push_legal(&mut out, rest);
    out
}

/// `text` from its first markup on, XML declarations left out.
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

/// Whether what follows a `<` makes it the start of markup.
fn opens_markup(after: &str) -> bool {
    after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '_' | ':' | '!' | '?'))
}

/// Copies the markup at the start of `rest`; returns its length.
fn markup(out: &mut String, rest: &str) -> usize {
    for (open, close) in [("<![CDATA[", "]]>"), ("<!--", "-->")] {
        if let Some(inner) = rest.strip_prefix(open) {
            let end = inner.find(close).map_or(rest.len(), |end| open.len() + end + close.len());
            push_legal(out, &rest[..end]);
            return end;
        }
    }
    if rest.starts_with("<?") {
        let end = instruction_end(rest);
        if !is_declaration(rest) {
            push_legal(out, &rest[..end]);
        }
        return end;
    }
    if rest.starts_with("<!") {
        let end = doctype_end(rest);
        push_legal(out, &rest[..end]);
        end
    } else if opens_markup(&rest[1..]) {
        tag(out, rest)
    } else {
        out.push_str("&lt;");
        1
    }
}

/// The length of a document type declaration, its internal subset included.
pub(super) fn doctype_end(rest: &str) -> usize {
    let close = match rest.find('>') {
        Some(end) if rest[..end].contains('[') => {
            rest.find("]>").map(|end| end + 2).or(Some(end + 1))
        }
        end => end.map(|end| end + 1),
    };
    close.unwrap_or(rest.len())
}

/// Copies the tag at the start of `rest`, its attributes repaired; returns its length.
fn tag(out: &mut String, rest: &str) -> usize {
    let (start, end) = (out.len(), tag_end(rest));
    let mut left = &rest[..end];
    while let Some(at) = left.find('&') {
        push_legal(out, &left[..at]);
        left = &left[at..];
        left = &left[reference(out, left)..];
    }
    push_legal(out, left);
    if let Some(modern) = tag::modernise(&out[start..]) {
        out.replace_range(start.., &modern);
    }
    end
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
    // A quote is never closed. The tag may end too soon here, but it must not swallow the feed.
    rest.find('>').map_or(rest.len(), |end| end + 1)
}

/// Copies the reference at the start of `rest`, or escapes a bare `&`; returns the length read.
fn reference(out: &mut String, rest: &str) -> usize {
    let end = rest[1..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '#'))
        .map_or(rest.len(), |end| end + 1);
    let (name, closed) = (&rest[1..end], rest[end..].starts_with(';'));
    match name.strip_prefix('#') {
        Some(number) if closed => {
            if let Some(c) = numbered(number) {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            end + 1
        }
        None if closed && name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            out.push_str(&rest[..=end]);
            end + 1
        }
        _ => {
            out.push_str("&amp;");
            1
        }
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

fn push_legal(out: &mut String, text: &str) {
    // Every forbidden character has a byte that is not among these.
    if text.bytes().all(|byte| matches!(byte, b' '..=0xee | 0xf0.. | b'\n')) {
        return out.push_str(text);
    }
    for piece in text.split(|c| !is_legal(c)) {
        out.push_str(piece);
    }
}

/// Whether XML 1.0 permits a character in a document (production 2).
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
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

    proptest::proptest! {
        #[test]
        fn what_is_repaired_stays(text in "(<|>|&|;|#|x|1|a|\"|'| |/|!|\\[|\\]|-|\\?|rss|xml|CDATA|é){0,60}") {
            let once = repair(&text);
            proptest::prop_assert_eq!(repair(&once), once);
        }
    }
}
