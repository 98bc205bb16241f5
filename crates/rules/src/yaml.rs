//! Reads YAML with places: each value has the bytes of the text that it was written as.

mod advice;
mod offsets;
mod reader;
mod text;
mod value;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::{Fault, Source, nearest};
use value::{Number, PlacedValue, ValuePlace, YamlValue};

pub use text::Text;

/// A parsed document.
#[derive(Debug)]
pub struct YamlDocument {
    source: Arc<Source>,
    root: PlacedValue,
}

/// A value in a document, with its place.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    source: &'d Arc<Source>,
    value: &'d YamlValue,
    place: &'d ValuePlace,
}

/// The entries of a mapping. It records which keys were requested.
#[derive(Debug)]
pub struct Entries<'d> {
    node: Node<'d>,
    asked: Vec<&'static str>,
    /// Keys whose place was requested. They are known, but help does not name them.
    unlisted: Vec<&'static str>,
    /// Keys whose value must be there.
    required: Vec<&'static str>,
}

/// Parses a document with the core schema of YAML 1.2. Duplicate keys, other tags (`when: !sport`),
/// tabs as indentation, several documents in one text, more than 64 levels, and aliases that stand
/// for more than 100,000 values or 16 MiB of text are faults.
///
/// Adds every fault to `faults`, warnings too. Returns `None` if the document cannot be used. An
/// empty text is an empty mapping. The time is linear in the length of the text.
#[must_use]
pub fn parse(source: &Arc<Source>, faults: &mut Vec<Fault>) -> Option<YamlDocument> {
    if let Some((at, c)) = source.text.char_indices().find(|(_, c)| is_refused(*c)) {
        faults.push(refused_character(source, at, c));
        return None;
    }
    let mut root = reader::read_document(source, faults)?;
    if matches!(root.value, YamlValue::Null) {
        root.value = YamlValue::Mapping(Arc::default());
    }
    Some(YamlDocument { source: Arc::clone(source), root })
}

/// Whether YAML forbids `c`, or `c` stands for bytes that were not UTF-8.
fn is_refused(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffd}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => c.is_control(),
    }
}

fn refused_character(source: &Arc<Source>, at: usize, c: char) -> Fault {
    if c == char::REPLACEMENT_CHARACTER {
        let message = "a damaged character: this text is not UTF-8";
        return Fault::error(source, at..at + c.len_utf8(), message).help("save the file as UTF-8");
    }
    Fault::error(source, at..at, "an invisible character is here").help("delete it")
}

impl YamlDocument {
    /// The root value of the document.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { source: &self.source, value: &self.root.value, place: &self.root.place }
    }
}

