//! Removes what surrounds a text: datelines, bylines and credits. Pure.
//!
//! Only known shapes without an identifier are removed. Every other beginning of a text is
//! compared.

use super::word::{CopyWord, CopyWordKind};

/// The most words of a byline or a dateline.
const HEAD_WORDS: usize = 14;

/// Words of the names of agencies, as datelines have them in parentheses.
const AGENCIES: [&str; 94] = [
    "aa",
    "aap",
    "aawsat",
    "abc",
    "afp",
    "agencies",
    "agency",
    "agerpres",
    "anadolu",
    "ani",
    "ansa",
    "ap",
    "apa",
    "associated",
    "bbc",
    "belga",
    "bernama",
    "bloomberg",
    "bns",
    "bta",
    "canadian",
    "cbc",
    "cbs",
    "cna",
    "cnn",
    "cns",
    "cp",
    "ctk",
    "dow",
    "dpa",
    "dw",
    "efe",
    "elta",
    "epd",
    "euractiv",
    "fars",
    "fena",
    "hina",
    "ians",
    "idn",
    "ifx",
    "interfax",
    "ips",
    "irna",
    "itar-tass",
    "jiji",
    "jones",
    "kna",
    "kuna",
    "kyodo",
    "leta",
    "lusa",
    "mena",
    "mti",
    "nbc",
    "news",
    "newswire",
    "nhk",
    "nna",
    "novosti",
    "npr",
    "ntb",
    "pa",
    "pap",
    "petra",
    "pmn",
    "press",
    "pti",
    "qna",
    "reuters",
    "rfe/rl",
    "ria",
    "ritzau",
    "rsf",
    "sana",
    "sda",
    "sky",
    "spa",
    "sputnik",
    "stt",
    "tanjug",
    "tass",
    "thomson",
    "tt",
    "ukrinform",
    "un",
    "unian",
    "upi",
    "voa",
    "wafa",
    "wam",
    "wire",
    "xinhua",
    "yonhap",
];

/// Words beside the name of a writer in a byline.
const ROLES: [&str; 34] = [
    "and",
    "asia",
    "at",
    "bureau",
    "business",
    "chief",
    "correspondent",
    "correspondents",
    "defence",
    "defense",
    "deputy",
    "diplomatic",
    "economics",
    "editor",
    "europe",
    "for",
    "foreign",
    "health",
    "in",
    "newsroom",
    "of",
    "political",
    "reporter",
    "reporters",
    "science",
    "senior",
    "special",
    "sports",
    "staff",
    "technology",
    "the",
    "to",
    "writer",
    "writers",
];

/// Words of the line that says when a text was published.
const TIMES: [&str; 63] = [
    "am",
    "and",
    "apr",
    "april",
    "at",
    "aug",
    "august",
    "bst",
    "by",
    "cest",
    "cet",
    "date",
    "dec",
    "december",
    "edt",
    "est",
    "feb",
    "february",
    "fri",
    "friday",
    "gmt",
    "jan",
    "january",
    "jst",
    "jul",
    "july",
    "jun",
    "june",
    "last",
    "local",
    "mar",
    "march",
    "may",
    "mon",
    "monday",
    "msk",
    "nov",
    "november",
    "oct",
    "october",
    "on",
    "pdt",
    "pm",
    "posted",
    "pst",
    "published",
    "sat",
    "saturday",
    "sep",
    "sept",
    "september",
    "sun",
    "sunday",
    "thu",
    "thursday",
    "time",
    "today",
    "tue",
    "tuesday",
    "updated",
    "utc",
    "wed",
    "wednesday",
];

/// Names of months, as datelines have them.
const MONTHS: [&str; 24] = [
    "apr",
    "april",
    "aug",
    "august",
    "dec",
    "december",
    "feb",
    "february",
    "jan",
    "january",
    "jul",
    "july",
    "jun",
    "june",
    "mar",
    "march",
    "may",
    "nov",
    "november",
    "oct",
    "october",
    "sep",
    "sept",
    "september",
];

