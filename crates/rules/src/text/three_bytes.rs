//! Reads characters of three bytes of UTF-8, such as Han.

/// The code of a character of three bytes.
#[inline]
pub(crate) fn code_of([lead, middle, last]: [u8; 3]) -> u32 {
    u32::from(lead & 0xf) << 12 | u32::from(middle & 0x3f) << 6 | u32::from(last & 0x3f)
}

/// The character at byte `at`, if it has three bytes.
#[inline]
pub(super) fn character(text: &[u8], at: usize) -> Option<char> {
    match text.get(at..)?.first_chunk()? {
        bytes @ [0xe0..=0xef, _, _] => char::from_u32(code_of(*bytes)),
        _ => None,
    }
}
