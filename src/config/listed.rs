//! A feed in a list of feeds.

use url::Url;

/// A feed in a list of feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its address: `http` or `https`.
    pub url: Url,
    /// Its title in the list, in one line.
    pub title: Option<String>,
    /// Its folders and categories.
    pub tags: Vec<String>,
}

/// Reads the bytes of a list to feeds. An error is one sentence. The caller of
/// [`load_config`](super::load_config) gives it.
pub type ReadList<'a> = dyn Fn(&[u8]) -> Result<Vec<Listed>, String> + 'a;
