//! What is wrong with a text that a person wrote, and how it is shown: file, line, column, a caret under the very word, advice.

use std::ops::Range;
use std::sync::Arc;

/// A text that a person wrote, under the name that faults call it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the person knows it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Things work, but perhaps not as meant.
    Warning,
    /// The text cannot be used.
    Error,
}

/// One thing wrong with a text.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How bad it is.
    pub level: Level,
    /// The text it is in.
    pub source: Arc<Source>,
    /// Byte range of the wrong words, on character boundaries; may be empty; never beyond the text.
    pub span: Range<usize>,
    /// What is wrong, in one line. Never holds a secret.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Fault {
    /// An error at `span` of `source`.
    #[must_use]
    pub fn error(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { level: Level::Error, source: Arc::clone(source), span, message: message.into(), help: None }
    }

    /// A warning at `span` of `source`.
    #[must_use]
    pub fn warning(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(source, span, message) }
    }

    /// The same fault with advice.
    #[must_use]
    pub fn help(mut self, advice: impl Into<String>) -> Self {
        self.help = Some(advice.into());
        self
    }
}
