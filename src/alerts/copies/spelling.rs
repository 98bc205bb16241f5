//! Whether two words are spellings of one word: typos, British spelling, abbreviations, endings.
//! Pure.

use tidings_rules::is_common_word;

use super::numerals;

/// Words with irregular spellings, and the spelling in which they are compared.
const SPELLINGS: [(&str, &str); 97] = [
    ("aeroplane", "airplane"),
    ("ageing", "aging"),
    ("aluminium", "aluminum"),
    ("amongst", "among"),
    ("aug", "august"),
    ("bombay", "mumbai"),
    ("burma", "myanmar"),
    ("catalogue", "catalog"),
    ("cheque", "check"),
    ("cm", "centimeter"),
    ("cosy", "cozy"),
    ("czechia", "czech"),
    ("dec", "december"),
    ("dialogue", "dialog"),
    ("dr", "doctor"),
    ("eighteenth", "18th"),
    ("eighth", "8th"),
    ("eleventh", "11th"),
    ("feb", "february"),
    ("fifteenth", "15th"),
    ("fifth", "5th"),
    ("fourteenth", "14th"),
    ("fourth", "4th"),
    ("fri", "friday"),
    ("gaddafi", "qaddafi"),
    ("gen", "general"),
    ("gov", "governor"),
    ("grey", "gray"),
    ("jan", "january"),
    ("jewellery", "jewelry"),
    ("kerb", "curb"),
    ("kg", "kilogram"),
    ("kgs", "kilogram"),
    ("kharkov", "kharkiv"),
    ("kiev", "kyiv"),
    ("kilograms", "kilogram"),
    ("kilometers", "kilometer"),
    ("kilometre", "kilometer"),
    ("kilometres", "kilometer"),
    ("km", "kilometer"),
    ("kms", "kilometer"),
    ("kph", "kmh"),
    ("learnt", "learned"),
    ("licence", "license"),
    ("liters", "liter"),
    ("litre", "liter"),
    ("litres", "liter"),
    ("lt", "lieutenant"),
    ("lukashenka", "lukashenko"),
    ("lvov", "lviv"),
    ("manoeuvre", "maneuver"),
    ("meters", "meter"),
    ("metre", "meter"),
    ("metres", "meter"),
    ("mohamed", "mohammed"),
    ("mohammad", "mohammed"),
    ("mon", "monday"),
    ("monologue", "monolog"),
    ("muhammad", "mohammed"),
    ("nineteenth", "19th"),
    ("ninth", "9th"),
    ("nov", "november"),
    ("oct", "october"),
    ("odessa", "odesa"),
    ("pct", "percent"),
    ("peking", "beijing"),
    ("plough", "plow"),
    ("practise", "practice"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("rep", "representative"),
    ("sat", "saturday"),
    ("sceptical", "skeptical"),
    ("sen", "senator"),
    ("sep", "september"),
    ("sept", "september"),
    ("seventeenth", "17th"),
    ("seventh", "7th"),
    ("sixteenth", "16th"),
    ("sixth", "6th"),
    ("storey", "story"),
    ("sun", "sunday"),
    ("tenth", "10th"),
    ("third", "3rd"),
    ("thirteenth", "13th"),
    ("thu", "thursday"),
    ("tonne", "ton"),
    ("tonnes", "tons"),
    ("towards", "toward"),
    ("tue", "tuesday"),
    ("turkiye", "turkey"),
    ("twelfth", "12th"),
    ("twentieth", "20th"),
    ("tyre", "tire"),
    ("tyres", "tires"),
    ("wed", "wednesday"),
    ("whilst", "while"),
];

/// Phrases and their abbreviations.
const PHRASES: [(&str, &str); 4] = [
    ("european union", "eu"),
    ("united kingdom", "uk"),
    ("united nations", "un"),
    ("united states", "us"),
];

/// Endings of the forms of a word in lower case, after the letters that the forms share. Sorted.
const ENDINGS: [&str; 70] = [
    "a", "d", "e", "ed", "em", "en", "er", "es", "et", "i", "ing", "o", "s", "t", "te", "ten", "y",
    "а", "ам", "ами", "ах", "ая", "е", "ев", "его", "ее", "ей", "ем", "ему", "ет", "и", "ие", "ий",
    "им", "ит", "их", "й", "л", "ла", "ли", "ло", "о", "ов", "ого", "ое", "ой", "ом", "ому", "ою",
    "ть", "у", "ут", "ую", "ы", "ые", "ый", "ым", "ых", "ь", "ю", "ют", "юю", "я", "ям", "ями",
    "ят", "ях", "яя", "і", "ї",
];

/// British endings and letters, and the American ones.
const BRITISH: [(&str, &str); 9] = [
    ("isation", "ization"),
    ("yse", "yze"),
    ("ise", "ize"),
    ("ising", "izing"),
    ("our", "or"),
    ("ence", "ense"),
    ("ogue", "og"),
    ("lled", "led"),
    ("lling", "ling"),
];

/// The form in which a folded word is compared. Numbers are digits without separators, dotted
/// capitals have no dots, and known spellings are one.
pub(super) fn normal(word: &str) -> String {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.replace(',', "");
    }
    let bare = word.replace('.', "");
    if let Some(value) = numerals::value(&bare) {
        return value.to_string();
    }
    let known = SPELLINGS.binary_search_by(|(from, _)| from.cmp(&bare.as_str()));
    known.map_or(bare, |at| SPELLINGS[at].1.to_owned())
}

