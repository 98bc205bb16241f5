//! Reads a YAML document in one pass over the parser's events: its values with their places.
//!
//! The depth, and the values and bytes that aliases stand for, are bounded. Tags outside the core
//! schema, duplicate keys and unused anchors are faults.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::advice;
use super::offsets::Offsets;
use super::value::{NoValue, PlacedValue, ValuePlace, YamlValue};
use crate::fault::{Fault, Source};

/// The most levels of nested lists and mappings.
const DEEPEST: usize = 64;

/// The most values that all aliases of a document stand for together.
const MOST_ALIASED: usize = 100_000;

/// The most bytes of text that all aliases of a document stand for together.
const MOST_ALIASED_BYTES: usize = 16 << 20;

/// Signs that cannot begin a plain scalar.
const RESERVED: &str = ",[]{}#&*!|>'\"%@`";

/// The size of a value with everything inside it, aliases expanded. Each alias costs this much.
#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
    /// The number of levels of lists and mappings.
    depth: usize,
}

impl Size {
    /// Adds the size of a value inside.
    fn add(&mut self, inner: Self) {
        self.values = self.values.saturating_add(inner.values);
        self.bytes = self.bytes.saturating_add(inner.bytes);
        self.depth = self.depth.max(inner.depth);
    }
}

/// A list or mapping that is not closed yet.
struct OpenCollection {
    start: usize,
    is_mapping: bool,
    /// Its items, or its keys and values alternately.
    items: Vec<PlacedValue>,
    /// The keys of a mapping so far: as written, and as values if they are not strings.
    keys: HashSet<String>,
    /// The number of its anchor; 0 if it has none.
    anchor: usize,
    /// The size of the values inside.
    size: Size,
}

/// The value of an anchor.
struct Anchored {
    value: YamlValue,
    size: Size,
}

/// Reads a document. `None` if it cannot be used; an empty document is null.
pub(super) fn read_document(source: &Arc<Source>, faults: &mut Vec<Fault>) -> Option<PlacedValue> {
    let mut reader = Reader {
        source,
        offsets: Offsets::new(&source.text),
        faults,
        open: Vec::new(),
        anchors: HashMap::new(),
        aliased: Size::default(),
        unused_anchors: BTreeMap::new(),
        root: None,
        is_sound: true,
    };
    // Without a final line break, the parser misreads a block scalar at the end.
    let text = if source.text.ends_with(['\n', '\r']) {
        Cow::Borrowed(&source.text)
    } else {
        Cow::Owned(format!("{}\n", source.text))
    };
    for event in Parser::new_from_str(&text) {
        match event {
            Ok((event, span)) => reader.read_event(event, span)?,
            Err(error) => {
                let at = reader.offsets.byte(error.marker().index());
                reader.faults.push(advice::syntax_error(source, at, error.info()));
                return None;
            }
        }
    }
    reader.refuse_unused_anchors();
    let place = ValuePlace { span: 0..0, style: ScalarStyle::Plain, is_alias: false };
    let empty = PlacedValue { place, value: YamlValue::Null };
    reader.is_sound.then(|| reader.root.unwrap_or(empty))
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    offsets: Offsets<'s>,
    faults: &'s mut Vec<Fault>,
    open: Vec<OpenCollection>,
    anchors: HashMap<usize, Anchored>,
    /// The size that all aliases so far stand for.
    aliased: Size,
    /// Anchors of scalars that no alias has used so far, with the places of the scalars.
    unused_anchors: BTreeMap<usize, Range<usize>>,
    root: Option<PlacedValue>,
    is_sound: bool,
}

