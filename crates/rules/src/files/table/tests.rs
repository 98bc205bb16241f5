//! Tests of tables as people and programs save them, and of the faults of broken tables.

use std::sync::Arc;

use rstest::rstest;

use crate::fault::{Fault, Level, Source, render};
use crate::story::Story;
use crate::{Match, RuleTexts, Rules, Table};

const LISTS: &str =
    "terms:\n  sdn: {from: sdn.csv, term: name, aliases: aka, split: \";\", id: ent_num}\n";
const EACH: &str = "rules:\n  - name: Listed and crime\n    each: sdn\n    when: $sdn NEAR/30 (fraud OR laundering)\n";

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
}

fn load(yaml: &str, csv: &str) -> (Option<Rules>, Vec<Fault>) {
    let tables = vec![Table { source: source("rules/sdn.csv", csv), unreadable: None }];
    let texts = RuleTexts { rules: vec![source("rules/a.yaml", yaml)], tables };
    let mut faults = Vec::new();
    (Rules::load(&texts, None, &mut faults), faults)
}

fn sound(yaml: &str, csv: &str) -> Rules {
    let (rules, faults) = load(yaml, csv);
    rules.unwrap_or_else(|| panic!("{}", render(&faults, false)))
}

/// The place and message of every error.
fn errors(yaml: &str, csv: &str) -> Vec<String> {
    let (rules, faults) = load(yaml, csv);
    let is_error = |fault: &&Fault| fault.level == Level::Error;
    assert_eq!(rules.is_none(), faults.iter().any(|fault| is_error(&fault)));
    let listed = faults.iter().filter(is_error).map(|fault| {
        let (line, _) = fault.source.line_and_column(fault.span.start);
        format!("{}:{line}: {}", fault.source.name, fault.message)
    });
    listed.collect()
}

/// `count` rows, or other parts of a table.
fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

/// The rows that match a text, with the terms that were found.
fn listed(rules: &Rules, text: &str) -> Vec<String> {
    let shown = |found: Match| {
        let terms: Vec<&str> =
            found.evidence.iter().map(|evidence| evidence.term.as_str()).collect();
        format!("{} [{}]", found.rule.title(), terms.join(", "))
    };
    rules.matches(&Story::from_words("", text), &[]).into_iter().map(shown).collect()
}

#[test]
fn a_rule_with_each_matches_once_for_every_row_it_finds() {
    let csv = "ent_num,name,aka\n36,Ivan Petrov,Vanya P.;Иван Петров\n7,Acme Ltd,\n";
    let rules = sound(&format!("{LISTS}{EACH}"), csv);
    assert_eq!((rules.count(), rules.iter().count()), (1, 2));
    let text = "Police say that ACME LTD and Иван Петров are charged with fraud.";
    let expected = [
        "Listed and crime: Ivan Petrov (36) [Иван Петров, fraud]",
        "Listed and crime: Acme Ltd (7) [Acme Ltd, fraud]",
    ];
    assert_eq!(listed(&rules, text), expected);
    assert!(listed(&rules, "Ivan Petrov and Acme Ltd are well.").is_empty());
    let version = |row: usize| rules.iter().nth(row).expect("a row").version();
    assert_ne!(version(0), version(1));
    let edited = sound(&format!("{LISTS}{EACH}"), &csv.replace("Vanya P.", "Vanja P."));
    let after = |row: usize| edited.iter().nth(row).expect("a row").version();
    assert!(
        version(0) != after(0) && version(1) == after(1),
        "only the edited row is another version"
    );
}

#[test]
fn a_rule_of_a_row_is_kept_with_that_row_alone_and_shown_with_all() {
    let rules = sound(
        &format!("{LISTS}{EACH}"),
        "ent_num,name,aka\n36,Ivan Petrov,\"(AND) *;=x\"\n7,Acme,\n",
    );
    let first = rules.iter().next().expect("a row");
    insta::assert_snapshot!("row", first.text() + "---\n" + &first.text_of_all_rows());
}

#[test]
fn a_list_without_each_is_one_rule_and_shows_the_label() {
    let yaml = format!("{LISTS}rules:\n  - name: any\n    when: $sdn AND fraud\n");
    let rules = sound(&yaml, "ent_num,name,aka\n36,Ivan Petrov,Vanya\n7,Acme,\n");
    let found = rules.matches(&Story::from_words("", "Vanya and Acme: fraud."), &[]);
    assert_eq!((found.len(), found[0].rule.row()), (1, None));
    let labels: Vec<_> =
        found[0].evidence.iter().map(|one| (one.term.as_str(), one.label.as_deref())).collect();
    assert_eq!(labels, [("Vanya", Some("Ivan Petrov")), ("Acme", Some("Acme")), ("fraud", None)]);
}

