//! Any authentication, for property tests: what users may write, sense or no sense.

use crate::v1alpha1::{
    Anonymous, Auth, BasicAuth, HeaderAuth, HttpAuth, Issuer, Keys, LoginRef, Scope, Secret, SecretKeyRef,
    SecretRef, TokenAlgorithm, TokenClient,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z][a-z0-9-]{0,8}", 1 => any::<String>()]
}

fn url() -> impl Strategy<Value = String> {
    let usual = select(vec![
        "https://idp.example.com/realm",
        "http://idp.svc",
        "ftp://idp",
        "https://u:p@idp/",
        "idp",
    ]);
    prop_oneof![4 => usual.prop_map(ToOwned::to_owned), 1 => any::<String>()]
}

fn key() -> impl Strategy<Value = SecretKeyRef> {
    (word(), word()).prop_map(|(name, key)| SecretKeyRef { name, key })
}

pub(super) fn scopes() -> BoxedStrategy<Vec<Scope>> {
    vec(word().prop_map(Scope), 0..3).boxed()
}

fn client() -> BoxedStrategy<TokenClient> {
    (url(), option::of(word()), option::of(key()), key(), scopes(), option::of(word()), option::of(url()))
        .prop_map(|(token_url, client_id, client_id_ref, client_secret_ref, scopes, audience, resource)| {
            TokenClient { token_url, client_id, client_id_ref, client_secret_ref, scopes, audience, resource }
        })
        .boxed()
}

/// How to authenticate to others: mostly in one way.
pub(super) fn outgoing() -> BoxedStrategy<HttpAuth> {
    let login = (word(), word(), word()).prop_map(|(name, username_key, password_key)| LoginRef {
        name,
        username_key,
        password_key,
    });
    let one = prop_oneof![
        key().prop_map(|secret_ref| HttpAuth { bearer: Some(Secret { secret_ref }), ..HttpAuth::default() }),
        (word(), key()).prop_map(|(name, secret_ref)| HttpAuth {
            header: Some(HeaderAuth { name, secret_ref }),
            ..HttpAuth::default()
        }),
        login
            .prop_map(|secret_ref| HttpAuth { basic: Some(BasicAuth { secret_ref }), ..HttpAuth::default() }),
        client()
            .prop_map(|client| HttpAuth { oauth_client_credentials: Some(client), ..HttpAuth::default() }),
        client().prop_map(|client| HttpAuth { token_exchange: Some(client), ..HttpAuth::default() }),
        Just(HttpAuth { pass_through: Some(Anonymous {}), ..HttpAuth::default() }),
    ];
    (one, option::weighted(0.1, key()))
        .prop_map(|(one, second)| HttpAuth {
            bearer: one.bearer.clone().or(second.map(|secret_ref| Secret { secret_ref })),
            ..one
        })
        .boxed()
}

fn issuer() -> BoxedStrategy<Issuer> {
    let claim = || option::of(word());
    let algorithms =
        vec(select(vec![TokenAlgorithm::RS256, TokenAlgorithm::ES256, TokenAlgorithm::EdDSA]), 0..3);
    (url(), vec(word(), 0..3), option::of(url()), claim(), word(), claim(), claim(), algorithms)
        .prop_map(
            |(
                issuer,
                audiences,
                jwks_uri,
                tenant_claim,
                user_claim,
                agent_claim,
                scopes_claim,
                algorithms,
            )| {
                Issuer {
                    issuer,
                    audiences,
                    jwks_uri,
                    tenant_claim,
                    user_claim,
                    agent_claim,
                    scopes_claim,
                    algorithms,
                }
            },
        )
        .boxed()
}

/// Who may call, and the URL where.
pub(super) fn incoming() -> BoxedStrategy<(Auth, Option<String>)> {
    let anonymous = prop_oneof![5 => Just(Some(Anonymous {})), 1 => Just(None)];
    let keys = option::of(word().prop_map(|name| Keys { secret_ref: SecretRef { name } }));
    let oauth = prop_oneof![3 => Just(Vec::new()), 2 => vec(issuer(), 1..3)];
    (anonymous, keys, oauth, option::of(url()))
        .prop_map(|(anonymous, keys, oauth, url)| (Auth { oauth, keys, anonymous }, url))
        .boxed()
}
