//! Quotes: each sentence of the evidence once, with all its matched words marked.

use std::ops::Range;

use serde::Serialize;

use crate::alerts::RuleMatch;
use tidings_rules::story::{Evidence, Field};
use tidings_rules::text::visible_line;

/// A part of a quote, marked as matched or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotePiece {
    /// Safe to show.
    pub text: String,
    /// Whether a rule matched it.
    pub marked: bool,
    /// The name that the rule's author gives it, if that differs.
    pub label: Option<String>,
}

/// Sentences that hold matched words: the headline and sentences of the text.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Quotes {
    /// The whole headline.
    pub title: Vec<QuotePiece>,
    /// Sentences of the text, and excerpts of the headline, in the order of the evidence.
    pub sentences: Vec<Vec<QuotePiece>>,
}

/// A matched range of bytes, and the name that the rule's author gives it.
type QuoteMark<'a> = (Range<usize>, Option<&'a str>);

/// Gathers the evidence of `rules` for a story with the headline `title`. Evidence within one
/// sentence is merged.
#[must_use]
pub fn quotes_from_rules(title: &str, rules: &[RuleMatch]) -> Quotes {
    quotes_from_evidence(title, rules.iter().flat_map(|rule| &rule.evidence))
}

/// As [`quotes_from_rules`], from the evidence itself.
pub fn quotes_from_evidence<'a>(
    title: &'a str,
    evidence: impl IntoIterator<Item = &'a Evidence>,
) -> Quotes {
    let mut in_title: Vec<QuoteMark<'_>> = Vec::new();
    let mut sentences: Vec<(&str, Vec<QuoteMark<'_>>)> = Vec::new();
    for evidence in evidence {
        let offset =
            if evidence.field == Field::Title { title.find(&evidence.sentence) } else { None };
        if let Some(offset) = offset {
            in_title.extend(marks_from(evidence, offset));
        } else if let Some((_, known)) =
            sentences.iter_mut().find(|(sentence, _)| *sentence == evidence.sentence)
        {
            known.extend(marks_from(evidence, 0));
        } else {
            sentences.push((&evidence.sentence, marks_from(evidence, 0).collect()));
        }
    }
    Quotes {
        title: split_at_marks(title, in_title),
        sentences: sentences
            .into_iter()
            .map(|(sentence, marks)| split_at_marks(sentence, marks))
            .collect(),
    }
}

fn marks_from(evidence: &Evidence, offset: usize) -> impl Iterator<Item = QuoteMark<'_>> {
    let label = evidence.label.as_deref();
    evidence.marks.iter().map(move |mark| (mark.start + offset..mark.end + offset, label))
}

/// The text of pieces, without marks.
pub(super) fn join_pieces(pieces: &[QuotePiece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// Splits `text` at its marks. Where marks overlap, the later one keeps only the part behind the
/// earlier one. A mark that is no range of `text` is left out.
fn split_at_marks(text: &str, mut marks: Vec<QuoteMark<'_>>) -> Vec<QuotePiece> {
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
        push_piece(&mut pieces, before, false, None);
        push_piece(
            &mut pieces,
            word,
            true,
            label.filter(|label| !equal_ignoring_case(label, word)),
        );
        done = mark.end;
    }
    push_piece(&mut pieces, &text[done..], false, None);
    pieces
}

fn push_piece(pieces: &mut Vec<QuotePiece>, text: &str, marked: bool, label: Option<&str>) {
    if !text.is_empty() {
        pieces.push(QuotePiece {
            text: visible_line(text),
            marked,
            label: label.map(visible_line),
        });
    }
}

fn equal_ignoring_case(label: &str, word: &str) -> bool {
    label.to_lowercase() == word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notify::fixture::{evidence, rule_match};

    /// Pieces as text, with brackets round what is marked.
    fn with_brackets(pieces: &[QuotePiece]) -> String {
        let show = |piece: &QuotePiece| match (&piece.label, piece.marked) {
            (Some(label), _) => format!("[{}={label}]", piece.text),
            (None, true) => format!("[{}]", piece.text),
            (None, false) => piece.text.clone(),
        };
        pieces.iter().map(show).collect()
    }

    fn quotes_with_brackets(title: &str, rules: &[RuleMatch]) -> (String, Vec<String>) {
        let quotes = quotes_from_rules(title, rules);
        (
            with_brackets(&quotes.title),
            quotes.sentences.iter().map(|sentence| with_brackets(sentence)).collect(),
        )
    }

    #[test]
    fn evidence_of_one_sentence_is_merged_over_all_rules() {
        let sentence = "North Korea sells arms to Russia.";
        let rules = [
            rule_match(
                "a",
                vec![
                    evidence("Russia", Field::Body, sentence),
                    evidence("North Korea", Field::Body, sentence),
                ],
            ),
            rule_match(
                "b",
                vec![
                    evidence("Korea", Field::Body, sentence),
                    evidence("arms", Field::Body, sentence),
                ],
            ),
        ];
        let expected = "[North Korea] sells [arms] to [Russia].".to_owned();
        assert_eq!(quotes_with_brackets("Trade", &rules), ("Trade".to_owned(), vec![expected]));
    }

    #[test]
    fn matched_words_of_the_headline_are_marked_in_it() {
        let title = "At sea. Russia sells arms.";
        let rules = [rule_match(
            "a",
            vec![
                evidence("arms", Field::Title, "Russia sells arms."),
                evidence("sea", Field::Title, "At sea."),
            ],
        )];
        assert_eq!(
            quotes_with_brackets(title, &rules),
            ("At [sea]. Russia sells [arms].".to_owned(), vec![])
        );
    }

    #[test]
    fn words_of_a_headline_that_was_cut_are_quoted() {
        let rules = [rule_match("a", vec![evidence("arms", Field::Title, "… sells arms …")])];
        assert_eq!(quotes_with_brackets("Russia sells arms.", &rules).1, ["… sells [arms] …"]);
    }

    #[test]
    fn a_label_stands_beside_a_form_that_differs() {
        let labelled = |word| Evidence {
            label: Some("Kim Jong Un".to_owned()),
            ..evidence(word, Field::Body, "김정은 or KIM JONG UN")
        };
        let rules = [rule_match("a", vec![labelled("김정은"), labelled("KIM JONG UN")])];
        assert_eq!(quotes_with_brackets("", &rules).1, ["[김정은=Kim Jong Un] or [KIM JONG UN]"]);
    }

    proptest! {
        #[test]
        fn whatever_the_marks_the_words_stay_and_nothing_panics(text in "[aб한 ]{0,12}", marks in prop::collection::vec((0..40_usize, 0..40_usize), 0..6)) {
            let marks = marks.into_iter().map(|(start, end)| (start..end, None)).collect();
            let joined: String = split_at_marks(&text, marks).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
