//! Finds paragraphs that invite readers to other stories, and the links that follow them.

use std::sync::LazyLock;

use crate::markup::plain::outline::TextBlock;

/// The most words and bytes of a label, such as `Most read`.
const LABEL_WORDS: usize = 6;
const LABEL: usize = 60;

/// The least share of an invitation that links are, in percent, if it is no label.
const SOME_LINKS: usize = 40;

/// The same for the links below a label.
const MOST_LINKS: usize = 80;

/// The beginnings of invitations, in many languages.
static INVITATIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("invitations.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// The most characters of a beginning.
const LONGEST: usize = 40;

/// Drops blocks that invite to other stories. If such a block is a label, the links after it go,
/// too.
pub(super) fn drop_invitations(blocks: &[TextBlock], kept: &mut [bool]) {
    let mut is_below_label = false;
    for (block, kept) in blocks.iter().zip(kept) {
        let percent = block.linked_percent();
        let invites = begins_invitation(&block.text) && (is_label(block) || percent >= SOME_LINKS);
        let is_listed = is_below_label && percent >= MOST_LINKS;
        *kept &= !invites && !is_listed;
        is_below_label = is_listed || (invites && is_label(block));
    }
}

fn is_label(block: &TextBlock) -> bool {
    block.text.len() < LABEL && block.count_words(LABEL_WORDS + 1) <= LABEL_WORDS
}

fn begins_invitation(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let start: String = start.chars().take(LONGEST).collect();
    let start = start.to_lowercase().replace('’', "'");
    INVITATIONS.iter().any(|invitation| {
        let rest = start.strip_prefix(invitation);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}
