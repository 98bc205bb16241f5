//! The other versions of a page: whether it is an AMP page, and the links to the other version.

use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use crate::markup::elements::raw_kind;
use crate::markup::link::resolve;
use crate::markup::tokens::{attribute, tokenise};

/// The versions of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PageVersions {
    /// Whether it is an AMP page.
    pub(super) is_amp: bool,
    /// The language of its `<html>`.
    pub(super) lang: Option<String>,
    /// The canonical page (`rel=canonical`), if it is another.
    pub(super) canonical: Option<Url>,
    /// The AMP version of the page (`rel=amphtml`), if it is another.
    pub(super) amp: Option<Url>,
}

/// Reads the versions of the page at `url`. The first link of each kind counts.
pub(super) fn versions(html: &str, url: &Url) -> PageVersions {
    let sink = VersionSink { page: url, seen: RefCell::default() };
    // If a tag is too large, the links before it count.
    let _ = tokenise(html, &sink);
    sink.seen.into_inner()
}

struct VersionSink<'u> {
    page: &'u Url,
    seen: RefCell<PageVersions>,
}

impl TokenSink for VersionSink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind != TagKind::StartTag {
            return TokenSinkResult::Continue;
        }
        match &*tag.name {
            "html" => {
                let lang = value(&tag, "lang").or_else(|| value(&tag, "xml:lang"));
                let mut seen = self.seen.borrow_mut();
                seen.is_amp |= attribute(&tag, "amp").or(attribute(&tag, "⚡")).is_some();
                seen.lang = seen.lang.take().or_else(|| lang.map(ToOwned::to_owned));
            }
            "link" => self.link(&tag),
            _ => {}
        }
        raw_kind(&tag.name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}

impl VersionSink<'_> {
    fn link(&self, tag: &Tag) {
        let rel = value(tag, "rel").unwrap_or_default().to_ascii_lowercase();
        let mut seen = self.seen.borrow_mut();
        let place = match rel.as_str() {
            "canonical" => &mut seen.canonical,
            "amphtml" => &mut seen.amp,
            _ => return,
        };
        let url = value(tag, "href").and_then(|href| resolve(href, self.page));
        *place = place.take().or(url.filter(|url| !is_same(url, self.page)));
    }
}

fn is_same(one: &Url, other: &Url) -> bool {
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    bare(one) == bare(other)
}

fn value<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    attribute(tag, name).map(str::trim)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "<html amp lang=en><link rel=canonical href='/a'>",
        true,
        Some("https://wire.example/a"),
        None
    )]
    #[case(
        "<!doctype html><html ⚡><link REL=Canonical href=//b.example/x>",
        true,
        Some("https://b.example/x"),
        None
    )]
    #[case(
        "<html><link rel=amphtml href=amp><link rel=amphtml href=b>",
        false,
        None,
        Some("https://wire.example/news/amp")
    )]
    #[case("<html><link rel=canonical href='/news/1#top'>", false, None, None)]
    #[case(
        "<html><link rel=amphtml href='javascript:x'><link rel=amphtml href='file:///etc/passwd'>",
        false,
        None,
        None
    )]
    #[case(
        "<html><script>'<link rel=amphtml href=/x>'</script><!-- <html amp> -->",
        false,
        None,
        None
    )]
    #[case("<html><link rel=canonical><link href=/x>", false, None, None)]
    fn a_page_names_its_versions(
        #[case] html: &str,
        #[case] is_amp: bool,
        #[case] canonical: Option<&str>,
        #[case] amp: Option<&str>,
    ) {
        let found = versions(html, &"https://wire.example/news/1".parse().unwrap());
        let text = |url: &Option<Url>| url.as_ref().map(ToString::to_string);
        assert_eq!(
            (found.is_amp, text(&found.canonical).as_deref(), text(&found.amp).as_deref()),
            (is_amp, canonical, amp)
        );
    }
}
