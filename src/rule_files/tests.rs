//! Tests of the loading of rule files.

use super::*;

fn file(path: &str, text: &str) -> RuleFile {
    let source = Arc::new(Source { name: format!("rules/{path}"), text: text.to_owned() });
    let kind = if path == "sdn.csv" { RuleFileKind::Table } else { RuleFileKind::Rules };
    RuleFile { name: path.to_owned(), source, kind }
}

fn rule(name: &str, when: &str) -> String {
    format!("rules:\n  - name: {name}\n    when: {when}\n")
}

fn names(loaded: &UsableRules) -> Vec<&str> {
    loaded.rules.iter().map(|rule| rule.name()).collect()
}

#[test]
fn a_broken_file_keeps_its_last_good_version_while_the_others_go_on() {
    let files = [file("a.yaml", &rule("new a", "arms")), file("b.yaml", &rule("new b", "(arms"))];
    let good = GoodTexts::from([("b.yaml".to_owned(), rule("old b", "arms"))]);
    let mut faults = Vec::new();
    let loaded = load_rules(&files, &good, &RuleConfig::default(), &mut faults)
        .expect("the old b stands in");
    assert_eq!(names(&loaded), ["new a", "old b"]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(loaded.good_texts["b.yaml"], rule("old b", "arms"));
    assert_eq!(loaded.replaced, BTreeSet::from(["rules/b.yaml".to_owned()]));
    assert!(loaded.left_out.is_empty());
}

#[test]
fn a_folder_without_rules_is_warned_of_and_files_that_are_gone_are_named() {
    let path = Path::new("rules");
    let said =
        |files: &[RuleFile], count| no_rules_warning(path, files, count).map(|fault| fault.message);
    assert_eq!(said(&[], 0).as_deref(), Some("there is no rule file here, so no story can match"));
    let lists = [file("a.yaml", "terms: {a: [b]}\n")];
    assert_eq!(said(&lists, 0).as_deref(), Some("no rule is in force here, so no story can match"));
    assert_eq!(said(&lists, 1), None);
    let good = GoodTexts::from(["a.yaml", "b.yaml"].map(|path| (path.to_owned(), String::new())));
    assert_eq!(removed_names(&lists, &good), ["b.yaml"]);
}

#[test]
fn a_broken_file_that_never_was_good_is_left_out_and_named() {
    let files = [file("a.yaml", &rule("a", "arms")), file("b.yaml", "rules: 3\n")];
    let mut faults = Vec::new();
    let loaded = load_rules(&files, &GoodTexts::new(), &RuleConfig::default(), &mut faults)
        .expect("a is sound");
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
    let read = read_rule_files(folder.path()).expect("readable");
    let paths: Vec<_> = read.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(paths, ["a.yml", "b.yaml", "sub/c.yaml"]);
}

#[test]
fn a_single_file_goes_by_its_own_name_and_its_tables_begin_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "terms: {a: {from: sub/a.csv, term: name}}\n").expect("a file");
    let read = read_rule_files(&path).expect("readable");
    let names: Vec<_> = read.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "sub/a.csv"]);
    assert_eq!(base_folder(&path), folder.path());
}

const LIST: &str = "terms:\n  sdn: {from: sdn.csv, term: name, id: id}\n";

fn listed(column: &str) -> String {
    LIST.replace("term: name", &format!("term: {column}"))
        + &rule("listed", "$sdn AND fraud")
        + "    each: sdn\n"
}

