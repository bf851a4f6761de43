//! What compile promises, told on small fleets written as users write them.

mod access;
mod asynchronous;
mod auths;
mod discovery;
mod fleets;
mod foreign;
mod guidance;
mod offers;
mod programs;
mod properties;
mod references;
mod searching;
mod upstream_tools;

use super::*;
use crate::v1alpha1::McpTool;
use fleets::{Fleet, route, server, tool};
use mcpfleet_config::{Backend, UpstreamTransport};

#[test]
fn a_selected_tool_is_served() {
    let fleet =
        Fleet::of(server("shop", "tools: {selector: {matchLabels: {fleet: shop}}}")).tool(tool("find-order"));
    let compiled = fleet.compile().unwrap();
    assert_eq!(compiled.config.tools[0].name, "find_order");
    assert_eq!(compiled.config.tools[0].timeout_ms, 30_000);
    assert!(matches!(compiled.config.tools[0].backend, Backend::Static(_)));
    assert_eq!(compiled.report.findings, []);
}

#[test]
fn objects_of_other_namespaces_and_labels_are_passed_over() {
    let mut elsewhere = tool("elsewhere");
    elsewhere.metadata.namespace = Some("other".into());
    let mut unlabelled = tool("unlabelled");
    unlabelled.metadata.labels = None;
    let compiled = Fleet::shop().tool(tool("mine")).tool(elsewhere).tool(unlabelled).compile().unwrap();
    assert_eq!(compiled.config.tools.len(), 1);
    assert_eq!(compiled.report.verdicts.len(), 1);
}

#[test]
fn a_name_claimed_twice_goes_to_the_older_object_and_the_loser_is_told() {
    let old = fleets::created(tool("zebra"), "2026-01-01T00:00:00Z").named("lookup");
    let young = fleets::created(tool("antelope"), "2026-02-01T00:00:00Z").named("lookup");
    let compiled = Fleet::shop().tool(young).tool(old).compile().unwrap();
    assert_eq!(compiled.config.tools.len(), 1);
    assert_eq!(compiled.config.tools[0].object, "zebra");
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!((finding.object.name.as_str(), finding.reason), ("antelope", Reason::DuplicateName));
    assert!(finding.message.contains("McpTool agents/zebra"), "{finding}");
}

#[test]
fn of_the_same_age_the_first_name_wins() {
    let compiled = Fleet::shop().tool(tool("b").named("x")).tool(tool("a").named("x")).compile().unwrap();
    assert_eq!(compiled.config.tools[0].object, "a");
}

#[test]
fn a_refused_tool_harms_no_other() {
    let broken = fleets::parse::<McpTool>(
        "kind: McpTool\nmetadata: {name: broken, namespace: agents, labels: {fleet: shop}}\nspec:\n  description: d\n  \
         inputSchema: {type: object, properties: {id: {type: integr}}}\n  backend: {static: {text: x}}\n",
    );
    let compiled = Fleet::shop().tool(broken).tool(tool("fine")).compile().unwrap();
    assert_eq!(compiled.config.tools.len(), 1);
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::InvalidSchema);
    assert!(finding.field.starts_with("spec.inputSchema.properties.id"), "{finding}");
    assert_eq!(compiled.report.refused(Kind::McpTool).count(), 1);
}

#[test]
fn a_selector_that_matches_nothing_is_reported_on_the_server() {
    let compiled = Fleet::shop().compile().unwrap();
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!((finding.object.kind, finding.reason), (Kind::McpServer, Reason::NothingSelected));
    assert!(finding.remedy.contains("fleet=shop"), "{finding}");
}

#[test]
fn a_url_can_use_declared_arguments_only() {
    let http = fleets::http_tool("orders", "http://orders/{id}{?status}", "{id: {type: integer}}");
    let compiled = Fleet::shop().tool(http).tool(tool("fine")).compile().unwrap();
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::UnknownArgument);
    assert!(finding.message.contains("{status}"), "{finding}");
    let warned = compiled.report.findings.iter().find(|f| f.severity == Severity::Warning).unwrap();
    assert!(warned.message.contains("{id}"), "{warned}");
}

