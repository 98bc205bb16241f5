//! Reads the forms in which a rule or list finds its words: `forms: plural`, `stem: en`.

use crate::fault::Fault;
use crate::language::term::Forms;
use crate::text::Stemmer;
use crate::yaml::{Entries, Node, Text};

/// The forms in `entries`: `forms: plain`, `forms: plural`, `forms: inflected`,
/// `forms: {stem: en}`, or `stem: en` for short. `None` if there are none.
pub(super) fn read_forms(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Forms> {
    let (forms, stem) = (entries.get("forms"), entries.get("stem"));
    if let (Some(_), Some(stem)) = (&forms, &stem) {
        faults.push(stem.fault("`forms` sets the forms already").help("leave out one of the two"));
        return None;
    }
    match forms {
        Some(node) if node.is_mapping() => {
            let mut entries = node.entries(faults)?;
            let stem = entries.require("stem", faults).and_then(|stem| stems(&stem, faults));
            entries.refuse_unknown_keys(faults);
            stem
        }
        Some(node) => named(&node.text(faults)?, faults),
        None => stems(&stem?, faults),
    }
}

fn named(text: &Text, faults: &mut Vec<Fault>) -> Option<Forms> {
    match text.value.as_str() {
        "plain" => Some(Forms::Plain),
        "plural" => Some(Forms::Plural),
        "inflected" => Some(Forms::Inflected),
        other => {
            let fault = text.fault(0..other.len(), format!("`{other}` is not a form of words"));
            faults.push(fault.help("it is plain, plural, inflected or {stem: en}"));
            None
        }
    }
}

fn stems(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Forms> {
    Some(stems_of(&node.text(faults)?, faults))
}

/// The stems of the language with the tag `tag`. Without stems, adds a fault and returns plain
/// forms.
pub(super) fn stems_of(tag: &Text, faults: &mut Vec<Fault>) -> Forms {
    if let Some(stemmer) = Stemmer::for_language(&tag.value) {
        return Forms::Stem(stemmer);
    }
    let tags: Vec<&str> = Stemmer::all().collect();
    let fault = tag
        .fault(0..tag.value.len(), format!("there are no stems for the language `{}`", tag.value));
    faults.push(fault.help(format!("there are stems for {}", tags.join(", "))));
    Forms::Plain
}
