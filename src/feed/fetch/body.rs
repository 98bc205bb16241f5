//! Bodies as they are read: part by part, capped each, and all together.

use std::ops::Deref;
use std::sync::Arc;

use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{FetchError, Limits, failure};

/// What all bodies in flight may hold besides their first [`FREE`] bytes: with those of 256 connections, 64 MiB.
const SHARED: usize = 48 << 20;

/// How much of each body needs no room: hardly a feed is larger, so that none has to wait for those that are.
const FREE: usize = 64 << 10;

/// Room is taken in steps of so many bytes.
const STEP: usize = 64 << 10;

/// Room that bodies in flight share; a clone is the same room.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARED / STEP)))
    }
}

/// A body. It takes up room until it is dropped.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Body {
    /// A body that takes up no room.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, room: None }
    }
}

impl Body {
    /// Adds `part`, as soon as there is room for it.
    async fn extend(&mut self, part: &[u8], room: &Room) {
        let wanted = (self.bytes.len() + part.len()).saturating_sub(FREE).div_ceil(STEP);
        let held = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if let Some(more) = u32::try_from(wanted.saturating_sub(held)).ok().filter(|more| *more > 0) {
            let more = Arc::clone(&room.0).acquire_many_owned(more).await.expect("the semaphore is never closed");
            match &mut self.room {
                Some(held) => held.merge(more),
                none => *none = Some(more),
            }
        }
        self.bytes.extend_from_slice(part);
    }
}

/// Reads a body part by part, so that no more than the cap is ever held, however well it was compressed.
pub(super) async fn read(mut response: Response, limits: &Limits) -> Result<Body, FetchError> {
    let too_large = FetchError::TooLarge { limit: limits.body };
    if response.content_length().is_some_and(|length| length > limits.body as u64) {
        return Err(too_large);
    }
    let mut body = Body::default();
    loop {
        match tokio::time::timeout(limits.idle, response.chunk()).await {
            Ok(Ok(Some(part))) if body.len() + part.len() > limits.body => return Err(too_large),
            Ok(Ok(Some(part))) => body.extend(&part, &limits.room).await,
            Ok(Ok(None)) => return Ok(body),
            Ok(Err(error)) => return Err(failure::explain(&error)),
            Err(_) => return Err(FetchError::Broken("the server fell silent in the middle of its answer".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_bodies_wait_for_room_small_ones_do_not_and_room_is_given_back() {
        let room = Room(Arc::new(Semaphore::new(2)));
        let mut first = Body::default();
        first.extend(&vec![b'a'; FREE], &room).await;
        assert_eq!(room.0.available_permits(), 2, "the first bytes are free");
        first.extend(&vec![b'a'; STEP + 1], &room).await;
        assert_eq!((first.len(), room.0.available_permits()), (FREE + STEP + 1, 0));

        let mut second = Body::default();
        second.extend(&vec![b'b'; FREE], &room).await;
        {
            let mut more = std::pin::pin!(second.extend(b"b", &room));
            assert!(futures_util::poll!(&mut more).is_pending());
            drop(first);
            more.await;
        }
        assert_eq!((second.len(), room.0.available_permits()), (FREE + 1, 1));
        drop(second);
        assert_eq!(room.0.available_permits(), 2);
    }
}
