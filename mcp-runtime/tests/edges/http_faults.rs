//! Backend `http`: services that fail, and addresses that are never connected to.

use crate::{
    http_backend::{answered, run, tool},
    server::{Answer, Server, closed_port, dies, full, streamed},
};
use bytes::Bytes;
use mcpfleet_runtime::call::CallError;
use serde_json::json;
use std::io;

async fn unavailable(url: &str) -> String {
    match run(&tool(url), json!({})).await {
        Err(CallError::Unavailable { message }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_error_status_is_named_with_an_excerpt() {
    let result = answered(|| Ok(full(500, "text/plain", "database is down"))).await;
    assert!(
        result.is_error && result.text.ends_with("500 Internal Server Error: database is down"),
        "{result:?}"
    );
    let result = answered(|| Ok(full(404, "image/png", b"\x89PNG\xff".as_slice()))).await;
    assert!(result.is_error && result.text.ends_with("HTTP 404 Not Found"), "{result:?}");
    let result = answered(|| Ok(full(422, "text/plain", "ä".repeat(100_000)))).await;
    assert!(result.is_error && result.text.len() < 2200 && result.text.ends_with("ä…"), "{result:?}");
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let target = Server::start(|_| std::future::ready(Ok(full(200, "text/plain", "secret")))).await;
    let location = target.url("/elsewhere");
    let result = answered(move || -> Answer {
        let mut response = full(302, "", "");
        response.headers_mut().insert("location", location.parse().unwrap());
        Ok(response)
    })
    .await;
    assert!(result.is_error && result.text.contains("a redirect to 127.0.0.1"), "{result:?}");
    assert_eq!(target.seen().len(), 0);
}

#[tokio::test]
async fn a_response_above_the_bound_is_refused() {
    let announced = answered(|| Ok(full(200, "text/plain", "x".repeat(1001)))).await;
    assert!(announced.is_error && announced.text.contains("larger than 1000 bytes"), "{announced:?}");
    let exact = answered(|| Ok(full(200, "text/plain", "x".repeat(1000)))).await;
    assert!(!exact.is_error);

    // An endless body, of unknown length: the sender sees that nobody reads on.
    let server = Server::start(|_| async {
        let (sender, response) = streamed("text/plain");
        tokio::spawn(async move { while sender.send(Ok(Bytes::from_static(&[b'x'; 600]))).await.is_ok() {} });
        Ok(response)
    })
    .await;
    let endless = run(&tool(&server.url("/")), json!({})).await.unwrap();
    assert!(endless.is_error && endless.text.contains("larger than 1000 bytes"), "{endless:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_leaves_the_effect_unknown() {
    let server = Server::start(|_| std::future::ready(dies())).await;
    let message = unavailable(&server.url("/")).await;
    assert!(message.contains("broke before the answer") && message.contains("unknown"), "{message}");
    assert_eq!(server.seen().len(), 1, "it is not sent again");

    let server = Server::start(|_| async {
        let (sender, response) = streamed("text/plain");
        tokio::spawn(async move {
            let _ = sender.send(Ok(Bytes::from_static(b"half"))).await;
            let _ = sender.send(Err(io::Error::other("scripted"))).await;
        });
        Ok(response)
    })
    .await;
    assert!(unavailable(&server.url("/")).await.contains("broke before the answer"));
}

#[tokio::test]
async fn who_cannot_be_reached_is_named_with_the_reason() {
    let refused = unavailable(&format!("http://{}/", closed_port().await)).await;
    assert!(refused.contains("127.0.0.2 cannot be reached (connection refused)"), "{refused}");
    let unknown = unavailable("http://no-such-service.invalid/").await;
    assert!(unknown.contains("no-such-service.invalid cannot be resolved"), "{unknown}");
}

#[tokio::test]
async fn metadata_addresses_are_refused_in_every_spelling() {
    for host in [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ] {
        let message = unavailable(&format!("http://{host}/latest/meta-data")).await;
        assert!(message.contains("never connected to") && !message.contains("latest"), "{message}");
    }
}

#[tokio::test]
async fn a_name_may_lead_into_the_cluster() {
    let server = Server::start(|_| std::future::ready(Ok(full(200, "text/plain", "here")))).await;
    let result =
        run(&tool(&format!("http://localhost:{}/", server.address.port())), json!({})).await.unwrap();
    assert_eq!(result.text, "here");
}
