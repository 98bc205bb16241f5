//! Decodes bytes to text. Declared encodings are checked against the bytes.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The number of bytes, from the start, in which a declaration is searched.
const HEAD: usize = 1024;

/// Decodes `bytes` by their byte order mark, by `charset` of the Content-Type, by the document's
/// own declaration (XML or HTML `meta`), else by a guess.
///
/// A declared encoding is ignored if the bytes contradict it: if they cannot be decoded with it, or
/// if it is a single-byte encoding and they are UTF-8 with characters outside ASCII. Never fails.
/// Bytes that cannot be decoded become U+FFFD.
pub(crate) fn decode<'b>(bytes: &'b [u8], content_type: Option<&str>) -> Cow<'b, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    let utf8 = std::str::from_utf8(bytes).ok();
    let claims = [content_type.and_then(charset), declared(bytes)];
    for claim in claims.into_iter().flatten() {
        let outdone = utf8.is_some_and(|text| !text.is_ascii()) && claim.is_single_byte();
        if outdone || matches!(claim.name(), "UTF-16LE" | "UTF-16BE" | "replacement") {
            continue;
        }
        if let Some(text) = claim.decode_without_bom_handling_and_without_replacement(bytes) {
            return text;
        }
    }
    utf8.map_or_else(|| guess_encoding(bytes), Cow::Borrowed)
}

/// Decodes bytes without any declaration: by their byte order mark, as UTF-8 if they are valid
/// UTF-8, else by a guess. Never fails.
pub(crate) fn decode_undeclared(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    std::str::from_utf8(bytes).map_or_else(|_| guess_encoding(bytes).into_owned(), str::to_owned)
}

/// UTF-16 without a byte order mark, detected by the zero beside the first `<` (XML 1.0, appendix
/// F).
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, _, 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, _, ..] => Some(UTF_16BE),
        _ => None,
    }
}

fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| Encoding::for_label(value.as_bytes()))?
    })
}

/// The encoding that the document declares: `encoding=` of an XML declaration, else `charset=` of
/// an HTML `meta`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let declaration =
        head.find("<?xml").and_then(|start| Some(&head[start..start + head[start..].find("?>")?]));
    let meta = head.find("<meta").map(|start| &head[start..]);
    labelled_encoding(declaration, "encoding").or_else(|| labelled_encoding(meta, "charset"))
}

fn labelled_encoding(within: Option<&str>, name: &str) -> Option<&'static Encoding> {
    let (_, after) = within?.split_once(name)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(value.len());
    Encoding::for_label(&value.as_bytes()[..end])
}

fn guess_encoding(bytes: &[u8]) -> Cow<'_, str> {
    // A stray byte in long UTF-8 is more likely than another encoding whose text is nearly valid
    // UTF-8.
    let lossy = String::from_utf8_lossy(bytes);
    let broken = lossy.matches(char::REPLACEMENT_CHARACTER).count();
    let sound =
        lossy.chars().filter(|c| !c.is_ascii() && *c != char::REPLACEMENT_CHARACTER).count();
    if sound > 10 * broken {
        return UTF_8.decode_without_bom_handling(bytes).0;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow).decode_without_bom_handling(bytes).0
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_KR, KOI8_R, SHIFT_JIS, WINDOWS_1251};
    use rstest::rstest;

    use super::*;

    const RUSSIAN: &str =
        "Северная Корея и Россия договорились о поставках оружия, сообщили источники.";

    #[rstest]
    #[case(b"\xef\xbb\xbfcaf\xc3\xa9".as_slice(), Some("text/xml; charset=windows-1251"), "café")]
    #[case(b"\xff\xfec\0a\0".as_slice(), None, "ca")]
    #[case(b"\xfe\xff\0c\0a".as_slice(), None, "ca")]
    #[case(b"<\0a\0/\0>\0".as_slice(), Some("text/xml; charset=utf-8"), "<a/>")]
    #[case(b"\0<\0a\0/\0>".as_slice(), None, "<a/>")]
    #[case(b"caf\xe9".as_slice(), Some("text/xml; Charset=\"ISO-8859-1\""), "café")]
    #[case(b"<?xml version='1.0' encoding='latin1'?>caf\xe9".as_slice(), None, "<?xml version='1.0' encoding='latin1'?>café")]
    #[case(b"<meta charset=iso-8859-1>caf\xe9".as_slice(), None, "<meta charset=iso-8859-1>café")]
    #[case(b"caf\xe9".as_slice(), Some("text/xml; charset=utf-8"), "café")]
    #[case("café".as_bytes(), Some("text/xml; charset=iso-8859-1"), "café")]
    #[case(b"<?xml encoding='utf-16'?>caf\xc3\xa9".as_slice(), None, "<?xml encoding='utf-16'?>café")]
    #[case(b"<?xml encoding='koi8-r'?>\xe4".as_slice(), Some("text/xml; charset=windows-1251"), "<?xml encoding='koi8-r'?>д")]
    #[case(b"x".as_slice(), Some("text/xml; charset=no-such"), "x")]
    #[case(b"".as_slice(), None, "")]
    fn text_is_decoded_by_the_best_evidence(
        #[case] bytes: &[u8],
        #[case] kind: Option<&str>,
        #[case] text: &str,
    ) {
        assert_eq!(decode(bytes, kind), text);
    }

    #[test]
    fn undeclared_encodings_are_guessed() {
        for (encoding, text) in [
            (WINDOWS_1251, RUSSIAN),
            (KOI8_R, RUSSIAN),
            (SHIFT_JIS, "北朝鮮とロシアが武器の供給について合意したと報じられました。"),
            (EUC_KR, "북한과 러시아가 무기 공급에 합의했다고 소식통이 전했다."),
        ] {
            assert_eq!(decode(&encoding.encode(text).0, None), text, "{}", encoding.name());
        }
    }

    #[test]
    fn what_says_nothing_of_itself_goes_by_its_mark_or_by_guess() {
        for (bytes, text) in [
            (b"\xef\xbb\xbfcaf\xc3\xa9".as_slice(), "café"),
            (b"\xff\xfec\0a\0", "ca"),
            (b"\xfe\xff\0c\0a", "ca"),
            ("café".as_bytes(), "café"),
            (b"id,name\r\n1,Caf\xe9 M\xfcller\r\n", "id,name\r\n1,Café Müller\r\n"),
            (b"<meta charset=koi8-r>caf\xc3\xa9", "<meta charset=koi8-r>café"),
        ] {
            assert_eq!(decode_undeclared(bytes), text);
        }
    }

    #[test]
    fn one_bad_byte_does_not_spoil_a_long_text() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes.push(0xff);
        assert_eq!(decode(&bytes, Some("text/xml; charset=utf-8")), format!("{RUSSIAN}\u{fffd}"));
    }
}
