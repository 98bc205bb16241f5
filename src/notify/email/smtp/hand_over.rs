//! A mail handed over, command by command (RFC 5321, 3.3), so that it is known how far it came where it breaks off.

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

/// Who sends to whom.
pub(super) struct Envelope {
    pub(super) from: Address,
    pub(super) to: Address,
}

impl Envelope {
    fn is_ascii(&self) -> bool {
        [&self.from, &self.to].into_iter().all(is_ascii)
    }

    /// The address that needs SMTPUTF8.
    pub(super) fn beyond_ascii(&self) -> &Address {
        if is_ascii(&self.to) { &self.from } else { &self.to }
    }
}

fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}

/// What an answer is awaited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Mail,
    Rcpt,
    Data,
    /// The mail itself, up to its final dot: whoever breaks off here may have taken it.
    End,
}

impl Step {
    /// As the protocol writes it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::End => "the final dot",
        }
    }

    fn awaits(self, reply: &Response) -> bool {
        let code = u16::from(reply.code());
        match self {
            Self::Data => code == 354,
            Self::Mail | Self::Rcpt | Self::End => (200..300).contains(&code),
        }
    }
}

/// Why a mail was not handed over.
pub(super) enum Failure {
    /// The server rejected it, or the connection broke.
    Smtp(Error),
    /// It agreed to something else than was asked: its answers and our commands no longer belong together.
    OutOfTurn(Response),
    /// An address needs an extension that the server lacks (RFC 6531).
    NoUtf8,
}

impl Failure {
    /// Whether nothing can be said to the server any more.
    pub(super) fn ends_the_connection(&self) -> bool {
        match self {
            Self::Smtp(error) => error.status().is_none(),
            Self::OutOfTurn(_) => true,
            Self::NoUtf8 => false,
        }
    }
}

/// Hands `mail` over. `step` is what it is at, also where this is given up half-way.
pub(super) async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    mail: &[u8],
    step: &mut Step,
) -> Result<Response, Failure> {
    let has = |extension| connection.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    if !envelope.is_ascii() {
        if !has(Extension::SmtpUtfEight) {
            return Err(Failure::NoUtf8);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.is_ascii() && has(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    *step = Step::Mail;
    expect(*step, connection.command(Mail::new(Some(envelope.from.clone()), parameters)).await)?;
    *step = Step::Rcpt;
    expect(*step, connection.command(Rcpt::new(envelope.to.clone(), vec![])).await)?;
    *step = Step::Data;
    expect(*step, connection.command(Data).await)?;
    *step = Step::End;
    expect(*step, connection.message(mail).await)
}

/// The reply, if it is one that `step` can have.
fn expect(step: Step, answer: Result<Response, Error>) -> Result<Response, Failure> {
    let reply = answer.map_err(Failure::Smtp)?;
    if step.awaits(&reply) { Ok(reply) } else { Err(Failure::OutOfTurn(reply)) }
}
