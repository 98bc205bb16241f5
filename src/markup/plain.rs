//! Converts markup to plain text: a blank line between paragraphs, a line break between lines, and
//! single spaces.

pub(crate) mod outline;
mod raised;
mod simple;
mod stray;

use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use crate::markup::bytes::{are_all, are_all_pairs};
use crate::markup::elements::{has_no_text, is_block, is_element, is_reading, raw_kind};
use crate::markup::tokens::{begins_reference, tokenise};

/// The text that a reader of `html` sees. Blocks and a double `<br>` separate paragraphs. A single
/// `<br>` is a line break. Scripts, styles, readings of characters and other elements without text
/// are left out. Text after a tag that is too large to be read safely is left out, too.
///
/// What is no element of HTML is text. Markup that was escaped twice is read as what it was meant
/// to be.
pub(crate) fn from_markup(html: &str) -> String {
    let text = from_markup_once(html);
    match meant_as_markup(&text) {
        Some(markup) => from_text(&markup),
        None => text,
    }
}

fn from_markup_once(html: &str) -> String {
    let html = &*stray::with_strays_as_text(html);
    let mut writer = PlainTextWriter::with_capacity(html.len());
    if !html.contains('<') && !has_references(html) {
        writer.write(html);
    } else if simple::write_simple(html, &mut writer).is_err() {
        return from_tokens(html);
    }
    writer.finish()
}

fn has_references(html: &str) -> bool {
    html.match_indices('&').any(|(at, _)| begins_reference(&html[at..]))
}

/// The meaning of a text that is markup once more, line by line: it has end tags of elements, tags
/// of line breaks or pictures, or whole references. `None` if it is a text.
fn meant_as_markup(text: &str) -> Option<String> {
    let is_markup = has_end_tags(text)
        || ["<br>", "<br/>", "<br />", "<img "].iter().any(|tag| text.contains(tag));
    if !is_markup && !has_whole_reference(text) {
        return None;
    }
    let line = |line: &str| {
        if is_markup {
            from_markup_once(line)
        } else {
            from_markup_once(&line.replace('<', "&lt;"))
        }
    };
    Some(text.lines().map(line).collect::<Vec<_>>().join("\n"))
}

/// The most bytes of an end tag that are read.
const LONGEST_END_TAG: usize = 32;

/// Whether `text` has the end tag of an element that formats text.
fn has_end_tags(text: &str) -> bool {
    text.match_indices("</").any(|(at, _)| {
        let rest = &text[at + 2..];
        let rest = &rest[..rest.floor_char_boundary(LONGEST_END_TAG)];
        rest.find('>').is_some_and(|end| is_element(&rest[..end]) && !has_no_text(&rest[..end]))
    })
}

/// Whether `text` has a reference with its semicolon.
fn has_whole_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
        name > 1 && rest.get(name) == Some(&b';')
    })
}

/// Does what [`from_markup`] does, with the HTML tokenizer for any markup.
fn from_tokens(html: &str) -> String {
    let sink = Plain(RefCell::new(PlainTextWriter::with_capacity(html.len())));
    let _ = tokenise(html, &sink);
    sink.0.into_inner().finish()
}

/// Plain text with single spaces and its paragraphs.
pub(crate) fn from_text(text: &str) -> String {
    let mut writer = PlainTextWriter::default();
    for line in text.lines() {
        writer.write(line);
        writer.line_break();
    }
    writer.out
}

/// The plain text of `text`, which may be markup. It counts as markup if it has end tags, tags of
/// line breaks, or references.
pub(crate) fn from_either(text: &str) -> String {
    if looks_like_markup(text) { from_markup(text) } else { from_text(text) }
}

fn looks_like_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let closes = lower
        .match_indices("</")
        .any(|(at, _)| lower[at + 2..].starts_with(|c: char| c.is_ascii_alphabetic()));
    let breaks = ["<br", "<p>", "<img "].iter().any(|tag| lower.contains(tag));
    closes || breaks || has_whole_reference(text)
}

