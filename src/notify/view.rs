//! Builds the view of a notification: the texts that the console, mails and chat services show.

mod digest;
pub(super) mod message_view;

use jiff::tz::TimeZone;

use crate::alerts::condition_state::ConditionState;
use crate::alerts::desk_links::DeskLinks;
use crate::alerts::notice::{
    About, Notice, NoticeKind, RuleNotice, RuleNoticeKind, ServiceReport, StoreKind, StoreNotice,
};
use crate::alerts::{Content, Notification, RuleMatch, StorySummary};
use crate::notify::quote;
use crate::polling::health;
use crate::polling::health::FeedNotice;
use tidings_rules::story::{FeedEntry, Read};
use tidings_rules::text::visible_line;

use message_view::{Fact, MessageView, StoryItem, described_rule, format_time, unmarked_pieces};

/// The largest number of sentences that are quoted.
const MAX_QUOTES: usize = 8;

/// The largest number of copies that are listed.
const MAX_COPIES: usize = 20;

/// Builds the view of `notification`, with times in `zone`.
pub(super) fn build_view(notification: &Notification, zone: &TimeZone) -> MessageView {
    match &notification.content {
        Content::Alert { story, read, update, feeds, rules, .. } => {
            let mut view = alert_view(story, read, feeds, rules, zone);
            view.facts.splice(
                0..0,
                update
                    .as_ref()
                    .map(|update| Fact::with_line("update", visible_line(&update.to_string()))),
            );
            view.facts.extend(notification.desk.iter().flat_map(desk_facts));
            view
        }
        Content::Digest(digest) => digest::digest_view(digest, zone),
        Content::Notice(About::Receiver(notice)) => receiver_notice_view(notice, zone),
        Content::Notice(About::Feed(notice)) => feed_notice_view(notice, zone),
        Content::Notice(About::Store(notice)) => store_notice_view(notice, zone),
        Content::Notice(About::Report(report)) => report_view(report, zone),
        Content::Notice(About::Rule(notice)) => rule_notice_view(notice, zone),
        Content::Test => note_view(
            "This is a test from Tidings",
            "If you can read this, alerts will reach you here.",
            vec![Fact::with_line("sent", format_time(notification.sent, zone))],
        ),
    }
}

fn desk_facts(links: &DeskLinks) -> [Fact; 3] {
    let DeskLinks { open, mute, not_relevant } = links;
    [("open", open), ("mute 8 h", mute), ("not relevant", not_relevant)]
        .map(|(name, page)| Fact::with_line(name, visible_line(page)))
}

fn receiver_notice_view(notice: &Notice, zone: &TimeZone) -> MessageView {
    let subject = visible_line(&notice.subject().to_string());
    let (title, note) = match notice.kind {
        NoticeKind::Down => (
            format!("{subject} takes no messages"),
            "Its messages are kept and will be sent when it is back. A notice will say when.",
        ),
        NoticeKind::Back => (
            format!("{subject} takes messages again"),
            "The messages that waited for it are sent now.",
        ),
        NoticeKind::Refused => (
            format!("{subject} refused a message"),
            "Refused messages are kept. `tidings deliveries` lists messages that are retried or dead-lettered. `tidings deliveries retry` sends dead-lettered messages again.",
        ),
    };
    let (since, why) = match notice.kind {
        NoticeKind::Back => ("away since", "last failure"),
        NoticeKind::Down | NoticeKind::Refused => ("since", "why"),
    };
    note_view(
        &title,
        note,
        vec![
            Fact::with_line(since, format_time(notice.since, zone)),
            Fact::with_line(why, visible_line(&notice.why)),
        ],
    )
}

