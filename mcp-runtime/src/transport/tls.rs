//! The serving certificate: read from files, checked, swapped when the files change.

use arc_swap::{ArcSwap, ArcSwapOption};
use mcpfleet_config::status::TlsStatus;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_rustls::TlsAcceptor;

/// The certificate of a listener, whichever is current.
#[derive(Debug)]
pub struct Tls {
    dir: Option<PathBuf>,
    current: ArcSwap<State>,
    /// Files that were refused since the certificate that is served.
    refused: ArcSwapOption<TlsError>,
    generation: AtomicU64,
}

/// What the files hold.
#[derive(Debug)]
enum State {
    Usable(Certificate),
    Unusable(TlsError),
}

/// A certificate that can be served.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// `ca.crt`, where the files hold one.
    pub authority: Vec<CertificateDer<'static>>,
    config: Arc<ServerConfig>,
}

/// Why there is no usable certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The process was not told where the files are.
    #[error("the server wants TLS, but no --tls-dir says where its certificate is")]
    NoDirectory,
    /// A file that cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Missing {
        /// Its path.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file without what it should hold.
    #[error("{file} holds no usable {what}: {reason}")]
    Malformed {
        /// Its path.
        file: String,
        /// Certificate or key.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// `tls.key` belongs to another certificate.
    #[error("tls.key does not belong to the certificate in tls.crt")]
    KeyMismatch,
}

impl Tls {
    /// The certificate in `dir`, as far as it is there. Nothing is served without one.
    pub fn open(dir: Option<PathBuf>) -> Arc<Self> {
        let state = State::read(dir.as_deref());
        let (current, refused) = (ArcSwap::from_pointee(state), ArcSwapOption::empty());
        Arc::new(Self { dir, current, refused, generation: AtomicU64::new(1) })
    }

    /// Reads the files again. Unusable files do not displace a usable certificate: half of a renewal is no reason to
    /// stop serving, and expiry is found by the readiness handshake.
    pub fn reload(&self) {
        match (State::read(self.dir.as_deref()), &**self.current.load()) {
            (State::Unusable(error), State::Usable(_)) => {
                tracing::warn!(%error, "the new certificate is refused, the old one stays");
                self.refused.store(Some(Arc::new(error)));
            }
            (state, _) => {
                if let State::Unusable(error) = &state {
                    tracing::warn!(%error, "no usable certificate");
                }
                self.refused.store(None);
                self.current.store(Arc::new(state));
                self.generation.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Where the files are.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Counts certificates: another number is another one.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// For one connection; `None` without a certificate.
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        self.certificate().ok().map(|certificate| TlsAcceptor::from(certificate.config))
    }

    /// The current certificate.
    pub fn certificate(&self) -> Result<Certificate, TlsError> {
        match &**self.current.load() {
            State::Usable(certificate) => Ok(certificate.clone()),
            State::Unusable(error) => Err(error.clone()),
        }
    }

    /// For `/status`.
    pub fn status(&self) -> TlsStatus {
        if let Err(error) = self.certificate() {
            return TlsStatus { loaded: false, message: Some(error.to_string()) };
        }
        let refused = self.refused.load();
        let message = refused.as_ref().map(|error| format!("the files changed and are refused: {error}"));
        TlsStatus { loaded: true, message }
    }
}

impl State {
    fn read(dir: Option<&Path>) -> Self {
        match dir.ok_or(TlsError::NoDirectory).and_then(read) {
            Ok(certificate) => Self::Usable(certificate),
            Err(error) => Self::Unusable(error),
        }
    }
}

fn read(dir: &Path) -> Result<Certificate, TlsError> {
    let chain = certificates(&dir.join("tls.crt"))?;
    let key_file = dir.join("tls.key");
    let key = PrivateKeyDer::from_pem_slice(&file(&key_file)?)
        .map_err(|error| malformed(&key_file, "private key", &error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certified = certified(chain.clone(), key, &provider, &key_file)?;
    // Not every issuer gives one, and some leave it empty.
    let authority = certificates(&dir.join("ca.crt")).unwrap_or_default();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| malformed(&key_file, "TLS settings", &error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(certified))));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Certificate { chain, authority, config: Arc::new(config) })
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
    key_file: &Path,
) -> Result<CertifiedKey, TlsError> {
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| malformed(key_file, "private key", &error))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::KeyMismatch),
        Err(error) => Err(malformed(key_file, "certificate", &error)),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = file(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(malformed(path, "certificate", &"it is empty")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(malformed(path, "certificate", &error)),
    }
}

fn file(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path)
        .map_err(|error| TlsError::Missing { file: path.display().to_string(), reason: error.to_string() })
}

fn malformed(path: &Path, what: &'static str, reason: &dyn std::fmt::Display) -> TlsError {
    TlsError::Malformed { file: path.display().to_string(), what, reason: reason.to_string() }
}

/// One certificate for every name: which names it is good for is checked by readiness.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
