//! Who may call, and how we authenticate to others, as compile reads it.

use super::fleets::{self, Fleet, tool};
use crate::{
    compile::{Reason, Severity},
    v1alpha1::{McpServer, McpTool},
};
use mcpfleet_config::{Access, HeaderValue, Strangers, TokenAlgorithm, UpstreamTransport};

const OAUTH: &str = "oauth: [{issuer: 'https://idp.example.com', audiences: [shop]}]";

fn guarded(auth: &str, spec: &str) -> McpServer {
    fleets::parse(&format!(
        "kind: McpServer\nmetadata: {{name: shop, namespace: agents}}\nspec:\n  auth: {{{auth}}}\n  \
         tools: {{selector: {{}}}}\n  {spec}\n"
    ))
}

fn upstream(auth: &str) -> String {
    format!("upstreams: [{{name: up, remote: {{url: 'https://up.example.com/mcp', auth: {auth}}}}}]")
}

fn reasons(server: McpServer) -> Vec<(String, Reason)> {
    let outcome = Fleet::of(server).tool(tool("a")).compile();
    let report = outcome.map_or_else(|refused| refused.report, |compiled| compiled.report);
    report.errors().map(|finding| (finding.field.clone(), finding.reason)).collect()
}

#[test]
fn issuers_and_keys_become_access() {
    let auth = format!("{OAUTH}, keys: {{secretRef: {{name: shop-keys}}}}, anonymous: {{}}");
    let server = guarded(&auth, "publicURL: https://shop.example.com/mcp/");
    let compiled = Fleet::of(server).tool(tool("a")).compile().unwrap();
    let Access::Restricted(access) = &compiled.config.access else { panic!() };
    assert_eq!(access.public_url.as_deref(), Some("https://shop.example.com/mcp"));
    assert_eq!((access.keys.as_deref(), access.strangers), (Some("shop-keys"), Strangers::Admitted));
    assert_eq!(access.issuers[0].user_claim, "sub");
    assert_eq!(access.issuers[0].algorithms, TokenAlgorithm::ALL);
    assert_eq!(compiled.config.format, 3);
    assert!(compiled.pod.credentials.contains("shop-keys"), "the whole Secret is mounted");
}

#[test]
fn what_uses_nothing_new_is_written_for_older_runtimes() {
    assert_eq!(Fleet::shop().tool(tool("a")).compile().unwrap().config.format, 1);
    let mut scoped = tool("a");
    scoped.spec.scopes = vec![crate::v1alpha1::Scope("orders.read".into())];
    assert_eq!(Fleet::shop().tool(scoped).compile().unwrap().config.format, 3);
}

#[test]
fn a_server_says_who_may_call_and_where() {
    assert_eq!(reasons(guarded("", "")), [("spec.auth".to_owned(), Reason::AuthMissing)]);
    assert_eq!(reasons(guarded(OAUTH, "")), [("spec.publicURL".to_owned(), Reason::AuthMissing)]);
    let no_audience = guarded("oauth: [{issuer: 'https://i', audiences: []}]", "publicURL: https://s");
    assert_eq!(reasons(no_audience)[0].0, "spec.auth.oauth[https://i].audiences");
    let twice = "oauth: [{issuer: 'https://i', audiences: [a]}, {issuer: 'https://i', audiences: [b]}]";
    assert_eq!(reasons(guarded(twice, "publicURL: https://s"))[0].1, Reason::DuplicateName);
}

#[test]
fn symmetric_algorithms_cannot_be_written() {
    let yaml = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: a}\nspec: {auth: {oauth: [{issuer: \
                'https://i', audiences: [a], algorithms: [HS256]}]}}\n";
    let error = serde_saphyr::from_str::<McpServer>(yaml).unwrap_err();
    assert!(error.to_string().contains("HS256"), "{error}");
}

#[test]
fn a_callers_token_goes_on_only_where_the_server_says_so_and_callers_have_one() {
    let pass = upstream("{passThrough: {}}");
    let with_oauth = guarded(OAUTH, &format!("publicURL: https://s\n  {pass}"));
    let compiled = Fleet::of(with_oauth).tool(tool("a")).compile().unwrap();
    let UpstreamTransport::StreamableHttp { headers, .. } = &compiled.config.upstreams[0].transport else {
        panic!()
    };
    assert_eq!(headers[0].value, HeaderValue::PassThrough);

    let field = "spec.upstreams[up].remote.auth.passThrough".to_owned();
    for auth in ["anonymous: {}", "keys: {secretRef: {name: k}}"] {
        assert_eq!(reasons(guarded(auth, &pass)), [(field.clone(), Reason::AuthMissing)], "{auth}");
    }
    let tool: McpTool = fleets::parse(
        "kind: McpTool\nmetadata: {name: t, namespace: agents, labels: {fleet: shop}}\nspec: {description: d, \
         backend: {http: {url: 'http://svc/', auth: {passThrough: {}}}}}\n",
    );
    let report = crate::compile::check_tool(&tool);
    assert_eq!(report.errors().next().unwrap().field, "spec.backend.http.auth.passThrough");
}

#[test]
fn every_way_to_authenticate_names_its_secrets() {
    let client = "tokenUrl: 'https://idp.example.com/token', clientIdRef: {name: id, key: k}, \
                  clientSecretRef: {name: secret, key: k}";
    for (auth, secrets) in [
        ("{basic: {secretRef: {name: login}}}".to_owned(), vec!["login"]),
        (format!("{{oauthClientCredentials: {{{client}}}}}"), vec!["id", "secret"]),
        (format!("{{tokenExchange: {{{client}, audience: crm}}}}"), vec!["id", "secret"]),
    ] {
        let server = guarded(OAUTH, &format!("publicURL: https://s\n  {}", upstream(&auth)));
        let compiled = Fleet::of(server).tool(tool("a")).compile().unwrap();
        assert_eq!(compiled.report.findings, [], "{auth}");
        assert_eq!(compiled.pod.credentials, secrets.into_iter().map(ToOwned::to_owned).collect(), "{auth}");
    }
}

#[test]
fn an_exchange_says_whom_the_token_is_for() {
    let client = "{tokenUrl: 'https://i/t', clientId: a, clientSecretRef: {name: s, key: k}}";
    let server = guarded(
        OAUTH,
        &format!("publicURL: https://s\n  {}", upstream(&format!("{{tokenExchange: {client}}}"))),
    );
    assert_eq!(reasons(server)[0].0, "spec.upstreams[up].remote.auth.tokenExchange");
}

#[test]
fn scopes_that_no_caller_can_have_are_told() {
    let mut scoped = tool("a");
    scoped.spec.scopes = vec![crate::v1alpha1::Scope("orders.read".into())];
    let compiled = Fleet::shop().tool(scoped).compile().unwrap();
    let finding = &compiled.report.findings[0];
    assert_eq!((finding.severity, finding.field.as_str()), (Severity::Warning, "spec.auth"));
}

#[test]
fn a_reference_to_a_server_that_wants_credentials_is_refused() {
    let front = fleets::server("front", "upstreams: [{name: shop, serverRef: {name: shop}}]");
    let closed = guarded("keys: {secretRef: {name: k}}", "");
    let compiled = Fleet::of(front).neighbour(closed).compile().unwrap();
    let finding = compiled.report.errors().next().unwrap();
    assert_eq!(finding.reason, Reason::AuthMissing);
    assert!(finding.message.contains("anonymous"), "{finding}");
}
