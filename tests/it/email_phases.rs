//! A mail server that stalls, disconnects or sends nonsense, at every step of a conversation.

use tidings::config::MailSecurity;
use tidings::notify::Outcome;

use crate::email::{Sender, desk, pass_after, put_off, send, send_to};
use crate::support::http::Server;
use crate::support::setup::{RULE, config, serve_one_match};
use crate::support::smtp::{ServerAction, Sink};
use crate::support::tidings::Folder;

/// The steps before a mail is accepted, the client's error there, and whether a missing answer
/// counts as an attempt.
const BEFORE_THE_END: [(&str, &str, bool); 5] = [
    ("EHLO", "EHLO", false),
    ("AUTH", "AUTH", false),
    ("MAIL", "MAIL", true),
    ("RCPT", "RCPT", true),
    ("DATA", "DATA", true),
];

/// Sends to a server that does `action` at `step`.
async fn send_at(step: &'static str, action: ServerAction) -> (Sink, Outcome) {
    let sink = Sink::start().await;
    sink.on(step, action);
    let outcome = send_to(&sink).await;
    (sink, outcome)
}

#[tokio::test]
async fn a_stall_at_any_step_ends() {
    for (step, said, counts) in BEFORE_THE_END {
        let seconds = if matches!(step, "MAIL" | "RCPT") { 301 } else { 121 };
        let sink = Sink::start().await;
        sink.on(step, ServerAction::Silence);
        let mail = desk(sink.port(), MailSecurity::Plain);
        let outcome = tokio::join!(send(mail), pass_after(sink.wait_to_hear(said), seconds)).0;
        let why = put_off(outcome, counts);
        assert!(!why.contains("did not say whether it took"), "{step}: {why}");
        assert!(sink.received().is_empty());
    }
    let sink = Sink::start().await;
    sink.on("GREETING", ServerAction::Silence);
    let mail = desk(sink.port(), MailSecurity::Plain);
    let outcome = tokio::join!(send(mail), pass_after(sink.wait_for_connection(), 121)).0;
    assert!(put_off(outcome, false).contains("did not accept the connection in time"));
}

#[tokio::test]
async fn a_connection_that_is_never_completed_is_given_up() {
    for security in [MailSecurity::Plain, MailSecurity::Tls] {
        let stuck = Sink::reserve().stall().await;
        // Nothing else happens, so time passes by itself.
        tokio::time::pause();
        let why = put_off(send(desk(stuck.port, security)).await, false);
        tokio::time::resume();
        assert!(why.contains("timed out"), "{why}");
    }
}

#[tokio::test]
async fn whoever_breaks_off_before_the_end_has_not_taken_the_mail_and_that_is_said() {
    for action in [ServerAction::HangUp, ServerAction::Reset] {
        for (step, said, counts) in BEFORE_THE_END {
            let (sink, outcome) = send_at(step, action).await;
            let why = put_off(outcome, counts);
            assert!(
                !counts
                    || why.contains(&format!(
                        "did not take the mail, because the connection failed at {said}: "
                    )),
                "{why}"
            );
            assert!(sink.received().is_empty());
        }
        let (_, outcome) = send_at("GREETING", action).await;
        put_off(outcome, false);
        let (sink, outcome) = send_at(".", action).await;
        assert!(put_off(outcome, true).contains("did not say whether it took the mail"));
        assert_eq!(sink.received().len(), 1);
    }
}

#[tokio::test]
async fn what_a_server_said_counts_although_it_then_says_no_more() {
    for (step, said) in
        [("RCPT", "550 5.1.1 no such user"), ("MAIL", "451 4.3.0 later"), (".", "250 kept")]
    {
        let sink = Sink::start().await;
        sink.on("EHLO", ServerAction::Say("250-sink\r\n250-LIMITS MAILMAX=1\r\n250 AUTH PLAIN"));
        sink.on(step, ServerAction::Say(said));
        sink.on("QUIT", ServerAction::Silence);
        let mail = desk(sink.port(), MailSecurity::Plain);
        let outcome = tokio::join!(send(mail), pass_after(sink.wait_to_hear("QUIT"), 6)).0;
        match outcome {
            Outcome::Refused(why) | Outcome::Delivered(why) => assert_eq!(why, said),
            other => assert_eq!(put_off(other, true), said),
        }
    }
}

#[tokio::test]
async fn an_answer_that_belongs_to_another_question_delivers_nothing() {
    for (step, said) in
        [("MAIL", "354 go on"), ("RCPT", "334 what"), ("DATA", "250 ok"), (".", "354 go on")]
    {
        let (_, outcome) = send_at(step, ServerAction::Say(said)).await;
        let why = put_off(outcome, true);
        assert!(why.contains(&format!("it sent an unexpected answer: {said}")), "{why}");
    }
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    for step in ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            b"\x16\x03\x01\r\n",
            b"2500 \xff\xfe\r\n",
            b"2\r\n",
        ] {
            let (_, outcome) = send_at(step, ServerAction::Bytes(bytes)).await;
            assert!(matches!(outcome, Outcome::Retry(_)), "{step}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let line: &[u8] = [&b"250-"[..], &[b'x'; 900], b"\r\n"].concat().leak();
    for step in ["GREETING", "EHLO", "RCPT", "."] {
        for bytes in [&[b'2'; 4096][..], line] {
            let (_, outcome) = send_at(step, ServerAction::Flood(bytes)).await;
            let why = put_off(outcome, matches!(step, "RCPT" | "."));
            assert!(why.contains("the server's reply is too long"), "{step}: {why}");
        }
    }
}

#[tokio::test]
async fn the_next_mail_is_not_harmed_by_the_last() {
    let sink = Sink::start().await;
    let sender = Sender::to(&sink);
    for (step, said) in [("RCPT", "550 no"), ("DATA", "550 no"), (".", "550 no")] {
        sink.on(step, ServerAction::Say(said));
        assert!(matches!(sender.send().await, Outcome::Refused(_)));
        sink.on(step, ServerAction::Say(if step == "DATA" { "354 go on" } else { "250 ok" }));
        assert!(matches!(sender.send().await, Outcome::Delivered(_)));
    }
    assert_eq!(sink.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_fate_is_unknown_is_sent_again_as_the_same_mail() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    mail.on(".", ServerAction::HangUp);
    serve_one_match(&server);
    let config =
        config(&[server.url("/feed.xml")], &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    let said = tidings.wait_for_log(|line| line.contains("did not take a message")).await;
    assert!(said.contains("did not say whether it took the mail"), "{said}");
    mail.on(".", ServerAction::Say("250 kept"));
    let mails = mail.wait_for(2).await;
    assert_eq!(mails[0].text(), mails[1].text());
    assert!(mails[0].text().contains("Message-ID: <"), "{}", mails[0].text());
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(mail.received().len(), 2);
}
