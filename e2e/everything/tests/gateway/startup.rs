//! The first that a client asks is answered as everything after it: what the upstreams offer is known by then.

use crate::harness::{
    Manifests, Modern, Post, Runtime, Upstream, UpstreamEra, initialize, notification, request, text,
};
use crate::standard_io::{Application, modern};
use serde_json::{Value, json};

fn has_everything(initialized: &Value) -> bool {
    let capabilities = &initialized["result"]["capabilities"];
    ["tools", "prompts", "resources", "completions"].iter().all(|name| capabilities[*name].is_object())
}

#[tokio::test]
async fn a_runtime_that_is_ready_offers_what_its_upstreams_do() {
    for era in UpstreamEra::BOTH {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        // Which is the faster is chance: several look.
        for _ in 0..5 {
            let runtime = Runtime::started(&manifests).await;
            runtime.until_ready().await;
            let answer = Modern::new(&runtime.mcp).call(1, "greet", &json!({"name": "Ada"})).await;
            assert_eq!(text(&answer), "Hello, Ada!", "{era:?}: {answer}");
            let post = Post::message(&initialize("2025-11-25", &json!({})));
            let initialized = runtime.mcp.post(&post).await.answer().await;
            assert!(has_everything(&initialized), "{era:?}: {initialized}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_keeps_nobody_waiting_for_ever() {
    let manifests = Manifests::of("http://127.0.0.1:1/mcp");
    let mut application = Application::start(&manifests);
    let initialized = application.ask(&initialize("2025-11-25", &json!({}))).await;
    assert!(initialized["result"].is_object(), "{initialized}");
    let tools = application.ask(&request(1, "tools/list", &json!({}))).await;
    assert_eq!(tools["result"]["tools"], json!([]), "{tools}");
}

#[tokio::test]
async fn the_first_answers_on_a_pipe_have_everything() {
    for era in UpstreamEra::BOTH {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let mut application = Application::start(&manifests);
        let initialized = application.ask(&initialize("2025-11-25", &json!({}))).await;
        assert!(has_everything(&initialized), "{era:?}: {initialized}");
        application.send(&notification("notifications/initialized", &json!({}))).await;
        let tools = application.ask(&request(1, "tools/list", &json!({}))).await;
        assert!(tools["result"]["tools"].to_string().contains("test_simple_text"), "{era:?}: {tools}");
    }
}

#[tokio::test]
async fn a_modern_client_on_a_pipe_may_begin_with_a_call() {
    for era in UpstreamEra::BOTH {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let mut application = Application::start(&manifests);
        let call = json!({"name": "greet", "arguments": {"name": "Ada"}});
        let answer = application.ask(&modern(1, "tools/call", &call)).await;
        assert_eq!(text(&answer), "Hello, Ada!", "{era:?}");
    }
}
