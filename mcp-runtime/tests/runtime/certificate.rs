//! Certificates for tests.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::path::Path;

/// Name that the tests' servers claim.
pub(crate) const NAME: &str = "support.agents.svc";

pub(crate) struct Files {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Files {
    /// Puts them where a mounted Secret would be.
    pub(crate) fn write(&self, dir: &Path) {
        super::manifests::write(dir, "tls.crt", &self.cert);
        super::manifests::write(dir, "tls.key", &self.key);
    }
}

/// Self-signed and good.
pub(crate) fn good() -> Files {
    self_signed(&params(NAME))
}

/// For another name.
pub(crate) fn other_name() -> Files {
    self_signed(&params("other.example"))
}

/// Of the past.
pub(crate) fn expired() -> Files {
    let mut params = params(NAME);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    self_signed(&params)
}

/// A certificate with the key of another.
pub(crate) fn mismatched() -> Files {
    Files { cert: good().cert, key: good().key }
}

/// Leaf and issuer, as cert-manager writes them.
pub(crate) fn chained() -> Files {
    let issuer = issuer();
    let key = KeyPair::generate().unwrap();
    let leaf = params(NAME).signed_by(&key, &issuer).unwrap();
    Files { cert: format!("{}{}", leaf.pem(), issuer.pem()), key: key.serialize_pem() }
}

/// A leaf followed by a certificate that did not sign it.
pub(crate) fn broken_chain() -> Files {
    let key = KeyPair::generate().unwrap();
    let leaf = params(NAME).signed_by(&key, &issuer()).unwrap();
    Files { cert: format!("{}{}", leaf.pem(), issuer().pem()), key: key.serialize_pem() }
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn self_signed(params: &CertificateParams) -> Files {
    let key = KeyPair::generate().unwrap();
    Files { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}
