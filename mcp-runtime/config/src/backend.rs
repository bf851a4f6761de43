//! The work behind a tool.

use crate::{Header, uri_template::UriTemplate};
use serde::{Deserialize, Serialize};

/// The work behind a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backend {
    /// Always the same text.
    Static(StaticBackend),
    /// One HTTP request.
    Http(HttpBackend),
}

/// A fixed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticBackend {
    /// The text content of each result.
    pub text: String,
}

/// One HTTP request made from the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpBackend {
    /// Request method.
    pub method: HttpMethod,
    /// Where to; expressions are allowed in path and query only.
    pub url: UriTemplate,
    /// Headers in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// What the body holds.
    pub body: BodySource,
    /// Largest response body that becomes a result, in bytes; a larger one is an error.
    pub max_response_bytes: u64,
}

/// Methods of RFC 9110 that a tool may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl HttpMethod {
    /// The method's token on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodySource {
    /// No body.
    None,
    /// A JSON object of the arguments that the URL does not use.
    Arguments,
}
