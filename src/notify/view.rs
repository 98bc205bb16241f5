//! What a person is shown of a letter, whatever it is shown on: plain words, nothing that could steer a terminal or a mail program.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::alert::{Content, Letter, Told};
use crate::story::{Evidence, Read, Severity, Sighting};

/// Sentences shown at the most.
const MOST_QUOTES: usize = 6;

/// A letter in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct View {
    /// The story's headline, or what stands in its place.
    pub(super) title: String,
    /// The highest severity of the rules that matched.
    pub(super) severity: Severity,
    /// Who carried it and when.
    pub(super) source: String,
    /// One line for each rule that matched.
    pub(super) rules: Vec<RuleLine>,
    /// The sentences that hold the matched words.
    pub(super) quotes: Vec<Vec<Part>>,
    /// That only the teaser was read, and why.
    pub(super) note: Option<String>,
    /// Where to read it.
    pub(super) link: Option<String>,
}

/// A rule that matched.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct RuleLine {
    pub(super) name: String,
    /// Its `why` and owner, in one line.
    pub(super) about: Option<String>,
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    pub(super) text: String,
    /// Whether it is what matched.
    pub(super) matched: bool,
}

/// Puts a letter into words; times are shown in `zone`.
pub(super) fn view(letter: &Letter, zone: &TimeZone) -> View {
    match &letter.content {
        Content::Alert { story, read, feeds, rules, .. } => View {
            title: if story.title.trim().is_empty() { "(no headline)".to_owned() } else { clean(&story.title) },
            severity: rules.iter().map(|told| told.severity).max().unwrap_or_default(),
            source: source(feeds, story.published, story.first_seen, zone),
            rules: rules.iter().map(rule_line).collect(),
            quotes: quotes(rules),
            note: match read {
                Read::Full => None,
                Read::Teaser(why) => Some(format!("teaser only: {}", clean(why))),
            },
            link: story.url.as_deref().filter(|url| leads_to_a_page(url)).map(clean),
        },
        Content::Test => View {
            title: "This is a test from Tidings".to_owned(),
            severity: Severity::Info,
            source: format!("sent {}", time(letter.created, zone)),
            rules: Vec::new(),
            quotes: vec![vec![Part {
                text: "If you can read this, alerts will reach you here.".to_owned(),
                matched: false,
            }]],
            note: None,
            link: None,
        },
    }
}

/// Whether a person may be led there: a feed could give `javascript:` or `data:`.
fn leads_to_a_page(url: &str) -> bool {
    ["https://", "http://", "file:"].iter().any(|scheme| url.starts_with(scheme))
}

fn source(feeds: &[Sighting], published: Option<Timestamp>, seen: Timestamp, zone: &TimeZone) -> String {
    let names: Vec<String> = feeds.iter().map(|sighting| clean(&sighting.feed.0)).collect();
    let when = match published {
        Some(at) => format!("published {}", time(at, zone)),
        None => format!("seen {}", time(seen, zone)),
    };
    format!("{} · {when}", names.join(", "))
}

fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%-d %b %Y, %H:%M %Z").to_string()
}

fn rule_line(told: &Told) -> RuleLine {
    let about = match (&told.why, &told.owner) {
        (Some(why), Some(owner)) => Some(format!("{} ({})", clean(why), clean(owner))),
        (Some(one), None) | (None, Some(one)) => Some(clean(one)),
        (None, None) => None,
    };
    RuleLine { name: clean(&told.rule), about }
}

/// Every sentence once, with all the words in it that any rule matched.
fn quotes(rules: &[Told]) -> Vec<Vec<Part>> {
    let mut sentences: Vec<(&str, Vec<Range<usize>>)> = Vec::new();
    for Evidence { sentence, marks, .. } in rules.iter().flat_map(|told| &told.evidence) {
        match sentences.iter_mut().find(|(known, _)| known == sentence) {
            Some((_, known)) => known.extend(marks.iter().cloned()),
            None => sentences.push((sentence, marks.clone())),
        }
    }
    sentences.into_iter().take(MOST_QUOTES).map(|(sentence, marks)| parts(sentence, marks)).collect()
}

