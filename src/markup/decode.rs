//! Decodes bytes to text. Declared encodings are checked against the bytes.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};

/// The number of bytes, from the start, in which a declaration is searched.
const HEAD: usize = 4096;

/// The number of sound characters of UTF-8 that are no chance.
const FEW: usize = 4;

/// The end of a CDATA section.
const CDATA_END: &[u8] = b"]]>";

/// How many bytes a guess reads again if the first one may be wrong.
const GUESSED: usize = 256 << 10;

/// Decodes `bytes` by their byte order mark, by `charset` of the Content-Type, by the document's
/// own declaration (XML or HTML `meta`), else by a guess.
///
/// A declared encoding counts if nearly all bytes fit it. Bytes that are UTF-8 with characters
/// outside ASCII are UTF-8, whatever is declared. A header that says Latin-1 yields to the
/// document, because many servers say that by default. Never fails. Bytes that cannot be decoded
/// become U+FFFD.
pub(crate) fn decode<'b>(bytes: &'b [u8], content_type: Option<&str>) -> Cow<'b, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let reading = DecodedText::new(encoding, &bytes[mark..]);
        if reading.fits() {
            return reading.text;
        }
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    let claims = claims(content_type, bytes);
    let reading = DecodedText::new(UTF_8, bytes);
    if reading.is_utf8(&claims) {
        return reading.text;
    }
    let fitting = claims.iter().map(|claim| DecodedText::new(claim, bytes)).find(DecodedText::fits);
    fitting.map_or_else(|| guess_encoding(bytes), |reading| reading.text)
}

/// The declared encodings, the likelier first, without those that the bytes cannot have.
fn claims(content_type: Option<&str>, bytes: &[u8]) -> Vec<&'static Encoding> {
    let mut claims = [content_type.and_then(charset), declared(bytes)];
    if claims[0] == Some(WINDOWS_1252) && claims[1].is_some() {
        claims.reverse();
    }
    let claims = claims.into_iter().flatten();
    claims
        .filter(|claim| !matches!(claim.name(), "UTF-16LE" | "UTF-16BE" | "replacement"))
        .collect()
}

/// Bytes as an encoding reads them.
struct DecodedText<'b> {
    encoding: &'static Encoding,
    text: Cow<'b, str>,
    /// The number of characters outside ASCII.
    sound: usize,
    /// The number of places that cannot be decoded.
    broken: usize,
}

impl<'b> DecodedText<'b> {
    fn new(encoding: &'static Encoding, bytes: &'b [u8]) -> Self {
        let (mut text, mut has_errors) = encoding.decode_without_bom_handling(bytes);
        if encoding != UTF_8 && !encoding.is_single_byte() {
            let ends = |text: &[u8]| text.windows(3).filter(|end| *end == CDATA_END).count();
            if ends(text.as_bytes()) < ends(bytes) {
                let mended = with_cdata_ends(bytes);
                let (mended, _) = encoding.decode_without_bom_handling(&mended);
                (text, has_errors) = (Cow::Owned(mended.into_owned()), true);
            }
        }
        let broken = if has_errors { text.matches(char::REPLACEMENT_CHARACTER).count() } else { 0 };
        let others =
            if text.is_ascii() { 0 } else { text.chars().filter(|c| !c.is_ascii()).count() };
        Self { encoding, text, sound: others - broken, broken }
    }

