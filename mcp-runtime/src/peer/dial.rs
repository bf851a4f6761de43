//! One dial: TCP, TLS 1.3 with both proofs, the listener's word that it has accepted ours, HTTP/2.

use super::{
    CONNECTION_WINDOW, DIAL_TIMEOUT, HEADERS, PING, PONG, STREAMS, Unreached, WELCOME, WINDOW,
    connection::{Connection, Driver},
    identity::Identity,
};
use crate::seal::Keyring;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use std::{net::SocketAddr, sync::Arc};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A connection to the replica at `address`, and what drives it.
///
/// # Errors
/// Why there is none. No request has been sent.
pub(super) async fn dial(address: SocketAddr, keys: &Keyring) -> Result<(Connection, Driver), Unreached> {
    let identity = Identity::of(keys).map_err(|error| Unreached::Connect(error.to_string()))?;
    let identity = identity.ok_or(Unreached::NoKeys)?;
    let proved = tokio::time::timeout(DIAL_TIMEOUT, prove(address, &identity));
    let stream = proved.await.unwrap_or(Err(Unreached::Timeout))?;
    let (requests, driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .initial_max_send_streams(STREAMS as usize)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(WINDOW as usize)
        .max_header_list_size(HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Unreached::Connect(error.to_string()))?;
    Ok((Connection::new(requests, identity.public()), driver))
}

async fn prove(address: SocketAddr, identity: &Identity) -> Result<TlsStream<TcpStream>, Unreached> {
    let unproved = |error: &dyn std::fmt::Display| Unreached::Unproved(error.to_string());
    let socket = TcpStream::connect(address).await.map_err(|error| Unreached::Connect(error.to_string()))?;
    socket.set_nodelay(true).map_err(|error| Unreached::Connect(error.to_string()))?;
    let tls = TlsConnector::from(Arc::new(identity.client().map_err(|error| unproved(&error))?));
    let stream = tls.connect(ServerName::from(address.ip()), socket).await;
    let mut stream = stream.map_err(|error| unproved(&error))?;
    let said = stream.read_u8().await.map_err(|error| unproved(&error))?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(super::ALPN);
    if said == WELCOME && http2 { Ok(stream) } else { Err(unproved(&"it speaks another protocol")) }
}
