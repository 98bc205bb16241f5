//! Warns of probable mistakes in an unquoted phrase: signs, lines, quotes, operators of other
//! tools.

use std::ops::Range;

use crate::explain::excerpt;
use crate::language::scope::Scope;
use crate::language::syntax::lexeme::Lexeme;
use crate::language::syntax::problems::Problems;
use crate::text::{one_line, tokenise};

/// Operators of other tools and languages, in capitals, and the operators that replace them.
const FOREIGN: [(&str, &str); 13] = [
    ("AND/OR", "OR"),
    ("ANDNOT", "NOT"),
    ("BUTNOT", "NOT"),
    ("XOR", "OR"),
    ("UND", "AND"),
    ("ODER", "OR"),
    ("NICHT", "NOT"),
    ("ET", "AND"),
    ("OU", "OR"),
    ("SAUF", "NOT"),
    ("И", "AND"),
    ("ИЛИ", "OR"),
    ("НЕ", "NOT"),
];

/// Operators that need a parenthesis after them.
const BEFORE_PARENTHESES: [&str; 4] = ["SENT", "PARA", "ATLEAST", "ANY/"];

/// Warns of probable mistakes in the unquoted phrase of these `words`, at most once for each kind.
pub(super) fn warn_of_doubts(text: &str, words: &[Lexeme], problems: &mut Problems) {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
    let span = first.span.start..last.span.end;
    if is_plain(&text[span.clone()]) {
        return;
    }
    let phrase = UnquotedPhrase { text, words, span };
    let found = [
        phrase.lines(),
        phrase.commas(),
        phrase.lone_sign(),
        phrase.plus(),
        phrase.question_mark(),
    ];
    let others = [phrase.single_quotes(), phrase.foreign_operator(), phrase.late_colon()];
    for doubt in found.into_iter().chain(others).flatten() {
        problems.warning(doubt.span, doubt.message, doubt.help);
    }
}

/// Whether a phrase needs no check: it has no sign, no line break, no word in capitals.
fn is_plain(phrase: &str) -> bool {
    let has_capitals_in_a_row =
        || phrase.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase));
    phrase.bytes().all(|c| c.is_ascii_alphanumeric() || c == b' ' || c == b'*')
        && !has_capitals_in_a_row()
}

struct UnquotedPhrase<'t> {
    text: &'t str,
    words: &'t [Lexeme],
    span: Range<usize>,
}

struct Doubt {
    span: Range<usize>,
    message: String,
    help: String,
}

