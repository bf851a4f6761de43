//! Where a server is, and what every request to it carries.

use super::ClientError;
use crate::egress::{Egress, EgressError};
use http::{HeaderMap, HeaderValue, Method, header::ACCEPT};
use mcpfleet_protocol::client::Outgoing;
use reqwest::{RequestBuilder, Response, Url};

/// One URL of an MCP server.
#[derive(Clone, Debug)]
pub struct Endpoint {
    egress: Egress,
    url: Url,
    headers: HeaderMap,
}

impl Endpoint {
    /// An endpoint whose every request carries `headers`, credentials among them.
    pub fn new(egress: Egress, url: Url, headers: HeaderMap) -> Self {
        Self { egress, url, headers }
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
        self.send(self.request(Method::POST, outgoing.headers).body(outgoing.body)).await
    }

    /// Opens a stream of events.
    pub(super) async fn get(&self, mut headers: HeaderMap) -> Result<Response, ClientError> {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.send(self.request(Method::GET, headers)).await
    }

    /// Ends a session.
    pub(super) async fn delete(&self, headers: HeaderMap) -> Result<Response, ClientError> {
        self.send(self.request(Method::DELETE, headers)).await
    }

    /// An error while a body was read.
    pub(super) fn broken(&self, error: &reqwest::Error) -> ClientError {
        EgressError::from_client(self.host(), error).into()
    }

    /// The one place where credentials meet a request. Headers of the protocol win over configured ones of the same name.
    fn request(&self, method: Method, headers: HeaderMap) -> RequestBuilder {
        self.egress.request(method, self.url.clone()).headers(self.headers.clone()).headers(headers)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        Ok(self.egress.send(request).await?)
    }
}
