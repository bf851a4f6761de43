//! Small fleets for tests.

use crate::{
    compile::{Compiled, Inputs, Placement, Refused, Sight, Surroundings, compile},
    foreign::{LifecycleServer, Optional, ReferenceGrant, Service},
    v1alpha1::{McpServer, McpTool, ProviderRoute},
};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

pub(crate) fn parse<T: DeserializeOwned>(yaml: &str) -> T {
    let with_version = format!("apiVersion: mcpfleet.dev/v1alpha1\n{yaml}");
    serde_saphyr::from_str(&with_version).unwrap_or_else(|error| panic!("{error}\n{with_version}"))
}

pub(crate) fn server(name: &str, spec: &str) -> McpServer {
    parse(&format!(
        "kind: McpServer\nmetadata: {{name: {name}, namespace: agents}}\nspec:\n  auth: {{anonymous: {{}}}}\n  {spec}\n"
    ))
}

pub(crate) fn tool(name: &str) -> McpTool {
    parse(&format!(
        "kind: McpTool\nmetadata: {{name: {name}, namespace: agents, labels: {{fleet: shop}}}}\n\
         spec: {{description: says hello, backend: {{static: {{text: hello}}}}}}\n"
    ))
}

pub(crate) fn http_tool(name: &str, url: &str, properties: &str) -> McpTool {
    parse(&format!(
        "kind: McpTool\nmetadata: {{name: {name}, namespace: agents, labels: {{fleet: shop}}}}\nspec:\n  \
         description: asks\n  inputSchema: {{type: object, properties: {properties}}}\n  \
         backend: {{http: {{url: '{url}'}}}}\n"
    ))
}

pub(crate) fn route(name: &str, more: &str) -> ProviderRoute {
    parse(&format!(
        "kind: ProviderRoute\nmetadata: {{name: {name}, namespace: agents}}\nspec:\n  providers:\n  - name: main\n    \
         api: OpenAI\n    baseUrl: https://api.example.com/v1/\n    models: [{{name: small}}]\n    {more}\n"
    ))
}

pub(crate) fn created(mut tool: McpTool, time: &str) -> McpTool {
    let time = serde_json::from_value(serde_json::Value::from(time)).unwrap();
    tool.metadata.creation_timestamp = Some(time);
    tool
}

#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) server: McpServer,
    pub(crate) tools: Vec<McpTool>,
    pub(crate) routes: Vec<ProviderRoute>,
    pub(crate) neighbours: Vec<McpServer>,
    pub(crate) grants: Vec<ReferenceGrant>,
    pub(crate) services: Vec<Service>,
    pub(crate) lifecycle: Vec<LifecycleServer>,
    pub(crate) missing: BTreeSet<Optional>,
    pub(crate) sight: Sight,
}

impl Fleet {
    pub(crate) fn of(server: McpServer) -> Self {
        Self {
            server,
            tools: Vec::new(),
            routes: Vec::new(),
            neighbours: Vec::new(),
            grants: Vec::new(),
            services: Vec::new(),
            lifecycle: Vec::new(),
            missing: BTreeSet::new(),
            sight: Sight::Cluster,
        }
    }

    /// A server that selects `fleet=shop`.
    pub(crate) fn shop() -> Self {
        Self::of(server("shop", "tools: {selector: {matchLabels: {fleet: shop}}}"))
    }

    pub(crate) fn tool(mut self, tool: McpTool) -> Self {
        self.tools.push(tool);
        self
    }

    pub(crate) fn route(mut self, route: ProviderRoute) -> Self {
        self.routes.push(route);
        self
    }

    pub(crate) fn neighbour(mut self, server: McpServer) -> Self {
        self.neighbours.push(server);
        self
    }

    pub(crate) fn grant(mut self, grant: ReferenceGrant) -> Self {
        self.grants.push(grant);
        self
    }

    pub(crate) fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    pub(crate) fn lifecycle(mut self, server: LifecycleServer) -> Self {
        self.lifecycle.push(server);
        self
    }

    pub(crate) fn compile(&self) -> Result<Compiled, Refused> {
        self.compile_at(&Placement::Cluster)
    }

    pub(crate) fn compile_at(&self, placement: &Placement) -> Result<Compiled, Refused> {
        let tools: Vec<_> = self.tools.iter().collect();
        let routes: Vec<_> = self.routes.iter().collect();
        let servers: Vec<_> = self.neighbours.iter().chain([&self.server]).collect();
        let grants: Vec<_> = self.grants.iter().collect();
        let services: Vec<_> = self.services.iter().collect();
        let lifecycle: Vec<_> = self.lifecycle.iter().collect();
        compile(&Inputs {
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
            placement,
        })
    }
}