impl<'d> Node<'d> {
    /// Its place in the source, in bytes. A scalar has its whole text. A list or mapping has its
    /// first line, up to its closing bracket if that is in the line.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.place.span.clone()
    }

    /// The line in which it begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line_and_column(self.span().start).0
    }

    /// An error at its place.
    #[must_use]
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::error(self.source, self.span(), message)
    }

    /// A warning at its place.
    #[must_use]
    pub fn warning(&self, message: impl Into<String>) -> Fault {
        Fault::warning(self.source, self.span(), message)
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        matches!(self.value, YamlValue::Mapping(_))
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.value, YamlValue::List(_))
    }

    /// Its value as a string. A plain number counts as it is written. For any other value, adds a
    /// fault and returns `None`.
    pub fn text(&self, faults: &mut Vec<Fault>) -> Option<Text> {
        let value = match self.value {
            YamlValue::String(text) => text.clone(),
            YamlValue::Number(number) => {
                self.as_written().map_or_else(|| number.to_string(), ToOwned::to_owned)
            }
            _ => {
                let fault = self.type_fault("a text");
                let is_bool = matches!(self.value, YamlValue::Bool(_));
                let word = self.as_written().filter(|_| is_bool);
                faults.push(match word {
                    Some(word) => fault.help(format!("if the word is meant, write \"{word}\"")),
                    None => fault,
                });
                return None;
            }
        };
        Some(Text::new(value, self.source, self.span(), self.place.style))
    }

    /// `true` or `false`. For any other value, adds a fault and returns `None`.
    pub fn bool(&self, faults: &mut Vec<Fault>) -> Option<bool> {
        let value = if let YamlValue::Bool(value) = self.value { Some(*value) } else { None };
        self.or_type_fault(value, "true or false", faults)
    }

    /// A whole number from 0. For any other value, adds a fault and returns `None`.
    pub fn count(&self, faults: &mut Vec<Fault>) -> Option<usize> {
        let number = match self.value {
            YamlValue::Number(Number::Unsigned(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        if number.is_none() && matches!(self.value, YamlValue::Number(_)) {
            faults.push(self.fault("this is not a whole number from 0 up"));
            return None;
        }
        self.or_type_fault(number, "a whole number", faults)
    }

    /// A length of time such as `15m`, `1h 30m`, `2 days`. For any other value, adds a fault with
    /// an example and returns `None`.
    pub fn duration(&self, faults: &mut Vec<Fault>) -> Option<Duration> {
        let text = self.text(faults)?;
        self.duration_in(&text.value, faults)
    }

    /// Parses `value`, which was made from this node's text, as [`Node::duration`] does. The fault
    /// shows only the text as written.
    pub fn duration_in(&self, value: &str, faults: &mut Vec<Fault>) -> Option<Duration> {
        let duration = humantime::parse_duration(value).ok();
        if duration.is_none() {
            let written = self.as_written().unwrap_or_default();
            let fault = self.fault(format!("`{written}` is not a length of time"));
            faults.push(fault.help("write a number and its unit: 30s, 15m, 1h 30m, 7d"));
        }
        duration
    }

    /// The items of a list. For any other value, adds a fault and returns none.
    pub fn items(&self, faults: &mut Vec<Fault>) -> Vec<Node<'d>> {
        if let YamlValue::List(items) = self.value {
            return items.iter().map(|item| self.inner(item)).collect();
        }
        faults.push(
            self.type_fault("a list")
                .help("a list is written [one, two], or one item a line, each after `- `"),
        );
        Vec::new()
    }

    /// The items of a list, or a value of another type as a list of one. For keys that take both.
    #[must_use]
    pub fn one_or_many(&self) -> Vec<Node<'d>> {
        if self.is_list() { self.items(&mut Vec::new()) } else { vec![*self] }
    }

    /// The entries of a mapping. For any other value, adds a fault and returns `None`.
    pub fn entries(&self, faults: &mut Vec<Fault>) -> Option<Entries<'d>> {
        let is_mapping = self.is_mapping().then_some(());
        self.or_type_fault(is_mapping, "keys with values", faults)?;
        Some(Entries { node: *self, asked: Vec::new(), unlisted: Vec::new(), required: Vec::new() })
    }

    /// The keys and values of a mapping with the user's own names as keys, in order. For any other
    /// value, adds a fault and returns none.
    pub fn pairs(&self, faults: &mut Vec<Fault>) -> Vec<(Text, Node<'d>)> {
        let is_mapping = self.is_mapping().then_some(());
        if self.or_type_fault(is_mapping, "names with values", faults).is_none() {
            return Vec::new();
        }
        self.raw_pairs().filter_map(|(key, value)| Some((key.text(faults)?, value))).collect()
    }

    fn raw_pairs(&self) -> impl Iterator<Item = (Node<'d>, Node<'d>)> + use<'d> {
        let node = *self;
        let entries = if let YamlValue::Mapping(entries) = self.value { &entries[..] } else { &[] };
        entries.iter().map(move |(key, value)| (node.inner(key), node.inner(value)))
    }

    /// A value inside this one. Inside an alias, every value has the place of the alias.
    fn inner(&self, inner: &'d PlacedValue) -> Node<'d> {
        let place = if self.place.is_alias { self.place } else { &inner.place };
        Node { source: self.source, value: &inner.value, place }
    }

    /// The text of a scalar as written; `None` inside an alias.
    fn as_written(&self) -> Option<&'d str> {
        (!self.place.is_alias).then(|| &self.source.text[self.span()])
    }

    fn or_type_fault<T>(
        &self,
        value: Option<T>,
        wanted: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        if value.is_none() {
            faults.push(self.type_fault(wanted));
        }
        value
    }

    fn type_fault(&self, wanted: &str) -> Fault {
        let found = match self.value {
            YamlValue::Null => "nothing",
            YamlValue::Bool(true) => "true",
            YamlValue::Bool(false) => "false",
            YamlValue::Number(_) => "a number",
            YamlValue::String(_) => "a text",
            YamlValue::List(_) => "a list",
            YamlValue::Mapping(_) => "keys with values",
        };
        self.fault(format!("expected {wanted}, found {found}"))
    }
}

