//! Leader election over a Lease. Only the holder watches, and only the holder writes.
//!
//! kube-lease-manager competes for the lease; two things stand beside it. The [`Fence`] shuts by the
//! monotonic clock when renewals are not confirmed, whatever this process believes. And a follower looks at
//! the lease every second, since the manager sleeps until the expiry that it saw last, which would make a
//! leader's orderly goodbye as slow as its crash.

use crate::{
    client::LEASE_NAME,
    fence::Fence,
    fleet::Gate,
    metrics::Metrics,
    settings::{LEASE_DURATION, LEASE_GRACE},
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseParams};
use mcpfleet_config::stream::Epoch;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at a lease that another holds, and between tries after an error.
const LOOK: Duration = Duration::from_secs(1);
/// How long giving the lease back may take at the end.
const GOODBYE: Duration = Duration::from_secs(3);

/// One candidate.
pub struct Election {
    /// For the lease.
    pub client: Client,
    /// Namespace of the lease.
    pub namespace: String,
    /// This candidate's name: its pod's, and where runtimes reach it.
    pub identity: String,
    /// Opened while leading.
    pub fence: Arc<Fence>,
    /// Told who leads while another does.
    pub gate: Arc<Gate>,
    /// Shows who leads.
    pub metrics: Arc<Metrics>,
    /// Set when the process is to end.
    pub shutdown: CancellationToken,
}

/// Leadership is over although the process was not asked to end.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another replica holds the lease, or renewals failed for too long.
    #[error("the lease was lost")]
    Lease,
    /// The work of the leader ended by itself.
    #[error("the controllers ended: {0}")]
    Work(anyhow::Error),
}

impl Election {
    /// Waits for the lease, runs `lead` while it is held, and gives it back at shutdown.
    ///
    /// # Errors
    /// Leadership was lost: the process is to exit, so that nothing of the old term lives on.
    pub async fn run<Fut>(&self, lead: impl FnOnce() -> Fut) -> Result<(), Lost>
    where
        Fut: Future<Output = anyhow::Result<()>>,
    {
        tracing::info!(identity = %self.identity, lease = LEASE_NAME, "waiting for the lease");
        let Some(manager) = self.campaign().await else { return Ok(()) };
        tracing::info!(identity = %self.identity, "leading");
        // Until our own gate is open there is nobody to send runtimes to, least of all to who led before.
        self.gate.set_leader(None);
        self.fence.open();
        self.metrics.set_leading(true);
        let outcome = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Ok(()),
            () = self.holds(&manager) => Err(Lost::Lease),
            ended = lead() => Err(Lost::Work(ended.err().unwrap_or_else(|| anyhow::anyhow!("without an error")))),
        };
        // Dropping `lead` has cancelled its work; the fence stops whatever is still under way.
        self.fence.shut();
        self.metrics.set_leading(false);
        if !matches!(outcome, Err(Lost::Lease)) {
            self.give_back(&manager).await;
        }
        outcome
    }

    /// `None` when the process is to end first.
    async fn campaign(&self) -> Option<LeaseManager> {
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return None,
                won = self.compete() => match won {
                    Ok(Some(manager)) => return Some(manager),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the lease cannot be competed for");
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
        }
    }

    /// One candidacy; `None` when it is worth to start another.
    async fn compete(&self) -> anyhow::Result<Option<LeaseManager>> {
        let parameters = LeaseParams::new(&self.identity, LEASE_DURATION.as_secs(), LEASE_GRACE.as_secs());
        let builder =
            LeaseManagerBuilder::new(self.client.clone(), LEASE_NAME).with_namespace(&self.namespace);
        let manager = builder.with_parameters(parameters).build().await?;
        let won = tokio::select! {
            won = manager.changed() => won?,
            () = self.given_back() => return Ok(None),
        };
        Ok(won.then_some(manager))
    }

    /// Resolves when a lease that was held is free.
    async fn given_back(&self) {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut was_held = false;
        loop {
            tokio::time::sleep(LOOK).await;
            let Ok(lease) = leases.get(LEASE_NAME).await else { continue };
            let holder = lease.spec.and_then(|spec| spec.holder_identity);
            self.gate.set_leader(holder.as_deref().and_then(address_of));
            let held = holder.is_some_and(|holder| !holder.is_empty() && holder != self.identity);
            if was_held && !held {
                return;
            }
            was_held = held;
        }
    }

    /// Renews; resolves when the lease is lost.
    async fn holds(&self, manager: &LeaseManager) {
        tokio::select! {
            () = renew(manager) => {}
            () = self.expired() => {}
        }
    }

    async fn expired(&self) {
        while let Some(deadline) = self.fence.deadline(Instant::now()) {
            tokio::time::sleep_until(deadline.into()).await;
        }
    }

    /// So that a successor need not wait for the expiry.
    async fn give_back(&self, manager: &LeaseManager) {
        match tokio::time::timeout(GOODBYE, manager.release()).await {
            Ok(Ok(())) => tracing::info!("gave the lease back"),
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be given back; it expires"),
            Err(_) => tracing::warn!("the lease could not be given back in time; it expires"),
        }
    }
}

/// Where runtimes reach the replica of this identity, as `ip:port`.
pub fn address_of(identity: &str) -> Option<String> {
    let (_, address) = identity.rsplit_once('_')?;
    address.parse::<std::net::SocketAddr>().ok().map(|address| address.to_string())
}

/// The term that the Lease speaks of.
///
/// # Errors
/// The API server cannot be asked.
pub async fn epoch(client: &Client, namespace: &str) -> kube::Result<Epoch> {
    let lease = Api::<Lease>::namespaced(client.clone(), namespace).get(LEASE_NAME).await?;
    let created = lease.metadata.creation_timestamp.map_or(0, |time| time.0.as_second());
    let term = lease.spec.and_then(|spec| spec.lease_transitions).unwrap_or_default();
    Ok(Epoch { lease: created, term: term.into() })
}

/// Resolves when another holds the lease. Errors are tried again: the fence knows when it has been too long.
async fn renew(manager: &LeaseManager) {
    loop {
        match manager.changed().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "the lease could not be renewed");
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

impl std::fmt::Debug for Election {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Election").field("identity", &self.identity).finish_non_exhaustive()
    }
}
