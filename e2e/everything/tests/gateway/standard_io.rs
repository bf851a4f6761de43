//! `mcp-runtime serve --stdio`: one line a message, both eras on one pipe (2026-07-28, basic/transports/stdio).

use crate::harness::{
    Manifests, Upstream, UpstreamEra, accept, initialize, is_request, notification, piped, request, text,
    within,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

/// A desktop application and the server that it has started.
pub(crate) struct Application {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Application {
    pub(crate) fn start(manifests: &Manifests) -> Self {
        let mut child = piped(manifests);
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, input, output }
    }

    /// One that has introduced itself, and been told what there is.
    async fn open(manifests: &Manifests) -> Self {
        let mut application = Self::start(manifests);
        let answer = application.ask(&initialize("2025-11-25", &json!({"elicitation": {}}))).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
        application.send(&notification("notifications/initialized", &json!({}))).await;
        while application.tools().await.is_empty() {}
        application
    }

    async fn tools(&mut self) -> Vec<Value> {
        let answer = self.ask(&request("tools", "tools/list", &json!({}))).await;
        answer["result"]["tools"].as_array().expect("tools").clone()
    }

    async fn write(&mut self, bytes: &[u8]) {
        within("a line to be taken", self.input.write_all(bytes)).await.expect("a pipe");
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes()).await;
    }

    /// The next message but news of the lists. Whatever is no message fails.
    async fn next(&mut self) -> Value {
        loop {
            let line = within("a line", self.output.next_line()).await.expect("text").expect("an open pipe");
            let message: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if !message["method"].as_str().is_some_and(|method| method.ends_with("/list_changed")) {
                return message;
            }
        }
    }

    /// Sends a request, and reads to its answer.
    pub(crate) async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        loop {
            let said = self.next().await;
            if said["id"] == message["id"] && said["method"].is_null() {
                return said;
            }
        }
    }

    /// Closes the pipe; whatever is said after it, and the exit code.
    async fn leave(self) -> (String, Option<i32>) {
        let Self { mut child, input, output } = self;
        drop(input);
        let mut rest = String::new();
        let mut output = output.into_inner();
        within("the end of the output", output.read_to_string(&mut rest)).await.expect("text");
        let status = within("the process to end", child.wait()).await.expect("an exit status");
        (rest, status.code())
    }
}

/// A message of 2026-07-28, which has no headers here.
pub(crate) fn modern(id: impl Into<Value>, method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {}});
    request(id, method, &params)
}

fn greet(id: impl Into<Value>) -> Value {
    request(id, "tools/call", &json!({"name": "greet", "arguments": {"name": "Ada"}}))
}

#[tokio::test]
async fn both_eras_speak_on_one_pipe() {
    for era in UpstreamEra::BOTH {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let mut application = Application::open(&manifests).await;
        assert_eq!(text(&application.ask(&greet("legacy")).await), "Hello, Ada!", "{era:?}");
        let pong = application.ask(&request("ping", "ping", &json!({}))).await;
        assert_eq!(pong["result"], json!({}));

        let discovered = application.ask(&modern("d", "server/discover", &json!({}))).await;
        assert!(discovered["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{discovered}");
        let call = json!({"name": "greet", "arguments": {"name": "Grace"}});
        let answer = application.ask(&modern("modern", "tools/call", &call)).await;
        assert_eq!(text(&answer), "Hello, Grace!", "{era:?}");
        assert_eq!(answer["result"]["resultType"], "complete", "{era:?}: {answer}");
        let refused = application.ask(&modern("r", "ping", &json!({}))).await;
        assert_eq!(refused["error"]["code"], -32601, "{refused}");
        // The session goes on.
        assert_eq!(text(&application.ask(&greet(2)).await), "Hello, Ada!", "{era:?}");
        assert_eq!(application.leave().await, (String::new(), Some(0)), "{era:?}");
    }
}

#[tokio::test]
async fn questions_and_retries_go_through_the_pipe() {
    for era in UpstreamEra::BOTH {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let mut application = Application::open(&manifests).await;
        let ask = json!({"name": "test_elicitation", "arguments": {"message": "Who?"}});
        let contact = accept(&json!({"username": "ada", "email": "ada@example.com"}));

        application.send(&request("q", "tools/call", &ask)).await;
        let question = application.next().await;
        assert!(is_request(&question) && question["params"]["message"] == "Who?", "{era:?}: {question}");
        application.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": contact})).await;
        let answer = application.next().await;
        assert_eq!(answer["id"], "q", "{era:?}: {answer}");
        assert!(text(&answer).contains("ada@example.com"), "{era:?}: {answer}");

        let asked = application.ask(&modern("m", "tools/call", &ask)).await;
        let asked = &asked["result"];
        assert_eq!(asked["resultType"], "input_required", "{era:?}: {asked}");
        let retry =
            crate::harness::Modern::retry("test_elicitation", &ask["arguments"], asked, |_| contact.clone());
        let answer = application.ask(&modern("n", "tools/call", &retry)).await;
        assert!(text(&answer).contains("ada@example.com"), "{era:?}: {answer}");
        assert_eq!(upstream.count("test_elicitation", "finished").await, 2, "{era:?}");
    }
}

#[tokio::test]
async fn both_eras_cancel_by_a_notification() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let mut application = Application::open(&manifests).await;
    let slow = json!({"name": "slow", "arguments": {"ms": 3_600_000}});
    application.send(&request("old", "tools/call", &slow)).await;
    application.send(&modern("new", "tools/call", &slow)).await;
    upstream.until("slow", "began", 2).await;
    for (count, id) in [(1, "old"), (2, "new")] {
        application.send(&notification("notifications/cancelled", &json!({"requestId": id}))).await;
        upstream.until("slow", "cancelled", count).await;
    }
    assert_eq!(text(&application.ask(&greet(1)).await), "Hello, Ada!");
}

