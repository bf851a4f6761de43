use super::{Host, judge};
use crate::{
    fixtures::{observed, server, serving, tool, tool_with_secret},
    fleet::Summary,
};
use mcpfleet_config::{CredentialRef, status::CredentialUser};
use mcpfleet_crds::v1alpha1::{ConditionStatus, McpTool, McpToolStatus, Membership};
use serde_json::json;

/// `support` with these tools; its pods hold the configuration.
fn host(tools: &[McpTool]) -> Host {
    let observed = serving(observed(server(json!({})), tools));
    let summary = observed.summary();
    Host { name: "support".into(), compilation: observed.compilation, summary, idle: false, asked: true }
}

fn behind(tools: &[McpTool]) -> Host {
    Host { summary: Summary { behind: vec!["pod".into()], ..Summary::default() }, ..host(tools) }
}

/// `(Ready, reason)`.
fn ready(object: &McpTool, hosts: &[Host]) -> (ConditionStatus, String) {
    let ready = judge(object, hosts).ready;
    (ready.status, ready.reason)
}

fn is(status: ConditionStatus, reason: &str) -> (ConditionStatus, String) {
    (status, reason.into())
}

#[test]
fn a_tool_is_ready_when_every_server_that_selects_it_serves_it() {
    let hello = tool("hello", json!({}));
    assert_eq!(ready(&hello, &[host(std::slice::from_ref(&hello))]), is(ConditionStatus::True, "Served"));
    assert_eq!(ready(&hello, &[]), is(ConditionStatus::False, "NotSelected"));
}

#[test]
fn a_tool_that_is_invalid_says_so_selected_or_not() {
    let bad = tool("bad", json!({"inputSchema": {"type": "no such type"}}));
    assert_eq!(ready(&bad, &[]), is(ConditionStatus::False, "InvalidSchema"));
    let verdicts = judge(&bad, &[host(&[tool("hello", json!({})), bad.clone()])]);
    assert_eq!(verdicts.servers[0].serving, ConditionStatus::False);
    assert_eq!(verdicts.servers[0].reason, "InvalidSchema");
}

#[test]
fn the_loser_of_a_name_is_told_who_won() {
    let (first, second) = (tool("a", json!({"name": "same"})), tool("b", json!({"name": "same"})));
    let host = host(&[first.clone(), second.clone()]);
    assert_eq!(ready(&first, std::slice::from_ref(&host)).0, ConditionStatus::True);
    let verdicts = judge(&second, &[host]);
    assert_eq!(verdicts.ready.reason, "DuplicateName");
    assert!(verdicts.ready.message.contains("McpTool agents/a"), "{}", verdicts.ready.message);
}

#[test]
fn a_missing_secret_stands_on_the_tool_that_needs_it() {
    let (orders, hello) = (tool_with_secret("orders", "db"), tool("hello", json!({})));
    let mut host = host(&[orders.clone(), hello.clone()]);
    let credential = CredentialRef { secret: "db".into(), key: "token".into() };
    host.summary.missing = [(credential, [CredentialUser::Tool("orders".into())].into())].into();
    assert_eq!(ready(&orders, std::slice::from_ref(&host)), is(ConditionStatus::False, "SecretMissing"));
    assert_eq!(ready(&hello, &[host]), is(ConditionStatus::True, "Served"));
}

#[test]
fn a_tool_is_not_ready_before_pods_hold_it_and_stays_ready_while_others_come() {
    let mut hello = tool("hello", json!({}));
    assert_eq!(
        ready(&hello, &[behind(std::slice::from_ref(&hello))]),
        is(ConditionStatus::Unknown, "Propagating")
    );
    let served = judge(&hello, &[host(std::slice::from_ref(&hello))]);
    hello.status = Some(McpToolStatus {
        observed_generation: Some(1),
        servers: served.servers,
        ..McpToolStatus::default()
    });
    let others_come = behind(&[hello.clone(), tool("new", json!({}))]);
    assert_eq!(ready(&hello, &[others_come]), is(ConditionStatus::True, "Served"));
    hello.metadata.generation = Some(2);
    assert_eq!(
        ready(&hello, &[behind(std::slice::from_ref(&hello))]),
        is(ConditionStatus::Unknown, "Propagating")
    );
}

#[test]
fn a_restarted_operator_keeps_what_was_reported() {
    let mut hello = tool("hello", json!({}));
    let unasked = Host { summary: Summary::default(), asked: false, ..host(std::slice::from_ref(&hello)) };
    let reported = Membership {
        name: "support".into(),
        serving: ConditionStatus::False,
        reason: "SecretMissing".into(),
        message: "Secret".into(),
    };
    hello.status = Some(McpToolStatus {
        observed_generation: Some(1),
        servers: vec![reported.clone()],
        ..McpToolStatus::default()
    });
    assert_eq!(judge(&hello, &[unasked]).servers, [reported]);
}

#[test]
fn an_idle_server_has_nothing_to_bring_it_to() {
    let hello = tool("hello", json!({}));
    let idle = Host { idle: true, summary: Summary::default(), ..host(std::slice::from_ref(&hello)) };
    assert_eq!(ready(&hello, &[idle]), is(ConditionStatus::True, "Served"));
}