/// The text after its byline and its dateline.
pub(super) fn without_head(text: &str) -> &str {
    let mut rest = text.trim_start();
    for _ in 0..4 {
        let paragraph = &rest[..rest.find("\n\n").unwrap_or(rest.len())];
        if let Some(end) = head_end(paragraph) {
            rest = rest[end..].trim_start();
        } else if is_byline(paragraph) && paragraph.len() < rest.len() {
            rest = rest[paragraph.len()..].trim_start();
        } else {
            break;
        }
    }
    rest
}

/// Whether a paragraph only names the writer, the time or the corrected text.
fn is_byline(paragraph: &str) -> bool {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    if paragraph.to_lowercase().starts_with("(corrects ") {
        return true;
    }
    let is_few = !words.is_empty() && words.len() <= HEAD_WORDS;
    is_few && (is_writer_line(&words) || has_role(&words) || says_when(&words))
}

/// Whether words are `By` and a person's name, with or without a role.
fn is_writer_line(words: &[&str]) -> bool {
    let Some((by, names)) = words.split_first() else { return false };
    let names: Vec<&str> =
        names.iter().copied().filter(|word| !contains_bare(word, &ROLES)).collect();
    ["By", "BY", "by", "Par", "Por"].contains(by)
        && (2..=6).contains(&names.len())
        && names.iter().all(|word| is_name(word))
}

/// Whether words are names and a writer's role: `Ann Lee, chief correspondent`.
fn has_role(words: &[&str]) -> bool {
    const WRITERS: [&str; 5] =
        ["correspondent", "newsroom", "reporter", "writer", "correspondents"];
    words.len() <= 8
        && words.iter().any(|word| contains_bare(word, &WRITERS))
        && words.iter().all(|word| is_name(word) || contains_bare(word, &ROLES))
}

/// Whether words are only the time of publication.
fn says_when(words: &[&str]) -> bool {
    let starts = ["published", "updated", "posted", "last"];
    let is_time = |word: &&str| {
        contains_bare(word, &TIMES)
            || bare_word(word)
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '-' | '/'))
            || ["1st", "2nd", "3rd"].contains(&bare_word(word).as_str())
    };
    contains_bare(words[0], &starts)
        && words.iter().any(|word| word.bytes().any(|byte| byte.is_ascii_digit()))
        && words.iter().all(is_time)
}

/// Where the text begins after a dateline or an inline byline: `LONDON, June 3 (Reuters) - `.
fn head_end(paragraph: &str) -> Option<usize> {
    let is_sign = |(at, c): &(usize, char)| {
        let (before, behind) = (&paragraph[..*at], &paragraph[at + c.len_utf8()..]);
        let is_apart = before.ends_with([' ', ')']) && behind.starts_with([' ', '-']);
        matches!(c, '—' | '–') || (*c == '-' && is_apart) || (*c == ':' && before.ends_with(')'))
    };
    let (at, sign) = paragraph.char_indices().take(120).find(is_sign)?;
    let words: Vec<&str> = paragraph[..at].split_whitespace().collect();
    let is_head =
        words.len() <= HEAD_WORDS && (is_writer_line(&words) || is_dateline(&paragraph[..at]));
    let behind = &paragraph[at + sign.len_utf8()..];
    is_head.then(|| at + sign.len_utf8() + behind.find(|c| c != '-').unwrap_or(0))
}

/// Whether a text is a place with an agency or a date, or an agency alone. A place alone does not
/// count: warnings and notices begin with the place that they are about.
fn is_dateline(head: &str) -> bool {
    let (place, agency) = match head.split_once('(') {
        Some((place, rest)) => {
            let Some(agency) = rest.trim_end().strip_suffix(')') else { return false };
            (place, Some(agency))
        }
        None => (head, None),
    };
    let is_agency = |agency: &str| {
        let mut words = agency.split([' ', '/', ',']).filter(|word| !word.is_empty()).peekable();
        words.peek().is_some() && words.all(|word| contains_bare(word, &AGENCIES))
    };
    if !agency.is_none_or(is_agency) {
        return false;
    }
    let (place, date) = match place.split_once(',') {
        Some((place, date)) if is_date(date) => (place, true),
        _ => (place, false),
    };
    let names: Vec<&str> = place.split([' ', ',', '/']).filter(|word| !word.is_empty()).collect();
    let is_place = names.len() <= 4 && names.iter().all(|word| is_name(word));
    is_place && (agency.is_some() || (date && !names.is_empty()))
}