#[test]
fn credentials_are_named_for_mounting_and_never_inlined() {
    let route = route("models", "auth: {bearer: {secretRef: {name: deepseek, key: token}}}");
    let fleet = Fleet::of(server("shop", "models: {selector: {}}")).route(route);
    let compiled = fleet.compile().unwrap();
    assert_eq!(compiled.pod.credentials.iter().collect::<Vec<_>>(), ["deepseek"]);
    assert!(compiled.encoded.json.contains(r#""secret":"deepseek","key":"token""#));
    assert!(compiled.config.serves_models);
}

#[test]
fn a_server_reference_becomes_the_neighbours_address() {
    let shop = server("shop", "upstreams: [{name: crm, prefix: crm_, serverRef: {name: crm}}]");
    let crm = server("crm", "tools: {selector: {}}");
    let fleet = Fleet::of(shop).neighbour(crm);
    let UpstreamTransport::StreamableHttp { url, .. } =
        &fleet.compile().unwrap().config.upstreams[0].transport
    else {
        panic!()
    };
    assert_eq!(url, "http://crm.agents.svc/mcp");
    let standalone = Placement::Standalone { base_url: "http://127.0.0.1:9000".into() };
    let UpstreamTransport::StreamableHttp { url, .. } =
        &fleet.compile_at(&standalone).unwrap().config.upstreams[0].transport
    else {
        panic!()
    };
    assert_eq!(url, "http://127.0.0.1:9000/agents/crm/mcp");
}

#[test]
fn references_that_lead_back_are_refused() {
    let a = server("a", "upstreams: [{name: b, serverRef: {name: b}}]");
    let b = server("b", "upstreams: [{name: c, serverRef: {name: c}}]");
    let c = server("c", "upstreams: [{name: a, serverRef: {name: a}}]");
    let compiled = Fleet::of(a).neighbour(b).neighbour(c).compile().unwrap();
    assert_eq!(compiled.config.upstreams, []);
    assert_eq!(compiled.report.errors().next().unwrap().reason, Reason::Cycle);
}

#[test]
fn a_reference_to_nobody_is_reported_where_it_stands() {
    let compiled =
        Fleet::of(server("a", "upstreams: [{name: b, serverRef: {name: gone}}]")).compile().unwrap();
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::ServerNotFound);
    assert_eq!(finding.field, "spec.upstreams[b].serverRef.name");
}

#[test]
fn two_routes_with_one_model_serve_the_older() {
    let compiled = Fleet::of(server("shop", "models: {selector: {}}"))
        .route(route("b", ""))
        .route(route("a", ""))
        .compile()
        .unwrap();
    assert_eq!(compiled.config.providers.len(), 1);
    assert_eq!(compiled.config.providers[0].route, "a");
    assert_eq!(compiled.report.errors().next().unwrap().reason, Reason::DuplicateModel);
}

#[test]
fn a_server_that_does_not_say_who_may_call_is_refused_whole() {
    let mut shop = server("shop", "tools: {selector: {}}");
    shop.spec.auth.anonymous = None;
    let refused = Fleet::of(shop).tool(tool("a")).compile().unwrap_err();
    assert!(refused.report.errors().any(|f| f.reason == Reason::AuthMissing));
    assert!(refused.to_string().contains("anonymous: {}"), "{refused}");
}

#[test]
fn a_tool_for_which_there_is_no_room_costs_only_itself() {
    let mut fleet = Fleet::shop();
    for index in 0..20 {
        let mut big = tool(&format!("big-{index}"));
        let size = if index == 7 { 65_000 } else { 60_000 };
        big.spec.backend.static_ = Some(crate::v1alpha1::StaticBackend { text: "x".repeat(size) });
        fleet = fleet.tool(big);
    }
    let compiled = fleet.compile().unwrap();
    assert!((5..20).contains(&compiled.config.tools.len()));
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!((finding.object.kind, finding.reason), (Kind::McpTool, Reason::TooLarge));
    assert!(finding.message.contains("big-"), "{finding}");
}

#[test]
fn what_is_compiled_is_what_a_runtime_accepts() {
    let compiled = Fleet::shop().tool(tool("a")).tool(tool("b")).compile().unwrap();
    let read = RuntimeConfig::decode(compiled.encoded.json.as_bytes()).unwrap();
    assert_eq!(read, compiled.config);
    assert_eq!(read.encode().unwrap().hash, compiled.encoded.hash);
}

#[test]
fn headers_of_the_connection_cannot_be_set() {
    let mut http = fleets::http_tool("orders", "http://orders/x", "{}");
    let backend = http.spec.backend.http.as_mut().unwrap();
    backend.headers = vec![crate::v1alpha1::HttpHeader { name: "Host".into(), value: "elsewhere".into() }];
    let compiled = Fleet::shop().tool(http).tool(tool("fine")).compile().unwrap();
    assert_eq!(compiled.report.errors().next().unwrap().reason, Reason::InvalidHeader);
}

#[test]
fn a_header_that_stands_twice_is_refused() {
    let mut http = fleets::http_tool("orders", "http://orders/x", "{}");
    let backend = http.spec.backend.http.as_mut().unwrap();
    let header = |name: &str| crate::v1alpha1::HttpHeader { name: name.into(), value: "x".into() };
    backend.headers = vec![header("X-A"), header("x-a")];
    let compiled = Fleet::shop().tool(http).tool(tool("fine")).compile().unwrap();
    assert!(
        compiled.report.errors().any(|f| f.reason == Reason::InvalidHeader && f.message.contains("twice"))
    );
}

#[test]
fn a_server_whose_every_tool_is_refused_is_told() {
    let compiled = Fleet::shop().tool(tool("a").named("not a name")).compile().unwrap();
    let key = ObjectKey { kind: Kind::McpServer, namespace: "agents".into(), name: "shop".into() };
    assert_eq!(compiled.report.about(&key).next().unwrap().reason, Reason::NothingServed);
}

#[test]
fn a_url_that_is_the_server_itself_is_a_circle() {
    let spec = "upstreams: [{name: b, remote: {url: 'http://a.agents.svc/mcp'}}]";
    let compiled = Fleet::of(server("a", spec)).compile().unwrap();
    assert_eq!(compiled.report.errors().next().unwrap().reason, Reason::Cycle);
}

#[test]
fn a_name_that_no_secret_can_have_is_refused() {
    for name in ["../../etc", "My_Secret"] {
        let spec = format!("tools: {{selector: {{}}}}\n  tls: {{secretRef: {{name: {name}}}}}");
        let refused = Fleet::of(server("a", &spec)).tool(tool("a")).compile().unwrap_err();
        assert_eq!(refused.report.errors().next().unwrap().reason, Reason::InvalidName);
    }
}

#[test]
fn check_tool_and_check_route_speak_without_a_server() {
    assert_eq!(check_tool(&tool("a")).findings, []);
    assert_eq!(check_route(&route("a", "")).findings, []);
    assert_eq!(check_tool(&tool("a").named("not a name")).findings[0].reason, Reason::InvalidName);
}

/// Names a tool in passing.
trait Named {
    fn named(self, name: &str) -> Self;
}

impl Named for McpTool {
    fn named(mut self, name: &str) -> Self {
        self.spec.name = Some(name.into());
        self
    }
}
