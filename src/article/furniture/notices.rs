//! Finds notices: marks of advertisements, and rights that are reserved.

use crate::markup::plain::outline::TextBlock;

/// Blocks that say nothing else, in lower case.
const NOTICES: [&str; 24] = [
    "ad",
    "ads",
    "advertisement",
    "advertising",
    "anuncio",
    "anzeige",
    "annonce",
    "article continues below",
    "comments",
    "comments are closed",
    "loading",
    "loading...",
    "ogłoszenie",
    "pub",
    "publicidad",
    "publicidade",
    "publicité",
    "pubblicità",
    "reklam",
    "reklama",
    "sponsored",
    "story continues below",
    "werbung",
    "реклама",
];

/// Phrases of lines about rights, in lower case.
const RIGHTS: [&str; 8] = [
    "all rights reserved",
    "alle rechte vorbehalten",
    "tous droits réservés",
    "todos los derechos reservados",
    "tutti i diritti riservati",
    "todos os direitos reservados",
    "wszelkie prawa zastrzeżone",
    "все права защищены",
];

/// The most words of a line about rights.
const LONGEST: usize = 40;

/// Drops notices.
pub(super) fn drop_notices(blocks: &[TextBlock], kept: &mut [bool]) {
    for (block, kept) in blocks.iter().zip(kept) {
        if *kept && block.count_words(LONGEST + 1) <= LONGEST {
            *kept = !is_notice(&block.text.to_lowercase());
        }
    }
}

fn is_notice(text: &str) -> bool {
    let label = text.trim_matches(|c: char| !c.is_alphanumeric());
    NOTICES.contains(&label) || RIGHTS.iter().any(|phrase| text.contains(phrase))
}
