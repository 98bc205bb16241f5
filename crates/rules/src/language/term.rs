//! Terms: words and phrases that are searched.

use std::ops::Range;

use crate::text::{Stemmer, Token, capitals, one_line, other_numbers, shows_nothing, tokenise};

/// A word or phrase that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Its text in the rule, without quotes, on one line.
    pub(crate) text: String,
    /// Its words: at least one.
    pub(crate) words: Vec<TermWord>,
    /// Whether it is in quotes with a `=` before them. No other forms of its words are then found.
    pub(crate) literal: bool,
    /// The capital letters of each of its words, if capitals count.
    pub(crate) capitals: Option<Vec<Vec<bool>>>,
    /// The label of the list that it is in.
    pub(crate) label: Option<String>,
    /// Whether it is a cell of a table. Its text is then not an expression.
    pub(crate) is_cell: bool,
}

/// One word of a term, folded as [`tokenise`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TermWord {
    /// This word. The forms of a rule may add others.
    Plain(String),
    /// This word without other forms.
    Exact(String),
    /// This word, and its plurals and singulars.
    Numbers(String, Vec<String>),
    /// Every word with this stem.
    Stem(Stemmer, String),
    /// Every word that begins so: `weapon*`, and Hangul, because its particles follow without a
    /// space.
    Prefix(String),
    /// Dotted letters such as `u.s`, or the same letters without dots if a text writes them in
    /// capitals.
    Initials {
        /// With dots.
        dotted: String,
        /// Without dots.
        bare: String,
    },
}

/// The other forms of a word that are found, unless the word says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Forms {
    /// No other forms.
    #[default]
    Plain,
    /// Its English plural or singular.
    Plural,
    /// Every word with the same Snowball stem.
    Stem(Stemmer),
}

/// Why a text is not a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoTerm {
    /// It has no letter or digit.
    Wordless,
    /// The `*` at these bytes of the text is not at the end of a word.
    StrayWildcard(Range<usize>),
    /// The word at these bytes of the text is too short before its `*`.
    ShortWildcard(Range<usize>),
}

impl Term {
    /// The term of `text`, which has no quotes. A `=` before a word excludes other forms of it.
    /// `literal` excludes them for all words.
    pub(crate) fn new(
        text: &str,
        literal: bool,
        forms: Forms,
        label: Option<&str>,
    ) -> Result<Self, NoTerm> {
        let mut words = Vec::new();
        let mut at = 0;
        for run in text.split_whitespace() {
            at += text[at..].find(run).unwrap_or_default();
            let marked =
                run.strip_prefix('=').is_some_and(|word| word.starts_with(char::is_alphanumeric));
            words.extend(words_of(run, at, literal || marked)?);
            at += run.len();
        }
        let text = one_line(text);
        if words.is_empty() {
            return Err(NoTerm::Wordless);
        }
        let label = label.map(str::to_owned);
        Ok(Self { text, words, literal, capitals: None, label, is_cell: false }.with(forms))
    }

    /// The term of a table's cell. It has no operators, wildcards or quotation marks. `None` if it
    /// has no word.
    pub(crate) fn cell(text: &str, label: &str) -> Option<Self> {
        let words: Vec<TermWord> =
            tokenise(text).into_iter().map(|token| TermWord::new(token.word)).collect();
        let text = one_line(text);
        let label = Some(label.to_owned());
        (!words.is_empty()).then_some(Self {
            text,
            words,
            literal: false,
            capitals: None,
            label,
            is_cell: true,
        })
    }

    /// The same term. Words that do not set their own forms are found in `forms`.
    pub(crate) fn with(self, forms: Forms) -> Self {
        Self { words: self.words.into_iter().map(|word| word.with(forms)).collect(), ..self }
    }

    /// The same term, found only with the same capitals.
    pub(crate) fn cased(self) -> Self {
        let written = |token: Token| capitals(&self.text[token.span]);
        let capitals: Vec<Vec<bool>> = tokenise(&self.text).into_iter().map(written).collect();
        let words = self
            .words
            .into_iter()
            .zip(&capitals)
            .map(|(word, capitals)| word.cased(capitals))
            .collect();
        Self { words, capitals: Some(capitals), ..self }
    }

