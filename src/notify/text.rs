//! Renders a notification as plain text, for the console and for the text part of mails.

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use textwrap::Options;

use crate::alerts::Notification;
use crate::notify::quote::QuotePiece;
use crate::notify::view::build_view;
use crate::notify::view::message_view::{Fact, MessageView, Section, StoryItem};
use tidings_rules::story::Severity;

/// The width of a line, in columns. A longer word is broken, a longer link is not.
const WIDTH: usize = 80;

const HEADLINE_STYLE: Style = Style::new().bold();
const MATCH_STYLE: Style =
    Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const DIMMED_STYLE: Style = Style::new().dimmed();

/// Renders the notification with times in `zone`. The text ends in a line break. With `colour`,
/// ANSI sequences (ECMA-48) colour the matched words; without, asterisks enclose them. Control
/// characters of the story are removed.
pub(super) fn render_text(notification: &Notification, zone: &TimeZone, colour: bool) -> String {
    render_view(&build_view(notification, zone), colour)
}

/// The same without the severity of an alert.
pub(super) fn render_without_severity(
    notification: &Notification,
    zone: &TimeZone,
    colour: bool,
) -> String {
    let view = MessageView { severity: None, ..build_view(notification, zone) };
    render_view(&view, colour)
}

fn render_view(view: &MessageView, colour: bool) -> String {
    let styler = TextStyler { colour };
    let mut blocks =
        vec![wrap_lines(&styler.format_headline(view.severity, &view.title), "", "  ")];
    let quotes = view
        .quotes
        .iter()
        .map(|quote| wrap_lines(&styler.format_pieces(quote, Style::new()), "  > ", "  > "));
    let note = view.note.iter().map(|note| wrap_lines(note, "  ", "  "));
    blocks.extend(quotes.chain(note));
    blocks.extend(view.sections.iter().map(|section| styler.format_section(section)));
    let width = view.facts.iter().map(|fact| fact.name.len()).max().unwrap_or_default();
    let facts = view.facts.iter().flat_map(|fact| styler.format_fact(fact, width));
    let address = view.link.iter().map(|link| {
        format!("  {}  {link}", styler.apply_style(&format!("{:width$}", "link"), DIMMED_STYLE))
    });
    let copies = view.copies.iter().zip(std::iter::once("copies").chain(std::iter::repeat("")));
    let copies = copies.flat_map(|(copy, name)| styler.format_copy(copy, name, width));
    let below = facts.chain(address).chain(copies).collect::<Vec<_>>().join("\n");
    blocks.extend(Some(below).filter(|below| !below.is_empty()));
    blocks.join("\n\n") + "\n"
}

/// Formats parts of a message, with ANSI styles if `colour` is set.
struct TextStyler {
    colour: bool,
}