    /// Whether a reading as UTF-8 is right, whatever `claims` say: other encodings have no such
    /// bytes by chance.
    fn is_utf8(&self, claims: &[&'static Encoding]) -> bool {
        if self.broken > 0 {
            return self.sound >= FEW && self.sound > 4 * self.broken;
        }
        if self.sound == 0 {
            // Only the encodings with escape sequences are written in ASCII.
            return !claims.contains(&ISO_2022_JP);
        }
        self.sound >= FEW
            || claims.contains(&UTF_8)
            || claims.iter().all(|claim| claim.is_single_byte())
    }

    /// Whether nearly all bytes fit the encoding. In UTF-8 even one sound character is seldom a
    /// chance.
    fn fits(&self) -> bool {
        let least = if self.encoding == UTF_8 { 1 } else { 10 };
        self.broken == 0 || self.sound > least * self.broken
    }
}

/// `bytes` with a question mark for each half of a character that hides the end of a CDATA section.
/// A `]` can be the second half.
fn with_cdata_ends(bytes: &[u8]) -> Vec<u8> {
    let mut mended = bytes.to_vec();
    for at in 1..bytes.len().saturating_sub(CDATA_END.len() - 1) {
        if bytes[at..].starts_with(CDATA_END) {
            let halves = bytes[..at].iter().rev().take_while(|byte| !byte.is_ascii()).count();
            if halves % 2 == 1 {
                mended[at - 1] = b'?';
            }
        }
    }
    mended
}

/// Decodes bytes without any declaration: by their byte order mark, as UTF-8 if they are valid
/// UTF-8, else by a guess. Never fails.
pub(crate) fn decode_undeclared(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    let reading = DecodedText::new(UTF_8, bytes);
    if reading.broken == 0 || reading.is_utf8(&[]) {
        return reading.text.into_owned();
    }
    guess_encoding(bytes).into_owned()
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
        name.trim().eq_ignore_ascii_case("charset").then(|| encoding_named(value.as_bytes()))?
    })
}

/// The encoding that the document declares: `encoding=` of an XML declaration, else `charset=` of
/// an HTML `meta`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let declaration =
        head.find("<?xml").and_then(|start| Some(&head[start..start + head[start..].find("?>")?]));
    let metas = head.split("<meta").skip(1).map(|rest| rest.split('>').next());
    labelled_encoding(declaration, "encoding")
        .or_else(|| metas.into_iter().find_map(|meta| labelled_encoding(meta, "charset")))
}

fn labelled_encoding(within: Option<&str>, name: &str) -> Option<&'static Encoding> {
    let (_, after) = within?.split_once(name)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(value.len());
    encoding_named(&value.as_bytes()[..end])
}

/// The encoding with that name, or with a name that only some software uses.
fn encoding_named(label: &[u8]) -> Option<&'static Encoding> {
    if let Some(encoding) = Encoding::for_label(label) {
        return Some(encoding);
    }
    let plain: String =
        label.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|b| char::from(*b)).collect();
    let plain = plain.to_ascii_lowercase();
    let number = plain.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let known = match number {
        _ if plain.starts_with("utf8") => "utf-8".to_owned(),
        "936" | "2312" | "231280" => "gbk".to_owned(),
        "949" => "euc-kr".to_owned(),
        "932" => "shift_jis".to_owned(),
        "950" => "big5".to_owned(),
        "1" if plain == "latin1" => "windows-1252".to_owned(),
        _ if number.starts_with("125") && number.len() == 4 => format!("windows-{number}"),
        _ if number.starts_with("8859") => format!("iso-8859-{}", &number[4..]),
        _ => return None,
    };
    Encoding::for_label(known.as_bytes())
}

fn guess_encoding(bytes: &[u8]) -> Cow<'_, str> {
    let guessed = guess(bytes);
    let encoding = if guessed.is_single_byte() {
        guess_despite_cuts(&bytes[..bytes.len().min(GUESSED)]).unwrap_or(guessed)
    } else {
        guessed
    };
    encoding.decode_without_bom_handling(bytes).0
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// The double-byte encoding of a text in which some characters are cut: the one that is guessed
/// from the texts that it can decode, if these are nearly all. One cut character rules an encoding
/// out for the detector.
fn guess_despite_cuts(bytes: &[u8]) -> Option<&'static Encoding> {
    let high = |bytes: &[u8]| bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let all = high(bytes);
    [GBK, SHIFT_JIS, EUC_JP, EUC_KR, BIG5].into_iter().find(|encoding| {
        let sound = |text: &&[u8]| {
            encoding.decode_without_bom_handling_and_without_replacement(text).is_some()
        };
        let kept: Vec<u8> =
            bytes.split_inclusive(|byte| *byte == b'<').filter(sound).flatten().copied().collect();
        let lost = all - high(&kept);
        lost > 0 && lost * 2 < all && guess(&kept) == *encoding
    })
}