/// Whether two runs of words differ only by an abbreviation.
pub(super) fn is_abbreviated(one: &str, other: &str) -> bool {
    PHRASES.contains(&(one, other)) || PHRASES.contains(&(other, one))
}

/// Whether two words in lower case are forms or spellings of one word: tense, number, case, British
/// spelling. Typos do not count.
pub(super) fn is_form_of_same(one: &str, other: &str) -> bool {
    if american(one) == american(other) {
        return true;
    }
    if is_common_word(one) && is_common_word(other) {
        return base_forms(one).iter().any(|base| base_forms(other).contains(base));
    }
    let start: usize =
        one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (stem, one, other) = (&one[..start], &one[start..], &other[start..]);
    let is_ending = |end: &str| end.is_empty() || ENDINGS.binary_search(&end).is_ok();
    let is_regular = base_forms_of_stem(stem, one)
        .iter()
        .any(|base| base_forms_of_stem(stem, other).contains(base));
    is_regular || (stem.chars().count() >= 4 && is_ending(one) && is_ending(other))
}

fn base_forms_of_stem(stem: &str, ending: &str) -> Vec<String> {
    base_forms(&format!("{stem}{ending}"))
}

/// The words of which an English word may be a regular form, and the word itself.
fn base_forms(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    for ending in ["s", "es", "d", "ed", "ing", "ies", "ied"] {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.chars().count() >= 3) else {
            continue;
        };
        found.push(stem.to_owned());
        match ending {
            "ing" => found.push(format!("{stem}e")),
            "ies" | "ied" => found.push(format!("{stem}y")),
            _ => {}
        }
        let mut letters = stem.chars().rev();
        if ["ed", "ing"].contains(&ending) && letters.next() == letters.next() {
            found.extend(stem.char_indices().next_back().map(|(at, _)| stem[..at].to_owned()));
        }
    }
    found
}

/// Whether one of two words in lower case is the other with a typo. If both are known words,
/// neither is a typo: `hire` is not `fire`.
pub(super) fn is_typo(one: &str, other: &str) -> bool {
    if is_common_word(one) && is_common_word(other) {
        return false;
    }
    let sounds = |word: &str| word.replace("ph", "f");
    is_slip(one, other)
        || sounds(one) == sounds(other)
        || (is_common_word(one) != is_common_word(other)
            && one.chars().count() >= 7
            && has_one_other_letter(one, other))
}

/// Whether two names are spellings of one name: transliteration, diacritics, American spelling.
/// Names that differ in one letter are two names: Hansen is not Hanson, and in Russian Петрова is
/// not Петрову in the same place.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    let (american_one, american_other) = (american(one), american(other));
    (american_one == american_other && is_common_word(&american_one))
        || transliterated(one) == transliterated(other)
        || (one.chars().count() >= 6 && is_transposed(one, other))
}

/// Whether two words differ by a typing error: a letter is missing or doubled, or two neighbours
/// are swapped.
pub(super) fn is_slip(one: &str, other: &str) -> bool {
    let count = |word: &str| word.chars().count();
    let (short, long) = if count(one) <= count(other) { (one, other) } else { (other, one) };
    if count(short) < 4 || count(long) > count(short) + 1 {
        return false;
    }
    if count(short) == count(long) {
        return is_transposed(short, long);
    }
    let same = short.chars().zip(long.chars()).take_while(|(a, b)| a == b).count();
    short.chars().skip(same).eq(long.chars().skip(same + 1))
}

