//! A runtime's end of the stream that serves nothing: it introduces itself, and hears what the operator says.

use super::{Hub, NAMESPACE, token::token};
use anyhow::Context as _;
use bytes::Bytes;
use futures::stream;
use http::{Request, header::AUTHORIZATION};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcpfleet_config::{
    FORMAT, ServerName,
    status::PodStatus,
    stream::{
        Hello, PATH, Report, Up,
        codec::{DownDecoder, DownFrame, line},
    },
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName as DnsName, pem::PemObject},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::TlsConnector;

/// Longest wait for a frame. Generous: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An open stream. Dropping it hangs up.
pub struct Ear {
    down: Incoming,
    decoder: DownDecoder,
    _requests: http2::SendRequest<Body>,
    connection: JoinHandle<()>,
}

impl Ear {
    /// Dials as pod `number` of a server.
    ///
    /// # Errors
    /// The operator does not take the stream.
    pub async fn dial(hub: &Hub, server: &str, number: u32) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(hub.bundle())? {
            roots.add(certificate?)?;
        }
        let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(hub.address).await?;
        let name = DnsName::try_from("localhost")?;
        let socket = TlsConnector::from(Arc::new(tls)).connect(name, socket).await?;
        let (mut requests, connection) =
            http2::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(socket)).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        let uid = format!("uid-of-{server}-{number}");
        let request = Request::post(format!("https://localhost:{}{PATH}", hub.address.port()))
            .header(AUTHORIZATION, format!("Bearer {}", token(server, &format!("pod-{uid}"), &uid)))
            .body(introduction(server)?)?;
        let response = requests.send_request(request).await?;
        anyhow::ensure!(response.status().is_success(), "refused: {}", response.status());
        let (down, decoder) = (response.into_body(), DownDecoder::default());
        Ok(Self { down, decoder, _requests: requests, connection })
    }

    /// What the operator says next.
    ///
    /// # Errors
    /// It hangs up, or says nothing for long.
    pub async fn next(&mut self) -> anyhow::Result<DownFrame> {
        loop {
            if let Some(frame) = self.decoder.frame()? {
                return Ok(frame);
            }
            let piece = tokio::time::timeout(PATIENCE, self.down.frame()).await;
            let piece = piece.context("the operator says nothing")?.context("it has hung up")??;
            if let Ok(bytes) = piece.into_data() {
                self.decoder.push(&bytes);
            }
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Who we are, and that nothing is served; more will never come.
fn introduction(server: &str) -> anyhow::Result<Body> {
    let server = ServerName { namespace: NAMESPACE.to_owned(), name: server.to_owned() };
    let mut lines = line(&Up::Hello(Hello { server, format: FORMAT, version: "0".to_owned(), peer: None }))?;
    let report = Report { status: Some(PodStatus::default()), ..Report::default() };
    lines.extend(line(&Up::Report(Box::new(report)))?);
    let frames = stream::unfold(Some(Bytes::from(lines)), |lines| async {
        match lines {
            Some(lines) => Some((Ok(Frame::data(lines)), None)),
            None => std::future::pending().await,
        }
    });
    Ok(StreamBody::new(frames).boxed_unsync())
}
