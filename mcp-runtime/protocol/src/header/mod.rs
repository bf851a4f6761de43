//! Header names of the Streamable HTTP transport, and how their values are read.

mod param;
mod value;

pub use param::{Arguments, InvalidParamHeader, MAX_PARAM_HEADERS, ParamHeader, param_headers};
pub use value::{decode_value, encode_value};

use http::{HeaderMap, HeaderName, HeaderValue};

/// Revision of the message. Both eras.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Copy of the body's `method`. Modern.
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// Copy of the body's `params.name` or `params.uri`. Modern.
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The session. Legacy.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Why a header has no usable value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// Sent twice: two readers may take one each.
    Repeated,
    /// Holds a byte outside visible ASCII, space and tab.
    InvalidCharacters,
}

/// The one value of `name` without the whitespace around it (RFC 9110, section 5.5), or `None` when absent.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, HeaderFault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderFault::Repeated);
    }
    value
        .to_str()
        .map(|text| Some(text.trim_matches([' ', '\t'])))
        .map_err(|_| HeaderFault::InvalidCharacters)
}

/// A session id: visible ASCII (0x21 to 0x7E), at most [`SessionId::MAX_BYTES`] (2025-11-25, transports,
/// "Session Management").
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(HeaderValue);

impl SessionId {
    /// Longest that is taken, in bytes. Sealed sessions are long; 8 KiB is what common servers allow in a header.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The id that `text` is, or `None` when it may not be one.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed =
            (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if allowed { HeaderValue::from_str(text).ok().map(Self) } else { None }
    }

    /// The id in `headers`, if they hold one usable one.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        single(headers, &SESSION_ID).ok().flatten().and_then(Self::parse)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value for the [`SESSION_ID`] header.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Sessions are bearer secrets: never in logs.
impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(..)")
    }
}
