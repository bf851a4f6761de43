//! What servers own, as it is in the cluster.

use super::{Key, Shelf};
use crate::children::{APPLIED_HASH, ChildKind, SERVER_LABEL, UPSTREAM_LABEL, digest_data};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::Arc;

/// A shelf for each kind.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Children {
    pub service_accounts: Shelf<ServiceAccount>,
    pub config_maps: Shelf<ConfigMap>,
    pub services: Shelf<Service>,
    pub network_policies: Shelf<NetworkPolicy>,
    pub budgets: Shelf<PodDisruptionBudget>,
    pub deployments: Shelf<Deployment>,
}

/// One child as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its kind.
    pub kind: ChildKind,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// All of it; data of a ConfigMap as hashes.
    pub object: Value,
}

impl Seen {
    /// Whether the server with this uid controls it.
    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.controller().is_some_and(|owner| owner.uid == uid)
    }

    /// Who controls it.
    pub fn controller(&self) -> Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference> {
        self.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
    }

    /// Hash of the manifest that was applied last.
    pub fn applied_hash(&self) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(APPLIED_HASH).map(String::as_str)
    }

    /// The upstream that it runs; `None` for what is the server's own.
    pub fn upstream(&self) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(UPSTREAM_LABEL).map(String::as_str)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }
}

impl Default for Children {
    fn default() -> Self {
        Self {
            service_accounts: Shelf::new(server),
            config_maps: Shelf::new(server),
            services: Shelf::new(server),
            network_policies: Shelf::new(server),
            budgets: Shelf::new(server),
            deployments: Shelf::new(server),
        }
    }
}

fn server<K: ResourceExt>(object: &K) -> Option<String> {
    object.labels().get(SERVER_LABEL).cloned()
}

impl Children {
    /// All children of a server.
    pub fn of(&self, server: &Key) -> Vec<Seen> {
        let mut seen = Vec::with_capacity(ChildKind::ALL.len());
        seen.extend(see(ChildKind::ServiceAccount, &self.service_accounts.of(server)));
        seen.extend(see(ChildKind::ConfigMap, &self.config_maps.of(server)));
        seen.extend(see(ChildKind::Service, &self.services.of(server)));
        seen.extend(see(ChildKind::NetworkPolicy, &self.network_policies.of(server)));
        seen.extend(see(ChildKind::PodDisruptionBudget, &self.budgets.of(server)));
        seen.extend(see(ChildKind::Deployment, &self.deployments.of(server)));
        seen
    }

    /// The server's Deployment.
    pub fn deployment(&self, server: &Key) -> Option<Arc<Deployment>> {
        self.deployments.of(server).into_iter().find(|found| found.name_any() == server.name)
    }

    /// What runs the server's upstreams that are programs.
    pub fn bridges(&self, server: &Key) -> Vec<Arc<Deployment>> {
        let mut deployments = self.deployments.of(server);
        deployments.retain(|deployment| deployment.labels().contains_key(UPSTREAM_LABEL));
        deployments
    }

    /// Keeps what the API server answered to a write.
    ///
    /// # Errors
    /// The answer is not of the kind; the watch will bring it.
    pub fn put(&self, kind: ChildKind, object: Value) -> Result<(), serde_json::Error> {
        match kind {
            ChildKind::ServiceAccount => self.service_accounts.put(read(object)?),
            ChildKind::ConfigMap => {
                let mut config: ConfigMap = read(object)?;
                digest_data(&mut config);
                self.config_maps.put(config)
            }
            ChildKind::Service => self.services.put(read(object)?),
            ChildKind::NetworkPolicy => self.network_policies.put(read(object)?),
            ChildKind::PodDisruptionBudget => self.budgets.put(read(object)?),
            ChildKind::Deployment => self.deployments.put(read(object)?),
        };
        Ok(())
    }
}

fn read<K: ResourceExt + DeserializeOwned>(object: Value) -> Result<K, serde_json::Error> {
    let mut object: K = serde_json::from_value(object)?;
    object.managed_fields_mut().clear();
    Ok(object)
}

fn see<K: ResourceExt + Serialize>(kind: ChildKind, objects: &[Arc<K>]) -> Vec<Seen> {
    objects
        .iter()
        .filter_map(|object| {
            let metadata = object.meta().clone();
            serde_json::to_value(object.as_ref()).ok().map(|object| Seen { kind, metadata, object })
        })
        .collect()
}
