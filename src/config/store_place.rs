//! Where the store is: in a file, or in a database of a server.

use std::fmt;
use std::path::{Path, PathBuf};

use super::notifier::Secret;
use super::server_address::{AddressFault, parse_address};

/// The port of a server whose address names none.
pub(super) const USUAL_PORT: u16 = 5432;

/// Where the store is. It is shown without the user and the password.
#[derive(Clone, Debug, PartialEq)]
pub enum StorePlace {
    /// In a file of `SQLite`.
    File(PathBuf),
    /// In a database of a `PostgreSQL` server.
    Server(Box<ServerAddress>),
}

/// A database of a server, with what a connection to it needs.
#[derive(Clone, PartialEq)]
pub struct ServerAddress {
    /// The server: a name, an address, or the folder of its socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The user's password, if there is one.
    pub password: Option<Secret>,
    /// The database.
    pub database: String,
    /// How the connection is encrypted.
    pub encryption: ServerEncryption,
    /// A file with authorities that are trusted beside those of Mozilla.
    pub authorities: Option<PathBuf>,
}

/// How a connection to a server is encrypted: the `sslmode` of its address, as in libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEncryption {
    /// Not at all.
    Disable,
    /// If the server can.
    Prefer,
    /// Always. Any certificate is good.
    Require,
    /// Always, with a certificate of a trusted authority for the name of the server.
    VerifyFull,
}

impl StorePlace {
    /// The place that an argument names: a file, or the address of a database.
    ///
    /// # Errors
    /// If it is an address that cannot be used, or one with a password.
    pub fn parse_argument(text: &str) -> Result<Self, AddressFault> {
        if !text.contains("://") {
            return Ok(Self::File(text.strip_prefix("sqlite:").unwrap_or(text).into()));
        }
        let server = parse_address(text, Path::new(""))?;
        if server.password.is_some() {
            return Err(AddressFault {
                what: "other users of this machine can read a password in an argument",
                help: "change it, and set the variable PGPASSWORD instead",
            });
        }
        Ok(Self::Server(Box::new(server)))
    }

    /// The same place with this password, if it is on a server.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        if let Self::Server(server) = &mut self {
            server.password = Some(password.into());
        }
        self
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            USUAL_PORT => write!(f, "{}/{}", self.host, self.database),
            port => write!(f, "{}:{port}/{}", self.host, self.database),
        }
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
