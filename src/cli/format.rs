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
