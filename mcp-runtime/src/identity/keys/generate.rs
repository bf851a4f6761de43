//! New keys.

use super::entry::{Entry, EntryError, check_id, hash_text};
use crate::identity::{presented::KEY_PREFIX, sha256};
use aws_lc_rs::rand;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of the secret part: 43 times log2 of 62 is 256 bits.
const SECRET_LEN: usize = 43;
/// Bytes from here on would favour the first letters of the alphabet.
const FAIR_BELOW: u8 = 248;

/// A key, which is shown once, and the entry that is kept.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The whole key.
    pub key: String,
    /// What goes into the Secret: it may everything that needs no scope, and does not expire, until somebody says otherwise.
    pub entry: Entry,
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The id.
    #[error(transparent)]
    Id(#[from] EntryError),
    /// The system gives no randomness.
    #[error("the system's random number generator failed")]
    Random,
}

/// Makes a key.
///
/// # Errors
/// The id is none, or there is no randomness.
pub fn generate(id: &str) -> Result<Generated, GenerateError> {
    check_id(id)?;
    let key = format!("{KEY_PREFIX}{id}_{}", secret()?);
    let hash = hash_text(&sha256(key.as_bytes()));
    Ok(Generated { key, entry: Entry { hash, ..Entry::default() } })
}

fn secret() -> Result<String, GenerateError> {
    let mut text = String::with_capacity(SECRET_LEN);
    while text.len() < SECRET_LEN {
        let mut bytes = [0; 64];
        rand::fill(&mut bytes).map_err(|_| GenerateError::Random)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BELOW);
        let letters = fair.filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
        text.extend(letters.take(SECRET_LEN - text.len()).map(|letter| char::from(*letter)));
    }
    Ok(text)
}
