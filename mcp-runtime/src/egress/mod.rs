//! Requests that leave the runtime.
//!
//! In: a URL that the configuration fixed. Out: a response, or an [`EgressError`] whose text a model may read.
//! Addresses that no fleet has a business with ([`address`]) are refused twice: names after they were resolved
//! ([`resolver`]), because only then it is known where they lead, and literals before anything is sent, because
//! no resolver ever sees them.

mod address;
mod error;
mod resolver;
mod whole;

pub(crate) use address::is_refused;

pub use error::EgressError;
pub use whole::read_whole;

use reqwest::{Method, RequestBuilder, Response, Url};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer};
use std::{sync::Arc, time::Duration};

/// From looking up the name to the end of the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. Most servers and load balancers close theirs after 60 s or more.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// Unused connections kept for one host.
const IDLE_PER_HOST: usize = 256;

/// The one HTTP client of a process: pooled, HTTP/1.1 and HTTP/2, TLS by rustls with the public roots that
/// are compiled in, no redirects, no proxy from the environment, and never a link-local address.
#[derive(Clone, Debug)]
pub struct Egress {
    client: reqwest::Client,
}

impl Egress {
    /// Builds the client.
    pub fn new() -> anyhow::Result<Self> {
        Self::trusting(Vec::new())
    }

    /// A client that trusts these certificates beside the public roots.
    pub fn trusting(extra: Vec<CertificateDer<'static>>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(extra)?)
            .dns_resolver(resolver::Guarded)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .tcp_nodelay(true)
            .http2_adaptive_window(true)
            .user_agent(concat!("mcp-runtime/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    /// A request to `url`, to be given to [`Egress::send`].
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends, and waits for the head of the response. Dropping the future or the response closes the exchange.
    ///
    /// A request is never repeated, but for one that the far side has said not to have looked at
    /// (RFC 9113, section 8.7) or that never left for a pooled connection was closed.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, EgressError> {
        let request = request.build().map_err(|error| EgressError::from_client("", &error))?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        if request.url().host().is_some_and(|host| address::is_refused_literal(&host)) {
            return Err(EgressError::Refused { host });
        }
        self.client.execute(request).await.map_err(|error| EgressError::from_client(&host, &error))
    }
}

/// The provider is named here rather than taken from the process, so that a library user needs no set-up.
fn tls(extra: Vec<CertificateDer<'static>>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(certificate)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
