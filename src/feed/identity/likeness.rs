//! The likeness of two texts of a feed. It separates edits of an item from other news under its
//! guid or link.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::form::Form;
use crate::feed::document::Item;
use tidings_rules::text::tokenise;

/// The most bytes of a text that are compared. The store need not return more.
pub const MOST_COMPARED: u16 = 8 << 10;

/// Headlines with at least this share of common words are edits of one another.
const SAME_HEADLINE: f64 = 0.6;

/// Headlines with at most this share of common words are of two stories.
const OTHER_HEADLINE: f64 = 0.5;

/// Texts with less than this share of common pairs of words differ.
const OTHER_TEXT: f64 = 0.5;

/// Texts with less than this share of common pairs of words have nothing in common.
const FOREIGN_TEXT: f64 = 0.25;

/// Dates that differ by at least this time belong to the news of two days.
const ANOTHER_DAY: Duration = Duration::from_hours(12);

/// The content of an item when it was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its headline; empty if it had none or it is deleted.
    pub title: String,
    /// Its text; empty if it had none or it is deleted. Only the first [`MOST_COMPARED`] bytes are
    /// compared.
    pub text: String,
    /// Its date of publication.
    pub published: Option<Timestamp>,
}

/// Whether an item that is known by its guid or link is other news than `before`: another headline,
/// another text, a newer date.
///
/// If the headline is the same, the text must have nothing in common with the old text, and the
/// date must be of another day. If neither has a date, the headline must be another. A form with
/// other names is another text, even if the rest stays. If the old texts are deleted, the date
/// alone decides.
pub(super) fn is_other_news(before: &Before, item: &Item) -> bool {
    let newer_by = match (before.published, item.published) {
        (Some(old), Some(new)) if new > old => Some(time_between(old, new)),
        (None, None) => None,
        _ => return false,
    };
    let is_another_day = newer_by.is_some_and(|time| time >= ANOTHER_DAY);
    if before.title.is_empty() && before.text.is_empty() {
        return is_another_day;
    }
    let headline = Headlines::compare(&before.title, &item.title);
    if before.text.is_empty() || item.text.is_empty() {
        return newer_by.is_some()
            && (headline.is_other() || is_renamed(&before.title, &item.title));
    }
    let common = common_pairs(&before.text, &item.text);
    let is_other_text = match newer_by {
        Some(_) if headline.differ() => common < OTHER_TEXT,
        Some(_) => is_another_day && common < FOREIGN_TEXT,
        None => headline.is_other() && common < FOREIGN_TEXT,
    };
    is_other_text || is_other_form(before, item, is_another_day)
}

/// Whether headline and text are the form of `before` with other entries.
fn is_other_form(before: &Before, item: &Item, is_another_day: bool) -> bool {
    let titles = (Form::parse(&before.title), Form::parse(&item.title));
    let texts = (Form::parse(&before.text), Form::parse(&item.text));
    texts.0.is_refilled_by(&texts.1)
        || titles.0.has_entry_replaced(&titles.1, (&texts.0, &texts.1))
        || (is_another_day && titles.0.is_renamed_by(&titles.1))
}

/// Whether two headlines are of two stories: they share few words, or have different names.
pub(super) fn are_two_headlines(one: &str, other: &str) -> bool {
    let (one, other) = (Form::parse(one), Form::parse(other));
    one.is_other_headline(&other) || one.is_renamed_by(&other)
}

fn is_renamed(one: &str, other: &str) -> bool {
    Form::parse(one).is_renamed_by(&Form::parse(other))
}

/// Whether two dates may be of one item. A missing date may be any.
pub(super) fn is_same_day(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.zip(other).is_none_or(|(one, other)| time_between(one, other) < ANOTHER_DAY)
}

/// Whether one headline has all words of the other.
pub(super) fn is_contained(one: &str, other: &str) -> bool {
    Headlines::compare(one, other).is_contained
}

/// Whether one headline is a slight edit of the other.
pub(super) fn is_edit_of(one: &str, other: &str) -> bool {
    let headline = Headlines::compare(one, other);
    headline.is_contained || headline.common >= SAME_HEADLINE
}

