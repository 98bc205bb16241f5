//! The configuration and the rule files of a running daemon: reads them, and watches them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use super::watch::{Watch, watch};
use crate::config::LoadedConfig;
use crate::daemon::config_file;
use crate::rule_files;
use crate::rule_files::{RuleFile, RuleFileKind};

/// How often everything is read again because other files are to be watched.
const MOST_READS: usize = 5;

/// The configuration file, the rule folder, and their watch.
pub(super) struct Sources {
    config: PathBuf,
    /// The rule folder of the last configuration without errors.
    folder: PathBuf,
    /// The configuration file, the files that it names, and the tables of the rules.
    files: BTreeSet<PathBuf>,
    /// Notified when the folder or a file changes.
    changed: Arc<Notify>,
    watch: Option<Watch>,
}

/// What was read at one time.
pub(super) struct ReadSources {
    /// The configuration, or why it cannot be read.
    pub(super) config: Result<LoadedConfig, String>,
    /// The rule files, or why they cannot be read. They are those of the configuration if it has no
    /// error.
    pub(super) rules: Result<Vec<RuleFile>, String>,
}

impl Sources {
    /// The configuration file and the rule folder in force. `changed` is notified when they change.
    pub(super) fn new(config: PathBuf, folder: PathBuf, changed: Arc<Notify>) -> Self {
        Self { config, folder, files: BTreeSet::new(), changed, watch: None }
    }

    /// Watches everything anew, and reads it. Blocks the thread.
    pub(super) fn read(&mut self) -> ReadSources {
        let mut reading = self.read_once();
        for _ in 1..MOST_READS {
            // Files that were not watched while they were read may have changed.
            if !self.note(&reading) {
                break;
            }
            reading = self.read_once();
        }
        reading
    }

    /// Sets the watch up before anything is read. A folder that was replaced as a whole is another
    /// folder to the system.
    fn read_once(&mut self) -> ReadSources {
        self.watch = None;
        self.watch = watch(&self.folder, &self.files, &self.changed);
        let config = config_file::read(&self.config);
        let sound = config.as_ref().ok().and_then(|file| file.config.as_ref());
        let folder = sound.map_or(&self.folder, |config| &config.rules);
        ReadSources { rules: rule_files::read_rule_files(folder), config }
    }

    /// Notes the folder and the files of `reading`. Returns whether others were watched.
    fn note(&mut self, reading: &ReadSources) -> bool {
        let mut files = BTreeSet::from([self.config.clone()]);
        let mut folder = self.folder.clone();
        if let Ok(file) = &reading.config {
            files.extend(file.files.iter().cloned());
            folder = file.config.as_ref().map_or(folder, |config| config.rules.clone());
        }
        let rules = reading.rules.iter().flatten();
        let tables = rules.filter(|file| file.kind != RuleFileKind::Rules);
        files.extend(tables.map(|file| PathBuf::from(&file.source.name)));
        let is_other = folder != self.folder || files != self.files;
        (self.folder, self.files) = (folder, files);
        is_other
    }
}
