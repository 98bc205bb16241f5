//! What conditions cost.

use std::time::Duration;

use crate::alerts::NewAlert;
use crate::store::db::{self, DbConnection};
use crate::store::fixture::{Bench, new_alert};
use crate::store::groups::tests::{by, conditional, matching, publishers};
use tidings_rules::condition::{Condition, FirstKey, SLOT, Spike};

const MINUTE: Duration = Duration::from_mins(1);

/// What a match costs more in the writer if its rule has a condition, beside 100,000 matches of the
/// group, some 500 of them in the window: `cargo test --release what_a_condition_costs -- --ignored
/// --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn what_a_condition_costs() {
    let within = 400 * MINUTE;
    let spike = |slots: u32| {
        Condition::Spike(Spike { times: 2, within, against: slots * SLOT, least: 2000 })
    };
    for condition in [
        publishers(1000, within),
        Condition::Events { least: 2000, within },
        spike(144),
        spike(1000),
        Condition::First { key: FirstKey::Match, within },
        Condition::After { rule: "other".to_owned(), within, same_row: false },
    ] {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![]).await;
        bench.store.writer.write(|conn| Box::pin(fill(conn))).await.unwrap();
        let mut taken = [Vec::new(), Vec::new()];
        for number in 0..600 {
            let keys = vec![format!("key {}", number / 4)];
            let with = NewAlert { keys, ..conditional("rule", condition.clone()) };
            let side = number % 2;
            let alert = if side == 0 { new_alert("free", &[]) } else { with };
            let key = format!("new {number}");
            let item = by("afp", &key, matching(vec![NewAlert { receivers: vec![], ..alert }]));
            let start = std::time::Instant::now();
            bench.poll("wire", 6_000_000 + i64::try_from(number).unwrap(), vec![item]).await;
            taken[side].push(start.elapsed());
        }
        let [without, with] = taken.map(|mut taken| {
            taken.sort();
            taken[150]
        });
        println!("{condition}: {without:?} without, {with:?} with");
    }
}

/// A match a minute, by ten publishers, each with its story.
async fn fill(conn: &mut DbConnection<'_>) -> Result<(), sqlx::Error> {
    for sql in [
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100000)
         INSERT INTO story (uid, event, key, title, feed_text, authors, tags, first_seen, read, status)
         SELECT 'u' || n, 'u' || n, 'k' || n, 't', 't', '[]', '[]', 1000000000, 'full', 'matched' FROM n",
        "INSERT INTO alert (rule, dedup_key, version, severity, rule_match, held, read, created, story, revision,
             counted_at, publisher)
         SELECT 'rule', '', 'v', 'high', '{}', TRUE, 'full', 1000000000 + id * 60000, id, 1,
             1000000000 + id * 60000, 'publisher ' || id % 10 FROM story",
        "INSERT INTO group_tally SELECT rule, dedup_key, counted_at / 600000, count(*) FROM alert GROUP BY 1, 2, 3",
        "INSERT INTO watched SELECT DISTINCT slot FROM group_tally WHERE TRUE ON CONFLICT DO NOTHING",
        "INSERT INTO known_rule VALUES ('rule', 0)",
    ] {
        db::query(sql).execute(&mut *conn).await?;
    }
    Ok(())
}
