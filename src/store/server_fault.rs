//! Which errors mean that a server does not answer.

use std::io;

/// What a server answers when it ends a session, or takes none: it stops, crashed or starts, or the
/// session was idle for too long. Codes that begin with 08 are about connections, too.
const SESSION_ENDED: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25P03"];

/// The error of a server that takes too long.
pub(super) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"))
}

/// Whether the server does not answer, or has ended the session.
pub(super) fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| SESSION_ENDED.contains(&&*code) || is_about_connections(&code)),
        _ => false,
    }
}

/// Whether this is a code of `PostgreSQL` of the class 08. Codes of `SQLite` are numbers.
fn is_about_connections(code: &str) -> bool {
    code.len() == 5 && code.starts_with("08")
}

/// The message of an error.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_ended_is_an_outage_and_a_failed_statement_is_not() {
        assert!(is_outage(&no_answer()));
        assert!(is_about_connections("08006"));
        assert!(!is_about_connections("08"));
        assert!(!is_outage(&sqlx::Error::RowNotFound));
        assert!(!is_outage(&sqlx::Error::PoolTimedOut));
    }
}
