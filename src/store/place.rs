//! Where a store is: in a file, or in a database of a server.

use std::fmt;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// In a file of `SQLite`.
    File(PathBuf),
    /// In a database of a `PostgreSQL` server.
    Server(ServerPlace),
}

/// A database of a server, with what a connection to it needs.
#[derive(Clone)]
pub struct ServerPlace(pub(super) Box<PgConnectOptions>);

impl fmt::Debug for ServerPlace {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, database) = (self.0.get_host(), self.0.get_database().unwrap_or_default());
        write!(formatter, "{host}/{database}")
    }
}

impl From<&Path> for StorePlace {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for StorePlace {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Self> for StorePlace {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}
