//! Reads `format`: the format of a webhook's messages, and its settings other than the address.

use url::Url;

use super::super::super::reader::ConfigReader;
use super::super::super::{Addressed, SecretUrl, WebhookFormat};
use crate::config::faulty::Faulty;
use tidings_rules::yaml::Entries;

/// The address of PagerDuty, unless `url` gives another (`events.eu.pagerduty.com`).
pub(super) const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

const FORMATS: [(&str, WebhookFormat); 8] = [
    ("standard", WebhookFormat::Standard),
    ("slack", WebhookFormat::Slack),
    ("mattermost", WebhookFormat::Slack),
    ("discord", WebhookFormat::Discord),
    ("teams", WebhookFormat::Teams),
    ("telegram", WebhookFormat::Telegram),
    ("ntfy", WebhookFormat::Ntfy),
    ("pagerduty", WebhookFormat::PagerDuty),
];

pub(super) fn format(
    entries: &mut Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<WebhookFormat> {
    entries
        .get("format")
        .map_or(Some(WebhookFormat::Standard), |node| reader.choice(node, &FORMATS))
}

/// The recipient of messages: `chat` for Telegram, `routing_key` for PagerDuty, the end of the
/// address for ntfy.
pub(super) fn read_address(
    entries: &mut Entries<'_>,
    format: Option<WebhookFormat>,
    url: Option<&SecretUrl>,
    reader: &mut ConfigReader<'_>,
) -> Result<Option<Addressed>, Faulty> {
    let (key, written) = match format.ok_or(Faulty)? {
        WebhookFormat::Telegram => ("chat_id", "chat"),
        WebhookFormat::PagerDuty => ("routing_key", "routing_key"),
        WebhookFormat::Ntfy => return topic(entries, url.ok_or(Faulty)?, reader).map(Some),
        WebhookFormat::Standard
        | WebhookFormat::Slack
        | WebhookFormat::Discord
        | WebhookFormat::Teams => return Ok(None),
    };
    let to = entries.require(written, reader.faults).and_then(|node| reader.string(node));
    to.map(|to| Some(Addressed { key, to: to.trim().into() })).ok_or(Faulty)
}

fn topic(
    entries: &mut Entries<'_>,
    url: &SecretUrl,
    reader: &mut ConfigReader<'_>,
) -> Result<Addressed, Faulty> {
    let topic =
        url.0.path().trim_end_matches('/').rsplit('/').next().filter(|topic| !topic.is_empty());
    let Some(topic) = topic else {
        if let Some(node) = entries.get("url") {
            reader.error(
                node,
                "this address has no topic",
                "write it after the server: https://ntfy.sh/TOPIC",
            );
        }
        return Err(Faulty);
    };
    Ok(Addressed { key: "topic", to: topic.into() })
}

/// The address for messages of `format`. ntfy takes JSON at the parent of its topics, and Discord
/// returns the message only on request.
pub(super) fn post_url(format: WebhookFormat, mut url: Url) -> Url {
    match format {
        WebhookFormat::Ntfy => {
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.pop_if_empty().pop();
            }
        }
        WebhookFormat::Discord if !url.query_pairs().any(|(key, _)| key == "wait") => {
            url.query_pairs_mut().append_pair("wait", "true");
        }
        _ => {}
    }
    url
}
