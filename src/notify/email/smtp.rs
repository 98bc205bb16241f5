//! Makes one attempt to send a mail to the mail server (RFC 5321), over a connection that is kept
//! for the next mail.

mod connection;
mod explain;
mod extensions;
mod login;
mod mail_transaction;
mod open;
mod pool;
mod refusal;
mod reply;
mod requested_wait;
mod step;
mod tls;
mod wire;

use jiff::Timestamp;

use crate::alerts::Receiver;
use crate::config::Email;
use crate::notify::email::smtp::mail_transaction::{Envelope, MailFailure, send_mail};
use crate::notify::email::smtp::refusal::{RefusalMeaning, refusal_meaning};
use crate::notify::email::smtp::requested_wait::requested_wait;
use crate::notify::email::{parse_address, with_ascii_domain};
use crate::notify::{FailureCause, FailureScope, Outcome, RetryReason};
use open::{OpenFailure, open_connection};
use reply::SmtpReply;
use step::SmtpStep;

pub(in crate::notify) use pool::SmtpPools;

/// Tries once to send `mail` to `receiver`. If the configuration requires TLS, login and mail are
/// sent over TLS only.
///
/// The timeouts are those of RFC 5321, 4.5.3.2: up to ten minutes for the answer to the final dot.
/// A client with a shorter timeout sends a mail again that the server takes later.
pub(in crate::notify) async fn send(
    email: &Email,
    pools: &SmtpPools,
    receiver: &Receiver,
    mail: &[u8],
    now: Timestamp,
) -> Outcome {
    let to = match parse_address(&receiver.recipient) {
        Ok(to) => to,
        Err(why) => return Outcome::Refused(why),
    };
    let envelope = Envelope { from: with_ascii_domain(&email.from.email), to };
    let pool = pools.pool_for(&receiver.notifier);
    let open = |mechanism| async move {
        open_connection(email, mechanism)
            .await
            .map_err(|why| retry_reason_of_open_failure(email, &why))
    };
    loop {
        let mut lent = match pool.get_connection(now, open).await {
            Ok(lent) => lent,
            Err(why) => return Outcome::Retry(why),
        };
        match send_mail(lent.connection(), &envelope, mail).await {
            Ok(reply) => {
                lent.return_to_pool(now).await;
                return Outcome::Delivered(explain::describe_reply(email, &reply));
            }
            // Servers limit the use of a kept connection. The mail is tried over the next
            // connection, and at last over a new one.
            Err(failure) if lent.is_reused() && failure.may_concern_connection() => {
                if failure.is_refusal() {
                    lent.close_and_record_limit(now).await;
                } else {
                    lent.close_and_allow_replacement().await;
                }
            }
            Err(failure) => {
                if !failure.ends_connection() {
                    lent.return_to_pool(now).await;
                } else if failure.is_refusal() {
                    lent.close_and_allow_replacement().await;
                }
                return outcome_of_mail_failure(
                    &failure,
                    explain::explain_mail_failure(email, &envelope, &failure, mail.len()),
                );
            }
        }
    }
}

/// Why to retry when no connection was opened. The mail was not sent.
fn retry_reason_of_open_failure(email: &Email, failure: &OpenFailure) -> RetryReason {
    let why = explain::explain_open_failure(email, failure);
    match failure {
        OpenFailure::Refused(step, reply) => match refusal_meaning(*step, reply) {
            RefusalMeaning::Later(cause, scope) => {
                RetryReason { why, cause, scope, requested_wait: requested_wait(&reply.text()) }
            }
            RefusalMeaning::Never | RefusalMeaning::TooLarge => RetryReason {
                why,
                cause: FailureCause::Shut,
                scope: FailureScope::Notifier,
                requested_wait: None,
            },
        },
        OpenFailure::NoLogin => RetryReason {
            why,
            cause: FailureCause::Shut,
            scope: FailureScope::Notifier,
            requested_wait: None,
        },
        _ => RetryReason {
            why,
            cause: FailureCause::Unreached,
            scope: FailureScope::Notifier,
            requested_wait: None,
        },
    }
}

/// The outcome of `failure`, which `why` explains.
fn outcome_of_mail_failure(failure: &MailFailure, why: String) -> Outcome {
    match failure {
        MailFailure::Refused(step, reply) => outcome_of_refusal(*step, reply, why),
        MailFailure::Broken(..) => Outcome::retry(FailureCause::Failed, why),
        MailFailure::SenderNotAscii => Outcome::retry(FailureCause::Shut, why),
        MailFailure::RecipientNotAscii => Outcome::Refused(why),
        MailFailure::TooLong(_) => Outcome::TooLarge(why),
    }
}

fn outcome_of_refusal(step: SmtpStep, reply: &SmtpReply, why: String) -> Outcome {
    match refusal_meaning(step, reply) {
        RefusalMeaning::Never => Outcome::Refused(why),
        RefusalMeaning::TooLarge => Outcome::TooLarge(why),
        RefusalMeaning::Later(cause, scope) => Outcome::Retry(RetryReason {
            why,
            cause,
            scope,
            requested_wait: requested_wait(&reply.text()),
        }),
    }
}
