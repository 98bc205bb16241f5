//! Builds the view of a digest: its stories by rule, each with one sentence of evidence.

use jiff::tz::TimeZone;

use crate::alerts;
use crate::alerts::digest::{Digest, DigestEntry, DigestGroup, DigestReason};
use crate::notify::quote::{self, QuotePiece};
use crate::notify::view::message_view::{Fact, MessageView, format_time, unmarked_pieces};
use crate::notify::view::message_view::{Section, StoryItem, described_rule};
use tidings_rules::text::visible_line;

/// The number of stories of a rule that are shown with a sentence. The others have headline and
/// link only.
const MAX_QUOTED_STORIES: usize = 30;

/// The largest number of rules that are shown with their reason and their owner.
const MAX_RULES: usize = 5;

/// Builds the view of `digest`, with times in `zone`.
pub(super) fn digest_view(digest: &Digest, zone: &TimeZone) -> MessageView {
    let (title, note) = title_and_note(digest);
    let title = match &digest.part {
        Some(part) => format!("{title}, {part}"),
        None => title,
    };
    let sections = digest.rules.iter().map(|group| rule_section(group, &digest.reason, zone));
    MessageView {
        severity: digest.rules.iter().map(|group| group.severity).max(),
        title: unmarked_pieces(&visible_line(&title)),
        quotes: Vec::new(),
        note: Some(visible_line(&note)),
        copies: Vec::new(),
        sections: sections.collect(),
        facts: rule_fact(digest).into_iter().chain(fired_facts(&digest.reason, zone)).collect(),
        link: None,
    }
}

/// What a digest has, and why it gathers.
fn title_and_note(digest: &Digest) -> (String, String) {
    let number = digest.stories();
    let stories = if number == 1 { "1 story".to_owned() } else { format!("{number} stories") };
    match &digest.reason {
        DigestReason::Burst { rule, row } => (
            format!(
                "{} for {}",
                if number == 1 {
                    "1 more story".to_owned()
                } else {
                    format!("{number} more stories")
                },
                alerts::title(rule, row.as_ref())
            ),
            "This rule matched often. Its first alerts were sent one by one; these were gathered."
                .to_owned(),
        ),
        DigestReason::Digest { rule } => {
            (format!("{stories} for {rule}"), "This rule sends its stories in digests.".to_owned())
        }
        DigestReason::Quiet => (
            format!("{stories} from the quiet hours"),
            "They came during the quiet hours of this notifier.".to_owned(),
        ),
        DigestReason::Limit => (
            format!("{stories} beyond the limit"),
            "The `limit` of this notifier was reached, so these were gathered.".to_owned(),
        ),
        DigestReason::Silence { id, why } if why.is_empty() => (
            format!("{stories} muted"),
            format!("They were muted by silence {id}, which has ended."),
        ),
        DigestReason::Silence { id, why } => (
            format!("{stories} muted"),
            format!("They were muted by silence {id}, which has ended. Its reason: {why}"),
        ),
        DigestReason::Fired { rule, row, progress, .. } => (
            format!("{} – {progress}", alerts::title(rule, row.as_ref())),
            "The condition of this rule is met. Its stories were held until then.".to_owned(),
        ),
        DigestReason::Late => (
            format!("Late: {stories} that waited for you"),
            "This receiver could not be reached. Critical alerts are sent on their own.".to_owned(),
        ),
    }
}

/// The rules that say why they exist or who is responsible, as an alert names them.
fn rule_fact(digest: &Digest) -> Option<Fact> {
    let described = digest.rules.iter().filter(|one| one.why.is_some() || one.owner.is_some());
    let line = |group: &DigestGroup| {
        let title = alerts::title(&group.rule, group.row.as_ref());
        described_rule(title, group.why.as_deref(), group.owner.as_deref())
    };
    let mut lines: Vec<String> = described.map(line).collect();
    let more = lines.len().saturating_sub(MAX_RULES);
    lines.truncate(MAX_RULES);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    let name = if lines.len() == 1 { "rule" } else { "rules" };
    (!lines.is_empty()).then_some(Fact { name, lines })
}

/// Which condition was met when, if that is why a digest gathers.
fn fired_facts(reason: &DigestReason, zone: &TimeZone) -> Vec<Fact> {
    let DigestReason::Fired { condition, at, .. } = reason else { return Vec::new() };
    vec![
        Fact::with_line("condition", visible_line(condition)),
        Fact::with_line("met", format_time(*at, zone)),
    ]
}

fn rule_section(group: &DigestGroup, reason: &DigestReason, zone: &TimeZone) -> Section {
    let title = alerts::title(&group.rule, group.row.as_ref());
    // The headline of a digest that a condition set free says how it was met.
    let condition =
        group.condition.as_ref().filter(|_| !matches!(reason, DigestReason::Fired { .. }));
    let condition = condition.map_or_else(String::new, |state| format!(", {state}"));
    let heading = visible_line(&format!("{title} ({}){condition}", group.stories.len()));
    let items = group
        .stories
        .iter()
        .enumerate()
        .map(|(n, entry)| story_item(entry, n < MAX_QUOTED_STORIES, zone));
    Section { heading, severity: group.severity, stories: items.collect() }
}

fn story_item(entry: &DigestEntry, is_quoted: bool, zone: &TimeZone) -> StoryItem {
    let quotes = quote::quotes_from_evidence(&entry.story.title, &entry.evidence);
    let is_proven = quotes.title.iter().any(|piece| piece.marked) && quotes.sentences.is_empty();
    let has_title = !entry.story.title.trim().is_empty();
    let title = if has_title {
        quotes.title
    } else {
        unmarked_pieces(&visible_line(entry.story.headline()))
    };
    let marked = |quote: &Vec<QuotePiece>| quote.iter().filter(|piece| piece.marked).count();
    let best = quotes.sentences.into_iter().rev().max_by_key(marked);
    let when = format_time(entry.story.published.unwrap_or(entry.story.first_seen), zone);
    StoryItem {
        title,
        quote: best.filter(|_| is_quoted && !is_proven),
        place: Some(visible_line(&format!("{}, {when}", origin(entry)))),
        link: entry.story.url.as_deref().map(visible_line),
    }
}

/// Where a story is from: its publisher, if the rule's condition counts it, and its feed.
fn origin(entry: &DigestEntry) -> String {
    let publisher = entry.publisher.as_ref().filter(|name| **name != entry.feed.0);
    publisher.map_or_else(
        || entry.feed.to_string(),
        |publisher| format!("{publisher} via {}", entry.feed),
    )
}
