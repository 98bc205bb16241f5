//! Notifications in the formats of chat services and pagers: within each service's limits, and with
//! markup escaped in foreign texts. Pure.

mod bounded;
mod discord;
mod escape;
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

/// Renders `notification` in `format`: a JSON object, without the key for the recipient.
///
/// # Errors
/// The notification cannot be put into JSON.
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
