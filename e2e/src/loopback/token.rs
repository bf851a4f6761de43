//! Who a token belongs to is written in it: the one thing here that needs an API server is another.

use super::NAMESPACE;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use mcpfleet_operator::{
    fleet::review::{Peer, Refused, Review},
    world::Key,
};

/// Believes what a token says.
pub(super) struct Believer;

/// A token that says which pod it is of, in the form of a service account's.
pub(super) fn token(server: &str, pod: &str, uid: &str) -> String {
    let claims = serde_json::json!({
        "sub": format!("system:serviceaccount:{NAMESPACE}:{server}"), "pod": pod, "uid": uid,
    });
    let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.unsigned", part(&serde_json::json!({"alg": "none"})), part(&claims))
}

/// Which pod it is of.
fn claims(token: &str) -> Option<Peer> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let (_, server) = claims["sub"].as_str()?.rsplit_once(':')?;
    let text = |name: &str| claims[name].as_str().map(ToOwned::to_owned);
    Some(Peer { server: Key::new(NAMESPACE, server), pod: text("pod")?, uid: text("uid")? })
}

impl Review for Believer {
    async fn review(&self, token: &str) -> Result<Peer, Refused> {
        claims(token).ok_or_else(|| Refused::Token("not of here".into()))
    }
}
