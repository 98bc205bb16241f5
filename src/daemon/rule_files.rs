//! Rule files: reading the folder, and keeping the last good version of a file that is broken now.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fault::{Fault, Level, Source};
use crate::rule::{Known, Rules};

/// The last good text of every rule file, by its path below the rules' folder.
pub type Good = BTreeMap<String, String>;

/// Rules that can be put in force.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: Rules,
    /// The text of every file that they came from.
    pub good: Good,
    /// Broken files whose last good version stands in.
    pub stood_in: BTreeSet<String>,
    /// Broken files that no good version could stand in for: their rules are not in force.
    pub left_out: BTreeSet<String>,
}

/// How many folders deep rule files may lie; a link that leads back up ends here, too.
const DEPTH: usize = 16;

/// A rule file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path below the rules' folder: what it is known by, wherever the folder is named from.
    pub path: String,
    /// Its text, under the whole path.
    pub source: Arc<Source>,
}

/// Reads every `*.yaml` and `*.yml` under `path`, or the one file that `path` names; hidden files and folders are passed over.
///
/// # Errors
/// In a sentence with the path, where a folder or file cannot be read.
pub fn read(path: &Path) -> Result<Vec<RuleFile>, String> {
    let mut files = Vec::new();
    collect(path, 0, &mut files).map_err(|(at, why)| format!("{} cannot be read: {why}", at.display()))?;
    files.sort();
    files.iter().map(|file| read_one(path, file)).collect()
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let at = |why| (path.to_owned(), why);
    if !std::fs::metadata(path).map_err(at)?.is_dir() {
        if depth == 0 || is_rule_file(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if depth == DEPTH {
        return Err(at(io::Error::other(format!("it lies more than {DEPTH} folders deep; does a link lead back up?"))));
    }
    for entry in std::fs::read_dir(path).map_err(at)? {
        let entry = entry.map_err(at)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            collect(&entry.path(), depth + 1, files)?;
        }
    }
    Ok(())
}

fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read_one(folder: &Path, path: &Path) -> Result<RuleFile, String> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|why| format!("{name} cannot be read: {why}"))?;
    // What is not UTF-8 becomes U+FFFD, which is a fault of this file alone.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let below = path.strip_prefix(folder).ok().filter(|below| !below.as_os_str().is_empty()).unwrap_or(path);
    Ok(RuleFile { path: below.display().to_string(), source: Arc::new(Source { name, text }) })
}

/// Loads `files`; where a file is broken, its last good version stands in for it, or none if it never was good.
///
/// Every fault found goes into `faults`. `None` if no sound set of rules could be made: what was in force should stay so.
#[must_use]
pub fn load(files: &[RuleFile], good: &Good, known: &Known, faults: &mut Vec<Fault>) -> Option<Loaded> {
    let mut files = files.to_vec();
    let mut replaced = BTreeSet::new();
    loop {
        let sources: Vec<Arc<Source>> = files.iter().map(|file| Arc::clone(&file.source)).collect();
        let mut found = Vec::new();
        let rules = Rules::load(&sources, Some(known), &mut found);
        found.retain(|fault| !replaced.contains(&fault.source.name));
        let errors = found.iter().filter(|fault| fault.level == Level::Error);
        let broken: BTreeSet<String> = errors.map(|fault| fault.source.name.clone()).collect();
        faults.append(&mut found);
        if let Some(rules) = rules {
            let stands_in = |name: &String| files.iter().any(|file| file.source.name == *name);
            let (stood_in, left_out) = replaced.into_iter().partition(stands_in);
            let good = files.into_iter().map(|file| (file.path, file.source.text.clone())).collect();
            return Some(Loaded { rules, good, stood_in, left_out });
        }
        if broken.is_empty() {
            return None;
        }
        files = files.into_iter().filter_map(|file| stand_in(file, &broken, good)).collect();
        replaced.extend(broken);
    }
}

fn stand_in(file: RuleFile, broken: &BTreeSet<String>, good: &Good) -> Option<RuleFile> {
    if !broken.contains(&file.source.name) {
        return Some(file);
    }
    let text = good.get(&file.path)?.clone();
    let source = Arc::new(Source { name: file.source.name.clone(), text });
    Some(RuleFile { path: file.path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> RuleFile {
        let source = Arc::new(Source { name: format!("rules/{path}"), text: text.to_owned() });
        RuleFile { path: path.to_owned(), source }
    }

    fn rule(name: &str, when: &str) -> String {
        format!("rules:\n  - name: {name}\n    when: {when}\n")
    }

    fn names(loaded: &Loaded) -> Vec<&str> {
        loaded.rules.iter().map(|rule| rule.name()).collect()
    }

    #[test]
    fn a_broken_file_keeps_its_last_good_version_while_the_others_go_on() {
        let files = [file("a.yaml", &rule("new a", "arms")), file("b.yaml", &rule("new b", "(arms"))];
        let good = Good::from([("b.yaml".to_owned(), rule("old b", "arms"))]);
        let mut faults = Vec::new();
        let loaded = load(&files, &good, &Known::default(), &mut faults).expect("the old b stands in");
        assert_eq!(names(&loaded), ["new a", "old b"]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(loaded.good["b.yaml"], rule("old b", "arms"));
        assert_eq!(loaded.stood_in, BTreeSet::from(["rules/b.yaml".to_owned()]));
        assert!(loaded.left_out.is_empty());
    }

    #[test]
    fn a_broken_file_that_never_was_good_is_left_out_and_named() {
        let files = [file("a.yaml", &rule("a", "arms")), file("b.yaml", "rules: 3\n")];
        let mut faults = Vec::new();
        let loaded = load(&files, &Good::new(), &Known::default(), &mut faults).expect("a is sound");
        assert_eq!(names(&loaded), ["a"]);
        assert_eq!(loaded.left_out, BTreeSet::from(["rules/b.yaml".to_owned()]));
    }

    #[test]
    fn only_rule_files_are_read_and_hidden_ones_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("sub")).expect("a folder");
        for name in ["b.yaml", "a.yml", "sub/c.yaml", ".hidden.yaml", "notes.txt", "a.yaml~"] {
            std::fs::write(at(name), "").expect("a file");
        }
        let read = read(folder.path()).expect("readable");
        let paths: Vec<_> = read.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.yml", "b.yaml", "sub/c.yaml"]);
    }

    #[test]
    fn a_single_file_goes_by_its_own_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "").expect("a file");
        assert_eq!(read(&path).expect("readable")[0].path, path.display().to_string());
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_broken_by_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.yaml"), rule("a", "arms")).expect("a file");
        std::fs::write(folder.path().join("b.yaml"), b"rules: \xff").expect("a file");
        let mut faults = Vec::new();
        let files = read(folder.path()).expect("readable");
        let loaded = load(&files, &Good::new(), &Known::default(), &mut faults).expect("a is sound");
        assert_eq!(names(&loaded), ["a"]);
        assert!(faults[0].message.contains("UTF-8"), "{faults:?}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let why = read(&folder.path().join("gone")).expect_err("not there");
        assert!(why.contains("gone cannot be read: No such file"), "{why}");
    }

    #[test]
    fn a_link_that_leads_back_up_is_an_error_rather_than_a_loop() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).expect("a link");
        assert!(read(folder.path()).expect_err("a loop").contains("folders deep"));
    }
}
