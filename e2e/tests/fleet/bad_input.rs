//! Bad input costs its author a clear error where he looks, and nobody else anything.

use mcpfleet_crds::v1alpha1::McpTool;
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually, list_tools, send};
use serde_json::json;

const SHOP: &str = "apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: shop}
spec: {auth: {anonymous: {}}, tools: {selector: {matchLabels: {fleet: shop}}}}
---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpTool
metadata: {name: hello, labels: {fleet: shop}}
spec:
  description: Greets.
  inputSchema: {type: object, properties: {name: {type: string}}, additionalProperties: false}
  backend: {static: {text: hello}}
";

async fn shop(test: &str) -> (Fleet, String) {
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply(SHOP).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    let url = format!("{}/mcp", fleet.service_url("shop").await.unwrap());
    (fleet, url)
}

async fn still_greets(url: &str) {
    assert_eq!(call_tool(url, Era::Modern, "hello", json!({})).await.unwrap(), ("hello".to_owned(), false));
}

fn tool(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {{name: {name}, labels: {{fleet: shop}}}}\nspec: {spec}\n"
    )
}

async fn event_says(fleet: &Fleet, object: &str, words: &str) {
    let selector = format!("involvedObject.name={object}");
    eventually("an Event for its author", || async {
        let events = fleet.kubectl(&["get", "events", "--field-selector", &selector]).await.unwrap();
        if events.contains(words) { Ok(()) } else { Err(events) }
    })
    .await;
}

#[tokio::test]
async fn a_tool_with_an_invalid_schema_is_told_on_itself() {
    let (fleet, url) = shop("schema").await;
    let spec = "{description: d, inputSchema: {type: object, properties: {id: {type: integr}}}, backend: {static: {text: x}}}";
    fleet.apply(&tool("broken", spec)).await.unwrap();
    let condition = fleet.tool_ready("broken", "False", "InvalidSchema").await;
    assert!(condition.message.contains("spec.inputSchema.properties.id"), "{}", condition.message);
    event_says(&fleet, "broken", "InvalidSchema").await;
    let refused = fleet.server_condition_for("shop", "ToolsAccepted", "False", "").await;
    assert!(refused.message.contains("broken"), "{}", refused.message);
    fleet.server_condition("shop", "Ready", "True").await;
    assert_eq!(list_tools(&url, Era::Legacy).await.unwrap(), ["hello"]);
    still_greets(&url).await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_to_the_younger() {
    let (fleet, url) = shop("taken").await;
    fleet
        .apply(&tool("other", "{name: hello, description: d, backend: {static: {text: other}}}"))
        .await
        .unwrap();
    let condition = fleet.tool_ready("other", "False", "DuplicateName").await;
    assert!(condition.message.contains("hello"), "{}", condition.message);
    let servers = fleet.api::<McpTool>().get("other").await.unwrap().status.unwrap().servers;
    assert_eq!((servers[0].name.as_str(), servers[0].reason.as_str()), ("shop", "DuplicateName"));
    still_greets(&url).await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_selector_that_matches_nothing_is_told_on_the_server() {
    let fleet = Fleet::new("nothing").await.unwrap();
    let server = SHOP.split("---").next().unwrap();
    fleet.apply(server).await.unwrap();
    let condition = fleet.server_condition_for("shop", "Ready", "False", "NothingSelected").await;
    assert!(condition.message.contains("fleet=shop"), "{}", condition.message);
    event_says(&fleet, "shop", "NothingSelected").await;
    fleet.apply(SHOP).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_missing_secret_costs_only_its_tool() {
    let (fleet, url) = shop("secret").await;
    let spec = "{description: d, backend: {http: {url: 'http://shop/', auth: {bearer: {secretRef: {name: gone, key: token}}}}}}";
    fleet.apply(&tool("needs-secret", spec)).await.unwrap();
    let condition = fleet.tool_ready("needs-secret", "False", "SecretMissing").await;
    assert!(
        condition.message.contains("gone") && condition.message.contains("token"),
        "{}",
        condition.message
    );
    event_says(&fleet, "needs-secret", "SecretMissing").await;
    eventually("the call says what is missing", || async {
        match call_tool(&url, Era::Modern, "needs_secret", json!({})).await {
            Ok((text, true)) if text.contains("gone") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    still_greets(&url).await;

    fleet.kubectl(&["create", "secret", "generic", "gone", "--from-literal=token=x"]).await.unwrap();
    fleet.tool_ready("needs-secret", "True", "").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_while_the_old_pods_serve() {
    let (fleet, url) = shop("image").await;
    let patch = json!({"spec": {"template": {"image": "localhost/no-such-image:1"}}});
    fleet.patch::<mcpfleet_crds::v1alpha1::McpServer>("shop", patch).await.unwrap();
    let condition = fleet.server_condition_for("shop", "Ready", "False", "ImagePullFailed").await;
    assert!(condition.message.contains("no-such-image"), "{}", condition.message);
    fleet.server_condition("shop", "Available", "True").await;
    still_greets(&url).await;
    fleet
        .patch::<mcpfleet_crds::v1alpha1::McpServer>("shop", json!({"spec": {"template": null}}))
        .await
        .unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_is_down_degrades_only_its_part() {
    let (fleet, url) = shop("upstream").await;
    let upstream =
        json!({"spec": {"upstreams": [{"name": "gone", "remote": {"url": "http://nobody.invalid/mcp"}}]}});
    fleet.patch::<mcpfleet_crds::v1alpha1::McpServer>("shop", upstream).await.unwrap();
    let condition =
        fleet.server_condition_for("shop", "UpstreamsConnected", "False", "UpstreamUnreachable").await;
    assert!(condition.message.contains("upstream gone:"), "{}", condition.message);
    for kind in ["Ready", "Available"] {
        fleet.server_condition("shop", kind, "True").await;
    }
    still_greets(&url).await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn what_clients_send_wrong_is_answered_with_the_right_code() {
    let (fleet, url) = shop("requests").await;
    let client = reqwest::Client::new();
    let unparsable = client
        .post(&url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body("{\"jsonrpc\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(unparsable.status(), 400);
    let body: serde_json::Value = unparsable.json().await.unwrap();
    assert_eq!(body["error"]["code"], -32_700, "{body}");

    for era in [Era::Legacy, Era::Modern] {
        let unknown =
            send(&url, era, "tools/call", json!({"name": "nobody", "arguments": {}})).await.unwrap();
        assert_eq!(unknown.body["error"]["code"], -32_602, "{unknown:?}");
        let message = unknown.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("nobody"), "{message}");

        let (text, failed) = call_tool(&url, era, "hello", json!({"name": 7})).await.unwrap();
        assert!(failed && text.contains("/name") && text.contains("string"), "{text}");
    }
    still_greets(&url).await;
    fleet.delete().await.unwrap();
}
