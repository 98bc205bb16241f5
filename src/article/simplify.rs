//! Rewrites a page's HTML so that its tree stays shallow. The parser gets only the rewritten HTML.

use std::cell::RefCell;
use std::fmt::Write;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use crate::markup::elements::{has_no_text, may_go_unclosed, raw_kind};
use crate::markup::escape;
use crate::markup::tokens::{TagTooLarge, tokenise};

/// The most elements that are open at once. A tree costs quadratic time in its depth. No article
/// needs a tenth of this.
const DEEPEST: usize = 512;

/// Why no tree is made of a page, in words for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the page's elements are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("one of the page's tags is too large to be read safely")]
    TagTooLarge,
}

/// Rewrites `html` so that every element is closed. It leaves out scripts, pictures, comments, most
/// attributes, and inline emphasis, because trees grow quadratically with emphasis that is nested
/// wrongly.
///
/// A tree builder nests the result at most as deep as was counted here, for any page. Elements with
/// an optional end tag, such as `<p>` and `<li>`, do not count: they nest only with another element
/// between them.
pub(crate) fn simplify(html: &str) -> Result<String, Unfit> {
    let sink = Simple(RefCell::default());
    tokenise(html, &sink).map_err(|TagTooLarge| Unfit::TagTooLarge)?;
    let mut page = sink.0.into_inner();
    page.close_to(0);
    if page.is_too_deep { Err(Unfit::TooDeep) } else { Ok(page.out) }
}

#[derive(Default)]
struct SimplifiedPage {
    out: String,
    open: Vec<String>,
    /// The element whose content is left out, and the number of open elements with its name.
    skipped: Option<(String, usize)>,
    is_too_deep: bool,
}

impl SimplifiedPage {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() && !self.is_too_deep {
            escape::push_attribute(&mut self.out, text);
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if self.is_too_deep {
            return TokenSinkResult::Continue;
        }
        match tag.kind {
            TagKind::StartTag
                if self.skipped.is_none() && is_dropped_whole(name) && tag.self_closing => {}
            TagKind::StartTag => {
                self.start(name, tag);
                return raw_kind(name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
            }
            TagKind::EndTag => self.end(name),
        }
        TokenSinkResult::Continue
    }

    fn start(&mut self, name: &str, tag: &Tag) {
        if let Some((skipped, open)) = &mut self.skipped {
            *open += usize::from(skipped == name);
        } else if is_dropped_whole(name) {
            self.skipped = Some((name.to_owned(), 1));
        } else if !is_dropped_tag(name) {
            write_start(&mut self.out, name, tag);
            if !matches!(name, "br" | "hr" | "meta") && !may_go_unclosed(name) {
                self.open.push(name.to_owned());
                self.is_too_deep = self.open.len() > DEEPEST;
            }
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((skipped, open)) = &mut self.skipped {
            *open -= usize::from(skipped == name);
            if *open == 0 {
                self.skipped = None;
            }
        } else if may_go_unclosed(name) {
            self.close(name);
        } else if let Some(at) = self.open.iter().rposition(|open| open == name) {
            self.close_to(at);
        }
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let name = self.open.pop().unwrap_or_default();
            self.close(&name);
        }
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

struct Simple(RefCell<SimplifiedPage>);

impl TokenSink for Simple {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return page.tag(&tag),
            Token::CharacterTokens(text) => page.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn write_start(out: &mut String, name: &str, tag: &Tag) {
    out.push('<');
    out.push_str(name);
    for attribute in tag.attrs.iter().filter(|attribute| marks_articles(&attribute.name.local)) {
        let _ = write!(out, " {}=\"", attribute.name.local);
        escape::push_attribute(out, &attribute.value);
        out.push('"');
    }
    out.push('>');
}

/// Attributes that distinguish an article from the rest of the page.
fn marks_articles(attribute: &str) -> bool {
    matches!(
        attribute,
        "aria-hidden"
            | "class"
            | "content"
            | "hidden"
            | "href"
            | "id"
            | "itemprop"
            | "itemtype"
            | "name"
            | "property"
            | "rel"
            | "role"
            | "style"
    )
}

/// Elements that are dropped with their content.
fn is_dropped_whole(element: &str) -> bool {
    has_no_text(element)
        || matches!(
            element,
            "noscript"
                | "xmp"
                | "button"
                | "object"
                | "applet"
                | "audio"
                | "video"
                | "canvas"
                | "map"
        )
}

/// Elements whose tags are dropped and whose content stays.
fn is_dropped_tag(element: &str) -> bool {
    matches!(
        element,
        "html"
            | "head"
            | "body"
            | "frameset"
            | "frame"
            | "plaintext"
            | "form"
            | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
            | "area"
            | "base"
            | "col"
            | "embed"
            | "image"
            | "img"
            | "input"
            | "link"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "marquee"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("<html><body><p>One <b>two</b><p>three</body>", "<p>One two<p>three")]
    #[case("<div class=a onclick=x><span>x</div>y", "<div class=\"a\"><span>x</span></div>y")]
    #[case("a</div>b", "ab")]
    #[case("<script>a<b></script><title>x &amp; <b></title>y", "<title>x &amp; &lt;b&gt;</title>y")]
    #[case("<svg><style><g><g></svg>x", "")]
    #[case("<svg><svg></svg>a</svg>b<svg/>c", "bc")]
    #[case("<!-- <div> --><img src=x>a<br>b", "a<br>b")]
    fn pages_are_written_anew(#[case] html: &str, #[case] simple: &str) {
        assert_eq!(simplify(html).as_deref(), Ok(simple));
    }

    #[test]
    fn depth_is_capped_however_it_is_made() {
        for hostile in ["<div>", "<g>", "<a><div>", "<table><tr><td>", "<ul><li>", "<x-y/>"] {
            assert_eq!(simplify(&hostile.repeat(50_000)), Err(Unfit::TooDeep), "{hostile}");
        }
        for normal in ["<p>", "<li>", "<br>", "<p><b id=1>", "<div></div>", "<img>", "<tr><td>x"] {
            assert!(simplify(&normal.repeat(5_000)).is_ok(), "{normal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_simple_stays(html in "(<p>|</p>|<div>|</div>|<span id=a>|</span>|<script>|</script>|<svg>|</svg>|<b>|<title>|</title>|&amp;|a|<|>|\"){0,40}") {
            let once = simplify(&html);
            if let Ok(once) = once {
                proptest::prop_assert_eq!(simplify(&once), Ok(once.clone()));
            }
        }
    }
}
