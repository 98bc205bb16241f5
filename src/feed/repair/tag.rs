//! Renames tags of older feeds to tags that feed-rs reads.

use std::ops::Range;

use crate::feed::tag::local;

/// Other names of vocabularies that feed-rs reads. Atom 0.3 is not among them, because it has its
/// own modes of texts.
const NAMESPACES: [(&str, &str); 3] = [
    ("http://my.netscape.com/rdf/simple/0.9/", "http://purl.org/rss/1.0/"),
    ("http://channel.netscape.com/rdf/simple/0.9/", "http://purl.org/rss/1.0/"),
    ("http://backend.userland.com/rss2", "http://purl.org/rss/1.0/"),
];

/// `tag` with its old namespace, `rss` version or type of text replaced; `None` if nothing needs
/// replacement. Its `&` are escaped.
pub(super) fn modernise(tag: &str) -> Option<String> {
    let is_old = tag.contains("xmlns") && NAMESPACES.iter().any(|(old, _)| tag.contains(old));
    let renamed = is_old
        .then(|| NAMESPACES.iter().fold(tag.to_owned(), |tag, (old, new)| tag.replace(old, new)));
    let tag = renamed.as_deref().unwrap_or(tag);
    let end = tag[1..]
        .find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .map_or(tag.len(), |end| end + 1);
    let name = &tag[1..end];
    let local = local(name);
    let is = |known: &str| local.eq_ignore_ascii_case(known);
    let is_media = name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("media:"));
    let modern = if end == 4 && is("rss") {
        Some(modern_rss(tag))
    } else if ["title", "subtitle", "summary", "rights", "description"].into_iter().any(is) {
        known_type(tag, is_media)
    } else if is("content") && !is_media {
        known_content(tag)
    } else {
        None
    };
    modern.or(renamed)
}

/// The `rss` tag with version 2.0, which all versions resemble. feed-rs reads only some version
/// numbers.
fn modern_rss(tag: &str) -> String {
    let mut tag = tag.to_owned();
    if let Some((whole, _)) = attribute(&tag, "version") {
        tag.replace_range(whole, "");
    }
    tag.replace_range(..4, "<rss version=\"2.0\"");
    tag
}

/// The tag of a text with a type that feed-rs knows, because feed-rs refuses a feed with any other
/// type. `None` if the tag has no type.
fn known_type(tag: &str, is_media: bool) -> Option<String> {
    let (_, value) = attribute(tag, "type")?;
    let kind = match tag[value.clone()].to_ascii_lowercase() {
        kind if kind.contains("html") || kind.contains("xml") => "html",
        _ if is_media => "plain",
        _ => "text",
    };
    Some(with(tag, value, kind))
}

/// The tag of an Atom content with a type that feed-rs knows. `None` if it has no type or is a
/// picture or similar.
fn known_content(tag: &str) -> Option<String> {
    let (_, value) = attribute(tag, "type")?;
    let kind = tag[value.clone()].trim().to_ascii_lowercase();
    let is_elsewhere = attribute(tag, "src").is_some();
    let known = match kind.as_str() {
        kind if is_elsewhere && kind.contains('/') => return None,
        _ if is_elsewhere => "text/html",
        kind if kind.contains("html") || kind.ends_with("xml") => "html",
        kind if kind.starts_with("text/") || !kind.contains('/') => "text",
        _ => return None,
    };
    Some(with(tag, value, known))
}

/// `tag` with `value` at `place`.
fn with(tag: &str, place: Range<usize>, value: &str) -> String {
    [&tag[..place.start], value, &tag[place.end..]].concat()
}

/// The places of an attribute with the white space before it, and of its value.
fn attribute(tag: &str, name: &str) -> Option<(Range<usize>, Range<usize>)> {
    if !tag.contains('=') {
        return None;
    }
    let lower = tag.to_ascii_lowercase();
    let mut starts = lower.match_indices(name).map(|(at, _)| at);
    starts.find_map(|start| {
        lower[..start].ends_with(|c: char| c.is_ascii_whitespace()).then_some(())?;
        let after = lower[start + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let open = lower.len() - after.len() + 1;
        let close = open + lower[open..].find(quote)?;
        Some((start - 1..close + 1, open..close))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::modernise;

    #[rstest]
    #[case("<rss version='0.94' x='y'/>", "<rss version=\"2.0\" x='y'/>")]
    #[case("<rss>", "<rss version=\"2.0\">")]
    #[case("<RSS x='a' Version = \"0.91\">", "<rss version=\"2.0\" x='a'>")]
    #[case("<r xmlns='http://backend.userland.com/rss2'>", "<r xmlns='http://purl.org/rss/1.0/'>")]
    #[case("<title type=\"text/plain\">", "<title type=\"text\">")]
    #[case("<atom:summary type='application/xhtml+xml'>", "<atom:summary type='html'>")]
    #[case("<title subtype='x' type=''>", "<title subtype='x' type='text'>")]
    #[case("<media:title type='text/plain'>", "<media:title type='plain'>")]
    #[case("<media:content type='image/jpeg'>", "<media:content type='image/jpeg'>")]
    #[case("<content type='application/xhtml+xml'>", "<content type='html'>")]
    #[case("<content type='image/png'>", "<content type='image/png'>")]
    #[case("<content type='x'>", "<content type='text'>")]
    #[case("<content type='text/xml'>", "<content type='html'>")]
    #[case("<content src='x' type='text/html'>", "<content src='x' type='text/html'>")]
    #[case("<content src='x' type='html'>", "<content src='x' type='text/html'>")]
    #[case("<link type='text/html' href='x'/>", "<link type='text/html' href='x'/>")]
    #[case("</rss>", "</rss>")]
    #[case("<title type=>", "<title type=>")]
    #[case("<title type='>", "<title type='>")]
    fn odd_tags_are_put_in_known_words(#[case] odd: &str, #[case] known: &str) {
        assert_eq!(modernise(odd).as_deref().unwrap_or(odd), known);
    }
}
