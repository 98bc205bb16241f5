//! Reads bodies part by part, within limits for each body and for all bodies together.

use std::io::Read;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::coding::{self, ContentCoding, MOST_CODINGS, Unpacker};
use super::limits::{Limits, MOST_BYTES, too_slow, within};
use super::{FetchError, failure};

/// The classes of bodies by size: the most bytes of a body, and the most bodies in memory until
/// they are parsed. Together they are 60 MiB. A body of the last class may take twice its size
/// while it is unpacked.
///
/// A body that outgrows its class waits for a place in the next class and keeps its own place
/// meanwhile. A body of the last class waits for nothing, so there is no deadlock.
const SIZES: [(usize, usize); 3] = [(64 << 10, 256), (1 << 20, 24), (MOST_BYTES, 2)];

/// The number of parts that a body of any length may have. Each part takes time, however small it
/// is.
const MOST_PARTS: usize = 50_000;

/// The least mean length of the parts beyond [`MOST_PARTS`], in bytes.
const LEAST_PART: usize = 64;

const DAMAGED: &str = "the answer is damaged: it cannot be decompressed";

/// The most bytes that are unpacked at once.
const LARGEST_PART: usize = 64 << 10;

/// The memory that parsing takes for each byte of a body, in bytes, as measured: the decoded and
/// repaired text, the items, the rows for the store.
const WORK_OF_A_BYTE: usize = 15;

/// The memory that parsing may take at once, in KiB: enough for one body of the largest class.
const MOST_WORK: u32 = 160 << 10;

/// The memory that bodies and their parsing share. A clone shares it, too.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    places: [Arc<Semaphore>; SIZES.len()],
    /// The KiB of [`MOST_WORK`] that are free.
    work: Arc<Semaphore>,
}

/// A reservation of memory for parsing. It ends when it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct ParsingMemory(
    #[expect(dead_code, reason = "it is held, not used")] OwnedSemaphorePermit,
);

impl Default for BodyBudget {
    fn default() -> Self {
        Self::with_places(SIZES.map(|(_, places)| places))
    }
}

impl BodyBudget {
    fn with_places(places: [usize; SIZES.len()]) -> Self {
        let work = Arc::new(Semaphore::new(MOST_WORK as usize));
        Self { places: places.map(|places| Arc::new(Semaphore::new(places))), work }
    }

    /// Waits until there is memory to parse `body`. The caller keeps the reservation until the
    /// result is recorded.
    pub(crate) async fn reserve_memory(&self, body: &Body) -> ParsingMemory {
        let takes =
            u32::try_from(body.len() * WORK_OF_A_BYTE / 1024).unwrap_or(MOST_WORK).min(MOST_WORK);
        ParsingMemory(
            Arc::clone(&self.work)
                .acquire_many_owned(takes)
                .await
                .expect("the semaphore is never closed"),
        )
    }
}

/// The bytes of an answer. It holds its place in a [`BodyBudget`] until it is dropped.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// The length of its packed form while that is unpacked.
    packed: usize,
    /// The index of its class in [`SIZES`], and its place in that class.
    place: Option<(usize, OwnedSemaphorePermit)>,
    /// Why the body is incomplete.
    broken: Option<FetchError>,
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Body {
    /// A body without a place in a budget.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }
}

impl Body {
    /// Why the body is incomplete; `None` if it is complete.
    #[must_use]
    pub fn incomplete_because(&self) -> Option<&FetchError> {
        self.broken.as_ref()
    }

    /// Appends `part`, after waiting for a place if the body outgrows its class.
    async fn extend(&mut self, part: &[u8], room: &BodyBudget) {
        let length = self.packed + self.bytes.len() + part.len();
        let size = SIZES.iter().position(|(most, _)| length <= *most).unwrap_or(SIZES.len() - 1);
        if self.place.as_ref().is_none_or(|(held, _)| *held < size) {
            let place = Arc::clone(&room.places[size])
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            self.place = Some((size, place));
        }
        self.bytes.extend_from_slice(part);
    }
}

/// Reads a body part by part and decompresses it. The limit is for the bytes before and after.
/// Receiving the parts takes at most the time that is `left`; waiting for memory does not count. A
/// body that breaks off after its first byte is returned as incomplete.
pub(super) async fn read_body(
    response: Response,
    limits: &Limits,
    left: &mut Duration,
) -> Result<Body, FetchError> {
    let head = response.headers().clone();
    let mut named = coding::codings(&head);
    let mut body = receive_body(response, limits, left).await?;
    if coding::lacks_gzip(&head, &body) {
        return Err(FetchError::Broken(DAMAGED.to_owned()));
    }
    for _ in 0..MOST_CODINGS {
        if !unpack(&mut body, &mut named, limits).await? {
            break;
        }
    }
    Ok(body)
}

