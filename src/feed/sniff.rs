//! What kind of document a text is, told by its first signs.

/// Kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Xml,
    Json,
    Html,
    Other,
}

/// What `text` is: HTML if its first element says so, else JSON or XML by its first sign, junk
/// before it forgiven.
pub(super) fn kind(text: &str) -> Kind {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    match text.chars().next() {
        None => Kind::Empty,
        Some('{' | '[') => Kind::Json,
        Some(_) => match first_element(text).map(str::to_ascii_lowercase).as_deref() {
            None => Kind::Other,
            Some("html" | "!doctype html" | "head" | "body") => Kind::Html,
            Some(_) => Kind::Xml,
        },
    }
}

/// The name of the first element, or `!doctype html`.
fn first_element(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')?..];
        let end = if rest.starts_with("<!--") { rest.find("-->")? + 3 } else { 1 };
        let doctype = rest.get(..14).filter(|start| start.eq_ignore_ascii_case("<!doctype html"));
        if let Some(doctype) = doctype {
            return Some(&doctype[1..]);
        }
        if rest[1..].starts_with(char::is_alphabetic) {
            let end = rest
                .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
                .unwrap_or(rest.len());
            return Some(&rest[1..end]);
        }
        rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Kind::Empty)]
    #[case(" \n\u{feff}", Kind::Empty)]
    #[case("<?xml version='1.0'?><!-- <html> --><rss/>", Kind::Xml)]
    #[case("warning: x\n<rss>", Kind::Xml)]
    #[case("\u{feff}{\"version\": 1}", Kind::Json)]
    #[case("[]", Kind::Json)]
    #[case("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'><p>", Kind::Html)]
    #[case("<!doctype html>", Kind::Html)]
    #[case("<?xml version='1.0'?>\n<HTML xmlns='x'>", Kind::Html)]
    #[case("<!DOCTYPE rss><rss/>", Kind::Xml)]
    #[case("just words, 1 < 2", Kind::Other)]
    #[case("<!-- open", Kind::Other)]
    fn documents_are_told_by_their_first_sign(#[case] text: &str, #[case] expected: Kind) {
        assert_eq!(kind(text), expected);
    }
}
