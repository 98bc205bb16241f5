//! Reads the configuration file and the files that it names.

use std::path::Path;
use std::sync::Arc;

use crate::config;
use crate::config::{Listed, LoadedConfig};
use crate::feed::opml::{self, Subscription};
use crate::files;
use tidings_rules::fault::Source;

/// Reads and checks the configuration at `path`. Variables are those of the environment.
///
/// # Errors
/// If the file cannot be read. The error is a sentence with its path.
pub fn read(path: &Path) -> Result<LoadedConfig, String> {
    let bytes = files::read_file(path, files::CONFIGURATION)
        .map_err(|why| format!("the configuration {} cannot be read: {why}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let list = |bytes: &[u8]| read_feed_list(bytes).map_err(|why| why.to_string());
    Ok(config::load_config(&source, folder, &|name| std::env::var(name).ok(), &list))
}

/// Reads the feeds of a list, which is OPML.
///
/// # Errors
/// If the bytes are no list.
pub fn read_feed_list(bytes: &[u8]) -> Result<Vec<Listed>, opml::NoList> {
    let feed = |Subscription { url, title, tags }| Listed { url, title, tags };
    Ok(opml::read_opml(bytes)?.into_iter().map(feed).collect())
}
