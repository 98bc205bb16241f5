//! Finds languages that no story can have, because their tag names no language of ISO 639. Pure.

use isolang::Language;

use crate::fault::nearest;
use crate::story::LanguageTag;

/// Codes of countries that people write for a language, each with the language. Sorted.
const COUNTRIES: [(&str, &str); 15] = [
    ("al", "sq"),
    ("at", "de"),
    ("by", "be"),
    ("cn", "zh"),
    ("cz", "cs"),
    ("dk", "da"),
    ("gr", "el"),
    ("ir", "fa"),
    ("jap", "ja"),
    ("jp", "ja"),
    ("kz", "kk"),
    ("sp", "es"),
    ("ua", "uk"),
    ("us", "en"),
    ("vn", "vi"),
];

/// Why no story has the language `tag`, and what to write instead. `None` if a story may have it.
pub(crate) fn unknown(tag: &str) -> Option<(String, String)> {
    let tag = LanguageTag::parse(tag)?;
    if tag.is_known() {
        return None;
    }
    let primary = tag.primary().to_lowercase();
    let country = COUNTRIES.iter().find(|(country, _)| *country == primary).map(|(_, code)| *code);
    let why = format!("`{primary}` is not a language of ISO 639");
    let help = match country.or_else(|| similar(&primary)) {
        Some(code) => format!("did you mean `{code}`{}?", name(code)),
        None => "write the code of the language: `en`, `ru`, `zh`".to_owned(),
    };
    Some((why, help))
}

/// The code of the language with a name similar to `written`, of those with a code of two letters.
fn similar(written: &str) -> Option<&'static str> {
    let names: Vec<(String, &str)> = isolang::languages()
        .filter_map(|language| Some((language.to_name().to_lowercase(), language.to_639_1()?)))
        .collect();
    let found = nearest(written, names.iter().map(|(name, _)| name.as_str()))?.to_owned();
    names.iter().find(|(name, _)| *name == found).map(|(_, code)| *code)
}

fn name(code: &str) -> String {
    Language::from_639_1(code)
        .map(|language| format!(" ({})", language.to_name()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Rusian", "did you mean `ru` (Russian)?")]
    #[case("jp", "did you mean `ja` (Japanese)?")]
    #[case("cz-CZ", "did you mean `cs` (Czech)?")]
    #[case("xx", "write the code of the language: `en`, `ru`, `zh`")]
    fn what_is_no_language_has_its_nearest(#[case] tag: &str, #[case] help: &str) {
        assert_eq!(unknown(tag).map(|(_, help)| help).as_deref(), Some(help));
    }

    #[test]
    fn languages_are_known() {
        for tag in [
            "en",
            "en-GB",
            "ZH_hant",
            "tlh",
            "yue",
            "iw",
            "eng",
            "English",
            "klingon",
            "x-private",
            "i-klingon",
        ] {
            assert_eq!(unknown(tag), None, "{tag}");
        }
    }
}
