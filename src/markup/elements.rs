//! The effect of HTML elements on the text that a reader sees.

use std::sync::LazyLock;

use foldhash::HashSet;
use html5ever::tokenizer::states::RawKind;

/// Whether an element stands on lines of its own (HTML standard, section 15.3.3, and table cells).
pub(crate) fn is_block(element: &str) -> bool {
    const BLOCKS: [&str; 43] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    BLOCKS.binary_search(&element).is_ok()
}

/// The elements of HTML, those of the past too, separated by spaces.
const ELEMENTS: &str = "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound \
     big blink blockquote body br button canvas caption center cite code col colgroup data \
     datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure \
     font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe \
     image img input ins isindex kbd keygen label legend li link listing main map mark \
     marquee math menu menuitem meta meter multicol nav nobr noembed noframes noscript object \
     ol optgroup option output p param picture plaintext pre progress q rb rp rt rtc ruby s \
     samp script section select slot small source spacer span strike strong style sub summary \
     sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var \
     video wbr xmp";

/// The length of the longest name in [`ELEMENTS`].
const LONGEST_ELEMENT: usize = 10;

/// Whether HTML has an element with that name, in any case.
pub(crate) fn is_element(name: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| ELEMENTS.split(' ').collect());
    let mut lower = [0; LONGEST_ELEMENT];
    let Some(lower) = lower.get_mut(..name.len()) else { return false };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|lower| KNOWN.contains(lower))
}

/// Whether an element holds the reading of the characters before it, as in `<ruby>`.
pub(crate) fn is_reading(element: &str) -> bool {
    matches!(element, "rp" | "rt" | "rtc")
}

/// Whether an element's content is no text: scripts, styles, form controls, drawings.
pub(crate) fn has_no_text(element: &str) -> bool {
    matches!(
        element,
        "script"
            | "style"
            | "iframe"
            | "noembed"
            | "noframes"
            | "template"
            | "textarea"
            | "select"
            | "svg"
            | "math"
    )
}

/// Whether an element's end tag may be left out (HTML standard, section 13.1.2.4).
pub(crate) fn may_go_unclosed(element: &str) -> bool {
    matches!(
        element,
        "p" | "li"
            | "dd"
            | "dt"
            | "option"
            | "optgroup"
            | "rp"
            | "rt"
            | "tr"
            | "td"
            | "th"
            | "tbody"
            | "thead"
            | "tfoot"
            | "colgroup"
            | "caption"
    )
}

/// Whether an element has no content and no end tag (HTML standard, section 13.1.2).
pub(crate) fn is_void(element: &str) -> bool {
    matches!(
        element,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// The state of the tokenizer after the start tag of an element that holds no markup.
pub(crate) fn raw_kind(element: &str) -> Option<RawKind> {
    match element {
        "script" => Some(RawKind::ScriptData),
        "style" | "iframe" | "xmp" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "title" | "textarea" => Some(RawKind::Rcdata),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_known_in_any_case() {
        let longest = ELEMENTS.split(' ').map(str::len).max();
        assert_eq!(longest, Some(LONGEST_ELEMENT));
        assert!(is_element("b") && is_element("BlockQuote") && is_element("figcaption"));
        assert!(!is_element("msft.o") && !is_element("") && !is_element("figcaptions"));
    }

    #[test]
    fn the_list_of_blocks_can_be_searched() {
        for block in ["address", "p", "td", "ul", "div", "h1"] {
            assert!(is_block(block), "{block}");
        }
        for other in ["a", "span", "b", "zzz"] {
            assert!(!is_block(other), "{other}");
        }
    }
}