#[rstest]
#[case("\"the \"\"Rex\"\"\"", "They met the Rex.", "They met a Rex.")]
#[case("AND", "cats and dogs", "cats or dogs")]
#[case("arms*", "They sell arms.", "They sell armstrong guns.")]
#[case("(a OR b)", "a or b", "a")]
#[case("$sdn", "the sdn list", "the list")]
#[case("title:Oslo", "a title: Oslo", "Oslo")]
#[case("/x.z/", "x.z", "xyz")]
#[case("=Target", "the target", "targets")]
#[case("\"Smith, John\"", "Smith, John", "John Smith")]
#[case("cs(US)", "cs us", "the US")]
#[case("김정은", "김정은이 말했다", "이 말했다")]
#[case("金正恩", "朝鲜的金正恩说", "朝鲜的金说")]
#[case("محمد علي", "قال محمد علي", "قال محمد")]
#[case("«Ёлка»", "елка", "ель")]
fn cells_are_literal(#[case] cell: &str, #[case] found: &str, #[case] other: &str) {
    let yaml = format!("{LISTS}rules:\n  - name: any\n    when: $sdn\n");
    let rules = sound(&yaml, &format!("ent_num,name,aka\n36,{cell},\n"));
    assert_eq!(
        (listed(&rules, found).len(), listed(&rules, other).len()),
        (1, 0),
        "{:?}",
        rules.iter().next()
    );
}

#[rstest]
#[case::missing_column("ent,name,aka\n36,Ivan,\n", &["rules/sdn.csv:1: row 1 has no column `ent_num`, which `id` asks for (rules/a.yaml:2:66)"])]
#[case::twin_columns("ent_num,name,name,aka\n36,Ivan,Petr,\n", &["rules/sdn.csv:1: row 1 has several columns `name`, which `term` asks for (rules/a.yaml:2:30)"])]
#[case::other_signs("ent_num;name;aka\n36;Ivan;\n", &[
    "rules/sdn.csv:1: row 1 has no column `name`, which `term` asks for (rules/a.yaml:2:30)",
    "rules/sdn.csv:1: row 1 has no column `aka`, which `aliases` asks for (rules/a.yaml:2:45)",
    "rules/sdn.csv:1: row 1 has no column `ent_num`, which `id` asks for (rules/a.yaml:2:66)",
])]
#[case::all_at_once("ent_num,name,aka\r\n36,Ivan,\r\n36,Petr,\r\n,Anna,\r\n5,,x\r\n6,Olga\r\n7,Olga,a,b\r\n8,***,\r\n9,Eva,Ewa;--\r\n", &[
    "rules/sdn.csv:3: row 3: the id `36` is in row 2 already",
    "rules/sdn.csv:4: row 4: no id: `ent_num` is empty",
    "rules/sdn.csv:5: row 5: no term: `name` is empty",
    "rules/sdn.csv:6: row 6: 2 cells under 3 columns",
    "rules/sdn.csv:7: row 7: 4 cells under 3 columns",
    "rules/sdn.csv:8: row 8: no word to look for in `***` (`name`)",
    "rules/sdn.csv:9: row 9: no word to look for in `--` (`aka`)",
])]
#[case::long_id(&format!("ent_num,name,aka\n{},Ivan,\n", "7".repeat(1_000_000)), &["rules/sdn.csv:2: row 2: an id of 1000000 bytes in `ent_num`; is another column meant?"])]
#[case::unclosed("ent_num,name,aka\n36,\"Ivan,\n37,Petr,\n", &["rules/sdn.csv:2: row 2: a quote that is opened here is never closed"])]
#[case::stray("ent_num,name,aka\n36,\"Ivan,\n37,\"Petr\",\n", &["rules/sdn.csv:2: row 2: text stands behind a quote that was opened here and closed"])]
#[case::nul("ent_num,name,aka\n36,Iv\0an,\n", &["rules/sdn.csv:2: a NUL byte: this is not text, or is UTF-16 without a byte order mark"])]
#[case::empty("", &["rules/sdn.csv:1: this table is empty"])]
#[case::no_rows("ent_num,name,aka\n", &["rules/sdn.csv:1: row 1: there are only names of columns here, and no rows"])]
fn what_is_wrong_with_a_table_is_reported_with_file_and_row(
    #[case] csv: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(errors(&format!("{LISTS}{EACH}"), csv), expected);
}

