//! Rewrites a page's HTML so that its tree stays shallow. The parser gets only the rewritten HTML.

mod boxes;
mod parts;

use std::cell::RefCell;
use std::fmt::Write;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use crate::markup::elements::{has_no_text, is_block, is_void, may_go_unclosed, raw_kind};
use crate::markup::escape;
use crate::markup::tokens::{TagTooLarge, attribute, tokenise};
use parts::{PagePart, PageParts, Written};

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

/// Whether elements that the page hides stay hidden. Some pages hide their article until a script
/// has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Stays,
    IsShown,
}

/// A page in simple HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SimplePage {
    pub(super) html: String,
    /// The bytes of text within elements that the page hides, or shows without scripts only.
    pub(super) hidden: usize,
}

/// Rewrites `html` so that every element is closed. It leaves out scripts, pictures, comments, most
/// attributes, and inline emphasis, because trees grow quadratically with emphasis that is nested
/// wrongly.
///
/// A tree builder nests the result at most as deep as was counted here, for any page. Elements with
/// an optional end tag, such as `<p>` and `<li>`, do not count: they nest only with another element
/// between them.
pub(super) fn simplify(html: &str, hidden: Hidden) -> Result<SimplePage, Unfit> {
    let page = PageWriter {
        page: SimplePage { html: String::with_capacity(html.len() / 2), hidden: 0 },
        written: Written::default(),
        open: Vec::new(),
        skipped: None,
        hidden,
        hidden_from: None,
        links: 0,
        parts: PageParts::default(),
        is_too_deep: false,
    };
    let sink = Simple(RefCell::new(page));
    tokenise(html, &sink).map_err(|TagTooLarge| Unfit::TagTooLarge)?;
    let mut page = sink.0.into_inner();
    page.close_to(0);
    if page.is_too_deep { Err(Unfit::TooDeep) } else { Ok(page.finish()) }
}

/// An element that is left out with its content. It ends at its end tag, or with the element around
/// it.
struct SkippedElement {
    name: String,
    /// The elements that are open within it.
    open: Vec<String>,
}

impl SkippedElement {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), open: Vec::new() }
    }

    /// Whether a start tag ends the element: a block ends a drawing, and a button ends a button
    /// (HTML standard, sections 13.2.6.5 and 13.2.6.4.7). A section of the page ends all.
    fn is_ended_by(&self, start: &str) -> bool {
        match self.name.as_str() {
            "svg" | "math" => {
                is_block(start) && !self.open.iter().any(|open| open == "foreignobject")
            }
            "button" if start == "button" => true,
            _ => matches!(start, "article" | "footer" | "header" | "main" | "nav" | "section"),
        }
    }
}

struct PageWriter {
    page: SimplePage,
    /// The text that was written.
    written: Written,
    open: Vec<OpenElement>,
    skipped: Option<SkippedElement>,
    hidden: Hidden,
    /// The number of elements around the hidden element, within one.
    hidden_from: Option<usize>,
    /// The number of links that are open.
    links: usize,
    parts: PageParts,
    is_too_deep: bool,
}

/// An element that is open.
struct OpenElement {
    name: String,
    part: Option<PagePart>,
}

