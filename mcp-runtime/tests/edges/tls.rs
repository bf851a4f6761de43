//! TLS with real certificates: trusted ones, foreign ones, and what is no TLS at all.

use crate::server::{Server, full};
use http::Method;
use mcpfleet_runtime::egress::{Egress, EgressError};
use reqwest::{Response, Url};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server with a certificate of its own for `localhost`.
async fn secure_server() -> (SocketAddr, CertificateDer<'static>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = cert.der().clone();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(socket) = acceptor.accept(socket).await else { continue };
            let service = hyper::service::service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(full(200, "text/plain", "secure"))
            });
            let io = hyper_util::rt::TokioIo::new(socket);
            let executor = hyper_util::rt::TokioExecutor::new();
            let server = hyper_util::server::conn::auto::Builder::new(executor);
            tokio::spawn(async move { server.serve_connection(io, service).await.map_err(drop) });
        }
    });
    (address, certificate)
}

async fn get(egress: &Egress, port: u16) -> Result<Response, EgressError> {
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    egress.send(egress.request(Method::GET, url)).await
}

#[tokio::test]
async fn a_trusted_certificate_is_spoken_to_over_http2() {
    let (address, certificate) = secure_server().await;
    let response = get(&Egress::trusting(vec![certificate]).unwrap(), address.port()).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.text().await.unwrap(), "secure");
}

#[tokio::test]
async fn a_foreign_certificate_is_refused_and_named() {
    let (address, _) = secure_server().await;
    let error = get(&Egress::new().unwrap(), address.port()).await.unwrap_err();
    assert!(matches!(&error, EgressError::Tls { host, .. } if host == "localhost"), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn what_is_no_tls_is_told_apart() {
    let server = Server::start(|_| std::future::ready(Ok(full(200, "text/plain", "plain")))).await;
    let error = get(&Egress::new().unwrap(), server.address.port()).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
}
