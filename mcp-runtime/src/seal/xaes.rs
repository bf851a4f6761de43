//! XAES-256-GCM (<https://c2sp.org/XAES-256-GCM>): AES-256-GCM under a key of its own for each message, derived from
//! the first half of a 192-bit nonce, so that nonces may be drawn at random without counting them.

use super::NotSealed;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
};
use mcpfleet_config::stream::KEY_BYTES;

/// Bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// Bytes by which what is sealed is longer.
pub(super) const TAG: usize = 16;
/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// A key and what follows from it alone.
pub(super) struct Key {
    aes: EncryptingKey,
    /// CMAC's subkey for whole blocks (NIST SP 800-38B, 6.1).
    subkey: [u8; BLOCK],
}

impl Key {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Result<Self, NotSealed> {
        let key = UnboundCipherKey::new(&AES_256, key).map_err(|_| NotSealed::Library)?;
        let aes = EncryptingKey::ecb(key).map_err(|_| NotSealed::Library)?;
        let mut zero = [0; BLOCK];
        aes.encrypt(&mut zero).map_err(|_| NotSealed::Library)?;
        Ok(Self { aes, subkey: doubled(zero) })
    }

    /// `plain` encrypted, and its tag.
    pub(super) fn seal(&self, nonce: &[u8; NONCE], bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let (key, nonce) = self.message(nonce).ok_or(NotSealed::Library)?;
        let mut text = Vec::with_capacity(plain.len() + TAG);
        text.extend_from_slice(plain);
        key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut text).map_err(|_| NotSealed::Library)?;
        Ok(text)
    }

    /// What `sealed` says, when it is genuine.
    pub(super) fn open(&self, nonce: &[u8; NONCE], bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (key, nonce) = self.message(nonce)?;
        let mut text = sealed.to_vec();
        let length = key.open_in_place(nonce, Aad::from(bound), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// Key and nonce of one message: CMAC as the counter-mode KDF of NIST SP 800-108, unrolled to two blocks.
    fn message(&self, nonce: &[u8; NONCE]) -> Option<(LessSafeKey, Nonce)> {
        let (for_key, for_text) = nonce.split_first_chunk::<12>()?;
        let mut key = [0; KEY_BYTES];
        for (counter, block) in (1_u8..).zip(key.chunks_exact_mut(BLOCK)) {
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(for_key);
            block.iter_mut().zip(self.subkey).for_each(|(byte, mask)| *byte ^= mask);
        }
        self.aes.encrypt(&mut key).ok()?;
        let key = UnboundKey::new(&AES_256_GCM, &key).ok()?;
        Some((LessSafeKey::new(key), Nonce::try_assume_unique_for_key(for_text).ok()?))
    }
}

/// Twice `block` in GF(2^128).
fn doubled(block: [u8; BLOCK]) -> [u8; BLOCK] {
    let number = u128::from_be_bytes(block);
    let overflow = if number >> 127 == 1 { 0x87 } else { 0 };
    ((number << 1) ^ overflow).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE_OF_VECTORS: &[u8; NONCE] = b"ABCDEFGHIJKLMNOPQRSTUVWX";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn the_specifications_own_vectors() {
        let vectors: [(u8, &[u8], &str); 2] = [
            (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        ];
        for (byte, bound, sealed) in vectors {
            let key = Key::new(&[byte; KEY_BYTES]).unwrap();
            let text = key.seal(NONCE_OF_VECTORS, bound, b"XAES-256-GCM").unwrap();
            assert_eq!(text, bytes(sealed));
            assert_eq!(key.open(NONCE_OF_VECTORS, bound, &text).unwrap(), b"XAES-256-GCM");
        }
    }
}
