//! Whether XML is safe to hand to the feed parser: a cheap pass that uses no stack, with the very lexer that the parser uses.

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

/// How deep elements may nest. feed-rs recurses on some (`media:group`): 30 kB of them overflow its stack, which no `catch_unwind` catches.
const DEEPEST: usize = 100;

/// How many attributes a tag may have: the lexer compares each with all before it.
const MOST_ATTRIBUTES: usize = 256;

/// How many namespaces may be declared around one element: the lexer searches them all for each element.
const MOST_NAMESPACES: usize = 256;

/// How long all `xml:base` around one element may be: the parser copies them for each element.
const LONGEST_BASE: usize = 8 << 10;

/// Why XML is not handed on, in words for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsafe {
    #[error("its elements are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("one of its tags is too large to be read safely")]
    TagTooLarge,
}

/// What the start tags around a place add up to.
#[derive(Clone, Copy, Default)]
struct Load {
    namespaces: usize,
    base: usize,
}

/// Checks that the feed parser takes bounded time and stack for `text`. Damage is no reason to refuse: the parser tells of it.
pub(super) fn check(text: &str) -> Result<(), Unsafe> {
    let mut reader = Reader::from_reader(text.as_bytes());
    let config = reader.config_mut();
    // As feed-rs has it, so that both see the same tags.
    config.expand_empty_elements = true;
    config.trim_markup_names_in_closing_tags = true;
    let mut open = vec![Load::default()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let around = open.last().copied().unwrap_or_default();
                open.push(weigh(&tag, around)?);
                if open.len() > DEEPEST + 1 {
                    return Err(Unsafe::TooDeep);
                }
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Eof) | Err(Error::Syntax(_) | Error::Io(_)) => return Ok(()),
            // The parser may read on after lesser damage. A wrong end tag closes nothing here, which counts too deep rather than not deep enough.
            Ok(_) | Err(_) => {}
        }
    }
}

fn weigh(tag: &BytesStart, mut load: Load) -> Result<Load, Unsafe> {
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        if count >= MOST_ATTRIBUTES {
            return Err(Unsafe::TagTooLarge);
        }
        let Ok(attribute) = attribute else { continue };
        match attribute.key.as_ref() {
            b"xml:base" => load.base += attribute.value.len(),
            key if key.starts_with(b"xmlns") => load.namespaces += 1,
            _ => {}
        }
    }
    let fits = load.namespaces <= MOST_NAMESPACES && load.base <= LONGEST_BASE;
    if fits { Ok(load) } else { Err(Unsafe::TagTooLarge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_elements_alone() {
        let nested = |depth: usize| "<g>".repeat(depth) + &"</g>".repeat(depth);
        assert_eq!(check(&nested(DEEPEST)), Ok(()));
        assert_eq!(check(&nested(DEEPEST + 1)), Err(Unsafe::TooDeep));
        assert_eq!(check(&"<g>".repeat(DEEPEST + 1)), Err(Unsafe::TooDeep));
        let hidden = "<g>".repeat(200);
        for harmless in [
            format!("<r><![CDATA[{hidden}]]></r>"),
            format!("<r><!--{hidden}--></r>"),
            "<r>".to_owned() + &"<g/>".repeat(200),
        ] {
            assert_eq!(check(&harmless), Ok(()), "{harmless}");
        }
    }

    #[test]
    fn comments_and_cdata_hide_no_depth() {
        for opening in
            ["<!-- <![CDATA[ -->", "<![CDATA[ <!-- ]]>", "<?x <!-- ?>", "<a b='<!--'/>", "<a b=\"<![CDATA[\"/>"]
        {
            let text = format!("<r>{opening}{}", "<g>".repeat(200));
            assert_eq!(check(&text), Err(Unsafe::TooDeep), "{opening}");
        }
        let mismatched = "<g></x>".repeat(5) + &"<g>".repeat(200);
        assert_eq!(check(&mismatched), Err(Unsafe::TooDeep));
    }

    #[test]
    fn tags_that_would_take_quadratic_time_are_refused() {
        let many = |name: &str| (0..300).fold(String::new(), |all, i| all + &format!(" {name}{i}='x'"));
        assert_eq!(check(&format!("<r{}/>", many("a"))), Err(Unsafe::TagTooLarge));
        let half = (0..150).fold(String::new(), |all, i| all + &format!(" xmlns:n{i}='x'"));
        assert_eq!(check(&format!("<r{half}><s{half}/></r>")), Err(Unsafe::TagTooLarge));
        assert_eq!(check(&format!("<r><s{half}/><s{half}/></r>")), Ok(()));
        let base = format!(" xml:base='{}'", "x".repeat(5000));
        assert_eq!(check(&format!("<r{base}><s{base}/></r>")), Err(Unsafe::TagTooLarge));
    }
}
