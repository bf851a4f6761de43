use super::*;
use crate::upstream::connection::About;
use mcpfleet_protocol::ServerCapabilities;
use serde_json::{Value, json};

fn config(upstreams: &[(&str, &str)]) -> RuntimeConfig {
    let upstream = |(name, prefix): &(&str, &str)| {
        json!({"name": name, "prefix": prefix, "timeoutMs": 1,
            "transport": {"streamableHttp": {"url": "http://x/", "headers": []}}})
    };
    let upstreams: Vec<Value> = upstreams.iter().map(upstream).collect();
    serde_json::from_value(json!({
        "format": 1, "server": {"namespace": "a", "name": "b"}, "listener": {"tls": null, "allowedOrigins": []},
        "access": "Anonymous", "admission": {"concurrency": 1, "queueLength": 0, "queueTimeoutMs": 1},
        "tools": [], "upstreams": upstreams, "providers": [], "servesModels": false,
    }))
    .unwrap()
}

fn status(name: &str, state: UpstreamState) -> UpstreamStatus {
    let (name, since) = (name.to_owned(), Some("2026-11-21T20:00:00Z".to_owned()));
    UpstreamStatus { name, state, since, ..UpstreamStatus::default() }
}

fn find(name: &str, config: &RuntimeConfig, roster: &Roster) -> Option<String> {
    MissingTools::of(roster).find(name, config, roster).map(|missing| missing.message)
}

#[test]
fn a_tool_that_changed_says_which_part_and_who_can_help() {
    let why = Absence::Changed(vec![DefinitionPart::Description, DefinitionPart::InputSchema]);
    let tool = MissingTool { upstream: "crm".into(), exposed_name: "crm_find".into(), why };
    let status = vec![status("crm", UpstreamState::Connected)];
    let roster = Roster { missing: vec![tool], status, ..Roster::default() };
    let message = find("crm_find", &config(&[("crm", "crm_")]), &roster).unwrap();
    assert!(
        message.contains("(description, inputSchema)") && message.contains("mcp-runtime pin"),
        "{message}"
    );
    assert_eq!(find("crm_other", &config(&[("crm", "crm_")]), &roster), None);
}

#[test]
fn a_tool_of_a_lost_upstream_is_known_by_its_name_or_its_prefix() {
    let tool = MissingTool { upstream: "b".into(), exposed_name: "find".into(), why: Absence::Unreachable };
    let gone = ["a", "b"].map(|name| status(name, UpstreamState::Unreachable)).to_vec();
    let mut roster = Roster { missing: vec![tool], status: gone, ..Roster::default() };
    let config = config(&[("a", "a_"), ("b", "")]);
    for name in ["find", "a_anything"] {
        let message = find(name, &config, &roster).unwrap();
        assert!(message.contains("since 2026-11-21T20:00:00Z") && message.contains("try later"), "{message}");
    }
    assert_eq!(find("other", &config, &roster), None, "an empty prefix says nothing");
    let about = About { capabilities: ServerCapabilities::default(), instructions: None, info: None };
    roster.about = vec![("a".into(), about)];
    assert_eq!(find("a_anything", &config, &roster), None, "its names are known");
}

#[test]
fn instructions_name_what_is_gone_and_are_bounded() {
    let names: Vec<String> = (0..20).map(|n| format!("u{n}")).collect();
    let upstreams: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "p_")).collect();
    let config = config(&upstreams);
    let status = names.iter().map(|name| status(name, UpstreamState::Connected)).collect();
    let mut roster = Roster { status, ..Roster::default() };
    assert_eq!(instructions(&config, &roster), None);
    roster.status.iter_mut().for_each(|status| status.state = UpstreamState::Unreachable);
    let text = instructions(&config, &roster).unwrap();
    assert!(text.contains("those of u0 (names that begin with p_), since 2026-11-21T20:00:00Z;"), "{text}");
    assert!(text.contains("; and those of 12 more") && !text.contains("u8"), "{text}");
}

#[test]
fn instructions_keep_to_themselves_what_only_some_may_use() {
    let mut config = config(&[("open", ""), ("secret", "")]);
    config.upstreams[1].scopes = vec!["staff".into()];
    let status = ["open", "secret"].map(|name| status(name, UpstreamState::Unreachable)).to_vec();
    let text = instructions(&config, &Roster { status, ..Roster::default() }).unwrap();
    assert!(text.contains("those of open") && !text.contains("secret"), "{text}");
}
