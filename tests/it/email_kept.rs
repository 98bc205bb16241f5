//! Connections to a mail server that are kept for the next mail: when they are used again, and when
//! not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tidings::notify::{FailureCause, Outcome, RetryReason};

use crate::email::{Sender, pass_after, put_off};
use crate::support::http::Server;
use crate::support::setup::{RULE, config, serve_one_match};
use crate::support::smtp::{Moment, ServerAction, Sink};
use crate::support::tidings::Folder;

/// A server that is so slow that a second connection is useful.
const SLOW: ServerAction = ServerAction::SayAfter(Duration::from_millis(200), "250 kept");

fn kept() -> Outcome {
    Outcome::Delivered("250 kept".to_owned())
}

/// Makes the server answer `action` to the commands `verb` whose numbers, counted from one, are in
/// `nth`.
fn on_the(
    sink: &Sink,
    verb: &'static str,
    nth: std::ops::RangeInclusive<usize>,
    action: ServerAction,
) {
    let heard = AtomicUsize::new(0);
    sink.judge(move |moment| match moment {
        Moment::Command(command) if command == verb => {
            nth.contains(&(heard.fetch_add(1, Ordering::SeqCst) + 1)).then_some(action)
        }
        _ => None,
    });
}

#[tokio::test]
async fn many_mails_go_out_over_one_login() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    for _ in 0..5 {
        assert_eq!(sender.send().await, kept());
    }
    assert_eq!(
        (sink.connections(), sink.count("AUTH"), sink.count("RSET"), sink.count("QUIT")),
        (1, 1, 4, 0)
    );
    sender.means.close_all_connections().await;
    assert_eq!((sink.received().len(), sink.count("QUIT")), (5, 1));
}

#[tokio::test]
async fn a_server_that_closes_after_each_mail_gets_them_all() {
    for goodbye in [
        ServerAction::SayAndHangUp("250 kept"),
        ServerAction::SayAndHangUp("250 kept\r\n421 4.3.2 enough"),
    ] {
        let sink = Sink::start().await;
        sink.on(".", goodbye);
        let sender = Sender::to(&sink);
        for _ in 0..4 {
            assert_eq!(sender.send().await, kept());
        }
        assert_eq!((sink.received().len(), sink.connections()), (4, 4));
    }
}

#[tokio::test]
async fn no_more_mails_go_over_a_connection_than_the_server_states() {
    let sink = Sink::start().await;
    sink.on(
        "EHLO",
        ServerAction::Say("250-sink\r\n250-LIMITS RCPTMAX=1 MAILMAX=2\r\n250 AUTH PLAIN"),
    );
    let sender = Sender::to(&sink);
    for _ in 0..5 {
        assert_eq!(sender.send().await, kept());
    }
    assert_eq!((sink.connections(), sink.count("QUIT")), (3, 2));
}

#[tokio::test]
async fn a_server_that_takes_few_mails_over_a_connection_is_left_before_it_refuses_more() {
    let sink = Sink::start().await;
    let mails = AtomicUsize::new(0);
    sink.judge(move |moment| match moment {
        Moment::Greeting { .. } => {
            mails.store(0, Ordering::SeqCst);
            None
        }
        Moment::Command("MAIL") => (mails.fetch_add(1, Ordering::SeqCst) >= 3)
            .then_some(ServerAction::SayAndHangUp("421 4.7.0 too many messages")),
        _ => None,
    });
    let sender = Sender::to(&sink);
    for _ in 0..12 {
        assert_eq!(sender.send().await, kept());
    }
    assert_eq!((sink.received().len(), sink.connections()), (12, 4));
    assert_eq!(sink.count("MAIL"), 13, "only the fourth was refused");
}

#[tokio::test]
async fn a_server_that_has_enough_of_a_connection_gets_the_mail_over_a_new_one() {
    for (verb, action) in [
        ("RSET", ServerAction::SayAndHangUp("421 4.4.2 idle for too long")),
        ("RSET", ServerAction::Say("502 what")),
        ("RSET", ServerAction::HangUp),
        ("MAIL", ServerAction::SayAndHangUp("421 4.7.0 too many messages")),
        ("MAIL", ServerAction::Say("451 4.7.1 too many messages in this session")),
        ("RCPT", ServerAction::HangUp),
        ("DATA", ServerAction::Reset),
    ] {
        let sink = Sink::start().await;
        let nth = if verb == "RSET" { 1 } else { 2 };
        on_the(&sink, verb, nth..=nth, action);
        let sender = Sender::to(&sink);
        assert_eq!(sender.send().await, kept());
        assert_eq!(sender.send().await, kept(), "{verb}");
        assert_eq!((sink.connections(), sink.received().len()), (2, 2), "{verb}");
    }
}

