//! Splits HTML into its blocks of text, and notes the elements that hold them.

use std::cell::RefCell;
use std::ops::Range;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use unicode_segmentation::UnicodeSegmentation;

use crate::markup::elements::{is_block, is_void};
use crate::markup::plain::PlainTextWriter;
use crate::markup::tokens::{attribute, tokenise};

/// A document as its blocks of text, in order, and the elements around them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The blocks that hold text.
    pub(crate) blocks: Vec<TextBlock>,
    /// The block elements that hold text, in the order of their end tags.
    pub(crate) elements: Vec<BlockElement>,
}

/// A run of text between two tags of blocks, such as a paragraph.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TextBlock {
    /// Its plain text.
    pub(crate) text: String,
    /// The name of the innermost block element around it.
    pub(crate) element: String,
    /// The bytes of its text that are within links, without white space.
    pub(crate) linked: usize,
}

impl TextBlock {
    /// The share of its text that links are, in percent.
    pub(crate) fn linked_percent(&self) -> usize {
        100 * self.linked / count_black(&self.text).max(1)
    }

    /// The number of its words (Unicode annex 29), counted up to `most`.
    pub(crate) fn count_words(&self, most: usize) -> usize {
        self.text.unicode_words().take(most).count()
    }

    /// Whether it is a heading.
    pub(crate) fn is_heading(&self) -> bool {
        matches!(self.element.as_str(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
    }
}

/// A block element, and the blocks within it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BlockElement {
    pub(crate) name: String,
    /// Its classes, id and role, separated by spaces.
    pub(crate) marks: String,
    pub(crate) blocks: Range<usize>,
}

/// Splits `html` into blocks. Text after a tag that is too large to be read safely is left out.
pub(crate) fn outline(html: &str) -> Outline {
    let sink = TextBlockSink(RefCell::default());
    let _ = tokenise(html, &sink);
    let mut reader = sink.0.into_inner();
    reader.end_block();
    reader.close_to(0);
    reader.outline
}

#[derive(Default)]
struct OutlineReader {
    outline: Outline,
    /// The open block elements. The range of each ends where it begins.
    open: Vec<BlockElement>,
    block: PlainTextWriter,
    linked: usize,
    /// The number of links that are open.
    links: usize,
}

impl OutlineReader {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if self.block.skipped.is_none() {
            match tag.kind {
                TagKind::StartTag if is_block(name) => self.start(tag),
                TagKind::EndTag if is_block(name) => self.end(name),
                TagKind::StartTag if name == "a" => self.links += 1,
                TagKind::EndTag if name == "a" => self.links = self.links.saturating_sub(1),
                _ => {}
            }
        }
        self.block.tag(tag)
    }

    fn text(&mut self, text: &str) {
        if self.block.skipped.is_none() {
            self.block.write(text);
            if self.links > 0 {
                self.linked += count_black(text);
            }
        }
    }

    fn start(&mut self, tag: &Tag) {
        self.end_block();
        if is_void(&tag.name) {
            return;
        }
        let marks = ["class", "id", "role"].map(|name| attribute(tag, name).unwrap_or_default());
        let at = self.outline.blocks.len();
        self.open.push(BlockElement {
            name: tag.name.to_string(),
            marks: marks.join(" "),
            blocks: at..at,
        });
    }

    fn end(&mut self, name: &str) {
        self.end_block();
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.close_to(at);
        }
    }

    /// Closes the open elements from this depth on, and notes those that hold text.
    fn close_to(&mut self, depth: usize) {
        let end = self.outline.blocks.len();
        for mut element in self.open.drain(depth..).rev() {
            element.blocks.end = end;
            if !element.blocks.is_empty() {
                self.outline.elements.push(element);
            }
        }
    }

    fn end_block(&mut self) {
        let skipped = self.block.skipped.take();
        let text = std::mem::take(&mut self.block).finish();
        self.block.skipped = skipped;
        let linked = std::mem::take(&mut self.linked);
        if !text.is_empty() {
            let element = self.open.last().map(|open| open.name.clone()).unwrap_or_default();
            self.outline.blocks.push(TextBlock { text, element, linked });
        }
    }
}

struct TextBlockSink(RefCell<OutlineReader>);

impl TokenSink for TextBlockSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return reader.tag(&tag),
            Token::CharacterTokens(text) => reader.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The bytes of `text` that are no white space.
fn count_black(text: &str) -> usize {
    text.split_whitespace().map(str::len).sum()
}
