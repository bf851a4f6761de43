//! Filters, overrides and pins of an upstream's tools.

use super::fleets::{Fleet, server};
use crate::compile::{Compiled, Severity};
use mcpfleet_config::{UpstreamAccess, pin::DefinitionHash};
use serde_json::Map;

fn compiled(tools: &str) -> Compiled {
    let spec = format!(
        "upstreams: [{{name: crm, prefix: crm_, remote: {{url: 'https://crm.example.com/mcp'}}, tools: {tools}}}]"
    );
    Fleet::of(server("shop", &spec)).compile().unwrap()
}

fn findings(tools: &str) -> Vec<(Severity, String, &'static str)> {
    let report = compiled(tools).report;
    let short = |field: &str| field.replace("spec.upstreams[crm].tools.", "");
    report.findings.iter().map(|it| (it.severity, short(&it.field), it.reason.as_str())).collect()
}

#[test]
fn what_is_declared_is_compiled() {
    let hash = DefinitionHash::of(&Map::new()).to_string();
    let tools = format!(
        "{{include: ['get_*'], exclude: ['*_all'], access: ReadOnly, pinning: Strict, pins: [{{name: get_one, hash: '{hash}'}}], \
          overrides: [{{name: get_one, rename: one, description: Returns one, annotations: {{readOnlyHint: true}}}}]}}"
    );
    let compiled = compiled(&tools);
    assert_eq!(compiled.report.findings, []);
    assert_eq!(compiled.config.format, 4);
    let tools = &compiled.config.upstreams[0].tools;
    assert_eq!((tools.access, &tools.pins.as_ref().unwrap()["get_one"]), (UpstreamAccess::ReadOnly, &hash));
    assert_eq!(tools.overrides["get_one"].rename.as_deref(), Some("one"));
    assert!(tools.takes("get_x") && !tools.takes("get_all") && !tools.takes("put"));
}

#[test]
fn mistakes_leave_the_upstream_out_and_have_their_place() {
    for (tools, field, reason) in [
        ("{include: ['get[a]']}", "include[get[a]]", "InvalidPattern"),
        ("{exclude: ['{a,b}']}", "exclude[{a,b}]", "InvalidPattern"),
        ("{overrides: [{name: a, rename: 'no name'}]}", "overrides[a].rename", "InvalidName"),
        ("{overrides: [{name: a, rename: x}, {name: b, rename: x}]}", "overrides[b].rename", "DuplicateName"),
        ("{overrides: [{name: a}, {name: a}]}", "overrides[a]", "DuplicateName"),
        ("{overrides: [{name: a, title: ''}]}", "overrides[a].title", "OutOfRange"),
        ("{pinning: Strict, pins: [{name: a, hash: 'v1:x'}]}", "pins[a].hash", "InvalidPin"),
        ("{pins: [{name: a, hash: 'sha256:x'}]}", "pins[a].hash", "InvalidPin"),
    ] {
        let found = findings(tools);
        assert!(found.contains(&(Severity::Error, field.into(), reason)), "{tools}: {found:?}");
        assert_eq!(compiled(tools).config.upstreams, [], "{tools}");
    }
}

#[test]
fn what_does_nothing_is_told() {
    let hash = DefinitionHash::of(&Map::new());
    let excluded = "{include: [b], overrides: [{name: a, title: A}]}".to_owned();
    let unused = format!("{{pins: [{{name: a, hash: '{hash}'}}]}}");
    for (tools, field, reason) in [
        (excluded, "overrides[a]", "NotServed"),
        ("{pinning: Strict}".into(), "pins", "PinsMissing"),
        (unused, "pins", "PinsUnused"),
    ] {
        assert_eq!(findings(&tools), [(Severity::Warning, field.into(), reason)], "{tools}");
    }
}
