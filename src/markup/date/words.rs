//! Names of months and zones in feeds.

use super::piece::DatePiece::{self, Sign, Word};

/// A date in lower case, with the digits of ASCII, without marks that only steer its direction.
pub(super) fn plain(text: &str) -> String {
    let is_mark = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| match c {
        'أ' | 'إ' | 'آ' => 'ا',
        '：' => ':',
        '，' | '、' | '،' => ',',
        _ => digit(c).unwrap_or(c),
    };
    text.to_lowercase().chars().filter(|c| !is_mark(c)).map(plain).collect()
}

/// The ASCII digit for a digit of Arabic, Persian, Indian, Thai or East Asian texts.
fn digit(c: char) -> Option<char> {
    let zero = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];
    let value =
        |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    char::from_digit(zero.iter().find_map(value)?, 10)
}

/// The beginnings of the names of each month, in lower case, separated by spaces. If several fit,
/// the longest counts.
const MONTHS: [&str; 12] = [
    "jan jän ján ene gen ian xan yan янв яну јан січ студ sty led sij sau tammi ιαν oca \
     ינו يناير جانفي ژانویه جنوری มกรา जनव জান იან հունվ",
    "feb fév fev veeb фев феб лют lut úno uno velj vasar φεβ şub sub helmi פבר فبراير \
     شباط فيفري فوریه فروری กุมภา फ़र फर ফেব თებ փետր",
    "mar mär már maa mrt mac мар бер сак bře bre ožu kovo μαρ μάρ מרץ מרס مارس اذار مارچ \
     มีนา मार्च মার্চ მარ մարտ",
    "apr avr abr ápr апр кві кра kwi dub trav baland huhti απρ nis אפר ابريل نيسان افريل \
     اوریل اپریل เมษา अप्रै এপ্রি აპრ ապր",
    "may mai maí maj mag mei máj май мая мај тра kvě kve svi geg touko μαι μαΐ μάι מאי \
     مايو ماي ايار مه مئی พฤษภา मई মে მაი մայ",
    "jun jui jún jūn juun giu iun iyun xuñ hunyo июн юни јун чер чэр cze červ cerv lipnj \
     lipanj birž kesä ιουν ιούν haz יונ يونيو حزيران جوان ژوئن جون มิถุนา जून জুন ივნ \
     հունիս",
    "jul juil júl jūl juul lug iul iyul xul hulyo июл юли јул лип ліп lip červenc cervenc \
     srpnj srpanj liep heinä ιουλ ιούλ tem יול يوليو تموز جويلية ژوئیه جولای جولائی กรกฎา \
     जुल জুল ივლ հուլիս",
    "aug aoû aou ago ogo avg avq ágú авг сер жні sie srp kolov rugp elok αυγ αύγ ağu agu \
     אוג اغسطس اب اوت غشت اگست สิงหา अगस আগস აგვ օգոս",
    "sep set sent szep сен сеп вер wrz zář zar ruj rugs syys σεπ eyl ספט سبتمبر ايلول \
     شتنبر سپتامبر ستمبر กันยา सित সেপ სექ սեպ",
    "oct okt out ott окт жов кас paź paz říj rij spal loka οκτ eki אוק اكتوبر اکتبر \
     اکتوبر ตุลา अक् অক্ ოქტ հոկ",
    "nov noi noy nóv ноя ное нов лис ліс lis stud lapk marras νοε νοέ kas נוב نوفمبر \
     نونبر نوامبر نومبر พฤศจิกา नवं নভে ნოე նոյ",
    "dec déc dez dic des dise dek dets дек дец гру сне gru pro joulu δεκ ara דצמ ديسمبر \
     دجنبر دسامبر دسمبر ธันวา दिस ডিসে დეკ դեկ",
];

/// The beginnings of weekdays that begin like a month. A weekday that is exactly like a month, as
/// `mar`, is known by its place only.
const WEEKDAYS: [&str; 12] = [
    "mard",
    "martes",
    "martedi",
    "martedì",
    "marț",
    "marţ",
    "maand",
    "maanant",
    "pazar",
    "subot",
    "серед",
    "серад",
];

