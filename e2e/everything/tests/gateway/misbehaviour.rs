//! Upstreams that do what no server should. The client gets an error that says so, nothing is sent twice, and other
//! servers' calls are untouched.

use crate::harness::{
    Manifests, Modern, Play, Runtime, Scripted, Session, Upstream, UpstreamEra, accept, text,
};
use serde_json::{Value, json};

/// A runtime in front of a scripted upstream and a sound one.
struct Bench {
    runtime: Runtime,
    scripted: Scripted,
    sound: Upstream,
    _manifests: Manifests,
}

impl Bench {
    async fn start(script: impl Fn(&Value) -> Play + Send + Sync + 'static) -> Self {
        let scripted = Scripted::start(script).await;
        let sound = Upstream::start(UpstreamEra::Legacy).await;
        let servers = [("bad", scripted.url()), ("good", sound.url())];
        let servers = servers.each_ref().map(|(name, url)| (*name, url.as_str()));
        // Short, for the one that never answers.
        let manifests = Manifests::patient("2s", &servers);
        let runtime = Runtime::start(&manifests).await;
        Self { runtime, scripted, sound, _manifests: manifests }
    }

    /// Calls the bad server in both eras; both are told of a failure, and the other server's call goes on.
    async fn assert_failure(mut self, what: &str) -> [Value; 2] {
        let bad = self.runtime.mcp.on("/default/bad/mcp");
        let good = self.runtime.mcp.on("/default/good/mcp");
        let bystander = Session::open(&good).await;
        let mut waiting = bystander.start(1, "test_elicitation", &json!({})).await;
        let question = waiting.next().await.expect("a question");

        let legacy = Session::open(&bad).await.call(7, "work", &json!({})).await;
        let modern = Modern::new(&bad).call(7, "work", &json!({})).await;
        let answers = [legacy, modern];
        for answer in &answers {
            assert_eq!(answer["id"], 7, "{what}: {answer}");
            assert!(is_failure(answer), "{what}: {answer}");
            assert!(!explanation(answer).is_empty(), "{what}: {answer}");
        }
        assert_eq!(self.scripted.calls(), 2, "{what}: a call was repeated, or never made");

        bystander.respond(&question, &accept(&json!({"username": "ada", "email": "b"}))).await;
        assert!(text(&waiting.answer().await).contains("ada"), "{what}");
        assert_eq!(self.sound.count("test_elicitation", "finished").await, 1, "{what}");
        self.runtime.assert_sound();
        answers
    }
}

fn is_failure(answer: &Value) -> bool {
    answer["error"]["code"].is_i64() || answer["result"]["isError"] == true
}

/// What a person or a model reads of it.
fn explanation(answer: &Value) -> &str {
    answer["error"]["message"]
        .as_str()
        .or(answer["result"]["content"][0]["text"].as_str())
        .unwrap_or_default()
}

fn document(body: &str) -> Play {
    Play::Close(Scripted::response("200 OK", "application/json", body))
}

