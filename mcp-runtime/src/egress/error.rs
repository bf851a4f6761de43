//! What can go wrong with a request, in words that a model and an operator can act on.
//!
//! The texts name the host and nothing else of the URL, and never a header: both can hold what is not for models.

use super::resolver::RefusedName;
use std::{error::Error, io};

/// Why a request gave no response, or a response no end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Nothing was sent: the address is link-local or a cloud's metadata service.
    #[error("{host} is a link-local or metadata address, which is never connected to")]
    Refused {
        /// As the URL has it.
        host: String,
    },
    /// The name was not resolved.
    #[error("the host name {host} cannot be resolved")]
    Dns {
        /// As the URL has it.
        host: String,
    },
    /// No connection.
    #[error("{host} cannot be reached ({reason})")]
    Connect {
        /// As the URL has it.
        host: String,
        /// Such as `connection refused`.
        reason: String,
    },
    /// No trusted connection.
    #[error("the TLS handshake with {host} failed ({reason})")]
    Tls {
        /// As the URL has it.
        host: String,
        /// What rustls says.
        reason: String,
    },
    /// The connection broke, or what came was no HTTP. Whether the request took effect is unknown.
    #[error("the connection to {host} broke before the answer was complete")]
    Interrupted {
        /// As the URL has it.
        host: String,
    },
    /// An answer above our bound.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// As the URL has it.
        host: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// The request itself cannot be sent.
    #[error("the request cannot be sent")]
    Unsendable,
}

impl EgressError {
    /// Classifies an error of the client.
    pub fn from_client(host: &str, error: &reqwest::Error) -> Self {
        let host = || host.to_owned();
        if error.is_builder() {
            return Self::Unsendable;
        }
        if find::<RefusedName>(error).is_some() {
            return Self::Refused { host: host() };
        }
        if error.is_dns() {
            return Self::Dns { host: host() };
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return Self::Tls { host: host(), reason: tls.to_string() };
        }
        if error.is_connect() {
            let reason = if error.is_timeout() { "timed out".into() } else { connect_reason(error) };
            return Self::Connect { host: host(), reason };
        }
        Self::Interrupted { host: host() }
    }
}

fn connect_reason(error: &reqwest::Error) -> String {
    find::<io::Error>(error).map_or_else(|| "connect failed".into(), |error| error.kind().to_string())
}

/// The first error of type `E` among the causes. An `io::Error` is looked into: its own `source` passes over the error that
/// it wraps, and TLS errors travel inside of two of them.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}
