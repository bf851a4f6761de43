//! News of what a server offers: on the GET stream of a legacy session (2025-11-25, transports, "Listening for Messages
//! from the Server") and on `subscriptions/listen` (2026-07-28, basic/patterns/subscriptions).

use crate::harness::{Gateway, Modern, Reply, Session, UpstreamEra, until};
use serde_json::{Value, json};

const WATCHED: &str = "test://watched-resource";

async fn add_tool(gateway: &Gateway, name: &str) {
    let answer = Modern::new(&gateway.mcp).call(1, "add_tool", &json!({"name": name})).await;
    assert!(answer["result"].is_object() && answer["result"]["isError"] != true, "{answer}");
}

async fn touch(gateway: &Gateway) {
    let answer = Modern::new(&gateway.mcp).call(1, "touch_resource", &json!({})).await;
    assert!(answer["result"].is_object(), "{answer}");
}

async fn next(stream: &mut Reply) -> Value {
    let message = stream.next().await.expect("a stream that goes on");
    assert!(message["id"].is_null(), "{message}");
    message
}

#[tokio::test]
async fn a_legacy_session_hears_that_the_tools_have_changed() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = Session::open(&gateway.mcp).await;
        let mut stream = session.listen().await;
        assert_eq!(stream.status, 200, "{era:?}");
        assert!(stream.is_stream(), "{era:?}");
        add_tool(&gateway, "brand_new").await;
        let message = next(&mut stream).await;
        assert_eq!(message["method"], "notifications/tools/list_changed", "{era:?}: {message}");
        // Whoever was told finds it.
        let tools = session.request(1, "tools/list", &json!({})).await.answer().await;
        assert!(tools["result"]["tools"].to_string().contains("brand_new"), "{era:?}");
    }
}

#[tokio::test]
async fn a_legacy_session_hears_of_the_resource_that_it_watches() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let (session, other) = (Session::open(&gateway.mcp).await, Session::open(&gateway.mcp).await);
        let (mut stream, mut of_other) = (session.listen().await, other.listen().await);
        let subscribed =
            session.request(1, "resources/subscribe", &json!({"uri": WATCHED})).await.answer().await;
        assert_eq!(subscribed["result"], json!({}), "{era:?}: {subscribed}");
        touch(&gateway).await;
        let message = next(&mut stream).await;
        assert_eq!(message["method"], "notifications/resources/updated", "{era:?}: {message}");
        assert_eq!(message["params"]["uri"], WATCHED, "{era:?}: {message}");

        let ended =
            session.request(2, "resources/unsubscribe", &json!({"uri": WATCHED})).await.answer().await;
        assert_eq!(ended["result"], json!({}), "{era:?}: {ended}");
        touch(&gateway).await;
        add_tool(&gateway, "marker").await;
        for stream in [&mut stream, &mut of_other] {
            let message = next(stream).await;
            assert_eq!(message["method"], "notifications/tools/list_changed", "{era:?}: {message}");
        }
    }
}

#[tokio::test]
async fn a_modern_stream_says_first_what_it_will_say() {
    for era in UpstreamEra::BOTH {
        for id in [json!("listener"), json!(7)] {
            let gateway = Gateway::start(era).await;
            let client = Modern::new(&gateway.mcp);
            let wanted = json!({"notifications": {
                "toolsListChanged": true, "resourceSubscriptions": [WATCHED],
            }});
            let mut stream = client.request(id.clone(), "subscriptions/listen", &wanted).await;
            assert_eq!(stream.status, 200, "{era:?}");
            assert!(stream.is_stream(), "{era:?}");
            let first = next(&mut stream).await;
            assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{era:?}: {first}");
            assert_eq!(first["params"]["notifications"]["toolsListChanged"], true, "{era:?}: {first}");
            let watched = &first["params"]["notifications"]["resourceSubscriptions"];
            assert_eq!(*watched, json!([WATCHED]), "{era:?}: {first}");

            touch(&gateway).await;
            let updated = next(&mut stream).await;
            assert_eq!(updated["method"], "notifications/resources/updated", "{era:?}: {updated}");
            assert_eq!(updated["params"]["uri"], WATCHED, "{era:?}: {updated}");
            add_tool(&gateway, "brand_new").await;
            let changed = next(&mut stream).await;
            assert_eq!(changed["method"], "notifications/tools/list_changed", "{era:?}: {changed}");
            for message in [first, updated, changed] {
                let of = &message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
                assert_eq!(*of, id, "{era:?}: {message}");
            }
        }
    }
}

/// What is acknowledged is heard from then on (2026-07-28, basic/patterns/subscriptions): the upstream is asked before,
/// not after.
#[tokio::test]
async fn a_resource_touched_right_after_the_acknowledgement_is_heard_of() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let wanted = json!({"notifications": {"resourceSubscriptions": [WATCHED]}});
        // Whoever acknowledges too early is lucky now and then.
        for round in 0..20 {
            let mut stream = client.request(round, "subscriptions/listen", &wanted).await;
            next(&mut stream).await;
            touch(&gateway).await;
            let updated = next(&mut stream).await;
            assert_eq!(updated["method"], "notifications/resources/updated", "{era:?}: {updated}");
        }
    }
}

#[tokio::test]
async fn a_modern_stream_says_nothing_that_was_not_asked_for() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let wanted = json!({"notifications": {"promptsListChanged": true}});
        let mut stream = client.request(1, "subscriptions/listen", &wanted).await;
        let first = next(&mut stream).await;
        assert!(first["params"]["notifications"]["toolsListChanged"] != true, "{era:?}: {first}");
        add_tool(&gateway, "unheard_of").await;
        touch(&gateway).await;
        client.call(2, "test_trigger_prompt_change", &json!({})).await;
        let message = next(&mut stream).await;
        assert_eq!(message["method"], "notifications/prompts/list_changed", "{era:?}: {message}");
    }
}

#[tokio::test]
async fn a_removed_tool_is_gone_for_everyone() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let mut stream = client
            .request(1, "subscriptions/listen", &json!({"notifications": {"toolsListChanged": true}}))
            .await;
        next(&mut stream).await;
        add_tool(&gateway, "short_lived").await;
        next(&mut stream).await;
        assert!(client.call(1, "short_lived", &json!({})).await["result"].is_object(), "{era:?}");
        client.call(1, "remove_tool", &json!({"name": "short_lived"})).await;
        next(&mut stream).await;
        until("the tool to be gone", || async {
            let answer = client.call(1, "short_lived", &json!({})).await;
            (answer["error"]["code"] == -32602).then_some(())
        })
        .await;
    }
}