fn events(body: &str) -> Play {
    Play::Close(Scripted::response("200 OK", "text/event-stream", body))
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let result = r#"{"content":[{"type":"text","text":"surprise"}]}"#;
    let of_nobody = format!(r#"{{"jsonrpc":"2.0","id":"nobody's","result":{result}}}"#);
    let without = format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#);
    let cases = [
        ("a page", Play::Close(Scripted::response("200 OK", "text/html", "<html>hello</html>"))),
        ("no JSON", document("surprise")),
        ("nothing", document("")),
        ("half a document", document(r#"{"jsonrpc":"2.0","id":"#)),
        ("a list", document("[]")),
        ("invalid JSON-RPC", document(r#"{"id":1,"answer":42}"#)),
        ("the wrong id", document(&of_nobody)),
        ("no id", document(&without)),
        ("the wrong id on a stream", events(&format!("data: {of_nobody}\n\n"))),
        ("garbage on a stream", events("data: surprise\n\n")),
        ("an empty stream", events("")),
        (
            "a notification as the answer",
            document(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#),
        ),
        ("accepted, and no answer", Play::Close(Scripted::response("202 Accepted", "text/plain", ""))),
        ("a failure", Play::Close(Scripted::response("500 Internal Server Error", "text/plain", "surprise"))),
        ("no HTTP", Play::Close("surprise\r\n\r\n".to_owned())),
        ("a closed connection", Play::Close(String::new())),
    ];
    for (what, play) in cases {
        let bench = Bench::start(move |_| play.clone()).await;
        for answer in bench.assert_failure(what).await {
            assert!(!answer.to_string().contains("surprise"), "{what}: its bytes went on: {answer}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_dies_in_the_middle_gave_no_answer() {
    let progress =
        r#"data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
    let cases = [
        ("between two events", format!("{progress}\n\n")),
        ("within an event", format!("{progress}\n\ndata: {{\"jsonrpc\":\"2.0\",")),
        ("before the first event", String::new()),
    ];
    for (what, said) in cases {
        let bytes = Scripted::stream(&said);
        let bench = Bench::start(move |_| Play::Close(bytes.clone())).await;
        for answer in bench.assert_failure(what).await {
            let said = explanation(&answer);
            assert!(said.contains("unknown"), "{what}: whether it took effect nobody knows: {said}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_waited_for_as_long_as_is_configured() {
    let begun = Scripted::stream(
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n",
    );
    for (what, said) in [("silence", String::new()), ("silence after a first word", begun)] {
        let bench = Bench::start(move |_| Play::Hold(said.clone())).await;
        bench.assert_failure(what).await;
    }
}

#[tokio::test]
async fn an_upstream_that_asks_and_dies_takes_its_question_back() {
    let question = json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {
        "message": "Who?", "requestedSchema": {"type": "object", "properties": {}},
    }});
    let bytes = Scripted::stream(&format!("data: {question}\n\n"));
    let upstream = Scripted::start(move |_| Play::Close(bytes.clone())).await;
    let manifests = Manifests::of(&upstream.url());
    let runtime = Runtime::start(&manifests).await;

    let session = Session::open(&runtime.mcp).await;
    let reply = session.start(1, "work", &json!({})).await;
    let answer = reply.answer().await;
    assert!(is_failure(&answer), "{answer}");

    // The modern client may be asked before the news, or told at once; either way it ends in an error, after one call.
    let client = Modern::new(&runtime.mcp);
    let mut answer = client.call(1, "work", &json!({})).await;
    if answer["result"]["resultType"] == "input_required" {
        answer =
            client.again(&Modern::retry("work", &json!({}), &answer["result"], |_| accept(&json!({})))).await;
    }
    assert!(is_failure(&answer), "{answer}");
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    const SIZE: usize = 64 * 1024 * 1024;
    let endless = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{{"type":"text","text":"{}"#,
        "a".repeat(SIZE)
    );
    let one_event = format!("data: {endless}");
    for (what, play) in [("a document", document(&endless)), ("an event", events(&one_event))] {
        let bench = Bench::start(move |_| play.clone()).await;
        let before = bench.runtime.resident();
        let client = Modern::new(&bench.runtime.mcp.on("/default/bad/mcp"));
        for _ in 0..4 {
            let answer = client.call(1, "work", &json!({})).await;
            assert!(is_failure(&answer), "{what}");
        }
        let after = bench.runtime.resident();
        assert!(after < before + 2 * SIZE as u64, "{what}: {before} bytes before, {after} after");
    }
}

#[tokio::test]
async fn a_server_whose_upstream_is_not_there_says_so() {
    let manifests = Manifests::of("http://127.0.0.1:1/mcp");
    let mut runtime = Runtime::started(&manifests).await;
    let answer = Modern::new(&runtime.mcp).call(1, "work", &json!({})).await;
    assert!(is_failure(&answer), "{answer}");
    let session = Session::open(&runtime.mcp).await;
    let pong = session.request(1, "ping", &json!({})).await.answer().await;
    assert_eq!(pong["result"], json!({}));
    runtime.assert_sound();
}
