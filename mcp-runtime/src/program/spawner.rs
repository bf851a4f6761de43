//! The thread that starts processes.
//!
//! The system tells a process of its parent's death when the *thread* that started it ends. Threads of the async runtime
//! may end at any time; this one lives as long as the process does.

use std::{
    io,
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

struct Order {
    command: Command,
    runtime: Handle,
    started: oneshot::Sender<io::Result<Child>>,
}

static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();

/// Starts a process.
///
/// # Errors
/// It cannot be started.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (started, answer) = oneshot::channel();
    let order = Order { command, runtime: Handle::current(), started };
    ORDERS.get_or_init(open).send(order).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn open() -> Sender<Order> {
    let (orders, taken) = channel::<Order>();
    // Without it each order is answered that it is gone.
    let _ = std::thread::Builder::new().name("programs".into()).spawn(move || {
        for mut order in taken {
            let _entered = order.runtime.enter();
            // Who no longer waits drops the child, which then sees the end of its input.
            let _ = order.started.send(order.command.spawn());
        }
    });
    orders
}
