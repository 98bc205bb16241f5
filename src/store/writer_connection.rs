//! The connection that writes. One to a server is made again after it was lost.

use tracing::{info, warn};

use super::open_error::OpenError;
use super::open_mark;
use super::server::{self, Retake, WritingSession};
use super::server_fault;
use crate::store::db::{DbConnection, run_script};

/// The connection of the writer.
#[derive(Debug)]
pub(super) enum WriterConnection {
    /// To a file.
    File(DbConnection<'static>),
    /// To a server.
    Server(DbConnection<'static>, WritingSession),
    /// To a server that does not answer, for this reason.
    Lost(WritingSession, String),
}

/// Logs why the server does not answer, unless this was told last.
fn tell_once(told: &mut String, why: &str) {
    if *told != why {
        warn!(
            event = "store_lost",
            "the store cannot be reached: {why}; nothing is recorded until it is back"
        );
        why.clone_into(told);
    }
}

/// Why the writer has no connection.
#[derive(Debug)]
pub(super) enum NoConnection {
    /// The server does not answer. It is asked again for the next commands.
    Lost(String),
    /// Another run took the store. This one must not write again.
    Taken(OpenError),
}

impl WriterConnection {
    /// The connection. One that was lost is made again, if the server answers.
    pub(super) async fn get(&mut self) -> Result<&mut DbConnection<'static>, NoConnection> {
        if let Self::Lost(session, told) = self {
            let (conn, session) = session.retake().await.map_err(|why| match why {
                Retake::Later(why) => {
                    tell_once(told, &why);
                    NoConnection::Lost(why)
                }
                Retake::Taken(why) => NoConnection::Taken(why),
            })?;
            info!(event = "store_back", "the store can be written again");
            *self = Self::Server(DbConnection::Postgres(conn), session);
        }
        match self {
            Self::File(conn) | Self::Server(conn, _) => Ok(conn),
            Self::Lost(..) => unreachable!("it was made again"),
        }
    }

    /// Takes back what a failed transaction did. A server that does not answer, for the reason
    /// `outage`, does so by itself.
    pub(super) async fn roll_back(&mut self, outage: Option<&str>) {
        match self {
            // This fails if SQLite has rolled back by itself: there is no transaction then.
            Self::File(conn) => _ = run_script(conn, "ROLLBACK".into()).await,
            Self::Server(conn, session) => {
                let why = if let Some(why) = outage {
                    Some(why.to_owned())
                } else {
                    let back = run_script(conn, "ROLLBACK".into()).await;
                    back.err().map(|why| server_fault::message(&why))
                };
                if let Some(why) = why {
                    let mut told = String::new();
                    tell_once(&mut told, &why);
                    *self = Self::Lost(session.clone(), told);
                }
            }
            Self::Lost(..) => {}
        }
    }

    /// Closes it. A file is left without a log. `false`: another process needs the log. A server
    /// ends a session some time after it is closed, so its lock is released first.
    pub(super) async fn close(self) -> Result<bool, sqlx::Error> {
        match self {
            Self::File(DbConnection::Sqlite(mut conn)) => {
                let whole = open_mark::mark_closed(&mut conn).await;
                let closed = DbConnection::Sqlite(conn).close().await;
                whole.and_then(|whole| closed.map(|()| whole))
            }
            Self::Server(DbConnection::Postgres(mut conn), _) => {
                let released = server::release_lock(&mut conn).await;
                let closed = DbConnection::Postgres(conn).close().await;
                released.and(closed).map(|()| true)
            }
            Self::File(conn) | Self::Server(conn, _) => conn.close().await.map(|()| true),
            Self::Lost(..) => Ok(true),
        }
    }
}
