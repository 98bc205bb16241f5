//! Lays the edits of one folder over the rule files that all nodes of a store have. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::folder::{RuleFile, RuleFileKind, TablePlace, is_rule_file, tables_named_in};
use super::{GoodTexts, UsableRules};
use tidings_rules::fault::Source;

/// What changed in a rule folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleEdit {
    /// What became of each file; `None`: it was removed.
    files: BTreeMap<FileKey, Option<RuleFile>>,
}

/// A file as a rule file, or as a table. One file may be both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileKey {
    name: String,
    is_table: bool,
}

impl FileKey {
    fn of(file: &RuleFile) -> Self {
        Self { name: file.name.clone(), is_table: file.kind != RuleFileKind::Rules }
    }
}

impl RuleEdit {
    /// What changed from `before` to `after`, the files of one folder. A table that no rule file
    /// names any more was not removed: another node may have a rule file that names it.
    #[must_use]
    pub fn between(before: &[RuleFile], after: &[RuleFile]) -> Self {
        let known: BTreeMap<FileKey, &RuleFile> =
            before.iter().map(|file| (FileKey::of(file), file)).collect();
        let is_same = |one: &RuleFile, other: &RuleFile| {
            one.kind == other.kind && one.source.text == other.source.text
        };
        let there: BTreeSet<FileKey> = after.iter().map(FileKey::of).collect();
        let written = after.iter().map(|file| (FileKey::of(file), file));
        let written =
            written.filter(|(key, file)| known.get(key).is_none_or(|it| !is_same(it, file)));
        let mut files: BTreeMap<_, _> =
            written.map(|(key, file)| (key, Some(file.clone()))).collect();
        let removed = known.into_keys().filter(|key| !key.is_table && !there.contains(key));
        files.extend(removed.map(|key| (key, None)));
        Self { files }
    }

    /// This edit and a later one of the same folder.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.files.extend(later.files);
        self
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The names of the files that it changes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(|key| key.name.as_str())
    }

    /// Keeps the files whose names `is_kept` accepts.
    pub fn keep_names(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.files.retain(|key, _| is_kept(&key.name));
    }

    /// The same without what `texts` have already.
    #[must_use]
    pub fn without_known(mut self, texts: &GoodTexts) -> Self {
        self.files.retain(|key, file| match file {
            Some(RuleFile { kind: RuleFileKind::NoTable(_), .. }) => true,
            Some(file) => texts.get(&key.name) != Some(&file.source.text),
            None => texts.contains_key(&key.name),
        });
        self
    }

    /// The files of `texts` with this edit, as they would be read with `base` as the folder from
    /// which names begin. A table that neither has is that of `folder`, the files of this node.
    #[must_use]
    pub fn apply(&self, base: &Path, texts: &GoodTexts, folder: &[RuleFile]) -> Vec<RuleFile> {
        let rules = rule_files_of(base, texts);
        let mut rules: BTreeMap<PathBuf, RuleFile> =
            rules.into_iter().map(|file| (PathBuf::from(&file.name), file)).collect();
        for (key, file) in self.files.iter().filter(|(key, _)| !key.is_table) {
            let place = PathBuf::from(&key.name);
            match file {
                Some(file) => drop(rules.insert(place, place_rule_file(base, file))),
                None => drop(rules.remove(&place)),
            }
        }
        let mut files: Vec<RuleFile> = rules.into_values().collect();
        let tables: BTreeSet<TablePlace> = files.iter().flat_map(tables_named_in).collect();
        files.extend(tables.into_iter().map(|table| self.table(table, texts, folder)));
        files
    }

    /// The table at this place.
    fn table(&self, place: TablePlace, texts: &GoodTexts, folder: &[RuleFile]) -> RuleFile {
        let TablePlace { path, name } = place;
        let at = |text: &str, kind| {
            let source = Source { name: path.clone(), text: text.to_owned() };
            RuleFile { name: name.clone(), source: Arc::new(source), kind }
        };
        let key = FileKey { name: name.clone(), is_table: true };
        if let Some(Some(file)) = self.files.get(&key) {
            return at(&file.source.text, file.kind.clone());
        }
        if let Some(text) = texts.get(&name) {
            return at(text, RuleFileKind::Table);
        }
        match folder.iter().find(|file| FileKey::of(file) == key) {
            Some(file) => at(&file.source.text, file.kind.clone()),
            None => at("", RuleFileKind::NoTable("no node has a table of this name".to_owned())),
        }
    }
}

