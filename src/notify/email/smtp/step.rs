//! The steps of a conversation, and how long the server may take over each.

use std::time::Duration;

/// What an answer is awaited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpStep {
    Greeting,
    Hello,
    StartTls,
    Login,
    Mail,
    Rcpt,
    Data,
    /// The mail itself, up to its final dot: whoever breaks off here may have taken it.
    End,
}

impl SmtpStep {
    /// As the protocol writes it.
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

    /// How long an answer may take (RFC 5321, 4.5.3.2). A shorter wait for the last one would send
    /// mails twice. The steps before a mail have a deadline round all of them.
    pub(super) fn reply_timeout(self) -> Duration {
        match self {
            Self::Greeting | Self::Hello | Self::StartTls | Self::Login | Self::Data => {
                Duration::from_mins(2)
            }
            Self::Mail | Self::Rcpt => Duration::from_mins(5),
            Self::End => Duration::from_mins(10),
        }
    }

    /// Whether a mail is under way.
    pub(super) fn is_mail_step(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt | Self::Data | Self::End)
    }
}
