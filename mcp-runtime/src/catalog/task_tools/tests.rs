use super::*;
use crate::{
    catalog::{merge::merge, own::OwnTool},
    telemetry::{Metrics, ToolMetrics},
    upstream::UpstreamTool,
};
use mcpfleet_protocol::Revision;
use serde_json::value::to_raw_value;

fn own(name: &str, asynchronous: &Value) -> Arc<OwnTool> {
    let config = json!({
        "name": name, "object": "the-object", "inputSchema": {"type": "object"}, "timeoutMs": 1,
        "backend": {"static": {"text": "x"}}, "async": asynchronous, "description": "Exports.", "title": "Export",
        "annotations": {"readOnlyHint": true},
    });
    Arc::new(OwnTool::new(&serde_json::from_value(config).unwrap()).unwrap())
}

fn of_upstream(name: &str) -> UpstreamTool {
    let definition = to_raw_value(&json!({"name": name, "inputSchema": {"type": "object"}})).unwrap();
    UpstreamTool { upstream: "up".into(), name: name.into(), exposed_name: name.into(), definition }
}

/// Names of upstream tools whose calls are tasks.
fn config(overrides: &[&str]) -> RuntimeConfig {
    let overrides: serde_json::Map<String, Value> =
        overrides.iter().map(|name| ((*name).to_owned(), json!({"async": {"ttlMs": 2_000}}))).collect();
    let up = json!({
        "name": "up", "prefix": "", "transport": {"streamableHttp": {"url": "http://up/mcp", "headers": []}},
        "timeoutMs": 1, "tools": {"overrides": overrides},
    });
    let config = json!({
        "format": 4, "server": {"namespace": "a", "name": "b"}, "listener": {"tls": null, "allowedOrigins": []},
        "access": "Anonymous", "admission": {"concurrency": 1, "queueLength": 0, "queueTimeoutMs": 1},
        "tools": [], "prompts": [], "resources": [], "upstreams": [up], "providers": [], "servesModels": false,
    });
    serde_json::from_value(config).unwrap()
}

fn tools(own: &[Arc<OwnTool>], offered: &[UpstreamTool], overrides: &[&str]) -> (TaskTools, Vec<String>) {
    let config = config(overrides);
    let (mut merged, _) = merge(own, offered);
    let withheld = make_room(&mut merged, &config).into_iter().map(|it| it.tool).collect();
    let metrics = Arc::new(Metrics::default());
    let entry = |name: &str, tool: Merged| {
        let metrics = Arc::new(ToolMetrics::new(&metrics, "a/b", name));
        (tool.definition.clone(), Arc::new(Entry::new(tool, &config, metrics)))
    };
    let listed: Vec<_> = merged.into_iter().map(|(name, tool)| entry(&name, tool)).collect();
    let declared = own.iter().map(|tool| tool.config.clone());
    let config = RuntimeConfig { tools: declared.collect(), ..config };
    (TaskTools::new(&listed, &config), withheld)
}

#[test]
fn a_tool_that_says_async_has_one_that_starts_it_and_two_follow_all() {
    let (tools, _) = tools(&[own("export", &json!({"ttlMs": 60_000})), own("plain", &Value::Null)], &[], &[]);
    let start = TaskTool::Start { tool: "export".into(), ttl: Duration::from_mins(1) };
    assert_eq!(tools.find("export_start"), Some(start));
    assert_eq!(
        (tools.find("task_status"), tools.find("task_cancel")),
        (Some(TaskTool::Status), Some(TaskTool::Cancel))
    );
    for other in ["export", "plain", "plain_start", "export_start_start"] {
        assert_eq!(tools.find(other), None, "{other}");
    }
    let start = tools.in_place_of("export").unwrap().write(Revision::LATEST_LEGACY);
    let start: Value = serde_json::from_str(start.as_str()).unwrap();
    assert_eq!((&start["name"], &start["title"]), (&json!("export_start"), &json!("Start: Export")));
    assert_eq!(start["annotations"], json!({"readOnlyHint": true}), "starting it is doing it");
    let description = start["description"].as_str().unwrap();
    assert!(description.starts_with("Exports.") && description.contains("task_status"), "{description}");
}

#[test]
fn without_such_a_tool_there_is_none_of_them() {
    let (tools, _) = tools(&[own("plain", &Value::Null)], &[of_upstream("task_status")], &[]);
    assert!(tools.is_empty() && tools.find("task_status").is_none() && tools.find("task_cancel").is_none());
}

#[test]
fn what_an_upstream_happens_to_offer_makes_room_and_what_users_wrote_does_not() {
    let offered = ["task_status", "scan_start", "scan", "other"].map(of_upstream);
    let (served, mut withheld) = tools(&[], &offered, &["scan"]);
    withheld.sort();
    assert_eq!(withheld, ["scan_start", "task_status"]);
    assert!(matches!(served.find("scan_start"), Some(TaskTool::Start { ttl, .. }) if ttl.as_secs() == 2));
    let (served, withheld) = tools(&[own("scan_start", &Value::Null)], &offered[2..], &["scan"]);
    assert_eq!((served.find("scan_start"), withheld), (None, Vec::new()));
}

#[test]
fn what_was_started_can_be_followed_while_the_tool_that_started_it_is_not_here() {
    let (tools, _) = tools(&[], &[], &["scan"]);
    assert_eq!((tools.find("task_status"), tools.find("scan_start")), (Some(TaskTool::Status), None));
    assert!(tools.concern(&Principal::nobody(), &[]));
}

#[test]
fn followers_take_exactly_what_they_say() {
    for tool in followers() {
        let definition: Value = serde_json::from_str(tool.write(Revision::LATEST_LEGACY).as_str()).unwrap();
        assert_eq!(definition["inputSchema"]["additionalProperties"], false, "{definition}");
        assert_eq!(definition["outputSchema"]["type"], "object", "{definition}");
        let waits = definition["inputSchema"]["properties"].get("wait").is_some();
        assert_eq!(waits, definition["annotations"]["readOnlyHint"] == true);
    }
}
