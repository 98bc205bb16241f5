//! The service extensions in a server's answer to EHLO (RFC 5321, 4.1.1.1). Keywords are
//! case-insensitive.

use super::login::Mechanism;
use super::reply::SmtpReply;

/// The extensions of a server. A server that knows only HELO has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerExtensions {
    pub(super) starttls: bool,
    pub(super) eight_bit_mime: bool,
    pub(super) smtp_utf8: bool,
    /// The offered login mechanisms that Tidings knows.
    pub(super) mechanisms: Vec<Mechanism>,
    /// The longest mail that the server takes, in bytes, if it has SIZE (RFC 1870); `usize::MAX` if
    /// it states no limit.
    pub(super) max_mail_size: Option<usize>,
    /// The largest number of mails over one connection (RFC 9422).
    pub(super) max_mails: Option<u32>,
}

impl ServerExtensions {
    /// Reads the extensions in `reply`. Its first line should be a greeting, but some servers leave
    /// that out.
    pub(super) fn from_reply(reply: &SmtpReply) -> Self {
        let mut offer = Self::default();
        for line in &reply.lines {
            offer.read_keyword_line(&line.to_ascii_uppercase());
        }
        offer
    }

    fn read_keyword_line(&mut self, line: &str) {
        // `AUTH=LOGIN PLAIN` was the form before RFC 2554.
        let line = line
            .strip_prefix("AUTH=")
            .map_or_else(|| line.to_owned(), |rest| format!("AUTH {rest}"));
        let mut words = line.split_whitespace();
        match words.next() {
            Some("STARTTLS") => self.starttls = true,
            Some("8BITMIME") => self.eight_bit_mime = true,
            Some("SMTPUTF8") => self.smtp_utf8 = true,
            Some("AUTH") => self.mechanisms.extend(words.filter_map(Mechanism::from_name)),
            Some("SIZE") => {
                let most = words.next().and_then(|most| most.parse().ok());
                self.max_mail_size = Some(most.filter(|most| *most > 0).unwrap_or(usize::MAX));
            }
            Some("LIMITS") => {
                let most = words.find_map(|word| word.strip_prefix("MAILMAX=")?.parse().ok());
                self.max_mails = most.filter(|most| *most > 0);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn extensions_from_lines(lines: &[&str]) -> ServerExtensions {
        let lines = std::iter::once("sink.example")
            .chain(lines.iter().copied())
            .map(str::to_owned)
            .collect();
        ServerExtensions::from_reply(&SmtpReply { code: 250, status: None, lines })
    }

    #[rstest]
    #[case(&["AUTH PLAIN LOGIN"], &[Mechanism::Plain, Mechanism::Login])]
    #[case(&["auth login plain"], &[Mechanism::Login, Mechanism::Plain])]
    #[case(&["AUTH=LOGIN PLAIN"], &[Mechanism::Login, Mechanism::Plain])]
    #[case(&["Auth=login"], &[Mechanism::Login])]
    #[case(&["AUTH NTLM", "AUTH=Login"], &[Mechanism::Login])]
    #[case(&["AUTH NTLM CRAM-MD5"], &[])]
    #[case(&["AUTHOR PLAIN"], &[])]
    #[case(&["AUTH"], &[])]
    fn ways_to_log_in_are_read_in_every_form(
        #[case] lines: &[&str],
        #[case] expected: &[Mechanism],
    ) {
        assert_eq!(extensions_from_lines(lines).mechanisms, expected);
    }

    #[rstest]
    #[case(&["SIZE 35882577"], Some(35_882_577), None)]
    #[case(&["size"], Some(usize::MAX), None)]
    #[case(&["SIZE 0", "limits rcptmax=5 mailmax=2"], Some(usize::MAX), Some(2))]
    #[case(&["SIZE much", "LIMITS MAILMAX=0"], Some(usize::MAX), None)]
    #[case(&["LIMITS RCPTMAX=1 MAILMAX=x"], None, None)]
    fn limits_are_read(
        #[case] lines: &[&str],
        #[case] size: Option<usize>,
        #[case] mails: Option<u32>,
    ) {
        let offer = extensions_from_lines(lines);
        assert_eq!((offer.max_mail_size, offer.max_mails), (size, mails));
    }

    #[test]
    fn keywords_are_case_insensitive_and_unknown_ones_are_ignored() {
        let offer = extensions_from_lines(&[
            "StartTls",
            "8bitmime",
            "smtputf8",
            "X-MAGIC",
            "",
            "PIPELINING",
        ]);
        assert!(offer.starttls && offer.eight_bit_mime && offer.smtp_utf8);
    }
}
