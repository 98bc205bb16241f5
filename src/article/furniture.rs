//! Leaves out what stands within an article's element and is no part of the article: boxes, links
//! to other stories, repeated captions, notices.

mod invitations;
mod notices;

use foldhash::HashSet;

use crate::markup::plain::outline::{Outline, TextBlock};

/// The least share of a block that links are, in percent, if the block is nothing but links.
const ALL_LINKS: usize = 90;

/// The text of an article without its furniture, with a blank line between paragraphs.
pub(super) fn without_furniture(outline: &Outline) -> String {
    let mut kept = vec![true; outline.blocks.len()];
    invitations::drop_invitations(&outline.blocks, &mut kept);
    drop_links(&outline.blocks, &mut kept);
    drop_repeated_captions(&outline.blocks, &mut kept);
    notices::drop_notices(&outline.blocks, &mut kept);
    drop_empty_headings(&outline.blocks, &mut kept);
    let texts = outline.blocks.iter().zip(kept).filter(|(_, kept)| *kept);
    texts.map(|(block, _)| block.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// Drops blocks that are only links, other than addresses and items of lists: an article may list
/// its sources.
fn drop_links(blocks: &[TextBlock], kept: &mut [bool]) {
    for (block, kept) in blocks.iter().zip(kept).filter(|(block, _)| block.element != "li") {
        let is_address = ["@", "://", "www."].iter().any(|sign| block.text.contains(sign));
        *kept &= is_address || block.linked_percent() < ALL_LINKS;
    }
}

/// Drops the later of two blocks that are the same if one is a caption: a caption often stands
/// below a picture and again below its enlargement.
fn drop_repeated_captions(blocks: &[TextBlock], kept: &mut [bool]) {
    let captions: HashSet<&str> = blocks
        .iter()
        .filter(|block| matches!(block.element.as_str(), "figure" | "figcaption"))
        .map(|block| block.text.as_str())
        .collect();
    let mut seen = HashSet::default();
    for (block, kept) in blocks.iter().zip(kept) {
        if *kept && captions.contains(block.text.as_str()) {
            *kept = seen.insert(block.text.as_str());
        }
    }
}

/// Drops headings if all that follows them, up to the next heading, was dropped. Also drops the
/// headings at the end.
fn drop_empty_headings(blocks: &[TextBlock], kept: &mut [bool]) {
    let (mut has_text, mut has_dropped) = (false, true);
    for (block, kept) in blocks.iter().zip(kept).rev() {
        if block.is_heading() {
            *kept &= has_text || !has_dropped;
            (has_text, has_dropped) = (false, false);
        } else {
            has_text |= *kept;
            has_dropped |= !*kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::without_furniture;
    use crate::markup::plain::outline::outline;

    const FIRST: &str = "<p>The council voted on Tuesday for a footbridge over the river.</p>";
    const LAST: &str = "<p>Work begins in May, and the bridge opens within two years.</p>";

    /// What is left of `html` between two paragraphs.
    fn left(html: &str) -> String {
        let text = without_furniture(&outline(&format!("<div>{FIRST}{html}{LAST}</div>")));
        let within = |text: &str| {
            let text = text.strip_prefix(FIRST.strip_prefix("<p>")?.strip_suffix("</p>")?)?;
            Some(text.strip_suffix(LAST.strip_prefix("<p>")?.strip_suffix("</p>")?)?.to_owned())
        };
        within(&text).unwrap_or_else(|| panic!("{text}")).trim().to_owned()
    }

    #[rstest]
    #[case::read_more("<p>Read more: <a href=/x>Zeppelin crashes in a field</a></p>")]
    #[case::bar("<p><i>Also read |</i> <a href=/x>Zeppelin crashes in a field</a></p>")]
    #[case::russian("<p>Читайте также: <a href=/x>Дирижабль упал в поле</a></p>")]
    #[case::label(
        "<p>You may also like:</p><ul><li><a href=/x>Zeppelin</a><li><a href=/y>Dog</a></ul>"
    )]
    #[case::only_a_link("<p><a href=/x>Zeppelin crashes in a field near the town</a></p>")]
    #[case::card(
        "<a href=/x><div><h3>Zeppelin crashes</h3><p>It lost its gas on Monday.</p></div></a>"
    )]
    #[case::heading("<h2>Top stories</h2><ul><li><a href=/x>Zeppelin crashes</a></ul>")]
    #[case::advertisement("<div>- Advertisement -</div><p>ANZEIGE</p><p>Реклама:</p>")]
    #[case::rights("<p>© 2026 Zeppelin News. All rights reserved.</p>")]
    fn furniture_is_left_out(#[case] html: &str) {
        assert_eq!(left(html), "", "{html}");
    }

    #[test]
    fn a_heading_goes_with_all_that_stands_below_it() {
        let links = "<h3>On this day</h3><p><a href=/x>Zeppelin crashes in a field</a></p>";
        assert_eq!(left(&format!("{links}<h3>The bridge</h3>")), "The bridge");
        assert_eq!(
            left(&format!("<h2>The plan</h2><h3>A bridge</h3>{links}<h3>So</h3>")),
            "The plan\n\nA bridge\n\nSo"
        );
    }

    #[test]
    fn a_caption_is_read_once() {
        let caption = "<figcaption>The river before the bridge</figcaption>";
        let html = format!("<figure>{caption}</figure><div class=zoom>{caption}</div>");
        assert_eq!(left(&html), "The river before the bridge");
    }

    #[rstest]
    #[case("<p>Read the law, and <a href=/x>its text</a> says more about zeppelins.</p>")]
    #[case(
        "<p>Related: a zeppelin that the council bought crashed in a field, said an official who saw it fall and burn.</p>"
    )]
    #[case("<h2>The zeppelin</h2><p>It crashed.</p>")]
    #[case("<p>Write to <a href=mailto:desk@a.example>desk@a.example</a></p>")]
    #[case("<p><a href=https://a.example>https://a.example/zeppelin</a></p>")]
    #[case("<ul><li><a href=/x>The zeppelin's log</a><li><a href=/y>The law</a></ul>")]
    #[case("<ul><li>A zeppelin<li>A <a href=/x>bridge</a> of wood</ul>")]
    #[case("<figure><figcaption>A zeppelin</figcaption></figure>")]
    #[case("<p>Yes.</p><p>No.</p><p>Yes.</p>")]
    fn what_the_article_says_stays(#[case] html: &str) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = crate::markup::plain::from_markup(html);
        assert_eq!(words(&left(html)), words(&plain), "{html}");
    }
}
