//! Media types (RFC 9110 section 8.3.1), as far as their shape goes.

/// Longest media type, in bytes.
const MAX_BYTES: usize = 255;

/// Whether `text` is `type/subtype`, parameters behind it or not.
pub(crate) fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let printable = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    text.len() <= MAX_BYTES
        && printable
        && essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_checked() {
        for good in ["text/plain", "application/vnd.api+json", "text/html;profile=mcp-app"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "text", "/plain", "text/", "te xt/plain", "text/pl\nain", "text/plain/x"] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
