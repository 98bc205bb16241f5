//! Arguments that several commands take.

use std::path::PathBuf;

/// The configuration where none is named.
pub(super) const DEFAULT_CONFIG: &str = "config.yaml";

#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgument {
    /// The configuration file.
    #[arg(long = "config", short = 'c', value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(super) path: PathBuf,
}

/// For commands that need none.
#[derive(Debug, clap::Args)]
pub(super) struct OptionalConfigArgument {
    /// The configuration with the settings for hosts [default: config.yaml, if it exists]
    #[arg(long = "config", short = 'c', value_name = "FILE")]
    pub(super) path: Option<PathBuf>,
}
