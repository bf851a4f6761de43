//! What a Secret's entry says of one key.

use crate::identity::{Principal, ToolPatterns};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a hash begins.
const ALGORITHM: &str = "sha256:";

/// One entry, YAML or JSON. Its name in the Secret is the key's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `sha256:` and SHA-256 of the whole key in 64 hexadecimal digits.
    pub hash: String,
    /// The organisation that its bearer belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What it was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The tools that it is limited to, `*` standing for any text; absent: none is out of reach but by its scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// When it ends (RFC 3339); absent: when it is taken out of the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Why an entry cannot be used. The texts repeat nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not the id that a key can have.
    #[error("its name is no id: use 1 to 64 letters, digits, '_', '-' or '.'")]
    BadId,
    /// Neither YAML nor JSON of this shape.
    #[error("it is no entry as `mcp-runtime keys new` prints it, or has a field of another name")]
    Malformed,
    /// Not a hash that we know.
    #[error("its hash is not `sha256:` and 64 hexadecimal digits")]
    BadHash,
    /// It cannot be written as YAML.
    #[error("it cannot be written")]
    Unwritable,
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// [`EntryError::Malformed`], without the parser's words: they repeat what they found.
    pub fn read(text: &[u8]) -> Result<Self, EntryError> {
        let text = std::str::from_utf8(text).map_err(|_| EntryError::Malformed)?;
        serde_saphyr::from_str(text).map_err(|_| EntryError::Malformed)
    }

    /// The entry as YAML.
    ///
    /// # Errors
    /// None in practice: every field is representable.
    pub fn to_yaml(&self) -> Result<String, EntryError> {
        serde_saphyr::to_string(self).map_err(|_| EntryError::Unwritable)
    }

    /// The hash of the key, and who bears it.
    pub(super) fn key(self, id: &str) -> Result<([u8; 32], Principal), EntryError> {
        check_id(id)?;
        let hash = self.hash.strip_prefix(ALGORITHM).and_then(from_hex).ok_or(EntryError::BadHash)?;
        let principal = Principal {
            issuer: None,
            tenant: self.tenant,
            user: self.user,
            key: Some(id.to_owned()),
            agent: self.agent,
            scopes: self.scopes.into_iter().collect(),
            tools: self.tools.map(ToolPatterns::from),
            token: None,
            expires: self.expires,
        };
        Ok((hash, principal))
    }
}

/// Whether a key can have this id: it is a key of a Secret, and a part of the key's text.
///
/// # Errors
/// [`EntryError::BadId`].
pub(super) fn check_id(id: &str) -> Result<(), EntryError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if (1..=64).contains(&id.len()) && id.bytes().all(fits) { Ok(()) } else { Err(EntryError::BadId) }
}

/// The text of a hash.
pub(super) fn hash_text(hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(ALGORITHM.to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        // `from_str_radix` takes a sign.
        *byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    }
    Some(bytes)
}
