//! Bytes and hash of a configuration. Equal configurations have equal bytes: fields are written in the
//! order of the structs, lists are sorted by compile, and `serde_json` keeps object keys sorted.

use crate::{FORMAT, Invalid, RuntimeConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};

/// Largest encoded configuration, in bytes: what fits a ConfigMap (1 MiB) with room for its metadata.
pub const MAX_BYTES: usize = 900 * 1024;

/// SHA-256 of an encoded configuration, in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigHash(String);

impl ConfigHash {
    /// Hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// A configuration as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Canonical JSON.
    pub json: String,
    /// Hash of `json`.
    pub hash: ConfigHash,
}

/// Why bytes are not a configuration that this runtime serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not of this shape.
    #[error("the configuration cannot be read: {0}")]
    Malformed(String),
    /// Written by a newer operator.
    #[error(
        "the configuration has format {found}, this runtime reads up to {newest}: \
         upgrade the runtime image, or leave out what is new"
    )]
    NewerFormat {
        /// Format of the bytes.
        found: u32,
        /// Newest format that is read.
        newest: u32,
    },
    /// Readable but not servable.
    #[error("the configuration is refused: {0}")]
    Invalid(#[from] Invalid),
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl RuntimeConfig {
    /// Canonical bytes and hash.
    ///
    /// # Errors
    /// None in practice: every field is representable in JSON. The error is passed on all the same.
    pub fn encode(&self) -> Result<Encoded, serde_json::Error> {
        let json = serde_json::to_string(self)?;
        let hash = ConfigHash::of(json.as_bytes());
        Ok(Encoded { json, hash })
    }

    /// Reads and checks a whole configuration.
    ///
    /// # Errors
    /// A newer format is told apart from malformed bytes, so that the message can name the remedy.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_up_to(FORMAT, bytes)
    }

    /// [`RuntimeConfig::decode`] as a runtime would whose newest format is `newest`.
    ///
    /// # Errors
    /// As [`RuntimeConfig::decode`].
    pub fn decode_up_to(newest: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |error: serde_json::Error| DecodeError::Malformed(error.to_string());
        let FormatOnly { format: found } = serde_json::from_slice(bytes).map_err(malformed)?;
        if found > newest {
            return Err(DecodeError::NewerFormat { found, newest });
        }
        let config: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        config.validate()?;
        Ok(config)
    }
}
