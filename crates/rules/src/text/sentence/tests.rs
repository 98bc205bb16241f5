//! Tests of the ends of sentences, in several languages and with unusual punctuation.

use proptest::prelude::*;
use proptest::sample::Index;

use super::{REACH, sentence_around, sentences};
use crate::text::tokenise;

/// The sentences with ` | ` between them.
fn shown(text: &str) -> String {
    sentences(text).into_iter().map(|sentence| &text[sentence]).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_text_falls_into_sentences() {
    let cases = [
        "One two. | Three arms four! | Five? | Six",
        "He asked: “Arms?” | Nobody said so.",
        "He said: “No arms.” | Then he left.",
        "“Arms?” he asked. | “Never!” she said.",
        "Shells (and arms.) | Then more.",
        "He left… | The army came… and went. | Wait... | What?",
        "武器を売った。 | 次の日。 | 「撃つな！」 | 彼は言った。",
        "我……不知道。 | 他走了！",
        "北한은 말했다. | 미사일을 쐈다. | 할 것. | 끝",
        "भारत ने कहा। | पाकिस्तान ने सुना।",
        "هل باع؟ | نعم باع. | قال ذلك۔ | وذهب",
        "Το είπε. | Πότε;",
        "Россия продала оружие. | Москва молчит.",
        "It cost 3.5 million. | Version 2.0 of example.org is out.",
        "arms.Russia said: yes. | Then five.",
    ];
    for expected in cases {
        assert_eq!(shown(&expected.replace(" | ", " ")), expected);
    }
}

#[test]
fn a_lone_line_break_is_only_white_space() {
    assert_eq!(
        shown("North\nKorea sells.\nRussia\r\nbuys\u{2028}arms.  "),
        "North\nKorea sells. | Russia\r\nbuys\u{2028}arms."
    );
    assert_eq!(
        shown("A headline\n\nThe arms deal\n \nMr.\n\nSmith"),
        "A headline | The arms deal | Mr. | Smith"
    );
}

#[test]
fn abbreviations_and_single_initials_end_no_sentence() {
    let cases = [
        "Mr. Kim met Dr. Lee. | Gen. Park, Sen. Smith and Gov. Brown came to St. Petersburg.",
        "J. Smith and J. K. Rowling met. | George W. Bush did not.",
        "Apple Inc. CEO Tim Cook spoke. | He left Apple Inc. | The company did not.",
        "It is No. 5 Downing Street. | No. | He stays.",
        "On Jan. 5 and Sept. 10 Ana came. | Russia vs. Ukraine. | Approx. Five.",
        "Plan B. | The minister agreed. | Smith Jr. Said so.",
        "Am 24. November sprach z. B. Merkel. | Das war z.B. Berlin und Dr. Müller.",
        "M. Dupont et Mme. Blanc. | Il part. | El Sr. García y la Sra. López de EE. UU. Hoy.",
        "В 2026 г. Москва продала 5 тыс. Ракет. | Это было, т.е. Москва. | А. С. Пушкин.",
        "В 2026 г. | В Москве тихо.",
        "Wash. | Then go. | The sun. | Russia.",
    ];
    for expected in cases {
        assert_eq!(shown(&expected.replace(" | ", " ")), expected);
    }
}

#[test]
fn dotted_letters_end_a_sentence_only_before_a_word_that_begins_one() {
    let cases = [
        "The U.S. Army left. | It came to the U.S. | The minister did not.",
        "In the U.S. arms are sold. | Yes.",
        "They fled to the U.S. | “In Korea,” he said.",
        "At 5 p.m. Monday. | At 5 a.m. | He left. | A Ph.D. Student.",
        "The U.S. A. Smith. | U.S.-made. | THE U.S. | IN KOREA",
    ];
    for expected in cases {
        assert_eq!(shown(&expected.replace(" | ", " ")), expected);
    }
}

#[test]
fn a_word_is_shown_in_its_sentence() {
    let cases = [
        ("One two. Three arms four! Five.", "arms", "Three arms four!"),
        ("arms", "arms", "arms"),
        ("  arms  ", "arms", "arms"),
        ("A headline\n\nThe arms deal", "arms", "The arms deal"),
        ("The arms deal\n\nnot this", "arms", "The arms deal"),
        ("In the U.S. arms are sold. Yes.", "arms", "In the U.S. arms are sold."),
        ("Gen. Park sold\narms. Yes.", "arms", "Gen. Park sold\narms."),
        ("武器を売った。次の日。", "売", "武器を売った。"),
        ("One. Two North\nKorea three. Four", "North\nKorea", "Two North\nKorea three."),
        ("One. Two", "One. Two", "One. Two"),
        ("One. Two.\n\nThree. Four.", "Two.\n\nThree", "Two.\n\nThree."),
    ];
    for (text, word, expected) in cases {
        let start = text.find(word).expect("the case holds its word");
        assert_eq!(
            &text[sentence_around(text, &(start..start + word.len()))],
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn a_text_without_full_stops_is_read_only_nearby() {
    let text = "é ".repeat(1_000_000);
    let found = sentence_around(&text, &(1_500_000..1_500_002));
    assert!(found.len() <= 2 * REACH + 2 && found.contains(&1_500_000));
}

#[test]
fn hostile_texts_are_split_in_time_linear_in_their_length() {
    assert_eq!(sentences(&"word ".repeat(200_000)).len(), 1);
    for piece in [
        ".", ". ", ")", "a. ", "A.", "א.", "U.S. ", "…", "! ", "1.", "\n \n", "e\u{301}",
        "\u{301}", "\u{ad}", "»",
    ] {
        for start in ["", "A. ", "!", "א.", "1."] {
            let text = format!("{start}{}", piece.repeat(40_000 / piece.len()));
            assert!(sentences(&text).iter().all(|sentence| !sentence.is_empty()), "{piece}");
        }
    }
}

/// Texts with many of the signs and words that decide the ends of sentences.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            ".", "!", "?", "。", "…", "।", " ", "\n", "\n\n", "\"", "”", "(", ")", "Mr", "U.S.",
            "J", "The", "No", "5", "а", "Б", "א", "가", "中", "\u{301}", "\u{ad}", "\u{115f}",
            "\u{200b}", "．", "②", "&", "c++", "'s", "½", ",", ":",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn sentences_are_in_order_trimmed_and_hold_every_token_once(text in text()) {
        let found = sentences(&text);
        let mut end = 0;
        for sentence in &found {
            prop_assert!(end <= sentence.start && sentence.start < sentence.end);
            let shown = text.get(sentence.clone()).expect("on character boundaries");
            prop_assert_eq!(shown, shown.trim());
            end = sentence.end;
        }
        for token in tokenise(&text) {
            let holds = |sentence: &&std::ops::Range<usize>| sentence.start <= token.span.start && token.span.end <= sentence.end;
            let touches = |sentence: &&std::ops::Range<usize>| sentence.start < token.span.end && token.span.start < sentence.end;
            prop_assert_eq!((found.iter().filter(holds).count(), found.iter().filter(touches).count()), (1, 1), "{:?} in {:?}: {:?}", token, text, found);
            prop_assert!(found.contains(&sentence_around(&text, &token.span)));
        }
    }

    #[test]
    fn the_sentence_holds_the_span(text in text(), ends in any::<[Index; 2]>()) {
        let mut ends = ends.map(|end| text.floor_char_boundary(end.index(text.len() + 1)));
        ends.sort_unstable();
        let span = ends[0]..ends[1];
        let found = sentence_around(&text, &span);
        let shown = &text[found.clone()];
        prop_assert_eq!(shown, shown.trim());
        let words = text[span.clone()].trim();
        prop_assert!(words.is_empty() || shown.contains(words));
    }
}
