//! References to other things: who may, what they become, and what they never tell.

use super::{
    fleets::{Fleet, server},
    foreign::{grant, lifecycle, service},
};
use crate::{
    compile::{Compiled, Finding, Placement, Reason, Severity, Sight},
    foreign::Optional,
    v1alpha1::McpServer,
};
use mcpfleet_config::UpstreamTransport;

const FROM_AGENTS: &str = "{group: mcpfleet.dev, kind: McpServer, namespace: agents}";
const TO_SERVERS: &str = "{group: mcpfleet.dev, kind: McpServer}";

pub(super) fn urls(compiled: &Compiled) -> Vec<&str> {
    fn url(upstream: &mcpfleet_config::Upstream) -> &str {
        match &upstream.transport {
            UpstreamTransport::StreamableHttp { url, .. } => url,
            UpstreamTransport::Stdio { .. } => "a program",
        }
    }
    compiled.config.upstreams.iter().map(url).collect()
}

fn one_finding(compiled: &Compiled) -> &Finding {
    let [finding] = compiled.report.findings.as_slice() else { panic!("{:?}", compiled.report.findings) };
    finding
}

fn in_namespace(mut server: McpServer, namespace: &str) -> McpServer {
    server.metadata.namespace = Some(namespace.into());
    server
}

/// Server `shop` of namespace `agents` with one upstream.
fn referring(reference: &str) -> Fleet {
    Fleet::of(server("shop", &format!("upstreams: [{{name: crm, {reference}}}]")))
}

/// The same with a server `crm` in namespace `sales`.
fn across() -> Fleet {
    let crm = in_namespace(server("crm", "tools: {selector: {}}"), "sales");
    referring("serverRef: {name: crm, namespace: sales}").neighbour(crm)
}

#[test]
fn another_namespace_is_reached_where_it_grants() {
    for to in [TO_SERVERS, "{group: mcpfleet.dev, kind: McpServer, name: crm}"] {
        let compiled = across().grant(grant("sales", FROM_AGENTS, to)).compile().unwrap();
        assert_eq!(urls(&compiled), ["http://crm.sales.svc/mcp"]);
        assert_eq!(compiled.report.findings, []);
    }
}

#[test]
fn what_grants_something_else_grants_nothing() {
    let other_kind = "{group: mcpfleet.dev, kind: McpTool, namespace: agents}";
    let other_group = "{group: gateway.networking.k8s.io, kind: McpServer, namespace: agents}";
    let other_namespace = "{group: mcpfleet.dev, kind: McpServer, namespace: others}";
    let refused = [
        grant("agents", FROM_AGENTS, TO_SERVERS),
        grant("others", FROM_AGENTS, TO_SERVERS),
        grant("sales", other_kind, TO_SERVERS),
        grant("sales", other_group, TO_SERVERS),
        grant("sales", other_namespace, TO_SERVERS),
        grant("sales", FROM_AGENTS, "{group: mcpfleet.dev, kind: McpServer, name: erp}"),
        grant("sales", FROM_AGENTS, "{group: '', kind: Service}"),
        grant("sales", FROM_AGENTS, "{group: mcp.x-k8s.io, kind: MCPServer}"),
        grant("sales", FROM_AGENTS, "{group: '', kind: McpServer}"),
    ];
    for grant in refused {
        let compiled = across().grant(grant.clone()).compile().unwrap();
        assert_eq!(compiled.config.upstreams, [], "{grant:?}");
        let finding = one_finding(&compiled);
        assert_eq!(finding.reason, Reason::ReferenceNotGranted, "{grant:?}");
        assert_eq!(finding.field, "spec.upstreams[crm].serverRef.namespace");
    }
}

/// A proposal that does not do what it says would be worse than none.
#[test]
fn the_grant_that_a_refusal_shows_is_the_one_that_helps() {
    for reference in [
        "serverRef: {name: crm, namespace: sales}",
        "serverRef: {group: mcp.x-k8s.io, name: crm, namespace: sales}",
        "serviceRef: {name: crm, namespace: sales, port: 80}",
    ] {
        let fleet = referring(reference);
        let compiled = fleet.compile().unwrap();
        let remedy = &one_finding(&compiled).remedy;
        let manifest = remedy.get(remedy.find("{apiVersion").unwrap()..).unwrap();
        let shown = crate::foreign::ReferenceGrant::read(&serde_saphyr::from_str(manifest).unwrap());
        let granted = fleet.grant(shown).compile().unwrap();
        let not_granted = |finding: &&Finding| finding.reason == Reason::ReferenceNotGranted;
        assert_eq!(granted.report.errors().find(not_granted), None, "{manifest}");
    }
}

