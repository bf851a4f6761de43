//! Values that mirror body fields (2026-07-28, streamable HTTP, "Value Encoding").
//!
//! Plain where that is safe, otherwise `=?base64?...?=` around the UTF-8. We encode only when needed, because there
//! are servers that refuse an encoded plain name; we always decode.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::borrow::Cow;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// `value` as it goes into `Mcp-Name` or `Mcp-Param-*`.
pub fn encode_value(value: &str) -> Cow<'_, str> {
    if is_plain(value) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(value)))
    }
}

/// The value that a header carries, or `None` when it is marked as base64 and is not canonical base64 of UTF-8.
pub fn decode_value(header: &str) -> Option<Cow<'_, str>> {
    match payload(header) {
        None => Some(Cow::Borrowed(header)),
        Some(payload) => String::from_utf8(STANDARD.decode(payload).ok()?).ok().map(Cow::Owned),
    }
}

fn payload(header: &str) -> Option<&str> {
    header.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

/// Nothing that a header parser strips, refuses or takes for an encoded value. An empty value is encoded too:
/// some intermediaries drop headers without a value.
fn is_plain(value: &str) -> bool {
    let safe = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    safe && !value.is_empty() && value.trim_matches([' ', '\t']) == value && payload(value).is_none()
}
