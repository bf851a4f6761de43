//! Keys of an issuer, made for the test, and the tokens that they sign.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};

/// Bytes of PKCS #8 before the PKCS #1 key in it, for an RSA key of 2048 bits (RFC 5208, section 5).
const PKCS8_HEAD: usize = 26;

/// A key of the issuer's.
pub(crate) struct Signing {
    pair: KeyPair,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl Signing {
    pub(crate) fn new(kid: &str) -> Self {
        Self { kid: Some(kid.to_owned()), ..Self::of(Algorithm::ES256) }
    }

    /// A key for this algorithm, without an id.
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        // What a client process does at start; the test signs.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let kind = match algorithm {
            Algorithm::ES256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::EdDSA => &PKCS_ED25519,
            _ => &PKCS_RSA_SHA256,
        };
        Self { pair: KeyPair::generate_for(kind).unwrap(), algorithm, kid: None }
    }

    pub(crate) fn named(self, kid: &str) -> Self {
        Self { kid: Some(kid.to_owned()), ..self }
    }

    /// What the issuer publishes.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let raw = self.pair.public_key_raw();
        let mut jwk = match self.algorithm {
            Algorithm::ES256 => {
                json!({"kty": "EC", "crv": "P-256", "x": text(&raw[1..33]), "y": text(&raw[33..])})
            }
            Algorithm::EdDSA => json!({"kty": "OKP", "crv": "Ed25519", "x": text(raw)}),
            algorithm => {
                serde_json::to_value(Jwk::from_encoding_key(&self.private(), algorithm).unwrap()).unwrap()
            }
        };
        jwk["use"] = json!("sig");
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.algorithm, claims)
    }

    /// With another algorithm of the same kind of key.
    pub(crate) fn sign_as(&self, algorithm: Algorithm, claims: &Value) -> String {
        let header = Header { kid: self.kid.clone(), ..Header::new(algorithm) };
        encode(&header, claims, &self.private()).unwrap()
    }

    /// As a forger would who knows the public key only.
    pub(crate) fn confuse(&self, claims: &Value) -> String {
        let header = Header { kid: self.kid.clone(), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &EncodingKey::from_secret(self.pair.public_key_raw())).unwrap()
    }

    fn private(&self) -> EncodingKey {
        let der = self.pair.serialize_der();
        match self.algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der[PKCS8_HEAD..]),
        }
    }
}
