//! A stand-in for an OpenAI-compatible model provider, for where no account is to be had.
//!
//! `POST /v1/chat/completions`, streamed and not. It takes any bearer token but none at all, and refuses what the
//! published API refuses: a missing model or messages. The answer repeats the last message, word by word.

use super::{Body, Received, Service, json_answer};
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use std::convert::Infallible;

/// The provider.
#[derive(Debug, Default)]
pub struct Provider;

impl Service for Provider {
    async fn answer(&self, request: &Received) -> Option<Response<Body>> {
        if (request.method.as_str(), request.target.as_str()) != ("POST", "/v1/chat/completions") {
            return None;
        }
        if !request.headers.get("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
            return Some(refusal(StatusCode::UNAUTHORIZED, "a bearer token is needed", "invalid_api_key"));
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let (Some(model), Some(messages)) = (body["model"].as_str(), body["messages"].as_array()) else {
            return Some(refusal(
                StatusCode::BAD_REQUEST,
                "model and messages are needed",
                "invalid_request",
            ));
        };
        let last = messages.last().and_then(|message| message["content"].as_str()).unwrap_or_default();
        let reply = format!("You said: {last}");
        let streamed = body["stream"] == true;
        Some(if streamed { stream_of(model, &reply) } else { whole(model, &reply) })
    }
}

fn refusal(status: StatusCode, message: &str, code: &str) -> Response<Body> {
    let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
    json_answer(status, &json!({"error": error}))
}

fn whole(model: &str, reply: &str) -> Response<Body> {
    let message = json!({"role": "assistant", "content": reply});
    let words = reply.split_whitespace().count();
    let usage = json!({"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    json_answer(
        StatusCode::OK,
        &json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
                "choices": [choice], "usage": usage}),
    )
}

fn stream_of(model: &str, reply: &str) -> Response<Body> {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
                           "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    let words = reply.split_inclusive(' ').map(|word| chunk(json!({"content": word}), Value::Null));
    let last = [chunk(json!({}), json!("stop")), "data: [DONE]\n\n".to_owned()];
    let frames: Vec<_> =
        words.chain(last).map(|text| Ok::<_, Infallible>(Frame::data(Bytes::from(text)))).collect();
    let mut response = Response::new(StreamBody::new(stream::iter(frames)).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}
