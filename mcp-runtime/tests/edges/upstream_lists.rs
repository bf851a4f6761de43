//! Every list of an upstream, and everything else that it offers.

use crate::{
    callers::{Client, request, value},
    mcp::{connected, method, modern, result, send, tool},
    server::{Answer, Seen, Server},
};
use mcpfleet_config::status::UpstreamWire;
use mcpfleet_runtime::{
    call::Outcome,
    exchange::Ask,
    upstream::{Roster, UpstreamOffer},
};
use serde_json::{Value, json};

/// Two pages of each list.
fn page(seen: &Seen, list: &str, key: &str, values: [&str; 2]) -> Answer {
    let (at, next) = match seen.json()["params"]["cursor"].as_str() {
        None => (0, json!("next")),
        Some(_) => (1, Value::Null),
    };
    let element = json!({"name": values[at], key: values[at], "kept": at});
    result(seen, json!({"resultType": "complete", list: [element], "nextCursor": next}))
}

#[tokio::test]
async fn all_pages_of_all_lists_are_merged_and_names_prefixed() {
    let server = Server::start(|seen| async move {
        match method(&seen).as_str() {
            "server/discover" => result(
                &seen,
                json!({
                    "resultType": "complete", "supportedVersions": ["2026-07-28"], "instructions": "be kind",
                    "capabilities": {"prompts": {}, "resources": {}, "completions": {}},
                }),
            ),
            "prompts/list" => page(&seen, "prompts", "name", ["p1", "p2"]),
            "resources/list" => page(&seen, "resources", "uri", ["a:1", "a:2"]),
            "resources/templates/list" => page(&seen, "resourceTemplates", "uriTemplate", ["b:{x}", "b:{y}"]),
            other => panic!("{other}"),
        }
    })
    .await;
    let pool = connected(&server).await;
    let roster = pool.roster();
    let Roster { tools, prompts, resources, templates, about, status, .. } = roster.as_ref();
    let keys = |offers: &[UpstreamOffer]| {
        offers.iter().map(|offer| format!("{} {}", offer.key, offer.exposed_key)).collect::<Vec<_>>()
    };
    assert_eq!(keys(prompts), ["p1 up_p1", "p2 up_p2"]);
    assert_eq!(keys(resources), ["a:1 a:1", "a:2 a:2"]);
    assert_eq!(keys(templates), ["b:{x} b:{x}", "b:{y} b:{y}"]);
    assert_eq!(value(&prompts[1].definition), json!({"name": "up_p2", "kept": 1}));
    assert_eq!(value(&resources[0].definition), json!({"uri": "a:1", "name": "a:1", "kept": 0}));
    assert!(tools.is_empty(), "what is not offered is not asked for");
    assert_eq!((about[0].0.as_str(), about[0].1.instructions.as_deref()), ("up", Some("be kind")));
    assert_eq!(
        (status[0].revision.as_deref(), status[0].transport),
        (Some("2026-07-28"), Some(UpstreamWire::StreamableHttp))
    );
}

#[tokio::test]
async fn prompts_resources_and_completions_are_asked_for_by_their_own_names() {
    let server = Server::start(|seen| async move {
        modern(&seen, &[tool("t")]).unwrap_or_else(|| {
            let params = seen.json()["params"].clone();
            let mut params = params.as_object().unwrap().clone();
            params.remove("_meta");
            result(&seen, json!({"resultType": "complete", "params": params}))
        })
    })
    .await;
    let pool = connected(&server).await;
    let caller = Client::modern(0).silent();
    let raw = |value: Value| crate::callers::raw(&value);
    let argument = json!({"name": "x", "value": "v"});
    for (ask, params) in [
        (
            Ask::GetPrompt { name: "p".into(), arguments: Some(raw(json!({"a": "b"}))) },
            json!({"name": "p", "arguments": {"a": "b"}}),
        ),
        (Ask::ReadResource { uri: "a:1".into() }, json!({"uri": "a:1"})),
        (
            Ask::Complete {
                reference: raw(json!({"type": "ref/resource", "uri": "b:{x}"})),
                argument: raw(argument.clone()),
                context: Some(raw(json!({"arguments": {}}))),
            },
            json!({"ref": {"type": "ref/resource", "uri": "b:{x}"}, "argument": argument, "context": {"arguments": {}}}),
        ),
    ] {
        let sent = ask.method();
        let Outcome::Forwarded(result) = send(&pool, "up", &request(ask), &caller).await.unwrap() else {
            panic!()
        };
        assert_eq!(value(&result), json!({"params": params}));
        assert_eq!(server.seen().last().unwrap().header("mcp-method"), Some(sent));
    }
}
