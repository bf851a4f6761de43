//! A real MCP handshake with our own listener: TCP, TLS when it serves TLS, and `server/discover`.

use super::certificate::ChainOrSelf;
use crate::transport::{PROBE_HEADER, tls::Tls};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header::HOST};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mcpfleet_protocol::{
    answer::Implementation,
    client::{ModernPeer, Probe, classify_probe},
    json::JsonText,
    jsonrpc::Id,
};
use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::ServerName};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// How long the whole handshake may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Where to knock, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// The listener, as this process reaches it.
    pub address: SocketAddr,
    /// MCP endpoint of one server.
    pub path: String,
    /// The certificate and the name that clients verify, when it serves TLS.
    pub tls: Option<(Arc<Tls>, String)>,
    /// Value of [`PROBE_HEADER`].
    pub key: HeaderValue,
}

/// Knocks once.
///
/// # Errors
/// What a client would meet, for `/readyz` and people.
pub async fn attempt(target: &Target) -> Result<(), String> {
    let all = async {
        let stream =
            TcpStream::connect(target.address).await.map_err(|error| format!("cannot connect: {error}"))?;
        match &target.tls {
            None => discover(stream, target).await,
            Some((tls, name)) => discover(encrypt(stream, tls, name).await?, target).await,
        }
    };
    match tokio::time::timeout(TIMEOUT, all).await {
        Ok(result) => result.map_err(|reason| format!("the data listener fails its handshake: {reason}")),
        Err(_) => Err(format!("the data listener does not answer within {} ms", TIMEOUT.as_millis())),
    }
}

/// How the reason of a handshake begins that failed for the certificate's sake.
pub const TLS_FAILED: &str = "TLS: ";

async fn encrypt(
    stream: TcpStream,
    tls: &Tls,
    name: &str,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let certificate = tls.certificate().map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(ChainOrSelf::new(&certificate)?)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|_| format!("{name:?} is no server name"))?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| format!("{TLS_FAILED}{error}"))
}

async fn discover<I>(stream: I, target: &Target) -> Result<(), String>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut client, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // Ends with the client; its errors are the request's too.
    let driver = tokio::spawn(connection);
    let answer = async {
        let response = client.send_request(request(target)?).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        judge(status, &body.to_bytes())
    };
    let result = answer.await;
    driver.abort();
    result
}

fn request(target: &Target) -> Result<Request<Full<Bytes>>, String> {
    let peer = ModernPeer {
        client: Implementation::new("mcpfleet-readiness", env!("CARGO_PKG_VERSION")),
        capabilities: JsonText::empty_object(),
        log_level: None,
    };
    let outgoing = peer.discover(&Id::number(1));
    let mut request =
        Request::post(target.path.as_str()).body(Full::new(outgoing.body)).map_err(|e| e.to_string())?;
    *request.headers_mut() = outgoing.headers;
    let host = HeaderValue::from_str(&target.address.to_string()).map_err(|error| error.to_string())?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(PROBE_HEADER, target.key.clone());
    Ok(request)
}

fn judge(status: StatusCode, body: &[u8]) -> Result<(), String> {
    match (status, classify_probe(status, body)) {
        (StatusCode::OK, Probe::Modern(_)) => Ok(()),
        _ => Err(format!("server/discover is answered with HTTP {status}")),
    }
}
