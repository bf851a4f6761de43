//! Upstreams by labels: what is found, what it is called, and what gives way to what.

use super::{
    fleets::{Fleet, server},
    foreign::service,
    references::urls,
};
use crate::{
    compile::{Compiled, Finding, Placement, Reason, Severity},
    v1alpha1::McpServer,
};

const SERVERS: &str = "upstreamSelector: {servers: {selector: {matchLabels: {mcp: 'yes'}}}}";
const SERVICES: &str = "upstreamSelector: {services: {selector: {matchLabels: {mcp: 'yes'}}}}";
const LABELS: &str = ", labels: {mcp: 'yes'}";

fn labelled(mut server: McpServer) -> McpServer {
    server.metadata.labels = Some([("mcp".to_owned(), "yes".to_owned())].into());
    server
}

fn found(name: &str) -> McpServer {
    labelled(server(name, "tools: {selector: {}}"))
}

fn only_finding(compiled: &Compiled) -> &Finding {
    let [finding] = compiled.report.findings.as_slice() else { panic!("{:?}", compiled.report.findings) };
    assert_eq!(finding.severity, Severity::Warning, "who labels is not who wrote the server: {finding}");
    finding
}

fn prefixes(compiled: &Compiled) -> Vec<(&str, &str)> {
    compiled.config.upstreams.iter().map(|it| (it.name.as_str(), it.prefix.as_str())).collect()
}

#[test]
fn labelled_servers_of_the_namespace_become_upstreams() {
    let mut elsewhere = found("elsewhere");
    elsewhere.metadata.namespace = Some("sales".into());
    let mut prefixed = found("wiki");
    prefixed.metadata.annotations = Some([("mcpfleet.dev/prefix".to_owned(), "w.".to_owned())].into());
    let mut all = labelled(server("all", SERVERS));
    all.spec.tools = None;
    let compiled = Fleet::of(all)
        .neighbour(prefixed)
        .neighbour(elsewhere)
        .neighbour(found("crm-eu"))
        .neighbour(server("unlabelled", "tools: {selector: {}}"))
        .compile()
        .unwrap();
    assert_eq!(prefixes(&compiled), [("crm-eu", "crm_eu_"), ("wiki", "w.")]);
    assert_eq!(urls(&compiled), ["http://crm-eu.agents.svc/mcp", "http://wiki.agents.svc/mcp"]);
    assert_eq!(compiled.report.findings, []);
}

#[test]
fn a_service_says_by_annotations_where_it_speaks() {
    let ports = "ports: [{name: web, port: 80}, {name: mcp, port: 8080}, {name: rpc, port: 9090}]";
    let annotated = |name: &str, annotations: &str| {
        service("agents", name, &format!("{LABELS}, annotations: {{{annotations}}}"), ports)
    };
    let compiled = Fleet::of(server("all", SERVICES))
        .service(annotated("by-name", "mcpfleet.dev/port: rpc, mcpfleet.dev/path: /v2"))
        .service(annotated("by-number", "mcpfleet.dev/port: '80', mcpfleet.dev/prefix: n_"))
        .service(annotated("plain", ""))
        .service(service("agents", "single", LABELS, "ports: [{port: 3000}]"))
        .service(service("agents", "unlabelled", "", "ports: [{port: 3000}]"))
        .service(service("sales", "elsewhere", LABELS, "ports: [{port: 3000}]"))
        .compile()
        .unwrap();
    assert_eq!(
        urls(&compiled),
        [
            "http://by-name.agents.svc:9090/v2",
            "http://by-number.agents.svc/mcp",
            "http://plain.agents.svc:8080/mcp",
            "http://single.agents.svc:3000/mcp"
        ]
    );
    assert_eq!(
        prefixes(&compiled),
        [("by-name", "by_name_"), ("by-number", "n_"), ("plain", "plain_"), ("single", "single_")]
    );
    assert_eq!(compiled.report.findings, []);
}

#[test]
fn a_service_that_does_not_say_its_port_is_left_out_with_a_warning() {
    for (more, spec) in [
        (LABELS.to_owned(), "ports: [{name: a, port: 80}, {name: b, port: 81}]"),
        (format!("{LABELS}, annotations: {{mcpfleet.dev/port: c}}"), "ports: [{name: a, port: 80}]"),
        (LABELS.to_owned(), "ports: [{name: dns, port: 53, protocol: UDP}]"),
    ] {
        let fleet = Fleet::of(server("all", SERVICES)).service(service("agents", "crm", &more, spec));
        let compiled = fleet.compile().unwrap();
        assert_eq!(compiled.config.upstreams, []);
        let finding = only_finding(&compiled);
        assert_eq!(finding.reason, Reason::PortNotFound);
        assert_eq!(finding.field, "spec.upstreamSelector.services[crm]");
    }
}

