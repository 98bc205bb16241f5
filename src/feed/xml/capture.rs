//! The element whose text is being read, and its end.

use html5ever::tokenizer::{Tag, TagKind};
use url::Url;

use super::draft::{ItemDraft, TextForm};
use super::element::{ElementMeaning, FeedPart};
use crate::markup::date::parse_date;
use crate::markup::tokens::attribute;
use crate::markup::{escape, plain};
use tidings_rules::text::one_line;

/// The part of a feed or an item that is being read.
pub(super) struct Capture {
    name: String,
    pub(super) part: FeedPart,
    pub(super) rank: u8,
    pub(super) form: TextForm,
    /// Whether its markup is written as elements.
    is_inline: bool,
    has_elements: bool,
    /// The number of open elements in it with its own name.
    depth: usize,
    pub(super) text: String,
    pub(super) lang: Option<String>,
    /// Its own `xml:base`.
    pub(super) base: Option<Url>,
}

impl Capture {
    pub(super) fn new(
        tag: &Tag,
        part: FeedPart,
        rank: u8,
        is_atom: bool,
        base: Option<Url>,
    ) -> Self {
        let kind = attribute(tag, "type").unwrap_or_default().trim().to_ascii_lowercase();
        let mode = attribute(tag, "mode").unwrap_or_default();
        Self {
            name: tag.name.to_string(),
            part,
            rank,
            form: text_form(&kind, mode, part, is_atom),
            is_inline: (kind.contains("xhtml")
                || kind.ends_with("xml")
                || tag.name.ends_with("body"))
                && mode != "escaped",
            has_elements: false,
            depth: 0,
            text: String::new(),
            lang: attribute(tag, "xml:lang").filter(|lang| !lang.is_empty()).map(ToOwned::to_owned),
            base,
        }
    }

    /// Whether the start of an element shows that this one has ended without an end tag.
    pub(super) fn is_ended_by(&self, name: &str, meaning: ElementMeaning) -> bool {
        match meaning {
            ElementMeaning::Item => true,
            ElementMeaning::Part(part, _) if self.part.is_long() => {
                !part.is_html_too() || name.contains(':') && !self.is_inline
            }
            ElementMeaning::Part(..) => !self.is_inline,
            ElementMeaning::Source | ElementMeaning::Aside | ElementMeaning::Feed => {
                !self.part.is_long() && !self.is_inline
            }
            ElementMeaning::Unknown => false,
        }
    }

    /// Whether the end of an element is the end of this one. Elements of its own name in it are
    /// counted.
    pub(super) fn is_closed_by(&mut self, name: &str) -> bool {
        let is_own = self.name == name;
        let is_over = is_own && self.depth == 0;
        self.depth -= usize::from(is_own && !is_over);
        is_over
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.is_inline && self.has_elements {
            escape::push_text(&mut self.text, text);
        } else {
            self.text.push_str(text);
        }
    }

    /// Adds an element in it as markup.
    pub(super) fn tag(&mut self, tag: &Tag) {
        if self.is_inline && !self.has_elements {
            let before = std::mem::take(&mut self.text);
            escape::push_text(&mut self.text, &before);
        }
        self.has_elements = true;
        let is_start = tag.kind == TagKind::StartTag;
        self.depth += usize::from(is_start && !tag.self_closing && *tag.name == self.name);
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        self.text.push_str(if is_start { "<" } else { "</" });
        self.text.push_str(local);
        self.text.push_str(if tag.self_closing { "/>" } else { ">" });
    }

    /// Adds the captured part to an item.
    pub(super) fn into_item(self, item: &mut ItemDraft) {
        if let Some(lang) = self.lang.filter(|_| self.part == FeedPart::Content) {
            item.lang.replace_if_higher(2, lang);
        }
        let text = self.text;
        match self.part {
            _ if text.trim().is_empty() => {}
            FeedPart::Guid => item.guid.replace_if_higher(self.rank, text.trim().to_owned()),
            FeedPart::Content => item.content.replace_if_higher(self.rank, (self.form, text)),
            FeedPart::Summary => item.summary.replace_if_higher(self.rank, (self.form, text)),
            FeedPart::Date => {
                if let Some(date) = parse_date(&text) {
                    item.date.replace_if_higher(self.rank, date);
                }
            }
            FeedPart::Category => item.tags.push(one_line(&plain::from_markup(&text))),
            _ => {}
        }
    }
}

/// RSS does not define whether its texts are markup; in practice they are. Atom defines it, but its
/// `text` is often markup.
fn text_form(kind: &str, mode: &str, part: FeedPart, is_atom: bool) -> TextForm {
    let is_markup = kind.contains("html")
        || kind.ends_with("xml")
        || !is_atom && (kind.is_empty() || kind.starts_with("text"));
    if part == FeedPart::Content
        && (mode == "base64" || !is_markup && kind.contains('/') && !kind.starts_with("text/"))
    {
        TextForm::Other
    } else if is_markup || !is_atom {
        TextForm::Markup
    } else {
        TextForm::Text
    }
}
