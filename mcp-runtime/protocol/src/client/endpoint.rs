//! Where a server of HTTP+SSE wants its messages (2024-11-05, transports, "HTTP with SSE").
//!
//! The first event of the stream is `endpoint`, its data the URI to POST to. The server is not trusted to send our
//! credentials elsewhere: it must be of the stream's own origin.

use http::Uri;

/// Longest URI that is taken, in bytes.
const MAX_ENDPOINT: usize = 8 * 1024;

/// Why the data of an `endpoint` event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URI, or one with more than 8 KiB.
    #[error("the endpoint event holds no valid URI")]
    Invalid,
    /// It leads to another scheme, host or port than the stream's.
    #[error("the endpoint event leads to another origin than the server's own")]
    ForeignOrigin,
}

/// The absolute URI to POST to: `data` of the `endpoint` event, resolved against `base`, the URI of the stream
/// (RFC 3986, section 5.2, for a reference without a fragment).
///
/// # Errors
/// [`EndpointError`].
pub fn sse_endpoint(base: &Uri, data: &[u8]) -> Result<Uri, EndpointError> {
    let text = std::str::from_utf8(data).map_err(|_| EndpointError::Invalid)?.trim();
    // Backslashes are slashes to some readers and not to others, so they hide an origin.
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if text.is_empty() || text.len() > MAX_ENDPOINT || !plain {
        return Err(EndpointError::Invalid);
    }
    let resolved = resolve(base, text).ok_or(EndpointError::Invalid)?;
    let resolved: Uri = resolved.parse().map_err(|_| EndpointError::Invalid)?;
    if origin(&resolved).is_some() && origin(&resolved) == origin(base) {
        Ok(resolved)
    } else {
        Err(EndpointError::ForeignOrigin)
    }
}

fn resolve(base: &Uri, text: &str) -> Option<String> {
    let text = text.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str()?;
    let authority = base.authority()?.as_str();
    if has_scheme(text) {
        return Some(text.to_owned());
    }
    if let Some(rest) = text.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let path = match text.chars().next() {
        Some('/') => text.to_owned(),
        Some('?') => format!("{}{text}", base.path()),
        Some(_) => merged(base.path(), text),
        None => return None,
    };
    Some(format!("{scheme}://{authority}{path}"))
}

/// A scheme before the first of `:`, `/`, `?`.
fn has_scheme(text: &str) -> bool {
    text.find([':', '/', '?']).is_some_and(|at| text.as_bytes()[at] == b':')
}

/// A relative path in place of the last segment of the base's, dots removed.
fn merged(base: &str, text: &str) -> String {
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let parents = base.rsplit_once('/').map_or("", |(parents, _)| parents);
    let mut segments: Vec<&str> = parents.split('/').skip(1).collect();
    let (above, last) = path.rsplit_once('/').map_or((None, path), |(above, last)| (Some(above), last));
    for segment in above.into_iter().flat_map(|above| above.split('/')) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let last = match last {
        ".." => {
            segments.pop();
            ""
        }
        "." => "",
        other => other,
    };
    let parents: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
    format!("{parents}/{last}{query}")
}

/// Scheme, host and port (RFC 6454, section 4); `None` for what is not HTTP, and for credentials in the URI.
fn origin(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = uri.authority()?;
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None => default,
    };
    (!authority.as_str().contains('@')).then(|| (scheme, authority.host().to_ascii_lowercase(), port))
}