/// Whether words are a day and a month.
fn is_date(words: &str) -> bool {
    let words: Vec<&str> = words.split_whitespace().collect();
    let is_number = |word: &&str| {
        let bare = bare_word(word);
        bare.len() <= 4 && !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit())
    };
    (2..=3).contains(&words.len())
        && words.iter().any(|word| contains_bare(word, &MONTHS))
        && words.iter().all(|word| is_number(word) || contains_bare(word, &MONTHS))
}

/// Whether a word has the form of a name, an initial or a particle of a name.
fn is_name(word: &str) -> bool {
    let word = word.trim_matches([',', '.', ';', '(', ')']);
    let is_particle = ["al", "bin", "da", "de", "del", "der", "di", "la", "le", "van", "von"];
    let is_word = word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'));
    !word.is_empty()
        && is_word
        && (word.starts_with(char::is_uppercase) || is_particle.contains(&word))
        && !["Order", "Judge", "Decree", "Resolution", "Act", "Court"].contains(&word)
}

fn contains_bare(word: &str, words: &[&str]) -> bool {
    words.contains(&bare_word(word).as_str())
}

fn bare_word(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Whether a sentence only says who wrote, edited or owns the text.
pub(super) fn is_credit(sentence: &[CopyWord]) -> bool {
    let texts: Vec<&str> = sentence.iter().map(|word| word.text.as_str()).collect();
    let has_id = |words: &[CopyWord]| words.iter().any(|word| word.kind == CopyWordKind::Number);
    let is_named = |at: usize| {
        sentence.get(at).is_some_and(|word| word.kind == CopyWordKind::Name) && !has_id(sentence)
    };
    if sentence.len() > 2 * HEAD_WORDS {
        return false;
    }
    match texts.as_slice() {
        ["reporting" | "editing" | "writing" | "compiled", "by", ..] => is_named(2),
        ["additional", "reporting", "by", ..] | ["with", "files", "from", ..] => is_named(3),
        ["copyright", year, ..] => {
            let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
            is_year || texts.windows(2).any(|two| two == ["rights", "reserved"])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_datelines_and_bylines_are_heads() {
        for head in [
            "LONDON, June 3 (Reuters) - ",
            "LONDON (Reuters) — ",
            "NEW YORK/LONDON, 3 June — ",
            "TOKYO (Kyodo) -- ",
            "KOREBA (Wire) — By Koreba Salter — ",
            "(CNN): ",
            "By Ann Lee — ",
            "By Ann Lee and Bob Roe\n\nPARIS, 3 June (AFP) – ",
            "Published 3 June 2026\n\nBy Ann Lee, chief correspondent\n\n",
            "Last updated: 3 June 2026 at 10:14 GMT\n\n",
            "Ann Lee, chief political correspondent\n\n",
            "(Corrects number of dead in paragraph 2)\n\n",
        ] {
            assert_eq!(
                without_head(&format!("{head}The port closed.")),
                "The port closed.",
                "{head}"
            );
        }
        for text in [
            "CVE-2024-4671 — A flaw lets others in.",
            "MV OCEAN STAR (IMO 9123456) — the ship was detained.",
            "R v SMITH - Listed for sentence.",
            "TORNADO WARNING (Adams County): a storm was seen.",
            "ADAMS COUNTY — a storm was seen.",
            "Published against Acmeon Limited of Riga\n\nIt is wound up.",
            "By order of Judge Mary Cole\n\nIt is wound up.",
            "By Judge Mary Cole\n\nIt is wound up.",
            "Von Hagendorf, Karl, geboren in Kiel\n\nGesucht wegen Betrugs.",
            "Named best reporter of the year: Nina Hollund of Ribe\n\nHers was the best.",
            "Oil prices rose — again.",
            "The port - closed since May - opened.",
        ] {
            assert_eq!(without_head(text), text);
        }
    }
}
