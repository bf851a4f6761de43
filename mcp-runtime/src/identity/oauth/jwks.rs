//! An issuer's keys (RFC 7517). Pure.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Most keys of a set that are looked at.
const MAX_KEYS: usize = 100;

/// Keys that tokens can be verified with.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: Arc<DecodingKey>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. Keys that are of no use here are passed over, as the RFC says (section 5); `None` when it is no set.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let Document { keys } = serde_json::from_slice(bytes).ok()?;
        let readable =
            keys.into_iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Some(Self(readable.filter_map(|jwk| Key::of(&jwk)).collect()))
    }

    /// The key for a token. One without a key id is verified with the only key that there is for its algorithm; which of
    /// several, nobody says.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm) && (id.is_none() || key.id.as_deref() == id));
        let first = fitting.next()?;
        if id.is_none() && fitting.next().is_some() { None } else { Some(first.decoding.clone()) }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        let mut algorithms = family(&jwk.algorithm)?;
        if let Some(only) = jwk.common.key_algorithm {
            algorithms.retain(|algorithm| named(*algorithm) == Some(only));
        }
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        Some(Self { id: jwk.common.key_id.clone(), algorithms, decoding: Arc::new(decoding) })
    }
}

/// Algorithms that a key of this kind can verify. Symmetric keys are none: a set that everybody can read holds no secrets.
fn family(kind: &AlgorithmParameters) -> Option<Vec<Algorithm>> {
    use Algorithm as A;
    match kind {
        AlgorithmParameters::RSA(_) => Some(vec![A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512]),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Some(vec![A::ES256]),
            EllipticCurve::P384 => Some(vec![A::ES384]),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            (key.curve == EllipticCurve::Ed25519).then(|| vec![A::EdDSA])
        }
        AlgorithmParameters::OctetKey(_) => None,
    }
}

fn named(algorithm: Algorithm) -> Option<KeyAlgorithm> {
    match algorithm {
        Algorithm::RS256 => Some(KeyAlgorithm::RS256),
        Algorithm::RS384 => Some(KeyAlgorithm::RS384),
        Algorithm::RS512 => Some(KeyAlgorithm::RS512),
        Algorithm::PS256 => Some(KeyAlgorithm::PS256),
        Algorithm::PS384 => Some(KeyAlgorithm::PS384),
        Algorithm::PS512 => Some(KeyAlgorithm::PS512),
        Algorithm::ES256 => Some(KeyAlgorithm::ES256),
        Algorithm::ES384 => Some(KeyAlgorithm::ES384),
        Algorithm::EdDSA => Some(KeyAlgorithm::EdDSA),
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 7517, appendix A.1, and RFC 8037, appendix A.2.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}"#;
    const ED: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"2"}"#;

    fn set(keys: &[&str]) -> KeySet {
        KeySet::read(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes()).unwrap()
    }

    #[test]
    fn a_key_is_found_by_id_and_fits_its_algorithm() {
        let keys = set(&[EC, ED]);
        assert!(keys.find(Some("1"), Algorithm::ES256).is_some());
        assert!(keys.find(Some("1"), Algorithm::EdDSA).is_none());
        assert!(keys.find(Some("1"), Algorithm::HS256).is_none());
        assert!(keys.find(Some("3"), Algorithm::ES256).is_none());
    }

    #[test]
    fn without_an_id_only_one_key_can_be_meant() {
        assert!(set(&[EC, ED]).find(None, Algorithm::ES256).is_some());
        assert!(set(&[EC, EC]).find(None, Algorithm::ES256).is_none());
    }

    #[test]
    fn keys_of_no_use_spoil_no_others() {
        let secret = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ","kid":"1"}"#;
        let encryption = EC.replace("\"kid\"", "\"use\":\"enc\",\"kid\"");
        let unknown = r#"{"kty":"quantum","kid":"1"}"#;
        let other = EC.replace("\"kid\"", "\"alg\":\"ES384\",\"kid\"");
        let keys = set(&[secret, &encryption, unknown, &other, "7", ED]);
        assert!(keys.find(Some("1"), Algorithm::ES256).is_none());
        assert!(keys.find(Some("2"), Algorithm::EdDSA).is_some());
        assert!(
            KeySet::read(b"{}").is_none() && KeySet::read(b"[]").is_none() && KeySet::read(b"").is_none()
        );
    }
}
