//! Sends a mail, command by command (RFC 5321, 3.3), so that a failure names its step.

use lettre::Address;

use super::connection::Connection;
use super::reply::SmtpReply;
use super::step::SmtpStep;
use super::wire::WireError;

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

/// Why a mail was not sent.
pub(super) enum MailFailure {
    /// The server refused it.
    Refused(SmtpStep, SmtpReply),
    /// The connection failed, or an answer does not belong to the last command.
    Broken(SmtpStep, WireError),
    /// The sender's address needs an extension that the server lacks (RFC 6531).
    SenderNotAscii,
    /// The recipient's address needs that extension.
    RecipientNotAscii,
    /// The mail is longer than this limit of the server, in bytes.
    TooLong(usize),
}

impl MailFailure {
    /// Whether the connection can no longer be used.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Refused(_, reply) => reply.code == 421,
            Self::Broken(..) => true,
            Self::SenderNotAscii | Self::RecipientNotAscii | Self::TooLong(_) => false,
        }
    }

    /// Whether the server refused the mail, as opposed to a failure of the connection.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(..))
    }

    /// Whether the failure may concern the connection rather than the mail. The server has not
    /// taken the mail.
    pub(super) fn may_concern_connection(&self) -> bool {
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
                !matches!(broken, WireError::TimedOut(_))
            }
            _ => false,
        }
    }
}

/// Sends `mail`.
pub(super) async fn send_mail(
    connection: &mut Connection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<SmtpReply, MailFailure> {
    let parameters = mail_parameters(connection, envelope, mail)?;
    connection.mails_begun += 1;
    send_step_command(
        connection,
        SmtpStep::Mail,
        &format!("MAIL FROM:<{}>{parameters}", envelope.from),
    )
    .await?;
    send_step_command(connection, SmtpStep::Rcpt, &format!("RCPT TO:<{}>", envelope.to)).await?;
    send_step_command(connection, SmtpStep::Data, "DATA").await?;
    let answer = connection.wire.send_mail_data(mail, SmtpStep::End.reply_timeout()).await;
    expect_reply(SmtpStep::End, answer)
}

/// The parameters of `MAIL` that the server understands.
fn mail_parameters(
    connection: &Connection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<String, MailFailure> {
    let extensions = &connection.extensions;
    let mut parameters = String::new();
    if !envelope.is_ascii() {
        if !extensions.smtp_utf8 {
            let is_sender = is_ascii(&envelope.to);
            return Err(if is_sender {
                MailFailure::SenderNotAscii
            } else {
                MailFailure::RecipientNotAscii
            });
        }
        parameters.push_str(" SMTPUTF8");
    }
    if !mail.is_ascii() && extensions.eight_bit_mime {
        parameters.push_str(" BODY=8BITMIME");
    }
    if let Some(most) = extensions.max_mail_size {
        if mail.len() > most {
            return Err(MailFailure::TooLong(most));
        }
        parameters.push_str(" SIZE=");
        parameters.push_str(&mail.len().to_string());
    }
    Ok(parameters)
}

async fn send_step_command(
    connection: &mut Connection,
    step: SmtpStep,
    command: &str,
) -> Result<SmtpReply, MailFailure> {
    expect_reply(step, connection.wire.send_command_within(step.reply_timeout(), command).await)
}

/// The reply, if it lets the transaction go on.
fn expect_reply(
    step: SmtpStep,
    answer: Result<SmtpReply, WireError>,
) -> Result<SmtpReply, MailFailure> {
    let reply = answer.map_err(|broken| MailFailure::Broken(step, broken))?;
    let goes_on = if step == SmtpStep::Data { reply.code == 354 } else { reply.is_positive() };
    match reply.code / 100 {
        _ if goes_on => Ok(reply),
        4 | 5 => Err(MailFailure::Refused(step, reply)),
        _ => Err(MailFailure::Broken(step, WireError::Unexpected(reply))),
    }
}
