//! Who is a replica: whoever can sign with the Ed25519 key that follows from a session key. TLS 1.3 with raw public keys
//! (RFC 7250): every replica computes the keys that it trusts, so there is nothing to sign, to renew or to name.

use crate::seal::{Keyring, Seed};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    ServerConfig, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{aws_lc_rs as crypto, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::TLS13,
};
use std::sync::Arc;

/// The identity of this process, and of whom it believes.
#[derive(Clone, Debug)]
pub struct Identity {
    own: Arc<CertifiedKey>,
    known: Arc<Known>,
}

/// Public keys of replicas, as `SubjectPublicKeyInfo`. The first is our own: that of the key that seals.
#[derive(Debug, PartialEq, Eq)]
struct Known(Vec<Vec<u8>>);

impl Identity {
    /// What follows from the shared keys of now; `None` while there are none.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn of(keys: &Keyring) -> Result<Option<Self>, Error> {
        let pairs = keys.peer_seeds().iter().map(pair).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = pairs.first() else { return Ok(None) };
        let own = Arc::new(certified(first)?);
        let known = pairs.iter().map(public).collect();
        Ok(Some(Self { own, known: Arc::new(Known(known)) }))
    }

    /// Whether a public key is that of a replica.
    pub fn trusts(&self, key: &[u8]) -> bool {
        self.known.0.iter().any(|known| known == key)
    }

    /// Our own public key.
    pub fn public(&self) -> &[u8] {
        self.known.0.first().map_or(&[], Vec::as_slice)
    }

    /// For dialling.
    ///
    /// # Errors
    /// The crypto library lacks TLS 1.3.
    pub fn client(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(self.known.clone())
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(self.own.clone())));
        config.alpn_protocols = vec![super::ALPN.to_vec()];
        // A resumed connection would be one whose keys nobody has looked at.
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(config)
    }

    /// For the listener.
    ///
    /// # Errors
    /// The crypto library lacks TLS 1.3.
    pub fn server(&self) -> Result<ServerConfig, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(self.known.clone())
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(self.own.clone())));
        config.alpn_protocols = vec![super::ALPN.to_vec()];
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn pair(seed: &Seed) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_unchecked(&seed.0).map_err(|_| unusable())
}

fn certified(pair: &Ed25519KeyPair) -> Result<CertifiedKey, Error> {
    let private = pair.to_pkcs8v1().map_err(|_| unusable())?;
    let key = crypto::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private.as_ref()))?;
    // rustls carries a raw public key in the place of a certificate.
    Ok(CertifiedKey::new(vec![CertificateDer::from(public(pair))], key))
}

/// RFC 8410, 4: the algorithm `id-Ed25519`, and the key.
fn public(pair: &Ed25519KeyPair) -> Vec<u8> {
    const HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    [&HEAD[..], pair.public_key().as_ref()].concat()
}

fn unusable() -> Error {
    Error::General("no identity can be made of a session key".into())
}

impl Known {
    fn check(&self, key: &[u8]) -> Result<(), Error> {
        let known = self.0.iter().any(|known| known == key);
        if known { Ok(()) } else { Err(CertificateError::UnknownIssuer.into()) }
    }
}

fn signed(
    message: &[u8],
    key: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = crypto::default_provider().signature_verification_algorithms;
    let key = SubjectPublicKeyInfoDer::from(key.as_ref());
    verify_tls13_signature_with_raw_key(message, &key, signature, &algorithms)
}

fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into())
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(key).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed(message, key, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Known {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(key).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed(message, key, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
