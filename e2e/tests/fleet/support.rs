//! The support example, as the demo shows it: applied, Ready, used by official clients, changed live.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually, list_tools, repository, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Drives an official client in its own process; what it saw comes back.
async fn official_client(era: &str, url: &str, calls: &[(&str, Value)]) -> Value {
    let script = std::env::var("MCPFLEET_TS_CLIENT")
        .expect("make test-e2e installs the clients and names their script");
    let mut args = vec![script, era.to_owned(), url.to_owned()];
    for (tool, arguments) in calls {
        args.extend([(*tool).to_owned(), arguments.to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    serde_json::from_str(&run("node", &args).await.unwrap()).unwrap()
}

async fn applied(test: &str) -> (Fleet, String) {
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply_path(&repository().join("examples/support")).await.unwrap();
    fleet.server_condition("support", "Ready", "True").await;
    // A server is Ready whether its tools' backends are or not.
    fleet
        .kubectl(&["wait", "deployment", "--all", "--for=condition=Available", "--timeout=150s"])
        .await
        .unwrap();
    let url = fleet.service_url("support").await.unwrap();
    (fleet, url)
}

#[tokio::test]
async fn an_applied_fleet_becomes_ready_and_says_what_it_serves() {
    let (fleet, _) = applied("ready").await;
    let server = fleet.api::<McpServer>().get("support").await.unwrap();
    let status = server.status.unwrap();
    assert_eq!(status.observed_generation, server.metadata.generation);
    assert_eq!((status.replicas, status.ready_replicas), (2, 2));
    assert_eq!(status.url, format!("http://support.{}.svc/mcp", fleet.namespace));
    assert_eq!((status.config.total, status.config.synced), (2, 2));
    for kind in ["Available", "Ready", "ToolsAccepted"] {
        let condition = status.conditions.iter().find(|c| c.type_ == kind).unwrap();
        assert_eq!(condition.status, "True", "{kind}: {}", condition.message);
        assert_eq!(condition.observed_generation, server.metadata.generation);
    }
    assert!(!status.conditions.iter().any(|c| c.type_ == "Stalled" || c.type_ == "Reconciling"));

    let tool = fleet.tool_ready("find-order", "True", "").await;
    assert_eq!(tool.status, "True");
    let memberships = fleet.api::<McpTool>().get("find-order").await.unwrap().status.unwrap().servers;
    assert_eq!(memberships.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["support"]);
    fleet.route_ready("models", "True", "").await;

    let table = fleet.kubectl(&["get", "mcpfleet"]).await.unwrap();
    for column in ["READY", "REASON", "REPLICAS", "TOOLS", "URL", "AGE"] {
        assert!(table.contains(column), "{table}");
    }
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn official_clients_of_both_eras_list_and_call() {
    let (fleet, url) = applied("clients").await;
    let calls = [
        ("find_order", json!({"id": 17})),
        ("list_orders", json!({"state": "open"})),
        ("return_policy", json!({})),
        ("crm_account_tiers", json!({})),
        ("find_order", json!({"id": "seventeen"})),
        ("no_such_tool", json!({})),
    ];
    for era in ["legacy", "modern"] {
        let seen = official_client(era, &format!("{url}/mcp"), &calls).await;
        let names: BTreeSet<_> =
            seen["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
        let wanted = BTreeSet::from(["crm_account_tiers", "find_order", "list_orders", "return_policy"]);
        assert_eq!(names, wanted, "{era}");
        let text =
            |index: usize| seen["calls"][index]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        assert!(text(0).contains("keyboard"), "{era}: {seen}");
        assert_eq!(seen["calls"][0]["structuredContent"]["id"], 17, "{era}: {seen}");
        assert!(text(1).contains("cable") && !text(1).contains("laptop"), "{era}: {seen}");
        assert!(text(2).contains("30 days"), "{era}: {seen}");
        assert!(text(3).contains("gold"), "{era}: {seen}");
        assert_eq!(seen["calls"][4]["isError"], true, "{era}: {seen}");
        assert!(text(4).contains("/id") && text(4).contains("integer"), "{era}: {seen}");
        let thrown = seen["calls"][5]["threw"]["message"].as_str().unwrap_or_default();
        assert!(thrown.contains("no_such_tool"), "{era}: {seen}");
    }
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn models_are_served_whole_and_streamed() {
    let (fleet, url) = applied("models").await;
    let client = reqwest::Client::new();
    let ask = |stream: bool| {
        let messages = json!([{"role": "user", "content": "hello fleet"}]);
        let body = json!({"model": "small", "stream": stream, "messages": messages});
        client
            .post(format!("{url}/v1/chat/completions"))
            .header("authorization", "Bearer the-callers-own")
            .json(&body)
    };
    let whole: Value = ask(false).send().await.unwrap().json().await.unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], "You said: hello fleet");
    let stream = ask(true).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let events = stream.text().await.unwrap();
    assert!(events.matches("data: ").count() >= 5 && events.ends_with("data: [DONE]\n\n"), "{events}");

    let ledger: Value =
        reqwest::get(format!("{}/ledger", fleet.service_url("model-provider").await.unwrap()))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
    let received = ledger.as_array().unwrap();
    assert_eq!(received.len(), 2);
    for request in received {
        assert_eq!(request["headers"]["authorization"], "Bearer not-a-real-token", "never the caller's own");
    }
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_new_tool_is_a_new_entry_and_touches_no_pod() {
    let (fleet, url) = applied("live").await;
    let pods = || async {
        let list = fleet
            .api::<Pod>()
            .list(&ListParams::default().labels("mcpfleet.dev/server=support"))
            .await
            .unwrap();
        let restarts = |pod: &Pod| {
            pod.status.as_ref().and_then(|s| s.container_statuses.as_ref()?.first().map(|c| c.restart_count))
        };
        list.items.iter().map(|pod| (pod.metadata.uid.clone(), restarts(pod))).collect::<BTreeSet<_>>()
    };
    let before = pods().await;
    fleet
        .apply(
            "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {name: hours, labels: {fleet: support}}\n\
             spec: {description: Says when people answer the phone., backend: {static: {text: 'nine to five'}}}\n",
        )
        .await
        .unwrap();
    let mcp = format!("{url}/mcp");
    // Ready with the new configuration in every pod, so that any pod that a call meets has the tool.
    fleet.tool_ready("hours", "True", "").await;
    eventually("both pods hold the new configuration", || async {
        let status = fleet.api::<McpServer>().get("support").await.unwrap().status.unwrap();
        if status.tools == 5 && status.config.synced == 2 { Ok(()) } else { Err(status) }
    })
    .await;
    for era in [Era::Legacy, Era::Modern] {
        assert!(list_tools(&mcp, era).await.unwrap().contains(&"hours".to_owned()));
        assert_eq!(
            call_tool(&mcp, era, "hours", json!({})).await.unwrap(),
            ("nine to five".to_owned(), false)
        );
    }
    fleet.kubectl(&["delete", "mcptool", "hours"]).await.unwrap();
    eventually("the deleted tool is gone from every pod", || async {
        let names = list_tools(&mcp, Era::Modern).await.unwrap();
        if names.len() == 4 { Ok(()) } else { Err(names) }
    })
    .await;
    assert_eq!(pods().await, before, "no pod was replaced or restarted");
    fleet.delete().await.unwrap();
}
