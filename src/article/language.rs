//! The language of a story: what its publisher says, unless its script contradicts, else what its
//! words show.

use tidings_rules::story::LanguageTag;
use whatlang::{Lang, Script};

/// The most bytes of a text in which a language is looked for.
const MOST_READ: usize = 4096;

/// The most bytes of a text whose script is compared with what a feed says.
const MOST_COMPARED: usize = 1024;

/// The least confidence of a language that counts. `docs/benchmarks.md` has the measurements.
const LEAST_CONFIDENCE: f64 = 0.7;

/// The fewest letters of a script that contradict a language. A Latin name in another script does
/// not: `iPhone 17 Pro`.
const FEWEST_LETTERS: usize = 4;
const FEWEST_LATIN: usize = 40;

/// The language of a story with this headline and text. `said` are the languages that its feed and
/// its page give, the stronger first. `None` if no word of it shows a language clearly.
#[must_use]
pub fn story_language(said: &[Option<&str>], title: &str, text: &str) -> Option<String> {
    let text = format!("{title}\n{}", &text[..text.floor_char_boundary(MOST_READ)]);
    stated(said, &text).or_else(|| shown(&text))
}

/// The language that a feed or page says, if the script of the story does not contradict.
#[must_use]
pub fn stated_language(said: Option<&str>, title: &str, text: &str) -> Option<String> {
    let text = format!("{title}\n{}", &text[..text.floor_char_boundary(MOST_READ)]);
    stated(&[said], &text)
}

fn stated(said: &[Option<&str>], text: &str) -> Option<String> {
    let said = said.iter().flatten().map(|said| said.trim());
    let said = said.filter(|said| LanguageTag::parse(said).is_some());
    said.into_iter().find(|said| !contradicts(said, text)).map(ToOwned::to_owned)
}

/// Whether a text is in a script in which the language of `tag` is not written.
fn contradicts(tag: &str, text: &str) -> bool {
    let Some(scripts) = scripts(tag) else { return false };
    if text.is_ascii() && scripts.contains(&Script::Latin) {
        return false;
    }
    let text = &text[..text.floor_char_boundary(MOST_COMPARED)];
    let Some(script) = whatlang::detect_script(text) else { return false };
    let letters = text.chars().filter(|c| c.is_alphabetic()).take(FEWEST_LATIN).count();
    let fewest = if script == Script::Latin { FEWEST_LATIN } else { FEWEST_LETTERS };
    letters >= fewest && !scripts.contains(&script)
}

/// The scripts in which a language is written; `None` for a language that is not listed, and for a
/// tag that names a script.
fn scripts(tag: &str) -> Option<&'static [Script]> {
    use Script::{
        Arabic, Armenian, Bengali, Cyrillic, Devanagari, Ethiopic, Georgian, Greek, Hangul, Hebrew,
        Hiragana, Katakana, Latin, Mandarin, Tamil, Thai,
    };
    let primary = LanguageTag::parse(tag)?.primary().to_ascii_lowercase();
    let names_script = tag.split(['-', '_']).nth(1).is_some_and(|part| part.len() == 4);
    if names_script && primary != "zh" {
        return None;
    }
    Some(match primary.as_str() {
        "af" | "ca" | "cs" | "cy" | "da" | "de" | "en" | "es" | "et" | "eu" | "fi" | "fr"
        | "ga" | "gl" | "hr" | "hu" | "id" | "is" | "it" | "lt" | "lv" | "ms" | "mt" | "nl"
        | "no" | "pl" | "pt" | "ro" | "sk" | "sl" | "sq" | "sv" | "sw" | "tl" | "tr" | "vi" => {
            &[Latin]
        }
        "be" | "bg" | "kk" | "ky" | "mk" | "mn" | "ru" | "tg" | "uk" => &[Cyrillic],
        "sr" | "bs" | "uz" | "az" => &[Latin, Cyrillic],
        "ar" | "fa" | "ur" | "ps" => &[Arabic],
        "he" | "yi" => &[Hebrew],
        "el" => &[Greek],
        "hy" => &[Armenian],
        "ka" => &[Georgian],
        "am" => &[Ethiopic],
        "th" => &[Thai],
        "hi" | "mr" | "ne" => &[Devanagari],
        "bn" => &[Bengali],
        "ta" => &[Tamil],
        "ko" => &[Hangul, Mandarin],
        "ja" => &[Hiragana, Katakana, Mandarin],
        "zh" => &[Mandarin],
        _ => return None,
    })
}

/// The language that the words of a text show, if they show it clearly.
fn shown(text: &str) -> Option<String> {
    let found = whatlang::detect(text).filter(|found| found.confidence() >= LEAST_CONFIDENCE)?;
    Some(tag(found.lang()).to_owned())
}

/// The tag of a language (ISO 639-1, else 639-3).
fn tag(lang: Lang) -> &'static str {
    LanguageTag::parse(lang.code()).map_or(lang.code(), |tag| tag.primary())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ENGLISH: &str =
        "The minister said on Tuesday that the talks about the harbour would go on.";
    const GERMAN: &str =
        "Die Ministerin sagte am Dienstag, die Gespräche über den Hafen gingen weiter.";
    const KOREAN: &str = "북한과 러시아가 무기 공급에 합의했다";

    #[rstest]
    #[case::said(&[Some("de-AT"), Some("en")], GERMAN, Some("de-AT"))]
    #[case::said_and_wrong_in_one_script(&[Some("en")], GERMAN, Some("en"))]
    #[case::blank(&[Some(" ")], GERMAN, Some("de"))]
    #[case::undetermined(&[Some("und"), Some("de")], GERMAN, Some("de"))]
    #[case::not_said(&[None], ENGLISH, Some("en"))]
    #[case::by_the_page(&[None, Some("en-GB")], ENGLISH, Some("en-GB"))]
    #[case::contradicted(&[Some("en-us")], KOREAN, Some("ko"))]
    #[case::contradicted_in_latin(&[Some("ar")], ENGLISH, Some("en"))]
    #[case::contradicted_and_said_by_the_page(&[Some("en"), Some("ko-KR")], KOREAN, Some("ko-KR"))]
    #[case::a_name_in_latin(&[Some("zh-CN")], "iPhone 17 Pro", Some("zh-CN"))]
    #[case::japanese_without_kana(&[Some("ja")], "北朝鮮核実験", Some("ja"))]
    #[case::a_script_of_its_own(&[Some("sr-Latn")], "Министар", Some("sr-Latn"))]
    #[case::a_name_of_a_language(&[Some("English")], ENGLISH, Some("English"))]
    #[case::a_name_that_is_contradicted(&[Some("English")], KOREAN, Some("ko"))]
    #[case::too_short(&[None], "Kim visits", None)]
    #[case::nothing(&[None], "", None)]
    fn a_language_is_what_is_said_unless_the_script_contradicts(
        #[case] said: &[Option<&str>],
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(story_language(said, "", text).as_deref(), expected);
        assert_eq!(story_language(said, text, "").as_deref(), expected);
    }
}
