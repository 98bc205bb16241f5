//! What needs a person's attention, in sentences: feeds that fail, receivers that take no messages.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{later, until};
use crate::lifecycle::message::MessageStatus;
use crate::store::{FeedState, ServiceStatus};
use tidings_rules::text::visible_line;

/// How long a message or a story may wait before it needs attention.
pub const OVERDUE: Duration = Duration::from_mins(15);

/// The most feeds that are named.
const MOST_NAMED: usize = 10;

/// What fails of these feeds, of the stories that wait, and of the receivers.
#[must_use]
pub fn describe<'f>(
    feeds: impl Iterator<Item = &'f FeedState>,
    status: &ServiceStatus,
    now: Timestamp,
) -> Vec<String> {
    let mut attention = feed_attention(feeds, now);
    if let Some(since) = status.oldest_waiting.filter(|since| later(*since, OVERDUE) < now) {
        attention
            .push(format!("a story has waited for {} to be read and matched", age(since, now)));
    }
    attention.extend(message_attention(status, now));
    attention
}

fn feed_attention<'f>(feeds: impl Iterator<Item = &'f FeedState>, now: Timestamp) -> Vec<String> {
    let unwell: Vec<String> = feeds
        .filter_map(|state| {
            let health = state.health(now)?.as_str();
            let (name, why) = (&state.name.0, state.error.as_deref().unwrap_or(&state.next_why));
            Some(format!("the feed {} is {health}: {}", visible_line(name), visible_line(why)))
        })
        .collect();
    let more = unwell.len().saturating_sub(MOST_NAMED);
    let named = unwell.into_iter().take(MOST_NAMED);
    let more = (more > 0).then(|| format!("{more} more; `tidings feeds list` shows them"));
    named.chain(more).collect()
}

fn message_attention(status: &ServiceStatus, now: Timestamp) -> Vec<String> {
    let mut attention: Vec<String> = status
        .away
        .iter()
        .map(|(receiver, why)| format!("{receiver} takes no messages: {}", visible_line(why)))
        .collect();
    for (name, queue) in &status.queues {
        let name = visible_line(&name.0);
        for (state, messages) in queue.by_status() {
            if matches!(state, MessageStatus::Dead | MessageStatus::Held) && messages > 0 {
                let are = if messages == 1 { "message is" } else { "messages are" };
                attention.push(format!(
                    "{name}: {messages} {are} {state}; `tidings deliveries` shows why"
                ));
            }
        }
        if let Some(due) = queue.oldest_due.filter(|due| later(*due, OVERDUE) < now) {
            attention.push(format!("a message of {name} is overdue by {}", age(due, now)));
        }
    }
    attention
}

/// The time from `since` to `now`, in its two largest units.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = until(now, since).as_secs();
    let rounded = match seconds {
        0..60 => seconds,
        60..86_400 => seconds / 60 * 60,
        _ => seconds / 3600 * 3600,
    };
    humantime::format_duration(Duration::from_secs(rounded)).to_string()
}
