//! MCP servers behind the one that is served.

use crate::{AsyncCalls, CredentialRef, Header, RuntimeConfig, ToolAnnotations};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An MCP server behind this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upstream {
    /// Name within the server.
    pub name: String,
    /// Put in front of each of its tools' names.
    pub prefix: String,
    /// How to reach it.
    pub transport: UpstreamTransport,
    /// Deadline of one call, in ms.
    pub timeout_ms: u64,
    /// Scopes that a caller needs, all of them, for any of its tools. Format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Which of its tools are served, and as what. Format 4.
    #[serde(default, skip_serializing_if = "UpstreamTools::is_everything")]
    pub tools: UpstreamTools,
}

/// How an upstream is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum UpstreamTransport {
    /// Streamable HTTP, or HTTP+SSE, at one URL.
    StreamableHttp {
        /// The MCP endpoint.
        url: String,
        /// Sent with every request.
        headers: Vec<Header>,
    },
    /// A child process that speaks on standard input and output; only where the runtime is no pod. Format 4.
    #[serde(rename_all = "camelCase")]
    Stdio {
        /// The program and its arguments.
        command: Vec<String>,
        /// Its environment, sorted by name.
        env: Vec<EnvVar>,
        /// Who shares a process.
        processes: Processes,
    },
}

impl UpstreamTransport {
    /// Sent with every request, where requests have headers.
    pub fn headers(&self) -> Option<&Vec<Header>> {
        match self {
            Self::StreamableHttp { headers, .. } => Some(headers),
            Self::Stdio { .. } => None,
        }
    }

    /// Variables of the program, where there is one.
    pub fn environment(&self) -> &[EnvVar] {
        match self {
            Self::StreamableHttp { .. } => &[],
            Self::Stdio { env, .. } => env,
        }
    }
}

impl RuntimeConfig {
    /// The program that this server is, when it is nothing else: it offers nothing of its own, and everything of the
    /// program under the program's names.
    pub fn is_program(&self) -> Option<&Upstream> {
        let [upstream] = self.upstreams.as_slice() else { return None };
        let program = matches!(upstream.transport, UpstreamTransport::Stdio { .. });
        let whole = upstream.prefix.is_empty() && upstream.tools.is_everything();
        let alone = self.tools.is_empty() && self.prompts.is_empty() && self.resources.is_empty();
        (program && whole && alone).then_some(upstream)
    }
}

/// A variable of a program's environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: EnvValue,
}

impl EnvVar {
    /// The credential that it carries.
    pub fn credential(&self) -> Option<&CredentialRef> {
        match &self.value {
            EnvValue::Literal(_) => None,
            EnvValue::Credential(from) => Some(from),
        }
    }
}

/// Value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EnvValue {
    /// As written.
    Literal(String),
    /// From a Secret.
    Credential(CredentialRef),
}

/// Who shares a process of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Processes {
    /// Everybody.
    #[default]
    Shared,
    /// Nobody: each session has one.
    PerSession,
}

/// Which tools of an upstream are served, and as what. Names are the upstream's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpstreamTools {
    /// Patterns of the names to serve; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Patterns of the names not to serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "UpstreamAccess::is_any")]
    pub access: UpstreamAccess,
    /// What clients see instead of what the upstream says, by its name of the tool.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, ToolOverride>,
    /// Hashes ([`crate::pin`]) of definitions that were approved, by its name of the tool; `None`: clients see what it
    /// says now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins: Option<BTreeMap<String, String>>,
    /// What was approved, whole, where it is known: by the tools of `pins`. Shows what has changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approved: BTreeMap<String, Map<String, Value>>,
}

impl UpstreamTools {
    /// How its calls are tasks, by its own name of the tool, when an override says so.
    pub fn asynchronous(&self, tool: &str) -> Option<AsyncCalls> {
        self.overrides.get(tool)?.asynchronous
    }

    /// Whether all is served as it comes.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// What the tools of an upstream may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpstreamAccess {
    /// Whatever they do.
    #[default]
    Any,
    /// Only what says of itself, or of which an override says, that it is read-only.
    ReadOnly,
}

impl UpstreamAccess {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// What clients see of a tool instead of what its upstream says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolOverride {
    /// The whole name that clients call it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a model reads to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Hints that take the place of the upstream's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Its calls are tasks.
    #[serde(rename = "async", default, skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<AsyncCalls>,
}