/// Whether one of two words is a common word, and the other is that word with a typing error before
/// its end. At the beginning of a sentence, either may look like a name.
pub(super) fn is_known_mistyped(one: &str, other: &str) -> bool {
    is_common_word(one) != is_common_word(other)
        && one.chars().count().min(other.chars().count()) >= 5
        && one.chars().next_back() == other.chars().next_back()
        && is_slip(one, other)
}

fn is_transposed(one: &str, other: &str) -> bool {
    let differs: Vec<(char, char)> =
        one.chars().zip(other.chars()).skip_while(|(a, b)| a == b).collect();
    match differs.as_slice() {
        [(a, b), (c, d), rest @ ..] if one.len() == other.len() => {
            a == d && b == c && rest.iter().all(|(a, b)| a == b)
        }
        _ => false,
    }
}

fn has_one_other_letter(one: &str, other: &str) -> bool {
    one.chars().count() == other.chars().count()
        && one.chars().zip(other.chars()).filter(|(a, b)| a != b).count() == 1
}

/// The American spelling of a folded word.
fn american(word: &str) -> String {
    if word.len() < 5 || !word.is_ascii() {
        return word.to_owned();
    }
    let mut found = word.to_owned();
    for (british, american) in BRITISH {
        if let Some(at) = found.find(british).filter(|at| *at > 0) {
            found.replace_range(at..at + british.len(), american);
        }
    }
    if let Some(stem) = found.strip_suffix("tre").or_else(|| found.strip_suffix("bre")) {
        found = format!("{stem}{}er", &found[stem.len()..=stem.len()]);
    }
    found
}

/// A name without the parts that transliterations write differently: endings of Slavic surnames,
/// and umlauts in two letters.
fn transliterated(name: &str) -> String {
    let mut found = name.to_owned();
    if found.chars().count() >= 6 {
        for ending in ["skyy", "skiy", "skii", "skij", "sky"] {
            if let Some(stem) = found.strip_suffix(ending) {
                found = format!("{stem}ski");
                break;
            }
        }
        if let Some(stem) = found.strip_suffix("iy").or_else(|| found.strip_suffix("yy")) {
            found = format!("{stem}y");
        }
    }
    if found.chars().count() >= 5 {
        for (long, short) in [("ae", "a"), ("oe", "o"), ("ue", "u")] {
            found = found.replace(long, short);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(SPELLINGS.is_sorted() && ENDINGS.is_sorted());
    }

    #[test]
    fn one_form_stands_for_the_spellings_of_a_word() {
        for (word, form) in [
            ("3,000", "3000"),
            ("u.s.", "us"),
            ("twelve", "12"),
            ("sept", "september"),
            ("programme", "program"),
            ("vessel", "vessel"),
        ] {
            assert_eq!(normal(word), form);
        }
    }

    #[test]
    fn spellings_tenses_and_typos_of_words_in_lower_case_are_one_word() {
        for (one, other, same) in [
            ("colour", "color", true),
            ("centre", "center", true),
            ("organised", "organized", true),
            ("organisation", "organization", true),
            ("defence", "defense", true),
            ("analysed", "analyzed", true),
            ("travelled", "traveled", true),
            ("closes", "closed", true),
            ("planned", "plan", true),
            ("горела", "горели", true),
            ("goverment", "government", true),
            ("operator", "opertor", true),
            ("missing", "misssing", true),
            ("telephone", "telefone", true),
            ("increase", "decrease", false),
            ("import", "export", false),
            ("hire", "fire", false),
            ("north", "south", false),
            ("plane", "plant", false),
            ("wine", "wind", false),
            ("minister", "ministry", false),
            ("школа", "больница", false),
        ] {
            let found = |a, b| is_form_of_same(a, b) || is_typo(a, b);
            assert_eq!(found(one, other), same, "{one} {other}");
            assert_eq!(found(other, one), same, "{other} {one}");
        }
    }

    #[test]
    fn a_name_is_another_where_one_letter_is_another() {
        for (one, other, same) in [
            ("zelensky", "zelenskyy", true),
            ("zelenskiy", "zelenskyy", true),
            ("muller", "mueller", true),
            ("gdansk", "gdnask", true),
            ("labour", "labor", true),
            ("iran", "iraq", false),
            ("hansen", "hanson", false),
            ("johnson", "johnston", false),
            ("ivanov", "ivanova", false),
            ("barrett", "garrett", false),
            ("francis", "frances", false),
            ("christina", "christine", false),
            ("петрова", "петрову", false),
            ("niger", "nigeria", false),
        ] {
            assert_eq!(is_same_name(one, other), same, "{one} {other}");
            assert_eq!(is_same_name(other, one), same, "{other} {one}");
        }
    }
}
