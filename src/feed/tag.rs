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
    // A search byte by byte, because names are too short for a search by machine words.
    let prefix = name.bytes().rposition(|byte| byte == b':');
    prefix.map_or(name, |colon| &name[colon + 1..])
}

/// Whether a name is an item's, in any case and prefix.
pub(super) fn is_item(name: &str) -> bool {
    let local = local(name);
    ["item", "entry"].iter().any(|item| local.eq_ignore_ascii_case(item))
}
