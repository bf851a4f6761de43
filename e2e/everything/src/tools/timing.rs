//! Tools that take time, and say so on the way.

use super::{Outcome, text};
use crate::dialogue::Call;
use std::time::Duration;
use tokio::time::sleep;

/// Between two messages, so that a client that collects them late is noticed.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn logging(call: &Call) -> Outcome {
    call.log("Tool execution started").await;
    sleep(PAUSE).await;
    call.log("Tool processing data").await;
    sleep(PAUSE).await;
    call.log("Tool execution completed").await;
    Ok(text("Logged three messages"))
}

pub(super) async fn log_once(call: &Call) -> Outcome {
    call.log("One message").await;
    Ok(text("Logged one message"))
}

pub(super) async fn progress(call: &Call) -> Outcome {
    call.progress(0, 100).await;
    sleep(PAUSE).await;
    call.progress(50, 100).await;
    sleep(PAUSE).await;
    call.progress(100, 100).await;
    Ok(text("Reported progress three times"))
}

pub(super) async fn reconnection() -> Outcome {
    sleep(2 * PAUSE).await;
    Ok(text("Reconnection test completed"))
}

pub(super) async fn slow(call: &Call) -> Outcome {
    let milliseconds = call.number("ms").unwrap_or_default();
    sleep(Duration::from_millis(milliseconds)).await;
    Ok(text(format!("Slept {milliseconds} ms")))
}

pub(super) async fn stream(call: &Call) -> Outcome {
    let count = call.number("n").unwrap_or_default().min(10_000);
    for step in 1..=count {
        call.progress(step, count).await;
    }
    Ok(text(format!("Reported progress {count} times")))
}
