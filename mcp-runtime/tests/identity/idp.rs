//! An issuer over HTTP: metadata, keys that rotate, a token endpoint, and a ledger of who asked for what.

use crate::{
    server::{Answer, Seen, Server, full},
    signing::Signing,
};
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
    /// Instead of them.
    published: Mutex<Option<Published>>,
    made: AtomicUsize,
    granted: AtomicUsize,
}

/// What is at the URL of its keys.
pub(crate) struct Published {
    status: u16,
    location: Option<&'static str>,
    body: String,
}

impl Published {
    /// A set of these.
    pub(crate) fn set(keys: Vec<Value>) -> Self {
        Self { status: 200, location: None, body: json!({"keys": keys}).to_string() }
    }

    /// The way to another place.
    pub(crate) fn redirect(path: &'static str) -> Self {
        Self { status: 302, location: Some(path), body: String::new() }
    }

    fn answer(&self, host: &str) -> Answer {
        let mut response = full(self.status, "application/json", self.body.clone());
        if let Some(path) = self.location {
            response.headers_mut().insert("location", format!("http://{host}{path}").parse().unwrap());
        }
        Ok(response)
    }
}

impl Idp {
    pub(crate) async fn start() -> Self {
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
        self.oauth_with("")
    }

    /// The same, with `more` fields.
    pub(crate) fn oauth_with(&self, more: &str) -> String {
        format!("oauth: [{{issuer: '{}', audiences: [shop], tenantClaim: org{more}}}]", self.url(""))
    }

    /// What its keys' URL says from now on.
    pub(crate) fn publish(&self, published: Published) {
        *self.state.published.lock().unwrap() = Some(published);
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
                if let Some(published) = &*self.published.lock().unwrap() {
                    return published.answer(host);
                }
                json!({"keys": self.keys.lock().unwrap().iter().map(|key| key.jwk()).collect::<Vec<_>>()})
            }
            "/keys-elsewhere" => json!({"keys": [self.keys.lock().unwrap()[0].jwk()]}),
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
