//! What no client should send, and what comes of it: the right status and code, no memory lost, other calls untouched.
//!
//! Sessions that are none are in `sessions`, forged states in `forged_retries`, headers that disagree in `headers`,
//! upstreams in `misbehaviour`; tokens are tried where the issuer is, in the runtime's own tests.

use crate::harness::{Gateway, Modern, Post, Session, UpstreamEra, accept, initialize, request, text};
use serde_json::{Value, json};

/// In bytes.
const MEBIBYTE: usize = 1024 * 1024;

struct Attack {
    what: &'static str,
    post: Post,
    status: u16,
    code: i64,
}

fn ping() -> Post {
    Post::message(&request(1, "ping", &json!({})))
}

fn call_with(arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"greet","arguments":{arguments}}}}}"#
    )
}

fn body(what: &'static str, body: impl Into<Vec<u8>>, code: i64) -> Attack {
    Attack { what, post: Post::new(body.into()), status: 400, code }
}

fn no_json() -> Vec<Attack> {
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let utf16: Vec<u8> = r#"{"jsonrpc":"2.0"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        body("no body", "", -32700),
        body("no JSON", "hello", -32700),
        body("half a message", r#"{"jsonrpc":"2.0","id":1,"method":"pi"#, -32700),
        body("two messages", twice, -32700),
        body("invalid UTF-8", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\xffng\"}", -32700),
        body("UTF-16", utf16, -32700),
        body("a number that is none", r#"{"jsonrpc":"2.0","id":01,"method":"ping"}"#, -32700),
    ]
}

fn no_messages() -> Vec<Attack> {
    let bodies = [
        ("a string", r#""ping""#),
        ("null", "null"),
        ("nothing in it", "{}"),
        ("another version", r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#),
        ("no version", r#"{"id":1,"method":"ping"}"#),
        ("id null", r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#),
        ("an object as id", r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#),
        ("true as id", r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#),
        ("a method that is no text", r#"{"jsonrpc":"2.0","id":1,"method":7}"#),
        ("params that are no object", r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#),
        ("two ids", r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#),
        ("two methods", r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#),
    ];
    bodies.map(|(what, text)| body(what, text, -32600)).into()
}

/// Two readers may read two things in them, or run out of something.
fn traps() -> Vec<Attack> {
    let named =
        |names: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{names}}}}}"#);
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let arrays = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let long = call_with(&format!(r#"{{"name":"{}"}}"#, "a".repeat(5 * MEBIBYTE)));
    vec![
        body("two names", named(r#""name":"greet","name":"slow""#), -32600),
        body("two names, one escaped", named(r#""name":"greet","n\u0061me":"slow""#), -32600),
        body("two arguments of a name", call_with(r#"{"name":"a","name":"b"}"#), -32600),
        body("deep objects", call_with(&objects(100_000)), -32600),
        body("deep arrays", call_with(&arrays(100_000)), -32600),
        Attack { status: 413, ..body("five mebibytes", long, -32600) },
    ]
}

fn envelopes() -> Vec<Attack> {
    let attack = |what, post, status| Attack { what, post, status, code: -32600 };
    vec![
        attack("a page", ping().with("accept", "text/html"), 406),
        attack("an image", ping().with("accept", "image/*"), 406),
        attack("a form", ping().with("content-type", "application/x-www-form-urlencoded"), 415),
        attack("plain text, which browsers send unasked", ping().with("content-type", "text/plain"), 415),
        attack("no content type", ping().without("content-type"), 415),
        attack("a foreign origin", ping().with("origin", "https://evil.example"), 403),
        attack("an origin that looks like ours", ping().with("origin", "http://localhost.evil.example"), 403),
        attack("no origin of a page's own", ping().with("origin", "null"), 403),
        attack(
            "a foreign origin and host",
            ping().with("origin", "http://evil.example").with("host", "evil.example"),
            403,
        ),
    ]
}

/// A call in flight: it has asked its client, and waits for the answer.
struct Bystander {
    session: Session,
    reply: crate::harness::Reply,
    question: Value,
}

impl Bystander {
    async fn start(gateway: &Gateway) -> Self {
        let session = Session::open(&gateway.mcp).await;
        let mut reply = session.start(1, "test_elicitation", &json!({})).await;
        let question = reply.next().await.expect("a question");
        Self { session, reply, question }
    }

    async fn assert_untouched(self, what: &str) {
        let contact = accept(&json!({"username": "ada", "email": "ada@example.com"}));
        self.session.respond(&self.question, &contact).await;
        let answer = self.reply.answer().await;
        assert_eq!(answer["id"], 1, "{what}: {answer}");
        assert!(text(&answer).contains("ada@example.com"), "{what}: {answer}");
    }
}

#[tokio::test]
async fn every_attack_is_refused_and_hurts_nobody() {
    let mut gateway = Gateway::start(UpstreamEra::Legacy).await;
    for Attack { what, post, status, code } in
        [no_json(), no_messages(), traps(), envelopes()].into_iter().flatten()
    {
        let bystander = Bystander::start(&gateway).await;
        let reply = gateway.mcp.post(&post).await;
        let got = reply.status.as_u16();
        let answer = reply.json().await;
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{what}: {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{what}: {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.len() < 1000), "{what}");
        bystander.assert_untouched(what).await;
    }
    assert_eq!(gateway.upstream.count("greet", "began").await, 0);
    gateway.runtime.assert_sound();
}

#[tokio::test]
async fn a_page_of_this_machine_may_call() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:9"] {
        let post = Post::message(&initialize("2025-11-25", &json!({}))).with("origin", origin);
        assert_eq!(gateway.mcp.post(&post).await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn what_is_nested_as_people_nest_is_taken() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = Session::open(&gateway.mcp).await;
    let deep = (0..20).fold(json!(1), |inside, _| json!({"in": [inside]}));
    let answer = session.call(1, "greet", &json!({"name": "Ada", "more": deep})).await;
    assert_eq!(text(&answer), "Hello, Ada!");
    let long = "a".repeat(3 * MEBIBYTE);
    let answer = session.call(2, "greet", &json!({"name": long})).await;
    assert_eq!(text(&answer).len(), "Hello, !".len() + 3 * MEBIBYTE);
}

#[tokio::test]
async fn other_verbs_and_paths_are_refused() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    assert_eq!(gateway.mcp.on("/nowhere").post(&ping()).await.status, 404);
    assert_eq!(gateway.mcp.on("/default/nobody/mcp").post(&ping()).await.status, 404);
    assert_eq!(gateway.mcp.on("/mcp/..%2f").post(&ping()).await.status, 404);
    let unasked = gateway.mcp.get(&[("accept", "text/html")]).await;
    assert!(unasked.status == 406 || unasked.status == 405, "{}", unasked.status);
    assert_eq!(gateway.mcp.delete(&[]).await.status, 400);
}

#[tokio::test]
async fn a_name_as_long_as_a_book_is_no_tool() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let name = "a".repeat(MEBIBYTE);
    let answer = Session::open(&gateway.mcp).await.call(1, &name, &json!({})).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer.to_string().len() < 10_000, "{} bytes", answer.to_string().len());
}

#[tokio::test]
async fn memory_does_not_grow_with_what_is_refused() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = Session::open(&gateway.mcp).await;
    let nested = call_with(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(MEBIBYTE), "]".repeat(MEBIBYTE)));
    let many = format!("[{}]", vec!["1"; MEBIBYTE].join(","));
    let garbage = "x".repeat(3 * MEBIBYTE);
    let round = async || {
        for body in [&nested, &many, &garbage] {
            assert_eq!(gateway.mcp.post(&Post::new(body.clone())).await.status, 400);
        }
        let forged = Session { id: "A".repeat(1000), ..session.clone() };
        assert_eq!(forged.request(1, "ping", &json!({})).await.status, 404);
    };
    // What the process needs for one such request it may keep for the next.
    for _ in 0..5 {
        round().await;
    }
    let before = gateway.runtime.resident();
    for _ in 0..50 {
        round().await;
    }
    let after = gateway.runtime.resident();
    assert!(after < before + 32 * 1024 * 1024, "{before} bytes before, {after} after");
}

#[tokio::test]
async fn memory_does_not_grow_with_sessions_that_are_begun_and_left() {
    let gateway = Gateway::start(UpstreamEra::Modern).await;
    let begin = async || {
        let reply = gateway.mcp.post(&Post::message(&initialize("2025-11-25", &json!({})))).await;
        assert_eq!(reply.status, 200);
    };
    for _ in 0..200 {
        begin().await;
    }
    let before = gateway.runtime.resident();
    for _ in 0..2000 {
        begin().await;
    }
    let after = gateway.runtime.resident();
    // An eighth of what the lightest of the others holds for a session.
    assert!(after < before + 2000 * 2048, "{before} bytes before, {after} after");
}

#[tokio::test]
async fn an_argument_that_the_schema_forbids_is_the_models_to_correct() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let bad = json!({"name": "greet", "arguments": "not an object"});
        let answer = client.request(1, "tools/call", &bad).await.answer().await;
        assert_eq!(answer["error"]["code"], -32602, "{era:?}: {answer}");
        assert_eq!(gateway.upstream.count("greet", "began").await, 0, "{era:?}");
    }
}
