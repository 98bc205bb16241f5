//! What the email notifier makes of a mail server's answers, and of its silence.

use std::time::Duration;

use jiff::tz::TimeZone;
use tidings::config::{Email, Hosts, MailSecurity, Network, Notifier};
use tidings::notify::{self, Cause, Means, Outcome, Retry};

use crate::support::letter::{alert, now, receiver};
use crate::support::smtp::{Act, Sink};

const ANA: &str = "ana@example.org";
pub(super) const PASSWORD: &str = "correct horse";
/// What AUTH PLAIN sends for `tidings` and that password.
const PLAIN: &str = "AHRpZGluZ3MAY29ycmVjdCBob3JzZQ==";

pub(super) fn desk(port: u16, security: MailSecurity) -> Email {
    Email {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        helo: "tidings.example.org".to_owned(),
        login: Some(("tidings".to_owned(), PASSWORD.into())),
        ca: Vec::new(),
        from: "Tidings <tidings@example.org>".parse().expect("an address"),
        to: vec![ANA.parse().expect("an address")],
    }
}

fn frozen(notifier: &Notifier, recipient: &str) -> Vec<u8> {
    notify::render(notifier, &receiver("desk", recipient), &alert(), &TimeZone::UTC).expect("a mail")
}

/// Sends to the first recipient.
pub(super) async fn send(email: Email) -> Outcome {
    let recipient = email.to[0].email.to_string();
    let notifier = Notifier::Email(email);
    let means = Means::new(Network::default(), Hosts::default(), TimeZone::UTC).expect("a client");
    let mail = frozen(&notifier, &recipient);
    notify::send(&notifier, &means, &receiver("desk", &recipient), "id", &mail, now()).await
}

pub(super) async fn send_to(sink: &Sink) -> Outcome {
    send(desk(sink.port(), MailSecurity::Plain)).await
}

/// Sends, and lets `seconds` pass once the server has heard `verb`.
async fn send_and_wait(sink: &Sink, verb: &str, seconds: u64) -> Outcome {
    let mail = desk(sink.port(), MailSecurity::Plain);
    tokio::join!(send(mail), pass_after(sink.wait_to_hear(verb), seconds)).0
}