/// Whether the white space of `text` is already single spaces. A fast test: `false` for all texts
/// that are not ASCII.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
pub(crate) fn is_folded(text: &str) -> bool {
    let bytes = text.as_bytes();
    are_all(bytes, |byte| matches!(byte, b' '..=b'~'))
        && are_all_pairs(bytes, |one, next| (one != b' ') | (next != b' '))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// The separator between two words.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum WordGap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

#[derive(Default)]
struct PlainTextWriter {
    out: String,
    gap: WordGap,
    /// The element whose content is left out, until its end tag.
    skipped: Option<String>,
    raised: RaisedText,
}

/// Where the text stands with regard to `<sup>`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum RaisedText {
    #[default]
    None,
    /// At the first character of a raised text.
    Start,
    /// Within the mark of a footnote.
    Footnote,
    /// After the mark of a footnote.
    AfterFootnote,
}

impl PlainTextWriter {
    /// A writer for a text of this number of bytes.
    fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), ..Self::default() }
    }

    fn write(&mut self, text: &str) {
        if self.raised != RaisedText::None && !text.trim().is_empty() {
            self.separate_footnote(text);
        }
        if !text.is_empty() && is_folded(text) {
            self.part();
            return self.out.push_str(text);
        }
        for (at, word) in text.split(|c: char| c.is_whitespace()).enumerate() {
            if at > 0 {
                self.gap = self.gap.max(WordGap::Space);
            }
            if !word.is_empty() {
                self.part();
                if word.bytes().all(|byte| byte.is_ascii_graphic()) {
                    self.out.push_str(word);
                } else {
                    self.out.extend(word.split(is_unwritten));
                }
            }
        }
    }

    /// Puts a space around the mark of a footnote. `text` is what follows.
    fn separate_footnote(&mut self, text: &str) {
        let is_apart = match self.raised {
            RaisedText::Start => raised::is_footnote(&self.out, text),
            RaisedText::AfterFootnote => raised::begins_word(text),
            RaisedText::None | RaisedText::Footnote => false,
        };
        if is_apart {
            self.gap = self.gap.max(WordGap::Space);
        }
        self.raised = match self.raised {
            RaisedText::Start if is_apart => RaisedText::Footnote,
            RaisedText::Footnote => RaisedText::Footnote,
            _ => RaisedText::None,
        };
    }

    /// Notes the start or end of `<sup>`.
    fn raise(&mut self, is_start: bool) {
        self.raised = match self.raised {
            _ if is_start => RaisedText::Start,
            RaisedText::Footnote => RaisedText::AfterFootnote,
            _ => RaisedText::None,
        };
    }

    fn part(&mut self) {
        if !self.out.is_empty() {
            self.out.push_str(match self.gap {
                WordGap::None => "",
                WordGap::Space => " ",
                WordGap::Line => "\n",
                WordGap::Paragraph => "\n\n",
            });
        }
        self.gap = WordGap::None;
    }

    fn line_break(&mut self) {
        self.gap = if self.gap >= WordGap::Line { WordGap::Paragraph } else { WordGap::Line };
    }

    /// Notes the separator that a reader sees at a tag with this name.
    fn mark_gap(&mut self, name: &str) {
        match name {
            "br" => self.line_break(),
            _ if is_block(name) => self.gap = WordGap::Paragraph,
            _ => {}
        }
    }

    /// The written text, with at most twice the memory that it needs.
    fn finish(mut self) -> String {
        if self.out.capacity() > 2 * self.out.len() {
            self.out.shrink_to_fit();
        }
        self.out
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if let Some(skipped) = &self.skipped {
            let is_end = tag.kind == TagKind::EndTag;
            let ends_reading = is_reading(name) || is_block(name) || matches!(name, "ruby" | "rb");
            if is_reading(skipped) && ends_reading {
                self.skipped = Some(name.to_owned()).filter(|name| !is_end && is_reading(name));
            } else if is_end && skipped == name {
                self.skipped = None;
            }
            return TokenSinkResult::Continue;
        }
        self.mark_gap(name);
        if name == "sup" {
            self.raise(tag.kind == TagKind::StartTag);
        }
        if tag.kind == TagKind::StartTag && is_reading(name) {
            self.skipped = Some(name.to_owned());
        }
        if tag.kind == TagKind::StartTag && !tag.self_closing && has_no_text(name) {
            self.skipped = Some(name.to_owned());
            return raw_kind(name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
        }
        TokenSinkResult::Continue
    }
}

struct Plain(RefCell<PlainTextWriter>);

