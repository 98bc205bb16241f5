//! A silence of a part of a firing.

use super::*;
use crate::alerts::silence::SilenceTarget;
use crate::store::add_silence;
use tidings_rules::story::FeedName;

/// What a run sends until `second`: why each message gathers its stories, and their titles.
async fn sent(bench: &Bench, run: i64, second: i64) -> Vec<(String, Vec<String>)> {
    let leases = bench.lease(run, "desk", second).await;
    let sent = leases.iter().map(|lease| match parse_notification(&lease.payload).content {
        Content::Digest(digest) => {
            let reason = match digest.reason {
                DigestReason::Fired { rule, .. } => rule,
                DigestReason::Silence { why, .. } => why,
                other => panic!("{other:?}"),
            };
            let stories = digest.rules.into_iter().flat_map(|group| group.stories);
            let mut titles: Vec<String> = stories.map(|story| story.story.title).collect();
            titles.sort();
            (reason, titles)
        }
        other => panic!("{other:?}"),
    });
    sent.collect()
}

#[tokio::test]
async fn each_match_of_a_firing_is_muted_for_itself() {
    let all = ["a", "b", "c"];
    for (muted, told, put_off) in [
        (None, &all[..], &[][..]),
        (Some("a"), &["b", "c"], &["a"]),
        (Some("b"), &["a", "c"], &["b"]),
        (Some("c"), &["a", "b"], &["c"]),
        (Some("blast"), &[], &all),
    ] {
        let bench = Bench::new().await;
        let run = bench.start_run(&[desk_receiver()]).await;
        if let Some(muted) = muted {
            let target = match muted {
                "blast" => SilenceTarget::Rule(muted.to_owned()),
                feed => SilenceTarget::Feed(FeedName(feed.to_owned())),
            };
            let (until, now, why) = (at_second(3600), at_second(0), "muted".to_owned());
            add_silence(&bench.place(), target, until, why, now).await.unwrap();
        }
        for (minute, key) in (1..).zip(all) {
            let rule = conditional("blast", publishers(3, 60 * MINUTE));
            bench.poll(key, minute * 60, vec![by(key, key, matching(vec![rule]))]).await;
        }
        assert_eq!(held(&bench).await, [""; 0]);
        for (second, reason, titles) in [(3599, "blast", told), (3600, "muted", put_off)] {
            let expected: Vec<_> =
                (!titles.is_empty()).then(|| message(reason, titles)).into_iter().collect();
            assert_eq!(sent(&bench, run, second).await, expected, "{muted:?} at {second}");
        }
    }
}