impl PageWriter {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() && !self.is_too_deep {
            escape::push_attribute(&mut self.page.html, text);
            let bytes = text.trim().len();
            self.written.text += bytes;
            self.written.linked += if self.links > 0 { bytes } else { 0 };
            self.page.hidden += if self.hidden_from.is_some() { bytes } else { 0 };
        } else if self.skipped.as_ref().is_some_and(|skipped| skipped.name == "noscript") {
            self.page.hidden += text.trim().len();
        }
    }

    /// Whether the content of an element is shown although elements of its name are left out: a
    /// shadow root (HTML standard, section 4.12.3), or what browsers without scripts show.
    fn shows(&self, tag: &Tag) -> bool {
        let is_shadow_root = &*tag.name == "template" && attribute(tag, "shadowrootmode").is_some();
        is_shadow_root || (&*tag.name == "noscript" && self.hidden == Hidden::IsShown)
    }

    /// What was written so far.
    fn written(&self) -> Written {
        Written { html: self.page.html.len(), ..self.written }
    }

    /// The page without the parts that are left out.
    fn finish(mut self) -> SimplePage {
        let html = std::mem::take(&mut self.page.html);
        let written = Written { html: html.len(), ..self.written };
        let mut from = 0;
        for range in self.parts.left_out(written) {
            self.page.html.push_str(&html[from..range.start]);
            from = range.end;
        }
        self.page.html.push_str(&html[from..]);
        self.page
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if self.is_too_deep {
            return TokenSinkResult::Continue;
        }
        match tag.kind {
            TagKind::StartTag => {
                self.start(name, tag);
                return raw_kind(name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
            }
            TagKind::EndTag => self.end(name),
        }
        TokenSinkResult::Continue
    }

    fn start(&mut self, name: &str, tag: &Tag) {
        self.skipped.take_if(|skipped| skipped.is_ended_by(name));
        let has_no_end = tag.self_closing || is_void(name);
        if let Some(skipped) = &mut self.skipped {
            if !has_no_end && !may_go_unclosed(name) {
                skipped.open.push(name.to_owned());
                self.is_too_deep = skipped.open.len() > DEEPEST;
            }
        } else if is_dropped_whole(name) && !self.shows(tag) {
            self.skipped = (!has_no_end).then(|| SkippedElement::new(name));
        } else if !is_dropped_tag(name) {
            PageParts::note_within(name, self.open.iter_mut().map(|open| &mut open.part));
            let part = PagePart::of(tag, self.written());
            self.write_start(name, tag);
            if !is_void(name) && !may_go_unclosed(name) {
                if self.hidden_from.is_none() && is_hidden(tag) {
                    self.hidden_from = Some(self.open.len());
                }
                self.links += usize::from(name == "a");
                self.open.push(OpenElement { name: name.to_owned(), part });
                self.is_too_deep = self.open.len() > DEEPEST;
            }
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(skipped) = &mut self.skipped {
            if let Some(at) = skipped.open.iter().rposition(|open| open == name) {
                return skipped.open.truncate(at);
            }
            let ends_around = self.open.iter().any(|open| open.name == name);
            if skipped.name != name && !ends_around {
                return;
            }
            let is_its_own = skipped.name == name;
            self.skipped = None;
            if is_its_own {
                return;
            }
        }
        if may_go_unclosed(name) {
            self.close(name);
        } else if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.close_to(at);
        }
    }

    fn write_start(&mut self, name: &str, tag: &Tag) {
        self.page.html.push('<');
        self.page.html.push_str(name);
        for attribute in &tag.attrs {
            let key = &*attribute.name.local;
            if marks_articles(key) || (self.hidden == Hidden::Stays && hides(key)) {
                let _ = write!(self.page.html, " {key}=\"");
                escape::push_attribute(&mut self.page.html, &attribute.value);
                self.page.html.push('"');
            }
        }
        self.page.html.push('>');
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(element) = self.open.pop() else { return };
            self.close(&element.name);
            self.links -= usize::from(element.name == "a");
            if let Some(part) = element.part {
                self.parts.close(&part, self.written());
            }
        }
        self.hidden_from.take_if(|from| *from >= depth);
    }

    fn close(&mut self, name: &str) {
        self.page.html.push_str("</");
        self.page.html.push_str(name);
        self.page.html.push('>');
    }
}

struct Simple(RefCell<PageWriter>);

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

/// Attributes that distinguish an article from the rest of the page.
fn marks_articles(attribute: &str) -> bool {
    matches!(
        attribute,
        "class"
            | "content"
            | "href"
            | "id"
            | "itemprop"
            | "itemtype"
            | "name"
            | "property"
            | "rel"
            | "role"
    )
}

/// Attributes that hide an element.
fn hides(attribute: &str) -> bool {
    matches!(attribute, "aria-hidden" | "hidden" | "style")
}

/// Whether an element is hidden by its attributes.
fn is_hidden(tag: &Tag) -> bool {
    let style = attribute(tag, "style").unwrap_or_default();
    attribute(tag, "hidden").is_some()
        || attribute(tag, "aria-hidden") == Some("true")
        || ["display:none", "visibility:hidden"].iter().any(|hidden| {
            style.split_whitespace().collect::<String>().to_ascii_lowercase().contains(hidden)
        })
}

