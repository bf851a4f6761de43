//! Where a server is, and what every request to it carries.

use super::ClientError;
use crate::{
    egress::{Egress, EgressError},
    identity::Principal,
    outgoing::CredentialSource,
};
use http::{HeaderMap, Method};
use mcpfleet_protocol::client::Outgoing;
use reqwest::{Response, Url};
use std::sync::Arc;

/// One MCP endpoint over Streamable HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoint {
    shared: Arc<Shared>,
    /// In whose name; `None` for the runtime's own.
    caller: Option<Arc<Principal>>,
}

#[derive(Debug)]
struct Shared {
    egress: Egress,
    url: Url,
    source: CredentialSource,
}

impl Endpoint {
    /// An endpoint whose every request carries what `source` gives.
    pub fn new(egress: Egress, url: Url, source: CredentialSource) -> Self {
        Self { shared: Arc::new(Shared { egress, url, source }), caller: None }
    }

    /// The same endpoint for requests in the name of `caller`.
    pub fn acting_for(&self, caller: Option<&Arc<Principal>>) -> Self {
        Self { shared: self.shared.clone(), caller: caller.cloned() }
    }

    /// Host of the URL, for messages.
    pub fn host(&self) -> &str {
        self.shared.url.host_str().unwrap_or_default()
    }

    /// Sends one message. Headers of the protocol win over configured ones of the same name.
    pub(super) async fn post(&self, outgoing: Outgoing) -> Result<Response, ClientError> {
        let Outgoing { headers, body } = outgoing;
        self.send(|own| {
            let request = self.shared.egress.request(Method::POST, self.shared.url.clone());
            request.headers(own).headers(headers.clone()).body(body.clone())
        })
        .await
    }

    /// Ends a session.
    pub(super) async fn delete(&self, headers: HeaderMap) -> Result<Response, ClientError> {
        self.send(|own| {
            let request = self.shared.egress.request(Method::DELETE, self.shared.url.clone());
            request.headers(own).headers(headers.clone())
        })
        .await
    }

    async fn send(
        &self,
        make: impl Fn(HeaderMap) -> reqwest::RequestBuilder,
    ) -> Result<Response, ClientError> {
        Ok(self.shared.source.send(&self.shared.egress, self.caller.as_deref(), make).await?)
    }

    /// An error while a body was read.
    pub(super) fn broken(&self, error: &reqwest::Error) -> ClientError {
        EgressError::from_client(self.host(), error).into()
    }
}
