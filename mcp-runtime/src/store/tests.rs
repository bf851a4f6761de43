//! One contract for every store, against a real Redis; and what only a Redis can do to us.

use super::*;
use mcpfleet_config::{CredentialRef, stream::SessionKey};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

const LONG: Duration = Duration::from_mins(1);
const KEY: Key<'_> = Key { family: Family::Task, name: "one" };

/// A Redis of the test's own, which ends with it.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        // Nothing else binds or connects from this address: nobody takes the port in between.
        let address = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
        Self::at(address).await
    }

    async fn at(address: SocketAddr) -> Self {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--bind", &host, "--port", &port])
            .args(["--requirepass", "secret", "--dir", "/tmp"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed by e2e/scripts/setup");
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { child, address }
    }

    fn url(&self) -> String {
        format!("redis://:secret@{}/0", self.address)
    }

    /// Asks it directly, as an intruder would.
    async fn raw(&self, parts: &[&str]) -> ::redis::Value {
        let client = ::redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = ::redis::cmd(parts[0]);
        for part in &parts[1..] {
            command.arg(part);
        }
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shared_keys() -> Arc<Keyring> {
    let keys = Keyring::random().unwrap();
    keys.set(&[SessionKey { epoch: 1, secret: [7; 32] }]).unwrap();
    keys
}

fn at(url: &str, keys: Arc<Keyring>) -> Arc<Store> {
    let store = Store::in_memory(keys, "agents/support");
    configure(&store, url);
    store
}

fn configure(store: &Store, url: &str) {
    let named = CredentialRef { secret: "redis".into(), key: "url".into() };
    let values = BTreeMap::from([(named.clone(), crate::credentials::Secret(url.into()))]);
    let source = crate::credentials::Source::Values(values);
    let credentials = Credentials::load(&source, &[&named].into());
    store.configure(Some(&mcpfleet_config::Store::Redis { url: named.clone() }), &credentials);
}

async fn keeps_the_contract(store: &Store) {
    assert_eq!(store.get(KEY).await, Ok(None));
    assert_eq!(store.put_new(KEY, b"first", LONG).await, Ok(Written::Yes));
    assert_eq!(store.put_new(KEY, b"second", LONG).await, Ok(Written::No));
    let first = store.get(KEY).await.unwrap().unwrap();
    assert_eq!(first.value, b"first");
    assert_eq!(store.swap(KEY, &first.version, b"third", LONG).await, Ok(Written::Yes));
    assert_eq!(store.swap(KEY, &first.version, b"fourth", LONG).await, Ok(Written::No));
    let other = Key { family: Family::Session, ..KEY };
    assert_eq!(store.get(other).await, Ok(None));
    assert_eq!(store.swap(other, &first.version, b"", LONG).await, Ok(Written::No));
    store.put(KEY, b"", LONG).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap().unwrap().value, b"");
    store.delete(KEY).await.unwrap();
    store.delete(KEY).await.unwrap();
    assert_eq!(store.get(KEY).await, Ok(None));
    let long = vec![7; MAX_VALUE];
    store.put(KEY, &long, LONG).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap().unwrap().value, long);
    let longer = vec![7; MAX_VALUE + 1];
    let refused = StoreError::TooLong { bytes: MAX_VALUE + 1, most: MAX_VALUE };
    assert_eq!(store.put(KEY, &longer, LONG).await, Err(refused));
    let name = "n".repeat(MAX_NAME + 1);
    assert!(matches!(store.get(Key { name: &name, ..KEY }).await, Err(StoreError::TooLong { .. })));
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let store = Store::in_memory(shared_keys(), "agents/support");
    keeps_the_contract(&store).await;
    assert_eq!((store.is_shared(), store.health()), (false, Health::Own));
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    let redis = Server::start().await;
    let store = at(&redis.url(), shared_keys());
    keeps_the_contract(&store).await;
    assert_eq!((store.is_shared(), store.health()), (true, Health::Shared));
}

#[tokio::test]
async fn replicas_see_the_same_and_other_servers_do_not() {
    let redis = Server::start().await;
    let (one, two) = (at(&redis.url(), shared_keys()), at(&redis.url(), shared_keys()));
    one.put(KEY, b"said", LONG).await.unwrap();
    let seen = two.get(KEY).await.unwrap().unwrap();
    assert_eq!(seen.value, b"said");
    assert_eq!(two.swap(KEY, &seen.version, b"more", LONG).await, Ok(Written::Yes));
    assert_eq!(one.get(KEY).await.unwrap().unwrap().value, b"more");
    let stranger = at(&redis.url(), Keyring::random().unwrap());
    assert_eq!(stranger.get(KEY).await, Err(StoreError::Foreign));
}

#[tokio::test]
async fn what_lies_in_redis_is_sealed_bound_to_its_key_and_ends() {
    let redis = Server::start().await;
    let store = at(&redis.url(), shared_keys());
    store.put(KEY, b"a secret", LONG).await.unwrap();
    let path = "mcpfleet:agents/support:task:one";
    let ::redis::Value::BulkString(raw) = redis.raw(&["GET", path]).await else { panic!("no value") };
    assert!(!raw.windows(8).any(|part| part == b"a secret"), "{raw:?}");
    redis.raw(&["COPY", path, "mcpfleet:agents/support:task:two"]).await;
    assert_eq!(store.get(Key { name: "two", ..KEY }).await, Err(StoreError::Foreign));
    redis.raw(&["PEXPIRE", path, "0"]).await;
    assert_eq!(store.get(KEY).await, Ok(None));
    store.put(KEY, b"again", LONG).await.unwrap();
    assert_eq!(redis.raw(&["PERSIST", path]).await, ::redis::Value::Int(1), "it was written without an end");
}

#[tokio::test]
async fn one_that_goes_is_said_to_be_gone_and_is_used_again_when_it_is_back() {
    let redis = Server::start().await;
    let (address, store) = (redis.address, at(&redis.url(), shared_keys()));
    store.put(KEY, b"before", LONG).await.unwrap();
    drop(redis);
    assert!(matches!(store.get(KEY).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.health(), Health::Gone { .. }));
    let _redis = Server::at(address).await;
    // It is left alone for a while, and then found.
    while store.put(KEY, b"after", LONG).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.health(), Health::Shared);
}

