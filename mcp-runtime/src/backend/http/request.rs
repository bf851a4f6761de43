//! From arguments to a request.

use crate::{
    credentials::{Credentials, Missing},
    egress::Egress,
};
use http::header::CONTENT_TYPE;
use mcpfleet_config::{BodySource, HttpBackend, HttpMethod};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Map, Value};

/// Why there is no request.
#[derive(Debug)]
pub(super) enum BuildError {
    /// The arguments make none: the model can do better.
    ForModel(String),
    /// A header's credential.
    Credential(Missing),
}

pub(super) fn build(
    backend: &HttpBackend,
    arguments: &Map<String, Value>,
    credentials: &Credentials,
    egress: &Egress,
) -> Result<RequestBuilder, BuildError> {
    let url = backend.url.expand(arguments).map_err(|error| BuildError::ForModel(error.to_string()))?;
    let url = Url::parse(&url)
        .map_err(|error| BuildError::ForModel(format!("the arguments make no URL: {error}")))?;
    let headers = credentials.headers(&backend.headers).map_err(BuildError::Credential)?;
    let request = egress.request(method(backend.method), url);
    Ok(match backend.body {
        BodySource::None => request.headers(headers),
        // The tool's own headers come last: an author who says `content-type` means it.
        BodySource::Arguments => request
            .header(CONTENT_TYPE, "application/json")
            .body(rest_of(arguments, backend).to_string())
            .headers(headers),
    })
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
