//! Why a server cannot be used, and what to do then.

use std::io;

/// What a server answers when it ends a session, or takes none: it stops, crashed or starts, or the
/// session was idle for too long. Codes that begin with 08 are about connections, too.
const SESSION_ENDED: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25P03"];

/// What a server answers when a lock is not free in time, and when it ends one of two sessions that
/// lock each other out.
const LOCKED_LONG: [&str; 2] = ["55P03", "40P01"];

/// The error of a server that takes too long.
pub(super) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"))
}

/// Whether the server ended the connection, perhaps before its first answer.
fn is_ended_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        // sqlx takes no answer for one.
        sqlx::Error::Protocol(why) => why.starts_with("unexpected response from SSLRequest: 0x00"),
        _ => false,
    }
}

/// Whether the server does not answer, or has ended the session.
pub(super) fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| SESSION_ENDED.contains(&&*code) || is_about_connections(&code)),
        error => is_ended_connection(error),
    }
}

/// Whether the same may succeed later: the server does not answer, or another process holds a lock
/// for long.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let is_locked = code.is_some_and(|code| LOCKED_LONG.contains(&&*code));
    is_locked || is_outage(error) || matches!(error, sqlx::Error::PoolTimedOut)
}

/// Whether this is a code of `PostgreSQL` of the class 08. Codes of `SQLite` are numbers.
fn is_about_connections(code: &str) -> bool {
    code.len() == 5 && code.starts_with("08")
}

/// What to do about encryption.
const CERTIFICATE: &str = "name the authority of its certificate with sslrootcert, or choose another sslmode, as docs/configuration.md says";

fn is_about_certificates(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

/// The message of an error.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error if is_ended_connection(error) => "it ended the connection".to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Why a session could not be made, and what to do.
pub(super) fn explain(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let help = match (error, code.as_deref()) {
        (sqlx::Error::Tls(_), _) => CERTIFICATE,
        (sqlx::Error::Io(error), _) if is_about_certificates(error) => CERTIFICATE,
        (_, Some("28P01")) => "correct `password` or `password_file` of `store`",
        (_, Some("28000")) => "make the role, or let it in with pg_hba.conf",
        (_, Some("3D000")) => "make it with `createdb --owner ROLE DATABASE`",
        (_, Some("42501")) => "the role must own the database",
        (_, Some("53300")) => "Tidings needs 10 sessions",
        (sqlx::Error::Io(_), _) => "start the server, or correct `store`",
        _ => return message(error),
    };
    format!("{}; {help}", message(error))
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
        let ended = "unexpected response from SSLRequest: 0x00 (sqlx_postgres::connection::tls:95)";
        let ended = sqlx::Error::Protocol(ended.to_owned());
        assert!(is_outage(&ended));
        assert_eq!(message(&ended), "it ended the connection");
        let no_server =
            sqlx::Error::Protocol("unexpected response from SSLRequest: 0x48".to_owned());
        assert!(!is_outage(&no_server));
    }

    #[test]
    fn a_server_that_is_not_there_is_told_with_what_to_do() {
        let refused = sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(explain(&refused), "connection refused; start the server, or correct `store`");
    }
}