fn time_between(one: Timestamp, other: Timestamp) -> Duration {
    one.duration_since(other).unsigned_abs()
}

/// The comparison of two headlines.
struct Headlines {
    /// The share of common words among the words of both.
    common: f64,
    /// Whether one has all words of the other.
    is_contained: bool,
}

impl Headlines {
    fn compare(one: &str, other: &str) -> Self {
        let [one, other] =
            [one, other].map(|headline| words(headline).into_iter().collect::<HashSet<_>>());
        let common = one.intersection(&other).count();
        let all = one.len() + other.len() - common;
        let fewer = one.len().min(other.len());
        Self { common: ratio(common, all), is_contained: fewer > 0 && common == fewer }
    }

    fn differ(&self) -> bool {
        self.common < 1.0
    }

    fn is_other(&self) -> bool {
        !self.is_contained && self.common <= OTHER_HEADLINE
    }
}

/// The share of pairs of words that two texts have in common, among those of the text with fewer; 1
/// if one contains the other.
fn common_pairs(one: &str, other: &str) -> f64 {
    let pairs = |text: &str| -> HashSet<(String, String)> {
        let words = words(text);
        let seconds = words.iter().skip(1).cloned().chain([String::new()]);
        words.iter().cloned().zip(seconds).collect()
    };
    let (one, other) = (pairs(one), pairs(other));
    ratio(one.intersection(&other).count(), one.len().min(other.len()))
}

fn words(text: &str) -> Vec<String> {
    let compared = &text[..text.floor_char_boundary(MOST_COMPARED.into())];
    tokenise(compared).into_iter().map(|token| token.word).collect()
}

