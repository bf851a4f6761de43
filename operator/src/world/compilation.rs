//! What a server compiles to, as far as it is kept: without the parsed configuration, which is many times the
//! size of its bytes.

use kube::ResourceExt;
use mcpfleet_config::Encoded;
use mcpfleet_crds::{
    compile::{Bridge, Compiled, Inputs, Placement, PodNeeds, Report, Scaling, Sight, Surroundings},
    foreign::{LifecycleServer, Optional, ReferenceGrant, Service},
    v1alpha1::{McpServer, McpTool, ProviderRoute},
};
use std::{collections::BTreeSet, sync::Arc};

/// Outcome of one compile.
#[derive(Clone, Debug, PartialEq)]
pub struct Compilation {
    /// What was refused or odd.
    pub report: Report,
    /// What can be served; absent when nothing can.
    pub product: Option<Product>,
}

/// What a server's children are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The configuration.
    pub encoded: Arc<Encoded>,
    /// What its pods need.
    pub pod: PodNeeds,
    /// How it is scaled, when it is.
    pub scaling: Option<Scaling>,
    /// Tools of its own.
    pub tools: usize,
    /// Names of the upstreams that are served, sorted.
    pub upstreams: Vec<String>,
    /// What runs those of them that are programs.
    pub bridges: Vec<Bridge>,
}

/// Everything that a server is compiled from, as it was at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) version: u64,
    pub(super) server: Arc<McpServer>,
    pub(super) tools: Vec<Arc<McpTool>>,
    pub(super) routes: Vec<Arc<ProviderRoute>>,
    pub(super) servers: Vec<Arc<McpServer>>,
    pub(super) grants: Vec<Arc<ReferenceGrant>>,
    pub(super) services: Vec<Arc<Service>>,
    pub(super) lifecycle: Vec<Arc<LifecycleServer>>,
    pub(super) missing: BTreeSet<Optional>,
    pub(super) sight: Arc<Sight>,
}

impl Snapshot {
    pub(super) fn compile(&self) -> Compilation {
        let tools: Vec<&McpTool> = self.tools.iter().map(Arc::as_ref).collect();
        let routes: Vec<&ProviderRoute> = self.routes.iter().map(Arc::as_ref).collect();
        let servers: Vec<&McpServer> = self.servers.iter().map(Arc::as_ref).collect();
        let grants: Vec<&ReferenceGrant> = self.grants.iter().map(Arc::as_ref).collect();
        let services: Vec<&Service> = self.services.iter().map(Arc::as_ref).collect();
        let lifecycle: Vec<&LifecycleServer> = self.lifecycle.iter().map(Arc::as_ref).collect();
        let inputs = Inputs {
            server: &self.server,
            tools: &tools,
            routes: &routes,
            servers: &servers,
            surroundings: Surroundings {
                grants: &grants,
                services: &services,
                lifecycle: &lifecycle,
                missing: &self.missing,
                sight: &self.sight,
            },
            placement: &Placement::Cluster,
        };
        tracing::debug!(server = %self.server.name_any(), version = self.version, "compiling");
        match mcpfleet_crds::compile(&inputs) {
            Ok(Compiled { config, encoded, pod, bridges, scaling, report }) => {
                let tools = config.tools.len();
                let upstreams = config.upstreams.into_iter().map(|upstream| upstream.name).collect();
                let encoded = Arc::new(encoded);
                let product = Product { encoded, pod, scaling, tools, upstreams, bridges };
                Compilation { report, product: Some(product) }
            }
            Err(refused) => Compilation { report: refused.report, product: None },
        }
    }
}