impl<'d> Entries<'d> {
    /// The value of `key`, if it is present and not null.
    pub fn get(&mut self, key: &'static str) -> Option<Node<'d>> {
        self.asked.push(key);
        let (_, value) =
            self.node.raw_pairs().find(|(name, _)| name.value.as_str() == Some(key))?;
        (!matches!(value.value, YamlValue::Null)).then_some(value)
    }

    /// The value of `key`. If it is missing, adds a fault at the mapping and returns `None`.
    pub fn require(&mut self, key: &'static str, faults: &mut Vec<Fault>) -> Option<Node<'d>> {
        self.required.push(key);
        let value = self.get(key);
        if value.is_none() {
            faults.push(self.node.fault(format!("`{key}` is missing here")));
        }
        value
    }

    /// The place of `key`, for a fault about the key and not about its value. The key counts as
    /// known, but help for other keys does not name it.
    pub fn key_span(&mut self, key: &'static str) -> Option<Range<usize>> {
        self.unlisted.push(key);
        let found = self.node.raw_pairs().find(|(name, _)| name.value.as_str() == Some(key));
        found.map(|(name, _)| name.span())
    }

    /// Adds a fault for every requested key without a value: [`Entries::get`] takes it for one that
    /// is not there. For a required key, there is a fault already.
    pub fn refuse_empty_values(&self, faults: &mut Vec<Fault>) {
        for (key, value) in self.node.raw_pairs() {
            let name = key.value.as_str().unwrap_or_default();
            let is_asked = self.asked.contains(&name) && !self.required.contains(&name);
            if is_asked && matches!(value.value, YamlValue::Null) {
                let fault = key.fault(format!("the key `{name}` has no value"));
                faults.push(fault.help("write its value, or remove the key"));
            }
        }
    }

    /// The mapping.
    #[must_use]
    pub fn node(&self) -> Node<'d> {
        self.node
    }

    /// Adds a fault for every key that was not requested. Its help names the most similar requested
    /// key.
    pub fn refuse_unknown_keys(self, faults: &mut Vec<Fault>) {
        for (key, _) in self.node.raw_pairs() {
            if key
                .value
                .as_str()
                .is_some_and(|key| self.asked.contains(&key) || self.unlisted.contains(&key))
            {
                continue;
            }
            let known = self.asked.iter().copied();
            let advice = match key.value.as_str().and_then(|key| nearest(key, known.clone())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are: {}", known.collect::<Vec<_>>().join(", ")),
            };
            // A key without a space after its colon contains its value, which may be a secret, so
            // the key is not shown.
            let is_word =
                |name: &&str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
            let message = match key.value.as_str().filter(is_word) {
                Some(name) => format!("the key `{name}` is not known here"),
                None => "this key is not known here".to_owned(),
            };
            faults.push(key.fault(message).help(advice));
        }
    }
}

#[cfg(test)]
mod tests;