/// The rule file where `base` is the folder from which names begin.
fn place_rule_file(base: &Path, file: &RuleFile) -> RuleFile {
    let path = base.join(&file.name).display().to_string();
    if path == file.source.name {
        return file.clone();
    }
    let source = Source { name: path, text: file.source.text.clone() };
    RuleFile { source: Arc::new(source), ..file.clone() }
}

/// The rule files among `texts`. If none has the name of one, there is one file, of any name, and
/// the others are its tables.
fn rule_files_of(base: &Path, texts: &GoodTexts) -> Vec<RuleFile> {
    let place = |(name, text): (&String, &String)| {
        let source = Source { name: base.join(name).display().to_string(), text: text.clone() };
        RuleFile { name: name.clone(), source: Arc::new(source), kind: RuleFileKind::Rules }
    };
    if texts.keys().any(|name| is_name_of_rules(name)) {
        return texts.iter().filter(|(name, _)| is_name_of_rules(name)).map(place).collect();
    }
    let files: Vec<RuleFile> = texts.iter().map(place).collect();
    let tables: BTreeSet<String> =
        files.iter().flat_map(tables_named_in).map(|table| table.name).collect();
    files.into_iter().filter(|file| !tables.contains(&file.name)).collect()
}

/// Whether a file of this name is read as a rule file where a folder is read.
fn is_name_of_rules(name: &str) -> bool {
    let is_inside = |part: Component<'_>| match part {
        Component::Normal(part) => !part.as_encoded_bytes().starts_with(b"."),
        _ => false,
    };
    is_rule_file(Path::new(name)) && Path::new(name).components().all(is_inside)
}

/// The texts of the rule set after an edit: `files` are those of `texts` with the edit, as they
/// were loaded. A broken file has the text of before, also if this node alone cannot use it.
#[must_use]
pub fn texts_after(texts: &GoodTexts, files: &[RuleFile], loaded: &UsableRules) -> GoodTexts {
    // The last good version of a rule file may have tables of its own.
    let mut after = loaded.good_texts.clone();
    for file in files {
        let path = &file.source.name;
        if !loaded.replaced.contains(path) && !loaded.left_out.contains(path) {
            after.insert(file.name.clone(), file.source.text.clone());
        } else if let Some(text) = texts.get(&file.name) {
            after.insert(file.name.clone(), text.clone());
        } else {
            after.remove(&file.name);
        }
    }
    after
}

