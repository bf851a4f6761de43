//! The certificate that one replica serves with: signed by itself, kept in memory, a week long.

use super::{
    Error,
    authority::{Ca, SKEW, limit, name, whole},
    rotation::two_thirds_over,
};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use std::sync::Arc;

/// How long a certificate is valid, unless its issuer expires before.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A certificate in use.
#[derive(Clone)]
pub(super) struct Serving {
    /// For the listener.
    pub(super) config: Arc<ServerConfig>,
    /// What clients see.
    pub(super) leaf: Leaf,
}

/// A certificate, without its key.
#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) der: CertificateDer<'static>,
    issuer: CertificateDer<'static>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Serving {
    /// A new certificate with a new key, for the DNS names `names`.
    pub(super) fn sign(ca: &Ca, names: &[String], now: Timestamp) -> Result<Self, Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let leaf = Leaf::sign(ca, &key, names, now)?;
        let config = Arc::new(config(leaf.der.clone(), &key)?);
        Ok(Self { config, leaf })
    }

    /// Whether it is signed by `ca` and not due to be renewed.
    pub(super) fn fits(&self, ca: &Ca, now: Timestamp) -> bool {
        let Leaf { issuer, not_before, not_after, .. } = &self.leaf;
        *issuer == ca.anchor.der && !two_thirds_over(*not_before, *not_after, now)
    }
}

impl Leaf {
    fn sign(ca: &Ca, key: &KeyPair, names: &[String], now: Timestamp) -> Result<Self, rcgen::Error> {
        let not_before = whole(now - SKEW);
        let not_after = whole(now + LIFE).min(ca.anchor.not_after);
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = name();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        limit(&mut params, not_before, not_after);
        let der = ca.sign(&params, key)?;
        Ok(Self { der, issuer: ca.anchor.der.clone(), not_before, not_after })
    }
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Result<ServerConfig, rustls::Error> {
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
