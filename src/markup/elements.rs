//! The effect of HTML elements on the text that a reader sees.

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
    fn the_list_of_blocks_can_be_searched() {
        for block in ["address", "p", "td", "ul", "div", "h1"] {
            assert!(is_block(block), "{block}");
        }
        for other in ["a", "span", "b", "zzz"] {
            assert!(!is_block(other), "{other}");
        }
    }
}
