//! Where each value of a YAML document stands: one pass over its events, before any value is built.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::advice;
use crate::fault::{Fault, Source};

/// How deep lists and mappings may be nested.
const DEEPEST: usize = 64;

/// How many values all aliases of a document may stand for together.
const MOST_ALIASED: usize = 100_000;

/// How many bytes of text all aliases of a document may stand for together.
const MOST_ALIASED_BYTES: usize = 16 << 20;

/// What a value costs wherever an alias stands for it: everything inside it counts, aliases
/// expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
    /// Lists and mappings in one another.
    depth: usize,
}

impl Size {
    /// Takes in a value that stands inside.
    fn add(&mut self, inner: Self) {
        self.values = self.values.saturating_add(inner.values);
        self.bytes = self.bytes.saturating_add(inner.bytes);
        self.depth = self.depth.max(inner.depth);
    }
}

/// The place of a value and of what is inside it.
#[derive(Debug)]
pub(super) struct ValuePlace {
    /// Of a scalar, all of it; of a list or mapping, its first line.
    pub(super) span: Range<usize>,
    pub(super) style: ScalarStyle,
    inside: Vec<ValuePlace>,
}

impl ValuePlace {
    /// The place of a list's item. What stands inside an alias stands where the alias does.
    pub(super) fn item(&self, index: usize) -> &Self {
        self.inside.get(index).unwrap_or(self)
    }

    /// The places of the key and the value of a mapping's entry.
    pub(super) fn entry(&self, index: usize) -> (&Self, &Self) {
        (self.item(2 * index), self.item(2 * index + 1))
    }
}

/// A list or mapping that is being read.
struct OpenCollection {
    place: ValuePlace,
    is_mapping: bool,
    keys: HashSet<String>,
    anchor: usize,
    /// Of what stands inside.
    size: Size,
}

/// Reads the places of a document that `serde_yaml` can be trusted with: bounded depth and size, no
/// tags, no duplicate keys. `None` if it cannot be used.
pub(super) fn read(source: &Arc<Source>, faults: &mut Vec<Fault>) -> Option<ValuePlace> {
    let mut reader = PlaceReader {
        source,
        offsets: Offsets::of(&source.text),
        faults,
        open: Vec::new(),
        anchors: HashMap::new(),
        aliased: Size::default(),
        unused: BTreeMap::new(),
        root: None,
        sound: true,
    };
    for event in Parser::new_from_str(&source.text) {
        match event {
            Ok((event, span)) => reader.take(event, span)?,
            Err(error) => {
                let at = reader.offsets.byte(error.marker().index());
                reader.faults.push(advice::syntax_error(source, at, error.info()));
                return None;
            }
        }
    }
    reader.refuse_unused_anchors();
    let whole = ValuePlace { span: 0..0, style: ScalarStyle::Plain, inside: Vec::new() };
    reader.sound.then(|| reader.root.unwrap_or(whole))
}

struct PlaceReader<'s> {
    source: &'s Arc<Source>,
    offsets: Offsets,
    faults: &'s mut Vec<Fault>,
    open: Vec<OpenCollection>,
    /// What an anchor stands for.
    anchors: HashMap<usize, Size>,
    /// What all aliases so far stand for.
    aliased: Size,
    /// Anchors before scalars that no alias has named so far, with the place of the scalar.
    unused: BTreeMap<usize, Range<usize>>,
    root: Option<ValuePlace>,
    sound: bool,
}

