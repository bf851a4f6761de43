//! The API client: every request is counted, and no write leaves while the [`Fence`] is shut.

mod depth;
mod layer;
mod request;

use crate::{fence::Fence, metrics::Metrics};
use kube::{Client, Config, client::ClientBuilder};
use std::{sync::Arc, time::Duration};

/// Name of the lease that the operator's replicas compete for.
pub const LEASE_NAME: &str = "mcpfleet-operator";

/// A client for whatever cluster the environment names: the pod's service account, or the kubeconfig.
///
/// # Errors
/// There is neither, or it cannot be used.
pub async fn connect(metrics: Arc<Metrics>, fence: Arc<Fence>) -> anyhow::Result<Client> {
    let mut config = Config::infer().await?;
    // Longer than the API server holds a watch open (5 to 10 minutes, or the 290 s that we ask for).
    config.read_timeout = Some(Duration::from_secs(305));
    config.connect_timeout = Some(Duration::from_secs(5));
    config.write_timeout = Some(Duration::from_secs(10));
    // Up to 164 s of silent retries otherwise: the queue retries, and says so.
    config.default_retry = false;
    let builder = ClientBuilder::try_from(config)?;
    Ok(builder.with_layer(&layer::Watchful { metrics, fence }).build())
}