#[test]
fn what_is_found_and_cannot_be_served_is_a_warning_that_names_it() {
    let mut closed = found("closed");
    closed.spec.auth.anonymous = None;
    let anywhere =
        service("agents", "anywhere", LABELS, "type: ExternalName, externalName: x, ports: [{port: 80}]");
    let both = "upstreamSelector: {servers: {selector: {}}, services: {selector: {}}}";
    let compiled = Fleet::of(server("all", both))
        .neighbour(closed)
        .neighbour(found("fine"))
        .service(anywhere)
        .compile()
        .unwrap();
    assert_eq!(prefixes(&compiled), [("fine", "fine_")]);
    let told: Vec<_> =
        compiled.report.findings.iter().map(|it| (it.severity, it.field.as_str(), it.reason)).collect();
    assert_eq!(
        told,
        [
            (Severity::Warning, "spec.upstreamSelector.servers[closed]", Reason::AuthMissing),
            (Severity::Warning, "spec.upstreamSelector.services[anywhere]", Reason::NotSupported),
        ]
    );
}

#[test]
fn a_declared_upstream_wins() {
    let declared = |reference: &str| {
        Fleet::of(server("all", &format!("upstreams: [{{name: crm, prefix: c_, {reference}}}]\n  {SERVERS}")))
            .neighbour(found("crm"))
    };
    let compiled = declared("serverRef: {name: crm}").compile().unwrap();
    assert_eq!(prefixes(&compiled), [("crm", "c_")]);
    assert_eq!(compiled.report.findings, [], "it is how a found one is given settings");
    let compiled = declared("remote: {url: 'https://crm.example.com/mcp'}").compile().unwrap();
    assert_eq!(urls(&compiled), ["https://crm.example.com/mcp"]);
    assert_eq!(only_finding(&compiled).reason, Reason::DuplicateName);
}

#[test]
fn a_service_gives_way_to_a_server_of_its_name_and_services_of_servers_are_not_found_twice() {
    let both =
        "upstreamSelector: {servers: {selector: {matchLabels: {mcp: 'yes'}}}, services: {selector: {}}}";
    let own = service("agents", "wiki", ", labels: {mcpfleet.dev/server: wiki}", "ports: [{port: 80}]");
    let compiled = Fleet::of(server("all", both))
        .neighbour(found("crm"))
        .neighbour(found("wiki"))
        .service(own)
        .service(service("agents", "crm", "", "ports: [{port: 8080}]"))
        .compile()
        .unwrap();
    assert_eq!(urls(&compiled), ["http://crm.agents.svc/mcp", "http://wiki.agents.svc/mcp"]);
    assert_eq!(only_finding(&compiled).reason, Reason::DuplicateName);
}

#[test]
fn there_are_at_most_64_and_the_rest_is_told() {
    let mut fleet = Fleet::of(server(
        "all",
        &format!("upstreams: [{{name: z, remote: {{url: 'http://z/mcp'}}}}]\n  {SERVERS}"),
    ));
    for index in 0..70 {
        fleet = fleet.neighbour(found(&format!("s{index:02}")));
    }
    let compiled = fleet.compile().unwrap();
    assert_eq!(compiled.config.upstreams.len(), 64);
    assert!(compiled.config.upstreams.iter().any(|it| it.name == "z"));
    let finding = only_finding(&compiled);
    assert_eq!(finding.reason, Reason::TooMany);
    assert!(finding.message.contains("s63") && finding.message.contains("room for 63"), "{finding}");
}

#[test]
fn servers_that_find_each_other_make_a_circle() {
    let compiled = Fleet::of(labelled(server("a", SERVERS)))
        .neighbour(labelled(server("b", SERVERS)))
        .compile()
        .unwrap();
    assert_eq!(compiled.config.upstreams, []);
    assert_eq!(only_finding(&compiled).reason, Reason::Cycle);
}

#[test]
fn finding_nothing_is_a_warning_and_a_bad_selector_an_error() {
    let compiled = Fleet::of(server("all", SERVERS)).compile().unwrap();
    assert_eq!(only_finding(&compiled).reason, Reason::NothingSelected);
    let odd = "upstreamSelector: {servers: {selector: {matchExpressions: [{key: a, operator: Near}]}}}";
    let compiled = Fleet::of(server("all", odd)).compile().unwrap();
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::InvalidSelector);
}

#[test]
fn on_a_laptop_servers_are_found_and_services_are_told_of() {
    let both =
        "upstreamSelector: {servers: {selector: {matchLabels: {mcp: 'yes'}}}, services: {selector: {}}}";
    let fleet = Fleet::of(server("all", both)).neighbour(found("crm"));
    let compiled =
        fleet.compile_at(&Placement::Standalone { base_url: "http://127.0.0.1:1".into() }).unwrap();
    assert_eq!(urls(&compiled), ["http://127.0.0.1:1/agents/crm/mcp"]);
    assert_eq!(only_finding(&compiled).reason, Reason::NotSupported);
}
