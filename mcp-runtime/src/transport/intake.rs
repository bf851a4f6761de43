//! Reads a request body: bounded in size and in time.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::time::Duration;

/// Largest request body, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// How long a client may take to send its body. A slow one holds a connection, never a permit.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBody {
    /// It is larger than [`MAX_BODY`].
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The client left.
    Broken,
}

/// The whole body.
pub async fn read(request: Request<Incoming>) -> Result<Bytes, NoBody> {
    let body = request.into_body();
    // Told in advance, it need not be read at all.
    if http_body::Body::size_hint(&body).lower() > MAX_BODY as u64 {
        return Err(NoBody::TooLarge);
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(NoBody::TooLarge),
        Ok(Err(_)) => Err(NoBody::Broken),
        Err(_) => Err(NoBody::TooSlow),
    }
}
