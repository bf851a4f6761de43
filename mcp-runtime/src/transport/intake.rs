//! Reads a request body: bounded in size, in time, and in memory over all requests together.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest request body, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Bytes that may be held for request bodies at once. Connections times bodies would be more than any pod has.
const BUDGET: usize = 256 * 1024 * 1024;
/// How often a body is held at most: as it came, as the arguments that wait for their turn, as the message to whoever
/// carries them out.
const COPIES: usize = 3;
/// How long a body that is refused is read on.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a client may take to send its body. A slow one holds a connection and bytes, never a permit.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Memory for request bodies.
#[derive(Debug)]
pub struct Intake {
    budget: Arc<Semaphore>,
}

/// A whole body.
#[derive(Debug, Default)]
pub struct Received {
    /// The body.
    pub bytes: Bytes,
    /// To be kept for as long as anything of the body is.
    pub share: Share,
}

/// A share of the budget, free again when its last clone is dropped: work may outlive the request that it was begun for.
#[derive(Clone, Debug, Default)]
pub struct Share(#[allow(dead_code, reason = "kept for its drop")] Option<Arc<OwnedSemaphorePermit>>);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBody {
    /// It is larger than [`MAX_BODY`].
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The client left.
    Broken,
    /// Other bodies fill the memory that there is for them.
    NoRoom,
}

impl Default for Intake {
    fn default() -> Self {
        Self { budget: Arc::new(Semaphore::new(BUDGET)) }
    }
}

impl Intake {
    /// Reads the whole body.
    ///
    /// # Errors
    /// [`NoBody`].
    pub async fn read(&self, body: Incoming) -> Result<Received, NoBody> {
        // Told in advance, it need not be read at all.
        if http_body::Body::size_hint(&body).lower() > MAX_BODY as u64 {
            drain(body).await;
            return Err(NoBody::TooLarge);
        }
        tokio::time::timeout(BODY_TIMEOUT, self.gather(body)).await.unwrap_or(Err(NoBody::TooSlow))
    }

    async fn gather(&self, mut body: Incoming) -> Result<Received, NoBody> {
        let mut share: Option<OwnedSemaphorePermit> = None;
        let mut whole = Gathered::Nothing;
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame.map_err(|_| NoBody::Broken)?.into_data() else { continue };
            if whole.len() + piece.len() > MAX_BODY {
                return Err(NoBody::TooLarge);
            }
            let taken = self.take(piece.len() * COPIES)?;
            match &mut share {
                Some(share) => share.merge(taken),
                None => share = Some(taken),
            }
            whole = whole.and(piece);
        }
        Ok(Received { bytes: whole.into_bytes(), share: Share(share.map(Arc::new)) })
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, NoBody> {
        let bytes = u32::try_from(bytes).map_err(|_| NoBody::TooLarge)?;
        self.budget.clone().try_acquire_many_owned(bytes).map_err(|_| NoBody::NoRoom)
    }
}

/// Drops what comes, for a while: a connection that is closed over unread bytes is reset, and the client never reads why
/// (RFC 9112, section 9.6).
async fn drain(mut body: Incoming) {
    let dropped = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > 2 * MAX_BODY {
                return;
            }
        }
    };
    // Whoever goes on sending has been told all the same.
    let _ = tokio::time::timeout(DRAIN, dropped).await;
}

/// What has been read of a body. Most come in one piece, which is not copied. Many small pieces are joined as they
/// come: kept apart, each would cost some forty times its byte.
enum Gathered {
    Nothing,
    One(Bytes),
    Joined(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.len(),
            Self::Joined(joined) => joined.len(),
        }
    }

    fn and(self, piece: Bytes) -> Self {
        let mut joined = match self {
            Self::Nothing => return Self::One(piece),
            Self::One(first) => BytesMut::from(first),
            Self::Joined(joined) => joined,
        };
        joined.extend_from_slice(&piece);
        Self::Joined(joined)
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(piece) => piece,
            Self::Joined(joined) => joined.freeze(),
        }
    }
}
