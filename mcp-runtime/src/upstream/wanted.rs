//! What a configuration asks of one upstream, with the values of its credentials: what makes two the same connection.

use super::{
    Pace,
    connection::{Endpoint, Target},
};
use crate::{
    credentials::{Credentials, Missing, Secret},
    egress::Egress,
    outgoing::{CredentialSource, Signer},
    program::{self, Program},
};
use mcpfleet_config::{Upstream, UpstreamTransport};
use reqwest::Url;
use std::collections::BTreeMap;

/// One upstream as it is to be. Two that are equal need no new connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) upstream: Upstream,
    given: Result<Given, Missing>,
}

/// What it is given of credentials.
#[derive(Clone, Debug, PartialEq)]
enum Given {
    /// Headers of its requests.
    Headers(CredentialSource),
    /// Variables of its environment.
    Variables(BTreeMap<String, Secret>),
}

impl Wanted {
    pub(super) fn new(upstream: &Upstream, credentials: &Credentials, signer: &Signer) -> Self {
        let given = match &upstream.transport {
            UpstreamTransport::StreamableHttp { headers, .. } => {
                signer.source(headers, credentials).map(Given::Headers)
            }
            UpstreamTransport::Stdio { env, .. } => {
                program::variables(env, credentials).map(Given::Variables)
            }
        };
        Self { upstream: upstream.clone(), given }
    }

    /// Where to connect to, or what to start.
    ///
    /// # Errors
    /// What keeps it from being tried at all, for whoever runs the server.
    pub(super) fn target(&self, egress: &Egress, pace: Pace) -> Result<Target, String> {
        let given = self.given.clone().map_err(|missing| missing.to_string())?;
        match (&self.upstream.transport, given) {
            (UpstreamTransport::StreamableHttp { url, .. }, Given::Headers(source)) => {
                let url = Url::parse(url).map_err(|error| format!("its URL cannot be used: {error}"))?;
                Ok(Target::Url(Endpoint::new(egress.clone(), url, source)))
            }
            (UpstreamTransport::Stdio { command, processes, .. }, Given::Variables(variables)) => {
                let name = &self.upstream.name;
                Ok(Target::Program(Program::new(name, (command, variables), *processes, pace)))
            }
            // They are made together.
            _ => Err("its credentials are not of its kind".into()),
        }
    }

    /// Whether both need the same connection: they differ in names, filters and pins at most.
    pub(super) fn is_same_connection(&self, other: &Self) -> bool {
        self.upstream.transport == other.upstream.transport && self.given == other.given
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