#[test]
fn faults_of_a_table_are_bounded_in_number_and_length() {
    let rows = many(100_000, |row| format!("{row},,\n"));
    let listed = errors(&format!("{LISTS}{EACH}"), &format!("ent_num,name,aka\n{rows}"));
    assert_eq!(listed.len(), 21);
    assert_eq!(
        listed[20],
        "rules/sdn.csv:100002: 99980 more faults in the rows of this table are not shown"
    );
    let (_, faults) = load(LISTS, &format!("ent_num,name,aka\n1,{},\n", "x ".repeat(500_000)));
    let shown = render(&faults, false);
    assert!(
        shown.contains("row 2: `name` holds 999999 bytes") && shown.len() < 2000,
        "{}",
        shown.len()
    );
}

#[test]
fn tables_are_read_as_programs_save_them() {
    let texts = [
        "ent_num,name,aka\n36,Ivan Petrov,Vanya\n",
        "ent_num,name,aka\r\n36,Ivan Petrov,Vanya\r\n",
        "\"ent_num\",\"name\",\"aka\"\r\n\"36\",\"Ivan Petrov\",\"Vanya\"",
        "note, aka ,name, ent_num\n\"a\nb, c\", ; Vanya ;,Ivan  Petrov ,36 \n\n\n",
    ];
    for csv in texts {
        let rules = sound(&format!("{LISTS}{EACH}"), csv);
        assert_eq!(
            listed(&rules, "Vanya: fraud"),
            ["Listed and crime: Ivan Petrov (36) [Vanya, fraud]"],
            "{csv:?}"
        );
    }
}

#[test]
fn without_a_column_of_ids_the_term_is_the_id_and_without_a_split_a_cell_is_one_name() {
    let yaml = "terms:\n  sdn: {from: ./x/../sdn.csv, term: name, aliases: aka}\n";
    let rules = sound(&format!("{yaml}{EACH}"), "name,aka\nIvan,A;B\n");
    assert_eq!(listed(&rules, "a b fraud"), ["Listed and crime: Ivan [A;B, fraud]"]);
    assert_eq!(
        errors(yaml, "name,aka\nIvan,\nIvan,\n"),
        ["rules/sdn.csv:3: row 3: the id `Ivan` is in row 2 already"]
    );
}

#[rstest]
#[case("each: sdm\n    when: $sdn AND fraud", "there is no term list `sdm`")]
#[case("each: crimes\n    when: $sdn AND $crimes", "the list `crimes` has no rows")]
#[case("each: sdn\n    when: $crimes", "`when` does not look for $sdn")]
#[case(
    "each: sdn\n    when: $sdn OR fraud",
    "this may match if no term of $sdn is found: then every row would alert"
)]
#[case(
    "each: sdn\n    when: fraud NOT $sdn",
    "this may match if no term of $sdn is found: then every row would alert"
)]
#[case(
    "each: sdn\n    when: ($sdn OR boss) NEAR/5 fraud",
    "this may match if no term of $sdn is found: then every row would alert"
)]
#[case(
    "each: sdn\n    when: boss EXCEPT $sdn",
    "this may match if no term of $sdn is found: then every row would alert"
)]
#[case(
    "each: sdn\n    when: fraud AND ANY/2($sdn, boss)",
    "ANY counts the terms of $sdn here, and rows have different numbers of terms"
)]
fn a_rule_that_a_row_would_not_decide_is_refused(#[case] rule: &str, #[case] expected: &str) {
    let yaml = format!("{LISTS}  crimes: [fraud, bribe*]\nrules:\n  - name: x\n    {rule}\n");
    let listed = errors(&yaml, "ent_num,name,aka\n36,Ivan,\n");
    assert!(listed.len() == 1 && listed[0].ends_with(expected), "{listed:?}");
}

