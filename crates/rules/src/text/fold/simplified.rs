//! Simplified forms of traditional Chinese characters.

use std::sync::LazyLock;

use crate::text::three_bytes::code_of;

/// The first character of the table.
const FIRST: u32 = 0x4e00;

/// The number of characters in the table, U+4E00 to U+9FFF.
const COUNT: usize = 0x5200;

/// For each character, the bytes of its simplified form, or its own. All of them have three bytes.
pub(in crate::text) struct SimplifiedForms(Box<[[u8; 3]; COUNT]>);

static FORMS: LazyLock<SimplifiedForms> = LazyLock::new(|| {
    let mut forms = Box::new([[0; 3]; COUNT]);
    for (c, form) in ('一'..).zip(&mut *forms) {
        c.encode_utf8(form);
    }
    let lines = include_str!("simplified.txt").lines().filter(|line| !line.starts_with('#'));
    for pair in lines.flat_map(str::split_whitespace) {
        let mut characters = pair.chars();
        if let (Some(traditional), Some(simple)) = (characters.next(), characters.next()) {
            simple.encode_utf8(&mut forms[(u32::from(traditional) - FIRST) as usize]);
        }
    }
    SimplifiedForms(forms)
});

/// The simplified forms of the characters from U+4E00 to U+9FFF.
pub(in crate::text) fn simplified_forms() -> &'static SimplifiedForms {
    &FORMS
}

impl SimplifiedForms {
    /// The simplified form of the character with these bytes, or its own; `None` if it is not in
    /// the table.
    #[inline]
    pub(in crate::text) fn of(&self, character: [u8; 3]) -> Option<[u8; 3]> {
        let [lead, middle, last] = character.map(u32::from);
        // No byte is masked, because only three bytes of UTF-8 have such a lead and such a place.
        let place = (lead << 12) + (middle << 6) + last;
        let at = place.wrapping_sub((0xe0 << 12) + (0x80 << 6) + 0x80 + FIRST);
        self.0.get(at as usize).copied().filter(|_| lead >= 0xe4)
    }
}

/// The simplified form of `c`, or `c`.
pub(in crate::text) fn simplified(c: char) -> char {
    let entry = u32::from(c).checked_sub(FIRST).and_then(|at| FORMS.0.get(at as usize));
    entry.and_then(|form| char::from_u32(code_of(*form))).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::{COUNT, FIRST, simplified, simplified_forms};

    #[test]
    fn traditional_characters_have_their_simplified_form_and_others_stay() {
        for (written, expected) in
            [('習', '习'), ('鮮', '鲜'), ('國', '国'), ('国', '国'), ('a', 'a')]
        {
            assert_eq!(simplified(written), expected);
        }
        let all = (FIRST..FIRST + u32::try_from(COUNT).expect("small")).filter_map(char::from_u32);
        let changed = all.filter(|c| simplified(*c) != *c);
        assert!(changed.clone().count() > 2800);
        assert!(changed.map(simplified).all(|c| simplified(c) == c));
    }

    #[test]
    fn forms_are_found_by_their_bytes() {
        for c in '\u{800}'..='\u{ffff}' {
            let bytes = c.to_string().into_bytes().try_into().expect("three bytes");
            let form = simplified_forms().of(bytes);
            let expected = ('一'..='\u{9fff}').contains(&c).then(|| simplified(c).to_string());
            assert_eq!(form.as_ref().map(|form| &form[..]), expected.as_deref().map(str::as_bytes));
        }
    }
}
