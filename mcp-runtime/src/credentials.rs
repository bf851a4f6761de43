//! Secret values by reference: a snapshot of those that a configuration names.

mod read;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue as HttpHeaderValue;
use mcpfleet_config::{CredentialRef, Header, HeaderValue, RuntimeConfig, WHOLE_SECRET};
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
    keys: BTreeMap<String, Secret>,
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
    /// A user name with a colon in it.
    #[error(
        "credential unusable: {0} holds a ':', which no user name of HTTP Basic has; whoever runs this server must \
         correct it"
    )]
    NotAUserName(CredentialRef),
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
        Self { values: found, missing, keys: BTreeMap::new() }
    }

    /// Reads everything that `config` needs, its callers' keys included. Blocking.
    pub fn load_for(source: &Source, config: &RuntimeConfig) -> Self {
        let mut loaded = Self::load(source, &config.credentials());
        if let Some(secret) = config.access.keys() {
            loaded.keys = match source {
                Source::Directory(root) => read::whole(root, secret),
                Source::Values(values) => values
                    .iter()
                    .filter(|(name, _)| name.secret == secret)
                    .map(|(name, value)| (name.key.clone(), value.clone()))
                    .collect(),
            };
            if loaded.keys.is_empty() {
                let whole = CredentialRef { secret: secret.to_owned(), key: WHOLE_SECRET.into() };
                loaded.missing.insert(whole);
            }
        }
        loaded
    }

    /// Those that are missing.
    pub fn missing(&self) -> &BTreeSet<CredentialRef> {
        &self.missing
    }

    /// A secret by itself.
    ///
    /// # Errors
    /// [`Missing::Absent`].
    pub fn secret(&self, from: &CredentialRef) -> Result<&Secret, Missing> {
        self.values.get(from).ok_or_else(|| Missing::Absent(from.clone()))
    }

    /// Every entry of the Secret that holds virtual keys; empty when there is none.
    pub fn keys(&self) -> &BTreeMap<String, Secret> {
        &self.keys
    }

    /// A header's value; `None` for one that is made anew for each request. One that holds a credential is marked sensitive, so that no log shows it.
    pub fn header_value(&self, value: &HeaderValue) -> Result<Option<HttpHeaderValue>, Missing> {
        let (bytes, from) = match value {
            HeaderValue::Literal(text) => {
                let value = HttpHeaderValue::from_bytes(text.as_bytes());
                return value.map(Some).map_err(|_| Missing::BadLiteral);
            }
            HeaderValue::Credential { prefix, from } => {
                ([prefix.as_bytes(), &self.secret(from)?.0].concat(), from)
            }
            HeaderValue::Basic { username, password } => (self.basic(username, password)?, username),
            HeaderValue::ClientCredentials(_) | HeaderValue::TokenExchange(_) | HeaderValue::PassThrough => {
                return Ok(None);
            }
        };
        let mut value =
            HttpHeaderValue::from_bytes(&bytes).map_err(|_| Missing::NotAHeaderValue(from.clone()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// RFC 7617, section 2: the first colon ends the user name.
    fn basic(&self, username: &CredentialRef, password: &CredentialRef) -> Result<Vec<u8>, Missing> {
        let (user, password) = (self.secret(username)?, self.secret(password)?);
        if user.0.contains(&b':') {
            return Err(Missing::NotAUserName(username.clone()));
        }
        let pair = [user.0.as_slice(), b":", &password.0].concat();
        Ok(format!("Basic {}", STANDARD.encode(pair)).into_bytes())
    }

    /// Those of `headers` that are the same for every request. A name that stands twice is sent twice.
    pub fn fixed_headers(&self, headers: &[Header]) -> Result<http::HeaderMap, Missing> {
        let mut map = http::HeaderMap::with_capacity(headers.len());
        for header in headers {
            let Some(value) = self.header_value(&header.value)? else { continue };
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
