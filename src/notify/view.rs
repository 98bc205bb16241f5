//! What a message shows, in finished words: the same for the console, for a mail's plain text and
//! for its HTML.

mod digest;
pub(super) mod message_view;

use jiff::tz::TimeZone;

use crate::alerts::notice::{About, Notice, NoticeKind, StoreKind, StoreNotice};
use crate::alerts::{Content, Notification, RuleMatch, StorySummary};
use crate::notify::plain::plain;
use crate::notify::quote;
use crate::polling::health;
use crate::polling::health::FeedNotice;
use tidings_rules::story::{FeedEntry, Read};

use message_view::{Fact, MessageView, StoryItem, time, unmarked};

/// The most sentences that are quoted.
const MOST_QUOTES: usize = 8;

/// The most copies that are listed.
const MOST_COPIES: usize = 20;

/// What `notification` shows, with times in `zone`.
pub(super) fn view(notification: &Notification, zone: &TimeZone) -> MessageView {
    match &notification.content {
        Content::Alert { story, read, update, feeds, rules, .. } => {
            let mut view = alert(story, read, feeds, rules, zone);
            view.facts.splice(
                0..0,
                update.as_ref().map(|update| Fact::one("update", plain(&update.to_string()))),
            );
            view
        }
        Content::Digest(digest) => digest::view(digest, zone),
        Content::Notice(About::Receiver(notice)) => self::notice(notice, zone),
        Content::Notice(About::Feed(notice)) => of_feed(notice, zone),
        Content::Notice(About::Store(notice)) => of_store(notice, zone),
        Content::Test => remark(
            "This is a test from Tidings",
            "If you can read this, alerts will reach you here.",
            vec![Fact::one("sent", time(notification.sent, zone))],
        ),
    }
}

fn notice(notice: &Notice, zone: &TimeZone) -> MessageView {
    let subject = plain(&notice.subject().to_string());
    let (title, note) = match notice.kind {
        NoticeKind::Down => (
            format!("{subject} takes no messages"),
            "Its messages are kept, and are sent when it is back. A notice will say so.",
        ),
        NoticeKind::Back => {
            (format!("{subject} takes messages again"), "Messages that waited for it are sent now.")
        }
        NoticeKind::Refused => (
            format!("{subject} refused a message"),
            "The message is kept, and so is any other that is refused. `tidings deliveries` lists the messages that are retried and those that are dead-lettered; `tidings deliveries retry` sends dead-lettered messages again.",
        ),
    };
    let (since, why) = match notice.kind {
        NoticeKind::Back => ("away since", "last failure"),
        NoticeKind::Down | NoticeKind::Refused => ("since", "why"),
    };
    remark(
        &title,
        note,
        vec![Fact::one(since, time(notice.since, zone)), Fact::one(why, plain(&notice.why))],
    )
}

fn of_feed(notice: &FeedNotice, zone: &TimeZone) -> MessageView {
    use health::FeedNoticeKind;

    let feed = plain(&notice.feed.0);
    let (title, note) = match notice.kind {
        FeedNoticeKind::Gone => (
            format!("The feed {feed} is gone for good"),
            "Its server says so, and it is not polled any more: give it its new address in the configuration, or remove it.",
        ),
        FeedNoticeKind::Failing => (
            format!("The feed {feed} cannot be read"),
            "It is retried automatically, at least once a day. A notice will say when it can be read again.",
        ),
        FeedNoticeKind::Silent => (
            format!("The feed {feed} has had nothing new"),
            "It can be read, but it may have moved or been abandoned: check its site. A notice will say when it has something new.",
        ),
        FeedNoticeKind::Well => (
            format!("The feed {feed} can be read again"),
            "Its new items were matched. `tidings feeds gaps` shows whether anything may have been missed.",
        ),
        FeedNoticeKind::Away => (
            "No feed can be read".to_owned(),
            "Every feed that is polled fails, so the cause is probably the network or its proxy, not the feeds. All are retried automatically.",
        ),
        FeedNoticeKind::Back => (
            "Feeds can be read again".to_owned(),
            "Their new items are matched. `tidings feeds gaps` shows whether anything may have been missed.",
        ),
    };
    let (since, why) = match notice.kind {
        FeedNoticeKind::Well => ("since", "last cause"),
        FeedNoticeKind::Away | FeedNoticeKind::Back => ("since", "one of them said"),
        FeedNoticeKind::Gone | FeedNoticeKind::Failing | FeedNoticeKind::Silent => ("since", "why"),
    };
    remark(
        &title,
        note,
        vec![Fact::one(since, time(notice.since, zone)), Fact::one(why, plain(&notice.why))],
    )
}

