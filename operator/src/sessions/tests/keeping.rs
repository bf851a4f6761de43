//! The Secret as leaders keep it: a ledger of what they ask of the API server.

use crate::sessions::{SessionKeys, keep};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{Client, client::Body};
use serde_json::json;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

const HOUR: Duration = Duration::from_hours(1);

/// One namespace of an API server that knows this one Secret.
#[derive(Default)]
struct Stored {
    secret: Option<Secret>,
    /// What was asked, and how it was answered.
    ledger: Vec<(Method, u16)>,
    /// Answers that are errors, before it works.
    failures: usize,
}

type Server = Arc<Mutex<Stored>>;

impl Stored {
    fn answer(&mut self, method: &Method, body: &[u8]) -> Result<Secret, u16> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err(500);
        }
        match (method.as_str(), self.secret.clone()) {
            ("GET", found) => found.ok_or(404),
            ("POST", Some(_)) | ("PUT", None) => Err(409),
            _ => {
                let secret: Secret = serde_json::from_slice(body).unwrap();
                self.secret = Some(secret.clone());
                Ok(secret)
            }
        }
    }
}

fn client(server: &Server) -> Client {
    let server = server.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = server.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut stored = server.lock().unwrap();
            let answer = stored.answer(&parts.method, &body);
            let code = answer.as_ref().err().copied().unwrap_or(200);
            stored.ledger.push((parts.method, code));
            let body = match answer {
                Ok(secret) => serde_json::to_vec(&secret).unwrap(),
                Err(code) => {
                    let reason = if code == 404 { "NotFound" } else { "InternalError" };
                    let status =
                        json!({"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason});
                    serde_json::to_vec(&status).unwrap()
                }
            };
            let code = StatusCode::from_u16(code).unwrap();
            Ok::<_, Infallible>(Response::builder().status(code).body(Body::from(body)).unwrap())
        }
    });
    Client::new(service, "mcpfleet-system")
}

/// Keeps them for `time`, which passes at once.
async fn kept(server: &Server, keys: &Arc<SessionKeys>, time: Duration) {
    let keeping = keep(client(server), "mcpfleet-system".into(), keys.clone());
    tokio::time::timeout(time, keeping).await.unwrap_err();
}

fn asked(server: &Server) -> Vec<(Method, u16)> {
    std::mem::take(&mut server.lock().unwrap().ledger)
}

#[tokio::test(start_paused = true)]
async fn a_leader_makes_it_once_and_its_successor_takes_what_is_there() {
    let (server, keys) = (Server::default(), SessionKeys::new());
    kept(&server, &keys, HOUR).await;
    let ledger = asked(&server);
    assert_eq!(ledger[..2], [(Method::GET, 404), (Method::POST, 200)]);
    assert_eq!(ledger[2..], [const { (Method::GET, 200) }; 5], "at rest it only reads");
    let first = keys.of("a").unwrap();
    assert_eq!(first.len(), 1);
    let successor = SessionKeys::new();
    kept(&server, &successor, HOUR).await;
    assert!(asked(&server).iter().all(|(method, _)| method == Method::GET));
    assert_eq!(successor.of("a").unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_is_made_anew_with_another_key() {
    let (server, keys) = (Server::default(), SessionKeys::new());
    kept(&server, &keys, HOUR).await;
    let before = keys.of("a").unwrap();
    server.lock().unwrap().secret = None;
    kept(&server, &keys, HOUR).await;
    let after = keys.of("a").unwrap();
    assert!(
        after.iter().all(|key| !before.iter().any(|old| old.secret == key.secret)),
        "the old one is not kept"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_api_server_are_tried_again_and_what_is_known_stays() {
    let (server, keys) = (Server::default(), SessionKeys::new());
    server.lock().unwrap().failures = 4;
    kept(&server, &keys, HOUR).await;
    let known = keys.of("a").unwrap();
    assert_eq!(known.len(), 1);
    let ledger = asked(&server);
    assert_eq!(ledger.iter().filter(|(_, code)| *code == 500).count(), 4);
    server.lock().unwrap().failures = usize::MAX;
    kept(&server, &keys, HOUR).await;
    assert_eq!(keys.of("a").unwrap(), known);
}
