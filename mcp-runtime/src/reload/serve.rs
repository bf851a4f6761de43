//! Swaps configurations in: each server whole, or not at all.

use super::Reloader;
use crate::{
    credentials::{self, Credentials},
    server::{Loaded, Server, Surroundings},
    source::{Declared, Read, Source},
};
use mcpfleet_config::status::Rejected;
use std::{collections::BTreeMap, sync::Arc};

impl Reloader {
    /// What was served goes on; says why.
    pub(super) fn refuse(&self, rejected: &Rejected) {
        tracing::error!(
            reason = rejected.message,
            "the new configuration is refused whole; what was served before goes on"
        );
        self.shared.metrics.reloaded("rejected");
        self.shared.fleet.set_refused(Some(rejected.clone()));
    }

    /// Serves what was read and nothing else.
    pub(super) async fn apply(&self, read: Read) {
        let before = self.shared.fleet.all();
        let mut servers = BTreeMap::new();
        let mut refused = read.refused;
        for declared in read.servers {
            let name = declared.config.server.to_string();
            match self.serve(before.get(&name), declared).await {
                Ok(server) => {
                    server.rejected.store(None);
                    servers.insert(name, server);
                }
                Err(rejected) => {
                    tracing::error!(server = name, reason = rejected.message, "configuration refused");
                    refused.insert(name, rejected);
                }
            }
        }
        for (name, rejected) in refused {
            self.shared.metrics.reloaded("rejected");
            // A server that is declared but refused goes on with what it had.
            match before.get(&name) {
                Some(server) => {
                    server.rejected.store(Some(Arc::new(rejected)));
                    servers.insert(name, server.clone());
                }
                None if matches!(self.around.source, Source::Config { .. } | Source::Given(_)) => {
                    self.shared.fleet.set_refused(Some(rejected));
                }
                None => {}
            }
        }
        self.shared.fleet.replace(servers);
    }

    /// Serves this one and no other; on a refusal everything stays as it is.
    pub(super) async fn adopt(&self, declared: Declared) -> Result<Arc<Server>, Rejected> {
        let name = declared.config.server.to_string();
        let before = self.shared.fleet.all().get(&name).cloned();
        let server = self.serve(before.as_ref(), declared).await?;
        self.shared.fleet.replace(BTreeMap::from([(name, server.clone())]));
        Ok(server)
    }

    /// Credentials have changed, and nothing else: what is served is served with them.
    pub(super) async fn refresh(&mut self) {
        let (Source::Config { .. }, Some(server)) = (&self.around.source, self.only()) else {
            return self.load().await;
        };
        let parts = server.snapshot().parts.clone();
        let secrets = credentials::Source::Values(BTreeMap::new());
        let revision = server.revision();
        let declared = Declared { config: parts.config, hash: parts.hash, revision, secrets };
        if let Err(rejected) = self.adopt(declared).await {
            server.rejected.store(Some(Arc::new(rejected)));
        }
    }

    fn surroundings(&self) -> Surroundings {
        let shared = &self.shared;
        Surroundings {
            egress: self.egress.clone(),
            metrics: shared.metrics.clone(),
            news: shared.news.clone(),
            keys: shared.keys.clone(),
            own_address: shared.own_address(),
        }
    }

    /// Starts or updates one server.
    async fn serve(&self, before: Option<&Arc<Server>>, declared: Declared) -> Result<Arc<Server>, Rejected> {
        let loaded = self.with_credentials(declared).await;
        let (name, hash, revision) = (loaded.config.server.to_string(), loaded.hash.clone(), loaded.revision);
        let result = match before {
            Some(server) if server.serves(&loaded) => {
                server.set_revision(revision);
                return Ok(server.clone());
            }
            Some(server) => server.update(loaded).map(|()| server.clone()),
            None => Server::start(loaded, &self.surroundings()),
        };
        match result {
            Ok(server) => {
                if let Some(tls) = &server.snapshot().parts.config.listener.tls {
                    self.readiness.set_server_name(&tls.server_name);
                }
                self.shared.metrics.reloaded("accepted");
                tracing::info!(server = name, hash = hash.short(), revision, "configuration accepted");
                Ok(server)
            }
            Err(error) => Err(Rejected { hash, message: error.to_string() }),
        }
    }

    async fn with_credentials(&self, declared: Declared) -> Loaded {
        let Declared { config, hash, revision, secrets } = declared;
        let source = self.around.credentials.clone().map_or(secrets, credentials::Source::Directory);
        let wanted = config.clone();
        let read = tokio::task::spawn_blocking(move || Credentials::load_for(&source, &wanted));
        let credentials = Arc::new(read.await.unwrap_or_default());
        Loaded { config, hash, revision, credentials }
    }
}
