//! A mail handed over, command by command (RFC 5321, 3.3), so that it is known how far it came
//! where it breaks off.

use lettre::Address;

use super::connection::Connection;
use super::reply::SmtpReply;
use super::step::SmtpStep;
use super::wire::Broken;

/// The sender and the recipient.
pub(super) struct Envelope {
    pub(super) from: Address,
    pub(super) to: Address,
}

impl Envelope {
    fn is_ascii(&self) -> bool {
        is_ascii(&self.from) && is_ascii(&self.to)
    }
}

fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}

/// Why a mail was not handed over.
pub(super) enum HandOverFailure {
    /// The server refused it.
    Refused(SmtpStep, SmtpReply),
    /// The conversation broke off, or its answers and our commands no longer belong together.
    Broken(SmtpStep, Broken),
    /// The sender's address needs an extension that the server lacks (RFC 6531).
    SenderBeyondAscii,
    /// The recipient's address does.
    RecipientBeyondAscii,
    /// The mail is longer than this, which is the most that the server takes, in bytes.
    TooLong(usize),
}

impl HandOverFailure {
    /// Whether the connection can be used no more.
    pub(super) fn ends_the_connection(&self) -> bool {
        match self {
            Self::Refused(_, reply) => reply.code == 421,
            Self::Broken(..) => true,
            Self::SenderBeyondAscii | Self::RecipientBeyondAscii | Self::TooLong(_) => false,
        }
    }

    /// Whether the server said so, and the conversation did not break off.
    pub(super) fn is_said(&self) -> bool {
        matches!(self, Self::Refused(..))
    }

    /// Whether the server may have had enough of the connection rather than of the mail, which it
    /// cannot have taken.
    pub(super) fn may_be_the_connections(&self) -> bool {
        match self {
            Self::Refused(SmtpStep::Mail | SmtpStep::Rcpt | SmtpStep::Data, reply)
                if reply.code == 421 =>
            {
                true
            }
            Self::Refused(SmtpStep::Mail, reply) if reply.is_temporary() => {
                let text = reply.text().to_ascii_lowercase();
                text.contains("connection") || text.contains("session")
            }
            Self::Broken(SmtpStep::Mail | SmtpStep::Rcpt | SmtpStep::Data, broken) => {
                !matches!(broken, Broken::Late(_))
            }
            _ => false,
        }
    }
}

/// Hands `mail` over.
pub(super) async fn hand_over(
    connection: &mut Connection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<SmtpReply, HandOverFailure> {
    let parameters = parameters(connection, envelope, mail)?;
    connection.mails += 1;
    ask(connection, SmtpStep::Mail, &format!("MAIL FROM:<{}>{parameters}", envelope.from)).await?;
    ask(connection, SmtpStep::Rcpt, &format!("RCPT TO:<{}>", envelope.to)).await?;
    ask(connection, SmtpStep::Data, "DATA").await?;
    let answer = connection.wire.hand_over(mail, SmtpStep::End.patience()).await;
    expected(SmtpStep::End, answer)
}

/// What `MAIL` says besides the sender, as far as the server understands it.
fn parameters(
    connection: &Connection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<String, HandOverFailure> {
    let offer = &connection.offer;
    let mut parameters = String::new();
    if !envelope.is_ascii() {
        if !offer.utf8 {
            let is_sender = is_ascii(&envelope.to);
            return Err(if is_sender {
                HandOverFailure::SenderBeyondAscii
            } else {
                HandOverFailure::RecipientBeyondAscii
            });
        }
        parameters.push_str(" SMTPUTF8");
    }
    if !mail.is_ascii() && offer.eight_bit {
        parameters.push_str(" BODY=8BITMIME");
    }
    if let Some(most) = offer.size {
        if mail.len() > most {
            return Err(HandOverFailure::TooLong(most));
        }
        parameters.push_str(" SIZE=");
        parameters.push_str(&mail.len().to_string());
    }
    Ok(parameters)
}

async fn ask(
    connection: &mut Connection,
    step: SmtpStep,
    command: &str,
) -> Result<SmtpReply, HandOverFailure> {
    expected(step, connection.wire.ask_within(step.patience(), command).await)
}

/// The reply, if it is the one that the step goes on with.
fn expected(
    step: SmtpStep,
    answer: Result<SmtpReply, Broken>,
) -> Result<SmtpReply, HandOverFailure> {
    let reply = answer.map_err(|broken| HandOverFailure::Broken(step, broken))?;
    let goes_on = if step == SmtpStep::Data { reply.code == 354 } else { reply.is_positive() };
    match reply.code / 100 {
        _ if goes_on => Ok(reply),
        4 | 5 => Err(HandOverFailure::Refused(step, reply)),
        _ => Err(HandOverFailure::Broken(step, Broken::OutOfTurn(reply))),
    }
}
