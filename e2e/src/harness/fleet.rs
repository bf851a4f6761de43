//! A namespace of its own for each test, and what one does in it.

use super::{client, eventually, run};
use anyhow::{Context as _, anyhow};
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    core::NamespaceResourceScope,
};
use mcpfleet_crds::v1alpha1::{Condition, McpServer, McpTool, ProviderRoute};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::{fmt::Debug, path::Path};

/// A namespace with a fleet in it. Deleted by [`Fleet::delete`]; a failed test leaves it for a look.
#[derive(Clone)]
pub struct Fleet {
    /// The cluster.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
}

impl Fleet {
    /// A fresh namespace that enforces the Restricted pod security standard.
    ///
    /// # Errors
    /// The cluster refuses.
    pub async fn new(test: &str) -> anyhow::Result<Self> {
        let client = client().await?;
        let namespace = json!({
            "metadata": {
                "generateName": format!("e2e-{test}-"),
                "labels": {"pod-security.kubernetes.io/enforce": "restricted", "mcpfleet.dev/e2e": test},
            }
        });
        let namespace = serde_json::from_value(namespace)?;
        let made = Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        let namespace = made.metadata.name.context("the API server names it")?;
        Ok(Self { client, namespace })
    }

    /// The objects of a kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Runs kubectl in this namespace.
    ///
    /// # Errors
    /// kubectl says no.
    pub async fn kubectl(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut all = vec!["-n", &self.namespace];
        all.extend(args);
        run("kubectl", &all).await
    }

    /// Applies manifests as a user does.
    ///
    /// # Errors
    /// kubectl or the API server says no; its words are in the error.
    pub async fn apply(&self, manifests: &str) -> anyhow::Result<String> {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        std::fs::write(file.path(), manifests)?;
        self.apply_path(file.path()).await
    }

    /// Applies a file or folder.
    ///
    /// # Errors
    /// As [`Fleet::apply`].
    pub async fn apply_path(&self, path: &Path) -> anyhow::Result<String> {
        self.kubectl(&["apply", "-f", path.to_str().context("paths are UTF-8 here")?]).await
    }

    /// Merges a patch into an object's spec or metadata.
    ///
    /// # Errors
    /// The API server says no.
    pub async fn patch<K>(&self, name: &str, patch: serde_json::Value) -> anyhow::Result<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        Ok(self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// Waits until a server's condition is `status`, and returns it.
    pub async fn server_condition(&self, name: &str, kind: &str, status: &str) -> Condition {
        self.server_condition_for(name, kind, status, "").await
    }

    /// Waits until a server's condition is `status` with `reason` (any when empty), for its latest generation.
    pub async fn server_condition_for(
        &self,
        name: &str,
        kind: &str,
        status: &str,
        reason: &str,
    ) -> Condition {
        let api = self.api::<McpServer>();
        eventually(&format!("McpServer {name}: {kind}={status} {reason}"), || async {
            let server = api.get(name).await?;
            let conditions = server.status.map(|status| status.conditions).unwrap_or_default();
            pick(&conditions, kind, status, reason, server.metadata.generation)
        })
        .await
    }

    /// Waits until a tool's Ready is `status`, and returns the condition.
    pub async fn tool_ready(&self, name: &str, status: &str, reason: &str) -> Condition {
        let api = self.api::<McpTool>();
        eventually(&format!("McpTool {name}: Ready={status} {reason}"), || async {
            let tool = api.get(name).await?;
            let conditions = tool.status.map(|status| status.conditions).unwrap_or_default();
            pick(&conditions, "Ready", status, reason, tool.metadata.generation)
        })
        .await
    }

    /// Waits until a route's Ready is `status`, and returns the condition.
    pub async fn route_ready(&self, name: &str, status: &str, reason: &str) -> Condition {
        let api = self.api::<ProviderRoute>();
        eventually(&format!("ProviderRoute {name}: Ready={status} {reason}"), || async {
            let route = api.get(name).await?;
            let conditions = route.status.map(|status| status.conditions).unwrap_or_default();
            pick(&conditions, "Ready", status, reason, route.metadata.generation)
        })
        .await
    }

    /// Base URL of a Service: its ClusterIP, which the test machine reaches.
    ///
    /// # Errors
    /// There is no such Service.
    pub async fn service_url(&self, name: &str) -> anyhow::Result<String> {
        let service = self.api::<Service>().get(name).await?;
        let spec = service.spec.context("a Service has a spec")?;
        let address = spec.cluster_ip.context("a ClusterIP was given")?;
        let port = spec.ports.unwrap_or_default().first().context("it has a port")?.port;
        let scheme = if port == 443 { "https" } else { "http" };
        Ok(format!("{scheme}://{address}:{port}"))
    }

    /// Deletes the namespace; what is in it goes while other tests run.
    ///
    /// # Errors
    /// The API server says no.
    pub async fn delete(self) -> anyhow::Result<()> {
        // Owners first: Kubernetes deletes a namespace's pods before all else and then waits for half their grace
        // period, whether they take it or not.
        let kinds = "mcpservers.mcpfleet.dev,mcptools.mcpfleet.dev,providerroutes.mcpfleet.dev,deployments";
        self.kubectl(&["delete", kinds, "--all", "--wait=false"]).await?;
        eventually("the pods are gone", || async {
            let left = self.kubectl(&["get", "pods", "-o", "name"]).await?;
            if left.trim().is_empty() { Ok(()) } else { Err(anyhow!("{left}")) }
        })
        .await;
        let api = Api::<Namespace>::all(self.client.clone());
        api.delete(&self.namespace, &DeleteParams::default()).await?;
        Ok(())
    }
}

fn pick(
    conditions: &[Condition],
    kind: &str,
    status: &str,
    reason: &str,
    generation: Option<i64>,
) -> anyhow::Result<Condition> {
    conditions
        .iter()
        .find(|c| c.type_ == kind && c.status == status && (reason.is_empty() || c.reason == reason))
        .filter(|c| c.observed_generation == generation)
        .cloned()
        .ok_or_else(|| {
            anyhow!(
                "{:?}",
                conditions.iter().map(|c| (&c.type_, &c.status, &c.reason, &c.message)).collect::<Vec<_>>()
            )
        })
}
