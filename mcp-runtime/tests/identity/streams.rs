//! What listens goes on for as long as the credential that opened it is good.

use crate::{
    guarded,
    idp::{Idp, now},
    keys::{keep, new_key, secret},
    listener::{CHANGED, Listener, is_goodbye},
    manifests::{fixed, fleet, write},
    process::{PATIENCE, Runtime, until},
};
use mcpfleet_protocol::sse::Decoder;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use tokio::time::timeout;

/// Seconds by which an issuer's clock may be late; what ends in less than that is still let in.
const LEEWAY: u64 = 30;

fn both(idp: &Idp) -> TempDir {
    let dir = fleet(&[fixed("greet", "hello")]);
    trust(dir.path(), &idp.oauth());
    dir
}

/// Keys are taken, and whatever `oauth` says.
fn trust(dir: &Path, oauth: &str) {
    let auth = format!("{{keys: {{secretRef: {{name: mcp-keys}}}}, {oauth}}}");
    guarded(dir, &auth, "  publicURL: https://shop.example.com/mcp\n");
}

fn get(runtime: &Runtime, path: &str) -> RequestBuilder {
    runtime.http.get(runtime.url(path)).header("accept", "text/event-stream")
}

async fn legacy(runtime: &Runtime, credential: &str) -> Listener {
    let request = get(runtime, "/mcp").header("mcp-protocol-version", "2025-11-25").bearer_auth(credential);
    Listener::opened_legacy(request.send().await.unwrap()).await
}

async fn modern(runtime: &Runtime, credential: &str) -> Listener {
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let request = runtime.modern("/mcp", "subscriptions/listen", &filter).bearer_auth(credential);
    Listener::opened_modern(request.send().await.unwrap()).await
}

/// Reads both to their ends.
async fn end(legacy: Listener, modern: Listener) {
    let (said, last) = timeout(PATIENCE, legacy.rest()).await.unwrap();
    assert_eq!((said, last), (0, None));
    let (said, last) = timeout(PATIENCE, modern.rest()).await.unwrap();
    assert_eq!(said, 0);
    assert!(is_goodbye(last.as_ref()), "{last:?}");
}

/// A stream of 2024-11-05.
struct Old {
    response: Response,
    decoder: Decoder,
    endpoint: String,
}

impl Old {
    async fn open(runtime: &Runtime, credential: &str) -> Self {
        let response = get(runtime, "/sse").bearer_auth(credential).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut old = Self { response, decoder: Decoder::new(1 << 16), endpoint: String::new() };
        old.endpoint = old.event().await.unwrap();
        old
    }

    /// Data of the next event; `None` at the end.
    async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(event) = self.decoder.next_event().unwrap() {
                return Some(String::from_utf8(event.data).unwrap());
            }
            self.decoder.feed(&self.response.chunk().await.unwrap()?);
        }
    }

    async fn ping(&mut self, runtime: &Runtime, credential: &str) -> String {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let post = runtime.http.post(runtime.url(&self.endpoint)).bearer_auth(credential).json(&body);
        assert_eq!(post.send().await.unwrap().status(), 202);
        self.event().await.unwrap()
    }

    async fn end(mut self) {
        let rest = timeout(PATIENCE, self.event()).await.unwrap();
        assert_eq!(rest, None);
    }
}

#[tokio::test]
async fn streams_end_with_the_token_that_opened_them() {
    let idp = Idp::start().await;
    let dir = both(&idp);
    let runtime = Runtime::on(dir.path()).await;
    let lasting = idp.token(json!({}));
    let (stays, also) = (legacy(&runtime, &lasting).await, modern(&runtime, &lasting).await);
    let token = idp.token(json!({"exp": now() - LEEWAY + 6}));
    let old = Old::open(&runtime, &token).await;
    end(legacy(&runtime, &token).await, modern(&runtime, &token).await).await;
    old.end().await;
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    for mut listener in [stays, also] {
        listener.changed().await;
    }
}

