//! `mcp-runtime lint`: what is printed, and the exit code.

use crate::manifests::{asking, fixed, fleet, server, write};
use serde_json::Value;
use std::{path::Path, process::Command};

fn lint(path: &Path, more: &[&str]) -> (i32, String) {
    let made =
        Command::new(env!("CARGO_BIN_EXE_mcp-runtime")).arg("lint").arg(path).args(more).output().unwrap();
    (made.status.code().unwrap(), String::from_utf8(made.stdout).unwrap())
}

#[test]
fn a_good_fleet_passes() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let (code, text) = lint(dir.path(), &[]);
    assert_eq!((code, text.trim()), (0, "1 servers, 1 tools, 0 routes: 0 errors, 0 warnings"));
}

#[test]
fn every_error_has_its_place_and_fails() {
    let dir = fleet(&[
        fixed("greet", "hello"),
        fixed("greet", "again"),
        fixed("odd", "x").replace("description", "descriptoin"),
        fixed("bad", "x").replace("type: integer", "type: integr"),
        asking("lost", "http://svc/{nobody}"),
    ]);
    write(dir.path(), "broken.yaml", "a: [\n");
    let (code, text) = lint(dir.path(), &[]);
    assert_eq!(code, 1);
    for part in
        ["DuplicateObject", "UnknownField", "InvalidSchema", "UnknownArgument", "broken.yaml:", "Unparsable"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, text) = lint(dir.path(), &["--output", "json"]);
    assert_eq!(code, 1);
    let findings: Vec<Value> = serde_json::from_str(&text).unwrap();
    let schema = findings.iter().find(|finding| finding["reason"] == "InvalidSchema").unwrap();
    assert_eq!(schema["object"], "McpTool agents/bad");
    assert_eq!(schema["severity"], "error");
    assert!(schema["file"].as_str().unwrap().ends_with("tools.yaml"));
    for field in ["line", "field", "message", "remedy"] {
        assert!(!schema[field].is_null(), "{field}: {schema}");
    }
}

#[test]
fn secrets_that_nobody_declares_and_tools_that_nobody_selects_are_warnings() {
    let with_auth =
        "backend: {http: {url: 'http://svc/', auth: {bearer: {secretRef: {name: orders, key: token}}}}}";
    let tool = fixed("orders", "x").replace("backend: {static: {text: x}}", with_auth);
    let dir = fleet(&[tool]);
    write(dir.path(), "elsewhere.yaml", &fixed("far", "x").replace("namespace: agents", "namespace: other"));
    let (code, text) = lint(dir.path(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warning: McpTool agents/orders") && text.contains("SecretNotFound"), "{text}");
    assert!(text.contains("McpTool other/far") && text.contains("NotSelected"), "{text}");

    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: orders, namespace: agents}\nstringData: {token: t}\n";
    write(dir.path(), "secret.yaml", secret);
    assert!(!lint(dir.path(), &[]).1.contains("SecretNotFound"));
}

#[test]
fn a_secret_value_is_never_printed() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: agents}\n";
    write(dir.path(), "a.yaml", &format!("{secret}data: {{key: hunter2-in-plain-text}}\n"));
    write(dir.path(), "b.yaml", &format!("{secret}stringData: {{key: [hunter2]}}\n"));
    let (code, text) = lint(dir.path(), &[]);
    assert_eq!(code, 1);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn tools_without_a_server_are_checked_too() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "tool.yaml", &fixed("bad", "x").replace("type: integer", "type: integr"));
    let (code, text) = lint(dir.path(), &[]);
    assert_eq!(code, 1);
    assert!(text.contains("InvalidSchema") && !text.contains("NotSelected"), "{text}");
    assert_eq!(lint(&dir.path().join("nothing-here.yaml"), &[]).0, 1);
}

#[test]
fn the_example_with_pins_passes() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pinned");
    let (code, text) = lint(&example, &[]);
    assert_eq!((code, text.trim()), (0, "2 servers, 3 tools, 0 routes: 0 errors, 0 warnings"));
}

#[test]
fn the_examples_that_need_nothing_else_pass() {
    for name in ["prompts", "tasks"] {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        let (code, text) = lint(&example, &[]);
        assert_eq!((code, text.trim()), (0, "1 servers, 1 tools, 0 routes: 0 errors, 0 warnings"), "{name}");
    }
}

#[test]
fn what_a_server_offers_itself_is_checked_with_its_place() {
    let offers = "  prompts:\n  - {name: greet, messages: [{role: User, text: 'Hello {{who}}'}]}\n  \
                  - {name: quote, messages: [{role: User, resource: {uri: 'shop://gone'}}]}\n  resources:\n  \
                  - {name: tier, uriTemplate: 'shop://{tier', content: {text: x}}\n";
    let example = "backend: {static: {text: x}}\n  examples: [{say: odd, arguments: {id: x}}]";
    let dir = fleet(&[fixed("odd", "x").replace("backend: {static: {text: x}}", example)]);
    write(dir.path(), "server.yaml", &server("support", offers));
    let (code, text) = lint(dir.path(), &["--output", "json"]);
    assert_eq!(code, 1, "{text}");
    let findings: Vec<Value> = serde_json::from_str(&text).unwrap();
    for (field, reason) in [
        ("spec.prompts[greet].messages[0].text", "UnknownArgument"),
        ("spec.prompts[quote].messages[0].resource.uri", "ResourceNotFound"),
        ("spec.resources[tier].uriTemplate", "InvalidTemplate"),
        ("spec.examples[0].arguments", "InvalidExample"),
    ] {
        assert!(findings.iter().any(|f| f["field"] == field && f["reason"] == reason), "{field}: {text}");
    }
}

#[test]
fn services_that_are_declared_are_looked_at_and_others_are_told_of() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let upstreams = "  upstreams: [{name: wiki, serviceRef: {name: wiki, port: 8080}}]\n";
    write(dir.path(), "server.yaml", &server("support", upstreams));
    let (code, text) = lint(dir.path(), &[]);
    assert!(code == 0 && text.contains("Service wiki is in no manifest of namespace agents"), "{text}");
    let service = |port: u16| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: wiki, namespace: agents}}\nspec: {{ports: [{{port: {port}}}]}}\n"
        )
    };
    write(dir.path(), "service.yaml", &service(80));
    let (code, text) = lint(dir.path(), &[]);
    assert!(code == 1 && text.contains("has no TCP port 8080; it has 80"), "{text}");
    write(dir.path(), "service.yaml", &service(8080));
    let (code, text) = lint(dir.path(), &[]);
    assert!(code == 0 && text.contains("0 errors, 0 warnings"), "{text}");
}

#[test]
fn the_example_of_several_namespaces_is_granted_what_it_refers_to() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/namespaces/fleet.yaml");
    let (code, text) = lint(&example, &[]);
    assert!(code == 0 && text.contains("0 errors, 0 warnings"), "{text}");
    let dir = tempfile::tempdir().unwrap();
    let fleet = std::fs::read_to_string(&example).unwrap();
    write(dir.path(), "fleet.yaml", &fleet.replace("name: wiki}]", "name: intranet}]"));
    let (code, text) = lint(dir.path(), &[]);
    assert!(code == 1 && text.contains("ReferenceNotGranted"), "{text}");
}
