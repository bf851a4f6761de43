//! `/v1/*` has the same door, and says so in OpenAI's shape.

use crate::{
    guarded,
    idp::Idp,
    manifests::{fixed, fleet, write},
    process::{Runtime, document},
    status,
};
use serde_json::json;

#[tokio::test]
async fn models_are_behind_the_same_door() {
    let idp = Idp::start().await;
    let dir = fleet(&[fixed("greet", "hello")]);
    let more = "  models: {selector: {}}\n  publicURL: https://shop.example.com\n";
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), more);
    let route = "apiVersion: mcpfleet.dev/v1alpha1\nkind: ProviderRoute\nmetadata: {name: default, namespace: agents}\n\
                 spec: {providers: [{name: p, api: OpenAI, baseUrl: 'http://127.0.0.1:9/v1', models: [{name: small}]}]}\n";
    write(dir.path(), "route.yaml", route);
    let runtime = Runtime::on(dir.path()).await;
    let models = || runtime.http.get(runtime.url("/v1/models"));
    assert_eq!(status(models().bearer_auth(idp.token(json!({})))).await, 200);
    for request in [models(), runtime.http.post(runtime.url("/v1/chat/completions")).body("{")] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 401);
        assert!(refused.headers().contains_key("www-authenticate"));
        let error = document(refused).await["error"].take();
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!("unauthorized"), &json!("invalid_request_error"))
        );
    }
}