/// The month at the start of `pieces`: 1 to 12.
pub(super) fn month(pieces: &[DatePiece]) -> Option<i8> {
    let Word(word) = pieces.first()? else { return None };
    match (*word, pieces.get(1)) {
        ("تشرين", Some(Word("الاول"))) => Some(10),
        ("تشرين", Some(Word("الثاني"))) => Some(11),
        ("كانون", Some(Word("الاول"))) => Some(12),
        ("كانون", Some(Word("الثاني"))) => Some(1),
        (word, Some(Sign('.'))) => match pieces.get(2) {
            Some(Word(end)) => thai_month(word, end).or_else(|| month_named(word)),
            _ => month_named(word),
        },
        (word, _) => month_named(word),
    }
}

/// The month that Thai writes as two abbreviated words.
fn thai_month(word: &str, end: &str) -> Option<i8> {
    const MONTHS: [(&str, &str); 12] = [
        ("ม", "ค"),
        ("ก", "พ"),
        ("มี", "ค"),
        ("เม", "ย"),
        ("พ", "ค"),
        ("มิ", "ย"),
        ("ก", "ค"),
        ("ส", "ค"),
        ("ก", "ย"),
        ("ต", "ค"),
        ("พ", "ย"),
        ("ธ", "ค"),
    ];
    (1..).zip(MONTHS).find(|(_, month)| *month == (word, end)).map(|(number, _)| number)
}

/// The month with the name `word` in lower case.
fn month_named(word: &str) -> Option<i8> {
    if WEEKDAYS.iter().any(|weekday| word.starts_with(weekday)) {
        return None;
    }
    // Hebrew writes `in` as a prefix.
    let word = word.strip_prefix('ב').unwrap_or(word);
    let known = |names: &&str| names.split(' ').filter(|name| fits(word, name)).map(str::len).max();
    let fits = (1..).zip(&MONTHS).filter_map(|(month, names)| Some((known(names)?, month)));
    fits.max().map(|(_, month)| month)
}

/// Whether `word` is or begins with `name`. A name of one or two letters must be the whole word.
fn fits(word: &str, name: &str) -> bool {
    if name.chars().count() < 3 { word == name } else { word.starts_with(name) }
}

/// The offset of the zone with that name in lower case, in minutes, positive to the east of UTC. Of
/// several zones with one name, it is the one that is usual in feeds.
pub(super) fn zone(name: &str) -> Option<i32> {
    let quarters = match name {
        "z" | "ut" | "utc" | "gmt" | "wet" => 0,
        "bst" | "cet" | "mez" | "west" | "wat" => 4,
        "cest" | "mesz" | "eet" | "sast" | "cat" => 8,
        "eest" | "msk" | "мск" | "eat" | "trt" | "idt" => 12,
        "irst" => 14,
        "gst" | "msd" | "samt" | "azt" | "get" => 16,
        "pkt" | "yekt" | "uzt" => 20,
        "ist" => 22,
        "npt" => 23,
        "omst" | "bdt" => 24,
        "ict" | "wib" | "novt" | "krat" => 28,
        "sgt" | "hkt" | "awst" | "pht" | "myt" | "wita" | "irkt" => 32,
        "jst" | "kst" | "wit" | "yakt" => 36,
        "acst" => 38,
        "aest" | "vlat" | "chst" => 40,
        "acdt" => 42,
        "aedt" => 44,
        "nzst" | "pett" => 48,
        "nzdt" => 52,
        "ndt" => -10,
        "adt" | "art" | "brt" | "clst" | "uyt" => -12,
        "nst" => -14,
        "ast" | "edt" | "clt" | "bot" | "vet" => -16,
        "est" | "et" | "cdt" | "cot" | "pet" => -20,
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
        assert_eq!(month_named(word), Some(number));
    }

    #[rstest]
    #[case("de")]
    #[case("wed")]
    #[case("t")]
    fn other_words_are_no_month(#[case] word: &str) {
        assert_eq!(month_named(word), None);
    }
}
