//! Answers of our own, in OpenAI's shape. One table says what a client sees of each problem.

use super::Body;
use crate::{egress::EgressError, outgoing::NoCredential};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use mcpfleet_llm::{
    BadRequest, ChooseError,
    openai::{Error, ErrorKind},
};
use std::time::Duration;

/// Why a model call gave no answer of a provider.
#[derive(Debug)]
pub(super) enum Problem {
    BadRequest(BadRequest),
    Choose(ChooseError),
    Credential(NoCredential),
    /// Nothing came back.
    Egress {
        provider: String,
        error: EgressError,
    },
    Timeout {
        provider: String,
        after: Duration,
    },
    /// The provider refuses the credential that the route names. Its words are for whoever owns that credential.
    CredentialRefused {
        provider: String,
        status: StatusCode,
    },
    /// The provider sends us elsewhere.
    Redirect {
        provider: String,
        status: StatusCode,
    },
    BaseUrl {
        provider: String,
    },
}

pub(super) fn problem(problem: Problem) -> Response<Body> {
    let (status, error) = table(problem);
    json(status, error.to_json())
}

/// Problem, status and error.
pub(super) fn table(problem: Problem) -> (StatusCode, Error) {
    use ErrorKind::{InvalidRequestError as Client, ServerError as Server, UpstreamError as Upstream};
    let row = |status, kind, code, message| (status, Error { message, kind, param: None, code });
    match problem {
        Problem::BadRequest(BadRequest { reason, field }) => {
            let (status, error) = row(StatusCode::BAD_REQUEST, Client, "invalid_request", reason);
            (status, Error { param: field, ..error })
        }
        Problem::Choose(error @ ChooseError::UnknownModel { .. }) => {
            let (status, error) = row(StatusCode::NOT_FOUND, Client, "model_not_found", error.to_string());
            (status, Error { param: Some("model"), ..error })
        }
        Problem::Choose(error @ ChooseError::NoProvider) => {
            row(StatusCode::NOT_FOUND, Client, "model_not_found", error.to_string())
        }
        Problem::Credential(missing) => {
            row(StatusCode::SERVICE_UNAVAILABLE, Server, "credential_missing", missing.to_string())
        }
        Problem::Egress { provider, error } => {
            let message = format!("provider {provider:?} failed: {error}");
            row(StatusCode::BAD_GATEWAY, Upstream, "provider_unreachable", message)
        }
        Problem::Timeout { provider, after } => {
            let message = format!("provider {provider:?} did not answer within {} ms", after.as_millis());
            row(StatusCode::GATEWAY_TIMEOUT, Upstream, "provider_timeout", message)
        }
        Problem::CredentialRefused { provider, status } => {
            let message = format!(
                "provider {provider:?} refuses the credential of this server (HTTP {status}); whoever runs it must renew it"
            );
            row(StatusCode::BAD_GATEWAY, Upstream, "provider_refuses_credentials", message)
        }
        Problem::Redirect { provider, status } => {
            let message = format!(
                "provider {provider:?} redirects (HTTP {status}), which is not followed: its baseUrl is another"
            );
            row(StatusCode::BAD_GATEWAY, Upstream, "provider_redirects", message)
        }
        Problem::BaseUrl { provider } => {
            let message = format!("the baseUrl of provider {provider:?} is no URL");
            row(StatusCode::INTERNAL_SERVER_ERROR, Server, "bad_base_url", message)
        }
    }
}

/// The provider closed its stream in the middle of an answer.
pub(super) fn unfinished() -> Error {
    Error {
        message: "the provider ended its stream before the answer was complete".into(),
        kind: ErrorKind::UpstreamError,
        param: None,
        code: "provider_stream_cut",
    }
}

/// A path that is served, by another method: the `allowed` one.
pub fn wrong_method(allowed: &Method) -> Response<Body> {
    let mut response =
        ours(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("use {allowed} here"));
    if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// A request body above the bound of whoever reads it, in bytes.
pub fn too_large(limit: usize) -> Response<Body> {
    let message = format!("the body is larger than {limit} bytes");
    ours(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
}

fn ours(status: StatusCode, code: &'static str, message: String) -> Response<Body> {
    json(status, Error { message, kind: ErrorKind::InvalidRequestError, param: None, code }.to_json())
}

pub(super) fn json(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}