impl TextStyler {
    fn apply_style(&self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn format_headline(&self, severity: Option<Severity>, title: &[QuotePiece]) -> String {
        let title = self.format_pieces(title, HEADLINE_STYLE);
        match severity {
            Some(severity) => {
                format!(
                    "{}  {title}",
                    self.apply_style(&severity.as_str().to_uppercase(), severity_style(severity))
                )
            }
            None => title,
        }
    }

    fn format_pieces(&self, pieces: &[QuotePiece], style: Style) -> String {
        pieces.iter().map(|piece| self.format_piece(piece, style)).collect()
    }

    fn format_piece(&self, piece: &QuotePiece, style: Style) -> String {
        let QuotePiece { text, marked, label } = piece;
        let marked = match (marked, self.colour) {
            (true, true) => self.apply_style(text, MATCH_STYLE),
            (true, false) => format!("*{text}*"),
            (false, _) => self.apply_style(text, style),
        };
        match label {
            Some(label) => format!("{marked} [{label}]"),
            None => marked,
        }
    }

    fn format_section(&self, section: &Section) -> String {
        let severity = self.apply_style(
            &section.severity.as_str().to_uppercase(),
            severity_style(section.severity),
        );
        let heading = wrap_lines(
            &format!("{severity}  {}", self.apply_style(&section.heading, HEADLINE_STYLE)),
            "",
            "  ",
        );
        let items = section.stories.iter().map(|item| self.format_item(item));
        std::iter::once(heading).chain(items).collect::<Vec<_>>().join("\n\n")
    }

    fn format_item(&self, item: &StoryItem) -> String {
        let mut lines =
            vec![wrap_lines(&self.format_pieces(&item.title, HEADLINE_STYLE), "  ", "    ")];
        lines.extend(
            item.quote.iter().map(|quote| {
                wrap_lines(&self.format_pieces(quote, Style::new()), "    > ", "    > ")
            }),
        );
        lines.extend(
            item.place
                .iter()
                .map(|place| wrap_lines(&self.apply_style(place, DIMMED_STYLE), "    ", "    ")),
        );
        lines.extend(item.link.iter().map(|link| format!("    {link}")));
        lines.join("\n")
    }

    fn format_copy(&self, copy: &StoryItem, name: &str, width: usize) -> Vec<String> {
        let indent = " ".repeat(width + "    ".len());
        let named = format!("  {}  ", self.apply_style(&format!("{name:width$}"), DIMMED_STYLE));
        let place = copy
            .place
            .iter()
            .map(|place| wrap_lines(&self.apply_style(place, DIMMED_STYLE), &indent, &indent));
        let link = copy.link.iter().map(|link| format!("{indent}{link}"));
        let title = wrap_lines(&self.format_pieces(&copy.title, Style::new()), &named, &indent);
        std::iter::once(title).chain(place).chain(link).collect()
    }

    fn format_fact(&self, fact: &Fact, width: usize) -> Vec<String> {
        let indent = " ".repeat(width + "    ".len());
        let mut named =
            format!("  {}  ", self.apply_style(&format!("{:width$}", fact.name), DIMMED_STYLE));
        let mut lines = Vec::new();
        for line in &fact.lines {
            lines.push(wrap_lines(line, &named, &indent));
            named.clone_from(&indent);
        }
        lines
    }
}

fn wrap_lines(text: &str, first: &str, next: &str) -> String {
    textwrap::fill(text, Options::new(WIDTH).initial_indent(first).subsequent_indent(next))
}

fn severity_style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Info => return DIMMED_STYLE,
        Severity::Low => AnsiColor::Cyan,
        Severity::Medium => AnsiColor::Blue,
        Severity::High => AnsiColor::Red,
        Severity::Critical => {
            return Style::new().bold().invert().fg_color(Some(AnsiColor::Red.into()));
        }
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::alerts::Content;
    use crate::alerts::digest::DigestReason;
    use crate::alerts::notice::{NoticeKind, RuleNoticeKind};
    use crate::notify::{fixture, printable};
    use crate::polling::health;
    use tidings_rules::story::WatchlistRow;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn an_alert_as_a_person_reads_it() {
        assert_snapshot!(render_text(&fixture::alert(), &berlin(), false));
    }

    #[test]
    fn an_alert_in_colour() {
        assert_snapshot!(render_text(&fixture::alert(), &berlin(), true).replace('\u{1b}', "␛"));
    }

    #[test]
    fn a_single_rule_that_says_little() {
        assert_snapshot!(render_text(&fixture::minimal_alert(), &TimeZone::UTC, false));
    }

    #[test]
    fn a_story_of_which_a_part_was_read() {
        assert_snapshot!(render_text(&fixture::partial_alert(), &TimeZone::UTC, false));
    }

    #[test]
    fn many_sentences_are_cut_short_and_said_to_be() {
        let text = render_text(&fixture::alert_with_sentences(12), &TimeZone::UTC, false);
        assert_eq!(text.matches("  > ").count(), 8);
        assert!(text.contains("  and 4 more sentences\n"), "{text}");
    }

    #[test]
    fn twenty_copies_are_listed_and_the_rest_is_counted() {
        let text = render_text(&fixture::alert_with_copies(23), &TimeZone::UTC, false);
        assert_eq!(text.matches(", Thu 12 Mar 2026").count(), 20, "{text}");
        assert!(text.ends_with("\n           and 3 more\n"), "{text}");
    }

    #[test]
    fn a_test() {
        assert_snapshot!(render_text(&fixture::test_message(), &berlin(), false));
    }

    #[test]
    fn a_digest_as_a_person_reads_it() {
        assert_snapshot!(render_text(&fixture::digest(DigestReason::Late), &berlin(), false));
    }

    #[test]
    fn a_fired_digest_and_an_alert_with_conditions_as_a_person_reads_them() {
        let fired = render_text(&fixture::fired_digest(), &berlin(), false);
        let alert = render_text(&fixture::conditional_alert(), &berlin(), false);
        assert_snapshot!(format!("{fired}\n{alert}"));
    }

