//! The forms in which commands print what they found.

/// How it is printed: the value of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// JSON. A list has one object a line.
    Json,
}

/// How a list is printed that spreadsheets read, too: the value of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ListFormat {
    /// For people.
    #[default]
    Text,
    /// JSON, one object a line.
    Json,
    /// CSV, with the names of its columns in the first line. A cell that a spreadsheet would run as
    /// a formula begins with an apostrophe.
    Csv,
}