#[test]
fn what_a_row_decides_is_taken() {
    for when in [
        "$sdn",
        "title:$sdn",
        "SENT($sdn AND fraud)",
        "$sdn EXCEPT Ivan Street",
        "ATLEAST/2($sdn)",
        "fraud ONEAR/3 $sdn",
        "($sdn AND fraud) OR title:$sdn",
        "ANY/1($sdn NEAR/3 fraud, $sdn NEAR/3 theft)",
        "NOT (NOT $sdn)",
        "$sdn AND words > 3",
    ] {
        let yaml = format!("{LISTS}rules:\n  - name: x\n    each: sdn\n    when: \"{when}\"\n");
        assert_eq!(errors(&yaml, "ent_num,name,aka\n36,Ivan,\n"), Vec::<String>::new(), "{when}");
    }
}

#[test]
fn examples_are_held_to_by_any_row() {
    let csv = "ent_num,name,aka\n36,Ivan Petrov,\n7,Acme,\n";
    let held = format!(
        "{LISTS}{EACH}    matches: [Acme and its fraud, \"Ivan Petrov: laundering\"]\n    ignores: [fraud]\n"
    );
    sound(&held, csv);
    let missed =
        format!("{LISTS}{EACH}    matches: [Bob and his fraud]\n    ignores: [Acme fraud]\n");
    let listed = errors(&missed, csv);
    assert!(
        listed.len() == 2
            && listed[0].contains("should match")
            && listed[1].contains("should ignore"),
        "{listed:?}"
    );
}

#[test]
fn rows_that_are_common_words_are_named() {
    let csv =
        "ent_num,name,aka\n1,Shell,\n2,TARGET,\n3,Ivan Petrov,Will;-0-\n4,Petr Ivanov,x\n5,Acme,\n";
    let (_, faults) = load(&format!("{LISTS}{EACH}"), csv);
    assert_eq!(faults.len(), 1, "{faults:?}");
    insta::assert_snapshot!("common", render(&faults, false));
}

#[test]
fn a_table_that_cannot_be_read_is_at_fault_and_one_that_is_left_out_is_missed_where_it_is_named() {
    let mut texts = RuleTexts { rules: vec![source("rules/a.yaml", LISTS)], tables: Vec::new() };
    let mut faults = Vec::new();
    assert!(Rules::load(&texts, None, &mut faults).is_none());
    assert_eq!(faults[0].message, "there is no table rules/sdn.csv that can be used");
    texts.tables.push(Table {
        source: source("rules/sdn.csv", ""),
        unreadable: Some("it is gone".to_owned()),
    });
    faults.clear();
    assert!(Rules::load(&texts, None, &mut faults).is_none());
    assert_eq!(faults[0].source.name, "rules/sdn.csv");
    assert_eq!(
        faults[0].message,
        "the table of `$sdn` (rules/a.yaml:2:15) cannot be read: it is gone"
    );
}

#[test]
fn row_changes_are_counted_by_id() {
    let yaml = format!("{LISTS}{EACH}");
    let before = sound(&yaml, "ent_num,name,aka\n1,Ivan,\n2,Petr,\n3,Olga,\n");
    let after = sound(&yaml, "ent_num,name,aka\n4,Anna,\n5,Eva,\n3,Olga,Olya\n2,Petr,\n");
    let changes = after.row_changes(&before);
    let counts: Vec<_> =
        changes.iter().map(|one| (one.list.as_str(), one.added, one.gone, one.edited)).collect();
    assert_eq!(counts, [("sdn", 2, 1, 1)]);
    assert!(after.row_changes(&after).is_empty());
    assert_eq!(after.row_changes(&Rules::default())[0].added, 4);
}

/// Tables that are damaged by accident or malice.
#[rstest]
#[case::many_rows(many(100_000, |row| format!("{row},Name{row} Family{row},\n")))]
#[case::every_row_the_same(many(20_000, |row| format!("{row},Ivan Petrov,\n")))]
#[case::one_letter(many(20_000, |row| format!("{row},a,b;c;d\n")))]
#[case::many_aliases(format!("1,Ivan,{}\n", many(50_000, |alias| format!("x{alias};"))))]
fn hostile_tables_load_and_match(#[case] rows: String) {
    let rules = sound(&format!("{LISTS}{EACH}"), &format!("ent_num,name,aka\n{rows}"));
    let story = Story::from_words("", "a fraud of Ivan Petrov, Name77 Family77 and x49999");
    let found = rules.scanner().scan(&story, &[]).count();
    assert!(found == 1 || found == rules.iter().len(), "{found}");
}
