//! Refusals as servers write them, and what they mean.

use futures_util::FutureExt;

use super::super::reply::read_reply;
use super::*;

const BUSY: Meaning = Later(Cause::Busy, Scope::Notifier);
const FAILED: Meaning = Later(Cause::Failed, Scope::Notifier);

const TABLE: &[(Step, &str, Meaning)] = &[
    // Before a mail, everything is put off.
    (Step::Greeting, "421 4.3.2 Too many concurrent connections", BUSY),
    (Step::Greeting, "432 4.3.2 Concurrent connections limit exceeded", BUSY),
    (Step::Greeting, "554 no service", SHUT),
    (Step::Greeting, "554 5.7.1 client host blocked", SHUT),
    (Step::Hello, "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname", SHUT),
    (Step::Hello, "450 4.7.1 later", BUSY),
    (Step::StartTls, "454 4.7.0 TLS not available", BUSY),
    (Step::Login, "454 4.7.0 Too many login attempts, please try again later.", BUSY),
    (Step::Login, "535 5.7.8 authentication failed", SHUT),
    (Step::Login, "550 5.1.1 what", SHUT),
    // The sender concerns every mail.
    (Step::Mail, "421 4.7.0 try later", BUSY),
    (Step::Mail, "451 4.3.0 later", BUSY),
    (Step::Mail, "452 4.3.1 Insufficient system storage", BUSY),
    (Step::Mail, "450 4.7.1 Error: too much mail from 192.0.2.1", BUSY),
    (Step::Mail, "530 5.7.0 Must issue a STARTTLS command first", SHUT),
    (Step::Mail, "553 5.1.8 sender unknown", SHUT),
    (Step::Mail, "550 no", SHUT),
    (Step::Mail, "550 5.7.0 sending limit", SHUT),
    (Step::Mail, "552 5.3.4 Message size exceeds fixed limit", TooLarge),
    (Step::Mail, "552 Message size exceeds maximum", TooLarge),
    // A mailbox, or the server.
    (Step::Rcpt, "421 4.3.2 closing", BUSY),
    (
        Step::Rcpt,
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
        FULL,
    ),
    (Step::Rcpt, "450 mailbox busy", FULL),
    (Step::Rcpt, "451 4.7.1 Greylisting in action, please come back later", FULL),
    (Step::Rcpt, "452 4.2.2 The recipient's mailbox is full", FULL),
    (Step::Rcpt, "452 4.5.3 too many recipients", BUSY),
    (Step::Rcpt, "452 4.3.1 Insufficient system storage", BUSY),
    (Step::Rcpt, "450 4.7.1 rate limit exceeded", BUSY),
    (Step::Rcpt, "451 you send too fast", BUSY),
    (Step::Rcpt, "454 4.7.1 Relay access denied", BUSY),
    (Step::Rcpt, "550 5.1.1 no such user", Never),
    (Step::Rcpt, "550 5.1.10 recipient not found", Never),
    (Step::Rcpt, "550 no such user", Never),
    (Step::Rcpt, "550 \u{7528}\u{6237}\u{4e0d}\u{5b58}\u{5728}", Never),
    (Step::Rcpt, "550 5.1.0 Address rejected", Never),
    (Step::Rcpt, "553 mailbox name not allowed", Never),
    (Step::Rcpt, "556 5.1.10 null MX", Never),
    (Step::Rcpt, "550 5.2.1 account disabled", Never),
    (Step::Rcpt, "552 5.2.2 mailbox full", FULL),
    (Step::Rcpt, "552 exceeded storage allocation", FULL),
    (Step::Rcpt, "550 mailbox is over quota", FULL),
    (Step::Rcpt, "552 5.2.3 message exceeds the mailbox's limit", TooLarge),
    (Step::Rcpt, "550 black ip. (somebody)", SHUT),
    (Step::Rcpt, "550 5.1.7 bad sender's address", SHUT),
    (Step::Rcpt, "554 5.7.1 <x[192.0.2.1]>: Client host rejected: Access denied", SHUT),
    (Step::Rcpt, "550 relaying denied", SHUT),
    (Step::Rcpt, "554 5.7.1 <ana@example.org>: Relay access denied", SHUT),
    (Step::Rcpt, "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname", SHUT),
    (Step::Rcpt, "530 5.7.0 begin with TLS", SHUT),
    (Step::Rcpt, "550 5.4.5 Daily sending quota exceeded", SHUT),
    (Step::Rcpt, "550 daily quota exceeded", SHUT),
    (Step::Rcpt, "550 5.7.1 you may not write to this list", BARRED),
    (Step::Rcpt, "550 5.4.1 Recipient address rejected: Access denied", BARRED),
    (Step::Rcpt, "554 no", BARRED),
    (Step::Rcpt, "550 4.2.0 the two codes disagree", FULL),
    // The mail.
    (Step::Data, "451 4.3.0 later", FAILED),
    (Step::Data, "421 4.3.2 closing", BUSY),
    (Step::Data, "554 5.7.1 no mail today", SHUT),
    (Step::Data, "554 no valid recipients", SHUT),
    (Step::Data, "550 5.1.1 no such user", Never),
    (Step::End, "451 local error in processing", FAILED),
    (Step::End, "451 4.7.1 please try again in 300 seconds", BUSY),
    (Step::End, "452 4.3.1 disk full", BUSY),
    (Step::End, "452 4.2.2 mailbox full", FULL),
    (Step::End, "432 4.3.2 too many threads", BUSY),
    (Step::End, "552 5.3.4 too big", TooLarge),
    (Step::End, "552 too big", TooLarge),
    (Step::End, "552 no", TooLarge),
    (Step::End, "552 5.2.2 mailbox full", FULL),
    (Step::End, "552 exceeded storage allocation", FULL),
    (Step::End, "550 5.6.1 media not supported", Never),
    (Step::End, "554 5.6.0 malformed", Never),
    (Step::End, "554 transaction failed", Never),
    (Step::End, "554 5.7.1 spam message rejected", Never),
    (Step::End, "552-5.7.0 blocked\r\n552 5.7.0 its content presents a security issue", SHUT),
    (Step::End, "550 5.7.26 This mail is unauthenticated", SHUT),
    (Step::End, "550 5.7.1 daily sending limit reached", SHUT),
    (Step::End, "554 5.7.0 sending limit exceeded", SHUT),
    (Step::End, "550 5.4.5 Daily user sending limit exceeded", SHUT),
    (Step::End, "550 you send too many mails", SHUT),
    (Step::End, "550 5.7.1 policy", SHUT),
];

#[test]
fn what_a_refusal_means() {
    for (step, said, expected) in TABLE {
        let line = format!("{said}\r\n");
        let reply = read_reply(&mut line.as_bytes())
            .now_or_never()
            .expect("bytes at hand")
            .expect("a reply");
        assert_eq!(meaning(*step, &reply), *expected, "{step:?}: {said}");
    }
}
