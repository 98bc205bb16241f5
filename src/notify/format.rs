//! Letters in the forms of chat services and pagers: pure, within each service's limits, and with
//! its markup escaped in all that is not ours.

mod bounded;
mod discord;
mod link;
mod list;
mod ntfy;
mod pagerduty;
mod shared;
mod slack;
mod teams;
mod telegram;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::alerts::Notification;
use crate::config::WebhookFormat;
use crate::notify::payload;
use crate::notify::view::build_view;

/// What a webhook of that format sends for `notification`: a JSON object, all but what says whom it
/// is for.
///
/// # Errors
/// Where the notification cannot be put into JSON.
pub(super) fn render(
    format: WebhookFormat,
    notification: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    let view = build_view(notification, zone);
    let message = match format {
        WebhookFormat::Standard => return payload::to_json_line(notification),
        WebhookFormat::Slack => slack::build_message(&view),
        WebhookFormat::Discord => discord::build_message(&view),
        WebhookFormat::Teams => teams::build_message(view),
        WebhookFormat::Telegram => telegram::build_message(&view),
        WebhookFormat::Ntfy => ntfy::build_message(&view),
        WebhookFormat::PagerDuty => pagerduty::build_message(&view, notification),
    };
    Ok(written(&message))
}

fn written(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}
