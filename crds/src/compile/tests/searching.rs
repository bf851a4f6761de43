//! Tool search and the registry: what becomes of them, and what is said when they cannot be.

use super::{fleets, *};
use fleets::{Fleet, route, server, tool};
use mcpfleet_config::{Strangers, ToolSearch};

const SHOP: &str = "tools: {selector: {matchLabels: {fleet: shop}}}";

fn shop(more: &str) -> Fleet {
    Fleet::of(server("shop", &format!("{SHOP}\n  {more}")))
}

fn crowd(fleet: Fleet, count: usize) -> Fleet {
    (0..count).fold(fleet, |fleet, number| fleet.tool(tool(&format!("tool-{number}"))))
}

#[test]
fn search_has_defaults_and_is_off_where_nothing_is_said() {
    let compiled = shop("toolSearch: {}").tool(tool("hello")).compile().unwrap();
    let search = ToolSearch { above: 40, always: Vec::new(), results: 5, embeddings: None };
    assert_eq!(compiled.config.tool_search, Some(search));
    assert_eq!((compiled.config.format, compiled.report.findings.len()), (4, 0));
    let plain = Fleet::shop().tool(tool("hello")).compile().unwrap();
    assert_eq!((plain.config.format, plain.config.tool_search), (1, None));
}

#[test]
fn a_long_list_without_search_is_warned_of() {
    let warned = |fleet: Fleet| -> Vec<Finding> { fleet.compile().unwrap().report.findings };
    assert_eq!(warned(crowd(Fleet::shop(), 40)), []);
    let findings = warned(crowd(Fleet::shop(), 41));
    assert_eq!((findings[0].severity, findings[0].reason), (Severity::Warning, Reason::TooManyTools));
    assert_eq!(findings[0].field, "spec.toolSearch");
    assert_eq!(warned(crowd(shop("toolSearch: {}"), 41)), []);
}

#[test]
fn a_tool_cannot_take_the_names_of_search() {
    let taken = || tool("finder").named("search_tools");
    let compiled = shop("toolSearch: {}").tool(taken()).tool(tool("hello")).compile().unwrap();
    let names: Vec<&str> = compiled.config.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["hello"]);
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!((finding.object.name.as_str(), finding.field.as_str()), ("finder", "spec.name"));
    assert_eq!(compiled.report.refused(Kind::McpTool).count(), 1);
    let without = Fleet::shop().tool(taken()).compile().unwrap();
    assert_eq!(without.config.tools[0].name, "search_tools", "it is a name like any other there");
}

#[test]
fn a_model_that_nobody_serves_leaves_search_by_words() {
    let spec =
        |model: &str| format!("models: {{selector: {{}}}}\n  toolSearch: {{embeddings: {{model: {model}}}}}");
    let compile =
        |model: &str| shop(&spec(model)).tool(tool("hello")).route(route("r", "")).compile().unwrap();
    let embeddings = |compiled: &Compiled| compiled.config.tool_search.clone().unwrap().embeddings;
    let served = compile("small");
    assert_eq!(embeddings(&served).map(|it| (it.model, it.timeout_ms)), Some(("small".into(), 2_000)));
    assert_eq!(served.report.findings, []);
    let unserved = compile("large");
    assert_eq!(embeddings(&unserved), None);
    let finding = unserved.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::ModelNotFound);
    assert_eq!(finding.field, "spec.toolSearch.embeddings.model");
}

#[test]
fn bounds_are_kept_whatever_the_admission_let_through() {
    let compiled = shop("toolSearch: {above: -1, results: 21}").tool(tool("hello")).compile().unwrap();
    let fields: Vec<&str> = compiled.report.errors().map(|finding| finding.field.as_str()).collect();
    assert_eq!(fields, ["spec.toolSearch.above", "spec.toolSearch.results"]);
}

#[test]
fn an_upstream_that_searches_by_itself_is_warned_of() {
    let front = || Fleet::of(server("front", "upstreams: [{name: inner, serverRef: {name: shop}}]"));
    let hidden = front().neighbour(server("shop", "toolSearch: {}")).compile().unwrap().report.findings;
    assert_eq!((hidden.len(), hidden[0].severity), (1, Severity::Warning));
    assert_eq!(hidden[0].field, "spec.upstreams[inner].serverRef.name");
    assert_eq!(front().neighbour(server("shop", SHOP)).compile().unwrap().report.findings, []);
    // An MCPServer of that name is something else.
    let other = "upstreams: [{name: inner, serverRef: {group: mcp.x-k8s.io, name: shop}}]";
    let fleet = Fleet::of(server("front", other)).neighbour(server("shop", "toolSearch: {}"));
    let findings = fleet.compile().unwrap().report.findings;
    assert!(findings.iter().all(|finding| finding.severity == Severity::Error), "{findings:?}");
}

fn neighbour(name: &str, auth: &str) -> McpServer {
    let yaml = format!(
        "kind: McpServer\nmetadata: {{name: {name}, namespace: agents}}\nspec:\n  auth: {auth}\n  \
         publicURL: https://{name}.example.com\n  tools: {{selector: {{}}}}\n"
    );
    fleets::parse(&yaml)
}

#[test]
fn neighbours_are_listed_with_their_doors_and_no_more() {
    let oauth = "{oauth: [{issuer: 'https://idp', audiences: [crm], tenantClaim: org}]}";
    let fleet = shop("registry: {selector: {}}")
        .tool(tool("hello"))
        .neighbour(server("open", SHOP))
        .neighbour(neighbour("crm", oauth))
        .neighbour(neighbour("locked", "{keys: {secretRef: {name: k}}}"))
        .neighbour(neighbour("broken", "{}"));
    let compiled = fleet.compile().unwrap();
    let listed: Vec<(&str, &str)> =
        compiled.config.neighbours.iter().map(|it| (it.name.as_str(), it.url.as_str())).collect();
    let want = [("agents/crm", "https://crm.example.com/mcp"), ("agents/open", "http://open.agents.svc/mcp")];
    assert_eq!(listed, want, "nobody can be judged by a key of another Secret");
    let [crm, open] = &compiled.config.neighbours[..] else { panic!("two") };
    assert_eq!((crm.strangers, open.strangers), (Strangers::Refused, Strangers::Admitted));
    assert_eq!(crm.issuers[0].claims, ["org", "sub"]);
    assert_eq!(compiled.config.format, 4);
    let standalone = Placement::Standalone { base_url: "http://127.0.0.1:9000".into() };
    assert_eq!(fleet.compile_at(&standalone).unwrap().config.neighbours, [], "their doors are asked there");
}
