//! Interprets a refusal by its step, its enhanced code (RFC 3463), its code and, if these do not
//! suffice, its words. Pure.

use super::reply::SmtpReply;
use super::step::SmtpStep;
use crate::notify::{FailureCause, FailureScope};

/// What a refusal means for the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalMeaning {
    /// The server will never take this mail.
    Never,
    /// The mail is too large for the server or the mailbox.
    TooLarge,
    /// The server may take the mail later.
    Later(FailureCause, FailureScope),
}

use RefusalMeaning::{Later, Never, TooLarge};

/// The server takes nothing from this sender.
const SHUT: RefusalMeaning = Later(FailureCause::Shut, FailureScope::Notifier);
/// The mailbox takes nothing for now.
const FULL: RefusalMeaning = Later(FailureCause::Busy, FailureScope::Recipient);
/// The mailbox takes nothing from this sender.
const BARRED: RefusalMeaning = Later(FailureCause::Shut, FailureScope::Recipient);

/// Phrases about the amount of mail from this sender.
const ABOUT_RATE: [&str; 13] = [
    "too many",
    "too much",
    "too fast",
    "rate",
    "throttled",
    "throttling",
    "limit",
    "limits",
    "daily",
    "hourly",
    "per day",
    "per hour",
    "sending",
];

/// Phrases about this sender or its connection, rather than about a mail or a recipient.
const ABOUT_SENDER: [&str; 26] = [
    "client host",
    "helo",
    "ehlo",
    "relay",
    "relaying",
    "sender",
    "authentication",
    "authenticate",
    "authenticated",
    "unauthenticated",
    "login",
    "log in",
    "tls",
    "spf",
    "dkim",
    "dmarc",
    "blacklist",
    "blacklisted",
    "blocklist",
    "blocklisted",
    "black",
    "blocked",
    "listed",
    "reputation",
    "ip",
    "dns",
];

/// Phrases about a mailbox without room.
const ABOUT_ROOM: [&str; 6] = ["full", "quota", "over quota", "overquota", "storage", "space"];

/// Phrases about a mail's size.
const ABOUT_SIZE: [&str; 5] = ["size", "too big", "too large", "too long", "large"];

/// Phrases about a mail's content.
const ABOUT_CONTENT: [&str; 8] =
    ["spam", "virus", "malware", "content", "phishing", "attachment", "infected", "junk"];

/// The meaning of `reply`, which refuses `step`.
pub(super) fn refusal_meaning(step: SmtpStep, reply: &SmtpReply) -> RefusalMeaning {
    let words = PaddedWords::from_text(&reply.text());
    let status =
        reply.status.map(|status| (status.subject, status.detail)).filter(|status| status.0 != 0);
    if reply.is_temporary() {
        Later(
            temporary_cause(step, reply.code, status, &words),
            temporary_scope(step, reply.code, status, &words),
        )
    } else if step.is_mail_step() {
        match status.filter(|status| *status != (1, 0)) {
            Some(status) => meaning_of_status(step, status, &words),
            None => meaning_of_code(step, reply.code, &words),
        }
    } else {
        SHUT
    }
}

/// The cause of a temporary refusal. It is `Failed`, which counts as an attempt, only if it
/// concerns the mail itself.
fn temporary_cause(
    step: SmtpStep,
    code: u16,
    status: Option<(u16, u16)>,
    words: &PaddedWords,
) -> FailureCause {
    let concerns_mail = matches!(step, SmtpStep::Data | SmtpStep::End)
        && !matches!(code, 421 | 432 | 450 | 452 | 454);
    let is_busy =
        matches!(status, Some((2 | 4 | 7, _) | (3, 1 | 2))) || words.contain_any(&ABOUT_RATE);
    if concerns_mail && !is_busy { FailureCause::Failed } else { FailureCause::Busy }
}

/// The scope of a temporary refusal.
fn temporary_scope(
    step: SmtpStep,
    code: u16,
    status: Option<(u16, u16)>,
    words: &PaddedWords,
) -> FailureScope {
    let concerns_recipient = match status {
        Some((1 | 2, _)) => matches!(step, SmtpStep::Rcpt | SmtpStep::Data | SmtpStep::End),
        Some((3..=5, _)) => false,
        _ => step == SmtpStep::Rcpt && !words.contain_any(&ABOUT_RATE),
    };
    if concerns_recipient && !matches!(code, 421 | 432 | 454) {
        FailureScope::Recipient
    } else {
        FailureScope::Notifier
    }
}

/// The meaning of a permanent refusal with an enhanced code.
fn meaning_of_status(step: SmtpStep, status: (u16, u16), words: &PaddedWords) -> RefusalMeaning {
    match status {
        (2, 3) | (3, 4) => TooLarge,
        _ if step == SmtpStep::Mail && status.0 != 6 => SHUT,
        (1, 7..=9) | (3 | 5, _) | (4, 5) | (7, 8..=13 | 20..=30) => SHUT,
        (1 | 6, _) | (2, 1) => Never,
        (2, 2) => FULL,
        (7, _) if words.contain_any(&ABOUT_RATE) || words.contain_any(&ABOUT_SENDER) => SHUT,
        (7, _) if step == SmtpStep::End && words.contain_any(&ABOUT_CONTENT) => Never,
        _ if step == SmtpStep::Rcpt || status.0 == 2 => BARRED,
        _ => SHUT,
    }
}

/// The meaning of a permanent refusal without an enhanced code.
fn meaning_of_code(step: SmtpStep, code: u16, words: &PaddedWords) -> RefusalMeaning {
    let is_of_size = words.contain_any(&ABOUT_SIZE)
        && matches!(step, SmtpStep::Mail | SmtpStep::Data | SmtpStep::End);
    match (step, code) {
        (_, 523) => TooLarge,
        (_, 550 | 552 | 554) if is_of_size => TooLarge,
        (_, 500..=504 | 521 | 530 | 534 | 535 | 538 | 555) => SHUT,
        (_, 550 | 552 | 554)
            if words.contain_any(&ABOUT_ROOM) && !words.contain_any(&ABOUT_RATE) =>
        {
            FULL
        }
        (SmtpStep::Rcpt, 552) => FULL,
        _ if words.contain_any(&ABOUT_RATE) || words.contain_any(&ABOUT_SENDER) => SHUT,
        (SmtpStep::Mail | SmtpStep::Data | SmtpStep::End, 552) => TooLarge,
        (SmtpStep::Rcpt, 510 | 511 | 550 | 551 | 553 | 556)
        | (SmtpStep::Data, 550 | 551 | 553)
        | (SmtpStep::End, 550 | 551 | 553 | 554) => Never,
        (SmtpStep::Rcpt, _) => BARRED,
        _ => SHUT,
    }
}

/// A text in lower case, with one space before and after each word.
struct PaddedWords(String);

impl PaddedWords {
    fn from_text(text: &str) -> Self {
        let mut words = " ".to_owned();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            words.push_str(&word.to_lowercase());
            words.push(' ');
        }
        Self(words)
    }

    /// Whether it contains one of `phrases` as whole words.
    fn contain_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.0.contains(&format!(" {phrase} ")))
    }
}

#[cfg(test)]
mod tests;