#[test]
fn without_a_grant_nobody_learns_what_there_is() {
    let everything = |fleet: Fleet| {
        let crm = in_namespace(
            server("crm", "upstreams: [{name: shop, serverRef: {name: shop, namespace: agents}}]"),
            "sales",
        );
        fleet
            .neighbour(crm)
            .service(service("sales", "crm", "", "type: ExternalName, externalName: example.com"))
            .lifecycle(lifecycle(
                "sales",
                "crm",
                "{conditions: [{type: Available, status: 'False', reason: Broken}]}",
            ))
            .grant(grant("agents", "{group: mcpfleet.dev, kind: McpServer, namespace: sales}", TO_SERVERS))
    };
    for reference in [
        "serverRef: {name: crm, namespace: sales}",
        "serverRef: {group: mcp.x-k8s.io, name: crm, namespace: sales}",
        "serviceRef: {name: crm, namespace: sales, port: 80}",
    ] {
        let (empty, full) = (referring(reference), everything(referring(reference)));
        assert_eq!(empty.compile().unwrap().report, full.compile().unwrap().report, "{reference}");
    }
}

#[test]
fn circles_through_other_namespaces_are_refused() {
    let back = "upstreams: [{name: shop, serverRef: {name: shop, namespace: agents}}]";
    let circle = referring("serverRef: {name: crm, namespace: sales}")
        .neighbour(in_namespace(server("crm", back), "sales"))
        .grant(grant("sales", FROM_AGENTS, TO_SERVERS));
    // A reference that nobody granted leads nowhere.
    assert_eq!(urls(&circle.compile().unwrap()), ["http://crm.sales.svc/mcp"]);
    let from_sales = "{group: mcpfleet.dev, kind: McpServer, namespace: sales}";
    let compiled = circle.grant(grant("agents", from_sales, TO_SERVERS)).compile().unwrap();
    assert_eq!(compiled.config.upstreams, []);
    assert_eq!(one_finding(&compiled).reason, Reason::Cycle);
}

#[test]
fn a_server_of_the_same_name_elsewhere_is_no_circle() {
    let namesake = in_namespace(server("shop", "tools: {selector: {}}"), "sales");
    let compiled = referring("serverRef: {name: shop, namespace: sales}")
        .neighbour(namesake)
        .grant(grant("sales", FROM_AGENTS, TO_SERVERS))
        .compile()
        .unwrap();
    assert_eq!(urls(&compiled), ["http://shop.sales.svc/mcp"]);
}

#[test]
fn an_operator_of_some_namespaces_says_so() {
    let mut fleet = across().grant(grant("sales", FROM_AGENTS, TO_SERVERS));
    fleet.sight = Sight::Namespaces(["agents".to_owned()].into());
    assert_eq!(one_finding(&fleet.compile().unwrap()).reason, Reason::NamespaceNotWatched);
    fleet.sight = Sight::Namespaces(["agents".to_owned(), "sales".to_owned()].into());
    assert_eq!(urls(&fleet.compile().unwrap()).len(), 1);
}

#[test]
fn a_cluster_without_the_kinds_says_which_it_lacks() {
    let mut fleet = across();
    fleet.missing = [Optional::ReferenceGrant].into();
    let compiled = fleet.compile().unwrap();
    assert_eq!(one_finding(&compiled).reason, Reason::CrdMissing);
    let mut fleet = referring("serverRef: {group: mcp.x-k8s.io, name: crm}");
    fleet.missing = [Optional::LifecycleServer].into();
    let compiled = fleet.compile().unwrap();
    assert_eq!(one_finding(&compiled).reason, Reason::CrdMissing);
    assert!(
        one_finding(&compiled).message.contains("MCPServer of mcp.x-k8s.io"),
        "{}",
        one_finding(&compiled)
    );
}

#[test]
fn a_service_is_reached_at_its_port_and_path() {
    let crm = || service("agents", "crm", "", "ports: [{port: 8080, name: web}, {port: 53, protocol: UDP}]");
    let fleet = |more: &str| referring(&format!("serviceRef: {{name: crm, {more}}}")).service(crm());
    assert_eq!(urls(&fleet("port: 8080").compile().unwrap()), ["http://crm.agents.svc:8080/mcp"]);
    let compiled = fleet("port: 8080, path: /v2/mcp").compile().unwrap();
    assert_eq!(urls(&compiled), ["http://crm.agents.svc:8080/v2/mcp"]);
    let compiled = fleet("port: 53").compile().unwrap();
    let finding = one_finding(&compiled);
    assert_eq!(finding.reason, Reason::PortNotFound);
    assert!(finding.message.contains("8080 (web)"), "{finding}");
    let compiled = fleet("port: 8080, path: 'mcp?x'").compile().unwrap();
    assert_eq!(one_finding(&compiled).reason, Reason::InvalidUrl);
}

