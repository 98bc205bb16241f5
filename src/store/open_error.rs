//! Why a store cannot be opened, in words for people.

use std::fmt::Display;
use std::path::Path;

/// The reason why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another `run` holds it.
    #[error(
        "another tidings is running on this store ({0}); stop it first, or give this one a store of its own"
    )]
    Locked(String),
    /// It was made before the first schema.
    #[error(
        "the store {0} was made by an earlier build of Tidings, and its tables have other names; nothing in it was changed; keep the file, and name a new one as `store`: stories that the feeds still have are matched and sent again"
    )]
    Earlier(String),
    /// It was written by a newer Tidings.
    #[error(
        "the store was written by a newer Tidings (schema {found}, this one supports up to {supported}); upgrade Tidings, or restore a copy of the store"
    )]
    Newer {
        /// The schema in the file.
        found: i64,
        /// The newest schema of this build.
        supported: i64,
    },
    /// An earlier run left another store there. A new store would send everything again.
    #[error(
        "the store {path} is not whole: {why}; put a whole copy there with `tidings restore FILE`, or remove all files whose names begin with {path} to begin with an empty store, which sends again what was sent; docs/operations.md says more"
    )]
    Lost {
        /// Its path.
        path: String,
        /// What is missing.
        why: String,
    },
    /// A database without tables.
    #[error("there is no store at {0}: Tidings has not run yet")]
    Empty(String),
    /// Its server does not answer, or takes too long. It may answer later.
    #[error("the store {path} cannot be opened: {why}")]
    Unreachable {
        /// Its host and database.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Any other reason.
    #[error("the store {path} cannot be opened: {why}")]
    Failed {
        /// Its path.
        path: String,
        /// The message of the database or the system.
        why: String,
    },
}

impl OpenError {
    /// The error of this reason.
    pub(super) fn failed(path: &Path, why: &(impl Display + ?Sized)) -> Self {
        Self::Failed { path: path.display().to_string(), why: why.to_string() }
    }
}