impl PlaceReader<'_> {
    /// Takes in one event; `None` if there is no use in going on.
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let span = self.offsets.range(span);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                self.refuse(
                    span,
                    "a second document begins here",
                    "one file holds one document: remove the `---`",
                );
                return None;
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.check_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), &span);
                self.check_comment(style, &span);
                let size = Size { values: 1, bytes: value.len(), depth: 0 };
                self.remember(anchor, size);
                if anchor > 0 {
                    self.unused.insert(anchor, span.clone());
                }
                self.close(ValuePlace { span, style, inside: Vec::new() }, Some(&value), size);
            }
            Event::Alias(anchor) => {
                let size = self.anchors.get(&anchor).copied().unwrap_or_default();
                self.aliased.add(size);
                self.unused.remove(&anchor);
                self.check_aliased(&span, size)?;
                self.close(
                    ValuePlace { span, style: ScalarStyle::Plain, inside: Vec::new() },
                    None,
                    size,
                );
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), &span);
                self.begin(span, anchor, false)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), &span);
                self.begin(span, anchor, true)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let mut done = self.open.pop()?;
                if self.source.text[done.place.span.start..].starts_with(['[', '{']) {
                    done.place.span.end = done.place.span.end.min(span.start + 1);
                }
                let mut size = Size { values: 1, bytes: 0, depth: 0 };
                size.add(done.size);
                size.depth += 1;
                self.remember(done.anchor, size);
                self.close(done.place, None, size);
            }
            _ => {}
        }
        Some(())
    }

    /// Keeps what the anchor of that number stands for; 0 is none.
    fn remember(&mut self, anchor: usize, size: Size) {
        if anchor > 0 {
            self.anchors.insert(anchor, size);
        }
    }

    /// Refuses an alias that makes the document too large or too deep. `None` if it does.
    fn check_aliased(&mut self, span: &Range<usize>, size: Size) -> Option<()> {
        let message = if self.aliased.values > MOST_ALIASED {
            "the aliases up to here stand for too many values"
        } else if self.aliased.bytes > MOST_ALIASED_BYTES {
            "the aliases up to here stand for too much text"
        } else if self.open.len() + size.depth > DEEPEST {
            "this alias is nested too deep"
        } else {
            return Some(());
        };
        self.refuse(span.clone(), message, "write the values out");
        None
    }

    fn begin(&mut self, span: Range<usize>, anchor: usize, is_mapping: bool) -> Option<()> {
        if self.open.len() >= DEEPEST {
            let line = self.first_line(span.start);
            self.refuse(
                line,
                "this is nested too deep",
                &format!("at most {DEEPEST} levels can be read"),
            );
            return None;
        }
        let place = ValuePlace {
            span: self.first_line(span.start),
            style: ScalarStyle::Plain,
            inside: Vec::new(),
        };
        self.open.push(OpenCollection {
            place,
            is_mapping,
            keys: HashSet::new(),
            anchor,
            size: Size::default(),
        });
        Some(())
    }

    /// Puts a finished value where it belongs. `text`: of a scalar, its value.
    fn close(&mut self, place: ValuePlace, text: Option<&str>, size: Size) {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(place);
            return;
        };
        parent.size.add(size);
        let is_key = parent.is_mapping && parent.place.inside.len() % 2 == 0;
        let span = place.span.clone();
        parent.place.inside.push(place);
        if !is_key {
            return;
        }
        match text {
            Some(key) if !parent.keys.insert(key.to_owned()) => {
                self.refuse(span, "this key stands here twice", "keep one of the two");
            }
            Some(_) => {}
            None => {
                self.refuse(span, "a key must be a word", "if this is a value, put it in quotes");
            }
        }
    }

    fn check_tag(&mut self, tagged: bool, span: &Range<usize>) {
        if !tagged {
            return;
        }
        let text = &self.source.text;
        // The parser gives the place of the value: its tag stands before it, or begins it.
        let mark = if text[span.start..].starts_with('!') {
            span.start
        } else {
            text[..span.start].rfind('!').unwrap_or(span.start)
        };
        let between = |c: char| c.is_whitespace() || matches!(c, '[' | '{' | ',');
        let tag = text[..mark].rfind(between).map_or(0, |at| text.ceil_char_boundary(at + 1));
        let end = text[mark..]
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'))
            .map_or(text.len(), |at| mark + at);
        let word = &text[(mark + 1).min(end)..end];
        let help = format!(
            "to exclude the word, write NOT {word}; otherwise put the whole value in single quotes"
        );
        self.refuse(
            tag..end,
            "a word that begins with `!` is a tag in YAML, and would be lost",
            &help,
        );
    }

    /// `when: C #sharp` silently loses a word: a comment begins there.
    fn check_comment(&mut self, style: ScalarStyle, span: &Range<usize>) {
        let rest = &self.source.text[span.end..];
        let comment = rest.trim_start_matches([' ', '\t']);
        let blank = rest.len() - comment.len();
        let Some(said) = comment.strip_prefix('#') else { return };
        let said = said.split(['\n', '\r']).next().unwrap_or(said);
        let begins_a_word = said.starts_with(char::is_alphanumeric);
        let has_operator =
            || said.split_whitespace().any(|word| matches!(word, "AND" | "OR" | "NOT"));
        if style != ScalarStyle::Plain || blank == 0 || !(begins_a_word || has_operator()) {
            return;
        }
        let start = span.end + blank;
        let word = comment.split(char::is_whitespace).next().unwrap_or(comment);
        let message =
            format!("`{word}` begins a comment, and so what follows is no part of the value");
        let help = if begins_a_word {
            "put the whole value in single quotes; or, if it is a comment, write a space after the #"
        } else {
            "put the whole value in single quotes; or, if it is a comment, write it on a line of its own above the key"
        };
        self.faults
            .push(Fault::warning(self.source, start..start + word.len(), message).help(help));
    }

    /// `when: &arms oil` would be `oil`: an anchor that nothing names was meant as a word.
    fn refuse_unused_anchors(&mut self) {
        for (_, span) in std::mem::take(&mut self.unused) {
            let before = &self.source.text[..span.start];
            let start = before.rfind('&').unwrap_or(span.start);
            let end = self.source.text[start..]
                .find(char::is_whitespace)
                .map_or(span.end, |at| start + at);
            let message = "a word that begins with `&` is an anchor in YAML, and would be lost";
            let help = "leave the `&` out, or put the whole value in single quotes; for all of several words, write AND";
            self.refuse(start..end, message, help);
        }
    }

    fn refuse(&mut self, span: Range<usize>, message: &str, help: &str) {
        self.sound = false;
        self.faults.push(Fault::error(self.source, span, message).help(help));
    }

    fn first_line(&self, start: usize) -> Range<usize> {
        let line = self.source.text[start..].split(['\n', '\r']).next().unwrap_or_default();
        start..start + line.trim_end().len()
    }
}

/// Turns the parser's character counts into byte offsets.
struct Offsets {
    length: usize,
    /// The byte offset of every character; `None` for ASCII, where the two are one.
    of_char: Option<Vec<usize>>,
}

impl Offsets {
    fn of(text: &str) -> Self {
        let of_char = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { length: text.len(), of_char }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.of_char {
            None => index.min(self.length),
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.length),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}
