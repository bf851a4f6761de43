//! What a configuration asks of one upstream, with the values of its credentials: what makes two the same connection.

use super::connection::Endpoint;
use crate::{
    credentials::{Credentials, Missing},
    egress::Egress,
    outgoing::{CredentialSource, Signer},
};
use mcpfleet_config::{Upstream, UpstreamTransport};
use reqwest::Url;

/// One upstream as it is to be. Two that are equal need no new connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) upstream: Upstream,
    source: Result<CredentialSource, Missing>,
}

impl Wanted {
    pub(super) fn new(upstream: &Upstream, credentials: &Credentials, signer: &Signer) -> Self {
        let headers = upstream.transport.headers().map_or(&[][..], Vec::as_slice);
        Self { upstream: upstream.clone(), source: signer.source(headers, credentials) }
    }

    /// Where to connect to.
    ///
    /// # Errors
    /// What keeps it from being tried at all, for whoever runs the server.
    pub(super) fn endpoint(&self, egress: &Egress) -> Result<Endpoint, String> {
        let source = self.source.clone().map_err(|missing| missing.to_string())?;
        let UpstreamTransport::StreamableHttp { url, .. } = &self.upstream.transport else {
            return Err("programs cannot be started yet".into());
        };
        let url = Url::parse(url).map_err(|error| format!("its URL cannot be used: {error}"))?;
        Ok(Endpoint::new(egress.clone(), url, source))
    }

    /// Whether both need the same connection: they differ in names, filters and pins at most.
    pub(super) fn is_same_connection(&self, other: &Self) -> bool {
        self.upstream.transport == other.upstream.transport && self.source == other.source
    }

    /// Whether both lead to the same server, so that what the one offers can stand in for the other until it has answered.
    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        use UpstreamTransport::{Stdio, StreamableHttp};
        match (&self.upstream.transport, &other.upstream.transport) {
            (StreamableHttp { url: ours, .. }, StreamableHttp { url: theirs, .. }) => ours == theirs,
            (Stdio { command: ours, .. }, Stdio { command: theirs, .. }) => ours == theirs,
            _ => false,
        }
    }
}
