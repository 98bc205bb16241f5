//! Tests of the fast scan: it finds the words that `tokenise` finds.

use proptest::prelude::*;

use super::Words;
use crate::text::{Token, tokenise};

/// The words of `text`, added after another text.
fn quick(text: &str) -> Vec<Token> {
    let mut words = Words::default();
    words.add("C++ first");
    let numbers = words.add(text);
    let token = |place| Token {
        word: String::from_utf8(words.padded(place)[..place.length()].to_vec())
            .expect("words are text"),
        span: place.start as usize..place.end as usize,
        paragraph: place.paragraph - 1,
    };
    words.places()[numbers].iter().map(token).collect()
}

#[test]
fn every_character_is_read_as_the_slow_way_reads_it() {
    for c in ('\0'..'\u{600}')
        .chain('\u{2000}'..'\u{2070}')
        .chain(['€', '\u{3000}', '가', '北', '🚀', '\u{feff}'])
    {
        for text in [
            format!("{c}"),
            format!("ab{c}CD 1{c}2"),
            format!("a.{c}.b a{c}b u.s{c} u.s.{c}"),
            format!("x{c}'s {c}’s '{c}s ab\"{c}s"),
            format!("п{c}п q\n{c}\nr \r{c}\n w"),
            format!("{c}{c}.{c}.s {c}.5,{c} 5.{c}"),
        ] {
            assert_eq!(quick(&text), tokenise(&text), "{text:?} {}", u32::from(c));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn texts_have_the_same_words_either_way(
        text in "([a-zA-Z]{1,4}|[अ-ह]|[\u{93c}-\u{94d}]|[ก-๎]|[。，・「 ]|[ァ-ヺー]|[ぁ-ん]|[國習一-龥]|[\u{64b}-\u{652}ـ\u{200c}]|[\u{5b0}-\u{5bb}]|[sS]|[0-9]{1,3}|[0-9],[0-9]{3}|[.,’'`\"“”»…·:&+#_/-]|[ \n\r\u{a0}\u{2028}]|[é-ÿŁœſßʼnŀ]|[А-я]|[ά-ώΣ]|\u{301}|\u{ad}|\u{200b}|[א-ת״]|[가-각]|[ア-オ北]|[٠-٩ا]|[ء-يٱ-ۓ]{1,3}|[،؛؟۔।॥]|[가-힣]{1,3}|[क-ह\u{93c}]{1,3}|[國習一-龥]{1,5}|[ก-๎]{1,5}|[ァ-ヺー]{1,3}|[，％／－＊；：！？（）～฿　]|[々〆〇ゝヽ㐀]|[\u{3099}\u{e4d}\u{fe00}]|\\PC){0,40}",
    ) {
        prop_assert_eq!(quick(&text), tokenise(&text));
    }

    #[test]
    fn any_string_has_the_same_words_either_way(text in any::<String>()) {
        prop_assert_eq!(quick(&text), tokenise(&text));
    }
}

#[test]
fn hostile_texts_have_the_same_words_either_way() {
    for part in [
        "1,000 ",
        "12,345é",
        "लड़ाई",
        "न\u{93c}",
        "กำ",
        "กำ\u{e4d}\u{e49}า",
        "國",
        "國\u{301}習",
        "5％國",
        "１國，",
        "國ア",
        "a.",
        "s'",
        "1,",
        "é",
        "\u{301}",
        "’s",
        "a.b.",
        "…",
        "\n\n",
        "\r\n",
        "U.S",
        "😀",
        "ß",
        "a\u{ad}",
    ] {
        let text = part.repeat(1000);
        assert_eq!(quick(&text), tokenise(&text), "{part}");
    }
}