    /// The language whose stems it is found by.
    pub(crate) fn stemmer(&self) -> Option<Stemmer> {
        self.words.iter().find_map(|word| {
            if let TermWord::Stem(stemmer, _) = word { Some(*stemmer) } else { None }
        })
    }
}

/// The words of `written`, which has no spaces and begins at byte `at`.
fn words_of(written: &str, at: usize, exact: bool) -> Result<Vec<TermWord>, NoTerm> {
    let tokens = tokenise(written);
    let word: fn(String) -> TermWord = if exact { TermWord::exact } else { TermWord::new };
    let Some((start, behind)) = written.split_once('*') else {
        return Ok(tokens.into_iter().map(|token| word(token.word)).collect());
    };
    let stem = start.trim_end_matches(shows_nothing);
    let ends_a_word = tokens.last().is_some_and(|last| last.span.end == stem.len());
    if !ends_a_word || behind.contains(|c: char| c == '*' || c.is_alphanumeric()) {
        return Err(NoTerm::StrayWildcard(at + start.len()..at + start.len() + 1));
    }
    if !is_specific(stem) {
        return Err(NoTerm::ShortWildcard(at..at + start.len() + 1));
    }
    let mut words: Vec<TermWord> = tokens.into_iter().map(|token| word(token.word)).collect();
    let last = words.pop().map(TermWord::or_longer);
    words.extend(last);
    Ok(words)
}

/// Whether a `*` after `stem` finds few enough words: after three letters or digits, two Cyrillic
/// letters, or one Han character.
fn is_specific(stem: &str) -> bool {
    let count = |counts: fn(char) -> bool| stem.chars().filter(|&c| counts(c)).count();
    let is_cyrillic = |c| matches!(c, '\u{400}'..='\u{52f}');
    let is_han = |c| matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    count(char::is_alphanumeric) >= 3 || count(is_cyrillic) >= 2 || count(is_han) >= 1
}

impl TermWord {
    fn new(folded: String) -> Self {
        let is_hangul = |c| matches!(c, '\u{ac00}'..='\u{d7a3}');
        if folded.ends_with(is_hangul) {
            return Self::Prefix(folded);
        }
        if is_dotted(&folded) { Self::initials(folded) } else { Self::Plain(folded) }
    }

    /// The word without other forms. Dots between its letters are one of its spellings.
    fn exact(folded: String) -> Self {
        if is_dotted(&folded) { Self::initials(folded) } else { Self::Exact(folded) }
    }

    fn initials(dotted: String) -> Self {
        Self::Initials { bare: dotted.replace('.', ""), dotted }
    }

    /// The same word in `forms`, if it is plain.
    fn with(self, forms: Forms) -> Self {
        match (self, forms) {
            (Self::Plain(word), Forms::Plural) => match other_numbers(&word) {
                others if others.is_empty() => Self::Plain(word),
                others => Self::Numbers(word, others),
            },
            (Self::Plain(word), Forms::Stem(stemmer)) => Self::Stem(stemmer, stemmer.stem(&word)),
            (word, _) => word,
        }
    }

    /// The same word with the letters in `capitals` as capitals. If all letters are capitals, they
    /// may have dots between them.
    fn cased(self, capitals: &[bool]) -> Self {
        match self {
            Self::Plain(bare) | Self::Exact(bare) | Self::Numbers(bare, _)
                if capitals.len() > 1
                    && capitals.len() == bare.len()
                    && !capitals.contains(&false) =>
            {
                let dotted: Vec<String> = bare.chars().map(String::from).collect();
                Self::Initials { dotted: dotted.join("."), bare }
            }
            other => other,
        }
    }

    /// The same word as the beginning of words.
    fn or_longer(self) -> Self {
        match self {
            Self::Plain(folded)
            | Self::Exact(folded)
            | Self::Prefix(folded)
            | Self::Initials { dotted: folded, .. } => Self::Prefix(folded),
            formed @ (Self::Numbers(..) | Self::Stem(..)) => formed,
        }
    }
}

fn is_dotted(folded: &str) -> bool {
    folded.contains('.') && folded.starts_with(char::is_alphabetic)
}
