//! A string value, with the place of each of its characters.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;
use std::sync::Arc;

use saphyr_parser::ScalarStyle;

use crate::fault::{Fault, Source};

/// A string value and its place in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The value.
    pub value: String,
    source: Arc<Source>,
    span: Range<usize>,
    style: ScalarStyle,
}

impl Text {
    pub(super) fn new(
        value: String,
        source: &Arc<Source>,
        span: Range<usize>,
        style: ScalarStyle,
    ) -> Self {
        Self { value, source: Arc::clone(source), span, style }
    }

    /// A text that is not in a file. It is its own source, with the name `name`.
    #[must_use]
    pub fn standalone(name: &str, value: &str) -> Self {
        let source = Arc::new(Source { name: name.to_owned(), text: value.to_owned() });
        Self { value: value.to_owned(), source, span: 0..value.len(), style: ScalarStyle::Plain }
    }

    /// The byte range of the whole scalar in the source, with its quotes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// An error at `span`, a byte range of the value.
    #[must_use]
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault::error(&self.source, self.place(span), message)
    }

    /// A warning at `span`, a byte range of the value.
    #[must_use]
    pub fn warning(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault::warning(&self.source, self.place(span), message)
    }

    /// The byte range of the source that the byte range `span` of `value` was written as. It is on
    /// character boundaries and inside the scalar. If the value comes from an alias, it is the
    /// alias.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Range<usize> {
        let raw = &self.source.text[self.span.clone()];
        if raw.starts_with('*') && self.style == ScalarStyle::Plain && self.value != raw {
            return self.span.clone();
        }
        let mut written = ScalarCursor::new(raw, self.style);
        let (mut start, mut end) = (None, None);
        for (at, c) in self.value.char_indices() {
            if at >= span.end && start.is_some() {
                break;
            }
            let Some(found) = written.find(c) else { break };
            if at >= span.start {
                start.get_or_insert(found.start);
                end = Some(found.end);
            }
        }
        let start = start.unwrap_or(written.last_end);
        let end = if span.is_empty() { start } else { end.unwrap_or(start) };
        self.span.start + start..self.span.start + end.max(start)
    }
}

/// A cursor over a scalar as written. It follows the characters of its value.
struct ScalarCursor<'s> {
    raw: &'s str,
    left: Peekable<CharIndices<'s>>,
    style: ScalarStyle,
    last_end: usize,
}

impl<'s> ScalarCursor<'s> {
    fn new(raw: &'s str, style: ScalarStyle) -> Self {
        let mut left = raw.char_indices().peekable();
        let mut last_end = 0;
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        if quoted && left.next_if(|(_, c)| matches!(c, '\'' | '"')).is_some() {
            last_end = 1;
        }
        if raw.starts_with(['|', '>'])
            && matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
        {
            while left.next_if(|(_, c)| *c != '\n').is_some() {}
        }
        Self { raw, left, style, last_end }
    }

    /// The place of the value's next character `wanted`.
    fn find(&mut self, wanted: char) -> Option<Range<usize>> {
        loop {
            let (at, c) = *self.left.peek()?;
            if c == '\\' && self.style == ScalarStyle::DoubleQuoted {
                let end = self.escape(at);
                // An escaped line break is not a character of the value.
                if !self.raw[at..end].ends_with(['\n', '\r']) {
                    return Some(self.found(at, end));
                }
            } else if wanted.is_whitespace() {
                // In folded lines, one space stands for a line break and the indentation of the
                // next line.
                let found = self.left.next_if(|(_, c)| c.is_whitespace());
                return Some(found.map_or(self.last_end..self.last_end, |(at, c)| {
                    self.found(at, at + c.len_utf8())
                }));
            } else {
                self.left.next();
                if c == wanted {
                    let doubled = c == '\'' && self.style == ScalarStyle::SingleQuoted;
                    let twin = if doubled { self.left.next_if(|(_, c)| *c == '\'') } else { None };
                    return Some(self.found(at, at + c.len_utf8() + usize::from(twin.is_some())));
                }
            }
        }
    }

    /// Reads the escape at `at`, and returns its end.
    fn escape(&mut self, at: usize) -> usize {
        self.left.next();
        let Some((_, kind)) = self.left.next() else { return at + 1 };
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        for _ in 0..digits {
            self.left.next_if(|(_, c)| c.is_ascii_hexdigit());
        }
        self.left.peek().map_or(self.raw.len(), |(next, _)| *next)
    }

    fn found(&mut self, start: usize, end: usize) -> Range<usize> {
        self.last_end = end;
        start..end
    }
}
