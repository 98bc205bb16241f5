//! Reads the feeds that are not polled and receive stories from elsewhere: `from` in `feeds`.

use std::collections::BTreeSet;

use super::ReceivingFeed;
use super::feed_keys::{name, tags};
use super::reader::ConfigReader;
use tidings_rules::fault::Fault;
use tidings_rules::story::FeedName;
use tidings_rules::yaml::{Entries, Node};

/// Keys of polled feeds.
const OF_POLLED_FEEDS: [&str; 4] = ["url", "every", "full_text", "recheck"];

/// Reads an entry with `from`. Also returns the place of its name.
pub(super) fn receiving_feed<'d>(
    mut entries: Entries<'d>,
    reader: &mut ConfigReader<'_>,
) -> Option<(ReceivingFeed, Node<'d>)> {
    let from = entries.require("from", reader.faults);
    let from = from.and_then(|node| reader.choice(node, &[("ingest", ())]));
    let name_node = entries.require("name", reader.faults);
    let name = name_node.and_then(|node| name(node, reader));
    let tags = entries.get("tags").map_or_else(|| Some(BTreeSet::new()), |node| tags(node, reader));
    refuse_polling(&mut entries, reader);
    entries.refuse_unknown_keys(reader.faults);
    from?;
    Some((ReceivingFeed { name: FeedName(name?), tags: tags? }, name_node?))
}

fn refuse_polling(entries: &mut Entries<'_>, reader: &mut ConfigReader<'_>) {
    for key in OF_POLLED_FEEDS {
        if let Some(span) = entries.key_span(key) {
            let fault = entries.node().fault(format!("`{key}` is a setting of a polled feed"));
            let help = "a feed with `from: ingest` receives stories and is not polled: keep one of the two";
            reader.faults.push(Fault { span, ..fault }.help(help));
        }
    }
}
