//! Reads simple markup without a tokenizer: tags, text, and a few references. Most texts of feeds
//! are simple.

use std::borrow::Cow;

use crate::markup::elements::{has_no_text, is_reading};
use crate::markup::plain::PlainTextWriter;
use crate::markup::tokens::begins_reference;

/// The longest tag that is read here, in bytes. It is far below the limit of the tokenizer.
const LONGEST_TAG: usize = 4096;

/// The named references that are read here.
const NAMED: [(&str, &str); 13] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&nbsp;", "\u{a0}"),
    ("&hellip;", "…"),
    ("&ndash;", "–"),
    ("&mdash;", "—"),
    ("&lsquo;", "‘"),
    ("&rsquo;", "’"),
    ("&ldquo;", "“"),
    ("&rdquo;", "”"),
];

/// The markup needs the tokenizer.
pub(super) struct NotSimple;

/// Writes the text of `html` as the HTML tokenizer would. After an error, the writer holds a part
/// of it.
pub(super) fn write_simple(html: &str, writer: &mut PlainTextWriter) -> Result<(), NotSimple> {
    // The tokenizer drops a byte order mark and replaces zeros.
    if html.starts_with('\u{feff}') || html.contains('\0') {
        return Err(NotSimple);
    }
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        write_text(&rest[..at], writer)?;
        rest = &rest[at..];
        let Some(name) = name_of_tag(rest)? else {
            writer.write("<");
            rest = &rest[1..];
            continue;
        };
        // A tag without an end is dropped.
        let Some(end) = end_of_tag(&rest[1 + name.len()..]) else { return Ok(()) };
        let length = 1 + name.len() + end;
        if length > LONGEST_TAG {
            return Err(NotSimple);
        }
        let local = name.strip_prefix('/').unwrap_or(name);
        let local = lower_case(local);
        if has_no_text(&local) || is_reading(&local) {
            return Err(NotSimple);
        }
        if local == "sup" {
            writer.raise(!name.starts_with('/'));
        }
        writer.mark_gap(&local);
        rest = &rest[length..];
    }
    write_text(rest, writer)
}

/// The name of the tag at the start of `rest`, with the slash of an end tag; `None` if the `<` is
/// text.
fn name_of_tag(rest: &str) -> Result<Option<&str>, NotSimple> {
    let is_start = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic());
    let is_end = rest[1..].starts_with('/');
    if rest[1..].starts_with(['!', '?'])
        || is_end && !rest[2..].starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Err(NotSimple);
    }
    if !is_start && !is_end {
        return Ok(None);
    }
    let begin = 1 + usize::from(is_end);
    let ends = |byte: u8| is_space(byte) || matches!(byte, b'/' | b'>');
    let end = rest.bytes().skip(begin).position(ends).map_or(rest.len(), |at| begin + at);
    Ok(Some(&rest[1..end]))
}

/// The number of bytes after the name of a tag, with its `>`; `None` if the tag has no end.
fn end_of_tag(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let skip = |from: usize, passes: fn(u8) -> bool| {
        bytes[from..].iter().position(|byte| !passes(*byte)).map(|length| from + length)
    };
    let mut at = 0;
    loop {
        at = skip(at, |byte| is_space(byte) || byte == b'/')?;
        if bytes[at] == b'>' {
            return Some(at + 1);
        }
        // A name may begin with `=`.
        at = skip(at + 1, |byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | b'='))?;
        let after = skip(at, is_space)?;
        if bytes[after] != b'=' {
            continue;
        }
        at = skip(after + 1, is_space)?;
        at = match bytes[at] {
            quote @ (b'"' | b'\'') => at + 2 + rest[at + 1..].find(char::from(quote))?,
            b'>' => at,
            _ => skip(at, |byte| !is_space(byte) && byte != b'>')?,
        };
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Writes text that may hold references.
fn write_text(text: &str, writer: &mut PlainTextWriter) -> Result<(), NotSimple> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        writer.write(&rest[..at]);
        rest = &rest[at..];
        if !begins_reference(rest) {
            writer.write("&");
            rest = &rest[1..];
        } else if let Some((name, sign)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
            writer.write(sign);
            rest = &rest[name.len()..];
        } else {
            let (length, sign) = numbered(rest).ok_or(NotSimple)?;
            writer.write(sign.encode_utf8(&mut [0; 4]));
            rest = &rest[length..];
        }
    }
    writer.write(rest);
    Ok(())
}

/// The length of the decimal reference at the start of `rest`, and its character. `None` if HTML
/// replaces the character by another.
fn numbered(rest: &str) -> Option<(usize, char)> {
    let (digits, _) = rest.strip_prefix("&#")?.split_once(';')?;
    if digits.len() > 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sign = char::from_u32(digits.parse().ok()?)?;
    let means_itself =
        matches!(sign, ' '..='~' | '\u{a0}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..);
    means_itself.then_some((digits.len() + 3, sign))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::markup::plain::{from_markup, from_tokens};

    fn simply(html: &str) -> Option<String> {
        let mut writer = PlainTextWriter::default();
        write_simple(html, &mut writer).ok().map(|()| writer.out)
    }

    #[rstest]
    #[case("<p>One  two</p>\n<P>three</P>", "One two\n\nthree")]
    #[case("one<br>two<br/>three<br\n/>four", "one\ntwo\nthree\nfour")]
    #[case("<a href=\"x>y\" title='<p>'>North</a> <i class=a/b>Korea</i>n", "North Korean")]
    #[case("a<img src=x alt>b<img alt=>c<img ==x>d", "abcd")]
    #[case("A & T &amp; co &#8217;&#39; &lt;b&gt;&nbsp;x", "A & T & co ’' <b> x")]
    #[case("1 < 2, 3 <4 and <", "1 < 2, 3 <4 and <")]
    #[case("a <b", "a")]
    #[case("a <b c='>", "a")]
    #[case("<p>Пхеньян</p>", "Пхеньян")]
    fn simple_markup_is_read(#[case] html: &str, #[case] text: &str) {
        assert_eq!(simply(html).as_deref(), Some(text));
        assert_eq!(from_tokens(html), text);
    }

    #[rstest]
    #[case("<!-- x -->")]
    #[case("<![CDATA[x]]>")]
    #[case("<?x?>")]
    #[case("</ x>")]
    #[case("a<script>b</script>")]
    #[case("caf&eacute;")]
    #[case("<b>AT&T</b>")]
    #[case("&#146;")]
    #[case("&#x2019;")]
    #[case("&amp")]
    #[case("a\0b")]
    #[case("\u{feff}a<b>c</b>")]
    fn other_markup_is_left_to_the_tokenizer(#[case] html: &str) {
        assert_eq!(simply(html), None);
        assert_eq!(from_markup(html), from_tokens(html));
    }

    #[test]
    fn a_large_tag_is_left_to_the_tokenizer() {
        assert_eq!(simply(&format!("a<p {}>b", "x ".repeat(LONGEST_TAG))), None);
    }

    proptest::proptest! {
        #[test]
        fn simple_markup_means_what_the_tokenizer_reads(
            html in "(<p>|</p>|<br/>|<BR>|<b |<a|</a|=|\"|'|>|/|&|&amp;|&#8217;|&#1;|#|;|<| |\r|\n|\t|\u{c}|\u{8}|\u{a0}|a|1|é|!){0,40}"
        ) {
            if let Some(text) = simply(&html) {
                proptest::prop_assert_eq!(text, from_tokens(&html));
            }
        }
    }
}
