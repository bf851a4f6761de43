//! Access tokens: good ones, bad ones, and an issuer that changes its keys or is away.

use crate::{
    answer, call, guarded, header,
    idp::{Idp, now},
    list,
    manifests::{fixed, fleet},
    names,
    process::{Runtime, until},
    signing::Signing,
    status,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tempfile::TempDir;

const PUBLIC: &str = "  publicURL: https://shop.example.com/mcp\n";
const METADATA: &str = "https://shop.example.com/.well-known/oauth-protected-resource/mcp";

/// A server that trusts the issuer, with one tool.
fn shop(idp: &Idp) -> TempDir {
    let dir = fleet(&[fixed("greet", "hello")]);
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), PUBLIC);
    dir
}

#[tokio::test]
async fn a_good_token_opens_and_without_one_the_way_in_is_told() {
    let idp = Idp::start().await;
    let runtime = Runtime::on(shop(&idp).path()).await;
    let said = answer(call(&runtime, "greet").bearer_auth(idp.token(json!({})))).await;
    assert_eq!(said["result"]["content"][0]["text"], "hello", "{said}");

    let refused = list(&runtime).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let challenge = header(&refused, "www-authenticate");
    assert_eq!(challenge, format!("Bearer resource_metadata=\"{METADATA}\""));
    for request in [runtime.http.get(runtime.url("/mcp")), runtime.legacy("/mcp", "initialize", &json!({}))] {
        assert_eq!(status(request).await, 401);
    }
    // Refused before the body is looked at.
    assert_eq!(status(runtime.http.post(runtime.url("/mcp")).body("{")).await, 401);
}

#[tokio::test]
async fn bad_tokens_are_refused_and_none_of_them_is_tried_on_the_issuer() {
    let idp = Idp::start().await;
    let runtime = Runtime::on(shop(&idp).path()).await;
    assert_eq!(status(list(&runtime).bearer_auth(idp.token(json!({})))).await, 200);
    let good = idp.token(json!({}));
    let part = |at: usize| good.split('.').nth(at).unwrap();
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
    let stronger = URL_SAFE_NO_PAD.encode(idp.claims(json!({"sub": "root"})).to_string());
    for (what, token, why) in [
        ("expired", idp.token(json!({"exp": now() - 600})), "expired"),
        ("not yet", idp.token(json!({"nbf": now() + 600})), "not valid yet"),
        ("other audience", idp.token(json!({"aud": "warehouse"})), "audience"),
        ("no audience", idp.token(json!({"aud": null})), "aud"),
        ("other issuer", idp.token(json!({"iss": "https://evil.example.com"})), "issuer"),
        ("no tenant", idp.token(json!({"org": null})), "org"),
        ("other key", Signing::new("key-0").sign(&idp.claims(json!({}))), "signature"),
        ("changed", format!("{}.{stronger}.{}", part(0), part(2)), "signature"),
        ("unsigned", format!("{none}.{}.", part(1)), "algorithm"),
        ("symmetric", idp.key().confuse(&idp.claims(json!({}))), "algorithm"),
        ("no token", "hello".to_owned(), "JWT"),
        ("huge", "a".repeat(9_000), "8 KiB"),
    ] {
        let refused = list(&runtime).bearer_auth(token).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{what}");
        let challenge = header(&refused, "www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{what}: {challenge}");
        assert!(challenge.contains(METADATA) && challenge.contains(why), "{what}: {challenge}");
    }
    assert_eq!(status(list(&runtime).header("authorization", "Basic YTpi")).await, 401);
    assert_eq!(idp.asked("/keys").len(), 1, "{:?}", idp.asked("/keys"));
    let known = runtime.logs().iter().any(|line| line.contains(&good) || line.contains(part(2)));
    assert!(!known, "tokens are not logged");
}

