//! What a runtime says of itself at `GET /status` of its admin port: which configuration it holds and what
//! keeps declared things from being served. Read by the operator; never contains a secret value.

use crate::{ConfigHash, CredentialRef, pin::DefinitionPart};
use serde::{Deserialize, Serialize};

/// State of one runtime and one server that it serves.
///
/// Unknown fields are passed over: operator and runtime may be one version apart in either direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// Hash of the configuration that calls are served from; absent before the first valid one.
    pub config_hash: Option<ConfigHash>,
    /// Its revision; 0 when it came from a file that names none.
    pub config_revision: u64,
    /// A configuration that was refused after that one, if any.
    pub rejected: Option<Rejected>,
    /// Whether `/readyz` says yes.
    pub ready: bool,
    /// Why not, when it says no.
    pub not_ready_reason: Option<String>,
    /// Tools in the list that clients get, upstream ones included.
    pub tools: u32,
    /// Credentials that are named and not mounted, or empty.
    pub missing_credentials: Vec<MissingCredential>,
    /// Each upstream.
    pub upstreams: Vec<UpstreamStatus>,
    /// The serving certificate, when there is one.
    pub tls: Option<TlsStatus>,
    /// The store that replicas share, when one is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreStatus>,
}

/// State of a store outside the pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Whether the last request to it was carried out.
    pub serves: bool,
    /// Why not, when it was not.
    pub message: Option<String>,
}

/// A configuration that was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its hash.
    pub hash: ConfigHash,
    /// Why.
    pub message: String,
}

/// A credential that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingCredential {
    /// Which one.
    #[serde(flatten)]
    pub credential: CredentialRef,
    /// What does not work without it.
    pub used_by: Vec<CredentialUser>,
}

/// Something that needs a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialUser {
    /// The `McpTool` of this name.
    Tool(String),
    /// The upstream of this name.
    Upstream(String),
    /// The `ProviderRoute` of this name.
    Route(String),
    /// The server's `auth.keys`: callers with such a key. The credential's key is that of the entry that cannot be used,
    /// [`crate::WHOLE_SECRET`] when the Secret is not there or empty.
    Access,
    /// The store that replicas share.
    Store,
}

/// State of one upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamStatus {
    /// Its name.
    pub name: String,
    /// Whether its tools can be called.
    pub state: UpstreamState,
    /// Tools that it contributes.
    pub tools: u32,
    /// What went wrong last, when something did.
    pub message: Option<String>,
    /// Revision of the protocol that is spoken with it, such as `2025-11-25`; absent before it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// How messages travel to it; absent before it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<UpstreamWire>,
    /// Since when it is in this state, as RFC 3339 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What went wrong the last time that it did not answer; kept when it answers again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<UpstreamError>,
    /// Tools that are kept back because they are not what was approved: the first [`MAX_WITHHELD`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldTool>,
    /// How many are kept back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withheld_count: u32,
}

/// Most tools of an upstream that a status names as withheld.
pub const MAX_WITHHELD: usize = 16;

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A failure of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamError {
    /// What was the matter, as it was last.
    pub message: String,
    /// Since when nothing was to be had of it, as RFC 3339 has it.
    pub since: String,
}

/// A tool whose definition is not the one that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithheldTool {
    /// The upstream's name of it.
    pub tool: String,
    /// The parts that changed.
    pub changed: Vec<DefinitionPart>,
    /// What changed in them, at most [`MAX_DIFFERENCE`](crate::pin::MAX_DIFFERENCE) characters; empty where nobody knows
    /// the approved definition any more.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub difference: String,
}

/// How messages travel to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpstreamWire {
    /// Each answer in the response to its POST (2025-03-26 and later).
    StreamableHttp,
    /// Every answer on one stream of events (2024-11-05).
    HttpSse,
    /// Lines into a program, and lines out of it.
    Stdio,
}

/// Whether an upstream can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpstreamState {
    /// Not asked yet.
    #[default]
    Connecting,
    /// It answered the last handshake or list.
    Connected,
    /// It did not.
    Unreachable,
}

/// State of the serving certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsStatus {
    /// Whether a usable certificate is loaded.
    pub loaded: bool,
    /// What is wrong with it, when something is.
    pub message: Option<String>,
}
