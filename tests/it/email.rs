//! The email notifier, with every answer of a mail server and with its silence.

use std::time::Duration;

use jiff::tz::TimeZone;
use tidings::config::{Email, HostSettings, MailSecurity, Network, Notifier};
use tidings::notify::{self, FailureCause, FailureScope, Outcome, RetryReason, SendContext};

use crate::support::notification::{alert, now, receiver};
use crate::support::smtp::{ServerAction, Sink};

const ANA: &str = "ana@example.org";
pub(super) const PASSWORD: &str = "correct horse";
/// The argument of AUTH PLAIN for `tidings` and that password.
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
    notify::render(notifier, &receiver("desk", recipient), &alert(), &TimeZone::UTC)
        .expect("a mail")
}

/// A notifier that keeps its connections for the next mail.
pub(super) struct Sender {
    notifier: Notifier,
    recipient: String,
    pub(super) means: SendContext,
}

impl Sender {
    pub(super) fn new(email: Email) -> Self {
        let recipient = email.to[0].email.to_string();
        let means = SendContext::new(Network::default(), HostSettings::default(), TimeZone::UTC)
            .expect("a client");
        Self { notifier: Notifier::Email(email), recipient, means }
    }

    pub(super) fn to(sink: &Sink) -> Self {
        Self::new(desk(sink.port(), MailSecurity::Plain))
    }

    /// Sends to the first recipient.
    pub(super) async fn send(&self) -> Outcome {
        let mail = frozen(&self.notifier, &self.recipient);
        notify::send(
            &self.notifier,
            &self.means,
            &receiver("desk", &self.recipient),
            "id",
            &mail,
            now(),
        )
        .await
    }
}

/// Sends to the first recipient, over a connection of its own.
pub(super) async fn send(email: Email) -> Outcome {
    Sender::new(email).send().await
}

pub(super) async fn send_to(sink: &Sink) -> Outcome {
    send(desk(sink.port(), MailSecurity::Plain)).await
}

