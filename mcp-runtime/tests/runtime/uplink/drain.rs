//! The drain before a scale-down, and its end.

use super::{
    Pod,
    operator::{Authority, Operator, term},
    working,
};
use crate::{
    backend::Backend,
    process::{Runtime, document},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcpfleet_config::{status::PodStatus, stream::Serving};
use serde_json::json;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_draining_pod_is_not_ready_serves_to_the_end_and_can_be_taken_back() {
    let authority = Authority::new();
    let mut operator = Operator::start(&authority, "localhost", term(1)).await;
    let (pod, backend) = (Pod::new(&authority), Backend::start().await);
    pod.mount(1, &working(&backend.url()));
    let runtime = pod.start(&operator).await;
    runtime.until_ready().await;
    let mut stream = operator.caller().await;

    let call = runtime.modern("/mcp", "tools/call", &json!({"name": "work"}));
    let call = tokio::spawn(async move { call.send().await.unwrap() });
    backend.until_arrived(1).await;
    stream.serve(Serving::Draining);
    let says_why = |status: &PodStatus| {
        status.not_ready_reason.as_ref().is_some_and(|why| why.contains("draining for a scale-down"))
    };
    let told = stream.report(|report| report.status.as_ref().is_some_and(says_why)).await;
    assert_eq!((told.signals.serving, told.signals.running), (Serving::Draining, 1));
    assert_eq!(runtime.readyz().await.0, StatusCode::SERVICE_UNAVAILABLE);

    // Whoever still comes is served, and asked to connect elsewhere next time.
    let late = runtime.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap();
    assert_eq!(late.headers()["connection"], "close");
    assert!(document(late).await["result"]["tools"].is_array());
    backend.answer(1);
    assert_eq!(document(call.await.unwrap()).await["result"]["content"][0]["text"], "done");

    stream.serve(Serving::Normal);
    stream.status(|status| status.ready).await;
    assert_eq!(runtime.readyz().await.0, StatusCode::OK);
    let welcome = runtime.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap();
    assert_eq!(welcome.headers().get("connection"), None);
}

/// An HTTP/2 connection over which something was asked. Its client would like to go on.
struct Connection {
    _client: http2::SendRequest<Empty<Bytes>>,
    end: tokio::task::JoinHandle<hyper::Result<()>>,
}

impl Connection {
    async fn open(runtime: &Runtime) -> Self {
        let socket = TcpStream::connect(runtime.data).await.unwrap();
        let (mut client, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        let end = tokio::spawn(connection);
        let request = Request::get(runtime.url("/v1/models")).body(Empty::new()).unwrap();
        assert_eq!(client.send_request(request).await.unwrap().status(), StatusCode::NOT_FOUND);
        Self { _client: client, end }
    }
}

#[tokio::test]
async fn connections_over_http2_are_told_to_go_and_so_are_those_that_come_later() {
    let authority = Authority::new();
    let mut operator = Operator::start(&authority, "localhost", term(1)).await;
    let pod = Pod::new(&authority);
    pod.mount(1, &working("http://127.0.0.1:1/"));
    let runtime = pod.start(&operator).await;
    runtime.until_ready().await;
    let early = Connection::open(&runtime).await;
    let stream = operator.caller().await;
    stream.serve(Serving::Draining);
    early.end.await.unwrap().unwrap();
    // It is answered, and then told to go.
    Connection::open(&runtime).await.end.await.unwrap().unwrap();

    stream.serve(Serving::Normal);
    runtime.until_ready().await;
    let stays = Connection::open(&runtime).await;
    let again = Connection::open(&runtime).await;
    assert!(!stays.end.is_finished() && !again.end.is_finished());
}