fn feed_notice_view(notice: &FeedNotice, zone: &TimeZone) -> MessageView {
    use health::FeedNoticeKind;

    let feed = visible_line(&notice.feed.0);
    let (title, note) = match notice.kind {
        FeedNoticeKind::Gone => (
            format!("The feed {feed} is gone for good"),
            "Its server says so. The feed is no longer polled. Write its new address in the configuration, or remove it.",
        ),
        FeedNoticeKind::Failing => (
            format!("The feed {feed} cannot be read"),
            "It is retried automatically, at least once a day. A notice will say when it can be read again.",
        ),
        FeedNoticeKind::Silent => (
            format!("The feed {feed} has had nothing new"),
            "The feed can be read, but it may have moved or been abandoned. Check its site. A notice will say when it has something new.",
        ),
        FeedNoticeKind::Well => (
            format!("The feed {feed} can be read again"),
            "Its new items were matched. `tidings feeds gaps` shows what may have been missed.",
        ),
        FeedNoticeKind::Away => (
            "No feed can be read".to_owned(),
            "Every feed fails, so the cause is probably the network or its proxy. All feeds are retried automatically.",
        ),
        FeedNoticeKind::Back => (
            "Feeds can be read again".to_owned(),
            "Their new items are matched. `tidings feeds gaps` shows what may have been missed.",
        ),
    };
    let (since, why) = match notice.kind {
        FeedNoticeKind::Well => ("since", "last cause"),
        FeedNoticeKind::Away | FeedNoticeKind::Back => ("since", "one of them said"),
        FeedNoticeKind::Gone | FeedNoticeKind::Failing | FeedNoticeKind::Silent => ("since", "why"),
    };
    note_view(
        &title,
        note,
        vec![
            Fact::with_line(since, format_time(notice.since, zone)),
            Fact::with_line(why, visible_line(&notice.why)),
        ],
    )
}

fn store_notice_view(notice: &StoreNotice, zone: &TimeZone) -> MessageView {
    let (title, note) = match notice.kind {
        StoreKind::Damaged => (
            "The store is damaged",
            "Some stories may not be matched or sent. Stop Tidings and recover the store: docs/operations.md says how.",
        ),
    };
    let facts = [
        ("store", visible_line(&notice.store)),
        ("found", format_time(notice.since, zone)),
        ("why", visible_line(&notice.why)),
    ];
    note_view(title, note, facts.map(|(name, line)| Fact::with_line(name, line)).into())
}

fn rule_notice_view(notice: &RuleNotice, zone: &TimeZone) -> MessageView {
    let subject = visible_line(&notice.subject());
    let since = format_time(notice.since, zone);
    let (title, note, since) = match notice.kind {
        RuleNoticeKind::Absent => (
            format!("Nothing matches: {subject}"),
            "The feeds that can be read brought no match. The next match will be told.",
            Fact::with_line("since", since),
        ),
        RuleNoticeKind::Blind => (
            format!("Feeds of a rule fail: {subject}"),
            "The rule does not see what these feeds bring. It tells no absence if all of its feeds fail.",
            Fact::with_line("failing since", since),
        ),
    };
    let failing = notice.failing.iter().map(|feed| visible_line(feed)).collect::<Vec<_>>();
    let failing = (!failing.is_empty()).then(|| failing.join(", "));
    let facts = [
        ("why", notice.why.as_deref().map(visible_line)),
        ("condition", Some(notice.condition.clone())),
        ("feeds that fail", failing),
        ("owner", notice.owner.as_deref().map(visible_line)),
    ];
    let facts = facts.into_iter().filter_map(|(name, line)| Some(Fact::with_line(name, line?)));
    let view = note_view(&title, note, std::iter::once(since).chain(facts).collect());
    // An absence is what the rule tells. That it is blind is about Tidings itself.
    let severity = (notice.kind == RuleNoticeKind::Absent).then_some(notice.severity);
    MessageView { severity, ..view }
}

