//! A workload of real texts in place of the invented one: the same kinds of rules, with words of
//! these texts.

use std::collections::HashMap;

use tidings_rules::story::Story;
use tidings_rules::text::{Token, tokenise};

use crate::workload::{LENGTH, WeightedWords};

/// The texts of a file of JSON Lines: the `body` of each line.
pub(crate) fn read(file: &str) -> Vec<String> {
    let lines = std::fs::read_to_string(file).unwrap_or_else(|why| panic!("{file}: {why}"));
    let body = |line: &str| {
        let story: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|why| panic!("{file}: {why}"));
        story["body"].as_str().map(str::to_owned)
    };
    lines.lines().filter_map(body).collect()
}

/// The words for rules, the most frequent first: ASCII words with three letters or more.
pub(crate) fn vocabulary(texts: &[String]) -> WeightedWords {
    let mut counts = HashMap::new();
    for token in texts.iter().flat_map(|text| tokenise(text)) {
        if token.word.len() > 2 && token.word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            *counts.entry(token.word).or_insert(0_usize) += 1;
        }
    }
    let mut words: Vec<(String, usize)> = counts.into_iter().collect();
    words.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    assert!(words.len() > 1_000, "the texts have too few words: some megabytes of them are wanted");
    WeightedWords { words: words.into_iter().map(|(word, _)| word).collect(), sums: Vec::new() }
}

/// This number of stories, made by joining the texts and cutting the result into equal lengths.
pub(crate) fn stories(texts: &[String], count: usize) -> Vec<Story> {
    let all = texts.join("\n\n");
    let words = tokenise(&all);
    let pieces: Vec<&[Token]> = words.chunks_exact(LENGTH).collect();
    let step = (pieces.len() / count).max(1);
    let text = |piece: &[Token]| all[piece[0].span.start..piece[LENGTH - 1].span.end].to_owned();
    pieces
        .into_iter()
        .step_by(step)
        .take(count)
        .map(|piece| Story::from_words(String::new(), text(piece)))
        .collect()
}