#[test]
fn a_service_that_is_not_there_or_could_lead_anywhere_is_refused() {
    let fleet = referring("serviceRef: {name: crm, port: 80}");
    assert_eq!(one_finding(&fleet.compile().unwrap()).reason, Reason::ServiceNotFound);
    let anywhere = service(
        "agents",
        "crm",
        "",
        "type: ExternalName, externalName: 169.254.169.254, ports: [{port: 80}]",
    );
    assert_eq!(one_finding(&fleet.service(anywhere).compile().unwrap()).reason, Reason::NotSupported);
}

#[test]
fn a_service_of_a_server_can_make_a_circle_too() {
    let own = service("agents", "shop", "", "ports: [{port: 80}]");
    let compiled = referring("serviceRef: {name: shop, port: 80}").service(own).compile().unwrap();
    assert_eq!(one_finding(&compiled).reason, Reason::Cycle);
}

#[test]
fn an_mcp_server_of_the_lifecycle_operator_is_where_its_status_says() {
    let reference = "serverRef: {group: mcp.x-k8s.io, name: crm}";
    let fleet = |status: &str| referring(reference).lifecycle(lifecycle("agents", "crm", status));
    let address = "address: {url: 'http://crm.agents.svc.cluster.local:8080/mcp'}";
    for condition in ["Available", "Ready"] {
        let status =
            format!("{{{address}, conditions: [{{type: {condition}, status: 'True', reason: Up}}]}}");
        let compiled = fleet(&status).compile().unwrap();
        assert_eq!(urls(&compiled), ["http://crm.agents.svc.cluster.local:8080/mcp"]);
    }
    let compiled = referring(reference).compile().unwrap();
    assert_eq!(one_finding(&compiled).reason, Reason::ServerNotFound);
}

#[test]
fn one_that_is_not_available_is_left_out_with_a_warning() {
    let reference = "serverRef: {group: mcp.x-k8s.io, name: crm}";
    let address = "address: {url: 'http://crm.agents.svc:8080/mcp'}";
    for status in [
        "{}".to_owned(),
        "'odd'".to_owned(),
        format!("{{{address}}}"),
        format!("{{{address}, conditions: [{{type: Available, status: 'False', reason: ImagePull}}]}}"),
        "{conditions: [{type: Available, status: 'True', reason: Up}]}".to_owned(),
    ] {
        let compiled = referring(reference).lifecycle(lifecycle("agents", "crm", &status)).compile().unwrap();
        assert_eq!(compiled.config.upstreams, [], "{status}");
        let finding = one_finding(&compiled);
        assert_eq!(
            (finding.reason, finding.severity),
            (Reason::UpstreamNotReady, Severity::Warning),
            "{status}"
        );
    }
}

#[test]
fn an_address_that_is_the_server_itself_or_cannot_be_verified_is_refused() {
    for (url, reason) in [
        ("http://shop.agents.svc/mcp", Reason::Cycle),
        ("http://shop.agents.svc.cluster.local./mcp", Reason::Cycle),
        ("https://crm.agents.svc:8443/mcp", Reason::NotSupported),
        ("gopher://crm", Reason::InvalidUrl),
    ] {
        let status = format!(
            "{{address: {{url: '{url}'}}, conditions: [{{type: Available, status: 'True', reason: Up}}]}}"
        );
        let compiled = referring("serverRef: {group: mcp.x-k8s.io, name: crm}")
            .lifecycle(lifecycle("agents", "crm", &status))
            .compile()
            .unwrap();
        assert_eq!(one_finding(&compiled).reason, reason, "{url}");
    }
}

#[test]
fn a_url_that_is_the_server_itself_is_refused_however_it_is_written() {
    for host in
        ["shop", "shop.agents", "SHOP.agents.svc", "shop.agents.svc.", "shop.agents.svc.cluster.local."]
    {
        let compiled = referring(&format!("remote: {{url: 'http://{host}/mcp'}}")).compile().unwrap();
        assert_eq!(one_finding(&compiled).reason, Reason::Cycle, "{host}");
    }
}

#[test]
fn on_a_laptop_servers_of_all_namespaces_are_reached_and_things_of_a_cluster_are_not() {
    let standalone = Placement::Standalone { base_url: "http://127.0.0.1:9000".into() };
    let fleet = across().grant(grant("sales", FROM_AGENTS, TO_SERVERS));
    assert_eq!(urls(&fleet.compile_at(&standalone).unwrap()), ["http://127.0.0.1:9000/sales/crm/mcp"]);
    for reference in ["serviceRef: {name: crm, port: 80}", "serverRef: {group: mcp.x-k8s.io, name: crm}"] {
        let mut fleet = referring(reference);
        fleet.sight = Sight::Manifests;
        let compiled = fleet.compile_at(&standalone).unwrap();
        let finding = one_finding(&compiled);
        assert_eq!((finding.reason, finding.severity), (Reason::NotSupported, Severity::Error));
        assert!(finding.message.contains("cluster"), "{finding}");
    }
}
