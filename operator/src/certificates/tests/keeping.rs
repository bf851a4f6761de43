//! The Secret as replicas keep it: a ledger of what they ask of the API server.

use super::{NAME, names, start, verified};
use crate::certificates::{Certificates, Part, keep, rotation::rotate, store};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, client::Body};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

/// One namespace of an API server that knows this one Secret.
#[derive(Default)]
struct Stored {
    secret: Option<Secret>,
    version: u64,
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
        match (method.as_str(), self.secret.as_ref()) {
            ("GET", None) => Err(404),
            ("GET", Some(secret)) => Ok(secret.clone()),
            ("POST", Some(_)) => Err(409),
            (_, found) => {
                let mut secret: Secret = serde_json::from_slice(body).unwrap();
                let version = |secret: &Secret| secret.metadata.resource_version.clone();
                if found.is_some_and(|found| version(found) != version(&secret)) {
                    return Err(409);
                }
                self.version += 1;
                secret.metadata.resource_version = Some(self.version.to_string());
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
                Err(code) => serde_json::to_vec(&status(code)).unwrap(),
            };
            let code = StatusCode::from_u16(code).unwrap();
            Ok::<_, Infallible>(Response::builder().status(code).body(Body::from(body)).unwrap())
        }
    });
    Client::new(service, "mcpfleet-system")
}

fn status(code: u16) -> Value {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        _ => "InternalError",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": format!("it is {code}"),
    })
}

/// Keeps them for `time`, which passes at once.
async fn kept(server: &Server, certificates: &Arc<Certificates>, part: Part, time: Duration) {
    let keeping = keep(client(server), "mcpfleet-system".into(), certificates.clone(), part);
    tokio::time::timeout(time, keeping).await.unwrap_err();
}

fn asked(server: &Server) -> Vec<(Method, u16)> {
    std::mem::take(&mut server.lock().unwrap().ledger)
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(start_paused = true)]
async fn a_leader_makes_it_once_and_then_only_reads() {
    let (server, certificates) = (Server::default(), Certificates::new(names()));
    let mut changed = certificates.changed();
    assert!(certificates.server_config().is_none() && certificates.bundle().is_none());
    kept(&server, &certificates, Part::Leader, HOUR).await;
    let ledger = asked(&server);
    assert_eq!(ledger[..2], [(Method::GET, 404), (Method::POST, 200)]);
    assert_eq!(ledger[2..], [const { (Method::GET, 200) }; 5]);
    assert_eq!(*changed.borrow_and_update(), 1);
    let config = certificates.server_config().unwrap();
    assert_eq!(config.alpn_protocols, [b"h2".to_vec()]);

    // Its successor takes what is there.
    let successor = Certificates::new(names());
    kept(&server, &successor, Part::Leader, HOUR).await;
    assert!(asked(&server).iter().all(|(method, _)| method == Method::GET));
    assert_eq!(successor.bundle(), certificates.bundle());
}

#[tokio::test(start_paused = true)]
async fn a_follower_waits_for_it_and_never_writes() {
    let (server, follower) = (Server::default(), Certificates::new(names()));
    kept(&server, &follower, Part::Follower, HOUR).await;
    assert!(follower.server_config().is_none());
    kept(&server, &Certificates::new(names()), Part::Leader, Duration::from_secs(1)).await;
    asked(&server);
    kept(&server, &follower, Part::Follower, HOUR).await;
    assert!(asked(&server).iter().all(|asked| *asked == (Method::GET, 200)));
    let present = follower.present();
    let present = present.as_ref().unwrap();
    verified(&present.bundle, &present.serving, NAME, jiff::Timestamp::now()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_api_server_are_tried_again() {
    let (server, certificates) = (Server::default(), Certificates::new(names()));
    server.lock().unwrap().failures = 4;
    kept(&server, &certificates, Part::Leader, HOUR).await;
    assert!(certificates.server_config().is_some());
    let ledger = asked(&server);
    assert_eq!(ledger.iter().filter(|(_, code)| *code == 500).count(), 4);
    assert_eq!(ledger.iter().filter(|(method, _)| method == Method::POST).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_secret_is_replaced_and_told() {
    let (server, certificates) = (Server::default(), Certificates::new(names()));
    kept(&server, &certificates, Part::Leader, Duration::from_secs(1)).await;
    let before = certificates.bundle().unwrap();
    server.lock().unwrap().secret.as_mut().unwrap().data.as_mut().unwrap().remove("tls.key");
    asked(&server);
    kept(&server, &certificates, Part::Leader, HOUR).await;
    assert_eq!(asked(&server)[..2], [(Method::GET, 200), (Method::PUT, 200)]);
    let after = certificates.bundle().unwrap();
    assert_ne!(after, before);
    assert_eq!(*certificates.changed().borrow(), 2);
    let present = certificates.present();
    let present = present.as_ref().unwrap();
    verified(&after, &present.serving, NAME, jiff::Timestamp::now()).unwrap();
}

/// Somebody else wrote between read and write: theirs stands.
#[tokio::test]
async fn a_write_over_a_newer_state_is_refused() {
    let server = Server::default();
    let secrets: Api<Secret> = Api::namespaced(client(&server), "mcpfleet-system");
    let first = Certificates::new(names());
    store::tend(&secrets, &first, start()).await.unwrap();
    let old = server.lock().unwrap().secret.clone().unwrap();
    let worn = start() + super::days(500);
    store::tend(&secrets, &first, worn).await.unwrap();
    let announced = server.lock().unwrap().secret.clone();
    // A look that began before sees the old state, and writes over it.
    let (authority, steps) = rotate(Some(store::read(&old).unwrap()), worn).unwrap();
    assert!(store::write(&secrets, Some(old), &authority, &steps).await.is_err());
    assert_eq!(server.lock().unwrap().secret, announced);
}