/// Elements that are dropped with their content.
fn is_dropped_whole(element: &str) -> bool {
    has_no_text(element)
        || matches!(
            element,
            "noscript" | "xmp" | "button" | "object" | "applet" | "audio" | "video" | "canvas"
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
            | "map"
            | "template"
            | "noscript"
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

    fn html_of(html: &str) -> Result<String, Unfit> {
        simplify(html, Hidden::Stays).map(|page| page.html)
    }

    #[rstest]
    #[case("<html><body><p>One <b>two</b><p>three</body>", "<p>One two<p>three")]
    #[case("<div class=a onclick=x><span>x</div>y", "<div class=\"a\"><span>x</span></div>y")]
    #[case("a</div>b", "ab")]
    #[case("<script>a<b></script><title>x &amp; <b></title>y", "<title>x &amp; &lt;b&gt;</title>y")]
    #[case("<svg><style><g><g></svg>x", "")]
    #[case("<svg><svg></svg>a</svg>b<svg/>c", "bc")]
    #[case("<!-- <div> --><img src=x>a<br>b", "a<br>b")]
    #[case("<div><video src=x></div>a<div><video/></div>b", "<div></div>a<div></div>b")]
    #[case("<div><audio><div>x</div>y</div>z", "<div></div>z")]
    #[case("<header><button>Menu</header>a<button>x<button>y</button>b", "<header></header>ab")]
    #[case("<svg><path d=M0><p>a</p><svg><foreignObject><p>b</svg>c", "<p>a</p>c")]
    #[case("<button>x<article>a</article>", "<article>a</article>")]
    #[case("<map><area>a</map>", "a")]
    #[case("<x-y><template shadowrootmode=open>a</template></x-y>", "<x-y>a</x-y>")]
    #[case("<template><p>a</template>b", "b")]
    fn pages_are_written_anew(#[case] html: &str, #[case] simple: &str) {
        assert_eq!(html_of(html).as_deref(), Ok(simple));
    }

    #[rstest]
    #[case::newsletter("<div class=newsletter-signup>Zeppelins by mail</div>")]
    #[case::camel_case("<div class='c-relatedLinks__box'><p>Zeppelin crashes</p></div>")]
    #[case::id("<section id=mostRead><ol><li>Zeppelin crashes</ol></section>")]
    #[case::breadcrumbs("<ol class='nav breadcrumb'><li>News<li>Zeppelins</ol>")]
    #[case::tags("<div class=tag-list>Zeppelin</div>")]
    #[case::teaser("<div class=teaser><a href=/x>Zeppelin crashes</a> Monday</div>")]
    #[case::player("<div class=video-player><p>Watch the zeppelin</p><p>02:12</p></div>")]
    #[case::nested("<div class=comments><h2>Talk</h2><div class=comments>Zeppelin</div></div>")]
    fn boxes_are_left_out(#[case] html: &str) {
        let rest = "<p>The council voted for a footbridge.</p>".repeat(9);
        let page = html_of(&format!("{rest}{html}{rest}")).unwrap();
        assert_eq!(page, rest.repeat(2), "{html}");
    }

    #[rstest]
    #[case("<div class=article-teaser><p>A zeppelin crashed.</p></div>")]
    #[case("<div class='post tag-zeppelin'><p>A zeppelin crashed.</p></div>")]
    #[case("<div class=subscriber-only><p>A zeppelin crashed.</p></div>")]
    #[case("<div class=newsletter><article>A zeppelin crashed.</article></div>")]
    #[case("<div class=related><h1>A zeppelin crashed.</h1></div>")]
    fn what_only_looks_like_a_box_stays(#[case] html: &str) {
        let rest = "<p>The council voted for a footbridge.</p>".repeat(9);
        assert!(html_of(&format!("{rest}{html}")).unwrap().contains("zeppelin"), "{html}");
    }

    #[test]
    fn an_element_with_much_of_the_text_is_no_box() {
        let html = "<div class=newsletter>The council voted.</div><p>The end.</p>";
        assert!(html_of(html).unwrap().contains("council"));
    }

    #[test]
    fn hidden_text_is_counted_and_can_be_shown() {
        for (html, hidden) in [
            ("<div hidden>four <p>five5</p></div><p>x", 9),
            ("<div style='Display: NONE'><div>four</div></div>x", 4),
            ("<div aria-hidden=true>four<div aria-hidden=true>five5</div>six</div>x", 12),
            ("<div aria-hidden=false style='color:red'>four</div>", 0),
        ] {
            let page = simplify(html, Hidden::Stays).unwrap();
            assert_eq!(page.hidden, hidden, "{html}");
            let shown = simplify(html, Hidden::IsShown).unwrap().html;
            assert!(!shown.contains("hidden") && !shown.contains("style"), "{shown}");
        }
    }

    #[test]
    fn depth_is_capped_however_it_is_made() {
        for hostile in ["<div>", "<g>", "<a><div>", "<table><tr><td>", "<ul><li>", "<x-y/>"] {
            assert_eq!(html_of(&hostile.repeat(50_000)), Err(Unfit::TooDeep), "{hostile}");
        }
        for normal in ["<p>", "<li>", "<br>", "<p><b id=1>", "<div></div>", "<img>", "<tr><td>x"] {
            assert!(html_of(&normal.repeat(5_000)).is_ok(), "{normal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_simple_stays(html in "(<p>|</p>|<div>|</div>|<span id=a>|</span>|<script>|</script>|<svg>|</svg>|<b>|<title>|</title>|&amp;|a|<|>|\"){0,40}") {
            let once = html_of(&html);
            if let Ok(once) = once {
                proptest::prop_assert_eq!(html_of(&once), Ok(once.clone()));
            }
        }
    }
}
