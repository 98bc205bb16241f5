//! Mail over TLS, from the first byte and by STARTTLS: which certificates are accepted, and that
//! nothing is sent without TLS.

use tidings::config::{Email, MailSecurity};
use tidings::notify::Outcome;

use crate::email::{desk, pass_after, put_off, send};
use crate::support::smtp::{ServerAction, Sink};
use crate::support::tidings::Folder;
use crate::support::tls::Ca;

/// Both kinds of TLS, and whether it starts with the first byte.
const BOTH: [(MailSecurity, bool); 2] =
    [(MailSecurity::Tls, true), (MailSecurity::StartTls, false)];

fn trusting(ca: &Ca, sink: &Sink, security: MailSecurity) -> Email {
    Email { ca: vec![ca.authority()], ..desk(sink.port(), security) }
}

fn heard_only_a_greeting(sink: &Sink) -> bool {
    sink.heard()
        .iter()
        .all(|line| ["EHLO", "STARTTLS", "QUIT"].iter().any(|verb| line.starts_with(verb)))
}

#[tokio::test]
async fn a_mail_goes_out_over_tls_to_a_server_of_a_private_authority() {
    for (security, from_the_start) in BOTH {
        let ca = Ca::new();
        let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), from_the_start).await;
        assert_eq!(
            send(trusting(&ca, &sink, security)).await,
            Outcome::Delivered("250 kept".to_owned())
        );
        let heard = sink.heard();
        assert_eq!(heard.contains(&"STARTTLS".to_owned()), !from_the_start, "{heard:?}");
        let login = heard.iter().position(|line| line.starts_with("AUTH")).expect("a login");
        assert!(
            from_the_start
                || heard.iter().position(|line| line == "STARTTLS").is_some_and(|tls| tls < login)
        );
        assert_eq!(sink.received().len(), 1);
    }
}

#[tokio::test]
async fn both_ways_of_logging_in_work_over_tls() {
    for (security, from_the_start) in BOTH {
        for (offer, spoken) in
            [("250 AUTH PLAIN", "AUTH PLAIN "), ("250-STARTTLS\r\n250 AUTH LOGIN", "AUTH LOGIN")]
        {
            let ca = Ca::new();
            let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), from_the_start).await;
            let offer = if from_the_start || offer.contains("STARTTLS") {
                offer
            } else {
                "250-STARTTLS\r\n250 AUTH PLAIN"
            };
            sink.on("EHLO", ServerAction::Say(offer));
            assert_eq!(
                send(trusting(&ca, &sink, security)).await,
                Outcome::Delivered("250 kept".to_owned())
            );
            assert!(sink.heard().iter().any(|line| line.starts_with(spoken)), "{:?}", sink.heard());
        }
    }
}

#[tokio::test]
async fn an_authority_that_is_not_known_and_a_certificate_for_another_name_are_not_believed() {
    for (security, from_the_start) in BOTH {
        let (ca, other) = (Ca::new(), Ca::new());
        let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), from_the_start).await;
        let why = put_off(send(desk(sink.port(), security)).await, false);
        assert!(why.contains("UnknownIssuer") && why.contains("`ca: FILE.pem`"), "{why}");
        let why = put_off(send(trusting(&other, &sink, security)).await, false);
        assert!(why.contains("certificate"), "{why}");
        assert!(heard_only_a_greeting(&sink), "{:?}", sink.heard());

        let sink = Sink::start_with_tls(ca.acceptor("mail.example.org"), from_the_start).await;
        let why = put_off(send(trusting(&ca, &sink, security)).await, false);
        assert!(why.contains("certificate"), "{why}");
        assert!(heard_only_a_greeting(&sink) && sink.received().is_empty(), "{:?}", sink.heard());
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_breaks_off_or_is_none_ends_and_was_not_reached() {
    for (security, from_the_start) in BOTH {
        for action in [
            ServerAction::HangUp,
            ServerAction::Reset,
            ServerAction::Bytes(b"500 what is this\r\n"),
            ServerAction::Silence,
        ] {
            let ca = Ca::new();
            let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), from_the_start).await;
            sink.on("TLS", action);
            let mail = trusting(&ca, &sink, security);
            let outcome = match action {
                ServerAction::Silence if from_the_start => {
                    tokio::join!(send(mail), pass_after(sink.wait_for_connection(), 121)).0
                }
                ServerAction::Silence => {
                    tokio::join!(send(mail), pass_after(sink.wait_to_hear("STARTTLS"), 121)).0
                }
                _ => send(mail).await,
            };
            put_off(outcome, false);
            assert!(heard_only_a_greeting(&sink), "{:?}", sink.heard());
        }
    }
}

#[tokio::test]
async fn starttls_that_is_refused_is_no_reason_to_go_on_without() {
    for said in ["454 4.7.0 TLS not available", "502 5.5.1 what"] {
        let ca = Ca::new();
        let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), false).await;
        sink.on("STARTTLS", ServerAction::Say(said));
        let why = put_off(send(trusting(&ca, &sink, MailSecurity::StartTls)).await, true);
        assert!(why.contains(said), "{why}");
        assert!(heard_only_a_greeting(&sink), "{:?}", sink.heard());
    }
}

#[tokio::test]
async fn answers_put_in_before_tls_are_not_taken_for_the_servers() {
    // An attacker between client and server wants every answer to be read one command too early: a
    // "250" for a mail that was refused.
    let ca = Ca::new();
    let sink = Sink::start_with_tls(ca.acceptor("127.0.0.1"), false).await;
    sink.on("STARTTLS", ServerAction::Bytes(b"220 go ahead\r\n250 AUTH PLAIN\r\n"));
    sink.on(".", ServerAction::Say("552 5.3.4 too big"));
    put_off(send(trusting(&ca, &sink, MailSecurity::StartTls)).await, false);
    assert!(heard_only_a_greeting(&sink), "{:?}", sink.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_names_the_authority() {
    let ca = Ca::new();
    let sink = Sink::start_with_tls(ca.acceptor("localhost"), true).await;
    let config = format!(
        "notify: [desk]\nnotifiers:\n  desk:\n    type: email\n    smtp: smtps://tidings@localhost:{}\n    password: ${{PASSWORD}}\n    \
         ca: keys/ca.pem\n    from: tidings@example.org\n    to: [ana@example.org, gone@example.org]\n",
        sink.port()
    );
    let folder = Folder::new(&config, &[]);
    folder.set("PASSWORD", "correct horse");
    folder.write("keys/ca.pem", &ca.pem());
    sink.refuse("gone@example.org");
    let said = folder.command(&["notify", "desk"]).await;
    assert_eq!(said.code, 69, "{}", said.errors);
    assert!(
        said.errors.contains("desk (ana@example.org): delivered (250 kept)"),
        "{}",
        said.errors
    );
    assert!(
        said.errors.contains("desk (gone@example.org): refused: 550 no such user"),
        "{}",
        said.errors
    );
    assert_eq!(sink.received().len(), 1);
}