fn parts(sentence: &str, mut marks: Vec<Range<usize>>) -> Vec<Part> {
    marks.sort_by_key(|mark| mark.start);
    marks.dedup_by(|mark, before| {
        let overlap = mark.start < before.end;
        before.end = if overlap { before.end.max(mark.end) } else { before.end };
        overlap
    });
    let mut parts = Vec::new();
    let mut done = 0;
    for mark in marks {
        push(&mut parts, sentence.get(done..mark.start), false);
        push(&mut parts, sentence.get(mark.clone()), true);
        done = mark.end;
    }
    push(&mut parts, sentence.get(done..), false);
    parts
}

fn push(parts: &mut Vec<Part>, text: Option<&str>, matched: bool) {
    if let Some(text) = text.map(clean).filter(|text| !text.is_empty()) {
        parts.push(Part { text, matched });
    }
}

/// One line of visible text: control characters and those that reorder text, which a feed could put there, become spaces or nothing.
pub(super) fn clean(text: &str) -> String {
    let visible = |c: char| match c {
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    };
    text.chars().filter_map(visible).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::alert::Head;
    use crate::story::{FeedName, Field};

    /// A letter with everything in it.
    pub(in crate::notify) fn letter() -> Letter {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let evidence = |term: &str, sentence: &str, word: &str| Evidence {
            term: term.to_owned(),
            label: None,
            field: Field::Body,
            sentence: sentence.to_owned(),
            marks: sentence.match_indices(word).map(|(start, word)| start..start + word.len()).collect(),
        };
        let sentence = "They believe that North Korea ships shells, and that Russia pays for them with oil.";
        let told = |rule: &str, why: Option<&str>, severity, evidence| Told {
            rule: rule.to_owned(),
            version: "5f".to_owned(),
            severity,
            why: why.map(ToOwned::to_owned),
            owner: why.map(|_| "ana".to_owned()),
            tags: Vec::new(),
            evidence,
        };
        let sighting = |feed: &str, seen| Sighting { feed: FeedName(feed.to_owned()), url: None, seen: at(seen) };
        Letter {
            id: "0198c7a0".to_owned(),
            created: at("2026-11-24T09:31:00Z"),
            content: Content::Alert {
                event: "7d1f".to_owned(),
                story: Head {
                    title: "Rail cars & shells at the “Tumen” bridge".to_owned(),
                    url: Some("https://wire.example/2031/tumen-bridge".to_owned()),
                    published: Some(at("2026-11-24T09:15:00Z")),
                    first_seen: at("2026-11-24T09:30:00Z"),
                    lang: None,
                },
                read: Read::Teaser("its page could not be read: the server answered 404 Not Found".to_owned()),
                feeds: vec![
                    sighting("The Example Wire", "2026-11-24T09:30:00Z"),
                    sighting("Another", "2026-11-24T09:31:00Z"),
                ],
                rules: vec![
                    told(
                        "Arms, North Korea",
                        Some("resolution 1718"),
                        Severity::High,
                        vec![evidence("North Korea", sentence, "North Korea"), evidence("Russia", sentence, "Russia")],
                    ),
                    told("Shells", None, Severity::Low, vec![evidence("shells", sentence, "shells")]),
                ],
            },
        }
    }

    #[test]
    fn words_that_several_rules_found_in_one_sentence_are_marked_in_one_quote() {
        let view = view(&letter(), &TimeZone::UTC);
        assert_eq!(view.quotes.len(), 1);
        let matched: Vec<_> =
            view.quotes[0].iter().filter(|part| part.matched).map(|part| part.text.as_str()).collect();
        assert_eq!(matched, ["North Korea", "shells", "Russia"]);
        let whole: String = view.quotes[0].iter().map(|part| part.text.as_str()).collect();
        assert_eq!(whole, "They believe that North Korea ships shells, and that Russia pays for them with oil.");
    }

    #[test]
    fn overlapping_marks_are_shown_once() {
        let parts = parts("North Korea", vec![6..11, 0..5, 0..11, 3..8]);
        assert_eq!(parts, [Part { text: "North Korea".to_owned(), matched: true }]);
    }

    #[test]
    fn nothing_that_steers_a_terminal_or_turns_text_round_is_left() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\r\nBcc: x\u{202e}txt\u{9b}2J"), "a [31mred   Bcc: xtxt 2J");
    }
}