/// Replaces `body` by what its outermost coding holds. Returns whether it was packed. The place of
/// `body` counts for both until then, so that no body waits for two places.
async fn unpack(
    body: &mut Body,
    named: &mut Vec<ContentCoding>,
    limits: &Limits,
) -> Result<bool, FetchError> {
    let packed = mem::take(&mut body.bytes);
    let Some(mut unpacker) = Unpacker::next(&packed, named) else {
        body.bytes = packed;
        return Ok(false);
    };
    body.packed = packed.len();
    let mut part = vec![0; LARGEST_PART];
    loop {
        match unpacker.read(&mut part) {
            Ok(0) => break,
            Ok(length) if body.len() + length > limits.body => {
                return Err(FetchError::TooLarge { limit: limits.body });
            }
            Ok(length) => body.extend(&part[..length], &limits.room).await,
            Err(_) => {
                let damaged = || FetchError::Broken(DAMAGED.to_owned());
                let why = body.broken.take().unwrap_or_else(damaged);
                *body = keep_partial(mem::take(body), why)?;
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    body.packed = 0;
    Ok(true)
}

/// Receives a body as it is sent.
async fn receive_body(
    mut response: Response,
    limits: &Limits,
    left: &mut Duration,
) -> Result<Body, FetchError> {
    let too_large = FetchError::TooLarge { limit: limits.body };
    if response.content_length().is_some_and(|length| length > limits.body as u64) {
        return Err(too_large);
    }
    let mut body = Body::default();
    let mut parts = 0;
    loop {
        // A part that has already arrived needs no timer.
        let part = match response.chunk().now_or_never() {
            Some(part) => Some(Ok(part)),
            None => within(left, tokio::time::timeout(limits.idle, response.chunk())).await,
        };
        parts += 1;
        match part {
            Some(Ok(Ok(Some(part)))) if body.len() + part.len() > limits.body => {
                return Err(too_large);
            }
            Some(Ok(Ok(Some(_)))) if parts > MOST_PARTS + body.len() / LEAST_PART => {
                let why = "the server sends its answer in too many small parts".to_owned();
                return keep_partial(body, FetchError::Broken(why));
            }
            Some(Ok(Ok(Some(part)))) => body.extend(&part, &limits.room).await,
            Some(Ok(Ok(None))) => return Ok(body),
            Some(Ok(Err(error))) => return keep_partial(body, failure::explain(&error)),
            Some(Err(_)) => {
                let silent =
                    FetchError::Broken("the server stopped in the middle of its answer".to_owned());
                return keep_partial(body, silent);
            }
            None => return keep_partial(body, too_slow(limits.total)),
        }
    }
}

/// The incomplete body; an error if it is empty.
fn keep_partial(body: Body, why: FetchError) -> Result<Body, FetchError> {
    if body.is_empty() { Err(why) } else { Ok(Body { broken: Some(why), ..body }) }
}

#[cfg(test)]
impl BodyBudget {
    /// Takes all places of the largest class.
    pub(super) async fn without_the_largest(&self) -> OwnedSemaphorePermit {
        let (_, places) = SIZES[SIZES.len() - 1];
        let all = u32::try_from(places).expect("few");
        Arc::clone(&self.places[SIZES.len() - 1])
            .acquire_many_owned(all)
            .await
            .expect("never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of free places of each class.
    fn free(room: &BodyBudget) -> [usize; SIZES.len()] {
        room.places.each_ref().map(|places| places.available_permits())
    }

    #[tokio::test]
    async fn a_body_that_outgrows_its_size_waits_for_a_place_among_the_next_and_gives_it_back() {
        let room = BodyBudget::with_places([1, 1, 1]);
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

    #[tokio::test]
    async fn two_of_the_largest_bodies_are_not_read_at_once() {
        let room = BodyBudget::default();
        let large = Body::from(vec![b'a'; MOST_BYTES]);
        let first = room.reserve_memory(&large).await;
        let small = room.reserve_memory(&Body::from(vec![b'a'; 64 << 10])).await;
        let mut second = std::pin::pin!(room.reserve_memory(&large));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop((second.await, small));
    }

    #[test]
    fn all_bodies_together_have_64_mib_at_most() {
        let most: usize = SIZES.iter().map(|(size, places)| size * places).sum();
        assert!(most <= 64 << 20, "{most}");
    }
}
