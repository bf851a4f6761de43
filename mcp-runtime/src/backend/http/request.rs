//! From arguments to a request.

use crate::egress::Egress;
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use mcpfleet_config::{BodySource, HttpBackend, HttpMethod};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Map, Value};

/// A request without its credentials.
#[derive(Debug)]
pub(super) struct Draft {
    method: Method,
    url: Url,
    body: Option<Bytes>,
}

impl Draft {
    /// The request that the arguments make.
    ///
    /// # Errors
    /// They make none; the text is for the model, which can do better.
    pub(super) fn of(backend: &HttpBackend, arguments: &Map<String, Value>) -> Result<Self, String> {
        let url = backend.url.expand(arguments).map_err(|error| error.to_string())?;
        let url = Url::parse(&url).map_err(|error| format!("the arguments make no URL: {error}"))?;
        let body = match backend.body {
            BodySource::None => None,
            BodySource::Arguments => Some(rest_of(arguments, backend).to_string().into()),
        };
        Ok(Self { method: method(backend.method), url, body })
    }

    /// The tool's own headers come last: an author who says `content-type` means it.
    pub(super) fn request(&self, egress: &Egress, headers: HeaderMap) -> RequestBuilder {
        let request = egress.request(self.method.clone(), self.url.clone());
        match &self.body {
            None => request.headers(headers),
            Some(body) => {
                request.header(CONTENT_TYPE, "application/json").body(body.clone()).headers(headers)
            }
        }
    }
}

/// The arguments that the URL does not use.
fn rest_of(arguments: &Map<String, Value>, backend: &HttpBackend) -> Value {
    let used = backend.url.variables();
    arguments
        .iter()
        .filter(|(name, _)| !used.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}
