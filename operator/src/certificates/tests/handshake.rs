//! What a runtime meets that dials: real handshakes.

use super::{NAME, founded, names};
use crate::certificates::Certificates;
use jiff::Timestamp;
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::{io, sync::Arc};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Protocol and TLS version that a client agrees on which trusts `bundle`.
async fn dialled(
    certificates: &Certificates,
    bundle: &str,
    version: &'static SupportedProtocolVersion,
) -> io::Result<(Option<Vec<u8>>, Option<ProtocolVersion>)> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(bundle.as_bytes()).map(Result::unwrap));
    let mut client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(certificates.server_config().unwrap());
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connector = TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from(NAME).unwrap();
    let (stream, _) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    let stream = stream?;
    let (_, session) = stream.get_ref();
    Ok((session.alpn_protocol().map(<[u8]>::to_vec), session.protocol_version()))
}

#[tokio::test]
async fn who_trusts_the_bundle_gets_http_2_over_tls_1_3() {
    let certificates = Certificates::new(names());
    certificates.adopt(founded(Timestamp::now()), Timestamp::now()).unwrap();
    let bundle = certificates.bundle().unwrap();
    let agreed = dialled(&certificates, &bundle, &TLS13).await.unwrap();
    assert_eq!(agreed, (Some(b"h2".to_vec()), Some(ProtocolVersion::TLSv1_3)));
    assert!(dialled(&certificates, &bundle, &TLS12).await.is_err());
    let another = founded(Timestamp::now()).bundle();
    assert!(dialled(&certificates, &another, &TLS13).await.is_err());
}
