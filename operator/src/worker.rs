//! Runs one controller: takes keys from its queue, bounds and counts each reconcile.

use crate::{
    context::{Context, Queues},
    error::{Error, RECONCILE_TIMEOUT},
    queue::{Next, Queue},
    world::Key,
};
use std::{sync::Arc, time::Instant};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// One controller.
#[derive(Clone, Copy, Debug)]
pub struct Controller {
    /// Its name, as metrics and logs say it.
    pub name: &'static str,
    /// Its queue.
    pub queue: fn(&Queues) -> &Queue<Key>,
    /// Reconciles that run at once.
    pub concurrency: u16,
}

/// Reconciles until it is dropped; dropping cancels what runs.
pub async fn run<F, Fut>(controller: Controller, context: Arc<Context>, reconcile: F)
where
    F: Fn(Arc<Context>, Key) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = Result<Next, Error>> + Send + 'static,
{
    let mut workers = JoinSet::new();
    for _ in 0..controller.concurrency {
        workers.spawn(work(controller, context.clone(), reconcile));
    }
    workers.join_all().await;
}

async fn work<F, Fut>(controller: Controller, context: Arc<Context>, reconcile: F)
where
    F: Fn(Arc<Context>, Key) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = Result<Next, Error>> + Send + 'static,
{
    let queue = (controller.queue)(&context.queues);
    loop {
        let key = queue.next().await;
        context.metrics.set_queue_depth(controller.name, queue.depth());
        let started = Instant::now();
        let result = bounded(reconcile(context.clone(), key.clone())).await;
        let failure = result.as_ref().err().map(Error::reason);
        context.metrics.reconciled(controller.name, started.elapsed(), failure);
        let next = result.unwrap_or_else(|error| {
            tracing::warn!(controller = controller.name, object = %key, reason = error.reason(), %error, "will be tried again");
            Next::Retry
        });
        queue.done(&key, next);
        context.metrics.set_queue_depth(controller.name, queue.depth());
    }
}

/// A reconcile that panics or hangs costs its own object only.
async fn bounded<Fut>(reconcile: Fut) -> Result<Next, Error>
where
    Fut: Future<Output = Result<Next, Error>> + Send + 'static,
{
    let task = AbortOnDropHandle::new(tokio::spawn(reconcile));
    match tokio::time::timeout(RECONCILE_TIMEOUT, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::Panicked),
        Err(_) => Err(Error::TimedOut),
    }
}
