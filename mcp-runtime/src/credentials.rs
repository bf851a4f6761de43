//! Secret values by reference: a snapshot of those that a configuration names.

mod read;

use http::HeaderValue as HttpHeaderValue;
use mcpfleet_config::{CredentialRef, Header, HeaderValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

/// Where values come from.
#[derive(Clone)]
pub enum Source {
    /// Files `<dir>/<secret>/<key>`, as mounted Secrets lie.
    Directory(PathBuf),
    /// Values from Secret manifests, and else from `MCPFLEET_SECRET_<SECRET>_<KEY>` in the environment (upper
    /// case, `_` for anything else).
    Values(BTreeMap<CredentialRef, Secret>),
}

/// A secret value. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The values that one configuration needs, as they were when it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    values: BTreeMap<CredentialRef, Secret>,
    missing: BTreeSet<CredentialRef>,
}

/// A header value that cannot be made. The texts never repeat the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The credential is not there.
    #[error("credential missing: {0} is not there or empty; whoever runs this server must create it")]
    Absent(CredentialRef),
    /// The credential is there and holds bytes that no header can carry.
    #[error(
        "credential unusable: {0} holds a line break or another control character, which no HTTP header can \
         carry; whoever runs this server must correct it"
    )]
    NotAHeaderValue(CredentialRef),
    /// The text that the configuration itself gives cannot be sent.
    #[error(
        "a configured header value holds a line break or another control character, which no HTTP header can carry"
    )]
    BadLiteral,
}

impl Credentials {
    /// Reads every one of `wanted`. One that is absent, unreadable or empty counts as missing.
    pub fn load(source: &Source, wanted: &BTreeSet<&CredentialRef>) -> Self {
        let mut found = match source {
            Source::Directory(root) => read::mounted(root, wanted),
            Source::Values(values) => read::given(values, wanted),
        };
        found.retain(|_, secret| !secret.0.is_empty());
        let missing =
            wanted.iter().filter(|name| !found.contains_key(**name)).map(|name| (*name).clone()).collect();
        Self { values: found, missing }
    }

    /// Those that are missing.
    pub fn missing(&self) -> &BTreeSet<CredentialRef> {
        &self.missing
    }

    /// A header's value. One that holds a credential is marked sensitive, so that no log shows it.
    pub fn header_value(&self, value: &HeaderValue) -> Result<HttpHeaderValue, Missing> {
        match value {
            HeaderValue::Literal(text) => {
                HttpHeaderValue::from_bytes(text.as_bytes()).map_err(|_| Missing::BadLiteral)
            }
            HeaderValue::Basic { .. }
            | HeaderValue::ClientCredentials(_)
            | HeaderValue::TokenExchange(_)
            | HeaderValue::PassThrough => Err(Missing::BadLiteral),
            HeaderValue::Credential { prefix, from } => {
                let secret = self.values.get(from).ok_or_else(|| Missing::Absent(from.clone()))?;
                let bytes = [prefix.as_bytes(), &secret.0].concat();
                let mut value = HttpHeaderValue::from_bytes(&bytes)
                    .map_err(|_| Missing::NotAHeaderValue(from.clone()))?;
                value.set_sensitive(true);
                Ok(value)
            }
        }
    }

    /// All of `headers`. A name that stands twice is sent twice.
    pub fn headers(&self, headers: &[Header]) -> Result<http::HeaderMap, Missing> {
        let mut map = http::HeaderMap::with_capacity(headers.len());
        for header in headers {
            let value = self.header_value(&header.value)?;
            // A configuration with another kind of name has been refused when it was loaded.
            if let Ok(name) = http::HeaderName::from_bytes(header.name.as_bytes()) {
                map.append(name, value);
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests;