#[tokio::test]
async fn one_that_never_answers_costs_a_call_its_patience_and_the_next_nothing() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = at(&format!("redis://{}", deaf.local_addr().unwrap()), shared_keys());
    let Err(StoreError::Unavailable(_)) = store.get(KEY).await else { panic!("it answered") };
    deaf.set_nonblocking(true).unwrap();
    let dials = || std::iter::from_fn(|| deaf.accept().ok()).count();
    assert_eq!(dials(), 1);
    for _ in 0..100 {
        assert!(store.get(KEY).await.is_err());
    }
    assert_eq!(dials(), 0, "it was dialled again although it had just been found gone");
}

#[tokio::test]
async fn urls_that_are_no_good_are_refused_without_being_repeated() {
    let store = Store::in_memory(shared_keys(), "agents/support");
    for url in
        ["http://:hunter2@redis", "unix:///run/hunter2.sock", "rediss://:hunter2@redis/#insecure", "hunter2"]
    {
        configure(&store, url);
        let Health::Gone { why } = store.health() else { panic!("{url} was taken") };
        assert!(!why.contains("hunter2") && why.contains("redis[s]://"), "{why}");
        assert!(matches!(store.get(KEY).await, Err(StoreError::Unavailable(_))), "{url}");
    }
    configure(&store, "redis://169.254.169.254");
    let Err(StoreError::Unavailable(why)) = store.get(KEY).await else { panic!("it was reached") };
    assert!(why.contains("link-local"), "{why}");
    store.configure(None, &Credentials::default());
    assert_eq!(store.health(), Health::Own);
}