impl TokenSink for Plain {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return writer.tag(&tag),
            Token::CharacterTokens(text) if writer.skipped.is_none() => writer.write(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Characters that are not written: control characters and noncharacters.
fn is_unwritten(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("plain", "plain")]
    #[case("<p>One  two</p>\n<p>three</p>", "One two\n\nthree")]
    #[case("one<br>two<br/>three", "one\ntwo\nthree")]
    #[case("one<br><br>two<br>\n<br>three", "one\n\ntwo\n\nthree")]
    #[case("<b>North</b> <i>Korea</i>n arm<b>s</b>", "North Korean arms")]
    #[case("<div><p>a</p></div><div><div>b</div></div>", "a\n\nb")]
    #[case("<ul><li>one<li>two</ul>after", "one\n\ntwo\n\nafter")]
    #[case("<table><tr><td>North</td><td>Korea</td></tr></table>", "North\n\nKorea")]
    #[case("a<script>if (a<b) document.write('</p>')</script>b<style>p{}</style>c", "abc")]
    #[case("a<iframe src='x'/>b", "ab")]
    #[case("caf&eacute; &amp; &#x2019; &lt;b&gt; &nbsp; x", "café & ’ <b> x")]
    #[case("1 < 2 and 3 > 2", "1 < 2 and 3 > 2")]
    #[case(
        "Russia<sup>1</sup> and Iran<sup>[2]</sup>, UK<sup>a</sup>",
        "Russia 1 and Iran [2], UK a"
    )]
    #[case("Tesla<sup>TM</sup> <sup>1</sup>Russia <sup>2</sup> Iran", "Tesla TM 1 Russia 2 Iran")]
    #[case(
        "1<sup>st</sup> CO<sub>2</sub> km<sup>2</sup> XIX<sup>e</sup> <sup>14</sup>C",
        "1st CO2 km2 XIXe 14C"
    )]
    #[case("<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>都", "東京都")]
    #[case("<ruby>東<rt>とう<rb>京<rt><b>きょ</b>う</ruby>都", "東京都")]
    #[case("Microsoft <MSFT.O> rose &amp; fell", "Microsoft <MSFT.O> rose & fell")]
    #[case("AT&amp;amp;T, Q&amp;#38;A", "AT&T, Q&A")]
    #[case("<p>&lt;b&gt;Iran&lt;/b&gt; talks</p><p>x</p>", "Iran talks\n\nx")]
    #[case("&lt;p&gt;a&lt;/p&gt;&lt;p&gt;b&lt;/p&gt;", "a\n\nb")]
    #[case("<p>one&lt;br /&gt;two&lt;img src=x&gt;</p>", "one\ntwo")]
    #[case("if x &lt; y &amp;amp; use &lt;b&gt;", "if x < y & use <b>")]
    #[case("a<!-- no -->b<![CDATA[c]]>", "abc")]
    #[case("a <b", "a")]
    #[case("<p>&nbsp;</p>", "")]
    #[case("a\u{8}b\u{7f}c\u{ffff}&#1;d", "abcd")]
    #[case("", "")]
    fn markup_becomes_what_a_reader_sees(#[case] html: &str, #[case] text: &str) {
        assert_eq!(from_markup(html), text);
    }

    #[rstest]
    #[case("a <b> c", "a <b> c")]
    #[case("AT&T & co; x", "AT&T & co; x")]
    #[case("a &amp; b", "a & b")]
    #[case("x <b>y</b>", "x y")]
    #[case("one\ntwo\n\n three\t four ", "one\ntwo\n\nthree four")]
    fn text_is_taken_as_markup_only_if_it_looks_so(#[case] given: &str, #[case] text: &str) {
        assert_eq!(from_either(given), text);
    }

    #[test]
    fn depth_costs_nothing() {
        let html = "<div>".repeat(50_000) + "deep";
        assert_eq!(from_markup(&html), "deep");
    }

    proptest::proptest! {
        #[test]
        fn plain_text_is_folded(html in "(<p>|</p>|<br>|<b>|<script>|</script>|&amp;|&nbsp;| |\n|a|é|<){0,40}") {
            let text = from_markup(&html);
            proptest::prop_assert_eq!(text.trim(), &text);
            proptest::prop_assert!(!text.contains("\n\n\n") && !text.contains("  "));
        }
    }
}
