//! Fast tests of all bytes of a text.

/// Whether `is_fine` holds for every byte. It tests all bytes without a branch, so that the
/// compiler can use vector instructions.
pub(crate) fn are_all(bytes: &[u8], is_fine: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |odd, byte| odd | u8::from(!is_fine(*byte))) == 0
}

/// Whether `is_fine` holds for every two neighbouring bytes.
pub(crate) fn are_all_pairs(bytes: &[u8], is_fine: impl Fn(u8, u8) -> bool) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(0, |odd, (one, next)| odd | u8::from(!is_fine(*one, *next))) == 0
}

/// The number of `byte` in `bytes`.
pub(crate) fn count(bytes: &[u8], byte: u8) -> usize {
    // A part of 255 bytes is counted in one byte, so that a vector holds many counts.
    let in_part = |part: &[u8]| part.iter().map(|found| u8::from(*found == byte)).sum::<u8>();
    bytes.chunks(255).map(|part| usize::from(in_part(part))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_byte_is_seen_wherever_it_stands() {
        for at in 0..300 {
            let mut bytes = vec![b'a'; 300];
            assert!(are_all(&bytes, |byte| byte == b'a'));
            assert!(are_all_pairs(&bytes, |one, next| one == next));
            assert_eq!(count(&bytes, b'a'), 300);
            bytes[at] = b'b';
            assert!(!are_all(&bytes, |byte| byte == b'a'));
            assert!(!are_all_pairs(&bytes, |one, next| one == next));
            assert_eq!((count(&bytes, b'a'), count(&bytes, b'b')), (299, 1));
        }
    }
}