#[tokio::test]
async fn a_mail_whose_outcome_is_unknown_is_not_sent_again_by_itself() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    assert_eq!(sender.send().await, kept());
    sink.on(".", ServerAction::HangUp);
    assert!(put_off(sender.send().await, true).contains("did not say whether it took the mail"));
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn a_connection_on_which_anything_was_cut_off_is_not_used_again() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    let stall = sink.stall_after_data();
    tokio::select! {
        outcome = sender.send() => panic!("{outcome:?}"),
        _ = sink.wait_for(1) => {}
    }
    stall.release();
    assert_eq!(sender.send().await, kept());
    assert_eq!(sink.connections(), 2);

    // An unexpected answer would be read as the answer to the next mail.
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    sink.on(".", ServerAction::Say("250 kept\r\n250 kept"));
    assert_eq!(sender.send().await, kept());
    sink.on(".", ServerAction::Say("451 later"));
    put_off(sender.send().await, true);
    assert_eq!(sink.connections(), 2);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_half_a_minute() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    assert_eq!(sender.send().await, kept());
    tokio::select! {
        () = sender.means.close_idle_connections() => panic!("it has no end"),
        () = async {
            pass_after(async {}, 29).await;
            tokio::task::yield_now().await;
            assert_eq!(sink.count("QUIT"), 0);
            pass_after(async {}, 2).await;
            sink.wait_to_hear("QUIT").await;
        } => {}
    }
    assert_eq!(sender.send().await, kept());
    assert_eq!(sink.connections(), 2);
}

#[tokio::test]
async fn no_more_connections_are_used_than_the_server_bears() {
    let sink = Sink::start().await;
    sink.bear(3);
    sink.on(".", SLOW);
    let sender = Sender::to(&sink);
    for _ in 0..3 {
        let outcomes = join_all((0..8).map(|_| sender.send())).await;
        assert!(outcomes.iter().all(|outcome| *outcome == kept()), "{outcomes:?}");
    }
    assert_eq!((sink.received().len(), sink.connections()), (24, 4));
}

#[tokio::test]
async fn a_quick_server_gets_mails_that_come_at_once_over_few_connections() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    let outcomes = join_all((0..8).map(|_| sender.send())).await;
    assert!(outcomes.iter().all(|outcome| *outcome == kept()), "{outcomes:?}");
    assert_eq!(sink.received().len(), 8);
    assert!(sink.count("AUTH") <= 3, "{:?}", sink.heard());
}

#[tokio::test]
async fn a_server_that_allows_few_logins_is_not_hammered() {
    let sink = Sink::start().await;
    sink.on(".", SLOW);
    on_the(
        &sink,
        "AUTH PLAIN",
        3..=usize::MAX,
        ServerAction::Say("454 4.7.0 Too many login attempts, please try again later."),
    );
    let sender = Sender::to(&sink);
    for _ in 0..3 {
        let outcomes = join_all((0..8).map(|_| sender.send())).await;
        assert!(outcomes.iter().all(|outcome| *outcome == kept()), "{outcomes:?}");
    }
    assert_eq!((sink.count("AUTH"), sink.received().len()), (3, 24));
}

#[tokio::test]
async fn a_login_that_fails_fails_once_for_all_that_wait() {
    let sink = Sink::start().await;
    sink.on("EHLO", ServerAction::Say("250-sink\r\n250 AUTH PLAIN"));
    sink.on("AUTH", ServerAction::Say("535 5.7.8 wrong"));
    let sender = Sender::to(&sink);
    for outcome in join_all((0..8).map(|_| sender.send())).await {
        let Outcome::Retry(RetryReason { cause: FailureCause::Shut, .. }) = outcome else {
            panic!("{outcome:?}")
        };
    }
    assert_eq!(sink.count("AUTH"), 1);
    sink.on("AUTH", ServerAction::Say("235 welcome"));
    assert_eq!(sender.send().await, kept());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ten_minutes_and_the_mail_goes_out_again_as_the_same() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    let stall = mail.stall_after_data();
    serve_one_match(&server);
    let config =
        config(&[server.url("/feed.xml")], &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    mail.wait_for(1).await;
    let stopped = tokio::time::timeout(Duration::from_secs(45), tidings.terminate()).await;
    assert_eq!(stopped.expect("it stops"), 0);
    stall.release();
    let mut again = folder.run(&[]);
    let mails = mail.wait_for(2).await;
    assert_eq!(mails[0].text(), mails[1].text());
    assert_eq!(again.terminate().await, 0);
}
