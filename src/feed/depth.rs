//! Whether feed-rs can read an XML text safely. One pass without recursion, with the lexer that
//! feed-rs uses.

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

/// The most levels of nested elements. feed-rs recurses on some (`media:group`): 30 kB of them
/// overflow its stack, which no `catch_unwind` catches.
const DEEPEST: usize = 100;

/// The most attributes of a tag. The lexer compares each with all before it.
const MOST_ATTRIBUTES: usize = 256;

/// The most namespaces that are declared around one element. The lexer searches them all for each
/// element.
const MOST_NAMESPACES: usize = 256;

/// The most bytes of all `xml:base` around one element. The parser copies them for each element.
const LONGEST_BASE: usize = 8 << 10;

/// The sums over the start tags around a place.
#[derive(Clone, Copy, Default)]
struct Load {
    namespaces: usize,
    base: usize,
}

/// Whether feed-rs takes bounded time and stack for `text`. Damaged text is allowed: feed-rs
/// reports it.
pub(super) fn is_safe(text: &str) -> bool {
    let mut reader = Reader::from_reader(text.as_bytes());
    let config = reader.config_mut();
    // The same setting as in feed-rs, so that both see the same tags.
    config.expand_empty_elements = true;
    config.trim_markup_names_in_closing_tags = true;
    let mut open = vec![Load::default()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let around = open.last().copied().unwrap_or_default();
                let Some(load) = add_tag(&tag, around).filter(|_| open.len() <= DEEPEST) else {
                    return false;
                };
                open.push(load);
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Eof) | Err(Error::Syntax(_) | Error::Io(_)) => return true,
            // The parser may read on after lesser damage. Here a wrong end tag closes nothing, so
            // the depth is counted too high rather than too low.
            Ok(_) | Err(_) => {}
        }
    }
}

/// The load around the content of `tag`. `None` if it is too much to be read safely.
fn add_tag(tag: &BytesStart, mut load: Load) -> Option<Load> {
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        if count >= MOST_ATTRIBUTES {
            return None;
        }
        let Ok(attribute) = attribute else { continue };
        match attribute.key.as_ref() {
            b"xml:base" => load.base += attribute.value.len(),
            key if key.starts_with(b"xmlns") => load.namespaces += 1,
            _ => {}
        }
    }
    (load.namespaces <= MOST_NAMESPACES && load.base <= LONGEST_BASE).then_some(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_elements_alone() {
        let nested = |depth: usize| "<g>".repeat(depth) + &"</g>".repeat(depth);
        assert!(is_safe(&nested(DEEPEST)));
        assert!(!is_safe(&nested(DEEPEST + 1)));
        assert!(!is_safe(&"<g>".repeat(DEEPEST + 1)));
        let hidden = "<g>".repeat(200);
        for harmless in [
            format!("<r><![CDATA[{hidden}]]></r>"),
            format!("<r><!--{hidden}--></r>"),
            "<r>".to_owned() + &"<g/>".repeat(200),
        ] {
            assert!(is_safe(&harmless), "{harmless}");
        }
    }

    #[test]
    fn comments_and_cdata_hide_no_depth() {
        for opening in [
            "<!-- <![CDATA[ -->",
            "<![CDATA[ <!-- ]]>",
            "<?x <!-- ?>",
            "<a b='<!--'/>",
            "<a b=\"<![CDATA[\"/>",
        ] {
            let text = format!("<r>{opening}{}", "<g>".repeat(200));
            assert!(!is_safe(&text), "{opening}");
        }
        let mismatched = "<g></x>".repeat(5) + &"<g>".repeat(200);
        assert!(!is_safe(&mismatched));
    }

    #[test]
    fn tags_that_would_take_quadratic_time_are_refused() {
        let many =
            |name: &str| (0..300).fold(String::new(), |all, i| all + &format!(" {name}{i}='x'"));
        assert!(!is_safe(&format!("<r{}/>", many("a"))));
        let half = (0..150).fold(String::new(), |all, i| all + &format!(" xmlns:n{i}='x'"));
        assert!(!is_safe(&format!("<r{half}><s{half}/></r>")));
        assert!(is_safe(&format!("<r><s{half}/><s{half}/></r>")));
        let base = format!(" xml:base='{}'", "x".repeat(5000));
        assert!(!is_safe(&format!("<r{base}><s{base}/></r>")));
    }
}
