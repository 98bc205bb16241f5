//! Tests of words, by script and sign.

use proptest::prelude::*;

use super::tokenise;

/// Texts, each with its words separated by spaces.
const WORDS: &[(&str, &str)] = &[
    ("North Korea-Russia", "north korea russia"),
    ("Russia’s Russia's Russiaʼs Russia‘s RUSSIA’S", "russia russia russia russia russia"),
    ("James’ dogs' the 1990's U.S.'s", "james dogs the 1990 u.s"),
    ("Rusya’nın l’arme don't it's", "rusya nin l arme don t it"),
    ("п'ять п’ять пʼять", "пять пять пять"),
    ("'s-Hertogenbosch (’s-Hertogenbosch)", "s hertogenbosch s hertogenbosch"),
    ("arms.Russia said:yes paral·lel", "arms russia said yes paral lel"),
    (
        "U.S. U.S U.S.A. e.g. U.S.Army J.Smith J.K.Rowling",
        "u.s u.s u.s.a e.g u.s army j smith j.k rowling",
    ),
    ("3.14 3,000 12:30 COVID-19 F-16s", "3.14 3000 12 30 covid 19 f 16s"),
    (
        "and/or snake_case arms—trade arms–trade arms‐trade ½",
        "and or snake case arms trade arms trade arms trade 1 2",
    ),
    ("#arms #NorthKorea @nato @nato_hq !!! … 🚀 🇺🇦 1️⃣", "arms northkorea nato nato hq 1"),
    (
        "https://example.org/North_Korea?x=1&y=2 ana@example.org",
        "https example org north korea x 1 y 2 ana example org",
    ),
    ("北朝鮮のミサイル", "北 朝 鲜 の ミサイル"),
    ("ﾐｻｲﾙ ガス ラーメン", "ミサイル ガス ラーメン"),
    ("김정은이 북한의", "김정은이 북한의"),
    ("Россия и КНДР, Кремль", "россия и кндр кремль"),
    ("и\u{306}од", "йод"),
    ("Rus\u{ad}sia Rus\u{200b}sia \u{feff}Russia", "russia russia russia"),
    ("مِصر العربيّة رئيسًا کره ایران", "مصر العربيه رييسا كره ايران"),
    ("ประเทศ", "ป ร ะ เ ท ศ"),
    ("हिन्दी में", "हिन्दी में"),
    // Words with a sign
    ("AT&T R&D S&P, H&M’s Q&A: Ａ＆Ｍ PG&E at&t", "at&t r&d s&p h&m q&a a&m pg&e at&t"),
    ("Johnson&Johnson Barnes & Noble A & B AT& &T", "johnson johnson barnes noble a b at t"),
    ("S&P500 S&P 500 R&D-Chef A&B&C 7&i 3&4 Q3&Q4", "s&p 500 s&p 500 r&d chef a&b&c 7&i 3 4 q3 q4"),
    ("中&美 김&장 צ&ה", "中 美 김 장 צ ה"),
    (
        "C++ C# F#, g++; C++20 C++/C# c＋＋ C♯ C++’s C#’s",
        "c++ c# f# g++ c++ 20 c++ c# c++ c# c++ c#",
    ),
    ("Notepad++ Disney+ A+ C#health C++ish 1++ C+++ #C", "notepad disney a c health c ish 1 c c"),
    // Numbers and signs
    (
        "$100m €5bn 10°C 5% 24/7 Q3/2026 1;2 1:0 3–2 1,5",
        "100m 5bn 10 c 5 24 7 q3 2026 1 2 1 0 3 2 1,5",
    ),
    ("№ 5 №5 No. 5 3½ 1½% ② iPhone™ m² CO₂", "no 5 no 5 no 5 3 1 2 1 1 2 2 iphone m2 co2"),
    ("２０２６ ٢٠٢٦ ۲۰۲۶ २०२६ ３．１４ ٣٫١٤ ٣٬٠٠٠", "2026 2026 2026 2026 3.14 3.14 3000"),
    ("Ph.D. a.m. p.m. J.Smith 5'10″ 6′", "ph d a.m p.m j smith 5 10 6"),
    ("“Putin”’s \"Putin\"'s Putin´s Putin`s Putin′s", "putin putin putin putin putin"),
    ("\"'s-Hertogenbosch\" ‘arms’ ‘s’ the 's", "s hertogenbosch arms s the s"),
    (
        "arms…Russia arms...Russia arms‑trade arms―trade",
        "arms russia arms russia arms trade arms trade",
    ),
    ("Qurʾan Qur’an ʿAbd Hawaiʻi", "quran quran abd hawaii"),
    // Hangul beside other scripts
    ("NATO가 3월 F-16을 K팝 LG전자 코로나19가", "nato 가 3 월 f 16 을 k 팝 lg 전자 코로나 19 가"),
    ("서울㈜ 김\u{200b}정은", "서울 주 김정은"),
    // Hebrew signs
    ("צה\"ל צה״ל צה”ל בצה\"ל\" מנכ\"לית", "צהל צהל צהל בצהל מנכלית"),
    ("ג'ורג' ג׳ורג׳ ג’ורג’", "גורג גורג גורג"),
    ("ב\"הארץ\" \"שלום\" 'שלום'", "ב הארץ שלום שלום"),
    // Cyrillic stress
    ("Росси́я Россия замо́к й Йод ѓорѓи ќе", "россия россия замок й йод ѓорѓи ќе"),
    ("НАТОwiki", "натоwiki"),
    // Scripts without spaces
    ("กรุงเทพ น้ำ ปี2026", "ก รุ ง เ ท พ น้ ำ ปี 2026"),
    ("ລາວ ຕຳ", "ລ າ ວ ຕ ຳ"),
    ("ខ្មែរ မြန်မာ", "ខ្ មែ រ မြ န် မာ"),
    // Letters and marks of other scripts
    ("क्षेत्र है।नई क़ानून", "क्षेत्र है नई क\u{93c}ानून"),
    ("می\u{200c}خواهد ﷺ لا", "مي خواهد صلي الله عليه وسلم لا"),
    ("Ποιος; ΤΙΣ τις", "ποιοσ τισ τισ"),
    ("ﬁn ﬀ Œuvre ĳ Ǆ ﬅ", "fin ff oeuvre ij dz st"),
];

