//! Which credential a request carries. Pure.

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

/// Where a key may come that has no `Authorization` for itself.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Headers that a credential may be in.
pub(super) const CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, X_API_KEY];
/// How every key begins: no token of OAuth's does.
pub(super) const KEY_PREFIX: &str = "mcpf_";
/// Longest credential, in bytes. What is longer is not looked at.
pub(super) const MAX_LEN: usize = 8 * 1024;

/// What a request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    /// Nothing at all.
    Nothing,
    /// A virtual key, or what is meant to be one.
    Key(&'a str),
    /// A bearer token that is none of our keys.
    Token(&'a str),
    /// Something that is no credential here, such as `Basic`.
    Foreign,
}

/// Two credentials, of which nobody can say which is meant (RFC 6750, section 2: no more than one method).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous;

pub(super) fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Ambiguous> {
    let authorization = only(headers, &AUTHORIZATION)?.map(bearer);
    let key = only(headers, &X_API_KEY)?.map(|value| text(value).map_or(Presented::Foreign, Presented::Key));
    match (authorization, key) {
        (None, None) => Ok(Presented::Nothing),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (Some(one), Some(other)) if one == other && one != Presented::Foreign => Ok(one),
        (Some(_), Some(_)) => Err(Ambiguous),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Ambiguous> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Ambiguous) } else { Ok(first) }
}

/// RFC 9110, section 11.1: the scheme is not case-sensitive.
fn bearer(value: &HeaderValue) -> Presented<'_> {
    let Some((scheme, credential)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return Presented::Foreign;
    };
    let credential = credential.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || !(1..=MAX_LEN).contains(&credential.len()) {
        return Presented::Foreign;
    }
    if credential.starts_with(KEY_PREFIX) { Presented::Key(credential) } else { Presented::Token(credential) }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| (1..=MAX_LEN).contains(&text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<String, Ambiguous> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        presented(&headers).map(|found| format!("{found:?}"))
    }

    #[test]
    fn each_credential_is_known_by_its_place_and_its_prefix() {
        assert_eq!(read(&[]).unwrap(), "Nothing");
        assert_eq!(read(&[("authorization", "Bearer a.b.c")]).unwrap(), "Token(\"a.b.c\")");
        assert_eq!(read(&[("authorization", "bEARER  mcpf_x_y")]).unwrap(), "Key(\"mcpf_x_y\")");
        assert_eq!(read(&[("x-api-key", "whatever")]).unwrap(), "Key(\"whatever\")");
        for foreign in ["Basic YTpi", "Bearer", "Bearer ", "a.b.c", ""] {
            assert_eq!(read(&[("authorization", foreign)]).unwrap(), "Foreign", "{foreign}");
        }
        let long = format!("Bearer {}", "a".repeat(MAX_LEN + 1));
        assert_eq!(read(&[("authorization", &long)]).unwrap(), "Foreign");
    }

    #[test]
    fn two_that_disagree_are_ambiguous() {
        let key = ("authorization", "Bearer mcpf_x_y");
        assert_eq!(read(&[key, ("x-api-key", "mcpf_x_y")]).unwrap(), "Key(\"mcpf_x_y\")");
        for other in ["mcpf_x_z", "", "a.b.c"] {
            assert_eq!(read(&[key, ("x-api-key", other)]), Err(Ambiguous));
        }
        assert_eq!(read(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]), Err(Ambiguous));
    }
}
