//! Evidence as people read it: each sentence once, with all its matched words marked.

use std::ops::Range;

use serde::Serialize;

use crate::alerts::RuleMatch;
use crate::notify::plain::plain;
use tidings_rules::story::{Evidence, Field};

/// A stretch of text, marked as matched or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct QuotePiece {
    /// Safe to show.
    pub(super) text: String,
    /// Whether it is what a rule matched.
    pub(super) marked: bool,
    /// What the rule's author calls it, where that differs.
    pub(super) label: Option<String>,
}

/// Sentences that hold matched words, apart by where they stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quotes {
    /// The whole headline.
    pub(super) title: Vec<QuotePiece>,
    /// Sentences of the text, and pieces of a headline that is not shown as a whole; in the order
    /// in which rules name them.
    pub(super) sentences: Vec<Vec<QuotePiece>>,
}

/// A matched place, and what the rule's author calls it.
type QuoteMark<'a> = (Range<usize>, Option<&'a str>);

/// Gathers the evidence of `rules` for a story with the headline `title`: evidence within one
/// sentence is merged.
pub(super) fn quotes(title: &str, rules: &[RuleMatch]) -> Quotes {
    of_evidence(title, rules.iter().flat_map(|rule| &rule.evidence))
}

/// The same of evidence at hand.
pub(super) fn of_evidence<'a>(
    title: &'a str,
    evidence: impl IntoIterator<Item = &'a Evidence>,
) -> Quotes {
    let mut in_title: Vec<QuoteMark<'_>> = Vec::new();
    let mut sentences: Vec<(&str, Vec<QuoteMark<'_>>)> = Vec::new();
    for evidence in evidence {
        let offset =
            if evidence.field == Field::Title { title.find(&evidence.sentence) } else { None };
        if let Some(offset) = offset {
            in_title.extend(marks(evidence, offset));
        } else if let Some((_, known)) =
            sentences.iter_mut().find(|(sentence, _)| *sentence == evidence.sentence)
        {
            known.extend(marks(evidence, 0));
        } else {
            sentences.push((&evidence.sentence, marks(evidence, 0).collect()));
        }
    }
    Quotes {
        title: pieces(title, in_title),
        sentences: sentences.into_iter().map(|(sentence, marks)| pieces(sentence, marks)).collect(),
    }
}

fn marks(evidence: &Evidence, offset: usize) -> impl Iterator<Item = QuoteMark<'_>> {
    let label = evidence.label.as_deref();
    evidence.marks.iter().map(move |mark| (mark.start + offset..mark.end + offset, label))
}

/// Cuts `text` at its marks. Of marks that overlap, the later gives only what is beyond the
/// earlier; a mark that is no range of `text` is left out.
fn pieces(text: &str, mut marks: Vec<QuoteMark<'_>>) -> Vec<QuotePiece> {
    marks.sort_by_key(|(mark, _)| (mark.start, std::cmp::Reverse(mark.end)));
    let mut pieces = Vec::new();
    let mut done = 0;
    for (mark, label) in marks {
        let start = mark.start.max(done);
        let (Some(before), Some(word)) = (text.get(done..start), text.get(start..mark.end)) else {
            continue;
        };
        if word.is_empty() {
            continue;
        }
        push(&mut pieces, before, false, None);
        push(&mut pieces, word, true, label.filter(|label| !same(label, word)));
        done = mark.end;
    }
    push(&mut pieces, &text[done..], false, None);
    pieces
}

fn push(pieces: &mut Vec<QuotePiece>, text: &str, marked: bool, label: Option<&str>) {
    if !text.is_empty() {
        pieces.push(QuotePiece { text: plain(text), marked, label: label.map(plain) });
    }
}

fn same(label: &str, word: &str) -> bool {
    label.to_lowercase() == word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notify::fixture::{evidence, told};

    /// Pieces as text, with brackets round what is marked.
    fn shown(pieces: &[QuotePiece]) -> String {
        let show = |piece: &QuotePiece| match (&piece.label, piece.marked) {
            (Some(label), _) => format!("[{}={label}]", piece.text),
            (None, true) => format!("[{}]", piece.text),
            (None, false) => piece.text.clone(),
        };
        pieces.iter().map(show).collect()
    }

    fn all_shown(title: &str, rules: &[RuleMatch]) -> (String, Vec<String>) {
        let quotes = quotes(title, rules);
        (shown(&quotes.title), quotes.sentences.iter().map(|sentence| shown(sentence)).collect())
    }

    #[test]
    fn evidence_of_one_sentence_is_merged_over_all_rules() {
        let sentence = "North Korea sells arms to Russia.";
        let rules = [
            told(
                "a",
                vec![
                    evidence("Russia", Field::Body, sentence),
                    evidence("North Korea", Field::Body, sentence),
                ],
            ),
            told(
                "b",
                vec![
                    evidence("Korea", Field::Body, sentence),
                    evidence("arms", Field::Body, sentence),
                ],
            ),
        ];
        let expected = "[North Korea] sells [arms] to [Russia].".to_owned();
        assert_eq!(all_shown("Trade", &rules), ("Trade".to_owned(), vec![expected]));
    }

    #[test]
    fn matched_words_of_the_headline_are_marked_in_it() {
        let title = "At sea. Russia sells arms.";
        let rules = [told(
            "a",
            vec![
                evidence("arms", Field::Title, "Russia sells arms."),
                evidence("sea", Field::Title, "At sea."),
            ],
        )];
        assert_eq!(all_shown(title, &rules), ("At [sea]. Russia sells [arms].".to_owned(), vec![]));
    }

    #[test]
    fn words_of_a_headline_that_was_cut_are_quoted() {
        let rules = [told("a", vec![evidence("arms", Field::Title, "… sells arms …")])];
        assert_eq!(all_shown("Russia sells arms.", &rules).1, ["… sells [arms] …"]);
    }

    #[test]
    fn a_label_stands_beside_a_form_that_differs() {
        let labelled = |word| Evidence {
            label: Some("Kim Jong Un".to_owned()),
            ..evidence(word, Field::Body, "김정은 or KIM JONG UN")
        };
        let rules = [told("a", vec![labelled("김정은"), labelled("KIM JONG UN")])];
        assert_eq!(all_shown("", &rules).1, ["[김정은=Kim Jong Un] or [KIM JONG UN]"]);
    }

    proptest! {
        #[test]
        fn whatever_the_marks_the_words_stay_and_nothing_panics(text in "[aб한 ]{0,12}", marks in prop::collection::vec((0..40_usize, 0..40_usize), 0..6)) {
            let marks = marks.into_iter().map(|(start, end)| (start..end, None)).collect();
            let joined: String = pieces(&text, marks).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