#[cfg(test)]
mod tests {
    use encoding_rs::{KOI8_R, WINDOWS_1251};
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

    const CHINESE: &str = "朝鲜与俄罗斯讨论武器供应，双方周二在平壤举行会谈。";

    #[rstest]
    #[case::declared(Some("text/xml; charset=gb2312"))]
    #[case::not_declared(None)]
    #[case::by_a_name_of_its_own(Some("text/xml; charset=cp936"))]
    #[case::in_the_wrong_encoding(Some("text/xml; charset=utf-8"))]
    fn one_cut_character_costs_one_character(#[case] kind: Option<&str>) {
        let whole = GBK.encode(CHINESE).0.into_owned();
        let text = |bytes: &[u8]| [b"<d>", bytes, b"...</d>"].concat();
        let bytes = [text(&whole), text(&whole), text(&whole[..whole.len() - 1])].concat();
        let whole = format!("<d>{CHINESE}...</d>");
        let cut = format!("<d>{}\u{fffd}...</d>", CHINESE.trim_end_matches('。'));
        assert_eq!(decode(&bytes, kind), format!("{whole}{whole}{cut}"));
    }

    #[test]
    fn a_cut_character_does_not_hide_the_end_of_a_section() {
        let cut = &GBK.encode("<d><![CDATA[会谈").0[..15];
        let bytes = [cut, b"]]></d>"].concat();
        let text = decode(&bytes, Some("text/xml; charset=gbk"));
        assert_eq!(text, "<d><![CDATA[会?]]></d>");
    }

    #[rstest]
    #[case::two_strays_in_four(
        b"Caf\xc3\xa9 M\xc3\xbcller gr\xfc\xdft Caf\xc3\xa9",
        Some("text/xml; charset=utf-8"),
        "Café Müller gr\u{fffd}\u{fffd}t Café"
    )]
    #[case::latin1_by_default(
        b"<?xml encoding='koi8-r'?>\xe4",
        Some("text/xml; charset=iso-8859-1"),
        "<?xml encoding='koi8-r'?>Д"
    )]
    #[case::latin1_by_default_and_a_stray(
        b"<?xml encoding='utf-8'?>caf\xc3\xa9 \xc3\xa9\xa0",
        Some("text/xml; charset=iso-8859-1"),
        "<?xml encoding='utf-8'?>café é\u{fffd}"
    )]
    #[case::utf8_under_another_name("朝鲜与俄罗斯".as_bytes(), Some("text/xml; charset=gbk"), "朝鲜与俄罗斯")]
    #[case::both_names("é".as_bytes(), Some("text/xml; charset=euc-kr"), "챕")]
    #[case::a_meta_behind_a_script(
        b"<meta name=a><script charset='utf-8'></script><meta charset=koi8-r>\xe4",
        None,
        "<meta name=a><script charset='utf-8'></script><meta charset=koi8-r>Д"
    )]
    #[case::a_mark_that_is_not_true(
        b"\xef\xbb\xbf\xca\xee\xf0\xe5\xff",
        Some("text/xml; charset=windows-1251"),
        "п»їКорея"
    )]
    #[case::win1251(b"\xca\xee\xf0\xe5\xff", Some("text/xml; charset=win-1251"), "Корея")]
    fn what_is_declared_counts_if_nearly_all_bytes_fit(
        #[case] bytes: &[u8],
        #[case] kind: Option<&str>,
        #[case] text: &str,
    ) {
        assert_eq!(decode(bytes, kind), text);
    }

    #[test]
    fn one_bad_byte_does_not_spoil_a_long_text() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes.push(0xff);
        assert_eq!(decode(&bytes, Some("text/xml; charset=utf-8")), format!("{RUSSIAN}\u{fffd}"));
    }
}
