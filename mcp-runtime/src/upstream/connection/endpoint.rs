//! Where a server is, and what every request to it carries.

use super::ClientError;
use crate::{
    egress::{Egress, EgressError},
    identity::Principal,
    outgoing::CredentialSource,
};
use http::{HeaderMap, HeaderValue, Method, header::ACCEPT};
use mcpfleet_protocol::client::Outgoing;
use reqwest::{RequestBuilder, Response, Url};
use std::sync::Arc;

/// One URL of an MCP server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoint {
    shared: Arc<Shared>,
    url: Url,
    /// In whose name; `None` for the runtime's own.
    caller: Option<Arc<Principal>>,
}

#[derive(Debug)]
struct Shared {
    egress: Egress,
    source: CredentialSource,
}

impl Endpoint {
    /// An endpoint whose every request carries what `source` gives.
    pub fn new(egress: Egress, url: Url, source: CredentialSource) -> Self {
        Self { shared: Arc::new(Shared { egress, source }), url, caller: None }
    }

    /// The same endpoint for requests in the name of `caller`.
    pub fn acting_for(&self, caller: Option<&Arc<Principal>>) -> Self {
        Self { caller: caller.cloned(), ..self.clone() }
    }

    /// Host of the URL, for messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The URL.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The same server at another of its URLs. The caller has checked that it is of the same origin: credentials go there.
    pub(super) fn at(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }

    /// Sends one message.
    pub(super) async fn post(&self, outgoing: Outgoing) -> Result<Response, ClientError> {
        let Outgoing { headers, body } = outgoing;
        self.send(|own| self.request(Method::POST, own, &headers).body(body.clone())).await
    }

    /// Opens a stream of events.
    pub(super) async fn get(&self, mut headers: HeaderMap) -> Result<Response, ClientError> {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.send(|own| self.request(Method::GET, own, &headers)).await
    }

    /// Ends a session.
    pub(super) async fn delete(&self, headers: HeaderMap) -> Result<Response, ClientError> {
        self.send(|own| self.request(Method::DELETE, own, &headers)).await
    }

    /// An error while a body was read.
    pub(super) fn broken(&self, error: &reqwest::Error) -> ClientError {
        EgressError::from_client(self.host(), error).into()
    }

    /// Headers of the protocol win over configured ones of the same name.
    fn request(&self, method: Method, own: HeaderMap, headers: &HeaderMap) -> RequestBuilder {
        self.shared.egress.request(method, self.url.clone()).headers(own).headers(headers.clone())
    }

    /// The one place where credentials meet a request.
    async fn send(&self, make: impl Fn(HeaderMap) -> RequestBuilder) -> Result<Response, ClientError> {
        Ok(self.shared.source.send(&self.shared.egress, self.caller.as_deref(), make).await?)
    }
}
