//! Names of months and zones in feeds.

/// Whether a character can be part of a name. The signs of East Asian dates cannot.
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
        || c == '\u{301}'
        || c == '\u{307}'
}

/// The beginnings of the names of each month, in lower case. If several fit, the longest counts.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "янв", "січ", "sty", "led", "ιαν", "oca"],
    &["feb", "fév", "fev", "фев", "лют", "lut", "úno", "uno", "φεβ", "şub", "sub", "helmi"],
    &["mar", "mär", "maa", "mrt", "мар", "бер", "bře", "bre", "μαρ", "μάρ"],
    &["apr", "avr", "abr", "апр", "кві", "kwi", "dub", "απρ", "nis", "ápr"],
    &[
        "may", "mai", "maj", "mag", "mei", "май", "мая", "тра", "kvě", "kve", "μαι", "μαΐ", "μάι",
        "máj", "touko",
    ],
    &["jun", "jui", "giu", "июн", "чер", "cze", "červ", "cerv", "ιουν", "ιούν", "haz", "jún"],
    &[
        "jul", "juil", "lug", "июл", "лип", "lip", "červenc", "cervenc", "ιουλ", "ιούλ", "tem",
        "júl", "heinä",
    ],
    &["aug", "aoû", "aou", "ago", "авг", "сер", "sie", "srp", "αυγ", "αύγ", "ağu", "agu"],
    &["sep", "set", "сен", "вер", "wrz", "zář", "zar", "σεπ", "eyl", "sze"],
    &["oct", "okt", "out", "ott", "окт", "жов", "paź", "paz", "říj", "rij", "οκτ", "eki"],
    &["nov", "ноя", "лис", "lis", "νοε", "νοέ", "kas", "marras"],
    &["dec", "déc", "dez", "dic", "des", "дек", "гру", "gru", "pro", "δεκ", "ara", "joulu"],
];

/// The month with the name `word` in lower case: 1 to 12.
pub(super) fn month(word: &str) -> Option<i8> {
    let known = |names: &&[&str]| {
        names.iter().filter(|name| word.starts_with(**name)).map(|name| name.len()).max()
    };
    let fits = (1..).zip(&MONTHS).filter_map(|(month, names)| Some((known(names)?, month)));
    fits.max().map(|(_, month)| month)
}

/// The offset of the zone with that name in lower case, in minutes, positive to the east of UTC. Of
/// several zones with one name, it is the one that is usual in feeds.
pub(super) fn zone(name: &str) -> Option<i32> {
    let quarters = match name {
        "z" | "ut" | "utc" | "gmt" | "wet" => 0,
        "bst" | "cet" | "mez" | "west" | "wat" => 4,
        "cest" | "mesz" | "eet" | "sast" | "cat" => 8,
        "eest" | "msk" | "eat" | "trt" => 12,
        "gst" => 16,
        "pkt" => 20,
        "ist" => 22,
        "ict" | "wib" => 28,
        "sgt" | "hkt" | "awst" | "pht" => 32,
        "jst" | "kst" => 36,
        "aest" => 40,
        "aedt" => 44,
        "nzst" => 48,
        "nzdt" => 52,
        "adt" | "art" | "brt" => -12,
        "ast" | "edt" => -16,
        "est" | "et" | "cdt" => -20,
        "cst" | "ct" | "mdt" => -24,
        "mst" | "mt" | "pdt" => -28,
        "pst" | "pt" | "akdt" => -32,
        "akst" => -36,
        "hst" => -40,
        _ => return None,
    };
    Some(quarters * 15)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("january", 1)]
    #[case("juin", 6)]
    #[case("juillet", 7)]
    #[case("červen", 6)]
    #[case("července", 7)]
    #[case("июля", 7)]
    #[case("březen", 3)]
    #[case("listopada", 11)]
    #[case("lipca", 7)]
    #[case("dicembre", 12)]
    #[case("marraskuu", 11)]
    fn months_are_known_by_their_beginning(#[case] word: &str, #[case] number: i8) {
        assert_eq!(month(word), Some(number));
    }

    #[rstest]
    #[case("de")]
    #[case("wed")]
    #[case("t")]
    fn other_words_are_no_month(#[case] word: &str) {
        assert_eq!(month(word), None);
    }
}