fn of_store(notice: &StoreNotice, zone: &TimeZone) -> MessageView {
    let (title, note) = match notice.kind {
        StoreKind::Damaged => (
            "The store is damaged",
            "Some stories may not be matched or sent. Stop Tidings and recover the store: docs/operations.md says how.",
        ),
    };
    let facts = [
        ("store", plain(&notice.store)),
        ("found", time(notice.since, zone)),
        ("why", plain(&notice.why)),
    ];
    remark(title, note, facts.map(|(name, line)| Fact::one(name, line)).into())
}

/// What is said of Tidings' own: a headline, a note, and facts.
fn remark(title: &str, note: &str, facts: Vec<Fact>) -> MessageView {
    MessageView {
        severity: None,
        title: unmarked(title),
        quotes: Vec::new(),
        note: Some(note.to_owned()),
        sections: Vec::new(),
        facts,
        link: None,
        copies: Vec::new(),
    }
}

fn alert(
    story: &StorySummary,
    read: &Read,
    feeds: &[FeedEntry],
    rules: &[RuleMatch],
    zone: &TimeZone,
) -> MessageView {
    let mut quotes = quote::quotes(&story.title, rules);
    if story.title.trim().is_empty() {
        quotes.title = unmarked(&plain(story.headline()));
    }
    let hidden = quotes.sentences.len().saturating_sub(MOST_QUOTES);
    quotes.sentences.truncate(MOST_QUOTES);
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
        facts: facts(story, read, feeds, rules, zone),
        link: story.url.as_deref().map(plain),
        copies: if feeds.len() > 1 { copies(story, feeds, zone) } else { Vec::new() },
    }
}

/// The copies of `story`, and in the last line how many there are besides.
fn copies(story: &StorySummary, feeds: &[FeedEntry], zone: &TimeZone) -> Vec<StoryItem> {
    let rest = feeds.len().saturating_sub(MOST_COPIES);
    let rest = (rest > 0).then(|| StoryItem::line(&format!("and {rest} more")));
    feeds.iter().take(MOST_COPIES).map(|entry| copy(story, entry, zone)).chain(rest).collect()
}

/// One copy, with its headline unless that is the headline of the message.
fn copy(story: &StorySummary, copy: &FeedEntry, zone: &TimeZone) -> StoryItem {
    let place = format!("{}, {}", plain(&copy.feed.0), time(copy.seen, zone));
    let link = copy.url.as_deref().map(plain);
    let headline = plain(&copy.title);
    if headline.trim().is_empty() || copy.title == story.title {
        return StoryItem { link, ..StoryItem::line(&place) };
    }
    StoryItem { title: unmarked(headline.trim()), quote: None, place: Some(place), link }
}

fn facts(
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
    let read = match read {
        Read::Full => None,
        Read::Teaser(why) => Some(Fact::one("read", plain(&format!("teaser only: {why}")))),
    };
    let names = feed_names(feeds);
    let source = Fact::one(if names.len() == 1 { "source" } else { "sources" }, names.join(", "));
    let published = story.published.map(|at| Fact::one("published", time(at, zone)));
    let seen = Fact::one("seen", time(story.first_seen, zone));
    [Some(rule), read, Some(source), published, Some(seen)].into_iter().flatten().collect()
}

fn rule_line(rule: &RuleMatch) -> String {
    let mut line = rule.title();
    if let Some(why) = &rule.why {
        line = format!("{line}: {why}");
    }
    if let Some(owner) = &rule.owner {
        line = format!("{line} ({owner})");
    }
    plain(&line)
}

fn feed_names(feeds: &[FeedEntry]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in feeds.iter().map(|entry| plain(&entry.feed.0)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
