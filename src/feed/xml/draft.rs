//! An item while its parts are read, and the finished item.

use jiff::Timestamp;
use url::Url;

use crate::feed::document::Item;
use crate::feed::publisher::own_text;
use crate::markup::link::resolve;
use crate::markup::plain;
use tidings_rules::text::one_line;

/// The form in which the text of an element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    /// Markup, as in RSS in practice.
    Markup,
    /// Atom's `text`, which is nevertheless often markup.
    Text,
    /// A picture or similar.
    Other,
}

/// A value and its rank among values for the same part.
#[derive(Debug)]
pub(super) struct Ranked<T>(Option<(u8, T)>);

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Ranked<T> {
    /// Keeps `value` if its rank is higher than the present one's.
    pub(super) fn replace_if_higher(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(known, _)| *known < rank) {
            self.0 = Some((rank, value));
        }
    }

    pub(super) fn get(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// The parts of an item that are read so far.
#[derive(Debug, Default)]
pub(super) struct ItemDraft {
    pub(super) title: Ranked<String>,
    pub(super) link: Ranked<Url>,
    /// A link to something else than its page: a recording, the entry itself, its origin.
    pub(super) other_link: Ranked<Url>,
    pub(super) guid: Ranked<String>,
    /// Whether the guid is said to be the address of its page.
    pub(super) is_permalink: bool,
    pub(super) content: Ranked<(TextForm, String)>,
    pub(super) summary: Ranked<(TextForm, String)>,
    pub(super) date: Ranked<Timestamp>,
    pub(super) lang: Ranked<String>,
    pub(super) authors: Vec<(u8, String)>,
    pub(super) tags: Vec<String>,
    pub(super) source: Ranked<String>,
}

impl ItemDraft {
    /// Whether it has no parts.
    pub(super) fn is_empty(&self) -> bool {
        let is_silent = self.title.is_empty() && self.link.is_empty() && self.guid.is_empty();
        is_silent && self.content.is_empty() && self.summary.is_empty() && self.date.is_empty()
    }

    /// The finished item of the feed at `base`.
    pub(super) fn item(self, base: &Url) -> Item {
        let title = self.title.get().unwrap_or_default();
        let written = |text: Option<(TextForm, String)>| {
            let text = text.map(|(form, text)| match form {
                TextForm::Markup => own_text(&text, &title),
                TextForm::Text | TextForm::Other => plain_text(form, &text),
            });
            text.filter(|text| !text.is_empty())
        };
        let content = written(self.content.get());
        let guid = self.guid.get();
        let is_permalink = self.is_permalink;
        let address = || {
            let is_address =
                |guid: &&str| guid.starts_with("http://") || guid.starts_with("https://");
            guid.as_deref().filter(|guid| is_permalink || is_address(guid))
        };
        let best = self.authors.iter().map(|(rank, _)| *rank).max();
        Item {
            link: self
                .link
                .get()
                .or_else(|| resolve(address()?, base))
                .or_else(|| self.other_link.get()),
            is_content: content.is_some(),
            text: content.or_else(|| written(self.summary.get())).unwrap_or_default(),
            title,
            published: self.date.get(),
            lang: self.lang.get(),
            authors: distinct(
                self.authors
                    .into_iter()
                    .filter(|(rank, _)| Some(*rank) == best)
                    .map(|(_, name)| name),
            ),
            tags: distinct(self.tags.into_iter()),
            source: self.source.get(),
            guid,
        }
    }
}

/// A headline in one line. A `<` without `>` is a sign, not a tag.
pub(super) fn headline(form: TextForm, text: &str) -> String {
    let closed = text.rfind('>').map_or(0, |at| at + 1);
    let signs = text[closed..]
        .contains('<')
        .then(|| text[..closed].to_owned() + &text[closed..].replace('<', "&lt;"));
    one_line(&plain_text(form, signs.as_deref().unwrap_or(text)))
}

/// The text of an element, without markup.
fn plain_text(form: TextForm, text: &str) -> String {
    match form {
        TextForm::Markup => plain::from_markup(text),
        TextForm::Text => plain::from_either(text),
        TextForm::Other => String::new(),
    }
}

/// A person's name. RSS writes `address (name)`, others `name <address>`.
pub(super) fn author(text: &str) -> String {
    let named = text.split_once('(').filter(|(address, _)| address.contains('@'));
    let name = named.and_then(|(_, name)| name.trim_end().strip_suffix(')')).unwrap_or(text);
    let name = name
        .split_once('<')
        .filter(|(_, address)| address.contains('@'))
        .map_or(name, |(name, _)| name);
    one_line(&plain::from_markup(if name.trim().is_empty() {
        text.trim_matches(['<', '>'])
    } else {
        name
    }))
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| !name.is_empty() && seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ana@example.org (Ana Lee)", "Ana Lee")]
    #[case("Ana Lee <ana@example.org>", "Ana Lee")]
    #[case("<ana@example.org>", "ana@example.org")]
    #[case("ana@example.org", "ana@example.org")]
    #[case("Ana (Seoul)", "Ana (Seoul)")]
    #[case(" Ana &amp;\n Bo ", "Ana & Bo")]
    fn authors_are_named(#[case] text: &str, #[case] name: &str) {
        assert_eq!(author(text), name);
    }

    #[test]
    fn the_first_of_the_highest_rank_counts() {
        let mut best = Ranked::default();
        for (rank, value) in [(1, "a"), (2, "b"), (2, "c"), (0, "d")] {
            best.replace_if_higher(rank, value);
        }
        assert_eq!(best.get(), Some("b"));
    }
}