impl Reader<'_> {
    /// Reads one event; `None` if the rest cannot be read.
    fn read_event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
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
            Event::Scalar(text, style, anchor, tag) => {
                self.read_scalar(&text, style, anchor, tag.as_deref(), span);
            }
            Event::Alias(anchor) => self.read_alias(anchor, span)?,
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), &span);
                self.open_collection(span.start, anchor, false)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), &span);
                self.open_collection(span.start, anchor, true)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close_collection(span.start)?,
            _ => {}
        }
        Some(())
    }

    fn read_scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) {
        self.check_tag(tag, &span);
        self.check_comment(style, &span);
        let tag = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
        let text = self.without_added_break(text, style, &span);
        let value = match YamlValue::from_scalar(text, style, tag) {
            Ok(value) => value,
            Err(reason) => {
                self.refuse_scalar(reason, &span);
                YamlValue::Null
            }
        };
        self.check_first_character(text, style, &span);
        let size = Size { values: 1, bytes: text.len(), depth: 0 };
        self.remember(anchor, &value, size);
        if anchor > 0 {
            self.unused_anchors.insert(anchor, span.clone());
        }
        let place = ValuePlace { span, style, is_alias: false };
        self.add(PlacedValue { place, value }, Some(text), size);
    }

    /// The content of a scalar without the final line break that was added: it would belong to a
    /// block scalar whose last line ends with the document.
    fn without_added_break<'t>(
        &self,
        text: &'t str,
        style: ScalarStyle,
        span: &Range<usize>,
    ) -> &'t str {
        let source = &self.source.text;
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let last = source.trim_end_matches([' ', '\t']);
        if is_block && span.end >= last.len() && !last.ends_with(['\n', '\r']) {
            text.strip_suffix('\n').unwrap_or(text)
        } else {
            text
        }
    }

    fn read_alias(&mut self, anchor: usize, span: Range<usize>) -> Option<()> {
        let (value, size) = match self.anchors.get(&anchor) {
            Some(anchored) => (Some(anchored.value.clone()), anchored.size),
            None => (None, Size::default()),
        };
        self.aliased.add(size);
        self.unused_anchors.remove(&anchor);
        self.check_aliased(&span, size)?;
        let Some(value) = value else {
            self.refuse(span, "this alias stands inside its own anchor", "write the value out");
            return None;
        };
        let place = ValuePlace { span, style: ScalarStyle::Plain, is_alias: true };
        self.add(PlacedValue { place, value }, None, size);
        Some(())
    }

    /// Keeps the value of the anchor with that number; 0 is no anchor.
    fn remember(&mut self, anchor: usize, value: &YamlValue, size: Size) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { value: value.clone(), size });
        }
    }

    /// Refuses an alias that makes the document too large or too deep. `None` if it is refused.
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

    /// Begins a list or mapping. `None` if it is nested too deep.
    fn open_collection(&mut self, start: usize, anchor: usize, is_mapping: bool) -> Option<()> {
        if self.open.len() >= DEEPEST {
            let line = self.first_line(start..self.source.text.len());
            let help = format!("at most {DEEPEST} levels can be read");
            self.refuse(line, "this is nested too deep", &help);
            return None;
        }
        self.open.push(OpenCollection {
            start,
            is_mapping,
            items: Vec::new(),
            keys: HashSet::new(),
            anchor,
            size: Size::default(),
        });
        Some(())
    }

    /// Ends the innermost list or mapping. A bracket that closes it ends at byte `end`.
    fn close_collection(&mut self, end: usize) -> Option<()> {
        let done = self.open.pop()?;
        let has_brackets = self.source.text[done.start..].starts_with(['[', '{']);
        let end = if has_brackets { (end + 1).max(done.start) } else { self.source.text.len() };
        let span = self.first_line(done.start..end.min(self.source.text.len()));
        let value = if done.is_mapping {
            let mut items = done.items.into_iter();
            let entries = std::iter::from_fn(|| Some((items.next()?, items.next()?)));
            YamlValue::Mapping(entries.collect())
        } else {
            YamlValue::List(done.items.into())
        };
        let mut size = Size { values: 1, bytes: 0, depth: 0 };
        size.add(done.size);
        size.depth += 1;
        self.remember(done.anchor, &value, size);
        let place = ValuePlace { span, style: ScalarStyle::Plain, is_alias: false };
        self.add(PlacedValue { place, value }, None, size);
        Some(())
    }

    /// Adds a finished value to its list or mapping. `text` is the content of a scalar.
    fn add(&mut self, item: PlacedValue, text: Option<&str>, size: Size) {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(item);
            return;
        };
        parent.size.add(size);
        let is_key = parent.is_mapping && parent.items.len().is_multiple_of(2);
        let problem = if !is_key {
            None
        } else if let Some(text) = text {
            let is_new = parent.is_new_key(&item.value, text);
            (!is_new).then_some(("this key is here twice", "keep one of the two"))
        } else {
            Some(("a key must be a word", "if this is a value, put it in quotes"))
        };
        let span = item.place.span.clone();
        parent.items.push(item);
        if let Some((message, help)) = problem {
            self.refuse(span, message, help);
        }
    }

    fn refuse_scalar(&mut self, reason: NoValue, span: &Range<usize>) {
        let (message, help) = match reason {
            NoValue::TooLarge => {
                ("this number is too large", "if it is a text, put it in single quotes")
            }
            NoValue::NotOfTag => ("this value does not fit its tag", "remove the tag"),
        };
        self.refuse(span.clone(), message, help);
    }

    /// Refuses a plain scalar that begins with a reserved sign. The parser reads some of them
    /// inside brackets: `{url: >x}`.
    fn check_first_character(&mut self, text: &str, style: ScalarStyle, span: &Range<usize>) {
        let first = text.chars().next().filter(|c| RESERVED.contains(*c));
        if let Some(first) = first.filter(|_| style == ScalarStyle::Plain) {
            let message = format!("a value cannot begin with {first} in YAML");
            self.refuse(span.clone(), &message, "put the whole value in single quotes");
        }
    }

    /// Refuses a tag outside the core schema.
    fn check_tag(&mut self, tag: Option<&Tag>, span: &Range<usize>) {
        if tag.is_none_or(Tag::is_yaml_core_schema) {
            return;
        }
        let text = &self.source.text;
        // The parser gives the place of the value. Its tag is before it, or at its start.
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

    /// Warns of `when: C #sharp`, which loses a word because a comment begins there.
    fn check_comment(&mut self, style: ScalarStyle, span: &Range<usize>) {
        let rest = &self.source.text[span.end..];
        let comment = rest.trim_start_matches([' ', '\t']);
        let blank = rest.len() - comment.len();
        let Some(content) = comment.strip_prefix('#') else { return };
        let content = content.split(['\n', '\r']).next().unwrap_or(content);
        let begins_a_word = content.starts_with(char::is_alphanumeric);
        let has_operator =
            || content.split_whitespace().any(|word| matches!(word, "AND" | "OR" | "NOT"));
        if style != ScalarStyle::Plain || blank == 0 || !(begins_a_word || has_operator()) {
            return;
        }
        let start = span.end + blank;
        let word = comment.split(char::is_whitespace).next().unwrap_or(comment);
        let message = format!("`{word}` begins a comment: the rest is not part of the value");
        let help = if begins_a_word {
            "put the whole value in single quotes; or, if it is a comment, write a space after the #"
        } else {
            "put the whole value in single quotes; or, if it is a comment, write it on a line of its own above the key"
        };
        self.faults
            .push(Fault::warning(self.source, start..start + word.len(), message).help(help));
    }

    /// Refuses `when: &arms oil`, which would be `oil`: an anchor that no alias uses was meant as a
    /// word.
    fn refuse_unused_anchors(&mut self) {
        for (_, span) in std::mem::take(&mut self.unused_anchors) {
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
        self.is_sound = false;
        self.faults.push(Fault::error(self.source, span, message).help(help));
    }

    /// The first line of the bytes `range`, without white space at its end.
    fn first_line(&self, range: Range<usize>) -> Range<usize> {
        let start = range.start;
        let line = self.source.text[range].split(['\n', '\r']).next().unwrap_or_default();
        start..start + line.trim_end().len()
    }
}

impl OpenCollection {
    /// Whether no earlier key has the content `text` or, if it is not a string, the value `value`.
    fn is_new_key(&mut self, value: &YamlValue, text: &str) -> bool {
        let is_new = self.keys.insert(text.to_owned());
        let canonical = match value {
            YamlValue::Null => "\0null".to_owned(),
            YamlValue::Bool(value) => format!("\0{value}"),
            YamlValue::Number(number) => format!("\0{number}"),
            YamlValue::String(_) | YamlValue::List(_) | YamlValue::Mapping(_) => return is_new,
        };
        self.keys.insert(canonical) && is_new
    }
}