#[tokio::test]
async fn a_key_that_is_given_another_end_takes_its_streams_there() {
    let idp = Idp::start().await;
    let dir = both(&idp);
    let (key, entry) = new_key("ci", &[]);
    let until = |seconds: u64| {
        let end = jiff::Timestamp::from_second(i64::try_from(now() + seconds).unwrap()).unwrap();
        keep(dir.path(), &[("ci", &format!("{entry}\nexpires: {end}\n"))]);
    };
    until(900);
    let runtime = Runtime::on(dir.path()).await;
    let (one, mut other) = (legacy(&runtime, &key).await, modern(&runtime, &key).await);
    // Read together with the later end.
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    until(1_800);
    other.changed().await;
    until(1);
    let (_, last) = timeout(PATIENCE, one.rest()).await.unwrap();
    assert!(last.is_none_or(|last| last["method"] == CHANGED));
    let (_, last) = timeout(PATIENCE, other.rest()).await.unwrap();
    assert!(is_goodbye(last.as_ref()), "{last:?}");
}

#[tokio::test]
async fn streams_end_when_their_key_or_issuer_is_gone_and_no_others_do() {
    let idp = Idp::start().await;
    let dir = both(&idp);
    let [(gone, gone_entry), (other, other_entry), (stays, stays_entry)] =
        ["a", "b", "c"].map(|id| new_key(id, &[]));
    let entries = [("a", gone_entry.as_str()), ("b", &other_entry), ("c", &stays_entry)];
    keep(dir.path(), &entries);
    let runtime = Runtime::on(dir.path()).await;
    let mut kept = legacy(&runtime, &stays).await;
    let removed = (legacy(&runtime, &gone).await, modern(&runtime, &gone).await);
    let changed = (legacy(&runtime, &other).await, modern(&runtime, &other).await);
    // The same id and rights, and another secret.
    let (_, anew) = new_key("b", &[]);
    keep(dir.path(), &[("b", &anew), ("c", &stays_entry)]);
    end(removed.0, removed.1).await;
    end(changed.0, changed.1).await;

    let token = idp.token(json!({}));
    let (first, second) = (legacy(&runtime, &token).await, modern(&runtime, &token).await);
    let old = Old::open(&runtime, &token).await;
    trust(dir.path(), "");
    end(first, second).await;
    old.end().await;
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    kept.changed().await;
}

#[tokio::test]
async fn who_has_lost_the_right_to_know_is_told_of_nothing_new() {
    let idp = Idp::start().await;
    let dir = fleet(&[fixed("greet", "hello")]);
    trust(dir.path(), &idp.oauth());
    let [(key, entry), (other, other_entry)] = ["ci", "other"].map(|id| new_key(id, &[]));
    let [before, after] =
        [secret(&[("ci", &entry), ("other", &other_entry)]), secret(&[("other", &other_entry)])];
    write(dir.path(), "all.yaml", &before);
    let runtime = Runtime::on(dir.path()).await;
    let (one, two) = (legacy(&runtime, &key).await, modern(&runtime, &key).await);
    let mut told = modern(&runtime, &other).await;
    // A new tool and the revocation at one moment.
    write(dir.path(), "all.yaml", &format!("{after}\n---\n{}", fixed("wave", "bye")));
    end(one, two).await;
    told.changed().await;
}

#[tokio::test]
async fn an_old_clients_stream_lives_on_the_newest_token_that_it_has_shown() {
    let idp = Idp::start().await;
    let dir = both(&idp);
    let runtime = Runtime::on(dir.path()).await;
    let (first, second) =
        (idp.token(json!({"exp": now() - LEEWAY + 5})), idp.token(json!({"exp": now() + 900})));
    let mut old = Old::open(&runtime, &first).await;
    let answer: Value = serde_json::from_str(&old.ping(&runtime, &second).await).unwrap();
    assert_eq!(answer["result"], json!({}));
    until("the end of the first token", || async {
        (crate::status(crate::list(&runtime).bearer_auth(&first)).await == 401).then_some(())
    })
    .await;
    let answer: Value = serde_json::from_str(&old.ping(&runtime, &second).await).unwrap();
    assert_eq!(answer["result"], json!({}));
}
