//! Model calls: what reaches the provider, what comes back, and how a cut stream ends.

use crate::{
    http_backend::{bearer, credentials},
    server::{Answer, Seen, Server, closed_port, dies, full, streamed},
};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, BodyStream};
use mcpfleet_config::{Provider, ProviderApi};
use mcpfleet_runtime::{
    credentials::Credentials,
    egress::Egress,
    model::{self, Body},
    outgoing::{Behalf, Signer},
};
use serde_json::{Value, json};
use std::{io, sync::Arc};
use tokio::sync::Notify;

const ASK: &str = r#"{"model":"m","stream":true}"#;

fn provider(base_url: &str) -> Provider {
    Provider {
        route: "default".into(),
        name: "main".into(),
        api: ProviderApi::OpenAI,
        base_url: base_url.into(),
        headers: Vec::new(),
        models: vec!["m".into(), "a-model".into()],
        timeout_ms: 60_000,
    }
}

async fn chat(provider: Provider, body: &str) -> Response<Body> {
    let egress = Egress::new().unwrap();
    let body = Bytes::copy_from_slice(body.as_bytes());
    let credentials = Credentials::default();
    let behalf = Behalf { credentials: &credentials, signer: &Signer::new(egress.clone()), caller: None };
    model::chat_completions(&[provider], &behalf, &egress, &HeaderMap::new(), body).await
}

/// A chat with a provider that always answers the same.
async fn answered(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Response<Body> {
    let server = Server::start(move |_| std::future::ready(answer())).await;
    chat(provider(&server.url("/v1")), ASK).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Status, type and code of an error in OpenAI's shape.
async fn refused(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let mut error: Value = serde_json::from_str(&text(response).await).unwrap();
    let error = error["error"].take();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    assert!(error["type"].is_string() && error.get("param").is_some(), "{error}");
    (status, error)
}

#[tokio::test]
async fn the_body_arrives_byte_for_byte_and_the_clients_key_does_not() {
    let server = Server::start(|_| std::future::ready(Ok(full(200, "application/json", "{\"id\":1}")))).await;
    let body = "{ \"new_field\":{\"a\":[1, 2.50,1e400]},\n\t\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e4\"}] }";
    let mut headers = HeaderMap::new();
    for name in ["authorization", "x-api-key", "cookie", "api-key", "accept-encoding", "x-forwarded-for"] {
        headers.insert(name, HeaderValue::from_static("the-clients-own"));
    }
    let provider = Provider { headers: vec![bearer()], ..provider(&server.url("/v1")) };
    let egress = Egress::new().unwrap();
    let ours = credentials("ours");
    let behalf = Behalf { credentials: &ours, signer: &Signer::new(egress.clone()), caller: None };
    let response = model::chat_completions(&[provider], &behalf, &egress, &headers, body.into()).await;
    assert_eq!((response.status().as_u16(), text(response).await.as_str()), (200, "{\"id\":1}"));
    let Seen { uri, headers, body: sent, .. } = server.seen().pop().unwrap();
    assert_eq!((uri.path(), sent), ("/v1/chat/completions", Bytes::from(body)));
    assert_eq!(headers["authorization"], "Bearer ours");
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers.values().all(|value| value != "the-clients-own"), "{headers:?}");
}

#[tokio::test]
async fn chunks_pass_through_one_by_one() {
    let read = Arc::new(Notify::new());
    let server = Server::start({
        let read = read.clone();
        move |_| {
            let read = read.clone();
            async move {
                let (events, response) = streamed("text/event-stream; charset=utf-8");
                tokio::spawn(async move {
                    for word in ["one", "two", "three"] {
                        events
                            .send(Ok(Bytes::from(format!("data: {{\"x\":\"{word}\"}}\n\n"))))
                            .await
                            .unwrap();
                        // The next chunk leaves only when the client has this one.
                        read.notified().await;
                    }
                    events.send(Ok(Bytes::from("data: [DONE]\n\n"))).await.unwrap();
                });
                Ok(response)
            }
        }
    })
    .await;
    let response = chat(provider(&server.url("/v1")), ASK).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut frames = BodyStream::new(response.into_body());
    let mut next = async || frames.next().await.map(|frame| frame.unwrap().into_data().unwrap());
    for word in ["one", "two", "three"] {
        assert_eq!(next().await.unwrap(), format!("data: {{\"x\":\"{word}\"}}\n\n"));
        read.notify_one();
    }
    assert_eq!(next().await.unwrap(), "data: [DONE]\n\n");
    assert_eq!(next().await, None);
}

/// The client's text when the provider sends `pieces` and then ends in `end`.
async fn streamed_text(pieces: &'static [&'static str], end: Option<io::ErrorKind>) -> String {
    let server = Server::start(move |_| async move {
        let (events, response) = streamed("text/event-stream");
        tokio::spawn(async move {
            for piece in pieces {
                events.send(Ok(Bytes::from(*piece))).await.unwrap();
            }
            if let Some(kind) = end {
                let _ = events.send(Err(kind.into())).await;
            }
        });
        Ok(response)
    })
    .await;
    text(chat(provider(&server.url("/v1")), ASK).await).await
}

