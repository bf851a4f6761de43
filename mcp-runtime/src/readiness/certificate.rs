//! Would clients accept our certificate? The verifier of the readiness handshake.
//!
//! Names and dates are checked as clients check them. Of the issuer the runtime knows only what the files hold: with
//! `ca.crt` the chain must lead there, without it to the last certificate of `tls.crt`; one that stands alone vouches
//! for itself.

use crate::transport::tls::Certificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::sync::Arc;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// Verifies what the listener presents against what the files hold.
#[derive(Debug)]
pub struct ChainOrSelf {
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ChainOrSelf {
    /// A verifier for `certificate`.
    ///
    /// # Errors
    /// When a certificate cannot serve as a trust anchor.
    pub fn new(certificate: &Certificate) -> Result<Arc<Self>, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let anchors = match (&certificate.authority[..], &certificate.chain[..]) {
            ([], [_leaf]) => &[],
            ([], [.., last]) => std::slice::from_ref(last),
            (authority, _) => authority,
        };
        let mut roots = RootCertStore::empty();
        for anchor in anchors {
            roots
                .add(anchor.clone())
                .map_err(|error| format!("the issuer's certificate is unusable: {error}"))?;
        }
        let authority = (!roots.is_empty())
            .then(|| WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build());
        let authority = authority.transpose().map_err(|error| error.to_string())?;
        Ok(Arc::new(Self { authority, provider }))
    }
}

impl ServerCertVerifier for ChainOrSelf {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // First, because its errors name the dates.
        check_dates(leaf, now)?;
        if let Some(authority) = &self.authority {
            return authority.verify_server_cert(leaf, intermediates, name, ocsp, now);
        }
        rustls::client::verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn check_dates(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    match dates(leaf, now) {
        Ok(()) => Ok(()),
        Err(DateFault::Unreadable) => Err(CertificateError::BadEncoding.into()),
        Err(DateFault::NotYet(_)) => Err(CertificateError::NotValidYet.into()),
        Err(DateFault::Expired(_)) => Err(CertificateError::Expired.into()),
    }
}

/// Why a certificate is not valid now; the date is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum DateFault {
    #[error("the certificate cannot be read")]
    Unreadable,
    #[error("the certificate is not valid before {0}")]
    NotYet(String),
    #[error("the certificate has expired on {0}")]
    Expired(String),
}

fn dates(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), DateFault> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| DateFault::Unreadable)?;
    let (validity, now) = (parsed.validity(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    if now < validity.not_before.timestamp() {
        return Err(DateFault::NotYet(validity.not_before.to_string()));
    }
    if now > validity.not_after.timestamp() {
        return Err(DateFault::Expired(validity.not_after.to_string()));
    }
    Ok(())
}

/// Whether the leaf is within its dates now; cheap enough for every probe, so that expiry is found under load too.
///
/// # Errors
/// What is wrong with it.
pub fn in_date(certificate: &Certificate) -> Result<(), String> {
    let leaf = certificate.chain.first().ok_or("the certificate is empty")?;
    dates(leaf, UnixTime::now()).map_err(|fault| fault.to_string())
}
