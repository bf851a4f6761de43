//! Where the operator is, and how this process proves who it is.

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Uri};
use mcpfleet_config::{ServerName, stream};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use url::{Host, Url};

/// Port of `https`.
const HTTPS: u16 = 443;

/// What the process was told of its operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Its host: the name that its certificate is verified for, whichever address is dialled.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Projected token. Read at each dial: the kubelet renews it.
    pub token: PathBuf,
    /// PEM of the authorities that are trusted, and no others. Read at each dial.
    pub ca: PathBuf,
}

impl Operator {
    /// Reads `https://host[:port]`.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(url: &Url, token: PathBuf, ca: PathBuf) -> anyhow::Result<Self> {
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        anyhow::ensure!(url.scheme() == "https" && bare, "--operator takes https://HOST[:PORT], not {url}");
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            None => anyhow::bail!("--operator names no host"),
        };
        Ok(Self { host, port: url.port().unwrap_or(HTTPS), token, ca })
    }

    /// Where the request goes, as HTTP names it.
    ///
    /// # Errors
    /// When the host cannot stand in a URI.
    pub fn uri(&self) -> anyhow::Result<Uri> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let authority = format!("{host}:{}", self.port);
        Ok(Uri::builder().scheme("https").authority(authority).path_and_query(stream::PATH).build()?)
    }

    /// The token as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn token(&self) -> anyhow::Result<Token> {
        let text = tokio::fs::read_to_string(&self.token).await;
        let text = text.with_context(|| format!("the token {} cannot be read", self.token.display()))?;
        Ok(Token(text.trim().to_owned()))
    }

    /// How to speak TLS with it, trusting the authorities as they are now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn tls(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let pem = tokio::fs::read(&self.ca).await;
        let pem = pem.with_context(|| format!("the authority {} cannot be read", self.ca.display()))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.context("the operator's authority is no certificate")?)?;
        }
        anyhow::ensure!(!roots.is_empty(), "{} holds no certificate", self.ca.display());
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        // One connection for hours: tickets would be memory for nothing.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// Where a redirect leads: the leader's address, and nothing else.
pub fn redirect(location: &str) -> Option<SocketAddr> {
    let url = Url::parse(location).ok().filter(|url| url.scheme() == "https")?;
    let ip = match url.host()? {
        Host::Ipv4(ip) => ip.into(),
        Host::Ipv6(ip) => ip.into(),
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, url.port().unwrap_or(HTTPS)))
}

/// A service account token. It cannot be printed.
pub struct Token(String);

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Token {
    /// The header that carries it.
    ///
    /// # Errors
    /// When no header can.
    pub fn header(&self) -> anyhow::Result<HeaderValue> {
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", self.0)).context("the token is no header value")?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The server that it is for: its service account is named like it. Only the operator has it verified; here it says
    /// who we are while there is no configuration that does.
    pub fn server(&self) -> Option<ServerName> {
        let claims = URL_SAFE_NO_PAD.decode(self.0.split('.').nth(1)?).ok()?;
        let Claims { sub } = serde_json::from_slice(&claims).ok()?;
        let (namespace, name) = sub.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        Some(ServerName { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(url: &str) -> anyhow::Result<Operator> {
        Operator::new(&Url::parse(url).unwrap(), "token".into(), "ca".into())
    }

    #[test]
    fn only_a_bare_https_url_names_an_operator() {
        let uri = |url: &str| operator(url).unwrap().uri().unwrap().to_string();
        assert_eq!(uri("https://op.ns.svc:8443"), "https://op.ns.svc:8443/v1/runtimes");
        assert_eq!(uri("https://[::1]"), "https://[::1]:443/v1/runtimes");
        for bad in ["http://op:8443", "https://op:8443/path", "https://op/?a=b", "https://me@op/"] {
            assert!(operator(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_leads_to_an_address() {
        let to = |text: &str| text.parse().ok();
        assert_eq!(redirect("https://10.1.2.3:8443/v1/runtimes"), to("10.1.2.3:8443"));
        assert_eq!(redirect("https://[fd00::1]:8443/"), to("[fd00::1]:8443"));
        for bad in ["http://10.1.2.3:8443/", "https://leader:8443/", "/v1/runtimes", ""] {
            assert_eq!(redirect(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_says_for_which_server_it_is() {
        let token = |claims: &str| Token(format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims)));
        let server = token(r#"{"sub":"system:serviceaccount:agents:support","aud":["a"]}"#).server();
        assert_eq!(server.unwrap().to_string(), "agents/support");
        assert_eq!(token(r#"{"sub":"system:node:a"}"#).server(), None);
        assert_eq!(Token("opaque".into()).server(), None);
    }
}
