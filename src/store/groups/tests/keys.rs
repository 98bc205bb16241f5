//! What `first` looks for belongs to its kind of key, and publishers are compared as they are read.

use super::{Bench, MINUTE, by, conditional, held, matching, message, publishers, told};
use crate::alerts::{NewAlert, RuleMatch};
use tidings_rules::condition::{Condition, FirstKey};

#[tokio::test]
async fn a_key_of_another_kind_is_another_key() {
    let bench = Bench::new().await;
    for (number, key) in [FirstKey::Tag, FirstKey::Author, FirstKey::Author].into_iter().enumerate()
    {
        let first = Condition::First { key, within: 60 * MINUTE };
        let alert = NewAlert { keys: vec!["reuters".to_owned()], ..conditional("new", first) };
        let item = by("afp", &number.to_string(), matching(vec![alert]));
        bench.poll("wire", 0, vec![item]).await;
    }
    assert_eq!(held(&bench).await, ["2"]);
}

#[tokio::test]
async fn a_publisher_that_is_written_in_two_ways_is_one() {
    let bench = Bench::new().await;
    let first = Condition::First { key: FirstKey::Source, within: 60 * MINUTE };
    for (second, publisher, key) in [
        (0, "Reuters", "a"),
        (1, "REUTERS", "b"),
        (2, " reuters\u{a0}", "c"),
        (3, "Agência  Lusa", "d"),
        (4, "agencia lusa", "e"),
    ] {
        let blast = conditional("blast", publishers(3, 60 * MINUTE));
        let alerts = vec![blast, conditional("new", first.clone())];
        bench.poll("wire", second, vec![by(publisher, key, matching(alerts))]).await;
    }
    let newest = "SELECT rule_match FROM alert WHERE rule = 'blast' ORDER BY id DESC";
    let newest = bench.query_text(newest).await.unwrap();
    let newest: RuleMatch = serde_json::from_str(&newest).unwrap();
    let progress = newest.condition.unwrap().progress.unwrap();
    assert_eq!(
        progress, "2 of 3 publishers: Agência Lusa, Reuters",
        "each as it was written first"
    );
    assert_eq!(told(&bench).await, [message("new", &["a"]), message("new", &["d"])]);
}
