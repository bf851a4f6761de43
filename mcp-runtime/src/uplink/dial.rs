//! One dial: TCP, TLS, HTTP/2, the request and the head of its response.

use super::operator::{Operator, Token, redirect};
use anyhow::Context;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::task::AbortOnDropHandle;

/// From the first packet to the head of the response.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a quiet operator is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(10);
/// Bytes that may be under way to us. Enough for a configuration in four rounds.
const WINDOW: u32 = 256 * 1024;
/// Bytes of reports that are held while they cannot be sent.
const SEND_BUFFER: usize = 64 * 1024;
/// Reports that wait to be sent.
const REPORTS: usize = 4;

type UpBody = UnsyncBoxBody<Bytes, Infallible>;

/// An open stream. Dropping it closes the connection.
pub struct Stream {
    /// Towards the operator: whole lines.
    pub up: mpsc::Sender<Bytes>,
    /// From it.
    pub down: Incoming,
    /// Kept: without it the connection would say goodbye.
    _request: SendRequest<UpBody>,
    _connection: AbortOnDropHandle<()>,
}

/// What a dial gave.
pub enum Dialled {
    /// The operator takes the stream.
    Open(Box<Stream>),
    /// Its leader is elsewhere.
    Redirected(SocketAddr),
}

/// Dials `at`, or else the operator's own name, and sends `hello` as the first lines.
///
/// # Errors
/// Why there is no stream.
pub async fn dial(
    operator: &Operator,
    at: Option<SocketAddr>,
    token: &Token,
    hello: Vec<u8>,
) -> anyhow::Result<Dialled> {
    let all = async {
        let socket = connect(operator, at).await?;
        request(operator, socket, token, hello).await
    };
    let within = tokio::time::timeout(TIMEOUT, all).await;
    within.with_context(|| format!("it does not answer within {} s", TIMEOUT.as_secs()))?
}

async fn connect(operator: &Operator, at: Option<SocketAddr>) -> anyhow::Result<TlsStream<TcpStream>> {
    let socket = match at {
        Some(address) => TcpStream::connect(address).await,
        None => TcpStream::connect((operator.host.as_str(), operator.port)).await,
    };
    let socket = socket.context("it cannot be reached")?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from(operator.host.clone())?;
    let tls = TlsConnector::from(operator.tls().await?).connect(name, socket).await;
    let tls = tls.context("TLS with it fails")?;
    anyhow::ensure!(tls.get_ref().1.alpn_protocol() == Some(b"h2"), "it does not speak HTTP/2");
    Ok(tls)
}

async fn request(
    operator: &Operator,
    socket: TlsStream<TcpStream>,
    token: &Token,
    hello: Vec<u8>,
) -> anyhow::Result<Dialled> {
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .handshake(TokioIo::new(socket))
        .await?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        // Its errors are the stream's too.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to the operator ended");
        }
    }));
    let (up, lines) = mpsc::channel(REPORTS);
    up.send(hello.into()).await?;
    let request = Request::post(operator.uri()?).header(AUTHORIZATION, token.header()?).body(body(lines))?;
    let response = client.send_request(request).await?;
    match response.status() {
        StatusCode::OK => {
            let down = response.into_body();
            Ok(Dialled::Open(Box::new(Stream { up, down, _request: client, _connection: connection })))
        }
        StatusCode::TEMPORARY_REDIRECT => {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let address = location.and_then(redirect).context("it redirects to no address")?;
            Ok(Dialled::Redirected(address))
        }
        status => anyhow::bail!("it answers HTTP {status}"),
    }
}

fn body(lines: mpsc::Receiver<Bytes>) -> UpBody {
    let next = |mut lines: mpsc::Receiver<Bytes>| async move { lines.recv().await.map(|line| (line, lines)) };
    let lines = futures::stream::unfold(lines, next);
    StreamBody::new(lines.map(|line| Ok(Frame::data(line)))).boxed_unsync()
}
