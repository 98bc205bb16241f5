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

/// The words for rules, the most frequent first: words with three letters or more. Texts without
/// spaces are cut into pieces of the length of a word, one at each character.
pub(crate) fn vocabulary(texts: &[String]) -> WeightedWords {
    let mut counts = HashMap::new();
    for text in texts {
        for run in text.split(|c: char| !(c.is_alphabetic() || is_mark(c))) {
            for word in words_of(run) {
                *counts.entry(word).or_insert(0_usize) += 1;
            }
        }
    }
    let mut words: Vec<(String, usize)> = counts.into_iter().collect();
    words.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    assert!(words.len() > 1_000, "the texts have too few words: some megabytes of them are wanted");
    WeightedWords { words: words.into_iter().map(|(word, _)| word).collect(), sums: Vec::new() }
}

/// Vowel signs and the like, which stand within words.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{963}' | '\u{e31}'..='\u{e4e}')
}

fn words_of(run: &str) -> Vec<String> {
    let chars: Vec<char> = run.chars().collect();
    let length = match chars.first() {
        Some('\u{e00}'..='\u{e7f}') => 5,
        Some('\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}') => 2,
        Some(_) if chars.len() > 2 => return vec![run.to_lowercase()],
        _ => return Vec::new(),
    };
    chars.windows(length).map(|piece| piece.iter().collect()).collect()
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