fn words(text: &str) -> String {
    tokenise(text).into_iter().map(|token| token.word).collect::<Vec<_>>().join(" ")
}

#[test]
fn texts_fall_into_words() {
    for (text, expected) in WORDS {
        assert_eq!(words(text), *expected, "{text}");
    }
}

#[test]
fn tokens_say_where_they_stand_and_in_which_paragraph() {
    let text = "\n\nThe Rus\u{ad}sia’s\nU.S. deal\n \nStra\u{df}e ½.";
    let tokens = tokenise(text);
    let shown: Vec<(&str, u32)> =
        tokens.iter().map(|token| (&text[token.span.clone()], token.paragraph)).collect();
    let expected = [
        ("The", 0),
        ("Rus\u{ad}sia", 0),
        ("U.S.", 0),
        ("deal", 0),
        ("Straße", 1),
        ("½", 1),
        ("½", 1),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn huge_words_and_texts_are_tokenised() {
    assert_eq!(tokenise(&"é".repeat(1_000_000)).len(), 1);
    assert_eq!(tokenise(&format!("e{}", "\u{301}".repeat(200_000))).len(), 1);
    assert_eq!(tokenise(&"a.".repeat(100_000)).len(), 1);
    assert_eq!(tokenise(&"ab’".repeat(100_000)).len(), 1);
    assert_eq!(tokenise(&"l’".repeat(100_000)).len(), 100_000);
    assert_eq!(tokenise(&"word ".repeat(200_000)).len(), 200_000);
    assert_eq!(tokenise(&"a&".repeat(200_000)).len(), 1);
    assert_eq!(tokenise(&"c++".repeat(100_000)).len(), 100_000);
    assert_eq!(tokenise(&"א\"".repeat(100_000)).len(), 1);
    assert_eq!(tokenise(&format!("א{}", "\"\u{5b8}".repeat(100_000))).len(), 1);
    assert_eq!(tokenise(&"가a".repeat(100_000)).len(), 200_000);
    for sign in ["&", "+", "\"", "#", "'", "..."] {
        assert_eq!(tokenise(&format!("c{}a", sign.repeat(100_000))).len(), 2, "{sign}");
    }
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