#[tokio::test]
async fn what_is_no_message_is_answered_as_such_and_spoils_nothing() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let mut application = Application::open(&manifests).await;
    let garbage: [(&[u8], i64); 6] = [
        (b"no JSON", -32700),
        (b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\"", -32700),
        (b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"p\xff\"}", -32700),
        (b"42", -32600),
        (b"{}", -32600),
        (b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"id\": 2, \"method\": \"ping\"}", -32600),
    ];
    for (line, code) in garbage {
        application.write(&[line, b"\n"].concat()).await;
        let refused = application.next().await;
        let line = String::from_utf8_lossy(line);
        assert_eq!(refused["error"]["code"], code, "{line}: {refused}");
        assert_eq!(text(&application.ask(&greet("after")).await), "Hello, Ada!", "{line}");
    }
    // Blank lines are nothing, and a line may end as on Windows.
    application.write(b"\n\r\n  \n").await;
    application.write(format!("{}\r\n", greet("windows")).as_bytes()).await;
    assert_eq!(application.next().await["id"], "windows");
    assert_eq!(application.leave().await, (String::new(), Some(0)));
}

#[tokio::test]
async fn a_line_without_end_is_refused_and_spoils_nothing() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let mut application = Application::open(&manifests).await;
    let piece = vec![b'a'; 1024 * 1024];
    for _ in 0..32 {
        application.write(&piece).await;
    }
    application.write(b"\n").await;
    let refused = application.next().await;
    assert!(refused["error"]["code"].is_i64(), "{refused}");
    assert_eq!(text(&application.ask(&greet("after")).await), "Hello, Ada!");
}

#[tokio::test]
async fn the_end_of_input_ends_the_process_and_its_calls() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let mut application = Application::open(&manifests).await;
    application
        .send(&request(1, "tools/call", &json!({"name": "slow", "arguments": {"ms": 3_600_000}})))
        .await;
    upstream.until("slow", "began", 1).await;
    assert_eq!(application.leave().await, (String::new(), Some(0)));
    upstream.until("slow", "cancelled", 1).await;
}

/// `printf ... | mcp-runtime serve --stdio`: what can be answered at once is, though the input has ended.
#[tokio::test]
async fn what_was_asked_before_the_end_of_input_is_answered() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let mut application = Application::start(&manifests);
    application.send(&initialize("2025-11-25", &json!({}))).await;
    application.send(&request(1, "ping", &json!({}))).await;
    let (said, code) = application.leave().await;
    let ids: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a message")["id"].clone())
        .collect();
    assert_eq!((ids, code), (vec![json!(0), json!(1)], Some(0)), "{said}");
}