/// Lets `seconds` pass once `event` has come.
pub(super) async fn pass_after(event: impl Future, seconds: u64) {
    event.await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

pub(super) fn put_off(outcome: Outcome, expected_reached: bool) -> String {
    let Outcome::Retry(Retry { why, cause, after: None, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(cause != Cause::Unreached, expected_reached, "{why}");
    assert!(!why.contains(PASSWORD) && !why.contains(PLAIN), "{why}");
    why
}

#[tokio::test]
async fn a_mail_that_the_server_takes_is_delivered_byte_for_byte_with_its_answer() {
    let sink = Sink::start().await;
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
    let letter = sink.letters().remove(0);
    assert_eq!(letter.to, [ANA]);
    let mail = frozen(&Notifier::Email(desk(1, MailSecurity::Plain)), ANA);
    assert_eq!(String::from_utf8_lossy(&letter.data).trim_end(), String::from_utf8_lossy(&mail).trim_end());
    assert!(sink.heard().contains(&format!("AUTH PLAIN {PLAIN}")), "{:?}", sink.heard());
    assert!(sink.heard().contains(&"MAIL FROM:<tidings@example.org>".to_owned()), "{:?}", sink.heard());
}

#[tokio::test]
async fn a_server_that_knows_only_login_gets_that() {
    let sink = Sink::start().await;
    sink.on("EHLO", Act::Say("250-sink\r\n250 AUTH LOGIN"));
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
    assert!(sink.heard().contains(&"AUTH LOGIN".to_owned()), "{:?}", sink.heard());
}

#[tokio::test]
async fn what_the_server_says_to_the_mail_refuses_it_or_puts_it_off() {
    for (verb, said, refused) in [
        ("MAIL", "553 5.1.8 sender unknown", true),
        ("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 here", true),
        ("DATA", "554 5.7.1 no mail today", true),
        (".", "552 5.3.4 too big", true),
        ("MAIL", "421 4.3.2 closing", false),
        ("RCPT", "421 4.3.2 closing", false),
        ("DATA", "421 4.3.2 closing", false),
        (".", "421 4.3.2 closing", false),
        ("DATA", "451 4.3.0 later", false),
        ("MAIL", "451 4.3.0 later", false),
        ("RCPT", "450 4.2.1 mailbox busy", false),
        (".", "452 4.3.1 disk full", false),
    ] {
        let sink = Sink::start().await;
        sink.on(verb, Act::Say(said));
        let outcome = send_to(&sink).await;
        let why = match outcome {
            Outcome::Refused(why) if refused => why,
            other => put_off(other, true),
        };
        assert!(
            why.starts_with(&said[..3])
                && said.split_whitespace().all(|word| why.contains(word.split('-').next().expect("a part"))),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_greeting_or_a_login_that_is_rejected_kills_no_mail() {
    for (verb, said) in [
        ("GREETING", "554 no service"),
        ("GREETING", "421 busy"),
        ("EHLO", "421 busy"),
        ("AUTH", "421 busy"),
        ("MAIL", "530 5.7.0 log in first"),
        ("RCPT", "530 5.7.0 begin with TLS"),
        ("AUTH", "535 5.7.8 wrong, I got AHRpZGluZ3MAY29ycmVjdCBob3JzZQ== which is correct horse"),
        ("AUTH", "454 4.7.0 try later"),
    ] {
        let sink = Sink::start().await;
        sink.on(verb, Act::Say(said));
        let why = put_off(send_to(&sink).await, true);
        assert!(why.contains(said.split(',').next().expect("a part")), "{why}");
        assert!(sink.letters().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_hangs_up_before_its_greeting_was_not_reached() {
    let away = Sink::reserve();
    let why = put_off(send(desk(away.port(), MailSecurity::Plain)).await, false);
    assert!(why.contains(&format!("127.0.0.1:{}", away.port())) && why.contains("refused"), "{why}");

    let sink = Sink::start().await;
    sink.on("GREETING", Act::HangUp);
    put_off(send_to(&sink).await, false);
}

#[tokio::test]
async fn where_the_answer_to_a_mail_is_missing_that_is_said() {
    let sink = Sink::start().await;
    sink.on(".", Act::HangUp);
    let why = put_off(send_to(&sink).await, true);
    assert!(why.contains("did not say whether it took the mail"), "{why}");

    let sink = Sink::start().await;
    sink.on(".", Act::Silence);
    let why = put_off(send_and_wait(&sink, "DATA", 61).await, true);
    assert!(why.contains("did not say whether it took the mail"), "{why}");
}

#[tokio::test]
async fn a_goodbye_without_an_answer_has_nothing_sent_again() {
    let sink = Sink::start().await;
    sink.on("QUIT", Act::Silence);
    assert_eq!(send_and_wait(&sink, "QUIT", 6).await, Outcome::Delivered("250 kept".to_owned()));
    sink.on("QUIT", Act::HangUp);
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
}

#[tokio::test]
async fn without_the_starttls_that_is_wanted_no_login_and_no_mail_go_out() {
    let sink = Sink::start().await;
    let why = put_off(send(desk(sink.port(), MailSecurity::StartTls)).await, false);
    assert!(why.contains("STARTTLS") && why.contains("smtps://"), "{why}");
    assert!(sink.heard().iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{:?}", sink.heard());
}

#[tokio::test]
async fn tls_begins_with_the_first_byte_and_nothing_goes_out_without_it() {
    let sink = Sink::start().await;
    let why = put_off(send(desk(sink.port(), MailSecurity::Tls)).await, false);
    assert!(why.contains("smtp+starttls://"), "{why}");
    assert!(!sink.heard().iter().any(|line| line.contains("EHLO") || line.contains("AUTH")), "{:?}", sink.heard());
}

#[tokio::test]
async fn a_server_is_reached_over_ipv6() {
    let sink = Sink::start_on_ipv6().await;
    let mail = Email { host: "::1".to_owned(), ..desk(sink.port(), MailSecurity::Plain) };
    assert_eq!(send(mail.clone()).await, Outcome::Delivered("250 kept".to_owned()));
    sink.on("MAIL", Act::HangUp);
    let why = put_off(send(mail).await, true);
    assert!(why.contains(&format!("the mail server [::1]:{} broke off", sink.port())), "{why}");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_such() {
    for (from, to, needs) in [
        ("Tidings <tidings@example.org>", "josé@example.org", true),
        ("Büro <büro@example.org>", "ana@example.org", true),
        ("tidings@bücher.example", "Ána <ana@bücher.example>", false),
    ] {
        let sink = Sink::start().await;
        let mail = Email {
            from: from.parse().expect("an address"),
            to: vec![to.parse().expect("an address")],
            ..desk(sink.port(), MailSecurity::Plain)
        };
        match send(mail.clone()).await {
            Outcome::Refused(why) => {
                assert!(needs && why.contains("SMTPUTF8"), "{why}");
                assert!(why.contains("josé@") || why.contains("büro@"), "{why}");
            }
            other => assert!(!needs && other == Outcome::Delivered("250 kept".to_owned()), "{other:?}"),
        }
        let asked = |sink: &Sink| sink.heard().iter().any(|line| line.starts_with("MAIL"));
        assert_eq!(asked(&sink), !needs);

        sink.on("EHLO", Act::Say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN"));
        assert_eq!(send(mail).await, Outcome::Delivered("250 kept".to_owned()));
        let heard = sink.heard();
        let asks = heard.iter().rev().find(|line| line.starts_with("MAIL")).expect("a mail");
        assert_eq!(asks.contains(" SMTPUTF8 BODY=8BITMIME"), needs, "{asks}");
    }
}
