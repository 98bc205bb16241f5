//! Tests of declined forms: every class, the names of the news, and words that are never found.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Declined, LONGEST, Slavic, declined};
use crate::text::{capitals, tokenise};

mod names;

/// Words of each class as a rule writes them, with all of their forms. A form with a `!` needs a
/// capital.
const CLASSES: &str = include_str!("tests/classes.txt");

const ALL: [Slavic; 4] = [Slavic::Russian, Slavic::Ukrainian, Slavic::Bulgarian, Slavic::Serbian];

/// The folded word, and whether it is written with a capital.
fn folded(written: &str) -> (String, bool) {
    let word = tokenise(written).remove(0).word;
    (word, capitals(written).first() == Some(&true))
}

fn forms(language: Slavic, written: &str) -> Option<Vec<Declined>> {
    let (word, name) = folded(written);
    declined(language, &word, name)
}

/// Whether a rule with the word `rule` finds `text` as one of its other forms.
fn finds(language: Slavic, rule: &str, text: &str) -> bool {
    let (word, capital) = folded(text);
    let forms = forms(language, rule).unwrap_or_default();
    forms.iter().any(|form| form.word == word && (capital || !form.capital))
}

#[test]
fn every_class_has_its_forms() {
    for line in CLASSES.lines() {
        let (word, expected) = line.split_once(':').expect("a word and its forms");
        let (tag, word) = word.split_once(' ').expect("a language and a word");
        let forms = forms(language(tag), word).unwrap_or_else(|| panic!("{word} has no class"));
        let shown: Vec<String> = forms.iter().map(shown).collect();
        assert_eq!(shown.join(" "), expected.trim_start(), "{word}");
    }
}

fn language(tag: &str) -> Slavic {
    match tag {
        "ru" => Slavic::Russian,
        "uk" => Slavic::Ukrainian,
        "bg" => Slavic::Bulgarian,
        _ => Slavic::Serbian,
    }
}

fn shown(form: &Declined) -> String {
    format!("{}{}", form.word, if form.capital { "!" } else { "" })
}

#[test]
fn names_of_the_news_are_found_in_every_case() {
    let languages = [(Slavic::Russian, names::RUSSIAN), (Slavic::Ukrainian, names::UKRAINIAN)];
    let (mut count, mut missed) = (0, Vec::new());
    for (language, paradigms) in languages {
        for (nominative, cases, stems) in paradigms {
            for stem in stems.split(' ') {
                let name = format!("{stem}{nominative}");
                let found = declined(language, &name, true).unwrap_or_default();
                for case in cases.split(' ') {
                    let form = format!("{stem}{}", case.trim_matches('0'));
                    count += 1;
                    if form != name && found.iter().all(|one| one.word != form) {
                        missed.push(format!("{name} {form}"));
                    }
                }
            }
        }
    }
    assert!(count > 1_400 && missed.is_empty(), "{} of {count}: {missed:?}", missed.len());
}

#[test]
fn a_name_is_found_in_the_forms_of_its_declension() {
    let cases = [
        (Slavic::Russian, "Корея", "Корее Кореей Корею"),
        (Slavic::Russian, "Лавров", "Лаврова Лавровым Лаврове Лавровой"),
        (Slavic::Russian, "Газа", "Газы Газу Газой"),
        (Slavic::Russian, "Песков", "Пескова Пескову Песковым"),
        (Slavic::Russian, "Орёл", "Орла орлом"),
        (Slavic::Russian, "Росси́я", "РОССИИ россию"),
        (Slavic::Ukrainian, "Київ", "Києва Києві"),
        (Slavic::Ukrainian, "Харків", "Харкова Харкову"),
        (Slavic::Ukrainian, "Зеленський", "Зеленського Зеленському"),
        (Slavic::Bulgarian, "президент", "президентът президента президентите"),
        (Slavic::Serbian, "Америка", "Америци Америком"),
        (Slavic::Serbian, "Amerika", "Americi Amerikom"),
        (Slavic::Serbian, "Вучић", "Вучића Вучићем"),
        (Slavic::Serbian, "Vučić", "Vučića Vučićem"),
    ];
    for (language, rule, texts) in cases {
        for text in texts.split(' ') {
            assert!(finds(language, rule, text), "{rule} misses {text}");
        }
    }
}

