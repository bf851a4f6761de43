//! The crate's promises, each test named after one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod asking;
mod batches;
mod capabilities;
mod envelope;
mod input;
mod legacy;
mod media_and_origin;
mod modern;
mod operations;
mod param_headers;
mod probing;
mod properties;
mod round_trips;
mod scanning;
mod sse;
mod subscriptions;
mod tasks;
mod translation;
mod upstream;

use http::{HeaderMap, HeaderName, HeaderValue};
use mcpfleet_protocol::server::{Incoming, Refusal, accept};
use serde_json::Value;

/// Headers of a POST as a good client sends them, and `more`.
fn post(more: &[(&str, &str)]) -> HeaderMap {
    let usual = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    headers(usual.iter().chain(more))
}

fn headers<'a>(pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> HeaderMap {
    let pairs = pairs.into_iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    let mut map = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

fn value(json: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(json.as_ref()).unwrap()
}

fn refused(headers: &HeaderMap, body: &str) -> Refusal {
    accept(headers, body.as_bytes()).expect_err("this must be refused")
}

fn accepted<'a>(headers: &HeaderMap, body: &'a str) -> Incoming<'a> {
    accept(headers, body.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

/// Status and code of a refusal, and its body.
fn answer(refusal: &Refusal) -> (u16, i64, Value) {
    let body = value(refusal.body());
    (refusal.status().as_u16(), body["error"]["code"].as_i64().unwrap(), body)
}