/// Lets `seconds` pass after `event`.
pub(super) async fn pass_after(event: impl Future, seconds: u64) {
    event.await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

pub(super) fn put_off(outcome: Outcome, expected_reached: bool) -> String {
    let Outcome::Retry(RetryReason { why, cause, requested_wait: None, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(cause != FailureCause::Unreached, expected_reached, "{why}");
    assert!(!why.contains(PASSWORD) && !why.contains(PLAIN), "{why}");
    why
}

#[tokio::test]
async fn a_mail_that_the_server_takes_is_delivered_byte_for_byte_with_its_answer() {
    let sink = Sink::start().await;
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
    let received = sink.received().remove(0);
    assert_eq!(received.to, [ANA]);
    let mail = frozen(&Notifier::Email(desk(1, MailSecurity::Plain)), ANA);
    assert_eq!(
        String::from_utf8_lossy(&received.data).trim_end(),
        String::from_utf8_lossy(&mail).trim_end()
    );
    assert!(sink.heard().contains(&format!("AUTH PLAIN {PLAIN}")), "{:?}", sink.heard());
    assert!(
        sink.heard().contains(&"MAIL FROM:<tidings@example.org>".to_owned()),
        "{:?}",
        sink.heard()
    );
}

#[tokio::test]
async fn a_server_that_knows_only_login_gets_that() {
    let sink = Sink::start().await;
    sink.on("EHLO", ServerAction::Say("250-sink\r\n250 AUTH LOGIN"));
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
    assert!(sink.heard().contains(&"AUTH LOGIN".to_owned()), "{:?}", sink.heard());
}

#[tokio::test]
async fn what_the_server_says_to_the_mail_refuses_it_or_puts_it_off() {
    for (verb, said, refused) in [
        ("MAIL", "553 5.1.8 sender unknown", false),
        ("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 here", true),
        ("DATA", "554 5.7.1 no mail today", false),
        (".", "550 5.7.26 unauthenticated", false),
        (".", "550 5.4.5 Daily sending quota exceeded", false),
        ("RCPT", "552 5.2.2 mailbox full", false),
        (".", "554 transaction failed", true),
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
        sink.on(verb, ServerAction::Say(said));
        let outcome = send_to(&sink).await;
        let why = match outcome {
            Outcome::Refused(why) | Outcome::TooLarge(why) if refused => why,
            other => put_off(other, true),
        };
        assert!(
            why.starts_with(&said[..3])
                && said
                    .split_whitespace()
                    .all(|word| why.contains(word.split('-').next().expect("a part"))),
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
        sink.on(verb, ServerAction::Say(said));
        let why = put_off(send_to(&sink).await, true);
        assert!(why.contains(said.split(',').next().expect("a part")), "{why}");
        assert!(sink.received().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_hangs_up_before_its_greeting_was_not_reached() {
    let away = Sink::reserve();
    let why = put_off(send(desk(away.port(), MailSecurity::Plain)).await, false);
    assert!(
        why.contains(&format!("127.0.0.1:{}", away.port())) && why.contains("refused"),
        "{why}"
    );

    let sink = Sink::start().await;
    sink.on("GREETING", ServerAction::HangUp);
    put_off(send_to(&sink).await, false);
}

#[tokio::test]
async fn where_the_answer_to_a_mail_is_missing_that_is_said() {
    let sink = Sink::start().await;
    sink.on(".", ServerAction::HangUp);
    let why = put_off(send_to(&sink).await, true);
    assert!(why.contains("did not say whether it took the mail"), "{why}");

    let sink = Sink::start().await;
    sink.on(".", ServerAction::Silence);
    let outcome = tokio::join!(send_to(&sink), pass_after(sink.wait_for(1), 601)).0;
    let why = put_off(outcome, true);
    assert!(why.contains("did not say whether it took the mail"), "{why}");
}

#[tokio::test]
async fn an_answer_to_the_final_dot_may_take_ten_minutes() {
    let sink = Sink::start().await;
    let stall = sink.stall_after_data();
    let answer = async {
        pass_after(sink.wait_for(1), 590).await;
        stall.release();
    };
    assert_eq!(tokio::join!(send_to(&sink), answer).0, Outcome::Delivered("250 kept".to_owned()));
}

#[tokio::test]
async fn a_refusal_says_whom_it_concerns_and_how_long_to_wait() {
    for (step, said, cause, scope, after) in [
        ("RCPT", "452 4.2.2 mailbox full", FailureCause::Busy, FailureScope::Recipient, None),
        (
            "RCPT",
            "450 4.7.1 Greylisted, try again in 300 seconds",
            FailureCause::Busy,
            FailureScope::Recipient,
            Some(300),
        ),
        (
            "MAIL",
            "421 4.7.0 too much; try again in 2 minutes",
            FailureCause::Busy,
            FailureScope::Notifier,
            Some(120),
        ),
        ("GREETING", "421 wait 90 seconds", FailureCause::Busy, FailureScope::Notifier, Some(90)),
        (
            "RCPT",
            "550 5.7.1 you may not write to this list",
            FailureCause::Shut,
            FailureScope::Recipient,
            None,
        ),
        ("GREETING", "554 5.7.1 blocked", FailureCause::Shut, FailureScope::Notifier, None),
        (".", "451 local error", FailureCause::Failed, FailureScope::Notifier, None),
    ] {
        let sink = Sink::start().await;
        sink.on(step, ServerAction::Say(said));
        let Outcome::Retry(retry) = send_to(&sink).await else { panic!("{said}") };
        let expected = (cause, scope, after.map(Duration::from_secs));
        assert_eq!((retry.cause, retry.scope, retry.requested_wait), expected, "{said}");
    }
}

#[tokio::test]
async fn only_the_code_of_an_answer_counts() {
    let long: &[u8] =
        [b"250-".to_vec(), vec![b'x'; 1 << 20], b"\r\n250-\n250\r\n".to_vec()].concat().leak();
    let many: &[u8] = [b"220-hello\r\n".repeat(100), b"220\r\n".to_vec()].concat().leak();
    let gbk = b"250 \xd3\xca\xbc\xfe\xd2\xd1\xbd\xd3\xca\xd5\r\n";
    for (step, bytes) in [
        ("GREETING", &b"220 Bienvenue \xe0 tous\r\n"[..]),
        ("GREETING", many),
        ("GREETING", b"220\n"),
        ("EHLO", b"250-\xd3\xca\n250-\n250 auth login plain\n"),
        ("MAIL", gbk),
        ("RCPT", long),
        (".", gbk),
        (".", long),
        (".", b"250\r\n"),
    ] {
        let sink = Sink::start().await;
        sink.on(step, ServerAction::Bytes(bytes));
        let outcome = send_to(&sink).await;
        assert!(matches!(outcome, Outcome::Delivered(_)), "{step}: {outcome:?}");
    }
    let sink = Sink::start().await;
    sink.on("RCPT", ServerAction::Bytes(b"550 \xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda\r\n"));
    assert!(matches!(send_to(&sink).await, Outcome::Refused(_)));
}

#[tokio::test]
async fn a_login_goes_through_by_the_mechanism_that_works() {
    for (offer, refusal) in [
        (
            "250-sink\r\n250 AUTH PLAIN LOGIN",
            ServerAction::Say("504 5.7.4 Unrecognized authentication type"),
        ),
        ("250-sink\r\n250 AUTH PLAIN LOGIN", ServerAction::Say("535 5.7.8 no")),
        ("250-sink\r\n250 AUTH PLAIN LOGIN", ServerAction::SayAndHangUp("534 5.7.9 too weak")),
        ("250-sink\r\n250 AUTH PLAIN LOGIN", ServerAction::HangUp),
        ("250-sink\r\n250 auth=login plain", ServerAction::Say("504 what")),
        ("250-sink\r\n250 auth ntlm login", ServerAction::HangUp),
    ] {
        let sink = Sink::start().await;
        sink.on("EHLO", ServerAction::Say(offer));
        sink.on("AUTH PLAIN", refusal);
        let sender = Sender::to(&sink);
        for _ in 0..2 {
            assert_eq!(sender.send().await, Outcome::Delivered("250 kept".to_owned()), "{offer}");
        }
        assert_eq!(sink.count("AUTH LOGIN"), 1, "{:?}", sink.heard());
    }
}

#[tokio::test]
async fn a_server_without_a_login_that_we_know_is_named() {
    let sink = Sink::start().await;
    sink.on("EHLO", ServerAction::Say("250-sink\r\n250 AUTH NTLM GSSAPI"));
    let Outcome::Retry(RetryReason { why, cause: FailureCause::Shut, .. }) = send_to(&sink).await
    else {
        panic!("put off")
    };
    assert!(why.contains("PLAIN, LOGIN"), "{why}");
}

#[tokio::test]
async fn a_server_that_does_not_know_ehlo_gets_helo() {
    let sink = Sink::start().await;
    sink.on("EHLO", ServerAction::Say("502 5.5.1 what"));
    let mail = Email { login: None, ..desk(sink.port(), MailSecurity::Plain) };
    assert_eq!(send(mail).await, Outcome::Delivered("250 kept".to_owned()));
    assert_eq!(sink.heard()[..2], ["EHLO tidings.example.org", "HELO tidings.example.org"]);
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_known_before_it_is_sent() {
    let sink = Sink::start().await;
    sink.on("EHLO", ServerAction::Say("250-sink\r\n250-size 1000\r\n250 AUTH PLAIN"));
    let Outcome::TooLarge(why) = send_to(&sink).await else { panic!("too large") };
    assert!(why.contains("at most 1000 bytes"), "{why}");
    sink.on("EHLO", ServerAction::Say("250-sink\r\n250-SIZE 1000000\r\n250 AUTH PLAIN"));
    assert_eq!(send_to(&sink).await, Outcome::Delivered("250 kept".to_owned()));
    assert!(sink.heard().iter().any(|line| line.contains("> SIZE=")), "{:?}", sink.heard());
}

#[tokio::test]
async fn without_the_starttls_that_is_wanted_no_login_and_no_mail_go_out() {
    let sink = Sink::start().await;
    let why = put_off(send(desk(sink.port(), MailSecurity::StartTls)).await, false);
    assert!(why.contains("STARTTLS") && why.contains("smtps://"), "{why}");
    assert!(
        sink.heard().iter().all(|line| line.starts_with("EHLO") || line == "QUIT"),
        "{:?}",
        sink.heard()
    );
}

#[tokio::test]
async fn tls_begins_with_the_first_byte_and_nothing_goes_out_without_it() {
    let sink = Sink::start().await;
    let why = put_off(send(desk(sink.port(), MailSecurity::Tls)).await, false);
    assert!(why.contains("smtp+starttls://"), "{why}");
    assert!(
        !sink.heard().iter().any(|line| line.contains("EHLO") || line.contains("AUTH")),
        "{:?}",
        sink.heard()
    );
}

#[tokio::test]
async fn a_server_is_reached_over_ipv6() {
    let sink = Sink::start_on_ipv6().await;
    let mail = Email { host: "::1".to_owned(), ..desk(sink.port(), MailSecurity::Plain) };
    assert_eq!(send(mail.clone()).await, Outcome::Delivered("250 kept".to_owned()));
    sink.on("MAIL", ServerAction::HangUp);
    let why = put_off(send(mail).await, true);
    assert!(
        why.contains(&format!("the mail server [::1]:{} did not take the mail", sink.port())),
        "{why}"
    );
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
                assert!(needs && why.contains("SMTPUTF8") && why.contains("josé@"), "{why}");
            }
            // The sender is the same in every mail, so the configuration can be corrected.
            Outcome::Retry(RetryReason { why, cause: FailureCause::Shut, .. }) => {
                assert!(needs && why.contains("SMTPUTF8") && why.contains("büro@"), "{why}");
            }
            other => {
                assert!(!needs && other == Outcome::Delivered("250 kept".to_owned()), "{other:?}");
            }
        }
        let asked = |sink: &Sink| sink.heard().iter().any(|line| line.starts_with("MAIL"));
        assert_eq!(asked(&sink), !needs);

        sink.on(
            "EHLO",
            ServerAction::Say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN"),
        );
        assert_eq!(send(mail).await, Outcome::Delivered("250 kept".to_owned()));
        let heard = sink.heard();
        let asks = heard.iter().rev().find(|line| line.starts_with("MAIL")).expect("a mail");
        assert_eq!(asks.contains(" SMTPUTF8 BODY=8BITMIME"), needs, "{asks}");
    }
}
