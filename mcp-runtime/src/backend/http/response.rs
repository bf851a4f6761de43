//! From a response to a result.

use super::excerpt::{self, MAX_EXCERPT};
use crate::{call::ToolResult, egress::EgressError};
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION},
};
use reqwest::Response;
use serde_json::Value;

/// Reads a response of at most `limit` bytes.
pub(super) async fn read(response: Response, limit: u64) -> Result<ToolResult, EgressError> {
    let (status, host) = (response.status(), response.url().host_str().unwrap_or_default().to_owned());
    if status.is_redirection() {
        return Ok(ToolResult::failure(redirected(&response, &host)));
    }
    if status.is_client_error() || status.is_server_error() {
        return refused(response, &host).await;
    }
    let media = Media::of(response.headers());
    if response.content_length().is_some_and(|length| length > limit) {
        return Ok(ToolResult::failure(too_large(&host, limit)));
    }
    match body(response, &host, limit).await? {
        Body::Whole(bytes) => Ok(made(status, &media, &host, &bytes)),
        Body::Cut(_) => Ok(ToolResult::failure(too_large(&host, limit))),
    }
}

/// What was read of a body.
enum Body {
    Whole(Vec<u8>),
    /// There was more than the limit; these are the bytes up to it.
    Cut(Vec<u8>),
}

async fn body(mut response: Response, host: &str, limit: u64) -> Result<Body, EgressError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| EgressError::from_client(host, &error))? {
        if chunk.len() > limit - bytes.len() {
            bytes.extend(chunk.iter().take(limit - bytes.len()));
            return Ok(Body::Cut(bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body::Whole(bytes))
}

/// A status of 400 and above. What the service says about it is for the model, if it is text.
async fn refused(response: Response, host: &str) -> Result<ToolResult, EgressError> {
    let status = response.status();
    let head = format!("{host} answered HTTP {status}");
    // A few bytes more than an excerpt shows, so that the cut is told from the end.
    let text = match body(response, host, MAX_EXCERPT as u64 + 4).await? {
        Body::Whole(bytes) | Body::Cut(bytes) => excerpt::of(&bytes),
    };
    Ok(ToolResult::failure(match text {
        Some(text) if !text.is_empty() => format!("{head}: {text}"),
        _ => head,
    }))
}

fn redirected(response: &Response, host: &str) -> String {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    let to = target.as_ref().and_then(|url| url.host_str()).unwrap_or("nowhere");
    format!(
        "{host} answered HTTP {}, a redirect to {to}; redirects are not followed, so whoever wrote this tool must \
         give the final URL",
        response.status()
    )
}

fn too_large(host: &str, limit: u64) -> String {
    format!(
        "the response of {host} is larger than {limit} bytes, the most that this tool may return; ask for less, \
         such as a smaller page or a narrower filter"
    )
}

/// Form of a body, from its headers.
struct Media {
    essence: String,
    form: Form,
}

enum Form {
    Json,
    Text,
    /// Not said: the bytes decide.
    Unknown,
    Binary,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // We ask for no encoding; a service that compresses all the same sends what is no text.
        let form = if headers.contains_key(CONTENT_ENCODING) { Form::Binary } else { form(&essence) };
        Self { essence, form }
    }
}

fn form(essence: &str) -> Form {
    let (kind, subtype) = essence.split_once('/').unwrap_or((essence, ""));
    match (kind, subtype) {
        ("", _) => Form::Unknown,
        (_, "json") => Form::Json,
        (_, subtype) if subtype.ends_with("+json") => Form::Json,
        ("text", _)
        | ("application", "xml" | "yaml" | "javascript" | "x-ndjson" | "x-www-form-urlencoded") => Form::Text,
        (_, subtype) if subtype.ends_with("+xml") || subtype.ends_with("+yaml") => Form::Text,
        _ => Form::Binary,
    }
}

fn made(status: StatusCode, media: &Media, host: &str, bytes: &[u8]) -> ToolResult {
    if bytes.is_empty() {
        return ToolResult::text(format!("{host} answered HTTP {status} with nothing in it"));
    }
    let text = std::str::from_utf8(bytes).ok();
    match (&media.form, text) {
        (Form::Json | Form::Unknown, Some(text)) => json(text),
        (Form::Text, Some(text)) => ToolResult::text(text),
        (Form::Binary, _) | (_, None) => ToolResult::failure(binary(media, host, bytes.len())),
    }
}

/// An object becomes structured content beside its text. What claims to be JSON and is not is still text that a model
/// can read.
fn json(text: &str) -> ToolResult {
    let structured = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    ToolResult { structured, ..ToolResult::text(text) }
}

fn binary(media: &Media, host: &str, size: usize) -> String {
    let kind = if media.essence.is_empty() { "an unnamed media type" } else { &media.essence };
    format!("the response of {host} is {kind}, {size} bytes: not text; binary results are not supported yet")
}
