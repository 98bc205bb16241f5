//! Links for chat services. A web address is linked if the service takes its length; any other
//! address is text.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

use super::escape::escape_ampersands;

/// Characters that no address may contain (RFC 3986), though publishers write them. In services
/// they end the link, or the message is refused.
const ILLEGAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// How a service can show an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LinkForm {
    /// A web address behind words, or in a field for links.
    Linked(String),
    /// A web address that is written out, because it is too long for a field for links.
    WrittenOut(String),
    /// Foreign text: an address that is no web address, or a note in place of an address that is
    /// too long.
    Text(String),
}

/// Chooses the form of `address` for a service that links addresses of at most `linked` bytes and
/// writes out addresses of at most `written` bytes.
pub(super) fn choose_link_form(address: &str, linked: usize, written: usize) -> LinkForm {
    link_form_by_length(encode_web_address(address).as_deref(), address, linked, written)
}

/// As [`choose_link_form`], for markup in which `&` is written and counted as `&amp;`.
pub(super) fn choose_link_form_in_markup(address: &str, linked: usize, written: usize) -> LinkForm {
    link_form_by_length(
        encode_web_address(address).map(|address| escape_ampersands(&address)).as_deref(),
        address,
        linked,
        written,
    )
}

fn link_form_by_length(
    web: Option<&str>,
    address: &str,
    linked: usize,
    written: usize,
) -> LinkForm {
    let Some(web) = web else {
        return LinkForm::Text(if address.len() <= written {
            address.to_owned()
        } else {
            too_long_note(address)
        });
    };
    match web.len() {
        length if length <= linked => LinkForm::Linked(web.to_owned()),
        length if length <= written => LinkForm::WrittenOut(web.to_owned()),
        _ => LinkForm::Text(too_long_note(address)),
    }
}

/// A web address with illegal characters encoded; `None` if `address` is no web address.
fn encode_web_address(address: &str) -> Option<String> {
    let url =
        Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(utf8_percent_encode(url.as_str(), ILLEGAL).to_string())
}

fn too_long_note(address: &str) -> String {
    format!("(its link has {} characters, too many for this message)", address.chars().count())
}

/// Encodes parentheses for a link in Markdown unless each is closed. An unopened one would end it.
pub(super) fn encode_for_markdown(address: &str) -> String {
    let mut depth = 0_i32;
    let is_flat = address.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (0..=1).contains(&depth)
    });
    if is_flat && depth == 0 {
        address.to_owned()
    } else {
        address.replace('(', "%28").replace(')', "%29")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://wire.example/a?id=1|2", "https://wire.example/a?id=1%7C2")]
    #[case("https://wire.example/a b", "https://wire.example/a%20b")]
    #[case("https://wire.example/?q=<b>\"x\"", "https://wire.example/?q=%3Cb%3E%22x%22")]
    #[case("https://wire.example/a%7Cb?x=%20", "https://wire.example/a%7Cb?x=%20")]
    #[case(
        "https://wire.example/новости",
        "https://wire.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"
    )]
    #[case("https://wire.example/a_(b)#c{d}^e", "https://wire.example/a_(b)#c%7Bd%7D%5Ee")]
    fn what_would_end_a_link_is_encoded(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(choose_link_form(address, 2000, 2000), LinkForm::Linked(expected.to_owned()));
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("file:///srv/feeds/a.html")]
    #[case("http://")]
    fn what_is_no_address_of_the_web_is_words(#[case] address: &str) {
        assert_eq!(choose_link_form(address, 2000, 2000), LinkForm::Text(address.to_owned()));
    }

    #[test]
    fn a_link_that_no_field_takes_is_written_out_and_one_without_room_is_said() {
        let long = format!("https://wire.example/{}", "a".repeat(2979));
        assert_eq!(choose_link_form(&long, 2000, 3000), LinkForm::WrittenOut(long.clone()));
        let said = "(its link has 3000 characters, too many for this message)".to_owned();
        assert_eq!(choose_link_form(&long, 2000, 2999), LinkForm::Text(said));
    }

    #[rstest]
    #[case("https://a.example/Foo_(bar)", "https://a.example/Foo_(bar)")]
    #[case("https://a.example/Foo)", "https://a.example/Foo%29")]
    #[case("https://a.example/((x))", "https://a.example/%28%28x%29%29")]
    fn parentheses_do_not_end_a_link(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(encode_for_markdown(address), expected);
    }
}
