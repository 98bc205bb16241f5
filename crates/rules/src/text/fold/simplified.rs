//! Simplified forms of traditional Chinese characters.

use std::sync::LazyLock;

/// The first character of the table.
pub(in crate::text) const FIRST_HAN: u32 = 0x4e00;

/// The number of characters in the table, U+4E00 to U+9FFF.
const COUNT: usize = 0x5200;

/// For each character, the code of its simplified form, or 0 if it has none.
static SIMPLIFIED: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut table = vec![0; COUNT];
    let lines = include_str!("simplified.txt").lines().filter(|line| !line.starts_with('#'));
    for pair in lines.flat_map(str::split_whitespace) {
        let mut characters = pair.chars().map(u32::from);
        if let (Some(traditional), Some(simple)) = (characters.next(), characters.next()) {
            table[(traditional - FIRST_HAN) as usize] = u16::try_from(simple).unwrap_or_default();
        }
    }
    table.into_boxed_slice()
});

/// The simplified forms of the characters from U+4E00 to U+9FFF; 0 where there is none.
pub(in crate::text) fn simplified_forms() -> &'static [u16] {
    &SIMPLIFIED
}

/// The simplified form of `c`, or `c`.
pub(in crate::text) fn simplified(c: char) -> char {
    let entry = u32::from(c).checked_sub(FIRST_HAN).and_then(|at| SIMPLIFIED.get(at as usize));
    match entry {
        Some(&code) if code != 0 => char::from_u32(code.into()).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNT, FIRST_HAN, simplified};

    #[test]
    fn traditional_characters_have_their_simplified_form_and_others_stay() {
        for (written, expected) in
            [('習', '习'), ('鮮', '鲜'), ('國', '国'), ('国', '国'), ('a', 'a')]
        {
            assert_eq!(simplified(written), expected);
        }
        let all = (FIRST_HAN..FIRST_HAN + u32::try_from(COUNT).expect("small"))
            .filter_map(char::from_u32);
        let changed = all.filter(|c| simplified(*c) != *c);
        assert!(changed.clone().count() > 2800);
        assert!(changed.map(simplified).all(|c| simplified(c) == c));
    }
}