#[test]
fn other_words_are_not_found() {
    let cases = [
        (Slavic::Russian, "Медведев", "медведь медведя Медведь медведев"),
        (Slavic::Russian, "Лавров", "лавровый лавровым лавровой лаврового Лавр"),
        (Slavic::Russian, "Толстой", "толстый толстого толстая Толстый"),
        (Slavic::Russian, "Розов", "розовым розовой роза Роза"),
        (Slavic::Russian, "Маск", "маска маске маску маской"),
        (Slavic::Russian, "Иван", "Иванов Иванова Иванович"),
        (Slavic::Russian, "Александра", "Александр"),
        (Slavic::Russian, "Юлия", "Юлий"),
        (Slavic::Russian, "Корея", "корейка кореец корейский"),
        (Slavic::Russian, "Осло", "осла ослом осле"),
        (Slavic::Russian, "Обь", "обе"),
        (Slavic::Russian, "Газа", "газу газы газе"),
        (Slavic::Russian, "Рада", "рад Рад"),
        (Slavic::Russian, "ракета", "ракетка ракетный ракетчик"),
        (Slavic::Russian, "маски", "маск Маск"),
        (Slavic::Russian, "политика", "политик политиком"),
        (Slavic::Russian, "бронь", "броне броня"),
        (Slavic::Ukrainian, "Маск", "маска маску"),
        (Slavic::Ukrainian, "Іван", "Іванів"),
        (Slavic::Ukrainian, "учасники", "учасниці"),
        (Slavic::Ukrainian, "рік", "ріка ріки"),
        (Slavic::Ukrainian, "міст", "міста"),
        (Slavic::Ukrainian, "Кличко", "кличка"),
        (Slavic::Bulgarian, "Борисов", "Борис"),
        (Slavic::Bulgarian, "Радев", "радва"),
        (Slavic::Serbian, "Марко", "марка марке"),
    ];
    for (language, rule, texts) in cases {
        for text in texts.split(' ') {
            assert!(!finds(language, rule, text), "{rule} finds {text}");
        }
    }
}

#[test]
fn words_without_a_case_have_no_forms() {
    for (language, word) in [
        (Slavic::Russian, "на"),
        (Slavic::Russian, "для"),
        (Slavic::Russian, "метро"),
        (Slavic::Russian, "США"),
        (Slavic::Russian, "КНДР"),
        (Slavic::Russian, "Токио"),
        (Slavic::Russian, "Баку"),
        (Slavic::Russian, "Порошенко"),
        (Slavic::Ukrainian, "від"),
        (Slavic::Ukrainian, "Баку"),
        (Slavic::Bulgarian, "срещу"),
        (Slavic::Serbian, "против"),
        (Slavic::Serbian, "protiv"),
    ] {
        assert_eq!(forms(language, word), Some(Vec::new()), "{word}");
    }
}

#[test]
fn verbs_and_words_of_other_alphabets_have_no_class() {
    for (language, word) in [
        (Slavic::Russian, "атаковать"),
        (Slavic::Russian, "вернуться"),
        (Slavic::Russian, "помочь"),
        (Slavic::Russian, "идти"),
        (Slavic::Ukrainian, "атакувати"),
        (Slavic::Ukrainian, "боротися"),
        (Slavic::Russian, "NATO"),
        (Slavic::Russian, "16"),
        (Slavic::Serbian, "рatа"),
    ] {
        assert_eq!(forms(language, word), None, "{word}");
    }
    assert!(forms(Slavic::Russian, "печать").is_some_and(|forms| !forms.is_empty()));
    assert_eq!(declined(Slavic::Russian, "", false), None);
}

fn words() -> impl Strategy<Value = (Slavic, String, bool)> {
    let ends = ALL.into_iter().flat_map(Slavic::rows).map(|row| row.ending);
    let stems = ALL.into_iter().flat_map(Slavic::rows).flat_map(|row| row.stems.split(' '));
    let ends: Vec<&'static str> = ends.collect();
    let stems: Vec<&'static str> = stems.map(|stem| stem.trim_start_matches('^')).collect();
    let made = ("[а-яёіїєґђјљњћџ]{0,3}", select(stems), select(ends))
        .prop_map(|(start, stem, end)| start + stem + end);
    let word = prop_oneof![
        4 => made,
        1 => "\\PC{0,12}",
        1 => "[a-z]{0,8}",
        1 => "[а-я]{30,34}",
    ];
    (select(&ALL[..]), word, any::<bool>())
}

proptest! {
    #[test]
    fn no_word_has_many_forms_or_itself((language, word, name) in words()) {
        let forms = declined(language, &word, name).unwrap_or_default();
        prop_assert!(forms.len() <= 60, "{}", forms.len());
        prop_assert!(word.len() <= LONGEST || forms.is_empty());
        prop_assert!(forms.is_sorted_by(|one, next| one.word < next.word));
        prop_assert!(forms.iter().all(|form| form.word != word && !form.word.is_empty()));
        prop_assert!(name || forms.iter().all(|form| !form.capital));
    }
}
