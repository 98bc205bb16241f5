//! Tests of the YAML reader.

use proptest::prelude::*;

mod second_opinion;

use super::*;
use crate::fault::render;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() })
}

/// The rendered faults of a text.
fn faults_of(text: &str) -> String {
    let mut faults = Vec::new();
    let document = parse(&source(text), &mut faults);
    let shown = render(&faults, false);
    format!("{shown}{}", if document.is_some() { "usable" } else { "unusable" })
}

/// The value of `when`.
fn when(document: &YamlDocument) -> Text {
    let mut faults = Vec::new();
    let mut entries = document.root().entries(&mut faults).expect("a mapping");
    let text = entries.require("when", &mut faults).expect("when is there").text(&mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    text.expect("a text")
}

#[test]
fn what_yaml_would_silently_lose_is_a_fault() {
    insta::assert_snapshot!("tag", faults_of("when: !sport AND x\n"));
    insta::assert_snapshot!("sharp", faults_of("when: C #sharp\n"));
    insta::assert_snapshot!("twice", faults_of("a: 1\nb: 2\na: 3\n"));
    insta::assert_snapshot!("two_documents", faults_of("a: 1\n---\nb: 2\n"));
}

#[test]
fn what_is_not_yaml_is_explained() {
    insta::assert_snapshot!(
        "text_after_quotes",
        faults_of("rules:\n  - when: \"interest rate\" AND fed\n")
    );
    insta::assert_snapshot!("tab", faults_of("a:\n\tb: c\n"));
    insta::assert_snapshot!("colon_in_value", faults_of("when: title: Russia\n"));
    insta::assert_snapshot!("reserved_start", faults_of("when: *missile\n"));
    insta::assert_snapshot!("missing_space", faults_of("name: a\nwhen:Russia\n"));
    insta::assert_snapshot!("open_bracket", faults_of("a: [b, c\nd: e\n"));
    insta::assert_snapshot!("text_after_quotes_in_a_list", faults_of("a: [b, \"c d\" e, f]\n"));
    insta::assert_snapshot!("apostrophe_in_quotes", faults_of("when: 'it's here'\n"));
    insta::assert_snapshot!("open_quote", faults_of("when: 'Russia AND\n"));
    insta::assert_snapshot!("bad_escape", faults_of("when: \"Russia \\\" AND\n  \\q\"\n"));
    insta::assert_snapshot!("lone_surrogate", faults_of("when: \"\\u00e9 \\ud800\"\n"));
    insta::assert_snapshot!("list_beside_key", faults_of("when: - a\n"));
    insta::assert_snapshot!(
        "key_in_value",
        faults_of("rules:\n  - when: Russia AND\n      title: b\n")
    );
    insta::assert_snapshot!("comment_in_value", faults_of("when: C # sharp\n  AND x\n"));
    insta::assert_snapshot!("tab_in_value", faults_of("a:\n  - b\n\t- c\n"));
    insta::assert_snapshot!("control_character", faults_of("a: x\0y\n"));
}

#[test]
fn a_tag_is_found_wherever_its_value_stands() {
    for (text, tag) in [
        ("a: !sport\n  AND x!\n", "!sport"),
        ("a: [b, !c d!]", "!c"),
        ("a: !b {c: d}", "!b"),
        ("a: !<x> 'b!'", "!<x>"),
        ("!a b: c", "!a"),
    ] {
        let (mut faults, source) = (Vec::new(), source(text));
        assert!(parse(&source, &mut faults).is_none(), "{text}");
        assert_eq!(&source.text[faults[0].span.clone()], tag, "{text}");
    }
}

#[test]
fn a_plain_value_that_begins_with_a_reserved_sign_is_refused_in_brackets_too() {
    for text in ["a: {b: >\n c}\n", "a: [|x]\n", "a: {b: @c}\n", "a: [%b]\n"] {
        assert!(faults_of(text).ends_with("unusable"), "{text}");
    }
}

#[test]
fn comments_after_a_space_are_comments() {
    assert_eq!(faults_of("when: Russia # the country\nn: 1 #\n"), "usable");
}

#[test]
fn a_place_in_a_value_is_found_in_every_way_of_writing_it() {
    for text in [
        "when: Russia AND (Rússia arms\n",
        "when: Russia AND\n  (Rússia arms\n",
        "when: 'Russia ''AND'' (Rússia arms'\n",
        "when: \"Russia \\\"AND\\\" \\u0041\\u00fa (Rússia arms\"\n",
        "when: |\n  Russia AND\n  (Rússia\n  arms\n",
        "when: >-\n  Russia AND\n\n    (Rússia arms\n",
        "when: \"Russia \\\n   AND (Rússia arms\"\n",
        "when: \"Russia\\n\\tAND\\n(Rússia\\_arms\"\n",
    ] {
        let mut faults = Vec::new();
        let source = source(text);
        let document = parse(&source, &mut faults).unwrap_or_else(|| panic!("{text}: {faults:?}"));
        let value = when(&document);
        for word in ["(Rússia", "arms", "Russia"] {
            let start = value.value.find(word).unwrap_or_else(|| panic!("{:?}", value.value));
            let place = value.place(start..start + word.len());
            assert_eq!(&source.text[place], word, "{text}");
        }
        let end = value.place(value.value.len()..value.value.len());
        assert!(end.is_empty() && source.text.is_char_boundary(end.start), "{text}: {end:?}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_faults_that_say_what_should_stand_there() {
    let source = source("a: [1]\nb: yes\nc: true\nd: -1\ne: 3 weeks or so\nf: 2026\ng:\n");
    let mut faults = Vec::new();
    let document = parse(&source, &mut faults).expect("sound YAML");
    let mut entries = document.root().entries(&mut faults).expect("a mapping");
    entries.require("a", &mut faults).expect("there").text(&mut faults);
    entries.require("b", &mut faults).expect("there").items(&mut faults);
    entries.require("c", &mut faults).expect("there").text(&mut faults);
    entries.require("d", &mut faults).expect("there").count(&mut faults);
    entries.require("e", &mut faults).expect("there").duration(&mut faults);
    assert_eq!(
        entries.require("f", &mut faults).expect("there").text(&mut faults).expect("a text").value,
        "2026"
    );
    entries.require("g", &mut faults);
    entries.refuse_unknown_keys(&mut faults);
    let said: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
    assert_eq!(
        said,
        [
            "expected a text, found a list",
            "expected a list, found a text",
            "expected a text, found true",
            "this is not a whole number from 0 up",
            "`3 weeks or so` is not a length of time",
            "`g` is missing here",
        ]
    );
}

#[test]
fn an_unknown_key_names_the_nearest_that_is_known() {
    let source = source("wehn: a\ncolour: b\n");
    let mut faults = Vec::new();
    let document = parse(&source, &mut faults).expect("sound YAML");
    let mut entries = document.root().entries(&mut faults).expect("a mapping");
    assert!(entries.get("when").is_none());
    entries.refuse_unknown_keys(&mut faults);
    let help: Vec<_> = faults.iter().map(|fault| fault.help.as_deref().expect("advice")).collect();
    assert_eq!(help, ["did you mean `when`?", "the keys here are: when"]);
}

#[test]
fn hostile_texts_cost_little_and_end_in_a_fault() {
    let deep = "[".repeat(10_000);
    let bomb: String = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [*a{p}, *a{p}]\n", p = n - 1)
    });
    for text in [
        deep.as_str(),
        &bomb,
        "a: \"\\ud800\"",
        "a: b: c: d",
        "\0",
        "%",
        &"a:".repeat(100_000),
        "? [a]\n: b",
        "- - - -\n\t- x",
    ] {
        let said = faults_of(text);
        assert!(said.ends_with("unusable") && said.len() < 2000, "{}", &text[..text.len().min(40)]);
    }
    assert_eq!(faults_of(""), "usable");
    assert_eq!(faults_of("# nothing yet\n"), "usable");
}

#[test]
fn a_list_or_mapping_stands_from_its_start_to_its_bracket_or_the_end_of_its_first_line() {
    let source = source("a: {b: [c, d], e: f} # g\nh: [\n  i,\n]\nj:\n  k: l # m\n  n: o\n");
    let document = parse(&source, &mut Vec::new()).expect("sound YAML");
    let values: Vec<Node<'_>> =
        document.root().pairs(&mut Vec::new()).into_iter().map(|(_, value)| value).collect();
    let shown: Vec<&str> = values.iter().map(|value| &source.text[value.span()]).collect();
    assert_eq!(shown, ["{b: [c, d], e: f}", "[", "k: l # m"]);
}

#[test]
fn an_alias_stands_where_it_was_written() {
    let source = source("a: &x [arms, oil, 0x1F]\nb: *x\n");
    let mut faults = Vec::new();
    let document = parse(&source, &mut faults).expect("sound YAML");
    let mut entries = document.root().entries(&mut faults).expect("a mapping");
    let items = entries.require("b", &mut faults).expect("there").items(&mut faults);
    assert_eq!(items.len(), 3);
    assert_eq!(&source.text[items[1].span()], "*x");
    let oil = items[1].text(&mut faults).expect("a text");
    assert_eq!((oil.value.as_str(), &source.text[oil.place(1..2)]), ("oil", "*x"));
    assert_eq!(items[2].text(&mut faults).expect("a text").value, "31");
}

#[test]
fn an_anchor_that_nothing_names_is_refused_and_one_in_use_is_not() {
    let said = faults_of("when: &arms oil\n");
    assert!(
        said.contains("a word that begins with `&` is an anchor") && said.ends_with("unusable"),
        "{said}"
    );
    assert_eq!(faults_of("a: &arms oil\nb: *arms\n"), "usable");
}

#[test]
fn a_fault_asks_for_double_quotes_around_words_and_for_doubled_apostrophes() {
    let said = faults_of("when: 'Russia' AND 'North Korea'\n");
    assert!(said.contains(r#"'"Russia" AND "North Korea"'"#), "{said}");
    let said = faults_of("when: 'Moody's'\n");
    assert!(said.contains("'Moody''s'"), "{said}");
}

#[test]
fn a_comment_that_holds_an_operator_is_a_fault() {
    assert!(faults_of("when: arms # OR oil\n").contains("begins a comment"));
    assert_eq!(faults_of("when: arms # the desk's\n"), "usable");
}

/// Writes words in one of the styles of YAML. A `true` in `breaks` puts a line break after a word.
fn written(words: &[String], breaks: &[bool], style: usize) -> String {
    let mut text =
        ["when: ", "when: '", "when: \"", "when: |-\n    ", "when: >\n    "][style].to_owned();
    for (index, word) in words.iter().enumerate() {
        text += &escaped(word, style);
        if index + 1 < words.len() {
            text += if breaks[index] { "\n    " } else { " " };
        }
    }
    text + ["\n", "'\n", "\"\n", "\n", "\n"][style]
}

fn escaped(word: &str, style: usize) -> String {
    match style {
        1 => word.replace('\'', "''"),
        2 => word.replace('\\', "\\\\").replace('"', "\\\"").replace('é', "\\u00e9"),
        _ => word.to_owned(),
    }
}

proptest! {
    #[test]
    fn every_word_is_found_where_it_was_written(
        words in prop::collection::vec("[a-zé北][a-zé北'\"\\\\()*]{0,6}", 1..12), breaks in prop::collection::vec(any::<bool>(), 12), style in 0..5_usize
    ) {
        let source = source(&written(&words, &breaks, style));
        let document = parse(&source, &mut Vec::new()).expect("sound YAML");
        let value = when(&document);
        let mut at = 0;
        for word in &words {
            let start = at + value.value[at..].find(word.as_str()).expect("the word");
            at = start + word.len();
            prop_assert_eq!(&source.text[value.place(start..at)], escaped(word, style));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[ \\t\\nabwhen:\\-'\"\\\\#!&*|>\\[\\]{},é0-9]{0,80}") {
        let mut faults = Vec::new();
        let source = source(&text);
        if let Some(document) = parse(&source, &mut faults) {
            walk(document.root());
        }
        let _ = render(&faults, false);
    }
}

/// Reads every value in every way, and looks up every place.
fn walk(node: Node<'_>) {
    let mut faults = Vec::new();
    if let Some(text) = node.text(&mut faults) {
        for (at, c) in text.value.char_indices() {
            let place = text.place(at..at + c.len_utf8());
            assert!(text.source().text.get(place).is_some(), "{text:?}");
        }
    }
    node.items(&mut faults).into_iter().for_each(walk);
    node.pairs(&mut faults).into_iter().for_each(|(_, value)| walk(value));
    let _ = render(&faults, false);
}
