//! Finds languages that no story can have, because their tag begins with no language subtag of BCP
//! 47. Pure.

use crate::fault::nearest;

/// The languages with a subtag of two letters (ISO 639-1), each with its English name.
const LANGUAGES: [(&str, &str); 184] = [
    ("aa", "Afar"),
    ("ab", "Abkhazian"),
    ("ae", "Avestan"),
    ("af", "Afrikaans"),
    ("ak", "Akan"),
    ("am", "Amharic"),
    ("an", "Aragonese"),
    ("ar", "Arabic"),
    ("as", "Assamese"),
    ("av", "Avaric"),
    ("ay", "Aymara"),
    ("az", "Azerbaijani"),
    ("ba", "Bashkir"),
    ("be", "Belarusian"),
    ("bg", "Bulgarian"),
    ("bi", "Bislama"),
    ("bm", "Bambara"),
    ("bn", "Bengali"),
    ("bo", "Tibetan"),
    ("br", "Breton"),
    ("bs", "Bosnian"),
    ("ca", "Catalan"),
    ("ce", "Chechen"),
    ("ch", "Chamorro"),
    ("co", "Corsican"),
    ("cr", "Cree"),
    ("cs", "Czech"),
    ("cu", "Church Slavic"),
    ("cv", "Chuvash"),
    ("cy", "Welsh"),
    ("da", "Danish"),
    ("de", "German"),
    ("dv", "Divehi"),
    ("dz", "Dzongkha"),
    ("ee", "Ewe"),
    ("el", "Greek"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("eu", "Basque"),
    ("fa", "Persian"),
    ("ff", "Fulah"),
    ("fi", "Finnish"),
    ("fj", "Fijian"),
    ("fo", "Faroese"),
    ("fr", "French"),
    ("fy", "Frisian"),
    ("ga", "Irish"),
    ("gd", "Gaelic"),
    ("gl", "Galician"),
    ("gn", "Guarani"),
    ("gu", "Gujarati"),
    ("gv", "Manx"),
    ("ha", "Hausa"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("ho", "Hiri Motu"),
    ("hr", "Croatian"),
    ("ht", "Haitian"),
    ("hu", "Hungarian"),
    ("hy", "Armenian"),
    ("hz", "Herero"),
    ("ia", "Interlingua"),
    ("id", "Indonesian"),
    ("ie", "Interlingue"),
    ("ig", "Igbo"),
    ("ii", "Yi"),
    ("ik", "Inupiaq"),
    ("io", "Ido"),
    ("is", "Icelandic"),
    ("it", "Italian"),
    ("iu", "Inuktitut"),
    ("ja", "Japanese"),
    ("jv", "Javanese"),
    ("ka", "Georgian"),
    ("kg", "Kongo"),
    ("ki", "Kikuyu"),
    ("kj", "Kuanyama"),
    ("kk", "Kazakh"),
    ("kl", "Greenlandic"),
    ("km", "Khmer"),
    ("kn", "Kannada"),
    ("ko", "Korean"),
    ("kr", "Kanuri"),
    ("ks", "Kashmiri"),
    ("ku", "Kurdish"),
    ("kv", "Komi"),
    ("kw", "Cornish"),
    ("ky", "Kyrgyz"),
    ("la", "Latin"),
    ("lb", "Luxembourgish"),
    ("lg", "Ganda"),
    ("li", "Limburgish"),
    ("ln", "Lingala"),
    ("lo", "Lao"),
    ("lt", "Lithuanian"),
    ("lu", "Luba-Katanga"),
    ("lv", "Latvian"),
    ("mg", "Malagasy"),
    ("mh", "Marshallese"),
    ("mi", "Maori"),
    ("mk", "Macedonian"),
    ("ml", "Malayalam"),
    ("mn", "Mongolian"),
    ("mr", "Marathi"),
    ("ms", "Malay"),
    ("mt", "Maltese"),
    ("my", "Burmese"),
    ("na", "Nauru"),
    ("nb", "Bokmal"),
    ("nd", "Ndebele"),
    ("ne", "Nepali"),
    ("ng", "Ndonga"),
    ("nl", "Dutch"),
    ("nn", "Nynorsk"),
    ("no", "Norwegian"),
    ("nr", "South Ndebele"),
    ("nv", "Navajo"),
    ("ny", "Chichewa"),
    ("oc", "Occitan"),
    ("oj", "Ojibwa"),
    ("om", "Oromo"),
    ("or", "Oriya"),
    ("os", "Ossetian"),
    ("pa", "Punjabi"),
    ("pi", "Pali"),
    ("pl", "Polish"),
    ("ps", "Pashto"),
    ("pt", "Portuguese"),
    ("qu", "Quechua"),
    ("rm", "Romansh"),
    ("rn", "Rundi"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("rw", "Kinyarwanda"),
    ("sa", "Sanskrit"),
    ("sc", "Sardinian"),
    ("sd", "Sindhi"),
    ("se", "Sami"),
    ("sg", "Sango"),
    ("sh", "Serbo-Croatian"),
    ("si", "Sinhala"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sm", "Samoan"),
    ("sn", "Shona"),
    ("so", "Somali"),
    ("sq", "Albanian"),
    ("sr", "Serbian"),
    ("ss", "Swati"),
    ("st", "Sotho"),
    ("su", "Sundanese"),
    ("sv", "Swedish"),
    ("sw", "Swahili"),
    ("ta", "Tamil"),
    ("te", "Telugu"),
    ("tg", "Tajik"),
    ("th", "Thai"),
    ("ti", "Tigrinya"),
    ("tk", "Turkmen"),
    ("tl", "Tagalog"),
    ("tn", "Tswana"),
    ("to", "Tonga"),
    ("tr", "Turkish"),
    ("ts", "Tsonga"),
    ("tt", "Tatar"),
    ("tw", "Twi"),
    ("ty", "Tahitian"),
    ("ug", "Uyghur"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("uz", "Uzbek"),
    ("ve", "Venda"),
    ("vi", "Vietnamese"),
    ("vo", "Volapuk"),
    ("wa", "Walloon"),
    ("wo", "Wolof"),
    ("xh", "Xhosa"),
    ("yi", "Yiddish"),
    ("yo", "Yoruba"),
    ("za", "Zhuang"),
    ("zh", "Chinese"),
    ("zu", "Zulu"),
];

/// Replaced subtags that feeds still use.
const REPLACED: [&str; 5] = ["in", "iw", "ji", "jw", "mo"];

/// Codes that people write for a language, each with its subtag: codes of three letters for which
/// BCP 47 has one of two letters, and codes of countries.
const MEANT: [(&str, &str); 118] = [
    ("afr", "af"),
    ("al", "sq"),
    ("alb", "sq"),
    ("amh", "am"),
    ("ara", "ar"),
    ("arm", "hy"),
    ("asm", "as"),
    ("at", "de"),
    ("aze", "az"),
    ("baq", "eu"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bod", "bo"),
    ("bul", "bg"),
    ("bur", "my"),
    ("by", "be"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cn", "zh"),
    ("cym", "cy"),
    ("cz", "cs"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dk", "da"),
    ("dut", "nl"),
    ("ell", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("eus", "eu"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gle", "ga"),
    ("glg", "gl"),
    ("gr", "el"),
    ("gre", "el"),
    ("guj", "gu"),
    ("hau", "ha"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ibo", "ig"),
    ("ice", "is"),
    ("ind", "id"),
    ("ir", "fa"),
    ("isl", "is"),
    ("ita", "it"),
    ("jap", "ja"),
    ("jp", "ja"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("kaz", "kk"),
    ("khm", "km"),
    ("kor", "ko"),
    ("kur", "ku"),
    ("kz", "kk"),
    ("lao", "lo"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mac", "mk"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("may", "ms"),
    ("mkd", "mk"),
    ("mon", "mn"),
    ("msa", "ms"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nor", "no"),
    ("ori", "or"),
    ("pan", "pa"),
    ("per", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("pus", "ps"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slo", "sk"),
    ("slv", "sl"),
    ("snd", "sd"),
    ("som", "so"),
    ("sp", "es"),
    ("spa", "es"),
    ("sqi", "sq"),
    ("srp", "sr"),
    ("swa", "sw"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tib", "bo"),
    ("tur", "tr"),
    ("ua", "uk"),
    ("uig", "ug"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("us", "en"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("vn", "vi"),
    ("wel", "cy"),
    ("yor", "yo"),
    ("zho", "zh"),
    ("zul", "zu"),
];

/// Why no story has the language `tag`, and what to write instead. `None` if a story may have it.
///
/// Most of the thousands of subtags of three letters are not checked.
pub(crate) fn unknown(tag: &str) -> Option<(String, String)> {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
    let meant = MEANT.iter().find(|(written, _)| *written == primary).map(|(_, code)| *code);
    let is_known = match primary.len() {
        0 | 1 => true,
        2 => is_code(&primary) || REPLACED.contains(&primary.as_str()),
        3 => meant.is_none(),
        _ => false,
    };
    if is_known {
        return None;
    }
    let why = format!("`{primary}` is not a language subtag of BCP 47");
    let help = match meant.or_else(|| similar(&primary)) {
        Some(code) => format!("did you mean `{code}`{}?", name(code)),
        None => "write the code of the language: `en`, `ru`, `zh`".to_owned(),
    };
    Some((why, help))
}

fn is_code(code: &str) -> bool {
    LANGUAGES.binary_search_by_key(&code, |(code, _)| code).is_ok()
}

/// The code of the language with a name similar to `written`.
fn similar(written: &str) -> Option<&'static str> {
    if written == "klingon" {
        return Some("tlh");
    }
    let names: Vec<(String, &str)> =
        LANGUAGES.iter().map(|(code, name)| (name.to_ascii_lowercase(), *code)).collect();
    let found = nearest(written, names.iter().map(|(name, _)| name.as_str()))?.to_owned();
    names.iter().find(|(name, _)| *name == found).map(|(_, code)| *code)
}

fn name(code: &str) -> String {
    let language = LANGUAGES.iter().find(|(known, _)| *known == code);
    language.map(|(_, name)| format!(" ({name})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(LANGUAGES.is_sorted() && REPLACED.is_sorted() && MEANT.is_sorted());
        assert!(MEANT.iter().all(|(written, code)| is_code(code) && !is_code(written)));
    }

    #[rstest]
    #[case("klingon", "did you mean `tlh`?")]
    #[case("english", "did you mean `en` (English)?")]
    #[case("Rusian", "did you mean `ru` (Russian)?")]
    #[case("eng", "did you mean `en` (English)?")]
    #[case("jp", "did you mean `ja` (Japanese)?")]
    #[case("cz-CZ", "did you mean `cs` (Czech)?")]
    #[case("xx", "write the code of the language: `en`, `ru`, `zh`")]
    fn what_is_no_language_has_its_nearest(#[case] tag: &str, #[case] help: &str) {
        assert_eq!(unknown(tag).map(|(_, help)| help).as_deref(), Some(help));
    }

    #[test]
    fn languages_are_known() {
        for tag in ["en", "en-GB", "ZH_hant", "tlh", "yue", "iw", "x-private", "i-klingon"] {
            assert_eq!(unknown(tag), None, "{tag}");
        }
    }
}
