//! What reaches services and upstreams: what the server says, and never the caller's own token unless it says that.

use crate::{
    answer, call, guarded,
    idp::Idp,
    manifests::{fixed, fleet, write},
    mcp::{method, modern, said, tool},
    process::{Runtime, until},
    server::{Seen, Server, full},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: agents}\nstringData: {username: ann, \
                      password: 'p:w', client: our-secret}\n";

/// A tool `ask` that asks a service with this `auth`.
fn asking(dir: &Path, service: &Server, auth: &str) {
    let backend = format!("backend: {{http: {{url: '{}', auth: {auth}}}}}", service.url("/"));
    let tool = fixed("ask", "x").replace("backend: {static: {text: x}}", &backend);
    write(dir, "ask.yaml", &tool);
    write(dir, "secret.yaml", SECRET);
}

fn client(idp: &Idp, more: &str) -> String {
    let secret = "clientSecretRef: {name: login, key: client}";
    format!("{{tokenUrl: '{}', clientId: shop, {secret}{more}}}", idp.url("/token"))
}

async fn service() -> Server {
    Server::start(|_| std::future::ready(Ok(full(200, "application/json", "{}")))).await
}

fn authorization(seen: &Seen) -> String {
    seen.header("authorization").unwrap_or_default().to_owned()
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&seen.body).into_owned().collect()
}

#[tokio::test]
async fn basic_is_sent_as_its_rfc_says() {
    let service = service().await;
    let dir = fleet(&[]);
    asking(dir.path(), &service, "{basic: {secretRef: {name: login}}}");
    let runtime = Runtime::on(dir.path()).await;
    answer(call(&runtime, "ask").bearer_auth("the-callers-own")).await;
    let expected = format!("Basic {}", STANDARD.encode("ann:p:w"));
    assert_eq!(authorization(&service.seen()[0]), expected);
}

