//! A feed as a list of feeds has it.

use url::Url;

/// A feed as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its address: `http` or `https`.
    pub url: Url,
    /// What the list calls it, in one line.
    pub title: Option<String>,
    /// Its folders and categories.
    pub tags: Vec<String>,
}

/// What makes feeds of a list's bytes, or says in one sentence why they are no list. Whoever loads
/// a configuration brings it.
pub type ReadList<'a> = dyn Fn(&[u8]) -> Result<Vec<Listed>, String> + 'a;
