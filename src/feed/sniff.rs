//! Detects the kind of a document by the start of its text.

/// Kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentKind {
    Empty,
    Xml,
    Json,
    Html,
    Other,
}

/// The kind of `text`: HTML if its first element is HTML's, else JSON or XML by its first sign.
/// Text before that is skipped.
pub(super) fn kind(text: &str) -> DocumentKind {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    match text.chars().next() {
        None => DocumentKind::Empty,
        Some('{' | '[') => DocumentKind::Json,
        Some(_) => match first_element(text).map(str::to_ascii_lowercase).as_deref() {
            None => DocumentKind::Other,
            Some("html" | "!doctype html" | "head" | "body") => DocumentKind::Html,
            Some(_) => DocumentKind::Xml,
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
    #[case("", DocumentKind::Empty)]
    #[case(" \n\u{feff}", DocumentKind::Empty)]
    #[case("<?xml version='1.0'?><!-- <html> --><rss/>", DocumentKind::Xml)]
    #[case("warning: x\n<rss>", DocumentKind::Xml)]
    #[case("\u{feff}{\"version\": 1}", DocumentKind::Json)]
    #[case("[]", DocumentKind::Json)]
    #[case("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'><p>", DocumentKind::Html)]
    #[case("<!doctype html>", DocumentKind::Html)]
    #[case("<?xml version='1.0'?>\n<HTML xmlns='x'>", DocumentKind::Html)]
    #[case("<!DOCTYPE rss><rss/>", DocumentKind::Xml)]
    #[case("just words, 1 < 2", DocumentKind::Other)]
    #[case("<!-- open", DocumentKind::Other)]
    fn documents_are_recognised_by_their_first_sign(
        #[case] text: &str,
        #[case] expected: DocumentKind,
    ) {
        assert_eq!(kind(text), expected);
    }
}
