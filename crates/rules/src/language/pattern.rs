//! Regular expressions over the text as it is written, in linear time. Each needs certain letters.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, HirKind};

/// The shortest literal with which a pattern is searched, in bytes.
pub(crate) const LEAST_LITERAL: usize = 3;

/// The most memory of a compiled pattern, in bytes.
const LARGEST: usize = 1 << 20;

/// The longest pattern, in bytes.
const LONGEST: usize = 1000;

/// A regular expression, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// The text between the slashes.
    pub(crate) text: String,
    regex: Regex,
}

/// Why a text is not a pattern: the mistake, its place, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoPattern {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Compiles the pattern `text`.
    pub(crate) fn new(text: &str) -> Result<Self, NoPattern> {
        let refuse =
            |span, message: &str, help| NoPattern { span, message: message.to_owned(), help };
        if text.len() > LONGEST {
            let message = format!("a regular expression has at most {LONGEST} bytes");
            return Err(refuse(
                0..text.len(),
                &message,
                "write the words as terms; a list can hold thousands of them",
            ));
        }
        let hir = regex_syntax::parse(text).map_err(|error| explain(&error, text))?;
        if literals(&hir).is_none() {
            let help = "write more of it out, three letters in a row: /arms? deals?/ can be looked for, /\\w+/ cannot";
            return Err(refuse(
                0..text.len(),
                "every text would have to be searched for this",
                help,
            ));
        }
        let regex = RegexBuilder::new(text).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        let regex = regex.map_err(|_| {
            refuse(
                0..text.len(),
                "this regular expression grows too large",
                "repeat less of it, or fewer times",
            )
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The literals of the pattern, as written. Each text that matches contains one of them. They
    /// are few, and each has at least three bytes.
    pub(crate) fn literals(&self) -> Vec<Vec<u8>> {
        regex_syntax::parse(&self.text).ok().and_then(|hir| literals(&hir)).unwrap_or_default()
    }

    /// The bytes of its first match in `text`.
    pub(crate) fn find(&self, text: &str) -> Option<Range<usize>> {
        self.regex.find(text).map(|found| found.range())
    }

    /// Its matches in `text`, in order. They do not overlap.
    pub(crate) fn find_all<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.regex.find_iter(text).map(|found| found.as_str())
    }
}

/// An error of the library, at its place.
fn explain(error: &regex_syntax::Error, text: &str) -> NoPattern {
    let (span, message) = match error {
        regex_syntax::Error::Parse(error) => (error.span(), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (error.span(), error.kind().to_string()),
        other => return NoPattern { span: 0..text.len(), message: other.to_string(), help: PLAIN },
    };
    let (start, end) = (span.start.offset, span.end.offset);
    NoPattern {
        span: start..end.max(start),
        message: format!("in this regular expression: {message}"),
        help: PLAIN,
    }
}

const PLAIN: &str = "a sign that is meant as itself has a \\ before it";

/// The most neighbouring parts that are searched together for literals.
const PARTS: usize = 8;

/// A few literals, each long enough for a search. Each text that `hir` matches contains one of
/// them. `None` if there are none.
fn literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let starts = |hir: &Hir| {
        let mut literals = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
        literals.optimize_for_prefix_by_preference();
        literals_of_sequence(&literals)
    };
    match hir.kind() {
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            literals(&repetition.sub).or_else(|| starts(hir))
        }
        HirKind::Concat(parts) => {
            let few = |at: usize| parts[at..].iter().take(PARTS).cloned().collect();
            (0..parts.len())
                .find_map(|at| starts(&Hir::concat(few(at))).or_else(|| literals(&parts[at])))
        }
        HirKind::Alternation(branches) => {
            let of_each: Option<Vec<_>> = branches.iter().map(literals).collect();
            Some(of_each?.concat())
        }
        _ => starts(hir),
    }
}

/// The literals of `seq`, if all are long enough.
fn literals_of_sequence(seq: &Seq) -> Option<Vec<Vec<u8>>> {
    let literals = seq
        .literals()
        .filter(|_| seq.min_literal_len().is_some_and(|length| length >= LEAST_LITERAL))?;
    Some(literals.iter().map(|literal| literal.as_bytes().to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_pattern_has_three_letters_in_a_row() {
        for text in [
            "arms",
            "(?i)arms",
            r"\d+ arms",
            r"\w+arms\w+",
            "arms|weapons",
            "(arms){2}",
            r"[A-Z]+-\d+ shells?",
            "Ким",
        ] {
            assert!(Pattern::new(text).is_ok(), "{text}");
        }
        for text in ["", r"\w+", "a|arms", "ab?c", "(arms)?", "(arms)*", r"\d{3}", "[a-z]{5}", ".*"]
        {
            let refusal = Pattern::new(text).expect_err(text);
            assert!(refusal.message.contains("every text"), "{text}: {}", refusal.message);
        }
    }

    #[test]
    fn what_is_no_pattern_is_reported_at_its_place() {
        for (text, wrong, message) in [
            ("arms(deal", "(", "unclosed group"),
            (r"arms(?=deal)", "(?=", "look-around"),
            (r"(arms)\1", r"\1", "backreferences"),
            ("arms[", "[", "unclosed character class"),
        ] {
            let refusal = Pattern::new(text).expect_err(text);
            assert_eq!(&text[refusal.span.clone()], wrong, "{refusal:?}");
            assert!(refusal.message.contains(message), "{}", refusal.message);
        }
        assert!(
            Pattern::new(r"(?:\w{100}arms){50}").expect_err("large").message.contains("too large")
        );
        assert!(Pattern::new(&"a".repeat(1001)).is_err());
    }
}
