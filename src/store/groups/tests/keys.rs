//! What `first` looks for belongs to its kind of key.

use super::{Bench, MINUTE, by, conditional, held, matching};
use crate::alerts::NewAlert;
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