impl<'t> UnquotedPhrase<'t> {
    fn written(&self, word: &Lexeme) -> &'t str {
        &self.text[word.span.clone()]
    }

    /// The phrase on one line, cut if it is long.
    fn shown(&self) -> String {
        shortened(&self.text[self.span.clone()])
    }

    /// The three readings: `parts` of the phrase joined by OR and by AND, and the phrase in quotes.
    fn readings(&self, parts: &[&str]) -> String {
        let joined =
            |operator| parts.iter().copied().map(shortened).collect::<Vec<_>>().join(operator);
        format!(
            "write `{}` if any of them is enough, `{}` if all must be there, or `\"{}\"` for the phrase",
            excerpt::head(&joined(" OR "), 120),
            excerpt::head(&joined(" AND "), 120),
            self.shown()
        )
    }

    /// One keyword on each line: the lines are one phrase.
    fn lines(&self) -> Option<Doubt> {
        let written = &self.text[self.span.clone()];
        written.contains('\n').then(|| Doubt {
            span: self.span.clone(),
            message: "these lines are one phrase: no operator joins them".to_owned(),
            help: self.readings(
                &written.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ),
        })
    }

    /// `arms, missiles`, `arms; missiles`
    fn commas(&self) -> Option<Doubt> {
        let written = &self.text[self.span.clone()];
        let (at, sign) = written.char_indices().find(|&(at, c)| {
            let digit = |part: Option<char>| part.is_some_and(|c| c.is_ascii_digit());
            let in_number = || {
                digit(written[..at].chars().next_back()) && digit(written[at + 1..].chars().next())
            };
            matches!(c, ',' | ';' | '，' | '、') && !(c == ',' && in_number())
        })?;
        let start = self.span.start + at;
        let parts: Vec<&str> =
            written.split(sign).map(str::trim).filter(|part| !part.is_empty()).collect();
        parts.get(1)?;
        Some(Doubt {
            span: start..start + sign.len_utf8(),
            message: format!("`{sign}` joins nothing here: `{}` is one phrase", self.shown()),
            help: self.readings(&parts),
        })
    }

    /// A single sign between words: `Russia - sport`, `arms # NATO`
    fn lone_sign(&self) -> Option<Doubt> {
        let is_sign = |word: &&Lexeme| {
            let written = self.written(word);
            !matches!(written, "," | ";") && tokenise(written).is_empty()
        };
        let sign = self.words.iter().find(is_sign).filter(|_| self.words.len() > 1)?;
        let written = self.written(sign);
        let (message, help) = if written.starts_with('#') {
            let message =
                "`#` does not begin a comment here: what follows it is part of the phrase";
            (
                message.to_owned(),
                "write comments outside of the expression, on a line above `when`".to_owned(),
            )
        } else {
            let message =
                format!("`{written}` has no effect here: `{}` is one phrase", self.shown());
            let help =
                "write AND, OR or NOT for an operator; for the phrase, put it in double quotes";
            (message, help.to_owned())
        };
        Some(Doubt { span: sign.span.clone(), message, help })
    }

    /// `arms+missiles`
    fn plus(&self) -> Option<Doubt> {
        let joins = |word: &&Lexeme| {
            let parts: Vec<&str> = self.written(word).split('+').collect();
            let is_word = |part: &&str| part.chars().filter(|c| c.is_alphabetic()).nth(1).is_some();
            parts.len() > 1 && parts.iter().all(is_word)
        };
        let word = self.words.iter().find(joins)?;
        let written = self.written(word);
        Some(Doubt {
            span: word.span.clone(),
            message: format!("`+` joins nothing here: `{written}` is one phrase"),
            help: format!(
                "write `{}` if both must be there, or put it in double quotes",
                written.replace('+', " AND ")
            ),
        })
    }

    /// `missile?`
    fn question_mark(&self) -> Option<Doubt> {
        let word = self.words.iter().find(|word| self.written(word).ends_with(['?', '？']))?;
        let written = self.written(word);
        let bare = written.trim_end_matches(['?', '？']);
        (!bare.is_empty()).then(|| Doubt {
            span: word.span.clone(),
            message: "`?` is not a wildcard here, and has no effect".to_owned(),
            help: format!("write `{bare}*` for words that begin so, or `\"{written}\"` if the sign is punctuation"),
        })
    }

    /// `'North Korea'`
    fn single_quotes(&self) -> Option<Doubt> {
        let opens = |word: &&Lexeme| self.written(word).starts_with(['\'', '‘', '‚', '‹']);
        let closes = |word: &Lexeme| self.written(word).ends_with(['\'', '’', '‘', '›']);
        let first = self.words.iter().position(|word| opens(&word))?;
        let last = first + self.words[first..].iter().position(closes)?;
        let span = self.words[first].span.start..self.words[last].span.end;
        let quoted = shortened(&self.text[span.clone()]);
        let bare = quoted.trim_matches(['\'', '‘', '’', '‚', '‹', '›']);
        (!bare.is_empty()).then(|| Doubt {
            span,
            message: "single quotes have no effect in an expression".to_owned(),
            help: format!(
                "write `{bare}`: words that follow one another are a phrase; double quotes make one, too: `\"{bare}\"`"
            ),
        })
    }

    /// `Russia UND Waffen`, `SENT arms`
    fn foreign_operator(&self) -> Option<Doubt> {
        if self.words.len() < 2 {
            return None;
        }
        self.words.iter().find_map(|word| {
            let written = self.written(word);
            let doubt = |message, help| Some(Doubt { span: word.span.clone(), message, help });
            if let Some((_, ours)) = FOREIGN.iter().find(|(theirs, _)| *theirs == written) {
                let message = format!("`{written}` is a word of the phrase `{}` here, and no operator", self.shown());
                return doubt(
                    message,
                    format!("write {ours} for the operator, or \"{}\" for the phrase", self.shown()),
                );
            }
            let takes_parentheses = BEFORE_PARENTHESES.iter().any(|name| match name.strip_suffix('/') {
                Some(_) => written.starts_with(name),
                None => written.split('/').next() == Some(name),
            });
            takes_parentheses.then_some(())?;
            let message = format!("`{written}` is a word of the phrase `{}` here, and no operator", self.shown());
            doubt(
                message,
                "write what it is about in parentheses: SENT(a AND b), ATLEAST/3(a), ANY/2(a, b, c)".to_owned(),
            )
        })
    }

    /// `title :arms`
    fn late_colon(&self) -> Option<Doubt> {
        let pair = self.words.windows(2).find(|pair| {
            self.written(&pair[1]).starts_with(':')
                && Scope::named(self.written(&pair[0])).is_some()
        })?;
        let (name, rest) = (self.written(&pair[0]), self.written(&pair[1]));
        Some(Doubt {
            span: pair[0].span.start..pair[1].span.end,
            message: format!(
                "`{name}` is a word of a phrase here: a colon follows right behind a field's name"
            ),
            help: format!("write `{name}{rest}`"),
        })
    }
}

/// `text` on one line, cut if it is long.
fn shortened(text: &str) -> String {
    one_line(&excerpt::head(text, 60))
}
