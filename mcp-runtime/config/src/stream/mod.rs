//! What a runtime and the operator say to each other: the contract of the stream that each pod opens.
//!
//! One HTTP/2 request (`POST` [`PATH`], bearer token) carries both directions: its body is [`Up`], the
//! response's body is [`Down`], each a sequence of frames that [`codec`] cuts. The runtime dials, so no pod has
//! a port that anyone could write to.
//!
//! ```text
//! runtime                                   operator (leader)
//!    |-- POST /v1/runtimes, Hello ------------->|  token reviewed: which pod, which server
//!    |<------------------- Welcome { epoch } ---|  an epoch older than one seen before is refused
//!    |<---------------------- Keys { keys } ---|  kept in memory; sent again when they change
//!    |<-------- Config { revision, hash } + bytes  validated whole, swapped, or refused whole
//!    |-- Report { status } -------------------->|  the acknowledgement: which hash is served, which refused
//!    |-- Report { signals } ------------------->|  on change, and at least every HEARTBEAT
//!    |<-------------------- Peers { replicas } --|  who could adopt a session; sent again when it changes
//!    |<------------------ Serve(Draining) ------|  before its pod is taken by a scale-down
//! ```
//!
//! Both sides pass over fields and messages that they do not know: they may be one version apart.

pub mod codec;
mod keys;

pub use keys::{KEY_BYTES, SessionKey};

use crate::{ConfigHash, ServerName, status::PodStatus};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, time::Duration};

/// Where the operator takes streams.
pub const PATH: &str = "/v1/runtimes";
/// Audience of the projected token. The API server refuses a token of this audience.
pub const AUDIENCE: &str = "mcpfleet.dev/operator";
/// A runtime reports at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(10);
/// After this long without a word the other side is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(30);

/// A term of leadership. A later one is greater; a runtime refuses one that is smaller than the greatest it saw.
///
/// Made from the Lease: its creation (a Lease that is deleted begins to count anew) and its `leaseTransitions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Epoch {
    /// When the Lease was created, in seconds since 1970, by the API server's clock.
    pub lease: i64,
    /// How often it has changed hands.
    pub term: i64,
}

/// From the runtime to the operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Up {
    /// The first message, once.
    Hello(Hello),
    /// Whenever something changed, and every [`HEARTBEAT`].
    Report(Box<Report>),
}

/// Who dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The server that it was started for. The token is what is believed; this must agree with it.
    pub server: ServerName,
    /// Newest [`crate::FORMAT`] that it reads.
    pub format: u32,
    /// Its version.
    pub version: String,
    /// Where other replicas of its server reach it, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
}

/// How a runtime is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// Its state; absent when it is as it was last reported. Always present after a configuration was pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PodStatus>,
    /// Its load.
    pub signals: Signals,
}

/// The load of one runtime. Gauges are of the moment; counters and integrals begin at 0 with the process, so
/// that the difference of two reports says exactly what happened between them, however far apart they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Signals {
    /// Age of the process in ms: the moment that the rest speaks of.
    pub uptime_ms: u64,
    /// Calls that run.
    pub running: u32,
    /// Of these, calls that wait for something further down (a limit, a bulkhead, a connection of an upstream):
    /// more replicas would not help them.
    pub blocked: u32,
    /// Calls that wait for admission.
    pub queued: u32,
    /// Notification streams that are open.
    pub streams: u32,
    /// Integral of `running - blocked` over time, in call-ms.
    pub running_ms: u64,
    /// Integral of `queued` over time, in call-ms.
    pub queued_ms: u64,
    /// Calls that have ended after they ran.
    pub finished: u64,
    /// Time that these ran, in ms.
    pub service_ms: u64,
    /// Calls that admission refused: the queue was full, or they waited too long.
    pub refused: u64,
    /// Bound of `running`.
    pub concurrency: u32,
    /// Bound of `queued`.
    pub queue_length: u32,
    /// Bound of `streams`.
    pub max_streams: u32,
    /// Whether it takes new clients.
    pub serving: Serving,
}

/// Whether a runtime takes new clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Serving {
    /// It does.
    #[default]
    Normal,
    /// It is not Ready, so that new clients go elsewhere, and serves those that it has to their end.
    Draining,
}

/// From the operator to the runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Down {
    /// The first message, once.
    Welcome {
        /// The operator's term.
        epoch: Epoch,
    },
    /// What replicas of this server share: before the first configuration, and again when it changes.
    Keys {
        /// The first one seals. The others only open: those that have sealed, and the one that is to seal next, so
        /// that it is known everywhere before anything is sealed with it.
        keys: Vec<SessionKey>,
    },
    /// A configuration; `length` bytes of it follow.
    Config(Announced),
    /// Where the replicas of this server reach each other, the one that is told among them. Again when it changes.
    Peers {
        /// As they have said themselves.
        replicas: Vec<SocketAddr>,
    },
    /// What to be from now on.
    Serve(Serving),
}

/// A configuration whose bytes follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// Its place in the order of this server's configurations. A file with a smaller one is older.
    pub revision: u64,
    /// Hash of the bytes.
    pub hash: ConfigHash,
    /// How many bytes follow; at most [`crate::MAX_BYTES`].
    pub length: u32,
}
