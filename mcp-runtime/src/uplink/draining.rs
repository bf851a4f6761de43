//! Carries out what the operator says about new clients.

use crate::{readiness::Readiness, transport::Shared};
use mcpfleet_config::stream::Serving;
use std::{sync::Arc, time::Duration};
use tokio_util::task::AbortOnDropHandle;

/// From the drain's begin to the goodbye on open connections. The Service stops sending new clients in that time, so
/// that whoever is told to go does not come back here.
const GOODBYE: Duration = Duration::from_secs(10);
/// A drain whose operator has been gone for so long is over: nobody will take this pod.
const ABANDONED: Duration = Duration::from_mins(1);

/// Whether this process drains, and what is still to be done about it.
#[derive(Debug)]
pub struct Draining {
    shared: Arc<Shared>,
    readiness: Arc<Readiness>,
    goodbye: Option<AbortOnDropHandle<()>>,
}

impl Draining {
    /// A process that takes new clients.
    pub fn new(shared: Arc<Shared>, readiness: Arc<Readiness>) -> Self {
        Self { shared, readiness, goodbye: None }
    }

    /// Takes new clients from now on, or does not. To be called on a tokio runtime.
    pub fn serve(&mut self, serving: Serving) {
        if self.shared.retreat.serving() == serving {
            return;
        }
        tracing::info!(?serving, "new clients");
        match serving {
            Serving::Draining => {
                self.shared.retreat.begin();
                let shared = self.shared.clone();
                self.goodbye = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    tokio::time::sleep(GOODBYE).await;
                    shared.retreat.dismiss(&shared.fleet);
                })));
            }
            Serving::Normal => {
                self.goodbye = None;
                self.shared.retreat.take_back(&self.shared.fleet);
            }
        }
        self.shared.news.urgent();
        // The verdict is another now: nobody should wait for the next probe to hear it.
        let readiness = self.readiness.clone();
        tokio::spawn(async move { readiness.probe().await });
    }

    /// Waits until a drain is over because its operator has been gone too long; for ever without a drain.
    pub async fn abandoned(&self) {
        match self.shared.retreat.serving() {
            Serving::Draining => tokio::time::sleep(ABANDONED).await,
            Serving::Normal => std::future::pending().await,
        }
    }
}
