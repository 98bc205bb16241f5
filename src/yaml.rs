//! YAML with places: values as serde_yaml reads them, and where in the text each of them stands.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::{Fault, Source};

/// A parsed document.
pub struct Document {}

/// A value in a document, with its place.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
}

/// The entries of a mapping, which remembers which keys were asked for.
pub struct Entries<'d> {
    node: Node<'d>,
}

/// A string value and where each of its bytes stands in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The value.
    pub value: String,
}

impl Text {
    /// The byte range of the source that `span`, a byte range of `value`, was written as.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Range<usize> {
        let _ = span;
        todo!()
    }
}

/// Parses a document. Duplicate keys, tags (`when: !sport`), tabs and alias bombs are faults. `None` if it cannot be used; an empty text is an empty mapping.
#[must_use]
pub fn parse(source: &Arc<Source>, faults: &mut Vec<Fault>) -> Option<Document> {
    let _ = (source, faults);
    todo!()
}

impl Document {
    /// The top of the document.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { document: self }
    }
}

impl<'d> Node<'d> {
    /// Its place in the source: of a scalar the scalar, of a list or mapping its first line.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let _ = self.document;
        todo!()
    }

    /// An error at its place.
    #[must_use]
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        let _ = message.into();
        todo!()
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        todo!()
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        todo!()
    }

    /// A string; plain numbers count as they are written. Anything else is a fault and `None`.
    pub fn text(&self, faults: &mut Vec<Fault>) -> Option<Text> {
        let _ = faults;
        todo!()
    }

    /// `true` or `false`, else a fault.
    pub fn bool(&self, faults: &mut Vec<Fault>) -> Option<bool> {
        let _ = faults;
        todo!()
    }

    /// A whole number, not negative, else a fault.
    pub fn count(&self, faults: &mut Vec<Fault>) -> Option<usize> {
        let _ = faults;
        todo!()
    }

    /// A time such as `15m`, `1h 30m`, `2 days`, else a fault that shows how to write one.
    pub fn duration(&self, faults: &mut Vec<Fault>) -> Option<Duration> {
        let _ = faults;
        todo!()
    }

    /// The items of a list, else a fault and none.
    pub fn items(&self, faults: &mut Vec<Fault>) -> Vec<Node<'d>> {
        let _ = faults;
        todo!()
    }

    /// The items of a list, or the single value as a list of one: for keys that take either.
    pub fn one_or_many(&self) -> Vec<Node<'d>> {
        todo!()
    }

    /// The entries of a mapping, else a fault and `None`.
    pub fn entries(&self, faults: &mut Vec<Fault>) -> Option<Entries<'d>> {
        let _ = faults;
        todo!()
    }

    /// The keys and values of a mapping whose keys are the user's own names, in order, else a fault and none.
    pub fn pairs(&self, faults: &mut Vec<Fault>) -> Vec<(Text, Node<'d>)> {
        let _ = faults;
        todo!()
    }
}

impl<'d> Entries<'d> {
    /// The value of `key`, if it stands there and is not null.
    pub fn get(&mut self, key: &'static str) -> Option<Node<'d>> {
        let _ = (key, self.node);
        todo!()
    }

    /// The value of `key`, or a fault at the mapping that says `key` is missing.
    pub fn require(&mut self, key: &'static str, faults: &mut Vec<Fault>) -> Option<Node<'d>> {
        let _ = (key, faults);
        todo!()
    }

    /// A fault for every key that nobody asked for, naming the nearest key that exists.
    pub fn finish(self, faults: &mut Vec<Fault>) {
        let _ = faults;
        todo!()
    }
}
