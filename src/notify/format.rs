//! Letters in the forms of chat services and pagers: pure, within each service's limits, and with
//! its markup escaped in all that is not ours.

mod bounded;
mod discord;
mod link;
mod list;
mod ntfy;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
#[cfg(test)]
mod tests;
mod words;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::alerts::Notification;
use crate::config::WebhookFormat;
use crate::notify::payload;
use crate::notify::view::view;

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
    let view = view(notification, zone);
    let message = match format {
        WebhookFormat::Standard => return payload::write(notification),
        WebhookFormat::Slack => slack::message(&view),
        WebhookFormat::Discord => discord::message(&view),
        WebhookFormat::Teams => teams::message(view),
        WebhookFormat::Telegram => telegram::message(&view),
        WebhookFormat::Ntfy => ntfy::message(&view),
        WebhookFormat::PagerDuty => pagerduty::message(&view, notification),
    };
    Ok(written(&message))
}

fn written(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}
