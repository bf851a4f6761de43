//! What arrives is what was sent, and it is marked.

use crate::replica::{Replica, patiently, read};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::BodyExt as _;
use mcpfleet_runtime::peer::Forwarded;
use tokio::sync::mpsc;

struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    forwarded: Option<Forwarded>,
}

async fn recording() -> (Replica, mpsc::UnboundedReceiver<Seen>) {
    let (tell, told) = mpsc::unbounded_channel();
    let replica = Replica::start(&[1], move |request| {
        let tell = tell.clone();
        async move {
            let (parts, body) = request.into_parts();
            let forwarded = parts.extensions.get::<Forwarded>().copied();
            let body = body.collect().await.unwrap().to_bytes();
            let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
            tell.send(Seen { method, uri, headers, body, forwarded }).ok();
            let mut answer = crate::replica::text("hello");
            answer.headers_mut().insert("mcp-session-id", "abc".parse().unwrap());
            *answer.status_mut() = http::StatusCode::ACCEPTED;
            answer
        }
    })
    .await;
    (replica, told)
}

async fn forwarded(request: Request<Bytes>) -> Seen {
    let (owner, mut told) = recording().await;
    let one = Replica::greeting(&[1]).await;
    let answer = patiently(one.peers.forward(&owner.address.to_string(), request)).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["mcp-session-id"]),
        (202, &"abc".parse().unwrap())
    );
    assert_eq!(read(answer).await, "hello");
    told.recv().await.unwrap()
}

#[tokio::test]
async fn a_request_travels_as_it_is() {
    let body = Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
    let request = Request::post("/agents/support/mcp?a=b%20c")
        .header("host", "support.example.com")
        .header("authorization", "Bearer secret")
        .header("mcp-session-id", "s".repeat(40_000))
        .header("origin", "https://app.example.com")
        .header("connection", "keep-alive")
        .body(body.clone())
        .unwrap();
    let seen = forwarded(request).await;
    assert_eq!((seen.method, seen.forwarded), (Method::POST, Some(Forwarded)));
    assert_eq!(seen.uri.path_and_query().unwrap(), "/agents/support/mcp?a=b%20c");
    assert_eq!(seen.uri.authority().unwrap(), "support.example.com");
    assert_eq!(seen.headers["host"], "support.example.com");
    assert_eq!(seen.headers["authorization"], "Bearer secret");
    assert_eq!(seen.headers["mcp-session-id"].len(), 40_000);
    assert_eq!(seen.headers["origin"], "https://app.example.com");
    assert!(seen.headers.get("connection").is_none(), "it is of one connection (RFC 9113, 8.2.2)");
    assert!(seen.body == body, "the body is another");
}

#[tokio::test]
async fn methods_without_a_body_travel_too() {
    for method in [Method::GET, Method::DELETE] {
        let request = Request::builder().method(&method).uri("/mcp").body(Bytes::new()).unwrap();
        let seen = forwarded(request).await;
        assert_eq!((seen.method, seen.body.len()), (method, 0));
    }
}
