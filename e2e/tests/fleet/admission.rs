//! What the API server refuses before anything is stored, and with which words.

use mcpfleet_e2e::harness::{Fleet, output};
use std::fmt::Write as _;

/// One violation: what is wrong, the manifest's kind and spec (flow YAML), and words of the refusal.
const VIOLATIONS: &[(&str, &str, &str, &str)] = &[
    ("nothing to serve", "McpServer", "{auth: {anonymous: {}}}", "a server needs something to serve"),
    ("no word on who may call", "McpServer", "{auth: {}, tools: {selector: {}}}", "say who may call"),
    ("no auth at all", "McpServer", "{tools: {selector: {}}}", "spec.auth: Required value"),
    (
        "negative replicas",
        "McpServer",
        "{auth: {anonymous: {}}, tools: {selector: {}}, replicas: -1}",
        "spec.replicas",
    ),
    (
        "no concurrency",
        "McpServer",
        "{auth: {anonymous: {}}, tools: {selector: {}}, admission: {concurrency: 0}}",
        "spec.admission.concurrency",
    ),
    (
        "a wait that is no duration",
        "McpServer",
        "{auth: {anonymous: {}}, tools: {selector: {}}, admission: {queueTimeout: soon}}",
        "spec.admission.queueTimeout",
    ),
    (
        "an upstream without a target",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a}]}",
        "set exactly one of remote, serverRef, serviceRef and stdio",
    ),
    (
        "an upstream with two targets",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, remote: {url: 'http://a/mcp'}, serverRef: {name: b}}]}",
        "set exactly one of remote, serverRef, serviceRef and stdio",
    ),
    (
        "a program without a command",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, stdio: {image: 'a:1', command: []}}]}",
        "spec.upstreams[0].stdio.command",
    ),
    (
        "a variable with two values",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, stdio: {image: 'a:1', command: [a], env: [{name: A, value: b, \
         valueFrom: {secretKeyRef: {name: s, key: k}}}]}}]}",
        "set value or valueFrom, not both",
    ),
    (
        "two upstreams of one name",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, serverRef: {name: b}}, {name: a, serverRef: {name: c}}]}",
        "Duplicate value",
    ),
    (
        "an upstream at no URL",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, remote: {url: 'ftp://a'}}]}",
        "spec.upstreams[0].remote.url",
    ),
    (
        "two ways to authenticate",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, remote: {url: 'http://a/mcp', auth: {bearer: {secretRef: \
         {name: s, key: k}}, header: {name: x-key, secretRef: {name: s, key: k}}}}}]}",
        "set exactly one of bearer, header",
    ),
    (
        "a prefix that starts no tool name",
        "McpServer",
        "{auth: {anonymous: {}}, upstreams: [{name: a, prefix: 'a b', serverRef: {name: b}}]}",
        "spec.upstreams[0].prefix",
    ),
    ("no backend", "McpTool", "{description: d, backend: {}}", "set exactly one of static and http"),
    (
        "two backends",
        "McpTool",
        "{description: d, backend: {static: {text: x}, http: {url: 'http://a/'}}}",
        "set exactly one of static and http",
    ),
    ("no description", "McpTool", "{backend: {static: {text: x}}}", "spec.description: Required value"),
    (
        "a name with a blank",
        "McpTool",
        "{name: 'a b', description: d, backend: {static: {text: x}}}",
        "spec.name",
    ),
    (
        "a timeout that is no duration",
        "McpTool",
        "{description: d, timeout: 5, backend: {static: {text: x}}}",
        "spec.timeout",
    ),
    (
        "a host that a model would choose",
        "McpTool",
        "{description: d, backend: {http: {url: 'http://{host}/'}}}",
        "spec.backend.http.url",
    ),
    (
        "a method that does not exist",
        "McpTool",
        "{description: d, backend: {http: {method: FETCH, url: 'http://a/'}}}",
        "spec.backend.http.method",
    ),
    (
        "a schema that is no object",
        "McpTool",
        "{description: d, inputSchema: 'string', backend: {static: {text: x}}}",
        "spec.inputSchema",
    ),
    (
        "several providers, which is not built yet",
        "ProviderRoute",
        "{providers: [{name: a, api: OpenAI, baseUrl: 'http://a/v1', models: [{name: m}]}, \
         {name: b, api: OpenAI, baseUrl: 'http://b/v1', models: [{name: n}]}]}",
        "spec.providers",
    ),
    (
        "a dialect that is not spoken",
        "ProviderRoute",
        "{providers: [{name: a, api: Gopher, baseUrl: 'http://a/v1', models: [{name: m}]}]}",
        "spec.providers[0].api",
    ),
    (
        "a provider without models",
        "ProviderRoute",
        "{providers: [{name: a, api: OpenAI, baseUrl: 'http://a/v1', models: []}]}",
        "spec.providers[0].models",
    ),
];

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: mcpfleet.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

async fn create(fleet: &Fleet, manifest: &str) -> (bool, String) {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), manifest).unwrap();
    let path = file.path().to_str().unwrap();
    let args = ["-n", &fleet.namespace, "create", "--dry-run=server", "--validate=strict", "-f", path];
    let output = output("kubectl", &args).await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn each_violation_is_refused_with_words_that_help() {
    let fleet = Fleet::new("admission").await.unwrap();
    let mut wrong = String::new();
    for (what, kind, spec, words) in VIOLATIONS {
        let (accepted, said) = create(&fleet, &manifest(kind, "x", spec)).await;
        if accepted || !said.contains(words) {
            let _ = writeln!(wrong, "{what}: accepted={accepted}, wanted {words:?}, said {said}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn names_and_unknown_fields_are_refused() {
    let fleet = Fleet::new("admission").await.unwrap();
    let good = "{auth: {anonymous: {}}, tools: {selector: {}}}";
    for name in ["9lives", "with.dots", &"x".repeat(53)] {
        let (accepted, said) = create(&fleet, &manifest("McpServer", name, good)).await;
        assert!(!accepted && said.contains("metadata.name names a Service too"), "{name}: {said}");
    }
    let (accepted, said) = create(
        &fleet,
        &manifest("McpServer", "x", "{auth: {anonymous: {}}, tools: {selector: {}}, shards: {}}"),
    )
    .await;
    assert!(!accepted && said.contains(r#"unknown field "spec.shards""#), "{said}");
    let (accepted, said) = create(&fleet, &manifest("McpServer", "x", good)).await;
    assert!(accepted, "{said}");
    fleet.delete().await.unwrap();
}
