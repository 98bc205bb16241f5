//! Reads the dead man's switch that is called while all is well: `heartbeat`.

use std::time::Duration;

use super::SecretUrl;
use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// How often the switch is called if the configuration does not say.
const EVERY: Duration = Duration::from_mins(5);

/// The shortest time between two calls.
const SHORTEST: Duration = Duration::from_secs(10);

const HELP: &str = "write the address that the service gave you: it begins with https://";

/// A dead man's switch: a service that gives the alarm when it is no longer called.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Its address. It is secret, because such addresses hold tokens.
    pub url: SecretUrl,
    /// The time between two calls, at least ten seconds.
    pub every: Duration,
}

/// `{url: "${SWITCH}", every: 5m}`.
pub(super) fn heartbeat(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Heartbeat> {
    let mut entries = reader.entries(node)?;
    let url = entries.require("url", reader.faults).and_then(|node| reader.secret_url(node, HELP));
    let every = entries.get("every").map_or(Some(EVERY), |node| every(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    Some(Heartbeat { url: url?, every: every? })
}

fn every(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Duration> {
    let every = reader.duration(node)?;
    if every < SHORTEST {
        reader.error(node, "this is too often", "write at least 10s");
        return None;
    }
    Some(every)
}
