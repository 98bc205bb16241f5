//! Keys whose feature a later version brings: never silently ignored.

use crate::fault::Fault;
use crate::yaml::Entries;

/// Refuses keys that would change what is watched or sent.
pub(super) fn refuse(entries: &mut Entries<'_>, keys: &[&'static str], faults: &mut Vec<Fault>) {
    for key in keys {
        if let Some(place) = entries.place_of(key) {
            let fault = entries.node().fault(format!("`{key}` is not available yet in this version"));
            faults.push(
                Fault { span: place, ..fault }
                    .help("remove it: without it, what is sent would not be what you ask for"),
            );
        }
    }
}

/// Warns about keys that change nothing of what is watched or sent.
pub(super) fn warn(entries: &mut Entries<'_>, keys: &[&'static str], faults: &mut Vec<Fault>) {
    for key in keys {
        if let Some(place) = entries.place_of(key) {
            let fault = entries.node().fault(format!("`{key}` has no effect yet in this version"));
            faults.push(Fault { span: place, level: crate::fault::Level::Warning, ..fault });
        }
    }
}
