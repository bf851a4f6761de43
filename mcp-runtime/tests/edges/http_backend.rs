//! Backend `http`: what reaches the service, and what becomes of its answers.

use crate::server::{Answer, Seen, Server, full};
use mcpfleet_config::{BodySource, CredentialRef, Header, HeaderValue, HttpBackend, HttpMethod};
use mcpfleet_runtime::{
    backend,
    call::{CallError, ToolResult},
    credentials::{Credentials, Secret, Source},
    egress::Egress,
    outgoing::{Behalf, Signer},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn tool(url: &str) -> HttpBackend {
    HttpBackend {
        method: HttpMethod::Get,
        url: url.parse().unwrap(),
        headers: Vec::new(),
        body: BodySource::None,
        max_response_bytes: 1000,
    }
}

pub(crate) async fn run(backend: &HttpBackend, arguments: Value) -> Result<ToolResult, CallError> {
    run_with(backend, arguments, &Credentials::default()).await
}

async fn run_with(
    backend: &HttpBackend,
    arguments: Value,
    credentials: &Credentials,
) -> Result<ToolResult, CallError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let egress = Egress::new().unwrap();
    let behalf = Behalf { credentials, signer: &Signer::new(egress.clone()), caller: None };
    backend::http::run(backend, &arguments, &behalf, &egress).await
}

/// Runs a tool against a service that always answers the same.
pub(crate) async fn answered(answer: impl Fn() -> Answer + Send + Sync + 'static) -> ToolResult {
    let server = Server::start(move |_| std::future::ready(answer())).await;
    run(&tool(&server.url("/")), json!({})).await.unwrap()
}

pub(crate) fn token() -> CredentialRef {
    CredentialRef { secret: "s".into(), key: "token".into() }
}

pub(crate) fn bearer() -> Header {
    let value = HeaderValue::Credential { prefix: "Bearer ".into(), from: token() };
    Header { name: "authorization".into(), value }
}

pub(crate) fn credentials(value: &str) -> Credentials {
    let values = BTreeMap::from([(token(), Secret(value.into()))]);
    Credentials::load(&Source::Values(values), &BTreeSet::from([&token()]))
}

async fn service() -> Server {
    Server::start(|_| std::future::ready(Ok(full(200, "application/json", "{\"ok\":true}")))).await
}

#[tokio::test]
async fn arguments_cannot_leave_their_place_in_the_url() {
    let server = service().await;
    let backend = tool(&server.url("/orders/{id}/items{?q}"));
    for attempt in
        ["../admin", "1/../../admin", "1?admin=1", "1#x", "1%2f..%2fadmin", "a@evil", "x\r\nhost: evil"]
    {
        run(&backend, json!({"id": attempt, "q": attempt})).await.unwrap();
        let Seen { uri, headers, .. } = server.seen().pop().unwrap();
        let segments: Vec<_> = uri.path().split('/').collect();
        assert_eq!((segments.len(), segments[1], segments[3]), (4, "orders", "items"), "{uri}");
        assert_eq!(uri.query().unwrap().matches('&').count(), 0, "{uri}");
        assert_eq!(headers["host"], server.address.to_string());
    }
    let refused = run(&backend, json!({"id": ".."})).await.unwrap();
    assert!(refused.is_error && refused.text.contains("\"id\""), "{refused:?}");
    assert_eq!(server.seen().len(), 7, "what is refused is not sent");
}

#[tokio::test]
async fn the_body_is_what_the_url_does_not_use() {
    let server = service().await;
    let backend = HttpBackend {
        method: HttpMethod::Patch,
        body: BodySource::Arguments,
        headers: vec![bearer(), Header { name: "x-team".into(), value: HeaderValue::Literal("a".into()) }],
        ..tool(&server.url("/orders/{id}"))
    };
    run_with(&backend, json!({"id": 7, "note": "ü", "deep": {"id": 1}}), &credentials("t0p")).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("PATCH", "/orders/7"));
    assert_eq!(seen.json(), json!({"note": "ü", "deep": {"id": 1}}));
    assert_eq!((seen.header("authorization"), seen.header("x-team")), (Some("Bearer t0p"), Some("a")));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn without_its_credential_nothing_is_sent() {
    let server = service().await;
    let backend = HttpBackend { headers: vec![bearer()], ..tool(&server.url("/")) };
    let Err(CallError::Unavailable { message }) = run(&backend, json!({})).await else { panic!() };
    assert!(message.contains("Secret s, key token"), "{message}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn an_object_is_structured_and_other_json_is_text() {
    let object = answered(|| Ok(full(200, "application/problem+json; charset=utf-8", "{\"a\": 1}"))).await;
    assert_eq!(object.text, "{\"a\": 1}");
    assert_eq!(Value::from(object.structured.unwrap()), json!({"a": 1}));
    let list = answered(|| Ok(full(200, "application/json", "[1, 2]"))).await;
    assert_eq!(list, ToolResult::text("[1, 2]"));
    let broken = answered(|| Ok(full(200, "application/json", "{oops"))).await;
    assert_eq!(broken, ToolResult::text("{oops"));
}

#[tokio::test]
async fn text_stays_text_and_nothing_is_said_to_be_nothing() {
    assert_eq!(answered(|| Ok(full(200, "text/csv", "a,b\n1,2\n"))).await, ToolResult::text("a,b\n1,2\n"));
    let empty = answered(|| Ok(full(204, "", ""))).await;
    assert!(!empty.is_error && empty.text.contains("204 No Content"), "{empty:?}");
}

#[tokio::test]
async fn binary_is_refused_with_its_kind_and_size() {
    for (media, body) in
        [("image/png", b"\x89PNG".as_slice()), ("text/plain", b"\xff\xfe\0a"), ("", b"\xff\xfe\0a")]
    {
        let result = answered(move || Ok(full(200, media, body))).await;
        assert!(result.is_error && result.text.contains("4 bytes"), "{result:?}");
        assert!(result.text.contains(media) && result.text.contains("not supported yet"), "{result:?}");
    }
}
