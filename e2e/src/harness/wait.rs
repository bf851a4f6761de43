//! Waiting for what must come true.

use std::{fmt::Debug, time::Duration};
use tokio::time::{Instant, sleep};

/// How long anything may take on a loaded machine. Never part of a promise: it only ends a hopeless wait.
pub const DEADLINE: Duration = Duration::from_mins(3);

/// Asks again and again until the answer is `Ok`.
///
/// # Panics
/// It never was; the last answer is in the message.
pub async fn eventually<T, E, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
    E: Debug,
{
    let end = Instant::now() + DEADLINE;
    loop {
        match ask().await {
            Ok(value) => return value,
            #[allow(clippy::panic)]
            Err(last) if Instant::now() > end => panic!("{what}: never came true; last seen: {last:?}"),
            Err(_) => sleep(Duration::from_millis(250)).await,
        }
    }
}