/// `part` divided by `all`; 1 if `all` is zero.
fn ratio(part: usize, all: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if all == 0 { 1.0 } else { number(part) / number(all) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CALM: &str = "Calm at the harbour; the ferry runs as planned.";
    const MISSILE: &str = "A missile was fired over the strait in the morning.";
    const SECOND: &str = "A second missile fell near the island; two ships are missing.";

    const BUSAN: &str = "Storm warning for Busan: wind of 70 km/h from 18:00, waves of 4 m.";
    const INCHEON: &str = "Storm warning for Incheon: wind of 90 km/h from 06:00, waves of 7 m.";

    fn at(hours: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_800_000_000 + hours * 3600).ok()
    }

    #[rstest]
    #[case::a_report_of_another_day(("Report of Monday", CALM, at(0)), ("Report of Tuesday", MISSILE, at(24)), true)]
    #[case::the_next_one(("Report of Tuesday", MISSILE, at(24)), ("Report of Wednesday", SECOND, at(48)), true)]
    #[case::a_year_later(("The ten best tools of 2025", "An old list.", at(0)), ("The ten best tools of 2026", MISSILE, at(9000)), true)]
    #[case::the_same_headline_the_next_day(("Situation report", CALM, at(0)), ("Situation report", MISSILE, at(24)), true)]
    #[case::the_same_headline_an_hour_later(("Situation report", CALM, at(0)), ("Situation report", MISSILE, at(1)), false)]
    #[case::an_older_date(("Report of Monday", CALM, at(24)), ("Report of Tuesday", MISSILE, at(0)), false)]
    #[case::the_same_date(("Report of Monday", CALM, at(24)), ("Report of Tuesday", MISSILE, at(24)), false)]
    #[case::no_date_any_more(("Report of Monday", CALM, at(24)), ("Report of Tuesday", MISSILE, None), false)]
    #[case::a_longer_text(("Calm", CALM, at(0)), ("Calm at the harbour", "Calm at the harbour; the ferry runs as planned. A spokeswoman said nobody was hurt.", at(24)), false)]
    #[case::a_live_report((CALM, CALM, at(0)), (MISSILE, "A missile was fired over the strait in the morning. Calm at the harbour; the ferry runs as planned.", at(1)), false)]
    #[case::a_counter(("Calm", "Calm at the harbour; 7 comments", at(0)), ("Calm", "Calm at the harbour; 8 comments", at(24)), false)]
    #[case::an_edited_headline(("Korea talks open", CALM, at(0)), ("Korea talks open amid row", CALM, at(24)), false)]
    #[case::no_dates(("Ferry runs as planned", CALM, None), ("Missile over the strait", MISSILE, None), true)]
    #[case::no_dates_and_much_the_same_headline(("Report of Monday at noon", CALM, None), ("Report of Monday at nine", MISSILE, None), false)]
    #[case::headlines_alone(("Report of Monday", "", at(0)), ("Report of Tuesday", "", at(24)), true)]
    #[case::headlines_alone_edited(("Minister resigns", "", at(0)), ("Minister resigns after a scandal", "", at(1)), false)]
    #[case::headlines_alone_undated(("Minister resigns", "", None), ("Missile over the strait", "", None), false)]
    #[case::no_longer_kept(("", "", at(0)), ("Report of Tuesday", MISSILE, at(2000)), true)]
    #[case::no_longer_kept_and_undated(("", "", None), ("Report of Tuesday", MISSILE, None), false)]
    #[case::a_form_filled_anew(("Weather warning", BUSAN, at(0)), ("Weather warning", INCHEON, at(24)), true)]
    #[case::a_form_filled_anew_within_the_hour(("Weather warning", BUSAN, at(0)), ("Weather warning", INCHEON, at(1)), true)]
    #[case::a_form_filled_anew_undated(("Weather warning", BUSAN, None), ("Weather warning", INCHEON, None), true)]
    #[case::a_form_with_the_same_date(("Weather warning", BUSAN, at(0)), ("Weather warning", INCHEON, at(0)), false)]
    #[case::a_level(("Korea threat level: LOW", "The threat level in Korea is now low.", at(0)), ("Korea threat level: SEVERE", "The threat level in Korea is now severe.", at(1)), true)]
    #[case::a_level_undated(("Korea threat level: LOW", "The threat level in Korea is now low.", None), ("Korea threat level: SEVERE", "The threat level in Korea is now severe.", None), true)]
    #[case::a_last_update(("Fire in Busan", "Twelve are dead in Busan. Last updated 14:05 on 3 June.", at(0)), ("Fire in Busan", "Fifteen are dead in Busan. Last updated 15:11 on 4 July.", at(24)), false)]
    #[case::a_death_toll(("Fire in Busan kills 12", "The fire in Busan killed 12, police said.", at(0)), ("Fire in Busan kills 15", "The fire in Busan killed 15, police said.", at(1)), false)]
    #[case::headlines_of_one_form(("Storm warning for Busan", "", at(0)), ("Storm warning for Incheon", "", at(1)), true)]
    #[case::headlines_of_one_form_and_one_text(("Storm warning for Busan", CALM, at(0)), ("Storm warning for Incheon", CALM, at(24)), true)]
    #[case::a_headline_with_a_typo(("Storm warning for Bussan", CALM, at(0)), ("Storm warning for Busan", CALM, at(24)), false)]
    #[case::without_spaces(("朝鲜发射导弹", "朝鲜今天早上向东海发射了一枚导弹。", at(0)), ("港口恢复平静", "港口今天恢复平静，渡轮照常运行。", at(24)), true)]
    fn other_news_has_another_headline_another_text_and_a_newer_date(
        #[case] before: (&str, &str, Option<Timestamp>),
        #[case] now: (&str, &str, Option<Timestamp>),
        #[case] expected: bool,
    ) {
        let (title, text, published) = before;
        let before = Before { title: title.to_owned(), text: text.to_owned(), published };
        let (title, text, published) = now;
        let guid = Some("live".to_owned());
        let (title, text) = (title.to_owned(), text.to_owned());
        let item = Item { guid, title, text, published, ..Item::default() };
        assert_eq!(is_other_news(&before, &item), expected);
    }

    #[rstest]
    #[case("Harbour shut for the winter", "Trains collide near capital", true)]
    #[case("Storm warning for Busan", "Storm warning for Incheon", true)]
    #[case("Harbour shut for the winter", "Harbour shut for the winter months", false)]
    #[case("Fire: 12 dead", "Fire: 15 dead", false)]
    #[case("Harbuor shut", "Harbour shut", false)]
    fn headlines_are_two_where_few_words_stay_or_names_are_others(
        #[case] before: &str,
        #[case] now: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(are_two_headlines(before, now), expected);
    }
}
