//! The key that the replicas of one server share.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Bytes of a session key.
pub const KEY_BYTES: usize = 32;

/// A secret that every replica of a server has and nobody else: what one of them seals with it, all of them can open.
///
/// It is kept in memory only. `Debug` shows the epoch and never the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionKey {
    /// Which key this is: what is sealed names it. 0 is never given to a key that is shared.
    pub epoch: u32,
    /// The secret; base64 on the wire.
    #[serde(serialize_with = "encode", deserialize_with = "decode")]
    pub secret: [u8; KEY_BYTES],
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

fn encode<S: Serializer>(secret: &[u8; KEY_BYTES], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(secret))
}

/// Errors repeat nothing of the text: it is a secret, if a damaged one.
fn decode<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; KEY_BYTES], D::Error> {
    let text = String::deserialize(from)?;
    let bytes = STANDARD.decode(text).map_err(|_| D::Error::custom("a session key is not base64"))?;
    bytes.try_into().map_err(|_| D::Error::custom("a session key does not have 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_wire_and_is_never_printed() {
        let key = SessionKey { epoch: 7, secret: [0xab; KEY_BYTES] };
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<SessionKey>(&text).unwrap(), key);
        assert_eq!(format!("{key:?}"), "SessionKey { epoch: 7, .. }");
    }

    #[test]
    fn a_damaged_key_is_refused_without_a_word_of_it() {
        for secret in ["", "q83v", "not base64, whatever it is!", &"A".repeat(88)] {
            let text = serde_json::json!({"epoch": 1, "secret": secret}).to_string();
            let error = serde_json::from_str::<SessionKey>(&text).unwrap_err().to_string();
            assert!(secret.is_empty() || !error.contains(secret), "{error}");
        }
    }
}
