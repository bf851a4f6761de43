//! What runtimes may rely on: whatever bundle they were given within a day, it verifies what is served now.

mod handshake;
mod keeping;
mod rotating;
mod stored;

use super::{rotation::Authority, serving::Serving};
use jiff::{SignedDuration, Timestamp};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::{sync::Arc, time::Duration};

const NAME: &str = "mcpfleet-operator.mcpfleet-system.svc";

fn names() -> Vec<String> {
    vec![NAME.to_owned(), format!("{NAME}.cluster.local")]
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Whether a client that trusts `bundle` takes `serving` at `now` for the server called `name`.
fn verified(bundle: &str, serving: &Serving, name: &str, now: Timestamp) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    for anchor in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(anchor.unwrap()).unwrap();
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().try_into().unwrap()));
    verifier.verify_server_cert(&serving.leaf.der, &[], &name, &[], now).map(|_| ())
}

fn founded(now: Timestamp) -> Authority {
    super::rotation::rotate(None, now).unwrap().0
}
