//! One attempt to hand a mail to the mail server (RFC 5321), over a connection that is kept for the
//! next, and what the answers mean.

mod connection;
mod hand_over;
mod login;
mod meaning;
mod offer;
mod open;
mod pool;
mod reply;
mod step;
mod tls;
mod wire;
mod wish;
mod words;

use jiff::Timestamp;

use crate::alerts::Receiver;
use crate::config::Email;
use crate::notify::email::{address, with_ascii_domain};
use crate::notify::{FailureCause, FailureScope, Outcome, RetryReason};
use hand_over::{Envelope, HandOverFailure, hand_over};
use meaning::{RefusalMeaning, meaning};
use open::{NotOpened, open};
use reply::SmtpReply;
use step::SmtpStep;
use wish::wish;

pub(in crate::notify) use pool::Pools;

/// Tries once to hand `mail` to the server for `receiver`. Where the configuration requires TLS,
/// login and mail are sent over TLS only.
///
/// It takes as long as the server may take (RFC 5321, 4.5.3.2): up to ten minutes for the answer to
/// the final dot. A client that does not wait sends a mail twice that was taken by then.
pub(in crate::notify) async fn send(
    email: &Email,
    pools: &Pools,
    receiver: &Receiver,
    mail: &[u8],
    now: Timestamp,
) -> Outcome {
    let to = match address(&receiver.recipient) {
        Ok(to) => to,
        Err(why) => return Outcome::Refused(why),
    };
    let envelope = Envelope { from: with_ascii_domain(&email.from.email), to };
    let pool = pools.of(&receiver.notifier);
    let open = |mechanism| async move {
        open(email, mechanism).await.map_err(|why| not_opened(email, &why))
    };
    loop {
        let mut lent = match pool.take(now, open).await {
            Ok(lent) => lent,
            Err(why) => return Outcome::Retry(why),
        };
        match hand_over(lent.connection(), &envelope, mail).await {
            Ok(reply) => {
                lent.give_back(now).await;
                return Outcome::Delivered(words::said(email, &reply));
            }
            // The mail is tried over the next connection, in the end over a new one: servers grow
            // tired of those that are kept.
            Err(failure) if lent.is_reused() && failure.may_be_the_connections() => {
                if failure.is_said() {
                    lent.exhausted(now).await;
                } else {
                    lent.goodbye().await;
                }
            }
            Err(failure) => {
                if !failure.ends_the_connection() {
                    lent.give_back(now).await;
                } else if failure.is_said() {
                    lent.goodbye().await;
                }
                return not_sent(&failure, words::not_sent(email, &envelope, &failure, mail.len()));
            }
        }
    }
}

/// A connection that could not be had. Nothing was said of the mail.
fn not_opened(email: &Email, failure: &NotOpened) -> RetryReason {
    let why = words::not_opened(email, failure);
    match failure {
        NotOpened::Refused(step, reply) => match meaning(*step, reply) {
            RefusalMeaning::Later(cause, scope) => {
                RetryReason { why, cause, scope, after: wish(&reply.text()) }
            }
            RefusalMeaning::Never | RefusalMeaning::TooLarge => RetryReason {
                why,
                cause: FailureCause::Shut,
                scope: FailureScope::Notifier,
                after: None,
            },
        },
        NotOpened::NoLogin => RetryReason {
            why,
            cause: FailureCause::Shut,
            scope: FailureScope::Notifier,
            after: None,
        },
        _ => RetryReason {
            why,
            cause: FailureCause::Unreached,
            scope: FailureScope::Notifier,
            after: None,
        },
    }
}

/// What becomes of a mail that was not taken because of `failure`, which is `why` in words.
fn not_sent(failure: &HandOverFailure, why: String) -> Outcome {
    match failure {
        HandOverFailure::Refused(step, reply) => refused(*step, reply, why),
        HandOverFailure::Broken(..) => Outcome::retry(FailureCause::Failed, why),
        HandOverFailure::SenderBeyondAscii => Outcome::retry(FailureCause::Shut, why),
        HandOverFailure::RecipientBeyondAscii => Outcome::Refused(why),
        HandOverFailure::TooLong(_) => Outcome::TooLarge(why),
    }
}

fn refused(step: SmtpStep, reply: &SmtpReply, why: String) -> Outcome {
    match meaning(step, reply) {
        RefusalMeaning::Never => Outcome::Refused(why),
        RefusalMeaning::TooLarge => Outcome::TooLarge(why),
        RefusalMeaning::Later(cause, scope) => {
            Outcome::Retry(RetryReason { why, cause, scope, after: wish(&reply.text()) })
        }
    }
}
