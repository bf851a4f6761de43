//! A configuration on its way to pods.

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use mcpfleet_config::{ConfigHash, Encoded, MAX_BYTES};
use std::{
    io::{Read, Write},
    sync::{Arc, OnceLock},
};

/// A configuration with its place in the order of its server's configurations. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Config {
    /// One above the accepted one before it.
    pub revision: u64,
    /// Bytes and hash.
    pub encoded: Arc<Encoded>,
    compressed: Arc<OnceLock<Bytes>>,
}

impl Config {
    /// A configuration that was given this place.
    pub fn new(revision: u64, encoded: Arc<Encoded>) -> Self {
        Self { revision, encoded, compressed: Arc::default() }
    }

    /// Its hash.
    pub fn hash(&self) -> &ConfigHash {
        &self.encoded.hash
    }

    /// In gzip, made once.
    pub fn compressed(&self) -> Bytes {
        self.compressed.get_or_init(|| compress(self.encoded.json.as_bytes())).clone()
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        (self.revision, self.hash()) == (other.revision, other.hash())
    }
}

impl Eq for Config {}

fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
}

/// What [`Config::compressed`] made, bounded: a ConfigMap may have been written by someone else.
///
/// # Errors
/// It is no gzip, or larger than a configuration may be.
pub fn decompress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).take(MAX_BYTES as u64 + 1).read_to_end(&mut plain)?;
    if plain.len() > MAX_BYTES {
        return Err(std::io::Error::other("it is larger than a configuration may be"));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_and_nothing_too_large() {
        let json = "{\"a\":1}".repeat(1_000);
        let encoded = Encoded { hash: ConfigHash::of(json.as_bytes()), json: json.clone() };
        let compressed = Config::new(1, Arc::new(encoded)).compressed();
        assert!(compressed.len() < json.len() / 10);
        assert_eq!(decompress(&compressed).unwrap(), json.as_bytes());
        assert!(decompress(&compress(&vec![b' '; MAX_BYTES + 1])).is_err());
        assert!(decompress(b"no gzip").is_err());
    }
}
