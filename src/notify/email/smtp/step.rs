//! The steps of an SMTP conversation, and the time limit of each.

use std::time::Duration;

/// The step whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpStep {
    Greeting,
    Hello,
    StartTls,
    Login,
    Mail,
    Rcpt,
    Data,
    /// The mail itself, up to its final dot. If the connection fails here, the server may have
    /// taken the mail.
    End,
}

impl SmtpStep {
    /// The name of the step in the protocol.
    pub(super) fn protocol_name(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Login => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::End => "the final dot",
        }
    }

    /// The time limit for the answer (RFC 5321, 4.5.3.2). With a shorter limit for the final dot,
    /// mails would be sent twice. `open_connection` also limits the steps before a mail together.
    pub(super) fn reply_timeout(self) -> Duration {
        match self {
            Self::Greeting | Self::Hello | Self::StartTls | Self::Login | Self::Data => {
                Duration::from_mins(2)
            }
            Self::Mail | Self::Rcpt => Duration::from_mins(5),
            Self::End => Duration::from_mins(10),
        }
    }

    /// Whether the step belongs to a mail.
    pub(super) fn is_mail_step(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt | Self::Data | Self::End)
    }
}
