//! Reads a whole configuration, part by part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::ConfigReader;
use super::{
    Config, Network, feeds, heartbeat, hosts, mask, network, notifiers, paths, poll, publishers,
    report, retain, routing, store, web,
};
use crate::config::listed::ReadList;
use tidings_rules::fault::{Fault, Level, Source};
use tidings_rules::yaml;
use tidings_rules::yaml::YamlDocument;

/// A configuration that was read.
#[derive(Debug)]
pub struct LoadedConfig {
    /// The configuration; `None` if there is an error.
    pub config: Option<Config>,
    /// The errors and warnings. None shows a secret, because possible secrets are masked in its
    /// source.
    pub faults: Vec<Fault>,
    /// The files that it names and that were read for it, or could not be.
    pub files: BTreeSet<PathBuf>,
}

/// Reads a configuration. `base` is its folder, to which paths are relative. `env` returns
/// variables of the environment, and `list` reads lists of feeds.
///
/// The only files that it reads are those of `opml`, `password_file`, `ca`, `template` and
/// `tokens_file`.
#[must_use]
pub fn load_config(
    source: &Arc<Source>,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    list: &ReadList<'_>,
) -> LoadedConfig {
    let mut found = Vec::new();
    let document = yaml::parse(source, &mut found);
    let masked = Arc::new(mask::masked(source, document.as_ref()));
    for fault in &mut found {
        mask::mask_reader_fault(fault, &masked);
    }
    let (faults, file_faults, files) = (&mut found, Vec::new(), BTreeSet::new());
    let mut reader = ConfigReader { base, env, list, faults, file_faults, files };
    let config = document.and_then(|document| parts(&document, &mut reader));
    let (file_faults, files) = (reader.file_faults, reader.files);
    let is_sound = found.iter().chain(&file_faults).all(|fault| fault.level < Level::Error);
    let show_masked = |mut fault| {
        mask::mask_repeated_value(&mut fault, &masked);
        Fault { source: Arc::clone(&masked), ..fault }
    };
    let faults = found.into_iter().map(show_masked).chain(file_faults).collect();
    LoadedConfig { config: config.filter(|_| is_sound), faults, files }
}

fn parts(document: &YamlDocument, reader: &mut ConfigReader<'_>) -> Option<Config> {
    let mut entries = reader.entries(document.root())?;
    let store = store::store(entries.get("store"), reader);
    let rules = paths::rules(entries.get("rules"), reader);
    let zone = paths::zone(entries.get("zone"), reader);
    let poll = poll::poll(entries.get("poll"), reader);
    let network = entries
        .get("network")
        .map_or_else(|| Some(Network::default()), |node| network::network(node, reader));
    let hosts = hosts::hosts(entries.get("hosts"), reader);
    let retain = retain::retain(entries.get("retain"), reader);
    let heartbeat = entries
        .get("heartbeat")
        .map_or(Some(None), |node| heartbeat::heartbeat(node, reader).map(Some));
    let web = entries.get("web").map_or(Some(None), |node| web::web(node, reader).map(Some));
    let notifiers = notifiers::notifiers(entries.get("notifiers"), reader);
    let notify = routing::routing(&mut entries, &notifiers.names, reader);
    let report = entries
        .get("report")
        .map_or(Some(None), |node| report::report(node, &notifiers.names, reader).map(Some));
    let publishers = publishers::publishers(entries.get("publishers"), reader);
    let feeds = feeds::feeds(&mut entries, network.as_ref(), reader);
    entries.refuse_unknown_keys(reader.faults);
    let (feeds, receiving) = feeds?;
    Some(Config {
        store: store?,
        rules: rules?,
        zone: zone?,
        notify: notify?,
        feeds,
        receiving,
        notifiers: notifiers.sound,
        delivery_policies: notifiers.delivery_policies,
        poll: poll?,
        network: network?,
        hosts: hosts?,
        retain: retain?,
        report: report?,
        heartbeat: heartbeat?,
        web: web?,
        publishers: publishers?,
    })
}
