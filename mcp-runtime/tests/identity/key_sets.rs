//! What issuers sign with, and what they publish: good keys of every kind, beside what is of no use or no good.

use crate::{
    answer, call, guarded, header,
    idp::{Idp, Published},
    list,
    manifests::{fixed, fleet},
    process::{Runtime, until},
    signing::Signing,
    status,
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server that trusts the issuer, with `more` said of it.
fn shop(idp: &Idp, more: &str) -> TempDir {
    let dir = fleet(&[fixed("greet", "hello")]);
    guarded(
        dir.path(),
        &format!("{{{}}}", idp.oauth_with(more)),
        "  publicURL: https://shop.example.com/mcp\n",
    );
    dir
}

/// One key of each kind. An issuer names its keys by what they are for.
fn keys() -> Vec<(Algorithm, Signing)> {
    let kinds = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
    kinds.map(|kind| (kind, Signing::of(kind).named(&format!("{kind:?}")))).into()
}

fn jwks(keys: &[(Algorithm, Signing)]) -> Vec<Value> {
    keys.iter().map(|(_, key)| key.jwk()).collect()
}

/// Why a token is refused, which it must be.
async fn refused(runtime: &Runtime, token: &str) -> String {
    let refused = list(runtime).bearer_auth(token).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    header(&refused, "www-authenticate")
}

#[tokio::test]
async fn a_token_of_each_algorithm_opens_when_its_key_has_signed_it() {
    let idp = Idp::start().await;
    let keys = keys();
    idp.publish(Published::set(jwks(&keys)));
    let runtime = Runtime::on(shop(&idp, "").path()).await;
    for (kind, key) in &keys {
        let said = answer(call(&runtime, "greet").bearer_auth(key.sign(&idp.claims(json!({}))))).await;
        assert_eq!(said["result"]["content"][0]["text"], "hello", "{kind:?}: {said}");
        let forged = Signing::of(*kind).named(&format!("{kind:?}")).sign(&idp.claims(json!({})));
        assert!(refused(&runtime, &forged).await.contains("signature"), "{kind:?}");
    }
    // The key says that it is for RS256 (RFC 7517, section 4.4).
    let other_use = keys[0].1.sign_as(Algorithm::PS256, &idp.claims(json!({})));
    assert!(refused(&runtime, &other_use).await.contains("does not have"));
}

#[tokio::test]
async fn an_algorithm_that_the_server_has_not_named_opens_nothing() {
    let idp = Idp::start().await;
    let keys = keys();
    idp.publish(Published::set(jwks(&keys)));
    let runtime = Runtime::on(shop(&idp, ", algorithms: [ES256]").path()).await;
    for (kind, key) in &keys {
        let token = key.sign(&idp.claims(json!({})));
        match kind {
            Algorithm::ES256 => assert_eq!(status(list(&runtime).bearer_auth(token)).await, 200),
            kind => assert!(refused(&runtime, &token).await.contains("algorithm"), "{kind:?}"),
        }
    }
}

#[tokio::test]
async fn keys_of_kinds_that_nobody_knows_do_not_spoil_the_good_one() {
    let idp = Idp::start().await;
    let good = Signing::new("good");
    let strange = [
        json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "good", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "RSA", "kid": "broken", "n": "!", "e": 7}),
        json!({"kid": "nothing"}),
        json!("a text"),
        json!(null),
        good.jwk(),
    ];
    idp.publish(Published::set(strange.into()));
    let runtime = Runtime::on(shop(&idp, "").path()).await;
    assert_eq!(status(list(&runtime).bearer_auth(good.sign(&idp.claims(json!({}))))).await, 200);
}

#[tokio::test]
async fn a_token_without_a_key_id_needs_a_set_in_which_only_one_key_can_be_meant() {
    let idp = Idp::start().await;
    let (one, other, rsa) =
        (Signing::of(Algorithm::ES256), Signing::new("other"), Signing::of(Algorithm::RS256));
    idp.publish(Published::set(vec![rsa.jwk(), one.jwk()]));
    let runtime = Runtime::on(shop(&idp, "").path()).await;
    for key in [&one, &rsa] {
        assert_eq!(status(list(&runtime).bearer_auth(key.sign(&idp.claims(json!({}))))).await, 200);
    }
    idp.publish(Published::set(vec![other.jwk(), one.jwk()]));
    // The first token that names a key has the set fetched again.
    assert_eq!(status(list(&runtime).bearer_auth(other.sign(&idp.claims(json!({}))))).await, 200);
    let unclear = one.sign(&idp.claims(json!({"sub": "bob"})));
    assert!(refused(&runtime, &unclear).await.contains("does not have"));
}

#[tokio::test]
async fn after_a_rotation_what_the_old_key_signs_opens_nothing() {
    let idp = Idp::start().await;
    let runtime = Runtime::on(shop(&idp, "").path()).await;
    let old = idp.key();
    assert_eq!(status(list(&runtime).bearer_auth(old.sign(&idp.claims(json!({}))))).await, 200);
    idp.rotate();
    assert_eq!(status(list(&runtime).bearer_auth(idp.token(json!({})))).await, 200);
    let late = old.sign(&idp.claims(json!({"sub": "mallory"})));
    assert!(refused(&runtime, &late).await.contains("does not have"));
}

/// What an issuer may answer and is not to be believed. It is asked again, so a fault that is mended is over.
async fn believed_only_when_mended(fault: Published, target: &str) {
    let idp = Idp::start().await;
    idp.publish(fault);
    let runtime = Runtime::on(shop(&idp, "").path()).await;
    let token = idp.token(json!({}));
    let refused = list(&runtime).bearer_auth(&token).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after").as_str()), (503, "5"));
    assert!(idp.asked(target).is_empty());
    idp.publish(Published::set(vec![idp.key().jwk()]));
    until("the good set", || async {
        (status(list(&runtime).bearer_auth(&token)).await == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_set_that_is_too_large_is_not_read() {
    let idp = Idp::start().await;
    let good = idp.key().jwk();
    let padding = json!({"kty": "EC", "kid": "x".repeat(300 * 1024)});
    believed_only_when_mended(Published::set(vec![good, padding]), "/none").await;
}

#[tokio::test]
async fn a_set_that_is_elsewhere_is_not_followed_there() {
    // A private address, at which the same issuer would answer.
    let elsewhere = Published::redirect("/keys-elsewhere");
    believed_only_when_mended(elsewhere, "/keys-elsewhere").await;
}
