//! HTTP+SSE, the transport of 2024-11-05 (its transports, "HTTP with SSE"): a GET without a session opens a stream whose
//! first event says where to POST; every answer comes on the stream.

use crate::harness::{
    Endpoint, Gateway, Manifests, Post, Reply, Runtime, Upstream, UpstreamEra, initialize, is_request,
    notification, request, text,
};
use serde_json::{Value, json};

/// A client of 2024-11-05.
struct Old {
    stream: Reply,
    /// Where it posts.
    endpoint: Endpoint,
}

impl Old {
    async fn connect(mcp: &Endpoint) -> Self {
        let mut stream = mcp.get(&[("accept", "text/event-stream")]).await;
        assert_eq!(stream.status, 200);
        assert!(stream.is_stream());
        let first = stream.frame().await.expect("a first event");
        assert_eq!(first.event.as_deref(), Some("endpoint"));
        // It stands for the rest of the URL, on the same origin.
        assert!(first.data.starts_with('/'), "{first:?}");
        Self { stream, endpoint: mcp.on(&first.data) }
    }

    async fn open(mcp: &Endpoint) -> Self {
        let mut client = Self::connect(mcp).await;
        let answer = client.ask(&initialize("2024-11-05", &json!({"sampling": {}, "roots": {}}))).await;
        assert_eq!(answer["result"]["protocolVersion"], "2024-11-05", "{answer}");
        client.send(&notification("notifications/initialized", &json!({}))).await;
        client
    }

    async fn send(&self, message: &Value) {
        let reply = self.endpoint.post(&Post::message(message).without("accept")).await;
        assert_eq!(reply.status, 202, "{message}");
    }

    async fn next(&mut self) -> Value {
        let frame = self.stream.frame().await.expect("a stream that goes on");
        assert_eq!(frame.event.as_deref().unwrap_or("message"), "message", "{frame:?}");
        serde_json::from_str(&frame.data).expect("JSON")
    }

    /// Sends a request and reads to its answer.
    async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        loop {
            let said = self.next().await;
            if said["id"] == message["id"] && said["method"].is_null() {
                return said;
            }
        }
    }
}

fn call(id: impl Into<Value>, tool: &str, arguments: &Value) -> Value {
    request(id, "tools/call", &json!({"name": tool, "arguments": arguments}))
}

#[tokio::test]
async fn a_client_of_2024_has_its_whole_conversation() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for path in ["/mcp", "/sse"] {
            let mut client = Old::open(&gateway.mcp.on(path)).await;
            let pong = client.ask(&request("p", "ping", &json!({}))).await;
            assert_eq!(pong["result"], json!({}), "{era:?}");
            let tools = client.ask(&request(1, "tools/list", &json!({}))).await;
            assert!(tools["result"]["tools"].as_array().is_some_and(|tools| tools.len() > 40), "{tools}");
            let answer = client.ask(&call(2, "greet", &json!({"name": "Ada"}))).await;
            assert_eq!(text(&answer), "Hello, Ada!", "{era:?}");
            let read = request(3, "resources/read", &json!({"uri": "test://static-text"}));
            let answer = client.ask(&read).await;
            assert!(answer["result"]["contents"][0]["text"].is_string(), "{era:?}: {answer}");
            let wrong = client.ask(&request(4, "no/such/method", &json!({}))).await;
            assert_eq!(wrong["error"]["code"], -32601, "{era:?}: {wrong}");
        }
    }
}

#[tokio::test]
async fn a_client_of_2024_is_asked_for_its_model() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let mut client = Old::open(&gateway.mcp).await;
        client.send(&call("s", "test_sampling", &json!({"prompt": "Two and two?"}))).await;
        let question = client.next().await;
        assert!(is_request(&question), "{era:?}: {question}");
        assert_eq!(question["method"], "sampling/createMessage", "{era:?}: {question}");
        assert!(question["params"]["messages"].to_string().contains("Two and two?"), "{question}");
        let result =
            json!({"role": "assistant", "model": "test", "content": {"type": "text", "text": "Four"}});
        client.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result})).await;
        let answer = client.next().await;
        assert_eq!((&answer["id"], text(&answer)), (&json!("s"), "LLM response: Four"), "{era:?}");
        assert_eq!(gateway.upstream.count("test_sampling", "finished").await, 1, "{era:?}");
    }
}

