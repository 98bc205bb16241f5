//! Language tags as feeds and people write them: BCP 47 (RFC 5646), codes of three letters (ISO
//! 639-2), and names.

use std::fmt;

use isolang::Language;

/// A language, from a tag such as `en-GB`, `eng`, `iw` or `English`.
///
/// Two spellings of one language are equal.
#[derive(Clone, Copy, Debug)]
pub struct LanguageTag<'t> {
    /// The shortest code of the language, or the first part of an unknown tag as it is written.
    primary: &'t str,
    /// The other subtags as they are written, without the first separator.
    rest: &'t str,
}

/// Codes that are replaced by others: deprecated ones, bibliographic ones of ISO 639-2, and
/// languages that others contain. Sorted.
const REPLACED: [(&str, &str); 43] = [
    ("alb", "sq"),
    ("als", "sq"),
    ("arb", "ar"),
    ("arm", "hy"),
    ("baq", "eu"),
    ("bur", "my"),
    ("chi", "zh"),
    ("cmn", "zh"),
    ("cze", "cs"),
    ("dut", "nl"),
    ("ekk", "et"),
    ("farsi", "fa"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gre", "el"),
    ("hbs", "sr"),
    ("ice", "is"),
    ("in", "id"),
    ("iw", "he"),
    ("ji", "yi"),
    ("jw", "jv"),
    ("khk", "mn"),
    ("lvs", "lv"),
    ("mac", "mk"),
    ("mandarin", "zh"),
    ("mao", "mi"),
    ("may", "ms"),
    ("mo", "ro"),
    ("nb", "no"),
    ("nn", "no"),
    ("nno", "no"),
    ("nob", "no"),
    ("per", "fa"),
    ("pes", "fa"),
    ("prs", "fa"),
    ("rum", "ro"),
    ("sh", "sr"),
    ("slo", "sk"),
    ("swh", "sw"),
    ("tib", "bo"),
    ("wel", "cy"),
    ("zsm", "ms"),
];

/// Tags that say that no language is known, or that there are several (ISO 639-2, RFC 5646).
const UNKNOWN: [&str; 7] = ["mis", "mul", "none", "null", "und", "unknown", "zxx"];

impl<'t> LanguageTag<'t> {
    /// The language of `written`; `None` if it is blank or says that the language is unknown.
    ///
    /// Of several languages (`en, fr`) the first counts. A character set (`en_US.UTF-8`) and what
    /// is in parentheses are ignored. A tag that names no language stays as it is.
    #[must_use]
    pub fn parse(written: &'t str) -> Option<Self> {
        let end = written.find(['.', '@', ',', ';', '(', '/']).unwrap_or(written.len());
        let tag = written[..end].trim();
        let (first, rest) = tag.split_once(['-', '_']).unwrap_or((tag, ""));
        if first.is_empty() || UNKNOWN.iter().any(|known| first.eq_ignore_ascii_case(known)) {
            return None;
        }
        let primary = code_of(first).or_else(|| name_of(tag)).unwrap_or(first);
        Some(Self { primary, rest })
    }

    /// The code of the language without its other subtags, as [`parse`](Self::parse) found it.
    #[must_use]
    pub fn primary(&self) -> &'t str {
        self.primary
    }

    /// Whether it is in the language range `range`, a canonical tag, by the basic filtering of RFC
    /// 4647, section 3.3.1.
    pub(crate) fn is_in(&self, range: &str) -> bool {
        let (first, rest) = range.split_once('-').unwrap_or((range, ""));
        let behind = self.rest.as_bytes().get(rest.len());
        let starts = self.rest.bytes().zip(rest.bytes()).all(|(is, wanted)| in_tag(is) == wanted);
        self.primary.eq_ignore_ascii_case(first)
            && self.rest.len() >= rest.len()
            && starts
            && (rest.is_empty() || behind.is_none_or(|behind| in_tag(*behind) == b'-'))
    }

    /// Whether it names a language that ISO 639 knows, or is private.
    pub(crate) fn is_known(&self) -> bool {
        code_of(self.primary).is_some() || self.primary.len() == 1
    }
}

/// In canonical form: lower case, with hyphens.
impl fmt::Display for LanguageTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.primary.to_ascii_lowercase())?;
        if self.rest.is_empty() {
            return Ok(());
        }
        write!(f, "-{}", self.rest.to_ascii_lowercase().replace('_', "-"))
    }
}

/// The shortest code of the language with the code `code`.
fn code_of(code: &str) -> Option<&'static str> {
    let mut lower = [0; 8];
    let lower = lower.get_mut(..code.len()).filter(|_| code.is_ascii())?;
    lower.copy_from_slice(code.as_bytes());
    lower.make_ascii_lowercase();
    let lower = str::from_utf8(lower).ok()?;
    let replaced = REPLACED.binary_search_by_key(&lower, |(old, _)| old).map(|at| REPLACED[at].1);
    replaced.ok().or_else(|| {
        let language = match lower.len() {
            2 => Language::from_639_1(lower),
            3 => Language::from_639_3(lower),
            _ => None,
        };
        language.map(|language| language.to_639_1().unwrap_or_else(|| language.to_639_3()))
    })
}

/// The code of the language with the name `name`, in English or in the language itself.
fn name_of(name: &str) -> Option<&'static str> {
    if name.len() < 4 {
        return None;
    }
    let lower = name.to_lowercase();
    let is_name = |language: &Language| {
        language.to_autonym().is_some_and(|autonym| autonym.to_lowercase() == lower)
    };
    let language =
        Language::from_name_lowercase(&lower).or_else(|| isolang::languages().find(is_name))?;
    code_of(language.to_639_3())
}

fn in_tag(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::{LanguageTag, REPLACED};

    #[test]
    fn spellings_of_a_language_are_one_tag() {
        assert!(REPLACED.is_sorted());
        for (written, expected) in [
            ("en", "en"),
            ("EN", "en"),
            ("en-GB", "en-gb"),
            ("en_US.UTF-8", "en-us"),
            ("eng", "en"),
            ("English", "en"),
            ("English (US)", "en"),
            ("iw", "he"),
            ("in-ID", "id-id"),
            ("ger", "de"),
            ("deu", "de"),
            ("Deutsch", "de"),
            ("русский", "ru"),
            ("العربية", "ar"),
            ("中文", "zh"),
            ("Farsi", "fa"),
            ("nb-NO", "no-no"),
            ("cmn-Hans", "zh-hans"),
            ("yue", "yue"),
            ("fr, en", "fr"),
            (" ru ", "ru"),
            ("xx", "xx"),
            ("no-such-language", "no-such-language"),
        ] {
            let tag = LanguageTag::parse(written).map(|tag| tag.to_string());
            assert_eq!(tag.as_deref(), Some(expected), "{written}");
        }
        for blank in ["", "  ", "und", "mul", "-", "Unknown", ",en"] {
            assert!(LanguageTag::parse(blank).is_none(), "{blank}");
        }
    }

    #[test]
    fn a_range_holds_its_variants_and_no_other_language() {
        for (tag, range, expected) in [
            ("en-GB", "en", true),
            ("en_GB", "en-gb", true),
            ("en", "en-gb", false),
            ("eng-GB", "en", true),
            ("en-GBR", "en-gb", false),
            ("zh-Hant-TW", "zh-hant", true),
            ("fil", "fi", false),
            ("iw", "he", true),
        ] {
            let tag = LanguageTag::parse(tag).expect("a language");
            assert_eq!(tag.is_in(range), expected, "{tag} in {range}");
        }
    }
}