fn report_view(report: &ServiceReport, zone: &TimeZone) -> MessageView {
    let counted = |number: u64, one: &str, many: &str| {
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let alerts = counted(report.alerts, "alert", "alerts");
    let lines = |lines: &[String], none: &str| match lines {
        [] => none.to_owned(),
        lines => lines.iter().map(|line| visible_line(line)).collect::<Vec<_>>().join("; "),
    };
    let matched: Vec<String> =
        report.matched.iter().map(|one| format!("{}: {}", one.rule, one.alerts)).collect();
    let watched = format!(
        "{}, {}",
        counted(report.feeds as u64, "feed", "feeds"),
        counted(report.rules as u64, "rule", "rules")
    );
    let title = match report.failing.len() {
        0 => format!("Report: {alerts}, all is well"),
        failing => format!("Report: {alerts}, {failing} need attention"),
    };
    let facts = [
        ("from", format_time(report.since, zone)),
        ("to", format_time(report.until, zone)),
        ("watched", watched),
        ("alerts", lines(&matched, "none")),
        ("attention", lines(&report.failing, "nothing")),
        ("unseen", lines(&report.unseen, "no feed lost items")),
    ];
    note_view(
        &title,
        "This report is sent at the time that `report` in the configuration sets.",
        facts.map(|(name, line)| Fact::with_line(name, line)).into(),
    )
}

/// A message about Tidings itself: a headline, a note and facts.
fn note_view(title: &str, note: &str, facts: Vec<Fact>) -> MessageView {
    MessageView {
        severity: None,
        title: unmarked_pieces(title),
        quotes: Vec::new(),
        note: Some(note.to_owned()),
        sections: Vec::new(),
        facts,
        link: None,
        copies: Vec::new(),
    }
}

fn alert_view(
    story: &StorySummary,
    read: &Read,
    feeds: &[FeedEntry],
    rules: &[RuleMatch],
    zone: &TimeZone,
) -> MessageView {
    let mut quotes = quote::quotes_from_rules(&story.title, rules);
    if story.title.trim().is_empty() {
        quotes.title = unmarked_pieces(&visible_line(story.headline()));
    }
    let hidden = quotes.sentences.len().saturating_sub(MAX_QUOTES);
    quotes.sentences.truncate(MAX_QUOTES);
    MessageView {
        severity: rules.iter().map(|rule| rule.severity).max(),
        title: quotes.title,
        quotes: quotes.sentences,
        note: match hidden {
            0 => None,
            1 => Some("and one more sentence".to_owned()),
            hidden => Some(format!("and {hidden} more sentences")),
        },
        sections: Vec::new(),
        facts: alert_facts(story, read, feeds, rules, zone),
        link: story.url.as_deref().map(visible_line),
        copies: if feeds.len() > 1 { copy_items(story, feeds, zone) } else { Vec::new() },
    }
}

/// The copies of `story`. If there are too many, the last line says how many are left out.
fn copy_items(story: &StorySummary, feeds: &[FeedEntry], zone: &TimeZone) -> Vec<StoryItem> {
    let rest = feeds.len().saturating_sub(MAX_COPIES);
    let rest = (rest > 0).then(|| StoryItem::from_line(&format!("and {rest} more")));
    feeds.iter().take(MAX_COPIES).map(|entry| copy_item(story, entry, zone)).chain(rest).collect()
}

/// One copy. Its headline is left out if it is the headline of the message.
fn copy_item(story: &StorySummary, copy: &FeedEntry, zone: &TimeZone) -> StoryItem {
    let place = format!("{}, {}", visible_line(&copy.feed.0), format_time(copy.seen, zone));
    let link = copy.url.as_deref().map(visible_line);
    let headline = visible_line(&copy.title);
    if headline.trim().is_empty() || copy.title == story.title {
        return StoryItem { link, ..StoryItem::from_line(&place) };
    }
    StoryItem { title: unmarked_pieces(headline.trim()), quote: None, place: Some(place), link }
}

fn alert_facts(
    story: &StorySummary,
    read: &Read,
    feeds: &[FeedEntry],
    rules: &[RuleMatch],
    zone: &TimeZone,
) -> Vec<Fact> {
    let rule = Fact {
        name: if rules.len() == 1 { "rule" } else { "rules" },
        lines: rules.iter().map(rule_line).collect(),
    };
    let condition = condition_fact(rules);
    let read =
        (*read != Read::Full).then(|| Fact::with_line("read", visible_line(&read.to_string())));
    let names = feed_names(feeds);
    let source =
        Fact::with_line(if names.len() == 1 { "source" } else { "sources" }, names.join(", "));
    let published = story.published.map(|at| Fact::with_line("published", format_time(at, zone)));
    let seen = Fact::with_line("seen", format_time(story.first_seen, zone));
    [Some(rule), condition, read, Some(source), published, Some(seen)]
        .into_iter()
        .flatten()
        .collect()
}

/// The conditions of the rules that have one. With several rules, each says whose it is.
fn condition_fact(rules: &[RuleMatch]) -> Option<Fact> {
    let with_condition = rules.iter().filter_map(|rule| Some((rule, rule.condition.as_ref()?)));
    let line = |(rule, state): (&RuleMatch, &ConditionState)| match rules {
        [_] => visible_line(&state.to_string()),
        _ => visible_line(&format!("{}: {state}", rule.title())),
    };
    let lines: Vec<String> = with_condition.map(line).collect();
    let name = if lines.len() == 1 { "condition" } else { "conditions" };
    (!lines.is_empty()).then_some(Fact { name, lines })
}

fn rule_line(rule: &RuleMatch) -> String {
    described_rule(rule.title(), rule.why.as_deref(), rule.owner.as_deref())
}

fn feed_names(feeds: &[FeedEntry]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in feeds.iter().map(|entry| visible_line(&entry.feed.0)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
