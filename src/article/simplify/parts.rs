//! Notes the parts of a rewritten page, and decides which of them are left out: boxes, and the
//! articles after the first.

use std::ops::Range;

use html5ever::tokenizer::Tag;

use super::boxes::BoxKind;
use crate::markup::tokens::attribute;

/// The fewest bytes of text of an article after which the next article begins.
const FIRST_ARTICLE: usize = 1000;

/// How much was written of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes of HTML.
    pub(super) html: usize,
    /// Bytes of text.
    pub(super) text: usize,
    /// Bytes of text within links.
    pub(super) linked: usize,
}

/// What an element is to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Article { has_headline: bool },
    Box(BoxKind),
}

/// An element that may be left out.
#[derive(Debug)]
pub(super) struct PagePart {
    role: Role,
    /// What was written before it.
    start: Written,
}

impl PagePart {
    /// The part that begins with `tag`, if it may be left out.
    pub(super) fn of(tag: &Tag, start: Written) -> Option<Self> {
        let value = |name| attribute(tag, name).unwrap_or_default();
        let role = if &*tag.name == "article" {
            Role::Article { has_headline: false }
        } else {
            Role::Box(BoxKind::of([value("class"), value("id")])?)
        };
        Some(Self { role, start })
    }
}

/// The parts that were closed.
#[derive(Debug, Default)]
pub(super) struct PageParts {
    closed: Vec<(Role, Written, Written)>,
}

impl PageParts {
    /// Notes what the element `name` tells about the parts around it. A headline, an article or
    /// the main element is in no box.
    pub(super) fn note_within<'p>(
        name: &str,
        around: impl Iterator<Item = &'p mut Option<PagePart>>,
    ) {
        if !matches!(name, "h1" | "article" | "main") {
            return;
        }
        for part in around {
            match part {
                Some(PagePart { role: Role::Article { has_headline }, .. }) => {
                    *has_headline |= name == "h1";
                }
                Some(PagePart { role: Role::Box(_), .. }) => *part = None,
                None => {}
            }
        }
    }

    /// Notes a part that ends.
    pub(super) fn close(&mut self, part: &PagePart, end: Written) {
        self.closed.push((part.role, part.start, end));
    }

    /// The ranges of HTML to leave out of a page of this size, in order.
    pub(super) fn left_out(&self, page: Written) -> Vec<Range<usize>> {
        let boxes = self.closed.iter().filter(|(role, start, end)| match role {
            Role::Box(kind) => {
                kind.holds(end.text - start.text, end.linked - start.linked, page.text)
            }
            Role::Article { .. } => false,
        });
        let boxes = boxes.map(|(_, start, end)| start.html..end.html);
        let mut ranges: Vec<Range<usize>> = boxes.chain(self.next_articles()).collect();
        ranges.sort_by_key(|range| (range.start, usize::MAX - range.end));
        let mut last = 0;
        ranges.retain(|range| {
            let is_outermost = range.start >= last;
            last = last.max(range.end);
            is_outermost
        });
        ranges
    }

    /// The articles after the first, if each has a headline of its own: some pages append the next
    /// article.
    fn next_articles(&self) -> Vec<Range<usize>> {
        let articles = self.closed.iter().filter_map(|(role, start, end)| match role {
            Role::Article { has_headline: true } => Some((*start, *end)),
            _ => None,
        });
        let mut articles: Vec<(Written, Written)> = articles.collect();
        articles.sort_by_key(|(start, _)| start.html);
        let Some(((start, end), others)) = articles.split_first() else { return Vec::new() };
        if end.text - start.text < FIRST_ARTICLE {
            return Vec::new();
        }
        let next = others.iter().filter(|(next, _)| next.html >= end.html);
        next.map(|(start, end)| start.html..end.html).collect()
    }
}
