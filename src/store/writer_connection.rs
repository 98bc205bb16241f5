//! The connection that writes. One to a server is made again after it was lost.

use super::outage_log::OutageLog;
use super::run_lease::RunFence;
use super::{open_mark, server, server_fault};
use crate::config::ServerAddress;
use crate::store::db::{DbConnection, Sql, run_script};

/// The connection of the writer.
#[derive(Debug)]
pub(super) enum WriterConnection {
    /// To a file.
    File(DbConnection<'static>),
    /// To a server.
    Server(DbConnection<'static>, WritingSession),
    /// To a server that does not answer.
    Lost(WritingSession, OutageLog),
}

/// The session that writes. One that was lost can be made again.
#[derive(Clone, Debug)]
pub(super) struct WritingSession {
    pub(super) server: ServerAddress,
    /// That of the run. `None`: it writes beside a run, as a command does.
    pub(super) fence: Option<RunFence>,
}

/// Why a transaction did not begin.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// The server does not answer. It is asked again for the next commands.
    Unreachable(String),
    /// A statement failed.
    Failed(sqlx::Error),
    /// The lease of the run is over. The run must not write again.
    LeaseOver,
}

impl From<sqlx::Error> for NotBegun {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl WriterConnection {
    /// Begins a transaction and its first command, as `script` says. That of a run on a server has
    /// a fence. A connection that was lost is made again, if the server answers. After
    /// [`NotBegun::Failed`], the caller rolls back.
    pub(super) async fn begin(
        &mut self,
        script: Sql,
    ) -> Result<&mut DbConnection<'static>, NotBegun> {
        if let Self::Lost(session, outage) = self {
            let conn = server::connect_to_write(&session.server).await.map_err(|why| {
                let why = server_fault::message(&why);
                outage.tell(&why);
                NotBegun::Unreachable(why)
            })?;
            outage.end();
            *self = Self::Server(DbConnection::Postgres(conn), session.clone());
        }
        match self {
            Self::Server(conn, WritingSession { fence: Some(fence), .. }) => {
                if fence.begin(conn).await? { Ok(conn) } else { Err(NotBegun::LeaseOver) }
            }
            Self::File(conn) | Self::Server(conn, _) => {
                run_script(conn, script).await?;
                Ok(conn)
            }
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
                    let mut told = OutageLog::default();
                    told.tell(&why);
                    *self = Self::Lost(session.clone(), told);
                }
            }
            Self::Lost(..) => {}
        }
    }

    /// Gives back the lease of a run on a server, so that another node takes the store at once.
    pub(super) async fn release(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Server(conn, WritingSession { fence: Some(fence), .. }) => {
                fence.release(conn).await
            }
            _ => Ok(()),
        }
    }

    /// Closes it. A file is left without a log. `false`: another process needs the log.
    pub(super) async fn close(self) -> Result<bool, sqlx::Error> {
        match self {
            Self::File(DbConnection::Sqlite(mut conn)) => {
                let whole = open_mark::mark_closed(&mut conn).await;
                let closed = DbConnection::Sqlite(conn).close().await;
                whole.and_then(|whole| closed.map(|()| whole))
            }
            Self::File(conn) | Self::Server(conn, _) => conn.close().await.map(|()| true),
            Self::Lost(..) => Ok(true),
        }
    }
}
