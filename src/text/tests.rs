//! What counts as a word, by script and sign.

use proptest::prelude::*;

use super::tokenise;

/// A text, and its words with a space between them.
const WORDS: &[(&str, &str)] = &[
    ("North Korea-Russia", "north korea russia"),
    ("Russia’s Russia's Russiaʼs Russia‘s RUSSIA’S", "russia russia russia russia russia"),
    ("James’ dogs' the 1990's U.S.'s", "james dogs the 1990 u.s"),
    ("Rusya’nın l’arme don't it's", "rusya nin l arme don t it"),
    ("п'ять п’ять пʼять", "п ять п ять п ять"),
    ("'s-Hertogenbosch (’s-Hertogenbosch)", "s hertogenbosch s hertogenbosch"),
    ("arms.Russia said:yes paral·lel", "arms russia said yes paral lel"),
    ("U.S. U.S U.S.A. e.g. U.S.Army J.Smith J.K.Rowling", "u.s u.s u.s.a e.g u.s army j smith j.k rowling"),
    ("3.14 3,000 12:30 COVID-19 F-16s", "3.14 3,000 12 30 covid 19 f 16s"),
    ("and/or snake_case arms—trade arms–trade arms‐trade ½", "and or snake case arms trade arms trade arms trade 1 2"),
    ("AT&T C++ #arms @nato !!! … 🚀", "at t c arms nato"),
    ("https://example.org/North_Korea?x=1", "https example org north korea x 1"),
    ("北朝鮮のミサイル", "北 朝 鮮 の ミ サ イ ル"),
    ("ﾐｻｲﾙ ガス ラーメン", "ミ サ イ ル ガ ス ラ ー メ ン"),
    ("김정은이 북한의", "김정은이 북한의"),
    ("Россия и КНДР, Кремль", "россия и кндр кремль"),
    ("и\u{306}од", "йод"),
    ("Rus\u{ad}sia Rus\u{200b}sia \u{feff}Russia", "russia russia russia"),
    ("مِصر العربيّة", "مِصر العربيّة"),
    ("ประเทศ", "ป ร ะ เ ท ศ"),
    ("हिन्दी में", "हिन्दी में"),
];

#[test]
fn texts_fall_into_words() {
    for (text, expected) in WORDS {
        let words: Vec<String> = tokenise(text).into_iter().map(|token| token.word).collect();
        assert_eq!(words.join(" "), *expected, "{text}");
    }
}

#[test]
fn tokens_say_where_they_stand_and_in_which_paragraph() {
    let text = "\n\nThe Rus\u{ad}sia’s\nU.S. deal\n \nStra\u{df}e ½.";
    let tokens = tokenise(text);
    let shown: Vec<(&str, u32)> = tokens.iter().map(|token| (&text[token.span.clone()], token.paragraph)).collect();
    let expected = [("The", 0), ("Rus\u{ad}sia", 0), ("U.S.", 0), ("deal", 0), ("Straße", 1), ("½", 1), ("½", 1)];
    assert_eq!(shown, expected);
}

#[test]
fn huge_words_and_texts_are_tokenised() {
    assert_eq!(tokenise(&"é".repeat(1_000_000)).len(), 1);
    assert_eq!(tokenise(&format!("e{}", "\u{301}".repeat(200_000))).len(), 1);
    assert_eq!(tokenise(&"a.".repeat(100_000)).len(), 1);
    assert_eq!(tokenise(&"ab’".repeat(100_000)).len(), 100_000);
    assert_eq!(tokenise(&"word ".repeat(200_000)).len(), 200_000);
}

proptest! {
    #[test]
    fn words_begin_with_a_letter_or_digit_and_stand_in_order_on_boundaries(text in any::<String>()) {
        let mut last = (0, 0);
        for token in tokenise(&text) {
            prop_assert!(!token.span.is_empty());
            prop_assert!(token.word.starts_with(char::is_alphanumeric) && !token.word.contains(char::is_whitespace));
            prop_assert!(text.get(token.span.clone()).is_some());
            prop_assert!(last <= (token.span.start, token.span.end));
            last = (token.span.start, token.span.end);
        }
    }
}
