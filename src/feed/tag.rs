//! Names of tags, for checks of a feed without a parser.

/// The name of the tag that follows a `<`, with its prefix and a leading slash.
pub(super) fn name(tag: &str) -> &str {
    let rest = tag.strip_prefix('/').unwrap_or(tag);
    let end =
        rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(rest.len());
    &tag[..tag.len() - rest.len() + end]
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or_default()
}

/// Whether a name is an item's, in any case and prefix.
pub(super) fn is_item(name: &str) -> bool {
    ["item", "entry"].iter().any(|item| local(name).eq_ignore_ascii_case(item))
}
