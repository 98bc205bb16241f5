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

use crate::alerts::Letter;
use crate::config::Format;
use crate::notify::payload;
use crate::notify::view::view;

/// What a webhook of that format sends for `letter`: a JSON object, all but what says whom it is
/// for.
///
/// # Errors
/// Where the letter cannot be put into JSON.
pub(super) fn render(format: Format, letter: &Letter, zone: &TimeZone) -> Result<Vec<u8>, String> {
    let view = view(letter, zone);
    let message = match format {
        Format::Standard => return payload::write(letter),
        Format::Slack => slack::message(&view),
        Format::Discord => discord::message(&view),
        Format::Teams => teams::message(view),
        Format::Telegram => telegram::message(&view),
        Format::Ntfy => ntfy::message(&view),
        Format::PagerDuty => pagerduty::message(&view, letter),
    };
    Ok(written(&message))
}

fn written(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}