#[tokio::test]
async fn progress_and_news_stand_on_the_one_stream() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let mut client = Old::open(&gateway.mcp).await;
    let params = json!({"name": "test_tool_with_progress", "_meta": {"progressToken": "mine"}});
    client.send(&request(1, "tools/call", &params)).await;
    for value in [0, 50, 100] {
        let message = client.next().await;
        assert_eq!(message["method"], "notifications/progress", "{message}");
        assert_eq!(message["params"]["progressToken"], "mine", "{message}");
        assert_eq!(message["params"]["progress"].as_f64(), Some(f64::from(value)), "{message}");
    }
    assert_eq!(client.next().await["id"], 1);
    client.send(&call(2, "add_tool", &json!({"name": "brand_new"}))).await;
    let mut said = [client.next().await, client.next().await];
    said.sort_by_key(|message| message["id"].is_null());
    assert_eq!(said[0]["id"], 2, "{said:?}");
    assert_eq!(said[1]["method"], "notifications/tools/list_changed", "{said:?}");
}

#[tokio::test]
async fn a_client_of_2024_cancels_by_a_notification() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let mut client = Old::open(&gateway.mcp).await;
    client.send(&call(9, "slow", &json!({"ms": 3_600_000}))).await;
    gateway.upstream.until("slow", "began", 1).await;
    client.send(&notification("notifications/cancelled", &json!({"requestId": 9}))).await;
    gateway.upstream.until("slow", "cancelled", 1).await;
    let pong = client.ask(&request(10, "ping", &json!({}))).await;
    assert_eq!(pong["result"], json!({}));
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_calls() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Old::open(&gateway.mcp).await;
        client.send(&call(1, "slow", &json!({"ms": 3_600_000}))).await;
        gateway.upstream.until("slow", "began", 1).await;
        let endpoint = client.endpoint.clone();
        drop(client);
        gateway.upstream.until("slow", "cancelled", 1).await;
        let late = endpoint.post(&Post::message(&request(2, "ping", &json!({})))).await;
        assert_eq!(late.status, 404, "{era:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_none_is_not_found() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let client = Old::open(&gateway.mcp).await;
    let (path, name) = client.endpoint.path.split_once('=').expect("a name");
    let ping = Post::message(&request(1, "ping", &json!({})));
    for wrong in ["unknown".to_owned(), String::new(), name[..name.len() / 2].to_owned(), format!("{name}A")]
    {
        let reply = gateway.mcp.on(&format!("{path}={wrong}")).post(&ping).await;
        assert_eq!(reply.status, 404, "{wrong:?}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_said_to_be_none_and_the_stream_goes_on() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let mut client = Old::open(&gateway.mcp).await;
    let reply = client.endpoint.post(&Post::new("{not json")).await;
    assert!(reply.status == 202 || reply.status == 400, "{}", reply.status);
    if reply.status == 202 {
        assert_eq!(client.next().await["error"]["code"], -32700);
    }
    let pong = client.ask(&request(1, "ping", &json!({}))).await;
    assert_eq!(pong["result"], json!({}));
}

#[tokio::test]
async fn a_client_of_2024_may_post_to_another_replica() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let (one, other) = tokio::join!(Runtime::start(&manifests), Runtime::start(&manifests));
    let mut client = Old::open(&one.mcp).await;
    client.endpoint.address = other.mcp.address;
    let answer = client.ask(&call(1, "greet", &json!({"name": "Ada"}))).await;
    assert_eq!(text(&answer), "Hello, Ada!");
    client.send(&call("s", "test_input_required_result_list_roots", &json!({}))).await;
    let question = client.next().await;
    assert_eq!(question["method"], "roots/list", "{question}");
    let result = json!({"roots": [{"uri": "file:///home"}]});
    client.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result})).await;
    assert!(text(&client.next().await).contains("file:///home"));
    // Nobody is asked what he cannot answer.
    client.send(&call("e", "test_elicitation", &json!({}))).await;
    let refused = client.next().await;
    assert!(refused["error"].is_object() || refused["result"]["isError"] == true, "{refused}");
}
