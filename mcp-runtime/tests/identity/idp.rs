//! An issuer over HTTP: metadata, keys that rotate, a token endpoint, and a ledger of who asked for what.

use crate::server::{Answer, Seen, Server, full};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) struct Idp {
    server: Option<Server>,
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    keys: Mutex<Vec<Arc<Signing>>>,
    made: AtomicUsize,
    granted: AtomicUsize,
}

/// A key of the issuer's.
pub(crate) struct Signing {
    pair: KeyPair,
    kid: String,
}

impl Signing {
    pub(crate) fn new(kid: &str) -> Self {
        Self { pair: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), kid: kid.to_owned() }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key_raw()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "kid": self.kid, "use": "sig"})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &EncodingKey::from_ec_der(&self.pair.serialize_der())).unwrap()
    }

    /// As a forger would who knows the public key only.
    pub(crate) fn confuse(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &EncodingKey::from_secret(self.pair.public_key_raw())).unwrap()
    }
}

impl Idp {
    pub(crate) async fn start() -> Self {
        // What a client process does at start; the test signs.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let state = Arc::new(State::default());
        let mut idp = Self { server: None, address: SocketAddr::from(([127, 0, 0, 1], 0)), state };
        idp.rotate();
        idp.up().await;
        idp
    }

    /// Listens, again at the same address.
    pub(crate) async fn up(&mut self) {
        let state = self.state.clone();
        let server = Server::start_at(self.address, move |seen| {
            let state = state.clone();
            async move { state.answer(&seen) }
        })
        .await;
        self.address = server.address;
        self.server = Some(server);
    }

    pub(crate) async fn down(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The `oauth` of a server that trusts it.
    pub(crate) fn oauth(&self) -> String {
        format!("oauth: [{{issuer: '{}', audiences: [shop], tenantClaim: org}}]", self.url(""))
    }

    /// Its only key is a new one from now on.
    pub(crate) fn rotate(&self) {
        let number = self.state.made.fetch_add(1, Ordering::SeqCst);
        *self.state.keys.lock().unwrap() = vec![Arc::new(Signing::new(&format!("key-{number}")))];
    }

    pub(crate) fn key(&self) -> Arc<Signing> {
        self.state.keys.lock().unwrap()[0].clone()
    }

    /// Claims of a good token, changed.
    pub(crate) fn claims(&self, change: Value) -> Value {
        let mut claims = json!({
            "iss": self.url(""), "aud": "shop", "sub": "alice", "org": "acme", "exp": now() + 600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    pub(crate) fn token(&self, change: Value) -> String {
        self.key().sign(&self.claims(change))
    }

    /// What was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        let seen = self.server.as_ref().map(Server::seen).unwrap_or_default();
        seen.into_iter().filter(|seen| seen.uri.path() == path).collect()
    }
}

impl State {
    fn answer(&self, seen: &Seen) -> Answer {
        let host = seen.header("host").unwrap();
        let document = match seen.uri.path() {
            "/.well-known/oauth-authorization-server" => {
                json!({"issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/keys")})
            }
            "/keys" => {
                json!({"keys": self.keys.lock().unwrap().iter().map(|key| key.jwk()).collect::<Vec<_>>()})
            }
            // Each grant is told from the others.
            "/token" => {
                let number = self.granted.fetch_add(1, Ordering::SeqCst);
                json!({"access_token": format!("granted-{number}"), "token_type": "Bearer", "expires_in": 3600})
            }
            _ => return Ok(full(404, "", "")),
        };
        Ok(full(200, "application/json", document.to_string()))
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
