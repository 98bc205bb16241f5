//! Finds boxes by the names that their pages give them.

use std::ops::Range;

use crate::markup::plain::outline::{Outline, TextBlock};

/// The names of boxes, as words with `-` between them. A name also stands for longer ones that
/// begin with it.
const BOXES: [&str; 73] = [
    "about-author",
    "about-the-author",
    "also-read",
    "author-bio",
    "author-box",
    "author-card",
    "author-description",
    "author-info",
    "authorbox",
    "breadcrumb",
    "comment-form",
    "comment-list",
    "comment-respond",
    "commentlist",
    "comments",
    "cookie-banner",
    "cookie-bar",
    "cookie-consent",
    "cookie-notice",
    "cookiebar",
    "disqus",
    "donat",
    "follow-us",
    "hover-card",
    "hovercard",
    "inline-related",
    "login",
    "mailing-list",
    "more-from",
    "more-on",
    "more-stories",
    "most-popular",
    "most-read",
    "most-viewed",
    "mostread",
    "newsletter",
    "next-article",
    "next-post",
    "next-story",
    "nextstory",
    "outbrain",
    "pagination",
    "popover",
    "popular-posts",
    "popup",
    "post-author",
    "post-navigation",
    "post-tags",
    "promobox",
    "read-also",
    "read-next",
    "recirc",
    "recommend",
    "related",
    "saboxplugin",
    "share-bar",
    "share-buttons",
    "sharedaddy",
    "sign-up",
    "signup",
    "social-media",
    "social-share",
    "sponsor",
    "subscribe-box",
    "subscribe-form",
    "subscribe-widget",
    "subscription-box",
    "taboola",
    "tag-list",
    "taglist",
    "tags",
    "teasers",
    "trending",
];

/// The names of boxes if most of their text is links.
const LINK_BOXES: [&str; 10] = [
    "teaser",
    "widget",
    "promo",
    "popular",
    "read-more",
    "readmore",
    "social",
    "share",
    "sharing",
    "toc",
];

/// The names of players. Their boxes are short.
const PLAYERS: [&str; 4] = ["audio", "player", "podcast", "video"];

/// The most bytes of text of the box of a player.
const PLAYER: usize = 250;

/// Drops the blocks of boxes. An element with most of the text is no box.
pub(super) fn drop_boxes(outline: &Outline, kept: &mut [bool]) {
    let sizes = sums(&outline.blocks, |block| block.text.len());
    let linked = sums(&outline.blocks, |block| block.linked);
    let total = sizes.last().copied().unwrap_or_default();
    for element in &outline.elements {
        let Range { start, end } = element.blocks;
        let size = sizes[end] - sizes[start];
        let is_box = || {
            let names: Vec<String> = element.marks.split_ascii_whitespace().map(words_of).collect();
            is_named(&names, &BOXES)
                || (2 * (linked[end] - linked[start]) >= size && is_named(&names, &LINK_BOXES))
                || (size <= PLAYER && is_named(&names, &PLAYERS))
        };
        if 2 * size <= total && is_box() {
            kept[start..end].fill(false);
        }
    }
}

/// The sum of `part` over all blocks before each index.
fn sums(blocks: &[TextBlock], part: impl Fn(&TextBlock) -> usize) -> Vec<usize> {
    let mut sum = 0;
    let next = |block| {
        sum += part(block);
        sum
    };
    std::iter::once(0).chain(blocks.iter().map(next)).collect()
}

fn is_named(names: &[String], boxes: &[&str]) -> bool {
    let begins = |name: &String, start: &str| {
        name.match_indices(start).any(|(at, _)| at == 0 || name.as_bytes()[at - 1] == b'-')
    };
    names.iter().any(|name| boxes.iter().any(|start| begins(name, start)))
}

/// A class or id as its words in lower case, with `-` between them: `relatedLinks__item` is
/// `related-links--item`.
fn words_of(mark: &str) -> String {
    let mut words = String::with_capacity(mark.len() + 4);
    let mut was_lower = false;
    for c in mark.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push('-');
        }
        words.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        was_lower = c.is_lowercase();
    }
    words
}
