//! Where a server is, and what every request to it carries.

use super::ClientError;
use crate::egress::{Egress, EgressError};
use http::{HeaderMap, Method};
use mcpfleet_protocol::client::Outgoing;
use reqwest::{Response, Url};

/// One MCP endpoint over Streamable HTTP.
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

    /// Sends one message. Headers of the protocol win over configured ones of the same name.
    pub(super) async fn post(&self, outgoing: Outgoing) -> Result<Response, ClientError> {
        let request = self.egress.request(Method::POST, self.url.clone());
        let request = request.headers(self.headers.clone()).headers(outgoing.headers).body(outgoing.body);
        Ok(self.egress.send(request).await?)
    }

    /// Ends a session.
    pub(super) async fn delete(&self, headers: HeaderMap) -> Result<Response, ClientError> {
        let request = self.egress.request(Method::DELETE, self.url.clone());
        Ok(self.egress.send(request.headers(self.headers.clone()).headers(headers)).await?)
    }

    /// An error while a body was read.
    pub(super) fn broken(&self, error: &reqwest::Error) -> ClientError {
        EgressError::from_client(self.host(), error).into()
    }
}
