//! The connections with which pages read the store. They are few: the daemon comes first.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::problem::Problem;
use crate::config::StorePlace;
use crate::store::Archive;

/// The most requests that read at once.
const MOST: usize = 2;

/// The connections that read the store for pages.
#[derive(Debug)]
pub(super) struct Archives {
    store: StorePlace,
    slots: Semaphore,
    idle: Mutex<Vec<Archive>>,
}

/// A connection, until it is dropped.
pub(super) struct Borrowed<'a> {
    archives: &'a Archives,
    archive: Option<Archive>,
    _slot: SemaphorePermit<'a>,
}

impl Archives {
    /// Connections to the store at this place. None is open yet.
    pub(super) fn new(store: StorePlace) -> Self {
        Self { store, slots: Semaphore::new(MOST), idle: Mutex::default() }
    }

    /// Where the store is.
    pub(super) fn store(&self) -> &StorePlace {
        &self.store
    }

    /// A connection. Waits while others have all of them.
    pub(super) async fn borrow(&self) -> Result<Borrowed<'_>, Problem> {
        let slot = self.slots.acquire().await.map_err(|why| Problem::unavailable(&why))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let archive = match idle {
            Some(archive) => archive.if_it_answers().await,
            None => None,
        };
        let archive = match archive {
            Some(archive) => archive,
            None => Archive::open(&self.store).await.map_err(|why| Problem::unavailable(&why))?,
        };
        Ok(Borrowed { archives: self, archive: Some(archive), _slot: slot })
    }
}

impl std::ops::Deref for Borrowed<'_> {
    type Target = Archive;

    fn deref(&self) -> &Archive {
        self.archive.as_ref().expect("it is there until the drop")
    }
}

impl std::ops::DerefMut for Borrowed<'_> {
    fn deref_mut(&mut self) -> &mut Archive {
        self.archive.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let idle = self.archives.idle.lock();
        idle.unwrap_or_else(PoisonError::into_inner).extend(self.archive.take());
    }
}