#[tokio::test]
async fn a_cut_stream_ends_in_an_error_and_never_in_done() {
    let pieces = &["data: {\"x\":1}\n\n", "data: {\"half"];
    for end in [Some(io::ErrorKind::Other), None] {
        let text = streamed_text(pieces, end).await;
        let (kept, error) = text.split_once("\n\n").unwrap();
        assert_eq!(kept, "data: {\"x\":1}");
        let error: Value = serde_json::from_str(error.trim().strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(error["error"]["type"], "upstream_error", "{error}");
        assert!(!text.contains("[DONE]") && !text.contains("half") && text.ends_with("\n\n"), "{text}");
    }
}

#[tokio::test]
async fn a_whole_stream_is_left_alone() {
    let done = streamed_text(&["data: {\"x\":1}\n\nda", "ta: [DONE]\n\n"], None).await;
    assert_eq!(done, "data: {\"x\":1}\n\ndata: [DONE]\n\n");
    let finished = streamed_text(&["data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"], None).await;
    assert_eq!(finished, "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n");
}

#[tokio::test]
async fn half_a_json_answer_does_not_look_whole() {
    let server = Server::start(|_| async {
        let (body, response) = streamed("application/json");
        tokio::spawn(async move {
            body.send(Ok(Bytes::from("{\"choices\":"))).await.unwrap();
            let _ = body.send(Err(io::Error::other("scripted"))).await;
        });
        Ok(response)
    })
    .await;
    let response = chat(provider(&server.url("/v1")), ASK).await;
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn the_providers_refusal_and_its_hints_come_back() {
    let response = answered(|| {
        let mut response = full(429, "application/json", "{\"error\":{\"message\":\"slow down\"}}");
        for name in ["retry-after", "x-ratelimit-remaining-requests", "x-request-id", "set-cookie", "server"]
        {
            response.headers_mut().insert(name, HeaderValue::from_static("7"));
        }
        Ok(response)
    })
    .await;
    assert_eq!(response.status(), 429);
    let has = |name: &str| response.headers().contains_key(name);
    assert!(has("retry-after") && has("x-ratelimit-remaining-requests") && has("x-request-id"));
    assert!(!has("set-cookie") && !has("server"));
    assert_eq!(text(response).await, "{\"error\":{\"message\":\"slow down\"}}");
}

#[tokio::test]
async fn a_provider_that_gives_nothing_is_a_bad_gateway() {
    let closed = chat(provider(&format!("http://{}/v1", closed_port().await)), ASK).await;
    let (status, error) = refused(closed).await;
    assert_eq!((status, &error["code"]), (502, &json!("provider_unreachable")));
    assert!(error["message"].as_str().unwrap().contains("\"main\""), "{error}");
    assert_eq!(refused(answered(dies).await).await.0, 502);
    let broken = Server::start(|_| async {
        let (body, response) = streamed("text/event-stream");
        tokio::spawn(async move { body.send(Err(io::Error::other("scripted"))).await });
        Ok(response)
    })
    .await;
    assert_eq!(refused(chat(provider(&broken.url("/v1")), ASK).await).await.0, 502, "no byte was here yet");
    let (status, error) = refused(answered(|| Ok(full(302, "", ""))).await).await;
    assert_eq!((status, &error["code"]), (502, &json!("provider_redirects")));
}

#[tokio::test]
async fn a_provider_that_hangs_is_a_gateway_timeout() {
    let server = Server::start(|_| std::future::pending()).await;
    let hanging = Provider { timeout_ms: 50, ..provider(&server.url("/v1")) };
    let (status, error) = refused(chat(hanging, ASK).await).await;
    assert_eq!((status, &error["code"]), (504, &json!("provider_timeout")));

    let server = Server::start(|_| async {
        let (events, response) = streamed("text/event-stream");
        tokio::spawn(async move {
            events.send(Ok(Bytes::from("data: {\"x\":1}\n\n"))).await.unwrap();
            events.closed().await;
        });
        Ok(response)
    })
    .await;
    let stalling = Provider { timeout_ms: 200, ..provider(&server.url("/v1")) };
    let text = text(chat(stalling, ASK).await).await;
    assert!(text.contains("\"error\"") && text.contains("200 ms") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_in_openais_shape() {
    let server = Server::start(|_| std::future::ready(dies())).await;
    for (body, status, code, param) in [
        (r#"{"model":"other"}"#, 404, "model_not_found", json!("model")),
        (r#"{"model":"m","model":"other"}"#, 400, "invalid_request", Value::Null),
        (r#"{"messages":[]}"#, 400, "invalid_request", json!("model")),
        ("not json", 400, "invalid_request", Value::Null),
    ] {
        let (got, error) = refused(chat(provider(&server.url("/v1")), body).await).await;
        assert_eq!((got, &error["code"], &error["param"]), (status, &json!(code), &param), "{body}");
    }
    let locked = Provider { headers: vec![bearer()], ..provider(&server.url("/v1")) };
    let (status, error) = refused(chat(locked, ASK).await).await;
    assert_eq!(status, 503);
    assert!(error["message"].as_str().unwrap().contains("Secret s, key token"), "{error}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn models_are_listed_and_other_ways_refused() {
    let list = text(model::models(&[provider("http://p/v1")])).await;
    let want = json!({"object": "list", "data": [
        {"id": "a-model", "object": "model", "created": 0, "owned_by": "main"},
        {"id": "m", "object": "model", "created": 0, "owned_by": "main"},
    ]});
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap(), want);
    let wrong = model::wrong_method(&http::Method::POST);
    assert_eq!(wrong.headers()["allow"], "POST");
    assert_eq!(refused(wrong).await.0, 405);
    assert_eq!(refused(model::too_large(10)).await.0, 413);
}
