//! Bodies as they are read: part by part, capped each, and all together.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{FetchError, Limits, MOST_BYTES, failure, too_slow, within};

/// Sizes of bodies, and how many of each are held at once until they are parsed: 60 MiB in all. A body that outgrows its size waits for a place among
/// the next, and keeps its own meanwhile; those of the last wait for nothing, so that all come to an end.
const SIZES: [(usize, usize); 3] = [(64 << 10, 256), (1 << 20, 24), (MOST_BYTES, 2)];

/// Room that bodies in flight share; a clone is the same room.
#[derive(Clone, Debug)]
pub struct Room([Arc<Semaphore>; SIZES.len()]);

impl Default for Room {
    fn default() -> Self {
        Self(SIZES.map(|(_, places)| Arc::new(Semaphore::new(places))))
    }
}

/// A body. It takes up room until it is dropped.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// Its size, and its place among those of that size.
    place: Option<(usize, OwnedSemaphorePermit)>,
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
        Self { bytes, place: None }
    }
}

impl Body {
    /// Adds `part`, as soon as there is room for it.
    async fn extend(&mut self, part: &[u8], room: &Room) {
        let length = self.bytes.len() + part.len();
        let size = SIZES.iter().position(|(most, _)| length <= *most).unwrap_or(SIZES.len() - 1);
        if self.place.as_ref().is_none_or(|(held, _)| *held < size) {
            let place = Arc::clone(&room.0[size]).acquire_owned().await.expect("the semaphore is never closed");
            self.place = Some((size, place));
        }
        self.bytes.extend_from_slice(part);
    }
}

/// Reads a body part by part, so that no more than the cap is ever held, however well it was compressed. Its parts may take what is `left` of the time for
/// the whole; waiting for room does not count, for others take it up.
pub(super) async fn read(mut response: Response, limits: &Limits, left: &mut Duration) -> Result<Body, FetchError> {
    let too_large = FetchError::TooLarge { limit: limits.body };
    if response.content_length().is_some_and(|length| length > limits.body as u64) {
        return Err(too_large);
    }
    let mut body = Body::default();
    loop {
        match within(left, tokio::time::timeout(limits.idle, response.chunk())).await {
            Some(Ok(Ok(Some(part)))) if body.len() + part.len() > limits.body => return Err(too_large),
            Some(Ok(Ok(Some(part)))) => body.extend(&part, &limits.room).await,
            Some(Ok(Ok(None))) => return Ok(body),
            Some(Ok(Err(error))) => return Err(failure::explain(&error)),
            Some(Err(_)) => {
                return Err(FetchError::Broken("the server fell silent in the middle of its answer".to_owned()));
            }
            None => return Err(too_slow(limits.total)),
        }
    }
}

#[cfg(test)]
impl Room {
    /// Takes up all places of the largest bodies.
    pub(super) async fn without_the_largest(&self) -> OwnedSemaphorePermit {
        let (_, places) = SIZES[SIZES.len() - 1];
        let all = u32::try_from(places).expect("few");
        Arc::clone(&self.0[SIZES.len() - 1]).acquire_many_owned(all).await.expect("never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many places of each size are free.
    fn free(room: &Room) -> [usize; SIZES.len()] {
        room.0.each_ref().map(|places| places.available_permits())
    }

    #[tokio::test]
    async fn a_body_that_outgrows_its_size_waits_for_a_place_among_the_next_and_gives_it_back() {
        let room = Room([1, 1, 1].map(|places| Arc::new(Semaphore::new(places))));
        let mut first = Body::default();
        first.extend(&vec![b'a'; SIZES[0].0], &room).await;
        assert_eq!(free(&room), [0, 1, 1]);
        first.extend(b"a", &room).await;
        assert_eq!((first.len(), free(&room)), (SIZES[0].0 + 1, [1, 0, 1]));

        let mut second = Body::default();
        second.extend(&vec![b'b'; SIZES[0].0], &room).await;
        {
            let mut more = std::pin::pin!(second.extend(b"b", &room));
            assert!(futures_util::poll!(&mut more).is_pending());
            first.extend(&vec![b'a'; SIZES[1].0], &room).await;
            more.await;
        }
        assert_eq!((second.len(), free(&room)), (SIZES[0].0 + 1, [1, 0, 0]));
        drop((first, second));
        assert_eq!(free(&room), [1, 1, 1]);
    }

    #[test]
    fn all_bodies_together_have_64_mib_at_most() {
        let most: usize = SIZES.iter().map(|(size, places)| size * places).sum();
        assert!(most <= 64 << 20, "{most}");
    }
}
