//! Hashes of tools' definitions: whether one is what was approved, and which parts of it are not.
//!
//! `v1:WHOLE:DESCRIPTION.INPUT.OUTPUT.ANNOTATIONS.OTHER`, each base64url without padding.
//!
//! - `WHOLE` (SHA-256, 256 bits) decides. Whoever writes both the definition that is approved and the one that replaces it
//!   looks for a collision, which takes 2^128 tries.
//! - The five others (SHA-256 cut to 64 bits) only tell which parts changed. They decide nothing, so a collision among them
//!   costs the reader of a status a word and nobody anything else.
//!
//! What is hashed is canonical: members sorted by name, no white space, the last of two members of one name, numbers as
//! `f64` or 64-bit integers, `null` members of the definition left out. The tool's name is not part of it: pins are by name.

mod difference;

pub use difference::{MAX_DIFFERENCE, difference};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// Begins every hash.
const VERSION: &str = "v1";

/// Separates what is hashed here from what is hashed elsewhere, and the parts from each other.
const DOMAIN: &str = "mcpfleet tool definition v1";

/// A part of a definition that can change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DefinitionPart {
    /// What a model reads: `title` and `description`.
    Description,
    /// `inputSchema`.
    InputSchema,
    /// `outputSchema`.
    OutputSchema,
    /// `annotations`.
    Annotations,
    /// Everything else: `icons`, `execution`, `_meta`, what nobody knows yet.
    Other,
}

/// Hash of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefinitionHash {
    whole: [u8; 32],
    parts: [[u8; 8]; 5],
}

/// Why a text is no hash of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHash {
    /// It does not begin with a version that is known.
    #[error("does not begin with \"v1:\", the only kind of hash that is known")]
    Version,
    /// It was cut or changed.
    #[error("is no whole hash: it was cut, or changed by hand")]
    Damaged,
}

impl DefinitionPart {
    /// All of them, in the order of the hash.
    pub const ALL: [Self; 5] =
        [Self::Description, Self::InputSchema, Self::OutputSchema, Self::Annotations, Self::Other];

    /// The word that statuses and messages use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::InputSchema => "inputSchema",
            Self::OutputSchema => "outputSchema",
            Self::Annotations => "annotations",
            Self::Other => "other",
        }
    }

    /// Which part a member of a definition belongs to; `None` for the name.
    pub fn of_member(member: &str) -> Option<Self> {
        match member {
            "name" => None,
            "title" | "description" => Some(Self::Description),
            "inputSchema" => Some(Self::InputSchema),
            "outputSchema" => Some(Self::OutputSchema),
            "annotations" => Some(Self::Annotations),
            _ => Some(Self::Other),
        }
    }

    /// The members of a definition that belong to it.
    pub fn of(self, definition: &Map<String, Value>) -> Map<String, Value> {
        let members = definition
            .iter()
            .filter(|(member, value)| Self::of_member(member) == Some(self) && !value.is_null());
        members.map(|(member, value)| (member.clone(), value.clone())).collect()
    }
}

impl DefinitionHash {
    /// Hash of a definition as `tools/list` gives it.
    pub fn of(definition: &Map<String, Value>) -> Self {
        let mut whole = Sha256::new_with_prefix(DOMAIN);
        let parts = DefinitionPart::ALL.map(|part| {
            // A map is written sorted, and of the texts of values there is one each.
            let text = Value::Object(part.of(definition)).to_string();
            let digest =
                Sha256::new_with_prefix(DOMAIN).chain_update(part.as_str()).chain_update(&text).finalize();
            // Whole digests follow each other, so that nothing can move from one part into the next.
            whole.update(digest);
            let mut short = [0; 8];
            short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
            short
        });
        Self { whole: whole.finalize().into(), parts }
    }

    /// Whether a definition of hash `now` is the one that has this hash.
    pub fn fits(&self, now: &Self) -> bool {
        self.whole == now.whole
    }

    /// The parts in which a definition of hash `now` differs; none when it fits.
    pub fn changed(&self, now: &Self) -> Vec<DefinitionPart> {
        if self.fits(now) {
            return Vec::new();
        }
        let parts = DefinitionPart::ALL.into_iter().zip(self.parts.iter().zip(&now.parts));
        let changed: Vec<_> = parts.filter(|(_, (then, now))| then != now).map(|(part, _)| part).collect();
        // Something differs that the short hashes do not tell apart.
        if changed.is_empty() { DefinitionPart::ALL.to_vec() } else { changed }
    }
}

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts.map(|part| URL_SAFE_NO_PAD.encode(part));
        write!(f, "{VERSION}:{}:{}", URL_SAFE_NO_PAD.encode(self.whole), parts.join("."))
    }
}

impl FromStr for DefinitionHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let (version, rest) = text.split_once(':').ok_or(NoHash::Version)?;
        if version != VERSION {
            return Err(NoHash::Version);
        }
        let (whole, parts) = rest.split_once(':').ok_or(NoHash::Damaged)?;
        let parts: Vec<[u8; 8]> = parts.split('.').map(bytes).collect::<Result<_, _>>()?;
        let parts = parts.try_into().map_err(|_| NoHash::Damaged)?;
        Ok(Self { whole: bytes(whole)?, parts })
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], NoHash> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoHash::Damaged)?;
    bytes.try_into().map_err(|_| NoHash::Damaged)
}

#[cfg(test)]
mod tests;
