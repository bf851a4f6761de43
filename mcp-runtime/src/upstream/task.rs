//! Work in the background.

use tokio::task::JoinHandle;

/// A task that lives as long as its owner.
#[derive(Debug)]
pub(super) struct StopOnDrop(pub(super) JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` on the runtime that we are on, if we are still on one: drops happen at shutdown too.
pub(super) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
