//! Whatever comes in: the right status and a reason, and the next client is served.

use crate::{
    manifests::{fixed, fleet},
    process::{Runtime, document},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn runtime() -> (tempfile::TempDir, Runtime) {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    (dir, runtime)
}

#[tokio::test]
async fn an_unparsable_body_is_a_parse_error() {
    let (_dir, runtime) = runtime().await;
    for body in ["{", "", "\u{0}", "{\"jsonrpc\":\"2.0\",}"] {
        let request = runtime.http.post(runtime.url("/mcp")).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(document(response).await["error"]["code"], -32_700, "{body:?}");
    }
    assert_eq!(runtime.tools().await, ["greet"]);
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_and_wrong_arguments_are_for_the_model() {
    let (_dir, runtime) = runtime().await;
    let unknown = runtime.legacy("/mcp", "tools/call", &json!({"name": "nope"})).send().await.unwrap();
    let unknown = document(unknown).await;
    assert_eq!(unknown["error"]["code"], -32_602);
    assert!(unknown["error"]["message"].as_str().unwrap().contains("nope"));
    let params = json!({"name": "greet", "arguments": {"id": "seven"}});
    let wrong = document(runtime.modern("/mcp", "tools/call", &params).send().await.unwrap()).await;
    assert_eq!(wrong["result"]["isError"], true);
    let text = wrong["result"]["content"][0]["text"].as_str().unwrap();
    assert!(["/id", "seven", "integer"].iter().all(|part| text.contains(part)), "{text}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (_dir, runtime) = runtime().await;
    let request = runtime.http.post(runtime.url("/mcp")).header("content-type", "application/json");
    let response = request.body(vec![b' '; 5 * 1024 * 1024]).send().await;
    // The answer may come before the body is sent, and then the connection closes under the client's hands.
    if let Ok(response) = response {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let chunk = format!("{:x}\r\n{}\r\n", 1024 * 1024, " ".repeat(1024 * 1024));
    let mut stream = TcpStream::connect(runtime.data).await.unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..5 {
        // Fails as soon as the runtime has had enough.
        drop(stream.write_all(chunk.as_bytes()).await);
    }
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    assert_eq!(runtime.tools().await, ["greet"]);
}

#[tokio::test]
async fn a_foreign_origin_is_refused_and_a_local_page_is_not() {
    let (_dir, runtime) = runtime().await;
    let with =
        |origin: &str| runtime.legacy("/mcp", "tools/list", &json!({})).header("origin", origin).send();
    assert_eq!(with("https://evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(with("http://localhost:3000").await.unwrap().status(), StatusCode::OK);
    // After DNS rebinding a hostile page has a right Host as well.
    let rebound = runtime.legacy("/mcp", "tools/list", &json!({}));
    let rebound = rebound.header("host", "evil.example").header("origin", "http://evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn other_methods_and_paths_say_what_there_is() {
    let (_dir, runtime) = runtime().await;
    let get = runtime.http.get(runtime.url("/mcp")).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::NOT_ACCEPTABLE, "GET is for event streams");
    let response = runtime.http.request(Method::PUT, runtime.url("/mcp")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET, POST, DELETE");
    assert_eq!(document(response).await["jsonrpc"], "2.0");
    let response = runtime.http.request(Method::DELETE, runtime.url("/mcp")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST, "a DELETE ends a session, and names none");
    let response = runtime.http.get(runtime.url("/")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(document(response).await["endpoints"], json!(["/mcp"]));
    let models = runtime.http.get(runtime.url("/v1/models")).send().await.unwrap();
    assert_eq!(models.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn noise_on_the_socket_harms_nobody() {
    let (_dir, runtime) = runtime().await;
    for noise in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxx",
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(runtime.data).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        drop(stream.read_to_end(&mut Vec::new()).await);
    }
    assert_eq!(runtime.tools().await, ["greet"]);
}
