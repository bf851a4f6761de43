//! A response that is read to its end.

use super::EgressError;
use bytes::Bytes;
use reqwest::Response;

/// The whole body.
///
/// # Errors
/// [`EgressError::TooLarge`] above `limit` bytes, [`EgressError::Interrupted`] when it breaks off.
pub async fn read_whole(mut response: Response, limit: usize) -> Result<Bytes, EgressError> {
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(bytes.into()),
            Ok(Some(chunk)) if bytes.len() + chunk.len() > limit => {
                return Err(EgressError::TooLarge { host, limit });
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Err(error) => return Err(EgressError::from_client(&host, &error)),
        }
    }
}
