//! The exit codes of the program.

/// The exit codes in the help.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
   0  success
   1  something needs attention: of `status` alone
  64  the command line is wrong
  65  rules, names or data are wrong
  69  something is unavailable: the store, a feed, a receiver
  70  a bug in Tidings
  74  an output cannot be written: standard output, a copy of the store; or `ingest` cannot
      read its stories
  78  the configuration is wrong";

/// The exit code, in the sense of sysexits.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Success.
    Ok = 0,
    /// Something needs attention, says `status`.
    Attention = 1,
    /// The command line is wrong.
    Usage = 64,
    /// Rules, expressions, names or feeds are wrong.
    Data = 65,
    /// Something is unavailable: the store, a feed, a receiver.
    Unavailable = 69,
    /// A bug in Tidings.
    Bug = 70,
    /// An output cannot be written: standard output, a copy of the store. Or the stories of
    /// `ingest` cannot be read.
    Output = 74,
    /// The configuration is wrong.
    Config = 78,
}
