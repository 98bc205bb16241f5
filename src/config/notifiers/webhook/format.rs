//! `format`: what a webhook's messages look like, and what such messages need besides an address.

use secrecy::SecretString;
use url::Url;

use super::super::super::reader::Reader;
use super::super::super::{Addressed, Format, SecretUrl};
use super::super::Faulty;
use tidings_rules::yaml::Entries;

/// Where PagerDuty takes events, unless `url` says otherwise (`events.eu.pagerduty.com`).
pub(super) const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

const FORMATS: [(&str, Format); 8] = [
    ("standard", Format::Standard),
    ("slack", Format::Slack),
    ("mattermost", Format::Slack),
    ("discord", Format::Discord),
    ("teams", Format::Teams),
    ("telegram", Format::Telegram),
    ("ntfy", Format::Ntfy),
    ("pagerduty", Format::PagerDuty),
];

pub(super) fn format(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Format> {
    entries.get("format").map_or(Some(Format::Standard), |node| reader.choice(node, &FORMATS))
}

/// Whom messages are for: `chat` for Telegram, `routing_key` for PagerDuty, the end of the address
/// for ntfy.
pub(super) fn addressed(
    entries: &mut Entries<'_>,
    format: Option<Format>,
    url: Option<&SecretUrl>,
    reader: &mut Reader<'_>,
) -> Result<Option<Addressed>, Faulty> {
    let (key, written) = match format.ok_or(Faulty)? {
        Format::Telegram => ("chat_id", "chat"),
        Format::PagerDuty => ("routing_key", "routing_key"),
        Format::Ntfy => return topic(entries, url.ok_or(Faulty)?, reader).map(Some),
        Format::Standard | Format::Slack | Format::Discord | Format::Teams => return Ok(None),
    };
    let to = entries.require(written, reader.faults).and_then(|node| reader.string(node));
    to.map(|to| Some(Addressed { key, to: SecretString::from(to.trim()) })).ok_or(Faulty)
}

fn topic(
    entries: &mut Entries<'_>,
    url: &SecretUrl,
    reader: &mut Reader<'_>,
) -> Result<Addressed, Faulty> {
    let topic =
        url.0.path().trim_end_matches('/').rsplit('/').next().filter(|topic| !topic.is_empty());
    let Some(topic) = topic else {
        if let Some(node) = entries.get("url") {
            reader.error(
                node,
                "this address names no topic",
                "write it behind the server: https://ntfy.sh/TOPIC",
            );
        }
        return Err(Faulty);
    };
    Ok(Addressed { key: "topic", to: SecretString::from(topic) })
}

/// Where messages of `format` go: ntfy takes JSON where its topics begin, and Discord answers with
/// what it took only when asked to.
pub(super) fn posted_to(format: Format, mut url: Url) -> Url {
    match format {
        Format::Ntfy => {
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.pop_if_empty().pop();
            }
        }
        Format::Discord if !url.query_pairs().any(|(key, _)| key == "wait") => {
            url.query_pairs_mut().append_pair("wait", "true");
        }
        _ => {}
    }
    url
}
