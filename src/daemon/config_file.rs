//! Reads the configuration file and the files that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config;
use crate::config::{Config, Listed, LoadedConfig};
use crate::feed::opml::{self, Subscription};
use crate::files;
use tidings_rules::fault::{Fault, Source};

/// A configuration file that was read.
#[derive(Debug)]
pub struct ConfigFile {
    /// The configuration; `None` if there is an error.
    pub config: Option<Config>,
    /// The errors and warnings.
    pub faults: Vec<Fault>,
    /// The files that the configuration names and that were read for it, or could not be.
    pub files: BTreeSet<PathBuf>,
}

/// Reads and checks the configuration at `path`. Variables are those of the environment.
///
/// # Errors
/// If the file cannot be read. The error is a sentence with its path.
pub fn read(path: &Path) -> Result<ConfigFile, String> {
    let bytes = files::read_file(path, files::CONFIGURATION)
        .map_err(|why| format!("the configuration {} cannot be read: {why}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let list = |bytes: &[u8]| read_feed_list(bytes).map_err(|why| why.to_string());
    let (env, mut faults) = (|name: &str| std::env::var(name).ok(), Vec::new());
    let LoadedConfig { config, files } =
        config::load_config(&source, folder, &env, &list, &mut faults);
    Ok(ConfigFile { config, faults, files })
}

/// Reads the feeds of a list, which is OPML.
///
/// # Errors
/// If the bytes are no list.
pub fn read_feed_list(bytes: &[u8]) -> Result<Vec<Listed>, opml::NoList> {
    let feed = |Subscription { url, title, tags }| Listed { url, title, tags };
    Ok(opml::read_opml(bytes)?.into_iter().map(feed).collect())
}
