//! Only who holds a session key is heard, and only who holds one is believed.

use crate::replica::{Replica, endless, keys, patiently, read};
use mcpfleet_runtime::peer::Unreached;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::{TLS12, TLS13},
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn replicas_with_one_key_answer_each_other() {
    let (one, other) = (Replica::greeting(&[1]).await, Replica::greeting(&[1]).await);
    assert_eq!(read(one.ask(&other, "/mcp").await.unwrap()).await, "hello");
    assert_eq!(read(other.ask(&one, "/mcp").await.unwrap()).await, "hello");
}

#[tokio::test]
async fn another_key_is_refused_before_anything_is_sent() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let owner = Replica::start(&[1], move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { endless() }
    })
    .await;
    for strange in [&[2][..], &[2, 3]] {
        let stranger = Replica::greeting(strange).await;
        assert!(matches!(stranger.unreached(&owner).await, Unreached::Unproved(_)));
        assert!(matches!(owner.unreached(&stranger).await, Unreached::Unproved(_)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// The dialler believes the listener, and not the other way round. In TLS 1.3 it learns that only after the handshake.
#[tokio::test]
async fn one_that_is_not_believed_knows_that_nothing_was_sent() {
    let owner = Replica::greeting(&[1]).await;
    let newer = Replica::greeting(&[2, 1]).await;
    assert!(matches!(newer.unreached(&owner).await, Unreached::Unproved(_)));
}

#[tokio::test]
async fn without_shared_keys_there_are_no_peers() {
    let (alone, owner) = (Replica::greeting(&[]).await, Replica::greeting(&[1]).await);
    assert_eq!(alone.unreached(&owner).await, Unreached::NoKeys);
    assert!(matches!(owner.unreached(&alone).await, Unreached::Unproved(_)));
    alone.keys.set(&keys(&[1])).unwrap();
    assert_eq!(read(owner.ask(&alone, "/mcp").await.unwrap()).await, "hello");
}

#[tokio::test]
async fn keys_rotate_and_replicas_still_know_each_other_at_every_step() {
    let (one, other) = (Replica::greeting(&[1]).await, Replica::greeting(&[1]).await);
    for step in [&[1, 2][..], &[2, 1], &[2, 3], &[3, 2]] {
        // One hears of it before the other does.
        one.keys.set(&keys(step)).unwrap();
        assert_eq!(read(one.ask(&other, "/mcp").await.unwrap()).await, "hello", "{step:?}");
        assert_eq!(read(other.ask(&one, "/mcp").await.unwrap()).await, "hello", "{step:?}");
        other.keys.set(&keys(step)).unwrap();
    }
}

#[tokio::test]
async fn a_connection_ends_with_the_key_that_proved_it() {
    let (one, owner) = (Replica::greeting(&[1]).await, Replica::start(&[1], |_| async { endless() }).await);
    let mut body = one.ask(&owner, "/mcp").await.unwrap().into_body();
    // The key has leaked: all get another one.
    owner.keys.set(&keys(&[9])).unwrap();
    assert!(crate::replica::chunk(&mut body).await.is_err(), "what the old key let in goes on");
    assert!(matches!(one.unreached(&owner).await, Unreached::Unproved(_)));
    one.keys.set(&keys(&[9])).unwrap();
    assert!(one.ask(&owner, "/mcp").await.is_ok());
}

#[tokio::test]
async fn plain_text_is_answered_by_nothing_but_an_alert() {
    let owner = Replica::greeting(&[1]).await;
    let mut plain = TcpStream::connect(owner.address).await.unwrap();
    plain.write_all(b"POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut answer = Vec::new();
    // It may be reset as well.
    drop(patiently(plain.read_to_end(&mut answer)).await);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_crowd_that_says_nothing_keeps_no_replica_out() {
    let (one, owner) = (Replica::greeting(&[1]).await, Replica::greeting(&[1]).await);
    let mut crowd = Vec::new();
    for from in [1, 2, 3, 4, 5, 6] {
        for _ in 0..60 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(([127, 0, 0, from], 0).into()).unwrap();
            crowd.push(socket.connect(owner.address).await.unwrap());
        }
    }
    assert_eq!(read(one.ask(&owner, "/mcp").await.unwrap()).await, "hello");
    // The first has made room, or has had its time.
    assert!(patiently(crowd[0].read_u8()).await.is_err());
}

/// Believes anybody.
#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn one_that_proves_nothing_gets_no_byte() {
    let owner = Replica::greeting(&[1]).await;
    for version in [&TLS13, &TLS12] {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(owner.address).await.unwrap();
        let name = ServerName::from(owner.address.ip());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await;
        let Ok(mut stream) = stream else { continue };
        let mut answer = Vec::new();
        assert!(patiently(stream.read_to_end(&mut answer)).await.is_err(), "{version:?}");
        assert!(answer.is_empty(), "{version:?}");
    }
}
