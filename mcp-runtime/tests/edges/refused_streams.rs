//! HTTP/2 servers that say of a request that they have not looked at it (RFC 9113, section 8.7), and those that do not.
//! Frames are written by hand, so that they say exactly that.

use http::{Method, StatusCode};
use mcpfleet_runtime::egress::{Egress, EgressError};
use reqwest::Url;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What a request is answered with.
#[derive(Clone, Copy, Debug)]
enum Play {
    /// 200.
    Answer,
    /// `RST_STREAM` with this code.
    Reset(u8),
    /// GOAWAY: the last stream that was looked at is this one. Then the connection ends.
    GoAway { last: u8 },
}

const REFUSED_STREAM: u8 = 7;
const INTERNAL_ERROR: u8 = 2;
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

impl Play {
    fn frame(self, stream: u8) -> Vec<u8> {
        match self {
            // `:status: 200` is entry 8 of the static table; the headers end, and the stream.
            Self::Answer => vec![0, 0, 1, 1, 0x5, 0, 0, 0, stream, 0x88],
            Self::Reset(code) => vec![0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, code],
            Self::GoAway { last } => vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, 0],
        }
    }
}

/// A server that answers one request after the other by the plays; how many came.
async fn server(plays: &[Play]) -> (u16, CertificateDer<'static>, Arc<Mutex<usize>>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, requests) = (listener.local_addr().unwrap().port(), Arc::<Mutex<usize>>::default());
    let (plays, seen) = (plays.to_vec(), requests.clone());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(socket).await else { continue };
            let (plays, seen) = (plays.clone(), seen.clone());
            tokio::spawn(async move { converse(stream, &plays, &seen).await });
        }
    });
    (port, cert.der().clone(), requests)
}

/// Reads frames, and answers each HEADERS by its play; `None` at the end.
async fn converse(
    mut io: impl AsyncRead + AsyncWrite + Unpin,
    plays: &[Play],
    seen: &Mutex<usize>,
) -> Option<()> {
    io.read_exact(&mut [0; 24]).await.ok()?;
    io.write_all(&SETTINGS).await.ok()?;
    loop {
        let mut head = [0; 9];
        io.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
        io.read_exact(&mut payload).await.ok()?;
        if head[3] != 1 {
            continue;
        }
        let at = {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            *seen - 1
        };
        let play = plays.get(at).copied().unwrap_or(Play::Answer);
        io.write_all(&play.frame(head[8])).await.ok()?;
        io.flush().await.ok()?;
        if matches!(play, Play::GoAway { .. }) {
            io.shutdown().await.ok()?;
            return None;
        }
    }
}

/// What a POST to such a server comes to, and how many requests it was.
async fn post(plays: &[Play]) -> (Result<StatusCode, EgressError>, usize) {
    let (port, certificate, requests) = server(plays).await;
    let egress = Egress::trusting(vec![certificate]).unwrap();
    let url = Url::parse(&format!("https://localhost:{port}/mcp")).unwrap();
    let sent = egress.send(egress.request(Method::POST, url).body(r#"{"jsonrpc":"2.0"}"#)).await;
    let requests = *requests.lock().unwrap();
    (sent.map(|response| response.status()), requests)
}

#[tokio::test]
async fn a_request_that_was_not_looked_at_is_sent_again() {
    for play in [Play::Reset(REFUSED_STREAM), Play::GoAway { last: 0 }] {
        assert_eq!(post(&[play]).await, (Ok(StatusCode::OK), 2), "{play:?}");
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_looked_at_is_not() {
    for play in [Play::Reset(INTERNAL_ERROR), Play::GoAway { last: 1 }] {
        let (outcome, requests) = post(&[play]).await;
        assert!(matches!(outcome, Err(EgressError::Interrupted { .. })), "{play:?}: {outcome:?}");
        assert_eq!(requests, 1, "{play:?}");
    }
}