    #[test]
    fn a_digest_of_another_reason_says_how_conditions_were_met() {
        let mut notification = fixture::fired_digest();
        if let Content::Digest(digest) = &mut notification.content {
            digest.reason = DigestReason::Quiet;
        }
        let text = render_text(&notification, &TimeZone::UTC, false);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let heading = "Refinery blast (3), 3 publishers within 6h (3 publishers: afp.com";
        assert!(words.contains(heading), "{text}");
    }

    #[test]
    fn every_digest_says_why_it_gathered() {
        let rule = || "Russia-North Korea arms".to_owned();
        let silence = |why: &str| DigestReason::Silence { id: 7, why: why.to_owned() };
        let reasons = [
            DigestReason::Burst { rule: rule(), row: None },
            DigestReason::Digest { rule: rule() },
            DigestReason::Quiet,
            DigestReason::Limit,
            silence(""),
            silence("the parade"),
        ];
        let heads = reasons.map(|reason| {
            let text = render_text(&fixture::digest(reason), &berlin(), false);
            text.lines().take(3).collect::<Vec<_>>().join("\n")
        });
        assert_snapshot!(heads.join("\n"));
    }

    #[test]
    fn a_row_stands_behind_the_rule_that_it_is_of() {
        let row = WatchlistRow { id: "36".to_owned(), label: "Ivan\u{1b}[2J Petrov".to_owned() };
        let mut notification = fixture::minimal_alert();
        if let Content::Alert { rules, .. } = &mut notification.content {
            rules[0].row = Some(row.clone());
        }
        let alert = render_text(&notification, &TimeZone::UTC, false);
        assert!(alert.contains(": Ivan Petrov (36)\n") && !alert.contains('\u{1b}'), "{alert}");
        let burst = DigestReason::Burst {
            rule: "listed".to_owned(),
            row: Some(WatchlistRow { id: "Ivan".to_owned(), label: "Ivan".to_owned() }),
        };
        let burst = render_text(&fixture::digest(burst), &TimeZone::UTC, false);
        assert!(burst.contains("2 more stories for listed: Ivan\n"), "{burst}");
        let mut notification = fixture::digest(DigestReason::Late);
        if let Content::Digest(digest) = &mut notification.content {
            digest.rules[1].row = Some(row);
        }
        let digest = render_text(&notification, &TimeZone::UTC, false);
        assert!(digest.contains("bridges: Ivan Petrov (36) (1)"), "{digest}");
    }

    #[test]
    fn notices() {
        let notices = [NoticeKind::Down, NoticeKind::Back, NoticeKind::Refused]
            .map(|kind| render_text(&fixture::notice(kind), &berlin(), false));
        assert_snapshot!(notices.join("\n"));
    }

    #[test]
    fn notices_of_feeds() {
        use health::FeedNoticeKind;

        let kinds = [
            FeedNoticeKind::Gone,
            FeedNoticeKind::Failing,
            FeedNoticeKind::Silent,
            FeedNoticeKind::Well,
            FeedNoticeKind::Away,
            FeedNoticeKind::Back,
        ];
        let notices = kinds.map(|kind| render_text(&fixture::feed_notice(kind), &berlin(), false));
        assert_snapshot!(notices.join("\n"));
    }

    #[test]
    fn notices_of_rules() {
        let kinds = [RuleNoticeKind::Absent, RuleNoticeKind::Blind];
        let notices = kinds.map(|kind| render_text(&fixture::rule_notice(kind), &berlin(), false));
        assert_snapshot!(notices.join("\n"));
    }

    #[test]
    fn without_colour_and_with_it_the_words_are_the_same() {
        for notification in [
            fixture::alert(),
            fixture::minimal_alert(),
            fixture::test_message(),
            fixture::digest(DigestReason::Late),
        ] {
            let coloured = render_text(&notification, &berlin(), true);
            let bare = anstream::adapter::strip_str(&coloured).to_string();
            let words = |text: &str| {
                text.replace(['*', '>'], "")
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&bare), words(&render_text(&notification, &berlin(), false)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_title_nothing_steers_the_terminal_and_no_line_is_too_long(title in "(\u{1b}\\[2J|[ -~]|北|\u{9b}|\r|\n|\u{202e}){0,300}") {
            let text = render_text(&fixture::alert_with_title(&title), &TimeZone::UTC, false);
            for line in text.lines() {
                prop_assert!(!line.contains(printable::is_unprintable), "{line:?}");
                prop_assert!(textwrap::core::display_width(line) <= WIDTH || line.starts_with("  link"), "{line}");
            }
        }
    }
}
