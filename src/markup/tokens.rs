//! Reads HTML as a stream of tokens: without a tree, without recursion, in time proportional to its
//! length.

use std::cell::Cell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The most attributes of one tag. The tokenizer compares each attribute with all before it, so a
/// tag with a million attributes would take hours.
const MOST_ATTRIBUTES: usize = 8_000;

/// The longest piece that is fed at once, in bytes.
const PIECE: usize = 4096;

/// A tag of the markup is too large to be read safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TagTooLarge;

/// Feeds the tokens of `html` to `sink`. An error ends it at a tag that is too large.
pub(crate) fn tokenise<S: TokenSink<Handle = ()>>(html: &str, sink: &S) -> Result<(), TagTooLarge> {
    let counted = Counted { sink, seen: Cell::new(0) };
    let tokenizer = Tokenizer::new(counted, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut stall = Stall::default();
    for piece in pieces(html) {
        let before = tokenizer.sink.seen.get();
        queue.push_back(StrTendril::from_slice(piece));
        let _ = tokenizer.feed(&queue);
        stall.grows(piece, tokenizer.sink.seen.get() > before)?;
    }
    tokenizer.end();
    Ok(())
}

/// `html` in pieces of bounded length. A `<` is always the first character of a piece.
fn pieces(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let most = rest.floor_char_boundary(PIECE);
        let window = &rest[..most];
        let end = window.get(1..).and_then(|after| after.find('<')).map_or(most, |at| at + 1);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The pieces since the last token: the inside of a tag or a comment.
#[derive(Default)]
struct Stall {
    attributes: usize,
    place: TagPlace,
    is_comment: bool,
    is_on: bool,
}

/// The place within a tag, as the states of the tokenizer (HTML standard, sections 13.2.5.8 and
/// 13.2.5.32 to 40).
#[derive(Clone, Copy, Default)]
enum TagPlace {
    #[default]
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Unquoted,
}

impl TagPlace {
    fn after(self, byte: u8) -> Self {
        let is_space = byte.is_ascii_whitespace();
        match (self, byte) {
            (Self::Quoted(quote), _) if byte != quote => self,
            (Self::Quoted(_), _) | (Self::TagName | Self::Name | Self::AfterName, b'/') => {
                Self::BeforeName
            }
            (Self::TagName | Self::Unquoted, _) if is_space => Self::BeforeName,
            (Self::TagName | Self::Unquoted, _) | (Self::BeforeName, b'/') => self,
            (Self::BeforeName | Self::AfterName | Self::BeforeValue, _) if is_space => self,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (Self::Name, _) if is_space => Self::AfterName,
            (Self::BeforeName | Self::Name | Self::AfterName, _) => Self::Name,
            (Self::BeforeValue, b'"' | b'\'') => Self::Quoted(byte),
            (Self::BeforeValue, _) => Self::Unquoted,
        }
    }
}

impl Stall {
    fn grows(&mut self, piece: &str, gave_token: bool) -> Result<(), TagTooLarge> {
        if gave_token {
            // A tag begins only at a `<`, which is the first character of this piece, so it has
            // ended.
            *self = Self::default();
            return Ok(());
        }
        if !self.is_on {
            self.is_comment = piece.starts_with("<!") || piece.starts_with("<?");
        }
        self.is_on = true;
        for byte in piece.bytes() {
            let next = self.place.after(byte);
            let begins = matches!(next, TagPlace::Name)
                && matches!(self.place, TagPlace::BeforeName | TagPlace::AfterName);
            self.attributes += usize::from(begins);
            self.place = next;
        }
        if self.attributes > MOST_ATTRIBUTES && !self.is_comment {
            Err(TagTooLarge)
        } else {
            Ok(())
        }
    }
}

/// Counts the tokens that pass to a sink.
struct Counted<'a, S> {
    sink: &'a S,
    seen: Cell<usize>,
}

impl<S: TokenSink<Handle = ()>> TokenSink for Counted<'_, S> {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        // Errors also occur inside tags.
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.seen.set(self.seen.get() + 1);
        self.sink.process_token(token, line)
    }

    /// Allows CDATA sections. Feeds wrap texts in CDATA sections that remain after one unwrapping,
    /// and HTML would read them as comments.
    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        true
    }
}

/// The value of an attribute; `name` and the names in the tag are in lower case.
pub(crate) fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(&found.value)
}

/// Whether HTML searches for a reference at the `&` at the start of `rest`.
pub(crate) fn begins_reference(rest: &str) -> bool {
    rest.as_bytes().get(1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count(Cell<usize>);

    impl TokenSink for Count {
        type Handle = ();

        fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
            if matches!(token, Token::TagToken(_)) {
                self.0.set(self.0.get() + 1);
            }
            TokenSinkResult::Continue
        }
    }

    fn tags(html: &str) -> Result<usize, TagTooLarge> {
        let sink = Count(Cell::new(0));
        tokenise(html, &sink).map(|()| sink.0.get())
    }

    #[test]
    fn pieces_join_to_the_whole() {
        for html in ["", "a", "<", "<<", "a<b>c</b>", &"ä".repeat(5000), &"<p>".repeat(5000)] {
            assert_eq!(pieces(html).collect::<String>(), *html);
        }
    }

    #[test]
    fn a_tag_of_endless_attributes_is_refused() {
        let attributes = (0..10_000).fold(String::new(), |all, i| all + &format!(" a{i}"));
        assert_eq!(tags(&format!("<p{attributes}>")), Err(TagTooLarge));
        for attribute in ["a?='<!-->'", "a?=b ", "a? = \"\" ", "a?/", "a?=/ b?\t"] {
            let attributes: String =
                (0..10_000).map(|i| attribute.replace('?', &i.to_string())).collect();
            let html = format!("<!-- x --><p {attributes}>");
            assert_eq!(tags(&html), Err(TagTooLarge), "{attribute}");
        }
    }

    #[test]
    fn long_comments_texts_and_addresses_are_fine() {
        let words = "word / ".repeat(20_000);
        assert_eq!(tags(&format!("<!-- {words} <p> {words} --><p>{words}</p>")), Ok(2));
        for value in ["A", "/", "a b ", "\"", "<g x=1 y=2 />", "= "] {
            let long = format!("<img src='data:{}' alt=x><p>", value.repeat(1 << 15));
            assert_eq!(tags(&long), Ok(2), "{value}");
        }
    }
}