/// The names of the files that differ between the rule set and a folder, in their order.
#[must_use]
pub fn differing_names(texts: &GoodTexts, folder: &[RuleFile]) -> Vec<String> {
    let readable = folder.iter().filter(|file| !matches!(file.kind, RuleFileKind::NoTable(_)));
    let there: BTreeMap<&str, &str> =
        readable.map(|file| (file.name.as_str(), file.source.text.as_str())).collect();
    let names: BTreeSet<&str> =
        texts.keys().map(String::as_str).chain(there.keys().copied()).collect();
    let differs = |name: &&str| texts.get(*name).map(String::as_str) != there.get(name).copied();
    names.into_iter().filter(differs).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIST: &str = "terms: {sdn: {from: sdn.csv, term: name}}\n";

    /// Files in the folder `/here`, each with its text; one without text cannot be read.
    fn folder(files: &[(&str, &str)]) -> Vec<RuleFile> {
        let file = |(name, text): &(&str, &str)| {
            let kind = match (is_rule_file(Path::new(name)), text.is_empty()) {
                (true, _) => RuleFileKind::Rules,
                (false, false) => RuleFileKind::Table,
                (false, true) => RuleFileKind::NoTable("it is gone".to_owned()),
            };
            let source = Source { name: format!("/here/{name}"), text: (*text).to_owned() };
            RuleFile { name: (*name).to_owned(), source: Arc::new(source), kind }
        };
        files.iter().map(file).collect()
    }

    fn texts(files: &[(&str, &str)]) -> GoodTexts {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// The files after the edit of a folder over other texts.
    fn overlay(
        before: &[(&str, &str)],
        after: &[(&str, &str)],
        over: &[(&str, &str)],
    ) -> GoodTexts {
        let edit = RuleEdit::between(&folder(before), &folder(after));
        let files = edit.apply(Path::new("/here"), &texts(over), &folder(after));
        files.into_iter().map(|file| (file.name, file.source.text.clone())).collect()
    }

    type Files = &'static [(&'static str, &'static str)];

    #[rstest]
    #[case::nothing(&[("a.yaml", "1")], &[("a.yaml", "1")], &[("b.yaml", "2")], &[("b.yaml", "2")])]
    #[case::an_edit(&[("a.yaml", "1")], &[("a.yaml", "2")], &[("a.yaml", "1")], &[("a.yaml", "2")])]
    #[case::an_added_file(&[], &[("a.yaml", "1")], &[("b.yaml", "2")], &[("a.yaml", "1"), ("b.yaml", "2")])]
    #[case::a_removed_file(&[("a.yaml", "1")], &[], &[("a.yaml", "1"), ("b.yaml", "2")], &[("b.yaml", "2")])]
    #[case::two_nodes_that_edit_two_files(
        &[("a.yaml", "1"), ("b.yaml", "1")],
        &[("a.yaml", "2"), ("b.yaml", "1")],
        &[("a.yaml", "1"), ("b.yaml", "3")],
        &[("a.yaml", "2"), ("b.yaml", "3")]
    )]
    #[case::two_nodes_that_edit_one_file(&[("a.yaml", "1")], &[("a.yaml", "2")], &[("a.yaml", "3")], &[("a.yaml", "2")])]
    #[case::the_same_edit_on_two_nodes(&[("a.yaml", "1")], &[("a.yaml", "2")], &[("a.yaml", "2")], &[("a.yaml", "2")])]
    #[case::an_edit_of_a_file_that_the_other_removed(&[("a.yaml", "1")], &[("a.yaml", "2")], &[], &[("a.yaml", "2")])]
    #[case::a_removal_of_a_file_that_the_other_edited(&[("a.yaml", "1")], &[], &[("a.yaml", "3")], &[])]
    #[case::a_removal_on_both(&[("a.yaml", "1")], &[], &[], &[])]
    #[case::a_stale_folder_is_not_used(&[("a.yaml", "0")], &[("a.yaml", "0"), ("b.yaml", "1")], &[("a.yaml", "9")], &[("a.yaml", "9"), ("b.yaml", "1")])]
    fn an_edit_changes_what_it_changed_and_nothing_else(
        #[case] before: Files,
        #[case] after: Files,
        #[case] over: Files,
        #[case] expected: Files,
    ) {
        assert_eq!(overlay(before, after, over), texts(expected));
    }

    #[rstest]
    #[case::a_table(
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nPetr")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nPetr")]
    )]
    #[case::a_table_that_comes_with_its_rule_file(
        &[],
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("b.yaml", "2")],
        &[("a.yaml", LIST), ("b.yaml", "2"), ("sdn.csv", "name\nIvan")]
    )]
    #[case::a_table_that_an_edit_names_and_the_folder_had(
        &[("a.yaml", "1"), ("b.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", LIST), ("b.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", "1")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")]
    )]
    #[case::a_table_that_another_file_still_names(
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", "1")],
        &[("a.yaml", LIST), ("b.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", "1"), ("b.yaml", LIST), ("sdn.csv", "name\nIvan")]
    )]
    #[case::a_table_that_nothing_names(
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", "1")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", "1")]
    )]
    #[case::a_table_that_cannot_be_read_any_more(
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", LIST), ("sdn.csv", "")],
        &[("a.yaml", LIST), ("sdn.csv", "name\nIvan")],
        &[("a.yaml", LIST), ("sdn.csv", "")]
    )]
    fn a_table_goes_with_the_rule_files_that_name_it(
        #[case] before: Files,
        #[case] after: Files,
        #[case] over: Files,
        #[case] expected: Files,
    ) {
        assert_eq!(overlay(before, after, over), texts(expected));
    }

    #[test]
    fn two_edits_at_once_lead_to_the_same_files_in_either_order() {
        let start = [("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")];
        let one =
            RuleEdit::between(&folder(&start), &folder(&[("a.yaml", "2"), start[1], start[2]]));
        let two =
            RuleEdit::between(&folder(&start), &folder(&[start[0], start[1], ("d.yaml", "3")]));
        let expected = texts(&[("a.yaml", "2"), ("b.yaml", "1"), ("d.yaml", "3")]);
        for (first, second) in [(&one, &two), (&two, &one)] {
            let apply = |edit: &RuleEdit, over: &GoodTexts| -> GoodTexts {
                let files = edit.apply(Path::new("/here"), over, &[]);
                files.into_iter().map(|file| (file.name, file.source.text.clone())).collect()
            };
            assert_eq!(apply(second, &apply(first, &texts(&start))), expected);
        }
        let both = one.then(two);
        let files = both.apply(Path::new("/here"), &texts(&start), &[]);
        let names: Vec<&str> = files.iter().map(|file| file.source.name.as_str()).collect();
        assert_eq!(names, ["/here/a.yaml", "/here/b.yaml", "/here/d.yaml"]);
    }

    #[test]
    fn a_later_edit_replaces_the_earlier_one_of_a_file_and_what_is_known_is_left_out() {
        let (one, two) = (folder(&[("a.yaml", "1")]), folder(&[("a.yaml", "2"), ("b.yaml", "1")]));
        let there = RuleEdit::between(&one, &two);
        assert!(!there.is_empty());
        let known = texts(&[("a.yaml", "2"), ("b.yaml", "1")]);
        assert!(there.clone().without_known(&known).is_empty());
        let back = there.then(RuleEdit::between(&two, &one));
        assert!(!back.clone().without_known(&known).is_empty());
        assert!(back.clone().without_known(&texts(&[("a.yaml", "1")])).is_empty());
        let mut of_b = back;
        of_b.keep_names(|name| name == "b.yaml");
        assert_eq!(of_b.apply(Path::new(""), &known, &[]).len(), 1);
    }

    #[test]
    fn files_are_those_that_the_folder_of_a_node_would_have() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        let list = "terms:\n  one: {from: ../../one.csv, term: name}\n  two: {from: two.csv, term: name}\n";
        std::fs::create_dir_all(at("rules/eu.x/.old")).expect("a folder");
        for (name, text) in [
            ("rules/eu.x/a.yaml", list),
            ("rules/eu.yml", "2"),
            ("rules/eu.x/two.csv", "name\nIvan"),
            ("one.csv", "name\nPetr"),
        ] {
            std::fs::write(at(name), text).expect("a file");
        }
        let read = super::super::read_rule_files(&at("rules")).expect("readable");
        let stored: GoodTexts =
            read.iter().map(|file| (file.name.clone(), file.source.text.clone())).collect();
        let names: Vec<&str> = stored.keys().map(String::as_str).collect();
        assert_eq!(names, ["../one.csv", "eu.x/a.yaml", "eu.x/two.csv", "eu.yml"]);
        let none = RuleEdit::default();
        assert_eq!(none.apply(&at("rules"), &stored, &[]), read);
        let there = none.apply(Path::new("/elsewhere/rules"), &stored, &[]);
        let paths: Vec<&str> = there.iter().map(|file| file.source.name.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/elsewhere/rules/eu.x/a.yaml",
                "/elsewhere/rules/eu.yml",
                "/elsewhere/one.csv",
                "/elsewhere/rules/eu.x/two.csv"
            ]
        );
        assert_eq!(differing_names(&stored, &read), Vec::<String>::new());
    }

    #[test]
    fn the_only_rule_file_may_have_any_name() {
        let stored = texts(&[("mine.txt", LIST), ("sdn.csv", "name\nIvan")]);
        let files = RuleEdit::default().apply(Path::new("/here"), &stored, &[]);
        let kinds: Vec<_> = files.iter().map(|file| (file.name.as_str(), &file.kind)).collect();
        assert_eq!(kinds, [("mine.txt", &RuleFileKind::Rules), ("sdn.csv", &RuleFileKind::Table)]);
    }

    #[test]
    fn files_that_differ_are_named_whichever_side_has_them() {
        let stored = texts(&[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]);
        let there = folder(&[("a.yaml", "1"), ("b.yaml", "2"), ("d.yaml", "1"), ("gone.csv", "")]);
        assert_eq!(differing_names(&stored, &there), ["b.yaml", "c.yaml", "d.yaml"]);
    }

    #[test]
    fn a_broken_file_is_recorded_as_it_was() {
        let rule = |name: &str, when: &str| format!("rules:\n  - name: {name}\n    when: {when}\n");
        let (good, new) = (rule("a", "arms"), rule("b", "oil"));
        let stored = texts(&[("a.yaml", &good), ("b.yaml", &rule("b", "gas"))]);
        let edit = RuleEdit::between(
            &[],
            &folder(&[("a.yaml", "rules: 3"), ("b.yaml", &new), ("c.yaml", "rules: 4")]),
        );
        let files = edit.apply(Path::new("/here"), &stored, &[]);
        let config = tidings_rules::RuleConfig::default();
        // This node uses an earlier version of the broken file.
        let earlier = texts(&[("a.yaml", &rule("a", "tanks"))]);
        let loaded = super::super::load_rules(&files, &earlier, &config, &mut Vec::new())
            .expect("b is sound");
        assert_eq!(loaded.rules.count(), 2);
        assert_eq!(
            texts_after(&stored, &files, &loaded),
            texts(&[("a.yaml", &good), ("b.yaml", &new)])
        );
    }
}