#[tokio::test]
async fn a_token_of_our_own_is_fetched_once_and_anew_when_it_is_refused() {
    let (idp, revoked) = (Idp::start().await, Arc::new(AtomicBool::new(false)));
    let service = Server::start({
        let revoked = revoked.clone();
        move |seen: Seen| {
            let refuse = revoked.load(Ordering::SeqCst) && authorization(&seen) == "Bearer granted-0";
            std::future::ready(Ok(full(if refuse { 401 } else { 200 }, "application/json", "{}")))
        }
    })
    .await;
    let dir = fleet(&[]);
    let auth = format!("{{oauthClientCredentials: {}}}", client(&idp, ", scopes: [read], audience: crm"));
    asking(dir.path(), &service, &auth);
    let runtime = Runtime::on(dir.path()).await;
    let many = (0..8).map(|_| answer(call(&runtime, "ask").bearer_auth("the-callers-own")));
    for answer in futures::future::join_all(many).await {
        assert_eq!(answer["result"]["isError"], Value::Null, "{answer}");
    }
    let asked = idp.asked("/token");
    assert_eq!(asked.len(), 1, "one fetch for all");
    assert_eq!(authorization(&asked[0]), format!("Basic {}", STANDARD.encode("shop:our-secret")));
    let expected = [("grant_type", "client_credentials"), ("audience", "crm"), ("scope", "read")];
    assert_eq!(form(&asked[0]), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(service.seen().iter().all(|seen| authorization(seen) == "Bearer granted-0"));

    revoked.store(true, Ordering::SeqCst);
    let again = answer(call(&runtime, "ask")).await;
    assert_eq!(again["result"]["isError"], Value::Null, "{again}");
    let sent: Vec<String> = service.seen().iter().skip(8).map(authorization).collect();
    assert_eq!(sent, ["Bearer granted-0", "Bearer granted-1"]);
    assert_eq!(idp.asked("/token").len(), 2);
}

#[tokio::test]
async fn an_endpoint_that_gives_no_token_is_told_without_its_secrets() {
    let service = service().await;
    let denying = Server::start(|_| {
        std::future::ready(Ok(full(401, "application/json", "{\"error\":\"invalid_client\"}")))
    })
    .await;
    let dir = fleet(&[]);
    let secret = "clientSecretRef: {name: login, key: client}";
    let auth = format!(
        "{{oauthClientCredentials: {{tokenUrl: '{}', clientId: shop, {secret}}}}}",
        denying.url("/token")
    );
    asking(dir.path(), &service, &auth);
    let runtime = Runtime::on(dir.path()).await;
    let failed = answer(call(&runtime, "ask")).await["result"].take();
    let text = failed["content"][0]["text"].as_str().unwrap();
    assert!(
        failed["isError"] == true && text.contains("invalid_client") && !text.contains("our-secret"),
        "{text}"
    );
    assert_eq!(service.seen().len(), 0);
}

/// An upstream MCP server behind a server with OAuth.
async fn behind_oauth(idp: &Idp, auth: &str) -> (Server, Runtime, tempfile::TempDir) {
    let upstream =
        Server::start(
            |seen| async move { modern(&seen, &[tool("look")]).unwrap_or_else(|| said(&seen, "seen")) },
        )
        .await;
    let dir = fleet(&[]);
    write(dir.path(), "secret.yaml", SECRET);
    let remote = format!("remote: {{url: '{}', auth: {auth}}}", upstream.url("/mcp"));
    let more = format!("  publicURL: https://shop.example.com\n  upstreams: [{{name: up, {remote}}}]\n");
    guarded(dir.path(), &format!("{{{}, keys: {{secretRef: {{name: none}}}}}}", idp.oauth()), &more);
    let runtime = Runtime::on(dir.path()).await;
    let token = idp.token(json!({}));
    until("the upstream's tool", || async {
        (crate::names(crate::list(&runtime).bearer_auth(&token)).await == ["look"]).then_some(())
    })
    .await;
    (upstream, runtime, dir)
}

fn calls(upstream: &Server) -> Vec<String> {
    upstream.seen().iter().filter(|seen| method(seen) == "tools/call").map(authorization).collect()
}

#[tokio::test]
async fn an_exchanged_token_is_the_callers_and_the_callers_own_stays_here() {
    let idp = Idp::start().await;
    let auth = format!("{{tokenExchange: {}}}", client(&idp, ", resource: 'https://crm.example.com'"));
    let (upstream, runtime, _dir) = behind_oauth(&idp, &auth).await;
    let (alice, bob) = (idp.token(json!({})), idp.token(json!({"sub": "bob"})));
    for token in [&alice, &bob, &alice] {
        let done = answer(call(&runtime, "look").bearer_auth(token)).await;
        assert_eq!(done["result"]["content"][0]["text"], "seen", "{done}");
    }
    let sent = calls(&upstream);
    assert!(
        sent[0] == sent[2]
            && sent[0] != sent[1]
            && sent.iter().all(|token| token.starts_with("Bearer granted-")),
        "{sent:?}"
    );
    let exchanged: Vec<String> = idp
        .asked("/token")
        .iter()
        .filter_map(|seen| form(seen).into_iter().find(|(name, _)| name == "subject_token"))
        .map(|(_, token)| token)
        .collect();
    assert_eq!(exchanged, [alice.clone(), bob.clone()], "one exchange for each");
    for seen in upstream.seen() {
        let whole = format!("{seen:?}");
        assert!(!whole.contains(&alice) && !whole.contains(&bob), "{whole}");
    }
}

#[tokio::test]
async fn a_token_is_passed_through_where_the_server_says_so() {
    let idp = Idp::start().await;
    let (upstream, runtime, _dir) = behind_oauth(&idp, "{passThrough: {}}").await;
    let token = idp.token(json!({"sub": "carol"}));
    answer(call(&runtime, "look").bearer_auth(&token)).await;
    assert_eq!(calls(&upstream), [format!("Bearer {token}")]);
    let own = upstream.seen().into_iter().filter(|seen| method(seen) != "tools/call");
    assert!(
        own.into_iter().all(|seen| seen.header("authorization").is_none()),
        "our own lists carry nobody's"
    );
}
