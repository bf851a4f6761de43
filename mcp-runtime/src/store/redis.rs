//! A store that replicas share: Redis 2.6 or later, or whatever speaks like it (Valkey).
//!
//! One connection, over which requests of all calls travel at once; it is opened when it is needed, and again after it
//! was lost. What waits for it waits at most [`PATIENCE`].

use super::{Health, MAX_NAME, MAX_VALUE, PATIENCE, PAUSE, StoreError, Written, guard::Guarded};
use crate::{credentials::Secret, seal::OVERHEAD};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, RedisError, RedisResult, Script,
    aio::MultiplexedConnection,
};
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Requests under way at once; more wait for their turn.
const CONCURRENCY: usize = 256;
/// Longest sealed value: with its key, of which the server's name is a part.
const MAX_SEALED: usize = MAX_VALUE + MAX_NAME + OVERHEAD + 512;
/// Longest reason, in characters: what a server says of itself has no bound of its own.
const MAX_REASON: usize = 200;
/// Writes if what is there is what was read.
const SWAP: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
                    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

/// One Redis.
pub(super) struct Redis {
    url: Secret,
    client: Client,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    swap: Script,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why the last request failed; none when it did not.
    gone: Option<String>,
    /// Until when nothing is tried.
    paused: Option<Instant>,
}

impl Redis {
    /// Connects when it is needed.
    ///
    /// # Errors
    /// Why the URL is no good. It is not repeated: a password stands in it.
    pub(super) fn new(url: Secret) -> Result<Self, String> {
        let bad = |why: &str| {
            format!(
                "the URL of the store cannot be used: {why}; write redis[s]://[USER:PASSWORD@]HOST[:PORT][/DB]"
            )
        };
        let text = std::str::from_utf8(&url.0).map_err(|_| bad("it is no text"))?.trim();
        let client = Client::open(text).map_err(|error| bad(error.category()))?;
        match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(..) | ConnectionAddr::TcpTls { insecure: false, .. } => {}
            ConnectionAddr::TcpTls { .. } => return Err(bad("it asks for TLS that verifies nobody")),
            _ => return Err(bad("it names no host")),
        }
        let (connection, state) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { url, client, connection, swap: Script::new(SWAP), state })
    }

    pub(super) fn is_at(&self, url: &Secret) -> bool {
        self.url == *url
    }

    pub(super) fn health(&self) -> Health {
        match &self.state().gone {
            Some(why) => Health::Gone { why: why.clone() },
            None => Health::Shared,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        // A part, so that nobody can fill our memory by a value of theirs. Nothing sealed is empty.
        let mut part = redis::cmd("GETRANGE");
        part.arg(path).arg(0).arg(MAX_SEALED);
        let bytes: Vec<u8> = self.ask(part).await?;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    pub(super) async fn put(&self, path: &str, sealed: &[u8], ttl: Duration) -> Result<(), StoreError> {
        self.ask(set(path, sealed, ttl)).await
    }

    pub(super) async fn put_new(
        &self,
        path: &str,
        sealed: &[u8],
        ttl: Duration,
    ) -> Result<Written, StoreError> {
        let mut set = set(path, sealed, ttl);
        set.arg("NX");
        let written: Option<String> = self.ask(set).await?;
        Ok(if written.is_some() { Written::Yes } else { Written::No })
    }

    pub(super) async fn swap(
        &self,
        path: &str,
        before: &[u8],
        sealed: &[u8],
        ttl: Duration,
    ) -> Result<Written, StoreError> {
        let mut call = self.swap.key(path);
        call.arg(before).arg(sealed).arg(millis(ttl));
        let written: u8 = self.over(async |mut connection| call.invoke_async(&mut connection).await).await?;
        Ok(if written == 1 { Written::Yes } else { Written::No })
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StoreError> {
        let mut delete = redis::cmd("DEL");
        delete.arg(path);
        self.ask(delete).await
    }

    async fn ask<T: FromRedisValue>(&self, command: Cmd) -> Result<T, StoreError> {
        self.over(async |mut connection| command.query_async(&mut connection).await).await
    }

    /// One exchange, whatever it takes but no longer than [`PATIENCE`].
    async fn over<T>(
        &self,
        exchange: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        self.check_pause()?;
        let outcome = timeout(PATIENCE, async { exchange(self.connected().await?).await }).await;
        match outcome {
            Ok(Ok(value)) => {
                *self.state() = State::default();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(self.lost(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    fn check_pause(&self) -> Result<(), StoreError> {
        let state = self.state();
        match (&state.gone, state.paused) {
            (Some(why), Some(until)) if Instant::now() < until => Err(StoreError::Unavailable(why.clone())),
            _ => Ok(()),
        }
    }

    /// The connection. Who comes while it is opened waits for it.
    async fn connected(&self) -> RedisResult<MultiplexedConnection> {
        let mut place = self.connection.lock().await;
        if let Some(connection) = &*place {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_concurrency_limit(CONCURRENCY)
            .set_dns_resolver(Guarded);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        *place = Some(connection.clone());
        Ok(connection)
    }

    fn failed(&self, error: &RedisError) -> StoreError {
        let why: String = error.to_string().chars().take(MAX_REASON).collect();
        if error.is_unrecoverable_error() || error.is_io_error() {
            return self.lost(why);
        }
        // It answers, and has refused: what it refused once it may take the next time.
        self.state().gone = Some(why.clone());
        StoreError::Unavailable(why)
    }

    /// The connection is of no use any more.
    fn lost(&self, why: String) -> StoreError {
        // Somebody who opens a new one holds the lock; that one is not ours to drop.
        if let Ok(mut place) = self.connection.try_lock() {
            *place = None;
        }
        let mut state = self.state();
        if state.gone.is_none() {
            tracing::warn!(why, "the store of this server is gone; going on without it");
        }
        *state = State { gone: Some(why.clone()), paused: Some(Instant::now() + PAUSE) };
        StoreError::Unavailable(why)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(path: &str, sealed: &[u8], ttl: Duration) -> Cmd {
    let mut set = redis::cmd("SET");
    set.arg(path).arg(sealed).arg("PX").arg(millis(ttl));
    set
}

/// Redis refuses a time of 0.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, 365 * 24 * 3_600_000)
}

/// Without the URL.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("state", &*self.state()).finish_non_exhaustive()
    }
}