#[tokio::test]
async fn a_rotation_is_followed_and_made_up_keys_are_not_asked_for_again_and_again() {
    let idp = Idp::start().await;
    let runtime = Runtime::on(shop(&idp).path()).await;
    assert_eq!(status(list(&runtime).bearer_auth(idp.token(json!({})))).await, 200);
    idp.rotate();
    let token = idp.token(json!({"sub": "bob"}));
    assert_eq!(status(list(&runtime).bearer_auth(&token)).await, 200);
    assert_eq!(idp.asked("/keys").len(), 2);
    let start = std::time::Instant::now();
    for number in 0..20 {
        let made_up = Signing::new(&format!("made-up-{number}")).sign(&idp.claims(json!({})));
        assert_eq!(status(list(&runtime).bearer_auth(made_up)).await, 401);
    }
    // One in 30 s, however long this took.
    let most = 2 + usize::try_from(start.elapsed().as_secs() / 30).unwrap() + 1;
    assert!(idp.asked("/keys").len() <= most, "{}", idp.asked("/keys").len());
    assert_eq!(status(list(&runtime).bearer_auth(&token)).await, 200);
}

#[tokio::test]
async fn an_issuer_that_is_down_gives_503_at_first_and_old_keys_later() {
    let mut idp = Idp::start().await;
    idp.down().await;
    let runtime = Runtime::on(shop(&idp).path()).await;
    let token = idp.token(json!({}));
    let refused = list(&runtime).bearer_auth(&token).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after").as_str()), (503, "5"));
    assert_eq!(header(&refused, "www-authenticate"), "", "nobody is told to log in again");
    // What needs no keys to be refused is refused all the same.
    assert_eq!(status(list(&runtime)).await, 401);

    idp.up().await;
    until("the keys", || async { (status(list(&runtime).bearer_auth(&token)).await == 200).then_some(()) })
        .await;
    idp.down().await;
    let another = idp.token(json!({"sub": "bob"}));
    assert_eq!(status(list(&runtime).bearer_auth(another)).await, 200, "the old keys still hold");
    let made_up = Signing::new("made-up").sign(&idp.claims(json!({})));
    assert_eq!(status(list(&runtime).bearer_auth(made_up)).await, 401);
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_believed() {
    let idp = Idp::start().await;
    let dir = fleet(&[fixed("greet", "hello")]);
    // The same place under another name: its metadata says 127.0.0.1.
    let alias = idp.url("").replace("127.0.0.1", "localhost");
    let oauth = idp.oauth().replace(&idp.url(""), &format!("{alias}/realm"));
    guarded(dir.path(), &format!("{{{oauth}}}"), PUBLIC);
    let runtime = Runtime::on(dir.path()).await;
    let token = idp.token(json!({"iss": format!("{alias}/realm")}));
    assert_eq!(status(list(&runtime).bearer_auth(token)).await, 503);
}

#[tokio::test]
async fn the_resource_is_described_where_the_challenge_says() {
    let idp = Idp::start().await;
    let mut tool = fixed("greet", "hello");
    tool.push_str("  scopes: [b, a]\n");
    let dir = fleet(&[tool]);
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), PUBLIC);
    let runtime = Runtime::on(dir.path()).await;
    let base = "/.well-known/oauth-protected-resource";
    for path in [base.to_owned(), format!("{base}/mcp")] {
        let document = answer(runtime.http.get(runtime.url(&path))).await;
        assert_eq!(
            document,
            json!({
                "resource": "https://shop.example.com/mcp", "authorization_servers": [idp.url("")],
                "bearer_methods_supported": ["header"], "scopes_supported": ["a", "b"],
                "resource_name": "agents/support",
            }),
            "{path}"
        );
    }
    assert_eq!(status(runtime.http.get(runtime.url(&format!("{base}/other")))).await, 404);
    assert_eq!(status(runtime.http.post(runtime.url(base))).await, 405);
    let refused = list(&runtime).send().await.unwrap();
    assert!(header(&refused, "www-authenticate").contains("scope=\"a b\""));
    assert_eq!(names(list(&runtime).bearer_auth(idp.token(json!({"scope": "a b"})))).await, ["greet"]);
}
