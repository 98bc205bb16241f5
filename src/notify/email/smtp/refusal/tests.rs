//! Refusals as servers write them, and what they mean.

use futures_util::FutureExt;

use super::super::reply::read_reply;
use super::*;

const BUSY: RefusalMeaning = Later(FailureCause::Busy, FailureScope::Notifier);
const FAILED: RefusalMeaning = Later(FailureCause::Failed, FailureScope::Notifier);

const TABLE: &[(SmtpStep, &str, RefusalMeaning)] = &[
    // Before a mail, every refusal is retried.
    (SmtpStep::Greeting, "421 4.3.2 Too many concurrent connections", BUSY),
    (SmtpStep::Greeting, "432 4.3.2 Concurrent connections limit exceeded", BUSY),
    (SmtpStep::Greeting, "554 no service", SHUT),
    (SmtpStep::Greeting, "554 5.7.1 client host blocked", SHUT),
    (
        SmtpStep::Hello,
        "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname",
        SHUT,
    ),
    (SmtpStep::Hello, "450 4.7.1 later", BUSY),
    (SmtpStep::StartTls, "454 4.7.0 TLS not available", BUSY),
    (SmtpStep::Login, "454 4.7.0 Too many login attempts, please try again later.", BUSY),
    (SmtpStep::Login, "535 5.7.8 authentication failed", SHUT),
    (SmtpStep::Login, "550 5.1.1 what", SHUT),
    // The sender concerns every mail.
    (SmtpStep::Mail, "421 4.7.0 try later", BUSY),
    (SmtpStep::Mail, "451 4.3.0 later", BUSY),
    (SmtpStep::Mail, "452 4.3.1 Insufficient system storage", BUSY),
    (SmtpStep::Mail, "450 4.7.1 Error: too much mail from 192.0.2.1", BUSY),
    (SmtpStep::Mail, "530 5.7.0 Must issue a STARTTLS command first", SHUT),
    (SmtpStep::Mail, "553 5.1.8 sender unknown", SHUT),
    (SmtpStep::Mail, "550 no", SHUT),
    (SmtpStep::Mail, "550 5.7.0 sending limit", SHUT),
    (SmtpStep::Mail, "552 5.3.4 Message size exceeds fixed limit", TooLarge),
    (SmtpStep::Mail, "552 Message size exceeds maximum", TooLarge),
    // A mailbox, or the server.
    (SmtpStep::Rcpt, "421 4.3.2 closing", BUSY),
    (
        SmtpStep::Rcpt,
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
        FULL,
    ),
    (SmtpStep::Rcpt, "450 mailbox busy", FULL),
    (SmtpStep::Rcpt, "451 4.7.1 Greylisting in action, please come back later", FULL),
    (SmtpStep::Rcpt, "452 4.2.2 The recipient's mailbox is full", FULL),
    (SmtpStep::Rcpt, "452 4.5.3 too many recipients", BUSY),
    (SmtpStep::Rcpt, "452 4.3.1 Insufficient system storage", BUSY),
    (SmtpStep::Rcpt, "450 4.7.1 rate limit exceeded", BUSY),
    (SmtpStep::Rcpt, "451 you send too fast", BUSY),
    (SmtpStep::Rcpt, "454 4.7.1 Relay access denied", BUSY),
    (SmtpStep::Rcpt, "550 5.1.1 no such user", Never),
    (SmtpStep::Rcpt, "550 5.1.10 recipient not found", Never),
    (SmtpStep::Rcpt, "550 no such user", Never),
    (SmtpStep::Rcpt, "550 \u{7528}\u{6237}\u{4e0d}\u{5b58}\u{5728}", Never),
    (SmtpStep::Rcpt, "550 5.1.0 Address rejected", Never),
    (SmtpStep::Rcpt, "553 mailbox name not allowed", Never),
    (SmtpStep::Rcpt, "556 5.1.10 null MX", Never),
    (SmtpStep::Rcpt, "550 5.2.1 account disabled", Never),
    (SmtpStep::Rcpt, "552 5.2.2 mailbox full", FULL),
    (SmtpStep::Rcpt, "552 exceeded storage allocation", FULL),
    (SmtpStep::Rcpt, "550 mailbox is over quota", FULL),
    (SmtpStep::Rcpt, "552 5.2.3 message exceeds the mailbox's limit", TooLarge),
    (SmtpStep::Rcpt, "550 black ip. (somebody)", SHUT),
    (SmtpStep::Rcpt, "550 5.1.7 bad sender's address", SHUT),
    (SmtpStep::Rcpt, "554 5.7.1 <x[192.0.2.1]>: Client host rejected: Access denied", SHUT),
    (SmtpStep::Rcpt, "550 relaying denied", SHUT),
    (SmtpStep::Rcpt, "554 5.7.1 <ana@example.org>: Relay access denied", SHUT),
    (SmtpStep::Rcpt, "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname", SHUT),
    (SmtpStep::Rcpt, "530 5.7.0 begin with TLS", SHUT),
    (SmtpStep::Rcpt, "550 5.4.5 Daily sending quota exceeded", SHUT),
    (SmtpStep::Rcpt, "550 daily quota exceeded", SHUT),
    (SmtpStep::Rcpt, "550 5.7.1 you may not write to this list", BARRED),
    (SmtpStep::Rcpt, "550 5.4.1 Recipient address rejected: Access denied", BARRED),
    (SmtpStep::Rcpt, "554 no", BARRED),
    (SmtpStep::Rcpt, "550 4.2.0 the two codes disagree", FULL),
    // The mail.
    (SmtpStep::Data, "451 4.3.0 later", FAILED),
    (SmtpStep::Data, "421 4.3.2 closing", BUSY),
    (SmtpStep::Data, "554 5.7.1 no mail today", SHUT),
    (SmtpStep::Data, "554 no valid recipients", SHUT),
    (SmtpStep::Data, "550 5.1.1 no such user", Never),
    (SmtpStep::End, "451 local error in processing", FAILED),
    (SmtpStep::End, "451 4.7.1 please try again in 300 seconds", BUSY),
    (SmtpStep::End, "452 4.3.1 disk full", BUSY),
    (SmtpStep::End, "452 4.2.2 mailbox full", FULL),
    (SmtpStep::End, "432 4.3.2 too many threads", BUSY),
    (SmtpStep::End, "552 5.3.4 too big", TooLarge),
    (SmtpStep::End, "552 too big", TooLarge),
    (SmtpStep::End, "552 no", TooLarge),
    (SmtpStep::End, "552 5.2.2 mailbox full", FULL),
    (SmtpStep::End, "552 exceeded storage allocation", FULL),
    (SmtpStep::End, "550 5.6.1 media not supported", Never),
    (SmtpStep::End, "554 5.6.0 malformed", Never),
    (SmtpStep::End, "554 transaction failed", Never),
    (SmtpStep::End, "554 5.7.1 spam message rejected", Never),
    (SmtpStep::End, "552-5.7.0 blocked\r\n552 5.7.0 its content presents a security issue", SHUT),
    (SmtpStep::End, "550 5.7.26 This mail is unauthenticated", SHUT),
    (SmtpStep::End, "550 5.7.1 daily sending limit reached", SHUT),
    (SmtpStep::End, "554 5.7.0 sending limit exceeded", SHUT),
    (SmtpStep::End, "550 5.4.5 Daily user sending limit exceeded", SHUT),
    (SmtpStep::End, "550 you send too many mails", SHUT),
    (SmtpStep::End, "550 5.7.1 policy", SHUT),
];

#[test]
fn refusals_have_their_meaning() {
    for (step, text, expected) in TABLE {
        let line = format!("{text}\r\n");
        let reply = read_reply(&mut line.as_bytes())
            .now_or_never()
            .expect("bytes at hand")
            .expect("a reply");
        assert_eq!(refusal_meaning(*step, &reply), *expected, "{step:?}: {text}");
    }
}
