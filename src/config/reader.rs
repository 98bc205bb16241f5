//! Reads the values of a configuration: strings with variables, choices, times, numbers.

use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Time;
use url::Url;

use super::{SecretUrl, env};
use crate::config::listed::ReadList;
use crate::files;
use tidings_rules::fault::{Fault, nearest};
use tidings_rules::story::delivery::time_of_day;
use tidings_rules::yaml::{Entries, Node, Text};

/// The longest time that can be configured: ten years. Sums with it stay within range.
const LONGEST: Duration = Duration::from_hours(3650 * 24);

/// The inputs of reading a configuration, and the faults found so far.
pub(super) struct ConfigReader<'a> {
    /// The folder to which paths are relative.
    pub(super) base: &'a Path,
    /// The variables of the environment.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads lists of feeds.
    pub(super) list: &'a ReadList<'a>,
    pub(super) faults: &'a mut Vec<Fault>,
    /// The faults of the files that it names. Their sources show no secret.
    pub(super) file_faults: Vec<Fault>,
    /// The files that were read, or could not be.
    pub(super) files: BTreeSet<PathBuf>,
}

/// A string as it is written, and its value.
pub(super) struct Expanded {
    /// The value with variables replaced. It may hold a secret and must not be shown.
    pub(super) value: String,
    pub(super) written: Text,
}

/// All of `values`, or `None` if one has a fault. Every value is read, so that every fault is
/// found.
pub(super) fn all<T, C: FromIterator<T>>(values: impl IntoIterator<Item = Option<T>>) -> Option<C> {
    let values: Vec<Option<T>> = values.into_iter().collect();
    values.into_iter().collect()
}

impl ConfigReader<'_> {
    /// Adds an error at `node`.
    pub(super) fn error(
        &mut self,
        node: Node<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.faults.push(node.fault(message).help(help));
    }

    /// Reads a file that the configuration names, of at most `most` bytes.
    ///
    /// # Errors
    /// Those of [`files::read_file`].
    pub(super) fn read_file(&mut self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let path = self.base.join(path);
        let bytes = files::read_file(&path, most);
        self.files.insert(path);
        bytes
    }

    /// Reads a file like [`read_file`](Self::read_file), as UTF-8.
    pub(super) fn read_text(&mut self, path: &str, most: u64) -> io::Result<String> {
        let path = self.base.join(path);
        let text = files::read_text(&path, most);
        self.files.insert(path);
        text
    }

    pub(super) fn entries<'d>(&mut self, node: Node<'d>) -> Option<Entries<'d>> {
        node.entries(self.faults)
    }

    /// A string that is not blank, with variables replaced.
    pub(super) fn expanded(&mut self, node: Node<'_>) -> Option<Expanded> {
        let written = node.text(self.faults)?;
        let value = env::expand(&written, self.env, self.faults)?;
        if value.trim().is_empty() {
            self.error(node, "this is empty", "write a value, or remove the key");
            return None;
        }
        Some(Expanded { value, written })
    }

    /// The value of a string that is not blank, with variables replaced.
    pub(super) fn string(&mut self, node: Node<'_>) -> Option<String> {
        Some(self.expanded(node)?.value)
    }

    /// A name that the user gave: one line, without white space around it.
    pub(super) fn name(&mut self, node: Node<'_>) -> Option<String> {
        let name = node.text(self.faults)?;
        self.check_name(&name)
    }

    /// Checks that `name` is one line without white space around it.
    pub(super) fn check_name(&mut self, name: &Text) -> Option<String> {
        let value = &name.value;
        let (why, help) = if value.trim().is_empty() {
            ("is empty", "write a name")
        } else if value.contains(char::is_control) {
            ("has a line break or another control character", "write it on one line")
        } else if value.trim() != value {
            ("has blanks around it", "remove them")
        } else {
            return Some(value.clone());
        };
        let fault = name.fault(0..value.len(), format!("this cannot be a name: it {why}"));
        self.faults.push(fault.help(help));
        None
    }

    /// One of the words of `choices`.
    pub(super) fn choice<T: Copy>(&mut self, node: Node<'_>, choices: &[(&str, T)]) -> Option<T> {
        let word = self.expanded(node)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word.value) {
            return Some(*choice);
        }
        let names = choices.iter().map(|(name, _)| *name);
        let help = match nearest(&word.written.value, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", names.collect::<Vec<_>>().join(" or ")),
        };
        let is_word = word.written.value.bytes().all(|b| b.is_ascii_lowercase());
        let written = if is_word { format!("`{}`", word.written.value) } else { "this".to_owned() };
        self.error(node, format!("{written} is not allowed here"), help);
        None
    }

    /// A length of time, at most ten years.
    pub(super) fn duration(&mut self, node: Node<'_>) -> Option<Duration> {
        let text = self.expanded(node)?;
        let duration = node.duration_in(&text.value, self.faults)?;
        if duration > LONGEST {
            self.error(node, "this is longer than ten years", "write a shorter time");
            return None;
        }
        Some(duration)
    }

    /// A web address, which may hold a token. `help` says what to write.
    pub(super) fn secret_url(&mut self, node: Node<'_>, help: &str) -> Option<SecretUrl> {
        let address = self.string(node)?;
        let url =
            Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            self.error(node, "this is not a web address", help);
        }
        url.map(SecretUrl)
    }

    /// A time of day.
    pub(super) fn time_of_day(&mut self, node: Node<'_>) -> Option<Time> {
        let time = time_of_day(&self.string(node)?);
        if time.is_none() {
            let help = "write it like \"22:00\"; it is a time in `zone`";
            self.error(node, "this is not a time of day", help);
        }
        time
    }

    /// A whole number within bounds.
    pub(super) fn count(
        &mut self,
        node: Node<'_>,
        bounds: &RangeInclusive<usize>,
    ) -> Option<usize> {
        let count = node.count(self.faults)?;
        if !bounds.contains(&count) {
            let help = format!("write a number from {} to {}", bounds.start(), bounds.end());
            self.error(node, format!("{count} is out of bounds here"), help);
            return None;
        }
        Some(count)
    }
}
