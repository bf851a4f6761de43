//! The end of a process that others can still reach: what waits for its client's input, tasks that work or that nobody has
//! asked for, and then the port over which other replicas bring that input and ask.

use super::Shared;
use futures::future::join_all;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often it is looked whether anything waits still.
const GLANCE: Duration = Duration::from_millis(50);
/// How long upstreams may take to hear that calls were given up, and replicas to read the ends of their answers.
const FAREWELL: Duration = Duration::from_secs(1);

/// Calls that wait for input, tasks that work, and those of which nobody else knows how they have ended.
pub(super) fn waiting(shared: &Shared) -> usize {
    let servers = shared.fleet.all();
    let each = servers
        .values()
        .map(|server| server.suspended.count() + server.tasks.working() + server.tasks.awaited());
    each.sum()
}

/// Waits until there are none. Retries come over the port for other replicas meanwhile.
pub(super) async fn nothing_waits(shared: &Shared) {
    // The clients of these may take minutes, so a glance late is none.
    while waiting(shared) > 0 {
        sleep(GLANCE).await;
    }
}

/// Gives up what is left, and closes the port for other replicas.
pub(super) async fn finish(shared: &Shared) {
    let left = waiting(shared) > 0;
    let servers = shared.fleet.all();
    servers.values().for_each(|server| server.suspended.end());
    join_all(servers.values().map(|server| server.tasks.stop())).await;
    shared.peer_port.stop.cancel();
    shared.peer_port.connections.close();
    if left {
        // Upstreams are told in the background.
        sleep(FAREWELL).await;
    }
    // Whoever does not read to the end is cut.
    let _ = timeout(FAREWELL, shared.peer_port.connections.wait()).await;
}