fn rows(loaded: &UsableRules) -> Vec<String> {
    loaded
        .rules
        .watchlists()
        .flat_map(|(_, rows)| rows.map(ToString::to_string).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_broken_table_keeps_its_last_good_version_while_its_rule_file_and_the_rest_go_on() {
    let good = GoodTexts::from([
        ("a.yaml".to_owned(), listed("name")),
        ("sdn.csv".to_owned(), "id,name\n1,Ivan\n".to_owned()),
    ]);
    let gone =
        RuleFile { kind: RuleFileKind::NoTable("it is gone".to_owned()), ..file("sdn.csv", "") };
    for broken in
        [file("sdn.csv", "id,name\n1,Ivan\n1,Petr\n"), file("sdn.csv", "id,title\n1,Petr\n"), gone]
    {
        let files = [
            file("a.yaml", &(listed("name") + "    why: new\n")),
            file("b.yaml", &rule("new b", "arms")),
            broken,
        ];
        let mut faults = Vec::new();
        let loaded = load_rules(&files, &good, &RuleConfig::default(), &mut faults)
            .expect("the old table stands in");
        assert_eq!(
            (names(&loaded), rows(&loaded)),
            (vec!["listed", "new b"], vec!["Ivan (1)".to_owned()])
        );
        assert_eq!(
            loaded.rules.iter().next().and_then(|rule| rule.settings.why.clone()).as_deref(),
            Some("new")
        );
        assert_eq!((faults.len(), &*faults[0].source.name), (1, "rules/sdn.csv"));
        assert_eq!(loaded.replaced, BTreeSet::from(["rules/sdn.csv".to_owned()]));
        assert_eq!(loaded.good_texts["sdn.csv"], good["sdn.csv"]);
    }
}

#[test]
fn a_rule_file_that_asks_for_a_column_that_never_was_keeps_its_last_good_version() {
    let table = "id,name\n1,Ivan\n";
    let good = GoodTexts::from([
        ("a.yaml".to_owned(), listed("name")),
        ("sdn.csv".to_owned(), table.to_owned()),
    ]);
    let files = [
        file("a.yaml", &listed("title")),
        file("b.yaml", &rule("new b", "arms")),
        file("sdn.csv", table),
    ];
    let loaded = load_rules(&files, &good, &RuleConfig::default(), &mut Vec::new())
        .expect("the old a stands in");
    assert_eq!(
        (names(&loaded), rows(&loaded)),
        (vec!["listed", "new b"], vec!["Ivan (1)".to_owned()])
    );
    let both = ["rules/a.yaml", "rules/sdn.csv"].map(str::to_owned);
    assert_eq!(loaded.replaced, BTreeSet::from(both));
}

#[test]
fn a_rule_file_that_stands_in_has_the_table_that_it_named() {
    let good = GoodTexts::from([
        ("a.yaml".to_owned(), listed("name")),
        ("sdn.csv".to_owned(), "id,name\n1,Ivan\n".to_owned()),
    ]);
    let broken = listed("name").replace("sdn.csv", "other.csv") + "    when: arms\n";
    let loaded =
        load_rules(&[file("a.yaml", &broken)], &good, &RuleConfig::default(), &mut Vec::new())
            .expect("the old a stands in");
    assert_eq!((rows(&loaded), loaded.good_texts), (vec!["Ivan (1)".to_owned()], good));
}

#[test]
fn a_broken_table_that_never_was_good_leaves_out_what_uses_it() {
    let files =
        [file("a.yaml", &listed("name")), file("b.yaml", &rule("b", "arms")), file("sdn.csv", "")];
    let loaded = load_rules(&files, &GoodTexts::new(), &RuleConfig::default(), &mut Vec::new())
        .expect("b is sound");
    assert_eq!(names(&loaded), ["b"]);
    let both = ["rules/a.yaml", "rules/sdn.csv"].map(str::to_owned);
    assert_eq!(loaded.left_out, BTreeSet::from(both));
}

#[test]
fn tables_are_read_where_rule_files_name_them_in_whatever_encoding() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("rules/eu")).expect("a folder");
    let list = |name: &str, from: &str| format!("terms:\n  {name}: {{from: {from}, term: name}}\n");
    std::fs::write(
        at("rules/eu/a.yaml"),
        list("one", "../../one.csv") + &list("two", "two.csv")[7..],
    )
    .expect("a file");
    std::fs::write(at("rules/b.yaml"), list("three", "no/such.csv")).expect("a file");
    std::fs::write(at("rules/unused.csv"), "name\n").expect("a file");
    std::fs::write(at("one.csv"), b"name\r\nJos\xe9 Mu\xf1oz\r\n").expect("a file");
    let wide = "\u{feff}name\nJosé".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    std::fs::write(at("rules/eu/two.csv"), wide).expect("a file");
    let read = read_rule_files(&at("rules")).expect("readable");
    let tables: Vec<_> = read.iter().filter(|file| file.kind != RuleFileKind::Rules).collect();
    assert_eq!(
        tables.iter().map(|file| &*file.name).collect::<Vec<_>>(),
        ["../one.csv", "eu/two.csv", "no/such.csv"]
    );
    assert_eq!(
        (&*tables[0].source.text, &*tables[1].source.text),
        ("name\r\nJosé Muñoz\r\n", "name\nJosé")
    );
    assert!(
        matches!(&tables[2].kind, RuleFileKind::NoTable(why) if why.contains("No such file")),
        "{tables:?}"
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_broken_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.yaml"), rule("a", "arms")).expect("a file");
    std::fs::write(folder.path().join("b.yaml"), b"rules: \xff").expect("a file");
    let mut faults = Vec::new();
    let files = read_rule_files(folder.path()).expect("readable");
    let loaded = load_rules(&files, &GoodTexts::new(), &RuleConfig::default(), &mut faults)
        .expect("a is sound");
    assert_eq!(names(&loaded), ["a"]);
    assert!(faults[0].message.contains("UTF-8"), "{faults:?}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let why = read_rule_files(&folder.path().join("gone")).expect_err("not there");
    assert!(why.contains("gone cannot be read: No such file"), "{why}");
}

#[test]
fn a_link_that_leads_back_up_is_an_error_rather_than_a_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).expect("a link");
    assert!(read_rule_files(folder.path()).expect_err("a loop").contains("folders deep"));
}
