//! One row of a table of endings.

/// The words with an ending, and their forms.
pub(super) struct EndingRow {
    /// Which words it is for.
    pub(super) kind: Kind,
    /// What stands before the ending, separated by spaces. After a `^`, the whole word up to the
    /// ending. Empty: anything.
    pub(super) stems: &'static str,
    /// The ending of the written word.
    pub(super) ending: &'static str,
    /// The endings of its forms, separated by spaces. `0` is no ending. An ending with a `-` is not
    /// for names: Иванов is a man, not a form of Иван. With a `!`, the form of a name may be
    /// another word without a capital. With a `+`, it is for names only, and may be so, too.
    pub(super) forms: &'static [&'static str],
}

/// One ending of a form.
pub(super) struct Ending {
    /// Its letters.
    pub(super) letters: &'static str,
    /// Whether it is for names, for other words, or for both (`None`).
    pub(super) only_names: Option<bool>,
    /// Whether the form of a name may be another word without a capital.
    pub(super) is_risky: bool,
}

/// Which words a row is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All words.
    Any,
    /// Words that the rule writes without a capital.
    Common,
    /// Names.
    Name,
    /// Names whose forms may be other words without a capital.
    Surname,
    /// All words. The forms of names may be other words without a capital.
    Adjective,
    /// Words that are not of the nominative, or verbs. They have no capital.
    Unknown,
}

impl EndingRow {
    /// Whether it is for names, or for other words.
    pub(super) fn admits(&self, name: bool) -> bool {
        match self.kind {
            Kind::Any | Kind::Adjective => true,
            Kind::Name | Kind::Surname => name,
            Kind::Common | Kind::Unknown => !name,
        }
    }

    /// The endings of its forms.
    pub(super) fn endings(&self) -> impl Iterator<Item = Ending> {
        let all = self.forms.iter().flat_map(|forms| forms.split(' '));
        all.map(|written| Ending {
            letters: written.trim_end_matches(['0', '-', '!', '+']),
            only_names: written.ends_with(['-', '+']).then(|| written.ends_with('+')),
            is_risky: written.ends_with(['!', '+']),
        })
    }

    /// Whether the forms of names may be other words without a capital.
    pub(super) fn has_other_words(&self) -> bool {
        matches!(self.kind, Kind::Surname | Kind::Adjective)
    }
}

/// A row for all words.
pub(super) const fn any(
    stems: &'static str,
    ending: &'static str,
    forms: &'static [&'static str],
) -> EndingRow {
    EndingRow { kind: Kind::Any, stems, ending, forms }
}

/// A row for words without a capital.
pub(super) const fn common(
    stems: &'static str,
    ending: &'static str,
    forms: &'static [&'static str],
) -> EndingRow {
    EndingRow { kind: Kind::Common, stems, ending, forms }
}

/// A row for names.
pub(super) const fn name(
    stems: &'static str,
    ending: &'static str,
    forms: &'static [&'static str],
) -> EndingRow {
    EndingRow { kind: Kind::Name, stems, ending, forms }
}

/// A row for names whose forms may be other words without a capital.
pub(super) const fn surname(
    stems: &'static str,
    ending: &'static str,
    forms: &'static [&'static str],
) -> EndingRow {
    EndingRow { kind: Kind::Surname, stems, ending, forms }
}

/// A row for adjectives, and for names that are declined like them.
pub(super) const fn adjective(
    stems: &'static str,
    ending: &'static str,
    forms: &'static [&'static str],
) -> EndingRow {
    EndingRow { kind: Kind::Adjective, stems, ending, forms }
}

/// A row for words that have no nominal ending.
pub(super) const fn unknown(stems: &'static str, ending: &'static str) -> EndingRow {
    EndingRow { kind: Kind::Unknown, stems, ending, forms: &[] }
}
