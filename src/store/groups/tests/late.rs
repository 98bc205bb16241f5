//! Matches of stories that came while nothing ran count at the times at which the stories came.

use super::{Bench, MINUTE, after, at_second, conditional, held, matching, message, told};
use crate::alerts::NewAlert;
use crate::store::StoryPlan;
use crate::store::fixture::{final_text, item, new_alert};
use tidings_rules::condition::{Condition, FirstKey};

/// Stories that come at these seconds and wait to be matched.
async fn come(bench: &Bench, stories: &[(i64, &str)]) {
    for (second, title) in stories {
        bench.poll("wire", *second, vec![item(title, StoryPlan::AwaitMatch)]).await;
    }
}

/// A run that starts at this second and matches all that waits.
async fn start(bench: &Bench, second: i64, alerts: impl Fn(&str) -> Vec<NewAlert>) {
    bench.store.restart_page_waits(at_second(second)).await.unwrap();
    for waiting in bench.waiting_for_match(second).await {
        let settled = final_text("Text.", matching(alerts(&waiting.story.title)));
        let settling =
            bench.store.settle_story(waiting.id, waiting.revision, settled, at_second(second));
        assert!(settling.await.unwrap());
    }
}

fn events(least: u32) -> NewAlert {
    conditional("quakes", Condition::Events { least, within: 30 * MINUTE })
}

#[tokio::test]
async fn stories_that_came_hours_apart_are_not_of_one_window() {
    let bench = Bench::new().await;
    come(&bench, &[(0, "a"), (7200, "b"), (18_000, "c"), (18_060, "d")]).await;
    start(&bench, 18_300, |_| vec![events(2)]).await;
    assert_eq!(held(&bench).await, ["a", "b"]);
    assert_eq!(told(&bench).await, [message("quakes", &["c", "d"])]);
}

#[tokio::test]
async fn a_story_that_waited_for_a_minute_or_less_counts_when_it_is_matched() {
    for (second, is_told) in [(120, true), (121, false)] {
        let bench = Bench::new().await;
        come(&bench, &[(60, "a")]).await;
        start(&bench, second, |_| vec![events(2)]).await;
        come(&bench, &[(1900, "b")]).await;
        start(&bench, 1900, |_| vec![events(2)]).await;
        assert_eq!(told(&bench).await.len(), usize::from(is_told), "at {second}");
    }
}

#[tokio::test]
async fn a_match_of_now_and_one_of_a_story_that_waited_have_their_places() {
    let bench = Bench::new().await;
    let first = Condition::First { key: FirstKey::Match, within: 60 * MINUTE };
    let key = NewAlert { keys: vec!["k".to_owned()], ..conditional("new", first) };
    come(&bench, &[(0, "early")]).await;
    come(&bench, &[(4000, "now")]).await;
    let alerts = |_: &str| vec![events(2), key.clone()];
    let mut waiting = bench.waiting_for_match(4000).await;
    waiting.reverse();
    for one in waiting {
        let settled = final_text("Text.", matching(alerts("")));
        let settling = bench.store.settle_story(one.id, one.revision, settled, at_second(4001));
        assert!(settling.await.unwrap());
    }
    come(&bench, &[(4002, "later")]).await;
    start(&bench, 4003, alerts).await;
    let expected = [message("new", &["now"]), message("quakes", &["later", "now"])];
    assert_eq!(told(&bench).await, expected);
}

#[tokio::test]
async fn a_rule_comes_after_another_in_the_order_in_which_stories_came() {
    let bench = Bench::new().await;
    come(&bench, &[(0, "too early"), (1, "call"), (3600, "in time"), (7300, "too late")]).await;
    start(&bench, 9000, |title| match title {
        "call" => vec![new_alert("call-up", &[])],
        _ => vec![after("closed", "call-up", false)],
    })
    .await;
    assert_eq!(held(&bench).await, ["too early", "too late"]);
}
