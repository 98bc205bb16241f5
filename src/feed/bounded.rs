//! Bounds the texts that identify items: databases do not index longer ones.

use sha2::{Digest, Sha256};

/// The most bytes of a guid and of a normalised link. A key has both, and its feed's name; an entry
/// of an index has 2,704 in `PostgreSQL`.
const MOST: usize = 1000;

/// A guid as it is kept: without U+0000, and bounded. `None` if nothing is left.
#[must_use]
pub fn usable_guid(guid: &str) -> Option<String> {
    Some(bounded(guid.replace('\0', ""))).filter(|guid| !guid.is_empty())
}

/// The text, if it has at most [`MOST`] bytes. Else its beginning and a hash of all of it: what
/// differs before differs after.
pub(crate) fn bounded(text: String) -> String {
    if text.len() <= MOST {
        return text;
    }
    let hash = hex::encode(&Sha256::digest(&text)[..16]);
    let kept = &text[..text.floor_char_boundary(MOST - 1 - hash.len())];
    format!("{kept}~{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_keeps_its_beginning_and_what_tells_it_from_others() {
        for text in [String::new(), "a".repeat(MOST), "é".repeat(MOST / 2)] {
            assert_eq!(bounded(text.clone()), text);
        }
        let (one, other) = ("é".repeat(MOST), format!("{}a", "é".repeat(MOST)));
        let (one, other) = (bounded(one), bounded(other));
        assert_ne!(one, other);
        for bound in [&one, &other] {
            assert!((MOST - 3..=MOST).contains(&bound.len()), "{}", bound.len());
            assert_eq!(bound[..900], "é".repeat(450));
        }
    }
}
