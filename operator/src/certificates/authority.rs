//! One certificate authority: made, read back, and signed with. ECDSA P-256 throughout.

use jiff::{SignedDuration, Timestamp};
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use std::{cmp::Ordering, fmt, time::Duration};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// How long an authority is valid: two years.
pub(super) const LIFE: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);
/// Certificates begin this long before they are made: clocks of nodes differ.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Subject of each authority. They differ by their keys.
const NAME: &str = "mcpfleet-operator";

/// A certificate that runtimes trust.
#[derive(Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// Begin of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
}

/// A certificate authority with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Ca {
    /// Its certificate.
    pub anchor: Anchor,
    /// Its private key: PKCS #8, PEM.
    pub key_pem: String,
}

/// What is wrong with what was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A key of the Secret is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// Something else than the key's name promises.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// Key of the Secret.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Somebody else's certificate: what we sign in our name would not lead to it.
    #[error("{0} is no authority of this operator")]
    Foreign(&'static str),
    /// Certificate and key are not of one pair.
    #[error("{0} does not belong to its certificate")]
    KeyMismatch(&'static str),
    /// It is too late to sign with it.
    #[error("the authority has expired on {0}")]
    Expired(Timestamp),
}

impl Anchor {
    /// Reads a certificate; `what` names it in errors.
    ///
    /// # Errors
    /// It is none, or not of an authority of ours.
    pub fn read(der: &[u8], what: &'static str) -> Result<Self, Damage> {
        let unreadable = |reason: String| Damage::Unreadable { what, reason };
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
        if !parsed.is_ca() || parsed.subject().to_string() != format!("CN={NAME}") {
            return Err(Damage::Foreign(what));
        }
        let at = |seconds| Timestamp::from_second(seconds).map_err(|error| unreadable(error.to_string()));
        Ok(Self {
            not_before: at(parsed.validity().not_before.timestamp())?,
            not_after: at(parsed.validity().not_after.timestamp())?,
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> String {
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        pem::encode_config(&Pem::new("CERTIFICATE", self.der.to_vec()), config)
    }

    /// Whether it is too late for it.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.not_after <= now
    }
}

/// By age: a bundle in this order does not change when another of its authorities signs.
impl Ord for Anchor {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |anchor: &Self| (anchor.not_before, anchor.not_after);
        key(self).cmp(&key(other)).then_with(|| self.der.as_ref().cmp(other.der.as_ref()))
    }
}

impl PartialOrd for Anchor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ca {
    /// A new one.
    ///
    /// # Errors
    /// No key could be made.
    pub fn make(now: Timestamp) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let (not_before, not_after) = (whole(now - SKEW), whole(now + LIFE));
        let mut params = identity();
        limit(&mut params, not_before, not_after);
        let der = params.self_signed(&key)?.der().clone();
        Ok(Self { anchor: Anchor { der, not_before, not_after }, key_pem: key.serialize_pem() })
    }

    /// Reads one back; `what` names certificate and key in errors.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub fn read(cert_pem: &[u8], key_pem: &[u8], what: [&'static str; 2]) -> Result<Self, Damage> {
        let unreadable = |what, reason: String| Damage::Unreadable { what, reason };
        let cert = pem::parse(cert_pem).map_err(|error| unreadable(what[0], error.to_string()))?;
        let anchor = Anchor::read(cert.contents(), what[0])?;
        // The reader's own words are not passed on: they are about a secret.
        let key_pem = str::from_utf8(key_pem).map_err(|_| unreadable(what[1], "it is no text".into()))?;
        let key = KeyPair::from_pem_and_sign_algo(key_pem, &PKCS_ECDSA_P256_SHA256)
            .map_err(|_| unreadable(what[1], "it is no ECDSA P-256 key".into()))?;
        let (_, parsed) =
            X509Certificate::from_der(&anchor.der).map_err(|error| unreadable(what[0], error.to_string()))?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(Damage::KeyMismatch(what[1]));
        }
        Ok(Self { anchor, key_pem: key_pem.into() })
    }

    /// Signs what `params` say about `key`.
    ///
    /// # Errors
    /// The key cannot be used.
    pub(super) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        let issuer = Issuer::new(identity(), KeyPair::from_pem(&self.key_pem)?);
        Ok(params.signed_by(key, &issuer)?.der().clone())
    }
}

/// Without the key.
impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca").field("anchor", &self.anchor).finish_non_exhaustive()
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({} to {})", self.not_before, self.not_after)
    }
}

/// What all our authorities have in common.
fn identity() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(super) fn name() -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, NAME);
    name
}

/// Certificates know seconds.
pub(super) fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Has a certificate be valid from `not_before` to `not_after`.
pub(super) fn limit(params: &mut CertificateParams, not_before: Timestamp, not_after: Timestamp) {
    let since_1970 = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default());
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(not_after);
}
