//! The whole of a configuration, read part by part.

use std::path::Path;
use std::sync::Arc;

use super::reader::ConfigReader;
use super::{
    Config, Network, ReadList, feeds, hosts, mask, network, notifiers, paths, poll, retain, routing,
};
use tidings_rules::fault::{Fault, Level, Source};
use tidings_rules::yaml;
use tidings_rules::yaml::YamlDocument;

/// What would change what is sent or watched, and is not built yet.
const LATER: [&str; 5] = ["burst", "digest", "limit", "quiet", "silence"];

/// What is not built yet, and whose absence changes nothing that is sent or watched.
const LATER_BUT_HARMLESS: [&str; 1] = ["web"];

/// Reads a configuration. `base` is its folder, against which relative paths stand; `env` gives the
/// variables of the environment, `list` reads lists of feeds. `None` if it has an error; every
/// fault is added to `faults`, and none holds a secret: what may be one is blotted out of their
/// source.
///
/// It reads no file but those that an `opml`, a `password_file`, a `ca` or a `template` names.
#[must_use]
pub fn load(
    source: &Arc<Source>,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    list: &ReadList<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Config> {
    let mut found = Vec::new();
    let document = yaml::parse(source, &mut found);
    let masked = Arc::new(mask::masked(source, document.as_ref()));
    for fault in &mut found {
        mask::hush_reader(fault, &masked);
    }
    let config = document.and_then(|document| {
        parts(&document, &mut ConfigReader { base, env, list, faults: &mut found })
    });
    let is_sound = found.iter().all(|fault| fault.level < Level::Error);
    faults.extend(found.into_iter().map(|mut fault| {
        mask::hush_echo(&mut fault, &masked);
        Fault { source: Arc::clone(&masked), ..fault }
    }));
    config.filter(|_| is_sound)
}

fn parts(document: &YamlDocument, reader: &mut ConfigReader<'_>) -> Option<Config> {
    let mut entries = reader.entries(document.root())?;
    let store = paths::store(entries.get("store"), reader);
    let rules = paths::rules(entries.get("rules"), reader);
    let zone = paths::zone(entries.get("zone"), reader);
    let poll = poll::poll(entries.get("poll"), reader);
    let network = entries
        .get("network")
        .map_or_else(|| Some(Network::default()), |node| network::network(node, reader));
    let hosts = hosts::hosts(entries.get("hosts"), reader);
    let retain = retain::retain(entries.get("retain"), reader);
    let notifiers = notifiers::notifiers(entries.get("notifiers"), reader);
    let notify = routing::routing(&mut entries, &notifiers.names, reader);
    let feeds = feeds::feeds(&mut entries, network.as_ref(), reader);
    for key in LATER_BUT_HARMLESS {
        if let Some(span) = entries.key_span(key) {
            let warning = entries
                .node()
                .warning(format!("`{key}` comes in a later version, and does nothing yet"));
            reader.faults.push(Fault { span, ..warning });
        }
    }
    reader.refuse_later(&mut entries, &LATER);
    entries.refuse_unknown_keys(reader.faults);
    Some(Config {
        store: store?,
        rules: rules?,
        zone: zone?,
        notify: notify?,
        feeds: feeds?,
        notifiers: notifiers.sound,
        manners: notifiers.manners,
        poll: poll?,
        network: network?,
        hosts: hosts?,
        retain: retain?,
    })
}
