//! Escapes of characters that several services share.

/// Writes a character so that the service shows it and reads no markup in it.
pub(super) type Escape = fn(char, &mut String);

/// For services that show text without markup.
pub(super) fn no_escape(c: char, text: &mut String) {
    text.push(c);
}

/// Escapes the markup of HTML. A zero-width space after `@` prevents mentions.
pub(super) fn escape_html(c: char, text: &mut String) {
    match c {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '@' => text.push_str("@\u{200b}"),
        other => text.push(other),
    }
}

/// An address without characters that HTML reads as markup, except `&`, written for HTML.
pub(super) fn escape_ampersands(address: &str) -> String {
    address.replace('&', "&amp;")
}
