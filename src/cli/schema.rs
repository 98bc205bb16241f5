//! `tidings schema`: the JSON Schemas of the configuration and of rule files, for editors.

use clap::ValueEnum;

use crate::cli::exit::Exit;
use crate::cli::output;

/// The schema of the configuration.
pub(super) const CONFIG: &str = include_str!("../../docs/config.schema.json");

/// The schema of rule files.
pub(super) const RULES: &str = include_str!("../../docs/rules.schema.json");

/// The file that a schema describes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DescribedFile {
    /// The configuration.
    Config,
    /// A rule file.
    Rules,
}

/// Prints the schema of `file`.
pub(super) fn print_schema(file: DescribedFile) -> Exit {
    let schema = match file {
        DescribedFile::Config => CONFIG,
        DescribedFile::Rules => RULES,
    };
    output::print(schema).err().unwrap_or(Exit::Ok)
}
