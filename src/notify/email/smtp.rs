//! One attempt to hand a mail to the mail server (RFC 5321): a connection of its own, one deadline round the whole, and what the answers mean.

mod hand_over;
mod open;
mod wire;
mod words;

use std::pin::pin;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::sleep;

use crate::alert::Receiver;
use crate::config::Email;
use crate::notify::email::{address, with_ascii_domain};
use crate::notify::{Cause, Outcome};
use hand_over::{Envelope, Failure, Step, hand_over};
use open::{NotOpened, open};
use words::{advice, explain, said, server};

/// For the whole attempt.
const DEADLINE: Duration = Duration::from_mins(1);

/// For the goodbye after the server said what becomes of the mail.
const GOODBYE: Duration = Duration::from_secs(5);

/// What a server answers that wants a login or TLS first (RFC 4954): it says nothing of the mail.
const WANTS_LOGIN: [u16; 4] = [530, 534, 535, 538];

/// Tries once to hand `mail` to the server for `receiver`, within 60 s. Login and mail go out only over TLS where the configuration wants it.
///
/// Only what the server says to the mail itself can refuse it: a server that rejects the greeting or the login may be mended, so that is put off.
pub(crate) async fn send(email: &Email, receiver: &Receiver, mail: &[u8]) -> Outcome {
    let to = match address(&receiver.recipient) {
        Ok(to) => to,
        Err(why) => return Outcome::Refused(why),
    };
    let envelope = Envelope { from: with_ascii_domain(&email.from.email), to };
    let mut deadline = pin!(sleep(DEADLINE));
    let opened = tokio::select! {
        opened = open(email) => opened,
        () = &mut deadline => return Outcome::retry(Cause::Unreached, format!("{} did not greet us in time", server(email))),
    };
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(error) => return not_opened(email, &error),
    };
    let mut step = Step::Mail;
    let sent = tokio::select! {
        sent = hand_over(&mut connection, &envelope, mail, &mut step) => sent,
        () = &mut deadline => return Outcome::retry(Cause::Failed, broken(email, step, "it fell silent")),
    };
    let (outcome, hangs) = match sent {
        Ok(reply) => (Outcome::Delivered(said(email, &reply)), false),
        Err(failure) => (not_sent(email, &envelope, step, &failure), failure.ends_the_connection()),
    };
    if !hangs {
        // What becomes of the mail is known by now: whatever becomes of the goodbye must not change it.
        tokio::select! {
            () = goodbye(&mut connection) => {}
            () = deadline => {}
        }
    }
    outcome
}

async fn goodbye(connection: &mut AsyncSmtpConnection) {
    tokio::time::timeout(GOODBYE, connection.abort()).await.ok();
}

fn not_opened(email: &Email, error: &NotOpened) -> Outcome {
    match error {
        NotOpened::Connection(error) => {
            Outcome::retry(Cause::Unreached, format!("{} cannot be used: {error}", server(email)))
        }
        NotOpened::Smtp(error) => {
            let why = explain(email, error);
            match error.status() {
                Some(_) => Outcome::retry(Cause::Failed, shut(email, &why)),
                None => Outcome::retry(
                    Cause::Unreached,
                    format!("{} cannot be used: {why}{}", server(email), advice(email, &why)),
                ),
            }
        }
    }
}

fn not_sent(email: &Email, envelope: &Envelope, step: Step, failure: &Failure) -> Outcome {
    match failure {
        Failure::NoUtf8 => Outcome::Refused(format!(
            "{} takes no addresses with letters outside ASCII before the @ (SMTPUTF8), such as {}",
            server(email),
            envelope.beyond_ascii()
        )),
        Failure::OutOfTurn(reply) => Outcome::retry(
            Cause::Failed,
            broken(email, step, &format!("it answered out of turn: {}", said(email, reply))),
        ),
        Failure::Smtp(error) => {
            let why = explain(email, error);
            match error.status().map(u16::from) {
                Some(code) if WANTS_LOGIN.contains(&code) => Outcome::retry(Cause::Failed, shut(email, &why)),
                Some(_) if error.is_permanent() => Outcome::Refused(why),
                Some(_) => Outcome::retry(Cause::Failed, why),
                None => Outcome::retry(Cause::Failed, broken(email, step, &why)),
            }
        }
    }
}

fn shut(email: &Email, why: &str) -> String {
    format!("{} lets us in no further: {why}", server(email))
}

/// What is known of a mail whose handing over broke off at `step`.
fn broken(email: &Email, step: Step, why: &str) -> String {
    match step {
        Step::End => format!("{} did not say whether it took the mail: {why}", server(email)),
        Step::Mail | Step::Rcpt | Step::Data => {
            format!("{} broke off before it took the mail, at {}: {why}", server(email), step.verb())
        }
    }
}
